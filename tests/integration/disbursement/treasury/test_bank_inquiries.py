"""A bank whose system never says whether it has a file is asked in writing, and two people act on its letter."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import BankInquiry, Batch, Delivery, DeliveryRoute, Gateway, ReturnLine, SealedFile
from disbursement.services.payment import bank_inquiries, gateways, returns, sealing, sending_deeds
from disbursement.services.payment.bank_inquiries import Letter
from disbursement.services.payment.collection import treasury_round
from disbursement.treasury.simulator import Bank
from matching.days import day_of
from matching.registry import outbox
from portal.inbox.models import Notification
from tests.factories import disbursement as people
from tests.factories import money
from tests.integration.portal.conftest import official, signed_in

from .test_gateways import Killed, a_gateway, a_sealed_batch, finance, over_http, send
from .test_sent_once import Way, dies, refuses

__all__ = ["finance", "over_http"]
pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = money.CUT + DAY
NOTHING = Letter(has_file=False, paper_number="工银函〔2026〕8号", written_on=day_of(LATER), text="查无此文件。")
TAKEN = Letter(
    has_file=True, paper_number="工银函〔2026〕9号", written_on=day_of(LATER), text="已受理。", reference="BK7"
)


@pytest.fixture
def doubtful(finance: money.Finance, over_http: Gateway, bank: Bank) -> Batch:
    """A sealed batch of whose key the bank says that other bytes stand under it, whenever it is asked."""
    batch = a_sealed_batch(finance)
    bank.take(key=gateways.key_of(batch.sealed_file), name="x.csv", content=b"other bytes")
    with pytest.raises(Invalid, match="立即与银行核对"):
        send(batch)
    return batch


def begin(batch: Batch, actor: Actor, *, now: datetime = money.CUT) -> BankInquiry:
    return bank_inquiries.begin(batch_id=batch.pk, actor=actor, now=now)


def enter(batch: Batch, actor: Actor, letter: Letter = NOTHING, *, now: datetime = LATER) -> BankInquiry:
    return bank_inquiries.enter(batch_id=batch.pk, letter=letter, actor=actor, now=now)


def decide(batch: Batch, actor: Actor, *, approve: bool = True, now: datetime = LATER, opinion: str = "") -> Delivery:
    return bank_inquiries.decide(batch_id=batch.pk, approve=approve, actor=actor, now=now, opinion=opinion)


def test_what_the_bank_has_not_got_goes_another_way_and_is_paid_once(
    doubtful: Batch, finance: money.Finance, settings: Any
) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    delivery = decide(doubtful, finance.approver)
    assert delivery.state == "refused"
    assert "工银函〔2026〕8号" in delivery.problem
    other = a_gateway(code="two", kind="folder", folder="two", is_default=False)
    sending_deeds.reroute(batch_id=doubtful.pk, actor=finance.checker, now=LATER, gateway_id=other.pk)
    [route] = DeliveryRoute.objects.all()
    assert (route.to_gateway, route.chosen_by_id, route.chosen_at) == (other, finance.checker.user_id, LATER)
    assert sealing.send(batch_id=doubtful.pk, now=LATER).state == "sent"
    assert len(list((settings.HUIDA_TREASURY_FOLDERS / "two" / "out").glob("2*.csv"))) == 1


def test_what_the_bank_says_it_took_counts_as_sent(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    # What the bank took needs no day of rest: nothing is sent again.
    enter(doubtful, finance.checker, Letter(True, "函1", day_of(money.CUT), "已受理。", "BK7"), now=money.CUT)
    delivery = decide(doubtful, finance.approver, now=money.CUT)
    assert (delivery.state, delivery.done_by_id) == ("done", finance.approver.user_id)
    batch = sealing.send(batch_id=doubtful.pk, now=LATER)
    assert (batch.state, batch.acknowledgement) == ("acknowledged", "BK7")


def test_the_machines_round_finishes_what_the_bank_says_it_took(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.checker, TAKEN)
    decide(doubtful, finance.approver)
    assert treasury_round(now=LATER)["sent"] == 1
    doubtful.refresh_from_db()
    assert doubtful.state == "acknowledged"


def test_while_the_bank_is_asked_nothing_is_sent(doubtful: Batch, finance: money.Finance, bank: Bank) -> None:
    tries = Delivery.objects.get().tries
    begin(doubtful, finance.maker)
    with pytest.raises(Invalid, match="书面核实，期间不发送"):
        send(doubtful)
    assert gateways.unfinished() == []
    treasury_round(now=LATER)
    assert Delivery.objects.get().tries == tries
    with pytest.raises(Invalid, match="不能改走其他通道"):
        sending_deeds.reroute(
            batch_id=doubtful.pk,
            actor=finance.checker,
            now=LATER,
            gateway_id=a_gateway(code="two", folder="two", is_default=False).pk,
        )
    bank_inquiries.give_up(batch_id=doubtful.pk, actor=finance.maker, now=LATER)
    assert gateways.unfinished() == [doubtful]
    with pytest.raises(Invalid, match="立即与银行核对"):
        send(doubtful)
    assert Delivery.objects.get().tries == tries + 1


def test_a_letter_of_the_day_of_the_last_try_says_nothing_of_it(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    early = Letter(False, "函1", day_of(money.CUT), "查无此文件。")
    with pytest.raises(Invalid, match="满一天以后"):
        enter(doubtful, finance.maker, early)
    assert BankInquiry.objects.get().entered_at is None


def test_before_a_day_has_passed_since_the_last_try_nobody_agrees_that_the_bank_has_nothing(
    doubtful: Batch, finance: money.Finance
) -> None:
    begin(doubtful, finance.maker)
    # On the same calendar day as the day's end of the try, but before it.
    hurry = LATER - timedelta(minutes=5)
    enter(doubtful, finance.maker, now=hurry)
    with pytest.raises(Invalid, match="不满一天"):
        decide(doubtful, finance.approver, now=hurry)
    assert Delivery.objects.get().state == "unsure"
    assert decide(doubtful, finance.approver, now=LATER).state == "refused"


def test_everything_missing_is_said_at_once(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    with pytest.raises(Invalid) as refused:
        enter(doubtful, finance.maker, Letter(None, " ", None, ""))
    assert {fault.place for fault in refused.value.faults} == {"has_file", "paper_number", "written_on", "text"}
    with pytest.raises(Invalid, match="不能晚于今天"):
        enter(doubtful, finance.maker, Letter(True, "函1", date(2027, 1, 1), "已受理。"))


def test_it_takes_two_people_of_finance(doubtful: Batch, finance: money.Finance) -> None:
    reviewer = people.staff(Role.REVIEWER)
    with pytest.raises(Denied):
        begin(doubtful, reviewer)
    begin(doubtful, finance.approver)
    with pytest.raises(Invalid, match="还没有登记"):
        decide(doubtful, finance.approver)
    with pytest.raises(Denied):
        enter(doubtful, reviewer)
    enter(doubtful, finance.approver)
    with pytest.raises(Conflict, match="另一名"):
        decide(doubtful, finance.approver)
    for nobody in (finance.maker, finance.checker, reviewer):
        with pytest.raises(Denied):
            decide(doubtful, nobody)
    assert decide(doubtful, people.staff(Role.FINANCE_APPROVER)).state == "refused"


def test_a_letter_that_is_refused_ends_the_inquiry_with_a_reason_and_tries_go_on(
    doubtful: Batch, finance: money.Finance
) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    with pytest.raises(Invalid, match="请写明不同意的原因"):
        decide(doubtful, finance.approver, approve=False)
    decide(doubtful, finance.approver, approve=False, opinion="没有公章")
    assert Delivery.objects.get().state == "unsure"
    assert gateways.unfinished() == [doubtful]
    with pytest.raises(Invalid, match="没有进行中的书面核实"):
        decide(doubtful, finance.approver)
    begin(doubtful, finance.maker, now=LATER)
    assert BankInquiry.objects.count() == 2


def test_what_returns_answer_meanwhile_is_not_sent_another_way(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    money.receive(money.answer(doubtful))
    with pytest.raises(Invalid, match="已经查明"):
        decide(doubtful, finance.approver)
    decide(doubtful, finance.approver, approve=False, opinion="回单已到")
    with pytest.raises(Invalid, match="已经清楚"):
        begin(doubtful, finance.maker)


def test_what_is_answered_after_the_letter_goes_no_other_way_either(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    assert decide(doubtful, finance.approver).state == "refused"
    money.receive(money.answer(doubtful))
    other = a_gateway(code="two", kind="folder", folder="two", is_default=False)
    with pytest.raises(Invalid, match="不能改走其他通道"):
        sending_deeds.reroute(batch_id=doubtful.pk, actor=finance.checker, now=LATER, gateway_id=other.pk)


def test_a_file_that_is_not_in_doubt_is_not_asked_about(finance: money.Finance) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)
    with pytest.raises(Invalid, match="尚未登记发送"):
        begin(batch, finance.maker)
    send(batch)
    with pytest.raises(Invalid, match="已经清楚"):
        begin(batch, finance.maker)


def test_it_is_done_on_the_batchs_page_by_two_people(doubtful: Batch) -> None:
    maker, approver = official("finance_maker"), official("finance_approver")
    page, place = f"/desk/batches/{doubtful.pk}/", f"/desk/batches/{doubtful.pk}/inquiry/"

    def act(who: Client, deed: str, **data: str) -> str:
        return who.post(f"{place}{deed}/", data, follow=True).text

    now = timezone.now()
    Delivery.objects.update(tried_at=now - 2 * DAY)
    one, other = signed_in(maker), signed_in(approver)
    assert "一直说不清" in one.get(page).text
    assert "已暂停发送" in act(one, "begin")
    assert "再次发送</button>" not in one.get(page).text
    again = act(one, "letter", has_file="no", paper_number="函1", written_on="2020-01-01", text="查无此文件。")
    assert "满一天以后" in again
    assert "查无此文件。</textarea>" in again
    entered = act(one, "letter", has_file="no", paper_number="函1", written_on=str(day_of(now)), text="查无此文件。")
    assert "由另一名财务审批人员决定" in entered
    assert "同意后登记为银行拒收" not in entered
    outbox.deliver(now=timezone.now())
    assert Notification.objects.filter(user=approver, title__contains="银行书面材料待审批").exists()
    assert "同意后登记为银行拒收" in other.get(page).text
    assert "已按银行的书面材料办理" in act(other, "agree")
    assert Delivery.objects.get().state == "refused"
    outbox.deliver(now=timezone.now())
    assert Notification.objects.filter(user=maker, title__contains="已按银行书面材料办理").exists()
    assert "函1" in one.get(page).text
    assert one.post(f"{place}nothing/").status_code == 404


def accepted(batch: Batch) -> bytes:
    """The bank's word that it took the file, and works on it."""
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-03-21T18:00:00+08:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{batch.number}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>ACSP</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>""".encode()


def to_another(batch: Batch, finance: money.Finance, **settings: Any) -> Gateway:
    other = a_gateway(code="two", is_default=False, **{"kind": "folder", "folder": "two", **settings})
    sending_deeds.reroute(batch_id=batch.pk, actor=finance.checker, now=LATER, gateway_id=other.pk)
    return other


@pytest.mark.parametrize("kind", ["folder", "by_hand"])
def test_what_the_first_bank_answers_after_a_reroute_is_not_brought_to_the_second(
    doubtful: Batch, finance: money.Finance, settings: Any, kind: str
) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    decide(doubtful, finance.approver)
    to_another(doubtful, finance, kind=kind, folder="two" if kind == "folder" else "")
    if kind == "by_hand":
        assert sealing.send(batch_id=doubtful.pk, now=LATER).state == "sealed"
    money.receive(money.answer(doubtful))
    sealing.send(batch_id=doubtful.pk, now=LATER)
    assert not (settings.HUIDA_TREASURY_FOLDERS / "two" / "out").exists()
    page = signed_in(official("finance_maker")).get(f"/desk/batches/{doubtful.pk}/").text
    assert "请勿再交、再发" in page
    with pytest.raises(Invalid, match="不是待人工交银行"):
        sending_deeds.confirm_by_hand(batch_id=doubtful.pk, actor=finance.maker, now=LATER)
    assert "登记已交银行" not in page
    assert "再次发送</button>" not in page


def test_a_try_that_ends_refused_while_the_bank_is_asked_leaves_the_letter_the_last_word(
    finance: money.Finance, out: Path
) -> None:
    out.mkdir(parents=True)
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)

    def asked_about() -> None:
        begin(batch, finance.maker)
        refuses()

    with pytest.raises(Invalid):
        gateways.hand_over(batch_id=batch.pk, now=money.CUT, channel=Way(asked_about))
    assert Delivery.objects.get().state == "refused"
    with pytest.raises(Invalid, match="不能改走其他通道"):
        to_another(batch, finance)
    with pytest.raises(Invalid, match="已经查明"):
        enter(batch, finance.maker)
    enter(batch, finance.maker, TAKEN)
    assert decide(batch, finance.approver).state == "done"


def test_a_bank_that_says_it_took_the_file_has_it_though_the_answer_to_the_sending_was_lost(
    finance: money.Finance, treasury: Path
) -> None:
    treasury.mkdir(exist_ok=True)
    batch = a_sealed_batch(finance, file_format="pain001")
    with pytest.raises(Killed):
        gateways.hand_over(batch_id=batch.pk, now=money.CUT, channel=Way(dies))
    begin(batch, finance.maker)
    enter(batch, finance.maker)
    money.receive(accepted(batch), name="accepted.xml", now=LATER)
    batch.refresh_from_db()
    assert batch.state == "acknowledged"
    with pytest.raises(Invalid, match="已经查明"):
        decide(batch, finance.approver)


def test_while_a_return_speaks_of_the_batch_nobody_agrees_that_the_bank_has_nothing(
    doubtful: Batch, finance: money.Finance
) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    line = money.lines(doubtful)[0]
    money.receive(money.return_file({doubtful.line_id(line.line_no): ("1.00", "成功")}, on=day_of(LATER)), now=LATER)
    with pytest.raises(Invalid, match="回单提到了这个批次"):
        decide(doubtful, finance.approver)
    page = signed_in(official("finance_maker")).get(f"/desk/batches/{doubtful.pk}/").text
    assert "查看回单例外" in page
    [exception] = ReturnLine.objects.filter(status="exception")
    returns.resolve_exception(line_id=exception.pk, actor=finance.checker, now=LATER, resolution="银行误发")
    assert decide(doubtful, finance.approver).state == "refused"


@pytest.fixture
def out(settings: Any) -> Path:
    """The folder of the gateway in doubt."""
    return settings.HUIDA_TREASURY_FOLDERS / "one" / "out"


@pytest.fixture
def written(finance: money.Finance, out: Path) -> Batch:
    """A batch whose file stands in the folder, and whose marker could not be written: it is in doubt."""
    a_gateway(folder="one", done_marker=True)
    batch = a_sealed_batch(finance)
    marker = out / f"{SealedFile.objects.get().name}.done"
    marker.mkdir(parents=True)
    with pytest.raises(Invalid):
        send(batch)
    marker.rmdir()
    assert list(out.glob("2*.csv")) != []
    return batch


def test_while_the_bank_is_asked_the_file_does_not_stand_in_its_folder_and_then_it_is_written_anew(
    written: Batch, finance: money.Finance, out: Path
) -> None:
    begin(written, finance.maker)
    assert list(out.glob("2*")) == []
    enter(written, finance.maker)
    decide(written, finance.approver)
    assert sealing.send(batch_id=written.pk, now=LATER).state == "sent"
    assert sorted(path.suffix for path in out.glob("2*")) == [".csv", ".done"]


def test_what_was_fetched_before_the_bank_was_asked_is_not_written_anew_unless_it_has_not_got_it(
    written: Batch, finance: money.Finance, out: Path
) -> None:
    [file] = out.glob("2*.csv")
    file.unlink()  # as a machine of the bank's does
    begin(written, finance.maker)
    bank_inquiries.give_up(batch_id=written.pk, actor=finance.maker, now=LATER)
    sealing.send(batch_id=written.pk, now=LATER)
    assert list(out.glob("2*.csv")) == []


def test_a_file_that_stands_in_the_folder_again_at_the_end_is_not_called_refused(
    written: Batch, finance: money.Finance, out: Path
) -> None:
    begin(written, finance.maker)
    enter(written, finance.maker)
    # A try that began before the bank was asked comes to its end only now.
    (out / SealedFile.objects.get().name).write_bytes(bytes(SealedFile.objects.get().content))
    with pytest.raises(Invalid, match="还在文件夹中"):
        decide(written, finance.approver)
    assert Delivery.objects.get().state == "unsure"


def test_a_folder_that_is_not_there_or_holds_another_file_of_that_name_is_no_place_to_take_back_from(
    written: Batch, finance: money.Finance, out: Path
) -> None:
    [file] = out.glob("2*.csv")
    file.write_bytes(b"of somebody else")
    with pytest.raises(Invalid, match="内容不同"):
        begin(written, finance.maker)
    assert file.read_bytes() == b"of somebody else"
    out.rename(out.with_name("elsewhere"))
    with pytest.raises(Invalid, match="请恢复挂载"):
        begin(written, finance.maker)
    assert not BankInquiry.objects.exists()


def test_who_dies_while_a_file_is_taken_back_leaves_no_word_that_it_was_fetched(
    written: Batch, finance: money.Finance, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [file] = out.glob("2*.csv")
    unlink = Path.unlink

    def dies_at_the_file(path: Path, missing_ok: bool = False) -> None:
        if path == file:
            raise Killed
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dies_at_the_file)
        with pytest.raises(Killed):
            begin(written, finance.maker)
    assert sealing.send(batch_id=written.pk, now=LATER).state == "sent"
    assert sorted(path.suffix for path in out.glob("2*")) == [".csv", ".done"]


def test_what_a_bank_took_from_the_folder_of_the_settings_is_not_put_there_again(
    finance: money.Finance, treasury: Path
) -> None:
    treasury.mkdir(exist_ok=True)
    batch = a_sealed_batch(finance)
    with pytest.raises(Killed):
        gateways.hand_over(batch_id=batch.pk, now=money.CUT, channel=Way(dies))
    begin(batch, finance.maker)
    enter(batch, finance.maker, TAKEN)
    decide(batch, finance.approver)
    assert treasury_round(now=LATER)["sent"] == 1
    assert list(treasury.iterdir()) == []


def test_an_opinion_that_goes_with_an_agreement_is_kept(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    decide(doubtful, finance.approver, opinion="已核对原件")
    assert BankInquiry.objects.get().note == "已核对原件"


def test_who_enters_a_letter_after_another_is_told(doubtful: Batch, finance: money.Finance) -> None:
    begin(doubtful, finance.maker)
    enter(doubtful, finance.maker)
    data = {"has_file": "no", "paper_number": "函2", "written_on": str(day_of(LATER)), "text": "查无此文件。"}
    answer = signed_in(official("finance_checker")).post(f"/desk/batches/{doubtful.pk}/inquiry/letter/", data)
    assert answer.status_code == 422
    assert "已经登记" in answer.text


def test_each_try_of_a_round_bears_the_time_at_which_it_begins(finance: money.Finance) -> None:
    a_gateway(folder="one")
    a_sealed_batch(finance)
    times = iter(LATER + timedelta(minutes=minute) for minute in range(1, 99))
    treasury_round(now=LATER, clock=lambda: next(times))
    assert Delivery.objects.filter(tried_at__gt=LATER).exists()
