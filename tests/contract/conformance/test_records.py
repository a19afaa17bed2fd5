"""Facts of type `records`: filters, what is unknown about one record, counts and sums."""

from typing import Any

import pytest

from .world import F, T, U, judge_many

AS_OF = "2026-11-22"


def ht(**more: Any) -> dict[str, Any]:
    return {"code": "ht", **more}


def leaf(**more: Any) -> dict[str, Any]:
    return {"fact": "quals", "any_of": ["ht"], **more}


def over(criteria: dict[str, Any], *cases: tuple[list[Any], str]) -> None:
    judge_many([(criteria, {"quals": records}, verdict) for records, verdict in cases])


def test_no_records_are_known_to_be_none():
    """`[]` is known: there are none. A fact that is absent is unknown."""
    judge_many(
        [
            (leaf(), {"quals": []}, F),
            ({"fact": "quals", "all_of": ["ht"]}, {"quals": []}, F),
            ({"fact": "quals", "none_of": ["ht"]}, {"quals": []}, T),
            (leaf(), {}, U),
            ({"fact": "quals", "all_of": ["ht"]}, {}, U),
            ({"fact": "quals", "none_of": ["ht"]}, {}, U),
            (leaf(count={"gte": 0}), {}, U),
        ]
    )


def test_a_bare_code_is_a_record_without_dates():
    """a bare `"high_tech"` means `{"code": "high_tech"}`."""
    over(leaf(), (["ht"], T), ([ht()], T), (["gz"], F), (["gz", "ht"], T))


def test_any_all_and_none_of_the_codes():
    """exactly one of `any_of: [codes]`, `all_of: [codes]`, `none_of: [codes]`."""
    over({"fact": "quals", "any_of": ["ht", "gz"]}, (["gz"], T), (["uc"], F))
    over({"fact": "quals", "all_of": ["ht", "gz"]}, (["gz"], F), (["gz", "ht"], T), (["gz", "gz"], F))
    over({"fact": "quals", "none_of": ["ht", "gz"]}, (["uc"], T), (["uc", "gz"], F))


def test_held_now_is_the_default_and_looks_at_the_dates_that_are_given():
    """`held: "now"` (default: `on` ≤ as_of where given, and as_of ≤ `until` where given)."""
    for held in ({}, {"held": "now"}):
        over(
            leaf(**held),
            ([ht(on=AS_OF)], T),
            ([ht(on="2026-11-23")], F),
            ([ht(until=AS_OF)], T),
            ([ht(until="2026-11-21")], F),
            ([ht(on="2020-01-01", until="2030-01-01")], T),
            ([ht(on="2020-01-01", until="2021-01-01")], F),
        )


def test_ever_held_does_not_look_at_the_end():
    """`"ever"` (`on` ≤ as_of where given)."""
    over(leaf(held="ever"), ([ht(until="2020-01-01")], T), ([ht(on=AS_OF)], T), ([ht(on="2026-11-23")], F), (["ht"], T))


def test_obtained_judges_the_day_and_a_record_without_one_is_unknown_unless_something_else_fails_it():
    """a record that lacks a date or number that a filter needs is unknown, unless another filter
    already fails it."""
    recent = {"within_last": "P1Y"}
    over(
        leaf(obtained=recent),
        ([ht(on="2025-11-22")], T),
        ([ht(on="2025-11-21")], F),
        (["ht"], U),
        ([ht(until="2026-01-01")], F),  # no longer held
        (["ht", ht(on="2026-01-01")], T),
        (["gz"], F),
        ([ht(on="2026-01-01", until="2026-02-01")], F),
    )
    over(
        leaf(obtained=recent, held="ever"),
        ([ht(until="2026-01-01")], U),
        ([ht(on="2026-01-01", until="2026-02-01")], T),
    )
    over(
        leaf(obtained={"on_or_after": "2024-01-01", "on_or_before": "2024-12-31"}),
        ([ht(on="2024-12-31")], T),
        ([ht(on="2025-01-01")], F),
        (["ht"], U),
    )
    over(leaf(obtained={"at_least_ago": "P1Y"}), ([ht(on="2025-11-22")], T), ([ht(on="2025-11-23")], F))


def test_unknown_records_are_combined_by_kleene():
    """Records are judged one by one and then combined."""
    recent = {"within_last": "P1Y"}
    all_of = {"fact": "quals", "all_of": ["ht", "gz"], "obtained": recent}
    none_of = {"fact": "quals", "none_of": ["ht", "gz"], "obtained": recent}
    good = {"on": "2026-01-01"}
    over(
        all_of,
        ([ht(**good), "gz"], U),
        ([ht(**good), {"code": "gz", **good}], T),
        (["ht"], F),
        (["ht", {"code": "gz", "on": "2020-01-01"}], F),
    )
    over(none_of, (["ht"], U), ([ht(**good), "gz"], F), ([ht(on="2020-01-01")], T), ([ht(on="2020-01-01"), "gz"], U))
    over({"not": none_of}, (["ht"], U), ([ht(**good), "gz"], T))


