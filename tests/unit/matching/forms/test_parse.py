"""The declaration of a form: what may be asked, and every mistake with its place."""

from __future__ import annotations

from typing import Any

import pytest

from matching.criteria import FactType, InvalidInput, Scope, parse_vocabulary
from matching.forms import FieldType, parse_form

SUM = {"type": "number", "unit": "元", "scope": "application"}
VOCABULARY = parse_vocabulary(
    {
        "code_lists": {"region": {"hierarchy": "prefix", "codes": {"5101": "成都市", "510105": "青羊区"}}},
        "facts": [
            {"key": "registered_region", "label": "注册地", "type": "code", "codes": "region"},
            {
                "key": "project_investment",
                "label": "项目总投资",
                "type": "number",
                "unit": "元",
                "scope": "application",
            },
            {"key": "contract_total", "label": "合同总额", "type": "number", "unit": "元", "scope": "application"},
            {"key": "project_started_on", "label": "开工日期", "type": "date", "scope": "application"},
        ],
    }
)
OPTIONS = [{"code": "new", "label": "新建"}, {"code": "upgrade", "label": "改造"}]
TABLE: dict[str, Any] = {
    "type": "table",
    "key": "contracts",
    "label": "设备合同",
    "columns": [{"key": "number", "label": "合同号"}, {"key": "amount", "label": "金额", "type": "money"}],
    "fact": "contract_total",
    "total": "amount",
}


def mistakes(*fields: Any, **options: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse_form(list(fields), VOCABULARY, **options)
    return [str(problem) for problem in caught.value.problems]


def test_a_bound_field_takes_label_and_type_from_the_vocabulary() -> None:
    form = parse_form([{"type": "fact", "fact": "project_investment", "gte": "100000"}], VOCABULARY)
    field = form.fields[0]
    assert (field.key, field.label, field.required, str(field.lower)) == (
        "project_investment",
        "项目总投资",
        True,
        "100000",
    )


def test_the_forms_own_questions_are_facts_to_its_conditions() -> None:
    form = parse_form(
        [
            {"type": "choice", "key": "kind", "label": "建设性质", "options": OPTIONS},
            {
                "type": "text",
                "key": "old_line",
                "label": "原生产线情况",
                "required": {"when": {"fact": "kind", "in": ["upgrade"]}},
            },
        ],
        VOCABULARY,
    )
    assert form.vocabulary.facts["kind"].type is FactType.CODE
    assert form.vocabulary.facts["kind"].scope is Scope.APPLICATION
    assert form.fields[1].when is not None
    assert "kind" not in VOCABULARY.facts


def test_a_table_brings_its_rows_and_the_fact_that_is_their_sum() -> None:
    form = parse_form([TABLE], VOCABULARY)
    assert form.keys == {"contracts", "contract_total"}
    assert form.fields[0].type is FieldType.TABLE


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({"type": "fact", "fact": "profit_of_moon"}, "form.0.fact: 词表中没有事实"),
        (
            {"type": "text", "key": "registered_region", "label": "注册地"},
            "form.0.key: registered_region 是词表中的事实",
        ),
        ({"type": "text", "key": "Model", "label": "型号"}, "form.0.key: 字段代码用小写字母开头"),
        ({"type": "text", "key": "model"}, "form.0: 缺少键 label"),
        ({"type": "poem", "key": "model", "label": "型号"}, "form.0.type: 字段类型应是"),
        ({"type": "number", "key": "n", "label": "数", "gte": "5", "lte": "4"}, "form.0.lte: 上限 4 小于下限 5"),
        ({"type": "number", "key": "n", "label": "数", "gte": 1.5}, "form.0.gte: 界限应是整数"),
        ({"type": "fact", "fact": "registered_region", "gte": "1"}, "form.0.gte: “注册地”不是数值"),
        (
            {"type": "fact", "fact": "registered_region", "on_or_after": "2026-01-01"},
            "form.0.on_or_after: 这个事实不是日期",
        ),
        (
            {"type": "date", "key": "d", "label": "日", "on_or_after": "2026-02-01", "on_or_before": "2026-01-01"},
            "form.0.on_or_before: 最晚 2026-01-01 早于最早",
        ),
        ({"type": "choice", "key": "c", "label": "选", "options": OPTIONS[:1]}, "form.0.options: 至少要有两个选项"),
        (
            {"type": "choice", "key": "c", "label": "选", "options": OPTIONS * 2},
            'form.0.options.2.code: 选项 "new" 重复',
        ),
        ({"type": "file", "key": "f", "label": "图纸"}, "form.0: 缺少键 material"),
        ({"type": "invoices", "fact": "registered_region"}, "form.0.fact: 清单合计只能对应"),
        ({**TABLE, "total": "number"}, "form.0.total: 合计列应是 amount 之一"),
        ({**TABLE, "columns": []}, "form.0.columns: 表格应有 1 到 12 列"),
        ({"type": "text", "key": "t", "label": "字", "required": "yes"}, "form.0.required: 应是 true、false"),
        (
            {"type": "text", "key": "t", "label": "字", "required": {"when": {"fact": "nothing", "is": True}}},
            "form.0.required.when.fact: ",
        ),
        ({"type": "text", "key": "t", "label": "字", "gte": "1"}, "form.0.gte: 没有这个键"),
    ],
)
def test_a_mistake_is_told_at_its_place(field: dict[str, Any], told: str) -> None:
    assert any(message.startswith(told) for message in mistakes(field)), mistakes(field)


def test_one_key_is_asked_for_once_even_where_it_follows_from_a_table() -> None:
    told = mistakes(TABLE, {"type": "fact", "fact": "contract_total"})
    assert told == ["form.1.fact: contract_total 与 form.0 重复；每个字段只问一次"]


def test_a_file_names_a_material_of_the_item() -> None:
    field = {"type": "file", "key": "drawing", "label": "图纸", "material": "drawing"}
    assert mistakes(field, materials={"lease"}) == ['form.0.material: 材料 "drawing" 不在申报材料里']
    assert parse_form([field], VOCABULARY, materials={"drawing"}).fields[0].material == "drawing"
