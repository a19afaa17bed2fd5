"""What an award pays: each rule kind, caps, bonuses, choices, ranges for what is unknown, instalments, working."""

from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pytest

from matching.criteria import Facts, Vocabulary, parse_facts, parse_vocabulary
from matching.criteria.award import Award, Estimate, estimate, parse_award, split_instalments

AS_OF = date(2026, 11, 22)
VOCABULARY: Vocabulary = parse_vocabulary(
    {
        "facts": [
            {"key": "invoice_total", "label": "发票金额", "type": "number", "unit": "元", "scope": "application"},
            {"key": "hired_people", "label": "新招用人数", "type": "number", "unit": "人", "scope": "application"},
            {"key": "contribution", "label": "地方贡献", "type": "yearly", "unit": "元"},
            {"key": "flag", "label": "专精特新", "type": "boolean"},
            {"key": "other_flag", "label": "小微企业", "type": "boolean"},
        ]
    }
)
FLAG = {"fact": "flag", "is": True}
OTHER = {"fact": "other_flag", "is": True}


def award(**data: Any) -> Award:
    return parse_award(data, VOCABULARY)


def facts(**data: Any) -> Facts:
    return parse_facts(data, VOCABULARY)


def paid(data: Award, **known: Any) -> tuple[str, str | None]:
    found: Estimate = estimate(data, facts(**known), AS_OF)
    return str(found.low), None if found.high is None else str(found.high)


def exactly(amount: str) -> tuple[str, str]:
    return amount, amount


def test_a_fixed_rule_pays_its_amount_with_two_places():
    assert paid(award(rules=[{"fixed": "200000"}])) == exactly("200000.00")


def test_a_rate_pays_its_percent_of_the_base_and_says_so():
    data = award(rules=[{"rate": "50", "of": "invoice_total", "cap": "1000000"}])
    found = estimate(data, facts(invoice_total=1200000), AS_OF)
    assert (found.low, found.high) == (Decimal("600000.00"), Decimal("600000.00"))
    assert found.working == (
        "发票金额 1,200,000 元 × 50% = 600,000 元；不超过 1,000,000 元，取 600,000 元",
        "奖补金额：600,000 元",
    )


def test_a_cap_is_the_most_that_a_rule_pays():
    assert paid(award(rules=[{"rate": "50", "of": "invoice_total", "cap": "1000"}]), invoice_total=9000) == exactly(
        "1000.00"
    )


@pytest.mark.parametrize(
    ("base", "amount"),
    [("0", "0.00"), ("60000000", "600000.00"), ("60000001", "600000.01"), ("100000000", "1080000.00")],
)
def test_brackets_charge_each_part_of_the_base_at_its_own_rate(base, amount):
    data = award(rules=[{"of": "invoice_total", "brackets": [{"upto": "60000000", "rate": "1"}, {"rate": "1.2"}]}])
    assert paid(data, invoice_total=base) == exactly(amount)


def test_each_pays_by_the_piece_up_to_the_quantity_cap():
    data = award(rules=[{"each": "1000", "of": "hired_people", "quantity_cap": "200"}])
    assert paid(data, hired_people=30) == exactly("30000.00")
    assert paid(data, hired_people=201) == exactly("200000.00")


def test_the_smallest_of_amount_cap_and_cap_fact_is_paid():
    data = award(rules=[{"rate": "50", "of": "invoice_total", "cap": "1000000", "cap_fact": "contribution@last"}])
    assert paid(data, invoice_total=4000000, contribution={"2025": "300000"}) == exactly("300000.00")
    assert paid(data, invoice_total=400000, contribution={"2025": "300000"}) == exactly("200000.00")


@pytest.mark.parametrize(("year", "amount"), [("this", "6"), ("last", "5"), ("before_last", "4"), ("2021", "1")])
def test_a_yearly_base_names_its_year(year, amount):
    data = award(rules=[{"rate": "100", "of": f"contribution@{year}"}])
    known = {"2026": 6, "2025": 5, "2024": 4, "2021": 1}
    assert paid(data, contribution=known) == exactly(f"{amount}.00")


def test_a_yearly_base_without_its_year_is_unknown():
    data = award(rules=[{"rate": "100", "of": "contribution@last", "cap": "7"}])
    assert paid(data, contribution={"2024": 5}) == ("0.00", "7.00")


def test_a_base_below_zero_counts_as_zero():
    data = award(rules=[{"rate": "10", "of": "contribution@last"}])
    found = estimate(data, facts(contribution={"2025": "-500"}), AS_OF)
    assert (found.low, found.high) == (Decimal("0.00"), Decimal("0.00"))
    assert "负数按 0 计" in found.working[0]


def test_a_cap_fact_below_zero_leaves_nothing():
    data = award(rules=[{"fixed": "10", "cap_fact": "contribution@last"}])
    assert paid(data, contribution={"2025": "-500"}) == exactly("0.00")


