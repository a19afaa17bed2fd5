"""From JSON to one leaf: the operators of each fact type."""

from typing import Any

from . import ast
from .bounds import Bounds, DateBounds
from .errors import Collector, join, shown
from .values import read_date, read_integer, read_number, read_period, read_year
from .vocabulary import FactDefinition, FactType, Scope, Vocabulary

COMMON_KEYS = ("fact", "id", "text", "evidence", "advice", "soft")
BOUND_KEYS = ("gte", "gt", "lte", "lt", "eq")
DATE_KEYS = ("on_or_after", "on_or_before", "within_last", "at_least_ago")
QUANTIFIER_KEYS = ("any_of", "all_of", "none_of")
OPERATOR_KEYS = {
    FactType.CODE: ("in", "not_in"),
    FactType.NUMBER: (*BOUND_KEYS, "percent_of"),
    FactType.YEARLY: (*BOUND_KEYS, "year", "years", "over", "growth", "percent_of"),
    FactType.DATE: DATE_KEYS,
    FactType.BOOLEAN: ("is",),
    FactType.RECORDS: (*QUANTIFIER_KEYS, "held", "obtained", "first", "count", "amount", "where"),
}
RELATIVE_YEARS = ("last", "this", "before_last")
NOT_NUMBERS = ("code", "on", "until")


def parse_leaf(
    body: dict[str, Any], *, place: str, leaf_id: str, tree_path: str, vocabulary: Vocabulary, problems: Collector
) -> ast.Leaf | None:
    """One leaf, or None and what is wrong with it in ``problems``."""
    before = len(problems.problems)
    key = problems.text(body["fact"], join(place, "fact"), "fact ")
    definition = vocabulary.facts.get(key) if key is not None else None
    if key is not None and definition is None:
        problems.add(join(place, "fact"), f"词表中没有事实 {shown(key)}；应是词表 facts 中的 key")
    reader = _LeafReader(body, place, vocabulary, problems)
    common = reader.common(leaf_id, tree_path)
    if definition is None:
        return None
    problems.keys(body, place, allowed=(*COMMON_KEYS, *OPERATOR_KEYS[definition.type]))
    leaf = reader.operators(definition, common)
    return leaf if len(problems.problems) == before else None


