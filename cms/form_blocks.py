"""The blocks of which an item's form is built in the editor, and the form of a version's rules made of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.stream_block import StreamBlockValidationError
from wagtail.blocks.struct_block import StructBlockValidationError

from matching.criteria import FactType, InvalidInput, Scope, canonical_json, load_json
from matching.forms import parse_form
from matching.services.vocabulary import current_vocabulary

KEY = RegexValidator(
    r"\A[a-z][a-z0-9_]{0,59}\Z", _("字段代码以小写字母开头，只用小写字母、数字和下划线，最多 60 个字符")
)
REQUIRED = [("yes", _("必填")), ("no", _("选填")), ("when", _("满足条件时必填"))]
_TEXTS = ("label", "help", "unit", "fact", "material", "gte", "lte", "total")
_DAYS = ("on_or_after", "on_or_before")


def all_facts() -> list[tuple[str, str]]:
    """The facts of the vocabulary in force, the form's own first."""
    facts = sorted(current_vocabulary().facts.values(), key=lambda fact: fact.scope is not Scope.APPLICATION)
    return [(fact.key, f"{fact.label}（{fact.key}）") for fact in facts]


def sums() -> list[tuple[str, str]]:
    """The facts that can be the total of a table."""
    return [
        (fact.key, f"{fact.label}（{fact.key}）")
        for fact in current_vocabulary().facts.values()
        if fact.scope is Scope.APPLICATION and fact.type is FactType.NUMBER
    ]


class _Field(blocks.StructBlock):
    """What every field has."""

    label = blocks.CharBlock(label=_("名称"), max_length=60)
    help = blocks.TextBlock(label=_("填写说明"), required=False, rows=2)
    required = blocks.ChoiceBlock(label=_("是否必填"), choices=REQUIRED, default="yes")
    when = blocks.TextBlock(
        label=_("必填的条件"),
        required=False,
        rows=2,
        help_text=_('条件语言，可引用词表事实和本表其他字段，如 {"fact": "leased", "is": true}'),
    )

    class Meta:
        icon = "form"
        label_format = "{label}"


class _OwnField(_Field):
    """A question of the item's own."""

    key = blocks.CharBlock(label=_("字段代码"), max_length=60, validators=[KEY])


class FactBlock(_Field):
    label = blocks.CharBlock(label=_("名称"), max_length=60, required=False, help_text=_("不填则用词表中的名称"))
    fact = blocks.ChoiceBlock(label=_("词表事实"), choices=all_facts)
    gte = blocks.CharBlock(label=_("不小于"), required=False, max_length=20)
    lte = blocks.CharBlock(label=_("不大于"), required=False, max_length=20)
    on_or_after = blocks.DateBlock(label=_("不早于"), required=False)
    on_or_before = blocks.DateBlock(label=_("不晚于"), required=False)
    past = blocks.BooleanBlock(label=_("不晚于填写当天"), required=False)

    class Meta:
        label = _("词表事实（自动预填、参与判断）")
        icon = "tag"
        label_format = "{fact} {label}"


class TextFieldBlock(_OwnField):
    longest = blocks.IntegerBlock(label=_("最多字数"), default=500, min_value=1, max_value=5000)

    class Meta:
        label = _("文字")


class NumberFieldBlock(_OwnField):
    unit = blocks.CharBlock(label=_("单位"), max_length=10, required=False)
    gte = blocks.CharBlock(label=_("不小于"), required=False, max_length=20)
    lte = blocks.CharBlock(label=_("不大于"), required=False, max_length=20)

    class Meta:
        label = _("数值")


class MoneyFieldBlock(_OwnField):
    gte = blocks.CharBlock(label=_("不小于（元）"), required=False, max_length=20)
    lte = blocks.CharBlock(label=_("不大于（元）"), required=False, max_length=20)

    class Meta:
        label = _("金额（元）")


class DateFieldBlock(_OwnField):
    on_or_after = blocks.DateBlock(label=_("不早于"), required=False)
    on_or_before = blocks.DateBlock(label=_("不晚于"), required=False)
    past = blocks.BooleanBlock(label=_("不晚于填写当天"), required=False)

    class Meta:
        label = _("日期")


class OptionBlock(blocks.StructBlock):
    code = blocks.CharBlock(label=_("选项代码"), max_length=60)
    label = blocks.CharBlock(label=_("选项名称"), max_length=120)


class ChoiceFieldBlock(_OwnField):
    options = blocks.ListBlock(OptionBlock(), label=_("选项"), min_num=2)

    class Meta:
        label = _("单选")


class ChoicesFieldBlock(_OwnField):
    options = blocks.ListBlock(OptionBlock(), label=_("选项"), min_num=2)
    gte = blocks.IntegerBlock(label=_("至少选几项"), required=False, min_value=0)
    lte = blocks.IntegerBlock(label=_("最多选几项"), required=False, min_value=1)

    class Meta:
        label = _("多选")


class YesNoFieldBlock(_OwnField):
    class Meta:
        label = _("是或否")


class FileFieldBlock(_OwnField):
    material = blocks.CharBlock(
        label=_("材料代码"), max_length=60, help_text=_("是“申报材料”中的哪一份；文件按材料存放、核验和复用")
    )

    class Meta:
        label = _("文件")
        icon = "doc-full"


class InvoicesBlock(_Field):
    label = blocks.CharBlock(label=_("名称"), max_length=60, required=False)
    fact = blocks.ChoiceBlock(label=_("合计记为"), choices=sums, default="invoice_total")

    class Meta:
        label = _("发票清单（同一发票只能享受一次）")
        icon = "table"


