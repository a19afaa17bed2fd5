"""An enterprise as a document of the profile index, and the places in it at which queries look.

New facts, codes, years and figures add values, and fields by template; no mapping is ever changed. A number is a field
of its own, so that an absent one is just not there; everything else is terms ``fact=code``. The codes are those of the
profile alone: what a code covers is the vocabulary's to say, and stands in the query, so that a code list may be
arranged anew without writing half a million documents.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from elasticsearch.dsl import Document, Double, Keyword, Long, LongRange, MetaField, Object

from matching.criteria import ast
from matching.criteria.clauses import DateColumn, NumberColumn, YearlyColumn
from matching.criteria.facts import Facts, Record

from ..columns import boolean_code, digest, number_figure, yearly_figure
from .figures import ANY_YEAR, Measured, field_in, field_of
from .rank import rank, rank_of_fact

Json = Any
_DAY_BITS = 22  # 9999-12-31 is day 3,652,059
_CODE_BITS = 41
LAST_DAY = (1 << _DAY_BITS) - 1


class ProfileDocument(Document):
    """What is known of one enterprise. The server keeps no source: the database has it."""

    id = Long(required=True)
    version = Long(index=False)
    digest = Keyword(index=False)
    known = Keyword(multi=True, doc_values=False)
    """The facts that are known, of those whose values do not show it."""
    codes = Keyword(multi=True, doc_values=False)
    undated = Keyword(multi=True, doc_values=False)
    """Codes of records that lack the day on which they were obtained."""
    numbers = Object(dynamic=True)
    held = Object(dynamic=True)
    """For each fact of records, from when to when each code is held; see ``held_from``."""
    obtained = Object(dynamic=True)

    class Meta:
        dynamic = MetaField("strict")
        dynamic_templates = MetaField(
            [
                {"numbers": {"path_match": "numbers.*", "mapping": Double().to_dict()}},
                {"held": {"path_match": "held.*", "mapping": LongRange(doc_values=False).to_dict()}},
                {"obtained": {"path_match": "obtained.*", "mapping": Long().to_dict()}},
            ]
        )
        source = MetaField(enabled=False)

    class Index:
        settings = {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            "refresh_interval": "30s",
            # What was taken out by mistake may be written again in the same version.
            "gc_deletes": "0s",
            # Written and walked in this order.
            "sort.field": "id",
            "sort.order": "asc",
            # One field for each year of each figure; a district has some hundreds.
            "mapping.total_fields.limit": 20_000,
        }


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A document to be written, as JSON. A higher ``version`` replaces a lower one, never the other way round."""

    id: int
    version: int
    digest: str
    text: str


class Reader:
    """Makes documents that carry these figures beside the facts."""

    def __init__(self, figures: Iterable[Measured]) -> None:
        self._ratios: list[tuple[str, NumberColumn]] = []
        self._yearly: dict[str, list[YearlyColumn]] = {}
        for figure in sorted(figures, key=field_of):
            if isinstance(figure, NumberColumn):
                self._ratios.append((field_of(figure), figure))
            else:
                self._yearly.setdefault(figure.fact, []).append(figure)

    def row(self, *, enterprise: int, version: int, facts: Facts) -> ProfileRow:
        text = json.dumps(self.body(facts), ensure_ascii=False, separators=(",", ":"))
        stamp = hashlib.blake2b(f"{version}{text}".encode(), digest_size=12).hexdigest()
        head = f'{{"id":{enterprise},"version":{version},"digest":"{stamp}",'
        return ProfileRow(enterprise, version, stamp, head + text[1:])

    def body(self, facts: Facts) -> Json:
        known: list[str] = []
        codes: list[str] = []
        undated: list[str] = []
        numbers: dict[str, float] = {}
        held: Json = {}
        obtained: Json = {}
        for fact, value in sorted(facts.values.items()):  # the same in whatever order the database gives them
            if isinstance(value, str):
                known.append(fact)
                codes.append(term(fact, value))
            elif isinstance(value, bool):
                codes.append(term(fact, boolean_code(value)))
            elif isinstance(value, Decimal):
                numbers[number_field(fact)] = rank_of_fact(value)
            elif isinstance(value, date):
                numbers[day_field(fact)] = float(value.toordinal())
            elif isinstance(value, tuple):
                known.append(fact)
                self._records(fact, value, held, obtained, undated)
            else:
                self._years(fact, value, facts, numbers)
        for field, ratio in self._ratios:
            shown = number_figure(ratio, facts)
            if shown is not None:
                numbers[field] = rank(shown)
        body: Json = {"known": known, "codes": codes, "undated": undated, "numbers": numbers}
        return body | {"held": held, "obtained": obtained}

    def _years(self, fact: str, series: Mapping[int, Decimal], facts: Facts, numbers: dict[str, float]) -> None:
        plain = yearly_column(fact)
        years = sorted(series)
        for year in years:
            numbers[field_in(plain, year)] = rank_of_fact(series[year])
        for figure in self._yearly.get(fact, ()):
            for year in years:
                shown = yearly_figure(figure, facts, year)
                if shown is not None:
                    numbers[field_in(figure, year)] = rank(shown)

    def _records(self, fact: str, records: tuple[Record, ...], held: Json, obtained: Json, undated: list[str]) -> None:
        if not records:
            return
        field = records_field(fact)
        stretches = []
        days = []
        for record in records:
            base = held_from(record.code)
            first = 0 if record.on is None else record.on.toordinal()
            last = LAST_DAY if record.until is None else record.until.toordinal()
            stretches.append({"gte": base | first, "lte": base | last})
            if record.on is None:
                undated.append(term(fact, record.code))
            else:
                days.append(base | first)
        held[field] = stretches
        if days:
            obtained[field] = days


def term(fact: str, code: str) -> str:
    """A code of a fact as a term."""
    return f"{fact}={code}"


@lru_cache(maxsize=65_536)
def held_from(code: str) -> int:
    """The start of a code's own stretch of the number line, in which each day is a number: one range field holds when
    each code of a fact is held. Codes are told apart by 41 bits of a digest."""
    return int.from_bytes(hashlib.sha256(code.encode()).digest()[:8]) >> (64 - _CODE_BITS) << _DAY_BITS


@lru_cache(maxsize=4096)
def number_field(fact: str) -> str:
    return field_of(NumberColumn(fact))


@lru_cache(maxsize=4096)
def yearly_column(fact: str) -> YearlyColumn:
    return YearlyColumn(fact, ANY_YEAR, 1, ast.Over.EACH)


@lru_cache(maxsize=4096)
def day_field(fact: str) -> str:
    return f"day_{digest(DateColumn(fact))}"


@lru_cache(maxsize=4096)
def records_field(fact: str) -> str:
    return f"records_{digest(fact)}"
