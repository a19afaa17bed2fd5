"""A small district before its month: two budget lines, two items, a few enterprises, everybody who signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.models import Gateway, GatewayKind
from disbursement.services.payment import payees
from matching.models import Enterprise
from portal.accounts.models import Membership, RoleAssignment, StaffRole, User
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import START, at

ENTERPRISES = 4
ITEMS = {"month-fixed": ("100000", "innovation"), "month-thirds": ("33333.33", "talent")}
STAFF = (
    StaffRole.ACCEPTOR,
    StaffRole.REVIEWER,
    StaffRole.SECOND_REVIEWER,
    StaffRole.FINANCE_MAKER,
    StaffRole.FINANCE_CHECKER,
    StaffRole.FINANCE_APPROVER,
)


@dataclass
class Scene:
    """Ids and session keys: they hold in every copy of the database."""

    staff: dict[StaffRole, str] = field(default_factory=dict)
    agents: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)


@transaction.atomic
def build() -> Scene:
    """In the database that Django is pointed at."""
    made = Scene()
    for _, line in ITEMS.values():
        people.budget_line(code=line, ceiling="3000000")
    for code, (amount, line) in ITEMS.items():
        # With a yearly cap an enterprise may have the same item twice.
        money.version(amount, code=code, line=line, cap_per_year="1000000")
    for role in STAFF:
        user = User.objects.create(username=role.value, full_name=str(role.label))
        RoleAssignment.objects.create(user=user, role=role)
        made.staff[role] = _session(user)
    checker = people.staff(StaffRole.FINANCE_CHECKER)
    for number in range(ENTERPRISES):
        early = at(START - timedelta(days=20))
        enterprise: Enterprise = base.enterprise(now=early, registered_region="510105", credit_records=[])
        user = User.objects.create(username=f"agent-{enterprise.pk}", full_name="经办人")
        Membership.objects.create(user=user, enterprise=enterprise, kind="agent", granted_at=early)
        made.agents[enterprise.pk], made.names[enterprise.pk] = _session(user), enterprise.name
        account = payees.propose_account(
            enterprise_id=enterprise.pk,
            account_name=enterprise.name,
            bank_name="成都银行青羊支行",
            account_number=f"6222000000{number:06d}",
            actor=Actor.of(user_id=user.pk, enterprise_ids=[enterprise.pk]),
            now=early,
        )
        payees.check_account(account_id=account.pk, actor=checker, now=early, accept=True)
    Gateway.objects.create(
        code="bank",
        name="模拟银行",
        kind=GatewayKind.HTTP,
        url="http://127.0.0.1:1",
        timeout=2,
        is_default=True,
        updated_at=at(START),
    )
    return made


def _session(user: User) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(timedelta(days=3650))
    store.create()
    return str(store.session_key)
