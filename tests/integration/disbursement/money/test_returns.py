"""What the bank sends back: once, twice, in any order, cut short, with strangers in it, and against itself."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disbursement.audit.findings import Scope
from disbursement.audit.payments import check_payables
from disbursement.audit.people import People
from disbursement.domain.errors import Invalid
from disbursement.domain.money import total
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import Batch, LedgerTransfer, Payable, PaymentAttempt, ReturnFile, ReturnLine
from disbursement.services.payment import payees, payments, returns
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def a_sent_batch(finance: money.Finance, number: int = 3) -> Batch:
    money.payables(number)
    [batch] = money.cut()
    return money.sent(batch, finance)


def picture() -> dict[str, object]:
    """Everything that must not depend on how often and in what order the files came."""
    return {
        "payables": list(Payable.objects.order_by("id").values_list("state", flat=True)),
        "attempts": list(PaymentAttempt.objects.order_by("id").values_list("outcome", "outcome_on", "contradicted")),
        "balances": {kind.value: balance for kind, balance in balances(line=money.line()).items()},
        "posted": sorted(ReturnLine.objects.filter(status="posted").values_list("line_id", "result", "occurred_on")),
        "findings": ledger_findings(line=money.line()),
    }


def test_the_same_file_read_three_times_posts_once(finance: money.Finance) -> None:
    batch = a_sent_batch(finance)
    content = money.answer(batch, bounced=[2])
    money.receive(content)
    before, transfers = picture(), LedgerTransfer.objects.count()
    for name in ("again.csv", "return.csv"):
        report = money.receive(content, name=name)
        assert report.was_known
    assert (picture(), LedgerTransfer.objects.count(), ReturnFile.objects.count()) == (before, transfers, 1)


def test_the_same_results_in_another_file_are_duplicates(finance: money.Finance) -> None:
    batch = a_sent_batch(finance)
    money.receive(money.answer(batch))
    before = picture()
    report = money.receive(money.answer(batch, only=[1, 3]), name="second.csv")
    assert (report.posted, report.duplicates, report.exceptions) == (0, 2, 0)
    assert picture() == before


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_files_end_the_same_in_any_order(finance: money.Finance, order: tuple[int, ...]) -> None:
    batch = a_sent_batch(finance)
    files = [
        money.answer(batch, only=[1, 2], on=date(2026, 3, 24)),
        money.answer(batch, only=[2, 3], bounced=[2], on=date(2026, 3, 25)),  # a late bounce of line 2
        money.return_file({batch.line_id(3): ("100000.00", "退款")}, on=date(2026, 3, 26)),
    ]
    for index in order:
        money.receive(files[index], name=f"{index}.csv")
    assert picture()["payables"] == ["settled", "bounced", "refunded"]
    assert ReturnLine.objects.filter(status="exception").count() == 0
    assert picture()["findings"] == []
    batch.refresh_from_db()
    assert batch.state == "closed"


@pytest.mark.parametrize("bounce_first", [True, False])
def test_a_success_dated_after_the_bounce_stops_the_payment_until_a_person_asked(
    finance: money.Finance, bounce_first: bool
) -> None:
    batch = a_sent_batch(finance, 1)
    bounce = money.answer(batch, bounced=[1], on=date(2026, 3, 24))
    success = money.answer(batch, on=date(2026, 3, 25))
    for content in (bounce, success) if bounce_first else (success, bounce):
        money.receive(content, name=f"{len(content)}.csv")
    attempt = PaymentAttempt.objects.get()
    assert (attempt.outcome, attempt.contradicted, attempt.payable.state) == ("bounced", True, "bounced")
    assert ReturnLine.objects.filter(status="exception").count() == 0

    payments.settle_contradiction(
        attempt_id=attempt.pk, actor=finance.checker, now=at("2026-03-27"), was_paid=True, note="银行确认已入账"
    )
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.contradicted, Payable.objects.get().state) == ("paid", False, "settled")
    assert ledger_findings(line=money.line()) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_second_success_after_the_bounce_stops_the_payment_too_whatever_came_first(
    finance: money.Finance, order: tuple[int, ...]
) -> None:
    batch = a_sent_batch(finance, 1)
    files = [
        money.answer(batch, on=date(2026, 3, 23)),
        money.answer(batch, bounced=[1], on=date(2026, 3, 24)),
        money.answer(batch, on=date(2026, 3, 25)),  # routed again
    ]
    for index in order:
        money.receive(files[index], name=f"{index}.csv")
    attempt = PaymentAttempt.objects.get()
    assert (attempt.outcome, attempt.outcome_on, attempt.contradicted) == ("bounced", date(2026, 3, 24), True)

    payments.settle_contradiction(
        attempt_id=attempt.pk, actor=finance.checker, now=at("2026-03-27"), was_paid=True, note="银行确认已入账"
    )
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.outcome_on, attempt.contradicted) == ("paid", date(2026, 3, 25), False)
    assert ledger_findings(line=money.line()) == []
    assert [str(found) for found in check_payables(scope=Scope(), people=People(), counts=Counter())] == []


def test_what_a_person_settled_is_asked_again_only_of_a_payment_that_the_bank_made_since(
    finance: money.Finance,
) -> None:
    batch = a_sent_batch(finance, 1)
    for day in (23, 25):
        money.receive(money.answer(batch, on=date(2026, 3, day)), name=f"{day}.csv")
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="24.csv")
    attempt = PaymentAttempt.objects.get()
    payments.settle_contradiction(
        attempt_id=attempt.pk, actor=finance.checker, now=at("2026-03-27"), was_paid=False, note="银行确认未入账"
    )
    told = []
    for index, (bounced, day) in enumerate([([], 25), ([1], 23), ([1], 26), ([], 24), ([], 26)]):
        money.receive(money.answer(batch, bounced=bounced, only=[1], on=date(2026, 3, day)), name=f"again{index}.csv")
        attempt.refresh_from_db()
        told.append(attempt.contradicted)
    assert told == [False, False, False, False, True]
    assert ReturnLine.objects.filter(status="exception").count() == 0


def test_a_bounce_that_was_contradicted_is_not_paid_again_before_it_is_settled(finance: money.Finance) -> None:
    batch = a_sent_batch(finance, 1)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="1.csv")
    money.receive(money.answer(batch, on=date(2026, 3, 25)), name="2.csv")
    payable = Payable.objects.get()
    account = payees.propose_account(
        enterprise_id=payable.enterprise_id,
        account_name=payable.enterprise.name,
        bank_name=payable.bank_name,
        account_number="622200001234567890",
        actor=people.agent(payable.enterprise),
        now=at("2026-03-26"),
    )
    payees.check_account(account_id=account.pk, actor=finance.checker, now=at("2026-03-27"), accept=True)
    money.cut(month=date(2026, 4, 1), now=at("2026-04-20"))
    payable.refresh_from_db()
    assert (payable.state, payable.hold_kind) == ("held", "contradiction")


def test_strangers_wrong_amounts_and_spoilt_lines_are_exceptions_and_the_rest_is_posted(finance: money.Finance) -> None:
    batch = a_sent_batch(finance)
    report = money.receive(
        money.return_file(
            {
                batch.line_id(1): ("100000.00", "成功"),
                batch.line_id(2): ("100000.01", "成功"),
                batch.line_id(9): ("5.00", "成功"),
                "209901001-000001": ("5.00", "成功"),
                "something else": ("5.00", "退票"),
            }
        )
    )
    assert (report.posted, report.exceptions) == (1, 4)
    problems = list(ReturnLine.objects.filter(status="exception").order_by("row_no").values_list("problem", flat=True))
    assert ["金额不符" in problems[0], *("没有明细" in p for p in problems[1:])] == [True] * 4
    batch.refresh_from_db()
    assert batch.state == "acknowledged"


def test_a_file_cut_short_posts_what_is_whole_and_the_whole_file_posts_the_rest(finance: money.Finance) -> None:
    batch = a_sent_batch(finance)
    whole = money.answer(batch)
    cut = whole[: whole.index(batch.line_id(3).encode()) + 30]
    first = money.receive(cut, name="cut.csv")
    assert (first.posted, first.exceptions, first.file.is_complete) == (2, 1, False)
    second = money.receive(whole, name="whole.csv")
    assert (second.posted, second.duplicates) == (1, 2)
    assert picture()["payables"] == ["settled"] * 3


def test_an_exception_that_a_person_dealt_with_lets_the_batch_close(finance: money.Finance) -> None:
    batch = a_sent_batch(finance, 1)
    money.receive(money.return_file({batch.line_id(1): ("99.00", "成功")}), name="wrong.csv")
    money.receive(money.answer(batch), name="right.csv")
    batch.refresh_from_db()
    assert batch.state == "reconciled"
    line = ReturnLine.objects.get(status="exception")
    returns.resolve_exception(line_id=line.pk, actor=finance.maker, now=at("2026-03-26"), resolution="银行笔误，已更正")
    money.receive(money.answer(batch), name="right.csv")
    batch.refresh_from_db()
    assert batch.state == "closed"


def test_an_answer_to_a_batch_that_was_never_sent_is_an_exception(finance: money.Finance) -> None:
    money.payable()
    [batch] = money.cut()
    money.signed(batch, finance)
    report = money.receive(money.answer(batch))
    assert report.exceptions == 1
    assert "尚未发送" in ReturnLine.objects.get().problem


def test_what_is_no_return_file_leaves_nothing_behind() -> None:
    with pytest.raises(Invalid, match="首行"):
        money.receive(b"hello")
    assert ReturnFile.objects.count() == 0


def test_a_bounce_after_the_month_was_closed_reserves_the_money_again(finance: money.Finance) -> None:
    batch = a_sent_batch(finance, 1)
    money.receive(money.answer(batch), name="1.csv")
    assert Payable.objects.get().state == "settled"
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 4, 2)), name="2.csv")
    assert Payable.objects.get().state == "bounced"
    assert ledger_findings(line=money.line()) == []


def test_reading_more_lines_takes_hardly_more_queries(finance: money.Finance) -> None:
    def queries(number: int, month: date) -> int:
        for payable in money.payables(number):
            Payable.objects.filter(pk=payable.pk).update(pay_month=month, slip_reason="x")
        [batch] = money.cut(month=month, now=at(month.replace(day=20)))
        money.sent(batch, finance)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            money.receive(money.answer(batch), name=f"{month}.csv")
        return len(captured)

    assert queries(12, date(2026, 4, 1)) <= queries(2, date(2026, 5, 1))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_lines_scattered_over_files_in_any_order_and_number_end_the_same(
    finance: money.Finance, tmp_path: Path, data: st.DataObject
) -> None:
    """Each line's true answer, split over files with repetitions and strangers, always ends as the single file does."""
    from django.db import transaction

    results = data.draw(st.lists(st.sampled_from(["成功", "退票", "退款"]), min_size=2, max_size=4))
    with transaction.atomic():
        batch = a_sent_batch(finance, len(results))
        whole = {batch.line_id(n): ("100000.00", result) for n, result in enumerate(results, start=1)}
        pieces = data.draw(st.lists(st.lists(st.sampled_from(sorted(whole)), unique=True, min_size=1), max_size=5))
        for index, piece in enumerate([*pieces, data.draw(st.permutations(sorted(whole)))]):
            part = {line_id: whole[line_id] for line_id in piece}
            money.receive(money.return_file(part | {f"nobody-{index}": ("1.00", "成功")}), name=f"{index}.csv")
        expected = {"成功": "settled", "退票": "bounced", "退款": "refunded"}
        assert picture()["payables"] == [expected[r] for r in results]
        assert picture()["findings"] == []
        moved = total(LedgerTransfer.objects.filter(kind="pay").values_list("amount", flat=True))
        assert moved == 100000 * sum(r != "退票" for r in results)
        transaction.set_rollback(True)
