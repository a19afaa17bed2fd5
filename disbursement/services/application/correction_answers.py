"""How the enterprise can answer what a correction names: a file, an answer of the form, a word of explanation.

A question about the enterprise itself is mended there too, as long as no authority answers it: what is stated counts
from the day of submission, as of which the application is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from disbursement.domain.errors import Fault
from disbursement.domain.invoices import INVOICE_FACTS, Invoice
from disbursement.models import Application, Correction, CorrectionItem, CorrectionSubject, Promise
from disbursement.selectors.forms import Rules, material_rules, questions
from disbursement.selectors.invoices import table_of
from disbursement.services.application import judging
from disbursement.services.review.complete_list import lacking
from matching.criteria import Scope, leaves
from matching.criteria.ast import LeafBase
from matching.days import day_of
from matching.forms import answered_facts, is_required
from matching.services.declarations import Known, known_facts, may_declare, record_declared
from matching.services.facts import profile_as_of

_MATERIAL, _FIELD, _LEAF = CorrectionSubject.MATERIAL, CorrectionSubject.FIELD, CorrectionSubject.LEAF


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the page of a correction has to offer: keys of form fields, codes of materials, the invoice table, and
    whether something may be said in words.
    """

    fields: frozenset[str]
    materials: frozenset[str]
    invoices: bool
    words: bool


@dataclass(frozen=True, slots=True)
class Before:
    """The application as it stood before this answer: the form, the invoices, the conditions that were in the way."""

    form: Mapping[str, Any]
    table: Sequence[Invoice]
    blocking: frozenset[str]


def known_of(*, application: Application, rules: Rules) -> dict[str, Known]:
    """What is on file, as of the day of submission, for the form's questions about the enterprise itself."""
    assert application.submitted_at is not None
    facts = rules.form.vocabulary.facts
    own = [key for key, _label in questions(rules=rules) if key in facts and facts[key].scope is Scope.ENTERPRISE]
    day = day_of(application.submitted_at)
    return known_facts(enterprise=application.enterprise, keys=own, day=day) if own else {}


def locked_questions(*, application: Application, rules: Rules) -> dict[str, str]:
    """Questions of the form that the enterprise cannot answer otherwise, since an authority does: who, by key."""
    facts = rules.form.vocabulary.facts
    known = known_of(application=application, rules=rules)
    locked = {}
    for key, _label in questions(rules=rules):
        if key not in facts or facts[key].scope is not Scope.ENTERPRISE:
            continue
        source = known[key].source if key in known else None
        if not may_declare(definition=facts[key], source=source):
            locked[key] = source or facts[key].source
    return locked


def wanted_by(*, application: Application, correction: Correction, rules: Rules) -> Wanted:
    """By what the enterprise can answer each thing that the correction names, and what it took out since."""
    items = list(correction.items.all())
    named = {item.code for item in items if item.subject == _FIELD}
    conditions = [leaf for leaf in leaves(rules.tree) if leaf.id in _codes(items, _LEAF)]
    looked_at = {fact for leaf in conditions for fact in _facts_of(leaf)}
    facts = rules.form.vocabulary.facts
    locked = locked_questions(application=application, rules=rules)
    fields = set()
    for one in rules.form.fields:
        if one.key in facts and facts[one.key].scope is Scope.ENTERPRISE:
            if one.key in named | looked_at and one.key not in locked:
                fields.add(one.key)
        elif {one.key, one.fact} & named or (conditions and one.fact):
            fields.add(one.key)
    materials = _codes(items, _MATERIAL)
    for leaf in conditions:
        materials |= _proofs(leaf, application=application)
    materials |= {rule.code for rule in lacking(application=application, rules=rules)}
    asked_facts = {one.fact for one in rules.form.fields if one.key in fields} | named
    return Wanted(
        fields=frozenset(fields),
        materials=frozenset(materials),
        invoices=bool(asked_facts & set(INVOICE_FACTS)),
        words=bool(conditions),
    )


