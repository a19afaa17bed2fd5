"""Notices: what stands in them, their code, and that each is rendered once."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from datetime import date

import pypdf
import pytest
import segno
from PIL import Image

from disbursement.documents import batch as batch_document
from disbursement.documents import render
from disbursement.documents.render import qr_code
from disbursement.domain.errors import Denied
from disbursement.domain.workflow import ApplicationState
from disbursement.models import (
    Batch,
    Correction,
    Decision,
    Document,
    DocumentKind,
    Payable,
    PaymentAttempt,
    SealedFile,
)
from disbursement.services import notice_subjects, notices
from disbursement.services.payment import payments, reconciliation
from disbursement.services.recovery import repayment
from disbursement.services.review import reviews
from tests.factories import money
from tests.factories.disbursement import Case, agent, applicant, at, case, case_in, item

pytestmark = pytest.mark.django_db


def read(document: Document) -> str:
    """The text of the pages, without what the lines were broken with."""
    pages = pypdf.PdfReader(io.BytesIO(bytes(document.content))).pages
    return re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))


def decided(made: Case, kind: str) -> int:
    return Decision.objects.get(application_id=made.id, kind=kind).pk


def issue(made: Case, kind: DocumentKind, subject_id: int) -> Document:
    return notices.issue(kind=kind, subject_id=subject_id, now=made.now)


def test_a_notice_of_acceptance_says_who_what_and_how_long() -> None:
    made = case().accepted()
    document = issue(made, DocumentKind.ACCEPTANCE, decided(made, "accepted"))
    text = read(document)
    for words in ("受理通知书", "SL-2026-000001", made.enterprise.name, made.enterprise.credit_code, "2026-000001"):
        assert words.replace(" ", "") in text
    for words in (
        "决定予以受理",
        "承诺10个工作日（法定20个工作日）",
        "发票清单",
        "科技局",
        "2026年3月2日",
        "第1页共1页",
    ):
        assert words in text


def test_a_notice_of_correction_lists_everything_and_the_last_day() -> None:
    made = case().submitted().asked()
    text = read(issue(made, DocumentKind.CORRECTION, Correction.objects.get(application_id=made.id).pk))
    for words in (
        "补正通知书",
        "一次性告知",
        "申报材料：发票清单",
        "缺少盖章页",
        "请补充盖章页后重新上传",
        "2026年3月16日",
    ):
        assert words in text


def test_a_notice_of_non_acceptance_gives_reasons_and_a_way_on() -> None:
    made = case_in(ApplicationState.NOT_ACCEPTED)
    text = read(issue(made, DocumentKind.NON_ACCEPTANCE, decided(made, "not_accepted")))
    for words in ("不予受理通知书", "不属于受理范围", "可向其他部门申报"):
        assert words in text


def test_an_approval_shows_amount_conditions_working_and_month() -> None:
    made = case().approved()
    text = read(issue(made, DocumentKind.DECISION, decided(made, "approved")))
    for words in (
        "审核决定书",
        "150,000.00元",
        "壹拾伍万元整",
        "在青羊区注册",
        "符合",
        "300,000元×50%",
        "2026年3月",
        "****",
    ):
        assert words in text


def test_a_rejection_points_at_the_clause_and_tells_of_the_appeal() -> None:
    made = case().rejected()
    text = read(issue(made, DocumentKind.DECISION, decided(made, "rejected")))
    for words in ("决定不予通过", "发票与项目无关（有效发票金额不低于10万元）", "60日内申请复核"):
        assert words in text


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [(ApplicationState.REJECTION_UPHELD, "upheld", "维持"), (ApplicationState.REVOKED, "revoked", "撤销")],
)
def test_what_was_upheld_or_revoked_is_told_too(state: ApplicationState, kind: str, words: str) -> None:
    made = case_in(state)
    assert words in read(issue(made, DocumentKind.DECISION, decided(made, kind)))


def test_a_payment_and_its_batch_are_told_with_amount_and_signatures() -> None:
    made = case().approved()
    finance = money.Finance()
    (batch,) = money.cut()
    money.paid(batch, finance)
    attempt = PaymentAttempt.objects.get(payable__application_id=made.id)
    text = read(issue(made, DocumentKind.PAYMENT, attempt.pk))
    for words in ("兑现通知书", "150,000.00", "壹拾伍万元整", "2026年3月24日", attempt.payee_name, "好差评"):
        assert words in text
    summary = issue(made, DocumentKind.BATCH, batch.pk)
    assert summary.application is None
    text = read(summary)
    for words in ("兑现批次汇总表", batch.number, Batch.objects.get(pk=batch.pk).file_sha256, "财务经办", "财务审批"):
        assert words in text
    assert attempt.account_number not in text


def test_a_file_is_handed_over_with_what_the_treasury_compares() -> None:
    made = case().approved()
    (batch,) = money.cut()
    money.paid(batch, money.Finance())
    document = issue(made, DocumentKind.HANDOVER, batch.pk)
    sealed = SealedFile.objects.get(batch=batch)
    text = read(document)
    assert document.number == "YJ-2026-000001"
    for words in (
        "资金拨付移交单",
        batch.number,
        sealed.name,
        sealed.sha256,
        "壹拾伍万元整",
        "移交人",
        "接收人",
        "财务审批",
    ):
        assert words in text


def test_a_closed_month_is_reported_with_what_it_paid_and_what_came_back() -> None:
    money.payables(3)
    (batch,) = money.cut()
    cycle = batch.cycle
    now = at(date(2026, 4, 1))
    with pytest.raises(notice_subjects.NothingToTell):
        notices.issue(kind=DocumentKind.MONTH, subject_id=cycle.pk, now=now)
    money.paid(batch, money.Finance(), bounced=[2])
    reconciliation.reconcile(batch_id=batch.pk, now=now)
    cycle.refresh_from_db()
    assert cycle.state == "closed"
    document = notices.issue(kind=DocumentKind.MONTH, subject_id=cycle.pk, now=now)
    text = read(document)
    assert document.application is None
    for words in (
        "月度兑现报告",
        "2026年3月",
        "付款文件共3笔、300,000.00元",
        "确认支付2笔、200,000.00元",
        "退票1笔、100,000.00元",
        "2笔在承诺月份或之前兑现，占100.0%",
        "账号户名不符",
        "研发投入补贴",
        "科技局",
    ):
        assert words in text


def test_money_asked_back_is_asked_for_in_writing_under_the_number_of_the_demand() -> None:
    made = case().approved()
    finance = money.Finance()
    (batch,) = money.cut()
    money.paid(batch, finance)
    payable = Payable.objects.get(application_id=made.id)
    now = at(date(2026, 5, 6))
    demand = payments.claw_back(
        payable_id=payable.pk, actor=finance.approver, now=now, reason="发票已作废", due_on=date(2026, 6, 5)
    )
    account = repayment.propose(
        account_name="区财政局",
        bank_name="成都银行",
        account_number="6222000011112222",
        contact="国库科",
        phone="028-86000000",
        reason="开户批复",
        actor=finance.maker,
        now=now,
    )
    repayment.decide(account_id=account.pk, approve=True, actor=finance.approver, now=now)
    document = notices.issue(kind=DocumentKind.CLAWBACK, subject_id=demand.pk, now=now)
    assert document.number == demand.number
    text = read(document)
    told = ("6222000011112222", "国库科，028-86000000", "成都银行")
    for words in ("追回通知书", "发票已作废", "150,000.00元", "2026年6月5日", "行政复议", made.enterprise.name, *told):
        assert words in text


def test_a_long_batch_is_printed_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_document, "MOST_LINES", 1)
    version = item()
    made = [case(version).approved() for _ in range(3)]
    (batch,) = money.cut()
    money.paid(batch, money.Finance())
    text = read(issue(made[0], DocumentKind.BATCH, batch.pk))
    assert "本批次共3笔，按事项列示" in text
    assert "450,000.00" in text
    assert all(entry.enterprise.name not in text for entry in made)


def test_nothing_is_told_that_has_not_happened() -> None:
    made = case().approved()
    with pytest.raises(notice_subjects.NothingToTell):
        issue(made, DocumentKind.NON_ACCEPTANCE, decided(made, "approved"))
    with pytest.raises(notice_subjects.NothingToTell):
        issue(made, DocumentKind.PAYMENT, 10**9)
    assert not Document.objects.exists()


def test_a_notice_is_rendered_once_and_keeps_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = case().accepted()
    first = issue(made, DocumentKind.ACCEPTANCE, decided(made, "accepted"))

    def twice(notice: object) -> bytes:
        raise AssertionError("rendered twice")

    monkeypatch.setattr(notices, "render_pdf", twice)
    again = notices.issue(
        kind=DocumentKind.ACCEPTANCE, subject_id=decided(made, "accepted"), now=made.later(days=300).now
    )
    assert again.pk == first.pk
    assert hashlib.sha256(bytes(again.content)).hexdigest() == again.sha256
    assert len(bytes(again.content)) == again.size < 300_000


def test_the_code_on_the_page_leads_to_the_page_that_confirms_it() -> None:
    made = case().accepted()
    document = issue(made, DocumentKind.ACCEPTANCE, decided(made, "accepted"))
    url = notices.verify_url(number=document.number)
    assert url.endswith("/verify/SL-2026-000001/")
    assert url in read(document)
    page = pypdf.PdfReader(io.BytesIO(bytes(document.content))).pages[0]
    [code] = page.images
    assert dots(code.data) == modules_of(url)
    [picture] = [entry.get_object() for entry in page["/Resources"]["/XObject"].values()]  # type: ignore[index]
    assert picture.get("/Interpolate") == False, "drawn without smoothing, sharp at any size"  # noqa: E712 - pypdf's own
    assert notices.verify(number=document.number) == document
    assert notices.verify(number="SL-2026-999999") is None


def modules_of(url: str) -> list[list[bool]]:
    """Whether each module is dark, the quiet zone of two around them."""
    return [[bool(module) for module in row] for row in segno.make(url, error="m", micro=False).matrix_iter(border=2)]


def dots(picture: bytes) -> list[list[bool]]:
    """Whether each dot of a picture is black."""
    image = Image.open(io.BytesIO(picture)).convert("L")
    values = list(image.tobytes())
    return [[value < 128 for value in values[at : at + image.width]] for at in range(0, len(values), image.width)]


def test_the_codes_modules_spell_the_address() -> None:
    url = "https://huida.example/verify/SL-2026-000001/"
    kind, content = qr_code(url).split(",", 1)
    assert kind == "data:image/png;base64"
    assert dots(base64.b64decode(content)) == modules_of(url)


def test_fonts_are_embedded_and_nothing_from_outside_is_loaded() -> None:
    made = case().accepted()
    document = issue(made, DocumentKind.ACCEPTANCE, decided(made, "accepted"))
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in pypdf.PdfReader(io.BytesIO(bytes(document.content))).pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert fonts
    assert all(re.match(r"/[A-Z]{6}\+", font) for font in fonts)
    with pytest.raises(ValueError, match="disallowed"):
        render._nothing_outside().fetch("file:///etc/hostname")


def test_a_name_with_markup_stays_a_name() -> None:
    made = case().submitted()
    made.enterprise.name = "<b>甲</b>&乙公司"
    made.enterprise.save()
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    assert "<b>甲</b>&乙公司" in read(issue(made, DocumentKind.ACCEPTANCE, decided(made, "accepted")))


def test_a_document_opens_for_whom_it_concerns() -> None:
    made = case().accepted()
    document = issue(made, DocumentKind.ACCEPTANCE, decided(made, "accepted"))
    for actor in (made.agent, made.reviewer):
        assert notices.open_document(document_id=document.pk, actor=actor)[1] == bytes(document.content)
    for stranger in (agent(applicant()),):
        with pytest.raises(Denied):
            notices.open_document(document_id=document.pk, actor=stranger)


def test_numbers_run_by_kind_and_year() -> None:
    first, second = case().accepted(), case().accepted()
    assert issue(first, DocumentKind.ACCEPTANCE, decided(first, "accepted")).number == "SL-2026-000001"
    later = notices.issue(
        kind=DocumentKind.ACCEPTANCE, subject_id=decided(second, "accepted"), now=at("2027-01-01", 0, 1)
    )
    assert later.number == "SL-2027-000001"
