"""The people of the demo: one for each role, and those who act for the enterprises of the story.

Nobody here exists: each is named for the work. All share one password, which is good for a demo and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.urls import NoReverseMatch, reverse

from cms.services.setup import OFFICERS
from disbursement.domain.actors import Actor, Grant
from disbursement.domain.workflow import Role
from matching.models import Enterprise
from matching.registry.models import Department
from portal.accounts import services
from portal.accounts.models import RoleAssignment, StaffRole, User
from portal.demo.enterprises import PROTAGONIST

PASSWORD = "huida-demo"
LEGAL, AGENT = "legal", "agent"


@dataclass(frozen=True, slots=True)
class Person:
    """An official. `departments` are codes; empty: the whole district."""

    username: str
    full_name: str
    role: StaffRole
    departments: tuple[str, ...] = ()
    desk: str = "desk:home"
    shown: bool = True


STAFF: tuple[Person, ...] = (
    Person("officer", "苏政策", StaffRole.POLICY_OFFICER, desk="wagtailadmin_home"),
    Person("acceptor", "陈受理", StaffRole.ACCEPTOR, desk="desk:worklist"),
    Person("reviewer", "李初审", StaffRole.REVIEWER, ("innovation", "market"), desk="desk:worklist"),
    Person("second", "王复审", StaffRole.SECOND_REVIEWER, ("innovation", "market"), desk="desk:worklist"),
    Person("joint", "卫会审", StaffRole.REVIEWER, ("finance",), desk="desk:worklist"),
    Person("maker", "赵经办", StaffRole.FINANCE_MAKER, desk="desk:cycles"),
    Person("checker", "钱复核", StaffRole.FINANCE_CHECKER, desk="desk:cycles"),
    Person("approver", "孙审批", StaffRole.FINANCE_APPROVER, desk="desk:cycles"),
    Person("supervisor", "周督查", StaffRole.SUPERVISOR, desk="desk:supervision"),
    Person("admin", "吴管理", StaffRole.ADMINISTRATOR, desk="desk:admin_home"),
    # For the departments and the appeals that those above do not handle.
    Person("reviewer2", "郑初审", StaffRole.REVIEWER, shown=False),
    Person("second2", "冯复审", StaffRole.SECOND_REVIEWER, shown=False),
    Person("joint2", "蒋会审", StaffRole.REVIEWER, ("industry",), shown=False),
)
MAIN_DEPARTMENTS = ("innovation", "market")


@dataclass(frozen=True, slots=True)
class Ready:
    """An account to try: who, in what part, and where their desk is."""

    username: str
    full_name: str
    part: str
    desk: str


def open_staff() -> None:
    """Accounts and roles of the officials; the policy officer is an editor, the administrator a superuser."""
    password = make_password(PASSWORD)
    departments = {department.code: department for department in Department.objects.all()}
    for person in STAFF:
        user = User.objects.create(username=person.username, full_name=person.full_name, password=password)
        places: list[Department | None] = [departments[code] for code in person.departments]
        for place in places or [None]:
            services.grant_role(user=user, role=person.role, department=place)
        if person.role is StaffRole.POLICY_OFFICER:
            user.groups.add(Group.objects.get(name=OFFICERS))
        if person.role is StaffRole.ADMINISTRATOR:
            user.is_staff = user.is_superuser = True
            user.save(update_fields=["is_staff", "is_superuser"])


def open_enterprise(*, enterprise: Enterprise, now: datetime, username: str = "", full_name: str = "") -> User:
    """An account for an enterprise's legal representative. Its name is by default the enterprise's id in the files."""
    user = User.objects.create(
        username=username or enterprise.external_id.lower(),
        full_name=full_name or f"{enterprise.name[2:4]}法人",
        password=_password(),
        email=f"{username or enterprise.external_id.lower()}@example.com",
    )
    services.appoint_legal_representative(user=user, enterprise=enterprise, now=now)
    return user


def authorise_agent(*, enterprise: Enterprise, now: datetime) -> User:
    """Let the demo's agent act for one more enterprise."""
    services.authorise_agent(enterprise=enterprise, username=AGENT, full_name="何经办", now=now)
    user = User.objects.get(username=AGENT)
    if not user.has_usable_password():
        user.password, user.email = _password(), f"{AGENT}@example.com"
        user.save(update_fields=["password", "email"])
    return user


def _password() -> str:
    # Hashing is slow by design, and everybody has the same password here.
    return User.objects.get(username="officer").password


def actor_of(user: User) -> Actor:
    """The person as services know them: roles in their departments, or enterprises."""
    grants = frozenset(
        Grant(Role(role), department_id)
        for role, department_id in RoleAssignment.objects.filter(user=user).values_list("role", "department_id")
        if role in {known.value for known in Role}
    )
    alive = user.memberships.filter(revoked_at__isnull=True)
    return Actor(
        user_id=user.pk, grants=grants, enterprise_ids=frozenset(alive.values_list("enterprise_id", flat=True))
    )


def ready_accounts() -> list[Ready]:
    """Who a newcomer may sign in as, in the order of the story, read from the database."""
    people = {
        user.username: user
        for user in User.objects.filter(is_active=True).prefetch_related("memberships__enterprise", "role_assignments")
    }
    found = []
    for username in (LEGAL, AGENT):
        user = people[username]
        acted = [m for m in user.memberships.all() if m.revoked_at is None]
        acted.sort(key=lambda m: m.enterprise.external_id != PROTAGONIST)
        more = f"，另代 {len(acted) - 1} 家企业" if len(acted) > 1 else ""
        part = f"{acted[0].get_kind_display()}，{acted[0].enterprise.name}{more}"
        found.append(Ready(username, user.full_name, part, desk_url("enterprise:overview")))
    for person in STAFF:
        user = people[person.username]
        roles = dict.fromkeys(str(grant.get_role_display()) for grant in user.role_assignments.all())
        if person.shown and roles:
            found.append(Ready(person.username, user.full_name, "、".join(roles), desk_url(person.desk)))
    return found


def desk_url(name: str) -> str:
    """The address of a desk, or of the page that leads each person to theirs where it is not served."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse("home-for-role")
