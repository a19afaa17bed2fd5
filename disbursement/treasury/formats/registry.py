"""The formats by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .bank_csv import BankCsv
from .bank_return_csv import csv_rows, name_return_tables, xlsx_rows
from .bank_xlsx import BankXlsx
from .base import FormatError, PaymentFormat
from .camt053 import MESSAGE as CAMT053
from .camt053 import camt053_rows
from .iso20022 import message_of
from .pain001 import Pain001
from .pain002 import MESSAGE as PAIN002
from .pain002 import pain002_rows
from .returned import Findings, Reading, ReturnRow, RowReader
from .voucher import TreasuryVoucher

__all__ = [
    "PAYMENT_FORMATS",
    "RETURN_READERS",
    "name_return_tables",
    "name_voucher_elements",
    "payment_format",
    "stream_return",
]

PAYMENT_FORMATS: Mapping[str, PaymentFormat] = {
    f.code: f
    for f in (
        BankCsv(),
        BankXlsx(),
        Pain001(),
        TreasuryVoucher("voucher", encoding="UTF-8"),
        TreasuryVoucher("vouchergbk", encoding="GBK"),
    )
}


def name_voucher_elements(tags: Mapping[str, str]) -> None:
    """The treasury's own names for elements of its voucher, from now on. Raises FormatError."""
    if tags:
        for found in PAYMENT_FORMATS.values():
            if isinstance(found, TreasuryVoucher):
                found.rename(tags)


def payment_format(code: str) -> PaymentFormat:
    """The format of that code; raises FormatError with the known ones."""
    try:
        return PAYMENT_FORMATS[code]
    except KeyError:
        raise FormatError(f"没有文件格式“{code}”，可用：{'、'.join(PAYMENT_FORMATS)}。") from None


def xml_rows(content: bytes, findings: Findings) -> Iterator[ReturnRow]:
    """An ISO 20022 message, by its namespace."""
    message = message_of(content)
    reader = {PAIN002: pain002_rows, CAMT053: camt053_rows}.get(message)
    if reader is None:
        said = f"，而是 {message}" if message else ""
        raise FormatError(f"XML 回单应为 pain.002 或 camt.053 报文{said}。请确认选对了文件。")
    yield from reader(content, findings)


RETURN_READERS: Mapping[str, RowReader] = {".csv": csv_rows, ".xlsx": xlsx_rows, ".xml": xml_rows}


def stream_return(name: str, content: bytes) -> Reading:
    """A return file line by line, by the ending of its name. Raises FormatError for an ending that none reads; taking
    the first line raises it where the content is no return file.
    """
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    reader = RETURN_READERS.get(suffix)
    if reader is None:
        raise FormatError(f"不支持“{name}”的文件类型，回单应为{'、'.join(RETURN_READERS)}文件。")
    findings = Findings()
    return Reading(reader(content, findings), findings)
