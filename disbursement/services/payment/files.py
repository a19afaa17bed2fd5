"""Payment files of a hundred thousand lines, never held whole: written line by line as the database gives the lines."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import IO, Any, BinaryIO, cast

from django.conf import settings
from django.db import transaction

from disbursement.domain.errors import invalid
from disbursement.models import AttemptOutcome, Batch
from disbursement.selectors.calendar import working_calendar
from disbursement.treasury.formats import FormatError, Party, PaymentLine, PaymentOrder, payment_format
from disbursement.treasury.formats.base import Streams
from matching.days import SHANGHAI, day_of

_IN_MEMORY = 4 * 1024 * 1024
_ROWS = 5000
_COLUMNS = (
    "line_no",
    "amount",
    "payee_name",
    "account_number",
    "bank_name",
    "bank_code",
    "payable__application__number",
    "payable__number",
)


class BatchLines(Collection[PaymentLine]):
    """The pending lines of a batch, from the database each time they are taken."""

    def __init__(self, batch: Batch, count: int) -> None:
        self._batch = batch
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __contains__(self, line: object) -> bool:
        return any(line == own for own in self)

    def __iter__(self) -> Iterator[PaymentLine]:
        rows = self._batch.attempts.filter(outcome=AttemptOutcome.PENDING).order_by("line_no").values_list(*_COLUMNS)
        what = f"{settings.HUIDA_DISTRICT}惠企政策兑现"
        for line_no, amount, name, account, bank, code, application, number in rows.iterator(chunk_size=_ROWS):
            yield PaymentLine(
                line_id=self._batch.line_id(line_no or 0),
                payee=Party(name=name, account_number=account, bank_name=bank, bank_code=code),
                amount=amount,
                purpose=f"{what} {application} 第{number}期",
            )


class Digest(io.RawIOBase):
    """A file that keeps nothing of what is written to it but its SHA-256."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._sha256.update(content)
        return len(content)

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


def payment_order(*, batch: Batch) -> PaymentOrder:
    """What the batch's file says; its time is that of the freeze, so that it depends on nothing later."""
    assert batch.frozen_at is not None
    return PaymentOrder(
        number=batch.number,
        created_at=batch.frozen_at.astimezone(SHANGHAI),
        execute_on=working_calendar().add_working_days(day_of(batch.frozen_at), 1),
        payer=Party(**batch.payer),
        lines=BatchLines(batch, batch.count),
        known_total=batch.total,
    )


@transaction.atomic
def write_file(*, batch: Batch, out: BinaryIO) -> None:
    """Write the payment file of a batch as it stands: the same lines always give the same bytes. Raises Invalid."""
    try:
        form = payment_format(batch.format)
        if isinstance(form, Streams):
            form.write_to(payment_order(batch=batch), out)
        else:
            out.write(form.write(payment_order(batch=batch)))
    except FormatError as error:
        raise invalid("file", str(error)) from error


def file_bytes(*, batch: Batch) -> bytes:
    """The payment file of a batch whole. Raises Invalid."""
    out = io.BytesIO()
    write_file(batch=batch, out=out)
    return out.getvalue()


def file_digest(*, batch: Batch) -> str:
    """The SHA-256 of the payment file, without keeping it. Raises Invalid."""
    out = Digest()
    write_file(batch=batch, out=cast(BinaryIO, out))
    return out.hexdigest()


def spooled() -> IO[bytes]:
    """A file of this process: in memory while it is small, then on disk."""
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)


def sha256_of(file: IO[bytes]) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def control_totals(*, code: str, file: IO[bytes]) -> tuple[int, Decimal]:
    """Count and sum of a payment file's lines, from its bytes. Raises FormatError."""
    form = payment_format(code)
    file.seek(0)
    if not isinstance(form, Streams):
        totals = form.read_totals(file.read())
        return totals.count, totals.total
    count, total = 0, Decimal("0.00")
    for _, amount in form.amounts(cast(BinaryIO, file)):
        count, total = count + 1, total + amount
    return count, total
