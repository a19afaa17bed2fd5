"""One test as three-valued filters on the profile index: where it holds, where it fails, and unknown is the rest.

A filter that is not exact lets through too much. A query is None where it matches nothing.
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
    """``not_failing`` is where a test holds or is unknown, ``not_holding`` where it fails or is unknown. Each lets
    through too much where it is not ``exact``. What may be unknown is asked for by what is absent, which is little,
    rather than by taking all that fails from everything."""

    holds: Query
    fails: Query
    not_failing: Query
    not_holding: Query
    exact: bool = True

    def negated(self) -> Filters:
        return Filters(self.fails, self.holds, self.not_holding, self.not_failing, self.exact)


def filters_of(test: Test, *, as_of: date, figures: frozenset[Measured]) -> Filters:
    """The filters of a test with its sign. ``figures`` are those that every document carries."""
    found = _filters(test, as_of, figures)
    return found.negated() if test.negated else found


def _filters(test: Test, as_of: date, figures: frozenset[Measured]) -> Filters:
    leaf = test.leaf
    match leaf:
        case ast.CodeLeaf():
            found = any_term("codes", (term(leaf.fact, code) for code in leaf.accepted))
            return _among_known(found, known=_known(leaf.fact))
        case ast.BooleanLeaf():
            yes, no = (any_term("codes", [term(leaf.fact, text)]) for text in ("true", "false"))
            return Filters(yes, no, all_but(no), all_but(yes))
        case ast.DateLeaf():
            return _day(leaf, as_of)
        case ast.RecordsLeaf():
            return _records(leaf, as_of)
    column = column_asked(test)
    assert column is not None
    if not is_plain(column) and column not in figures:
        return Filters(EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING, exact=False)
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


def _among_known(found: Query, *, known: Query, exact: bool = True) -> Filters:
    """Found, or known and not found, or not known."""
    return Filters(found, both(known, but_not=found), any_of([found, all_but(known)]), all_but(found), exact)


def _every(members: list[Filters], *, exact: bool = True) -> Filters:
    """All of them; where not ``exact``, there are more than these."""
    return Filters(
        all_of([member.holds for member in members]),
        any_of([member.fails for member in members]) if exact else EVERYTHING,
        all_of([member.not_failing for member in members]),
        any_of([member.not_holding for member in members]) if exact else EVERYTHING,
        exact and all(member.exact for member in members),
    )


def _measured(field: str, bounds: Bounds) -> Filters:
    holds, fails = _inside(field, admitted(bounds)), _outside(field, refused(bounds))
    absent = all_but({"exists": {"field": field}})
    return Filters(holds, fails, any_of([holds, absent]), any_of([fails, absent]), are_sure(bounds))


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
        known = {"exists": {"field": field}}
        return Filters(None, known, all_but(known), EVERYTHING)
    first, last = (None if end in {date.min, date.max} else Decimal(end.toordinal()) for end in window)
    return _measured(field, Bounds(first, False, last, False))


def _records(leaf: ast.RecordsLeaf, as_of: date) -> Filters:
    """Exact: held now or ever, or obtained in a window and held ever. All else looks at several things of one record,
    or at all of them together: then a record that passes ``held`` and the window is asked for, no more."""
    sets = leaf.covered if leaf.quantifier is ast.Quantifier.ALL_OF else (leaf.accepted,)
    judged = leaf.count is not None or leaf.amount is not None
    filtered = leaf.first or bool(leaf.where) or (leaf.obtained is not None and leaf.held is ast.Held.NOW)
    each = [_any_record(leaf, codes, as_of, exact=not filtered and not judged) for codes in sets]
    if not judged:
        return _every(each)
    known = _known(leaf.fact)
    # Where no record may pass, count and sum are 0.
    nothing = leaf.count is None or leaf.count.admits(Decimal(0))
    nothing &= leaf.amount is None or leaf.amount.admits(Decimal(0))
    if nothing:
        return Filters(known, known, EVERYTHING, EVERYTHING, exact=False)
    found = any_of([one.holds for one in each])
    return Filters(found, known, any_of([found, all_but(known)]), EVERYTHING, exact=False)


def _any_record(leaf: ast.RecordsLeaf, codes: frozenset[str], as_of: date, *, exact: bool) -> Filters:
    known, held = _known(leaf.fact), _held(leaf, codes, as_of)
    found, doubtful = held, None
    if leaf.obtained is not None:
        # Without its day a record may have been obtained in the window, if it is held.
        doubtful = any_term("undated", (term(leaf.fact, code) for code in codes))
        found = _obtained(leaf, codes, as_of)
        if leaf.held is ast.Held.NOW:
            found, doubtful = all_of([held, found]), all_of([held, doubtful])
    may = any_of([found, doubtful])
    not_failing = any_of([may, all_but(known)])
    if exact:
        return Filters(found, both(known, but_not=may), not_failing, all_but(found))
    return Filters(may, known, not_failing, EVERYTHING, exact=False)


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


def all_but(query: Query) -> Query:
    return both(EVERYTHING, but_not=query)


def both(query: Query, *, but_not: Query) -> Query:
    """Where the one matches and the other does not."""
    if query is None or but_not == EVERYTHING:
        return None
    if but_not is None:
        return query
    if query == EVERYTHING:
        return {"bool": {"must_not": [but_not]}}
    return {"bool": {"filter": [query], "must_not": [but_not]}}
