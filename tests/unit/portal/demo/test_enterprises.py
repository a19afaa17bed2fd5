"""The demo's enterprises: valid, deterministic, spread over the items, and fit for the story."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from stdnum.cn import uscc

from matching.criteria import Evaluation, Verdict, compile_tree, parse_criteria, parse_facts
from matching.criteria.award import estimate, parse_award
from matching.vocabulary import load_default
from portal.demo.enterprises import (
    BOUNCED,
    CREDIT_FALLER,
    PROTAGONIST,
    credit_fall,
    form_answers,
    generate,
    write_enterprises,
)
from portal.demo.policies import policy_items

AS_OF = date(2026, 11, 22)
DAYS = [AS_OF, date(2026, 1, 1), date(2028, 2, 29)]


def evaluations(day: date) -> dict[str, dict[str, Evaluation]]:
    """Item code → enterprise id → evaluation."""
    vocabulary = load_default()
    profiles = {row["id"]: parse_facts(row["facts"], vocabulary) for row in generate(as_of=day)}
    found = {}
    for item in policy_items(day):
        tree = compile_tree(parse_criteria(item["criteria"], vocabulary))
        found[item["code"]] = {identity: tree.evaluate(facts, day) for identity, facts in profiles.items()}
    return found


@pytest.fixture(scope="module")
def today() -> dict[str, dict[str, Evaluation]]:
    return evaluations(AS_OF)


def sort_of(found: Evaluation) -> str:
    if found.verdict is Verdict.ELIGIBLE or found.form_only:
        return "fits"
    if found.verdict is Verdict.UNDETERMINED:
        return "open"
    return "near" if len(found.unmet) == 1 else "far"


def test_the_same_seed_and_day_give_the_same_bytes(tmp_path):
    first, second, other = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    assert write_enterprises(first, generate(as_of=AS_OF)) == 300
    write_enterprises(second, generate(as_of=AS_OF))
    write_enterprises(other, generate(as_of=AS_OF, seed=7))
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_every_credit_code_is_valid_with_its_organisation_code_inside():
    rows = generate(as_of=AS_OF)
    codes = [row["credit_code"] for row in rows]
    assert len(set(codes)) == len({row["name"] for row in rows}) == len({row["id"] for row in rows}) == 300
    assert all(uscc.is_valid(code) for code in codes)
    for code in codes:
        digits = [int(character, 36) for character in code[8:16]]
        weighted = sum(digit * weight for digit, weight in zip(digits, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
        assert (weighted + (10 if code[16] == "X" else int(code[16]))) % 11 == 0
    assert Counter(code[2:8] for code in codes)["510105"] > 200


def test_profiles_have_gaps():
    rows = generate(as_of=AS_OF)
    known = Counter(key for row in rows for key in row["facts"])
    assert known["registered_region"] == 300
    assert 200 < known["revenue"] < 300
    assert known["honours"] < 300


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_item_has_some_that_fit_some_that_nearly_fit_and_some_in_the_open(day):
    table = {
        code: Counter(sort_of(found) for found in by_enterprise.values())
        for code, by_enterprise in evaluations(day).items()
    }
    assert table.pop("fw-voucher") == {"fits": 300}
    for code, counts in table.items():
        assert counts["fits"] >= 3, (code, counts)
        assert counts["near"] >= 2, (code, counts)
        assert counts["open"] >= 1, (code, counts)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_three_items_fit_the_protagonist_and_two_nearly_do(day):
    of_protagonist = {code: by_enterprise[PROTAGONIST] for code, by_enterprise in evaluations(day).items()}
    fits = {code for code, found in of_protagonist.items() if sort_of(found) == "fits"}
    near = {code: found.unmet for code, found in of_protagonist.items() if sort_of(found) == "near"}
    assert fits == {"kj-hightech", "zs-pledge", "fw-voucher"}
    assert near == {"gy-growing": ("revenue",), "kj-rd": ("growth",)}
    assert of_protagonist["zs-pledge"].form_only


def test_the_protagonist_is_paid_what_the_rules_say():
    facts: dict[str, Any] = next(row["facts"] for row in generate(as_of=AS_OF) if row["id"] == PROTAGONIST)
    items = {item["code"]: item for item in policy_items(AS_OF)}

    def paid(code: str) -> str:
        known = parse_facts({**facts, **form_answers(code, AS_OF)}, load_default())
        found = estimate(parse_award(items[code]["award"], load_default()), known, AS_OF)
        assert found.low == found.high
        return str(found.low)

    assert paid("kj-hightech") == "200000.00"
    assert paid("zs-pledge") == "105250.00"
    assert paid("fw-voucher") == "4800.00"


def test_lost_trust_ends_the_eligibility_that_was_there(today):
    assert today["kj-hightech"][CREDIT_FALLER].verdict is Verdict.ELIGIBLE
    facts = next(row["facts"] for row in generate(as_of=AS_OF) if row["id"] == CREDIT_FALLER)
    item = next(item for item in policy_items(AS_OF) if item["code"] == "kj-hightech")
    tree = compile_tree(parse_criteria(item["criteria"], load_default()))
    after = tree.evaluate(parse_facts({**facts, **credit_fall(AS_OF)}, load_default()), AS_OF)
    assert (after.verdict, after.unmet) == (Verdict.INELIGIBLE, ("credit",))


def test_the_one_whose_payment_bounces_is_eligible(today):
    assert today["kj-hightech"][BOUNCED].verdict is Verdict.ELIGIBLE
