"""What is known of one enterprise, typed and checked. A fact that is absent is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from .errors import Collector, join, shown
from .quick import Unsure, readers_of
from .values import ZERO, read_date, read_number, read_year
from .vocabulary import FactDefinition, FactType, Vocabulary


@dataclass(frozen=True, slots=True)
class Record:
    """One thing obtained or suffered. ``numbers`` are its further number fields, without ``amount``."""

    code: str
    on: date | None = None
    until: date | None = None
    amount: Decimal | None = None
    numbers: Mapping[str, Decimal] = field(default_factory=dict)

    def number(self, name: str) -> Decimal | None:
        """A number field by name, ``amount`` among them; None where the record lacks it."""
        return self.amount if name == "amount" else self.numbers.get(name)


FactValue = str | Decimal | bool | date | Mapping[int, Decimal] | tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Known values by fact key: text for a code, Decimal for a number, ``{year: Decimal}`` for yearly, date, bool, and
    a tuple of records."""

    values: Mapping[str, FactValue]

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def get(self, key: str) -> FactValue | None:
        return self.values.get(key)

    def code(self, key: str) -> str | None:
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> Decimal | None:
        value = self.values.get(key)
        return value if isinstance(value, Decimal) else None

    def yearly(self, key: str) -> Mapping[int, Decimal] | None:
        value = self.values.get(key)
        return value if isinstance(value, Mapping) else None

    def date(self, key: str) -> date | None:
        value = self.values.get(key)
        return value if isinstance(value, date) else None

    def boolean(self, key: str) -> bool | None:
        value = self.values.get(key)
        return value if isinstance(value, bool) else None

    def records(self, key: str) -> tuple[Record, ...] | None:
        value = self.values.get(key)
        return value if isinstance(value, tuple) else None


def parse_facts(data: Any, vocabulary: Vocabulary, path: str = "facts") -> Facts:
    """Typed facts from their JSON object. Raises InvalidInput with every mistake and its place.

    An absent fact is unknown; ``[]`` says that there are none; ``null`` is an error.
    """
    read = vocabulary.derived.get("readers")
    if read is None:
        read = vocabulary.derived["readers"] = readers_of(vocabulary, Record)
    try:
        return Facts({key: read[key](value) for key, value in data.items()})
    except (Unsure, KeyError, AttributeError, TypeError):
        return parse_facts_slowly(data, vocabulary, path)


def parse_facts_slowly(data: Any, vocabulary: Vocabulary, path: str = "facts") -> Facts:
    """As ``parse_facts``, each value with its place at hand: what says which mistakes there are."""
    problems = Collector()
    values: dict[str, FactValue] = {}
    for key, value in (problems.mapping(data, path, "facts ") or {}).items():
        place = join(path, key)
        definition = vocabulary.facts.get(key)
        if definition is None:
            problems.add(place, f"词表中没有事实 {shown(key)}；键应是词表 facts 中的 key")
            continue
        typed = parse_fact(value, definition, vocabulary, place, problems)
        if typed is not None:
            values[key] = typed
    problems.raise_if_any()
    return Facts(values)


def parse_fact(
    value: Any, definition: FactDefinition, vocabulary: Vocabulary, path: str, problems: Collector
) -> FactValue | None:
    """One fact's typed value, or None and a problem in ``problems``."""
    if value is None:
        problems.add(path, "不能是 null；未知的事实请不写这个键，没有任何记录请写 []")
        return None
    match definition.type:
        case FactType.CODE:
            return _read_code(value, definition, vocabulary, path, problems)
        case FactType.NUMBER:
            return read_number(value, path, problems, definition.label)
        case FactType.YEARLY:
            return _read_yearly(value, definition, path, problems)
        case FactType.DATE:
            return read_date(value, path, problems, definition.label)
        case FactType.BOOLEAN:
            return problems.boolean(value, path, definition.label)
        case FactType.RECORDS:
            return _read_records(value, definition, vocabulary, path, problems)


def _read_code(
    value: Any, definition: FactDefinition, vocabulary: Vocabulary, path: str, problems: Collector
) -> str | None:
    code = problems.text(value, path, f"{definition.label}的代码")
    if code is None:
        return None
    listed = vocabulary.code_list(definition.key)
    if code not in listed:
        problems.add(path, listed.not_listed(code))
        return None
    return code


def _read_yearly(
    value: Any, definition: FactDefinition, path: str, problems: Collector
) -> Mapping[int, Decimal] | None:
    years = problems.mapping(value, path, f'{definition.label}（按年，如 {{"2025": "35000000"}}）')
    if years is None:
        return None
    numbers: dict[int, Decimal] = {}
    for year, number in years.items():
        place = join(path, year)
        calendar_year = read_year(year, place, problems)
        amount = read_number(number, place, problems, definition.label)
        if calendar_year is not None and amount is not None:
            numbers[calendar_year] = amount
    return numbers


def _read_records(
    value: Any, definition: FactDefinition, vocabulary: Vocabulary, path: str, problems: Collector
) -> tuple[Record, ...] | None:
    members = problems.sequence(value, path, f"{definition.label}（记录）")
    if members is None:
        return None
    records = []
    for index, item in enumerate(members):
        record = _read_record(item, definition, vocabulary, join(path, index), problems)
        if record is not None:
            records.append(record)
    return tuple(records)


def _read_record(
    item: Any, definition: FactDefinition, vocabulary: Vocabulary, path: str, problems: Collector
) -> Record | None:
    if isinstance(item, str):
        code = _read_code(item, definition, vocabulary, path, problems)
        return None if code is None else Record(code)
    if not isinstance(item, dict):
        problems.add(path, f"记录应是代码文本或对象 {{…}}，现为 {shown(item)}")
        return None
    before = len(problems.problems)
    fields = problems.mapping(item, path, "记录") or {}
    code = None
    if "code" in fields:
        code = _read_code(fields["code"], definition, vocabulary, join(path, "code"), problems)
    else:
        problems.add(path, "记录缺少键 code")
    dates = {name: read_date(fields[name], join(path, name), problems) for name in ("on", "until") if name in fields}
    on, until = dates.get("on"), dates.get("until")
    if on is not None and until is not None and until < on:
        problems.add(join(path, "until"), f"until（{until}）不能早于 on（{on}）")
    numbers: dict[str, Decimal] = {}
    for name, number in fields.items():
        if name in ("code", "on", "until"):
            continue
        exact = read_number(number, join(path, name), problems, f"记录的数值字段 {name} ")
        if exact is not None:
            numbers[name] = exact
    amount = numbers.pop("amount", None)
    if amount is not None and amount < ZERO:
        problems.add(join(path, "amount"), f"记录的金额不能小于 0，现为 {amount}")
    if code is None or len(problems.problems) > before:
        return None
    return Record(code, on, until, amount, numbers)
