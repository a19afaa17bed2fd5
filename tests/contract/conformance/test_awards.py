"""`estimate`: what an item pays where all is known."""

import json
from typing import Any

import pytest

from .awards import BONUS, FLAG, FLAG2, estimate, exactly, one
from .world import EVERYONE, check_refused, enterprise, policy, run


def test_rows_byte_for_byte_in_the_order_of_match_for_eligible_and_undetermined_pairs():
    """it writes, for each pair that is eligible or undetermined, in the same order, `{"policy",
    "enterprise", "low", "high"}`."""
    criteria = {"fact": "staff", "gte": 10}
    enterprises = [
        enterprise({"staff": 9}, "c"),
        enterprise({}, "b"),
        enterprise({"staff": 10, "loan": "10.5"}, "a10"),
        enterprise({"staff": 11, "loan": 1}, "a9"),
    ]
    done = run(
        [policy(criteria, "q", award=one(fixed="200000")), policy(criteria, "p", award=one(rate="50", of="loan"))],
        enterprises,
        command="estimate",
    )
    assert done.out == (
        b'{"policy": "p", "enterprise": "a10", "low": "5.25", "high": "5.25"}\n'
        b'{"policy": "p", "enterprise": "a9", "low": "0.50", "high": "0.50"}\n'
        b'{"policy": "p", "enterprise": "b", "low": "0.00", "high": null}\n'
        b'{"policy": "q", "enterprise": "a10", "low": "200000.00", "high": "200000.00"}\n'
        b'{"policy": "q", "enterprise": "a9", "low": "200000.00", "high": "200000.00"}\n'
        b'{"policy": "q", "enterprise": "b", "low": "200000.00", "high": "200000.00"}\n'
    )


def test_policies_of_estimate_carry_an_award():
    """its policies carry `"award"`."""
    done = run([policy(award=one(fixed=1)), policy(id="q")], [enterprise()], command="estimate")
    assert "award" in check_refused(done, "P.jsonl:2: ", "$")
    skipped = run([policy(award=one(fixed=1)), policy(id="q")], [enterprise()], command="estimate", skip_bad=True)
    assert [r["policy"] for r in skipped.rows] == ["p"]


def test_estimate_refuses_what_match_refuses():
    """takes the same arguments as `match`."""
    done = run([policy({}, award=one(fixed=1))], [enterprise({"staff": None})], command="estimate", before=b"old")
    assert (done.code, done.out) == (2, b"old")
    assert {e.split(": ")[0] for e in done.errors} == {"P.jsonl:1", "E.jsonl:1"}


def test_a_rule_pays_a_fixed_sum():
    """A rule pays `fixed`."""
    assert estimate(one(fixed="200000")) == exactly("200000.00")
    assert estimate(one(fixed=1)) == exactly("1.00")
    assert estimate(one(fixed="0")) == exactly("0.00")
    assert estimate(one(fixed="999999999999999")) == exactly("999999999999999.00")


def test_a_rule_pays_a_rate_of_a_base():
    """or base × `rate` %; `of` names a `number` fact (one that the form asks for, too), or a year of a
    `yearly` one:
    `revenue@last`, `@this`, `@before_last`, `@2024`."""
    years = {"rev": {"2020": 1000, "2024": 2000, "2025": 3000, "2026": 4000}}
    assert estimate(one(rate="50", of="loan"), {"loan": "1000"}) == exactly("500.00")
    assert estimate(one(rate="1.5", of="staff"), {"staff": 200}) == exactly("3.00")
    assert estimate(one(rate=10, of="rev@last"), years) == exactly("300.00")
    assert estimate(one(rate=10, of="rev@this"), years) == exactly("400.00")
    assert estimate(one(rate=10, of="rev@before_last"), years) == exactly("200.00")
    assert estimate(one(rate=10, of="rev@2020"), years) == exactly("100.00")
    assert estimate(one(rate=10, of="rev@last"), years, as_of="2025-06-01") == exactly("200.00")
    assert estimate(one(rate=10, of="rev@2019", cap=7), years) == ("0.00", "7.00")


