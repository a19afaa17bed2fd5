"""One invoice, one award: from the form's table through review and correction to the approval that claims it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from disbursement.domain.errors import Invalid
from disbursement.domain.workflow import ApplicationState
from disbursement.models import ApplicationInvoice, ClaimedInvoice, CorrectionSubject, Paper
from disbursement.selectors.invoices import rows_of
from disbursement.services.application import corrections, drafts
from disbursement.services.application.corrections import Ask
from disbursement.services.award.clashes import clashes_for_reviewer, clashes_of
from disbursement.services.review import decisions, publicity, reviews
from disbursement.services.review.conditions import Reason
from matching.models import Enterprise
from portal.accounts.models import User
from tests.factories.disbursement import Case, at, case, invoices, item
from tests.factories.matching import credit_code_of, enterprise, register

pytestmark = pytest.mark.django_db
TOTAL = Ask(CorrectionSubject.FIELD, "invoice_total", "发票不符", "请更换发票")


def brought(made: Case, rows: list[dict[str, str]]) -> Case:
    """To second review, with these invoices instead of its own."""
    made.drafted()
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, invoices=rows)
    drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    reviews.recommend_approval(application_id=made.id, text="通过", actor=made.reviewer, now=made.later().now)
    return made.later()


def approve(made: Case) -> None:
    decisions.approve(application_id=made.id, actor=made.second, now=made.now)


def test_approval_claims_every_invoice_of_the_table_and_a_second_one_is_told_where_it_was_used() -> None:
    rows = invoices("100000", "200000.00")
    first, second = brought(case(), rows), brought(case(), [{**rows[1], "issuer": "写法不同"}, *invoices("150000")])
    approve(first)
    claimed = ClaimedInvoice.objects.filter(application_id=first.id).values_list("number", flat=True)
    assert sorted(claimed) == sorted(row["number"] for row in rows)
    with pytest.raises(Invalid, match=f"已用于申报{first.fresh().number}") as told:
        approve(second)
    assert first.enterprise.name not in str(told.value)
    assert second.fresh().status is ApplicationState.SECOND_REVIEW
    assert not ClaimedInvoice.objects.filter(application_id=second.id).exists()


def paper_rows(issuer: str, *, number: str = "GP-2026-0007") -> list[dict[str, str]]:
    """An invoice of before the digital ones: its number is its issuer's own."""
    return [{**invoices("300000")[0], "issuer": issuer, "number": number}]


@pytest.mark.parametrize(
    ("before", "after", "is_known_late"), [("code", "name", False), ("name", "code", False), ("name", "code", True)]
)
def test_a_paper_is_one_whether_its_issuer_is_written_by_code_or_by_name(
    before: str, after: str, is_known_late: bool
) -> None:
    name, code = "成都（样板）设备有限公司", credit_code_of(424_242)
    written = {"code": code, "name": "成都(样板) 设备有限公司"}
    if not is_known_late:
        register(name=name, code=code, now=at(date(2026, 3, 2)))
    first, second = (brought(case(), paper_rows(written[way])) for way in (before, after))
    stranger = brought(case(), paper_rows(credit_code_of(777_777)))
    approve(first)
    if is_known_late:
        register(name=name, code=code, now=first.now)
    with pytest.raises(Invalid, match=f"已用于申报{first.fresh().number}"):
        approve(second)
    # Another issuer's paper of the same number is another paper.
    approve(stranger)
    assert Paper.objects.count() == 2


def test_papers_that_stood_under_both_keys_before_lend_no_more_than_one_of_them_has() -> None:
    issuer = enterprise(name="成都两写设备有限公司")
    first, second, third = (
        brought(case(), [{**paper_rows(by)[0], "amount": "900000", "used": "300000"}])
        for by in (issuer.name, issuer.credit_code, issuer.name)
    )
    Enterprise.objects.filter(pk=issuer.pk).update(name="尚未登记")
    approve(first)
    approve(second)
    assert Paper.objects.count() == 2
    Enterprise.objects.filter(pk=issuer.pk).update(name="成都两写设备有限公司")
    [row] = rows_of(application=third.application)
    assert row.left == 300000
    approve(third)
    assert Paper.objects.count() == 2
    with pytest.raises(Invalid, match="可用余额 0"):
        brought(case(), [{**paper_rows(issuer.credit_code)[0], "amount": "900000", "used": "300000"}])


