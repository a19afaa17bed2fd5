"""What people type into fact fields becomes the JSON of the criteria language, and is shown again in words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from matching.criteria import FactType, parse_facts
from matching.vocabulary import load_default
from portal.facts.display import fact_lines, fact_text
from portal.facts.fields import FactsForm, read_typed_number

VOCABULARY = load_default()
TODAY = date(2026, 3, 25)


def form(key: str, data: dict[str, str], values: dict[str, Any] | None = None, **options: Any) -> FactsForm:
    return FactsForm(data, vocabulary=VOCABULARY, wanted={key: options}, values=values or {}, as_of=TODAY)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1820000", "1820000"),
        ("1,820,000", "1820000"),
        ("１，８２０，０００．５", "1820000.5"),
        ("182万", "1820000"),
        ("1.5 亿元", "150000000"),
        ("¥0.10", "0.1"),
        ("-3", "-3"),
        ("007", "007"),
    ],
)
def test_a_number_is_read_as_people_write_it(typed: str, meant: str) -> None:
    assert Decimal(read_typed_number(typed)) == Decimal(meant)


@pytest.mark.parametrize("typed", ["", "一百", "1e9", "0x10", "1.2.3", "NaN", "万", "1万万", "--1", "1 2 a"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        read_typed_number(typed)


@given(st.decimals(min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=2, allow_nan=False))
def test_an_exact_number_keeps_every_digit(number: Decimal) -> None:
    assert Decimal(read_typed_number(f"{number:,.2f}")) == number


def test_an_empty_field_leaves_the_fact_unknown() -> None:
    empty = form("invoice_total", {"fact-invoice_total": ""})
    assert empty.is_valid()
    assert empty.cleaned_facts == {}


def test_a_number_with_too_many_digits_is_refused_beside_its_field() -> None:
    long = form("invoice_total", {"fact-invoice_total": "1234567890123456"})
    assert not long.is_valid()
    assert "fact-invoice_total" in long.errors


def test_a_yearly_fact_asks_for_the_years_wanted_and_keeps_the_others() -> None:
    typed = form("revenue", {"fact-revenue_2025": "3500万"}, {"revenue": {"2019": "1"}}, years=[2024, 2025])
    assert typed.is_valid()
    assert typed.cleaned_facts == {"revenue": {"2019": "1", "2025": "35000000"}}


def test_no_records_at_all_is_said_and_differs_from_saying_nothing() -> None:
    said = form("qualifications", {"fact-qualifications-none": "1"})
    assert said.is_valid()
    assert said.cleaned_facts == {"qualifications": []}
    silent = form("qualifications", {})
    assert silent.is_valid()
    assert silent.cleaned_facts == {}


def test_a_record_is_a_row_of_its_code_and_dates() -> None:
    code = next(iter(VOCABULARY.code_list("qualifications").codes))
    row = {"code": code, "on": "2024-11-01", "until": "2027-10-31"}
    typed = form("qualifications", {f"fact-qualifications-0-{name}": text for name, text in row.items()})
    assert typed.is_valid()
    assert typed.cleaned_facts == {"qualifications": [row]}


@pytest.mark.parametrize(
    "row",
    [
        {"on": "2024-11-01"},
        {"code": "no-such-code"},
        {"code": "high_tech", "on": "2024-13-01"},
        {"code": "high_tech", "on": "2024-11-02", "until": "2024-11-01"},
    ],
)
def test_a_record_that_cannot_be_is_refused_with_its_row(row: dict[str, str]) -> None:
    typed = form("qualifications", {f"fact-qualifications-0-{name}": text for name, text in row.items()})
    assert not typed.is_valid()
    assert "fact-qualifications" in typed.errors


@pytest.mark.parametrize("text", ["true", "false"])
def test_a_boolean_is_yes_or_no(text: str) -> None:
    key = next(key for key, fact in VOCABULARY.facts.items() if fact.type is FactType.BOOLEAN)
    typed = form(key, {f"fact-{key}": text})
    assert typed.is_valid()
    assert typed.cleaned_facts == {key: text == "true"}


@pytest.mark.parametrize("key", sorted(VOCABULARY.facts))
def test_every_fact_of_the_vocabulary_can_be_asked_for_and_shown(key: str) -> None:
    page = form(key, {}).as_div()
    assert VOCABULARY.facts[key].label in page
    assert fact_lines(key, None, VOCABULARY) == ["未知"]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("registered_region", "510105", "青羊区"),
        ("revenue", {"2024": "5000", "2025": "18200000"}, "2025 年：1,820 万元；2024 年：5,000 元"),
        ("qualifications", [], "没有"),
        ("invoice_total", "300000", "30 万元"),
        ("gone_from_the_vocabulary", "x", "x"),
    ],
)
def test_a_value_is_told_in_words(key: str, value: Any, shown: str) -> None:
    assert fact_text(key, value, VOCABULARY) == shown


def test_what_is_shown_in_a_form_is_read_back_the_same() -> None:
    values: dict[str, Any] = {
        "registered_region": "510105",
        "revenue": {"2024": "1", "2025": "2.5"},
        "qualifications": [{"code": "high_tech", "on": "2024-11-01"}],
    }
    data = {
        "fact-registered_region": "510105",
        "fact-revenue_2024": "1",
        "fact-revenue_2025": "2.5",
        "fact-qualifications-0-code": "high_tech",
        "fact-qualifications-0-on": "2024-11-01",
    }
    typed = FactsForm(data, vocabulary=VOCABULARY, wanted={key: {} for key in values}, values=values, as_of=TODAY)
    assert typed.is_valid()
    assert typed.cleaned_facts == values
    assert parse_facts(typed.cleaned_facts, VOCABULARY)