class _LeafReader:
    def __init__(self, body: dict[str, Any], place: str, vocabulary: Vocabulary, problems: Collector) -> None:
        self.body = body
        self.place = place
        self.vocabulary = vocabulary
        self.problems = problems

    def at(self, key: str) -> str:
        return join(self.place, key)

    def flag(self, key: str) -> bool:
        return bool(self.problems.boolean(self.body[key], self.at(key), key + " ")) if key in self.body else False

    def common(self, leaf_id: str, tree_path: str) -> dict[str, Any]:
        body, problems = self.body, self.problems
        words: dict[str, Any] = {
            name: problems.text(body[name], self.at(name), name + " ", empty=True) or ""
            for name in ("text", "advice")
            if name in body
        }
        evidence = problems.sequence(body.get("evidence", []), self.at("evidence"), "evidence ") or []
        for index, code in enumerate(evidence):
            problems.text(code, join(self.at("evidence"), index), "材料代码")
        return {
            "id": leaf_id,
            "path": tree_path,
            "fact": self.body["fact"],
            "evidence": tuple(evidence),
            "soft": self.flag("soft"),
            **words,
        }

    def operators(self, definition: FactDefinition, common: dict[str, Any]) -> ast.Leaf | None:
        asked = {definition.key} if definition.scope is Scope.APPLICATION else set()
        percent_of = self.percent_of(definition) if "percent_of" in self.body else None
        if percent_of is not None and percent_of.scope is Scope.APPLICATION:
            asked.add(percent_of.key)
        common["form_facts"] = frozenset(asked)
        divisor = None if percent_of is None else percent_of.key
        match definition.type:
            case FactType.CODE:
                return self.code(definition, common)
            case FactType.NUMBER:
                bounds = read_bounds(self.body, self.place, self.problems)
                return None if bounds is None else ast.NumberLeaf(bounds=bounds, percent_of=divisor, **common)
            case FactType.YEARLY:
                return self.yearly(divisor, common)
            case FactType.DATE:
                dates = read_date_bounds(self.body, self.place, self.problems)
                return None if dates is None else ast.DateLeaf(dates=dates, **common)
            case FactType.BOOLEAN:
                if "is" not in self.body:
                    self.problems.add(self.place, "缺少比较：boolean 类型的事实要写 is: true 或 false")
                    return None
                return ast.BooleanLeaf(value=self.flag("is"), **common)
            case FactType.RECORDS:
                return self.records(definition, common)

    def percent_of(self, definition: FactDefinition) -> FactDefinition | None:
        if definition.type not in (FactType.NUMBER, FactType.YEARLY):
            return None
        key = self.problems.text(self.body["percent_of"], self.at("percent_of"), "percent_of ")
        if key is None:
            return None
        other = self.vocabulary.facts.get(key)
        if other is None:
            self.problems.add(self.at("percent_of"), f"词表中没有事实 {shown(key)}；应是词表 facts 中的 key")
        elif other.type is not definition.type:
            told = f"{shown(key)} 是 {other.type} 类型；应与 {definition.key} 同为 {definition.type} 类型"
            self.problems.add(self.at("percent_of"), told)
        return other

    def code(self, definition: FactDefinition, common: dict[str, Any]) -> ast.CodeLeaf | None:
        key = self.exactly_one(("in", "not_in"))
        if key is None:
            return None
        codes, covered = self.codes(definition, key)
        return ast.CodeLeaf(codes=codes, accepted=frozenset().union(*covered), negated=key == "not_in", **common)

    def exactly_one(self, keys: tuple[str, ...]) -> str | None:
        present = [key for key in keys if key in self.body]
        if len(present) == 1:
            return present[0]
        told = f"不能同时写 {'、'.join(present)}" if present else "缺少比较"
        self.problems.add(self.place, f"{told}：应恰好写 {'、'.join(keys)} 中的一个")
        return None

    def codes(self, definition: FactDefinition, key: str) -> tuple[tuple[str, ...], tuple[frozenset[str], ...]]:
        listed = self.vocabulary.code_list(definition.key)
        items = self.problems.sequence(self.body[key], self.at(key), key + " ")
        if items is not None and not items:
            self.problems.add(self.at(key), f"{key} 至少要有一个代码")
        sound = []
        for index, item in enumerate(items or ()):
            place = join(self.at(key), index)
            code = self.problems.text(item, place, "代码")
            if code is not None and code not in listed:
                self.problems.add(place, listed.not_listed(code))
            elif code is not None:
                sound.append(code)
        return tuple(sound), tuple(listed.descendants(code) for code in sound)

    def yearly(self, divisor: str | None, common: dict[str, Any]) -> ast.YearlyLeaf | None:
        body, problems = self.body, self.problems
        bounds = read_bounds(body, self.place, problems)
        year: str | int | None = body.get("year", "last")
        if not isinstance(year, str) or year not in RELATIVE_YEARS:
            year = read_year(year, self.at("year"), problems, "year 除 last、this、before_last 外")
        years: int | None = 1
        if "years" in body:
            years = read_integer(body["years"], self.at("years"), problems, "years ")
            if years is not None and years < 1:
                problems.add(self.at("years"), f"years 应是不小于 1 的整数，现为 {years}")
        growth = self.flag("growth")
        over = None
        if "over" in body:
            over = problems.one_of(body["over"], self.at("over"), "over ", list(ast.Over))
            if growth and over is not None and over != ast.Over.EACH:
                problems.add(self.at("over"), f"有 growth 时 over 只能是 each，现为 {over}")
        elif years is not None and years > 1:
            problems.add(self.place, "years 大于 1 时必须写 over：sum、mean 或 each")
        if growth and "percent_of" in body:
            problems.add(self.at("percent_of"), "percent_of 不能与 growth 同时使用")
        if bounds is None or year is None or years is None:
            return None
        return ast.YearlyLeaf(
            bounds=bounds,
            year=year,
            years=years,
            over=None if over is None else ast.Over(over),
            growth=growth,
            percent_of=divisor,
            **common,
        )

    def records(self, definition: FactDefinition, common: dict[str, Any]) -> ast.RecordsLeaf | None:
        body, problems = self.body, self.problems
        quantifier = self.exactly_one(QUANTIFIER_KEYS)
        codes, covered = self.codes(definition, quantifier) if quantifier is not None else ((), ())
        held = problems.one_of(body.get("held", "now"), self.at("held"), "held ", list(ast.Held))
        obtained = None
        if "obtained" in body:
            dates = problems.mapping(body["obtained"], self.at("obtained"), "obtained ")
            if dates is not None:
                problems.keys(dates, self.at("obtained"), allowed=DATE_KEYS)
                obtained = read_date_bounds(dates, self.at("obtained"), problems)
        first = self.flag("first")
        ranges = {name: self.nested_bounds(body[name], self.at(name)) for name in ("count", "amount") if name in body}
        for name in ranges:
            if quantifier is not None and quantifier != "any_of":
                problems.add(self.at(name), f"{name} 只能与 any_of 同用，不能与 {quantifier} 同用")
        where = self.where() if "where" in body else ()
        if quantifier is None or held is None:
            return None
        return ast.RecordsLeaf(
            quantifier=ast.Quantifier(quantifier),
            codes=codes,
            covered=covered,
            accepted=frozenset().union(*covered),
            held=ast.Held(held),
            obtained=obtained,
            first=first,
            count=ranges.get("count"),
            amount=ranges.get("amount"),
            where=where,
            **common,
        )

    def where(self) -> tuple[tuple[str, Bounds], ...]:
        fields = self.problems.mapping(self.body["where"], self.at("where"), "where ")
        if fields is not None and not fields:
            self.problems.add(self.at("where"), 'where 至少要有一个数值字段，如 {"rank": {"lte": 3}}')
        found = []
        for name, value in (fields or {}).items():
            place = join(self.at("where"), name)
            if name in NOT_NUMBERS:
                self.problems.add(place, f"{name} 不是数值字段；where 只比较记录的数值字段（含 amount）")
                continue
            bounds = self.nested_bounds(value, place)
            if bounds is not None:
                found.append((name, bounds))
        return tuple(found)

    def nested_bounds(self, value: Any, place: str) -> Bounds | None:
        body = self.problems.mapping(value, place, "范围")
        if body is None:
            return None
        self.problems.keys(body, place, allowed=BOUND_KEYS)
        return read_bounds(body, place, self.problems)


