"""The demo's items: complete, readable by the language, and together using every construct of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from matching.criteria import leaves, parse_criteria
from matching.criteria.award import parse_award
from matching.vocabulary import load_default, load_default_data
from portal.demo.policies import import_lines, policy_items

AS_OF = date(2026, 11, 22)
DAYS = [AS_OF, date(2026, 1, 1), date(2028, 2, 29), date(2027, 12, 31)]
ITEMS = policy_items(AS_OF)
TYPES = {fact["key"]: fact["type"] for fact in load_default_data()["facts"]}
SCOPES = {fact["key"]: fact.get("scope", "enterprise") for fact in load_default_data()["facts"]}

BOUNDS = {"gte", "gt", "lte", "lt"}
EVERY_CONSTRUCT = {
    *("group all", "group any", "group at_least", "group not", "group if", "open to everyone"),
    *("leaf id", "leaf text", "leaf evidence", "leaf advice", "leaf soft", "leaf of the form"),
    *("code in", "code not_in", "boolean is true", "boolean is false"),
    *(f"number {bound}" for bound in (*BOUNDS, "eq", "both bounds", "percent_of")),
    *(f"yearly {bound}" for bound in (*BOUNDS, "both bounds")),
    *(f"yearly year {year}" for year in ("last", "this", "before_last", "named")),
    *(f"yearly {over} of years" for over in ("sum", "mean", "each")),
    *("yearly growth", "yearly growth each of years", "yearly percent_of"),
    *(f"yearly percent_of {over} of years" for over in ("sum", "mean", "each")),
    *(f"date {bound}" for bound in ("on_or_after", "on_or_before", "within_last", "at_least_ago")),
    *("records any_of", "records all_of", "records none_of", "records held now", "records held ever"),
    *(f"obtained {bound}" for bound in ("on_or_after", "on_or_before", "within_last", "at_least_ago")),
    *("duration Y", "duration M", "duration D", "duration mixed"),
    *("records first", "records where", "records where amount", "records count", "records amount"),
    *(f"award {kind}" for kind in ("fixed", "rate", "brackets", "each", "when", "cap", "cap_fact", "quantity_cap")),
    *(f"award of {year}" for year in ("number", "last", "this", "before_last", "named")),
    *(f"award choose {choose}" for choose in ("first", "highest", "sum")),
    *("award bonus_points", "award rate_limit", "award cap_total", "award cap_per_year", "award instalments"),
    *("award exclusive_with", "award rounding yuan", "award rounding cent"),
    *(f"award shortfall {way}" for way in ("first_come", "pro_rata", "defer")),
}


def in_durations(operators: dict[str, Any], name: str) -> Iterator[str]:
    for key, value in operators.items():
        if key in ("on_or_after", "on_or_before", "within_last", "at_least_ago"):
            yield f"{name} {key}"
        if key in ("within_last", "at_least_ago"):
            units = [letter for letter in "YMD" if letter in value]
            yield "duration mixed" if len(units) > 1 else f"duration {units[0]}"


def in_bounds(leaf: dict[str, Any], name: str) -> Iterator[str]:
    used = [key for key in (*BOUNDS, "eq") if key in leaf]
    yield from (f"{name} {key}" for key in used)
    if len(used) == 2:
        yield f"{name} both bounds"


def in_yearly(leaf: dict[str, Any]) -> Iterator[str]:
    year = leaf.get("year", "last")
    yield f"yearly year {year if not year.isdigit() else 'named'}"
    over = f"{leaf['over']} of years" if leaf.get("years", 1) > 1 else None
    what = "growth" if leaf.get("growth") else "percent_of" if "percent_of" in leaf else ""
    if what:
        yield f"yearly {what}"
    if over:
        yield " ".join(part for part in ("yearly", what, over) if part)


def in_records(leaf: dict[str, Any]) -> Iterator[str]:
    yield from (
        f"records {key}" for key in ("any_of", "all_of", "none_of", "first", "where", "count", "amount") if key in leaf
    )
    yield f"records held {leaf.get('held', 'now')}"
    yield from in_durations(leaf.get("obtained", {}), "obtained")
    if "amount" in leaf.get("where", {}):
        yield "records where amount"


def in_leaf(leaf: dict[str, Any]) -> Iterator[str]:
    kind = TYPES[leaf["fact"]]
    yield from (f"leaf {key}" for key in ("id", "text", "evidence", "advice", "soft") if leaf.get(key))
    if SCOPES[leaf["fact"]] == "application":
        yield "leaf of the form"
    match kind:
        case "code":
            yield from (f"code {key}" for key in ("in", "not_in") if key in leaf)
        case "boolean":
            yield f"boolean is {str(leaf['is']).lower()}"
        case "date":
            yield from in_durations(leaf, "date")
        case "records":
            yield from in_records(leaf)
        case _:
            yield from in_bounds(leaf, kind)
            if kind == "yearly":
                yield from in_yearly(leaf)
            elif "percent_of" in leaf:
                yield "number percent_of"


def in_criteria(node: dict[str, Any]) -> Iterator[str]:
    if "fact" in node:
        yield from in_leaf(node)
        return
    if node == {"all": []}:
        yield "open to everyone"
        return
    yield next(f"group {key}" for key in ("all", "any", "at_least", "not", "if") if key in node)
    for key in ("all", "any", "of"):
        for member in node.get(key, []):
            yield from in_criteria(member)
    for key in ("not", "if", "then"):
        if key in node:
            yield from in_criteria(node[key])


def in_award(award: dict[str, Any]) -> Iterator[str]:
    for rule in award["rules"]:
        yield from (f"award {key}" for key in rule if key != "of")
        if "of" in rule:
            year = rule["of"].partition("@")[2] or "number"
            yield f"award of {'named' if year.isdigit() else year}"
        if rule.get("cap_fact", "").rpartition("@")[2].isdigit():
            yield "award of named"
        yield from (
            f"award of {year}" for year in ("last", "before_last") if rule.get("cap_fact", "").endswith("@" + year)
        )
        if "when" in rule:
            yield from in_criteria(rule["when"])
    yield from (f"award {key}" for key in award)
    yield f"award choose {award.get('choose', 'first')}"
    yield f"award rounding {award.get('rounding', 'cent')}"
    yield f"award shortfall {award.get('shortfall', 'first_come')}"


def test_the_items_use_every_construct_of_the_language():
    used = {word for item in ITEMS for word in in_criteria(item["criteria"])}
    used |= {word for item in ITEMS for word in in_award(item["award"])}
    assert EVERY_CONSTRUCT - used == set()


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_item_can_be_read_on_any_day_and_proves_its_conditions_by_its_materials(day):
    vocabulary = load_default()
    items = policy_items(day)
    assert len(items) >= 26
    codes = {item["code"] for item in items}
    assert len(codes) == len(items)
    for item in items:
        tree = parse_criteria(item["criteria"], vocabulary)
        award = parse_award(item["award"], vocabulary)
        materials = {material["code"] for material in item["materials"]}
        assert {code for leaf in leaves(tree) for code in leaf.evidence} <= materials, item["code"]
        assert set(award.exclusive_with) <= codes - {item["code"]}, item["code"]
        assert item["type"] in vocabulary.code_lists["item_type"].codes
        assert item["window"]["from"] <= day.isoformat() <= item["window"]["until"]


def test_exclusion_holds_from_both_sides():
    exclusive = {item["code"]: set(item["award"].get("exclusive_with", [])) for item in ITEMS}
    assert all(code in exclusive[other] for code, others in exclusive.items() for other in others)


def test_every_condition_is_told_in_the_words_of_its_clause():
    for item in ITEMS:
        for leaf in leaves(parse_criteria(item["criteria"], load_default())):
            assert leaf.text, (item["code"], leaf.id)


def test_the_import_file_refers_only_to_what_it_brings():
    lines = json.loads(json.dumps(import_lines(AS_OF)))
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_kind.setdefault(line["kind"], []).append(line)
    assert set(by_kind) == {"department", "budget_line", "document", "item", "reading"}
    departments = {line["code"] for line in by_kind["department"]}
    numbers = {line["number"] for line in by_kind["document"]}
    items = {line["code"] for line in by_kind["item"]}
    for line in by_kind["item"]:
        assert line["department"] in departments
        assert line["document"] in numbers
        budgets = [budget for budget in by_kind["budget_line"] if budget["code"] == line["budget_line"]]
        assert {budget["year"] for budget in budgets} == {AS_OF.year, AS_OF.year + 1}
    for line in by_kind["reading"]:
        assert line.get("item") in items or line.get("document") in numbers
        assert any("question" in part for part in line["body"])
