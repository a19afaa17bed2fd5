"""Builds an item from what is its own, adds what all items of the district share, and holds the clauses they repeat."""

from __future__ import annotations

from datetime import date
from typing import Any

from .district import BUDGET_OF, DEPARTMENTS, MATERIALS, REGION, document_number

Data = dict[str, Any]

_OFFICES = {department["code"]: department for department in DEPARTMENTS}


def item(
    as_of: date,
    code: str,
    name: str,
    *,
    kind: str,
    department: str,
    clause: tuple[str, str],
    audience: str,
    summary: str,
    criteria: Data,
    award: Data | None,
    materials: tuple[str, ...],
    delivery: str = "fast",
    delivery_terms: Data | None = None,
    sub_items: tuple[str, ...] = (),
    promised: int = 7,
    publicity_days: int = 5,
    ceiling: str = "3000000.00",
    window: Data | None = None,
    form: list[Data] | None = None,
    steps: list[Data] | None = None,
) -> Data:
    """One line of the import format. Amounts are 元, limits working days, dates YYYY-MM-DD."""
    year = as_of.year
    office = _OFFICES[department]
    codes = tuple(dict.fromkeys(("application", "licence", "credit-report", *materials)))
    usual = [
        {"name": "受理", "by": "政务服务中心综合窗口", "days": 1},
        {"name": "审核", "by": f"{office['short_name']}审核岗", "days": 3},
        {"name": "复核", "by": f"{office['short_name']}复核岗", "days": 2},
        {"name": "核定", "by": f"{office['short_name']}负责人", "days": 1},
    ]
    return {
        "kind": "item",
        "code": code,
        "name": name,
        "sub_items": list(sub_items),
        "type": kind,
        "department": department,
        "document": document_number(clause[0], as_of),
        "clause": clause[1],
        "audience": audience,
        "summary": summary,
        "criteria": criteria,
        "award": award,
        "materials": [{"code": material, **MATERIALS[material]} for material in codes],
        "steps": steps or usual,
        **({"form": form} if form else {}),
        "fees": "不收费",
        "limits": {"statutory": 20, "promised": promised},
        "delivery": delivery,
        **({"delivery_terms": delivery_terms} if delivery_terms else {}),
        "window": window or {"from": f"{year}-01-01", "until": f"{year + 1}-12-31"},
        "budget_line": BUDGET_OF[department],
        "ceiling": ceiling,
        "publicity_days": publicity_days,
        "contact": {
            "phone": office["phone"],
            "office": f"{office['short_name']}惠企服务科",
            "address": office["address"],
            "hours": "工作日 9:00—12:00，13:00—17:00",
        },
        "expires_on": f"{year + 4}-12-31",
        "fair_competition": {
            "reviewed_on": f"{year - 1}-11-20",
            "reviewer": "区市场监督管理局公平竞争审查科",
            "conclusion": "不具有排除、限制竞争效果，可以出台",
        },
        "assessment": "已征求企业和行业协会意见，按企业画像测算受益面和资金需求，财政可承受。",
    }


def local(**more: Any) -> Data:
    """Registered in the district."""
    return {
        "id": "local",
        "fact": "registered_region",
        "in": [REGION],
        "text": "在本区登记注册",
        "evidence": ["licence"],
        "advice": "将注册地迁入本区后即可申报，迁址由综合窗口一次办理",
        **more,
    }


def taxed() -> Data:
    """Pays its taxes in the district."""
    return {
        "id": "taxed",
        "fact": "tax_region",
        "in": [REGION],
        "text": "税收解缴关系在本区",
        "evidence": ["tax-certificate"],
        "advice": "向税务所申请变更税收解缴关系",
    }


def in_statistics() -> Data:
    """Reports its statistics in the district."""
    return {
        "id": "in_statistics",
        "fact": "statistics_region",
        "in": [REGION],
        "text": "统计关系在本区",
        "evidence": ["statistics"],
        "advice": "联系街道统计站办理统计关系转入",
    }


def good_credit() -> Data:
    """Not among those that are barred for lost trust."""
    return {
        "id": "credit",
        "fact": "credit_records",
        "none_of": ["dishonest", "serious_illegal", "tax_major", "wage_arrears"],
        "text": "未列入严重失信主体名单",
        "evidence": ["credit-report"],
        "advice": "可在信用信息平台申请信用修复，修复后重新申报",
    }


def safe() -> Data:
    """No larger accident at work within the last year."""
    return {
        "id": "safe",
        "fact": "safety_incidents",
        "none_of": ["serious_or_worse"],
        "held": "ever",
        "obtained": {"within_last": "P1Y"},
        "text": "近一年内未发生较大及以上生产安全事故",
        "evidence": ["credit-report"],
        "advice": "事故发生满一年且整改验收后可申报",
    }


def active() -> Data:
    return {
        "id": "active",
        "fact": "business_state",
        "in": ["active"],
        "text": "正常经营",
        "evidence": ["licence"],
        "advice": "恢复正常登记状态后申报",
    }
