"""The exact search under `domain.combination`: whole cents, options by index, sets of options as bits. Pure.

Depth first in the order of the options, taking before leaving. A branch is cut where the most that it could still pay
is below the best found, or equal to it with later options. The bound: options that exclude each other pairwise count as
the dearest of them, and what lies within one cap counts up to its room, less the least that any of it holds outside:
whichever is paid last finds that much of the room not its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Piece:
    """One group: amounts in cents (> 0); of each bar's bits one; (bits, cents) of each cap; (what each option uses of
    it, what there is) for each paper. `outside`: of each cap, the cents for each option that the room must leave over
    when it is paid, and that are not used up by it (empty: none).
    """

    amounts: Sequence[int]
    bars: Sequence[int] = ()
    caps: Sequence[tuple[int, int]] = ()
    papers: Sequence[tuple[Sequence[int], int]] = ()
    outside: Sequence[Sequence[int]] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The options taken, what they are paid in cents, and whether nothing pays more for certain."""

    taken: tuple[int, ...]
    total: int
    proven: bool


def best_of(piece: Piece, *, must: Collection[int] = (), most_steps: int) -> Found | None:
    """The best of the piece that takes each of `must` and pays each something; None where nothing lawful does."""
    return _Search(piece, must=frozenset(must), most_steps=most_steps).run()


