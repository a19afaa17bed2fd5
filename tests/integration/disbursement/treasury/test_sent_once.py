"""A file that may have reached one bank goes to no other: refusals, second tries, two at once, deaths in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from disbursement.domain.errors import Invalid
from disbursement.models import Batch, Delivery, Gateway
from disbursement.services.payment import gateways, sending_deeds
from disbursement.services.payment.collection import treasury_round
from disbursement.services.payment.gateway_settings import GatewaySettings, is_in_doubt, save_gateway
from disbursement.treasury.channels import HttpChannel, Parcel, Receipt, Refusal, Unsure
from disbursement.treasury.simulator import Bank, Mischief
from tests.factories import money
from tests.integration.portal.conftest import official, signed_in

from .test_gateways import TOKEN, Killed, a_gateway, a_sealed_batch, finance, over_http, send, send_and_die

__all__ = ["finance", "over_http"]
pytestmark = pytest.mark.django_db


class Way:
    """A channel on which this happens to what is handed over."""

    def __init__(self, happens: Callable[[], Any]) -> None:
        self.happens = happens

    def hand_over(self, parcel: Parcel, *, tried: bool) -> Receipt | None:
        self.happens()
        return Receipt("BK1")

    def arrivals(self, **_options: Any) -> Iterator[Any]:
        return iter(())


def dies() -> None:
    raise Killed


def refuses() -> None:
    raise Refusal("银行拒绝接收（403）。")


def hand(batch: Batch, happens: Callable[[], Any], *, now: datetime = money.CUT) -> None:
    gateways.hand_over(batch_id=batch.pk, now=now, channel=Way(happens))


def tried(batch: Batch, happens: Callable[[], Any], *, now: datetime = money.CUT) -> str:
    """What the sending is after a try at which this happened."""
    with pytest.raises((Invalid, Killed)):
        hand(batch, happens, now=now)
    return str(Delivery.objects.get().state)


def goes_no_other_way(batch: Batch, finance: money.Finance) -> None:
    other = a_gateway(code="two", kind="folder", folder="two", is_default=False)
    with pytest.raises(Invalid, match="不能改走其他通道"):
        sending_deeds.reroute(batch_id=batch.pk, actor=finance.checker, now=money.CUT, gateway_id=other.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(gateway=other)
    page = signed_in(official("finance_maker")).get(f"/desk/batches/{batch.pk}/").text
    assert "再次发送" in page
    assert "改用此通道" not in page
    assert gateways.unfinished() == [batch]


@pytest.mark.parametrize("moment", ["before the bank has it", "after the bank has it"])
def test_a_file_that_was_refused_and_is_sent_again_is_no_longer_refused_when_the_sender_dies(
    finance: money.Finance, over_http: Gateway, bank: Bank, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    batch = a_sealed_batch(finance)
    with monkeypatch.context() as patch:
        patch.setenv(TOKEN, "wrong")
        with pytest.raises(Invalid, match="401"):
            send(batch)
    assert Delivery.objects.get().state == "refused"
    send_and_die(batch, monkeypatch, is_taken=moment.startswith("after"))
    goes_no_other_way(batch, finance)
    page = signed_in(official("finance_maker")).get(f"/desk/batches/{batch.pk}/").text
    assert "最近一次发送尚无结果" in page
    assert treasury_round(now=money.CUT)["sent"] == 1
    assert len(bank.paid_lines()) == 2


def test_while_a_refused_file_is_sent_again_it_is_offered_no_other_way(finance: money.Finance) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)
    assert tried(batch, refuses) == "refused"
    hand(batch, lambda: goes_no_other_way(batch, finance))
    assert Delivery.objects.get().state == "done"


@pytest.mark.parametrize("begun", ["anew", "after a refusal"])
def test_a_refusal_says_nothing_of_a_try_that_began_before_and_is_still_under_way(
    finance: money.Finance, begun: str
) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)
    if begun != "anew":
        tried(batch, refuses)

    def overtaken_and_killed() -> None:
        assert tried(batch, refuses) == "unsure"
        raise Killed

    assert tried(batch, overtaken_and_killed) == "unsure"
    goes_no_other_way(batch, finance)


def test_a_refusal_says_nothing_of_a_try_that_began_after_it(finance: money.Finance) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)

    def followed() -> None:
        tried(batch, dies)
        refuses()

    assert tried(batch, followed) == "unsure"
    goes_no_other_way(batch, finance)


def test_after_a_try_in_doubt_a_refusal_counts_when_a_day_has_passed_or_it_is_of_the_key(
    finance: money.Finance,
) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)
    assert tried(batch, dies) == "planned"
    for hours in range(1, 24, 4):
        assert tried(batch, refuses, now=money.CUT + timedelta(hours=hours)) == "unsure"
    assert "一天内不能改走其他通道" in Delivery.objects.get().problem
    assert tried(batch, refuses, now=money.CUT + timedelta(hours=24)) == "refused"
    later = money.CUT + timedelta(hours=25)
    assert tried(batch, dies, now=later) == "planned"

    def refuses_the_key() -> None:
        raise Refusal("银行拒绝受理", of_key=True)

    assert tried(batch, refuses_the_key, now=later) == "refused"


def test_an_enquiry_that_fails_does_not_put_off_the_day_after_which_a_refusal_counts(finance: money.Finance) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)
    assert tried(batch, dies) == "planned"

    def asks_in_vain() -> None:
        raise Unsure("银行没有应答", left=False)

    for hours in (0.5, 23.9):
        assert tried(batch, asks_in_vain, now=money.CUT + timedelta(hours=hours)) == "unsure"
    assert tried(batch, refuses, now=money.CUT + timedelta(hours=23.95)) == "unsure"
    assert tried(batch, refuses, now=money.CUT + timedelta(hours=24.5)) == "refused"


def test_a_refused_file_stays_refused_where_the_bank_cannot_even_be_asked(
    finance: money.Finance, over_http: Gateway, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = a_sealed_batch(finance)
    monkeypatch.setenv(TOKEN, "wrong")
    with pytest.raises(Invalid, match="401"):
        send(batch)
    with pytest.raises(Invalid, match="本次没有送出文件"):
        send(batch)
    Gateway.objects.update(url="http://127.0.0.1:9")
    with pytest.raises(Invalid, match="银行此前已拒收"):
        send(batch)
    assert Delivery.objects.get().state == "refused"
    bank.take(key=gateways.key_of(batch.sealed_file), name="x.csv", content=b"other bytes")
    Gateway.objects.update(url=over_http.url)
    monkeypatch.setenv(TOKEN, "the-secret")
    with pytest.raises(Invalid, match="不符"):
        send(batch)
    goes_no_other_way(batch, finance)


def test_what_returns_have_answered_is_not_in_doubt_and_is_not_posted_to_a_bank_that_forgot_it(
    finance: money.Finance, over_http: Gateway, bank: Bank
) -> None:
    batch = a_sealed_batch(finance)
    bank.mischief = Mischief(lost_request=1)
    with pytest.raises(Invalid):
        send(batch)
    assert is_in_doubt(gateway=over_http)
    money.receive(money.answer(batch))
    assert not is_in_doubt(gateway=over_http)
    bank.mischief = Mischief()
    send(batch)
    assert bank.orders() == []
    page = signed_in(official("finance_maker")).get(f"/desk/batches/{batch.pk}/").text
    assert reverse("desk:delivery_act", args=[batch.pk, "again"]) not in page


def test_a_way_that_is_not_set_up_is_no_dead_end_for_a_refused_file(finance: money.Finance) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)
    assert tried(batch, refuses) == "refused"
    missing = {"kind": "http", "url": "http://127.0.0.1:9", "token_variable": "HUIDA_GATEWAY_NOWHERE"}
    for code, settings in (("two", missing), ("three", {"folder": "three"})):
        page = signed_in(official("finance_maker")).get(f"/desk/batches/{batch.pk}/").text
        other = a_gateway(code=code, is_default=False, **settings)
        sending_deeds.reroute(batch_id=batch.pk, actor=finance.checker, now=money.CUT, gateway_id=other.pk)
        if code == "two":
            with pytest.raises(Invalid, match="HUIDA_GATEWAY_NOWHERE"):
                send(batch)
    assert "改用此通道" in page
    assert send(batch).state == "sent"


def test_the_second_way_may_refuse_as_well_and_a_third_be_chosen(finance: money.Finance) -> None:
    a_gateway(folder="one")
    batch = a_sealed_batch(finance)
    for code in ("two", "three"):
        assert tried(batch, refuses) == "refused"
        other = a_gateway(code=code, folder=code, is_default=False)
        sending_deeds.reroute(batch_id=batch.pk, actor=finance.checker, now=money.CUT, gateway_id=other.pk)
    assert send(batch).state == "sent"


def test_a_key_that_the_bank_has_used_for_other_bytes_is_no_refusal(
    finance: money.Finance, over_http: Gateway, bank: Bank
) -> None:
    batch = a_sealed_batch(finance)
    bank.take(key=gateways.key_of(batch.sealed_file), name="x.csv", content=b"other bytes")
    for _ in range(2):
        with pytest.raises(Invalid, match="请勿另行发送，立即与银行核对"):
            send(batch)
        assert Delivery.objects.get().state == "unsure"
    goes_no_other_way(batch, finance)


class Scripted(HttpChannel):
    """A bank that gives these answers to what is posted, and knows of nothing."""

    def __init__(self, *answers: tuple[int, bytes] | Unsure) -> None:
        super().__init__("http://127.0.0.1:9", wait=lambda seconds: None)
        self.answers = list(answers)

    def _call(self, method: str, path: str, **_options: Any) -> tuple[int, bytes]:
        if method == "GET":
            return 404, b""
        answer = self.answers.pop(0)
        if isinstance(answer, Unsure):
            raise answer
        return answer


def test_a_refusal_after_a_post_without_an_answer_leaves_it_open_unless_it_is_of_the_key() -> None:
    parcel = Parcel.of(key="202603001-abcdef01", name="x.csv", content=b"bytes")
    of_key = f'{{"key": "{parcel.key}", "sha256": "{parcel.sha256}", "status": "rejected"}}'.encode()
    with pytest.raises(Refusal) as refused:
        Scripted((403, b"{}")).hand_over(parcel, tried=False)
    assert not refused.value.of_key
    for open_yet in ((503, b""), Unsure("连接中断")):
        with pytest.raises(Unsure, match="没有得到答复"):
            Scripted(open_yet, (403, b"{}")).hand_over(parcel, tried=False)
        with pytest.raises(Refusal) as refused:
            Scripted(open_yet, (422, of_key)).hand_over(parcel, tried=False)
        assert refused.value.of_key
    for _ in range(2):
        with pytest.raises(Unsure, match="409"):
            Scripted(*[(409, b"{}")] * 3).hand_over(parcel, tried=False)


def test_a_gateway_through_which_a_file_may_have_left_keeps_its_kind(
    finance: money.Finance, over_http: Gateway, bank: Bank
) -> None:
    batch = a_sealed_batch(finance)
    by_hand = GatewaySettings(code="bank", name="代理银行", kind="by_hand", is_default=True)

    def change() -> None:
        save_gateway(wanted=by_hand, actor=finance.approver, now=money.CUT, gateway_id=over_http.pk)

    bank.mischief = Mischief(lost_request=1)
    with pytest.raises(Invalid):
        send(batch)
    with pytest.raises(Invalid, match="不能改变方式"):
        change()
    bank.mischief = Mischief()
    send(batch)
    change()


def test_the_address_of_a_gateway_in_doubt_changes_only_on_somebodys_word_that_it_is_the_same_bank(
    finance: money.Finance, over_http: Gateway, bank: Bank
) -> None:
    batch = a_sealed_batch(finance)
    elsewhere = GatewaySettings(code="bank", name="代理银行", kind="http", url="http://127.0.0.1:9/", is_default=True)

    def move(**said: bool) -> Gateway:
        return save_gateway(wanted=elsewhere, actor=finance.approver, now=money.CUT, gateway_id=over_http.pk, **said)

    bank.mischief = Mischief(lost_request=1)
    with pytest.raises(Invalid):
        send(batch)
    with pytest.raises(Invalid, match="换到别处会再送一次"):
        move()
    over_http.refresh_from_db()
    assert over_http.url != elsewhere.url
    assert move(is_same_system=True).url == elsewhere.url


def test_the_page_of_a_gateway_asks_for_that_word_only_while_a_file_is_in_doubt(
    finance: money.Finance, over_http: Gateway, bank: Bank
) -> None:
    administrator = signed_in(official("administrator"))
    page = reverse("desk:gateway_edit", args=[over_http.pk])
    batch = a_sealed_batch(finance)
    assert "is_same_system" not in administrator.get(page).content.decode()
    bank.mischief = Mischief(lost_request=1)
    with pytest.raises(Invalid):
        send(batch)
    form = {"name": "代理银行", "kind": "http", "url": "http://127.0.0.1:9/", "timeout": 30, "is_active": "on"}
    assert "换到别处会再送一次" in administrator.post(page, form).content.decode()
    assert administrator.post(page, {**form, "is_same_system": "on"}).status_code == 302
    over_http.refresh_from_db()
    assert over_http.url == form["url"]
