"""The evidence library (电子证照库): a certificate is given once, replaced by newer versions, withdrawn, and keeps its
history. What that means for applications under way stands in `following`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid, invalid
from disbursement.domain.workflow import Role
from disbursement.models import (
    Evidence,
    EvidenceEvent,
    EvidenceEventKind,
    EvidenceSource,
    EvidenceVersion,
    Material,
    StoredFile,
)
from disbursement.selectors.evidence import kinds
from disbursement.services.evidence import stored
from disbursement.services.review import interests
from matching.days import day_of
from matching.models import Enterprise
from matching.registry import outbox
from matching.registry.models import Department

TOPIC = "evidence.changed"
# Who registers for a department the certificates that it issued.
REGISTRARS = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER)


@dataclass(frozen=True, slots=True)
class Details:
    """What stands on a certificate. `valid_until`: its last day (Asia/Shanghai), None where `is_long_term`."""

    issuer: str
    issued_on: date
    number: str = ""
    valid_until: date | None = None
    is_long_term: bool = False


def add(
    *, enterprise_id: int, kind: str, details: Details, content: bytes, name: str, actor: Actor, now: datetime
) -> EvidenceVersion:
    """Put a certificate of the enterprise into its library. Raises Denied, or Invalid with everything wrong with it."""
    if not actor.acts_for(enterprise_id):
        raise Denied(_("您不能代表这家企业存入证照。"))
    label = _kind_name(kind)
    _check(details=details, day=day_of(now))
    examined = stored.examine(content=content, name=name)
    with transaction.atomic():
        enterprise = Enterprise.objects.select_for_update(no_key=True).get(pk=enterprise_id)
        kept = stored.keep(examined=examined, now=now)
        return _open(
            enterprise=enterprise,
            kind=kind,
            label=label,
            details=details,
            kept=kept,
            name=examined.name,
            actor=actor,
            now=now,
        )


@transaction.atomic
def add_material(*, material_id: int, details: Details, actor: Actor, now: datetime) -> EvidenceVersion:
    """Put a file that was handed in with an application into the library, so that it need not be uploaded again."""
    material = Material.objects.select_related("application").filter(pk=material_id, replaced_at__isnull=True).first()
    if material is None or not actor.acts_for(material.application.enterprise_id):
        raise Denied(_("没有这个文件，或者您无权查看。"))
    label = _kind_name(material.code)
    _check(details=details, day=day_of(now))
    kept = StoredFile.objects.filter(sha256=material.sha256).first()
    if kept is None:
        raise invalid("file", _("文件与上传时不一致，请重新上传。"))
    enterprise = Enterprise.objects.select_for_update(no_key=True).get(pk=material.application.enterprise_id)
    return _open(
        enterprise=enterprise,
        kind=material.code,
        label=label,
        details=details,
        kept=kept,
        name=material.name,
        actor=actor,
        now=now,
    )


def attest(
    *,
    enterprise_id: int,
    kind: str,
    department_id: int,
    details: Details,
    content: bytes,
    name: str,
    actor: Actor,
    now: datetime,
) -> EvidenceVersion:
    """Register a certificate that the department itself issued: the stronger source. Raises Denied or Invalid."""
    enterprise = Enterprise.objects.filter(pk=enterprise_id).first()
    if enterprise is None:
        raise Denied(_("没有这家企业。"))
    _check_registrar(department_id=department_id, enterprise=enterprise, actor=actor)
    label = _kind_name(kind)
    _check(details=details, day=day_of(now))
    examined = stored.examine(content=content, name=name)
    with transaction.atomic():
        enterprise = Enterprise.objects.select_for_update(no_key=True).get(pk=enterprise_id)
        department = Department.objects.get(pk=department_id)
        kept = stored.keep(examined=examined, now=now)
        return _open(
            enterprise=enterprise,
            kind=kind,
            label=label,
            details=details,
            kept=kept,
            name=examined.name,
            actor=actor,
            now=now,
            department=department,
        )


def replace(
    *, evidence_id: int, details: Details, content: bytes | None, name: str, actor: Actor, now: datetime
) -> EvidenceVersion:
    """Give a certificate a newer version; without `content` the file stays and what stands on it is corrected.

    Applications that were handed in keep the version that they have. Raises Denied or Invalid.
    """
    _check_keeper(evidence=_found(evidence_id), actor=actor)
    _check(details=details, day=day_of(now))
    examined = None if content is None else stored.examine(content=content, name=name)
    with transaction.atomic():
        evidence = _locked(evidence_id)
        latest = _latest(evidence)
        if examined is None:
            kept, shown = latest.stored, latest.name
            said = Details(latest.issuer, latest.issued_on, latest.number, latest.valid_until, latest.is_long_term)
            if said == details:
                raise invalid("file", _("内容与现在的版本相同，没有需要更换的。请选择新文件或修改信息。"))
        else:
            kept, shown = stored.keep(examined=examined, now=now), examined.name
        version = _version(evidence=evidence, details=details, kept=kept, name=shown, actor=actor, now=now)
        tell(version=version, kind=EvidenceEventKind.REPLACED, now=now, by=actor.user_id)
        return version


@transaction.atomic
def withdraw(*, evidence_id: int, reason: str, actor: Actor, now: datetime) -> Evidence:
    """Take a certificate out of use (停用), for good; it stays on record. Raises Denied or Invalid."""
    evidence = _locked(evidence_id)
    _check_keeper(evidence=evidence, actor=actor)
    if not reason.strip():
        raise invalid("reason", _("请写明停用原因，例如：已注销、已另行换发。"))
    assert actor.user_id is not None
    evidence.withdrawn_by_id, evidence.withdrawn_at = actor.user_id, now
    evidence.withdraw_reason = reason.strip()[:300]
    evidence.save(update_fields=["withdrawn_by", "withdrawn_at", "withdraw_reason"])
    latest = _latest(evidence)
    tell(version=latest, kind=EvidenceEventKind.WITHDRAWN, now=now, by=actor.user_id, note=evidence.withdraw_reason)
    return evidence


def open_version(*, version_id: int, actor: Actor, now: datetime) -> stored.Opened:
    """A version's file for download: for its enterprise, and for the department that registered it. A reviewer opens
    the material of an application instead. Raises Denied or Invalid; a department's reading is put on record."""
    version = EvidenceVersion.objects.select_related("evidence", "stored").filter(pk=version_id).first()
    if version is None or not may_open(evidence=version.evidence, actor=actor):
        raise Denied(_("没有这份证照，或者您无权查看。"))
    return stored.open_for(
        actor=actor,
        subject=version,
        enterprise_id=version.evidence.enterprise_id,
        sha256=version.stored.sha256,
        path=version.stored.path,
        now=now,
    )


