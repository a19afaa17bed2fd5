"""The virus scanner over what is stored already: what came in while it was away, and all of it after new signatures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.errors import Invalid
from disbursement.models import ScanState, StoredFile
from disbursement.scanning import ScannerAway, Verdict
from disbursement.services.evidence import stored as files
from matching.registry import outbox

TOPIC = "file.scanned"
# So long a file may wait for the scanner before the health page says so.
PATIENCE = timedelta(minutes=15)


def rescan(*, now: datetime, everything: bool = False) -> Iterator[tuple[StoredFile, str]]:
    """Scan what waits, or `everything`, one file after the other; yields each with its new state, or "missing".

    Each verdict is written by itself, so that it may be stopped and begun anew. Raises ScannerAway as soon as the
    scanner gives no answer, and where none is configured.
    """
    scanner = files.scanner()
    if scanner is None:
        raise ScannerAway(_("没有配置查毒服务（CLAMAV_SOCKET）。"))
    scanner.ping()
    wanted = StoredFile.objects.order_by("pk")
    if not everything:
        wanted = wanted.filter(scan=ScanState.WAITING)
    for pk in list(wanted.values_list("pk", flat=True)):
        stored = StoredFile.objects.get(pk=pk)
        try:
            content = files.read(stored=stored)
        except Invalid:
            yield stored, "missing"  # `manage.py audit` tells of it
            continue
        yield _record(stored_id=pk, verdict=scanner.scan(content), now=now)


def work_off(*, now: datetime) -> dict[str, int]:
    """Scan what waits, where there is a scanner and it answers; how many came out how."""
    done: Counter[str] = Counter()
    if files.scanner() is None or not StoredFile.objects.filter(scan=ScanState.WAITING).exists():
        return {}
    try:
        for _stored, state in rescan(now=now):
            done[state] += 1
    except ScannerAway:
        done["away"] = 1
    return dict(done)


@transaction.atomic
def _record(*, stored_id: int, verdict: Verdict, now: datetime) -> tuple[StoredFile, str]:
    stored = StoredFile.objects.select_for_update(no_key=True).get(pk=stored_id)
    before = stored.scan
    stored.scan = ScanState.CLEAN if verdict.is_clean else ScanState.INFECTED
    stored.finding, stored.scanned_at = verdict.found, now
    stored.save(update_fields=["scan", "finding", "scanned_at"])
    if before != stored.scan and (before, stored.scan) != (ScanState.NONE, ScanState.CLEAN):
        outbox.emit(
            topic=TOPIC,
            payload={"stored_id": stored.pk},
            now=now,
            dedupe_key=f"{TOPIC}:{stored.pk}:{stored.scan}:{now.isoformat()}",
        )
    return stored, stored.scan


def troubles(*, now: datetime) -> list[str]:
    """What is not well with the scanner, in words, for the health page. Takes two seconds at most."""
    scanner = files.scanner()
    waiting = StoredFile.objects.filter(scan=ScanState.WAITING)
    told = []
    if scanner is not None:
        try:
            type(scanner)(address=scanner.address, timeout=min(2.0, scanner.timeout)).ping()
        except ScannerAway as away:
            told.append(_("查毒服务不可用：%(why)s") % {"why": away})
    late = waiting.filter(stored_at__lt=now - PATIENCE).count() if scanner is not None else waiting.count()
    if late:
        told.append(_("%(count)s 个文件等待查毒，暂时不能打开") % {"count": late})
    return told
