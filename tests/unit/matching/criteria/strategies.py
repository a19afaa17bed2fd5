"""Hypothesis strategies for sound criteria and facts over the sample vocabulary, as JSON.

Numbers are drawn from a few, so that bounds are met exactly, years are missing and denominators are zero often enough.
"""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from .samples import VOCABULARY_JSON

Json = Any

_LISTS = {name: list(body["codes"]) for name, body in VOCABULARY_JSON["code_lists"].items()}
_NUMBERS = ["-5", "0", "0.5", "1", "2", "2.50", "3", "10", "50", "100", "33.3", 4, 7]
_DATES = [
    *("2019-02-28", "2020-02-29", "2022-11-22", "2023-11-22", "2023-11-23"),
    *("2024-08-31", "2025-12-31", "2026-11-22", "2027-01-01"),
]
_PERIODS = ["P0D", "P1Y", "P3Y", "P6M", "P1Y6M", "P90D", "P1Y1M1D"]

numbers = st.sampled_from(_NUMBERS)
days = st.sampled_from(_DATES)
as_ofs = st.sampled_from([date(2026, 11, 22), date(2025, 12, 31), date(2024, 2, 29), date(2026, 2, 28)])
_periods = st.sampled_from(_PERIODS)


def _maybe(strategy: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(st.none(), strategy)


@st.composite
def bounds(draw: st.DrawFn, among: st.SearchStrategy[Json] = numbers) -> Json:
    kind = draw(st.sampled_from(["lower", "upper", "both", "eq"]))
    if kind == "eq":
        return {"eq": draw(among)}
    low, high = sorted([draw(among), draw(among)], key=float)
    found = {}
    if kind != "upper":
        found[draw(st.sampled_from(["gte", "gt"]))] = low
    if kind != "lower":
        found[draw(st.sampled_from(["lte", "lt"]))] = high
    if kind == "both" and float(low) == float(high):
        return {"gte": low, "lte": high}
    return found


@st.composite
def dates(draw: st.DrawFn) -> Json:
    found: Json = {}
    kind = draw(st.sampled_from(["calendar", "within", "ago"]))
    if kind == "within":
        found["within_last"] = draw(_periods)
    elif kind == "ago":
        found["at_least_ago"] = draw(_periods)
    if kind == "calendar" or draw(st.booleans()):
        found[draw(st.sampled_from(["on_or_after", "on_or_before"]))] = draw(days)
    return found


def _codes(name: str) -> st.SearchStrategy[Json]:
    return st.lists(st.sampled_from(_LISTS[name]), min_size=1, max_size=3, unique=True)


@st.composite
def yearly_leaf(draw: st.DrawFn) -> Json:
    leaf: Json = {"fact": draw(st.sampled_from(["revenue", "rd"])), **draw(bounds())}
    if draw(st.booleans()):
        leaf["year"] = draw(st.sampled_from(["last", "this", "before_last", "2024", "2026"]))
    years = draw(st.sampled_from([None, 1, 2, 3]))
    mode = draw(st.sampled_from(["value", "growth", "percent"]))
    overs = ["each"] if mode == "growth" else ["sum", "mean", "each"]
    if years is not None:
        leaf["years"] = years
    if (years or 1) > 1 or draw(st.booleans()):
        leaf["over"] = draw(st.sampled_from(overs))
    if mode == "growth":
        leaf["growth"] = True
    elif mode == "percent":
        leaf["percent_of"] = draw(st.sampled_from(["revenue", "rd"]))
    return leaf


@st.composite
def number_leaf(draw: st.DrawFn) -> Json:
    facts = ["staff", "rd_staff", "investment", "loan"]
    leaf: Json = {"fact": draw(st.sampled_from(facts)), **draw(bounds())}
    if draw(st.booleans()):
        leaf["percent_of"] = draw(st.sampled_from(facts))
    return leaf


@st.composite
def records_leaf(draw: st.DrawFn) -> Json:
    fact, codes = draw(st.sampled_from([("qualifications", "qualification"), ("patents", "patent")]))
    quantifier = draw(st.sampled_from(["any_of", "any_of", "all_of", "none_of"]))
    leaf: Json = {"fact": fact, quantifier: draw(_codes(codes))}
    held = draw(st.sampled_from([None, "now", "ever"]))
    if held is not None:
        leaf["held"] = held
    obtained = draw(_maybe(dates()))
    if obtained is not None:
        leaf["obtained"] = obtained
    if draw(st.booleans()):
        leaf["first"] = True
    if draw(st.booleans()):
        leaf["where"] = {draw(st.sampled_from(["rank", "amount"])): draw(bounds())}
    if quantifier == "any_of":
        if draw(st.booleans()):
            leaf["count"] = draw(bounds(st.sampled_from([0, 1, 2, "1.5", 3])))
        if draw(st.booleans()):
            leaf["amount"] = draw(bounds())
    return leaf


@st.composite
def leaves(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(["code", "number", "yearly", "yearly", "date", "boolean", "records", "records"]))
    if kind == "code":
        fact = draw(st.sampled_from(["region", "size"]))
        leaf = {"fact": fact, draw(st.sampled_from(["in", "not_in"])): draw(_codes(fact))}
    elif kind == "number":
        leaf = draw(number_leaf())
    elif kind == "yearly":
        leaf = draw(yearly_leaf())
    elif kind == "date":
        leaf = {"fact": "founded", **draw(dates())}
    elif kind == "boolean":
        leaf = {"fact": "listed", "is": draw(st.booleans())}
    else:
        leaf = draw(records_leaf())
    if draw(st.sampled_from([False] * 7 + [True])):
        leaf["soft"] = True
    return leaf


def _groups(members: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    several = st.lists(members, min_size=1, max_size=4)
    return st.one_of(
        st.builds(lambda found: {"all": found}, several),
        st.builds(lambda found: {"any": found}, several),
        several.flatmap(lambda found: st.builds(lambda k: {"at_least": k, "of": found}, st.integers(1, len(found)))),
        st.builds(lambda found: {"not": found}, members),
        st.builds(lambda a, b: {"if": a, "then": b}, members, members),
    )


trees: st.SearchStrategy[Json] = st.one_of(st.just({"all": []}), st.recursive(leaves(), _groups, max_leaves=10))


@st.composite
def records(draw: st.DrawFn, name: str) -> Json:
    found = []
    for code in draw(st.lists(st.sampled_from(_LISTS[name]), max_size=4)):
        on, until = draw(_maybe(days)), draw(_maybe(days))
        record: Json = {"code": code}
        if on is not None:
            record["on"] = on
        if until is not None and (on is None or on <= until):
            record["until"] = until
        for field in ("amount", "rank"):
            number = draw(_maybe(st.sampled_from([0, "0.5", 1, 2, "2.50", 10, 50])))
            if number is not None:
                record[field] = number
        found.append(code if record == {"code": code} and draw(st.booleans()) else record)
    return found


_VALUES: dict[str, st.SearchStrategy[Json]] = {
    "code": st.nothing(),
    "number": numbers,
    "yearly": st.dictionaries(st.sampled_from(["2022", "2023", "2024", "2025", "2026"]), numbers),
    "date": days,
    "boolean": st.booleans(),
}


def _value(definition: Json) -> st.SearchStrategy[Json]:
    if definition["type"] == "code":
        return st.sampled_from(_LISTS[definition["codes"]])
    if definition["type"] == "records":
        return records(definition["codes"])
    return _VALUES[definition["type"]]


facts = st.fixed_dictionaries({}, optional={item["key"]: _value(item) for item in VOCABULARY_JSON["facts"]})


def fact_value(key: str) -> st.SearchStrategy[Json]:
    return _value(next(item for item in VOCABULARY_JSON["facts"] if item["key"] == key))
