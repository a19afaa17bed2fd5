"""A district that has paid two months, by the services alone: what the tamperings are done to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection

from disbursement.audit import anchors
from disbursement.domain.workflow import Role
from disbursement.models import ChangeKind, Clawback, DocumentKind, Payable, PaymentAttempt, ReturnLine
from disbursement.services import notices
from disbursement.services.budget import changes as budget
from disbursement.services.delivery import consents, offers
from disbursement.services.evidence import library as evidence
from disbursement.services.evidence.library import Details
from disbursement.services.month import cut_off_days
from disbursement.services.payment import payees, payments, returns
from disbursement.services.recovery import plans as recovery_plans
from disbursement.services.recovery import recoveries
from disbursement.services.review import experts, interests, publicity, reviews, steps
from matching.models import Enterprise
from tests.factories import delivery, money, papers
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories.disbursement import Case, at, case

_numbers = count(1)
APRIL = at("2026-04-01").date()


def applicant(checker: Any) -> Enterprise:
    """An enterprise that fits, whose account its own agent entered and finance checked."""
    now = at(people.START)
    made = base.enterprise(now=at("2026-02-10"), registered_region="510105", credit_records=[])
    account = payees.propose_account(
        enterprise_id=made.pk,
        account_name=made.name,
        bank_name="成都银行青羊支行",
        bank_code="313651000015",
        account_number=f"62220001{next(_numbers):08d}",
        actor=people.agent(made),
        now=now,
    )
    payees.check_account(account_id=account.pk, actor=checker, now=now, accept=True)
    return made


def _pay_back(demand: Clawback, finance: money.Finance) -> None:
    """A plan of two instalments that another person approved, and the first money; a cut-off day that was moved."""
    rest = demand.amount
    plan = recovery_plans.propose(
        clawback_id=demand.pk,
        entries=[(at("2026-05-29").date(), rest / 2), (at("2026-06-30").date(), rest / 2)],
        actor=finance.maker,
        now=at("2026-04-28"),
        reason="企业资金周转困难",
    )
    recovery_plans.approve(plan_id=plan.pk, actor=finance.second_approver, now=at("2026-04-28"))
    recoveries.record(
        clawback_id=demand.pk,
        amount=Decimal("1000.00"),
        received_on=at("2026-04-28").date(),
        reference="CR20260428001",
        actor=finance.checker,
        now=at("2026-04-28"),
    )
    cut_off_days.set_day(
        month=at("2026-06-01").date(),
        day=at("2026-06-24").date(),
        reason="端午假期",
        actor=finance.checker,
        now=at("2026-04-28"),
    )


def _look_on_the_spot(new: Callable[[], Case]) -> None:
    """One application was visited, of another a department was asked for its opinion."""
    visited = new().visiting()
    steps.record_visit(
        application_id=visited.id,
        actor=visited.reviewer,
        now=visited.now,
        visited_on=visited.now.date(),
        place="光华大道1号厂房",
        visitors="李某、王某",
        met="张三",
        is_confirmed=True,
        finding="设备与发票一致",
    )
    expert = new().in_review()
    reviews.ask_expert(application_id=expert.id, question="是否先进", actor=expert.reviewer, now=expert.now)
    experts.record_report(
        application_id=expert.id,
        text="技术先进",
        experts=[experts.Expert("王某", "某大学", "教授")],
        unconcerned=True,
        actor=expert.reviewer,
        now=expert.now,
        papers=[("专家意见.pdf", papers.pdf(mark="experts"))],
    )
    consulted = new().asked_departments()
    steps.give_opinion(
        application_id=consulted.id, agrees=True, text="属于鼓励类", actor=consulted.joint, now=consulted.now
    )


def _deliver(checker: Any) -> None:
    """An offer that was agreed to and decided by the machine, one that waits, a promised day, the fast lane."""
    agreed, waiting = applicant(checker), applicant(checker)
    item = delivery.item(code="offered")
    for made in (agreed, waiting):
        delivery.learn(
            made,
            now=at("2026-04-27"),
            valid_on=at("2026-04-20").date(),
            registered_region="510105",
            credit_records=[],
            contribution="200000",
        )
        offer = delivery.offer(version=item, made=made, now=at("2026-04-28"))
        if made is agreed:
            consents.consent(
                offer_id=offer.pk,
                seen=offers.shown(offer=offer).digest,
                contact_name="张三",
                contact_phone="028-81000000",
                actor=people.agent(made),
                now=at("2026-04-28", 15),
            )
    terms: dict[str, dict[str, Any]] = {"window": {"decide_within": 5}, "fast": {"review_days": 3}}
    for mode, told in terms.items():
        case(version=people.item(delivery=mode, delivery_terms=told), enterprise=applicant(checker)).accepted()


def build() -> None:
    """March with a bounce and a stranger in the return, April with the account mended, a refund and a clawback."""
    finance = money.Finance()
    item = people.item(award={**people.AWARD, "instalments": ["60", "40"]})

    def new(**options: Any) -> Case:
        return case(version=item, enterprise=applicant(finance.checker), **options)

    march = [new().approved() for _ in range(3)]
    asked = new().submitted().asked().supplied()
    assert asked.application.pk
    new().rejected()
    open_to_all = new().publicised()
    found = open_to_all.application.publicities.get()
    publicity.object_to(publicity_id=found.pk, name="李四", contact="028-1", text="不实", now=at(found.starts_on))
    interests.declare(enterprise_id=march[0].enterprise.pk, reason="任职", actor=march[0].other, now=at("2026-03-18"))
    notices.issue(
        kind=DocumentKind.DECISION,
        subject_id=march[0].application.decisions.get(kind="approved").pk,
        now=at("2026-03-19"),
    )
    evidence.add(
        enterprise_id=march[1].enterprise.pk,
        kind="licence",
        details=Details(issuer="区市场监管局", issued_on=at("2026-01-10").date(), number="照1号", is_long_term=True),
        content=papers.pdf(mark="licence"),
        name="执照.pdf",
        actor=march[1].agent,
        now=at("2026-03-19"),
    )
    change = budget.propose(
        kind=ChangeKind.ADJUST,
        line_id=money.line().pk,
        amount=Decimal(1000),
        paper_number="青财预〔2026〕8号",
        reason="项目增加",
        actor=finance.maker,
        now=at("2026-03-19"),
    )
    budget.decide(change_id=change.pk, approve=True, actor=finance.approver, now=at("2026-03-19"))
    [batch] = money.cut()
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[2]), name="march.csv")
    money.receive(money.return_file({"209901001-000001": ("5.00", "成功")}), name="stranger.csv")
    exception = ReturnLine.objects.get(status="exception")
    returns.resolve_exception(
        line_id=exception.pk, actor=finance.checker, now=at("2026-03-26"), resolution="不是本区付款"
    )
    bounced = Payable.objects.get(state="bounced")
    account = payees.propose_account(
        enterprise_id=bounced.enterprise_id,
        account_name=bounced.enterprise.name,
        bank_name="成都银行武侯支行",
        account_number="622200019999999901",
        actor=people.agent(bounced.enterprise),
        now=at("2026-03-27"),
    )
    payees.check_account(account_id=account.pk, actor=finance.checker, now=at("2026-03-28"), accept=True)
    late = new().later(days=20).approved()
    held = new().later(days=25).approved()
    first = held.application.payables.get(number=1)
    payments.hold(payable_id=first.pk, actor=finance.maker, now=at("2026-04-02"), reason="待核实地址")
    [second] = money.cut(month=APRIL, now=at("2026-04-20"))
    money.sent(second, finance, now=at("2026-04-20"))
    money.receive(money.answer(second, on=at("2026-04-24").date()), name="april.csv", now=at("2026-04-25"))
    paid = Payable.objects.get(application_id=march[0].id, number=1)
    demand = payments.claw_back(
        payable_id=paid.pk,
        actor=finance.approver,
        now=at("2026-04-27"),
        reason="迁出本区",
        due_on=at("2026-06-01").date(),
    )
    _pay_back(demand, finance)
    _look_on_the_spot(new)
    _deliver(finance.checker)
    refunded = Payable.objects.get(application_id=late.id, number=1)
    payments.refund(
        payable_id=refunded.pk,
        actor=finance.checker,
        now=at("2026-04-28"),
        received_on=at("2026-04-28").date(),
        reason="企业退回",
        reference="CR-REFUND",
    )
    assert PaymentAttempt.objects.filter(batch=second).count() >= 2
    assert people.staff(Role.FINANCE_MAKER).user_id
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert anchors.anchor(now=at("2026-04-30")) is not None
