"""What every payment format takes and gives."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from disbursement.domain import money


class FormatError(ValueError):
    """A file or an order that the format cannot take; the message is for people."""


@dataclass(frozen=True, slots=True)
class Party:
    """An account and who holds it. `bank_code` is the 联行号, empty where unknown."""

    name: str
    account_number: str
    bank_name: str
    bank_code: str = ""


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment; `line_id` (at most 35 characters of A–Z, a–z, 0–9, -) comes back in returns. `amount` in
    元.
    """

    line_id: str
    payee: Party
    amount: Decimal
    purpose: str


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """All that a file says. `created_at` is aware and fixed with the batch, so that the bytes are too."""

    number: str
    created_at: datetime
    execute_on: date
    payer: Party
    lines: Sequence[PaymentLine]

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def total(self) -> Decimal:
        return money.total(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """What a file says of itself, recounted from its lines: line id → amount."""

    amounts: Mapping[str, Decimal]

    @property
    def count(self) -> int:
        return len(self.amounts)

    @property
    def total(self) -> Decimal:
        return money.total(self.amounts.values())


class PaymentFormat(Protocol):
    """A file format for payments."""

    code: str
    extension: str

    def write(self, order: PaymentOrder) -> bytes:
        """The file's bytes: the same order always gives the same. Raises FormatError."""

    def read_totals(self, content: bytes) -> ControlTotals:
        """Count the lines of a file of this format again. Raises FormatError where it contradicts itself."""


def clean(text: str, *, limit: int) -> str:
    """Text safe for a bank's system: one line, no control characters, at most `limit` characters."""
    flat = "".join(" " if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c for c in text)
    return " ".join(flat.split())[:limit]


def check_order(order: PaymentOrder) -> None:
    """Raise FormatError unless the order has lines with unique ids, payable amounts, names and account
    numbers.
    """
    if not order.lines:
        raise FormatError(f"批次{order.number}没有可支付的明细，不能生成文件。")
    seen: set[str] = set()
    for line in order.lines:
        if line.line_id in seen:
            raise FormatError(f"批次{order.number}的明细号{line.line_id}重复。")
        seen.add(line.line_id)
        if line.amount <= 0 or line.amount != line.amount.quantize(money.CENT):
            raise FormatError(f"明细{line.line_id}的金额{line.amount}不是正的两位小数金额。")
        if not line.payee.name.strip() or not line.payee.account_number.strip():
            raise FormatError(f"明细{line.line_id}缺少收款户名或账号。")
