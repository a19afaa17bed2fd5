"""Money: `Decimal` with exactly two places, in 元. No float ever comes near it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
# 14 digits before the point: what the database columns hold.
LIMIT = Decimal("100000000000000.00")
# ASCII digits only, no exponent: what people and banks write.
_TEXT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


class NotMoney(ValueError):
    """A value that is no amount of money with at most two places."""


def money(value: Decimal | int | str) -> Decimal:
    """An exact amount with two places. Raises NotMoney for floats, for a third place, for NaN and for what is
    too big.
    """
    if isinstance(value, float) or not isinstance(value, Decimal | int | str) or isinstance(value, bool):
        raise NotMoney(f"金额必须是精确的十进制数：{value!r}")
    if isinstance(value, str) and not _TEXT.fullmatch(value):
        raise NotMoney(f"不是金额：{value!r}")
    amount = Decimal(value)
    if not amount.is_finite():
        raise NotMoney(f"不是金额：{value!r}")
    if abs(amount) >= LIMIT:
        raise NotMoney(f"金额超出范围：{value!r}")
    exact = amount.quantize(CENT, rounding=ROUND_DOWN)
    if exact != amount:
        raise NotMoney(f"金额最多两位小数：{value!r}")
    return exact + ZERO  # turns -0.00 into 0.00


def fits(value: Decimal | str) -> bool:
    """Whether an amount computed from what people filled in is one that can be paid: the rules know no bound."""
    return abs(Decimal(value)) < LIMIT


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; 0.00 of nothing."""
    return sum(amounts, ZERO).quantize(CENT)


def from_sum(value: Decimal | None) -> Decimal:
    """A database's SUM as money: NULL is nothing, and SQLite's binary sums are brought back to the cent."""
    return ZERO if value is None else Decimal(value).quantize(CENT)


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`amount` shared by weight with the largest-remainder method, to the cent: the parts add up to it
    exactly.

    Every share is its exact quota rounded down, then the cents left over go one each to the largest
    remainders; equal remainders are served in order. Weights are ≥ 0 and not all zero.
    """
    if not weights or any(w < 0 for w in weights) or not any(weights):
        raise ValueError("weights must be non-negative and not all zero")
    cents = int(amount / CENT)
    if cents * CENT != amount or cents < 0:
        raise NotMoney(f"不能分配的金额：{amount!r}")
    # Integers all through: a quotient of decimals would round at 28 digits and could misplace a cent.
    scale = Decimal(10) ** max(0, *(-int(w.as_tuple().exponent) for w in weights))
    whole = [int(w * scale) for w in weights]
    everything = sum(whole)
    quotas = [divmod(cents * w, everything) for w in whole]
    shares = [quota for quota, _ in quotas]
    order = sorted(range(len(quotas)), key=lambda i: -quotas[i][1])
    for i in order[: cents - sum(shares)]:
        shares[i] += 1
    return [share * CENT for share in shares]


def pro_rata(available: Decimal, claims: Sequence[Decimal]) -> list[Decimal]:
    """What each claim gets of `available`: all of it where there is enough, else shares by size, none above
    its claim.
    """
    if total(claims) <= available:
        return list(claims)
    return split(max(available, ZERO), claims)


def yuan(amount: Decimal) -> str:
    """1,234.50 with thousands separators, for people."""
    return f"{amount:,.2f}"


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def in_words(amount: Decimal) -> str:
    """The amount in Chinese capital numerals (大写), as notices and vouchers bear it: 壹万零伍佰元叁角整."""
    exact = money(amount)
    if exact < 0:
        return "负" + in_words(-exact)
    whole, cents = divmod(int(exact / CENT), 100)
    jiao, fen = divmod(cents, 10)
    text = f"{_integer_in_words(whole)}元" if whole else ""
    if not cents:
        return (text or "零元") + "整"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif text:
        text += "零"
    return text + (f"{_DIGITS[fen]}分" if fen else "整")


def _integer_in_words(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text = ""
    gap = False
    for position in range(len(groups) - 1, -1, -1):
        group = groups[position]
        if not group:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += "零"
        text += _group_in_words(group) + _GROUPS[position]
        gap = False
    return text


def _group_in_words(group: int) -> str:
    text = ""
    gap = False
    for position in range(3, -1, -1):
        digit = group // 10**position % 10
        if not digit:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + _DIGITS[digit] + _UNITS[position]
        gap = False
    return text
