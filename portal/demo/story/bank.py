"""The bank of the story: it reads the sealed file as it was handed over, and answers line by line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from disbursement.models import Batch
from disbursement.treasury.formats import payment_format
from disbursement.treasury.formats.bank_return_csv import write_csv

CLOSED_ACCOUNT = "账号已销户"
WRONG_NAME = "账号户名不符"


def answer(*, batch: Batch, day: date, bounces: Mapping[str, str], strangers: int = 0) -> tuple[str, bytes]:
    """(name, bytes) of the return file for a sent batch.

    `bounces` maps an enterprise's id in the files to the reason; `strangers` are lines of somebody else's that the
    bank puts in by mistake.
    """
    sealed = batch.sealed_file
    said = payment_format(sealed.format).read_totals(bytes(sealed.content)).amounts
    attempts = {
        batch.line_id(attempt.line_no or 0): attempt
        for attempt in batch.attempts.filter(line_no__isnull=False).select_related("payable__enterprise")
    }
    rows = []
    for number, (line_id, amount) in enumerate(sorted(said.items()), start=1):
        attempt = attempts[line_id]
        reason = bounces.get(attempt.payable.enterprise.external_id, "")
        result = "退票" if reason else "成功"
        reference = f"B{day:%m%d}{batch.number[-3:]}{number:04d}"
        rows.append([line_id, attempt.account_number, f"{amount:.2f}", result, day.isoformat(), reference, reason])
    for number in range(strangers):
        rows.append(
            [f"{batch.number}-{900001 + number:06d}", "6222000000000000", "1888.00", "成功", day.isoformat(), "B9", ""]
        )
    return f"HD{batch.number}.csv", write_csv(rows)
