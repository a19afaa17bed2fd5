"""What a change of a certificate means for the applications that use it, and the passing of days.

A draft is refreshed: the newest valid version takes the old one's place. An application under review is flagged, for
its reviewer decides whether to ask for a correction; it keeps the bytes that were handed in. What is decided stays,
and is looked at again where it comes back by an appeal.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, invalid
from disbursement.domain.workflow import ApplicationState, Role
from disbursement.models import (
    Application,
    Evidence,
    EvidenceEventKind,
    EvidenceVersion,
    Material,
    MaterialFlag,
    MaterialFlagReason,
    ScanState,
    StoredFile,
)
from disbursement.selectors.evidence import DECIDED, LIBRARY, Entry, ending_soon, promised_codes, staleness, usable
from disbursement.selectors.forms import material_rules
from disbursement.services.application.applications import check_conflicts, lock, roles_for
from disbursement.services.evidence import library
from matching.days import day_of
from matching.registry import outbox

TOPIC = "material.changed"
_REVIEWING = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER, Role.APPEAL_REVIEWER)


@transaction.atomic
def follow(*, evidence_id: int, now: datetime) -> None:
    """Bring the enterprise's open applications up to date with one certificate. Can run twice."""
    evidence = Evidence.objects.filter(pk=evidence_id).first()
    if evidence is None:
        return
    opened = Application.objects.filter(enterprise_id=evidence.enterprise_id).exclude(state__in=DECIDED)
    for application_id in opened.order_by("pk").values_list("pk", flat=True):
        application = lock(application_id=application_id)
        if application.status is ApplicationState.DRAFT:
            refresh(application=application, codes=[evidence.kind], now=now)
        elif application.status not in DECIDED:
            taken = _live(application).filter(evidence_version__evidence=evidence)
            for material in taken.select_related("evidence_version__evidence", "evidence_version__stored"):
                assert material.evidence_version is not None
                reason = staleness(version=material.evidence_version, day=day_of(now))
                if reason:
                    flag(material=material, reason=MaterialFlagReason(reason), now=now)


def look_again(*, application: Application, now: datetime) -> None:
    """Flag what changed while the case stood decided, for nobody tells of it a second time. The application is locked
    by the caller.
    """
    live = list(_live(application).select_related("evidence_version__evidence", "evidence_version__stored"))
    for material, reason in _stale(live, day_of(now)):
        flag(material=material, reason=MaterialFlagReason(reason), now=now)
    infected = StoredFile.objects.filter(sha256__in=[m.sha256 for m in live], scan=ScanState.INFECTED)
    found = set(infected.values_list("sha256", flat=True))
    for material in live:
        if material.sha256 in found:
            flag(material=material, reason=MaterialFlagReason.INFECTED, now=now)


def refresh(
    *, application: Application, now: datetime, codes: Iterable[str] | None = None, by: int | None = None
) -> list[Material]:
    """Give a draft the newest valid certificate of each kind that its item takes from the library; what was added.

    What the enterprise uploaded itself, or promised, stays. `by` is who does it; by itself it happens in the name of
    who began the draft. The application is locked by the caller.
    """
    day = day_of(now)
    wanted = [rule.code for rule in material_rules(version=application.version) if rule.origin == LIBRARY]
    wanted = [code for code in wanted if codes is None or code in set(codes)]
    best = usable(enterprise_id=application.enterprise_id, day=day, kinds=wanted)
    promised = promised_codes(application=application, version=application.version)
    added = []
    for code in wanted:
        live = list(
            _live(application)
            .filter(code=code)
            .select_related("evidence_version__evidence", "evidence_version__stored")
        )
        stale = _stale(live, day)
        for material, reason in stale:
            drop(material=material, reason=reason, now=now, by=by)
        if len(live) > len(stale) or code in promised:
            continue
        if entries := best.get(code):
            added.append(attach(application=application, entry=entries[0], now=now, by=by))
        what = "refreshed" if entries else "dropped"
        for material, reason in stale:
            announce(material=material, what=what, reason=reason, now=now)
    return added


def attach(*, application: Application, entry: Entry, now: datetime, by: int | None) -> Material:
    """Take a certificate into an application, bytes and all; the same bytes again are the same file."""
    version = entry.version
    there = _live(application).filter(code=entry.evidence.kind, sha256=version.stored.sha256).first()
    if there is not None:
        return there
    return Material.objects.create(
        application=application,
        code=entry.evidence.kind,
        file=version.stored.path,
        name=version.name,
        content_type=version.stored.content_type,
        size=version.stored.size,
        sha256=version.stored.sha256,
        uploaded_by_id=by or application.created_by_id,
        uploaded_at=now,
        evidence_version=version,
    )


