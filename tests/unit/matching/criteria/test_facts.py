"""Facts of an enterprise: typed, checked, unknown where absent."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from matching.criteria import Record

from .samples import facts, wrong_facts


def test_each_type_is_read_exactly() -> None:
    known = facts(
        region="510105",
        staff="35",
        revenue={"2024": "31000000", "2025": 35000000},
        founded="2021-03-15",
        listed=False,
        qualifications=[
            "high_tech",
            {"code": "srdi", "on": "2024-11-01", "until": "2027-10-31", "amount": "200000", "rank": 2},
        ],
    )
    assert known.code("region") == "510105"
    assert known.number("staff") == Decimal(35)
    assert known.yearly("revenue") == {2024: Decimal(31000000), 2025: Decimal(35000000)}
    assert known.date("founded") == date(2021, 3, 15)
    assert known.boolean("listed") is False
    assert known.records("qualifications") == (
        Record("high_tech"),
        Record("srdi", date(2024, 11, 1), date(2027, 10, 31), Decimal(200000), {"rank": Decimal(2)}),
    )


def test_an_absent_fact_is_unknown_and_an_empty_list_is_known() -> None:
    known = facts(qualifications=[])
    assert "qualifications" in known
    assert "patents" not in known
    assert known.records("qualifications") == ()
    assert known.records("patents") is None


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"turnover": 1}, "facts.turnover"),
        ({"region": None}, "facts.region"),
        ({"region": "999"}, "facts.region"),
        ({"region": 510105}, "facts.region"),
        ({"region": ["510105"]}, "facts.region"),
        ({"staff": 1.5}, "facts.staff"),
        ({"staff": True}, "facts.staff"),
        ({"staff": "1e3"}, "facts.staff"),
        ({"revenue": "100"}, "facts.revenue"),
        ({"revenue": {"25": "1"}}, "facts.revenue.25"),
        ({"revenue": {"2025": None}}, "facts.revenue.2025"),
        ({"founded": "2021-02-30"}, "facts.founded"),
        ({"listed": "true"}, "facts.listed"),
        ({"listed": 1}, "facts.listed"),
        ({"qualifications": "high_tech"}, "facts.qualifications"),
        ({"qualifications": None}, "facts.qualifications"),
        ({"qualifications": ["nope"]}, "facts.qualifications.0"),
        ({"qualifications": [1]}, "facts.qualifications.0"),
        ({"qualifications": [None]}, "facts.qualifications.0"),
        ({"qualifications": [{"on": "2024-01-01"}]}, "facts.qualifications.0"),
        ({"qualifications": [{"code": "srdi", "on": None}]}, "facts.qualifications.0.on"),
        (
            {"qualifications": [{"code": "srdi", "on": "2024-01-02", "until": "2024-01-01"}]},
            "facts.qualifications.0.until",
        ),
        ({"qualifications": [{"code": "srdi", "amount": "-1"}]}, "facts.qualifications.0.amount"),
        ({"qualifications": [{"code": "srdi", "rank": "first"}]}, "facts.qualifications.0.rank"),
    ],
)
def test_a_wrong_fact_is_found_at_its_place(values: Any, path: str) -> None:
    assert list(wrong_facts(**values)) == [path]


def test_a_record_may_begin_and_end_on_the_same_day() -> None:
    assert not wrong_facts(qualifications=[{"code": "srdi", "on": "2024-01-01", "until": "2024-01-01"}])


def test_every_wrong_fact_is_told_at_once() -> None:
    found = wrong_facts(region=None, staff="x", revenue={"1": "y"}, qualifications=[{"on": "z"}])
    assert set(found) == {
        "facts.region",
        "facts.staff",
        "facts.revenue.1",
        "facts.qualifications.0",
        "facts.qualifications.0.on",
    }
