"""Many ranges over one ordered value, answered at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from matching.criteria.bounds import Bounds
from matching.criteria.values import times

from . import bits
from .answers import Answer, answer

Ranged = tuple[int, Bounds | None, bool]
"""A test's number, what it admits (None: nothing), and whether it is negated."""


class Stretches:
    """Thresholds cut the line into points and the stretches between them; ``cells`` gives the answer for each, from low
    to high: 2i+1 is the i-th threshold itself, 2i the stretch below it."""

    __slots__ = ("cells", "thresholds")

    def __init__(self, slots: Sequence[Sequence[Ranged]], width: int) -> None:
        ends = {
            end
            for tests in slots
            for _, range_, _ in tests
            if range_ is not None
            for end in (range_.lower, range_.upper)
            if end is not None
        }
        self.thresholds: list[Any] = sorted(ends)
        place = {threshold: 2 * index + 1 for index, threshold in enumerate(self.thresholds)}
        fails = [_fails(tests, place, width) for tests in slots]
        self.cells: list[Answer] = []
        before: tuple[int, ...] | None = None
        for together in zip(*fails, strict=True):
            self.cells.append(self.cells[-1] if together == before else answer(together))
            before = together

    def at(self, value: Any) -> Answer:
        thresholds = self.thresholds
        index = bisect_left(thresholds, value)
        if index < len(thresholds) and thresholds[index] == value:
            return self.cells[2 * index + 1]
        return self.cells[2 * index]

    def at_ratio(self, numerator: Decimal, denominator: Decimal) -> Answer:
        """At numerator ÷ denominator (> 0), exactly: thresholds are multiplied instead."""
        thresholds = self.thresholds
        low, high = 0, len(thresholds)
        while low < high:
            middle = (low + high) // 2
            scaled = times(thresholds[middle], denominator)
            if scaled < numerator:
                low = middle + 1
            elif scaled == numerator:
                return self.cells[2 * middle + 1]
            else:
                high = middle
        return self.cells[2 * low]


def _fails(tests: Sequence[Ranged], place: dict[Any, int], width: int) -> list[int]:
    """For each cell the tests that fail there. From cell to cell only the tests turn that begin or end there."""
    beyond = 2 * len(place) + 1
    turns: list[list[int]] = [[] for _ in range(beyond + 1)]
    for number, range_, _ in tests:
        if range_ is None or range_.holds_nothing:
            continue
        first = 0 if range_.lower is None else place[range_.lower] + range_.lower_strict
        last = beyond - 1 if range_.upper is None else place[range_.upper] - range_.upper_strict
        turns[first].append(number)
        turns[last + 1].append(number)
    fails = bits.of((number for number, _, negated in tests if not negated), width)
    cells = []
    for numbers in turns[:beyond]:
        if numbers:
            fails ^= bits.of_odd(numbers, width)
        cells.append(fails)
    return cells
