"""Criteria as filters on the profile index: who is eligible, who is not ineligible, and who may come up.

The tree is taken as it is, with every ``not`` pushed down to its leaves: a group is "at least so many of these", which
the server knows as ``minimum_should_match``, so that no number of alternatives is too large. An enterprise lacks at
most n leaves where the least costs of the members that the group needs add up to n at most; for each way of dividing n
among members that is again a matter of how many members cost at most so much.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from matching.criteria import Node
from matching.criteria.clauses import ClauseCompiler
from matching.criteria.normal import Normal, Signed, normalise

from .figures import Measured
from .leaves import EVERYTHING, Filters, Query, all_of, any_of, at_least, filters_of

MOST_NEAR = 4
"""Of more unmet leaves than these the filter lets through too much."""


@dataclass(frozen=True, slots=True)
class _Group:
    needed: int
    members: tuple[_Shape, ...]


_Shape = Filters | _Group


class PolicyFilter:
    """A policy's criteria as of a day, for documents that carry ``figures``."""

    def __init__(self, tree: Node, *, as_of: date, figures: frozenset[Measured]) -> None:
        compiler = ClauseCompiler()

        def shape(normal: Normal) -> _Shape:
            if isinstance(normal, Signed):
                if normal.leaf.soft:
                    return _Group(0, ())
                return filters_of(compiler.test(normal), as_of=as_of, figures=figures)
            return _Group(normal.needed, tuple(map(shape, normal.members)))

        self._shape = shape(normalise(tree))

    @cached_property
    def exact(self) -> bool:
        """Whether the filters say what the tree says; otherwise each lets through too much. Without near misses."""
        return all(leaf.exact for leaf in _leaves(self._shape))

    def is_exact(self, *, near: int) -> bool:
        return self.exact and near <= MOST_NEAR

    @cached_property
    def eligible(self) -> Query:
        return _holds(self._shape)

    @cached_property
    def possible(self) -> Query:
        """Who is eligible or undetermined."""
        return _lacks(self._shape, 0)

    def coming_up(self, *, near: int) -> Query:
        """Who is eligible, undetermined, or lacks at most ``near`` leaves."""
        return _lacks(self._shape, near)


def _leaves(shape: _Shape) -> Iterator[Filters]:
    if isinstance(shape, Filters):
        yield shape
    else:
        for member in shape.members:
            yield from _leaves(member)


def _holds(shape: _Shape) -> Query:
    if isinstance(shape, Filters):
        return shape.holds
    return at_least(shape.needed, [_holds(member) for member in shape.members])


def _lacks(shape: _Shape, most: int) -> Query:
    """Where at most ``most`` leaves of the cheapest way are false."""
    if isinstance(shape, Filters):
        return EVERYTHING if most > 0 else shape.not_failing
    if shape.needed <= 0:
        return EVERYTHING
    if shape.needed > len(shape.members):
        return None
    if all(isinstance(member, Filters) for member in shape.members):
        # Each of them costs one leaf at most.
        free = [_lacks(member, 0) for member in shape.members]
        return at_least(shape.needed - most, free)
    within = [[_lacks(member, cost) for member in shape.members] for cost in range(most + 1)]
    if most > MOST_NEAR:
        return all_of([at_least(shape.needed - most, within[0]), at_least(shape.needed, within[most])])
    ways: list[Query] = []
    for parts in _divided(most, shape.needed):
        free_members = shape.needed - len(parts)
        asked = [at_least(free_members, within[0])]
        asked += [at_least(free_members + place, within[cost]) for place, cost in enumerate(parts, start=1)]
        ways.append(all_of(asked))
    return any_of(ways)


def _divided(total: int, most_parts: int, least: int = 1) -> Iterator[tuple[int, ...]]:
    """The ways to write a number as rising parts, so many at most; just one empty way to write 0."""
    if total == 0:
        yield ()
        return
    if most_parts == 0:
        return
    for first in range(least, total + 1):
        if first == total or total - first >= first:
            for rest in _divided(total - first, most_parts - 1, first):
                yield (first, *rest)
