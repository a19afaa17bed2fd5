"""The same criteria as expressions of zen-engine (Rust), written so as to be fast for it.

What can be worked out once for a profile is given to it in the context and costs it nothing: a code's top-level
ancestor, dates as day numbers, the qualifications held on the day, a year's figure under a name of its own. Unknown
facts are not expressed: zen has two truth values, so it is given complete facts only.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from bench.generate import AS_OF, DIVISIONS, SECTIONS

Json = dict[str, Any]
_COMPARE = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
_YEARS = {"last": AS_OF.year - 1, "before_last": AS_OF.year - 2}
_TOPS = {"registered_region": {"5101"}, "tax_region": {"5101"}, "industry": set(SECTIONS), "size": {"sme"}}
_SIZE_TOP = {"micro": "sme", "small": "sme", "medium": "sme", "large": "large"}


def context(facts: Json) -> Json:
    """A profile as zen sees it, with numbers and not text wherever a comparison is made."""
    flat: Json = {}
    for key, value in facts.items():
        if key in {"registered_region", "tax_region"}:
            flat |= {key: value, f"{key}_top": value[:4]}
        elif key == "industry":
            flat |= {key: value, f"{key}_top": DIVISIONS[value]}
        elif key == "size":
            flat |= {key: value, f"{key}_top": _SIZE_TOP[value]}
        elif key in {"revenue", "rd_spend", "tax_paid"}:
            flat |= {f"{key}_{year}": int(amount) for year, amount in value.items()}
        elif key == "established_on":
            flat[key] = _day(value)
        elif key in {"qualifications", "penalties"}:
            flat[key] = [r["code"] for r in value if AS_OF.isoformat() <= r.get("until", "9999")]
        elif key in {"patents", "awards"}:
            flat[key] = [{"code": r["code"], "on": _day(r["on"])} for r in value]
        elif isinstance(value, str) and key == "registered_capital":
            flat[key] = float(value)
        else:
            flat[key] = value
    return flat


def expression(node: Json) -> str:
    """A criteria tree of the benchmark as one zen expression."""
    if "all" in node:
        return "(" + " and ".join(map(expression, node["all"])) + ")"
    if "any" in node:
        return "(" + " or ".join(map(expression, node["any"])) + ")"
    if "at_least" in node:
        a, b, c = map(expression, node["of"])
        return f"(({a} and {b}) or ({a} and {c}) or ({b} and {c}))"
    return _leaf(node)


def _leaf(leaf: Json) -> str:
    key = leaf["fact"]
    if "in" in leaf:
        return _codes(key, leaf["in"])
    if "not_in" in leaf:
        return f"not ({_codes(key, leaf['not_in'])})"
    if "is" in leaf:
        return key if leaf["is"] else f"not ({key})"
    if "within_last" in leaf:
        return f"({key} >= {_ago(leaf['within_last'])} and {key} <= {AS_OF.toordinal()})"
    if "at_least_ago" in leaf:
        return f"{key} <= {_ago(leaf['at_least_ago'])}"
    if "none_of" in leaf:
        return f"none({key}, # in {_list(leaf['none_of'])})"
    if "any_of" in leaf:
        return _records(leaf)
    if key in {"revenue", "rd_spend", "tax_paid"}:
        year = _YEARS[leaf.get("year", "last")]
        value = f"{key}_{year}"
        if leaf.get("growth"):
            value = f"(({value} - {key}_{year - 1}) * 100 / {key}_{year - 1})"
        elif "percent_of" in leaf:
            value = f"({value} * 100 / {leaf['percent_of']}_{year})"
        return _range(value, leaf)
    return _range(key, leaf)


def _records(leaf: Json) -> str:
    key, codes = leaf["fact"], _list(leaf["any_of"])
    if "obtained" in leaf:
        since = _ago(leaf["obtained"]["within_last"])
        return f"some({key}, #.on >= {since} and #.on <= {AS_OF.toordinal()} and #.code in {codes})"
    if "count" in leaf:
        return f"count({key}, #.code in {codes}) >= {leaf['count']['gte']}"
    return f"some({key}, # in {codes})"


def _range(value: str, leaf: Json) -> str:
    parts = [f"{value} {_COMPARE[op]} {leaf[op]}" for op in _COMPARE if op in leaf]
    return parts[0] if len(parts) == 1 else "(" + " and ".join(parts) + ")"


def _codes(key: str, codes: list[str]) -> str:
    tops = [code for code in codes if code in _TOPS.get(key, ())]
    rest = [code for code in codes if code not in tops]
    tests = [f"{key}_top in {_list(tops)}"] if tops else []
    tests += [f"{key} in {_list(rest)}"] if rest else []
    return tests[0] if len(tests) == 1 else "(" + " or ".join(tests) + ")"


def _list(codes: list[str]) -> str:
    return "[" + ", ".join(f"'{code}'" for code in codes) + "]"


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def _ago(duration: str) -> int:
    return (AS_OF - relativedelta(years=int(duration[1:-1]))).toordinal()