def test_a_base_below_zero_counts_as_zero():
    """Below zero counts as zero."""
    assert estimate(one(rate=10, of="loan"), {"loan": -100}) == exactly("0.00")
    assert estimate(one(each=10, of="loan"), {"loan": -100}) == exactly("0.00")
    assert estimate(one(of="loan", brackets=[{"upto": 10, "rate": 1}, {"rate": 2}]), {"loan": -5}) == exactly("0.00")
    assert estimate(one(fixed=10, cap_fact="staff"), {"staff": -1}) == exactly("0.00")


@pytest.mark.parametrize(
    ("base", "paid"),
    [
        ("0", "0.00"),
        ("50", "5.00"),
        ("100", "10.00"),
        ("100.05", "10.01"),
        ("150", "20.00"),
        ("200", "30.00"),
        ("250", "45.00"),
        ("1000", "270.00"),
    ],
)
def test_brackets_pay_each_part_of_the_base_at_its_own_rate(base: str, paid: str):
    """or each part of the base at its bracket's rate (超额累进; `upto` rising, the last without)."""
    brackets = [{"upto": "100", "rate": "10"}, {"upto": "200", "rate": "20"}, {"rate": "30"}]
    assert estimate(one(of="loan", brackets=brackets), {"loan": base}) == exactly(paid)


def test_a_single_bracket_is_a_rate():
    """`upto` rising, the last without."""
    assert estimate(one(of="loan", brackets=[{"rate": "30"}]), {"loan": 10}) == exactly("3.00")


def test_a_rule_pays_for_each_up_to_a_quantity():
    """or `each` × the base, at most `quantity_cap` of it."""
    assert estimate(one(each="1000", of="staff"), {"staff": 3}) == exactly("3000.00")
    assert estimate(one(each="1000", of="staff"), {"staff": "2.5"}) == exactly("2500.00")
    assert estimate(one(each="1000", of="staff", quantity_cap="200"), {"staff": 300}) == exactly("200000.00")
    assert estimate(one(each="1000", of="staff", quantity_cap="200"), {"staff": 200}) == exactly("200000.00")
    assert estimate(one(each="1000", of="staff", quantity_cap="200"), {"staff": 20}) == exactly("20000.00")


def test_each_rule_pays_the_smaller_of_its_amount_its_cap_and_its_cap_fact():
    """Then the smaller of that, `cap` and `cap_fact` (取小)."""
    known = {"loan": 1000, "rev": {"2025": 60}}
    assert estimate(one(rate=10, of="loan", cap=80), known) == exactly("80.00")
    assert estimate(one(rate=10, of="loan", cap=180), known) == exactly("100.00")
    assert estimate(one(rate=10, of="loan", cap=80, cap_fact="rev@last"), known) == exactly("60.00")
    assert estimate(one(rate=10, of="loan", cap=50, cap_fact="rev@last"), known) == exactly("50.00")
    assert estimate(one(fixed=100, cap_fact="rev@last"), known) == exactly("60.00")
    assert estimate(one(fixed=100, cap=70), known) == exactly("70.00")
    assert estimate(one(each=1, of="loan", cap=70), known) == exactly("70.00")
    assert estimate(one(of="loan", brackets=[{"rate": 50}], cap=70, cap_fact="rev@last"), known) == exactly("60.00")


@pytest.mark.parametrize(
    ("facts", "limit", "paid"),
    [
        ({"flag": False, "flag2": False}, None, "100.00"),
        ({"flag": True, "flag2": False}, None, "150.00"),
        ({"flag": True, "flag2": True}, None, "175.00"),
        ({"flag": True, "flag2": True}, "16", "160.00"),
        ({"flag": True, "flag2": True}, "17.5", "175.00"),
        ({"flag": False, "flag2": False}, "8", "80.00"),
    ],
)
def test_bonus_points_are_added_to_the_rate_up_to_its_limit(facts: dict[str, Any], limit: str | None, paid: str):
    """`bonus_points` (percentage points) whose `when` is true are added to `rate`, the sum at most
    `rate_limit`, which limits
    `rate` without bonuses too."""
    award = {**one(rate=10, of="loan"), "bonus_points": BONUS} | ({} if limit is None else {"rate_limit": limit})
    assert estimate(award, {"loan": 1000, **facts}) == exactly(paid)


