"""A second, naive reading of the criteria language, straight from its description and over raw JSON.

It shares no code with `matching.criteria`; the suite holds the two against each other. It expects good input:
what is wrong with an input is the parser's subject, not this one's.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from re import fullmatch
from typing import Any

Json = Any
Truth = bool | None  # None is unknown
INFINITE = None


def number(value: Json) -> Fraction:
    return Fraction(str(value))


def day(text: str) -> date:
    return date.fromisoformat(text)


def before(as_of: date, duration: str) -> date:
    """`as_of` less an ISO 8601 duration: years and months together, clipped to the month's end, then days."""
    parts = fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?", duration)
    assert parts is not None
    years, months, days = (int(part or 0) for part in parts.groups())
    index = as_of.year * 12 + as_of.month - 1 - years * 12 - months
    year, month = divmod(index, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(as_of.day, last)) - timedelta(days=days)


def both(values: Iterable[Truth]) -> Truth:
    values = list(values)
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def either(values: Iterable[Truth]) -> Truth:
    return negate(both(negate(value) for value in values))


def negate(value: Truth) -> Truth:
    return None if value is None else not value


def within(value: Fraction, bounds: Json) -> bool:
    checks: dict[str, Callable[[Fraction, Fraction], bool]] = {
        "gte": lambda a, b: a >= b,
        "gt": lambda a, b: a > b,
        "lte": lambda a, b: a <= b,
        "lt": lambda a, b: a < b,
        "eq": lambda a, b: a == b,
    }
    return all(check(value, number(bounds[name])) for name, check in checks.items() if name in bounds)


def interval_within(least: Fraction, greatest: Fraction | None, bounds: Json) -> Truth:
    """Whether every number from `least` to `greatest` (None: without end) is within the bounds."""
    if "eq" in bounds:
        bounds = {"gte": bounds["eq"], "lte": bounds["eq"]}
    lower = number(bounds.get("gte", bounds.get("gt", "-1")))
    has_upper = "lte" in bounds or "lt" in bounds
    upper = number(bounds.get("lte", bounds.get("lt", "0")))
    least_above = least > lower if "gt" in bounds else least >= lower
    below = greatest is not None and (greatest < lower or ("gt" in bounds and greatest == lower))
    above = has_upper and (least > upper or ("lt" in bounds and least == upper))
    if below or above:
        return False
    greatest_under = not has_upper or (
        greatest is not None and (greatest < upper if "lt" in bounds else greatest <= upper)
    )
    return True if least_above and greatest_under else None


def covers(code_list: Json, listed: str, code: str) -> bool:
    hierarchy = code_list["hierarchy"]
    if hierarchy == "prefix":
        return code.startswith(listed)
    walk: str | None = code
    while walk is not None:
        if walk == listed:
            return True
        walk = code_list.get("parents", {}).get(walk) if hierarchy == "parents" else None
    return False


def date_passes(value: date, leaf: Json, as_of: date) -> bool:
    return (
        ("on_or_after" not in leaf or value >= day(leaf["on_or_after"]))
        and ("on_or_before" not in leaf or value <= day(leaf["on_or_before"]))
        and ("within_last" not in leaf or before(as_of, leaf["within_last"]) <= value <= as_of)
        and ("at_least_ago" not in leaf or value <= before(as_of, leaf["at_least_ago"]))
    )


def yearly(leaf: Json, values: Json, others: Json | None, as_of: date) -> Truth:
    named = {"last": as_of.year - 1, "this": as_of.year, "before_last": as_of.year - 2}
    wanted = leaf.get("year", "last")
    year = named[wanted] if wanted in named else int(wanted)
    years = range(year, year - leaf.get("years", 1), -1)
    known = {int(key): number(value) for key, value in values.items()}

    def one(at: int) -> Truth:
        if leaf.get("growth"):
            if at not in known or at - 1 not in known or known[at - 1] <= 0:
                return None
            return within((known[at] - known[at - 1]) * 100 / known[at - 1], leaf)
        if at not in known:
            return None
        if "percent_of" in leaf:
            other = {int(key): number(value) for key, value in (others or {}).items()}
            if other.get(at, Fraction(0)) <= 0:
                return None
            return within(known[at] * 100 / other[at], leaf)
        return within(known[at], leaf)

    over = leaf.get("over", "each")
    if over == "each":
        return both(one(at) for at in years)
    if any(at not in known for at in years):
        return None
    total = sum((known[at] for at in years), Fraction(0))
    if "percent_of" in leaf:
        other = {int(key): number(value) for key, value in (others or {}).items()}
        if any(at not in other for at in years):
            return None
        base = sum((other[at] for at in years), Fraction(0))
        return None if base <= 0 else within(total * 100 / base, leaf)
    return within(total / len(years) if over == "mean" else total, leaf)


