"""The column map: which column of a table is which fact, in which unit and writing.

A map file (TOML or JSON):

    sheet = "企业名单"            # XLSX: the sheet (default: the first)
    header_row = 1               # the row that holds the headers
    empty = ["-", "无数据"]       # texts that say: not known (an empty cell always does)

    [columns]
    "企业名称" = "name"
    "统一社会信用代码" = "credit_code"
    "去年营收" = { to = "revenue.2025", factor = "10000" }
    "证书" = { to = "qualifications", codes = { "高企" = "high_tech" }, separator = "、" }
    "高企发证日" = { to = "qualifications.high_tech.on", format = "%d/%m/%Y" }

Columns of the table that the map does not name are left out and listed. Without a map a header is a fact's key or
label by itself: `revenue.2025`, `2025年营业收入（万元）`, `成立日期`.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from matching.criteria import Collector, FactDefinition, FactType, InvalidInput, Vocabulary, load_json
from matching.criteria.errors import join, shown
from matching.criteria.values import read_number
from matching.files import LineProblem
from matching.importers.lines import Unusable

ONE = Decimal(1)
_BUILT_IN = {
    "id": "id",
    "编号": "id",
    "企业编号": "id",
    "name": "name",
    "企业名称": "name",
    "名称": "name",
    "credit_code": "credit_code",
    "统一社会信用代码": "credit_code",
}
_UNITS = {"元": ONE, "万元": Decimal(10_000), "亿元": Decimal(100_000_000)}
_LABELLED = re.compile(r"(?:(?P<year>[0-9]{4})年度?)?(?P<label>.+?)(?:[（(](?P<unit>[^（）()]{1,8})[）)])?")
_YEAR = re.compile(r"[0-9]{4}")
_MEASURED = (FactType.NUMBER, FactType.YEARLY, FactType.RECORDS)


@dataclass(frozen=True, slots=True)
class Column:
    """Where one column goes: `id`, `name`, `credit_code`, or the fact `definition` and a part of it (a year; or a
    record's code and field)."""

    header: str
    target: str
    definition: FactDefinition | None = None
    year: str = ""
    code: str = ""
    part: str = ""
    factor: Decimal = ONE
    codes: Mapping[str, str] = field(default_factory=dict)
    separator: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A map as read: headers to what is said of them, not yet held against a table."""

    file: str
    columns: Mapping[str, Mapping[str, Any]]
    sheet: str = ""
    header_row: int = 1
    empty: frozenset[str] = frozenset()


def read_column_map(path: Path, vocabulary: Vocabulary) -> ColumnMap:
    """A map file. Raises Unusable with every mistake and its place."""
    try:
        content = path.read_bytes()
        data = load_json(content) if path.suffix.lower() == ".json" else tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise _unusable(path, 0, "", f"打不开列映射文件：{error.strerror}") from None
    except InvalidInput as error:
        raise Unusable([LineProblem(str(path), 1, p.path, p.message) for p in error.problems]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unusable(path, 1, "", f"列映射不是有效的 TOML（UTF-8）：{error}") from None
    problems = Collector()
    body = problems.mapping(data, "", "列映射") or {}
    problems.keys(body, "", allowed=("sheet", "header_row", "empty", "columns"), required=("columns",))
    sheet = problems.text(body.get("sheet", ""), "sheet", "工作表名", empty=True) or ""
    header_row = body.get("header_row", 1)
    if not isinstance(header_row, int) or isinstance(header_row, bool) or not 1 <= header_row <= 100:
        problems.add("header_row", f"表头行应是 1 至 100 的整数，现为 {shown(header_row)}")
    empty = problems.sequence(body.get("empty", []), "empty", "empty ") or []
    for index, text in enumerate(empty):
        problems.text(text, join("empty", index), "表示未知的文本", empty=True)
    said: dict[str, dict[str, Any]] = {}
    for header, spec in (problems.mapping(body.get("columns", {}), "columns", "columns ") or {}).items():
        place = join("columns", header)
        full = {"to": spec} if isinstance(spec, str) else problems.mapping(spec, place, "列的去向")
        if full is not None:
            said[header.strip()] = full
            column_of(header, full, vocabulary, place, problems)
    if problems.problems:
        raise Unusable([LineProblem(str(path), 1, p.path, p.message) for p in problems.problems])
    return ColumnMap(str(path), said, sheet, header_row, frozenset(map(str.strip, empty)))


def column_of(
    header: str, spec: Mapping[str, Any], vocabulary: Vocabulary, place: str, problems: Collector
) -> Column | None:
    """One column from what the map says of it."""
    problems.keys(dict(spec), place, allowed=("to", "factor", "codes", "separator", "format"), required=("to",))
    to = spec.get("to")
    if not isinstance(to, str):
        if "to" in spec:
            problems.add(join(place, "to"), f"应是 id、name、credit_code 或事实的 key，现为 {shown(to)}")
        return None
    column = _target(header, to, vocabulary, join(place, "to"), problems)
    if column is None:
        return None
    kind = column.definition.type if column.definition else None
    factor = ONE
    if "factor" in spec:
        factor = read_number(spec["factor"], join(place, "factor"), problems, "倍数") or ONE
        if kind not in _MEASURED:
            problems.add(join(place, "factor"), "只有数值（number、yearly、records 的金额）才有倍数")
        elif factor <= 0:
            problems.add(join(place, "factor"), f'倍数应大于 0，如 "10000"（万元），现为 {shown(spec["factor"])}')
    codes = problems.mapping(spec.get("codes", {}), join(place, "codes"), "codes ") or {}
    if codes and kind not in (FactType.CODE, FactType.RECORDS):
        problems.add(join(place, "codes"), "只有 code、records 类型的事实才有代码对照")
    elif column.definition is not None:
        for text, code in codes.items():
            if code not in vocabulary.code_list(column.definition.key):
                problems.add(join(join(place, "codes"), text), f"代码 {shown(code)} 不在该事实的代码表中")
    separator = problems.text(spec.get("separator", ""), join(place, "separator"), "分隔符", empty=True) or ""
    format_ = problems.text(spec.get("format", ""), join(place, "format"), "日期格式", empty=True) or ""
    return Column(
        header=header,
        target=column.target,
        definition=column.definition,
        year=column.year,
        code=column.code,
        part=column.part,
        factor=factor,
        codes={str(text).strip(): code for text, code in codes.items()},
        separator=separator,
        format=format_,
    )


def match_header(
    file: str, row: int, headers: Sequence[str], column_map: ColumnMap | None, vocabulary: Vocabulary
) -> tuple[list[Column | None], list[str]]:
    """For each header its column (None: left out), and the headers that are left out. Raises Unusable."""
    problems: list[LineProblem] = []
    columns: list[Column | None] = []
    left_out: list[str] = []
    seen: dict[str, str] = {}
    for position, header in enumerate(headers, start=1):
        if not header:
            columns.append(None)
            continue
        if headers.index(header) + 1 != position:
            problems.append(LineProblem(file, row, header, "表头重复；每一列的表头只能出现一次"))
            columns.append(None)
            continue
        column = _mapped(header, column_map, vocabulary) if column_map else _guessed(header, vocabulary)
        columns.append(column)
        if column is None and column_map is None:
            message = (
                "不认识这一列；表头应是 企业名称、统一社会信用代码、编号，或事实的 key、名称"
                "（如 2025年营业收入（万元）），或用 --map 给出列映射"
            )
            problems.append(LineProblem(file, row, header, message))
        elif column is None:
            left_out.append(header)
        elif column.target in seen:
            problems.append(LineProblem(file, row, header, f"与“{seen[column.target]}”列是同一项内容；请只留一列"))
        else:
            seen[column.target] = header
    for header in column_map.columns if column_map else ():
        if header not in headers:
            held = "、".join(filter(None, headers))
            problems.append(LineProblem(file, row, header, f"列映射提到了这一列，表中没有；表头有：{held}"))
    if not problems and "credit_code" not in seen and "id" not in seen:
        message = "缺少“统一社会信用代码”（credit_code）或“编号”（id）列，无从知道是哪家企业"
        problems.append(LineProblem(file, row, "", message))
    for target, header in seen.items():
        fact, _, part = target.partition("\n")
        if part and fact in seen:
            problems.append(LineProblem(file, row, header, f"与“{seen[fact]}”列都给出了 {fact}；请只留一种写法"))
    if problems:
        raise Unusable(problems)
    return columns, left_out


def _mapped(header: str, column_map: ColumnMap, vocabulary: Vocabulary) -> Column | None:
    spec = column_map.columns.get(header)
    return None if spec is None else column_of(header, spec, vocabulary, "", Collector())


def _guessed(header: str, vocabulary: Vocabulary) -> Column | None:
    problems = Collector()
    column = _target(header, _BUILT_IN.get(header, header), vocabulary, "", problems)
    if column is not None:
        return column
    match = _LABELLED.fullmatch(header)
    if match is None:
        return None
    by_label = {definition.label: definition for definition in vocabulary.facts.values()}
    definition = by_label.get(header) or by_label.get(match["label"])
    if definition is None:
        return None
    year, unit = match["year"] or "", match["unit"] or definition.unit
    if bool(year) != (definition.type is FactType.YEARLY):
        return None
    factor = ONE
    if match["label"] == definition.label and unit != definition.unit:
        if definition.unit != "元" or unit not in _UNITS:
            return None
        factor = _UNITS[unit]
    target = definition.key + (f"\n{year}" if year else "")
    return Column(header, target, definition, year=year, factor=factor)


def _target(header: str, to: str, vocabulary: Vocabulary, place: str, problems: Collector) -> Column | None:
    if to in ("id", "name", "credit_code"):
        return Column(header, to)
    keys = [key for key in vocabulary.facts if to == key or to.startswith(key + ".")]
    if not keys:
        problems.add(place, f"{shown(to)} 不是 id、name、credit_code，也不是词表中的事实")
        return None
    key = max(keys, key=len)
    definition, part = vocabulary.facts[key], to[len(key) + 1 :]
    if definition.type is FactType.YEARLY:
        if not _YEAR.fullmatch(part):
            problems.add(place, f"{definition.label}按年记录，请写明年份，如 {key}.2025")
            return None
        return Column(header, f"{key}\n{part}", definition, year=part)
    if not part:
        return Column(header, key, definition)
    code, _, name = part.rpartition(".")
    if definition.type is not FactType.RECORDS or not code or not name:
        allowed = f"{key}.代码.on、.until、.amount" if definition.type is FactType.RECORDS else key
        problems.add(place, f"{shown(to)} 看不懂；应是 {allowed}")
        return None
    if code not in vocabulary.code_list(key):
        problems.add(place, vocabulary.code_list(key).not_listed(code))
        return None
    return Column(header, f"{key}\n{part}", definition, code=code, part=name)


def _unusable(path: Path, line: int, place: str, message: str) -> Unusable:
    return Unusable([LineProblem(str(path), line, place, message)])


def as_json(text: str) -> Any:
    """A cell that holds JSON (a list of records), or None where it is none."""
    try:
        return load_json(text)
    except (InvalidInput, json.JSONDecodeError):
        return None
