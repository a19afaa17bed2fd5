"""What stands between a draft and its submission: missing materials, unusable and missing answers, unmet conditions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from disbursement.domain import money
from disbursement.domain.errors import Fault, Invalid
from disbursement.models import Application
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.evidence import codes_there, promised_codes, verified_by_data
from disbursement.selectors.forms import MaterialRule, Rules, form_fields, material_rules
from disbursement.services.application import invoices as invoice_tables
from disbursement.services.application import judging, sheets
from disbursement.services.application.promises import has_broken_one
from matching.days import day_of
from matching.forms import FieldType, answered_facts, is_required, unknown_keys
from matching.models import PolicyVersion
from matching.services.facts import profile_as_of

# A tolerated gap is promised within so many working days.
LONGEST_GAP = 20


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stands between a draft and its submission. `faults` forbid it, `warnings` are to be acknowledged."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    assessment: judging.Assessment | None


def asked_answers(*, rules: Rules, form: Mapping[str, Any]) -> dict[str, Any]:
    """The answers to what the rules ask now: a draft may be older than the version in force."""
    stale = set(unknown_keys(rules.form, form))
    return {key: value for key, value in form.items() if key not in stale}


def readiness_of(
    *, application: Application, version: PolicyVersion, gaps: Mapping[str, date], now: datetime
) -> Readiness:
    """As `drafts.check_draft`, for a version that is in force: what `drafts.submit` would say at `now` (aware)."""
    rules = judging.rules_of(version=version, now=now)
    covered = verified_by_data(version=version, rules=rules, enterprise_id=application.enterprise_id, day=day_of(now))
    faults = missing_materials(application=application, version=version, gaps=gaps, day=day_of(now), covered=covered)
    for name, label in (("contact_name", _("联系人")), ("contact_phone", _("联系电话"))):
        if not getattr(application, name):
            faults.append(Fault(name, _("请填写%(label)s。") % {"label": label}))
    form = asked_answers(rules=rules, form=application.form)
    unusable = sheets.unusable(application=application, rules=rules)
    try:
        assessment = judging.rehearse(version=version, enterprise=application.enterprise, form=form, now=now)
    except Invalid as invalid:
        return Readiness((*invalid.faults, *unusable, *faults), (), None)
    told = {fault.place for fault in unusable}
    unanswered = [
        *_required(
            rules=rules,
            application=application,
            version=version,
            form=form,
            stands_in=[*covered, *gaps],
            now=now,
        ),
        *_unanswered(rules=rules, assessment=assessment),
    ]
    for fault in unanswered:
        if fault.place not in told:
            told.add(fault.place)
            unusable.append(fault)
    faults = [
        *unusable,
        *invoice_tables.faults_of(application=application, rules=rules, facts=assessment.inputs["facts"]),
        *faults,
    ]
    if (amount := assessment.amount) is not None and not money.fits(amount):
        faults.append(Fault("form", _("按所填内容计算的金额超出范围，请核对填写的数字。")))
    unmet = set(assessment.result["unmet"])
    warnings = tuple(
        Fault(f"leaf.{leaf['id']}", leaf["comparison"]) for leaf in assessment.leaves if leaf["id"] in unmet
    )
    return Readiness(_once(faults), warnings, assessment)


def needed_gaps(
    *, application: Application, version: PolicyVersion, gaps: Mapping[str, date], now: datetime
) -> dict[str, date]:
    """Those of the gaps for which nothing is there yet: a colleague may have uploaded, or promised, meanwhile."""
    if not gaps:
        return {}
    rules = judging.rules_of(version=version, now=now)
    covered = verified_by_data(version=version, rules=rules, enterprise_id=application.enterprise_id, day=day_of(now))
    there = _there(application=application, version=version, day=day_of(now), covered=covered)
    return {code: promised_by for code, promised_by in gaps.items() if code not in there}


def _there(*, application: Application, version: PolicyVersion, day: date, covered: Collection[str]) -> set[str]:
    """Codes of materials that need not be brought any more: there, promised, or `covered`."""
    there = codes_there(application=application, day=day) | set(covered)
    if has_broken_one(enterprise_id=application.enterprise_id, day=day):
        return (
            there  # what was signed in a draft before that came to light counts no more than what would be signed now
        )
    return there | promised_codes(application=application, version=version)


def _once(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(dict.fromkeys(faults))


def _required(
    *,
    rules: Rules,
    application: Application,
    version: PolicyVersion,
    form: Mapping[str, Any],
    stands_in: Collection[str],
    now: datetime,
) -> list[Fault]:
    """Declared fields that must be answered and are not; a fact that is on file is answered.

    `stands_in`: codes of materials that are proved by data, or promised for later.
    """
    day = day_of(now)
    wide = rules.form
    known = profile_as_of(enterprise=application.enterprise, day=day)
    facts = answered_facts(wide, {**known, **form})
    there = _there(application=application, version=version, day=day, covered=stands_in)
    faults = []
    for one in wide.fields:
        if not is_required(one, wide, facts, as_of=day):
            continue
        if one.type is FieldType.FILE:
            brought = one.material in there
            place, text = f"material.{one.material}", _("请上传“%(label)s”。")
        else:
            brought = any(key in form or key in facts for key in (one.key, one.fact) if key)
            place, text = f"form.{one.key}", _("请填写“%(label)s”。")
        if not brought:
            faults.append(Fault(place, text % {"label": one.label}))
    return faults


def _unanswered(*, rules: Rules, assessment: judging.Assessment) -> list[Fault]:
    """The form's questions that the verdict or the amount still waits for."""
    fields = form_fields(rules=rules)
    unknown = set(assessment.result["unknown"])
    waited_for = {missing["fact"] for leaf in assessment.leaves if leaf["id"] in unknown for missing in leaf["missing"]}
    figures = assessment.result["estimate"]
    if figures is not None and figures["low"] != figures["high"]:
        waited_for |= {definition.key for definition in fields}
    labels = {one.key: one.label for one in rules.form.fields} | {
        one.fact: one.label for one in rules.form.fields if one.fact
    }
    return [
        Fault(
            f"form.{_place(field.key, rules)}", _("请填写“%(label)s”。") % {"label": labels.get(field.key, field.label)}
        )
        for field in fields
        if field.key in waited_for and field.key not in assessment.inputs["facts"]
    ]


def _place(key: str, rules: Rules) -> str:
    """The field in which the fact is answered: the table whose total it is, or its own."""
    return next((one.key for one in rules.form.fields if one.derived == key and one.key != key), key)


def missing_materials(
    *,
    application: Application,
    version: PolicyVersion,
    gaps: Mapping[str, date],
    day: date,
    covered: Collection[str] = (),
) -> list[Fault]:
    """Required materials that are neither there nor promised, and promises that cannot be taken.

    `covered`: codes of materials that data proves (`selectors.evidence.verified_by_data`). A certificate that was
    replaced, withdrawn or has ended by `day` is not there.
    """
    there = _there(application=application, version=version, day=day, covered=covered)
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
