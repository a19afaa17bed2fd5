"""What a draft would do, counted over profiles that are made by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.criteria import Facts, leaves, parse_criteria, parse_facts
from matching.criteria.award import parse_award
from matching.criteria.evaluate import Verdict, evaluate
from matching.loosening import a_step_easier, dropped, replaced
from matching.simulation import Outcome, facts_needed, run
from matching.vocabulary import load_default

AS_OF = date(2026, 11, 22)
VOCABULARY = load_default()
REVENUE: dict[str, Any] = {"fact": "revenue", "gte": "20000000", "id": "revenue"}
HERE: dict[str, Any] = {"fact": "registered_region", "in": ["510105"], "id": "here"}
SMALL: dict[str, Any] = {"fact": "size", "in": ["small"], "id": "small"}


def facts(**known: Any) -> Facts:
    return parse_facts(known, VOCABULARY)


def revenue(amount: str) -> dict[str, str]:
    return {"2025": amount}


def simulated(criteria: dict[str, Any], *profiles: Facts, award: dict[str, Any] | None = None) -> Outcome:
    return run(
        criteria=parse_criteria(criteria, VOCABULARY),
        award=parse_award(award, VOCABULARY) if award else None,
        profiles=profiles,
        vocabulary=VOCABULARY,
        as_of=AS_OF,
    )


def test_each_enterprise_is_counted_once() -> None:
    outcome = simulated(
        {"all": [HERE, REVENUE]},
        facts(registered_region="510105", revenue=revenue("30000000")),
        facts(registered_region="510105", revenue=revenue("10000000")),
        facts(registered_region="510105"),
        facts(registered_region="510104", revenue=revenue("10000000")),
    )
    assert (outcome.enterprises, outcome.fits, outcome.near, outcome.lacking, outcome.out) == (4, 1, 1, 1, 1)


def test_what_only_the_form_can_tell_is_counted_apart() -> None:
    outcome = simulated({"fact": "invoice_total", "gte": "100"}, facts(), facts(invoice_total="200"))
    assert (outcome.fits, outcome.form, outcome.lacking) == (1, 1, 0)


def test_the_condition_that_excludes_most_comes_first() -> None:
    outcome = simulated(
        {"all": [HERE, REVENUE]},
        *[facts(registered_region="510105", revenue=revenue("1"))] * 3,
        facts(registered_region="510104", revenue=revenue("30000000")),
    )
    first = outcome.conditions[0]
    assert (first.leaf_id, first.alone) == ("revenue", 3)


def test_a_tenth_off_a_threshold_adds_those_within_it() -> None:
    outcome = simulated(
        REVENUE, *(facts(revenue=revenue(amount)) for amount in ("18000000", "17999999", "19000000", "25000000"))
    )
    (condition,) = outcome.conditions
    assert (condition.step_adds, condition.dropping_adds) == (2, 3)
    assert condition.step == "下限由 2,000 万元 降到 1,800 万元"


def test_the_code_that_would_add_most_is_named() -> None:
    outcome = simulated(SMALL, facts(size="micro"), facts(size="micro"), facts(size="large"), facts(size="small"))
    (condition,) = outcome.conditions
    assert (condition.step, condition.step_adds, condition.dropping_adds) == ("也适用于“微型”", 2, 3)


def test_a_period_is_a_year_longer_by_a_step() -> None:
    outcome = simulated(
        {"fact": "established_on", "within_last": "P3Y"},
        facts(established_on="2023-01-01"),
        facts(established_on="2020-01-01"),
    )
    assert outcome.conditions[0].step_adds == 1


def test_an_enterprise_that_lacks_two_conditions_is_added_by_neither_alone() -> None:
    outcome = simulated({"all": [HERE, REVENUE]}, facts(registered_region="510104", revenue=revenue("19000000")))
    assert [(condition.excludes, condition.dropping_adds) for condition in outcome.conditions] == [(1, 0), (1, 0)]


def test_a_condition_under_not_can_only_be_dropped() -> None:
    outcome = simulated({"not": REVENUE}, facts(revenue=revenue("30000000")))
    (condition,) = outcome.conditions
    assert (condition.step, condition.dropping_adds) == ("", 1)


def test_a_way_that_is_not_the_cheapest_counts_where_it_would_let_in() -> None:
    outcome = simulated({"any": [SMALL, REVENUE]}, facts(size="large", revenue=revenue("19000000")))
    added = {condition.leaf_id: condition.step_adds for condition in outcome.conditions}
    assert added == {"small": 1, "revenue": 1}


def test_those_who_fit_are_told_by_size_industry_and_region() -> None:
    outcome = simulated(
        HERE,
        facts(registered_region="510105", size="micro", industry="65"),
        facts(registered_region="510105", size="micro"),
        facts(registered_region="510104", size="large"),
    )
    told = {breakdown.fact: breakdown.groups for breakdown in outcome.breakdowns}
    assert [(group.label, group.fits, group.near) for group in told["size"]] == [("微型", 2, 0), ("大型", 0, 1)]
    assert [(group.code, group.fits) for group in told["industry"]] == [("", 1), ("I", 1)]


def test_money_is_exact_where_the_facts_allow_and_a_range_where_not() -> None:
    outcome = simulated(
        {"all": []},
        facts(invoice_total="1000"),
        facts(),
        award={"rules": [{"rate": "50", "of": "invoice_total", "cap": "2000"}], "instalments": ["40", "60"]},
    )
    money = outcome.money
    assert money is not None
    assert (money.exact, money.ranged, money.unbounded) == (1, 1, 0)
    assert (money.low, money.high) == (Decimal("500.00"), Decimal("2500.00"))
    assert (money.first_low, money.first_high) == (Decimal("200.00"), Decimal("1000.00"))


def test_what_has_no_upper_end_is_counted_and_left_out_of_it() -> None:
    outcome = simulated({"all": []}, facts(), award={"rules": [{"rate": "50", "of": "invoice_total"}]})
    assert outcome.money is not None
    assert (outcome.money.unbounded, outcome.money.high) == (1, Decimal("0.00"))


def test_the_yearly_cap_bounds_each_enterprise() -> None:
    outcome = simulated({"all": []}, facts(), facts(), award={"rules": [{"fixed": "300000"}], "cap_per_year": "200000"})
    assert outcome.money is not None
    assert outcome.money.low == outcome.money.high == Decimal("400000.00")


def test_the_money_of_those_who_do_not_fit_is_not_counted() -> None:
    outcome = simulated(SMALL, facts(size="large"), facts(), award={"rules": [{"fixed": "300000"}]})
    assert outcome.money is not None
    assert outcome.money.high == Decimal("0.00")


def test_only_the_facts_that_are_looked_at_are_needed() -> None:
    criteria = parse_criteria({"all": [HERE, {"fact": "rd_expense", "gte": "3", "percent_of": "revenue"}]}, VOCABULARY)
    award = parse_award(
        {"rules": [{"when": {"fact": "is_legal_person", "is": True}, "rate": "1", "of": "invoice_total"}]}, VOCABULARY
    )
    assert facts_needed(criteria, award) == {
        *("registered_region", "size", "industry", "rd_expense", "revenue", "is_legal_person", "invoice_total")
    }


LEAVES = st.one_of(
    st.just(HERE),
    st.just(SMALL),
    st.integers(1, 60).map(lambda n: {"fact": "revenue", "gte": str(n)}),
    st.integers(1, 60).map(lambda n: {"fact": "registered_capital", "lte": str(n)}),
    st.integers(1, 9).map(lambda n: {"fact": "established_on", "within_last": f"P{n}Y"}),
    st.integers(1, 9).map(lambda n: {"fact": "established_on", "at_least_ago": f"P{n}Y"}),
).map(lambda leaf: {key: value for key, value in leaf.items() if key != "id"})
TREES = st.recursive(
    LEAVES,
    lambda members: st.one_of(
        st.lists(members, min_size=1, max_size=3).map(lambda of: {"all": of}),
        st.lists(members, min_size=1, max_size=3).map(lambda of: {"any": of}),
        st.lists(members, min_size=2, max_size=3).map(lambda of: {"at_least": 2, "of": of}),
    ),
    max_leaves=5,
)
PROFILES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "registered_region": st.sampled_from(["510105", "510104"]),
            "size": st.sampled_from(["micro", "small", "large"]),
            "revenue": st.integers(1, 60).map(lambda n: revenue(str(n))),
            "registered_capital": st.integers(1, 60).map(str),
            "established_on": st.dates(date(2015, 1, 1), date(2026, 11, 1)).map(date.isoformat),
        },
    ),
    max_size=6,
)


@settings(deadline=None)
@given(TREES, PROFILES)
def test_what_a_step_adds_is_what_the_changed_criteria_would_let_in(criteria: dict[str, Any], known: Any) -> None:
    tree = parse_criteria(criteria, VOCABULARY)
    profiles = [facts(**one) for one in known]

    def fitting(changed: Any) -> int:
        told = [evaluate(changed, one, AS_OF) for one in profiles]
        return sum(one.verdict is Verdict.ELIGIBLE or one.form_only for one in told)

    outcome = simulated(criteria, *profiles)
    now = fitting(tree)
    assert outcome.fits + outcome.form == now
    assert outcome.fits + outcome.form + outcome.near + outcome.lacking + outcome.out == len(profiles)
    told = {condition.leaf_id: condition for condition in outcome.conditions}
    undetermined = [one for one in profiles if evaluate(tree, one, AS_OF).verdict is Verdict.UNDETERMINED]
    for leaf in leaves(tree):
        without = replaced(tree, leaf.path, dropped(leaf))
        # Counted are those whom a known failing keeps away; loosening can settle what was merely unknown, too.
        settled = sum(evaluate(without, one, AS_OF).verdict is Verdict.ELIGIBLE for one in undetermined)
        assert told[leaf.id].dropping_adds == fitting(without) - now - settled
        step = a_step_easier(leaf)
        if step is not None:
            easier = replaced(tree, leaf.path, step[0])
            settled = sum(evaluate(easier, one, AS_OF).verdict is Verdict.ELIGIBLE for one in undetermined)
            assert told[leaf.id].step_adds == fitting(easier) - now - settled
            assert told[leaf.id].step_adds <= told[leaf.id].dropping_adds
