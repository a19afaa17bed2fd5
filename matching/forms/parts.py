"""The parts of a field that are read alike wherever they stand: texts, flags, numbers, options, columns."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from matching.criteria import Collector, Vocabulary
from matching.criteria.errors import join, shown
from matching.criteria.values import read_integer

from .fields import COLUMN_TYPES, Column, FieldType

MOST_OPTIONS = 200
MOST_COLUMNS = 12
KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
_COLUMN_KEYS = ("key", "label", "type", "required", "unit", "options")


class PartsReader:
    """Reads the parts of a field; what is wrong goes to `problems` with its place."""

    def __init__(self, vocabulary: Vocabulary, problems: Collector, materials: Collection[str] | None) -> None:
        self.vocabulary, self.problems, self.materials = vocabulary, problems, materials

    def text(self, body: dict[str, Any], key: str, place: str, *, most: int, empty: bool) -> str | None:
        if key not in body:
            return None
        said = self.problems.text(body[key], join(place, key), "这一项", empty=empty)
        if said is not None and len(said) > most:
            self.problems.add(join(place, key), f"最多 {most} 个字，现有 {len(said)} 个")
            return None
        return said

    def flag(self, body: dict[str, Any], key: str, place: str) -> bool:
        return key in body and bool(self.problems.boolean(body[key], join(place, key), "这一项"))

    def whole(self, body: dict[str, Any], key: str, place: str, least: int, most: int) -> int | None:
        if key not in body:
            return None
        number = read_integer(body[key], join(place, key), self.problems, "这一项")
        if number is not None and not least <= number <= most:
            self.problems.add(join(place, key), f"应在 {least} 到 {most} 之间，现为 {number}")
            return None
        return number

    def options(self, body: dict[str, Any], place: str) -> dict[str, str]:
        at = join(place, "options")
        items = self.problems.sequence(body.get("options", []), at, "选项") or []
        found: dict[str, str] = {}
        for position, item in enumerate(items):
            here = join(at, position)
            pair = self.problems.mapping(item, here, "选项")
            if pair is None:
                continue
            self.problems.keys(pair, here, allowed=("code", "label"), required=("code", "label"))
            code = self.text(pair, "code", here, most=60, empty=False)
            label = self.text(pair, "label", here, most=120, empty=False)
            if code is None or label is None:
                continue
            if code in found:
                self.problems.add(join(here, "code"), f"选项 {shown(code)} 重复")
            found.setdefault(code, label)
        if len(items) < 2:
            self.problems.add(at, "至少要有两个选项")
        if len(items) > MOST_OPTIONS:
            self.problems.add(at, f"最多 {MOST_OPTIONS} 个选项")
        return found

    def material(self, body: dict[str, Any], place: str) -> str | None:
        at = join(place, "material")
        if "material" not in body:
            self.problems.add(place, "缺少键 material：文件字段要写明是哪一份申报材料")
            return None
        code = self.problems.text(body["material"], at, "材料代码")
        if code is not None and self.materials is not None and code not in self.materials:
            self.problems.add(at, f"材料 {shown(code)} 不在申报材料里")
        return code

    def columns(self, body: dict[str, Any], place: str) -> tuple[Column, ...]:
        at = join(place, "columns")
        items = self.problems.sequence(body.get("columns", []), at, "表格的列") or []
        if not 1 <= len(items) <= MOST_COLUMNS:
            self.problems.add(at, f"表格应有 1 到 {MOST_COLUMNS} 列，现有 {len(items)} 列")
        found: list[Column] = []
        for position, item in enumerate(items):
            one = self.column(item, join(at, position))
            if one is None:
                continue
            if any(one.key == other.key for other in found):
                self.problems.add(join(join(at, position), "key"), f"列 {one.key} 重复")
            found.append(one)
        return tuple(found)

    def column(self, data: Any, place: str) -> Column | None:
        body = self.problems.mapping(data, place, "列")
        if body is None:
            return None
        self.problems.keys(body, place, allowed=_COLUMN_KEYS, required=("key", "label"))
        key = self.text(body, "key", place, most=60, empty=False)
        label = self.text(body, "label", place, most=60, empty=False)
        kind = self.problems.one_of(
            body.get("type", "text"), join(place, "type"), "列的类型", [str(t) for t in COLUMN_TYPES]
        )
        if key is not None and not KEY.fullmatch(key):
            self.problems.add(join(place, "key"), "列代码用小写字母开头，只含小写字母、数字和下划线")
            return None
        if key is None or label is None or kind is None:
            return None
        required = self.flag(body, "required", place) if "required" in body else True
        options = self.options(body, place) if kind == FieldType.CHOICE else {}
        unit = self.text(body, "unit", place, most=10, empty=True) or ""
        return Column(key, label, FieldType(kind), required, unit, options)

    def total(self, body: dict[str, Any], columns: tuple[Column, ...], place: str) -> str | None:
        if ("total" in body) != ("fact" in body):
            self.problems.add(place, "total（合计哪一列）和 fact（合计记为哪个事实）要同时写")
            return None
        if "total" not in body:
            return None
        at = join(place, "total")
        summed = [one.key for one in columns if one.type in (FieldType.NUMBER, FieldType.MONEY)]
        if not summed:
            self.problems.add(at, "表格里没有数值或金额列可以合计")
            return None
        return self.problems.one_of(body["total"], at, "合计列", summed)
