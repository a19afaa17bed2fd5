"""The lines of a policy file, checked: every mistake with its place; no page or database is touched here."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from cms.limits import KINDS as LIMIT_KINDS
from cms.limits import STEPS as LIMITED_STEPS
from cms.limits import check_line
from matching.criteria import Collector, InvalidInput, Problem, Vocabulary, leaves, parse_criteria, read_json_lines
from matching.criteria.award import parse_award
from matching.criteria.errors import join, shown
from matching.criteria.values import read_date, read_integer, read_number
from matching.delivery_terms import MACHINE_STEPS
from matching.forms import parse_form
from matching.review_path import KINDS as PATH_KINDS
from matching.services.vocabulary import ITEM_TYPES

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MATERIAL_CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")
SOURCES = ("applicant", "library", "exchange", "form")
FORMS = ("electronic", "original", "copy")
DELIVERIES = ("automatic", "instant", "fast", "window")
STEP_KINDS = ("acceptance", "review", *PATH_KINDS, "second_review")

Reader = Callable[[Any, str, Collector], Any]


@dataclass(frozen=True, slots=True, order=True)
class LineProblem:
    """One mistake of a file; its text is ``FILE:LINE: PATH: reason``."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path or '$'}: {self.message}"


@dataclass(slots=True)
class Line:
    """A sound line: ``values`` holds what it says, typed, only the keys that it has."""

    number: int
    kind: str
    values: dict[str, Any]


@dataclass(slots=True)
class Reading:
    """What a file holds: the sound lines, and what is wrong with the others."""

    lines: list[Line] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)

    @property
    def bad_lines(self) -> set[int]:
        return {problem.line for problem in self.problems}


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


_NAME = text(longest=200, empty=False)
_READING = {
    "id": slug,
    "title": _NAME,
    "summary": text(),
    "body": many(paragraph_block, least=1),
}
_MATERIAL = {
    "code": material_code,
    "name": _NAME,
    "source": choice(SOURCES),
    "required": boolean,
    "original": choice(FORMS),
    "copies": whole(0, 20),
    "tolerable": boolean,
    "promise": text(),
    "note": text(),
}
_STEP = {
    "name": text(longest=60, empty=False),
    "by": text(longest=100),
    "days": whole(0, 1000),
    "note": text(),
    "kind": choice(STEP_KINDS),
    "departments": text(longest=400),
    "silence_consents": boolean,
    "checklist": text(),
}

_LIMITS = {kind: whole(0, 1000) for kind in LIMIT_KINDS}
_OWN_LIMITS = {kind: whole(1, 1000) for kind in LIMIT_KINDS}
_TERMS = {
    "machine": many(choice(tuple(MACHINE_STEPS))),
    "verified": many(text(longest=80, empty=False)),
    "most": money,
    "audit_share": whole(0, 100),
    "offer_days": whole(1, 250),
    "acceptance_days": whole(1, 250),
    "review_days": whole(1, 250),
    "skips": many(choice(tuple(PATH_KINDS))),
    "decide_within": whole(1, 250),
}

KINDS: dict[str, tuple[dict[str, Reader], tuple[str, ...]]] = {
    "department": (
        {
            "code": slug,
            "name": text(longest=80, empty=False),
            "short_name": text(longest=40),
            "phone": text(longest=40),
            "address": text(longest=200),
        },
        ("code", "name"),
    ),
    "budget_line": (
        {
            "code": slug,
            "year": whole(2000, 2100),
            "name": text(longest=120, empty=False),
            "department": slug,
            "ceiling": money,
            "source": text(longest=80),
        },
        ("code", "year", "name", "department", "ceiling"),
    ),
    "document": (
        {
            "number": text(longest=80, empty=False),
            "name": _NAME,
            "issuer": text(longest=120, empty=False),
            "issued_on": day,
            "effective_on": day,
            "expires_on": day,
            "summary": text(),
            "body": many(text(empty=False)),
        },
        ("number", "name", "issuer", "issued_on"),
    ),
    "item": (
        {
            "code": slug,
            "name": _NAME,
            "department": slug,
            "type": text(longest=60, empty=False),
            "criteria": anything,
            "award": anything,
            "form": many(anything),
            "audience": text(longest=300),
            "summary": text(),
            "sub_items": many(_NAME),
            "document": text(longest=80, empty=False),
            "clause": text(longest=120),
            "materials": many(record(_MATERIAL, required=("code", "name"))),
            "steps": many(record(_STEP, required=("name",))),
            "limits": record({**_LIMITS, **{step: record(_OWN_LIMITS) for step in LIMITED_STEPS}}),
            "fees": text(longest=120),
            "delivery": choice(DELIVERIES),
            "delivery_terms": record(_TERMS),
            "window": record({"from": day, "until": day}),
            "budget_line": slug,
            "ceiling": money,
            "publicity_days": whole(0, 60),
            "contact": record(
                {
                    "phone": text(longest=60),
                    "office": text(longest=120),
                    "address": text(longest=200),
                    "hours": text(longest=120),
                }
            ),
            "expires_on": day,
            "fair_competition": record({"reviewed_on": day, "reviewer": text(longest=120), "conclusion": text()}),
            "assessment": text(),
            "readings": many(record(_READING, required=("id", "title", "body"))),
        },
        ("code", "name", "department", "type", "criteria"),
    ),
    "reading": (
        {**_READING, "item": slug, "document": text(longest=80, empty=False)},
        ("id", "title", "body"),
    ),
}
IDENTITY = {
    "department": ("code",),
    "budget_line": ("code", "year"),
    "document": ("number",),
    "item": ("code",),
    "reading": ("id",),
}


