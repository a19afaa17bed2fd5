"""Why: the verdict, and for each leaf what was compared with what, in Chinese."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from . import ast
from .compare import comparison
from .evaluate import CompiledTree, Verdict, facts_of, missing_facts
from .facts import Facts, FactValue
from .judge import Truth
from .measure import source_of
from .vocabulary import Vocabulary
from .words import label_of, leaf_phrase

_MOST_SAID = 20_000


class Outcome(StrEnum):
    """How a leaf stands once its ``not`` is taken into account (but not that it may be soft)."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LeafExplanation:
    """One condition.

    ``requirement`` is what is asked, ``comparison`` what was compared with what and by how much it falls short,
    ``clause`` the policy's own words. ``soft`` (原则上) conditions are warned of and never decide. ``on_way``: part of
    the cheapest way to qualify. ``missing`` names facts that are absent: (key, label, where it comes from).
    """

    id: str
    label: str
    outcome: Outcome
    negated: bool
    soft: bool
    on_way: bool
    requirement: str
    comparison: str
    clause: str
    evidence: tuple[str, ...]
    advice: str
    missing: tuple[tuple[str, str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "label": self.label,
            "outcome": self.outcome.value,
            "negated": self.negated,
            "soft": self.soft,
            "on_way": self.on_way,
            "requirement": self.requirement,
            "comparison": self.comparison,
            "clause": self.clause,
            "evidence": list(self.evidence),
            "advice": self.advice,
            "missing": [{"fact": key, "label": label, "source": source} for key, label, source in self.missing],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict with its reasons; leaves stand in tree order."""

    verdict: Verdict
    unmet: tuple[str, ...]
    unknown: tuple[str, ...]
    form_only: bool
    as_of: date
    leaves: tuple[LeafExplanation, ...]

    def leaf(self, leaf_id: str) -> LeafExplanation:
        return next(leaf for leaf in self.leaves if leaf.id == leaf_id)

    @property
    def warnings(self) -> tuple[LeafExplanation, ...]:
        """Soft conditions that are not met or not known to be."""
        return tuple(leaf for leaf in self.leaves if leaf.soft and leaf.outcome is not Outcome.MET)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, the same for the same inputs."""
        return {
            "verdict": self.verdict.value,
            "unmet": list(self.unmet),
            "unknown": list(self.unknown),
            "form_only": self.form_only,
            "as_of": self.as_of.isoformat(),
            "leaves": [leaf.to_json() for leaf in self.leaves],
        }


@dataclass(frozen=True, slots=True)
class Brief:
    """The conditions met on the cheapest way to qualify, as they were compared; labels of the facts that are asked for
    there; and the soft conditions (原则上) that are not met or not known to be, as they were compared."""

    met: tuple[str, ...]
    asked: tuple[str, ...]
    warnings: tuple[str, ...]


def explain(tree: ast.Node, facts: Facts, as_of: date, vocabulary: Vocabulary) -> Explanation:
    """The evaluation of ``tree`` as of a date (Asia/Shanghai), told leaf by leaf. Reads no clock."""
    return Explainer(tree, as_of, vocabulary).explain(facts)


class Explainer:
    """``explain`` made ready for many enterprises: what a leaf asks is put into words once, and what was compared with
    what once for each value (as many as are kept). Safe to share between threads.
    """

    def __init__(self, tree: ast.Node, as_of: date, vocabulary: Vocabulary) -> None:
        self.compiled = CompiledTree(tree)
        self.as_of = as_of
        self.vocabulary = vocabulary
        self._words = [
            (
                label_of(signed.leaf.fact, vocabulary),
                f"{'原则上' if signed.leaf.soft else ''}{leaf_phrase(signed.leaf, vocabulary, signed.negated, as_of)}",
            )
            for signed in self.compiled.leaves
        ]
        self._looks_at = [facts_of(signed.leaf) for signed in self.compiled.leaves]
        self._said: dict[Hashable, str] = {}

    def explain(self, facts: Facts) -> Explanation:
        result = self.compiled.evaluate(facts, self.as_of)
        way = set(result.way)
        leaves = []
        for number, (signed, (label, requirement)) in enumerate(zip(self.compiled.leaves, self._words, strict=True)):
            leaf = signed.leaf
            leaves.append(
                LeafExplanation(
                    id=leaf.id,
                    label=label,
                    outcome=_outcome(result.truths[leaf.id], signed.negated),
                    negated=signed.negated,
                    soft=leaf.soft,
                    on_way=leaf.id in way,
                    requirement=requirement,
                    comparison=self._comparison(number, facts),
                    clause=leaf.text,
                    evidence=leaf.evidence,
                    advice=leaf.advice,
                    missing=tuple(
                        (key, label_of(key, self.vocabulary), source_of(key, self.vocabulary))
                        for key in missing_facts(leaf, facts)
                    ),
                )
            )
        return Explanation(result.verdict, result.unmet, result.unknown, result.form_only, self.as_of, tuple(leaves))

    def brief(self, facts: Facts) -> Brief:
        """What a push says, without the rest of an explanation."""
        result = self.compiled.evaluate(facts, self.as_of)
        way = set(result.way)
        met, warnings = [], []
        asked: dict[str, None] = {}
        for number, signed in enumerate(self.compiled.leaves):
            leaf = signed.leaf
            truth = result.truths[leaf.id]
            is_met = truth is not None and truth is not signed.negated
            if leaf.soft:
                if not is_met:
                    warnings.append(self._comparison(number, facts))
            elif leaf.id in way:
                if is_met:
                    met.append(self._comparison(number, facts))
                elif truth is None:
                    asked |= dict.fromkeys(label_of(key, self.vocabulary) for key in missing_facts(leaf, facts))
        return Brief(tuple(met), tuple(asked), tuple(warnings))

    def _comparison(self, number: int, facts: Facts) -> str:
        signed = self.compiled.leaves[number]
        key = (number, *[_frozen(facts.values.get(name)) for name in self._looks_at[number]])
        said = self._said.get(key)
        if said is None:
            said = comparison(signed.leaf, signed.negated, facts, self.as_of, self.vocabulary)
            said += "（原则上的要求，不影响结论）" if signed.leaf.soft else ""
            if len(self._said) >= _MOST_SAID:
                self._said.clear()
            self._said[key] = said
        return said


def _frozen(value: FactValue | None) -> Hashable:
    """A value as the key of what is said of it. Equal numbers may be written differently, and are said alike."""
    if isinstance(value, tuple):
        return tuple((r.code, r.on, r.until, r.amount, tuple(sorted(r.numbers.items()))) for r in value)
    if isinstance(value, Mapping):
        return tuple(sorted(value.items()))
    return value, isinstance(value, bool)


def _outcome(truth: Truth, negated: bool) -> Outcome:
    if truth is None:
        return Outcome.UNKNOWN
    return Outcome.MET if truth is not negated else Outcome.UNMET
