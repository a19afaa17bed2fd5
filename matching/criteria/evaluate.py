"""The verdict on one enterprise as of a date, and the cheapest way to qualify.

A leaf costs (unmet, unknown) = (0, 0) where it is true, (0, 1) where unknown, (1, 0) where false, after ``not`` has
been pushed down to it; a soft leaf is true whatever its fact or sign. A group adds its cheapest members, as many as it
needs; costs compare left to right and ties go to the earlier member. The tree is true where the cheapest way costs
nothing, unknown where it costs only unknowns, else false: that is Kleene's logic.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from . import ast
from .facts import Facts
from .judge import Truth, judge_of
from .normal import Normal, Signed, normalise, signed_leaves


class Verdict(StrEnum):
    ELIGIBLE = "eligible"
    UNDETERMINED = "undetermined"
    INELIGIBLE = "ineligible"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``unmet`` and ``unknown`` are ids of leaves on the cheapest way, in tree order; ``way`` are all leaves on it.

    ``form_only``: undetermined, and only for want of facts that the item's form asks for. ``truths`` gives each
    leaf's own truth, before its sign and whether it is soft or not.
    """

    verdict: Verdict
    unmet: tuple[str, ...]
    unknown: tuple[str, ...]
    form_only: bool
    way: tuple[str, ...] = ()
    truths: Mapping[str, Truth] = field(default_factory=dict, compare=False)


class CompiledTree:
    """A tree made ready for many enterprises. Holds no state between calls."""

    def __init__(self, tree: ast.Node) -> None:
        self.tree = tree
        self.normal = normalise(tree)
        self.leaves = signed_leaves(self.normal)
        self._judges = [judge_of(signed.leaf) for signed in self.leaves]
        self._shape = _shape(self.normal, iter(range(len(self.leaves))))

    def evaluate(self, facts: Facts, as_of: date) -> Evaluation:
        own = [judge(facts, as_of) for judge in self._judges]
        truths = [signed_truth(signed, truth) for signed, truth in zip(self.leaves, own, strict=True)]
        _, _, way = _cheapest(self._shape, truths)
        unmet = tuple(self.leaves[index].leaf.id for index in way if truths[index] is False)
        unknown = [self.leaves[index].leaf for index in way if truths[index] is None]
        if unmet:
            verdict = Verdict.INELIGIBLE
        else:
            verdict = Verdict.UNDETERMINED if unknown else Verdict.ELIGIBLE
        return Evaluation(
            verdict=verdict,
            unmet=unmet,
            unknown=tuple(leaf.id for leaf in unknown),
            form_only=verdict is Verdict.UNDETERMINED and all(lacks_form_facts_only(leaf, facts) for leaf in unknown),
            way=tuple(self.leaves[index].leaf.id for index in way),
            truths={signed.leaf.id: truth for signed, truth in zip(self.leaves, own, strict=True)},
        )


def compile_tree(tree: ast.Node) -> CompiledTree:
    return CompiledTree(tree)


def evaluate(tree: ast.Node, facts: Facts, as_of: date) -> Evaluation:
    """The verdict on one enterprise as of a date (Asia/Shanghai); pure, reads no clock."""
    return CompiledTree(tree).evaluate(facts, as_of)


def signed_truth(signed: Signed, own: Truth) -> Truth:
    """A leaf's truth as it counts: true where soft, turned round where negated, unknown where unknown."""
    if signed.leaf.soft:
        return True
    return own if own is None or not signed.negated else not own


def facts_of(leaf: ast.Leaf) -> tuple[str, ...]:
    """The keys of the facts that a leaf looks at: its ``fact``, and its ``percent_of`` where it has one."""
    needed = [leaf.fact]
    if isinstance(leaf, ast.NumberLeaf | ast.YearlyLeaf) and leaf.percent_of is not None:
        needed.append(leaf.percent_of)
    return tuple(dict.fromkeys(needed))


def missing_facts(leaf: ast.Leaf, facts: Facts) -> tuple[str, ...]:
    """Those of the leaf's ``fact`` and ``percent_of`` that are absent."""
    return tuple(key for key in facts_of(leaf) if key not in facts)


def lacks_form_facts_only(leaf: ast.Leaf, facts: Facts) -> bool:
    """Whether the leaf lacks a fact, and only such as the item's form asks for."""
    missing = missing_facts(leaf, facts)
    return bool(missing) and leaf.form_facts.issuperset(missing)


# A leaf by its number in tree order, or (needed, members).
_Shape = int | tuple[int, tuple["_Shape", ...]]
_Way = tuple[int, int, tuple[int, ...]]


def _shape(normal: Normal, numbers: Iterator[int]) -> "_Shape":
    if isinstance(normal, Signed):
        return next(numbers)
    return normal.needed, tuple(_shape(member, numbers) for member in normal.members)


def _cheapest(shape: "_Shape", truths: list[Truth]) -> _Way:
    """(unmet, unknown, leaves) of the cheapest way, the leaves in tree order."""
    if isinstance(shape, int):
        truth = truths[shape]
        return (truth is False, truth is None, (shape,))
    needed, members = shape
    ways = [_cheapest(member, truths) for member in members]
    if needed < len(ways):
        # sorted() is stable, so of equal costs the earlier member is taken.
        chosen = sorted(range(len(ways)), key=lambda index: ways[index][:2])[:needed]
        ways = [ways[index] for index in sorted(chosen)]
    unmet = sum(way[0] for way in ways)
    unknown = sum(way[1] for way in ways)
    return (unmet, unknown, tuple(leaf for way in ways for leaf in way[2]))
