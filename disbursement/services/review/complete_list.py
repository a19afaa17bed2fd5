"""The one complete list of what an enterprise has to mend (一次告知): what the machine finds, for a person to check
and add to; and what of it can fairly be asked for once a first list has gone out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from disbursement.domain.errors import Invalid
from disbursement.models import Application, Correction, CorrectionSubject, Material, MaterialFlag
from disbursement.selectors.evidence import promised_codes, verified_by_data
from disbursement.selectors.forms import MaterialRule, Rules, form_fields, material_rules
from disbursement.services.application import invoices as invoice_tables
from disbursement.services.application import judging
from matching.criteria import leaves
from matching.days import day_of

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to mend. `subject` says what `code` is: a material's code, a fact key of the form, or a leaf id."""

    subject: CorrectionSubject
    code: str
    problem: str
    remedy: str

    @property
    def key(self) -> Key:
        return (str(self.subject), self.code)


def compose(*, application: Application, now: datetime) -> list[Ask]:
    """What the machine finds to be mended, each thing once: materials first, then the form, then conditions.

    Conditions that hang on an unanswered question of the form are told as that question.
    """
    found: dict[Key, Ask] = {}
    for ask in (*_materials(application, now), *_form_and_conditions(application, now)):
        found.setdefault(ask.key, ask)
    return list(found.values())


def lacking(*, application: Application, rules: Rules, since: date | None = None) -> list[MaterialRule]:
    """Required materials that are not there and that nothing stands in for: no promise, no data, no gap still open.

    A gap that was filled excuses nothing: its file may have been taken out again. Nor does one promised by a day
    before `since`, where that is given.
    """
    there = set(application.materials.filter(replaced_at__isnull=True).values_list("code", flat=True))
    there |= promised_codes(application=application, version=application.version)
    gaps = application.gaps.filter(filled_at__isnull=True)
    if since is not None:
        gaps = gaps.filter(promised_by__gte=since)
    there |= set(gaps.values_list("material_code", flat=True))
    there |= _proved_by_data(application, rules)
    found = material_rules(version=application.version)
    return [rule for rule in found if rule.required and rule.is_brought and rule.code not in there]


def _materials(application: Application, now: datetime) -> Iterator[Ask]:
    subject = CorrectionSubject.MATERIAL
    rules = judging.rules_of(version=application.version, now=now)
    for rule in lacking(application=application, rules=rules, since=day_of(now)):
        yield Ask(subject, rule.code, _("没有提交这份材料"), _("请上传“%(name)s”") % {"name": rule.name})
    flags = MaterialFlag.objects.filter(
        material__application=application, material__replaced_at__isnull=True, settled_at__isnull=True
    )
    for flag in flags.select_related("material"):
        yield Ask(subject, flag.material.code, flag.get_reason_display(), _("请换成现行有效的文件后重新上传"))


def _proved_by_data(application: Application, rules: Rules) -> set[str]:
    """Codes of materials that need no paper: they were not asked for at submission and are not asked for now."""
    assert application.submitted_at is not None
    day = day_of(application.submitted_at)
    return set(
        verified_by_data(version=application.version, rules=rules, enterprise_id=application.enterprise_id, day=day)
    )


def _form_and_conditions(application: Application, now: datetime) -> Iterator[Ask]:
    rules = judging.rules_of(version=application.version, now=now)
    fields = {field.key: field for field in form_fields(rules=rules)}
    try:
        assessment = judging.assess(application=application, now=now)
    except Invalid as invalid:
        # What was answered is no answer any more: a code that the vocabulary has lost since.
        for fault in invalid.faults:
            key = fault.place.removeprefix("form.")
            if key in fields:
                yield Ask(CorrectionSubject.FIELD, key, fault.message, _("请按现行选项更正"))
        return
    for fault in invoice_tables.faults_of(application=application, rules=rules, facts=assessment.inputs["facts"]):
        key = fault.place.removeprefix("form.")
        if key in fields:
            yield Ask(CorrectionSubject.FIELD, key, fault.message, _("请核对发票清单后更正"))
    facts = {leaf.id: leaf.fact for leaf in leaves(rules.tree)}
    blocking = {*assessment.result["unmet"], *assessment.result["unknown"]}
    for leaf in assessment.leaves:
        if leaf["id"] not in blocking:
            continue
        fact = facts.get(leaf["id"], "")
        if fact in fields and application.form.get(fact) in (None, ""):
            label = fields[fact].label
            yield Ask(CorrectionSubject.FIELD, fact, _("没有填写“%(label)s”") % {"label": label}, _("请如实填写"))
            continue
        remedy = leaf["advice"] or _("请补充能够证明符合这一条件的材料或更正申报内容")
        yield Ask(CorrectionSubject.LEAF, leaf["id"], leaf["comparison"], remedy)


def changed_since(*, application: Application, first: Correction, now: datetime) -> set[Key]:
    """What is no longer as it was when the first list went out: it could not have been asked for then."""
    later = Material.objects.filter(application=application, uploaded_at__gt=first.asked_at)
    found: set[Key] = {(str(CorrectionSubject.MATERIAL), code) for code in later.values_list("code", flat=True)}
    flags = MaterialFlag.objects.filter(material__application=application, raised_at__gt=first.asked_at)
    found |= {(str(CorrectionSubject.MATERIAL), code) for code in flags.values_list("material__code", flat=True)}
    past = application.gaps.filter(promised_by__gte=day_of(first.asked_at), promised_by__lt=day_of(now))
    found |= {(str(CorrectionSubject.MATERIAL), code) for code in past.values_list("material_code", flat=True)}
    before = application.judgements.filter(made_at__lte=first.asked_at).order_by("-pk").first()
    if before is None:
        return found
    then = before.facts
    rules = judging.rules_of(version=application.version, now=now)
    for field in form_fields(rules=rules):
        if application.form.get(field.key) != then.get(field.key):
            found.add((str(CorrectionSubject.FIELD), field.key))
    outcomes = {leaf["id"]: leaf["outcome"] for leaf in before.outcome["leaves"]}
    for leaf in judging.assess(application=application, now=now).leaves:
        if outcomes.get(leaf["id"]) != leaf["outcome"]:
            found.add((str(CorrectionSubject.LEAF), leaf["id"]))
    return found


def late(*, items: Collection[Ask], first: Collection[Key] | None, changed: Collection[Key]) -> set[Key]:
    """Which of the items the first list could have named and did not; none where there was no first list."""
    if first is None:
        return set()
    return {item.key for item in items if item.key not in first and item.key not in changed}
