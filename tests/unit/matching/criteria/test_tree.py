"""Groups, negation, soft leaves, the verdict, and the cheapest way to qualify."""

from typing import Any

import pytest

from matching.criteria import Verdict

from .samples import judge, truth

# Three leaves whose truth is set by facts: listed (true/false/unknown).
TRUE = {"fact": "listed", "is": True}
FALSE = {"fact": "listed", "is": False}
UNKNOWN = {"fact": "staff", "gte": 1}
LEAVES: dict[bool | None, Any] = {True: TRUE, False: FALSE, None: UNKNOWN}


def decided(criteria: Any) -> bool | None:
    return truth(criteria, listed=True)


def line(criteria: Any, **facts: Any) -> tuple[str, list[str], list[str]]:
    found = judge(criteria, **({"listed": True} | facts))
    return str(found.verdict), list(found.unmet), list(found.unknown)


def test_no_condition_is_open_to_every_enterprise() -> None:
    assert judge({"all": []}).verdict is Verdict.ELIGIBLE


@pytest.mark.parametrize("a", [True, False, None])
@pytest.mark.parametrize("b", [True, False, None])
def test_groups_follow_kleenes_logic(a: bool | None, b: bool | None) -> None:
    both = False if False in (a, b) else None if None in (a, b) else True
    either = True if True in (a, b) else None if None in (a, b) else False
    pair = [LEAVES[a], LEAVES[b]]
    assert decided({"all": pair}) is both
    assert decided({"any": pair}) is either
    assert decided({"at_least": 2, "of": pair}) is both
    assert decided({"at_least": 1, "of": pair}) is either
    assert decided({"not": LEAVES[a]}) is (None if a is None else not a)
    not_b = None if b is None else not b
    implied = True if True in (a, not_b) else None if None in (a, not_b) else False
    assert decided({"if": LEAVES[b], "then": LEAVES[a]}) is implied


@pytest.mark.parametrize(
    ("members", "needed", "expected"),
    [
        ([True, True, False], 2, True),
        ([True, None, False], 2, None),
        ([True, False, False], 2, False),
        ([None, None, True], 2, None),
        ([False, None, True], 1, True),
    ],
)
def test_at_least_so_many_members(members: list[bool | None], needed: int, expected: bool | None) -> None:
    criteria = {"at_least": needed, "of": [LEAVES[member] for member in members]}
    assert decided(criteria) is expected
    assert decided({"not": criteria}) is (None if expected is None else not expected)


class TestSoft:
    """Shown and warned of, never decides: true whatever its fact or sign, after ``not`` has been pushed down."""

    @pytest.mark.parametrize("state", [True, False, None])
    def test_a_soft_leaf_is_true_and_so_is_its_negation(self, state: bool | None) -> None:
        soft = {**LEAVES[state], "soft": True}
        assert decided(soft) is True
        assert decided({"not": soft}) is True
        assert decided({"not": {"not": soft}}) is True

    def test_an_if_over_a_soft_leaf_makes_its_group_true(self) -> None:
        assert decided({"if": {**TRUE, "soft": True}, "then": FALSE}) is True
        assert decided({"if": TRUE, "then": {**FALSE, "soft": True}}) is True

    def test_a_negated_group_with_a_soft_member_needs_only_that(self) -> None:
        assert decided({"not": {"all": [TRUE, {**TRUE, "soft": True}]}}) is True
        assert decided({"not": {"any": [TRUE, {**TRUE, "soft": True}]}}) is False


def test_all_adds_its_members() -> None:
    assert line({"all": [FALSE, UNKNOWN, TRUE, FALSE]}) == ("ineligible", ["all.0", "all.3"], ["all.1"])


def test_any_takes_the_least_and_ties_go_to_the_earlier_member() -> None:
    assert line({"any": [FALSE, UNKNOWN, {"fact": "staff", "gte": 2}]}) == ("undetermined", [], ["any.1"])
    assert line({"any": [FALSE, {**FALSE, "id": "later"}]}) == ("ineligible", ["any.0"], [])


def test_one_unmet_leaf_costs_more_than_any_number_of_unknown_ones() -> None:
    criteria = {"any": [FALSE, {"all": [UNKNOWN, UNKNOWN, UNKNOWN]}]}
    assert line(criteria)[0] == "undetermined"


