"""Return files read whole; the product takes their lines one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from disbursement.treasury.formats import ReturnRow, stream_return


@dataclass(frozen=True, slots=True)
class ReturnContent:
    """All lines of a file, and what is to be said of the file as a whole."""

    rows: Sequence[ReturnRow]
    problems: Sequence[str]
    is_complete: bool
    accepted: Mapping[str, str]


def read_return(name: str, content: bytes) -> ReturnContent:
    """The file by the ending of its name, read to its end. Raises FormatError."""
    reading = stream_return(name, content)
    rows = list(reading.rows)
    return ReturnContent(rows, reading.problems, reading.is_complete, reading.accepted)
