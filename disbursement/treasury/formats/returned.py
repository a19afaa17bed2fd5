"""What every return file comes down to, whatever the bank wrote it in: lines, one by one.

A reader is a generator of `ReturnRow` over the bytes. It holds one line at a time, so that a file of a hundred
thousand takes no more memory than one of ten. What can only be said of the file as a whole (totals that do not add
up, an end that is missing) is in `Findings` when the last line has been taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from disbursement.domain import money
from disbursement.domain.bank_references import normal

RESULTS = {"成功": "paid", "退票": "bounced", "退款": "refunded"}
# Of our ids: batch number and line.
LINE_ID = re.compile(r"[0-9]{9}-[0-9]{6}")
BATCH_NUMBER = re.compile(r"[0-9]{9}")
LONGEST_ID, LONGEST_REFERENCE, LONGEST_REASON, LONGEST_ACCOUNT = 60, 80, 300, 40

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_IN_ACCOUNTS = re.compile(r"[\s'‐-―-]")


@dataclass(frozen=True, slots=True)
class Cover:
    """A result that the bank gives for a whole file at once; `count` and `total` (元) are what it says the file
    held.
    """

    count: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """One line as read. `problem` is empty, or says what is wrong; then the other fields are what could be
    read.

    `result` is paid, bounced or refunded; `amount` in 元; `occurred_on` the bank's day; `account_number` the payee's,
    empty where the bank did not say. With `cover` the line speaks for every payment of the batch that `line_id` names.
    Not `is_dated` is a line whose day is only that of the message: told again, it would be another.
    """

    row_no: int
    line_id: str
    result: str
    amount: Decimal | None
    occurred_on: date | None
    reference: str
    reason: str
    problem: str = ""
    account_number: str = ""
    cover: Cover | None = None
    is_dated: bool = True


@dataclass(slots=True)
class Findings:
    """What is wrong with a file as a whole (`problems`), what is worth knowing (`notes`), and which batches the bank
    says that it has taken (number → its reference).
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """A file being read: take the `rows` to the end, then `problems`, `is_complete` and `accepted` are final.

    Taking a row may raise FormatError where the file is no return file at all.
    """

    rows: Iterator[ReturnRow]
    findings: Findings

    @property
    def problems(self) -> list[str]:
        return [*self.findings.problems, *self.findings.notes]

    @property
    def is_complete(self) -> bool:
        return not self.findings.problems

    @property
    def accepted(self) -> dict[str, str]:
        return self.findings.accepted


RowReader = Callable[[bytes, Findings], Iterator[ReturnRow]]


def flat(text: str) -> str:
    """One line without control characters: never part of what the bank meant, and a database may refuse them."""
    return _CONTROL.sub(" ", text).strip()


def day_in(text: str) -> date:
    """YYYY-MM-DD of this century. Raises ValueError."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def account_in(text: str) -> str:
    """An account number without the spaces and hyphens that people put into it."""
    return _IN_ACCOUNTS.sub("", text)[:LONGEST_ACCOUNT]


def count_in(text: str) -> int | None:
    """A whole number of at most nine digits, or None."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def amount_in(text: str) -> Decimal | None:
    """An amount in 元, or None."""
    try:
        return money.money(text.strip())
    except money.NotMoney:
        return None


def good(
    *,
    row_no: int,
    line_id: str,
    result: str,
    amount: Decimal,
    day: date,
    reference: str,
    reason: str,
    account: str,
    is_dated: bool = True,
) -> ReturnRow:
    """A line that could be read."""
    return ReturnRow(
        row_no=row_no,
        line_id=line_id[:LONGEST_ID],
        result=result,
        amount=amount,
        occurred_on=day,
        # As people's entries are kept: the same money is found however the bank writes its number.
        reference=normal(reference)[:LONGEST_REFERENCE],
        reason=reason[:LONGEST_REASON],
        account_number=account_in(account),
        is_dated=is_dated,
    )


def broken(*, row_no: int, line_id: str, said: str, problem: str) -> ReturnRow:
    """A line that could not; `said` is what stands in it."""
    return ReturnRow(
        row_no=row_no,
        line_id=line_id[:LONGEST_ID],
        result="",
        amount=None,
        occurred_on=None,
        reference="",
        reason=said[:LONGEST_REASON],
        problem=problem[:LONGEST_REASON],
    )
