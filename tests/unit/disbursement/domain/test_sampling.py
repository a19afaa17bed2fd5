"""A sample that can be drawn again."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.sampling import Thing, band, draw, sample_size

THINGS = st.lists(
    st.tuples(st.integers(1, 10_000), st.sampled_from(["a/1/大", "a/2/小", "b/1/小", "c/3/大"])),
    max_size=80,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: [Thing(key, stratum) for key, stratum in pairs])


@given(THINGS, st.integers(0, 100), st.text(max_size=20), st.randoms())
def test_the_same_seed_over_the_same_things_in_any_order_draws_the_same(
    things: list[Thing], share: int, seed: str, random: object
) -> None:
    drawn = draw(things=things, share=share, seed=seed)
    shuffled = list(things)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert draw(things=shuffled, share=share, seed=seed) == drawn
    assert len(drawn) == len(set(drawn)) == sample_size(population=len(things), share=share)
    assert set(drawn) <= {thing.key for thing in things}


@given(THINGS, st.integers(0, 100))
def test_each_stratum_gives_its_share_up_to_one(things: list[Thing], share: int) -> None:
    sizes = Counter(thing.stratum for thing in things)
    strata = {thing.key: thing.stratum for thing in things}
    drawn = Counter(strata[key] for key in draw(things=things, share=share, seed="s"))
    for name, size in sizes.items():
        assert abs(drawn[name] * 100 - size * share) < 100


def test_other_seeds_draw_others() -> None:
    things = [Thing(key, "a") for key in range(1, 101)]
    samples = {tuple(draw(things=things, share=10, seed=str(seed))) for seed in range(20)}
    assert len(samples) == 20


def test_of_few_things_one_is_drawn_and_of_none_none() -> None:
    assert len(draw(things=[Thing(1, "a")], share=10, seed="s")) == 1
    assert draw(things=[], share=10, seed="s") == []
    with pytest.raises(ValueError, match="share"):
        draw(things=[], share=101, seed="s")


@pytest.mark.parametrize(
    ("amount", "name"),
    [(None, "不予支持"), ("99999.99", "10万元以下"), ("100000", "10万元以上"), ("1000000", "100万元以上")],
)
def test_amounts_stand_in_bands(amount: str | None, name: str) -> None:
    assert band(None if amount is None else Decimal(amount)) == name
