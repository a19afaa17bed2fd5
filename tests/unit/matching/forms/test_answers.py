"""Answers against their fields, and what is required when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from matching.forms import answer_faults, answered_facts, is_required, parse_form, table_total
from tests.unit.matching.forms.test_parse import OPTIONS, TABLE, VOCABULARY

LEASED = {"fact": "leased", "is": True}
TODAY = date(2026, 3, 2)
FORM = parse_form(
    [
        {"type": "fact", "fact": "project_investment", "gte": "100000", "lte": "90000000"},
        {"type": "fact", "fact": "project_started_on", "past": True},
        {"type": "text", "key": "model", "label": "设备型号", "longest": 5},
        {"type": "money", "key": "grant", "label": "已获补助", "gte": "0"},
        {"type": "choice", "key": "kind", "label": "建设性质", "options": OPTIONS},
        {"type": "choices", "key": "uses", "label": "用途", "options": OPTIONS, "gte": 1, "lte": 1},
        {"type": "yes_no", "key": "leased", "label": "是否租用厂房"},
        {
            "type": "number",
            "key": "area",
            "label": "面积",
            "unit": "㎡",
            "required": {"when": {"fact": "leased", "is": True}},
        },
        TABLE,
    ],
    VOCABULARY,
)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"project_investment": "99999.99"}, "项目总投资：不能小于 10 万元。"),
        ({"project_investment": "90000000.01"}, "项目总投资：不能大于 9,000 万元。"),
        ({"project_started_on": "2026-03-03"}, "开工日期：不能晚于今天（2026-03-02）。"),
        ({"model": "六个字的型号"}, "设备型号：最多 5 个字，现有 6 个。"),
        ({"model": 5}, "设备型号：应填写文字。"),
        ({"grant": "0.001"}, "已获补助：金额最多两位小数。"),
        ({"grant": "-1"}, "已获补助：不能小于 0 元。"),
        ({"uses": ["new", "upgrade"]}, "用途：最多 1 项，现有 2 项。"),
        ({"uses": ["new", "new"]}, "用途：有选项重复。"),
        ({"contracts": [{"number": "H1", "amount": "1.234"}]}, "设备合同第 1 行：“金额”最多两位小数。"),
        ({"contracts": [{"number": "", "amount": "1"}]}, "设备合同第 1 行：请填写“合同号”。"),
        ({"contracts": ["H1"]}, "设备合同：应逐行填写。"),
        ({"contracts": [{"number": "H1", "amount": "1", "colour": "红"}]}, "设备合同第 1 行：没有“colour”这一列。"),
    ],
)
def test_an_answer_that_does_not_fit_its_field_is_told(answers: dict[str, Any], told: str) -> None:
    assert [fault.message for fault in answer_faults(FORM, answers, as_of=TODAY)] == [told]


def test_answers_on_their_bounds_are_taken_and_empty_ones_are_no_mistake() -> None:
    answers = {
        "project_investment": "100000",
        "project_started_on": "2026-03-02",
        "model": "ABCDE",
        "kind": "new",
        "uses": ["upgrade"],
        "leased": False,
        "grant": "",
        "contracts": [{"number": "H1", "amount": "0.10"}],
    }
    assert answer_faults(FORM, answers, as_of=TODAY) == []


@pytest.mark.parametrize(("leased", "wanted"), [({"leased": True}, True), ({"leased": False}, False), ({}, False)])
def test_a_conditional_field_is_required_where_its_condition_surely_holds(leased: dict[str, Any], wanted: bool) -> None:
    area = FORM.get("area")
    assert area is not None
    assert is_required(area, FORM, answered_facts(FORM, leased), as_of=TODAY) is wanted


def test_an_unreadable_answer_is_unknown_to_conditions() -> None:
    assert answered_facts(FORM, {"leased": "perhaps", "kind": "new", "model": "X"}) == {"kind": "new"}


def test_the_sum_of_a_table_is_exact() -> None:
    contracts = FORM.get("contracts")
    assert contracts is not None
    rows = [{"number": str(n), "amount": "0.10"} for n in range(3)]
    assert table_total(contracts, rows) == Decimal("0.30")
    assert table_total(contracts, [{"number": "1"}]) is None
