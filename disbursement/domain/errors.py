"""What a person can be told when something is refused, besides the table's own `Refused` and `Conflict`.

All carry a Chinese message that says what is wrong and what to do. `REFUSALS` is what a view catches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .conflicts import Conflict
from .workflow import Refused


class Denied(Exception):
    """The thing belongs to somebody else: another enterprise, another department. A view answers 404 or 403."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was handed in.

    `place` names it for the form: `form.<fact key>`, `material.<code>`, `leaf.<id>`, or a parameter's name.
    """

    place: str
    message: str


class Invalid(Exception):
    """What was handed in cannot be used; `faults` lists everything wrong with it. Nothing was changed."""

    def __init__(self, faults: Sequence[Fault] | Fault) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(fault.message for fault in self.faults))


def invalid(place: str, message: str) -> Invalid:
    """What is wrong in one place."""
    return Invalid(Fault(place, message))


REFUSALS = (Refused, Conflict, Denied, Invalid)