def may_open(*, evidence: Evidence, actor: Actor) -> bool:
    """Whether the person acts for the enterprise, or registers for the department that registered it."""
    if actor.acts_for(evidence.enterprise_id):
        return True
    department_id = evidence.department_id
    return department_id is not None and any(actor.holds(role, department_id=department_id) for role in REGISTRARS)


def tell(
    *,
    version: EvidenceVersion,
    kind: EvidenceEventKind,
    now: datetime,
    by: int | None = None,
    note: str = "",
) -> bool:
    """Put on record what happened to a version, once, and tell the rest of the house; whether it was new."""
    event, is_new = EvidenceEvent.objects.get_or_create(
        version=version, kind=kind, defaults={"by_id": by, "at": now, "note": note}
    )
    if is_new:
        outbox.emit(
            topic=TOPIC,
            payload={"evidence_id": version.evidence_id, "event_id": event.pk},
            now=now,
            dedupe_key=f"{TOPIC}:{event.pk}",
        )
    return is_new


def _open(
    *,
    enterprise: Enterprise,
    kind: str,
    label: str,
    details: Details,
    kept: StoredFile,
    name: str,
    actor: Actor,
    now: datetime,
    department: Department | None = None,
) -> EvidenceVersion:
    """A new certificate with its first version; the same again is a double click and gives the one there is.

    The enterprise's row is locked by the caller.
    """
    again = EvidenceVersion.objects.filter(
        evidence__enterprise=enterprise,
        evidence__kind=kind,
        evidence__department=department,
        evidence__withdrawn_at__isnull=True,
        stored=kept,
        number=details.number.strip(),
        issued_on=details.issued_on,
        valid_until=details.valid_until,
    ).first()
    if again is not None:
        return again
    assert actor.user_id is not None
    evidence = Evidence.objects.create(
        enterprise=enterprise,
        kind=kind,
        kind_name=label,
        source=EvidenceSource.OWN if department is None else EvidenceSource.ATTESTED,
        department=department,
        opened_by_id=actor.user_id,
        opened_at=now,
    )
    version = _version(evidence=evidence, details=details, kept=kept, name=name, actor=actor, now=now)
    tell(version=version, kind=EvidenceEventKind.ADDED, now=now, by=actor.user_id)
    return version


