"""What every channel takes and gives."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

# What may come back in one file, in bytes: a statement of a hundred thousand entries takes about 120 MB.
LARGEST = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """A sealed file on its way. `key` is the same for the same bytes, for ever; `open` gives them from the beginning,
    as often as they are wanted, in pieces: a month's file may be large.
    """

    key: str
    name: str
    sha256: str
    size: int
    open: Callable[[], BinaryIO]

    @classmethod
    def of(cls, *, key: str, name: str, content: bytes) -> Parcel:
        """A parcel of bytes that are at hand."""
        return cls(key, name, hashlib.sha256(content).hexdigest(), len(content), lambda: io.BytesIO(content))


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side has the parcel, whole. `reference` is what the bank calls it, empty where nobody said."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that came back. `keep` is called when it has been taken into the books, `reject` with the reason when it
    cannot be.
    """

    name: str
    content: bytes
    keep: Callable[[], None] = field(default=lambda: None)
    reject: Callable[[str], None] = field(default=lambda reason: None)


class Refusal(Exception):
    """The other side has not taken the parcel this time, and said so. The message is for people. With `of_key` it says
    so of the parcel's key, under which whatever else was handed over is refused as well.
    """

    def __init__(self, message: str, *, of_key: bool = False) -> None:
        super().__init__(message)
        self.of_key = of_key


class Unsure(Exception):
    """The other side may have the parcel or not, or cannot be reached. The message is for people. Without `left`, this
    try handed nothing over, and was told nothing of what others did.
    """

    def __init__(self, message: str, *, left: bool = True) -> None:
        super().__init__(message)
        self.left = left


class Channel(Protocol):
    """A way to a bank and back."""

    def hand_over(self, parcel: Parcel, *, tried: bool) -> Receipt | None:
        """See that the other side has the parcel, once. `tried` says that it may have been handed over before.

        None: a person has to take it there. Raises Refusal or Unsure.
        """

    def arrivals(self, *, known: Callable[[str], bool], at: float) -> Iterator[Arrival]:
        """Files that came back, those left out whose SHA-256 is `known`. `at` is now, in seconds since 1970. Raises
        Unsure where the other side cannot be reached.
        """


class ByHand:
    """A person downloads the file and brings it to the bank; returns are uploaded."""

    def hand_over(self, parcel: Parcel, *, tried: bool) -> Receipt | None:
        return None

    def arrivals(self, *, known: Callable[[str], bool], at: float) -> Iterator[Arrival]:
        return iter(())