def test_of_equal_unmet_the_fewer_unknown_win() -> None:
    criteria = {"any": [{"all": [FALSE, UNKNOWN]}, {"all": [TRUE, FALSE]}]}
    assert line(criteria) == ("ineligible", ["any.1.all.1"], [])


def test_at_least_adds_the_least_and_tells_them_in_tree_order() -> None:
    criteria = {"at_least": 3, "of": [FALSE, UNKNOWN, FALSE, TRUE]}
    assert line(criteria) == ("ineligible", ["of.0"], ["of.1"])
    assert line({"at_least": 2, "of": [FALSE, FALSE, FALSE]}) == ("ineligible", ["of.0", "of.1"], [])


def test_then_is_tried_and_numbered_before_if() -> None:
    assert line({"if": TRUE, "then": FALSE}) == ("ineligible", ["then"], [])
    assert line({"not": {"if": FALSE, "then": TRUE}}) == ("ineligible", ["not.then", "not.if"], [])
    known: Any = {"fact": "listed", "is": True}
    assert line({"not": {"if": known, "then": UNKNOWN}}) == ("undetermined", [], ["not.then"])


def test_not_is_pushed_to_the_leaves_before_costs_are_counted() -> None:
    # not all(T, T) = any(not T, not T): one change is enough.
    assert line({"not": {"all": [TRUE, TRUE]}}) == ("ineligible", ["not.all.0"], [])
    # not any(T, T) = all(not T, not T): both must change.
    assert line({"not": {"any": [TRUE, TRUE]}}) == ("ineligible", ["not.any.0", "not.any.1"], [])
    # not at_least 2 of 3 = at_least 2 of 3 negated.
    assert line({"not": {"at_least": 2, "of": [TRUE, TRUE, TRUE]}}) == ("ineligible", ["not.of.0", "not.of.1"], [])
    assert line({"not": {"at_least": 3, "of": [TRUE, TRUE, TRUE]}}) == ("ineligible", ["not.of.0"], [])


def test_an_eligible_enterprise_has_nothing_unmet_or_unknown() -> None:
    assert line({"any": [TRUE, FALSE, UNKNOWN]}) == ("eligible", [], [])


def test_every_leafs_own_truth_is_told() -> None:
    found = judge({"any": [TRUE, {"not": FALSE}, {**UNKNOWN, "soft": True}]}, listed=True)
    assert found.truths == {"any.0": True, "any.1.not": False, "any.2": None}
    assert found.way == ("any.0",)


class TestFormOnly:
    """Undetermined, and each leaf in ``unknown`` lacks a fact and only such as the item's form asks for."""

    asked: Any = {"fact": "investment", "gte": 1}

    def test_a_missing_application_fact_is_asked_by_the_form(self) -> None:
        assert judge(self.asked).form_only
        assert judge({"all": [TRUE, self.asked]}, listed=True).form_only

    def test_another_missing_fact_is_not(self) -> None:
        assert not judge({"all": [self.asked, UNKNOWN]}).form_only
        assert not judge(UNKNOWN).form_only

    def test_only_the_leaves_on_the_cheapest_way_matter(self) -> None:
        assert judge({"any": [self.asked, {"all": [UNKNOWN, UNKNOWN]}]}).form_only

    def test_an_eligible_or_ineligible_pair_is_never_so(self) -> None:
        assert not judge(self.asked, investment=1).form_only
        assert not judge({"all": [self.asked, TRUE]}, listed=False).form_only

    def test_percent_of_counts_among_the_facts_of_a_leaf(self) -> None:
        share = {"fact": "loan", "percent_of": "investment", "lte": 50}
        assert judge(share).form_only
        assert judge(share, loan=1).form_only
        assert not judge({**share, "percent_of": "staff"}).form_only
        assert judge({**share, "percent_of": "staff"}, staff=5).form_only
        assert not judge({**share, "percent_of": "staff"}, loan=5).form_only

    def test_a_leaf_that_is_unknown_without_lacking_a_fact_is_not_for_the_form(self) -> None:
        assert not judge({"fact": "loan", "percent_of": "investment", "lte": 50}, loan=1, investment=0).form_only
