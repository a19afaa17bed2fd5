"""Money asked back: in parts, by a plan of two people, too much, too late, set off, and over the end of a year."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from disbursement.audit.findings import Scope
from disbursement.audit.service import findings
from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.instalments import PLAN, PlanAction, PlanState
from disbursement.domain.workflow import Role, WrongState
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    AccountKind,
    BankEntry,
    ChangeKind,
    Clawback,
    ClawbackPlan,
    DocumentKind,
    Payable,
    PlanChange,
    TakeOver,
)
from disbursement.services import notices
from disbursement.services.award.earlier_awards import write_back
from disbursement.services.budget import changes as budget
from disbursement.services.budget import year_end
from disbursement.services.payment import payees, payments
from disbursement.services.recovery import plans as recovery_plans
from disbursement.services.recovery import recoveries
from matching.registry.models import BudgetLine, OutboxMessage
from matching.services.facts import profile_as_of
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
ORDERED, LATER = at("2026-04-01"), at("2026-04-08")
DUE = date(2026, 4, 30)
PARTS = [(date(2026, 5, 15), Decimal("40000.00")), (date(2026, 6, 15), Decimal("60000.00"))]


@dataclass
class Case:
    """A demand of 100,000 元 on a payment of March, and the people around it."""

    finance: money.Finance
    payable: Payable
    demand: Clawback
    agent: Any
    receipts: int = field(default=0)

    def record(self, amount: str, *, now: Any = LATER, **more: Any) -> Any:
        self.receipts += 1
        more.setdefault("reference", f"CR{self.receipts:04d}")
        return recoveries.record(
            clawback_id=self.demand.pk,
            amount=Decimal(amount),
            received_on=now.date(),
            actor=self.finance.checker,
            now=now,
            **more,
        )

    def proposed(self, *, now: Any = LATER, entries: Any = None) -> ClawbackPlan:
        return recovery_plans.propose(
            clawback_id=self.demand.pk,
            entries=entries or PARTS,
            actor=self.finance.maker,
            now=now,
            reason="企业经营困难，同意分两期",
        )

    def agreed(self) -> ClawbackPlan:
        return recovery_plans.approve(plan_id=self.proposed().pk, actor=self.finance.second_approver, now=LATER)

    def rest(self, day: str = "2026-04-08") -> Decimal:
        return recoveries.standing_of(demand=self.demand, as_of=date.fromisoformat(day)).rest


@pytest.fixture
def case() -> Case:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    demand = payments.claw_back(
        payable_id=payable.pk, actor=finance.approver, now=ORDERED, reason="迁出本区", due_on=DUE
    )
    payable = Payable.objects.select_related("enterprise").get(pk=payable.pk)
    return Case(finance, payable, demand, people.agent(payable.enterprise))


def held(kind: AccountKind, line: BudgetLine | None = None) -> Decimal:
    return balances(line=line or money.line())[kind]


def proved() -> None:
    """The books agree, and an audit of the money finds nothing."""
    for line in BudgetLine.objects.all():
        assert ledger_findings(line=line) == []
    found = list(findings(scope=Scope(), counts=Counter(), only=["limits", "payables", "recoveries", "ledger"]))
    assert [str(finding) for finding in found] == []


def test_money_comes_back_in_parts_and_too_much_is_kept_apart(case: Case) -> None:
    case.record("30000.00")
    assert (case.rest(), held(AccountKind.RECEIVABLE)) == (70000, 70000)
    proved()
    last = case.record("70000.50")
    assert (last.applied, last.excess) == (Decimal("70000.00"), Decimal("0.50"))
    case.payable.refresh_from_db()
    assert (case.payable.state, held(AccountKind.RECEIVABLE)) == ("clawed_back", 0)
    proved()
    with pytest.raises(Conflict, match="其他人员"):
        recoveries.return_excess(
            receipt_id=last.pk, actor=case.finance.checker, now=LATER, returned_on=LATER.date(), reference="B1"
        )
    recoveries.return_excess(
        receipt_id=last.pk, actor=case.finance.maker, now=LATER, returned_on=LATER.date(), reference="B1"
    )
    assert recoveries.standing_of(demand=case.demand, as_of=LATER.date()).excess == 0


def test_the_same_bank_entry_counts_once_whoever_brings_it(case: Case) -> None:
    case.record("30000.00", reference="CR77")
    with pytest.raises(Invalid, match="不能重复登记"):
        case.record("30000.00", reference=" CR77 ")
    with pytest.raises(Conflict, match="发起追回"):
        recoveries.record(
            clawback_id=case.demand.pk,
            amount=Decimal("1.00"),
            received_on=LATER.date(),
            reference="CR78",
            actor=people_of(case.finance.approver.user_id),
            now=LATER,
        )
    assert case.rest() == 70000


def people_of(user_id: int | None) -> Any:
    """The same person with every role of finance."""
    assert user_id is not None
    return Actor.of(user_id=user_id, roles=[Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER])


def test_the_enterprise_asks_one_person_proposes_and_another_approves(case: Case) -> None:
    with pytest.raises(Denied):
        recovery_plans.ask(
            clawback_id=case.demand.pk, actor=people.agent(people.applicant()), now=ORDERED, reason="难", wished=2
        )
    asked = recovery_plans.ask(
        clawback_id=case.demand.pk, actor=case.agent, now=ORDERED, reason="资金周转困难", wished=2
    )
    plan = case.proposed()
    assert (plan.pk, plan.state, plan.amount) == (asked.pk, "proposed", 100000)
    with pytest.raises(Conflict, match="提出计划的人员不能批准"):
        recovery_plans.approve(plan_id=plan.pk, actor=people_of(case.finance.maker.user_id), now=LATER)
    recovery_plans.approve(plan_id=plan.pk, actor=case.finance.second_approver, now=LATER)
    how = recoveries.standing_of(demand=case.demand, as_of=date(2026, 5, 20))
    assert [(each.due.due_on, each.rest, each.is_overdue) for each in how.entries] == [
        (PARTS[0][0], Decimal("40000.00"), True),
        (PARTS[1][0], Decimal("60000.00"), False),
    ]
    case.record("50000.00", now=at("2026-05-21"))
    following = recoveries.standing_of(demand=case.demand, as_of=date(2026, 5, 22)).next
    assert following is not None
    assert (following.due.number, following.rest) == (2, Decimal("50000.00"))
    paper = notices.issue(kind=DocumentKind.INSTALMENTS, subject_id=plan.pk, now=LATER)
    assert (paper.number[:2], paper.content[:5]) == ("FQ", b"%PDF-")
    case.record("50000.00", now=at("2026-06-10"))
    plan.refresh_from_db()
    assert plan.state == "fulfilled"
    proved()


def test_a_plan_that_no_longer_adds_up_is_not_approved(case: Case) -> None:
    plan = case.proposed()
    case.record("10.00")
    with pytest.raises(Invalid, match="又有到账"):
        recovery_plans.approve(plan_id=plan.pk, actor=case.finance.second_approver, now=LATER)
    recovery_plans.refuse(plan_id=plan.pk, actor=case.finance.second_approver, now=LATER, reason="金额已变")
    with pytest.raises(Invalid, match="尚欠的99,990"):
        case.proposed()
    again = case.proposed(entries=[PARTS[0], (PARTS[1][0], Decimal("59990.00"))])
    assert recovery_plans.approve(plan_id=again.pk, actor=case.finance.second_approver, now=LATER).state == "in_force"


def test_what_is_owed_after_a_default_is_due_at_once_and_set_off_against_what_is_coming(case: Case) -> None:
    coming = money.payable(
        "30000.00", enterprise=case.payable.enterprise, item=money.version("30000", code="later"), now=LATER
    )
    plan = case.agreed()
    with pytest.raises(Invalid, match="均未逾期"):
        recovery_plans.default(plan_id=plan.pk, actor=case.finance.second_approver, now=LATER, reason="未退")
    late = at("2026-05-20")
    recovery_plans.default(plan_id=plan.pk, actor=case.finance.second_approver, now=late, reason="第一期未退")
    how = recoveries.standing_of(demand=case.demand, as_of=date(2026, 5, 21))
    assert (how.overdue, len(how.entries)) == (100000, 1)
    after = at("2026-05-22")

    def decide(actor: Any) -> Any:
        return recoveries.set_off(
            clawback_id=case.demand.pk, payable_id=coming.pk, actor=actor, now=after, reason="逾期未退，依约抵扣"
        )

    with pytest.raises(Conflict, match="发起追回"):
        decide(case.finance.approver)
    made = decide(case.finance.second_approver)
    coming.refresh_from_db()
    assert (coming.state, case.rest("2026-05-22")) == ("settled", 70000)
    with pytest.raises(WrongState):
        payments.hold(payable_id=coming.pk, actor=case.finance.maker, now=after, reason="再查")
    with pytest.raises(Invalid, match="已抵扣"):
        payments.refund(
            payable_id=coming.pk,
            actor=case.finance.checker,
            now=after,
            received_on=after.date(),
            reason="退",
            reference="CR99",
        )
    assert notices.issue(kind=DocumentKind.SET_OFF, subject_id=made.pk, now=after).number[:2] == "DK"
    proved()


def test_a_plan_is_replaced_only_by_another_that_was_approved(case: Case) -> None:
    first = case.agreed()
    second = case.proposed(entries=[(date(2026, 5, 15), Decimal("1.00")), (date(2026, 7, 15), Decimal("99999.00"))])
    assert ClawbackPlan.objects.get(pk=first.pk).state == "in_force"
    recovery_plans.approve(plan_id=second.pk, actor=case.finance.second_approver, now=LATER)
    assert ClawbackPlan.objects.get(pk=first.pk).state == "replaced"


def test_reminders_come_once_for_each_occasion(case: Case) -> None:
    case.agreed()
    days = ["2026-04-20", "2026-05-08", "2026-05-09", "2026-05-15", "2026-05-18", "2026-05-19", "2026-05-27"]
    for day in days:
        recovery_plans.remind(now=at(day))
        recovery_plans.remind(now=at(day, 15))
    told = OutboxMessage.objects.filter(topic="clawback.reminder").order_by("pk")
    assert [message.payload["stage"] for message in told] == ["soon", "today", "late0", "late1"]


def test_a_closed_year_takes_money_back_on_the_line_that_succeeded_it() -> None:
    finance = money.Finance()
    refunded, clawed, asked = money.payables(3)
    [batch] = money.cut()
    money.paid(batch, finance)
    line = money.line()
    demand = payments.claw_back(
        payable_id=asked.pk, actor=finance.approver, now=ORDERED, reason="迁出", due_on=date(2027, 6, 30)
    )
    recoveries.record(
        clawback_id=demand.pk,
        amount=Decimal("25000.00"),
        received_on=LATER.date(),
        reference="CR1",
        actor=finance.checker,
        now=LATER,
    )
    december, new_year = at("2026-12-28"), at("2027-02-01")
    closed = year_end.close(line_id=line.pk, actor=finance.approver, now=december, paper_number="青财〔2026〕99号")
    assert (closed.paid, held(AccountKind.RECEIVABLE)) == (275000, 0)
    new = BudgetLine.objects.get(code=line.code, year=2027)
    assert (held(AccountKind.RECEIVABLE, new), new.ceiling) == (75000, 75000)
    proved()
    payments.refund(
        payable_id=refunded.pk,
        actor=finance.checker,
        now=new_year,
        received_on=date(2027, 2, 1),
        reason="重复享受",
        reference="CR9",
    )
    again = payments.claw_back(
        payable_id=clawed.pk, actor=finance.approver, now=new_year, reason="迁出", due_on=date(2027, 3, 1)
    )
    assert held(AccountKind.APPROPRIATED, new) == 100000
    for each, amount, reference in ((demand, "75000.00", "CR2"), (again, "100000.00", "CR3")):
        recoveries.record(
            clawback_id=each.pk,
            amount=Decimal(amount),
            received_on=date(2027, 2, 1),
            reference=reference,
            actor=finance.checker,
            now=new_year,
        )
    assert held(AccountKind.APPROPRIATED, new) == 275000
    assert held(AccountKind.PAID, line) == 275000  # what the year paid stands in its books
    assert TakeOver.objects.count() == 3
    proved()


def test_a_banks_late_refund_of_a_closed_year_is_posted_to_the_next() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    year_end.close(
        line_id=money.line().pk, actor=finance.approver, now=at("2026-12-28"), paper_number="青财〔2026〕99号"
    )
    answer = money.return_file({batch.line_id(1): ("100000.00", "退款")}, on=date(2027, 1, 8))
    report = money.receive(answer, name="refund.csv", now=at("2027-01-09"))
    payable.refresh_from_db()
    assert (report.posted, report.exceptions, payable.state) == (1, 0, "refunded")
    assert held(AccountKind.APPROPRIATED, BudgetLine.objects.get(year=2027)) == 100000
    proved()


def test_a_payment_of_a_closed_year_that_bounces_is_mended_and_paid_by_the_next() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    line = money.line()
    year_end.close(line_id=line.pk, actor=finance.approver, now=at("2026-12-28"), paper_number="青财〔2026〕99号")
    answer = money.return_file({batch.line_id(1): ("100000.00", "退票")}, on=date(2027, 1, 8))
    report = money.receive(answer, name="bounce.csv", now=at("2027-01-09"))
    payable.refresh_from_db()
    assert (report.posted, report.exceptions, payable.state) == (1, 0, "bounced")
    new = BudgetLine.objects.get(year=2027)
    assert (held(AccountKind.RESERVED, new), held(AccountKind.PAID, new), held(AccountKind.PAID, line)) == (
        100000,
        0,
        100000,
    )
    proved()
    account = payees.propose_account(
        enterprise_id=payable.enterprise_id,
        account_name=payable.enterprise.name,
        bank_name="成都银行",
        account_number="6222999900001111",
        actor=people.agent(payable.enterprise),
        now=at("2027-01-10"),
    )
    payees.check_account(account_id=account.pk, actor=finance.checker, now=at("2027-01-11"), accept=True)
    january = at("2027-01-20", 17)
    [again] = money.cut(month=date(2027, 1, 1), now=january)
    assert again.budget_line_id == new.pk
    money.sent(again, finance, now=january)
    money.receive(money.answer(again, on=date(2027, 1, 22)), name="paid.csv", now=at("2027-01-23"))
    payable.refresh_from_db()
    assert (payable.state, held(AccountKind.PAID, new)) == ("settled", 100000)
    # The same answer in another file is no second one.
    statement = money.return_file({"209901001-000001": ("1.00", "退票"), batch.line_id(1): ("100000.00", "退票")})
    assert money.receive(statement, name="statement.csv", now=at("2027-01-24")).duplicates == 1
    proved()


def test_what_bounced_after_its_years_end_can_be_cancelled_and_frees_the_new_line() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    year_end.close(
        line_id=money.line().pk, actor=finance.approver, now=at("2026-12-28"), paper_number="青财〔2026〕99号"
    )
    answer = money.return_file({batch.line_id(1): ("100000.00", "退票")}, on=date(2027, 1, 8))
    money.receive(answer, name="bounce.csv", now=at("2027-01-09"))
    payments.cancel(payable_id=payable.pk, actor=finance.approver, now=at("2027-01-10"), reason="企业注销")
    assert held(AccountKind.APPROPRIATED, BudgetLine.objects.get(year=2027)) == 100000
    proved()


def test_a_bounce_that_nothing_can_be_reserved_for_waits_and_says_why() -> None:
    finance = money.Finance()
    money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    year_end.close(
        line_id=money.line().pk, actor=finance.approver, now=at("2026-12-28"), paper_number="青财〔2026〕99号"
    )
    new = BudgetLine.objects.create(
        code=money.line().code, year=2027, name="新", department=money.line().department, ceiling=1
    )
    change = budget.propose(
        kind=ChangeKind.FREEZE,
        line_id=new.pk,
        actor=finance.maker,
        now=at("2027-01-02"),
        paper_number="文",
        reason="清理",
    )
    budget.decide(change_id=change.pk, approve=True, actor=finance.approver, now=at("2027-01-02"))
    answer = money.return_file({batch.line_id(1): ("100000.00", "退票")}, on=date(2027, 1, 8))
    report = money.receive(answer, name="bounce.csv", now=at("2027-01-09"))
    assert report.exceptions == 1
    assert "已冻结" in report.file.lines.get().problem
    proved()


def test_what_was_set_off_counts_as_an_earlier_award(case: Case) -> None:
    later = money.version("30000", code="later")
    coming = money.payable("30000.00", enterprise=case.payable.enterprise, item=later, now=LATER)
    day = at("2026-05-22")
    recoveries.set_off(
        clawback_id=case.demand.pk,
        payable_id=coming.pk,
        actor=case.finance.second_approver,
        now=day,
        reason="逾期未退，依约抵扣",
    )
    write_back(enterprise_ids=[coming.enterprise_id], now=day)
    had = profile_as_of(enterprise=case.payable.enterprise, day=day.date())["earlier_awards"]
    assert ("30000.00", "2026-05-22") in [(record["amount"], record["on"]) for record in had]


def raw(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))


def test_the_database_refuses_what_the_services_would_not_do(case: Case) -> None:
    plan = case.agreed()
    receipt = case.record("90000.00")
    entry = plan.entries.get(number=2)
    copied = (
        "INSERT INTO disbursement_clawbackreceipt (clawback_id, amount, applied, excess, received_on, reference, note,"
        " recorded_by_id, recorded_at, returned_reference) SELECT clawback_id, %s, %s, %s, received_on, %s, note, %s,"
        " recorded_at, '' FROM disbursement_clawbackreceipt WHERE id = %s"
    )
    checker, orderer = case.finance.checker.user_id or 0, case.finance.approver.user_id
    step = (
        "INSERT INTO disbursement_planchange (plan_id, action, source, target, role, person_id, note, made_at)"
        " VALUES (%s, 'approve', 'in_force', 'in_force', 'finance_maker', %s, '', '2026-04-08')"
    )
    for number in range(1, 5):
        BankEntry.objects.create(
            reference=f"X{number}", use="recovery", clawback=case.demand, recorded_by_id=checker, recorded_at=LATER
        )
    attacks: list[tuple[str, str, list[Any]]] = [
        ("names its entry", copied, ["1.00", "1.00", "0.00", "X5", checker, receipt.pk]),
        (
            "given back once",
            "UPDATE disbursement_clawbackreceipt SET returned_reference = 'X1' WHERE id = %s",
            [receipt.pk],
        ),
        ("UNIQUE|unique", copied, ["1.00", "1.00", "0.00", receipt.reference, checker, receipt.pk]),
        ("no more is applied", copied, ["10000.01", "10000.01", "0.00", "X1", checker, receipt.pk]),
        ("nothing is left over", copied, ["2.00", "1.00", "1.00", "X2", checker, receipt.pk]),
        ("does not confirm", copied, ["1.00", "1.00", "0.00", "X3", orderer, receipt.pk]),
        ("adds_up", copied, ["5.00", "10000.00", "1.00", "X4", checker, receipt.pk]),
        ("append-only", "UPDATE disbursement_clawbackentry SET amount = 1 WHERE id = %s", [entry.pk]),
        (
            "no other instalments",
            "INSERT INTO disbursement_clawbackentry (plan_id, number, due_on, amount) VALUES (%s, 3, '2027-01-01', 1)",
            [plan.pk],
        ),
        ("written once", "UPDATE disbursement_clawbackplan SET amount = 1 WHERE id = %s", [plan.pk]),
        ("only with its log", "UPDATE disbursement_clawbackplan SET state = 'refused' WHERE id = %s", [plan.pk]),
        (
            "two_people|written once",
            "UPDATE disbursement_clawbackplan SET approved_by_id = proposed_by_id WHERE id = %s",
            [plan.pk],
        ),
        (
            "all of it came back",
            "UPDATE disbursement_clawback SET recovered_at = ordered_at WHERE id = %s",
            [case.demand.pk],
        ),
        (
            "knows no such step",
            step,
            [plan.pk, checker],
        ),
    ]
    for said, statement, values in attacks:
        with pytest.raises(IntegrityError, match=said), transaction.atomic():
            raw(statement, *values)
    assert case.rest() == 10000


DEEDS: dict[PlanAction, Any] = {
    PlanAction.PROPOSE: lambda case, plan, who: recovery_plans.propose(
        clawback_id=case.demand.pk, entries=PARTS, actor=who, now=LATER, reason="同意"
    ),
    PlanAction.APPROVE: lambda case, plan, who: recovery_plans.approve(plan_id=plan.pk, actor=who, now=LATER),
    PlanAction.REFUSE: lambda case, plan, who: recovery_plans.refuse(
        plan_id=plan.pk, actor=who, now=LATER, reason="不同意"
    ),
    PlanAction.DEFAULT: lambda case, plan, who: recovery_plans.default(
        plan_id=plan.pk, actor=who, now=at("2026-07-01"), reason="未退"
    ),
}


def test_each_cell_of_a_plans_state_does_what_the_table_says(case: Case) -> None:
    class Undo(Exception):
        pass

    def in_state(state: PlanState) -> ClawbackPlan:
        if state is PlanState.ASKED:
            return recovery_plans.ask(
                clawback_id=case.demand.pk, actor=case.agent, now=ORDERED, reason="困难", wished=2
            )
        plan = case.proposed()
        if state is PlanState.REFUSED:
            return recovery_plans.refuse(plan_id=plan.pk, actor=case.finance.second_approver, now=LATER, reason="否")
        if state is PlanState.PROPOSED:
            return plan
        plan = recovery_plans.approve(plan_id=plan.pk, actor=case.finance.second_approver, now=LATER)
        if state is PlanState.DEFAULTED:
            DEEDS[PlanAction.DEFAULT](case, plan, case.finance.second_approver)
        return plan

    wrong = []
    states = (PlanState.ASKED, PlanState.PROPOSED, PlanState.IN_FORCE, PlanState.DEFAULTED, PlanState.REFUSED)
    for state in states:
        for action, deed in DEEDS.items():
            if action is PlanAction.PROPOSE and state is not PlanState.ASKED:
                continue  # makes a new plan beside this one
            for role in Role:
                if role is Role.SYSTEM:
                    continue
                row = next((r for r in PLAN if (r.source, r.action) == (state, action)), None)
                wanted = row.target if row is not None and role in row.roles else None
                try:
                    with transaction.atomic():
                        plan = in_state(state)
                        who = Actor.of(user_id=people.user().pk, roles=[role])
                        before = PlanChange.objects.count()
                        try:
                            with transaction.atomic():
                                deed(case, plan, who)
                        except Exception:
                            done = None
                        else:
                            done = PlanState(ClawbackPlan.objects.get(pk=plan.pk).state)
                        if done != wanted or (wanted is None and PlanChange.objects.count() != before):
                            wrong.append((state, action, role, done))
                        raise Undo
                except Undo:
                    pass
    assert wrong == []
