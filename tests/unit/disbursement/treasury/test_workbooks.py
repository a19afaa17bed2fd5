"""The payment file as a workbook: text all through, and the same bytes whenever it is written."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

from openpyxl import load_workbook

from disbursement.treasury.formats.bank_xlsx import COLUMNS, BankXlsx
from tests.contract.payment_formats.test_payment_formats import ORDER

SLY = replace(
    ORDER,
    lines=[
        replace(line, payee=replace(line.payee, name="=HYPERLINK(1)", account_number="0062220000000001"))
        for line in ORDER.lines
    ],
)


def test_every_cell_is_text_and_none_is_a_formula() -> None:
    sheet = load_workbook(io.BytesIO(BankXlsx().write(SLY))).worksheets[0]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert [cell.value for cell in sheet[2]] == COLUMNS
    assert sheet["B3"].value == "=HYPERLINK(1)"
    assert sheet["C3"].value == "0062220000000001"
    assert sheet["F3"].value == "100000.00"


def test_nothing_in_the_archive_bears_the_time_of_writing() -> None:
    with zipfile.ZipFile(io.BytesIO(BankXlsx().write(ORDER))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2026-03-20T09:00:00Z") == 2
