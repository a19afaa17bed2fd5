"""``python -m bench.combination``: the exact search for the best lawful combination, against trying every subset.

Ratios of processor time in one run; both must agree on every total. Then how far the search comes by itself: options
that exclude each other in a ring and at random, share invoices, and lie under a cap that binds.
"""

from __future__ import annotations

import random
import time
from decimal import Decimal
from itertools import combinations

from disbursement.domain.combination import Bar, Cap, Combination, Option, Paper, Problem, best, payments, unlawful

SEED = 20261122


def problem(count: int, *, seed: int) -> Problem:
    """As an enterprise with that many competing items: a bar for each two, an invoice for each three, two caps."""
    chance = random.Random(seed)
    keys = [f"k{i:03d}" for i in range(count)]
    papers = [Paper(f"p{i}", f"发票{i}", Decimal(chance.randrange(50, 150))) for i in range(count // 3 + 1)]
    options = [
        Option(
            key,
            key,
            Decimal(chance.randrange(10_000, 2_000_000)) / 100,
            {papers[chance.randrange(len(papers))].key: Decimal(chance.randrange(20, 50))},
        )
        for key in keys
    ]
    bars = [Bar("不重复", frozenset(chance.sample(keys, chance.choice([2, 2, 2, 3])))) for _ in range(count // 2)]
    half = sum((option.amount for option in options), Decimal(0)) / 2
    caps = [Cap("全年", frozenset(keys), half.quantize(Decimal("0.01")))]
    caps.append(Cap("一组", frozenset(chance.sample(keys, count // 2)), (half / 3).quantize(Decimal("0.01"))))
    return Problem(options, bars, caps, papers)


def brute_force(asked: Problem) -> Decimal:
    """The greatest total of every lawful subset."""
    keys = [option.key for option in asked.options]
    found = Decimal(0)
    for size in range(len(keys) + 1):
        for subset in combinations(keys, size):
            if not unlawful(asked, subset):
                found = max(found, Combination(payments(asked, subset)).total)
    return found


def main() -> None:
    spent = {"search": 0.0, "every subset": 0.0}
    for seed in range(5):
        asked = problem(12, seed=SEED + seed)
        begun = time.process_time()
        found = best(asked)
        between = time.process_time()
        whole = brute_force(asked)
        spent["search"] += between - begun
        spent["every subset"] += time.process_time() - between
        assert found is not None
        assert found.total == whole, f"seed {SEED + seed}"
    ratio = spent["every subset"] / spent["search"]
    each = spent["search"] / 5 * 1000
    print(f"12 options, 5 problems: search {each:.1f} ms, {ratio:.0f} times as quick as every subset")
    for count in (20, 30, 40):
        times, proven = [], 0
        for seed in range(10):
            asked = problem(count, seed=SEED + seed)
            begun = time.process_time()
            found = best(asked)
            times.append(time.process_time() - begun)
            proven += found is not None and found.proven
        times.sort()
        print(
            f"{count} options, 10 problems: median {times[5] * 1000:.0f} ms, longest {times[-1] * 1000:.0f} ms,"
            f" {proven} proven best"
        )


if __name__ == "__main__":
    main()
