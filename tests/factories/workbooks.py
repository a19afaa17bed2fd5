"""Workbooks as other programs leave them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence

from openpyxl import Workbook

_SHEET = "xl/worksheets/sheet1.xml"


def workbook(rows: Iterable[Sequence[object]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _rewritten(content: bytes, pattern: str, by: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            if name == _SHEET:
                text, number = re.subn(pattern, by, part.decode())
                assert number, f"no {pattern} in {text[:300]}"
                part = text.encode()
            target.writestr(name, part)
    return out.getvalue()


def of_wrong_size(content: bytes) -> bytes:
    """The sheet claims a single cell, as some programs that write row by row leave it."""
    return _rewritten(content, r'<dimension ref="[^"]*"', '<dimension ref="A1"')


def with_a_row_moved(content: bytes, row: int, to: int) -> bytes:
    """One row bears another number; those between are missing."""
    return _rewritten(content, rf'<row r="{row}"', f'<row r="{to}"')


def ending_early(content: bytes) -> bytes:
    """The sheet breaks off behind its last row."""
    return _rewritten(content, r"</sheetData>.*", "")
