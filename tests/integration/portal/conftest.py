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
from pytest_django.plugin import DjangoDbBlocker

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Decision, DocumentKind, MaterialFlag, Payable
from disbursement.services import notices
from disbursement.services.application import ratings
from disbursement.services.evidence import library as evidence
from disbursement.services.evidence.library import Details
from disbursement.services.payment import payees
from disbursement.services.review import interests, publicity, steps
from matching.models import Enterprise
from portal.accounts.models import Membership, MembershipKind, RoleAssignment, StaffRole, User
from portal.desk.admin.calendar import YearForm, enter_year
from portal.inbox.models import Notification
from tests.factories import delivery, money, papers
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories.disbursement import Case, at
from tests.restored import restored

NOW = at("2026-03-25", 15)


@dataclass
class World:
    """Who and what there is. `clients` are signed in, by role name; "" is a stranger."""

    clients: dict[str, Client] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    ours: Enterprise = field(init=False)
    theirs: Enterprise = field(init=False)


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def member(enterprise: Enterprise, kind: str = "legal", name: str = "") -> User:
    user = people.user(name)
    Membership.objects.create(user=user, enterprise=enterprise, kind=MembershipKind(kind), granted_at=at("2026-01-05"))
    return user


def official(role: str, department: Any = None) -> User:
    user = people.user()
    RoleAssignment.objects.create(user=user, role=role, department=department)
    return user


@pytest.fixture(autouse=True)
def clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The clock of views stands at a working day of March 2026, after the cut-off."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return NOW


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Built once for a module's tests (on SQLite for a process), each of which runs in a savepoint inside it."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: NOW)
        with restored(build, name=build) as made:
            yield made


@pytest.fixture
def world(built: World, db: None, frozen: datetime) -> World:
    return built


def build() -> World:
    """Everything through the services that make the real ones."""
    made = World()
    for state in ApplicationState:
        if state is not ApplicationState.DRAFT:
            made.cases[state.value] = people.case_in(state)
    made.ours, made.theirs = made.cases["submitted"].enterprise, made.cases["accepted"].enterprise
    made.cases["answered"] = people.case().asked_departments(base.department("elsewhere", "外单位"))
    _answer(made.cases["answered"])
    for name, enterprise in (("ours", made.ours), ("theirs", made.theirs)):
        draft = people.case(enterprise=enterprise, version=people.item(code=f"draft-{name}"))
        made.cases[f"draft-{name}"] = draft.drafted()
        money.payable("120000.00", enterprise=enterprise)
        corrected = people.case(enterprise=enterprise, version=people.item(code=f"corrected-{name}"))
        made.cases[f"correction-{name}"] = corrected.submitted().asked()
        Notification.objects.create(
            enterprise=enterprise, kind="policy", title=f"{enterprise.name}可享新政策", dedupe_key=name, created_at=NOW
        )
    _pay(made)
    row = made.cases["publicity"].application.publicities.get()
    publicity.object_to(publicity_id=row.pk, name="李四", contact="028", text="不符合", now=at(row.starts_on))
    interests.declare(enterprise_id=made.theirs.pk, reason="亲属任职", actor=made.cases["submitted"].reviewer, now=NOW)
    for decision in Decision.objects.filter(application__in=[made.cases["accepted"].id, made.cases["rejected"].id]):
        kind = DocumentKind.ACCEPTANCE if decision.kind == "accepted" else DocumentKind.DECISION
        notices.issue(kind=kind, subject_id=decision.pk, now=NOW)
    _keep_certificates(made)
    for enterprise in (made.ours, made.theirs):
        delivery.learn(
            enterprise,
            now=NOW,
            valid_on=NOW.date(),
            registered_region="510105",
            credit_records=[],
            contribution="200000",
        )
        delivery.offer(version=delivery.item(code=f"offered-{enterprise.pk}"), made=enterprise, now=NOW)
    year = YearForm({"year": 2026, "is_official": "on", "source": "通知"})
    assert year.is_valid()
    enter_year(form=year)
    _admit(made)
    return made


def _answer(case: Case) -> None:
    """The department gives its opinion, the last one: the case goes back to its own."""
    steps.give_opinion(application_id=case.id, agrees=True, text="未重复享受", actor=case.joint, now=case.now)


def _keep_certificates(made: World) -> None:
    """One of each enterprise's own, and one that a department registered; a review with a certificate that is gone."""
    details = Details(issuer="某所", issued_on=at("2026-01-05").date(), is_long_term=True)
    for case in (made.cases["submitted"], made.cases["accepted"], made.cases["in_review"]):
        subject = case.enterprise
        given = evidence.add(
            enterprise_id=subject.pk,
            kind="licence",
            details=details,
            content=papers.pdf(mark=subject.name),
            name="执照.pdf",
            actor=case.agent,
            now=NOW,
        )
    material = made.cases["in_review"].application.materials.filter(replaced_at__isnull=True)[0]
    MaterialFlag.objects.create(material=material, reason="withdrawn", raised_at=NOW)
    evidence.withdraw(evidence_id=given.evidence_id, reason="已注销", actor=made.cases["in_review"].agent, now=NOW)
    registrar = made.cases["submitted"]
    evidence.attest(
        enterprise_id=made.theirs.pk,
        kind="licence",
        department_id=registrar.version.item.department_id,
        details=details,
        content=papers.pdf(mark="attested"),
        name="登记.pdf",
        actor=registrar.acceptor,
        now=NOW,
    )


def _pay(made: World) -> None:
    finance = money.Finance()
    batch = money.cut()[0]
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[1]), name="march.csv")
    money.receive(money.return_file({"999999999-000001": ("5.00", "成功")}), name="stranger.csv")
    payees.propose_account(
        enterprise_id=made.theirs.pk,
        account_name=made.theirs.name,
        bank_name="成都银行",
        account_number="62220000000000001",
        actor=people.agent(made.theirs),
        now=NOW,
    )
    paid = Payable.objects.filter(state="settled").select_related("application", "enterprise").latest("pk")
    ratings.rate(
        application_id=paid.application_id, level=1, comment="慢", actor=people.agent(paid.enterprise), now=NOW
    )


def _admit(made: World) -> None:
    made.users = {
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
    made.clients = {name: signed_in(user) for name, user in made.users.items()} | {
        "": Client(raise_request_exception=False)
    }
