"""Judging records: one by one through the filters, then combined."""

from collections.abc import Sequence
from datetime import date

from . import ast
from .facts import Facts, Record
from .values import ZERO, plus

Truth = bool | None


def judge_records(leaf: ast.RecordsLeaf, facts: Facts, as_of: date) -> Truth:
    """Three-valued. Where ``count`` or ``amount`` stand they alone decide, each by itself and then both together."""
    records = facts.records(leaf.fact)
    if records is None:
        return None
    judged = judged_records(leaf, records, as_of)
    if leaf.count is not None or leaf.amount is not None:
        counted = True if leaf.count is None else _count(leaf, judged)
        summed = True if leaf.amount is None else _amount(leaf, judged)
        return kleene_all((counted, summed))
    match leaf.quantifier:
        case ast.Quantifier.ANY_OF:
            return kleene_any([truth for _, truth in judged])
        case ast.Quantifier.NONE_OF:
            found = kleene_any([truth for _, truth in judged])
            return None if found is None else not found
        case ast.Quantifier.ALL_OF:
            return kleene_all(
                [kleene_any([truth for record, truth in judged if record.code in codes]) for codes in leaf.covered]
            )


def judged_records(leaf: ast.RecordsLeaf, records: Sequence[Record], as_of: date) -> list[tuple[Record, Truth]]:
    """The records of the leaf's codes, each with whether it passes the filters.

    A record that lacks a date or number that a filter needs is unknown, unless another filter already fails it.
    """
    if leaf.obtained is None and not leaf.first and not leaf.where:
        return [(record, _held(leaf, record, as_of)) for record in records if record.code in leaf.accepted]
    window = leaf.obtained.window(as_of) if leaf.obtained is not None else None
    judged: list[tuple[Record, Truth]] = []
    for record in records:
        if record.code not in leaf.accepted:
            continue
        truths: list[Truth] = [_held(leaf, record, as_of)]
        if leaf.obtained is not None:
            if record.on is None:
                truths.append(None)
            else:
                truths.append(window is not None and window[0] <= record.on <= window[1])
        if leaf.first:
            truths.append(_first(record, records))
        for name, bounds in leaf.where:
            number = record.number(name)
            truths.append(None if number is None else bounds.admits(number))
        judged.append((record, kleene_all(truths)))
    return judged


def _held(leaf: ast.RecordsLeaf, record: Record, as_of: date) -> bool:
    """``on`` ≤ as_of where given, and, for ``now``, as_of ≤ ``until`` where given."""
    if record.on is not None and record.on > as_of:
        return False
    return leaf.held is ast.Held.EVER or record.until is None or as_of <= record.until


def _first(record: Record, records: Sequence[Record]) -> Truth:
    """Whether it has the earliest ``on`` of exactly its code among all records; equal dates all count."""
    same_code = [other for other in records if other.code == record.code]
    if record.on is None:
        return True if len(same_code) == 1 else None
    if any(other.on is not None and other.on < record.on for other in same_code):
        return False
    return None if any(other.on is None for other in same_code) else True


def _count(leaf: ast.RecordsLeaf, judged: Sequence[tuple[Record, Truth]]) -> Truth:
    assert leaf.count is not None
    truths = [truth for _, truth in judged]
    sure, possible = truths.count(True), truths.count(None)
    return leaf.count.judge_counts(sure, possible)


def _amount(leaf: ast.RecordsLeaf, judged: Sequence[tuple[Record, Truth]]) -> Truth:
    """Over every sum between the least and the greatest; an amount that is not known is ≥ 0, without end."""
    assert leaf.amount is not None
    least, greatest, bounded = ZERO, ZERO, True
    for record, truth in judged:
        if truth is False:
            continue
        if record.amount is None:
            bounded = False
            continue
        greatest = plus(greatest, record.amount)
        if truth is True:
            least = plus(least, record.amount)
    return leaf.amount.judge_interval(least, greatest if bounded else None)


def kleene_all(truths: Sequence[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def kleene_any(truths: Sequence[Truth]) -> Truth:
    if True in truths:
        return True
    return None if None in truths else False
