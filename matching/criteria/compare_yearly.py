"""Comparisons of yearly facts: one year, several together, or year by year."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from . import ast
from .judge import year_admitted
from .measure import Case, gap, measured, told
from .values import minus, total
from .words import bounds_phrase, leaf_phrase, required, subject, unit_of

# A condition may look back a thousand years; a sentence may not.
_MOST_YEARS = 10

Series = Mapping[int, Decimal]


def compare_yearly(leaf: ast.YearlyLeaf, case: Case) -> str:
    series = case.facts.yearly(leaf.fact) or {}
    divisors = case.facts.yearly(leaf.percent_of) if leaf.percent_of is not None else None
    final = leaf.final_year(case.as_of.year)
    if leaf.years > 1 and leaf.over is ast.Over.EACH:
        return _each_year(leaf, case, series, divisors)
    missing = _missing_years(leaf, case, series, divisors)
    if missing:
        return f"{missing}，{required(leaf_phrase(leaf, case.vocabulary, case.negated, case.as_of))}"
    about = subject(leaf, case.vocabulary, case.as_of)
    years = range(final - leaf.years + 1, final + 1)
    value = Fraction(total(series[year] for year in years))
    if leaf.growth:
        earlier = Fraction(series[final - 1])
        if earlier <= 0:
            return f"{final - 1} 年{case.label(leaf.fact)}不大于 0，无法计算同比增幅"
        value = 100 * (value - earlier) / earlier
    elif leaf.percent_of is not None and divisors is not None:
        whole = Fraction(total(divisors[year] for year in years))
        if whole <= 0:
            return f"{case.label(leaf.percent_of)}不大于 0，无法计算{about}"
        value = 100 * value / whole
    elif leaf.over is ast.Over.MEAN:
        value /= leaf.years
    return f"{about} {measured(value, leaf.bounds, unit_of(leaf, case.vocabulary), case.negated)}"


def _missing_years(leaf: ast.YearlyLeaf, case: Case, series: Series, divisors: Series | None) -> str:
    """``缺少 2024 年、2025 年营业收入（来源：税务）``; empty where every needed year is known."""
    final = leaf.final_year(case.as_of.year)
    first = final - leaf.years + (0 if leaf.growth else 1)
    parts: dict[str, None] = {}
    for key, known in ((leaf.fact, series), (leaf.percent_of, divisors)):
        if key is None or known is None:
            continue
        needed = final - first + 1
        if sum(first <= year <= final for year in known) == needed:
            continue
        # Among the latest years first: as many as are known, and a few more, must hold a missing one.
        latest = range(final, max(first, final - len(known) - _MOST_YEARS) - 1, -1)
        lacking = sorted([year for year in latest if year not in known][:_MOST_YEARS])
        more = "等年份" if needed > len(latest) or len(lacking) == _MOST_YEARS else ""
        names = "、".join(f"{year} 年" for year in lacking)
        parts[f"缺少 {names}{more}{case.label(key)}{case.origin(key)}"] = None
    return "；".join(parts)


def _each_year(leaf: ast.YearlyLeaf, case: Case, series: Series, divisors: Series | None) -> str:
    unit = unit_of(leaf, case.vocabulary)
    final = leaf.final_year(case.as_of.year)
    parts = []
    lacking = False
    for year in range(max(final - leaf.years, final - _MOST_YEARS) + 1, final + 1):
        value = _year_value(leaf, series, divisors, year)
        if value is not None:
            fails = year_admitted(leaf, series, divisors, year) is False and not case.negated
            short = gap(value, leaf.bounds, unit).lstrip("，") if fails else ""
            parts.append(f"{year} 年 {told(value, unit, leaf.bounds)}{f'（{short}）' if short else ''}")
        elif year in series:
            parts.append(f"{year} 年无法计算（缺少对照数据，或其不大于 0）")
        else:
            lacking = True
            parts.append(f"{year} 年缺数据")
    origin = case.origin(leaf.fact) if lacking else ""
    asked = f"{'不是每年都' if case.negated else '每年都'}{bounds_phrase(leaf.bounds, unit)}"
    return f"{subject(leaf, case.vocabulary)}：{'、'.join(parts)}{origin}，要求{asked}"


def _year_value(leaf: ast.YearlyLeaf, series: Series, divisors: Series | None, year: int) -> Fraction | None:
    number = series.get(year)
    if number is None:
        return None
    if leaf.growth:
        earlier = series.get(year - 1)
        return None if earlier is None or earlier <= 0 else 100 * Fraction(minus(number, earlier)) / Fraction(earlier)
    if divisors is None:
        return Fraction(number)
    whole = divisors.get(year)
    return None if whole is None or whole <= 0 else 100 * Fraction(number) / Fraction(whole)
