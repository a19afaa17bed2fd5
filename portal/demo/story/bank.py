"""The bank of the story: it reads the sealed file as the simulated bank does, with code of its own, and answers each
line in the format that belongs to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from disbursement.models import Batch
from disbursement.treasury.simulator import Answer, read_order, write_answer

CLOSED_ACCOUNT = "账号已销户"
WRONG_NAME = "账号户名不符"
_CODES = {CLOSED_ACCOUNT: "AC04", WRONG_NAME: "BE01"}
# In what a bank answers each format; the spreadsheet's own is the usual one.
_ANSWERS = {"pain001": "pain002"}


def answer(*, batch: Batch, day: date, bounces: Mapping[str, str], strangers: int = 0) -> tuple[str, bytes]:
    """(name, bytes) of the return file for a sent batch.

    `bounces` maps an enterprise's id in the files to the reason; `strangers` are lines of somebody else's that the
    bank puts in by mistake.
    """
    sealed = batch.sealed_file
    order = read_order(bytes(sealed.content))
    payees = {
        batch.line_id(attempt.line_no or 0): attempt.payable.enterprise.external_id
        for attempt in batch.attempts.filter(line_no__isnull=False).select_related("payable__enterprise")
    }
    told = []
    for number, line in enumerate(order.lines, start=1):
        reason = bounces.get(payees[line.line_id], "")
        told.append(
            Answer(
                line_id=line.line_id,
                name=line.name,
                account=line.account,
                amount=line.amount,
                result="bounced" if reason else "paid",
                on=day,
                reference=f"B{day:%m%d}{batch.number[-3:]}{number:04d}",
                code=_CODES.get(reason, ""),
                reason=reason,
            )
        )
    for number in range(strangers):
        line_id = f"{batch.number}-{900001 + number:06d}"
        told.append(Answer(line_id, "路人", "6222000000000000", Decimal("1888.00"), "paid", day, "B9"))
    suffix, content = write_answer(_ANSWERS.get(sealed.format, "csv"), told, payer=order.payer)
    return f"HD{batch.number}{suffix}", content
