"""What a combination is said to pay is what approval pays: one after another, on a history that grows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from disbursement.domain import combination, money
from disbursement.domain.caps import Cap
from disbursement.domain.combination import Option, Problem, best, payments
from disbursement.domain.payables import Earlier, apply_history

KEYS, RIVALS = "wxyz", "RS"
CENTS = st.integers(0, 5000).map(lambda cents: Decimal(cents) / 100)


@dataclass(frozen=True)
class Case:
    """What an enterprise was granted, what its items compute in the order of approval and exclude of it, and caps."""

    earlier: list[Earlier]
    computed: Mapping[str, Decimal]
    excludes: Mapping[str, Collection[str]]
    caps: list[Cap]

    def allowed(self, key: str, *, earlier: list[Earlier], caps: list[Cap]) -> Decimal:
        return apply_history(
            self.computed[key],
            item=key,
            year=2026,
            cap_per_year=None,
            exclusive_with=sorted(self.excludes[key]),
            earlier=earlier,
            caps=[cap for cap in caps if cap.covers(key)],
        ).amount

    def approved(self, taken: Collection[str]) -> dict[str, Decimal]:
        """What successive approvals grant, > 0."""
        earlier, caps, granted = list(self.earlier), list(self.caps), {}
        for key in self.computed:
            amount = self.allowed(key, earlier=earlier, caps=caps) if key in taken else money.ZERO
            if amount > 0:
                granted[key] = amount
                earlier.append(Earlier(key, key, amount))
                caps = [replace(cap, used=cap.used + amount) if cap.covers(key) else cap for cap in caps]
        return granted

    def problem(self) -> Problem:
        """The same as what competes: each item by itself, and what the caps leave."""
        alone = {key: self.allowed(key, earlier=self.earlier, caps=[]) for key in self.computed}
        options = [Option(key, key, amount) for key, amount in alone.items() if amount > 0]
        return Problem(options, caps=[self.cap(cap) for cap in self.caps])

    def cap(self, cap: Cap) -> combination.Cap:
        outside = {
            key: money.total(e.amount for e in self.earlier if e.item in self.excludes[key] and not cap.covers(e.item))
            for key in self.computed
        }
        members = frozenset(key for key in self.computed if cap.covers(key))
        return combination.Cap(cap.label, members, cap.room, outside)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    earlier = [Earlier(key, key, draw(CENTS)) for key in RIVALS]
    sets = st.none() | st.frozensets(st.sampled_from(KEYS + RIVALS))
    caps = [
        Cap("total", f"上限{number}", draw(CENTS), draw(CENTS | st.just(money.ZERO)), number, draw(sets))
        for number in range(draw(st.integers(0, 3)))
    ]
    return Case(
        earlier,
        {key: draw(CENTS) for key in KEYS},
        {key: draw(st.frozensets(st.sampled_from(RIVALS))) for key in KEYS},
        caps,
    )


# Of two items that share a cap, both excluded by what was granted outside it, the second is paid nothing.
TWO_UNDER_ONE = Case(
    [Earlier("R", "R", Decimal(20))],
    {"x": Decimal(100), "y": Decimal(60)},
    {"x": "R", "y": "R"},
    [Cap("per_year", "上限", Decimal(100), money.ZERO, 1, frozenset("xy"))],
)


@settings(max_examples=400, deadline=None)
@example(TWO_UNDER_ONE, frozenset("xy"))
@given(cases(), st.frozensets(st.sampled_from(KEYS)))
def test_payments_are_what_successive_approvals_pay(case: Case, taken: frozenset[str]) -> None:
    assert payments(case.problem(), taken) == case.approved(taken)


@settings(max_examples=200, deadline=None)
@example(TWO_UNDER_ONE)
@given(cases())
def test_no_set_of_items_is_approved_for_more_than_the_best_combination_says(case: Case) -> None:
    chosen = best(case.problem())
    assert chosen is not None
    assert chosen.paid == case.approved(chosen.paid)
    every = (frozenset(key for i, key in enumerate(KEYS) if bits >> i & 1) for bits in range(1 << len(KEYS)))
    assert chosen.total == max(money.total(case.approved(taken).values()) for taken in every)
