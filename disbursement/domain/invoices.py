"""The invoice table of an application: what its rows look like, and how they are read from what was typed.

An item has the table where its criteria or its award look at a fact of `INVOICE_FACTS`: that answer is then the sum
of the rows and is never typed. No invoice counts twice (`disbursement.services.awards`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from disbursement.domain.errors import Fault, Invalid

# The application facts, in 元, that are totals of an invoice table. A vocabulary that names another is entered here.
INVOICE_FACTS = frozenset({"invoice_total"})
MOST_ROWS = 200
COLUMNS = ("issuer", "number", "issued_on", "amount")
# The numbers of fully digital invoices are the country's, not the issuer's: one number is one invoice.
DIGITAL = r"^[0-9]{20}$"
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
# Digits so many that a twenty-digit number was meant.
_MISTYPED = re.compile(r"[0-9]{17,19}|[0-9]{21,}")


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice: who issued it (credit code or name), its number, its amount in 元, its day."""

    issuer: str
    number: str
    amount: Decimal
    issued_on: date = date.min

    @property
    def is_digital(self) -> bool:
        """Whether the number alone says which invoice it is."""
        return re.fullmatch(DIGITAL, self.number) is not None

    def to_row(self) -> dict[str, str]:
        """The invoice as `read_rows` takes it."""
        day = self.issued_on.isoformat()
        return {"issuer": self.issuer, "number": self.number, "issued_on": day, "amount": f"{self.amount:.2f}"}


def read_rows(rows: Sequence[Mapping[str, str]], *, as_of: date) -> list[Invoice]:
    """The invoices of a typed table; empty rows are left out. Each row: {"issuer", "number", "issued_on", "amount"}.

    `as_of` (Asia/Shanghai) is the last day that an invoice may bear. Raises Invalid with every fault, its place
    `invoice.<row from 1>.<column>`.
    """
    faults: list[Fault] = []
    found: list[tuple[int, Invoice]] = []
    for position, row in enumerate(rows, start=1):
        typed = {name: _plain(str(row.get(name) or "")) for name in COLUMNS}
        if not any(typed.values()):
            continue
        wrong = _faults(typed, position=position, as_of=as_of)
        faults += wrong
        if not wrong:
            day = date.fromisoformat(typed["issued_on"])
            amount = Decimal(_figure(typed["amount"])).quantize(Decimal("0.01"))
            found.append((position, Invoice(_squeezed(typed["issuer"]), _squeezed(typed["number"]), amount, day)))
    faults += _repeated(found)
    if len(found) > MOST_ROWS:
        faults.append(Fault("invoices", f"发票最多填 {MOST_ROWS} 张，请合并申报或分次申报。"))
    if faults:
        raise Invalid(faults)
    return [invoice for _position, invoice in found]


def total(invoices: Sequence[Invoice]) -> Decimal:
    """Their sum in 元."""
    return sum((invoice.amount for invoice in invoices), Decimal("0.00"))


def _faults(typed: Mapping[str, str], *, position: int, as_of: date) -> list[Fault]:
    said: dict[str, str] = {}
    number = _squeezed(typed["number"])
    if not typed["issuer"]:
        said["issuer"] = "请填写开票方的统一社会信用代码或名称。"
    elif len(typed["issuer"]) > 200:
        said["issuer"] = "开票方最多 200 个字。"
    if not number:
        said["number"] = "请填写发票号码。"
    elif len(number) > 40:
        said["number"] = "发票号码最多 40 个字符。"
    elif _MISTYPED.fullmatch(number):
        said["number"] = f"发票号码是 {len(number)} 位数字：数电发票应为 20 位，请核对。"
    if not typed["issued_on"]:
        said["issued_on"] = "请填写开票日期。"
    else:
        try:
            late = date.fromisoformat(typed["issued_on"]) > as_of
        except ValueError:
            said["issued_on"] = "开票日期请写作 2026-03-01。"
        else:
            if late:
                said["issued_on"] = "开票日期不能晚于今天。"
    figure = _figure(typed["amount"])
    if not figure:
        said["amount"] = "请填写发票金额。"
    elif not _AMOUNT.fullmatch(figure):
        said["amount"] = "发票金额请写作 12000.00：以元为单位，最多两位小数。"
    elif Decimal(figure) <= 0:
        said["amount"] = "发票金额应大于 0，红字发票请不要填入。"
    return [Fault(f"invoice.{position}.{column}", f"第 {position} 张发票：{text}") for column, text in said.items()]


def _repeated(found: Sequence[tuple[int, Invoice]]) -> list[Fault]:
    seen: dict[tuple[str, str], int] = {}
    faults = []
    for position, invoice in found:
        key = ("" if invoice.is_digital else invoice.issuer, invoice.number)
        first = seen.setdefault(key, position)
        if first != position:
            text = f"第 {position} 张发票与第 {first} 张重复，请删去一张。"
            faults.append(Fault(f"invoice.{position}.number", text))
    return faults


def _plain(text: str) -> str:
    # A NUL cannot be stored.
    return unicodedata.normalize("NFKC", text).replace("\0", "").strip()


def _squeezed(text: str) -> str:
    """Without blanks and in capitals, so that one invoice is written one way."""
    return re.sub(r"\s", "", text).upper()


def _figure(text: str) -> str:
    return re.sub(r"[\s,，元¥]", "", text)
