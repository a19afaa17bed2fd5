"""Materials: what an enterprise hands in with an application, uploaded or taken from its evidence library, replaced but
never overwritten."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, EvidenceVersion, Material, MaterialFlag, Promise, ToleratedGap
from disbursement.selectors.attention import GAP_STATES
from disbursement.selectors.evidence import LIBRARY, usable
from disbursement.selectors.forms import MaterialRule, material_rules
from disbursement.services.application.applications import lock, may_see
from disbursement.services.application.promises import has_broken_one
from disbursement.services.evidence import stored
from disbursement.services.evidence.following import attach, drop, refresh
from matching.days import day_of

MOST_FILES = 20

_S = ApplicationState
_OPEN = frozenset({_S.DRAFT, _S.CORRECTION, _S.REVIEW_CORRECTION})
# Here only what a gap still waits for may come in: what filled it is then before the reviewers, and stays.
_GAP_OPEN = frozenset({_S.SUBMITTED, *GAP_STATES})
# Where the enterprise may bring it, one way or the other.
GAP_WAITS = _GAP_OPEN | (_OPEN - {_S.DRAFT})


def upload(*, application_id: int, code: str, name: str, content: bytes, actor: Actor, now: datetime) -> Material:
    """Add one file for the material `code`; the same bytes again are the same file.

    Taken while the enterprise may mend (draft, corrections), and for a promised gap until the decision. Raises Denied,
    or Invalid with what is wrong with the file. It is examined and scanned before the application is locked.
    """
    found = Application.objects.select_related("version").filter(pk=application_id).first()
    if found is None:
        raise Denied(_("没有这件申报。"))
    _rule(application=found, code=code)
    _check_open(application=found, code=code, actor=actor, now=now)
    examined = stored.examine(content=content, name=name)
    with transaction.atomic():
        application = lock(application_id=application_id)
        rule = _rule(application=application, code=code)
        gap = _check_open(application=application, code=code, actor=actor, now=now)
        assert actor.user_id is not None
        kept = stored.keep(examined=examined, now=now)
        live = Material.objects.filter(application=application, code=code, replaced_at__isnull=True)
        material = live.filter(sha256=kept.sha256).first()
        if material is None:
            if live.count() >= MOST_FILES:
                raise stored.refused(_("“%(name)s”最多 %(most)s 个文件。") % {"name": rule.name, "most": MOST_FILES})
            material = Material.objects.create(
                application=application,
                code=code,
                file=kept.path,
                name=examined.name,
                content_type=examined.kind.value,
                size=kept.size,
                sha256=kept.sha256,
                uploaded_by_id=actor.user_id,
                uploaded_at=now,
            )
        _settle(material=material, now=now, by=actor.user_id)
        _fill(gap, now)
    return material


@transaction.atomic
def take_from_library(*, application_id: int, version_id: int, actor: Actor, now: datetime) -> Material:
    """Hand in a certificate of the evidence library, in place of an older version of the same. Open as `upload` is.

    Raises Denied, or Invalid where the certificate is no longer to be handed in.
    """
    application = lock(application_id=application_id)
    wanted = EvidenceVersion.objects.select_related("evidence").filter(pk=version_id).first()
    if wanted is None or wanted.evidence.enterprise_id != application.enterprise_id:
        raise Denied(_("没有这份证照，或者您无权办理。"))
    kind = wanted.evidence.kind
    rule = _rule(application=application, code=kind)
    gap = _check_open(application=application, code=kind, actor=actor, now=now)
    entries = usable(enterprise_id=application.enterprise_id, day=day_of(now), kinds=[kind]).get(kind, [])
    entry = next((entry for entry in entries if entry.version.pk == version_id), None)
    if entry is None:
        raise stored.refused(_("这份“%(name)s”已更换、到期或停用，请选择证照库中有效的版本。") % {"name": rule.name})
    older = Material.objects.filter(
        application=application, replaced_at__isnull=True, evidence_version__evidence_id=wanted.evidence_id
    ).exclude(evidence_version_id=version_id)
    for material in older:
        drop(material=material, reason="replaced", now=now, by=actor.user_id)
    material = attach(application=application, entry=entry, now=now, by=actor.user_id)
    _settle(material=material, now=now, by=actor.user_id)
    _fill(gap, now)
    return material


@transaction.atomic
def remove(*, material_id: int, actor: Actor, now: datetime) -> None:
    """Take a file out of an application; its row and bytes stay on record. Raises Denied."""
    material = Material.objects.select_related("application").filter(pk=material_id).first()
    if material is None:
        raise Denied(_("没有这个文件。"))
    application = lock(application_id=material.application_id)
    if not actor.acts_for(application.enterprise_id) or application.status not in _OPEN:
        raise Denied(_("现在不能删除材料。需要更换时，请在补正时重新上传。"))
    drop(material=material, reason="removed", now=now, by=actor.user_id)


@transaction.atomic
def sign_promise(*, application_id: int, code: str, actor: Actor, now: datetime) -> Promise:
    """Sign the item's promise in place of a material (告知承诺). Raises Invalid where the item offers none for it,
    another was signed under an older version, or the enterprise broke one before."""
    application = lock(application_id=application_id)
    rule = _rule(application=application, code=code)
    if not rule.promise:
        raise Invalid(Fault(f"material.{code}", _("“%(name)s”不适用告知承诺，请上传。") % {"name": rule.name}))
    if has_broken_one(enterprise_id=application.enterprise_id, day=day_of(now)):
        text = _("企业有告知承诺不实的记录，信用修复以前不再适用告知承诺，请上传“%(name)s”。") % {"name": rule.name}
        raise Invalid(Fault(f"material.{code}", text))
    signed = Promise.objects.filter(application=application, material_code=code).first()
    if signed is not None and signed.text == rule.promise and actor.acts_for(application.enterprise_id):
        _fill(_gap(application=application, code=code), now)
        return signed  # a second click
    gap = _check_open(application=application, code=code, actor=actor, now=now)
    if signed is not None:  # what was signed stays on record, and a material has one promise
        text = _("“%(name)s”的承诺是按旧的承诺内容签署的，不能改签，请上传。") % {"name": rule.name}
        raise Invalid(Fault(f"material.{code}", text))
    _fill(gap, now)
    assert actor.user_id is not None
    return Promise.objects.create(
        application=application, material_code=code, text=rule.promise, signed_by_id=actor.user_id, signed_at=now
    )


def reuse_known(*, application: Application, actor: Actor, now: datetime) -> list[Material]:
    """Bring what need not be uploaded again: certificates of the evidence library (电子证照库), and where it has none
    of a kind, what the enterprise handed in for it with an accepted application."""
    assert actor.user_id is not None
    added = refresh(application=application, now=now, by=actor.user_id)
    there = {material.code for material in added}
    for rule in material_rules(version=application.version):
        if rule.origin != LIBRARY or rule.code in there:
            continue
        latest = (
            Material.objects.filter(
                application__enterprise_id=application.enterprise_id,
                code=rule.code,
                replaced_at__isnull=True,
                evidence_version__isnull=True,
                application__accepted_at__isnull=False,
            )
            .order_by("-uploaded_at", "-id")
            .first()
        )
        # A certificate that was in the library and is no longer valid there is not brought back by its copies.
        withdrawn = EvidenceVersion.objects.filter(
            evidence__enterprise_id=application.enterprise_id, evidence__kind=rule.code
        )
        if latest is not None and not withdrawn.exists():
            added.append(
                Material.objects.create(
                    application=application,
                    code=rule.code,
                    file=latest.file.name,
                    name=latest.name,
                    content_type=latest.content_type,
                    size=latest.size,
                    sha256=latest.sha256,
                    uploaded_by_id=actor.user_id,
                    uploaded_at=now,
                    reused_from=latest,
                )
            )
    return added


def open_material(*, material_id: int, actor: Actor, now: datetime) -> stored.Opened:
    """A file for download, its bytes checked against their hash; views send it as an attachment, never inline.

    Open to the enterprise, to the department that handles the application, and to those who supervise it; what people
    of the district open is put on record. Raises Denied for others and while a scan is awaited, and Invalid where the
    stored bytes are no longer those that came in.
    """
    material = Material.objects.select_related("application__item").filter(pk=material_id).first()
    if material is None or not may_read(application=material.application, actor=actor):
        raise Denied(_("没有这个文件，或者您无权查看。"))
    return stored.open_for(
        actor=actor,
        subject=material,
        enterprise_id=material.application.enterprise_id,
        sha256=material.sha256,
        path=str(material.file.name),
        now=now,
    )


def may_read(*, application: Application, actor: Actor) -> bool:
    """Whether the person may open the application's files: who may see it, and who supervises its department."""
    return may_see(application=application, actor=actor) or actor.supervises(application.item.department_id)


