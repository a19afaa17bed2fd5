"""The bank's batch payment file as XLSX: the table of `bank_csv`, for banks whose counter takes only workbooks.

Every cell is text, amounts too: account numbers keep their zeros, no figure passes through a binary double, and
nothing that a payee called himself is taken for a formula. Rows are written as they come. The bytes depend on nothing
but the order: entries of the archive bear one fixed time, and the workbook's own times are those of the order.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import numbers
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.writer.excel import ExcelWriter

from disbursement.domain import money
from matching.workbooks import SPOILT, rows_of

from .base import ControlTotals, FormatError, PaymentOrder, check_order, clean

COLUMNS = ["明细号", "收款户名", "收款账号", "开户银行", "联行号", "金额", "用途"]
_TRAILER = "合计"
_SHEET = "付款明细"
_WIDTHS = (20, 32, 26, 32, 16, 16, 44)
_STILL = (1980, 1, 1, 0, 0, 0)  # the first moment that an archive can bear


class BankXlsx:
    code = "bank_xlsx"
    extension = "xlsx"

    def write(self, order: PaymentOrder) -> bytes:
        check_order(order)
        book = Workbook(write_only=True)
        moment = order.created_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        book.properties.creator = "huida"
        book.properties.created = book.properties.modified = moment
        sheet = book.create_sheet(_SHEET)
        for letter, width in zip("ABCDEFG", _WIDTHS, strict=True):
            sheet.column_dimensions[letter].width = width
        row = _Row(sheet)
        for cells in _rows(order):
            row.append(cells)
        out = io.BytesIO()
        with _StillArchive(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            # Not book.save(): it would put the present moment into the properties.
            ExcelWriter(book, archive).save()
        return out.getvalue()

    def read_totals(self, content: bytes) -> ControlTotals:
        amounts: dict[str, Decimal] = {}
        trailer: Sequence[str] | None = None
        for number, row in enumerate(_read(content), start=1):
            if trailer is not None:
                raise FormatError(f"文件第{number}行在合计行之后，文件可能被改动。")
            if number == 1:
                continue
            if number == 2:
                if row != COLUMNS:
                    raise FormatError("文件缺少表头，可能不完整。")
                continue
            if row[0] == _TRAILER:
                trailer = row
                continue
            if len(row) != len(COLUMNS) or row[0] in amounts:
                raise FormatError(f"文件第{number}行列数不符或明细号重复。")
            try:
                amounts[row[0]] = money.money(row[5])
            except money.NotMoney as error:
                raise FormatError(f"文件第{number}行：{error}") from error
        totals = ControlTotals(amounts)
        if trailer is None or list(trailer[1:3]) != [str(totals.count), f"{totals.total:.2f}"]:
            raise FormatError("文件缺少合计行，或合计行与明细不符。")
        return totals


def _rows(order: PaymentOrder) -> Iterator[list[str]]:
    yield [
        "批次号",
        order.number,
        "付款户名",
        clean(order.payer.name, limit=140),
        "付款账号",
        order.payer.account_number,
        f"生成时间 {order.created_at.isoformat(timespec='seconds')}",
    ]
    yield COLUMNS
    for line in order.lines:
        yield [
            line.line_id,
            clean(line.payee.name, limit=140),
            line.payee.account_number,
            clean(line.payee.bank_name, limit=140),
            line.payee.bank_code,
            f"{line.amount:.2f}",
            clean(line.purpose, limit=140),
        ]
    yield [_TRAILER, str(order.count), f"{order.total:.2f}"]


class _Row:
    """Writes rows of text through the same few cells, so that a hundred thousand rows make no cell each."""

    def __init__(self, sheet: WriteOnlyWorksheet) -> None:
        self._sheet = sheet
        self._cells = [WriteOnlyCell(sheet) for _ in COLUMNS]
        for cell in self._cells:
            cell.number_format = numbers.FORMAT_TEXT

    def append(self, texts: Sequence[str]) -> None:
        for cell, text in zip(self._cells, texts, strict=False):
            cell.value = text
            # A text that begins with "=" would be taken for a formula.
            cell.data_type = "s"
        self._sheet.append(self._cells[: len(texts)])


class _StillArchive(zipfile.ZipFile):
    """An archive whose entries all bear the same time."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, compress_type: Any = None, compresslevel: Any = None) -> None:
        name = getattr(zinfo_or_arcname, "filename", zinfo_or_arcname)
        info = zipfile.ZipInfo(name, date_time=_STILL)
        info.external_attr = 0o600 << 16
        super().writestr(info, data, zipfile.ZIP_DEFLATED)

    def write(self, filename: Any, arcname: Any = None, *_options: Any) -> None:
        info = zipfile.ZipInfo(str(arcname or filename), date_time=_STILL)
        info.external_attr = 0o600 << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        with open(filename, "rb") as source, self.open(info, "w", force_zip64=True) as target:
            while part := source.read(1 << 20):
                target.write(part)


def _read(content: bytes) -> Iterator[list[str]]:
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for values in rows_of(book.worksheets[0], max_col=len(COLUMNS)):
            if any(value is not None and not isinstance(value, str) for value in values):
                raise FormatError("文件中有非文本的单元格，可能被改动。")
            yield [str(value or "") for value in values]
        book.close()
    except SPOILT as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"文件不是可读的XLSX：{type(error).__name__} {error}"[:300]) from error
