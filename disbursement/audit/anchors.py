"""Anchors: the digest of all that was linked, chained to the one before, signed, made to be printed and kept apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from disbursement.audit.findings import Finding
from disbursement.audit.signing import is_own_signature, microseconds, sign
from disbursement.models import Anchor, ChainLink

_GENESIS = "0" * 64
_ASK = "请与督查部门留存的纸质锚点核对；不一致即表明历史记录被改写，请封存数据库备份并报告。"


@transaction.atomic
def anchor(*, now: datetime) -> Anchor | None:
    """Chain everything linked since the last anchor; None where there is nothing new. Two at once take their turns.

    What a transaction still under way has linked is chained by the next anchor.
    """
    # The last anchor's row is the lock; the unique number decides about the very first.
    last = Anchor.objects.select_for_update().order_by("-number").first()
    waiting = ChainLink.objects.filter(anchor__isnull=True)
    if connection.vendor == "postgresql":
        top = waiting.order_by("-id").values_list("id", flat=True).first()
    else:
        top = ChainLink.objects.order_by("-id").values_list("id", flat=True).first()
    # The link of the last anchor itself is chained with the next, but is nothing new.
    if top is None or not waiting.exclude(stream=Anchor._meta.db_table).exists():
        return None
    ids = waiting.filter(id__lte=top)
    previous = _GENESIS if last is None else last.digest
    digest, count = _digest(previous, ids.order_by("id"))
    number = 1 if last is None else last.number + 1
    made = Anchor.objects.create(
        number=number,
        previous=previous,
        digest=digest,
        links=count,
        signature=sign(_text(number, previous, digest, count, now)),
        made_at=now,
    )
    ids.update(anchor=made)
    again, recount = _digest(previous, ChainLink.objects.filter(anchor=made).order_by("id"))
    if (again, recount) != (digest, count):
        # A link was committed between reading and marking: everything is taken back, and done again later.
        raise RuntimeError("links were written while they were anchored; run it again")
    return made


def check_anchors(*, counts: dict[str, int]) -> Iterator[Finding]:
    """Whether each anchor still says what its links say, in an unbroken row from the first."""
    previous, expected = _GENESIS, 1
    lost = ChainLink.objects.filter(anchor__isnull=False).exclude(
        Exists(Anchor.objects.filter(pk=OuterRef("anchor_id")))
    )
    if lost.exists():
        yield Finding("anchors", "锚点", "有存证所属的锚点不见了。", _ASK)
    for made in Anchor.objects.order_by("number").iterator():
        counts["anchors"] = counts.get("anchors", 0) + 1
        place = f"锚点第{made.number}号"
        if made.number != expected or made.previous != previous:
            yield Finding("anchors", place, "锚点不连续：中间有锚点被删除或改写。", _ASK)
        if not is_own_signature(
            _text(made.number, made.previous, made.digest, made.links, made.made_at), made.signature
        ):
            yield Finding("anchors", place, "锚点的签名不是本平台的。", _ASK)
        digest, count = _digest(made.previous, ChainLink.objects.filter(anchor=made).order_by("id"))
        if (digest, count) != (made.digest, made.links):
            yield Finding(
                "anchors",
                place,
                f"存证与锚点不符：锚定时{made.links}条，现有{count}条，有存证被删除、增加或改动。",
                _ASK,
            )
        previous, expected = made.digest, made.number + 1


def _digest(previous: str, links: object) -> tuple[str, int]:
    digest, count = hashlib.sha256(previous.encode()), 0
    rows = links.values_list("id", "stream", "mac", "digest").iterator(chunk_size=5000)  # type: ignore[attr-defined]
    for pk, stream, mac, content in rows:
        digest.update(f"\n{pk}|{stream}|{mac}|{content}".encode())
        count += 1
    return digest.hexdigest(), count


def _text(number: int, previous: str, digest: str, links: int, made_at: datetime) -> str:
    return f"{number}|{previous}|{digest}|{links}|{microseconds(made_at)}"
