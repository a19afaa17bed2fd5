"""Criteria as clauses: one compilation from tree to disjunctive normal form, for every matcher backend.

A clause is a way to qualify: a set of leaf tests that must all hold. Kleene's logic is a distributive lattice and costs
add up over a way, so on the clauses (never dividing one occurrence of a leaf in two, nor melting two into one) the
verdict is the best clause's, and the number of unmet leaves is the least over the clauses: both exactly as on the tree.

A test is a leaf without its name, words and sign, so that equal leaves of different policies are one test. It says in
which *column* it can be answered, that is which value of a profile it looks at; equal columns share their thresholds
and codes. A test without a column (``count``, ``amount``) is a *token*: judged once for a profile, then looked up.
A column holds one test of a clause; the next test of the clause on it takes the column's next slot.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TypeVar

from . import ast
from .bounds import Bounds, DateBounds
from .normal import Normal, Signed, normalise

MOST_CLAUSES = 64

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class CodeColumn:
    fact: str


@dataclass(frozen=True, slots=True)
class BooleanColumn:
    fact: str


@dataclass(frozen=True, slots=True)
class DateColumn:
    fact: str


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """The fact, or 100 × fact ÷ ``percent_of``."""

    fact: str
    percent_of: str | None = None


@dataclass(frozen=True, slots=True)
class YearlyColumn:
    """One figure of some years: each, their sum or their mean. A single year is ``EACH``, whatever was written."""

    fact: str
    year: str | int
    years: int
    over: ast.Over
    growth: bool = False
    percent_of: str | None = None


@dataclass(frozen=True, slots=True)
class RecordsColumn:
    """The codes of the records that pass these filters. ``plain``: no filter but ``held``."""

    fact: str
    every: bool
    """Whether all the codes are asked for (``all_of``), not one of them."""
    held: ast.Held
    obtained: DateBounds | None = None
    first: bool = False
    where: tuple[tuple[str, Bounds], ...] = ()

    @property
    def plain(self) -> bool:
        return self.obtained is None and not self.first and not self.where


Column = CodeColumn | BooleanColumn | DateColumn | NumberColumn | YearlyColumn | RecordsColumn


@dataclass(frozen=True, slots=True)
class Test:
    """A leaf, nameless and unsigned, with the sign it has in a clause and its column (None: a token)."""

    leaf: ast.Leaf
    negated: bool
    column: Column | None


@dataclass(frozen=True, slots=True)
class Clause:
    tests: tuple[Test, ...]

    def placed(self, key_of: Callable[[Test], Key]) -> Iterator[tuple[Key, int, Test]]:
        """Each test with a backend's key for its column, and the slot: how many of this clause stand there already."""
        taken: Counter[Key] = Counter()
        for test in self.tests:
            key = key_of(test)
            yield key, taken[key], test
            taken[key] += 1


@dataclass(frozen=True, slots=True)
class Clauses:
    """``exact``: the clauses say what the tree says. Otherwise there is one, which lets too much through: no
    enterprise has fewer leaves unmet on the tree than on it, and the tree must decide about those it lets through."""

    clauses: tuple[Clause, ...]
    exact: bool = True


class ClauseCompiler:
    """Compiles trees; equal tests of all its trees are one object. Keep one for all the policies of a matcher."""

    def __init__(self) -> None:
        self._tests: dict[tuple[ast.Leaf, bool], Test] = {}

    def compile(self, tree: ast.Node) -> Clauses:
        shape = self._shape(normalise(tree))
        if _count(shape) > MOST_CLAUSES:
            return Clauses((Clause(tuple(_mandatory(shape))),), exact=False)
        ways = list(_expand(shape))
        tests = list(_tests(shape))
        if len(set(map(id, tests))) < len(tests):
            ways = _without_absorbed(ways)
        return Clauses(tuple(Clause(way) for way in ways))

    def test(self, signed: Signed) -> Test:
        """The shared test of a leaf that is not soft."""
        leaf, turned = nameless(signed.leaf)
        return self._shared(leaf, signed.negated is not turned)

    def plain_test(self, leaf: ast.Leaf) -> Test:
        """The shared test that asks what the leaf asks, or the opposite; never negated."""
        return self._shared(nameless(leaf)[0], False)

    def _shared(self, leaf: ast.Leaf, negated: bool) -> Test:
        found = self._tests.get((leaf, negated))
        if found is None:
            found = self._tests[leaf, negated] = Test(leaf, negated, column_of(leaf))
        return found

    def _shape(self, normal: Normal) -> "_Shape":
        """Soft leaves are true: each takes one off what its group still needs."""
        if isinstance(normal, Signed):
            return _Group(0, ()) if normal.leaf.soft else self.test(normal)
        members = [self._shape(member) for member in normal.members]
        open_ones = tuple(member for member in members if not _is_true(member))
        return _Group(max(0, normal.needed - (len(members) - len(open_ones))), open_ones)


