"""The enterprises that the story follows by name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

Data = dict[str, Any]

PROTAGONIST = "E001"
"""Fits three items, nearly fits two, applies and is paid."""
CREDIT_FALLER = "E002"
"""Approved, then listed for lost trust before its payment: held by the credit check."""
BOUNCED = "E003"
"""Its bank sends the money back once: the account is mended and paid the month after."""


def credit_fall(as_of: date) -> Data:
    """The facts that the credit platform reports of `CREDIT_FALLER` on a day between approval and payment."""
    return {"credit_records": [{"code": "dishonest", "on": as_of.isoformat()}]}


def form_answers(code: str, as_of: date) -> Data:
    """Application facts that the protagonist gives in an item's form; {} where the item asks for none."""
    answers: dict[str, Data] = {
        "zs-pledge": {"loan_interest_paid": "186500.00", "guarantee_fee_paid": "24000.00"},
        "fw-voucher": {"invoice_total": "9600.00"},
    }
    return answers.get(code, {})


def named(as_of: date) -> dict[str, tuple[str, str, Data]]:
    """Id → name, registration region of its credit code, facts."""

    def ago(days: int) -> str:
        return (as_of - timedelta(days=days)).isoformat()

    def years(*values: int) -> Data:
        return {str(as_of.year - back): str(value) for back, value in enumerate(values, start=1)}

    base: Data = {
        "registered_region": "510105",
        "tax_region": "510105",
        "statistics_region": "510105",
        "operating_region": "510105",
        "entity_type": "limited_company",
        "ownership": "private",
        "business_state": "active",
        "listing": "unlisted",
        "is_legal_person": True,
        "has_own_accounts": True,
        "credit_records": [],
        "penalties": [],
        "safety_incidents": [],
        "environment_incidents": [],
        "promises_broken": [],
        "wages_on_time": True,
        "social_security_paid": True,
        "statistics_reported": True,
    }
    protagonist: Data = {
        **base,
        "size": "small",
        "industry": "37",
        "industry_chains": ["aviation_manufacturing"],
        "established_on": ago(2200),
        "registered_capital": "20000000",
        "paid_in_capital": "5000000",
        "is_headquarters": False,
        "above_scale": False,
        "above_scale_records": [],
        "listing_progress": [],
        "rent_area": 0,
        "premises_area": 2400,
        "carrier": "aviation_park",
        "revenue": years(18200000, 15600000, 13000000),
        "main_business_revenue": years(17400000, 14900000, 12300000),
        "rd_expense": years(828000, 720000, 430000),
        "output_value": years(17100000, 14700000, 12200000),
        "retail_sales": years(200000, 400000),
        "online_sales": years(0, 0),
        "exports": years(1200000, 1500000),
        "service_exports": years(0, 0),
        "tax_paid": years(760000, 640000),
        "district_contribution": years(310000, 260000),
        "net_profit": years(1450000, 1180000),
        "total_assets": years(24600000, 21900000),
        "total_liabilities": years(17900000, 15100000),
        "technology_contracts": years(180000, 90000),
        "equipment_spending": years(620000, 480000),
        "fixed_investment": {str(as_of.year): "900000", **years(1100000)},
        "equity_raised": {str(as_of.year): "0", **years(0)},
        "energy_use": years(96, 88, 80),
        "loans": [
            {"code": "patent_pledge", "on": ago(260), "until": ago(-470), "amount": "3000000"},
            {"code": "trademark_pledge", "on": ago(120), "until": ago(-245), "amount": "1000000"},
        ],
        "ip_pledge_balance": "4000000",
        "staff": years(44, 41, 37),
        "insured_staff": 46,
        "rd_staff": 12,
        "disabled_staff": 0,
        "qualifications": [
            {"code": "high_tech", "on": ago(150), "until": ago(-945)},
            {"code": "tech_sme", "on": ago(920), "until": ago(555)},
        ],
        "certificates": [{"code": "iso9001", "on": ago(700)}, {"code": "as9100", "on": ago(400)}],
        "honours": [],
        "invention_patents": 2,
        "utility_patents": 11,
        "design_patents": 1,
        "software_copyrights": 4,
        "trademarks": 0,
        "intellectual_property": [{"code": "invention", "on": ago(200)}, {"code": "invention", "on": ago(430)}],
        "standards": [],
        "talents": [],
        "earlier_awards": [],
        "tax_credit_grade": "M",
        "credit_score": 83,
    }
    faller: Data = {
        **base,
        "size": "small",
        "industry": "40",
        "industry_chains": ["inspection_testing"],
        "established_on": ago(3100),
        "above_scale": False,
        "revenue": years(15300000, 16900000, 17400000),
        "rd_expense": years(890000, 860000, 700000),
        "insured_staff": 38,
        "rd_staff": 9,
        "qualifications": [
            {"code": "high_tech", "on": ago(1320), "until": ago(225)},
            {"code": "high_tech", "on": ago(210), "until": ago(-885)},
        ],
        "invention_patents": 3,
        "tax_credit_grade": "B",
        "earlier_awards": [{"code": "recognition", "on": ago(1200), "amount": "200000"}],
    }
    bounced: Data = {
        **base,
        "size": "micro",
        "industry": "65",
        "industry_chains": ["artificial_intelligence"],
        "established_on": ago(1250),
        "above_scale": False,
        "revenue": years(4200000, 2900000, 1300000),
        "rd_expense": years(610000, 420000, 200000),
        "insured_staff": 16,
        "rd_staff": 9,
        "software_copyrights": 9,
        "qualifications": [{"code": "high_tech", "on": ago(75), "until": ago(-1020)}],
        "tax_credit_grade": "M",
        "earlier_awards": [],
    }
    return {
        PROTAGONIST: ("成都青穹翼航科技有限公司", "510105", protagonist),
        CREDIT_FALLER: ("成都锦屏智测仪器有限公司", "510105", faller),
        BOUNCED: ("成都云杉数谱信息技术有限公司", "510105", bounced),
    }
