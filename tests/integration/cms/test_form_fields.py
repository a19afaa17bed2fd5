"""The form of an item: declared in the editor, checked at its place, part of the version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from wagtail.blocks.stream_block import StreamBlockValidationError

from cms.form_blocks import FormBlocks, form_blocks, form_fields
from cms.importers.lines import read_policy_lines
from cms.models import PolicyItemPage
from cms.rules import NotPublishable, unpublishable
from matching.models import PolicyItem
from matching.services.publish import FORM_WORDS
from matching.services.vocabulary import current_vocabulary
from tests.factories import cms

pytestmark = pytest.mark.django_db

FORM: list[dict[str, Any]] = [
    {"type": "fact", "fact": "project_investment", "help": "不含税", "gte": "100000", "required": False},
    {"type": "text", "key": "model", "label": "设备型号", "longest": 60},
    {
        "type": "choice",
        "key": "kind",
        "label": "建设性质",
        "options": [{"code": "new", "label": "新建"}, {"code": "upgrade", "label": "改造"}],
    },
    {
        "type": "number",
        "key": "area",
        "label": "原厂房面积",
        "unit": "㎡",
        "lte": "90000",
        "required": {"when": {"fact": "kind", "in": ["upgrade"]}},
    },
    {"type": "date", "key": "bought_on", "label": "购置日期", "past": True, "on_or_after": "2025-01-01"},
    {"type": "yes_no", "key": "leased", "label": "是否租用厂房"},
    {"type": "file", "key": "drawing", "label": "图纸", "material": "drawing"},
    {
        "type": "table",
        "key": "contracts",
        "label": "设备合同",
        "columns": [
            {"key": "number", "label": "合同号", "type": "text"},
            {"key": "amount", "label": "金额", "type": "money", "required": False},
            {
                "key": "origin",
                "label": "产地",
                "type": "choice",
                "options": [{"code": "home", "label": "国产"}, {"code": "abroad", "label": "进口"}],
            },
        ],
        "fact": "equipment_investment",
        "total": "amount",
        "gte": 1,
    },
]
DRAWING = {
    "code": "drawing",
    "name": "图纸",
    "source": "applicant",
    "required": False,
    "original": "electronic",
    "copies": 1,
    "tolerable": True,
    "promise": "",
    "note": "",
    "template": None,
    "sample": None,
}


def page_with(*fields: dict[str, Any], **more: Any) -> PolicyItemPage:
    page: PolicyItemPage = cms.item_page(
        form_fields=form_blocks(fields or FORM), materials=[("material", DRAWING)], **more
    )
    return page


def test_a_form_survives_the_editor_and_becomes_part_of_the_version() -> None:
    page = cms.publish(page_with())
    assert form_fields(PolicyItemPage.objects.get(pk=page.pk).form_fields) == FORM
    item = PolicyItem.objects.get(code=page.code)
    assert item.current_version is not None
    assert item.current_version.rules["form"] == FORM
    assert item.words[FORM_WORDS] == {"project_investment": "不含税"}
    # Another help is no other rule: it reaches the item without a version. Another bound makes one.
    other = [{**FORM[0], "help": "含税"}, *FORM[1:]]
    cms.publish(page, form_fields=form_blocks(other))
    item.refresh_from_db()
    assert (item.current_version.number, item.words[FORM_WORDS]) == (1, {"project_investment": "含税"})
    cms.publish(page, form_fields=form_blocks([{**other[0], "gte": "200000"}, *other[1:]]))
    item.refresh_from_db()
    assert item.current_version.number == 2


def test_an_item_without_a_form_of_its_own_keeps_its_rules_as_they_were() -> None:
    assert "form" not in cms.item_page().rules()


def test_each_mistake_stands_at_its_field_in_the_editor() -> None:
    cms.library()
    blocks = FormBlocks()
    value = blocks.to_python(
        [
            {"type": "text", "value": {"key": "registered_region", "label": "注册地", "required": "yes"}},
            {"type": "number", "value": {"key": "n", "label": "数", "gte": "5", "lte": "4", "required": "yes"}},
            {"type": "text", "value": {"key": "n", "label": "数", "required": "when", "when": "{"}},
        ]
    )
    with pytest.raises(StreamBlockValidationError) as caught:
        blocks.clean(value)
    told = caught.value.block_errors
    assert "是词表中的事实" in str(told[0].block_errors["key"])
    assert "上限 4 小于下限 5" in str(told[1].block_errors["lte"])
    assert "重复" in str(told[2].block_errors["key"])
    assert "when" in told[2].block_errors


def test_a_table_column_of_choices_is_saved_as_the_editor_sends_it() -> None:
    cms.library()
    blocks = FormBlocks()
    sent = {
        "f-count": "1",
        "f-0-deleted": "",
        "f-0-order": "0",
        "f-0-type": "table",
        "f-0-id": "",
        "f-0-value-key": "equipment",
        "f-0-value-label": "设备",
        "f-0-value-required": "yes",
        "f-0-value-columns-count": "2",
    }
    column = "f-0-value-columns-0-value"
    sent |= {"f-0-value-columns-0-deleted": "", "f-0-value-columns-0-order": "0", f"{column}-key": "origin"}
    sent |= {f"{column}-label": "产地", f"{column}-type": "choice", f"{column}-options-count": "2"}
    for number, (code, label) in enumerate([("home", "国产"), ("abroad", "进口")]):
        option = f"{column}-options-{number}"
        sent |= {f"{option}-deleted": "", f"{option}-order": str(number)}
        sent |= {f"{option}-value-code": code, f"{option}-value-label": label}
    column = "f-0-value-columns-1-value"
    sent |= {"f-0-value-columns-1-deleted": "", "f-0-value-columns-1-order": "1", f"{column}-key": "model"}
    sent |= {f"{column}-label": "型号", f"{column}-type": "text", f"{column}-options-count": "0"}
    cleaned = blocks.clean(blocks.value_from_datadict(sent, {}, "f"))
    (table,) = form_fields(cleaned)
    origin, model = table["columns"]
    assert origin["options"] == [{"code": "home", "label": "国产"}, {"code": "abroad", "label": "进口"}]
    assert "options" not in model
    # One option is no choice, and it is said at the columns.
    sent[f"{column}-type"] = "choice"
    with pytest.raises(StreamBlockValidationError) as caught:
        blocks.clean(blocks.value_from_datadict(sent, {}, "f"))
    assert "至少要有两个选项" in str(caught.value.block_errors[0].block_errors["columns"])


def test_a_file_must_be_a_material_of_the_item_or_it_is_not_published() -> None:
    with pytest.raises(ValidationError, match="不在申报材料里"):
        page_with({**FORM[6], "material": "photo"})
    page = page_with()
    with pytest.raises(ValidationError, match="不在申报材料里"):
        cms.publish(page, materials=[])
    page.materials = []
    with pytest.raises(NotPublishable, match="不在申报材料里"):
        unpublishable(page)


def test_a_file_of_items_may_carry_a_form_and_the_schema_knows_it() -> None:
    cms.library()
    line = {
        "code": "kj-form",
        "name": "技术改造补助",
        "department": "kejiju",
        "type": "recognition",
        "criteria": {"all": []},
        "materials": [{"code": "drawing", "name": "图纸"}],
        "form": FORM,
    }
    schema = json.loads((Path(settings.BASE_DIR) / "docs/schemas/policy-item.schema.json").read_text(encoding="utf-8"))
    schema["$defs"]["item"]["properties"]["criteria"] = {"type": "object"}
    valid = jsonschema.Draft202012Validator(schema)
    for bad in (None, {**FORM[1], "gte": "1"}, {**FORM[2], "options": []}, {"type": "poem", "key": "p", "label": "诗"}):
        said = {**line, "form": [*FORM, *([bad] if bad else [])]}
        found = read_policy_lines(
            [json.dumps(said, ensure_ascii=False).encode()], file="P.jsonl", vocabulary=current_vocabulary()
        )
        assert bool(found.problems) is bool(bad), found.problems
        assert valid.is_valid(said) is not bool(bad)
        assert not bad or str(found.problems[0]).startswith(f"P.jsonl:1: form.{len(FORM)}")
