"""A department with its people, an item with money behind it, and applications brought to any state by the services."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from disbursement.ledger.posting import sync_ceiling
from disbursement.models import Application, CorrectionSubject, PayeeAccount
from disbursement.services.application import applications, corrections, drafts, materials
from disbursement.services.application.corrections import Ask
from disbursement.services.review import decisions, publicity, reviews, steps
from disbursement.services.review.conditions import Reason
from matching.models import Enterprise, PolicyVersion
from matching.registry.models import BudgetLine, Department
from matching.services import publish
from portal.accounts.models import Membership, RoleAssignment, User
from tests.factories import matching as base
from tests.factories import papers

SHANGHAI = ZoneInfo("Asia/Shanghai")
PDF = papers.pdf()
START = date(2026, 3, 2)  # a Monday without a holiday near it
CRITERIA: dict[str, Any] = {
    "all": [
        {"fact": "registered_region", "in": ["510105"], "id": "here", "text": "在青羊区注册"},
        {"fact": "credit_records", "none_of": ["dishonest"], "id": "honest", "text": "未被列为失信被执行人"},
        {"fact": "invoice_total", "gte": "100000", "id": "spent", "text": "有效发票金额不低于10万元"},
    ]
}
AWARD: dict[str, Any] = {"rules": [{"rate": "50", "of": "invoice_total", "cap": "200000"}]}
MATERIALS: list[dict[str, Any]] = [
    {"code": "invoice", "name": "发票清单", "required": True, "source": "applicant", "note": ""},
    {"code": "licence", "name": "营业执照", "required": False, "source": "library", "note": ""},
    {
        "code": "lease",
        "name": "租赁合同",
        "required": False,
        "source": "applicant",
        "note": "",
        "promise": "承诺租赁合同真实有效。",
    },
]
# An item that asks another department, whose silence is consent.
JOINT_RULES: dict[str, Any] = {
    "steps": [{"kind": "joint", "name": "部门会审", "days": 3, "departments": ["fgj"], "silence_consents": True}]
}
_numbers = count(1)


def at(day: date | str, hour: int = 10, minute: int = 0) -> datetime:
    """An instant of a day in Shanghai."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


def invoices(*amounts: str) -> list[dict[str, str]]:
    """Rows of an invoice table, each an invoice that nobody else has."""
    return [
        {"issuer": "成都电子测试所", "number": f"26{next(_numbers):018d}", "issued_on": "2026-01-15", "amount": amount}
        for amount in amounts
    ]


def user(name: str = "") -> User:
    number = next(_numbers)
    return User.objects.create(username=f"person{number}", full_name=name or f"人员{number}")


def staff(role: Role | str, department: Department | None = None, name: str = "") -> Actor:
    """A person with one role, in a department or in the whole district."""
    person = user(name)
    RoleAssignment.objects.create(user=person, role=str(role), department=department)
    return Actor.of(user_id=person.pk, roles=[role], department_ids=None if department is None else [department.pk])


def agent(enterprise: Enterprise, name: str = "") -> Actor:
    """A person who may act for the enterprise."""
    person = user(name)
    Membership.objects.create(user=person, enterprise=enterprise, kind="agent", granted_at=base.NOW)
    return Actor.of(user_id=person.pk, enterprise_ids=[enterprise.pk])


def budget_line(
    *, code: str = "innovation", year: int = 2026, ceiling: str = "10000000", owner: Department | None = None
) -> BudgetLine:
    line, _ = BudgetLine.objects.get_or_create(
        code=code,
        year=year,
        defaults={"name": "科技创新专项", "department": owner or base.department(), "ceiling": Decimal(ceiling)},
    )
    with transaction.atomic():
        sync_ceiling(line=line, now=at(START))
    return line


def item(
    *, code: str = "", owner: Department | None = None, now: datetime | None = None, **rules: Any
) -> PolicyVersion:
    """A published item that pays half of the invoices, at most 200,000 元, from a line that has money."""
    owner = owner or base.department()
    body: dict[str, Any] = {
        "criteria": CRITERIA,
        "award": AWARD,
        "materials": MATERIALS,
        "limits": {"acceptance": {"statutory": 5, "promised": 2}, "review": {"statutory": 20, "promised": 10}},
        "budget_line": "innovation",
        "publicity_days": 0,
        "type": "rd",
        **rules,
    }
    return publish.publish_version(
        item_code=code or f"money-{next(_numbers)}",
        name="研发投入补贴",
        department=owner,
        rules=body,
        details={},
        words={},
        now=now or at(START - timedelta(days=30)),
    )