def read_bounds(body: dict[str, Any], place: str, problems: Collector) -> Bounds | None:
    """The bounds among ``body``'s keys: one lower, one upper, or both, or ``eq`` alone."""
    present = [key for key in BOUND_KEYS if key in body]
    allowed = "可写一个下限（gte 或 gt）、一个上限（lte 或 lt）、上下限各一，或单独的 eq"
    if not present:
        problems.add(place, f"缺少比较：{allowed}")
        return None
    numbers = {key: read_number(body[key], join(place, key), problems, key + " ") for key in present}
    if "eq" in numbers and len(numbers) > 1:
        problems.add(place, f"eq 不能与 {'、'.join(key for key in present if key != 'eq')} 同时写；{allowed}")
        return None
    clashes = [pair for pair in (("gte", "gt"), ("lte", "lt")) if pair[0] in numbers and pair[1] in numbers]
    for pair in clashes:
        problems.add(place, f"{pair[0]} 与 {pair[1]} 只能写一个；{allowed}")
    if clashes or None in numbers.values():
        return None
    lower = numbers.get("gte", numbers.get("gt", numbers.get("eq")))
    upper = numbers.get("lte", numbers.get("lt", numbers.get("eq")))
    bounds = Bounds(lower, "gt" in numbers, upper, "lt" in numbers)
    if bounds.holds_nothing:
        told = "、".join(f"{key} {number}" for key, number in numbers.items())
        problems.add(place, f"范围 {told} 里没有任何数；下限应小于上限（都含端点时可相等）")
    return bounds


def read_date_bounds(body: dict[str, Any], place: str, problems: Collector) -> DateBounds | None:
    """The date operators among ``body``'s keys; at least one must stand."""
    if not any(key in body for key in DATE_KEYS):
        problems.add(place, f"缺少比较：应写 {'、'.join(DATE_KEYS)} 中的至少一个")
        return None
    after, before = (
        read_date(body[key], join(place, key), problems, key + " ") if key in body else None
        for key in ("on_or_after", "on_or_before")
    )
    within, ago = (
        read_period(body[key], join(place, key), problems, key + " ") if key in body else None
        for key in ("within_last", "at_least_ago")
    )
    if after is not None and before is not None and after > before:
        problems.add(place, f"范围里没有任何日期：on_or_after {after} 晚于 on_or_before {before}")
    bounds = DateBounds(after, before, within, ago)
    if bounds.durations_exclude_each_other:
        told = f"within_last {body['within_last']} 比 at_least_ago {body['at_least_ago']} 短"
        problems.add(place, f"范围里没有任何日期：{told}")
    return bounds
