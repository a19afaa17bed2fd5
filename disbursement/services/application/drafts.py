"""From “apply” to “submit”: a draft prefilled from the profile, saved as it is typed, checked, numbered and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.invoices import INVOICE_FACTS
from disbursement.domain.merging import State
from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from disbursement.models import Application, ApplicationInvoice, Occasion, ToleratedGap
from disbursement.selectors.forms import form_fields
from disbursement.selectors.invoices import invoice_fact
from disbursement.services.application import invoices as invoice_tables
from disbursement.services.application import judging, materials, sheets
from disbursement.services.application.applications import lock, transition
from disbursement.services.application.readiness import (
    LONGEST_GAP,
    Readiness,
    asked_answers,
    missing_materials,
    needed_gaps,
    readiness_of,
)
from disbursement.services.delivery import lanes, machine
from disbursement.services.evidence.following import refresh
from disbursement.services.numbering import next_number
from matching.days import day_of
from matching.models import Enterprise, PolicyItem, PolicyVersion
from matching.services.declarations import record_declared
from matching.services.facts import profile_as_of


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
        bring_up_to_date(application_id=existing.pk, actor=actor, now=now)
        existing.refresh_from_db()
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


@transaction.atomic
def bring_up_to_date(*, application_id: int, actor: Actor, now: datetime) -> bool:
    """Move a draft to the version in force, by which it will be submitted; whether it had to be moved.

    Answers stay, certificates of the library that are asked now are brought. A draft of an item that takes no
    applications now stays as it is. Raises Denied for a stranger.
    """
    application = lock(application_id=application_id)
    _check_own(application=application, actor=actor)
    if application.status is not ApplicationState.DRAFT:
        return False
    try:
        version = version_in_force(item=application.item, day=day_of(now))
    except Invalid:
        return False
    if application.version_id == version.pk:
        return False
    application.version = version
    rules = judging.rules_of(version=version, now=now)
    # A total that was typed, and is that of a table now, could not be handed in without the table.
    application.form = sheets.with_totals(
        rules=rules, form=application.form, keys=[one.key for one in rules.form.fields]
    )
    invoice_tables.restate(application=application, rules=rules)
    application.save(update_fields=["version", "form"])
    refresh(application=application, now=now, by=actor.user_id)
    return True


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
    states: dict[str, State] = {key: {"value": value} for key, value in (form or {}).items()}
    if invoices is not None:
        states[sheets.INVOICES] = {"value": list(invoices)}
    for name, text in (("@contact_name", contact_name), ("@contact_phone", contact_phone)):
        if text is not None:
            states[name] = {"value": text.strip()}
    states = {key: None if state and state["value"] in (None, "") else state for key, state in states.items()}
    return sheets.overwrite(application_id=application_id, actor=actor, now=now, states=states)


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
    return readiness_of(application=application, version=version, gaps=gaps or {}, now=now)


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

    `gaps` names required materials that are still missing, each with the day by which it is promised (容缺); what is
    there by now is no gap. Where the criteria say that conditions are not met, Invalid tells which, and
    `acknowledge_unmet` hands it in all the same.
    Where the item lets the machine decide (即申即享), it does so at once; what stands in the way is written down.
    """
    with transition(
        application_id=application_id, action=ApplicationAction.SUBMIT, actor=actor, now=now, role=Role.ENTERPRISE
    ) as application:
        version = version_in_force(item=application.item, day=day_of(now))
        readiness = readiness_of(application=application, version=version, gaps=gaps or {}, now=now)
        if readiness.faults:
            raise Invalid(readiness.faults)
        if readiness.warnings and not acknowledge_unmet:
            raise Invalid(readiness.warnings)
        gaps = needed_gaps(application=application, version=version, gaps=gaps or {}, now=now)
        assert actor.user_id is not None
        application.version = version
        application.submitted_at = now
        year = day_of(now).year
        application.number = f"{year}-{next_number(series=f'application-{year}'):06d}"
        rules = judging.rules_of(version=version, now=now)
        asked = asked_answers(rules=rules, form=application.form)
        application.form = judging.checked_form(rules=rules, form=asked, as_of=day_of(now))
        application.save(update_fields=["form"])
        record_declared(
            enterprise=application.enterprise,
            values=judging.declared_in(
                rules=rules, form=application.form, enterprise=application.enterprise, day=day_of(now)
            ),
            valid_on=day_of(now),
            user_id=actor.user_id,
            now=now,
        )
        if invoice_fact(rules=rules) is None:  # a table of an older version, which no page shows and no award uses
            ApplicationInvoice.objects.filter(application=application).delete()
        sheets.close(application=application)
        for code, promised_by in gaps.items():
            ToleratedGap.objects.create(
                application=application,
                material_code=code,
                promised_by=promised_by,
                asked_by_id=actor.user_id,
                asked_at=now,
            )
        judgement = judging.judge(application=application, occasion=Occasion.SUBMISSION, now=now)
        lanes.enter(application=application, judgement=judgement, gaps=gaps, now=now)
    return machine.carry(application_id=application.pk, now=now) or application


def _check_own(*, application: Application, actor: Actor) -> None:
    if not actor.acts_for(application.enterprise_id):
        raise Denied(_("没有这件申报，或者您无权办理。"))


__all__ = [
    "LONGEST_GAP",
    "Readiness",
    "bring_up_to_date",
    "check_draft",
    "create_draft",
    "missing_materials",
    "save_draft",
    "submit",
    "version_in_force",
]
