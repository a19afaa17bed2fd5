"""What every payment format takes and gives."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import BinaryIO, Protocol, runtime_checkable

from disbursement.domain import money


class FormatError(ValueError):
    """A file or an order that the format cannot take; the message is for people."""


class UnknownTable(FormatError):
    """A table whose headings are neither ours nor those of a bank that the settings name."""


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
    # Taken more than once, and not kept: lines of a hundred thousand may come straight from the database.
    lines: Collection[PaymentLine]
    # The sum in 元 where it is known beforehand; what is written must come to it.
    known_total: Decimal | None = None

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def total(self) -> Decimal:
        if self.known_total is not None:
            return self.known_total
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


@runtime_checkable
class Streams(Protocol):
    """A payment format that need not hold its file: it writes line by line, and reads its lines back one by one."""

    def write_to(self, order: PaymentOrder, out: BinaryIO) -> None:
        """The bytes of `write`, as they come. Raises FormatError; what was written by then is of no use."""

    def amounts(self, file: BinaryIO) -> Iterator[tuple[str, Decimal]]:
        """Line ids with their amounts in 元, in the order of the file. At the end raises FormatError where the file
        contradicts itself; that an id comes twice is for the caller to see.
        """


def clean(text: str, *, limit: int) -> str:
    """Text safe for a bank's system: one line, no control characters, at most `limit` characters."""
    # Most text is clean already, and a month writes hundreds of thousands of them.
    if len(text) <= limit and text.isprintable() and "  " not in text and text == text.strip():
        return text
    flat = "".join(" " if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c for c in text)
    return " ".join(flat.split())[:limit]


def check_order(order: PaymentOrder) -> None:
    """Raise FormatError unless the order has lines with unique ids, payable amounts, names and account
    numbers.
    """
    for _ in checked(order):
        pass


def checked(order: PaymentOrder) -> Iterator[PaymentLine]:
    """The lines of an order, each checked as it passes. Raises FormatError, at the end also where they do not come to
    what the order says of itself.
    """
    if not order.count:
        raise FormatError(f"批次{order.number}没有可支付的明细，不能生成文件。")
    # Ids that rise are unique; only where they do not have they to be remembered.
    seen: set[str] | None = None
    last, count, total = "", 0, money.ZERO
    for line in order.lines:
        if seen is None and line.line_id <= last:
            seen = {earlier.line_id for earlier in islice(order.lines, count)}
        if seen is not None:
            if line.line_id in seen:
                raise FormatError(f"批次{order.number}的明细号{line.line_id}重复。")
            seen.add(line.line_id)
        if line.amount <= 0 or line.amount != line.amount.quantize(money.CENT):
            raise FormatError(f"明细{line.line_id}的金额{line.amount}不是正的两位小数金额。")
        if not line.payee.name.strip() or not line.payee.account_number.strip():
            raise FormatError(f"明细{line.line_id}缺少收款户名或账号。")
        last, count, total = line.line_id, count + 1, total + line.amount
        yield line
    if count != order.count or (order.known_total is not None and total != order.known_total):
        raise FormatError(f"批次{order.number}的明细为{count}笔{total}元，与批次不符，不能生成文件。")