def test_one_paper_in_two_rows_by_code_and_by_name_is_told_when_it_is_typed() -> None:
    issuer = enterprise(name="成都两写设备有限公司")
    made = case()
    made.drafted()
    rows = [*paper_rows(issuer.name), *paper_rows(issuer.credit_code)]
    with pytest.raises(Invalid, match="是同一家单位，请删去一行"):
        drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, invoices=rows)


def test_a_revoked_award_leaves_its_invoices_to_others() -> None:
    rows = invoices("300000")
    first, second = brought(case(), rows), brought(case(), rows)
    approve(first)
    decisions.revoke(
        application_id=first.id,
        reasons=[Reason("材料不实")],
        remedy="可复议",
        actor=first.second,
        now=first.later().now,
    )
    approve(second)
    assert second.fresh().status is ApplicationState.APPROVED


def test_approval_by_the_system_after_publicity_claims_and_refuses_too() -> None:
    rows = invoices("300000")
    shown, quick = brought(case(), rows), brought(case(), rows)
    publicity.publicise(application_id=shown.id, actor=shown.second, now=shown.now, days=3)
    over = at(shown.application.publicities.get().ends_on + timedelta(days=1))
    approve(quick)
    assert publicity.end_due(now=over) == []
    assert shown.fresh().status is ApplicationState.PUBLICITY
    other = brought(case(), invoices("300000"))
    publicity.publicise(application_id=other.id, actor=other.second, now=other.now, days=3)
    assert publicity.end_due(now=over) == [other.id]
    assert other.application.claimed_invoices.count() == 1


def test_what_is_claimed_cannot_be_publicised_for_another() -> None:
    rows = invoices("300000")
    first, second = brought(case(), rows), brought(case(), rows)
    approve(first)
    with pytest.raises(Invalid, match="不能重复使用"):
        publicity.publicise(application_id=second.id, actor=second.second, now=second.now, days=3)


def test_a_total_that_is_not_that_of_the_table_cannot_be_handed_in() -> None:
    made = case()
    made.drafted()
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, form={"invoice_total": "300000.01"})
    with pytest.raises(Invalid, match="与发票清单合计"):
        drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, invoices=[])
    assert "invoice_total" not in made.fresh().form


def test_a_bad_row_changes_nothing_of_the_table() -> None:
    made = case()
    made.drafted()
    with pytest.raises(Invalid):
        drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, invoices=invoices("0"))
    assert made.fresh().form == {"invoice_total": "300000"}
    assert ApplicationInvoice.objects.filter(application_id=made.id).count() == 1


def test_a_correction_may_bring_other_invoices_of_the_same_total_but_not_the_same_ones() -> None:
    made = case().submitted()
    corrections.ask(application_id=made.id, items=[TOTAL], actor=made.acceptor, now=made.now)
    same = [row.invoice.to_row() for row in rows_of(application=made.application)]
    with pytest.raises(Invalid, match="尚未更正"):
        corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now, invoices=same)
    fresh = invoices("300000")
    corrections.supply(application_id=made.id, actor=made.agent, now=made.now, invoices=fresh)
    assert [row.invoice.number for row in rows_of(application=made.application)] == [fresh[0]["number"]]


def test_the_reviewer_is_warned_of_live_applications_alone() -> None:
    rows = invoices("300000")
    made, drafted = brought(case(), rows), case()
    drafted.drafted()
    drafts.save_draft(application_id=drafted.id, actor=drafted.agent, now=drafted.now, invoices=rows)
    assert [row.elsewhere for row in rows_of(application=made.application)] == [[]]
    drafts.submit(application_id=drafted.id, actor=drafted.agent, now=drafted.now)
    number = drafted.fresh().number
    assert [row.elsewhere for row in rows_of(application=made.application)] == [[number]]
    page = _signed_in(made.reviewer.user_id).get(reverse("desk:application", args=[made.id])).content.decode()
    assert f"同号发票还用于申报 {number}" in page
    own = _signed_in(made.agent.user_id).get(reverse("enterprise:application", args=[made.id])).content.decode()
    assert rows[0]["number"] in own
    assert str(number) not in own


