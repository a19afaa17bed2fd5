"""Numbers, dates and facts that are refused, and the forms of them that are not."""

import json
from typing import Any

import pytest

from .world import (
    accept,
    accept_facts,
    check_refused,
    policy,
    refuse,
    refuse_facts,
    run,
)

BAD_NUMBERS: list[Any] = [
    "+1",
    "1.",
    ".5",
    "-",
    "--1",
    "- 1",
    "1e3",
    "1E3",
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "1_000",
    "1,000",
    "0x1",
    "NaN",
    "Infinity",
    "-.5",
    "1.2.3",
    "٣",
    "１",
    "一",
    "1٣",
    "²",
    1.0,
    1.5,
    1e3,
    True,
    False,
    None,
    [],
    {},
    ["1"],
    1234567890123456,
    "1234567890123456",
    "0.1234567890123456",
    "-12345678.90123456",
    10**400,
]
GOOD_NUMBERS: list[Any] = [
    "-0",
    "0",
    "-0.0",
    "01",
    "007.50",
    "1",
    "1.0",
    "-1.25",
    0,
    -1,
    999999999999999,
    -999999999999999,
    "999999999999999",
    "123456789012.345",
    "0.00000000000000000000123456789012345",
    "000000000000000000001",
]


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=[ascii(v)[:40] for v in BAD_NUMBERS])
def test_a_number_is_an_integer_or_plain_ascii_text(value: Any):
    """Numbers are integers or text `-?\\d+(\\.\\d+)?` in ASCII, at most 15 significant digits. `null`
    is an error."""
    refuse_facts({"staff": value}, "facts.staff")
    refuse_facts({"rev": {"2025": value}}, "facts.rev.2025")
    refuse_facts({"quals": [{"code": "ht", "amount": value}]}, "facts.quals.0.amount")
    refuse_facts({"quals": [{"code": "ht", "rank": value}]}, "facts.quals.0.rank")
    refuse({"fact": "staff", "gte": value}, "criteria.gte")
    refuse({"fact": "staff", "eq": value}, "criteria.eq")


@pytest.mark.parametrize("value", GOOD_NUMBERS, ids=[ascii(v) for v in GOOD_NUMBERS])
def test_every_number_of_the_form_is_accepted(value: Any):
    """Numbers are integers or text `-?\\d+(\\.\\d+)?` in ASCII, at most 15 significant digits."""
    accept_facts({"staff": value, "rev": {"2025": value}, "quals": [{"code": "ht", "rank": value}]})
    accept({"fact": "staff", "eq": value})


def test_signs_of_json_that_are_no_numbers_of_the_contract_are_refused():
    """Numbers are integers or text; decimal text, never a float."""
    for text in ("NaN", "Infinity", "-Infinity", "1.0", "1e3", "1E400", "-0.0", "9" * 5000, "-" + "9" * 5000):
        check_refused(run([], f'{{"id": "e", "facts": {{"staff": {text}}}}}'.encode()), "E.jsonl:1: ")
        check_refused(run(f'{{"id": "p", "criteria": {{"fact": "staff", "gte": {text}}}}}'.encode(), []), "P.jsonl:1: ")
    for text in ("01", "+1", ".5", "1."):
        check_refused(run([], f'{{"id": "e", "facts": {{"staff": {text}}}}}'.encode()), "E.jsonl:1: ")


BAD_DATES: list[Any] = [
    "2026-2-3",
    "20260203",
    "2026-02-30",
    "2025-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "0000-01-01",
    "26-01-01",
    "02026-01-01",
    "10000-01-01",
    "2026/01/01",
    "2026-01-01T00:00:00",
    "2026-01-01 ",
    " 2026-01-01",
    "2026-01-01\n",
    "2026-W05-1",
    "2026-001",
    "٢٠٢٦-01-01",
    "２０２６-01-01",
    "",
    "-001-01-01",
    20260101,
    True,
    None,
    [],
    {},
]


@pytest.mark.parametrize("value", BAD_DATES, ids=[ascii(v) for v in BAD_DATES])
def test_a_date_is_four_digits_two_and_two(value: Any):
    """dates are YYYY-MM-DD, years four digits."""
    refuse_facts({"born": value}, "facts.born")
    refuse_facts({"quals": [{"code": "ht", "on": value}]}, "facts.quals.0.on")
    refuse_facts({"quals": [{"code": "ht", "until": value}]}, "facts.quals.0.until")
    refuse({"fact": "born", "on_or_after": value}, "criteria.on_or_after")
    for end in ("from", "until"):
        check_refused(run([policy(window={end: value})], []), "P.jsonl:1: ", f"window.{end}")


