"""Reading a form's declaration: every mistake with its place, as `form.<position>.<key>`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from matching.criteria import Collector, FactType, InvalidInput, Node, Scope, Vocabulary, parse_criteria
from matching.criteria.errors import join, shown
from matching.criteria.values import read_date, read_number

from .fields import FieldType, Form, FormField, widened
from .parts import KEY, PartsReader

MOST_FIELDS = 60
MOST_ROWS = 200
LONGEST_TEXT = 5000
_COMMON = ("type", "key", "label", "help", "required")
_KEYS: dict[FieldType, tuple[str, ...]] = {
    FieldType.FACT: ("fact", "gte", "lte", "on_or_after", "on_or_before", "past"),
    FieldType.TEXT: ("longest",),
    FieldType.NUMBER: ("unit", "gte", "lte"),
    FieldType.MONEY: ("gte", "lte"),
    FieldType.DATE: ("on_or_after", "on_or_before", "past"),
    FieldType.CHOICE: ("options",),
    FieldType.CHOICES: ("options", "gte", "lte"),
    FieldType.YES_NO: (),
    FieldType.FILE: ("material",),
    FieldType.INVOICES: ("fact",),
    FieldType.TABLE: ("columns", "fact", "total", "gte", "lte"),
}


def parse_form(
    data: Any, vocabulary: Vocabulary, path: str = "form", *, materials: Collection[str] | None = None
) -> Form:
    """The form of an item. `materials`: the codes that a file may name; None leaves that unchecked.

    Raises InvalidInput with every mistake: unknown fact, repeated key, bounds that hold nothing, a condition that
    cannot be read.
    """
    problems = Collector()
    reader = _Reader(vocabulary, problems, materials)
    items = problems.sequence(data, path, "申报表") or []
    if len(items) > MOST_FIELDS:
        problems.add(path, f"最多 {MOST_FIELDS} 个字段，现有 {len(items)} 个；请合并或删去")
    drafts: list[tuple[FormField, Any, str]] = []
    taken: dict[str, str] = {}
    for position, item in enumerate(items):
        place = join(path, position)
        found = reader.field(item, place)
        if found is None:
            continue
        one, when = found
        for key in dict.fromkeys([one.key, *([one.derived] if one.derived else [])]):
            if key in taken:
                problems.add(
                    join(place, "fact" if key == one.fact else "key"), f"{key} 与 {taken[key]} 重复；每个字段只问一次"
                )
            taken.setdefault(key, place)
        drafts.append((one, when, place))
    if sum(one.type is FieldType.INVOICES for one, _when, _place in drafts) > 1:
        problems.add(path, "一个事项只能有一张发票清单")
    wide = widened(vocabulary, tuple(one for one, _when, _place in drafts))
    fields = tuple(
        one if when is None else replace(one, when=reader.condition(when, wide, one, place))
        for one, when, place in drafts
    )
    problems.raise_if_any()
    return Form(fields, wide)


class _Reader(PartsReader):
    def field(self, data: Any, place: str) -> tuple[FormField, Any] | None:
        """The field without its condition, and the condition as it was written."""
        problems = self.problems
        body = problems.mapping(data, place, "字段")
        if body is None:
            return None
        kind_text = problems.one_of(body.get("type"), join(place, "type"), "字段类型", [str(t) for t in FieldType])
        if kind_text is None:
            return None
        kind = FieldType(kind_text)
        own_key = kind not in (FieldType.FACT, FieldType.INVOICES)
        needed = ("key", "label") if own_key else ("fact",)
        allowed = tuple(key for key in (*_COMMON, *_KEYS[kind]) if own_key or key != "key")
        problems.keys(body, place, allowed=allowed, required=needed)
        key = self.own_key(body, place) if own_key else None
        fact = self.fact(body, kind, place)
        label = self.text(body, "label", place, most=60, empty=not own_key)
        if not own_key:
            key = fact
            label = label or (self.vocabulary.facts[fact].label if fact else "")
        required, when = self.required(body, place)
        if key is None or label is None:
            return None
        lower, upper = self.bounds(body, kind, fact, place)
        earliest, latest = self.days(body, kind, fact, place)
        columns = self.columns(body, place) if kind is FieldType.TABLE else ()
        made = FormField(
            key=key,
            type=kind,
            label=label,
            help=self.text(body, "help", place, most=500, empty=True) or "",
            required=required,
            unit=self.text(body, "unit", place, most=10, empty=True) or "",
            lower=lower,
            upper=upper,
            earliest=earliest,
            latest=latest,
            past=self.flag(body, "past", place),
            longest=self.whole(body, "longest", place, 1, LONGEST_TEXT) or 500,
            options=self.options(body, place) if kind in (FieldType.CHOICE, FieldType.CHOICES) else {},
            fact=fact,
            material=self.material(body, place) if kind is FieldType.FILE else None,
            columns=columns,
            total=self.total(body, columns, place) if kind is FieldType.TABLE else None,
        )
        return made, when

    def own_key(self, body: dict[str, Any], place: str) -> str | None:
        at = join(place, "key")
        key = self.problems.text(body.get("key"), at, "字段代码") if "key" in body else None
        if key is None:
            return None
        if not KEY.fullmatch(key):
            self.problems.add(
                at, f"字段代码用小写字母开头，只含小写字母、数字和下划线，最多 60 个字符，现为 {shown(key)}"
            )
            return None
        if key in self.vocabulary.facts:
            self.problems.add(at, f'{key} 是词表中的事实；要问这个事实，请用 {{"type": "fact", "fact": "{key}"}}')
            return None
        return key

    def fact(self, body: dict[str, Any], kind: FieldType, place: str) -> str | None:
        at = join(place, "fact")
        if "fact" not in body or "fact" not in _KEYS[kind]:
            return None
        key = self.problems.text(body["fact"], at, "事实")
        if key is None:
            return None
        definition = self.vocabulary.facts.get(key)
        if definition is None:
            self.problems.add(at, f"词表中没有事实 {shown(key)}；请从词表中选择")
            return None
        is_sum = definition.type is FactType.NUMBER and definition.scope is Scope.APPLICATION
        if kind is not FieldType.FACT and not is_sum:
            self.problems.add(at, f"清单合计只能对应申报表填写的数值事实，“{definition.label}”不是")
            return None
        return key

    def required(self, body: dict[str, Any], place: str) -> tuple[bool, Any]:
        """(whether it is required at all, the condition as written or None)."""
        said = body.get("required", True)
        if isinstance(said, bool):
            return said, None
        at = join(place, "required")
        if isinstance(said, dict):
            self.problems.keys(said, at, allowed=("when",), required=("when",))
            return True, said.get("when")
        self.problems.add(at, '应是 true、false 或 {"when": {…条件…}}，现为 ' + shown(said))
        return True, None

    def condition(self, data: Any, wide: Vocabulary, one: FormField, place: str) -> Node | None:
        try:
            return parse_criteria(data, wide, join(join(place, "required"), "when"))
        except InvalidInput as error:
            self.problems.include(error.problems)
            return None

    def bounds(
        self, body: dict[str, Any], kind: FieldType, fact: str | None, place: str
    ) -> tuple[Decimal | None, Decimal | None]:
        counts = kind in (FieldType.CHOICES, FieldType.TABLE)
        found: list[Decimal | None] = []
        for key in ("gte", "lte"):
            if key not in body or key not in _KEYS[kind]:
                found.append(None)
                continue
            at = join(place, key)
            if kind is FieldType.FACT and fact and self.vocabulary.facts[fact].type is not FactType.NUMBER:
                self.problems.add(at, f"“{self.vocabulary.facts[fact].label}”不是数值，不能设上下限")
                found.append(None)
            elif counts:
                number = self.whole(body, key, place, 0, MOST_ROWS)
                found.append(None if number is None else Decimal(number))
            else:
                found.append(read_number(body[key], at, self.problems, "界限"))
        lower, upper = found
        if lower is not None and upper is not None and lower > upper:
            self.problems.add(join(place, "lte"), f"上限 {upper} 小于下限 {lower}，没有可填的值")
        return lower, upper

    def days(
        self, body: dict[str, Any], kind: FieldType, fact: str | None, place: str
    ) -> tuple[date | None, date | None]:
        found: list[date | None] = []
        is_date = fact is None or self.vocabulary.facts[fact].type is FactType.DATE
        for key in ("on_or_after", "on_or_before"):
            known = key in body and key in _KEYS[kind]
            if known and not is_date:
                self.problems.add(join(place, key), "这个事实不是日期，不能设最早、最晚日期")
            found.append(read_date(body[key], join(place, key), self.problems) if known and is_date else None)
        earliest, latest = found
        if earliest is not None and latest is not None and earliest > latest:
            self.problems.add(join(place, "on_or_before"), f"最晚 {latest} 早于最早 {earliest}，没有可填的日期")
        return earliest, latest
