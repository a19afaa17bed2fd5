"""What an item's form asks: the application-scope facts of its criteria and award, and its materials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from matching.criteria import FactDefinition, Node, Scope, Vocabulary, leaves, parse_criteria
from matching.criteria.award import Award, parse_award
from matching.models import PolicyVersion


@dataclass(frozen=True, slots=True)
class Rules:
    """A version's criteria and award, read by one vocabulary."""

    tree: Node
    award: Award | None
    vocabulary: Vocabulary

    def fact_keys(self) -> list[str]:
        """Every fact that criteria and award look at, in reading order, each once."""
        return list(dict.fromkeys([*_tree_keys(self.tree), *_award_keys(self.award)]))


@dataclass(frozen=True, slots=True)
class MaterialRule:
    """One material of an item: who brings it, whether it must be there, what may stand in for it."""

    code: str
    name: str
    required: bool
    origin: str
    note: str
    tolerable: bool
    promise: str

    @property
    def is_brought(self) -> bool:
        """Whether the enterprise hands in a file; data exchange and the form it fills in online ask no paper of it."""
        return self.origin not in {"exchange", "form"}

    @property
    def is_typed(self) -> bool:
        """Whether it is the form itself, filled in online."""
        return self.origin == "form"


def read_rules(*, version: PolicyVersion, vocabulary: Vocabulary) -> Rules:
    """The version's criteria and award. Raises InvalidInput where this vocabulary cannot read them."""
    tree = parse_criteria(version.rules["criteria"], vocabulary)
    award = version.rules.get("award")
    return Rules(tree, None if award is None else parse_award(award, vocabulary), vocabulary)


def form_fields(*, rules: Rules) -> list[FactDefinition]:
    """The facts that the form asks for, in reading order."""
    known = rules.vocabulary.facts
    return [known[key] for key in rules.fact_keys() if known[key].scope is Scope.APPLICATION]


def material_rules(*, version: PolicyVersion) -> list[MaterialRule]:
    """The version's materials, in its order. `promise`: the text that may be signed instead (告知承诺), else empty."""
    return [_material(entry) for entry in version.rules.get("materials") or []]


def _material(entry: dict[str, Any]) -> MaterialRule:
    promise = entry.get("promise") or ""
    return MaterialRule(
        code=entry["code"],
        name=entry["name"],
        required=bool(entry.get("required", True)),
        origin=entry.get("source", "applicant"),
        note=entry.get("note", ""),
        tolerable=bool(entry.get("tolerable", True)),
        promise=promise
        if isinstance(promise, str)
        else f"本企业承诺符合“{entry['name']}”所证明的情况，愿承担不实承诺的责任。",
    )


def _tree_keys(tree: Node | None) -> Iterator[str]:
    if tree is None:
        return
    for leaf in leaves(tree):
        yield leaf.fact
        other = getattr(leaf, "percent_of", None)
        if other is not None:
            yield other


def _award_keys(award: Award | None) -> Iterator[str]:
    if award is None:
        return
    for rule in award.rules:
        yield from _tree_keys(rule.when.tree)
        yield from (base.fact for base in (rule.of, rule.cap_fact) if base is not None)
    for bonus in award.bonus_points:
        yield from _tree_keys(bonus.when.tree)
