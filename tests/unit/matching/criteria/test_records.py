"""Records: judged one by one, then combined. As of 2026-11-22."""

from typing import Any

import pytest

from .samples import truth

DAY = "2026-11-22"


def held(leaf: Any, *records: Any) -> bool | None:
    return truth({"fact": "qualifications", **leaf}, qualifications=list(records))


def record(code: str = "srdi", **fields: Any) -> Any:
    return {"code": code, **fields}


ANY = {"any_of": ["srdi"]}


def test_no_records_is_known() -> None:
    assert held(ANY) is False
    assert held({"none_of": ["srdi"]}) is True
    assert held({"all_of": ["srdi"]}) is False
    assert held({**ANY, "count": {"lte": 0}}) is True
    assert held({**ANY, "amount": {"eq": 0}}) is True


def test_any_of_all_of_and_none_of() -> None:
    assert held({"any_of": ["srdi", "giant"]}, "giant") is True
    assert held({"any_of": ["srdi", "giant"]}, "high_tech") is False
    assert held({"all_of": ["srdi", "giant"]}, "giant") is False
    assert held({"all_of": ["srdi", "giant"]}, "giant", "srdi") is True
    assert held({"none_of": ["srdi"]}, "giant") is True
    assert held({"none_of": ["srdi"]}, "srdi") is False


def test_a_listed_code_is_met_by_a_record_of_a_code_it_covers() -> None:
    assert truth({"fact": "patents", "any_of": ["patent"]}, patents=["invention"]) is True
    assert truth({"fact": "patents", "any_of": ["invention"]}, patents=["patent"]) is False
    assert truth({"fact": "patents", "all_of": ["patent", "invention"]}, patents=["invention"]) is True
    assert truth({"fact": "patents", "none_of": ["patent"]}, patents=["utility"]) is False


@pytest.mark.parametrize(
    ("dates", "now", "ever"),
    [
        ({}, True, True),
        ({"on": DAY}, True, True),
        ({"on": "2026-11-23"}, False, False),
        ({"until": DAY}, True, True),
        ({"until": "2026-11-21"}, False, True),
        ({"on": "2020-01-01", "until": "2023-01-01"}, False, True),
    ],
)
def test_held_now_or_ever(dates: Any, now: bool, ever: bool) -> None:
    assert held(ANY, record(**dates)) is now
    assert held({**ANY, "held": "now"}, record(**dates)) is now
    assert held({**ANY, "held": "ever"}, record(**dates)) is ever


def test_obtained_judges_on_and_is_unknown_without_it() -> None:
    leaf = {**ANY, "obtained": {"within_last": "P3Y"}}
    assert held(leaf, record(on="2023-11-22")) is True
    assert held(leaf, record(on="2023-11-21")) is False
    assert held(leaf, record()) is None


def test_where_judges_number_fields_amount_among_them_and_is_unknown_without_them() -> None:
    leaf = {**ANY, "where": {"rank": {"lte": 3}}}
    assert held(leaf, record(rank=3)) is True
    assert held(leaf, record(rank=4)) is False
    assert held(leaf, record()) is None
    assert held({**ANY, "where": {"amount": {"gte": 5}}}, record(amount="4.99")) is False
    assert held({**ANY, "where": {"amount": {"gte": 5}, "rank": {"eq": 1}}}, record(amount=5)) is None


def test_another_filter_that_fails_settles_a_record_that_lacks_something() -> None:
    leaf = {**ANY, "obtained": {"within_last": "P3Y"}, "where": {"rank": {"lte": 3}}}
    assert held(leaf, record(rank=4)) is False
    assert held(leaf, record(until="2020-01-01")) is False
    assert held(leaf, record(rank=1)) is None


def test_one_sure_record_settles_any_of_beside_unknown_ones() -> None:
    leaf = {"where": {"rank": {"lte": 3}}}
    assert held({"any_of": ["srdi"], **leaf}, record(), record(rank=1)) is True
    assert held({"none_of": ["srdi"], **leaf}, record(), record(rank=1)) is False
    assert held({"none_of": ["srdi"], **leaf}, record(), record(rank=9)) is None
    assert held({"all_of": ["srdi", "giant"], **leaf}, record(), record("giant", rank=9)) is False
    assert held({"all_of": ["srdi", "giant"], **leaf}, record(), record("giant", rank=1)) is None


