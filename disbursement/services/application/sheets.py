"""Keeping a draft as it is typed, by several people at once: every saving is merged into what others saved meanwhile.

An answer is kept under its key of the form; beside the form stand the contact (`CONTACT`) and the invoice table
(`INVOICES`). States are those of `disbursement.domain.merging`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.invoices import read_rows
from disbursement.domain.merging import Change, Clash, Settlement, State, merge, same
from disbursement.domain.workflow import APPLICATION, ApplicationAction, Role
from disbursement.models import Application, DraftChange, DraftPresence, DraftSheet
from disbursement.selectors.forms import Rules
from disbursement.selectors.invoices import invoice_fact, table_of
from disbursement.services.application import invoices as invoice_tables
from disbursement.services.application import judging
from disbursement.services.application.applications import lock
from matching.criteria import canonical_json
from matching.days import day_of
from matching.forms import table_total

INVOICES = "@invoices"
CONTACT = ("@contact_name", "@contact_phone")
# Who was at a draft so long ago at most is said to be at it.
AT_WORK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a saving came to: the draft's revision now, what was written, taken from others, and is to be asked."""

    revision: int
    written: tuple[str, ...] = ()
    taken: dict[str, State] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Another person at the same draft."""

    name: str
    seen_at: datetime


@transaction.atomic
def save(
    *,
    application_id: int,
    actor: Actor,
    now: datetime,
    base: int,
    states: Mapping[str, State],
    settled: Mapping[str, Settlement] | None = None,
) -> Saved:
    """Merge what a page shows into the draft; `base` is the revision as of which the page knows it.

    Keys that are not in `states` stay. What somebody else changed to something different is not written but told in
    `clashes`, until `settled` says which is meant. Raises Denied, Refused where it is no draft any more, Invalid for an
    answer that the item does not ask for.
    """
    application, sheet = _open(application_id=application_id, actor=actor)
    assert actor.user_id is not None
    rules = judging.rules_of(version=application.version, now=now)
    _check_keys(states=states, rules=rules)
    earliest = min([base, *(said.revision for said in (settled or {}).values())])
    current = states_of(application=application, sheet=sheet)
    merged = merge(
        base=base, sent=states, current=current, changes=_changes(sheet=sheet, after=earliest), settled=settled
    )
    written = _write(
        application=application, sheet=sheet, rules=rules, states=merged.apply, user_id=actor.user_id, now=now
    )
    _note_presence(sheet=sheet, user_id=actor.user_id, now=now)
    return Saved(sheet.revision, tuple(written), merged.taken, tuple(merged.clashes))


@transaction.atomic
def overwrite(*, application_id: int, actor: Actor, now: datetime, states: Mapping[str, State]) -> Application:
    """Write these answers whatever stood there, in one revision; for one who has seen the draft as it is now."""
    application, sheet = _open(application_id=application_id, actor=actor)
    assert actor.user_id is not None
    rules = judging.rules_of(version=application.version, now=now)
    _write(application=application, sheet=sheet, rules=rules, states=states, user_id=actor.user_id, now=now)
    return application


def states_of(*, application: Application, sheet: DraftSheet) -> dict[str, State]:
    """Every answer of the draft that says something."""
    found: dict[str, State] = {key: {"value": value} for key, value in application.form.items()}
    for key in CONTACT:
        text = getattr(application, key.removeprefix("@"))
        if text:
            found[key] = {"value": text}
    table = table_of(application=application)
    if table:
        found[INVOICES] = {"value": [invoice.to_row() for invoice in table]}
    for key, typed in sheet.typed.items():
        found[key] = {**(found.get(key) or {}), **typed}
    return found


def sheet_of(*, application: Application) -> DraftSheet:
    """The draft's sheet, made where there is none yet."""
    return DraftSheet.objects.get_or_create(application=application)[0]


@transaction.atomic
def look(*, application_id: int, actor: Actor, now: datetime) -> tuple[DraftSheet, list[Beside]]:
    """Note that the person is at the draft; returns its sheet and who else is at it. Raises Denied."""
    application = Application.objects.filter(pk=application_id).first()
    if application is None or actor.user_id is None or not actor.acts_for(application.enterprise_id):
        raise Denied(_("没有这件申报，或者您无权办理。"))
    sheet = sheet_of(application=application)
    _note_presence(sheet=sheet, user_id=actor.user_id, now=now)
    return sheet, beside(sheet=sheet, user_id=actor.user_id, now=now)


def beside(*, sheet: DraftSheet, user_id: int | None, now: datetime) -> list[Beside]:
    """Who else is at the draft now, the latest first."""
    rows = DraftPresence.objects.filter(~Q(user_id=user_id), sheet=sheet, seen_at__gte=now - AT_WORK)
    return [Beside(row.user.get_full_name(), row.seen_at) for row in rows.select_related("user").order_by("-seen_at")]