BAD_FACTS: list[tuple[Any, str]] = [
    (None, "facts"),
    ([], "facts"),
    ("x", "facts"),
    ({"nope": 1}, "facts.nope"),
    ({"": 1}, 'facts.""'),  # a key that would blur the place is quoted
    *[({key: None}, f"facts.{key}") for key in ("region", "staff", "rev", "born", "flag", "quals")],
    ({"region": "9999"}, "facts.region"),
    ({"region": 510105}, "facts.region"),
    ({"region": ["510105"]}, "facts.region"),
    ({"region": ""}, "facts.region"),
    ({"region": {}}, "facts.region"),
    ({"rev": "31000000"}, "facts.rev"),
    ({"rev": []}, "facts.rev"),
    ({"rev": {"24": "1"}}, "facts.rev.24"),
    ({"rev": {"last": "1"}}, "facts.rev.last"),
    ({"rev": {"02024": "1"}}, "facts.rev.02024"),
    ({"rev": {"٢٠٢٤": "1"}}, "facts.rev.٢٠٢٤"),
    ({"rev": {"2024 ": "1"}}, 'facts.rev."2024 "'),
    ({"rev": {"-024": "1"}}, "facts.rev.-024"),
    ({"rev": {"2024": {}}}, "facts.rev.2024"),
    ({"flag": "true"}, "facts.flag"),
    ({"flag": 1}, "facts.flag"),
    ({"flag": 0}, "facts.flag"),
    ({"quals": "ht"}, "facts.quals"),
    ({"quals": {}}, "facts.quals"),
    ({"quals": {"code": "ht"}}, "facts.quals"),
    ({"quals": [None]}, "facts.quals.0"),
    ({"quals": ["ht", "nope"]}, "facts.quals.1"),
    ({"quals": [1]}, "facts.quals.0"),
    ({"quals": [["ht"]]}, "facts.quals.0"),
    ({"quals": [{"code": "nope"}]}, "facts.quals.0.code"),
    ({"quals": [{"code": None}]}, "facts.quals.0.code"),
    ({"quals": [{"code": ["ht"]}]}, "facts.quals.0.code"),
    ({"quals": [{"code": "ht", "amount": "-1"}]}, "facts.quals.0.amount"),
    ({"quals": [{"code": "ht", "amount": -1}]}, "facts.quals.0.amount"),
    ({"quals": [{"code": "ht", "level": "national"}]}, "facts.quals.0.level"),
    ({"quals": [{"code": "ht", "rank": True}]}, "facts.quals.0.rank"),
]


@pytest.mark.parametrize(("facts", "path"), BAD_FACTS, ids=[json.dumps(x) for x, _ in BAD_FACTS])
def test_a_fact_has_the_form_of_its_type(facts: Any, path: str):
    """the table of facts; `null` is an error, not unknown; codes that are not on their list; unknown keys."""
    done = run([], [{"id": "e", "facts": facts}])
    check_refused(done, "E.jsonl:1: ", path)


def test_a_record_needs_a_code_and_may_not_end_before_it_begins():
    """`until` before `on`; `on`, `until`, `amount` are optional."""
    refuse_facts({"quals": [{}]})
    refuse_facts({"quals": [{"on": "2026-01-01"}]})
    message = refuse_facts({"quals": ["gz", {"code": "ht", "on": "2026-01-02", "until": "2026-01-01"}]})
    assert "E.jsonl:1: facts.quals.1" in message
    accept_facts({"quals": [{"code": "ht", "on": "2026-01-01", "until": "2026-01-01"}]})
    accept_facts({"quals": [{"code": "ht", "rank": -3, "amount": "-0.00", "分数": "9.5"}]})


def test_known_to_be_none_is_accepted():
    """`[]` is known: there are none."""
    accept_facts({"quals": []})
    accept_facts({})


def test_a_code_that_is_not_listed_is_answered_with_codes_that_are():
    """what is wrong and what is allowed."""
    for message in (
        refuse_facts({"grade": "C"}),
        refuse({"fact": "grade", "in": ["C"]}),
        refuse_facts({"quals": ["C"]}),
    ):
        assert '"C"' in message
        assert "A（A 级）" in message or "ht（高新技术企业）" in message
    assert "510105（青羊区）" in refuse_facts({"region": "9999"})
    assert "5 个代码" in refuse_facts({"region": "9999"})


def test_date_operators_that_depend_on_the_day_are_no_empty_range():
    """ranges that hold nothing: a month may be 28 days long, a year 366."""
    for within, ago in (
        ("P28D", "P1M"),
        ("P365D", "P1Y"),
        ("P1M", "P30D"),
        ("P1Y", "P366D"),
        ("P1Y", "P1Y"),
        ("P1Y", "P12M"),
    ):
        accept({"fact": "born", "within_last": within, "at_least_ago": ago})
