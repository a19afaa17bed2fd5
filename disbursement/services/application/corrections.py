"""Corrections (补正): one complete list with a deadline, while the clock stands still; supplied once, or lapsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from disbursement.models import Application, Correction, CorrectionItem, CorrectionSubject, Occasion, Stage
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.forms import Rules, material_rules, questions
from disbursement.selectors.invoices import table_of
from disbursement.services.application import correction_answers as answers
from disbursement.services.application import invoices as invoice_tables
from disbursement.services.application import judging
from disbursement.services.application.applications import lock, transition
from disbursement.services.application.sheets import with_totals
from disbursement.services.review.complete_list import Ask, Key, changed_since, late
from matching.criteria import leaves
from matching.days import day_of

__all__ = ["DEFAULT_DAYS", "LONGEST_DAYS", "Ask", "ask", "lapse_overdue", "open_correction", "supply"]

# Working days that the enterprise has, unless more are given.
DEFAULT_DAYS = 10
LONGEST_DAYS = 60


def ask(
    *,
    application_id: int,
    items: Sequence[Ask],
    actor: Actor,
    now: datetime,
    note: str = "",
    days: int = DEFAULT_DAYS,
    late_reason: str = "",
) -> Correction:
    """Ask the enterprise to mend the listed things within `days` working days (一次告知); the step's clock is paused.

    The list is told once, complete. What a step's first list could have named and did not is asked for later only with
    a reason (`late_reason`), which supervision reads; what has changed since needs none.
    """
    with transition(
        application_id=application_id, action=ApplicationAction.ASK_CORRECTION, actor=actor, now=now, note=note
    ) as application:
        in_acceptance = application.status is ApplicationState.SUBMITTED
        stage = Stage.ACCEPTANCE if in_acceptance else Stage.REVIEW
        rules = judging.rules_of(version=application.version, now=now)
        labels = _labels(application=application, rules=rules)
        locked = answers.locked_questions(application=application, rules=rules)
        earlier = Correction.objects.filter(application=application, stage=stage)
        first = earlier.order_by("round").first()
        named = None if first is None else frozenset(first.items.values_list("subject", "code"))
        changed = set() if first is None else changed_since(application=application, first=first, now=now)
        added = late(items=items, first=named, changed=changed)
        _check(items=items, days=days, labels=labels, locked=locked, added=added, late_reason=late_reason)
        assert actor.user_id is not None
        correction = Correction.objects.create(
            application=application,
            stage=stage,
            round=earlier.count() + 1,
            note=note,
            late_reason=late_reason.strip()[:300] if added else "",
            asked_by_id=actor.user_id,
            asked_at=now,
            due_on=working_calendar().add_working_days(day_of(now), days),
        )
        CorrectionItem.objects.bulk_create(
            CorrectionItem(
                correction=correction,
                subject=item.subject,
                code=item.code,
                label=labels[(item.subject, item.code)],
                problem=item.problem.strip(),
                remedy=item.remedy.strip(),
                is_late=item.key in added,
            )
            for item in items
        )
    return correction


def supply(
    *,
    application_id: int,
    actor: Actor,
    now: datetime,
    form: Mapping[str, Any] | None = None,
    invoices: Sequence[Mapping[str, str]] | None = None,
    note: str = "",
) -> Application:
    """Hand the mended application in again (提交补正): each thing asked for is there anew, and it is judged again.

    `form` gives new answers for some or all of the form, None to take one out; others stay, and totals of tables follow
    from them. What they say of the enterprise itself is
    recorded of it, unless an authority says it. `invoices` replaces the invoice table and its total, as in
    `drafts.save_draft`. Materials are uploaded before; `note` is what the enterprise has to say of it. Raises Invalid
    with what of the list is still open, and with what else must be there and was taken out.
    """
    with transition(
        application_id=application_id,
        action=ApplicationAction.SUPPLY,
        actor=actor,
        now=now,
        role=Role.ENTERPRISE,
        note=note.strip(),
    ) as application:
        correction = open_correction(application=application)
        rules = judging.rules_of(version=application.version, now=now)
        before = answers.Before(
            form=dict(application.form),
            table=table_of(application=application),
            blocking=_blocking(judging.assess(application=application, now=now)),
        )
        if invoices is not None:
            invoice_tables.replace(application=application, rules=rules, rows=invoices, now=now)
        if form is not None or invoices is not None:
            merged = with_totals(rules=rules, form={**application.form, **(form or {})}, keys=list(form or {}))
            application.form = judging.checked_form(rules=rules, form=merged)
            application.save(update_fields=["form"])
        told = {key: value for key, value in application.form.items() if value != before.form.get(key)}
        assert actor.user_id is not None
        answers.declare_again(application=application, rules=rules, form=told, user_id=actor.user_id, now=now)
        seen = judging.assess(application=application, now=now)
        open_now = answers.still_open(
            application=application,
            correction=correction,
            rules=rules,
            before=before,
            blocking=_blocking(seen),
            note=note,
        )
        asked = {fault.place for fault in open_now}
        missing = answers.taken_out(application=application, rules=rules)
        faults = [
            *open_now,
            *(fault for fault in missing if fault.place not in asked),
            *answers.emptied(application=application, rules=rules, before=before, now=now),
            *invoice_tables.faults_of(application=application, rules=rules, facts=seen.inputs["facts"]),
        ]
        if faults:
            raise Invalid(faults)
        correction.supplied_at = now
        correction.save(update_fields=["supplied_at"])
        judging.judge(application=application, occasion=Occasion.CORRECTION, now=now)
    return application


def open_correction(*, application: Application) -> Correction:
    """The correction that the enterprise is asked for now. Raises Correction.DoesNotExist where there is none."""
    return Correction.objects.prefetch_related("items").get(
        application=application, supplied_at__isnull=True, lapsed_at__isnull=True
    )


def lapse_overdue(*, now: datetime) -> list[int]:
    """End the applications whose correction was not supplied in time; ids of their corrections. Can run twice."""
    overdue = Correction.objects.filter(
        supplied_at__isnull=True, lapsed_at__isnull=True, due_on__lt=day_of(now)
    ).order_by("pk")
    return [
        pk
        for pk, app in overdue.values_list("pk", "application_id")
        if _lapse(correction_id=pk, application_id=app, now=now)
    ]


@transaction.atomic
def _lapse(*, correction_id: int, application_id: int, now: datetime) -> bool:
    note = _("逾期未补正，视为撤回。可重新申报。")
    # The application before its correction, as who supplies or withdraws it at this moment locks them.
    lock(application_id=application_id)
    due: date | None = (
        Correction.objects.select_for_update(no_key=True)
        .filter(pk=correction_id, supplied_at__isnull=True, lapsed_at__isnull=True)
        .values_list("due_on", flat=True)
        .first()
    )
    if due is None:
        return False
    with transition(application_id=application_id, action=ApplicationAction.LAPSE, actor=SYSTEM, now=now, note=note):
        Correction.objects.filter(pk=correction_id).update(lapsed_at=now)
    return True


def _blocking(seen: judging.Assessment) -> frozenset[str]:
    """Conditions in the way: not met, or not known."""
    return frozenset({*seen.result["unmet"], *seen.result["unknown"]})


def _labels(*, application: Application, rules: Rules) -> dict[tuple[str, str], str]:
    """Everything that a correction may name, with its label."""
    facts = rules.vocabulary.facts
    named: dict[tuple[str, str], str] = {}
    for rule in material_rules(version=application.version):
        named[(CorrectionSubject.MATERIAL.value, rule.code)] = rule.name
    for key, label in questions(rules=rules):
        named[(CorrectionSubject.FIELD.value, key)] = label
    for leaf in leaves(rules.tree):
        named[(CorrectionSubject.LEAF.value, leaf.id)] = leaf.text or facts[leaf.fact].label
    return named


def _check(
    *,
    items: Sequence[Ask],
    days: int,
    labels: Mapping[tuple[str, str], str],
    locked: Mapping[str, str],
    added: set[Key],
    late_reason: str,
) -> None:
    faults = []
    if not items:
        faults.append(Fault("items", _("请至少列出一项需要补正的内容。")))
    if not 1 <= days <= LONGEST_DAYS:
        faults.append(Fault("days", _("补正期限应为 1 至 %(most)s 个工作日。") % {"most": LONGEST_DAYS}))
    seen = set()
    for item in items:
        key = (str(item.subject), item.code)
        place = f"{key[0]}.{key[1]}"
        if key not in labels:
            faults.append(Fault(place, _("该事项没有“%(code)s”，请从清单中选择。") % {"code": item.code}))
        elif item.subject == CorrectionSubject.FIELD and item.code in locked:
            text = _("“%(label)s”由%(source)s提供，企业不能更正。与证明材料不符的，请“认定事实”。")
            faults.append(Fault(place, text % {"label": labels[key], "source": locked[item.code]}))
        elif key in seen:
            faults.append(Fault(place, _("“%(label)s”列了两次，请合并为一项。") % {"label": labels[key]}))
        elif key in added and not late_reason.strip():
            text = _(
                "本阶段已一次性告知补正内容，其中没有“%(label)s”。确需追加的，请写明首次为何没有告知；追加由督查部门跟踪。"
            )
            faults.append(Fault(place, text % {"label": labels[key]}))
        if not item.problem.strip() or not item.remedy.strip():
            faults.append(Fault(place, _("请写明存在的问题和补正要求。")))
        seen.add(key)
    if faults:
        raise Invalid(faults)