def close(*, application: Application) -> None:
    """Forget how the draft came about, with its submission or withdrawal; in the caller's transaction."""
    DraftSheet.objects.filter(application=application).delete()


def unusable(*, application: Application, rules: Rules) -> list[Fault]:
    """What was typed and cannot be used as it stands, with what was said of it."""
    sheet = DraftSheet.objects.filter(application=application).first()
    fact = invoice_fact(rules=rules)
    # What an older version asked stands on no page any more, and cannot be mended.
    asked = _asked(rules) - (set() if fact else {INVOICES})
    faults = []
    for key, typed in sorted((sheet.typed if sheet else {}).items()):
        if key not in asked:
            continue
        place = key.removeprefix("@") if key in CONTACT else f"form.{fact.key if key == INVOICES and fact else key}"
        one = rules.form.get(key)
        label = f"{one.label}：" if one is not None else ""
        for message in typed.get("messages") or [_("填写的内容不能用，请更正。")]:
            faults.append(Fault(place, message if message.startswith(label[:-1]) else f"{label}{message}"))
    return faults


def _open(*, application_id: int, actor: Actor) -> tuple[Application, DraftSheet]:
    application = lock(application_id=application_id)
    if actor.user_id is None or not actor.acts_for(application.enterprise_id):
        raise Denied(_("没有这件申报，或者您无权办理。"))
    APPLICATION.find(application.status, ApplicationAction.SUBMIT, Role.ENTERPRISE)
    return application, sheet_of(application=application)


def _check_keys(*, states: Mapping[str, State], rules: Rules) -> None:
    asked = _asked(rules)
    faults = [
        Fault(f"form.{key}", _("申报表中没有“%(key)s”这一项，请刷新页面。") % {"key": key})
        for key in states
        if key not in asked
    ]
    if faults:
        raise Invalid(faults)


def _asked(rules: Rules) -> set[str]:
    return {one.key for one in rules.form.fields if one.is_answered_here} | {*CONTACT, INVOICES}


def _changes(*, sheet: DraftSheet, after: int) -> list[Change]:
    rows = DraftChange.objects.filter(sheet=sheet, revision__gt=after).order_by("revision", "pk")
    return [Change(row.revision, row.key, row.before, row.after, row.by_id, row.at) for row in rows]


def _write(
    *,
    application: Application,
    sheet: DraftSheet,
    rules: Rules,
    states: Mapping[str, State],
    user_id: int,
    now: datetime,
) -> list[str]:
    """Write the answers that differ, with the totals that follow from them, as one revision."""
    current = states_of(application=application, sheet=sheet)
    news = {key: state for key, state in states.items() if not same(state, current.get(key))}
    if not news:
        return []
    canonical_json(news)  # what is no JSON must not wait until submission to be found out
    sheet.revision += 1
    DraftChange.objects.bulk_create(
        DraftChange(
            sheet=sheet, revision=sheet.revision, key=key, before=current.get(key), after=state, by_id=user_id, at=now
        )
        for key, state in news.items()
    )
    form = dict(application.form)
    for key, state in news.items():
        value = (state or {}).get("value")
        if state is not None and "raw" in state:
            sheet.typed[key] = {"raw": state["raw"], "messages": state.get("messages", [])}
        else:
            sheet.typed.pop(key, None)
        if key in CONTACT:
            setattr(application, key.removeprefix("@"), str(value or ""))
        elif key != INVOICES:
            form.pop(key, None)
            if value not in (None, ""):
                form[key] = value
    application.form = with_totals(rules=rules, form=form, keys=list(news))
    if INVOICES in news:
        rows: Sequence[Mapping[str, str]] = (news[INVOICES] or {}).get("value") or []
        read_rows(rows, as_of=day_of(now))
        invoice_tables.replace(application=application, rules=rules, rows=rows, now=now)
    application.updated_at = now
    application.save()
    sheet.save()
    return list(news)


def with_totals(*, rules: Rules, form: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """The answers with the facts that are totals of the tables among `keys`."""
    found = dict(form)
    for key in keys:
        one = rules.form.get(key)
        if one is None or one.total is None or one.fact is None:
            continue
        found.pop(one.fact, None)
        total = table_total(one, form.get(key))
        if total is not None:
            text = f"{total:f}"
            found[one.fact] = text.rstrip("0").rstrip(".") if "." in text else text
    return found


def _note_presence(*, sheet: DraftSheet, user_id: int, now: datetime) -> None:
    DraftPresence.objects.update_or_create(sheet=sheet, user_id=user_id, defaults={"seen_at": now})
