"""What an item pays, read from its JSON: rules, bonuses, caps, instalments. Every mistake is told, with its place.

``award_compute`` works the amounts out; ``award`` is the public face of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeVar, cast

from .ast import Node
from .errors import Collector, InvalidInput, join, shown
from .evaluate import CompiledTree, Verdict
from .facts import Facts
from .parse import parse_criteria
from .values import HUNDRED, plain, read_number, read_year, total
from .vocabulary import FactType, Vocabulary

__all__ = ["Award", "Base", "Bonus", "Bracket", "Rule", "When", "parse_award"]

Choose = Literal["first", "highest", "sum"]
Rounding = Literal["cent", "yuan"]
Shortfall = Literal["first_come", "pro_rata", "defer"]

KINDS = ("fixed", "rate", "brackets", "each")
RELATIVE_YEARS = {"this": 0, "last": 1, "before_last": 2}
RELATIVE_LABELS = {"this": "本年度", "last": "上年度", "before_last": "前年度"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Base:
    """A number fact, or one year of a yearly one: what a rule counts, or what limits it.

    ``year`` is ``last``, ``this``, ``before_last`` or four digits, and None for a number fact.
    """

    fact: str
    label: str
    unit: str
    year: str | None = None

    def calendar_year(self, as_of: date) -> int | None:
        if self.year is None:
            return None
        back = RELATIVE_YEARS.get(self.year)
        return int(self.year) if back is None else as_of.year - back

    def name(self, as_of: date) -> str:
        """How a person reads it: ``上年度（2025 年）营业收入``."""
        year = self.calendar_year(as_of)
        if year is None:
            return self.label
        relative = RELATIVE_LABELS.get(self.year or "")
        return f"{relative}（{year} 年）{self.label}" if relative else f"{year} 年{self.label}"

    def __str__(self) -> str:
        return self.fact if self.year is None else f"{self.fact}@{self.year}"

    def value(self, facts: Facts, as_of: date) -> Decimal | None:
        """The fact's value, or None where it is unknown."""
        year = self.calendar_year(as_of)
        if year is None:
            return facts.number(self.fact)
        years = facts.yearly(self.fact)
        return None if years is None else years.get(year)


@dataclass(frozen=True, slots=True)
class Bracket:
    """A part of the base, up to ``upto`` (None: all that is above), at ``rate`` %."""

    upto: Decimal | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class When:
    """A condition inside an award, made ready once for many enterprises. An absent condition is true."""

    tree: Node | None = None
    compiled: CompiledTree | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", None if self.tree is None else CompiledTree(self.tree))

    def judge(self, facts: Facts, as_of: date) -> bool | None:
        """True, False, or None where it is unknown."""
        if self.compiled is None:
            return True
        verdict = self.compiled.evaluate(facts, as_of).verdict
        return None if verdict is Verdict.UNDETERMINED else verdict is Verdict.ELIGIBLE


ALWAYS = When()


@dataclass(frozen=True, slots=True)
class Rule:
    """Exactly one of ``fixed``, ``each`` (元), ``rate`` (%), ``brackets`` is given; all but ``fixed`` have ``of``."""

    when: When = ALWAYS
    fixed: Decimal | None = None
    rate: Decimal | None = None
    brackets: tuple[Bracket, ...] = ()
    each: Decimal | None = None
    of: Base | None = None
    quantity_cap: Decimal | None = None
    cap: Decimal | None = None
    cap_fact: Base | None = None


@dataclass(frozen=True, slots=True)
class Bonus:
    """Percentage points added to each ``rate`` where ``when`` is true."""

    when: When
    points: Decimal


@dataclass(frozen=True, slots=True)
class Award:
    """What an item pays. Caps are in 元, instalments in % (they add to 100).

    ``cap_per_year``, ``exclusive_with`` and ``shortfall`` need history or the budget, and apply at approval.
    """

    rules: tuple[Rule, ...]
    choose: Choose = "first"
    bonus_points: tuple[Bonus, ...] = ()
    rate_limit: Decimal | None = None
    cap_total: Decimal | None = None
    rounding: Rounding = "cent"
    cap_per_year: Decimal | None = None
    instalments: tuple[Decimal, ...] = (HUNDRED,)
    exclusive_with: tuple[str, ...] = ()
    shortfall: Shortfall = "first_come"