def records(leaf: Json, held: Sequence[Json], code_list: Json, as_of: date) -> Truth:
    held = [{"code": record} if isinstance(record, str) else record for record in held]

    def passes(record: Json) -> Truth:
        tests: list[Truth] = [True]
        if "on" in record:
            tests.append(day(record["on"]) <= as_of)
        if leaf.get("held", "now") == "now" and "until" in record:
            tests.append(as_of <= day(record["until"]))
        if "obtained" in leaf:
            tests.append(date_passes(day(record["on"]), leaf["obtained"], as_of) if "on" in record else None)
        if leaf.get("first"):
            same = [other for other in held if other["code"] == record["code"]]
            if "on" not in record:
                tests.append(True if len(same) == 1 else None)
            elif any("on" in other and day(other["on"]) < day(record["on"]) for other in same):
                tests.append(False)
            else:
                tests.append(None if any("on" not in other for other in same) else True)
        for field, bounds in leaf.get("where", {}).items():
            tests.append(within(number(record[field]), bounds) if field in record else None)
        return both(tests)

    def some(codes: Iterable[str]) -> list[tuple[Json, Truth]]:
        return [
            (record, passes(record))
            for record in held
            if any(covers(code_list, code, record["code"]) for code in codes)
        ]

    if "all_of" in leaf:
        return both(either([truth for _, truth in some([code])]) for code in leaf["all_of"])
    if "none_of" in leaf:
        return negate(either([truth for _, truth in some(leaf["none_of"])]))
    found = some(leaf["any_of"])
    if "count" not in leaf and "amount" not in leaf:
        return either([truth for _, truth in found])
    decided: list[Truth] = []
    sure = [record for record, truth in found if truth is True]
    possible = [record for record, truth in found if truth is not False]
    if "count" in leaf:
        answers = {within(Fraction(n), leaf["count"]) for n in range(len(sure), len(possible) + 1)}
        decided.append(answers.pop() if len(answers) == 1 else None)
    if "amount" in leaf:
        least = sum((number(record.get("amount", 0)) for record in sure), Fraction(0))
        greatest: Fraction | None = sum((number(record.get("amount", 0)) for record in possible), Fraction(0))
        if any("amount" not in record for record in possible):
            greatest = INFINITE
        decided.append(interval_within(least, greatest, leaf["amount"]))
    return both(decided)


def leaf_truth(leaf: Json, facts: Json, vocabulary: Json, as_of: date) -> Truth:
    definition = next(fact for fact in vocabulary["facts"] if fact["key"] == leaf["fact"])
    if leaf["fact"] not in facts:
        return None
    value = facts[leaf["fact"]]
    kind = definition["type"]
    codes = vocabulary.get("code_lists", {}).get(definition.get("codes"), {})
    if kind == "code":
        listed = leaf["in"] if "in" in leaf else leaf["not_in"]
        inside = any(covers(codes, code, value) for code in listed)
        return inside if "in" in leaf else not inside
    if kind == "number":
        if "percent_of" not in leaf:
            return within(number(value), leaf)
        other = facts.get(leaf["percent_of"])
        if other is None or number(other) <= 0:
            return None
        return within(number(value) * 100 / number(other), leaf)
    if kind == "yearly":
        return yearly(leaf, value, facts.get(leaf.get("percent_of")), as_of)
    if kind == "date":
        return date_passes(day(value), leaf, as_of)
    if kind == "boolean":
        return bool(value) is leaf["is"]
    return records(leaf, value, codes, as_of)


Way = tuple[tuple[int, int], list[str], list[str]]


def cheapest(node: Json, path: str, wanted: bool, truth: Callable[[Json], Truth]) -> Way:
    """The cheapest way to make `node` true (`wanted`) or false: its cost, its unmet and its unknown leaves."""
    step = f"{path}." if path else ""
    if "not" in node:
        return cheapest(node["not"], f"{step}not", not wanted, truth)
    if "fact" in node:
        value = True if node.get("soft") else truth(node) if wanted else negate(truth(node))
        name = [node.get("id", path or "root")]
        if value is True:
            return (0, 0), [], []
        return ((0, 1), [], name) if value is None else ((1, 0), name, [])
    if "if" in node:
        members = [(node["then"], f"{step}then", wanted), (node["if"], f"{step}if", not wanted)]
        needed = 1 if wanted else 2
    else:
        key = "all" if "all" in node else "any" if "any" in node else "of"
        members = [(member, f"{step}{key}.{index}", wanted) for index, member in enumerate(node[key])]
        count = len(members)
        needed = {"all": count, "any": 1, "of": node.get("at_least", 0)}[key]
        if not wanted:
            needed = count - needed + 1 if count else 1
    ways = [cheapest(member, where, sign, truth) for member, where, sign in members]
    chosen = sorted(sorted(range(len(ways)), key=lambda index: ways[index][0])[:needed])
    cost = (sum(ways[i][0][0] for i in chosen), sum(ways[i][0][1] for i in chosen))
    return cost, [x for i in chosen for x in ways[i][1]], [x for i in chosen for x in ways[i][2]]


def leaves(node: Json, path: str = "") -> dict[str, Json]:
    step = f"{path}." if path else ""
    if "fact" in node:
        return {node.get("id", path or "root"): node}
    found: dict[str, Json] = {}
    for key, value in node.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{step}{key}")
        elif isinstance(value, list):
            for index, member in enumerate(value):
                found |= leaves(member, f"{step}{key}.{index}")
    return found


def judge(criteria: Json, facts: Json, vocabulary: Json, as_of: date) -> Json:
    """The verdict of one pair, in the keys of a match line."""
    (unmet, unknown), unmet_ids, unknown_ids = cheapest(
        criteria, "", True, lambda leaf: leaf_truth(leaf, facts, vocabulary, as_of)
    )
    verdict = "ineligible" if unmet else "undetermined" if unknown else "eligible"
    answer: dict[str, Json] = {"verdict": verdict, "unmet": unmet_ids, "unknown": unknown_ids}
    if verdict == "undetermined":
        by_id = leaves(criteria)
        scope = {fact["key"]: fact.get("scope") for fact in vocabulary["facts"]}

        def asked(leaf: Json) -> bool:
            used = [leaf["fact"], *([leaf["percent_of"]] if "percent_of" in leaf else [])]
            absent = [key for key in used if key not in facts]
            return bool(absent) and all(scope[key] == "application" for key in absent)

        if all(asked(by_id[name]) for name in unknown_ids):
            answer["form_only"] = True
    return answer
