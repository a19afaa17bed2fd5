"""One test as three-valued filters on the profile index: where it holds, where it fails, and unknown is the rest.

A filter that is not exact is told from both sides: what *may* hold takes in too much, what *surely* holds too little.
A query is None where it matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from matching.criteria import ast
from matching.criteria.bounds import Bounds
from matching.criteria.clauses import NumberColumn, Test, YearlyColumn

from ..columns import final_year
from .document import LAST_DAY, day_field, held_from, records_field, term
from .figures import Measured, column_asked, field_in, field_of, is_plain
from .rank import admitted, are_sure, refused

Query = dict[str, Any] | None
_MOST_YEARS = 50
"""Of an ``each`` over more years than this only the last are looked at."""


@dataclass(frozen=True, slots=True)
class Filters:
    may_hold: Query
    may_fail: Query
    surely_holds: Query
    surely_fails: Query
    exact: bool

    def negated(self) -> Filters:
        return Filters(self.may_fail, self.may_hold, self.surely_fails, self.surely_holds, self.exact)


def exactly(holds: Query, fails: Query) -> Filters:
    return Filters(holds, fails, holds, fails, exact=True)


def filters_of(test: Test, *, as_of: date, figures: frozenset[Measured]) -> Filters:
    """The filters of a test with its sign. ``figures`` are those that every document carries."""
    found = _filters(test, as_of, figures)
    return found.negated() if test.negated else found


def _filters(test: Test, as_of: date, figures: frozenset[Measured]) -> Filters:
    leaf = test.leaf
    match leaf:
        case ast.CodeLeaf():
            holds = any_term("codes", (term(leaf.fact, code) for code in leaf.accepted))
            return exactly(holds, both(_known(leaf.fact), but_not=holds))
        case ast.BooleanLeaf():
            return exactly(any_term("codes", [term(leaf.fact, "true")]), any_term("codes", [term(leaf.fact, "false")]))
        case ast.DateLeaf():
            return _day(leaf, as_of)
        case ast.RecordsLeaf():
            return _records(leaf, as_of)
    column = column_asked(test)
    assert column is not None
    if not is_plain(column) and column not in figures:
        return Filters(EVERYTHING, EVERYTHING, None, None, exact=False)
    if isinstance(column, NumberColumn):
        return _measured(f"numbers.{field_of(column)}", leaf.bounds)
    assert isinstance(test.column, YearlyColumn)
    final = final_year(test.column, as_of)
    if test.column.over is not ast.Over.EACH:
        return _measured(f"numbers.{field_in(column, final)}", leaf.bounds)
    years = test.column.years
    each = [
        _measured(f"numbers.{field_in(column, final - back)}", leaf.bounds) for back in range(min(years, _MOST_YEARS))
    ]
    return _every(each, exact=years <= _MOST_YEARS)


def _every(members: list[Filters], *, exact: bool = True) -> Filters:
    """All of them; where not ``exact``, there are more than these."""
    return Filters(
        all_of([member.may_hold for member in members]),
        any_of([member.may_fail for member in members]) if exact else EVERYTHING,
        all_of([member.surely_holds for member in members]) if exact else None,
        any_of([member.surely_fails for member in members]),
        exact and all(member.exact for member in members),
    )


def _measured(field: str, bounds: Bounds) -> Filters:
    sure = are_sure(bounds)
    holds, fails = _inside(field, admitted(bounds)), _outside(field, refused(bounds))
    if sure:
        return exactly(holds, fails)
    return Filters(
        holds,
        fails,
        _inside(field, admitted(bounds, surely=True)),
        _outside(field, refused(bounds, surely=True)),
        exact=False,
    )


def _inside(field: str, range_: dict[str, Any] | None) -> Query:
    return None if range_ is None else {"range": {field: range_}} if range_ else {"exists": {"field": field}}


def _outside(field: str, ranges: list[dict[str, Any]] | None) -> Query:
    if ranges is None:
        return {"exists": {"field": field}}
    return any_of([{"range": {field: range_}} for range_ in ranges])


def _day(leaf: ast.DateLeaf, as_of: date) -> Filters:
    field = f"numbers.{day_field(leaf.fact)}"
    window = leaf.dates.window(as_of)
    if window is None:
        return exactly(None, {"exists": {"field": field}})
    first, last = (Decimal(day.toordinal()) for day in window)
    bounds = Bounds(None if window[0] == date.min else first, False, None if window[1] == date.max else last, False)
    return _measured(field, bounds)


def _records(leaf: ast.RecordsLeaf, as_of: date) -> Filters:
    """Exact: held now or ever, or obtained in a window and held ever. All else looks at several things of one record,
    or at all of them together: then a record that passes ``held`` and the window is asked for, no more."""
    known = _known(leaf.fact)
    sets = leaf.covered if leaf.quantifier is ast.Quantifier.ALL_OF else (leaf.accepted,)
    judged = leaf.count is not None or leaf.amount is not None
    filtered = leaf.first or bool(leaf.where) or judged
    filtered |= leaf.obtained is not None and leaf.held is ast.Held.NOW
    each = [_any_record(leaf, codes, as_of, known, exact=not filtered) for codes in sets]
    if not judged:
        return _every(each)
    # A record that may pass, or none: then count and sum are 0.
    nothing = leaf.count is not None and not leaf.count.admits(Decimal(0))
    nothing |= leaf.amount is not None and not leaf.amount.admits(Decimal(0))
    found = any_of([one.may_hold for one in each])
    if not nothing:
        return Filters(known, known, None, None, exact=False)
    return Filters(found, known, None, both(known, but_not=found), exact=False)


def _any_record(leaf: ast.RecordsLeaf, codes: frozenset[str], as_of: date, known: Query, *, exact: bool) -> Filters:
    held = _held(leaf, codes, as_of)
    undated: Query = None
    if leaf.obtained is not None:
        obtained = _obtained(leaf, codes, as_of)
        undated = any_term("undated", (term(leaf.fact, code) for code in codes))
        if leaf.held is ast.Held.NOW:
            may = any_of([all_of([held, obtained]), all_of([held, undated])])
            return Filters(may, known, None, both(known, but_not=may), exact=False)
        held = obtained
    may = any_of([held, undated])
    fails = both(known, but_not=may)
    if exact:
        return exactly(held, fails)
    return Filters(may, known, None, fails, exact=False)


def _held(leaf: ast.RecordsLeaf, codes: frozenset[str], as_of: date) -> Query:
    day = as_of.toordinal()
    since = day if leaf.held is ast.Held.NOW else 0
    return _stretches(f"held.{records_field(leaf.fact)}", codes, since, day, {"relation": "intersects"})


def _obtained(leaf: ast.RecordsLeaf, codes: frozenset[str], as_of: date) -> Query:
    window = leaf.obtained.window(as_of) if leaf.obtained is not None else None
    if window is None or window[0] > as_of:
        return None
    last = min(window[1], as_of)
    return _stretches(f"obtained.{records_field(leaf.fact)}", codes, window[0].toordinal(), last.toordinal(), {})


def _stretches(field: str, codes: frozenset[str], first: int, last: int, more: dict[str, str]) -> Query:
    assert 0 <= first <= last <= LAST_DAY
    bases = sorted(map(held_from, codes))
    return any_of([{"range": {field: {"gte": base | first, "lte": base | last, **more}}} for base in bases])


# --- queries out of queries -------------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {"match_all": {}}


def _known(fact: str) -> dict[str, Any]:
    return {"term": {"known": fact}}


def any_term(field: str, terms: Iterable[str]) -> Query:
    found = sorted(terms)
    if not found:
        return None
    return {"term": {field: found[0]}} if len(found) == 1 else {"terms": {field: found}}


def all_of(queries: list[Query]) -> Query:
    """Where each of them matches; everything where there are none."""
    found = [query for query in queries if query is not None]
    if len(found) < len(queries):
        return None
    narrowing = [query for query in found if query != EVERYTHING]
    if not narrowing:
        return EVERYTHING
    if len(narrowing) == 1:
        return narrowing[0]
    # What is only forbidden is forbidden in one place.
    forbidden = [one for query in narrowing if _only_forbids(query) for one in query["bool"]["must_not"]]
    asked = [query for query in narrowing if not _only_forbids(query)]
    body = {"filter": asked} if asked else {}
    return {"bool": body | ({"must_not": forbidden} if forbidden else {})}


def _only_forbids(query: dict[str, Any]) -> bool:
    return list(query.get("bool", ())) == ["must_not"]


def any_of(queries: list[Query]) -> Query:
    return at_least(1, queries)


def at_least(needed: int, queries: list[Query]) -> Query:
    """Where so many of them match."""
    sure = sum(query == EVERYTHING for query in queries)
    found = [query for query in queries if query is not None and query != EVERYTHING]
    needed -= sure
    if needed <= 0:
        return EVERYTHING
    if needed > len(found):
        return None
    if needed == len(found):
        return all_of(list(found))
    return {"bool": {"should": found, "minimum_should_match": needed}}


def both(query: Query, *, but_not: Query) -> Query:
    """Where the one matches and the other does not."""
    if query is None or but_not == EVERYTHING:
        return None
    if but_not is None:
        return query
    if query == EVERYTHING:
        return {"bool": {"must_not": [but_not]}}
    return {"bool": {"filter": [query], "must_not": [but_not]}}