def parse_award(data: Any, vocabulary: Vocabulary, path: str = "award") -> Award:
    """An award from its JSON value.

    Raises:
        InvalidInput: with every mistake and its place below `path`.
    """
    problems = Collector()
    award = _Reader(vocabulary, problems).award(data, path)
    problems.raise_if_any()
    assert award is not None
    return award


class _Reader:
    def __init__(self, vocabulary: Vocabulary, problems: Collector) -> None:
        self.vocabulary = vocabulary
        self.problems = problems

    def award(self, data: Any, path: str) -> Award | None:
        body = self.problems.mapping(data, path, "奖补规则")
        if body is None:
            return None
        allowed = (
            "rules", "choose", "bonus_points", "rate_limit", "cap_total", "rounding",
            "cap_per_year", "instalments", "exclusive_with", "shortfall",
        )  # fmt: skip
        self.problems.keys(body, path, allowed=allowed, required=("rules",))
        rules = self.each_of(body.get("rules", []), join(path, "rules"), "rules ", self.rule)
        if "rules" in body and body["rules"] in ([], ()):
            self.problems.add(join(path, "rules"), "rules 不能为空，至少要有一条规则")
        bonuses = self.each_of(body.get("bonus_points", []), join(path, "bonus_points"), "bonus_points ", self.bonus)
        choose = self.word(body, path, "choose", ("first", "highest", "sum"))
        rounding = self.word(body, path, "rounding", ("cent", "yuan"))
        shortfall = self.word(body, path, "shortfall", ("first_come", "pro_rata", "defer"))
        return Award(
            rules=rules,
            choose=cast(Choose, choose),
            bonus_points=bonuses,
            rate_limit=self.optional(body, path, "rate_limit", "比例上限"),
            cap_total=self.optional(body, path, "cap_total", "总额上限"),
            rounding=cast(Rounding, rounding),
            cap_per_year=self.optional(body, path, "cap_per_year", "年度上限"),
            instalments=self.instalments(body, path),
            exclusive_with=self.exclusive_with(body, path),
            shortfall=cast(Shortfall, shortfall),
        )

    def rule(self, data: Any, path: str) -> Rule | None:
        body = self.problems.mapping(data, path, "规则")
        if body is None:
            return None
        allowed = ("when", *KINDS, "of", "quantity_cap", "cap", "cap_fact")
        self.problems.keys(body, path, allowed=allowed)
        kinds = [kind for kind in KINDS if kind in body]
        if len(kinds) != 1:
            found = f"现有 {'、'.join(kinds)}" if kinds else "现在一个也没有"
            self.problems.add(path, f"每条规则须且只须有 {'、'.join(KINDS)} 之一，{found}")
        if kinds == ["fixed"] and "of" in body:
            self.problems.add(join(path, "of"), "定额（fixed）规则没有 of；请删去，或改用 rate、brackets、each")
        if kinds and "fixed" not in kinds and "of" not in body:
            self.problems.add(path, f"{kinds[0]} 规则缺少键 of（以哪个事实为基数）")
        if "quantity_cap" in body and kinds and "each" not in kinds:
            self.problems.add(join(path, "quantity_cap"), "只有 each 规则才有 quantity_cap")
        return Rule(
            when=self.when(body, path),
            fixed=self.optional(body, path, "fixed", "定额"),
            rate=self.optional(body, path, "rate", "比例"),
            brackets=self.brackets(body["brackets"], join(path, "brackets")) if "brackets" in body else (),
            each=self.optional(body, path, "each", "单价"),
            of=self.base(body["of"], join(path, "of")) if "of" in body else None,
            quantity_cap=self.optional(body, path, "quantity_cap", "数量上限"),
            cap=self.optional(body, path, "cap", "上限"),
            cap_fact=self.base(body["cap_fact"], join(path, "cap_fact")) if "cap_fact" in body else None,
        )

    def bonus(self, data: Any, path: str) -> Bonus | None:
        body = self.problems.mapping(data, path, "加分")
        if body is None:
            return None
        self.problems.keys(body, path, allowed=("when", "points"), required=("points",))
        when = self.when(body, path)
        points = self.optional(body, path, "points", "百分点")
        return None if points is None else Bonus(when, points)

    def when(self, body: dict[str, Any], path: str) -> When:
        if "when" not in body:
            return ALWAYS
        try:
            return When(parse_criteria(body["when"], self.vocabulary, join(path, "when")))
        except InvalidInput as invalid:
            self.problems.problems.extend(invalid.problems)
            return ALWAYS

    def brackets(self, data: Any, path: str) -> tuple[Bracket, ...]:
        items = self.problems.sequence(data, path, "brackets ")
        if items is None:
            return ()
        if not items:
            self.problems.add(path, "brackets 不能为空，至少要有一档")
        found: list[Bracket] = []
        floor = Decimal(0)
        for index, item in enumerate(items):
            place = join(path, index)
            body = self.problems.mapping(item, place, "档")
            if body is None:
                continue
            self.problems.keys(body, place, allowed=("upto", "rate"), required=("rate",))
            rate = self.optional(body, place, "rate", "比例")
            upto = self.optional(body, place, "upto", "档的上限")
            if index == len(items) - 1:
                if "upto" in body:
                    self.problems.add(join(place, "upto"), "最后一档没有 upto：它包括以上的全部")
            elif "upto" not in body:
                self.problems.add(place, "除最后一档外，每档都要有 upto")
            elif upto is not None:
                if upto <= floor:
                    said = f"前一档为 {floor}" if found else "第一档须大于 0"
                    self.problems.add(join(place, "upto"), f"upto 须逐档升高，{said}，现为 {shown(body['upto'])}")
                floor = max(floor, upto)
            if rate is not None:
                found.append(Bracket(upto, rate))
        return tuple(found)

    def base(self, value: Any, path: str) -> Base | None:
        text = self.problems.text(value, path, "事实")
        if text is None:
            return None
        key, at, year = text.partition("@")
        definition = self.vocabulary.facts.get(key)
        if definition is None:
            self.problems.add(path, f"词表中没有事实 {shown(key)}；请检查拼写，或先在词表中加上")
            return None
        if definition.type not in (FactType.NUMBER, FactType.YEARLY):
            self.problems.add(path, f"{key} 是 {definition.type} 类型；只能用 number 或 yearly 类型的事实")
            return None
        if definition.type is FactType.NUMBER:
            if at:
                self.problems.add(path, f"{key} 是 number 类型，不分年度；请写作 {key}")
                return None
            return Base(key, definition.label, definition.unit)
        if not at:
            self.problems.add(path, f"{key} 是 yearly 类型，须指明年度，如 {key}@last、@this、@before_last、@2024")
            return None
        what = "@ 后的年度（last、this、before_last 或年份）"
        if year not in RELATIVE_YEARS and read_year(year, path, self.problems, what) is None:
            return None
        return Base(key, definition.label, definition.unit, year)

    def instalments(self, body: dict[str, Any], path: str) -> tuple[Decimal, ...]:
        if "instalments" not in body:
            return (HUNDRED,)
        place = join(path, "instalments")
        before = len(self.problems.problems)
        shares = self.each_of(body["instalments"], place, "instalments ", self.share)
        if len(self.problems.problems) == before:
            whole = total(shares)
            if whole != HUNDRED:
                self.problems.add(place, f"各期百分比相加须为 100，现为 {plain(whole)}")
        return shares

    def share(self, value: Any, path: str) -> Decimal | None:
        share = read_number(value, path, self.problems, "百分比")
        if share is not None and share <= 0:
            self.problems.add(path, f"每期的百分比须大于 0，现为 {shown(value)}")
        return share

    def exclusive_with(self, body: dict[str, Any], path: str) -> tuple[str, ...]:
        def item_id(value: Any, place: str) -> str | None:
            return self.problems.text(value, place, "互斥事项的编号")

        found = self.each_of(body.get("exclusive_with", []), join(path, "exclusive_with"), "exclusive_with ", item_id)
        return tuple(dict.fromkeys(found))

    def each_of(self, value: Any, path: str, what: str, read: Callable[[Any, str], T | None]) -> tuple[T, ...]:
        items = self.problems.sequence(value, path, what)
        results = (read(item, join(path, index)) for index, item in enumerate(items or ()))
        return tuple(result for result in results if result is not None)

    def optional(self, body: dict[str, Any], path: str, key: str, what: str) -> Decimal | None:
        """A number from 0 upwards, where the key is there."""
        if key not in body:
            return None
        place = join(path, key)
        number = read_number(body[key], place, self.problems, what)
        if number is not None and number < 0:
            self.problems.add(place, f"{what}不能小于 0，现为 {shown(body[key])}")
        return number

    def word(self, body: dict[str, Any], path: str, key: str, allowed: tuple[str, ...]) -> str:
        """One of `allowed`, the first being the default."""
        if key not in body:
            return allowed[0]
        return self.problems.one_of(body[key], join(path, key), key, allowed) or allowed[0]