class TestFirst:
    """Only the record with the earliest ``on`` among those of exactly the same code counts."""

    leaf: Any = {**ANY, "first": True, "obtained": {"on_or_after": "2024-01-01"}}

    def test_a_dated_record_is_false_if_a_dated_one_of_its_code_is_earlier(self) -> None:
        assert held(self.leaf, record(on="2023-01-01"), record(on="2024-05-01")) is False
        assert held(self.leaf, record(on="2024-02-01"), record(on="2024-05-01")) is True

    def test_equal_dates_all_count(self) -> None:
        leaf = {**self.leaf, "count": {"eq": 2}}
        assert held(leaf, record(on="2024-02-01"), record(on="2024-02-01"), record(on="2024-03-01")) is True

    def test_a_dated_record_is_unknown_if_an_undated_one_of_its_code_stands_beside_it(self) -> None:
        assert held(self.leaf, record(on="2024-02-01"), record()) is None

    def test_an_undated_record_is_unknown_if_it_is_not_the_only_one_of_its_code(self) -> None:
        only = {**ANY, "first": True}
        assert held(only, record()) is True
        assert held(only, record(), record("giant", on="2020-01-01")) is True
        assert held(only, record(), record()) is None

    def test_the_earlier_record_counts_even_where_it_fails_another_filter(self) -> None:
        expired = record(on="2020-01-01", until="2022-01-01")
        assert held({**ANY, "first": True}, expired, record(on="2024-01-01")) is False

    def test_another_code_is_another_first_even_where_one_covers_the_other(self) -> None:
        leaf = {"fact": "patents", "any_of": ["patent"], "first": True, "obtained": {"on_or_after": "2024-01-01"}}
        patents = [record("invention", on="2020-01-01"), record("utility", on="2024-05-01")]
        assert truth(leaf, patents=patents) is True


class TestCount:
    """Judged over every number between the sure and the possible records, all codes together."""

    leaf: Any = {"any_of": ["srdi", "giant"], "where": {"rank": {"lte": 3}}}

    @pytest.mark.parametrize(
        ("count", "expected"),
        [
            ({"gte": 2}, True),
            ({"gte": 3}, None),
            ({"gte": 4}, False),
            ({"lte": 3}, True),
            ({"lt": 2}, False),
            ({"eq": 2}, None),
            ({"eq": 4}, False),
            ({"gt": 2, "lt": 3}, False),
            ({"gte": 2, "lte": 3}, True),
        ],
    )
    def test_two_are_sure_and_one_is_possible(self, count: Any, expected: bool | None) -> None:
        known = [record(rank=1), record("giant", rank=2), record(), record(rank=9), record("high_tech", rank=1)]
        assert held({**self.leaf, "count": count}, *known) is expected

    def test_it_alone_decides(self) -> None:
        assert held({**self.leaf, "count": {"lte": 1}}) is True


class TestAmount:
    """Judged over every sum between the least and the greatest."""

    def test_the_sum_of_the_passing_records(self) -> None:
        known = [record(amount="0.1"), record(amount="0.2"), record("giant", amount=100)]
        assert held({**ANY, "amount": {"eq": "0.3"}}, *known) is True

    @pytest.mark.parametrize(
        ("amount", "expected"),
        [
            ({"gte": 10}, True),
            ({"gte": 11}, None),
            ({"gt": 15}, False),
            ({"lte": 15}, True),
            ({"lt": 15}, None),
            ({"lt": 10}, False),
            ({"eq": 12}, None),
            ({"eq": 16}, False),
            ({"gt": 9, "lt": 16}, True),
        ],
    )
    def test_a_possible_record_adds_an_interval(self, amount: Any, expected: bool | None) -> None:
        leaf = {**ANY, "where": {"rank": {"lte": 3}}, "amount": amount}
        assert held(leaf, record(amount=10, rank=1), record(amount=5)) is expected

    @pytest.mark.parametrize(
        ("amount", "expected"), [({"gte": 10}, True), ({"gte": 11}, None), ({"lte": 10}, None), ({"lt": 10}, False)]
    )
    def test_a_passing_record_without_an_amount_adds_an_unknown_one(self, amount: Any, expected: bool | None) -> None:
        assert held({**ANY, "amount": amount}, record(amount=10), record()) is expected

    def test_a_possible_record_without_an_amount_leaves_the_sum_open_too(self) -> None:
        leaf = {**ANY, "where": {"rank": {"lte": 3}}, "amount": {"lte": 100}}
        assert held(leaf, record()) is None

    def test_a_failing_record_without_an_amount_adds_nothing(self) -> None:
        assert held({**ANY, "amount": {"eq": 0}}, record(until="2020-01-01")) is True


def test_count_and_amount_decide_each_by_itself_and_then_both_together() -> None:
    leaf = {**ANY, "count": {"gte": 2}, "amount": {"gte": 10}}
    assert held(leaf, record(amount=10), record(amount=0)) is True
    assert held(leaf, record(amount=10)) is False
    assert held(leaf, record(amount=5), record()) is None
    assert held(leaf, record()) is False
