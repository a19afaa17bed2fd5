"""What people write into cells, and what it means."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.criteria import Collector
from matching.importers.cells import text_of, value
from matching.importers.columns import column_of
from matching.vocabulary import load_default

VOCABULARY = load_default()


def read(cell, to, **options):
    """(value, messages) of a cell in a column that goes to `to`."""
    problems = Collector()
    column = column_of("列", {"to": to, **options}, VOCABULARY, "", problems)
    assert column is not None
    assert not problems.problems
    found = value(cell, column, VOCABULARY, problems)
    return found, [problem.message for problem in problems.problems]


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ("42", "42"),
        (" 1,234,567.80 ", "1234567.8"),
        ("１２３", "123"),
        ("-0", "0"),
        (3100, "3100"),
        (0.1 + 0.2, "0.3"),
        (35000000.5, "35000000.5"),
    ],
)
def test_numbers_as_people_and_excel_write_them(cell, means):
    assert read(cell, "registered_capital") == (means, [])


@pytest.mark.parametrize("cell", ["1,23", "1.2E+08", "五", "12元", "1..2", "--1", True])
def test_what_is_no_number_is_said_to_be_none(cell):
    found, messages = read(cell, "registered_capital")
    assert found is None
    assert len(messages) == 1


@given(
    st.decimals(min_value=0, max_value=10**7, places=4, allow_nan=False, allow_infinity=False),
    st.sampled_from(["1", "10000", "100000000", "0.01"]),
)
def test_a_factor_is_exact(number, factor):
    found, messages = read(f"{number:f}", "revenue.2025", factor=factor)
    assert messages == []
    assert Decimal(found) == number * Decimal(factor)
    assert "E" not in found


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-05",
        "2026/3/5",
        "2026.03.05",
        "2026年3月5日",
        "20260305",
        "2026/3/5 0:00",
        "2026-03-05 00:00:00",
        date(2026, 3, 5),
        datetime(2026, 3, 5, 8, 30),  # noqa: DTZ001 - as openpyxl gives it
    ],
)
def test_dates_in_every_usual_writing(cell):
    assert read(cell, "established_on") == ("2026-03-05", [])


@pytest.mark.parametrize("cell", ["2026-02-30", "3月5日", "2026-3", 46000, "2026-03-05 13:00"])
def test_what_is_no_date_is_said_to_be_none(cell):
    found, messages = read(cell, "established_on")
    assert found is None
    assert "日历" in messages[0]


@pytest.mark.parametrize("cell", ["是", "√", "TRUE", 1, True, "有"])
def test_yes(cell):
    assert read(cell, "above_scale") == (True, [])


@pytest.mark.parametrize("cell", ["否", "×", "false", 0, False, "无"])
def test_no(cell):
    assert read(cell, "above_scale") == (False, [])


def test_codes_by_code_by_label_and_by_the_map():
    assert read("510105", "registered_region") == ("510105", [])
    assert read(510105, "registered_region") == ("510105", [])
    assert read("青羊区", "registered_region") == ("510105", [])
    assert read("本区", "registered_region", codes={"本区": "510105"}) == ("510105", [])


def test_records_with_dates_and_without_and_none_at_all():
    found, _ = read("高新技术企业（2024-11-01~2027-10-31）、科技型中小企业", "qualifications")
    assert found == [{"code": "high_tech", "on": "2024-11-01", "until": "2027-10-31"}, {"code": "tech_sme"}]
    assert read("无", "qualifications") == ([], [])
    assert read('[{"code": "high_tech"}]', "qualifications") == ([{"code": "high_tech"}], [])
    assert read("high_tech/tech_sme", "qualifications", separator="/")[0] == [
        {"code": "high_tech"},
        {"code": "tech_sme"},
    ]


def test_a_part_of_a_record_is_a_date_or_a_number():
    assert read("2024/11/1", "qualifications.high_tech.on") == ("2024-11-01", [])
    assert read("20", "earlier_awards.rd.amount", factor="10000") == ("200000", [])


def test_what_a_person_sees_in_a_cell():
    assert [text_of(cell) for cell in (None, " a ", 1.0, 91510105, date(2026, 1, 2), True)] == [
        "",
        "a",
        "1",
        "91510105",
        "2026-01-02",
        "是",
    ]
