"""Attempts to lose a payment on its way: held for ever, on a dead line, answered too early, unreadable."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings

from disbursement.domain.errors import Invalid
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import Cycle, Payable, ReturnFile, ReturnLine
from disbursement.services.month import batches, cycles
from disbursement.services.payment import payees, payments, sealing
from disbursement.treasury.channels.folder_writer import FolderWriter
from disbursement.treasury.formats.bank_return_csv import COLUMNS
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
APRIL, APRIL_CUT = date(2026, 4, 1), at("2026-04-20", 17)


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def test_a_deferred_payment_goes_on_the_next_years_budget_when_its_own_year_is_spent() -> None:
    people.budget_line(code="small", ceiling="100000.00")
    item = money.version(line="small", shortfall="defer")
    money.payable(item=item)
    waiting = money.payable(item=item)
    assert waiting.state == "awaiting"
    people.budget_line(code="small", year=2027, ceiling="500000.00")
    [batch] = money.cut(month=date(2027, 1, 1), now=at("2027-01-20", 17))[-1:]
    waiting.refresh_from_db()
    assert waiting.state == "scheduled"
    assert waiting.budget_line is not None
    assert waiting.budget_line.year == 2027
    assert batch.count == 1
    assert ledger_findings(line=waiting.budget_line) == []


def test_an_account_changed_while_a_batch_holds_the_payment_is_used_once_the_batch_is_dissolved(
    finance: money.Finance,
) -> None:
    payable = money.payable()
    [march] = money.cut()
    account = payees.propose_account(
        enterprise_id=payable.enterprise_id,
        account_name=payable.enterprise.name,
        bank_name="成都银行",
        account_number="6222999900001111",
        actor=people.agent(payable.enterprise),
        now=at("2026-03-21"),
    )
    payees.check_account(account_id=account.pk, actor=finance.checker, now=at("2026-03-21", 12), accept=True)
    batches.dissolve(batch_id=march.pk, actor=finance.approver, now=at("2026-03-22"), reason="账户更换")
    [april] = money.cut(month=APRIL, now=APRIL_CUT)
    assert april.attempts.get().account_number == "6222999900001111"
    payable.refresh_from_db()
    assert payable.state == "scheduled"


def test_a_file_that_was_handed_over_before_a_crash_has_its_answers_posted(finance: money.Finance) -> None:
    payable = money.payable()
    [batch] = money.cut()
    money.signed(batch, finance)
    sealed = sealing.seal(batch_id=batch.pk, now=money.CUT)
    # Delivered, then the power went before that could be recorded; the bank answers all the same.
    FolderWriter(settings.HUIDA_TREASURY_OUTBOX).deliver(name=sealed.name, content=io.BytesIO(bytes(sealed.content)))
    money.receive(money.answer(batch))
    payable.refresh_from_db()
    batch.refresh_from_db()
    assert (payable.state, batch.state) == ("settled", "closed")
    assert batch.sent_at is not None
    cycles.seal_signed(month=money.MONTH, now=at("2026-03-26"))
    assert ReturnLine.objects.filter(status="exception").count() == 0


def test_a_nul_character_in_an_answer_spoils_nothing(finance: money.Finance) -> None:
    payable = money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    content = money.answer(batch, bounced=[1]).replace("账号户名不符".encode(), "账号\x00户名不符".encode())
    report = money.receive(content)
    assert report.posted == 1
    payable.refresh_from_db()
    assert payable.state == "bounced"


def test_nul_characters_anywhere_in_a_return_file_are_never_kept_as_text(finance: money.Finance) -> None:
    money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    line = f"{batch.line_id(1)}\x00,622,1\x0000,\x00成功,2026-03-24\x00,B\x00,\x00\r\n"
    money.receive((",".join(COLUMNS) + "\r\n" + line).encode(), name="n\x00ul.csv")
    assert ReturnFile.objects.count() == 1


def test_a_workbook_with_broken_insides_is_refused_in_words() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "_rels/.rels"):
            book.writestr(name, "<broken")
    with pytest.raises(Invalid, match="XLSX"):
        money.receive(out.getvalue(), name="return.xlsx")


def test_a_workbook_cut_in_the_middle_is_refused_in_words(finance: money.Finance) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.create_sheet(index=0)
    sheet.append(COLUMNS)
    for index in range(500):
        sheet.append([f"202603001-{index:06d}", "", "1.00", "成功", "2026-03-24", str(index), ""])
    out = io.BytesIO()
    book.save(out)
    whole = out.getvalue()
    for share in range(1, 20):
        with pytest.raises(Invalid):
            money.receive(whole[: len(whole) * share // 20], name="return.xlsx")
    spoilt = bytearray(whole)
    for index in range(200, len(spoilt) - 400, 37):
        spoilt[index] ^= 0xFF
    with pytest.raises(Invalid):
        money.receive(bytes(spoilt), name="return.xlsx")
    assert ReturnFile.objects.count() == 0


def test_a_payment_put_off_is_promised_for_a_month_that_is_still_to_come(finance: money.Finance) -> None:
    payable = money.payable()
    [march] = money.cut()
    money.cut(month=APRIL, now=APRIL_CUT)
    batches.dissolve(batch_id=march.pk, actor=finance.approver, now=at("2026-04-21"), reason="重新归集")
    payable.refresh_from_db()
    assert payable.pay_month == date(2026, 5, 1)


def test_held_by_a_person_in_the_last_batch_of_the_year_it_is_paid_in_january_after_release(
    finance: money.Finance,
) -> None:
    people.budget_line()
    items = [money.granted(now=at("2026-12-10"), item=money.version()) for _ in range(2)]
    [december] = money.cut(month=date(2026, 12, 1), now=at("2026-12-18", 23, 59))
    held = items[0].payables.get()
    payments.hold(payable_id=held.pk, actor=finance.maker, now=at("2026-12-18", 23, 59), reason="核查")
    money.signed(december, finance, now=at("2026-12-19"))
    payments.release(payable_id=held.pk, actor=finance.checker, now=at("2026-12-31", 23, 59))
    [january] = money.cut(month=date(2027, 1, 1), now=at("2027-01-20", 17))
    assert january.attempts.get().payable_id == held.pk
    assert january.budget_line.year == 2026


def test_an_approval_in_the_last_minute_of_the_year_counts_for_that_year_in_shanghai() -> None:
    people.budget_line(year=2027)
    last = money.granted(now=at("2026-12-31", 23, 59), item=money.version())
    first = money.granted(now=at("2027-01-01", 0, 0), item=money.version())
    assert (last.year, first.year) == (2026, 2027)
    assert Payable.objects.filter(pay_month=date(2027, 1, 1), budget_year=2027).count() == 2


def test_a_cut_off_crashed_half_way_and_run_again_days_later_holds_nothing_twice(finance: money.Finance) -> None:
    people.budget_line(code="talent")
    money.payables(2)
    money.payable(item=money.version(line="talent"))

    class Crash(Exception):
        pass

    def crash(text: str) -> None:
        if text.startswith("归集"):
            raise Crash

    with pytest.raises(Crash):
        cycles.cut_off(month=money.MONTH, now=money.CUT, on_step=crash)
    late = money.payable(now=at("2026-03-23"), item=money.version())
    done = cycles.cut_off(month=money.MONTH, now=at("2026-03-25"))
    assert sorted(batch.count for batch in done.batches) == [1, 2]
    late.refresh_from_db()
    assert (late.state, late.pay_month) == ("reserved", APRIL)
    assert Cycle.objects.get().cut_at == money.CUT


def test_pro_rata_payables_by_the_hundred_are_reserved_by_statement(django_assert_max_num_queries: object) -> None:
    people.budget_line(code="shared", ceiling="10000.00")
    item = money.version("100", line="shared", shortfall="pro_rata")
    enterprise = [money.granted("100.00", item=item) for _ in range(40)]
    with django_assert_max_num_queries(150):  # type: ignore[operator]
        [batch] = money.cut()
    assert batch.count == len(enterprise)
    assert batch.total == Decimal("4000.00")
