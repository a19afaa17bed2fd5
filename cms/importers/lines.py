"""The lines of a policy file, checked: every mistake with its place; no page or database is touched here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cms.importers.readers import record
from cms.importers.shapes import IDENTITY, KINDS
from cms.limits import check_line
from matching.criteria import Collector, InvalidInput, Problem, Vocabulary, leaves, parse_criteria, read_json_lines
from matching.criteria.award import parse_award
from matching.criteria.errors import join, shown
from matching.files import LineProblem
from matching.forms import parse_form
from matching.services.vocabulary import ITEM_TYPES


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
