"""Enterprises, departments and published items for tests, made by the services that make the real ones."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from stdnum.cn import uscc

from matching.models import Enterprise, PolicyItem, PolicyVersion
from matching.registry.models import Department
from matching.services import facts, publish
from matching.services.vocabulary import current_vocabulary

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)  # 10 o'clock in Shanghai
TODAY = date(2026, 11, 22)
OPEN_TO_ALL: dict[str, Any] = {"all": []}
_numbers = count(1)


def credit_code_of(number: int) -> str:
    """A valid credit code, another for each number below a million."""
    body = f"91510105MA{number:07d}"
    return body + uscc.calc_check_digit(body)


def register(*, name: str, code: str, now: datetime = NOW) -> Enterprise:
    """An enterprise of which nothing is known, as an import leaves it: with an empty profile, announced."""
    made = Enterprise.objects.create(credit_code=code, name=name, external_id=code, created_at=now)
    facts.store_checked(facts=[], vocabulary=current_vocabulary(), now=now, also_refresh=[made.pk])
    return made


def enterprise(name: str = "", *, now: datetime = NOW, **known: Any) -> Enterprise:
    """A registered enterprise, of which `known` facts hold since 2026-01-01 (values as in the criteria language)."""
    number = next(_numbers)
    made = register(name=name or f"测试企业{number}", code=credit_code_of(number), now=now)
    learn(made, now=now, **known)
    return made


def learn(
    subject: Enterprise,
    *,
    now: datetime = NOW,
    valid_on: date = date(2026, 1, 1),
    source: str = "测试",
    **known: Any,
) -> facts.Recorded:
    """Record facts of an enterprise; a value of None withdraws."""
    return facts.record_many(
        facts=[facts.NewFact(subject.pk, key, value, source, valid_on) for key, value in known.items()], now=now
    )


def department(code: str = "kjj", name: str = "科技局") -> Department:
    return Department.objects.get_or_create(code=code, defaults={"name": name})[0]


def published(
    criteria: dict[str, Any] | None = None,
    *,
    code: str = "",
    name: str = "",
    window: dict[str, str] | None = None,
    now: datetime = NOW,
    owner: Department | None = None,
) -> PolicyVersion:
    """A listed item with these criteria (default: open to everyone); the same code again makes a new version."""
    code = code or f"item-{next(_numbers)}"
    existing = PolicyItem.objects.filter(code=code).first()
    rules: dict[str, Any] = {"criteria": OPEN_TO_ALL if criteria is None else criteria}
    if window is not None:
        rules["window"] = window
    return publish.publish_version(
        item_code=code,
        name=name or (existing.name if existing else f"事项 {code}"),
        department=owner or department(),
        rules=rules,
        details={},
        words={},
        now=now,
    )
