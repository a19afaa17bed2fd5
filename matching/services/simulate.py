"""Simulation before publishing (事前评估): a draft's criteria and award against every profile of today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from matching import simulation
from matching.criteria import Facts, Node, Vocabulary
from matching.criteria.award import Award
from matching.models import Enterprise, PolicyItem, PolicyVersion, Profile
from matching.registry import budget
from matching.registry.models import BudgetLine
from matching.services.comparing import Change, Comparison, Window, is_within
from matching.services.listed import known_facts, readable
from matching.services.vocabulary import current_vocabulary

_CHUNK = 1000
LISTED = 200
"""As many enterprises of each side are named."""


class Standing(StrEnum):
    """How the money stands to what there is of it."""

    WITHIN = "within"
    MAY_EXCEED = "may_exceed"
    EXCEEDS = "exceeds"
    NO_LIMIT = "no_limit"


@dataclass(frozen=True, slots=True)
class Budget:
    """What there is for the item in the year of the simulation, in 元; None where there is none.

    `line` is the whole budget line (other items draw on it too), `unreserved` what of it is neither reserved nor paid;
    `ceiling` is the item's own. `limit`, with which the money is compared, is the least of what is known.
    """

    code: str
    name: str
    year: int
    line: Decimal | None
    unreserved: Decimal | None
    ceiling: Decimal | None
    limit: Decimal | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Listed:
    """An enterprise that would change sides."""

    enterprise_id: int
    name: str
    change: Change


@dataclass(frozen=True, slots=True)
class Changes:
    """What a draft would change against the version in force: how many enterprises would newly fit and how many no
    longer, with the first of each (`LISTED` at most), by id."""

    version: PolicyVersion
    newly_in: int
    fell_out: int
    those_in: tuple[Listed, ...]
    those_out: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a draft would do. `budget` is None where the item pays nothing, `changes` where no version is in force."""

    as_of: date
    outcome: simulation.Outcome
    budget: Budget | None
    changes: Changes | None = None


def simulate(
    *,
    criteria: Node,
    award: Award | None,
    budget_line: str,
    ceiling: Decimal | None,
    as_of: date,
    item_code: str = "",
    window: Window = (None, None),
) -> Simulation:
    """How many enterprises fit, nearly fit or lack data; the money against the budget line; what excludes most; and
    for the code of a listed item who would be newly in and who would fall out.

    `criteria` and `award` are parsed by the vocabulary in force, `budget_line` is a code or empty, `ceiling` the
    item's own limit in 元 a year, `window` the draft's first and last day of applications. Profiles are those of today,
    judged as of `as_of` (Asia/Shanghai). Writes nothing.
    """
    vocabulary = current_vocabulary()
    keys = simulation.facts_needed(criteria, award)
    changing = _Changing.against(item_code, criteria, window, as_of=as_of, vocabulary=vocabulary)
    profiles = _profiles(keys | changing.comparison.facts_needed if changing else keys, vocabulary)
    outcome = simulation.run(
        criteria=criteria,
        award=award,
        profiles=changing.watching(profiles) if changing else (facts for _, facts in profiles),
        vocabulary=vocabulary,
        as_of=as_of,
    )
    budget = _budget(budget_line, ceiling, as_of.year, outcome.money)
    return Simulation(as_of, outcome, budget, changing.told() if changing else None)


class _Changing:
    """Watches the profiles that pass for those that change sides."""

    def __init__(self, version: PolicyVersion, comparison: Comparison) -> None:
        self.version, self.comparison = version, comparison
        self.counts = {True: 0, False: 0}
        self.first: dict[bool, list[tuple[int, Change]]] = {True: [], False: []}

    @classmethod
    def against(
        cls, item_code: str, criteria: Node, window: Window, *, as_of: date, vocabulary: Vocabulary
    ) -> _Changing | None:
        """None where no version of the item is in force, or the vocabulary in force cannot read it."""
        item = PolicyItem.objects.filter(code=item_code, is_listed=True).select_related("current_version").first()
        version = item.current_version if item_code and item else None
        if version is None:
            return None
        held = readable(version_id=version.pk, rules=version.rules, vocabulary=vocabulary)
        if held is None:
            return None
        old = held.criteria if is_within(window=(version.window_from, version.window_until), day=as_of) else None
        new = criteria if is_within(window=window, day=as_of) else None
        return cls(version, Comparison(old, new, as_of=as_of, vocabulary=vocabulary))

    def watching(self, profiles: Iterable[tuple[int, Facts]]) -> Iterator[Facts]:
        for pk, facts in profiles:
            change = self.comparison.of(facts)
            if change is not None:
                self.counts[change.is_in] += 1
                if self.counts[change.is_in] <= LISTED:
                    self.first[change.is_in].append((pk, change))
            yield facts

    def told(self) -> Changes:
        ids = [pk for side in self.first.values() for pk, _ in side]
        names = dict(Enterprise.objects.filter(pk__in=ids).values_list("pk", "name"))
        listed = {
            side: tuple(Listed(pk, names[pk], change) for pk, change in found) for side, found in self.first.items()
        }
        return Changes(self.version, self.counts[True], self.counts[False], listed[True], listed[False])


def _profiles(keys: frozenset[str], vocabulary: Vocabulary) -> Iterator[tuple[int, Facts]]:
    rows = Profile.objects.order_by("pk").values_list("pk", "facts")
    for pk, facts in rows.iterator(chunk_size=_CHUNK):
        needed = {key: value for key, value in facts.items() if key in keys}
        yield pk, known_facts(facts=needed, vocabulary=vocabulary)


def _budget(code: str, ceiling: Decimal | None, year: int, money: simulation.Money | None) -> Budget | None:
    if money is None:
        return None
    line = BudgetLine.objects.filter(code=code, year=year).first() if code else None
    whole = line.ceiling if line else None
    left = budget.unreserved(line) if line else None
    limits = [limit for limit in (whole, left, ceiling) if limit is not None]
    limit = min(limits) if limits else None
    if limit is None:
        standing = Standing.NO_LIMIT
    elif money.low > limit:
        standing = Standing.EXCEEDS
    elif money.high > limit or money.unbounded:
        standing = Standing.MAY_EXCEED
    else:
        standing = Standing.WITHIN
    name = line.name if line else ""
    return Budget(code, name, year, whole, left, ceiling, limit, standing)