def _version(
    *, evidence: Evidence, details: Details, kept: StoredFile, name: str, actor: Actor, now: datetime
) -> EvidenceVersion:
    assert actor.user_id is not None
    return EvidenceVersion.objects.create(
        evidence=evidence,
        seq=evidence.versions.count() + 1,
        stored=kept,
        name=name,
        number=details.number.strip(),
        issuer=details.issuer.strip(),
        issued_on=details.issued_on,
        valid_until=details.valid_until,
        is_long_term=details.is_long_term,
        given_by_id=actor.user_id,
        given_at=now,
    )


def _kind_name(kind: str) -> str:
    found = kinds().get(kind)
    if found is None:
        raise invalid("kind", _("现在没有事项需要这种证照，请从清单中选择种类。"))
    return found


def _check(*, details: Details, day: date) -> None:
    faults: list[Fault] = []
    if not details.issuer.strip():
        faults.append(Fault("issuer", _("请填写签发单位。")))
    if details.issued_on > day:
        faults.append(Fault("issued_on", _("签发日期不能晚于今天（%(day)s）。") % {"day": day}))
    faults += _validity_faults(details, day)
    if faults:
        raise Invalid(faults)


def _validity_faults(details: Details, day: date) -> Sequence[Fault]:
    until = details.valid_until
    if details.is_long_term:
        return [Fault("valid_until", _("长期有效的证照不填有效期。"))] if until is not None else []
    if until is None:
        return [Fault("valid_until", _("请填写有效期的最后一天，或勾选“长期有效”。"))]
    if until < details.issued_on:
        return [Fault("valid_until", _("有效期不能早于签发日期。"))]
    if until < day:
        return [Fault("valid_until", _("这份证照已于 %(day)s 到期，请存入仍在有效期内的。") % {"day": until})]
    return []


def _check_registrar(*, department_id: int, enterprise: Enterprise, actor: Actor) -> None:
    if actor.user_id is None or not any(actor.holds(role, department_id=department_id) for role in REGISTRARS):
        raise Denied(_("证照由签发部门的受理人或审核人登记。"))
    interests.keep_away(actor=actor, enterprise=enterprise, subject=_("登记它的证照"))


def _check_keeper(*, evidence: Evidence, actor: Actor) -> None:
    """Who put it there keeps it: the enterprise its own, the department what it registered."""
    if evidence.department_id is not None:
        if actor.grants:
            _check_registrar(department_id=evidence.department_id, enterprise=evidence.enterprise, actor=actor)
        else:
            raise Denied(_("这份证照由签发部门登记，企业不能更改。如有出入，请联系登记部门。"))
    elif not actor.acts_for(evidence.enterprise_id):
        raise Denied(_("没有这份证照，或者您无权办理。"))
    if evidence.withdrawn_at is not None:
        raise Denied(_("这份证照已停用，不能再更改。需要时请另存一份。"))


def _found(evidence_id: int) -> Evidence:
    found = Evidence.objects.filter(pk=evidence_id).first()
    if found is None:
        raise Denied(_("没有这份证照，或者您无权办理。"))
    return found


def _locked(evidence_id: int) -> Evidence:
    found = Evidence.objects.select_for_update(no_key=True).filter(pk=evidence_id).first()
    if found is None:
        raise Denied(_("没有这份证照，或者您无权办理。"))
    if found.withdrawn_at is not None:
        raise Denied(_("这份证照已停用，不能再更改。需要时请另存一份。"))
    return found


def _latest(evidence: Evidence) -> EvidenceVersion:
    return evidence.versions.select_related("stored").order_by("-seq")[:1].get()
