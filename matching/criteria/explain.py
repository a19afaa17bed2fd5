"""Why: the verdict, and for each leaf what was compared with what, in Chinese."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from . import ast
from .compare import comparison
from .evaluate import CompiledTree, Verdict, missing_facts
from .facts import Facts
from .judge import Truth
from .measure import source_of
from .vocabulary import Vocabulary
from .words import label_of, leaf_phrase


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


def explain(tree: ast.Node, facts: Facts, as_of: date, vocabulary: Vocabulary) -> Explanation:
    """The evaluation of ``tree`` as of a date (Asia/Shanghai), told leaf by leaf. Reads no clock."""
    compiled = CompiledTree(tree)
    result = compiled.evaluate(facts, as_of)
    way = set(result.way)
    leaves = []
    for signed in compiled.leaves:
        leaf = signed.leaf
        note = "（原则上的要求，不影响结论）" if leaf.soft else ""
        leaves.append(
            LeafExplanation(
                id=leaf.id,
                label=label_of(leaf.fact, vocabulary),
                outcome=_outcome(result.truths[leaf.id], signed.negated),
                negated=signed.negated,
                soft=leaf.soft,
                on_way=leaf.id in way,
                requirement=f"{'原则上' if leaf.soft else ''}{leaf_phrase(leaf, vocabulary, signed.negated, as_of)}",
                comparison=comparison(leaf, signed.negated, facts, as_of, vocabulary) + note,
                clause=leaf.text,
                evidence=leaf.evidence,
                advice=leaf.advice,
                missing=tuple(
                    (key, label_of(key, vocabulary), source_of(key, vocabulary)) for key in missing_facts(leaf, facts)
                ),
            )
        )
    return Explanation(result.verdict, result.unmet, result.unknown, result.form_only, as_of, tuple(leaves))


def _outcome(truth: Truth, negated: bool) -> Outcome:
    if truth is None:
        return Outcome.UNKNOWN
    return Outcome.MET if truth is not negated else Outcome.UNMET