def read_policy_lines(lines: Iterable[bytes], *, file: str, vocabulary: Vocabulary) -> Reading:
    """Every line of a policy file, checked by itself and for doubles. `file` is its name in messages."""
    found = Reading()
    taken: dict[tuple[Any, ...], int] = {}

    def tell(number: int, problems: Iterable[Problem]) -> None:
        found.problems.extend(LineProblem(file, number, problem.path, problem.message) for problem in problems)

    for number, value in read_json_lines(lines):
        if isinstance(value, InvalidInput):
            tell(number, value.problems)
            continue
        problems = Collector()
        line = _read_line(number, value, problems, vocabulary)
        if line is not None:
            for key, path in _identities(line):
                if key in taken:
                    problems.add(path, f"{shown(key[-1])} 与第 {taken[key]} 行重复")
                taken.setdefault(key, number)
        tell(number, problems.problems)
        if line is not None and not problems.problems:
            found.lines.append(line)
    return found


def _identities(line: Line) -> list[tuple[tuple[Any, ...], str]]:
    keys = IDENTITY[line.kind]
    found = [((line.kind, *(line.values.get(key) for key in keys)), keys[0])]
    for index, reading in enumerate(line.values.get("readings") or ()):
        found.append((("reading", (reading or {}).get("id")), f"readings.{index}.id"))
    return found


def _read_line(number: int, value: Any, problems: Collector, vocabulary: Vocabulary) -> Line | None:
    body = problems.mapping(value, "", "一行")
    if body is None:
        return None
    kind = problems.one_of(body.get("kind", "item"), "kind", "kind", tuple(KINDS))
    if kind is None:
        return None
    fields, required = KINDS[kind]
    rest = {key: member for key, member in body.items() if key != "kind"}
    values = record(fields, required=required)(rest, "", problems)
    assert values is not None
    if kind == "item":
        _check_item(values, problems, vocabulary)
    if kind == "reading" and ("item" in values) == ("document" in values):
        problems.add("", "解读要写明 item（事项编码）或 document（文号），二选一")
    if kind == "document":
        _check_order(values, "effective_on", "expires_on", "", problems)
    return Line(number, kind, values)


def _check_item(values: dict[str, Any], problems: Collector, vocabulary: Vocabulary) -> None:
    codes = [material.get("code") for material in values.get("materials") or () if material]
    for index, code in enumerate(codes):
        if code is not None and code in codes[:index]:
            problems.add(f"materials.{index}.code", f"材料代码 {shown(code)} 重复")
    if "criteria" in values:
        try:
            for leaf in leaves(parse_criteria(values["criteria"], vocabulary)):
                for code in leaf.evidence:
                    if code not in codes:
                        problems.add(f"criteria.{leaf.path}.evidence", f"材料 {shown(code)} 不在 materials 里")
        except InvalidInput as error:
            problems.problems.extend(error.problems)
    if values.get("award") is not None:
        try:
            award = parse_award(values["award"], vocabulary)
            if values.get("code") in award.exclusive_with:
                problems.add("award.exclusive_with", "不能与本事项自己互斥")
        except InvalidInput as error:
            problems.problems.extend(error.problems)
        if "budget_line" not in values:
            problems.add("", "涉及资金（有 award）的事项缺少键 budget_line")
    try:
        parse_form(values.get("form") or [], vocabulary, materials=[code for code in codes if code])
    except InvalidInput as error:
        problems.problems.extend(error.problems)
    types = vocabulary.code_lists.get(ITEM_TYPES)
    if values.get("type") is not None and (types is None or values["type"] not in types):
        problems.add("type", f"没有事项类型 {shown(values['type'])}；应是词表代码表 {ITEM_TYPES} 中的代码")
    window = values.get("window") or {}
    _check_order(window, "from", "until", "window", problems)
    if values.get("delivery") == "window" and not window.get("until"):
        problems.add("window", "限时即享（delivery 为 window）要有截止日 window.until")
    check_line(values.get("limits") or {}, problems.add)


def _check_order(values: dict[str, Any], first: str, second: str, path: str, problems: Collector) -> None:
    if values.get(first) and values.get(second) and values[second] < values[first]:
        problems.add(join(path, second), f"{second}（{values[second]}）不能早于 {first}（{values[first]}）")