def nameless(leaf: ast.Leaf) -> tuple[ast.Leaf, bool]:
    """The leaf without name, words and sign, and whether it was turned round for that."""
    bare = replace(leaf, id="", path="", text="", evidence=(), advice="", soft=False)
    match bare:
        case ast.CodeLeaf():
            return replace(bare, codes=(), negated=False), bare.negated
        case ast.BooleanLeaf():
            return replace(bare, value=True), not bare.value
        case ast.RecordsLeaf(quantifier=ast.Quantifier.NONE_OF):
            return replace(bare, quantifier=ast.Quantifier.ANY_OF, codes=(), covered=()), True
        case ast.RecordsLeaf(quantifier=ast.Quantifier.ANY_OF):
            return replace(bare, codes=(), covered=()), False
        case ast.RecordsLeaf():
            return replace(bare, codes=()), False
    return bare, False


def column_of(leaf: ast.Leaf) -> Column | None:
    """Where a nameless leaf is answered."""
    match leaf:
        case ast.CodeLeaf():
            return CodeColumn(leaf.fact)
        case ast.BooleanLeaf():
            return BooleanColumn(leaf.fact)
        case ast.DateLeaf():
            return DateColumn(leaf.fact)
        case ast.NumberLeaf():
            return NumberColumn(leaf.fact, leaf.percent_of)
        case ast.YearlyLeaf():
            over = ast.Over.EACH if leaf.years == 1 or leaf.over is None else leaf.over
            return YearlyColumn(leaf.fact, leaf.year, leaf.years, over, leaf.growth, leaf.percent_of)
        case ast.RecordsLeaf():
            if leaf.count is not None or leaf.amount is not None:
                return None
            every = leaf.quantifier is ast.Quantifier.ALL_OF
            return RecordsColumn(leaf.fact, every, leaf.held, leaf.obtained, leaf.first, leaf.where)
    return None


@dataclass(frozen=True, slots=True)
class _Group:
    """At least ``needed`` of the members; with 0 it is true."""

    needed: int
    members: tuple["_Shape", ...]


_Shape = Test | _Group
_Way = tuple[Test, ...]


def _is_true(shape: _Shape) -> bool:
    return isinstance(shape, _Group) and shape.needed == 0


def _count(shape: _Shape) -> int:
    """How many clauses the shape expands to, or something past MOST_CLAUSES."""
    if isinstance(shape, Test):
        return 1
    if shape.needed > len(shape.members):
        return 0
    # How many ways there are to take 0, 1, … of the members seen so far, never counting much past the cap.
    ways = [1] + [0] * shape.needed
    for member in shape.members:
        each = _count(member)
        for taken in range(shape.needed, 0, -1):
            ways[taken] = min(ways[taken] + ways[taken - 1] * each, MOST_CLAUSES + 1)
    return ways[shape.needed]


def _expand(shape: _Shape) -> Iterator[_Way]:
    if isinstance(shape, Test):
        yield (shape,)
        return
    for chosen in combinations(shape.members, shape.needed):
        for parts in product(*(list(_expand(member)) for member in chosen)):
            yield tuple(test for part in parts for test in part)


def _mandatory(shape: _Shape) -> Iterator[Test]:
    """The tests that every way goes through, as far as they are plain to see."""
    if isinstance(shape, Test):
        yield shape
    elif shape.needed == len(shape.members):
        for member in shape.members:
            yield from _mandatory(member)


def _tests(shape: _Shape) -> Iterator[Test]:
    if isinstance(shape, Test):
        yield shape
    else:
        for member in shape.members:
            yield from _tests(member)


def _without_absorbed(ways: list[_Way]) -> list[_Way]:
    """Without the clauses that hold all tests of another: that one is never worse. Happens where a test stands twice.

    Clauses are compared as multisets, because a leaf that stands twice in a clause costs twice.
    """
    bags = {tuple(sorted(map(id, way))): way for way in reversed(ways)}
    counted = [(Counter(numbers), way) for numbers, way in reversed(bags.items())]
    return [way for bag, way in counted if not any(other < bag for other, _ in counted)]
