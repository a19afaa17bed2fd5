"""Sets of small numbers as bits of one big integer: joined, met and counted at memory speed."""

from collections.abc import Callable, Iterable
from itertools import accumulate, count
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


class Names:
    """The names that a set stands for, eight bits at a step. Steps are remembered as they come up."""

    def __init__(self, names: list[str]) -> None:
        self._size = (len(names) + 7) // 8
        self._steps = [_Step(names[start : start + 8]) for start in range(0, len(names), 8)]

    def __call__(self, chosen: int) -> tuple[str, ...]:
        found: list[str] = []
        if chosen:
            for step, byte in zip(self._steps, chosen.to_bytes(self._size, "little"), strict=True):
                if byte:
                    found += step[byte]
        return tuple(found)


class _Step(dict[int, tuple[str, ...]]):
    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, byte: int) -> tuple[str, ...]:
        found = self[byte] = tuple(name for bit, name in enumerate(self._names) if byte >> bit & 1)
        return found


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