def _rule(*, application: Application, code: str) -> MaterialRule:
    found = next((rule for rule in material_rules(version=application.version) if rule.code == code), None)
    if found is None:
        raise Invalid(Fault(f"material.{code}", _("该事项没有这种材料。")))
    return found


def _gap(*, application: Application, code: str) -> ToleratedGap | None:
    return ToleratedGap.objects.filter(application=application, material_code=code).first()


def _check_open(*, application: Application, code: str, actor: Actor, now: datetime) -> ToleratedGap | None:
    """The gap that the material fills, if any. Raises Denied where it may not come in now."""
    if not actor.acts_for(application.enterprise_id) or actor.user_id is None:
        raise Denied(_("没有这件申报，或者您无权办理。"))
    gap = _gap(application=application, code=code)
    if application.status in _OPEN:
        return gap
    # Files that are sent together share their moment, and fill it together.
    if gap is not None and gap.filled_at in (None, now) and application.status in _GAP_OPEN:
        return gap
    if gap is not None and application.status in _GAP_OPEN:
        raise Denied(_("容缺材料已补齐，不能再改动。需要更换时，请等待补正通知。"))
    raise Denied(_("申报已提交，现在不能改动材料。需要更正时，请等待补正通知或撤回后重新申报。"))


def _settle(*, material: Material, now: datetime, by: int | None) -> None:
    """What happened to a file that was taken out before is settled by the one that comes in its place."""
    flags = MaterialFlag.objects.filter(
        material__application=material.application_id,
        material__code=material.code,
        material__replaced_at__isnull=False,
        settled_at__isnull=True,
    )
    for flag in flags.select_related("material"):
        drop(material=flag.material, reason=flag.reason, now=now, by=by)


def _fill(gap: ToleratedGap | None, now: datetime) -> None:
    if gap is not None and gap.filled_at is None:
        gap.filled_at = now
        gap.save(update_fields=["filled_at"])
