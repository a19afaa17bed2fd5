"""Readers of one value of a policy file: each takes the value, its path and a collector of mistakes."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from matching.criteria import Collector
from matching.criteria.errors import join, shown
from matching.criteria.values import read_date, read_integer, read_number

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MATERIAL_CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")

Reader = Callable[[Any, str, Collector], Any]


def text(*, longest: int = 10_000, empty: bool = True) -> Reader:
    def read(value: Any, path: str, problems: Collector) -> str | None:
        said = problems.text(value, path, "这一项", empty=empty)
        if said is None:
            return None
        if len(said) > longest:
            problems.add(path, f"最多 {longest} 个字符，现有 {len(said)} 个")
            return None
        if any(ord(character) < 32 and character not in "\n\t" for character in said):
            problems.add(path, "不能含控制字符")
            return None
        return said

    return read


def slug(value: Any, path: str, problems: Collector) -> str | None:
    said = problems.text(value, path, "编码")
    if said is not None and (len(said) > 60 or not SLUG.fullmatch(said)):
        problems.add(path, f"只用小写字母、数字和短横，最多 60 个字符，如 kj-hightech，现为 {shown(said)}")
        return None
    return said


def material_code(value: Any, path: str, problems: Collector) -> str | None:
    said = problems.text(value, path, "材料代码")
    if said is not None and not MATERIAL_CODE.fullmatch(said):
        problems.add(path, f"只用字母、数字、短横和下划线，最多 60 个字符，现为 {shown(said)}")
        return None
    return said


def day(value: Any, path: str, problems: Collector) -> date | None:
    return read_date(value, path, problems)


def whole(least: int, most: int) -> Reader:
    def read(value: Any, path: str, problems: Collector) -> int | None:
        number = read_integer(value, path, problems, "这一项")
        if number is not None and not least <= number <= most:
            problems.add(path, f"应在 {least} 到 {most} 之间，现为 {number}")
            return None
        return number

    return read


def money(value: Any, path: str, problems: Collector) -> Decimal | None:
    number = read_number(value, path, problems, "金额")
    if number is None:
        return None
    if number < 0 or number != number.quantize(Decimal("0.01")):
        problems.add(path, f"金额应不小于 0，最多两位小数，现为 {shown(value)}")
        return None
    return number.quantize(Decimal("0.01"))


def boolean(value: Any, path: str, problems: Collector) -> bool | None:
    return problems.boolean(value, path, "这一项")


def choice(allowed: tuple[str, ...]) -> Reader:
    return lambda value, path, problems: problems.one_of(value, path, "这一项", allowed)


def anything(value: Any, path: str, problems: Collector) -> Any:
    return value


def many(member: Reader, *, least: int = 0) -> Reader:
    def read(value: Any, path: str, problems: Collector) -> list[Any] | None:
        items = problems.sequence(value, path, "这一项")
        if items is None:
            return None
        if len(items) < least:
            problems.add(path, f"至少要有 {least} 项")
        return [member(item, join(path, index), problems) for index, item in enumerate(items)]

    return read


def record(fields: dict[str, Reader], *, required: Iterable[str] = ()) -> Reader:
    def read(value: Any, path: str, problems: Collector) -> dict[str, Any] | None:
        body = problems.mapping(value, path, "这一项")
        if body is None:
            return None
        problems.keys(body, path, allowed=fields, required=required)
        return {key: fields[key](member, join(path, key), problems) for key, member in body.items() if key in fields}

    return read


def paragraph_block(value: Any, path: str, problems: Collector) -> tuple[str, Any] | None:
    """One part of a reading's body as (block type, value)."""
    body = problems.mapping(value, path, "正文段落")
    if body is None:
        return None
    if "question" in body or "answer" in body:
        fields = {"question": text(longest=300, empty=False), "answer": text(empty=False)}
        found = record(fields, required=fields)(body, path, problems)
        return ("question", found)
    if len(body) == 1 and (kind := next(iter(body))) in ("heading", "paragraph"):
        said = text(longest=200 if kind == "heading" else 10_000, empty=False)(body[kind], join(path, kind), problems)
        return (kind, said)
    problems.add(path, '正文的每一段是 {"heading"}、{"paragraph"} 或 {"question", "answer"} 之一')
    return None
