"""Tables of the desk as files: CSV (UTF-8 with a mark, as spreadsheets want it) and XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpResponse
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from portal.downloads import attachment


def table_file(*, rows: Iterable[list[Any]], name: str, title: str, form: str) -> HttpResponse:
    """A table as an attachment, its first row the head; `form` is `csv` or `xlsx`, else there is no such page."""
    table = [[_plain(cell) for cell in row] for row in rows]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text).writerows([["" if cell is None else str(cell) for cell in row] for row in table])
        return attachment(content=text.getvalue().encode("utf-8-sig"), name=f"{name}.csv", content_type="text/csv")
    if form != "xlsx":
        raise Http404
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in table:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return attachment(content=file.getvalue(), name=f"{name}.xlsx")


def _plain(cell: Any) -> Any:
    """A cell that no spreadsheet reads as anything but a value: names and reasons are people's words."""
    if not isinstance(cell, str):
        return cell
    # What somebody pasted from a slide or a scan: XML has no such characters.
    text = ILLEGAL_CHARACTERS_RE.sub(" ", cell)
    # One that begins with = + - or @ would be a formula.
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
