"""From “apply” to “submit”: a draft prefilled from the profile, saved as it is typed, checked, numbered and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.invoices import INVOICE_FACTS
from disbursement.domain.workflow import APPLICATION, ApplicationAction, ApplicationState, Role
from disbursement.models import Application, Material, Occasion, Promise, ToleratedGap
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.forms import MaterialRule, form_fields, material_rules
from disbursement.services import invoices as invoice_tables
from disbursement.services import judging, materials
from disbursement.services.applications import lock, transition
from disbursement.services.numbering import next_number
from matching.criteria import canonical_json
from matching.days import day_of
from matching.models import Enterprise, PolicyItem, PolicyVersion
from matching.services.facts import profile_as_of

# A tolerated gap is promised within so many working days.
LONGEST_GAP = 20


@transaction.atomic
def create_draft(*, item_id: int, enterprise_id: int, actor: Actor, now: datetime) -> Application:
    """The enterprise's draft for an item: the one it has, or a new one prefilled from the profile.

    Raises Denied for a stranger, Invalid where the item takes no applications on this day.
    """
    if not actor.acts_for(enterprise_id) or actor.user_id is None:
        raise Denied(_("您不能代表这家企业申报。"))
    item = PolicyItem.objects.select_related("current_version").filter(pk=item_id).first()
    if item is None:
        raise Denied(_("没有这个政策事项。"))
    version = version_in_force(item=item, day=day_of(now))
    existing = Application.objects.filter(
        item=item, enterprise_id=enterprise_id, state=ApplicationState.DRAFT.value
    ).first()
    if existing is not None:
        if existing.version_id != version.pk:
            existing.version = version
            existing.save(update_fields=["version"])
        return existing
    enterprise = Enterprise.objects.get(pk=enterprise_id)
    try:
        with transaction.atomic():
            draft = Application.objects.create(
                enterprise=enterprise,
                item=item,
                version=version,
                state=ApplicationState.DRAFT.value,
                form=_prefilled(enterprise=enterprise, version=version, now=now),
                created_by_id=actor.user_id,
                created_at=now,
                updated_at=now,
            )
    except IntegrityError:  # the other click was a little faster
        return Application.objects.get(item=item, enterprise_id=enterprise_id, state=ApplicationState.DRAFT.value)
    materials.reuse_known(application=draft, actor=actor, now=now)
    return draft


def version_in_force(*, item: PolicyItem, day: date) -> PolicyVersion:
    """The version under which the item takes applications on a day. Raises Invalid where it takes none."""
    version = item.current_version
    if not item.is_listed or version is None:
        raise Invalid(Fault("item", _("“%(item)s”已停止受理申报。") % {"item": item.name}))
    opens, ends = version.window_from, version.window_until
    if opens is not None and day < opens:
        raise Invalid(Fault("item", _("“%(item)s”自 %(day)s 起受理申报。") % {"item": item.name, "day": opens}))
    if ends is not None and day > ends:
        raise Invalid(Fault("item", _("“%(item)s”的申报已于 %(day)s 截止。") % {"item": item.name, "day": ends}))
    return version


def _prefilled(*, enterprise: Enterprise, version: PolicyVersion, now: datetime) -> dict[str, Any]:
    """What the profile or the enterprise's latest application already says of the form's facts."""
    keys = [definition.key for definition in form_fields(rules=judging.rules_of(version=version, now=now))]
    known = profile_as_of(enterprise=enterprise, day=day_of(now))
    # A total without its invoices could not be handed in.
    return {key: known[key] for key in keys if known.get(key) is not None and key not in INVOICE_FACTS}


@transaction.atomic
def save_draft(
    *,
    application_id: int,
    actor: Actor,
    now: datetime,
    form: Mapping[str, Any] | None = None,
    contact_name: str | None = None,
    contact_phone: str | None = None,
    invoices: Sequence[Mapping[str, str]] | None = None,
) -> Application:
    """Keep what was typed so far, complete or not; keys of `form` that are not named stay as they are.

    An answer of None or "" is taken out. `invoices` (rows of `domain.invoices.read_rows`) replaces the invoice table
    and with it the answer that is its total; rows must be whole, else Invalid. Drafts only; a correction is supplied
    through `corrections.supply`.
    """
    application = lock(application_id=application_id)
    _check_own(application=application, actor=actor)
    APPLICATION.find(application.status, ApplicationAction.SUBMIT, Role.ENTERPRISE)
    if form is not None:
        kept = {**application.form, **form}
        application.form = {key: value for key, value in kept.items() if value not in (None, "")}
        canonical_json(application.form)  # what is no JSON must not wait until submission to be found out
    if invoices is not None:
        rules = judging.rules_of(version=application.version, now=now)
        invoice_tables.replace(application=application, rules=rules, rows=invoices, now=now)
    if contact_name is not None:
        application.contact_name = contact_name.strip()
    if contact_phone is not None:
        application.contact_phone = contact_phone.strip()
    application.updated_at = now
    application.save()
    return application


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stands between a draft and its submission. `faults` forbid it, `warnings` are to be acknowledged."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    assessment: judging.Assessment | None


def check_draft(
    *, application_id: int, actor: Actor, now: datetime, gaps: Mapping[str, date] | None = None
) -> Readiness:
    """What `submit` would say now, without doing it; for the check-your-answers page."""
    application = (
        Application.objects.select_related("item__current_version", "enterprise", "version")
        .filter(pk=application_id)
        .first()
    )
    if application is None:
        raise Denied(_("没有这件申报。"))
    _check_own(application=application, actor=actor)
    version = version_in_force(item=application.item, day=day_of(now))
    return _readiness(application=application, version=version, gaps=gaps or {}, now=now)


@transaction.atomic
def submit(
    *,
    application_id: int,
    actor: Actor,
    now: datetime,
    gaps: Mapping[str, date] | None = None,
    acknowledge_unmet: bool = False,
) -> Application:
    """Hand a draft in (提交申报): checked, numbered, judged by the version in force today; the acceptance clock starts.

    `gaps` names required materials that are still missing, each with the day by which it is promised (容缺). Where the
    criteria say that conditions are not met, Invalid tells which, and `acknowledge_unmet` hands it in all the same.
    """
    with transition(
        application_id=application_id, action=ApplicationAction.SUBMIT, actor=actor, now=now, role=Role.ENTERPRISE
    ) as application:
        version = version_in_force(item=application.item, day=day_of(now))
        readiness = _readiness(application=application, version=version, gaps=gaps or {}, now=now)
        if readiness.faults:
            raise Invalid(readiness.faults)
        if readiness.warnings and not acknowledge_unmet:
            raise Invalid(readiness.warnings)
        assert actor.user_id is not None
        application.version = version
        application.submitted_at = now
        year = day_of(now).year
        application.number = f"{year}-{next_number(series=f'application-{year}'):06d}"
        application.form = judging.checked_form(rules=judging.rules_of(version=version, now=now), form=application.form)
        application.save(update_fields=["form"])
        for code, promised_by in (gaps or {}).items():
            ToleratedGap.objects.create(
                application=application,
                material_code=code,
                promised_by=promised_by,
                asked_by_id=actor.user_id,
                asked_at=now,
            )
        judging.judge(application=application, occasion=Occasion.SUBMISSION, now=now)
    return application


def _check_own(*, application: Application, actor: Actor) -> None:
    if not actor.acts_for(application.enterprise_id):
        raise Denied(_("没有这件申报，或者您无权办理。"))


def _readiness(
    *, application: Application, version: PolicyVersion, gaps: Mapping[str, date], now: datetime
) -> Readiness:
    faults = [*missing_materials(application=application, version=version, gaps=gaps, day=day_of(now))]
    for name, label in (("contact_name", _("联系人")), ("contact_phone", _("联系电话"))):
        if not getattr(application, name):
            faults.append(Fault(name, _("请填写%(label)s。") % {"label": label}))
    try:
        assessment = judging.rehearse(
            version=version, enterprise=application.enterprise, form=application.form, now=now
        )
    except Invalid as invalid:
        return Readiness((*invalid.faults, *faults), (), None)
    rules = judging.rules_of(version=version, now=now)
    faults = [
        *_unanswered(application=application, version=version, assessment=assessment, now=now),
        *invoice_tables.faults_of(application=application, rules=rules, facts=assessment.inputs["facts"]),
        *faults,
    ]
    unmet = set(assessment.result["unmet"])
    warnings = tuple(
        Fault(f"leaf.{leaf['id']}", leaf["comparison"]) for leaf in assessment.leaves if leaf["id"] in unmet
    )
    return Readiness(tuple(faults), warnings, assessment)


def _unanswered(
    *, application: Application, version: PolicyVersion, assessment: judging.Assessment, now: datetime
) -> list[Fault]:
    """The form's questions that the verdict or the amount still waits for."""
    fields = form_fields(rules=judging.rules_of(version=version, now=now))
    unknown = set(assessment.result["unknown"])
    waited_for = {missing["fact"] for leaf in assessment.leaves if leaf["id"] in unknown for missing in leaf["missing"]}
    figures = assessment.result["estimate"]
    if figures is not None and figures["low"] != figures["high"]:
        waited_for |= {definition.key for definition in fields}
    return [
        Fault(f"form.{field.key}", _("请填写“%(label)s”。") % {"label": field.label})
        for field in fields
        if field.key in waited_for and field.key not in assessment.inputs["facts"]
    ]


