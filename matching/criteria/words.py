"""The Chinese phrases that rendering and explaining share: ranges, years, dates, codes, filters.

With ``as_of`` relative years and durations are told with their calendar dates too.
"""

from datetime import date

from . import ast
from .bounds import Bounds, DateBounds
from .values import plain, with_unit
from .vocabulary import Vocabulary

_YEARS = {"last": "上年度", "this": "本年度", "before_last": "前年度"}
_DIGITS = "零一二三四五六七八九十"
_FIELDS = {"amount": "金额", "rank": "名次"}


def chinese_number(number: int) -> str:
    """Small counts as people write them: 两项, 十二项; past ninety-nine in digits."""
    if number <= 10:
        return "两" if number == 2 else _DIGITS[number]
    if number > 99:
        return f" {number} "
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def both(parts: list[str]) -> str:
    """``不低于 2 人 且…``: joined by 且, with a space where a figure stands before it."""
    spaced = [f"{part} " if part[-1:].isascii() else part for part in parts[:-1]]
    return "且".join([*spaced, *parts[-1:]])


def required(phrase: str) -> str:
    """``要求…`` before a phrase, with a space where it begins with a figure."""
    return f"要求{' ' if phrase[:1].isdigit() else ''}{phrase}"


def label_of(key: str, vocabulary: Vocabulary) -> str:
    definition = vocabulary.facts.get(key)
    return key if definition is None else definition.label


def unit_of(leaf: ast.NumberLeaf | ast.YearlyLeaf, vocabulary: Vocabulary) -> str:
    """What the leaf's bounds are counted in: % for shares and growth, else the fact's unit."""
    if leaf.percent_of is not None or (isinstance(leaf, ast.YearlyLeaf) and leaf.growth):
        return "%"
    definition = vocabulary.facts.get(leaf.fact)
    return "" if definition is None else definition.unit


def bounds_phrase(bounds: Bounds, unit: str) -> str:
    if bounds.eq is not None:
        return f"等于 {with_unit(bounds.eq, unit)}"
    parts = []
    if bounds.lower is not None:
        parts.append(f"{'高于' if bounds.lower_strict else '不低于'} {with_unit(bounds.lower, unit)}")
    if bounds.upper is not None:
        parts.append(f"{'低于' if bounds.upper_strict else '不超过'} {with_unit(bounds.upper, unit)}")
    return both(parts)


def flipped(bounds: Bounds) -> Bounds | None:
    """The range of all other numbers, where that is one range: beyond a single bound."""
    if bounds.lower is None and bounds.upper is not None:
        return Bounds(lower=bounds.upper, lower_strict=not bounds.upper_strict)
    if bounds.upper is None and bounds.lower is not None:
        return Bounds(upper=bounds.lower, upper_strict=not bounds.lower_strict)
    return None


def signed_bounds_phrase(bounds: Bounds, unit: str, negated: bool) -> str:
    """The range, or where it is denied what else is asked."""
    if not negated:
        return bounds_phrase(bounds, unit)
    other = flipped(bounds)
    return bounds_phrase(other, unit) if other is not None else f"不是“{bounds_phrase(bounds, unit)}”"


def years_phrase(leaf: ast.YearlyLeaf, as_of: date | None = None) -> str:
    """``上年度（2025 年）``, ``2024 年度``, ``截至上年度的三年（2023—2025 年）``."""
    named = f"{leaf.year} 年度" if isinstance(leaf.year, int) else _YEARS[leaf.year]
    final = leaf.year if isinstance(leaf.year, int) else None
    if final is None and as_of is not None:
        final = leaf.final_year(as_of.year)
    if leaf.years == 1:
        return named if isinstance(leaf.year, int) or final is None else f"{named}（{final} 年）"
    told = f"截至{' ' if isinstance(leaf.year, int) else ''}{named}的{chinese_number(leaf.years)}年"
    return told if final is None else f"{told}（{final - leaf.years + 1}—{final} 年）"


def subject(leaf: ast.NumberLeaf | ast.YearlyLeaf, vocabulary: Vocabulary, as_of: date | None = None) -> str:
    """What is compared: ``上年度研发费用占营业收入的比例``."""
    name = label_of(leaf.fact, vocabulary)
    if leaf.percent_of is not None:
        name = f"{name}占{label_of(leaf.percent_of, vocabulary)}的比例"
    if isinstance(leaf, ast.NumberLeaf):
        return name
    if leaf.growth:
        name = f"{name}同比增幅"
    taken = ""
    if leaf.years > 1:
        if leaf.over is ast.Over.EACH:
            taken = "每年的"
        elif leaf.percent_of is not None:
            taken = "合计的"
        else:
            taken = "年均" if leaf.over is ast.Over.MEAN else "合计"
    return f"{years_phrase(leaf, as_of)}{taken}{name}"


def codes_phrase(codes: tuple[str, ...], leaf: ast.CodeLeaf | ast.RecordsLeaf, vocabulary: Vocabulary) -> str:
    listed = vocabulary.code_list(leaf.fact)
    return "、".join(f"“{listed.label(code)}”" for code in codes)


