"""A return file on its way into the books: looked through once before anything is kept, then taken line by line.

Reading twice costs seconds for a hundred thousand lines, and saves holding them: what the file says of itself as a
whole is known before its first line is posted, and no more than one chunk of lines is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from disbursement.models import SealedFile
from disbursement.treasury.formats import FormatError, ReturnRow, payment_format, stream_return
from matching.days import day_of

# Lines that a row for a whole batch stands for are numbered behind it.
_SPREAD = 1_000_000


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a return file says of itself: how many rows it has, what is wrong with it as a whole, and which batches
    the bank says that it has taken (number → its reference).
    """

    count: int
    problems: Sequence[str]
    is_complete: bool
    accepted: Mapping[str, str]


def preflight(*, name: str, content: bytes) -> Preflight:
    """Look a file through. Raises FormatError where it is no return file at all."""
    reading = stream_return(name, content)
    count = sum(1 for _ in reading.rows)
    return Preflight(count, reading.problems, reading.is_complete, dict(reading.accepted))


def rows(*, name: str, content: bytes, strict: bool | None = None) -> Iterator[ReturnRow]:
    """Its lines as they are posted: a row for a whole batch becomes a row for each line of the sealed file.

    `strict`: whether a line has to name its account; what it was for a file that came earlier nobody knows.
    """
    if strict is None:
        strict = settings.HUIDA_RETURNS_NEED_ACCOUNT
    for row in stream_return(name, content).rows:
        if row.cover is not None:
            yield from _spread(row)
        elif strict and is_without_account(row):
            # An id and an amount alone may be those of another payment, where a digit was lost on the way.
            yield _unposted(row, "回单未载明收款账号，不能核对收款人；请向银行索取含收款账号的回单")
        else:
            yield row


def is_without_account(row: ReturnRow) -> bool:
    """A line that could be read, and does not say which account was paid."""
    return not row.problem and not row.account_number


def _spread(row: ReturnRow) -> Iterator[ReturnRow]:
    """Every payment of the batch as paid, where count and sum are those of the sealed file; an exception otherwise.

    They are dated with the seal, before any answer to a single payment, so that a bounce outdoes them in whichever
    order the files come.
    """
    assert row.cover is not None
    sealed = SealedFile.objects.filter(batch__number=row.line_id).select_related("batch").first()
    if sealed is None:
        yield _unposted(row, f"没有批次{row.line_id}的封存文件，请确认是否为本系统发出的付款")
        return
    if (sealed.count, sealed.total) != (row.cover.count, row.cover.total):
        yield _unposted(
            row,
            f"银行所述整批{row.cover.count}笔{row.cover.total}元，与封存文件{sealed.count}笔{sealed.total}元不符；"
            "未逐笔入账，请向银行索取明细",
        )
        return
    try:
        amounts = payment_format(sealed.format).read_totals(bytes(sealed.content)).amounts
    except FormatError as error:
        yield _unposted(row, f"封存文件无法读取：{error}")
        return
    accounts = {
        sealed.batch.line_id(line_no or 0): account
        for line_no, account in sealed.batch.attempts.values_list("line_no", "account_number")
    }
    for place, (line_id, amount) in enumerate(amounts.items(), start=1):
        yield replace(
            row,
            row_no=row.row_no * _SPREAD + place,
            line_id=line_id,
            amount=amount,
            occurred_on=day_of(sealed.sealed_at),
            account_number=accounts.get(line_id, ""),
            cover=None,
        )


def _unposted(row: ReturnRow, problem: str) -> ReturnRow:
    return replace(row, result="", amount=None, occurred_on=None, problem=problem[:300], cover=None)