def applicant(**known: Any) -> Enterprise:
    """An enterprise that fits, with an account to be paid to."""
    facts = {"registered_region": "510105", "credit_records": [], **known}
    made = base.enterprise(now=at(START - timedelta(days=20)), **facts)
    proposer, checker = user(), user()
    PayeeAccount.objects.create(
        enterprise=made,
        account_name=made.name,
        bank_name="成都银行青羊支行",
        bank_code="313651000015",
        account_number=f"62220000{next(_numbers):08d}",
        state="checked",
        proposed_by=proposer,
        proposed_at=at(START),
        checked_by=checker,
        checked_at=at(START),
    )
    return made


@dataclass
class Case:
    """One application and everyone who takes part; each step returns the case, at the hour that `now` has reached."""

    enterprise: Enterprise
    version: PolicyVersion
    agent: Actor
    acceptor: Actor
    reviewer: Actor
    second: Actor
    other: Actor  # a second reviewer who took no part: for appeals
    now: datetime = field(default_factory=lambda: at(START))
    application: Application = field(init=False)
    consulted: list[Department] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.application.pk

    def fresh(self) -> Application:
        self.application = Application.objects.select_related("item", "version", "enterprise").get(pk=self.id)
        return self.application

    @property
    def joint(self) -> Actor:
        """A reviewer of the first department that was asked for its opinion."""
        return staff(Role.REVIEWER, self.consulted[0] if self.consulted else base.department("fgj", "发改局"))

    def later(self, **delta: int) -> Case:
        self.now += timedelta(**(delta or {"hours": 1}))
        return self

    def who(self, role: Role) -> Actor:
        return {
            Role.ENTERPRISE: self.agent,
            Role.ACCEPTOR: self.acceptor,
            Role.REVIEWER: self.reviewer,
            Role.JOINT_REVIEWER: self.joint,
            Role.SECOND_REVIEWER: self.second,
            Role.APPEAL_REVIEWER: self.other,
            Role.SYSTEM: SYSTEM,
        }[role]

    def drafted(self) -> Case:
        self.application = drafts.create_draft(
            item_id=self.version.item_id, enterprise_id=self.enterprise.pk, actor=self.agent, now=self.now
        )
        drafts.save_draft(
            application_id=self.id,
            actor=self.agent,
            now=self.now,
            invoices=invoices("300000"),
            contact_name="张三",
            contact_phone="028-00000000",
        )
        self.upload("invoice")
        return self

    def upload(self, code: str, content: bytes = PDF) -> Case:
        materials.upload(
            application_id=self.id, code=code, name=f"{code}.pdf", content=content, actor=self.agent, now=self.now
        )
        return self

    def submitted(self, **options: Any) -> Case:
        self.drafted().later()
        drafts.submit(application_id=self.id, actor=self.agent, now=self.now, **options)
        return self.later()

    def asked(self, by: Actor | None = None) -> Case:
        ask = Ask(CorrectionSubject.MATERIAL, "invoice", "缺少盖章页", "请补充盖章页后重新上传")
        corrections.ask(application_id=self.id, items=[ask], actor=by or self.acceptor, now=self.now)
        return self.later()

    def supplied(self) -> Case:
        self.upload("invoice", papers.pdf(mark=str(next(_numbers))))
        corrections.supply(application_id=self.id, actor=self.agent, now=self.now)
        return self.later()

    def accepted(self) -> Case:
        self.submitted()
        reviews.accept(application_id=self.id, actor=self.acceptor, now=self.now)
        return self.later()

    def in_review(self) -> Case:
        self.accepted()
        reviews.start_review(application_id=self.id, actor=self.reviewer, now=self.now)
        return self.later()

    def second_review(self) -> Case:
        self.in_review()
        reviews.recommend_approval(application_id=self.id, text="材料齐全，建议通过", actor=self.reviewer, now=self.now)
        return self.later()

    def approved(self) -> Case:
        self.second_review()
        decisions.approve(application_id=self.id, actor=self.second, now=self.now)
        return self.later()

    def rejected(self) -> Case:
        self.second_review()
        reasons = [Reason("发票与项目无关", leaf="spent")]
        decisions.reject(
            application_id=self.id, reasons=reasons, remedy="可在60日内申请复核", actor=self.second, now=self.now
        )
        return self.later()

    def appealed(self) -> Case:
        self.rejected()
        decisions.appeal(application_id=self.id, grounds="发票与项目有关", actor=self.agent, now=self.now)
        return self.later()

    def asked_departments(self, *others: Department) -> Case:
        """In review, and other departments are asked for their opinions: one of them where none is named."""
        self.in_review()
        self.consulted = list(others) or [base.department("fgj", "发改局")]
        for department in self.consulted:
            staff(Role.REVIEWER, department)
        steps.ask_departments(
            application_id=self.id,
            question="是否属于鼓励类项目",
            actor=self.reviewer,
            now=self.now,
            department_ids=[department.pk for department in self.consulted],
            days=3,
        )
        return self.later()

    def visiting(self) -> Case:
        self.in_review()
        steps.arrange_visit(application_id=self.id, note="3月5日核查生产线", actor=self.reviewer, now=self.now)
        return self.later()

    def publicised(self) -> Case:
        self.second_review()
        publicity.publicise(application_id=self.id, actor=self.second, now=self.now, days=3)
        return self.later()