def test_a_rate_limit_needs_no_bonus():
    """`rate_limit`, which limits `rate` without bonuses too."""
    assert estimate({**one(rate=30, of="loan"), "rate_limit": "20"}, {"loan": 1000}) == exactly("200.00")


def test_bonus_points_raise_no_bracket_and_no_other_rule():
    """are added to `rate` (not to brackets)."""
    facts = {"loan": 1000, "flag": True, "flag2": True}
    for rule in (
        {"of": "loan", "brackets": [{"upto": 500, "rate": 10}, {"rate": 20}]},
        {"fixed": 150},
        {"each": "0.15", "of": "loan"},
    ):
        assert estimate({**one(**rule), "bonus_points": BONUS}, facts) == exactly("150.00")


def test_bonus_points_raise_every_rule_with_a_rate():
    """are added to `rate`."""
    award = {
        "rules": [{"rate": 10, "of": "loan"}, {"rate": 20, "of": "loan"}],
        "choose": "sum",
        "bonus_points": BONUS[:1],
    }
    assert estimate(award, {"loan": 100, "flag": True}) == exactly("40.00")


THREE = [{"when": FLAG, "fixed": 100}, {"when": FLAG2, "fixed": 300}, {"fixed": 200}]


@pytest.mark.parametrize(
    ("choose", "flag", "flag2", "paid"),
    [
        (None, True, True, "100.00"),
        ("first", True, True, "100.00"),
        ("first", False, True, "300.00"),
        ("first", False, False, "200.00"),
        ("highest", True, True, "300.00"),
        ("highest", True, False, "200.00"),
        ("sum", True, True, "600.00"),
        ("sum", True, False, "300.00"),
        ("sum", False, False, "200.00"),
    ],
)
def test_choose_takes_the_first_the_highest_or_the_sum_of_the_rules_that_hold(
    choose: str | None, flag: bool, flag2: bool, paid: str
):
    """`choose`: `first` (default) rule whose `when` is true, the `highest` (就高) of them, or their
    `sum`. An absent `when` is
    true."""
    award: dict[str, Any] = {"rules": THREE} | ({} if choose is None else {"choose": choose})
    assert estimate(award, {"flag": flag, "flag2": flag2}) == exactly(paid)


@pytest.mark.parametrize("choose", ["first", "highest", "sum"])
def test_no_rule_that_holds_pays_nothing(choose: str):
    """none true pays 0."""
    assert estimate({"rules": THREE[:2], "choose": choose}, {"flag": False, "flag2": False}) == exactly("0.00")


def test_the_first_rule_that_holds_is_taken_even_where_it_pays_nothing():
    """`first` (default) rule whose `when` is true."""
    award = {"rules": [{"rate": 10, "of": "loan"}, {"fixed": 5}]}
    assert estimate(award, {"loan": 0}) == exactly("0.00")


def test_the_total_is_capped_and_then_rounded_down():
    """Then `cap_total`, then `rounding` down to the `cent` (default) or `yuan`. No rounding before."""
    cents = {"loan": "0.01", "staff": "19.99"}
    halves = {"rules": [{"rate": 50, "of": "loan"}, {"rate": 50, "of": "loan"}], "choose": "sum"}
    assert estimate(halves, cents) == exactly("0.01")
    assert estimate(one(rate=50, of="loan"), cents) == exactly("0.00")
    assert estimate(one(rate=100, of="staff"), cents) == exactly("19.99")
    assert estimate({**one(rate=100, of="staff"), "rounding": "cent"}, cents) == exactly("19.99")
    assert estimate({**one(rate=100, of="staff"), "rounding": "yuan"}, cents) == exactly("19.00")
    assert estimate({**one(rate=100, of="staff"), "cap_total": "12.50"}, cents) == exactly("12.50")
    assert estimate({**one(rate=100, of="staff"), "cap_total": "12.50", "rounding": "yuan"}, cents) == exactly("12.00")
    assert estimate({**one(each=1, of="staff"), "rounding": "yuan"}, {"staff": "0.99"}) == exactly("0.00")
    assert estimate(
        {"rules": [{"each": 1, "of": "staff"}] * 2, "choose": "sum", "rounding": "yuan"}, {"staff": "0.5"}
    ) == exactly("1.00")


