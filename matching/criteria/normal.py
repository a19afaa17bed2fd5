"""Criteria with every ``not`` pushed down to the leaves.

All groups become one shape, "at least so many of these": ``all`` needs each member, ``any`` one. ``if`` is
``any(then, not if)``, and ``not at_least k of n`` is ``at_least n−k+1`` of the negated. Members keep their order,
``then`` before ``if``, so that leaves stand in tree order.
"""

from dataclasses import dataclass
from typing import assert_never

from . import ast


@dataclass(frozen=True, slots=True)
class Signed:
    """A leaf, ``negated`` where an odd number of ``not`` stood over it: then it is true where the leaf is false.
    A soft leaf is true whatever its fact or sign."""

    leaf: ast.Leaf
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """At least ``needed`` of the members. All: as many as members; any: one. None of none is true."""

    needed: int
    members: tuple["Normal", ...]


Normal = Signed | Threshold


def normalise(node: ast.Node, negated: bool = False) -> Normal:
    """``node``, or its negation, with signs on the leaves only."""
    match node:
        case ast.All(members):
            return _threshold(len(members), members, negated)
        case ast.Any(members):
            return _threshold(1, members, negated)
        case ast.AtLeast(needed, members):
            return _threshold(needed, members, negated)
        case ast.Not(member):
            return normalise(member, not negated)
        case ast.IfThen(condition, then):
            members_of_if = (normalise(then, negated), normalise(condition, not negated))
            return Threshold(2 if negated else 1, members_of_if)
        case (
            ast.CodeLeaf()
            | ast.NumberLeaf()
            | ast.YearlyLeaf()
            | ast.DateLeaf()
            | ast.BooleanLeaf()
            | ast.RecordsLeaf()
        ):
            return Signed(node, negated)
        case _:
            assert_never(node)


def _threshold(needed: int, members: tuple[ast.Node, ...], negated: bool) -> Threshold:
    if negated:
        needed = len(members) - needed + 1
    return Threshold(needed, tuple(normalise(member, negated) for member in members))


def signed_leaves(normal: Normal) -> list[Signed]:
    """Every leaf with its sign, in tree order."""
    if isinstance(normal, Signed):
        return [normal]
    return [leaf for member in normal.members for leaf in signed_leaves(member)]
