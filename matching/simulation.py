"""What a draft item would do (事前评估): who fits, what it would cost, and which condition keeps most away. Pure.

Profiles stream through once. Each is judged by the criteria; where a condition fails, the same profile is judged again
with that condition one step easier, and without it, so that what loosening would add is counted and not guessed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from matching.criteria import CompiledTree, Evaluation, Facts, Node, Verdict, Vocabulary, ast, leaf_text
from matching.criteria.award import Award, estimate, split_instalments
from matching.loosening import a_step_easier, dropped, replaced

ZERO = Decimal("0.00")
# The facts by which those who fit are counted; the code list's top class where the second says so.
BREAKDOWNS: tuple[tuple[str, bool], ...] = (("size", False), ("industry", True), ("registered_region", False))
UNKNOWN_CODE = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Enterprises of one code: how many fit (`form` only wants the form), nearly fit, lack data. Code "": unknown."""

    code: str
    label: str
    fits: int
    form: int
    near: int
    lacking: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    fact: str
    label: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Money:
    """元 that the award rules pay to those who fit, surely (`low`) and at most (`high`).

    `exact` of them have an amount that is known to the cent, `ranged` a range, `unbounded` no upper end (`high` leaves
    these out). `first_low` and `first_high` are the first instalments, which fall due at once.
    """

    exact: int = 0
    ranged: int = 0
    unbounded: int = 0
    low: Decimal = ZERO
    high: Decimal = ZERO
    first_low: Decimal = ZERO
    first_high: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and whom it keeps away.

    `fails`: enterprises that do not meet it; `excludes`: those of them for whom it stands on the cheapest way to
    qualify; `alone`: it is all that they lack; `unknown`: the district does not know. `step` says what one step easier
    would be and `step_adds` how many more would fit then; `dropping_adds`: if it were not asked at all.
    """

    leaf_id: str
    text: str
    fails: int
    excludes: int
    alone: int
    unknown: int
    step: str
    step_adds: int
    dropping_adds: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of `enterprises` each is counted once: fits, fits subject to the form, nearly fits, lacks data, or is out."""

    enterprises: int
    fits: int
    form: int
    near: int
    lacking: int
    out: int
    breakdowns: tuple[Breakdown, ...]
    conditions: tuple[Condition, ...]
    money: Money | None


@dataclass(slots=True)
class _LeafCount:
    """One condition while counting. `easier` is the tree with it a step easier; `codes` counts whom a code adds."""

    leaf: ast.Leaf
    negated: bool
    without: CompiledTree
    easier: CompiledTree | None = None
    step: str = ""
    fails: int = 0
    excludes: int = 0
    alone: int = 0
    unknown: int = 0
    step_adds: int = 0
    dropping_adds: int = 0
    codes: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _MoneyCount:
    award: Award
    as_of: date
    exact: int = 0
    ranged: int = 0
    unbounded: int = 0
    low: Decimal = ZERO
    high: Decimal = ZERO
    first_low: Decimal = ZERO
    first_high: Decimal = ZERO

    def add(self, facts: Facts) -> None:
        told = estimate(self.award, facts, self.as_of)
        low, high = self._capped(told.low), None if told.high is None else self._capped(told.high)
        self.low += low
        self.first_low += split_instalments(self.award, low)[0]
        if high is None:
            self.unbounded += 1
            return
        self.high += high
        self.first_high += split_instalments(self.award, high)[0]
        self.exact += low == high
        self.ranged += low != high

    def _capped(self, amount: Decimal) -> Decimal:
        """What one enterprise gets in one year; what exceeds the yearly cap is not paid later."""
        cap = self.award.cap_per_year
        return amount if cap is None else min(amount, cap)

    def told(self) -> Money:
        return Money(
            self.exact,
            self.ranged,
            self.unbounded,
            self.low,
            self.high,
            self.first_low,
            self.first_high,
        )