def test_long_amounts_are_exact_and_written_in_full():
    """Arithmetic is exact decimal. `"low": "120000.00"`."""
    # 999999999999999 × 99.9999999999999 % = 999999999999999 − 0.000000000000999999999999999 × 1000 …
    product = 999999999999999 * 999999999999999  # in units of 10^-15
    cents = product // 10**13
    assert estimate(one(rate="99.9999999999999", of="loan"), {"loan": "999999999999999"}) == exactly(
        f"{cents // 100}.{cents % 100:02}"
    )
    assert estimate(one(each="999999999999999", of="loan"), {"loan": "999999999999999"}) == exactly(
        f"{999999999999999**2}.00"
    )
    assert estimate(one(rate="0.000000000000001", of="loan"), {"loan": 1}) == exactly("0.00")
    both = {"rules": [{"fixed": "999999999999999"}, {"rate": 1, "of": "loan"}], "choose": "sum"}
    assert estimate(both, {"loan": "99.99999999999"}) == exactly("999999999999999.99")


def test_a_when_is_criteria_like_any_other():
    """`{"when": {…criteria…}`. An absent `when` is true."""
    tree = {"all": [FLAG, {"not": {"fact": "region", "in": ["5102"]}}]}
    assert estimate(one(when=tree, fixed=5), {"flag": True, "region": "510105"}) == exactly("5.00")
    assert estimate(one(when=tree, fixed=5), {"flag": True}) == ("0.00", "5.00")
    assert estimate(one(when=tree, fixed=5), {"flag": False}) == exactly("0.00")
    assert estimate(one(when=EVERYONE, fixed=5)) == exactly("5.00")
    soft = {**FLAG, "soft": True}
    assert estimate(one(when=soft, fixed=5), {"flag": False}) == exactly("5.00")
    same = {"rules": [{"when": {**FLAG, "id": "a"}, "fixed": 1}, {"when": {**FLAG, "id": "a"}, "fixed": 2}]}
    assert estimate(same, {"flag": True}) == exactly("1.00")  # a repeated id is an error in one tree, and these are two


def test_what_needs_history_or_divides_the_sum_does_not_change_the_estimate():
    """Instalments are percentages that add to 100; `cap_per_year` and `exclusive_with` need history,
    and apply at approval,
    not here; `shortfall`: `first_come` (default), `pro_rata` or `defer`."""
    more = {"cap_per_year": "10", "exclusive_with": ["p", "other"], "instalments": ["33.33", "33.33", "33.34"]}
    for shortfall in ("first_come", "pro_rata", "defer"):
        assert estimate({**one(fixed=100), **more, "shortfall": shortfall}) == exactly("100.00")
    assert estimate({**one(fixed=100), "instalments": [100]}) == exactly("100.00")


def test_the_award_of_the_contract_is_accepted():
    """What an item pays, beside its criteria."""
    award = json.loads(
        """{"rules": [{"when": {"fact": "flag", "is": true}, "fixed": "200000"},
           {"rate": "50", "of": "loan", "cap": "1000000", "cap_fact": "rev@last"},
           {"of": "investment", "brackets": [{"upto": "60000000", "rate": "1"}, {"rate": "1.2"}]},
           {"each": "1000", "of": "staff", "quantity_cap": "200"}],
 "choose": "highest", "bonus_points": [{"when": {"fact": "flag2", "is": true}, "points": "5"}], "rate_limit": "20",
 "cap_total": "5000000", "rounding": "yuan", "cap_per_year": "2000000", "instalments": ["40", "30", "30"],
 "exclusive_with": ["other item ids"], "shortfall": "first_come"}"""
    )
    # flag: 200000; loan 2,000,000 × 20 % = 400,000, at most the 300,000 of last year; 600,000 + 1.2 % of 30,000,000 =
    # 960,000; 200 × 1000 = 200,000.
    facts = {
        "flag": True,
        "flag2": True,
        "loan": 2000000,
        "rev": {"2025": 300000},
        "investment": 90000000,
        "staff": 250,
    }
    assert estimate(award, facts) == exactly("960000.00")
    assert estimate(award, {**facts, "investment": 0}) == exactly("300000.00")
