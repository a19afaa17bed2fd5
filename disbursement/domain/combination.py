"""就高不重复, computed: of the awards that compete, the lawful combination that pays most, and what each choice costs.

Options compete in three ways: a bar lets one of its members be taken, a cap lets its members have so much together,
and a paper (an invoice, a contract) lends its amount once, whole or in parts. Options stand in the order in which they
would be approved, and are paid in it: each gets its amount or what is left under its narrowest cap, as an approval
does (`domain.caps`). A combination is lawful where no bar has two takers and no paper lends more than it has.

The search is exact (branch and bound over each group of options that touch each other), and counts its steps, not the
time, so that the same question has the same answer everywhere; past `most_steps` it says that its best is not proven.
Of two combinations that pay the same, the one with the earlier options wins. Amounts are `Decimal` in 元.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from . import money
from .search import Piece, best_of

# About a second of one processor at forty options; an alternative to the best has a twelfth of it.
MOST_STEPS = 50_000
STEPS_EACH = 4_000


@dataclass(frozen=True, slots=True)
class Option:
    """Something that could be granted: `amount` by its own rules, > 0; `uses`: paper key → how much it stands on."""

    key: str
    label: str
    amount: Decimal
    uses: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bar:
    """Of these options (by key) one at most: 就高不重复."""

    name: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cap:
    """These options together get at most `room`, ≥ 0: what is left under the cap after all that was granted before.

    `outside`: key → what was granted of items that exclude this option and that the cap does not count. The option is
    paid the difference to it, and the cap holds both together, but then counts only the difference.
    """

    name: str
    members: frozenset[str]
    room: Decimal
    outside: Mapping[str, Decimal] = field(default_factory=dict)

    def beside(self, key: str) -> Decimal:
        return self.outside.get(key, money.ZERO)


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice or a contract, of which `left` is not used yet, ≥ 0."""

    key: str
    label: str
    left: Decimal


@dataclass(frozen=True, slots=True)
class Problem:
    """What competes. Keys are unique; what bars, caps and uses name and no option or paper bears is passed over."""

    options: Sequence[Option]
    bars: Sequence[Bar] = ()
    caps: Sequence[Cap] = ()
    papers: Sequence[Paper] = ()

    def option(self, key: str) -> Option:
        return next(option for option in self.options if option.key == key)


@dataclass(frozen=True, slots=True)
class Combination:
    """A lawful combination: option key → what it is paid, > 0, in the problem's order."""

    paid: Mapping[str, Decimal]
    proven: bool = True

    @property
    def total(self) -> Decimal:
        return money.total(self.paid.values())


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An option that a combination leaves out. `reasons`: why, in Chinese. `instead` is the best combination that takes
    it (None: no lawful one does), `gives_up` what that leaves out of the first, `cost` by how much less it pays.
    """

    option: Option
    reasons: list[str]
    instead: Combination | None
    gives_up: list[str]
    cost: Decimal


def best(problem: Problem, *, must: Collection[str] = (), most_steps: int = MOST_STEPS) -> Combination | None:
    """The lawful combination that pays most, among those that take each of `must`; None where no lawful one does."""
    must = set(must)
    taken: set[str] = set()
    proven = True
    for group in _groups(problem):
        piece = _piece(problem, group)
        found = best_of(piece, must=[i for i, o in enumerate(group) if o.key in must], most_steps=most_steps)
        if found is None:
            return None
        taken |= {group[i].key for i in found.taken}
        proven = proven and found.proven
    paid = payments(problem, taken)
    return None if must - paid.keys() else Combination(paid, proven)


def competing(problem: Problem) -> Problem:
    """The problem without options that touch no other: those are not a matter of choice."""
    touched = {key for keys in _ties(problem) for key in keys}
    return replace(problem, options=[option for option in problem.options if option.key in touched])


def payments(problem: Problem, taken: Collection[str]) -> dict[str, Decimal]:
    """What each of the taken is paid in the problem's order; those for which the caps leave nothing are left out."""
    rooms = [cap.room for cap in problem.caps]
    paid: dict[str, Decimal] = {}
    for option in problem.options:
        if option.key not in taken:
            continue
        under = [i for i, cap in enumerate(problem.caps) if option.key in cap.members]
        amount = min([option.amount, *(rooms[i] - problem.caps[i].beside(option.key) for i in under)])
        if amount <= 0:
            continue
        paid[option.key] = amount
        for i in under:
            rooms[i] -= amount
    return paid


