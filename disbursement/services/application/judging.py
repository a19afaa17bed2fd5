"""What the criteria say of an application, stored with everything they saw, so that it can be said again.

An application is judged as of the day of its submission (Asia/Shanghai), by the version then in force and by what is
known now of that day; facts of the credit platform count as of today. The form's answers stand beside the profile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from disbursement.domain.errors import Fault, Invalid
from disbursement.models import Application, Judgement, Occasion
from disbursement.selectors.forms import Rules, read_rules
from matching.criteria import (
    All,
    AtLeast,
    BooleanLeaf,
    CompiledTree,
    Evaluation,
    Facts,
    FactValue,
    IfThen,
    InvalidInput,
    Node,
    Not,
    Scope,
    Vocabulary,
    canonical_json,
    parse_facts,
)
from matching.criteria import Any as AnyOf
from matching.criteria.ast import LeafBase
from matching.criteria.award import estimate
from matching.criteria.explain import explain
from matching.days import day_of
from matching.forms import answer_faults, unknown_keys
from matching.models import Enterprise, PolicyVersion
from matching.registry.models import VocabularyRevision
from matching.services.declarations import known_facts, may_declare
from matching.services.facts import profile_as_of
from matching.services.vocabulary import ensure_default, vocabulary_at

# Facts from here are looked at as of today, however old the application is.
CREDIT_SOURCES = frozenset({"信用平台"})


@dataclass(frozen=True, slots=True)
class Assessment:
    """One judgement before it is stored: canonical `inputs` and `result` as data."""

    inputs: dict[str, Any]
    result: dict[str, Any]
    vocabulary: VocabularyRevision

    @property
    def verdict(self) -> str:
        return str(self.result["verdict"])

    @property
    def leaves(self) -> list[dict[str, Any]]:
        """Each condition as `LeafExplanation.to_json` tells it."""
        found: list[dict[str, Any]] = self.result["leaves"]
        return found

    @property
    def amount(self) -> Decimal | None:
        """The award in 元 where everything that it needs is known, before history (caps by year, exclusions)."""
        figures = self.result["estimate"]
        return Decimal(figures["low"]) if figures and figures["low"] == figures["high"] else None


def rehearse(*, version: PolicyVersion, enterprise: Enterprise, form: Mapping[str, Any], now: datetime) -> Assessment:
    """Judge as a submission at this moment would be judged; stores nothing. Raises Invalid for a bad form.

    What the enterprise states of itself in the form counts as if it were on file already.
    """
    today = day_of(now)
    return _assess(
        version=version, enterprise=enterprise, form=form, as_of=today, credit_as_of=today, now=now, declaring=True
    )


def assess(*, application: Application, now: datetime) -> Assessment:
    """Judge a submitted application as it stands, storing nothing. Raises Invalid for a bad form."""
    assert application.submitted_at is not None
    return _assess(
        version=application.version,
        enterprise=application.enterprise,
        form=application.form,
        as_of=day_of(application.submitted_at),
        credit_as_of=day_of(now),
        now=now,
    )


def judge(*, application: Application, occasion: Occasion, now: datetime) -> Judgement:
    """Judge an application and store it, in the caller's transaction. Raises Invalid for a bad form."""
    assessment = assess(application=application, now=now)
    assert application.submitted_at is not None
    inputs, result = canonical_json(assessment.inputs), canonical_json(assessment.result)
    return Judgement.objects.create(
        application=application,
        version=application.version,
        vocabulary=assessment.vocabulary,
        occasion=occasion,
        as_of=day_of(application.submitted_at),
        verdict=assessment.verdict,
        inputs=inputs,
        result=result,
        inputs_sha256=_sha256(inputs),
        result_sha256=_sha256(result),
        made_at=now,
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """A stored judgement judged again: the same answer, byte for byte, or not."""

    result: dict[str, Any]
    same: bool
    intact: bool


def replay(*, judgement: Judgement) -> Replay:
    """Judge again from nothing but what was stored. `intact`: inputs and result still have their hashes."""
    inputs = judgement_inputs(judgement=judgement)
    rules = read_rules(version=judgement.version, vocabulary=vocabulary_at(digest=inputs["vocabulary"]))
    result = _judge_facts(
        rules=rules,
        facts=inputs["facts"],
        as_of=date.fromisoformat(inputs["as_of"]),
        credit_as_of=date.fromisoformat(inputs["credit_as_of"]),
    )
    intact = (
        _sha256(judgement.inputs) == judgement.inputs_sha256
        and _sha256(judgement.result) == judgement.result_sha256
        and inputs["rule_hash"] == judgement.version.rule_hash
    )
    return Replay(result=result, same=canonical_json(result) == judgement.result, intact=intact)


def judgement_inputs(*, judgement: Judgement) -> dict[str, Any]:
    """`Judgement.inputs` as data."""
    inputs: dict[str, Any] = json.loads(judgement.inputs)
    return inputs


def checked_form(*, rules: Rules, form: Mapping[str, Any], as_of: date = date.max) -> dict[str, Any]:
    """The form's answers without empty ones. Raises Invalid, a fault for each field, where one cannot be used.

    `as_of` is the day (Asia/Shanghai) that a date of the past may not be after.
    """
    answers = {key: value for key, value in form.items() if value not in (None, "")}
    faults = [
        Fault(f"form.{key}", _("申报表中没有“%(key)s”这一项，请删去。") % {"key": key})
        for key in unknown_keys(rules.form, answers)
    ]
    faults += [Fault(f"form.{fault.key}", fault.message) for fault in answer_faults(rules.form, answers, as_of=as_of)]
    faults += _bad_totals(rules=rules, answers=answers)
    if faults:
        raise Invalid(faults)
    return answers


def _bad_totals(*, rules: Rules, answers: Mapping[str, Any]) -> list[Fault]:
    """Totals of tables that cannot be read; they are never typed, so this is no person's mistake in the form."""
    found = []
    for field in rules.form.fields:
        if field.derived is not None and field.derived in answers:
            try:
                parse_facts({field.derived: answers[field.derived]}, rules.vocabulary, "")
            except InvalidInput as error:
                found += [Fault(f"form.{field.derived}", f"{field.label}：{p.message}") for p in error.problems]
    return found


def declared_in(*, rules: Rules, form: Mapping[str, Any], enterprise: Enterprise, day: date) -> dict[str, Any]:
    """The answers that are facts of the enterprise itself, as far as it may state them (Asia/Shanghai day)."""
    facts = rules.vocabulary.facts
    own = {
        key: value
        for key, value in form.items()
        if key in facts and facts[key].scope is Scope.ENTERPRISE and value != ""
    }
    if not own:
        return {}
    known = known_facts(enterprise=enterprise, keys=list(own), day=day)
    return {
        key: value
        for key, value in own.items()
        if value is not None and may_declare(definition=facts[key], source=known[key].source if key in known else None)
    }


def _assess(
    *,
    version: PolicyVersion,
    enterprise: Enterprise,
    form: Mapping[str, Any],
    as_of: date,
    credit_as_of: date,
    now: datetime,
    declaring: bool = False,
) -> Assessment:
    """`declaring`: what the form says of the enterprise itself counts; once submitted, its profile says it."""
    revision, rules = _readable(version=version, now=now)
    vocabulary = rules.vocabulary
    answers = checked_form(rules=rules, form=form, as_of=as_of)
    own = declared_in(rules=rules, form=answers, enterprise=enterprise, day=as_of) if declaring else {}
    answers = {key: v for key, v in answers.items() if _asked(key, vocabulary)} | own
    known = profile_as_of(enterprise=enterprise, day=as_of)
    credit = known if credit_as_of == as_of else profile_as_of(enterprise=enterprise, day=credit_as_of)
    facts: dict[str, Any] = {}
    for key in rules.fact_keys():
        source = credit if vocabulary.facts[key].source in CREDIT_SOURCES else known
        value = answers.get(key, source.get(key))
        if value is not None and _is_readable(key, value, vocabulary):
            facts[key] = value
    inputs = {
        "as_of": as_of.isoformat(),
        "credit_as_of": credit_as_of.isoformat(),
        "facts": facts,
        "policy_version": str(version),
        "rule_hash": version.rule_hash,
        "vocabulary": revision.digest,
    }
    result = _judge_facts(rules=rules, facts=facts, as_of=as_of, credit_as_of=credit_as_of)
    return Assessment(inputs=inputs, result=result, vocabulary=revision)


def _readable(*, version: PolicyVersion, now: datetime) -> tuple[VocabularyRevision, Rules]:
    """The vocabulary in force; for a version that it can no longer read, the one under which it was published."""
    current = ensure_default(now=now)
    try:
        return current, read_rules(version=version, vocabulary=vocabulary_at(digest=current.digest))
    except InvalidInput:
        own = version.vocabulary
        return own, read_rules(version=version, vocabulary=vocabulary_at(digest=own.digest))


def rules_of(*, version: PolicyVersion, now: datetime) -> Rules:
    """The version's rules, read as a judgement at this moment would read them; for forms and pages."""
    return _readable(version=version, now=now)[1]


def _asked(key: str, vocabulary: Vocabulary) -> bool:
    return key in vocabulary.facts and vocabulary.facts[key].scope is Scope.APPLICATION


def _is_readable(key: str, value: Any, vocabulary: Vocabulary) -> bool:
    # Recorded under another vocabulary and no longer readable: unknown, as it is for matching.
    try:
        parse_facts({key: value}, vocabulary)
    except InvalidInput:
        return False
    return True


def _judge_facts(*, rules: Rules, facts: Mapping[str, Any], as_of: date, credit_as_of: date) -> dict[str, Any]:
    typed = parse_facts(dict(facts), rules.vocabulary)
    told = explain(rules.tree, typed, as_of, rules.vocabulary)
    answer = told.to_json()
    if credit_as_of != as_of:
        told_today = {
            leaf.id: leaf.to_json() for leaf in explain(rules.tree, typed, credit_as_of, rules.vocabulary).leaves
        }
        found = _with_credit_of_today(rules=rules, facts=typed, as_of=as_of, credit_as_of=credit_as_of)
        credit_ids = _credit_leaves(rules)
        leaves = [told_today[leaf["id"]] if leaf["id"] in credit_ids else leaf for leaf in answer["leaves"]]
        answer |= {
            "verdict": found.verdict.value,
            "unmet": list(found.unmet),
            "unknown": list(found.unknown),
            "form_only": found.form_only,
            "leaves": [leaf | {"on_way": leaf["id"] in found.way} for leaf in leaves],
        }
    answer["estimate"] = None
    if rules.award is not None:
        figures = estimate(rules.award, typed, as_of)
        answer["estimate"] = {
            "low": str(figures.low),
            "high": None if figures.high is None else str(figures.high),
            "working": list(figures.working),
        }
    return answer


def _credit_leaves(rules: Rules) -> frozenset[str]:
    facts = rules.vocabulary.facts
    return frozenset(
        signed.leaf.id for signed in CompiledTree(rules.tree).leaves if facts[signed.leaf.fact].source in CREDIT_SOURCES
    )


def _with_credit_of_today(*, rules: Rules, facts: Facts, as_of: date, credit_as_of: date) -> Evaluation:
    """Evaluate with each credit condition's truth taken as of another day: it is put in its leaf's place."""
    today = CompiledTree(rules.tree).evaluate(facts, credit_as_of).truths
    credit = _credit_leaves(rules)
    values: dict[str, FactValue] = dict(facts.values)
    for leaf_id in credit:
        truth = today[leaf_id]
        if truth is not None:
            values[_stand_in(leaf_id)] = truth
    return CompiledTree(_replaced(rules.tree, credit)).evaluate(Facts(values), as_of)


def _stand_in(leaf_id: str) -> str:
    # No fact of a vocabulary has an @ in its key.
    return f"@{leaf_id}"


def _replaced(node: Node, credit: frozenset[str]) -> Node:
    match node:
        case All(members):
            return All(tuple(_replaced(member, credit) for member in members))
        case AnyOf(members):
            return AnyOf(tuple(_replaced(member, credit) for member in members))
        case AtLeast(needed, members):
            return AtLeast(needed, tuple(_replaced(member, credit) for member in members))
        case Not(member):
            return Not(_replaced(member, credit))
        case IfThen(condition, then):
            return IfThen(_replaced(condition, credit), _replaced(then, credit))
    assert isinstance(node, LeafBase)
    if node.id not in credit:
        return node
    return BooleanLeaf(id=node.id, path=node.path, fact=_stand_in(node.id), soft=node.soft, value=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
