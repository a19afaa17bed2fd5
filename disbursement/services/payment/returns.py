"""Reading what the bank sends back.

A file is kept as it came; its lines are worked off in small transactions, so that a crash loses nothing and a
second run goes on where the first stopped. A line is matched on (batch, line id) and amount. What a line says
of an attempt is posted once; the same again is a duplicate; everything that cannot be posted is an exception
with its reason.

The order in which lines come makes no difference: a bounce always outdoes a success, for a bank that pays and
then returns is usual, while paying a bounced payment again after all is not. Where a success, be it the second,
is dated later than the bounce the attempt is marked as contradicted, and nothing more is paid on it until a
person has asked the bank.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q

from disbursement.domain.actors import Actor
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import BatchState, Role
from disbursement.models import Batch, LineStatus, ReturnFile, ReturnLine
from disbursement.services.payment.bulk import PIECE
from disbursement.services.payment.reconciliation import reconcile
from disbursement.services.payment.return_posting import post_rows, take_as_sent
from disbursement.services.payment.return_reading import Preflight, preflight, rows
from disbursement.services.payment.transitions import person
from disbursement.treasury.formats import FormatError
from disbursement.treasury.formats.base import clean
from matching.chunks import chunks
from matching.stored_bytes import create_with_content, pieces_of, stored

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class ReturnReport:
    """What a run over a file did; the counts are of the whole file. `batches` were touched by it."""

    file: ReturnFile
    was_known: bool
    posted: int = 0
    duplicates: int = 0
    exceptions: int = 0
    batches: list[Batch] = field(default_factory=list)


def import_return(
    *,
    name: str,
    content: bytes,
    now: datetime,
    actor: Actor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ReturnReport:
    """Take in a return file (CSV, XLSX, pain.002, camt.053), post its lines, reconcile the batches it concerns.

    Run again with the same bytes it goes on where it stopped, or changes nothing. Raises Invalid where the
    file is no return file at all; nothing is kept then. `on_progress` is told (lines done, lines in all).
    """
    file, is_new, said = receive(name=name, content=content, now=now, actor=actor)
    report = _post(file=file, name=name, content=content, said=said, now=now, on_progress=on_progress)
    report.was_known = not is_new
    return report


def receive(
    *, name: str, content: bytes, now: datetime, actor: Actor | None = None
) -> tuple[ReturnFile, bool, Preflight]:
    """Keep a return file as it came, without posting it: the file, whether it is new, and what it says of itself.
    Raises Invalid where it is no return file at all.
    """
    try:
        said = preflight(name=name, content=content)
    except FormatError as error:
        raise invalid("file", str(error)) from error
    file, is_new = _keep(
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        name=clean(name, limit=1000)[-200:],
        is_complete=said.is_complete,
        problems=list(said.problems),
        received_by_id=None if actor is None else actor.user_id,
        received_at=now,
    )
    return file, is_new, said


def post_file(*, file_id: int, now: datetime, on_progress: Callable[[int, int], None] | None = None) -> ReturnReport:
    """Post the lines of a file that was received, and reconcile; as `import_return` does."""
    file = ReturnFile.objects.defer("content").get(pk=file_id)
    content = stored(ReturnFile, file.pk).read()
    try:
        said = preflight(name=file.name, content=content)
    except FormatError as error:
        raise invalid("file", str(error)) from error
    return _post(file=file, name=file.name, content=content, said=said, now=now, on_progress=on_progress)


def _post(
    *,
    file: ReturnFile,
    name: str,
    content: bytes,
    said: Preflight,
    now: datetime,
    on_progress: Callable[[int, int], None] | None,
) -> ReturnReport:
    if file.posted_at is None:
        done = 0
        for chunk in chunks(rows(name=name, content=content), PIECE):
            post_rows(file_id=file.pk, rows=chunk, now=now)
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, max(said.count, done))
    for number, reference in said.accepted.items():
        # A bank that has taken a file has it, also where the answer to its sending was lost.
        tried = Q(state=BatchState.SEALED, sealed_file__delivery__tries__gte=1)
        batch = Batch.objects.filter(tried | Q(state=BatchState.SENT), number=number).first()
        if batch is not None:
            with transaction.atomic():
                take_as_sent(batch_id=batch.pk, file=file, now=now, reference=reference)
    report = ReturnReport(file=file, was_known=True)
    statuses = dict(file.lines.order_by().values_list("status").annotate(count=Count("pk")))
    report.posted = statuses.get(LineStatus.POSTED, 0)
    report.duplicates = statuses.get(LineStatus.DUPLICATE, 0)
    report.exceptions = statuses.get(LineStatus.EXCEPTION, 0)
    report.batches = list(Batch.objects.filter(return_lines__file=file).distinct().order_by("number"))
    for batch in report.batches:
        reconcile(batch_id=batch.pk, now=now)
        batch.refresh_from_db()
    # Last: a file is done when what follows from its lines is. One that was interrupted is fetched and read again.
    if ReturnFile.objects.filter(pk=file.pk, posted_at__isnull=True).update(posted_at=now):
        file.posted_at = now
    return report


def finish_interrupted(*, before: datetime, now: datetime) -> int:
    """Post what is left of files received before that time and not done: their readers died. Returns how many. One that
    cannot be posted stays for people, and stops no other.
    """
    left = ReturnFile.objects.filter(posted_at__isnull=True, received_at__lt=before).order_by("pk")
    done = 0
    for file_id in list(left.values_list("pk", flat=True)):
        try:
            post_file(file_id=file_id, now=now)
        except Exception:
            logger.exception("return file %s could not be finished", file_id)
        else:
            done += 1
    return done


def _keep(*, sha256: str, content: bytes, **values: Any) -> tuple[ReturnFile, bool]:
    """The file with those bytes, kept as it came, and whether it is new."""
    known = ReturnFile.objects.defer("content").filter(sha256=sha256)
    if (file := known.first()) is not None:
        return file, False
    try:
        with transaction.atomic():
            create_with_content(ReturnFile, content=pieces_of(content), sha256=sha256, **values)
    except IntegrityError:
        # Somebody brought the same file at the same moment.
        return known.get(), False
    return known.get(), True


@transaction.atomic
def resolve_exception(*, line_id: int, actor: Actor, now: datetime, resolution: str) -> ReturnLine:
    """A person has dealt with an exception, and says how. Finance only; changes no money."""
    roles = {Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER}
    if not roles & actor.roles:
        raise invalid("actor", "例外须由财务人员处理。")
    if not resolution.strip():
        raise invalid("resolution", "请填写处理说明。")
    line = ReturnLine.objects.select_for_update().get(pk=line_id)
    if line.status != LineStatus.EXCEPTION or line.resolved_at is not None:
        raise invalid("line", "该明细不是待处理的例外。")
    line.resolved_at, line.resolved_by_id, line.resolution = now, person(actor), resolution.strip()[:300]
    line.save(update_fields=["resolved_at", "resolved_by", "resolution"])
    if line.batch_id is not None:
        reconcile(batch_id=line.batch_id, now=now)
    return line