def declare_again(
    *, application: Application, rules: Rules, form: Mapping[str, Any], user_id: int, now: datetime
) -> None:
    """Record what these answers say of the enterprise itself, from the day of submission on."""
    assert application.submitted_at is not None
    day = day_of(application.submitted_at)
    values = judging.declared_in(rules=rules, form=form, enterprise=application.enterprise, day=day)
    if values:
        record_declared(enterprise=application.enterprise, values=values, valid_on=day, user_id=user_id, now=now)


def still_open(
    *,
    application: Application,
    correction: Correction,
    rules: Rules,
    before: Before,
    blocking: Iterable[str],
    note: str,
) -> list[Fault]:
    """A fault for each thing that was asked for and has not been answered. `blocking`: conditions now in the way."""
    new = _brought_since(application=application, correction=correction)
    locked = locked_questions(application=application, rules=rules)
    other_invoices = table_of(application=application) != before.table
    changed = {key for key in {*application.form, *before.form} if application.form.get(key) != before.form.get(key)}
    if other_invoices:
        changed |= set(INVOICE_FACTS)  # the same total of other invoices
    changed |= {one.key for one in rules.form.fields if one.fact in changed}
    known = {leaf.id: leaf for leaf in leaves(rules.tree)}
    cleared = before.blocking - set(blocking)
    faults = []
    for item in correction.items.all():
        words = {"label": item.label, "remedy": item.remedy}
        if item.subject == _MATERIAL and item.code not in new:
            faults.append(Fault(f"material.{item.code}", _("请重新上传“%(label)s”：%(remedy)s") % words))
        elif item.subject == _FIELD and item.code not in changed and item.code not in locked:
            faults.append(Fault(f"form.{item.code}", _("“%(label)s”尚未更正：%(remedy)s") % words))
        elif item.subject == _LEAF and item.code in known and item.code not in cleared and not note.strip():
            leaf = known[item.code]
            if not (_proofs(leaf, application=application) & new or _facts_of(leaf) & changed):
                text = _("“%(label)s”尚未答复：%(remedy)s。请上传证明材料、更正申报内容，或者在“情况说明”中写明。")
                faults.append(Fault(f"leaf.{item.code}", text % (words | {"remedy": item.remedy.rstrip("。")})))
    return faults


def taken_out(*, application: Application, rules: Rules) -> list[Fault]:
    """A fault for each required material that is not there any more, whether the list names it or not."""
    return [
        Fault(f"material.{rule.code}", _("请上传“%(name)s”。") % {"name": rule.name})
        for rule in lacking(application=application, rules=rules)
    ]


def emptied(*, application: Application, rules: Rules, before: Before, now: datetime) -> list[Fault]:
    """A fault for each required field that this answer took out and nothing else answers."""
    day = day_of(now)
    facts = answered_facts(
        rules.form, {**profile_as_of(enterprise=application.enterprise, day=day), **application.form}
    )
    gone = before.form.keys() - application.form.keys()
    return [
        Fault(f"form.{one.key}", _("请填写“%(label)s”。") % {"label": one.label})
        for one in rules.form.fields
        if one.key in gone and one.fact not in facts and is_required(one, rules.form, facts, as_of=day)
    ]


def _codes(items: Sequence[CorrectionItem], subject: CorrectionSubject) -> set[str]:
    return {item.code for item in items if item.subject == subject}


def _facts_of(leaf: LeafBase) -> set[str]:
    return {fact for fact in (leaf.fact, getattr(leaf, "percent_of", None)) if fact is not None}


def _proofs(leaf: LeafBase, *, application: Application) -> set[str]:
    """Materials that can prove the condition: those that it names, or any where it names none."""
    there = {rule.code for rule in material_rules(version=application.version) if not rule.is_typed}
    return there & set(leaf.evidence) or there


def _brought_since(*, application: Application, correction: Correction) -> set[str]:
    """Codes of materials that were handed in, or for which a promise was signed, since the correction was asked."""
    files = application.materials.filter(replaced_at__isnull=True, uploaded_at__gt=correction.asked_at)
    promised = Promise.objects.filter(application=application, signed_at__gt=correction.asked_at)
    return {*files.values_list("code", flat=True), *promised.values_list("material_code", flat=True)}