class _Counter:
    def __init__(self, tree: Node, award: Award | None, vocabulary: Vocabulary, as_of: date) -> None:
        self.tree, self.vocabulary, self.as_of = tree, vocabulary, as_of
        self.compiled = CompiledTree(tree)
        self.leaves = {
            signed.leaf.id: self._leaf(signed.leaf, signed.negated)
            for signed in self.compiled.leaves
            if not signed.leaf.soft
        }
        self.money = _MoneyCount(award, as_of) if award else None
        self.enterprises = 0
        self.kinds: Counter[str] = Counter()
        self.grouped: dict[str, defaultdict[str, Counter[str]]] = {
            fact: defaultdict(Counter) for fact, _ in BREAKDOWNS if fact in vocabulary.facts
        }

    def _leaf(self, leaf: ast.Leaf, negated: bool) -> _LeafCount:
        counting = _LeafCount(leaf, negated, CompiledTree(replaced(self.tree, leaf.path, dropped(leaf))))
        # Under a `not` an easier leaf is a harder condition; such a one can only be dropped.
        step = None if negated else a_step_easier(leaf, unit=self.vocabulary.facts[leaf.fact].unit or "")
        if step is not None:
            counting.easier = CompiledTree(replaced(self.tree, leaf.path, step[0]))
            counting.step = step[1]
        return counting

    def add(self, facts: Facts) -> None:
        self.enterprises += 1
        told = self.compiled.evaluate(facts, self.as_of)
        kind = _kind(told)
        self.kinds[kind] += 1
        for fact, groups in self.grouped.items():
            groups[self._code(fact, facts)][kind] += 1
        if self.money and kind in ("fits", "form"):
            self.money.add(facts)
        for leaf_id, truth in told.truths.items():
            counting = self.leaves.get(leaf_id)
            if counting is None:
                continue
            if truth is None:
                counting.unknown += 1
            elif truth is counting.negated:
                self._failed(counting, told, facts)

    def _failed(self, counting: _LeafCount, told: Evaluation, facts: Facts) -> None:
        counting.fails += 1
        if told.verdict is not Verdict.INELIGIBLE:
            return
        if counting.leaf.id in told.unmet:
            counting.excludes += 1
            counting.alone += len(told.unmet) == 1
        if len(told.unmet) > 1 and counting.leaf.id in told.unmet:
            return  # another condition is unmet too: this one alone changes nothing
        if not _would_fit(counting.without, facts, self.as_of):
            return
        counting.dropping_adds += 1
        if counting.easier is not None:
            counting.step_adds += _would_fit(counting.easier, facts, self.as_of)
        elif isinstance(counting.leaf, ast.CodeLeaf) and not counting.negated:
            counting.codes[str(facts.values[counting.leaf.fact])] += 1

    def _code(self, fact: str, facts: Facts) -> str:
        code = facts.values.get(fact)
        if not isinstance(code, str):
            return UNKNOWN_CODE
        to_the_top = dict(BREAKDOWNS)[fact]
        return self.vocabulary.code_list(fact).ancestors(code)[-1] if to_the_top else code

    def outcome(self) -> Outcome:
        kinds = self.kinds
        return Outcome(
            enterprises=self.enterprises,
            fits=kinds["fits"],
            form=kinds["form"],
            near=kinds["near"],
            lacking=kinds["lacking"],
            out=kinds["out"],
            breakdowns=tuple(self._breakdown(fact, groups) for fact, groups in self.grouped.items()),
            conditions=tuple(sorted(map(self._condition, self.leaves.values()), key=lambda c: (-c.excludes, -c.fails))),
            money=self.money.told() if self.money else None,
        )

    def _breakdown(self, fact: str, groups: Mapping[str, Counter[str]]) -> Breakdown:
        codes = self.vocabulary.code_list(fact)
        told = [
            Group(code, codes.label(code) if code else "", of["fits"], of["form"], of["near"], of["lacking"])
            for code, of in groups.items()
            if of["fits"] + of["form"] + of["near"] + of["lacking"]
        ]
        order = sorted(told, key=lambda group: (-(group.fits + group.form), -group.near, group.code))
        return Breakdown(fact, self.vocabulary.facts[fact].label, tuple(order))

    def _condition(self, counting: _LeafCount) -> Condition:
        step, adds = counting.step, counting.step_adds
        if counting.codes:
            code, adds = min(counting.codes.items(), key=lambda pair: (-pair[1], pair[0]))
            assert isinstance(counting.leaf, ast.CodeLeaf)
            label = self.vocabulary.code_list(counting.leaf.fact).label(code)
            step = f"也适用于“{label}”" if not counting.leaf.negated else f"不再排除“{label}”"
        return Condition(
            counting.leaf.id,
            leaf_text(counting.leaf, self.vocabulary, counting.negated),
            counting.fails,
            counting.excludes,
            counting.alone,
            counting.unknown,
            step,
            adds,
            counting.dropping_adds,
        )


def run(
    *, criteria: Node, award: Award | None, profiles: Iterable[Facts], vocabulary: Vocabulary, as_of: date
) -> Outcome:
    """Judge every profile once, as of a day (Asia/Shanghai)."""
    counter = _Counter(criteria, award, vocabulary, as_of)
    for facts in profiles:
        counter.add(facts)
    return counter.outcome()


def facts_needed(criteria: Node, award: Award | None) -> frozenset[str]:
    """The keys of the facts that a simulation looks at: nothing else of a profile has to be read."""
    rules = award.rules if award else ()
    trees = [
        criteria,
        *(rule.when.tree for rule in rules),
        *(b.when.tree for b in (award.bonus_points if award else ())),
    ]
    bases = [base for rule in rules for base in (rule.of, rule.cap_fact) if base is not None]
    asked = [leaf for tree in trees if tree is not None for leaf in ast.leaves(tree)]
    keys = {leaf.fact for leaf in asked} | {fact for fact, _ in BREAKDOWNS} | {base.fact for base in bases}
    shares = (leaf.percent_of for leaf in asked if isinstance(leaf, ast.NumberLeaf | ast.YearlyLeaf))
    return frozenset(keys | {key for key in shares if key is not None})


def _kind(told: Evaluation) -> str:
    if told.verdict is Verdict.ELIGIBLE:
        return "fits"
    if told.form_only:
        return "form"
    if told.verdict is Verdict.UNDETERMINED:
        return "lacking"
    return "near" if len(told.unmet) == 1 else "out"


def _would_fit(tree: CompiledTree, facts: Facts, as_of: date) -> bool:
    return _kind(tree.evaluate(facts, as_of)) in ("fits", "form")
