"""`estimate`: from the least to the most, where something is unknown."""

from typing import Any

import pytest

from .awards import BONUS, FLAG, FLAG2, FLAG3, NOT_FLAG, estimate, exactly, one


@pytest.mark.parametrize(
    ("rules", "choose", "low", "high"),
    [
        ([{"when": FLAG, "fixed": 100}], "first", "0.00", "100.00"),
        ([{"when": FLAG, "fixed": 100}, {"fixed": 200}], "first", "100.00", "200.00"),
        ([{"when": FLAG, "fixed": 300}, {"fixed": 200}], "first", "200.00", "300.00"),
        ([{"when": FLAG, "fixed": 300}, {"fixed": 200}], "highest", "200.00", "300.00"),
        ([{"when": FLAG, "fixed": 100}, {"fixed": 200}], "highest", "200.00", "200.00"),
        ([{"when": FLAG, "fixed": 300}, {"fixed": 200}], "sum", "200.00", "500.00"),
        ([{"when": FLAG, "fixed": 100}, {"when": FLAG2, "fixed": 300}], "first", "0.00", "300.00"),
        ([{"when": FLAG, "fixed": 100}, {"when": FLAG2, "fixed": 300}], "highest", "0.00", "300.00"),
        ([{"when": FLAG, "fixed": 100}, {"when": FLAG2, "fixed": 300}], "sum", "0.00", "400.00"),
        ([{"fixed": 50}, {"when": FLAG, "fixed": 100}], "first", "50.00", "50.00"),
        # each is resolved by itself, even where two depend on one fact
        ([{"when": FLAG, "fixed": 100}, {"when": NOT_FLAG, "fixed": 50}], "first", "0.00", "100.00"),
        ([{"when": FLAG, "fixed": 100}, {"when": NOT_FLAG, "fixed": 50}], "highest", "0.00", "100.00"),
        ([{"when": FLAG, "fixed": 100}, {"when": NOT_FLAG, "fixed": 50}], "sum", "0.00", "150.00"),
        ([{"when": FLAG, "fixed": 100}, {"when": FLAG, "fixed": 200}], "sum", "0.00", "300.00"),
        ([{"when": FLAG, "fixed": 100}, {"when": FLAG, "fixed": 200}], "first", "0.00", "200.00"),
        # unknown bases, from 0 upwards
        ([{"rate": 50, "of": "loan"}], "first", "0.00", None),
        ([{"rate": 50, "of": "loan", "cap": 1000}], "first", "0.00", "1000.00"),
        ([{"each": 10, "of": "loan"}], "first", "0.00", None),
        ([{"each": 10, "of": "loan", "quantity_cap": 7}], "first", "0.00", "70.00"),
        ([{"each": 10, "of": "loan", "quantity_cap": 7, "cap": 60}], "first", "0.00", "60.00"),
        ([{"of": "loan", "brackets": [{"upto": 100, "rate": 10}, {"rate": 20}]}], "first", "0.00", None),
        ([{"of": "loan", "brackets": [{"upto": 100, "rate": 10}, {"rate": 20}], "cap": 9}], "first", "0.00", "9.00"),
        ([{"fixed": 100, "cap_fact": "investment"}], "first", "0.00", "100.00"),
        ([{"rate": 50, "of": "staff", "cap_fact": "investment"}], "first", "0.00", "500.00"),
        ([{"rate": 50, "of": "loan", "cap_fact": "insured"}], "first", "0.00", "30.00"),
        ([{"rate": 50, "of": "loan", "cap_fact": "investment"}], "first", "0.00", None),
        ([{"rate": 50, "of": "loan", "cap_fact": "investment", "cap": 4}], "first", "0.00", "4.00"),
        ([{"rate": 50, "of": "rev@last", "cap": 4}], "first", "0.00", "4.00"),
        # nothing to bound where nothing is paid
        ([{"rate": 0, "of": "loan"}], "first", "0.00", "0.00"),
        ([{"each": 0, "of": "loan"}], "first", "0.00", "0.00"),
        ([{"of": "loan", "brackets": [{"upto": 100, "rate": 10}, {"rate": 0}]}], "first", "0.00", "10.00"),
        # together with others
        ([{"rate": 50, "of": "loan"}, {"fixed": 100}], "highest", "100.00", None),
        ([{"rate": 50, "of": "loan", "cap": 60}, {"fixed": 100}], "highest", "100.00", "100.00"),
        ([{"rate": 50, "of": "loan"}, {"fixed": 100}], "sum", "100.00", None),
        ([{"rate": 50, "of": "loan", "cap": 60}, {"fixed": 100}], "sum", "100.00", "160.00"),
        ([{"when": FLAG, "rate": 50, "of": "loan"}, {"fixed": 5}], "first", "0.00", None),
        ([{"when": FLAG, "rate": 50, "of": "staff"}, {"fixed": 5}], "first", "5.00", "500.00"),
        ([{"when": FLAG3, "rate": 50, "of": "loan"}, {"fixed": 5}], "sum", "5.00", "5.00"),
        ([{"fixed": 5}, {"rate": 50, "of": "loan"}], "first", "5.00", "5.00"),
    ],
)
def test_unknowns_give_a_range(rules: list[Any], choose: str, low: str, high: str | None):
    """`low` and `high` are the least and the most over every way of resolving each unknown `when` and
    each unknown base or
    `cap_fact` (from 0 upwards); `high` is null where nothing bounds it."""
    facts = {"staff": 1000, "insured": 30, "flag3": False}
    assert estimate({"rules": rules, "choose": choose}, facts) == (low, high)


def test_a_cap_on_the_total_bounds_what_nothing_else_does():
    """`high` is null where nothing bounds it; then `cap_total`, then `rounding`."""
    assert estimate({**one(rate=50, of="loan"), "cap_total": "12.75"}) == ("0.00", "12.75")
    assert estimate({**one(rate=50, of="loan"), "cap_total": "12.75", "rounding": "yuan"}) == ("0.00", "12.00")
    assert estimate({**one(when=FLAG, fixed=100), "cap_total": 40}) == ("0.00", "40.00")


def test_unknown_bonus_points_give_a_range():
    """each unknown `when`."""
    known = {"loan": 1000}
    award = {**one(rate=10, of="loan"), "bonus_points": BONUS}
    assert estimate(award, known) == ("100.00", "175.00")
    assert estimate(award, {**known, "flag": True}) == ("150.00", "175.00")
    assert estimate(award, {**known, "flag": False}) == ("100.00", "125.00")
    assert estimate({**award, "rate_limit": "12"}, known) == ("100.00", "120.00")
    assert estimate({**award, "rate_limit": "9"}, known) == ("90.00", "90.00")
    assert estimate({**one(rate=0, of="loan"), "bonus_points": BONUS}, {}) == ("0.00", None)
    assert estimate({**one(rate=0, of="loan"), "bonus_points": BONUS}, {"flag": False, "flag2": False}) == exactly(
        "0.00"
    )
    assert estimate({**one(rate=5, of="loan"), "rate_limit": "0"}, {}) == exactly("0.00")
