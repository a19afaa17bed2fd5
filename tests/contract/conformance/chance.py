"""Policies and enterprises by chance, over any vocabulary: all operators, values that lie on and
beside the bounds.

Nothing here is wrong input. A seed makes the same world each time, so that a failure can be seen again.
"""

from random import Random
from typing import Any

Json = Any
DAYS = [
    "0001-01-01",
    "2020-02-29",
    "2022-11-22",
    "2023-11-21",
    "2023-11-22",
    "2025-11-22",
    "2026-05-31",
    "2026-11-21",
    "2026-11-22",
    "2026-11-23",
    "2027-06-30",
]
NUMBERS = ["-5", -1, "0", 0, 1, "1.0", "2.5", 3, "3.00", 10, "99.99", "100", 150, "1000000"]
PERIODS = ["P0D", "P1Y", "P3Y", "P1Y1M", "P6M", "P30D", "P4Y", "P1M1D", "P1900Y"]
YEARS = ["2021", "2022", "2023", "2024", "2025", "2026"]


def value_of(number: Json) -> float:
    return float(number)


class Chance:
    """A world made from one seed: a handful of the vocabulary's facts, on which policies and
    enterprises meet."""

    def __init__(self, vocabulary: Json, seed: int) -> None:
        self.random = Random(seed)
        self.vocabulary = vocabulary
        every = vocabulary["facts"]
        self.facts = self.random.sample(every, min(5, len(every)))
        self.codes = {
            fact["key"]: self.few_codes(vocabulary["code_lists"][fact["codes"]])
            for fact in self.facts
            if "codes" in fact
        }

    def few_codes(self, code_list: Json) -> list[str]:
        """A few codes, and what lies above and below them."""
        codes = list(code_list["codes"])
        chosen = self.random.sample(codes, min(3, len(codes)))
        for code in list(chosen):
            parents = code_list.get("parents", {})
            near = [c for c in codes if parents.get(code) == c or parents.get(c) == code]
            if code_list.get("hierarchy") == "prefix":
                near = [c for c in codes if c != code and (code.startswith(c) or c.startswith(code))]
            chosen += self.random.sample(near, min(2, len(near)))
        return sorted(set(chosen))

    def some(self, choices: list[Any], most: int = 3) -> list[Any]:
        return self.random.sample(choices, self.random.randint(1, min(most, len(choices))))

    def yes(self, chance: float) -> bool:
        return self.random.random() < chance

    # --- what is known ------------------------------------------------------------------------------------------------

    def enterprise(self) -> Json:
        return {fact["key"]: self.value(fact) for fact in self.facts if self.yes(0.75)}

    def value(self, fact: Json) -> Json:
        r = self.random
        match fact["type"]:
            case "code":
                return r.choice(self.codes[fact["key"]])
            case "number":
                return r.choice(NUMBERS)
            case "yearly":
                return {year: r.choice(NUMBERS) for year in YEARS if self.yes(0.7)}
            case "date":
                return r.choice(DAYS)
            case "boolean":
                return self.yes(0.5)
            case _:
                return [self.record(fact) for _ in range(r.randint(0, 4))]

    def record(self, fact: Json) -> Json:
        r = self.random
        record: Json = {"code": r.choice(self.codes[fact["key"]])}
        if self.yes(0.15):
            return record["code"]
        if self.yes(0.6):
            record["on"] = r.choice(DAYS)
        if self.yes(0.4):
            record["until"] = r.choice([d for d in DAYS if d >= record.get("on", "")])
        if self.yes(0.5):
            record["amount"] = r.choice([n for n in NUMBERS if value_of(n) >= 0])
        if self.yes(0.5):
            record["rank"] = r.choice(NUMBERS)
        return record

    # --- who a policy is for ------------------------------------------------------------------------------------------

    def criteria(self) -> Json:
        return {"all": []} if self.yes(0.01) else self.tree(self.random.randint(0, 3))

    def tree(self, depth: int) -> Json:
        if depth == 0 or self.yes(0.1):
            return self.leaf()
        members = [self.tree(depth - 1) for _ in range(self.random.randint(1, 4))]
        match self.random.choice(["all", "all", "any", "at_least", "not", "if"]):
            case "all":
                return {"all": members}
            case "any":
                return {"any": members}
            case "at_least":
                return {"at_least": self.random.randint(1, len(members)), "of": members}
            case "not":
                return {"not": members[0]}
            case _:
                return {"if": members[0], "then": members[-1]}

    def bounds(self) -> Json:
        r = self.random
        low, high = sorted(r.sample([0, 1, 2, 3, "0.5", "2.50", 10, 100, "99.99", 50], 2), key=value_of)
        return r.choice(
            [
                {r.choice(["gte", "gt"]): low},
                {r.choice(["lte", "lt"]): high},
                {"eq": low},
                {r.choice(["gte", "gt"]): low, r.choice(["lte", "lt"]): high},
            ]
        )

    def days(self) -> Json:
        r = self.random
        first, last = sorted(r.sample(DAYS, 2))
        return r.choice(
            [
                {"on_or_after": first},
                {"on_or_before": last},
                {"on_or_after": first, "on_or_before": last},
                {"within_last": r.choice(PERIODS)},
                {"at_least_ago": r.choice(PERIODS)},
                {"within_last": r.choice(PERIODS), "on_or_after": first},
            ]
        )

    def leaf(self) -> Json:
        r = self.random
        fact = r.choice(self.facts)
        leaf: Json = {"fact": fact["key"]}
        match fact["type"]:
            case "code":
                leaf[r.choice(["in", "not_in"])] = self.some(self.codes[fact["key"]])
            case "number":
                leaf |= self.bounds() | self.percent(fact)
            case "yearly":
                leaf |= self.bounds() | self.years(fact)
            case "date":
                leaf |= self.days()
            case "boolean":
                leaf["is"] = self.yes(0.5)
            case _:
                leaf |= self.of_records(fact)
        return leaf | ({"soft": True} if self.yes(0.06) else {})

    def percent(self, fact: Json) -> Json:
        others = [f["key"] for f in self.vocabulary["facts"] if f["type"] == fact["type"]]
        here = [f["key"] for f in self.facts if f["type"] == fact["type"]]
        return {"percent_of": self.random.choice(here + here + others)} if self.yes(0.3) else {}

    def years(self, fact: Json) -> Json:
        r = self.random
        more: Json = {"year": r.choice(["last", "this", "before_last", "2024"])} if self.yes(0.5) else {}
        growth = self.yes(0.3)
        if self.yes(0.5):
            more |= {"years": r.randint(1, 3), "over": "each" if growth else r.choice(["sum", "mean", "each"])}
        return more | ({"growth": True} if growth else self.percent(fact))

    def of_records(self, fact: Json) -> Json:
        r = self.random
        kind = r.choice(["any_of", "any_of", "any_of", "all_of", "none_of"])
        more: Json = {kind: self.some(self.codes[fact["key"]])}
        if self.yes(0.5):
            more["held"] = r.choice(["now", "ever"])
        if self.yes(0.3):
            more["obtained"] = self.days()
        if self.yes(0.25):
            more["first"] = True
        if self.yes(0.3):
            more["where"] = {field: self.bounds() for field in self.some(["rank", "amount"], 2)}
        if kind == "any_of" and self.yes(0.35):
            more["count"] = self.bounds()
        if kind == "any_of" and self.yes(0.3):
            more["amount"] = self.bounds()
        return more

    # --- what it pays -------------------------------------------------------------------------------------------------

    def bases(self) -> list[str]:
        names = [f["key"] for f in self.facts if f["type"] == "number"]
        names += [
            f"{f['key']}@{year}" for f in self.facts if f["type"] == "yearly" for year in ("last", "this", "2024")
        ]
        return names or [next(f["key"] for f in self.vocabulary["facts"] if f["type"] == "number")]

    def award(self) -> Json:
        r = self.random
        award: Json = {"rules": [self.rule() for _ in range(r.randint(1, 3))]}
        if self.yes(0.7):
            award["choose"] = r.choice(["first", "highest", "sum"])
        if self.yes(0.4):
            award["bonus_points"] = [
                {"when": self.tree(1), "points": r.choice(["0", "2.5", 5])} for _ in range(r.randint(1, 2))
            ]
        if self.yes(0.4):
            award["rate_limit"] = r.choice(["0", "12", "20.5"])
        if self.yes(0.3):
            award["cap_total"] = r.choice(["0.5", "100", "1000.55"])
        if self.yes(0.5):
            award["rounding"] = r.choice(["cent", "yuan"])
        return award

    def rule(self) -> Json:
        r = self.random
        base = r.choice(self.bases())
        rule: Json = r.choice(
            [
                {"fixed": r.choice(["0", "99.99", 500])},
                {"rate": r.choice(["0", "33.333", 10, "0.1"]), "of": base},
                {
                    "of": base,
                    "brackets": [
                        {"upto": "2.5", "rate": "10"},
                        {"upto": 100, "rate": "0.3"},
                        {"rate": r.choice([0, "7"])},
                    ],
                },
                {"each": r.choice(["0", "1.255", 30]), "of": base} | ({"quantity_cap": "2"} if self.yes(0.5) else {}),
            ]
        )
        if self.yes(0.5):
            rule["when"] = self.tree(r.randint(0, 1))
        if self.yes(0.3):
            rule["cap"] = r.choice(["0", "10.01", 250])
        if self.yes(0.3):
            rule["cap_fact"] = r.choice(self.bases())
        return rule
