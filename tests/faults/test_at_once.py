"""Two at once, on PostgreSQL: one wins, the other is told, and nothing happens twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from disbursement.domain.errors import Invalid
from disbursement.domain.workflow import WrongState
from disbursement.ledger.posting import balances, lock_accounts, sync_ceiling
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    AccountKind,
    Award,
    Batch,
    BatchApproval,
    LedgerTransfer,
    Payable,
    PaymentAttempt,
    ReturnFile,
    ReturnLine,
    SealedFile,
)
from disbursement.services.award import awards
from disbursement.services.month import batches, cycles
from disbursement.services.payment import payees, returns, sealing
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Path) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """Run each in its own thread, started together; what each returned or raised."""
    start = threading.Barrier(len(deeds))
    results: list[object] = [None] * len(deeds)

    def run(index: int, deed: Callable[[], object]) -> None:
        try:
            start.wait(timeout=30)
            results[index] = deed()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, deed)) for index, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return results


def prepared(number: int = 2) -> Batch:
    with transaction.atomic():
        money.payables(number)
        [batch] = money.cut()
    return batch


def verified() -> tuple[Batch, money.Finance]:
    finance = money.Finance()
    batch = prepared()
    made = batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    done = batches.verify(batch_id=batch.pk, actor=finance.checker, now=money.CUT, seen_sha256=made.file_sha256)
    return done, finance


def test_of_two_people_approving_one_batch_at_once_one_wins_and_one_is_told() -> None:
    batch, finance = verified()
    results = at_once(
        *(
            lambda who=who: batches.approve(batch_id=batch.pk, actor=who, now=money.CUT, seen_sha256=batch.file_sha256)
            for who in (finance.approver, finance.second_approver)
        )
    )
    [told] = [r for r in results if isinstance(r, Exception)]
    assert isinstance(told, WrongState)
    assert "待封存" in str(told)
    batch.refresh_from_db()
    assert batch.state == "approved"
    assert BatchApproval.objects.filter(role="finance_approver").get().person_id == batch.approver_id


def test_an_approval_and_a_sending_back_at_once_leave_one_of_the_two() -> None:
    batch, finance = verified()
    at_once(
        lambda: batches.approve(
            batch_id=batch.pk, actor=finance.approver, now=money.CUT, seen_sha256=batch.file_sha256
        ),
        lambda: batches.send_back(batch_id=batch.pk, actor=finance.second_approver, now=money.CUT, reason="用途不清"),
    )
    batch.refresh_from_db()
    # Sent back after the approval is lawful, too; what may not be is an approval that outlives the sending back.
    assert (batch.state, batch.approver_id) == ("checked", None)


def test_two_cut_offs_at_once_make_one_batch() -> None:
    with transaction.atomic():
        money.payables(3)
    results = at_once(*[lambda: cycles.cut_off(month=money.MONTH, now=money.CUT)] * 2)
    assert not [r for r in results if isinstance(r, Exception)]
    assert Batch.objects.get().count == 3
    assert PaymentAttempt.objects.count() == 3


def test_two_cut_offs_at_once_put_off_nothing_that_one_of_them_has_reserved() -> None:
    with transaction.atomic():
        line = people.budget_line(code="short", ceiling="100000")
        shared, later = (money.version("100000", line="short", shortfall=how) for how in ("pro_rata", "defer"))
        for item in (shared, shared, later):
            money.granted("100000.00", item=item)
        BudgetLine.objects.filter(pk=line.pk).update(ceiling=Decimal("150000"))
    results = at_once(*[lambda: cycles.cut_off(month=money.MONTH, now=money.CUT)] * 4)
    assert not [r for r in results if isinstance(r, Exception)]
    paid = Payable.objects.filter(state="scheduled")
    assert paid.count() == Batch.objects.get().count > 0
    assert not paid.exclude(slip_reason="").exists()
    assert not paid.exclude(pay_month=money.MONTH).exists()
    assert ledger_findings(line=BudgetLine.objects.get(pk=line.pk)) == []


def test_a_ceiling_that_is_cut_while_somebody_waits_for_the_line_stays_cut() -> None:
    with transaction.atomic():
        line = people.budget_line(code="cut", ceiling="100000")
    locked, asked = threading.Event(), threading.Event()

    def cut() -> None:
        with transaction.atomic():
            lock_accounts(line=line)
            locked.set()
            assert asked.wait(timeout=30)
            while not waiting_for_a_lock():
                pass
            BudgetLine.objects.filter(pk=line.pk).update(ceiling=Decimal("80000"))
            sync_ceiling(line=line, now=money.CUT)

    def use() -> Decimal:
        assert locked.wait(timeout=30)
        with transaction.atomic():
            asked.set()
            return sync_ceiling(line=BudgetLine.objects.get(pk=line.pk), now=money.CUT)

    assert at_once(cut, use) == [None, Decimal("80000.00")]
    assert -balances(line=line)[AccountKind.SOURCE] == Decimal("80000.00")


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def test_two_sealings_at_once_seal_one_file_and_commit_once() -> None:
    finance = money.Finance()
    batch = money.signed(prepared(), finance)
    results = at_once(*[lambda: sealing.seal(batch_id=batch.pk, now=money.CUT)] * 2)
    assert not [r for r in results if isinstance(r, Exception)]
    assert SealedFile.objects.count() == 1
    assert LedgerTransfer.objects.filter(kind="commit").count() == 2
    sent = at_once(*[lambda: sealing.send(batch_id=batch.pk, now=money.CUT)] * 2)
    assert not [r for r in sent if isinstance(r, Exception)]


def test_the_same_answers_read_by_two_at_once_are_posted_once() -> None:
    finance = money.Finance()
    batch = money.sent(prepared(4), finance)
    content, other = money.answer(batch, bounced=[1]), money.answer(batch, bounced=[1], only=[1, 2, 3])
    results = at_once(
        *(
            lambda c=c, n=n: returns.import_return(name=f"{n}.csv", content=c, now=at("2026-03-25"))
            for n, c in enumerate([content, content, other])
        )
    )
    assert not [r for r in results if isinstance(r, Exception)], results
    assert ReturnFile.objects.count() == 2
    assert ReturnLine.objects.filter(status="posted").count() == 4
    assert ReturnLine.objects.filter(status="exception").count() == 0
    assert ledger_findings(line=money.line()) == []


def test_of_many_who_want_the_last_of_a_budget_only_those_that_fit_get_it() -> None:
    with transaction.atomic():
        line = people.budget_line(code="small", ceiling="250000")
        item = money.version("100000", line="small")
        applications = [money.application(item=item) for _ in range(4)]
        reviewer = people.staff("second_reviewer")

    def grant(application: Any) -> Award:
        return awards.grant(
            application=application,
            judgement=application.judgements.latest("id"),
            actor=reviewer,
            now=money.APPROVED,
        )

    results = at_once(*(lambda a=a: grant(a) for a in applications))
    assert [isinstance(r, Award) for r in results].count(True) == 2
    assert all(isinstance(r, Award | Invalid) for r in results), results
    assert balances(line=line)[AccountKind.RESERVED] == 200000
    assert ledger_findings(line=line) == []


def test_one_enterprises_awards_at_once_do_not_pass_its_yearly_cap() -> None:
    with transaction.atomic():
        people.budget_line()
        enterprise = people.applicant()
        item = money.version("80000", cap_per_year="100000")
        applications = [money.application(item=item, enterprise=enterprise) for _ in range(2)]
        reviewer = people.staff("second_reviewer")
    results = at_once(
        *(
            lambda a=a: awards.grant(
                application=a, judgement=a.judgements.latest("id"), actor=reviewer, now=money.APPROVED
            )
            for a in applications
        )
    )
    assert all(isinstance(r, Award) for r in results), results
    assert sorted(Award.objects.values_list("amount", flat=True)) == [20000, 80000]


def test_of_two_checking_one_account_at_once_one_is_told() -> None:
    with transaction.atomic():
        enterprise = people.applicant()
        account = payees.propose_account(
            enterprise_id=enterprise.pk,
            account_name=enterprise.name,
            bank_name="中国银行",
            account_number="6217000099990001",
            actor=people.agent(enterprise),
            now=money.APPROVED,
        )
        checkers = [people.staff("finance_checker") for _ in range(2)]
    results = at_once(
        *(
            lambda who=who: payees.check_account(account_id=account.pk, actor=who, now=money.APPROVED, accept=True)
            for who in checkers
        )
    )
    assert [isinstance(r, Invalid) for r in results].count(True) == 1
