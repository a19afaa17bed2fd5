"""Sets of small numbers as bits of one big integer: joined, met and counted at memory speed."""

from collections.abc import Callable, Iterable
from itertools import accumulate, compress, count
from operator import add


def of(members: Iterable[int], width: int) -> int:
    """The set of these numbers, all below ``width``."""
    buffer = bytearray((width + 7) // 8)
    for member in members:
        buffer[member >> 3] |= 1 << (member & 7)
    return int.from_bytes(buffer, "little")


def of_odd(members: Iterable[int], width: int) -> int:
    """The set of the numbers that stand there an odd number of times."""
    buffer = bytearray((width + 7) // 8)
    for member in members:
        buffer[member >> 3] ^= 1 << (member & 7)
    return int.from_bytes(buffer, "little")


def members(bits: int) -> list[int]:
    """The numbers in a set, rising."""
    if not bits:
        return []
    # Each stretch of zeros before a one, from the low end: its length leads from one member to the next.
    gaps = bin(bits)[:1:-1].split("1")
    gaps.pop()
    return list(map(add, accumulate(map(len, gaps)), count()))


_TRUTHS = bytes.maketrans(b"01", b"\0\1")


class Names:
    """The names that a set stands for, last number first."""

    def __init__(self, names: list[str]) -> None:
        self._top = 1 << len(names)
        # bin() of a set marked at the top is "0b1" and then a digit for each number, the last number first.
        self._backwards = names[::-1]
        self._at_digit = ["", "", "", *self._backwards]
        self._many = len(names) // 12

    def __call__(self, chosen: int) -> tuple[str, ...]:
        if not chosen:
            return ()
        digits = bin(chosen | self._top)
        if chosen.bit_count() > self._many:
            return tuple(compress(self._backwards, digits[3:].encode().translate(_TRUTHS)))
        # Each stretch of zeros before a one: its length leads from one member to the next.
        gaps = digits.split("1")[1:-1]
        at_digit = self._at_digit
        return tuple([at_digit[place] for place in map(add, accumulate(map(len, gaps)), count(3))])


Fold = Callable[[int], int]


def folder(widths: list[int]) -> Fold:
    """Joins planes laid end to end (each no wider than the one before) into the first plane's width."""
    if len(widths) <= 1:
        return lambda bits: bits
    first = widths[0]
    mask = (1 << first) - 1
    rest = widths[1:]

    def fold(bits: int) -> int:
        result = bits & mask
        bits >>= first
        for width in rest:
            if not bits:
                break
            result |= bits & ((1 << width) - 1)
            bits >>= width
        return result

    return fold
