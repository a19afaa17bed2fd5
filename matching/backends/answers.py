"""What a column says of a profile: sets of tests, as bits.

An answer is (fails, unknown, more). A clause may have several tests in a column, each in a slot of its own and all
under the clause's number: ``fails`` are those with at least one that fails, ``more[0]`` those with at least two, and
so on. ``more`` is nearly always empty.
"""

from __future__ import annotations

from collections.abc import Sequence

Answer = tuple[int, int, tuple[int, ...]]


def answer(fails: Sequence[int], unknown: int = 0) -> Answer:
    """The answer where these fail, slot by slot."""
    if len(fails) == 1:
        return fails[0], unknown, ()
    counters = [0] * len(fails)
    for one in fails:
        count(counters, (one, unknown, ()))
    while len(counters) > 1 and not counters[-1]:
        counters.pop()
    return counters[0], unknown, tuple(counters[1:])


def count(counters: list[int], found: Answer) -> None:
    """Adds an answer to saturating counters: ``counters[i]`` are those that have failed more than i times."""
    fails, _, more = found
    for index in range(len(counters) - 1, -1, -1):
        counter = counters[index]
        if index:
            counter |= counters[index - 1] & fails
        for extra, again in enumerate(more, 1):
            if index == extra:
                counter |= again
            elif index > extra:
                counter |= counters[index - extra - 1] & again
        counters[index] = counter if index else counter | fails
