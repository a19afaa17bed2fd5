"""A table's cells into JSON values of the criteria language. Excel's numbers are read as the digits it shows."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from matching.criteria import CodeList, Collector, FactType, Vocabulary
from matching.criteria.errors import shown
from matching.importers.columns import Column, as_json

TRUE = frozenset({"是", "有", "对", "√", "true", "yes", "y", "1"})
FALSE = frozenset({"否", "无", "错", "×", "false", "no", "n", "0"})
NONE_OF_THEM = frozenset({"无", "没有", "[]"})
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_SCIENTIFIC = re.compile(r"-?[0-9.]+[eE][+-]?[0-9]+")
_DATE = re.compile(
    r"([0-9]{4})(?:([-/.年])([0-9]{1,2})(?:[-/.]|月)([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))(?: 0?0:00(?::00)?)?"
)
_SEPARATORS = re.compile(r"[、,，;；|\n]+")
_RECORD = re.compile(r"(?P<what>[^（(]+?)\s*(?:[（(](?P<on>[^~～至）)]*)(?:[~～至](?P<until>[^）)]*))?[）)])?")
_DIGITS_OF_EXCEL = ".15g"
_BROKEN = frozenset({"#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})


def text_of(cell: Any) -> str:
    """What a person sees in the cell, without spaces around it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return _plain(Decimal(format(cell, _DIGITS_OF_EXCEL)))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def identity(cell: Any, column: Column, problems: Collector) -> str:
    """An id, a name or a credit code, which must be text: Excel keeps 15 digits of a number."""
    text = text_of(cell)
    if text in _BROKEN:
        problems.add(column.header, f"单元格是错误值 {text}")
        return ""
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    if column.target == "credit_code" and (is_number or _SCIENTIFIC.fullmatch(text)):
        problems.add(column.header, "统一社会信用代码被存成了数字，后几位已丢失；请把该列设为文本后重新录入")
        return ""
    return text


def value(cell: Any, column: Column, vocabulary: Vocabulary, problems: Collector) -> Any:
    """The JSON value of a fact's cell (for a part of a fact, of that part), or None and a problem."""
    definition = column.definition
    assert definition is not None
    text = text_of(cell)
    if text in _BROKEN:
        problems.add(column.header, f"单元格是错误值 {text}；请修正公式，未知请留空")
        return None
    if column.part:
        return _date(cell, column, problems) if column.part in ("on", "until") else _number(text, column, problems)
    match definition.type:
        case FactType.NUMBER | FactType.YEARLY:
            return _number(text, column, problems)
        case FactType.DATE:
            return _date(cell, column, problems)
        case FactType.BOOLEAN:
            return _boolean(text, column, problems)
        case FactType.CODE:
            return _code(text, column, vocabulary.code_list(definition.key), problems)
        case FactType.RECORDS:
            return _records(text, column, vocabulary.code_list(definition.key), problems)


def _number(text: str, column: Column, problems: Collector) -> str | None:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if column.definition is not None and column.definition.unit == "%":
        plain = plain.removesuffix("%")
    if _SCIENTIFIC.fullmatch(plain):
        problems.add(column.header, f"{shown(text)} 是科学计数法，末几位可能已丢失；请把单元格设为数值格式后再导出")
        return None
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        problems.add(column.header, f"应是数字，现为 {shown(text)}；未知请留空")
        return None
    try:
        return _plain(Decimal(plain) * column.factor)
    except InvalidOperation:
        problems.add(column.header, f"数字太长：{shown(text)}")
        return None


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def _date(cell: Any, column: Column, problems: Collector) -> str | None:
    if isinstance(cell, date):  # a datetime is one, too
        return cell.strftime("%Y-%m-%d")
    text = unicodedata.normalize("NFKC", text_of(cell))
    try:
        if column.format:
            return datetime.strptime(text, column.format).date().isoformat()  # noqa: DTZ007 - a date has no zone
        match = _DATE.fullmatch(text)
        if match is not None:
            year, _, month, day, month2, day2 = match.groups()
            return date(int(year), int(month or month2), int(day or day2)).isoformat()
    except ValueError:
        pass
    asked = f"应按 {column.format} 书写" if column.format else "应写作 2026-03-15（或 2026/3/15、2026年3月15日）"
    problems.add(column.header, f"日期{asked}且在日历上存在，现为 {shown(text)}")
    return None


def _boolean(text: str, column: Column, problems: Collector) -> bool | None:
    lowered = unicodedata.normalize("NFKC", text).lower()
    if lowered in TRUE:
        return True
    if lowered in FALSE:
        return False
    problems.add(column.header, f"应是 是 或 否，现为 {shown(text)}；未知请留空")
    return None


def _code(text: str, column: Column, codes: CodeList, problems: Collector) -> str | None:
    if text in column.codes:
        return column.codes[text]
    if text in codes:
        return text
    named = [code for code, label in codes.codes.items() if label == text]
    if len(named) == 1:
        return named[0]
    why = "对应多个代码" if named else "既不是代码，也不是名称"
    problems.add(column.header, f"{shown(text)} 在代码表 {codes.name} 中{why}；可写代码，或在列映射的 codes 中对照")
    return None


def _records(text: str, column: Column, codes: CodeList, problems: Collector) -> list[Any] | None:
    if text in NONE_OF_THEM:
        return []
    if text.startswith("["):
        written = as_json(text)
        if isinstance(written, list):
            return written
        problems.add(column.header, f"不是有效的 JSON 列表：{shown(text)}")
        return None
    records: list[Any] = []
    before = len(problems.problems)
    parts = text.split(column.separator) if column.separator else _SEPARATORS.split(text)
    for part in filter(None, map(str.strip, parts)):
        match = _RECORD.fullmatch(part)
        if match is None:
            problems.add(
                column.header,
                f"看不懂 {shown(part)}；应是名称或代码，可带日期，如 高新技术企业（2024-11-01~2027-10-31）",
            )
            continue
        code = _code(match["what"].strip(), column, codes, problems)
        record = {"code": code}
        for name in ("on", "until"):
            written = (match[name] or "").strip()
            if written:
                record[name] = _date(written, column, problems)
        records.append(record)
    return records if len(problems.problems) == before else None
