"""Whatever the bank writes in: the same lines, the same books, in any order and however often; 退票 and 退款 apart."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations

from disbursement.audit.batches import check_returns
from disbursement.audit.findings import Scope
from disbursement.audit.payments import check_payables
from disbursement.audit.people import People
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import Batch, Payable, PayeeAccount, PaymentAttempt, ReturnLine
from disbursement.services.payment import payees, payments
from disbursement.treasury.simulator import ANSWER_FORMATS, Answer, write_answer
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at
from tests.fuzz.test_returns import whole_batch

from .test_collection import picture

pytestmark = pytest.mark.django_db
ON = date(2026, 3, 24)


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def a_sent_batch(finance: money.Finance, number: int = 3) -> Batch:
    money.payables(number)
    [batch] = money.cut()
    return money.sent(batch, finance)


def paid(batch: Batch) -> list[Answer]:
    return [
        Answer(batch.line_id(a.line_no or 0), a.payee_name, a.account_number, a.amount, "paid", ON, f"B{a.line_no}")
        for a in money.lines(batch)
    ]


@pytest.mark.parametrize("kinds", [("csv", "pain002", "camt053"), ("camt053", "xlsx", "csvgbk")])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_sources_read_three_times_in_any_order_end_the_same(
    finance: money.Finance, kinds: tuple[str, str, str], order: tuple[int, ...]
) -> None:
    batch = a_sent_batch(finance)
    first, second, third = paid(batch)
    bounce = replace(second, result="bounced", on=date(2026, 3, 25), code="AC04", reason="账号已销户")
    refund = replace(third, result="refunded", on=date(2026, 3, 26), reason="企业主动退回")
    last = bounce if kinds[1] == "pain002" else refund
    told = [[first, second, third], [bounce], [refund] if last is bounce else [last]]
    files = [write_answer(kind, answers) for kind, answers in zip(kinds, told, strict=True)]
    for _ in range(3):
        for index in order:
            suffix, content = files[index]
            money.receive(content, name=f"{index}{suffix}", now=at("2026-03-27"))
    assert picture()["payables"] == ["settled", "bounced", "refunded"]
    assert not ReturnLine.objects.filter(status="exception").exists()
    assert ledger_findings(line=money.line()) == []
    assert Batch.objects.get().state == "closed"


@pytest.mark.parametrize("kind", ANSWER_FORMATS)
@pytest.mark.parametrize("wrong", [{"amount": Decimal("99999.99")}, {"account": "6222999999999999"}, {"account": ""}])
def test_a_line_that_does_not_agree_is_an_exception_in_every_format(
    finance: money.Finance, kind: str, wrong: dict[str, object]
) -> None:
    batch = a_sent_batch(finance, 1)
    [answer] = paid(batch)
    suffix, content = write_answer(kind, [replace(answer, **wrong)])  # type: ignore[arg-type]
    report = money.receive(content, name=f"r{suffix}")
    assert (report.posted, report.exceptions) == (0, 1)
    assert PaymentAttempt.objects.get().outcome == "pending"


@pytest.mark.parametrize("bounce_first", [True, False])
def test_a_word_for_the_whole_file_pays_every_line_and_a_bounce_outdoes_it_in_any_order(
    finance: money.Finance, bounce_first: bool
) -> None:
    batch = a_sent_batch(finance)
    whole = ("whole.xml", whole_batch(3, Decimal("300000.00"), batch.number))
    suffix, bounced = write_answer("csv", [replace(paid(batch)[1], result="bounced", code="BE01")])
    files = [whole, (f"bounce{suffix}", bounced)]
    for name, content in reversed(files) if bounce_first else files:
        money.receive(content, name=name)
    attempts = list(PaymentAttempt.objects.order_by("line_no").values_list("outcome", "contradicted"))
    assert attempts == [("paid", False), ("bounced", False), ("paid", False)]
    assert Batch.objects.get().state == "closed"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_payment_routed_again_after_a_word_for_the_whole_file_is_asked_about_in_any_order(
    finance: money.Finance, order: tuple[int, ...]
) -> None:
    batch = a_sent_batch(finance)
    second = paid(batch)[1]
    bounce = replace(second, result="bounced", on=date(2026, 3, 25), code="BE01")
    arrived = replace(second, on=date(2026, 3, 26))
    files = [("whole.xml", whole_batch(3, Decimal("300000.00"), batch.number))]
    files += [(f"{n}.xml", write_answer("camt053", [answer])[1]) for n, answer in enumerate((bounce, arrived))]
    for index in order:
        money.receive(files[index][1], name=files[index][0], now=at("2026-03-27"))
    attempts = list(PaymentAttempt.objects.order_by("line_no").values_list("outcome", "contradicted"))
    assert attempts == [("paid", False), ("bounced", True), ("paid", False)]


@pytest.mark.parametrize("was_paid", [True, False])
def test_a_report_that_is_sent_again_without_a_day_of_the_payment_is_no_second_payment(
    finance: money.Finance, was_paid: bool
) -> None:
    batch = a_sent_batch(finance, 1)
    [success] = paid(batch)

    def report(day: int, *, dated: bool = False) -> bool:
        """Whether the bank is then asked; without a day of its own a transaction has that of the message."""
        content = write_answer("pain002", [replace(success, on=date(2026, 3, day))])[1]
        if not dated:
            content, count = re.subn(rb"<AccptncDtTm>[^<]*</AccptncDtTm>", b"", content)
            assert count == 1
        money.receive(content, name=f"{day}{dated}.xml", now=at("2026-03-29"))
        return PaymentAttempt.objects.get().contradicted

    assert not report(23)
    bounce = replace(success, result="bounced", on=date(2026, 3, 24), code="BE01")
    money.receive(write_answer("camt053", [bounce])[1], name="bounce.xml")
    assert [report(25), report(26)] == [False, False]
    assert report(25, dated=True)  # routed again: the bank says the day

    attempt = PaymentAttempt.objects.get()
    payments.settle_contradiction(
        attempt_id=attempt.pk, actor=finance.checker, now=at("2026-03-29"), was_paid=was_paid, note="已向银行核实"
    )
    attempt.refresh_from_db()
    assert attempt.outcome_on == date(2026, 3, 25 if was_paid else 24)
    assert [report(27), report(28)] == [False, False]
    assert ReturnLine.objects.filter(status="duplicate").count() == 5
    found = [*check_returns(scope=Scope(), counts=Counter())]
    found += check_payables(scope=Scope(), people=People(), counts=Counter())
    assert [str(finding) for finding in found] == []


def test_a_word_for_a_whole_file_of_another_size_posts_nothing(finance: money.Finance) -> None:
    batch = a_sent_batch(finance)
    report = money.receive(whole_batch(3, Decimal("300000.01"), batch.number), name="whole.xml")
    assert (report.posted, report.exceptions) == (0, 1)
    line = ReturnLine.objects.get()
    assert "不符" in line.problem
    assert line.batch_id == batch.pk


def test_a_word_for_a_whole_file_may_stand_behind_thousands_of_lines(finance: money.Finance) -> None:
    batch = a_sent_batch(finance)
    before = 2_147
    stranger = replace(paid(batch)[0], line_id="209901001-000001")
    word = (
        '<Ntry><Amt Ccy="CNY">300000.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt>'
        f"<Dt>{ON.isoformat()}</Dt></BookgDt><NtryDtls><Btch><PmtInfId>{batch.number}</PmtInfId><NbOfTxs>3</NbOfTxs>"
        "</Btch></NtryDtls></Ntry></Stmt>"
    )
    content = write_answer("camt053", [stranger] * before)[1].replace(b"</Stmt>", word.encode())
    report = money.receive(content, name="statement.xml")
    assert (report.posted, report.exceptions) == (3, before)
    last = ReturnLine.objects.filter(status="posted").latest("row_no").row_no
    # SQLite would take any number.
    _, most = BaseDatabaseOperations.integer_field_ranges[ReturnLine._meta.get_field("row_no").get_internal_type()]
    assert last == (before + 1) * 1_000_000 + 3 < most


def test_a_status_report_that_has_no_result_yet_acknowledges_the_batch(finance: money.Finance) -> None:
    batch = a_sent_batch(finance)
    content = whole_batch(3, Decimal("300000.00"), batch.number).replace(b"ACSC", b"ACCP")
    report = money.receive(content, name="accp.xml")
    batch.refresh_from_db()
    assert (batch.state, batch.acknowledgement, report.posted) == ("acknowledged", "S1", 0)


def test_what_a_statement_shows_as_bounced_is_paid_with_the_next_batch(finance: money.Finance) -> None:
    batch = a_sent_batch(finance, 1)
    [answer] = paid(batch)
    suffix, content = write_answer("camt053", [answer, replace(answer, result="bounced", on=date(2026, 3, 25))])
    money.receive(content, name=f"day{suffix}", now=at("2026-03-26"))
    payable = Payable.objects.get()
    assert payable.state == "bounced"
    agent = people.agent(payable.enterprise)
    proposed = payees.propose_account(
        enterprise_id=payable.enterprise_id,
        actor=agent,
        now=at("2026-03-27"),
        account_name=payable.enterprise.name,
        bank_name="成都银行青羊支行",
        bank_code="313651000015",
        account_number="6222111111111111",
    )
    payees.check_account(account_id=proposed.pk, actor=finance.checker, now=at("2026-03-28"), accept=True)
    [again] = money.cut(month=date(2026, 4, 1), now=at("2026-04-20"))
    money.sent(again, finance, now=at("2026-04-20"))
    [second] = paid(again)
    assert second.account == PayeeAccount.objects.get(state="checked").account_number == "6222111111111111"
    suffix, content = write_answer("pain002", [replace(second, on=date(2026, 4, 22))])
    money.receive(content, name=f"april{suffix}", now=at("2026-04-23"))
    payable.refresh_from_db()
    assert payable.state == "settled"
