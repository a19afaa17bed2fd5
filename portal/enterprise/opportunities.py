"""What an enterprise can get (可享政策), each with its reason, read from the matches kept and told anew for today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from disbursement.selectors.forms import Rules, read_rules
from matching.criteria import Facts, InvalidInput, Vocabulary, parse_facts
from matching.criteria.award import Estimate, estimate
from matching.criteria.explain import Explanation, LeafExplanation, explain
from matching.models import Enterprise, Match, PolicyVersion, Verdict
from matching.services.facts import profile_as_of
from matching.services.vocabulary import current_vocabulary, vocabulary_at


class Kind(StrEnum):
    """How well an item fits, and the mark it wears."""

    FITS = "fits"
    FORM = "form"
    NEAR = "near"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        return str(_LABELS[self][0])

    @property
    def note(self) -> str:
        return str(_LABELS[self][1])

    @property
    def mark(self) -> str:
        """The CSS modifier of `.verdict`."""
        return {"fits": "eligible", "form": "form", "near": "near", "unknown": "unknown"}[self.value]

    @property
    def query(self) -> Q:
        return {
            Kind.FITS: Q(verdict=Verdict.ELIGIBLE),
            Kind.FORM: Q(verdict=Verdict.UNDETERMINED, form_only=True),
            Kind.NEAR: Q(verdict=Verdict.INELIGIBLE),
            Kind.UNKNOWN: Q(verdict=Verdict.UNDETERMINED, form_only=False),
        }[self]


_LABELS = {
    Kind.FITS: (_("符合"), _("按现有信息，条件全部满足，可直接申报。")),
    Kind.FORM: (_("填表后可定"), _("企业自身条件都满足，只差申报时填写的项目信息。")),
    Kind.NEAR: (_("接近符合"), _("只差一两项，看看差在哪里、怎样补上。")),
    Kind.UNKNOWN: (_("待补信息"), _("还缺一些企业信息，补上就能判断。")),
}


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One item for one enterprise: verdict, reasons, and what it may pay."""

    version: PolicyVersion
    kind: Kind | None
    explanation: Explanation
    estimate: Estimate | None

    @property
    def met(self) -> list[LeafExplanation]:
        return [leaf for leaf in self.explanation.leaves if leaf.outcome == "met" and leaf.on_way and not leaf.soft]

    @property
    def unmet(self) -> list[LeafExplanation]:
        return [leaf for leaf in self.explanation.leaves if leaf.id in self.explanation.unmet]

    @property
    def unknown(self) -> list[LeafExplanation]:
        return [leaf for leaf in self.explanation.leaves if leaf.id in self.explanation.unknown]


def kind_of(explanation: Explanation) -> Kind | None:
    """None where the item does not fit and is not near."""
    if explanation.verdict == "eligible":
        return Kind.FITS
    if explanation.verdict == "undetermined":
        return Kind.FORM if explanation.form_only else Kind.UNKNOWN
    return Kind.NEAR if len(explanation.unmet) <= 2 else None


def matches_of(*, enterprise: Enterprise) -> QuerySet[Match]:
    """The enterprise's matches with versions in force, ready to be told."""
    return (
        Match.objects.filter(
            enterprise=enterprise, version__item__is_listed=True, version__item__current_version=F("version")
        )
        .select_related("version__item__department", "version__vocabulary")
        .defer("version__vocabulary__content")
        .order_by("version__item__name", "pk")
    )


def counts_of(*, enterprise: Enterprise) -> dict[Kind, int]:
    counts = dict.fromkeys(Kind, 0)
    rows = matches_of(enterprise=enterprise).order_by().values_list("verdict", "form_only")
    for verdict, form_only in rows:
        if verdict == Verdict.ELIGIBLE:
            counts[Kind.FITS] += 1
        elif verdict == Verdict.INELIGIBLE:
            counts[Kind.NEAR] += 1
        else:
            counts[Kind.FORM if form_only else Kind.UNKNOWN] += 1
    return counts


def tell(*, enterprise: Enterprise, versions: Iterable[PolicyVersion], as_of: date) -> list[Opportunity]:
    """Each version explained for the enterprise as of a day (Asia/Shanghai), with its estimate. Two queries in all."""
    vocabulary = current_vocabulary()
    known = profile_as_of(enterprise=enterprise, day=as_of)
    told = []
    for version in versions:
        rules = rules_for(version=version, vocabulary=vocabulary)
        facts = readable_facts(known, rules)
        told.append(tell_one(version=version, rules=rules, facts=facts, as_of=as_of))
    return told


def tell_one(*, version: PolicyVersion, rules: Rules, facts: Facts, as_of: date) -> Opportunity:
    explanation = explain(rules.tree, facts, as_of, rules.vocabulary)
    words = version.item.words or {}
    if words and version.item.current_version_id == version.pk:
        explanation = replace(explanation, leaves=tuple(_worded(leaf, words) for leaf in explanation.leaves))
    amount = None if rules.award is None else estimate(rules.award, facts, as_of)
    return Opportunity(version=version, kind=kind_of(explanation), explanation=explanation, estimate=amount)


def rules_for(*, version: PolicyVersion, vocabulary: Vocabulary) -> Rules:
    """Criteria and award by the vocabulary in force, or by the version's own where that cannot read them any more."""
    try:
        return read_rules(version=version, vocabulary=vocabulary)
    except InvalidInput:
        return read_rules(version=version, vocabulary=vocabulary_at(digest=version.vocabulary.digest))


def readable_facts(known: Mapping[str, Any], rules: Rules) -> Facts:
    """The profile's facts that the rules look at; what an older vocabulary recorded unreadably is unknown."""
    values: dict[str, Any] = {}
    for key in rules.fact_keys():
        if key in known:
            try:
                values.update(parse_facts({key: known[key]}, rules.vocabulary).values)
            except InvalidInput:
                continue
    return Facts(values)


def _worded(leaf: LeafExplanation, words: Mapping[str, Mapping[str, str]]) -> LeafExplanation:
    said = words.get(leaf.id)
    if not said:
        return leaf
    return replace(leaf, clause=said.get("text", leaf.clause), advice=said.get("advice", leaf.advice))
