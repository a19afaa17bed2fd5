"""What makes an enterprise fit an item, and what then leaves it one step short or in the open.

The generator hands each item a few enterprises of every sort, so that no list of the demo is empty. A kit holds the
facts that decide; `short` breaks exactly one leaf, `open` takes away what is needed to decide (None: unknown).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kit:
    fits: Data
    short: Data
    open: Data


def common(as_of: date) -> Data:
    """What nearly every item asks for."""
    return {
        "registered_region": "510105",
        "tax_region": "510105",
        "statistics_region": "510105",
        "operating_region": "510105",
        "business_state": "active",
        "credit_records": [],
        "safety_incidents": [],
        "environment_incidents": [],
        "penalties": [],
        "promises_broken": [],
        "earlier_awards": [],
        "tax_credit_grade": "A",
        "size": "small",
    }


def kits(as_of: date) -> dict[str, Kit]:
    """The kits by item code, as of a day (Asia/Shanghai)."""

    def ago(days: int) -> str:
        return (as_of - timedelta(days=days)).isoformat()

    def record(code: str, days: int, **more: Any) -> Data:
        return {"code": code, "on": ago(days), **more}

    def held(code: str, days: int) -> Data:
        return record(code, days, until=ago(days - 1095))

    def years(*values: int, this: int | None = None) -> Data:
        """Values of last year, the year before it, …"""
        found = {str(as_of.year - back): str(value) for back, value in enumerate(values, start=1)}
        return found if this is None else {str(as_of.year): str(this), **found}

    this_year = (as_of - date(as_of.year, 1, 1)).days
    return {
        "kj-hightech": Kit(
            {"qualifications": [held("high_tech", 100)]},
            {"qualifications": [held("high_tech", 600)]},
            {"tax_region": None},
        ),
        "kj-techsme": Kit(
            {"qualifications": [held("tech_sme", this_year // 2)], "established_on": ago(800)},
            {"size": "large"},
            {"size": None},
        ),
        "kj-rd": Kit(
            {
                "industry": "39",
                "revenue": years(40000000, 36000000),
                "rd_expense": years(2600000, 2000000),
                "rd_staff": 20,
                "insured_staff": 100,
                "district_contribution": years(900000, 700000),
            },
            {"rd_expense": years(2100000, 2000000)},
            {"rd_staff": None},
        ),
        "kj-platform": Kit(
            {"qualifications": [held("tech_centre_city", 200)], "rd_expense": years(1200000, 900000, 600000)},
            {"rd_expense": years(1200000, 900000, 300000)},
            {"rd_expense": None},
        ),
        "kj-transfer": Kit(
            {"technology_contracts": years(1200000, 800000), "rd_staff": 30},
            {"tax_credit_grade": "C"},
            {"tax_credit_grade": None},
        ),
        "zs-patent": Kit(
            {"intellectual_property": [record("invention", 60 * n) for n in range(1, 5)], "invention_patents": 12},
            {"intellectual_property": [record("invention", 60), record("invention", 900)]},
            {"invention_patents": None},
        ),
        "zs-pledge": Kit(
            {"loans": [{**held("patent_pledge", 200), "amount": "3000000"}]},
            {"loans": [{**held("patent_pledge", 200), "amount": "600000"}]},
            {"loans": None},
        ),
        "zs-award": Kit(
            {"honours": [record("china_patent_excellent", 300, rank=1)], "invention_patents": 8},
            {"honours": [record("china_patent_excellent", 300, rank=4)]},
            {"honours": [record("china_patent_excellent", 300)]},
        ),
        "zs-standard": Kit(
            {"standards": [record("national_recommended", 400, rank=2)]},
            {"standards": [record("national_recommended", 400, rank=5)]},
            {"penalties": None},
        ),
        "gy-abovescale": Kit(
            {"above_scale": True, "above_scale_records": [record("industry", 90)]},
            {"earlier_awards": [record("above_scale", 800, amount="100000")]},
            {"earlier_awards": None},
        ),
        "gy-growing": Kit(
            {"industry": "39", "revenue": years(26000000, 22000000, 18500000), "above_scale": False},
            {"revenue": years(19000000, 16000000, 14000000)},
            {"above_scale": None},
        ),
        "gy-equipment": Kit(
            {"industry": "37", "above_scale": True, "equipment_spending": years(3500000, 1200000)},
            {"industry": "65"},
            {"safety_incidents": None},
        ),
        "gy-output": Kit(
            {
                "above_scale": True,
                "output_value": years(58000000, 50000000),
                "district_contribution": years(900000, 800000),
            },
            {"output_value": years(51000000, 50000000)},
            {"above_scale": None},
        ),
        "gy-gradient": Kit(
            {
                "qualifications": [held("specialised", 60)],
                "invention_patents": 8,
                "revenue": years(50000000, 44000000),
                "main_business_revenue": years(45000000, 40000000),
                "rd_expense": years(3000000, 2500000),
            },
            {"invention_patents": 2, "rd_expense": years(1500000, 1400000)},
            {"invention_patents": None, "rd_expense": None},
        ),
        "gy-green": Kit(
            {"qualifications": [held("green_factory_city", 300)], "above_scale": True},
            {"environment_incidents": [record("ordinary", 400)]},
            {"environment_incidents": None},
        ),
        "gy-digital": Kit(
            {"qualifications": [held("cloud_adopter", 150)], "certificates": [], "above_scale": True},
            {"qualifications": []},
            {"qualifications": None, "certificates": None},
        ),
        "jr-listing": Kit(
            {
                "listing_progress": [record("tutoring_filed", 120)],
                "listing": "unlisted",
                "entity_type": "joint_stock_company",
                "net_profit": years(8000000, 5000000),
            },
            {"net_profit": years(2000000, -5000000)},
            {"listing": None},
        ),
        "jr-equity": Kit(
            {
                "qualifications": [held("gazelle", 200)],
                "established_on": ago(1100),
                "equity_raised": years(0, this=8000000),
            },
            {"equity_raised": years(0, this=2000000)},
            {"equity_raised": None},
        ),
        "jr-loan": Kit(
            {
                "loans": [{**held("credit", 90), "amount": "2000000"}],
                "total_assets": years(20000000),
                "total_liabilities": years(9000000),
            },
            {"total_liabilities": years(17000000)},
            {"total_assets": None},
        ),
        "rc-talent": Kit(
            {"talents": [record("D", 80), record("C", 200)], "wages_on_time": True, "insured_staff": 80},
            {"wages_on_time": False},
            {"wages_on_time": None},
        ),
        "rc-graduate": Kit(
            {"insured_staff": 60, "social_security_paid": True},
            {"insured_staff": 20},
            {"social_security_paid": None},
        ),
        "rc-jobs": Kit(
            {
                "staff": years(160, 150, 145),
                "insured_staff": 150,
                "total_assets": years(50000000, 46000000),
                "total_liabilities": years(24000000, 23000000),
            },
            {"staff": years(70, 65, 60)},
            {"promises_broken": None},
        ),
        "rc-rent": Kit(
            {"carrier": "satellite_park", "rent_area": 300, "established_on": ago(700)},
            {"rent_area": 3000},
            {"rent_area": None},
        ),
        "rc-disabled": Kit(
            {"disabled_staff": 3, "insured_staff": 120},
            {"disabled_staff": 1},
            {"insured_staff": None},
        ),
        "sw-export": Kit(
            {"exports": years(8000000, 6000000), "service_exports": years(0, 0)},
            {"exports": years(6100000, 6000000)},
            {"exports": None, "service_exports": None},
        ),
        "sw-exhibition": Kit(
            {"trademarks": 2, "industry_chains": ["industrial_design"]},
            {"trademarks": 0},
            {"trademarks": None},
        ),
        "sw-retail": Kit(
            {
                "industry": "52",
                "retail_sales": years(24000000, 20000000),
                "online_sales": years(5000000, 3000000),
            },
            {"online_sales": years(1000000, 800000)},
            {"online_sales": None},
        ),
        "sw-brand": Kit(
            {
                "industry": "52",
                "established_on": "1998-06-01",
                "qualifications": [record("time_honoured_province", 2000)],
            },
            {"established_on": ago(2500)},
            {"established_on": None},
        ),
        "wc-content": Kit(
            {
                "industry": "87",
                "industry_chains": ["digital_media"],
                "software_copyrights": 12,
                "intellectual_property": [record("work", 100 * n) for n in range(1, 4)],
            },
            {"software_copyrights": 3},
            {"software_copyrights": None},
        ),
        "wc-design": Kit(
            {
                "industry": "74",
                "industry_chains": ["industrial_design"],
                "qualifications": [held("design_centre_province", 300)],
                "honours": [],
            },
            {"qualifications": []},
            {"qualifications": None, "honours": None},
        ),
        "zb-headquarters": Kit(
            {
                "is_headquarters": True,
                "moved_in_on": ago(400),
                "registered_capital": "100000000",
                "paid_in_capital": "80000000",
                "ownership": "private",
                "tax_paid": years(3000000, 2000000),
                "district_contribution": years(1500000, 900000),
            },
            {"paid_in_capital": "30000000"},
            {"tax_paid": None},
        ),
        "zb-investment": Kit(
            {
                "fixed_investment": years(18000000, this=20000000),
                "registered_capital": "50000000",
                "paid_in_capital": "30000000",
                "district_contribution": years(600000, 500000),
            },
            {"fixed_investment": years(8000000, this=5000000)},
            {"registered_capital": None},
        ),
    }