def test_where_judges_the_numbers_of_a_record():
    """`where: {"rank": {"lte": 3}}` (on a record's own number fields, `amount` among them)."""
    rank = {"rank": {"lte": 3}}
    over(
        leaf(where=rank),
        ([ht(rank=3)], T),
        ([ht(rank="3.01")], F),
        ([ht()], U),
        ([ht(until="2020-01-01")], F),
        ([ht(rank=4), ht(rank=1)], T),
        ([ht(rank=4), ht()], U),
    )
    over({"fact": "quals", "none_of": ["ht"], "where": rank}, ([ht(rank=4)], T), ([ht(rank=3)], F), (["ht"], U))
    over(
        {"fact": "quals", "all_of": ["ht", "gz"], "where": rank},
        ([ht(rank=1), {"code": "gz", "rank": 9}], F),
        ([ht(rank=1), "gz"], U),
    )
    over(leaf(where={"amount": {"gte": "100"}}), ([ht(amount="100.00")], T), ([ht(amount=99)], F), (["ht"], U))
    over(
        leaf(where={"rank": {"lte": 3}, "amount": {"gte": 100}}),
        ([ht(rank=1, amount=100)], T),
        ([ht(amount=99)], F),
        ([ht(rank=4)], F),
        ([ht(rank=1)], U),
    )
    over(leaf(where={"rank": {"eq": 2}}), ([ht(rank="2.0")], T), ([ht(rank=3)], F))
    over(leaf(where={"rank": {"gt": 2, "lt": 4}}), ([ht(rank=3)], T), ([ht(rank=4)], F), ([ht(rank=2)], F))
    over(leaf(where={"rank": {"lt": 0}}), ([ht(rank=-1)], T))


def test_first_lets_only_the_earliest_of_its_code_count():
    """`first: true` (only the record with the earliest `on` among those of exactly the same code
    counts; equal dates all
    count)."""
    old, new = ht(on="2020-01-01"), ht(on="2026-01-01")
    recent = {"within_last": "P1Y"}
    over(
        leaf(first=True, obtained=recent),
        ([new], T),
        ([old, new], F),
        ([new, old], F),
        ([ht(on="2020-01-01", until="2021-01-01"), new], F),  # the earlier one counts though it has ended
        ([{"code": "gz", "on": "2020-01-01"}, new], T),
    )
    over(leaf(first=True, count={"gte": 2}), ([new, new], T), ([old, new], F))
    over({"fact": "quals", "none_of": ["ht"], "first": True, "obtained": recent}, ([old, new], T), ([new], F))
    over(
        leaf(first=True, where={"rank": {"lte": 1}}),
        ([{**old, "rank": 2}, {**new, "rank": 1}], F),
        ([{**old, "rank": 1}, {**new, "rank": 2}], T),
    )
    judge_many(
        [
            (
                {"fact": "honours", "any_of": ["n"], "first": True, "count": {"eq": 2}},
                {"honours": [{"code": "n1", "on": "2020-01-01"}, {"code": "n2", "on": "2024-01-01"}]},
                T,
            ),
            (
                {"fact": "honours", "any_of": ["n"], "first": True, "count": {"eq": 1}},
                {"honours": [{"code": "n1", "on": "2020-01-01"}, {"code": "n1", "on": "2024-01-01"}]},
                T,
            ),
        ]
    )


def test_first_and_undated_records():
    """with `first`, a dated record is false if a dated one of its code is earlier, unknown if an
    undated one of its code
    stands beside it, and an undated record is unknown if it is not the only one of its code."""
    old, new, undated = ht(on="2020-01-01"), ht(on="2026-01-01"), ht()
    over(
        leaf(first=True),
        ([undated], T),
        ([undated, undated], U),
        ([undated, old], U),
        ([old, {"code": "gz"}], T),
        ([undated, {"code": "gz", "on": "2020-01-01"}], T),
    )
    over(
        leaf(first=True, obtained={"within_last": "P1Y"}),
        ([old, new, undated], U),
        ([undated], U),
        ([undated, new], U),
        ([new, old, ht(until="2021-01-01")], F),
    )
    over(leaf(first=True, count={"gte": 1}), ([undated, old], U), ([undated], T))
    over(leaf(first=True, count={"lte": 2}), ([old, new, undated], T))
    over(leaf(first=True, count={"lte": 1}), ([old, new, undated], U))
    over(leaf(first=True, count={"gte": 3}), ([old, new, undated], F))


SURE = [ht(rank=1), ht(rank=2)]
MAYBE = ht()
NEVER = ht(rank=9)


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ({"gte": 2}, T),
        ({"gte": 3}, U),
        ({"gte": 4}, F),
        ({"gt": 1}, T),
        ({"gt": 2}, U),
        ({"gt": 3}, F),
        ({"lte": 3}, T),
        ({"lte": 2}, U),
        ({"lte": 1}, F),
        ({"lt": 4}, T),
        ({"lt": 3}, U),
        ({"lt": 2}, F),
        ({"eq": 1}, F),
        ({"eq": 2}, U),
        ({"eq": 3}, U),
        ({"eq": 4}, F),
        ({"gte": 2, "lte": 3}, T),
        ({"gte": 3, "lte": 5}, U),
        ({"gte": 1, "lt": 2}, F),
        ({"gte": "2.0"}, T),
    ],
)
def test_count_is_judged_over_every_number_between_the_sure_and_the_possible(bounds: dict[str, Any], verdict: str):
    """`count` is judged over every number between the sure and the possible records."""
    over(leaf(where={"rank": {"lte": 3}}, count=bounds), ([*SURE, MAYBE, NEVER, "gz"], verdict))


