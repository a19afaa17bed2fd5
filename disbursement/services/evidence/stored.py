"""Bytes that come in: examined and scanned before any row is locked, kept privately under their hash, given out only
while they are what came in and no scanner objects."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.models import EvidenceVersion, FileReading, Material, ScanState, StoredFile
from disbursement.models.files import private_storage
from disbursement.scanning import EXTENSIONS, FileKind, Scanner, ScannerAway, Unsafe, clean_name, inspect

logger = logging.getLogger(__name__)

LARGEST = 20 * 1024 * 1024
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that may be kept: what its bytes are, under which name it is shown, and what the scanner said."""

    content: bytes
    sha256: str
    kind: FileKind
    name: str
    scan: ScanState


@dataclass(frozen=True, slots=True)
class Opened:
    """A file for download, whose bytes were found to be those that came in. Views send it as an attachment."""

    path: str
    name: str
    content_type: str
    size: int
    subject: Material | EvidenceVersion

    def pieces(self) -> Iterator[bytes]:
        """The bytes, a piece at a time; the file is open only while they are taken."""
        with private_storage().open(self.path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def refused(message: str) -> Invalid:
    return Invalid(Fault("file", message))


def scanner() -> Scanner | None:
    """The virus scanner of the settings; None where none is configured."""
    address = settings.CLAMAV_SOCKET
    return Scanner(address=address, timeout=settings.CLAMAV_TIMEOUT) if address else None


def examine(*, content: bytes, name: str) -> Examined:
    """Check what came in, and scan it. Writes nothing; called before rows are locked, for a scanner takes its time.

    Raises Invalid with what is wrong with the file and what to do. Where the scanner is away, `CLAMAV_WHEN_AWAY` says
    whether the file is refused, or taken into quarantine until it is scanned.
    """
    if not content:
        raise refused(_("文件是空的，请重新选择。"))
    if len(content) > LARGEST:
        raise refused(_("文件超过 %(limit)s MB，请压缩或拆分后上传。") % {"limit": LARGEST // 1024 // 1024})
    try:
        kind = inspect(content)
    except Unsafe as unsafe:
        raise refused(str(unsafe)) from unsafe
    extension, *aliases = EXTENSIONS[kind]
    return Examined(
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        kind=kind,
        name=clean_name(name, extension=extension, aliases=tuple(aliases), default=_("材料")),
        scan=_scan(content),
    )


def keep(*, examined: Examined, now: datetime) -> StoredFile:
    """The row of these bytes, one for each hash, in the caller's transaction. Raises Invalid for what is known to be
    infected and was not cleared by this scan."""
    path = f"materials/{examined.sha256[:2]}/{examined.sha256}"
    storage = private_storage()
    if not storage.exists(path):
        path = storage.save(path, ContentFile(examined.content))
    scanned_at = now if examined.scan is ScanState.CLEAN else None
    stored, is_new = StoredFile.objects.get_or_create(
        sha256=examined.sha256,
        defaults={
            "path": path,
            "size": len(examined.content),
            "content_type": examined.kind.value,
            "scan": examined.scan,
            "scanned_at": scanned_at,
            "stored_at": now,
        },
    )
    if is_new or stored.scan == ScanState.CLEAN:
        return stored
    if examined.scan is ScanState.CLEAN:
        stored.scan, stored.finding, stored.scanned_at = ScanState.CLEAN, "", now
        stored.save(update_fields=["scan", "finding", "scanned_at"])
    elif stored.scan == ScanState.INFECTED:
        raise _infected(stored.finding)
    return stored


def read(*, stored: StoredFile) -> bytes:
    """All bytes of a file, for the scanner. Raises Invalid where they are gone or no longer those that came in."""
    try:
        with private_storage().open(stored.path, "rb") as file:
            content: bytes = file.read()
    except OSError as error:
        raise _changed() from error
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise _changed()
    return content


@transaction.atomic
def open_for(
    *, actor: Actor, subject: Material | EvidenceVersion, enterprise_id: int, sha256: str, path: str, now: datetime
) -> Opened:
    """Open a file whose reading the caller has permitted; a reading by anyone but the enterprise is put on record.

    Raises Denied while it waits for the scanner or where that found something, Invalid where its bytes have changed.
    """
    stored = StoredFile.objects.filter(sha256=sha256).first()
    if stored is not None and stored.scan == ScanState.WAITING:
        raise Denied(_("这个文件正在等待查毒，通过后才能打开。"))
    if stored is not None and stored.scan == ScanState.INFECTED:
        raise Denied(_("这个文件查出病毒（%(found)s），不能打开。") % {"found": stored.finding})
    kind = subject.content_type if isinstance(subject, Material) else subject.stored.content_type
    size = subject.size if isinstance(subject, Material) else subject.stored.size
    opened = Opened(path=path, name=subject.name, content_type=kind, size=size, subject=subject)
    _check_bytes(opened, sha256)
    if actor.user_id is not None and not actor.acts_for(enterprise_id):
        FileReading.objects.create(
            reader_id=actor.user_id,
            at=now,
            sha256=sha256,
            material=subject if isinstance(subject, Material) else None,
            version=subject if isinstance(subject, EvidenceVersion) else None,
        )
    return opened


def _check_bytes(opened: Opened, sha256: str) -> None:
    digest = hashlib.sha256()
    try:
        for piece in opened.pieces():
            digest.update(piece)
    except OSError as error:
        raise _changed() from error
    if digest.hexdigest() != sha256:
        raise _changed()


def _changed() -> Invalid:
    return refused(_("文件与上传时不一致，请联系系统管理员。"))


def _scan(content: bytes) -> ScanState:
    asked = scanner()
    if asked is None:
        return ScanState.NONE
    try:
        verdict = asked.scan(content)
    except ScannerAway as away:
        logger.warning("the virus scanner gave no verdict: %s", away)
        if settings.CLAMAV_WHEN_AWAY == "quarantine":
            return ScanState.WAITING
        raise refused(_("查毒服务暂时不可用，文件没有保存。请过几分钟再上传。")) from away
    if not verdict.is_clean:
        logger.warning("an upload was refused: %s in %s", verdict.found, hashlib.sha256(content).hexdigest())
        raise _infected(verdict.found)
    return ScanState.CLEAN


def _infected(found: str) -> Invalid:
    text = _("文件查出病毒（%(found)s），没有保存。请在电脑上查杀病毒，再从原始来源重新导出后上传。")
    return refused(text % {"found": found})
