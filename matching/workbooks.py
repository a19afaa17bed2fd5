"""The rows of a workbook that a stranger's program wrote, one by one. No framework here.

A workbook says itself how large its sheet is and which number a row has, and is believed in neither: a wrong size would
have rows left out in silence, and a single row of a number of nine digits would have all those before it made up, which
keeps a reader busy for an hour.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from openpyxl.utils.exceptions import InvalidFileException

MOST_ROWS = 1_048_576  # of a sheet, by the format's own limit (ECMA-376)

# What a spoilt workbook makes the libraries raise, from the archive down to its XML (a SyntaxError there).
SPOILT = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,
    EOFError,
    RuntimeError,
    UserWarning,
)


class TooManyRows(ValueError):
    """A row's number lies beyond what a sheet can have."""

    def __init__(self) -> None:
        super().__init__(f"行号超过工作表的上限（{MOST_ROWS}行）")


def rows_of(sheet: Any, *, max_col: int | None = None) -> Iterator[tuple[Any, ...]]:
    """The values of a sheet that `openpyxl` opened read-only, from its first row on; rows that it leaves out are empty.
    With `max_col` each row has that many cells, else as many as it holds itself. Raises TooManyRows, and of SPOILT
    whatever the file makes the library raise.
    """
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=max_col), start=1):
        if number > MOST_ROWS:
            raise TooManyRows
        yield row