def test_true_bonuses_are_added_to_the_rate_and_limited():
    data = award(
        rules=[{"rate": "10", "of": "invoice_total"}],
        bonus_points=[{"when": FLAG, "points": "5"}, {"when": OTHER, "points": "8"}],
        rate_limit="20",
    )
    assert paid(data, invoice_total=100, flag=True, other_flag=False) == exactly("15.00")
    assert paid(data, invoice_total=100, flag=True, other_flag=True) == exactly("20.00")
    assert paid(data, invoice_total=100, flag=False, other_flag=False) == exactly("10.00")


def test_a_bonus_without_a_condition_always_counts():
    data = award(rules=[{"rate": "10", "of": "invoice_total"}], bonus_points=[{"points": "2.5"}])
    assert paid(data, invoice_total=100) == exactly("12.50")


def test_the_rate_limit_holds_without_bonuses_too():
    assert paid(award(rules=[{"rate": "50", "of": "invoice_total"}], rate_limit="20"), invoice_total=100) == exactly(
        "20.00"
    )


def test_bonuses_and_rate_limit_do_not_touch_brackets():
    data = award(
        rules=[{"of": "invoice_total", "brackets": [{"rate": "50"}]}], bonus_points=[{"points": "5"}], rate_limit="20"
    )
    assert paid(data, invoice_total=100) == exactly("50.00")


def test_an_unknown_bonus_makes_a_range():
    data = award(rules=[{"rate": "10", "of": "invoice_total"}], bonus_points=[{"when": FLAG, "points": "5"}])
    assert paid(data, invoice_total=100) == ("10.00", "15.00")


RULES = [{"when": FLAG, "fixed": "100"}, {"when": OTHER, "fixed": "300"}, {"fixed": "50"}]


@pytest.mark.parametrize(
    ("choose", "flag", "other", "amount"),
    [
        ("first", True, True, "100.00"),
        ("first", False, True, "300.00"),
        ("first", False, False, "50.00"),
        ("highest", True, True, "300.00"),
        ("highest", True, False, "100.00"),
        ("sum", True, True, "450.00"),
        ("sum", False, True, "350.00"),
    ],
)
def test_choose_takes_the_first_the_highest_or_the_sum(choose, flag, other, amount):
    assert paid(award(rules=RULES, choose=choose), flag=flag, other_flag=other) == exactly(amount)


def test_the_first_rule_is_the_default_choice():
    assert paid(award(rules=RULES), flag=True, other_flag=True) == exactly("100.00")


def test_no_true_rule_pays_nothing():
    data = award(rules=RULES[:2])
    found = estimate(data, facts(flag=False, other_flag=False), AS_OF)
    assert (found.low, found.high) == (Decimal("0.00"), Decimal("0.00"))
    assert "没有满足条件的项，不予奖补" in found.working


@pytest.mark.parametrize(
    ("choose", "known", "expected"),
    [
        ("first", {}, ("50.00", "300.00")),
        ("first", {"flag": False}, ("50.00", "300.00")),
        ("first", {"other_flag": True}, ("100.00", "300.00")),
        ("first", {"flag": True}, ("100.00", "100.00")),
        ("highest", {}, ("50.00", "300.00")),
        ("highest", {"other_flag": True}, ("300.00", "300.00")),
        ("sum", {"flag": True}, ("150.00", "450.00")),
    ],
)
def test_unknown_conditions_give_the_least_and_the_most(choose, known, expected):
    assert paid(award(rules=RULES, choose=choose), **known) == expected


def test_unknown_conditions_are_resolved_one_by_one_even_over_one_fact():
    # Both cannot be false of one enterprise; each is resolved by itself nevertheless.
    rules = [{"when": FLAG, "fixed": "100"}, {"when": {"not": FLAG}, "fixed": "300"}]
    assert paid(award(rules=rules)) == ("0.00", "300.00")
    assert paid(award(rules=rules, choose="sum")) == ("0.00", "400.00")


def test_an_unknown_base_is_bounded_by_a_cap_or_by_nothing():
    assert paid(award(rules=[{"rate": "50", "of": "invoice_total", "cap": "700"}])) == ("0.00", "700.00")
    assert paid(award(rules=[{"rate": "50", "of": "invoice_total"}])) == ("0.00", None)
    assert paid(award(rules=[{"rate": "50", "of": "invoice_total"}], cap_total="9")) == ("0.00", "9.00")
    assert paid(award(rules=[{"each": "3", "of": "hired_people", "quantity_cap": "5"}])) == ("0.00", "15.00")
    assert paid(award(rules=[{"each": "3", "of": "hired_people"}])) == ("0.00", None)


