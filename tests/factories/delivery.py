"""Items with terms of delivery, and enterprises of which everything is known from their authorities."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from disbursement.models import Offer
from disbursement.services.delivery import offers
from matching.models import Enterprise, Match, PolicyVersion
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories.disbursement import START, at

# Registered here, honest, and what was paid in taxes decides the amount: no form is needed for it.
CRITERIA: dict[str, Any] = {
    "all": [
        {"fact": "registered_region", "in": ["510105"], "id": "here", "text": "在青羊区注册", "evidence": ["licence"]},
        {"fact": "credit_records", "none_of": ["dishonest"], "id": "honest", "text": "未被列为失信被执行人"},
        {"fact": "district_contribution", "gte": "10000", "id": "paid", "text": "上年度对本区贡献不低于1万元"},
    ]
}
AWARD: dict[str, Any] = {"rules": [{"rate": "10", "of": "district_contribution@last", "cap": "50000"}]}
MATERIALS: list[dict[str, Any]] = [
    {"code": "licence", "name": "营业执照", "required": True, "source": "library", "note": ""}
]
STEPS = ["acceptance", "review", "decision"]
SOURCES = {"registered_region": "市场监管", "credit_records": "信用平台", "district_contribution": "财政"}


def item(*, mode: str = "automatic", now: datetime | None = None, **rules: Any) -> PolicyVersion:
    """A published item that pays a tenth of last year's contribution; `terms` replace those it has."""
    terms = rules.pop("terms", {"machine": STEPS, "most": "40000.00", "audit_share": 50})
    body = {"criteria": CRITERIA, "award": AWARD, "materials": MATERIALS, "publicity_days": 0, **rules}
    people.budget_line()
    return people.item(now=now, delivery=mode, delivery_terms=terms, **body)


def enterprise(*, contribution: str = "200000", **known: Any) -> Enterprise:
    """One that fits, with a checked account, every fact told by its authority."""
    made = people.applicant()
    learn(made, contribution=contribution, **known)
    return made


def learn(
    made: Enterprise,
    *,
    now: datetime | None = None,
    valid_on: date = date(2026, 2, 20),
    contribution: str = "",
    **known: Any,
) -> None:
    values = {"registered_region": "510105", "credit_records": [], **known} if now is None else dict(known)
    if contribution:
        values["district_contribution"] = {"2025": contribution}
    for key, value in values.items():
        base.learn(
            made,
            now=now or at(START - timedelta(days=10)),
            valid_on=valid_on,
            source=SOURCES.get(key, "测试"),
            **{key: value},
        )


def matched(version: PolicyVersion, *enterprises: Enterprise) -> None:
    """As matching leaves it: these are eligible."""
    Match.objects.bulk_create(
        Match(enterprise=made, version=version, verdict="eligible", as_of=START) for made in enterprises
    )


def offer(
    *, version: PolicyVersion | None = None, made: Enterprise | None = None, now: datetime | None = None
) -> Offer:
    """An offer that stands."""
    version, made = version or item(), made or enterprise()
    assert offers.put(enterprise=made, item=version.item, now=now or at(START))
    return Offer.objects.select_related("item", "enterprise").get(enterprise=made, item=version.item)