def test_the_database_keeps_two_awards_from_one_digital_invoice() -> None:
    first, second = case().approved(), case().approved()
    claim = first.application.claimed_invoices.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        ClaimedInvoice.objects.create(
            application=second.application, issuer="另一种写法", number=claim.number, amount=claim.amount
        )


def test_the_form_takes_rows_adds_one_and_says_what_is_wrong_with_one() -> None:
    made = case()
    made.drafted()
    client, url = _signed_in(made.agent.user_id), reverse("enterprise:edit", args=[made.id])
    rows = invoices("100000", "20000.50", "30000")
    page = client.post(url, {**_posted(rows), "more": "1"}).content.decode()
    assert "150,000.50 元" in page
    assert 'name="invoice-3-number"' in page
    assert made.fresh().form == {"invoice_total": "150000.5"}
    page = client.post(url, {**_posted([*rows, {**rows[0], "amount": "1,5"}]), "next": "1"}).content.decode()
    assert "第 4 张发票与第 1 张重复" in page
    assert 'value="1,5"' in page
    assert made.fresh().form == {"invoice_total": "150000.5"}
    assert client.post(url, {**_posted(rows[:1]), "next": "1"}).status_code == 302
    assert made.fresh().form == {"invoice_total": "100000"}


def test_the_answer_to_a_correction_shows_the_table_and_takes_it() -> None:
    made = case().submitted()
    corrections.ask(application_id=made.id, items=[TOTAL], actor=made.acceptor, now=made.now)
    client, url = _signed_in(made.agent.user_id), reverse("enterprise:respond", args=[made.id])
    assert 'value="300000.00"' in client.get(url).content.decode()
    rows = invoices("280000")
    client.post(url, {**_posted(rows), "more": "1"})
    assert made.fresh().form == {"invoice_total": "300000"}
    assert client.post(url, {**_posted(rows), "supply": "1"}).status_code == 302
    assert made.fresh().form == {"invoice_total": "280000"}


def _posted(rows: list[dict[str, str]]) -> dict[str, str]:
    cells = {f"invoice-{n}-{column}": text for n, row in enumerate(rows) for column, text in row.items()}
    return {**cells, "contact_name": "张三", "contact_phone": "028-00000000"}


def _signed_in(user_id: int | None) -> Client:
    assert user_id is not None
    client = Client()
    client.force_login(User.objects.get(pk=user_id))
    return client


def row(number: str, issuer: str, amount: str = "300000", **more: str) -> list[dict[str, str]]:
    return [{"issuer": issuer, "number": number, "issued_on": "2026-01-15", "amount": amount, **more}]


def told(made: Case) -> list[str]:
    return clashes_of(application=made.fresh(), year=made.now.year)


def test_anothers_paper_that_happens_to_bear_the_same_number_is_no_clash() -> None:
    made = brought(case(), row("25510001", "成都电子测试所"))
    for other in (row("25510001", "绵阳机械检测站"), row("25510001", "成都电子测试所", kind="contract")):
        brought(case(version=made.version), other)
    assert told(made) == []
    [hint] = rows_of(application=made.fresh())
    assert len(hint.elsewhere) == 2


def test_parts_that_a_paper_suffices_for_are_no_clash_and_beyond_it_they_are() -> None:
    made = brought(case(), row("25510001", "成都电子测试所", "900000", used="300000"))
    sharing = case(version=item(), enterprise=made.enterprise)
    brought(sharing, row("2551-0001", "成都电子测试所", "900000", used="600000"))
    assert told(made) == []
    brought(case(), row("25510001", "成都电子测试所", "900000", used="100000"))
    [line] = told(made)
    assert line == f"发票25510001 还用于申报 {sharing.fresh().number}、其他企业的申报，只能享受一次。"


def test_a_clash_with_another_enterprise_bears_no_number_of_its_application() -> None:
    made = brought(case(), row("25510001", "成都电子测试所"))
    other = brought(case(), row("25510001", "成都电子测试所", "400000"))
    assert told(made) == ["发票25510001 还用于其他企业的申报，只能享受一次。"]
    [line] = clashes_for_reviewer(application=made.fresh(), year=made.now.year)
    assert str(other.fresh().number) in line
