"""A small district with somebody in every role, two enterprises, and things in every state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Payable
from disbursement.services import payees, publicity, ratings
from matching.models import Enterprise
from portal.accounts.models import Membership, MembershipKind, RoleAssignment, StaffRole, User
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import Case, at

NOW = at("2026-03-25", 15)


@dataclass
class World:
    """Who and what there is. `clients` are signed in, by role name; "" is a stranger."""

    clients: dict[str, Client] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    ours: Enterprise = field(init=False)
    theirs: Enterprise = field(init=False)
    now: datetime = NOW


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def member(enterprise: Enterprise, kind: str = "legal", name: str = "") -> User:
    user = people.user(name)
    Membership.objects.create(
        user=user, enterprise=enterprise, kind=MembershipKind(kind), granted_at=at("2026-01-05")
    )
    return user


def official(role: str, department: Any = None) -> User:
    user = people.user()
    RoleAssignment.objects.create(user=user, role=role, department=department)
    return user


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The clock of views stands at a working day of March 2026, after the cut-off."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return NOW


@pytest.fixture
def world(db: None, frozen: datetime) -> World:
    made = World()
    states = [state for state in ApplicationState if state is not ApplicationState.DRAFT]
    for state in states:
        made.cases[state.value] = people.case_in(state)
    made.ours = made.cases["submitted"].enterprise
    made.theirs = made.cases["accepted"].enterprise
    for name, enterprise in (("ours", made.ours), ("theirs", made.theirs)):
        draft = people.case(enterprise=enterprise, version=people.item(code=f"draft-{name}"))
        made.cases[f"draft-{name}"] = draft.drafted()
        money.payable("120000.00", enterprise=enterprise)
        corrected = people.case(enterprise=enterprise, version=people.item(code=f"corrected-{name}"))
        corrected.submitted().asked()
        made.cases[f"correction-{name}"] = corrected
    finance = money.Finance()
    batches = money.cut()
    money.sent(batches[0], finance)
    money.receive(money.answer(batches[0], bounced=[1]), name="march.csv")
    money.receive(money.return_file({"999999999-000001": ("5.00", "成功")}), name="stranger.csv")
    agent = people.agent(made.theirs)
    payees.propose_account(
        enterprise_id=made.theirs.pk,
        account_name=made.theirs.name,
        bank_name="成都银行",
        account_number="62220000000000001",
        actor=agent,
        now=NOW,
    )
    public = made.cases["publicity"]
    row = public.application.publicities.get()
    publicity.object_to(publicity_id=row.pk, name="李四", contact="028", text="不符合", now=at(row.starts_on))
    _rate_somebody()
    made.users = {
        "": User(),
        "ours": member(made.ours),
        "agent": member(made.ours, "agent"),
        "theirs": member(made.theirs),
        "nobody": people.user(),
        "several": member(made.ours, "agent"),
        **{role.value: official(role.value) for role in StaffRole},
        "elsewhere": official("reviewer", base.department("elsewhere", "外单位")),
    }
    Membership.objects.create(
        user=made.users["several"], enterprise=made.theirs, kind="agent", granted_at=at("2026-01-05")
    )
    made.clients = {name: signed_in(user) for name, user in made.users.items() if name}
    made.clients[""] = Client(raise_request_exception=False)
    return made


def _rate_somebody() -> None:
    paid = Payable.objects.filter(state__in=["paid", "settled"]).select_related("application").first()
    if paid is not None:
        ratings.rate(
            application_id=paid.application_id,
            level=1,
            comment="等得太久",
            actor=people.agent(paid.enterprise),
            now=NOW,
        )
