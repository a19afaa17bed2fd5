"""Generates the enterprises. Only whole numbers are drawn, so the same seed gives the same bytes on every machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from stdnum.cn import uscc

from .kits import common, kits
from .people import named
from .sectors import FIRST, SECOND, SECTORS, Sector

Data = dict[str, Any]

SEED = 20260105
COUNT = 300
OTHER_REGIONS = ("510104", "510106", "510107", "510108", "510112", "510116", "510117")
CODE_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ALWAYS_KNOWN = frozenset({"registered_region", "business_state", "established_on", "industry", "size", "entity_type"})
# Of each item's enterprises: as many fit, are one step short, or stay open.
SHARE = (3, 2, 1)


def generate(*, as_of: date, seed: int = SEED, count: int = COUNT) -> list[Data]:
    """`count` enterprises as lines of the enterprise import: ``id``, ``name``, ``credit_code``, ``facts``.

    The first are those of the story. Facts are plausible as of `as_of` (Asia/Shanghai), some of them missing.
    """
    random = Random(seed)
    rows: list[Data] = [
        {"id": identity, "name": name, "credit_code": credit_code(random, region), "facts": facts}
        for identity, (name, region, facts) in named(as_of).items()
    ]
    names = {row["name"] for row in rows}
    plans = _plans(as_of, random)
    while len(rows) < count:
        sector = random.choices(SECTORS, weights=[sector.weight for sector in SECTORS])[0]
        facts = _without_some(_facts(sector, as_of, random), random)
        region = facts["registered_region"]
        if plans:
            plan = plans.pop()
            for key, value in plan.items():
                facts[key] = value
                if value is None:
                    del facts[key]
        rows.append(
            {
                "id": f"E{len(rows) + 1:03d}",
                "name": _name(sector, names, random, joint_stock=facts.get("entity_type") == "joint_stock_company"),
                "credit_code": credit_code(random, region),
                "facts": dict(sorted(facts.items())),
            }
        )
    return rows[:count]


def write_enterprises(path: Path, rows: Iterable[Data]) -> int:
    """Write the enterprises as JSONL (UTF-8, LF, no escapes); returns how many."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return len(lines)


def credit_code(random: Random, region: str) -> str:
    """A 统一社会信用代码 of an enterprise registered in `region`, with the true check digits of both the organisation
    code inside (GB 11714) and the whole (GB 32100)."""
    body = "MA" + "".join(random.choice(CODE_LETTERS) for _ in range(6))
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    digits = [int(character, 36) for character in body]
    check = (11 - sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11) % 11
    number = f"91{region}{body}{'X' if check == 10 else check}"
    return number + uscc.calc_check_digit(number)


def _plans(as_of: date, random: Random) -> list[Data]:
    """The facts that place some enterprises near each item, in a mixed order."""
    plans: list[Data] = []
    for kit in kits(as_of).values():
        base = {**common(as_of), **kit.fits}
        fit, short, unknown = SHARE
        plans += [dict(base) for _ in range(fit)]
        plans += [{**base, **kit.short} for _ in range(short)]
        plans += [{**base, **kit.open} for _ in range(unknown)]
    random.shuffle(plans)
    return plans


def _name(sector: Sector, taken: set[str], random: Random, *, joint_stock: bool) -> str:
    while True:
        name = f"成都{random.choice(FIRST)}{random.choice(SECOND)}{random.choice(sector.words)}"
        name += "股份有限公司" if joint_stock else "有限公司"
        if name not in taken:
            taken.add(name)
            return name