def test_an_unknown_base_at_no_rate_pays_nothing_for_certain():
    assert paid(award(rules=[{"rate": "0", "of": "invoice_total"}])) == exactly("0.00")
    assert paid(award(rules=[{"each": "0", "of": "hired_people"}])) == exactly("0.00")


def test_an_unknown_base_is_bounded_by_brackets_whose_top_pays_nothing():
    brackets = [{"upto": "100", "rate": "10"}, {"upto": "300", "rate": "5"}, {"rate": "0"}]
    assert paid(award(rules=[{"of": "invoice_total", "brackets": brackets}])) == ("0.00", "20.00")
    assert paid(award(rules=[{"of": "invoice_total", "brackets": [{"rate": "0"}]}])) == exactly("0.00")


def test_an_unknown_cap_fact_lowers_only_the_least():
    assert paid(award(rules=[{"fixed": "10", "cap_fact": "contribution@last"}])) == ("0.00", "10.00")


def test_an_unknown_base_is_bounded_by_a_known_cap_fact():
    data = award(rules=[{"rate": "50", "of": "invoice_total", "cap_fact": "contribution@last"}])
    assert paid(data, contribution={"2025": 40}) == ("0.00", "40.00")


def test_the_total_is_capped_and_then_rounded_down_once():
    third = {"rate": "33.333", "of": "invoice_total"}
    assert paid(award(rules=[third, third, third], choose="sum"), invoice_total=1) == exactly("0.99")
    assert paid(award(rules=[third], rounding="yuan"), invoice_total=100) == exactly("33.00")
    assert paid(award(rules=[third], rounding="yuan", cap_total="30.5"), invoice_total=100) == exactly("30.00")


def test_the_decimal_context_of_the_caller_changes_nothing():
    data = award(rules=[{"rate": "33.3333333", "of": "invoice_total"}])
    with localcontext() as context:
        context.prec = 3
        assert paid(data, invoice_total="123456789012.34") == exactly("41152262962.96")


def test_the_working_names_every_step():
    data = award(
        rules=[
            {"when": FLAG, "fixed": "80000"},
            {"rate": "50", "of": "invoice_total", "cap_fact": "contribution@last"},
        ],
        choose="highest",
        bonus_points=[{"when": OTHER, "points": "5"}],
        rate_limit="52",
        cap_total="100000",
        rounding="yuan",
    )
    known = facts(flag=True, other_flag=True, invoice_total="300000", contribution={"2025": "123456.78"})
    assert estimate(data, known, AS_OF).working == (
        "加 5 个百分点：条件满足",
        "第 1 项：定额 80,000 元",
        (
            "第 2 项：发票金额 300,000 元 × （50% + 5 个百分点），比例不超过 52%，按 52% = 156,000 元；"
            "不超过上年度（2025 年）地方贡献 123,456.78 元，取 123,456.78 元"
        ),
        "就高取其中最高的一项 = 123,456.78 元",
        "合计不超过 100,000 元，取 100,000 元",
        "奖补金额：100,000 元",
    )


def test_the_working_tells_what_is_still_open():
    data = award(rules=[{"when": FLAG, "rate": "50", "of": "invoice_total"}])
    assert estimate(data, facts(), AS_OF).working == (
        "条件待定，若满足：发票金额（未知，从 0 起计） × 50% = 0 元以上（不封顶）",
        "奖补金额：0 元以上（不封顶）",
    )


def test_instalments_are_rounded_down_and_the_last_takes_the_rest():
    data = award(rules=[{"fixed": "1"}], instalments=["40", "30", "30"])
    assert split_instalments(data, Decimal("100.01")) == [Decimal("40.00"), Decimal("30.00"), Decimal("30.01")]


def test_instalments_follow_the_rounding_of_the_award():
    data = award(rules=[{"fixed": "1"}], instalments=["33.3", "33.3", "33.4"], rounding="yuan")
    parts = split_instalments(data, Decimal("1000.50"))
    assert parts == [Decimal("333.00"), Decimal("333.00"), Decimal("334.50")]
    assert sum(parts) == Decimal("1000.50")


def test_without_instalments_all_is_paid_at_once():
    assert split_instalments(award(rules=[{"fixed": "1"}]), Decimal("7.30")) == [Decimal("7.30")]


@pytest.mark.parametrize("amount", ["-1", "1.005"])
def test_an_amount_that_is_not_money_cannot_be_split(amount):
    with pytest.raises(ValueError, match="不能分期"):
        split_instalments(award(rules=[{"fixed": "1"}]), Decimal(amount))


def test_what_approval_needs_is_kept():
    data = award(rules=[{"fixed": "1"}], cap_per_year="2000000", exclusive_with=["b", "a", "b"], shortfall="pro_rata")
    assert (data.cap_per_year, data.exclusive_with, data.shortfall) == (Decimal(2000000), ("b", "a"), "pro_rata")
    assert award(rules=[{"fixed": "1"}]).shortfall == "first_come"