@dataclass(slots=True)
class _Search:
    piece: Piece
    must: frozenset[int]
    most_steps: int
    conflicts: list[int] = field(init=False)
    cliques: list[int] = field(init=False)
    under: list[list[tuple[int, int]]] = field(init=False)  # of each option: its caps, and what it has outside each
    least: list[list[int]] = field(init=False)  # of each option: what it or a later one has at least outside each cap
    steps: int = 0
    best: tuple[int, int] | None = None  # (total, options taken as bits, the first option the highest)

    def __post_init__(self) -> None:
        self.conflicts = _conflicts(self.piece)
        self.cliques = _cliques(self.conflicts)
        numbers = range(len(self.piece.amounts))
        caps = self.piece.caps
        outside = self.piece.outside or [[0] * len(numbers)] * len(caps)
        self.under = [[(c, outside[c][i]) for c, (bits, _) in enumerate(caps) if bits >> i & 1] for i in numbers]
        self.least = [
            [min((outside[c][j] for j in numbers[i:] if bits >> j & 1), default=0) for c, (bits, _) in enumerate(caps)]
            for i in numbers
        ]

    def run(self) -> Found | None:
        rooms = [room for _, room in self.piece.caps]
        left = [left for _, left in self.piece.papers]
        blocked = 0
        for i, amount in enumerate(self.piece.amounts):
            if amount <= 0 or any(uses[i] > left for uses, left in self.piece.papers):
                blocked |= 1 << i
        if any(blocked >> i & 1 or self.conflicts[i] >> j & 1 for i in self.must for j in self.must):
            return None
        for i in self.must:
            blocked |= self.conflicts[i]
        self._greedy(blocked)
        self._descend(0, (0, 0), blocked, rooms, left)
        if self.best is None:
            return None
        total, bits = self.best
        count = len(self.piece.amounts)
        taken = tuple(i for i in range(count) if bits >> (count - 1 - i) & 1)
        return Found(taken, total, self.steps < self.most_steps)

    def _descend(self, i: int, so_far: tuple[int, int], blocked: int, rooms: list[int], left: list[int]) -> None:
        total, bits = so_far
        count = len(self.piece.amounts)
        if i == count:
            if self.best is None or (total, bits) > self.best:
                self.best = (total, bits)
            return
        if self.steps >= self.most_steps:
            return
        self.steps += 1
        if self.best is not None:
            most = total + self._bound(i, blocked, rooms)
            rest = count - i
            if (most, bits << rest | (1 << rest) - 1) <= self.best:
                return
        pay = 0 if blocked >> i & 1 else self._pay(i, rooms)
        if pay and all(uses[i] <= have for (uses, _), have in zip(self.piece.papers, left, strict=True)):
            after = list(rooms)
            for c, _ in self.under[i]:
                after[c] -= pay
            have = [have - uses[i] for (uses, _), have in zip(self.piece.papers, left, strict=True)]
            self._descend(i + 1, (total + pay, bits << 1 | 1), blocked | self.conflicts[i], after, have)
        if i not in self.must:
            self._descend(i + 1, (total, bits << 1), blocked, rooms, left)

    def _pay(self, i: int, rooms: Sequence[int]) -> int:
        return max(0, min([self.piece.amounts[i], *(rooms[c] - outside for c, outside in self.under[i])]))

    def _bound(self, start: int, blocked: int, rooms: Sequence[int]) -> int:
        """No less than what the options from `start` on can still be paid."""
        open_ = ((1 << len(self.piece.amounts)) - 1) >> start << start & ~blocked
        free = 0
        within = [0] * len(rooms)
        most_of = [max(0, room - least) for room, least in zip(rooms, self.least[start], strict=True)]
        covers_all = [most for (bits, _), most in zip(self.piece.caps, most_of, strict=True) if not open_ & ~bits]
        for clique in self.cliques:
            members = clique & open_
            if not members:
                continue
            most, rest = 0, members
            while rest:
                lowest = rest & -rest
                most = max(most, self._pay(lowest.bit_length() - 1, rooms))
                rest ^= lowest
            home = next((c for c, (bits, _) in enumerate(self.piece.caps) if not members & ~bits), None)
            if home is None:
                free += most
            else:
                within[home] += most
        bound = free + sum(min(sum_, most) for sum_, most in zip(within, most_of, strict=True))
        return min([bound, *covers_all])

    def _greedy(self, blocked: int) -> None:
        """A first answer: the dearest options that fit, beside those that must be in."""
        count = len(self.piece.amounts)
        left = [left for _, left in self.piece.papers]
        taken: set[int] = set()
        order = sorted(range(count), key=lambda i: (i not in self.must, -self._pay(i, [r for _, r in self.piece.caps])))
        for i in order:
            fits = all(uses[i] <= have for (uses, _), have in zip(self.piece.papers, left, strict=True))
            if blocked >> i & 1 or not fits:
                continue
            taken.add(i)
            blocked |= self.conflicts[i]
            left = [have - uses[i] for (uses, _), have in zip(self.piece.papers, left, strict=True)]
        rooms = [room for _, room in self.piece.caps]
        total = bits = 0
        for i in range(count):
            pay = self._pay(i, rooms) if i in taken else 0
            for c, _ in self.under[i]:
                rooms[c] -= pay
            total += pay
            bits = bits << 1 | (pay > 0)
        if all(bits >> (count - 1 - i) & 1 for i in self.must):
            self.best = (total, bits)


def _conflicts(piece: Piece) -> list[int]:
    """For each option the bits of those that cannot stand beside it."""
    count = len(piece.amounts)
    found = [0] * count
    for bits in piece.bars:
        for i in range(count):
            if bits >> i & 1:
                found[i] |= bits & ~(1 << i)
    for uses, left in piece.papers:
        for i in range(count):
            for j in range(i):
                if uses[i] and uses[j] and uses[i] + uses[j] > left:
                    found[i] |= 1 << j
                    found[j] |= 1 << i
    return found


def _cliques(conflicts: Sequence[int]) -> list[int]:
    """A cover of all options by sets that exclude each other pairwise, made greedily."""
    rest = (1 << len(conflicts)) - 1
    found = []
    while rest:
        first = max(
            (i for i in range(len(conflicts)) if rest >> i & 1), key=lambda i: (conflicts[i] & rest).bit_count()
        )
        clique, candidates = 1 << first, conflicts[first] & rest
        while candidates:
            lowest = candidates & -candidates
            clique |= lowest
            candidates &= conflicts[lowest.bit_length() - 1]
        found.append(clique)
        rest &= ~clique
    return found