def _facts(sector: Sector, as_of: date, random: Random) -> Data:
    """A full profile of one enterprise of the sector."""

    def chance(percent: int) -> bool:
        return random.randrange(100) < percent

    def ago(least: int, most: int) -> str:
        return (as_of - timedelta(days=random.randint(least, most))).isoformat()

    def held(code: str) -> Data:
        days = random.randint(20, 1500)
        on = as_of - timedelta(days=days)
        return {"code": code, "on": on.isoformat(), "until": (on + timedelta(days=1095)).isoformat()}

    def series(last: int, least: int, most: int, length: int = 3) -> list[int]:
        """Values of last year and before it, each year's growth being drawn in %."""
        values = [last]
        while len(values) < length:
            values.append(values[-1] * 100 // (100 + random.randint(least, most)))
        return values

    def years(values: Iterable[int]) -> Data:
        return {str(as_of.year - back): str(value) for back, value in enumerate(values, start=1)}

    def part(values: Iterable[int], least: int, most: int) -> list[int]:
        """A share of each, in thousandths."""
        return [value * random.randint(least, most) // 1000 for value in values]

    low, high = sector.revenue
    # Three draws, the least of which is taken: most enterprises are small.
    revenue = series(min(random.randint(low, high) for _ in range(3)) * 10000, -12, 35)
    people = min(random.randint(*sector.staff) for _ in range(2))
    staff = series(people, -5, 18)
    region = "510105" if chance(84) else random.choice(OTHER_REGIONS)
    founded = random.randint(120, 7000)
    large = revenue[0] >= 400000000 or people >= 1000
    size = "large" if large else "medium" if revenue[0] >= 60000000 else "small" if people >= 15 else "micro"
    rd = part(revenue, 5, 95) if sector.industries[0] not in ("51", "62", "49") else part(revenue, 0, 8)
    assets = [value + value // 2 for value in revenue]
    tax = part(revenue, 8, 60)
    above = revenue[0] >= 20000000 and chance(80)
    qualifications = [
        held(code)
        for code, percent in (
            ("high_tech", 28), ("tech_sme", 30), ("innovative_sme", 12), ("specialised", 8), ("little_giant", 2),
            ("gazelle", 3), ("cloud_adopter", 12), ("software_enterprise", 10), ("tech_centre_city", 4),
            ("green_factory_city", 3 if sector.makes else 0), ("time_honoured_province", 2), ("first_store", 2),
        )
        if chance(percent)
    ]  # fmt: skip
    patents = random.randint(0, 14) if sector.makes or rd[0] > 500000 else random.randint(0, 2)
    grade = random.choices("ABMCD", weights=(25, 45, 22, 6, 2))[0]
    credit = [{"code": random.choice(("abnormal", "dishonest", "tax_major")), "on": ago(30, 900)}] if chance(6) else []
    penalties = (
        [{"code": "fine", "on": ago(30, 1400), "amount": str(random.randint(1, 80) * 1000)}] if chance(9) else []
    )
    pledge = {**held("patent_pledge"), "amount": str(random.randint(5, 60) * 100000)}
    loan = {**held("credit"), "amount": str(random.randint(3, 120) * 100000)}
    kind = "industry" if sector.makes else "services"
    exports = series(random.randint(50, 3000) * 10000, -20, 40) if sector.makes and chance(30) else [0, 0]
    facts: Data = {
        "registered_region": region,
        "tax_region": region if chance(94) else random.choice(OTHER_REGIONS),
        "statistics_region": region if chance(90) else random.choice(OTHER_REGIONS),
        "operating_region": region if chance(85) else "510105",
        "entity_type": "joint_stock_company" if chance(6) else "limited_company",
        "ownership": random.choices(("private", "local_state", "foreign", "mixed"), weights=(86, 6, 4, 4))[0],
        "business_state": "active" if chance(97) else random.choice(("dormant", "liquidating")),
        "size": size,
        "industry": random.choice(sector.industries),
        "industry_chains": [random.choice(sector.chains)] if chance(75) else [],
        "listing": "unlisted" if chance(95) else random.choice(("neeq_basic", "neeq_innovation", "regional_equity")),
        "listing_progress": [],
        "established_on": (as_of - timedelta(days=founded)).isoformat(),
        "registered_capital": str(random.choice((100, 200, 500, 1000, 2000, 5000)) * 10000),
        "paid_in_capital": str(random.choice((20, 50, 100, 300, 500, 1500)) * 10000),
        "is_headquarters": chance(4),
        "above_scale": above,
        "above_scale_records": [{"code": kind, "on": ago(60, 2500)}] if above else [],
        "rent_area": random.randint(60, 2600) if chance(70) else 0,
        "revenue": years(revenue),
        "main_business_revenue": years(part(revenue, 620, 990)),
        "rd_expense": years(rd),
        "tax_paid": years(tax),
        "district_contribution": years(part(tax, 300, 450)),
        "net_profit": years([value * random.randint(-60, 160) // 1000 for value in revenue]),
        "total_assets": years(assets),
        "total_liabilities": years(part(assets, 250, 900)),
        "exports": years(exports),
        "service_exports": years([0, 0]),
        "technology_contracts": years(part(revenue, 0, 60)),
        "fixed_investment": years(part(revenue, 0, 150)),
        "equipment_spending": years(part(revenue, 0, 90)),
        "loans": [*([pledge] if chance(10) else []), *([loan] if chance(25) else [])],
        "staff": years(staff),
        "insured_staff": people * random.randint(80, 100) // 100,
        "rd_staff": people * random.randint(0, 35) // 100,
        "disabled_staff": random.choice((0, 0, 0, 0, 1, 2)),
        "qualifications": qualifications,
        "certificates": [code for code in ("iso9001", "iso14001", "iso27001", "ip_management") if chance(30)],
        "honours": [],
        "invention_patents": patents,
        "utility_patents": random.randint(0, 30) if sector.makes else random.randint(0, 6),
        "software_copyrights": random.randint(0, 25),
        "trademarks": random.choice((0, 0, 1, 2, 5)),
        "intellectual_property": [{"code": "invention", "on": ago(10, 2200)} for _ in range(min(patents, 6))],
        "standards": [{"code": "industry", "on": ago(60, 1500), "rank": random.randint(1, 8)}] if chance(5) else [],
        "talents": [{"code": random.choice("CDEF"), "on": ago(20, 900)} for _ in range(random.randint(0, 3))],
        "earlier_awards": [{"code": "rd", "on": ago(200, 900), "amount": "50000"}] if chance(10) else [],
        "tax_credit_grade": grade,
        "credit_records": credit,
        "penalties": penalties,
        "safety_incidents": [],
        "environment_incidents": [],
        "promises_broken": [],
        "wages_on_time": chance(97),
        "social_security_paid": chance(98),
        "credit_score": random.randint(55, 98),
    }  # fmt: skip
    if sector.makes:
        output = series(revenue[0], -10, 30)
        facts |= {"output_value": years(output), "energy_use": years(series(random.randint(20, 900), -12, 12))}
    if sector.industries[0] in ("51", "62"):
        sales = series(revenue[0] * 9 // 10, -8, 25)
        facts |= {"retail_sales": years(sales), "online_sales": years(part(sales, 0, 400))}
    return facts


def _without_some(facts: Data, random: Random) -> Data:
    """The facts with gaps as real profiles have them: about one in six is missing."""
    return {key: value for key, value in facts.items() if key in ALWAYS_KNOWN or random.randrange(6)}
