"""Simulation before publishing (事前评估): a draft's criteria and award against every profile of today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from matching import simulation
from matching.criteria import Facts, Node, Vocabulary
from matching.criteria.award import Award
from matching.models import Profile
from matching.registry.models import BudgetLine
from matching.services.listed import known_facts
from matching.services.vocabulary import current_vocabulary

_CHUNK = 1000


class Standing(StrEnum):
    """How the money stands to what there is of it."""

    WITHIN = "within"
    MAY_EXCEED = "may_exceed"
    EXCEEDS = "exceeds"
    NO_LIMIT = "no_limit"


@dataclass(frozen=True, slots=True)
class Budget:
    """What there is for the item in the year of the simulation, in 元; None where there is none.

    `line` is of the budget line (all of it: other items draw on it too), `ceiling` of the item, `limit` the lesser.
    """

    code: str
    name: str
    year: int
    line: Decimal | None
    ceiling: Decimal | None
    limit: Decimal | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a draft would do. `budget` is None where the item pays nothing."""

    as_of: date
    outcome: simulation.Outcome
    budget: Budget | None


def simulate(
    *,
    criteria: Node,
    award: Award | None,
    budget_line: str,
    ceiling: Decimal | None,
    as_of: date,
) -> Simulation:
    """How many enterprises fit, nearly fit or lack data; the money against the budget line; what excludes most.

    `criteria` and `award` are parsed by the vocabulary in force, `budget_line` is a code or empty, `ceiling` the
    item's own limit in 元 a year. Profiles are those of today, judged as of `as_of` (Asia/Shanghai). Writes nothing.
    """
    vocabulary = current_vocabulary()
    profiles = _profiles(simulation.facts_needed(criteria, award), vocabulary)
    outcome = simulation.run(criteria=criteria, award=award, profiles=profiles, vocabulary=vocabulary, as_of=as_of)
    return Simulation(as_of, outcome, _budget(budget_line, ceiling, as_of.year, outcome.money))


def _profiles(keys: frozenset[str], vocabulary: Vocabulary) -> Iterator[Facts]:
    rows = Profile.objects.order_by("pk").values_list("facts", flat=True)
    for facts in rows.iterator(chunk_size=_CHUNK):
        needed = {key: value for key, value in facts.items() if key in keys}
        yield known_facts(facts=needed, vocabulary=vocabulary)


def _budget(code: str, ceiling: Decimal | None, year: int, money: simulation.Money | None) -> Budget | None:
    if money is None:
        return None
    line = BudgetLine.objects.filter(code=code, year=year).first() if code else None
    limits = [limit for limit in (line.ceiling if line else None, ceiling) if limit is not None]
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
    return Budget(code, name, year, line.ceiling if line else None, ceiling, limit, standing)