def unlawful(problem: Problem, taken: Collection[str]) -> list[str]:
    """What is wrong with taking all of these, for people; empty where it is lawful."""
    chosen = [option for option in problem.options if option.key in set(taken)]
    problems = []
    for bar in problem.bars:
        both = [option.label for option in chosen if option.key in bar.members]
        if len(both) > 1:
            problems.append(f"{bar.name}：{'、'.join(f'“{label}”' for label in both)}只能选一项。")
    for paper in problem.papers:
        wanted = money.total(option.uses.get(paper.key, money.ZERO) for option in chosen)
        if wanted > paper.left:
            users = "、".join(f"“{option.label}”" for option in chosen if option.uses.get(paper.key))
            problems.append(
                f"{paper.label}可用{money.yuan(paper.left)}元，{users}共使用{money.yuan(wanted)}元，不能重复使用。"
            )
    return problems


def left_out(problem: Problem, chosen: Combination, *, most_steps: int = STEPS_EACH) -> list[LeftOut]:
    """Each option that the combination leaves out: why, and what taking it would cost. In the problem's order."""
    found = []
    for option in problem.options:
        if option.key in chosen.paid:
            continue
        instead = best(problem, must=[option.key], most_steps=most_steps)
        gone = [] if instead is None else [key for key in chosen.paid if key not in instead.paid]
        cost = chosen.total - (money.ZERO if instead is None else instead.total)
        found.append(LeftOut(option, _why(problem, chosen, option), instead, gone, cost))
    return found


def _why(problem: Problem, chosen: Combination, option: Option) -> list[str]:
    labels = {other.key: other.label for other in problem.options}
    reasons = []
    for bar in problem.bars:
        others = [key for key in chosen.paid if key in bar.members]
        if option.key in bar.members and others:
            names = "、".join(f"“{labels[key]}”{money.yuan(chosen.paid[key])}元" for key in others)
            reasons.append(f"{bar.name}：已选{names}，只能享受一项")
    taken = [other for other in problem.options if other.key in chosen.paid]
    for paper in problem.papers:
        wanted = option.uses.get(paper.key, money.ZERO)
        used = money.total(other.uses.get(paper.key, money.ZERO) for other in taken)
        if wanted and used + wanted > paper.left:
            by = "、".join(f"“{other.label}”" for other in taken if other.uses.get(paper.key))
            said = f"，其中{by}使用{money.yuan(used)}元" if by else ""
            reasons.append(f"{paper.label}可用{money.yuan(paper.left)}元{said}，不够再用{money.yuan(wanted)}元")
    for cap in problem.caps:
        had = money.total(amount for key, amount in chosen.paid.items() if key in cap.members)
        beside = cap.beside(option.key)
        if option.key in cap.members and had + beside >= cap.room:
            also = f"，连同互斥事项已获的{money.yuan(beside)}元" if beside else ""
            reasons.append(f"{cap.name}：余额{money.yuan(cap.room)}元{also}已用完")
    return reasons or ["与所选组合相比，总额不会更高"]


def _groups(problem: Problem) -> list[list[Option]]:
    """Options that touch each other by a bar, a cap or a paper that could bind, each group in the problem's order."""
    leader = {option.key: option.key for option in problem.options}

    def find(key: str) -> str:
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for members in _ties(problem):
        first, *rest = members
        for other in rest:
            leader[find(other)] = find(first)
    groups: dict[str, list[Option]] = {}
    for option in problem.options:
        groups.setdefault(find(option.key), []).append(option)
    return list(groups.values())


def _ties(problem: Problem) -> Iterable[list[str]]:
    for bar in problem.bars:
        yield from _several(option.key for option in problem.options if option.key in bar.members)
    for cap in problem.caps:
        inside = [option for option in problem.options if option.key in cap.members]
        beside = max((cap.beside(option.key) for option in inside), default=money.ZERO)
        if money.total(option.amount for option in inside) + beside > cap.room:
            yield from _several(option.key for option in inside)
    for paper in problem.papers:
        users = [option for option in problem.options if option.uses.get(paper.key)]
        if money.total(option.uses[paper.key] for option in users) > paper.left:
            yield from _several(option.key for option in users)


def _several(keys: Iterable[str]) -> Iterable[list[str]]:
    found = list(keys)
    if len(found) > 1:
        yield found


def _piece(problem: Problem, group: Sequence[Option]) -> Piece:
    """The group in whole cents and bit sets, as the search takes it."""

    def mask(keys: Collection[str]) -> int:
        return sum(1 << i for i, option in enumerate(group) if option.key in keys)

    caps = [cap for cap in problem.caps if mask(cap.members)]
    return Piece(
        amounts=[_cents(option.amount) for option in group],
        bars=[mask(bar.members) for bar in problem.bars],
        caps=[(mask(cap.members), _cents(cap.room)) for cap in caps],
        outside=[[_cents(cap.beside(option.key)) for option in group] for cap in caps],
        papers=[
            ([_cents(option.uses.get(paper.key, money.ZERO)) for option in group], _cents(paper.left))
            for paper in problem.papers
            if any(option.uses.get(paper.key) for option in group)
        ],
    )


def _cents(amount: Decimal) -> int:
    return int(amount / money.CENT)