def drop(*, material: Material, reason: str, now: datetime, by: int | None = None) -> None:
    """Take a file out of an application that may still be mended; its row and bytes stay on record.

    What happened to it is settled only where another file of its code is there: a removal alone answers nothing.
    """
    Material.objects.filter(pk=material.pk, replaced_at__isnull=True).update(replaced_at=now)
    if Material.objects.filter(
        application_id=material.application_id, code=material.code, replaced_at__isnull=True
    ).exists():
        MaterialFlag.objects.filter(material=material, settled_at__isnull=True).update(
            settled_at=now, settled_by_id=by, note=_("材料已更换")
        )


def flag(*, material: Material, reason: MaterialFlagReason, now: datetime) -> bool:
    """Tell the reviewer what happened to a material, once; whether it was new."""
    found, is_new = MaterialFlag.objects.get_or_create(material=material, reason=reason, defaults={"raised_at": now})
    if is_new:
        announce(material=material, what="flagged", reason=found.reason, now=now)
    return is_new


def announce(*, material: Material, what: str, reason: str, now: datetime) -> None:
    """`what` is refreshed, dropped or flagged."""
    outbox.emit(
        topic=TOPIC,
        payload={
            "application_id": material.application_id,
            "material_id": material.pk,
            "what": what,
            "reason": reason,
        },
        now=now,
        dedupe_key=f"{TOPIC}:{material.pk}:{what}:{reason}",
    )


@transaction.atomic
def settle(*, flag_id: int, note: str, actor: Actor, now: datetime) -> MaterialFlag:
    """A reviewer of the application says why the material may stay as it is. Raises Denied, Conflict or Invalid."""
    found = MaterialFlag.objects.select_related("material").filter(pk=flag_id).first()
    if found is None:
        raise Denied(_("没有这条材料变动。"))
    application = lock(application_id=found.material.application_id)
    _check_reviewer(application=application, actor=actor)
    found.refresh_from_db()
    if found.settled_at is not None:
        return found
    if not note.strip():
        raise invalid("note", _("请写明处理意见，例如：申报时在有效期内，不影响审核。"))
    found.settled_at, found.settled_by_id, found.note = now, actor.user_id, note.strip()[:300]
    found.save(update_fields=["settled_at", "settled_by", "note"])
    return found


def pass_days(*, now: datetime) -> dict[str, int]:
    """Warn of certificates that end within thirty days, and tell of those that have ended, each once. Can run twice."""
    day = day_of(now)
    told = {"expiring": 0, "expired": 0}
    for version in ending_soon(day=day).order_by("pk").iterator(chunk_size=500):
        assert version.valid_until is not None
        kind = EvidenceEventKind.EXPIRING if version.valid_until >= day else EvidenceEventKind.EXPIRED
        with transaction.atomic():
            told[kind.value] += library.tell(version=version, kind=kind, now=now)
    return told


@transaction.atomic
def follow_scan(*, stored_id: int, now: datetime) -> None:
    """What a late verdict of the scanner means: certificates are told of, and infected files leave drafts and are
    flagged elsewhere. Can run twice."""
    stored = StoredFile.objects.filter(pk=stored_id).first()
    if stored is None:
        return
    kind = EvidenceEventKind.CLEARED if stored.may_be_opened else EvidenceEventKind.INFECTED
    for version in EvidenceVersion.objects.filter(stored=stored).order_by("pk"):
        library.tell(version=version, kind=kind, now=now, note=stored.finding)
    if stored.may_be_opened:
        return
    taken = Material.objects.filter(sha256=stored.sha256, replaced_at__isnull=True)
    for material in taken.exclude(application__state__in=DECIDED).order_by("application_id", "pk"):
        application = lock(application_id=material.application_id)
        if application.status is ApplicationState.DRAFT:
            drop(material=material, reason=MaterialFlagReason.INFECTED, now=now)
            announce(material=material, what="dropped", reason=MaterialFlagReason.INFECTED, now=now)
        elif application.status not in DECIDED:
            flag(material=material, reason=MaterialFlagReason.INFECTED, now=now)


def _live(application: Application) -> QuerySet[Material]:
    return Material.objects.filter(application=application, replaced_at__isnull=True).order_by("pk")


def _stale(live: Iterable[Material], day: date) -> list[tuple[Material, str]]:
    found = []
    for material in live:
        if material.evidence_version is not None:
            reason = staleness(version=material.evidence_version, day=day)
            if reason:
                found.append((material, reason))
    return found


def _check_reviewer(*, application: Application, actor: Actor) -> None:
    held = [role for role in _REVIEWING if role in roles_for(application=application, actor=actor)]
    if not held:
        raise Denied(_("材料变动由承办部门的受理人或审核人处理。"))
    refusal: Conflict | None = None
    for role in held:
        try:
            check_conflicts(application=application, actor=actor, role=role)
        except Conflict as conflict:
            refusal = conflict
        else:
            return
    assert refusal is not None
    raise refusal
