"""Which years and which numbers of a fact an item's rules look at: what its form has to ask for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from disbursement.selectors.forms import Rules
from matching.criteria import Leaf, RecordsLeaf, YearlyLeaf, leaves

_MOST_YEARS = 10


def asked_of(rules: Rules, *, as_of: date) -> dict[str, dict[str, Any]]:
    """For each fact of the form, in reading order, what `FactsForm` takes: {"years", "numbers", "help_text"}."""
    years: dict[str, set[int]] = {}
    numbers: dict[str, set[str]] = {}
    clauses: dict[str, str] = {}
    for leaf in _all_leaves(rules):
        if leaf.text:
            clauses.setdefault(leaf.fact, leaf.text)
        if isinstance(leaf, YearlyLeaf):
            final = leaf.final_year(as_of.year)
            first = final - min(leaf.years, _MOST_YEARS) + 1 - (1 if leaf.growth else 0)
            for key in (leaf.fact, leaf.percent_of):
                if key is not None:
                    years.setdefault(key, set()).update(range(first, final + 1))
        elif isinstance(leaf, RecordsLeaf):
            wanted = {name for name, _bounds in leaf.where} | ({"amount"} if leaf.amount is not None else set())
            numbers.setdefault(leaf.fact, set()).update(wanted)
    if rules.award is not None:
        for rule in rules.award.rules:
            for base in (rule.of, rule.cap_fact):
                year = None if base is None else base.calendar_year(as_of)
                if base is not None and year is not None:
                    years.setdefault(base.fact, set()).add(year)
    return {
        key: {
            "years": sorted(years.get(key, ()))[-_MOST_YEARS:],
            "numbers": sorted(numbers.get(key, ())),
            "help_text": f"{clauses[key]}。" if key in clauses else "",
        }
        for key in (one.fact for one in rules.form.fields)
        if key is not None
    }


def _all_leaves(rules: Rules) -> Iterator[Leaf]:
    yield from leaves(rules.tree)
    if rules.award is not None:
        for when in (*(rule.when for rule in rules.award.rules), *(bonus.when for bonus in rules.award.bonus_points)):
            if when.tree is not None:
                yield from leaves(when.tree)
