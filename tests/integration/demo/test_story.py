"""The story of the demo: every link is told, and what is printed is what the database says."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from disbursement.domain import clocks
from disbursement.domain.clocks import Colour
from disbursement.domain.workflow import ApplicationState, BatchState, PayableState
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    AccountKind,
    AccountState,
    Application,
    Batch,
    BatchApproval,
    BudgetChange,
    Cycle,
    Document,
    LedgerTransfer,
    Material,
    MaterialFlag,
    Payable,
    PayeeAccount,
    Rating,
    Rectification,
    ReturnFile,
    ReturnLine,
    SealedFile,
    StepClock,
)
from disbursement.selectors.desk import worklist
from matching import selectors
from matching.models import Enterprise, PolicyItem, Push
from matching.registry.models import BudgetLine, Department, OutboxMessage
from portal.accounts.models import RoleAssignment, StaffRole, User
from portal.demo import accounts
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER, PROTAGONIST
from portal.demo.narrator import money
from portal.demo.story import Figures
from portal.demo.story.timeline import at
from portal.inbox.models import Notification
from tests.integration.demo.conftest import TODAY, Told, run

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("told")]


def company(external_id: str) -> Enterprise:
    return Enterprise.objects.get(external_id=external_id)


def chapters(told: Told) -> list[str]:
    return re.findall(r"^第 \d+ 章  (.+?)  ", told.text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "link",
    [
        "发布政策",
        "推送：告诉了谁，为什么",
        "一家企业看到什么",
        "申报",
        "一次补正",
        "审核、公示、核定",
        "截止",
        "三人签署，封存，发送",
        "银行回单与四方对账",
        "通知书",
        "退票更正，第二个人核对，次月兑现",
        "好差评",
        "账对得上",
        "预算：调整有批文",
        "各人桌上还有什么",
    ],
)
def test_a_chapter_tells_each_link(told: Told, link: str):
    assert sum(link in chapter for chapter in chapters(told)) == 1


def test_the_items_published_are_those_of_the_database(told: Told):
    listed = PolicyItem.objects.filter(is_listed=True).count()
    assert listed >= 25
    assert f"{listed}个政策事项" in told.flat


def test_the_pushes_told_are_those_of_the_database(told: Told):
    day = told.stage.time.published
    pushes = Push.objects.filter(created_at__date=day)
    assert f"推送{pushes.count()}条" in told.flat
    for push in pushes.filter(enterprise=company(PROTAGONIST)):
        assert push.version.item.name in told.flat
        assert "".join(push.reason[0].partition("，要求")[0].split()) in told.flat


def test_one_enterprise_sees_three_that_fit_and_two_that_nearly_fit_with_what_is_missing(told: Told):
    known, day = company(PROTAGONIST), told.stage.time.after(told.stage.time.published, 1)
    assert selectors.fitting(enterprise=known, day=day).count() == 3
    assert selectors.nearly_fitting(enterprise=known, day=day).count() == 2
    assert "看到3项符合、2项还差一点" in told.flat
    assert told.flat.count("差在：") == 2
    assert told.flat.count("怎样补：") == 2


def test_the_award_is_told_with_its_working(told: Told):
    application = Application.objects.get(pk=told.stage.applications[PROTAGONIST, "zs-pledge"])
    assert application.corrections.count() == 1
    assert application.award.amount == Decimal("105250.00")
    for line in application.award.working:
        assert "".join(line.split()) in told.flat


def test_one_payment_is_held_by_the_credit_check(told: Told):
    held = Payable.objects.get(enterprise__external_id=CREDIT_FALLER)
    assert held.state == PayableState.HELD
    assert held.hold_kind == "credit"
    assert "".join(held.hold_reason.split()) in told.flat


def test_each_sealed_file_bears_three_signatures_of_three_people_on_its_own_bytes(told: Told):
    for sealed in SealedFile.objects.all():
        signed = BatchApproval.objects.filter(batch=sealed.batch)
        assert {approval.role for approval in signed} == {"finance_maker", "finance_checker", "finance_approver"}
        assert len({approval.person_id for approval in signed}) == 3
        assert {approval.file_sha256 for approval in signed} == {hashlib.sha256(bytes(sealed.content)).hexdigest()}
        assert (told.folder / "treasury" / sealed.name).read_bytes() == bytes(sealed.content)
        assert sealed.name in told.flat
        assert f"{sealed.count}笔{money(sealed.total).replace(' ', '')}" in told.flat.replace("，", "")


def test_the_same_return_read_twice_is_one_file_and_posts_once(told: Told):
    assert ReturnFile.objects.count() == SealedFile.objects.count()
    posted = ReturnLine.objects.filter(status="posted")
    assert posted.values("attempt", "result").distinct().count() == posted.count()


def test_the_bounced_payment_is_mended_by_one_checked_by_another_and_paid_in_the_next_month(told: Told):
    payable = Payable.objects.get(enterprise__external_id=BOUNCED)
    first, second = payable.attempts.order_by("pk")
    assert (first.outcome, second.outcome) == ("bounced", "paid")
    assert (first.batch.cycle.month, second.batch.cycle.month) == (told.stage.time.first, told.stage.time.second)
    account = PayeeAccount.objects.get(enterprise__external_id=BOUNCED, state=AccountState.CHECKED)
    assert account.proposed_by_id != account.checked_by_id
    assert second.account_number == account.account_number != first.account_number
    assert payable.state == PayableState.SETTLED
    assert payable.application.state == ApplicationState.CLOSED


def test_the_notices_written_out_are_those_that_were_issued(told: Told):
    written = {path.stem: path.read_bytes() for path in (told.folder / "notices").glob("*.pdf")}
    assert written
    for number, content in written.items():
        assert content.startswith(b"%PDF-")
        assert hashlib.sha256(content).hexdigest() == Document.objects.get(number=number).sha256
    for document in Document.objects.filter(application=told.stage.applications[PROTAGONIST, "zs-pledge"]):
        assert document.number in told.flat


def test_the_low_rating_opened_a_rectification_that_was_answered(told: Told):
    rating = Rating.objects.get(application__enterprise__external_id=BOUNCED)
    assert rating.level <= 2
    answered = Rectification.objects.get(rating=rating)
    assert answered.answered_at is not None
    assert "".join(answered.reply.split()) in told.flat


def test_the_four_sums_printed_are_those_of_the_database_and_agree(told: Told):
    figures = Figures.read()
    assert figures.agree
    assert figures.bounced > 0
    printed = {
        name: (int(count), amount)
        for name, count, amount in re.findall(r"Σ (核定|批次|文件|银行)（.+?）\s+(\d+)\s+([\d,.]+) 元", told.text)
    }
    assert printed == {
        "核定": (figures.approved_count, f"{figures.approved:,.2f}"),
        "批次": (figures.batch_count, f"{figures.batch:,.2f}"),
        "文件": (figures.file_count, f"{figures.file:,.2f}"),
        "银行": (figures.bank_count, f"{figures.bank:,.2f}"),
    }


def test_the_balances_printed_are_those_of_the_ledger(told: Told):
    lines = BudgetLine.objects.filter(ledger_accounts__debits__payable__isnull=False).distinct()
    assert lines.count() >= 4
    for line in lines:
        assert ledger_findings(line=line) == []
        held = balances(line=line)
        assert sum(held.values()) == 0
        found = re.search(rf"^\s+{line.year} {line.name}\s+(.+)$", told.text, flags=re.MULTILINE)
        assert found is not None
        cells = found[1].split()
        expected = [-held[AccountKind.SOURCE], *(held[kind] for kind in (
            AccountKind.RESERVED, AccountKind.COMMITTED, AccountKind.PAID, AccountKind.APPROPRIATED
        ))]  # fmt: skip
        assert cells == [*(f"{amount:,.2f}" for amount in expected), "平"]
    assert f"{LedgerTransfer.objects.count()}笔流水" in told.flat


def test_no_line_of_the_telling_reports_a_disagreement(told: Told):
    # Verdicts stand at the end of their line.
    assert re.findall(r"^.*(?:不一致|不平|不符|不同，请检查。)$", told.text, flags=re.MULTILINE) == []
    assert len(re.findall(r" 一致$", told.text, flags=re.MULTILINE)) == SealedFile.objects.count()


def test_nothing_is_left_undelivered(told: Told):
    assert not OutboxMessage.objects.filter(delivered_at__isnull=True).exists()


def test_nothing_is_dated_after_the_first_minutes_of_today(told: Told):
    last = max(Notification.objects.latest("created_at").created_at, Document.objects.latest("issued_at").issued_at)
    assert last <= at(TODAY, 0, 5)


@pytest.mark.parametrize(("username", "role"), [("acceptor", "受理"), ("reviewer", "审核"), ("second", "复审")])
def test_there_is_work_on_each_reviewing_desk(told: Told, username: str, role: str):
    actor = accounts.actor_of(User.objects.get(username=username))
    assert len(worklist(actor=actor, as_of=TODAY)) >= 2, role


def test_the_clocks_that_run_show_all_three_colours(told: Told):
    running = StepClock.objects.filter(stopped_on__isnull=True).prefetch_related("pauses")
    calendar = told.stage.time.calendar
    colours = {clocks.read(clock.as_clock(), as_of=TODAY, calendar=calendar).colour for clock in running}
    assert colours == set(Colour)


def test_there_is_work_for_each_of_finance_and_a_month_that_gathers(told: Told):
    for state in (BatchState.CHECKED, BatchState.MADE, BatchState.VERIFIED):
        assert Batch.objects.filter(state=state).count() == 1
    assert PayeeAccount.objects.filter(state=AccountState.PROPOSED).exists()
    assert ReturnLine.objects.filter(status="exception", resolved_at__isnull=True).exists()
    assert Cycle.objects.filter(state="open").exists()


def test_the_agent_has_a_correction_to_answer_and_a_bounced_account_to_mend(told: Told):
    agent = accounts.actor_of(User.objects.get(username=accounts.AGENT))
    assert Application.objects.filter(enterprise__in=agent.enterprise_ids, state=ApplicationState.CORRECTION).exists()
    assert Payable.objects.filter(enterprise__in=agent.enterprise_ids, state=PayableState.BOUNCED).exists()


def test_a_visit_and_the_opinion_of_a_second_department_are_waited_for(told: Told):
    waiting = Application.objects.get(state=ApplicationState.SITE_VISIT)
    assert waiting.item.code == "kj-platform"
    asked = Application.objects.get(state=ApplicationState.JOINT_REVIEW)
    assert asked.visits.get().photos.count() == 1
    answers = dict(asked.joint_reviews.values_list("department__code", "answer"))
    assert answers == {"industry": "agree", "finance": ""}
    actor = accounts.actor_of(User.objects.get(username="joint"))
    assert [line.application for line in worklist(actor=actor, as_of=TODAY)] == [asked]


def test_a_form_of_the_items_own_is_answered_in_each_kind_of_field(told: Told):
    answers = Application.objects.get(state=ApplicationState.JOINT_REVIEW).form
    assert {type(answer) for answer in answers.values()} == {str, bool, list}
    voucher = Application.objects.get(pk=told.stage.applications[PROTAGONIST, "fw-voucher"])
    assert voucher.form["service"] == "testing"


def test_certificates_are_used_again_end_soon_and_change_under_review(told: Told):
    used = Material.objects.get(application=told.stage.applications[PROTAGONIST, "kj-hightech"], code="certificate")
    assert used.evidence_version is not None
    assert used.evidence_version.evidence.department == Department.objects.get(code="innovation")
    assert Notification.objects.filter(enterprise=company(PROTAGONIST), title__contains="到期").count() == 1
    flag = MaterialFlag.objects.get(settled_at__isnull=True)
    assert flag.material.application.state == ApplicationState.SITE_VISIT


def test_one_budget_change_is_in_force_and_another_waits_for_its_decision(told: Told):
    done, waiting = BudgetChange.objects.order_by("pk")
    assert (done.approved, waiting.approved) == (True, None)
    assert done.proposed_by_id != done.decided_by_id
    assert done.paper_number in told.flat
    year = TODAY.year
    assert BudgetLine.objects.get(code="kj-cx", year=year).ceiling == Decimal("32000000.00")


def test_there_is_an_account_for_every_role_and_both_sides_of_the_enterprise(told: Told):
    ready = {person.username for person in accounts.ready_accounts()}
    assert {accounts.LEGAL, accounts.AGENT} <= ready
    held = RoleAssignment.objects.filter(user__username__in=ready).values_list("role", flat=True)
    assert set(held) == set(StaffRole.values)


@pytest.mark.parametrize(
    "username", [accounts.LEGAL, accounts.AGENT, *(person.username for person in accounts.STAFF if person.shown)]
)
def test_every_account_of_the_demo_signs_in_and_finds_its_desk(told: Told, username: str):
    client = Client()
    page = client.post(reverse("accounts:login"), {"username": username, "password": accounts.PASSWORD}, follow=True)
    assert page.status_code == 200
    assert client.session["_auth_user_id"] == str(User.objects.get(username=username).pk)
    desk = next(ready.desk for ready in accounts.ready_accounts() if ready.username == username)
    assert client.get(desk, follow=True).status_code == 200


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it runs on SQLite of its own: once is enough")
def test_a_second_run_resets_what_the_first_left_and_tells_the_same_story(tmp_path: Path, told: Told):
    folder = tmp_path / "demo"
    # What a run leaves that was killed in the middle.
    folder.mkdir()
    (folder / ".huida-demo").touch()
    (folder / "huida.sqlite3").write_bytes(b"half a database")
    (folder / "treasury").mkdir()
    (folder / "treasury" / "202609001.csv").write_bytes(b"of another telling")

    again = run(tmp_path, "--as-of", TODAY.isoformat())

    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert story_of(again.stdout) == story_of(told.text)
    assert not (folder / "treasury" / "202609001.csv").exists()
    assert (folder / "told.txt").read_text() == f"{TODAY}\n"
    assert list((folder / "mail").glob("*.log")), "letters lie with the rest of the demo, wherever it is started"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "demo.lock"]


def story_of(text: str) -> str:
    """The telling up to the accounts, without what two runs may differ in: hashes, sizes, folders."""
    told = text.partition("可以用这些账户登录")[0]
    told = re.sub(r"[0-9a-f]{12,64}", "#", told)
    told = re.sub(r"PDF 已写到[^：]+：", "", "".join(told.split()))
    return re.sub(r"-[0-9a-f]{7,8}\.|\d+KB|PDF已写到[^：]+：", "", told)