def dates_phrase(dates: DateBounds, as_of: date | None = None) -> str:
    """``在近 3 年内（2023-11-22 至 2026-11-22）``."""
    parts = []
    if dates.on_or_after is not None and dates.on_or_before is not None:
        parts.append(f"在 {dates.on_or_after} 至 {dates.on_or_before} 之间")
    elif dates.on_or_after is not None:
        parts.append(f"不早于 {dates.on_or_after}")
    elif dates.on_or_before is not None:
        parts.append(f"不晚于 {dates.on_or_before}")
    if dates.within_last is not None:
        told = f"在近 {dates.within_last}内"
        first = dates.within_last.before(as_of) if as_of is not None else None
        parts.append(told if first is None else f"{told}（{first} 至 {as_of}）")
    if dates.at_least_ago is not None:
        told = f"至今已满 {dates.at_least_ago}"
        latest = dates.at_least_ago.before(as_of) if as_of is not None else None
        parts.append(told if latest is None else f"{told}（不晚于 {latest}）")
    return both(parts)


def filters_phrase(leaf: ast.RecordsLeaf, vocabulary: Vocabulary, as_of: date | None = None) -> str:
    """The filters on a record beside ``held``, in brackets; empty where there are none."""
    parts = []
    if leaf.obtained is not None:
        parts.append(f"取得日期{dates_phrase(leaf.obtained, as_of)}")
    if leaf.first:
        parts.append("只计首次取得")
    parts += [
        f"{field_name(name)}{bounds_phrase(bounds, field_unit(name, leaf, vocabulary))}" for name, bounds in leaf.where
    ]
    return f"（{'；'.join(parts)}）" if parts else ""


def field_name(name: str) -> str:
    return _FIELDS.get(name, f"{name} ")


def field_unit(name: str, leaf: ast.RecordsLeaf, vocabulary: Vocabulary) -> str:
    return amount_unit(leaf, vocabulary) if name == "amount" else ""


def amount_unit(leaf: ast.RecordsLeaf, vocabulary: Vocabulary) -> str:
    definition = vocabulary.facts.get(leaf.fact)
    return (definition.unit if definition is not None else "") or "元"


def count_phrase(bounds: Bounds) -> str:
    """``不少于 3 项``, ``2 至 4 项``; the words of counting rather than of measuring."""
    if bounds.eq is not None:
        return f"恰好 {plain(bounds.eq)} 项"
    parts = []
    if bounds.lower is not None:
        parts.append(f"{'多于' if bounds.lower_strict else '不少于'} {plain(bounds.lower)} 项")
    if bounds.upper is not None:
        parts.append(f"{'少于' if bounds.upper_strict else '不多于'} {plain(bounds.upper)} 项")
    return both(parts)


def leaf_phrase(leaf: ast.Leaf, vocabulary: Vocabulary, negated: bool = False, as_of: date | None = None) -> str:
    """One condition in Chinese, ``negated`` where it must not hold; without 原则上 and without its clause text."""
    name = label_of(leaf.fact, vocabulary)
    match leaf:
        case ast.CodeLeaf():
            denied = leaf.negated is not negated
            among = "" if len(leaf.codes) == 1 else "任何一项" if denied else "之一"
            return f"{name}{'不属于' if denied else '属于'}{codes_phrase(leaf.codes, leaf, vocabulary)}{among}"
        case ast.NumberLeaf():
            phrase = signed_bounds_phrase(leaf.bounds, unit_of(leaf, vocabulary), negated)
            return f"{subject(leaf, vocabulary, as_of)}{phrase}"
        case ast.YearlyLeaf():
            about, unit = subject(leaf, vocabulary, as_of), unit_of(leaf, vocabulary)
            if negated and leaf.years > 1 and leaf.over is ast.Over.EACH:
                return f"{about}不是都{bounds_phrase(leaf.bounds, unit)}"
            return f"{about}{signed_bounds_phrase(leaf.bounds, unit, negated)}"
        case ast.DateLeaf():
            phrase = dates_phrase(leaf.dates, as_of)
            return f"{name}不是“{phrase}”" if negated else f"{name}{phrase}"
        case ast.BooleanLeaf():
            return f"{name}：{'是' if leaf.value is not negated else '否'}"
        case ast.RecordsLeaf():
            return _records_phrase(leaf, vocabulary, negated, as_of)


def _records_phrase(leaf: ast.RecordsLeaf, vocabulary: Vocabulary, negated: bool, as_of: date | None) -> str:
    name, codes = label_of(leaf.fact, vocabulary), codes_phrase(leaf.codes, leaf, vocabulary)
    has = "现有" if leaf.held is ast.Held.NOW else "曾有"
    lacks = "现没有" if leaf.held is ast.Held.NOW else "从未有"
    filters = filters_phrase(leaf, vocabulary, as_of)
    several = len(leaf.codes) > 1
    if leaf.count is not None or leaf.amount is not None:
        decided = []
        if leaf.count is not None:
            decided.append(f"共计{count_phrase(leaf.count)}")
        if leaf.amount is not None:
            decided.append(f"金额合计{bounds_phrase(leaf.amount, amount_unit(leaf, vocabulary))}")
        told = f"{name}中{has}{codes}{filters}，{'，且'.join(decided)}"
        return f"不是“{told}”" if negated else told
    if leaf.quantifier is ast.Quantifier.ALL_OF:
        if negated:
            return f"{name}中{lacks}{codes}{'中的至少一项' if several else ''}{filters}"
        return f"{name}中{has}{codes}{'的每一项' if several else ''}{filters}"
    denied = (leaf.quantifier is ast.Quantifier.NONE_OF) is not negated
    if denied:
        return f"{name}中{lacks}{codes}{'中的任何一项' if several else ''}{filters}"
    return f"{name}中{has}{codes}{'之一' if several else ''}{filters}"