def missing_materials(
    *, application: Application, version: PolicyVersion, gaps: Mapping[str, date], day: date
) -> list[Fault]:
    """Required materials that are neither there nor promised, and promises that cannot be taken."""
    there = set(Material.objects.filter(application=application, replaced_at=None).values_list("code", flat=True))
    there |= set(Promise.objects.filter(application=application).values_list("material_code", flat=True))
    rules = {rule.code: rule for rule in material_rules(version=version)}
    latest = working_calendar().add_working_days(day, LONGEST_GAP)
    faults = []
    for code, promised_by in gaps.items():
        faults += _gap_faults(code=code, rule=rules.get(code), promised_by=promised_by, day=day, latest=latest)
    for rule in rules.values():
        if rule.required and rule.is_brought and rule.code not in there and rule.code not in gaps:
            faults.append(Fault(f"material.{rule.code}", _("请上传“%(name)s”。") % {"name": rule.name}))
    return faults


def _gap_faults(*, code: str, rule: MaterialRule | None, promised_by: date, day: date, latest: date) -> list[Fault]:
    place = f"material.{code}"
    if rule is None:
        return [Fault(place, _("该事项不需要材料“%(code)s”。") % {"code": code})]
    if not rule.tolerable:
        return [Fault(place, _("“%(name)s”是关键材料，不能容缺，请上传。") % {"name": rule.name})]
    if not day < promised_by <= latest:
        text = _("“%(name)s”的承诺补齐日期应在明天至 %(latest)s 之间。") % {"name": rule.name, "latest": latest}
        return [Fault(place, text)]
    return []
