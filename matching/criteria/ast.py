"""The criteria tree: groups over leaves, one leaf class for each fact type. Immutable, compared by value.

A leaf carries what its judgement needs (the codes its codes cover, which of its facts the form asks for), so that
evaluating it needs no vocabulary. A leaf's ``path`` is its place in the tree (``all.1.any.0``; ``root`` where the leaf
is the whole) and ``id`` is that unless the criteria name another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .bounds import Bounds, DateBounds

__all__ = [
    "All",
    "Any",
    "AtLeast",
    "BooleanLeaf",
    "Bounds",
    "CodeLeaf",
    "DateBounds",
    "DateLeaf",
    "Group",
    "Held",
    "IfThen",
    "Leaf",
    "LeafBase",
    "Node",
    "Not",
    "NumberLeaf",
    "Over",
    "Quantifier",
    "RecordsLeaf",
    "YearlyLeaf",
    "leaves",
]

MOST_DEPTH = 32


class Over(StrEnum):
    """How several years are taken together."""

    SUM = "sum"
    MEAN = "mean"
    EACH = "each"


class Quantifier(StrEnum):
    ANY_OF = "any_of"
    ALL_OF = "all_of"
    NONE_OF = "none_of"


class Held(StrEnum):
    NOW = "now"
    EVER = "ever"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafBase:
    """What every leaf has. ``form_facts`` are those of ``fact`` and ``percent_of`` that the item's form asks for."""

    id: str
    path: str
    fact: str
    text: str = ""
    evidence: tuple[str, ...] = ()
    advice: str = ""
    soft: bool = False
    form_facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLeaf(LeafBase):
    """``in`` (or, ``negated``, ``not_in``) the codes; ``accepted`` are these and all their descendants."""

    codes: tuple[str, ...]
    accepted: frozenset[str]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLeaf(LeafBase):
    """The fact, or 100 × fact ÷ ``percent_of``, is within ``bounds``."""

    bounds: Bounds
    percent_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyLeaf(LeafBase):
    """The fact of ``years`` years ending in ``year`` is within ``bounds``.

    ``year`` is ``last``, ``this``, ``before_last`` or a calendar year. ``over`` is None only where ``years`` is 1.
    ``growth`` compares the % over the year before, ``percent_of`` 100 × fact ÷ that fact over the same years.
    """

    bounds: Bounds
    year: str | int = "last"
    years: int = 1
    over: Over | None = None
    growth: bool = False
    percent_of: str | None = None

    def final_year(self, as_of_year: int) -> int:
        """The last of the years looked at, as of a day in ``as_of_year``."""
        if isinstance(self.year, int):
            return self.year
        return as_of_year - {"this": 0, "last": 1, "before_last": 2}[self.year]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateLeaf(LeafBase):
    dates: DateBounds


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanLeaf(LeafBase):
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsLeaf(LeafBase):
    """Records of ``codes`` that pass the filters.

    ``covered[i]`` are the codes that ``codes[i]`` covers, ``accepted`` is their union. ``where`` bounds number fields
    of a record (``amount`` among them). Where ``count`` or ``amount`` stand, they alone decide.
    """

    quantifier: Quantifier
    codes: tuple[str, ...]
    covered: tuple[frozenset[str], ...]
    accepted: frozenset[str]
    held: Held = Held.NOW
    obtained: DateBounds | None = None
    first: bool = False
    count: Bounds | None = None
    amount: Bounds | None = None
    where: tuple[tuple[str, Bounds], ...] = ()


Leaf = CodeLeaf | NumberLeaf | YearlyLeaf | DateLeaf | BooleanLeaf | RecordsLeaf


@dataclass(frozen=True, slots=True)
class All:
    """Every member is true. Without members: open to every enterprise."""

    members: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """One member is true."""

    members: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """``needed`` members are true (符合下列条件中的…项)."""

    needed: int
    members: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    member: "Node"


@dataclass(frozen=True, slots=True)
class IfThen:
    """``then`` is true or ``condition`` is false; tried and numbered in that order."""

    condition: "Node"
    then: "Node"


Group = All | Any | AtLeast | Not | IfThen
Node = Group | Leaf


def children(node: Node) -> tuple[Node, ...]:
    """The members of a group in tree order (``then`` before ``if``); none of a leaf."""
    match node:
        case All(members) | Any(members) | AtLeast(_, members):
            return members
        case Not(member):
            return (member,)
        case IfThen(condition, then):
            return (then, condition)
    return ()


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf in tree order."""
    if isinstance(node, LeafBase):
        yield node
        return
    for child in children(node):
        yield from leaves(child)