def case(version: PolicyVersion | None = None, enterprise: Enterprise | None = None, **rules: Any) -> Case:
    """A case that has not begun, with its own people."""
    budget_line()
    version = version or item(**rules)
    enterprise = enterprise or applicant()
    department = version.item.department
    return Case(
        enterprise=enterprise,
        version=version,
        agent=agent(enterprise),
        acceptor=staff(Role.ACCEPTOR, department),
        reviewer=staff(Role.REVIEWER, department),
        second=staff(Role.SECOND_REVIEWER, department),
        other=staff(Role.SECOND_REVIEWER, department),
    )


def case_in(state: ApplicationState) -> Case:
    """A case brought to a state by the services alone, whoever may do it doing it."""
    made = case()
    match state:
        case ApplicationState.DRAFT:
            made.drafted()
        case ApplicationState.SUBMITTED:
            made.submitted()
        case ApplicationState.CORRECTION:
            made.submitted().asked()
        case ApplicationState.NOT_ACCEPTED:
            made.submitted()
            reviews.not_accept(
                application_id=made.id,
                reasons=[Reason("不属于受理范围")],
                remedy="可向其他部门申报",
                actor=made.acceptor,
                now=made.now,
            )
        case ApplicationState.ACCEPTED:
            made.accepted()
        case ApplicationState.IN_REVIEW:
            made.in_review()
        case ApplicationState.REVIEW_CORRECTION:
            made.in_review().asked(by=made.reviewer)
        case ApplicationState.EXPERT:
            made.in_review()
            reviews.ask_expert(application_id=made.id, question="是否属于研发", actor=made.reviewer, now=made.now)
        case ApplicationState.SITE_VISIT:
            made.visiting()
        case ApplicationState.JOINT_REVIEW:
            made = case(review=JOINT_RULES).asked_departments()
        case ApplicationState.SECOND_REVIEW:
            made.second_review()
        case ApplicationState.PUBLICITY:
            made.publicised()
        case ApplicationState.APPROVED:
            made.approved()
        case ApplicationState.REJECTED:
            made.rejected()
        case ApplicationState.APPEAL:
            made.appealed()
        case ApplicationState.REJECTION_UPHELD:
            made.appealed()
            decisions.uphold(
                application_id=made.id, summary="维持", remedy="可申请行政复议", actor=made.other, now=made.now
            )
        case ApplicationState.WITHDRAWN:
            made.submitted()
            applications.withdraw(application_id=made.id, actor=made.agent, now=made.now)
        case ApplicationState.REVOKED:
            made.approved()
            decisions.revoke(
                application_id=made.id,
                reasons=[Reason("提供虚假材料")],
                remedy="可申请行政复议",
                actor=made.second,
                now=made.now,
            )
        case ApplicationState.CLOSED:
            made.approved()
            with applications.transition(
                application_id=made.id, action=ApplicationAction.CLOSE, actor=SYSTEM, now=made.now
            ) as closing:
                closing.closed_at = made.now
    made.fresh()
    return made.later()
