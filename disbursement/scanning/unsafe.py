"""How a file is refused."""

from __future__ import annotations


class Unsafe(Exception):
    """The file is not taken; the message is for people and says what to do."""