def test_count_takes_all_codes_together_and_none_is_a_count_of_zero():
    """`count` (records that pass, all codes together); none passing is a count and a sum of 0."""
    both = {"fact": "quals", "any_of": ["ht", "gz"]}
    over({**both, "count": {"gte": 3}}, (["ht", "gz", "gz"], T), (["ht", "gz", "uc"], F))
    over({**both, "count": {"eq": 0}}, ([], T), (["uc"], T), (["ht"], F))
    over({**both, "count": {"lte": 1}}, ([], T))
    over({**both, "amount": {"eq": 0}}, ([], T), ([ht(until="2020-01-01", amount=5)], T), ([ht(amount=0)], T))
    over({**both, "amount": {"lte": 10}}, ([], T))
    over({**both, "amount": {"gte": 1}}, ([], F))


SUMS = [ht(rank=1, amount="100"), ht(amount="50.5"), ht(rank=9, amount="999")]


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ({"gte": 100}, T),
        ({"gte": "100.01"}, U),
        ({"gte": "150.5"}, U),
        ({"gte": "150.51"}, F),
        ({"gt": 100}, U),
        ({"gt": "150.5"}, F),
        ({"lte": "150.5"}, T),
        ({"lt": "150.5"}, U),
        ({"lte": 100}, U),
        ({"lt": 100}, F),
        ({"eq": 100}, U),
        ({"eq": 120}, U),  # every sum between the least and the greatest, reachable or not
        ({"eq": "150.5"}, U),
        ({"eq": "150.6"}, F),
        ({"eq": 99}, F),
        ({"gte": 100, "lte": 151}, T),
    ],
)
def test_amount_is_judged_over_every_sum_between_the_least_and_the_greatest(bounds: dict[str, Any], verdict: str):
    """`amount` over every sum between the least and the greatest: true or false where all of them
    agree, else unknown."""
    over(leaf(where={"rank": {"lte": 3}}, amount=bounds), (SUMS, verdict))


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ({"gte": 100}, T),
        ({"gte": 101}, U),
        ({"lte": 99}, F),
        ({"lte": 100}, U),
        ({"lte": "999999999999999"}, U),
        ({"eq": 99}, F),
        ({"eq": 100}, U),
        ({"eq": 5000}, U),
        ({"gt": 99}, T),
    ],
)
def test_a_passing_record_without_an_amount_adds_an_unknown_one(bounds: dict[str, Any], verdict: str):
    """a passing record without an amount adds an unknown one, ≥ 0."""
    over(leaf(amount=bounds), ([ht(amount=100), "ht"], verdict))
    over(leaf(amount=bounds, where={"rank": {"lte": 3}}), ([ht(rank=1, amount=100), "ht"], verdict))


def test_a_sum_that_cannot_be_below_zero():
    """sum of their amounts, each ≥ 0."""
    over(leaf(amount={"gte": 0}), (["ht"], T), ([], T))
    over(leaf(amount={"eq": 0}), (["ht"], U))
    over(
        leaf(amount={"gt": "0.01", "lt": 5}), ([ht(amount=3), ht(amount="1.99")], T), ([ht(amount=3), ht(amount=2)], F)
    )
    over(
        leaf(amount={"gt": "999999999999999"}), ([ht(amount="999999999999999"), ht(amount="0.00000000000000000001")], T)
    )


def test_count_and_amount_decide_each_by_itself_and_then_both_together():
    """where these stand, they alone decide, each by itself and then both together."""
    both = leaf(count={"gte": 2}, amount={"gte": 100})
    over(
        both,
        ([ht(amount=50), ht(amount=50)], T),
        ([ht(amount=100)], F),
        ([ht(amount=50), ht(amount=49)], F),
        (["ht", "ht"], U),
        (["ht"], F),
    )
    none = leaf(count={"eq": 0}, amount={"eq": 0})
    over(none, ([], T), (["ht"], F))
    # A record that may pass: the count may be 0 or 1, the sum 0 or 5; each is open by itself.
    over(leaf(where={"rank": {"lte": 3}}, count={"lte": 1}, amount={"gte": 5}), ([ht(amount=5)], U))


def test_where_on_amount_and_the_sum_of_amounts():
    """`where` (…, `amount` among them); `amount` (sum of their amounts)."""
    big = leaf(where={"amount": {"gte": 100}}, amount={"gte": 200})
    over(
        big,
        ([ht(amount=150), ht(amount=60)], F),
        ([ht(amount=150), ht(amount=100)], T),
        ([ht(amount=150), "ht"], U),
        ([ht(amount=200), "ht"], T),
    )