class ColumnBlock(blocks.StructBlock):
    key = blocks.CharBlock(label=_("列代码"), max_length=60, validators=[KEY])
    label = blocks.CharBlock(label=_("列名"), max_length=60)
    type = blocks.ChoiceBlock(
        label=_("类型"),
        choices=[
            ("text", _("文字")),
            ("number", _("数值")),
            ("money", _("金额（元）")),
            ("date", _("日期")),
            ("choice", _("单选")),
        ],
        default="text",
    )
    unit = blocks.CharBlock(label=_("单位"), max_length=10, required=False)
    required = blocks.BooleanBlock(label=_("必填"), required=False, default=True)
    options = blocks.ListBlock(OptionBlock(), label=_("选项（类型为单选才填写）"), default=[], min_num=0)


class TableFieldBlock(_OwnField):
    columns = blocks.ListBlock(ColumnBlock(), label=_("列"), min_num=1, max_num=12)
    total = blocks.CharBlock(label=_("合计哪一列（列代码）"), required=False, max_length=60)
    fact = blocks.ChoiceBlock(label=_("合计记为"), choices=sums, required=False)
    gte = blocks.IntegerBlock(label=_("至少几行"), required=False, min_value=0)
    lte = blocks.IntegerBlock(label=_("最多几行"), required=False, min_value=1, max_value=200)

    class Meta:
        label = _("表格（合同、设备等）")
        icon = "table"


class FormBlocks(blocks.StreamBlock):
    """The form; what is wrong with a field is told at the field."""

    fact = FactBlock()
    text = TextFieldBlock()
    number = NumberFieldBlock()
    money = MoneyFieldBlock()
    date = DateFieldBlock()
    choice = ChoiceFieldBlock()
    choices = ChoicesFieldBlock()
    yes_no = YesNoFieldBlock()
    file = FileFieldBlock()
    invoices = InvoicesBlock()
    table = TableFieldBlock()

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        try:
            parse_form(form_fields(cleaned), current_vocabulary())
        except InvalidInput as error:
            raise _at_their_places(error, cleaned) from error
        return cleaned


def form_fields(stream: Any) -> list[dict[str, Any]]:
    """The fields as the rules of a version keep them: only what says something."""
    return [_field(block.block_type, block.value) for block in stream or ()]


def form_blocks(fields: Iterable[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The other way: the fields of a file as blocks of the editor."""
    return [(field["type"], _block(field)) for field in fields]


def _field(kind: str, value: Any) -> dict[str, Any]:
    field: dict[str, Any] = {"type": kind}
    if value.get("key"):
        field["key"] = value["key"]
    field |= {name: str(value[name]).strip() for name in _TEXTS if isinstance(value.get(name), str) and value[name]}
    # Numbers of choices and rows are integers, bounds of amounts exact text.
    field |= {name: value[name] for name in ("gte", "lte", "longest") if isinstance(value.get(name), int)}
    field |= {name: value[name].isoformat() for name in _DAYS if value.get(name)}
    if value.get("past"):
        field["past"] = True
    if value.get("options"):
        field["options"] = _options(value)
    if value.get("columns"):
        field["columns"] = [_column(column) for column in value["columns"]]
    if value.get("required") == "when":
        field["required"] = {"when": _condition(value.get("when") or "")}
    elif value.get("required") == "no":
        field["required"] = False
    return field


def _condition(text: str) -> Any:
    """The condition as data; what is no JSON is left as it is, for the reader of the form to find fault with."""
    try:
        found = load_json(text, "when")
    except InvalidInput:
        return text
    return found


def _column(value: Any) -> dict[str, Any]:
    column = {"key": value["key"], "label": value["label"], "type": value["type"] or "text"}
    if value.get("unit"):
        column["unit"] = value["unit"]
    if not value.get("required"):
        column["required"] = False
    if value.get("options"):
        column["options"] = _options(value)
    return column


def _options(value: Any) -> list[dict[str, str]]:
    return [{"code": one["code"], "label": one["label"]} for one in value["options"]]


def _block(field: dict[str, Any]) -> dict[str, Any]:
    required = field.get("required", True)
    value = {key: member for key, member in field.items() if key not in ("type", "required")}
    value["required"] = "when" if isinstance(required, dict) else "yes" if required else "no"
    value["when"] = canonical_json(required["when"]) if isinstance(required, dict) else ""
    value["columns"] = [{"type": "text", "required": True, **column} for column in field.get("columns", ())]
    value |= {name: date.fromisoformat(value[name]) for name in _DAYS if isinstance(value.get(name), str)}
    defaults: dict[str, Any] = {"label": "", "help": ""}
    return {**defaults, **{key: member for key, member in value.items() if member != [] or key == "options"}}


def _at_their_places(error: InvalidInput, stream: Any) -> ValidationError:
    """The mistakes laid onto the blocks and fields that their places (`form.<position>.<key>…`) name."""
    by_block: dict[int, dict[str, list[str]]] = {}
    rest: list[str] = []
    for problem in error.problems:
        parts = problem.path.split(".")
        if len(parts) < 2 or not parts[1].isdigit():
            rest.append(problem.message)
            continue
        name = parts[2] if len(parts) > 2 else ""
        name = "when" if name == "required" else name
        by_block.setdefault(int(parts[1]), {}).setdefault(name, []).append(problem.message)
    errors: dict[int, ValidationError] = {}
    for position, told in by_block.items():
        known = stream[position].block.child_blocks
        placed = {name: ValidationError(messages) for name, messages in told.items() if name in known}
        loose = [message for name, messages in told.items() if name not in known for message in messages]
        errors[position] = StructBlockValidationError(
            block_errors=placed, non_block_errors=[ValidationError(loose)] if loose else None
        )
    return StreamBlockValidationError(block_errors=errors, non_block_errors=[ValidationError(rest)] if rest else None)
