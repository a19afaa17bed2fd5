"""The values of the criteria language: exact numbers, dates, durations. Nothing here touches a float.

Arithmetic goes through ``plus``, ``total`` and ``times``, which are exact whatever the ambient decimal context is;
divisions are avoided by comparing products.
"""

import calendar
import decimal
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .errors import Collector, shown

MOST_DIGITS = 15
ZERO = Decimal(0)
HUNDRED = Decimal(100)

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR = re.compile(r"[0-9]{4}")
_PERIOD = re.compile(r"P(?=[0-9])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?")
# However long the text, a duration past this reaches before the year 1 from any date.
_LONGEST = 999_999_999

# Sums and products of decimals are finite, so this context never rounds; Inexact would raise if it did.
_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[decimal.Inexact])


def plus(a: Decimal, b: Decimal) -> Decimal:
    return _EXACT.add(a, b)


def minus(a: Decimal, b: Decimal) -> Decimal:
    return _EXACT.subtract(a, b)


def times(a: Decimal, b: Decimal) -> Decimal:
    return _EXACT.multiply(a, b)


def total(numbers: Iterable[Decimal]) -> Decimal:
    """The exact sum; of nothing, 0."""
    result = ZERO
    for number in numbers:
        result = _EXACT.add(result, number)
    return result


@dataclass(frozen=True, slots=True)
class Period:
    """An ISO 8601 duration of whole months (years are 12) and days."""

    months: int
    days: int

    def before(self, as_of: date) -> date | None:
        """``as_of`` − this: years and months are taken off together, a day past the month's end becomes its
        last day, then days are taken off. None where that lies before the year 1."""
        index = as_of.year * 12 + as_of.month - 1 - self.months
        year, month = index // 12, index % 12 + 1
        if year < 1:
            return None
        day = min(as_of.day, calendar.monthrange(year, month)[1])
        try:
            return date(year, month, day) - timedelta(days=self.days)
        except OverflowError:
            return None

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        parts = (
            f"{years} 年" if years else "",
            f"{months} 个月" if months else "",
            f"{self.days} 天" if self.days else "",
        )
        return "零 ".join(part for part in parts if part) or "0 天"


def read_number(value: Any, path: str, problems: Collector, what: str = "数值") -> Decimal | None:
    """A JSON integer or decimal text of at most 15 significant digits (counted from the first that is not 0)."""
    if isinstance(value, int) and not isinstance(value, bool):
        digits = Decimal(value).as_tuple().digits
        if len(digits) > MOST_DIGITS:
            problems.add(path, f"{what}最多 {MOST_DIGITS} 位有效数字，现有 {len(digits)} 位")
            return None
        return Decimal(value)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        problems.add(
            path, f'{what}应是整数，或如 "12.50" 的十进制文本（半角数字，不用小数字面量），现为 {shown(value)}'
        )
        return None
    significant = len(value.lstrip("-").replace(".", "").lstrip("0"))
    if significant > MOST_DIGITS:
        problems.add(path, f"{what}最多 {MOST_DIGITS} 位有效数字，现有 {significant} 位")
        return None
    return Decimal(value)


def read_integer(value: Any, path: str, problems: Collector, what: str) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        problems.add(path, f"{what}应是整数，现为 {shown(value)}")
        return None
    return value


def read_date(value: Any, path: str, problems: Collector, what: str = "日期") -> date | None:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            problems.add(path, f"{what} {value} 在日历上不存在；应是 YYYY-MM-DD")
            return None
    problems.add(path, f"{what}应写作 YYYY-MM-DD，如 2026-03-15，现为 {shown(value)}")
    return None


def read_year(value: Any, path: str, problems: Collector, what: str = "年份") -> int | None:
    if isinstance(value, str) and _YEAR.fullmatch(value):
        return int(value)
    problems.add(path, f"{what}应是四位数字的文本，如 2025，现为 {shown(value)}")
    return None


def read_period(value: Any, path: str, problems: Collector, what: str = "期限") -> Period | None:
    match = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        problems.add(path, f"{what}应是 PnY、PnM、PnD 或其组合（如 P3Y、P1Y6M、P90D），现为 {shown(value)}")
        return None
    years, months, days = (_count(part) for part in match.groups(default="0"))
    return Period(years * 12 + months, days)


def _count(digits: str) -> int:
    """The number of years, months or days; beyond what any calendar holds they are all one."""
    digits = digits.lstrip("0") or "0"
    return _LONGEST if len(digits) > len(str(_LONGEST)) else int(digits)


def plain(number: Decimal) -> str:
    """Exact text with thousands separators and no idle zeros: ``1,820.5``."""
    text = f"{number:,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def with_unit(number: Decimal, unit: str = "") -> str:
    """An exact amount as people write it: ``1,820 万元``, ``999.5 元``, ``12.5%``, ``35 人``.

    元 become 万元 from 10,000 元 upwards where at most two decimals tell it exactly.
    """
    if unit == "元":
        if abs(number) >= 10_000 and not _EXACT.remainder(number, HUNDRED):
            return f"{plain(number.scaleb(-4, _EXACT))} 万元"
        return f"{plain(number)} 元"
    if not unit:
        return plain(number)
    return f"{plain(number)}%" if unit == "%" else f"{plain(number)} {unit}"


def rounded(value: Fraction, places: int) -> Decimal:
    """The nearest decimal of so many places, halves away from zero; only for showing."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places, _EXACT)
