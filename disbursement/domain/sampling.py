"""Drawing a sample that anybody can draw again: the same seed over the same things gives the same sample.

Things stand in strata (item, reviewer, amount); each stratum gives its share, the rest goes by largest remainder, and
within a stratum the order is that of a hash of the seed. Whoever knows the seed beforehand knows the sample: it is
written down with the draw, never before it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

# 元; at and above each bound another band begins.
BANDS = (Decimal(100_000), Decimal(500_000), Decimal(1_000_000))
_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that may be drawn, with the stratum in which it stands."""

    key: int
    stratum: str


def band(amount: Decimal | None) -> str:
    """The band of an amount in 元, for a stratum's name."""
    if amount is None:
        return "不予支持"
    reached = [bound for bound in BANDS if amount >= bound]
    return f"{int(reached[-1]) // 10_000}万元以上" if reached else f"{int(BANDS[0]) // 10_000}万元以下"


def sample_size(*, population: int, share: int) -> int:
    """How many of a population a share in % is, rounded up: of few things at least one is drawn."""
    return -(-population * share // _HUNDRED)


def draw(*, things: Iterable[Thing], share: int, seed: str) -> list[int]:
    """The keys drawn, rising. `share` is a whole % from 0 to 100; the order of `things` does not matter."""
    if not 0 <= share <= _HUNDRED:
        raise ValueError("a share is between 0 and 100 %")
    strata: dict[str, list[int]] = defaultdict(list)
    for thing in things:
        strata[thing.stratum].append(thing.key)
    wanted = sample_size(population=sum(map(len, strata.values())), share=share)
    quota = {name: len(keys) * share // _HUNDRED for name, keys in strata.items()}
    rest = sorted(strata, key=lambda name: (-(len(strata[name]) * share % _HUNDRED), _rank(seed, name)))
    for name in rest[: wanted - sum(quota.values())]:
        quota[name] += 1
    drawn = [key for name, keys in strata.items() for key in sorted(keys, key=_order(seed, name))[: quota[name]]]
    return sorted(drawn)


def _order(seed: str, stratum: str) -> Callable[[int], bytes]:
    return lambda key: _rank(seed, f"{stratum}\0{key}")


def _rank(seed: str, text: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()
