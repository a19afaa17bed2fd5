"""The benchmark's data: a vocabulary, policies and enterprises, the same for every contestant and every run.

Two kinds of criteria. ``columns`` are what most items of a district ask for: sets of codes (with a hierarchy), ranges
over numbers, yearly figures and dates, yes/no, and qualifications held. ``windows`` adds what needs records judged one
by one (obtained within so many years, counts) and growth over the year before; it is reported beside, not instead.

Everything is JSON in the formats of the criteria contract, so what is measured is what ``manage.py match`` reads.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any, Literal

AS_OF = date(2026, 11, 22)
Kind = Literal["columns", "windows"]
Json = dict[str, Any]

REGIONS = {"5101": "市"} | {f"5101{i:02d}": f"{i}区" for i in range(4, 27)}
SECTIONS = "ABCDEFGHIJKLMNOPQRST"
DIVISIONS = {f"{i:02d}": SECTIONS[(i * 7) // 36 % len(SECTIONS)] for i in range(1, 98)}
QUALIFICATIONS = [f"qualification_{i:02d}" for i in range(24)]
PENALTIES = ["penalty_tax", "penalty_safety", "penalty_environment", "penalty_credit"]
PATENTS = ["invention", "utility_model", "design"]
AWARDS = [f"award_{i}" for i in range(12)]


def vocabulary() -> Json:
    """The vocabulary file of the benchmark: five code lists and eighteen facts."""

    def plain(codes: list[str]) -> Json:
        return {"hierarchy": "none", "codes": {code: code for code in codes}}

    industry = {section: section for section in SECTIONS} | {code: code for code in DIVISIONS}
    sizes = {"sme": "中小微", "micro": "微型", "small": "小型", "medium": "中型", "large": "大型"}
    lists = {
        "region": {"hierarchy": "prefix", "codes": REGIONS},
        "industry": {"hierarchy": "parents", "parents": DIVISIONS, "codes": industry},
        "size": {
            "hierarchy": "parents",
            "parents": {"micro": "sme", "small": "sme", "medium": "sme"},
            "codes": sizes,
        },
        "ownership": plain(["state", "private", "foreign", "joint"]),
        "credit": plain(["A", "B", "M", "C", "D"]),
        "qualification": plain(QUALIFICATIONS),
        "penalty": plain(PENALTIES),
        "patent": plain(PATENTS),
        "award": plain(AWARDS),
    }
    facts: list[Json] = []

    def add(key: str, type_: str, **more: str) -> None:
        facts.append({"key": key, "label": key, "type": type_} | more)

    for key, codes in (
        ("registered_region", "region"),
        ("tax_region", "region"),
        ("industry", "industry"),
        ("size", "size"),
        ("ownership", "ownership"),
        ("tax_credit", "credit"),
    ):
        add(key, "code", codes=codes)
    for key in ("staff", "insured_staff", "registered_capital", "invention_patents"):
        add(key, "number", unit="人")
    for key in ("revenue", "rd_spend", "tax_paid"):
        add(key, "yearly", unit="元")
    add("established_on", "date")
    add("listed", "boolean")
    add("qualifications", "records", codes="qualification")
    add("penalties", "records", codes="penalty")
    add("patents", "records", codes="patent")
    add("awards", "records", codes="award")
    return {"code_lists": lists, "facts": facts}


def policies(count: int, *, seed: int, kind: Kind = "columns") -> list[Json]:
    """``count`` lines of P.jsonl. About a third have an alternative, so that 5,000 give some 6,600 clauses."""
    rng = random.Random(seed)
    return [{"id": f"P{i:05d}", "criteria": _criteria(rng, kind)} for i in range(count)]


def enterprises(count: int, *, seed: int, kind: Kind = "columns", unknown: float = 0.0) -> list[Json]:
    """``count`` lines of E.jsonl, with the facts that criteria of the kind ask for; each fact is missing with
    probability ``unknown``."""
    rng = random.Random(seed)
    return [{"id": f"E{i:05d}", "facts": _facts(rng, kind, unknown)} for i in range(count)]


def _criteria(rng: random.Random, kind: Kind) -> Json:
    leaf = _column_leaf if kind == "columns" else _any_leaf
    members: list[Json] = [
        {"fact": rng.choice(("registered_region", "tax_region")), "in": _regions(rng)},
        *(leaf(rng) for _ in range(rng.randint(2, 4))),
    ]
    if rng.random() < 0.28:
        members.append({"any": [leaf(rng) for _ in range(2)]})
    elif rng.random() < 0.05:
        members.append({"at_least": 2, "of": [leaf(rng) for _ in range(3)]})
    if rng.random() < 0.3:
        members.append({"fact": "penalties", "none_of": rng.sample(PENALTIES, rng.randint(1, 4))})
    return {"all": members}


def _regions(rng: random.Random) -> list[str]:
    if rng.random() < 0.4:
        return ["5101"]
    return rng.sample([code for code in REGIONS if code != "5101"], rng.randint(1, 4))


def _round(rng: random.Random, low: int, high: int, step: int) -> str:
    return str(rng.randint(low, high) * step)


def _column_leaf(rng: random.Random) -> Json:
    draw = rng.randrange(12)
    if draw == 0:
        codes = rng.sample(SECTIONS, rng.randint(1, 4)) + rng.sample(list(DIVISIONS), rng.randint(0, 6))
        return {"fact": "industry", rng.choice(("in", "in", "in", "not_in")): codes}
    if draw == 1:
        return {"fact": "size", "in": rng.choice((["sme"], ["small", "micro"], ["medium", "large"], ["large"]))}
    if draw == 2:
        if rng.random() < 0.5:
            return {"fact": "tax_credit", "in": rng.choice((["A"], ["A", "B"], ["A", "B", "M"]))}
        return {"fact": "ownership", "not_in": [rng.choice(("state", "foreign"))]}
    if draw == 3:
        key = rng.choice(("staff", "insured_staff"))
        if rng.random() < 0.3:
            low = rng.randint(1, 50)
            return {"fact": key, "gte": low, "lt": low + rng.randint(10, 400)}
        return {"fact": key, "gte": rng.randint(1, 300)}
    if draw == 4:
        return {"fact": "registered_capital", rng.choice(("gte", "gt")): _round(rng, 1, 400, 500_000)}
    if draw in {5, 6}:
        range_ = {"gte": _round(rng, 1, 400, 1_000_000)}
        if rng.random() < 0.2:
            range_["lte"] = _round(rng, 401, 2_000, 1_000_000)
        return {"fact": "revenue", "year": rng.choice(("last", "last", "before_last"))} | range_
    if draw == 7:
        return {"fact": "rd_spend", "percent_of": "revenue", "gte": str(rng.randint(1, 10))}
    if draw == 8:
        return {"fact": "tax_paid", "gte": _round(rng, 1, 300, 10_000)}
    if draw == 9:
        if rng.random() < 0.3:
            return {"fact": "listed", "is": rng.random() < 0.5}
        years = rng.randint(1, 10)
        return {"fact": "established_on", rng.choice(("within_last", "at_least_ago")): f"P{years}Y"}
    if draw == 10:
        return {"fact": "invention_patents", "gte": rng.randint(1, 20)}
    return {"fact": "qualifications", "any_of": rng.sample(QUALIFICATIONS, rng.randint(1, 4))}


def _any_leaf(rng: random.Random) -> Json:
    draw = rng.randrange(8)
    if draw == 0:
        window = {"within_last": f"P{rng.choice((1, 2, 3, 5))}Y"}
        return {"fact": "awards", "held": "ever", "any_of": rng.sample(AWARDS, rng.randint(1, 4)), "obtained": window}
    if draw == 1:
        codes = rng.sample(PATENTS, rng.randint(1, 2))
        return {"fact": "patents", "held": "ever", "any_of": codes, "count": {"gte": rng.randint(1, 6)}}
    if draw == 2:
        return {"fact": "revenue", "growth": True, "gte": str(rng.randint(1, 30))}
    return _column_leaf(rng)


def _day(rng: random.Random, years: int) -> str:
    return (AS_OF - timedelta(days=rng.randint(0, 365 * years))).isoformat()


def _records(rng: random.Random, codes: list[str], most: int) -> list[Json]:
    found: list[Json] = []
    for _ in range(rng.randint(0, most)):
        on = date.fromisoformat(_day(rng, 6))
        record = {"code": rng.choice(codes), "on": on.isoformat()}
        if rng.random() < 0.5:
            record["until"] = (on + timedelta(days=365 * 3)).isoformat()
        found.append(record)
    return found


def _facts(rng: random.Random, kind: Kind, unknown: float) -> Json:
    districts = [code for code in REGIONS if code != "5101"]
    home = rng.choice(districts)
    revenue = int(rng.lognormvariate(17.5, 1.6))
    years = ("2023", "2024", "2025")

    def yearly(scale: float) -> Json:
        return {year: str(int(revenue * scale * rng.uniform(0.7, 1.3)) + 1) for year in years}

    staff = int(rng.lognormvariate(3.6, 1.2)) + 1
    facts: Json = {
        "registered_region": home,
        "tax_region": home if rng.random() < 0.9 else rng.choice(districts),
        "industry": rng.choice(list(DIVISIONS)),
        "size": rng.choice(("micro", "small", "small", "medium", "large")),
        "ownership": rng.choice(("private", "private", "private", "state", "foreign", "joint")),
        "tax_credit": rng.choice("AABBBMCD"),
        "staff": staff,
        "insured_staff": max(1, staff - rng.randint(0, 10)),
        "registered_capital": str(int(rng.lognormvariate(16, 1.5))) + ".00",
        "invention_patents": int(rng.lognormvariate(1, 1.2)),
        "revenue": yearly(1.0),
        "rd_spend": yearly(rng.uniform(0, 0.12)),
        "tax_paid": yearly(rng.uniform(0.005, 0.06)),
        "established_on": _day(rng, 15),
        "listed": rng.random() < 0.1,
        "qualifications": _records(rng, QUALIFICATIONS, 5),
        "penalties": _records(rng, PENALTIES, 1) if rng.random() < 0.15 else [],
    }
    if kind == "windows":
        facts |= {"patents": _records(rng, PATENTS, 12), "awards": _records(rng, AWARDS, 4)}
    return {key: value for key, value in facts.items() if rng.random() >= unknown}
