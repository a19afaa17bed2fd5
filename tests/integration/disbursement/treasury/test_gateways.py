"""A sealed file reaches the bank once, whichever way it goes and wherever the process dies on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Batch, Delivery, Gateway, SealedFile
from disbursement.services.month import cycles
from disbursement.services.payment import gateways, sealing, sending_deeds
from disbursement.services.payment.gateway_settings import GatewaySettings, save_gateway
from disbursement.treasury.channels import HttpChannel, Parcel, Receipt, Unsure
from disbursement.treasury.simulator import Bank, Mischief
from disbursement.treasury.simulator.bank import Taken
from disbursement.treasury.simulator.server import Server
from tests.factories import disbursement as people
from tests.factories import money

pytestmark = pytest.mark.django_db
TOKEN = "HUIDA_GATEWAY_TEST_TOKEN"


class Killed(BaseException):
    """The process dies here: nothing after it runs, what was not committed is gone."""


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def a_sealed_batch(finance: money.Finance, *, file_format: str | None = None) -> Batch:
    money.payables(2)
    [batch] = money.cut()
    money.signed(batch, finance, file_format=file_format)
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    batch.refresh_from_db()
    return batch


def a_gateway(**settings: Any) -> Gateway:
    wanted = GatewaySettings(**{"code": "bank", "name": "代理银行", "kind": "folder", "is_default": True, **settings})
    return save_gateway(wanted=wanted, actor=people.staff(Role.FINANCE_APPROVER), now=money.CUT)


@pytest.fixture
def over_http(server: Server, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setenv(TOKEN, "the-secret")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return a_gateway(kind="http", url=server.url, token_variable=TOKEN, timeout=2)


@contextmanager
def killed_at_statement(number: int) -> Iterator[None]:
    """The process dies just before its n-th SQL statement."""
    count = 0

    def fuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fuse):
        yield


def send(batch: Batch) -> Batch:
    return sealing.send(batch_id=batch.pk, now=money.CUT)


def test_without_a_gateway_the_file_goes_to_the_folder_of_the_settings(finance: money.Finance, treasury: Path) -> None:
    batch = a_sealed_batch(finance)
    assert send(batch).state == "sent"
    [sealed] = SealedFile.objects.all()
    assert (treasury / sealed.name).read_bytes() == bytes(sealed.content)
    assert sorted(path.name for path in treasury.iterdir()) == [sealed.name]
    delivery = Delivery.objects.get(sealed_file=sealed)
    assert (delivery.state, delivery.tries, delivery.gateway) == ("done", 1, None)


def test_a_shared_folder_gets_the_file_and_then_its_marker(finance: money.Finance, settings: Any) -> None:
    a_gateway(folder="icbc", done_marker=True)
    batch = a_sealed_batch(finance)
    assert send(batch).state == "sent"
    out = settings.HUIDA_TREASURY_FOLDERS / "icbc" / "out"
    [sealed] = SealedFile.objects.all()
    assert (out / sealed.name).read_bytes() == bytes(sealed.content)
    assert (out / f"{sealed.name}.done").read_text() == f"{sealed.sha256}\n"


def test_a_budget_line_may_have_a_gateway_of_its_own(finance: money.Finance, settings: Any) -> None:
    a_gateway(folder="everybody")
    a_gateway(code="own", folder="own", is_default=False, lines=[people.budget_line().pk])
    send(a_sealed_batch(finance))
    assert (settings.HUIDA_TREASURY_FOLDERS / "own" / "out").exists()
    assert not (settings.HUIDA_TREASURY_FOLDERS / "everybody").exists()


def test_a_file_taken_there_by_hand_is_sent_when_a_person_says_so(finance: money.Finance) -> None:
    a_gateway(kind="by_hand")
    batch = a_sealed_batch(finance)
    assert send(batch).state == "sealed"
    assert [b.pk for b in cycles.seal_signed(month=money.MONTH, now=money.CUT).waiting] == [batch.pk]
    assert gateways.unfinished() == []
    with pytest.raises(Denied):
        sending_deeds.confirm_by_hand(batch_id=batch.pk, actor=people.staff(Role.REVIEWER), now=money.CUT)
    sending_deeds.confirm_by_hand(batch_id=batch.pk, actor=finance.maker, now=money.CUT, reference="柜台0001")
    assert send(batch).state == "acknowledged"
    batch.refresh_from_db()
    assert batch.acknowledgement == "柜台0001"


@pytest.mark.parametrize("file_format", ["bank_csv", "bank_xlsx", "pain001", "voucher", "vouchergbk"])
def test_over_http_the_bank_takes_each_format_and_says_its_number(
    finance: money.Finance, over_http: Gateway, bank: Bank, file_format: str
) -> None:
    batch = send(a_sealed_batch(finance, file_format=file_format))
    [(taken, order)] = bank.orders()
    assert (batch.state, batch.acknowledgement) == ("acknowledged", taken.reference)
    assert [line.line_id for line in order.lines] == [batch.line_id(1), batch.line_id(2)]


def test_sending_again_sends_nothing_again(finance: money.Finance, over_http: Gateway, bank: Bank) -> None:
    batch = a_sealed_batch(finance)
    for _ in range(3):
        assert send(batch).state == "acknowledged"
    assert Delivery.objects.get().tries == 1
    assert len(bank.paid_lines()) == 2


def test_a_lost_answer_is_found_by_asking_and_not_by_sending_again(
    finance: money.Finance, over_http: Gateway, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.mischief = Mischief(lost_answer=1)
    posts: list[str] = []
    take = bank.take

    def counted(**said: Any) -> Taken:
        posts.append(said["key"])
        return take(**said)

    monkeypatch.setattr(bank, "take", counted)
    batch = send(a_sealed_batch(finance))
    assert batch.state == "acknowledged"
    assert len(posts) == 1


@pytest.mark.parametrize("mischief", [Mischief(lost_request=1), Mischief(error=1)])
def test_a_bank_that_cannot_be_reached_leaves_the_batch_sealed_and_the_next_call_goes_on_with_the_same_key(
    finance: money.Finance, over_http: Gateway, bank: Bank, mischief: Mischief
) -> None:
    batch = a_sealed_batch(finance)
    bank.mischief = mischief
    with pytest.raises(Invalid, match="不会重复支付"):
        send(batch)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, bank.paid_lines()) == ("unsure", 1, [])
    assert gateways.unfinished() == [batch]
    bank.mischief = Mischief()
    assert send(batch).state == "acknowledged"
    delivery.refresh_from_db()
    assert [taken.key for taken, _ in bank.orders()] == [delivery.key]


def test_a_file_that_the_bank_refuses_says_why_and_may_go_another_way(
    finance: money.Finance, over_http: Gateway, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = a_sealed_batch(finance)
    monkeypatch.setenv(TOKEN, "wrong")
    with pytest.raises(Invalid, match="401"):
        send(batch)
    assert Delivery.objects.get().state == "refused"
    by_hand = a_gateway(code="hand", kind="by_hand", is_default=False)
    sending_deeds.reroute(batch_id=batch.pk, actor=finance.checker, now=money.CUT, gateway_id=by_hand.pk)
    assert send(batch).state == "sealed"
    assert Delivery.objects.get().state == "by_hand"


def test_what_may_have_arrived_goes_no_other_way(finance: money.Finance, over_http: Gateway, bank: Bank) -> None:
    batch = a_sealed_batch(finance)
    bank.mischief = Mischief(lost_request=1)
    with pytest.raises(Invalid):
        send(batch)
    other = a_gateway(code="hand", kind="by_hand", is_default=False)
    with pytest.raises(Invalid, match="不能改走其他通道"):
        sending_deeds.reroute(batch_id=batch.pk, actor=finance.checker, now=money.CUT, gateway_id=other.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(gateway=other)


def test_the_database_keeps_the_key_the_tries_and_what_arrived(finance: money.Finance) -> None:
    send(a_sealed_batch(finance))
    for change in ({"key": "another"}, {"tries": 0}, {"state": "planned", "done_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Delivery.objects.update(**change)


def test_a_missing_secret_is_told_before_anything_is_tried(finance: money.Finance, server: Server) -> None:
    a_gateway(kind="http", url=server.url, token_variable="HUIDA_GATEWAY_NOWHERE")
    batch = a_sealed_batch(finance)
    with pytest.raises(Invalid, match="HUIDA_GATEWAY_NOWHERE"):
        send(batch)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("url", ["http://bank.example/api", "ftp://127.0.0.1", "https://a:b@bank.example", "nonsense"])
def test_an_address_that_is_not_safe_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        a_gateway(kind="http", url=url)
    assert refused.value.faults[0].place == "url"


def test_killed_before_any_statement_and_run_again_the_bank_pays_once(
    finance: money.Finance, over_http: Gateway, bank: Bank, tmp_path: Path
) -> None:
    batch = a_sealed_batch(finance)
    points = 0
    for number in range(1, 100):
        fresh = Bank(tmp_path / f"bank-{number}")
        channel = _Straight(fresh)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gateways, "channel_for", lambda gateway, channel=channel: channel)
            undo = transaction.savepoint()
            try:
                with killed_at_statement(number):
                    send(batch)
            except Killed:
                points += 1
            else:
                break
            assert send(batch).state == "acknowledged"
            delivery = Delivery.objects.get()
            assert delivery.state == "done"
            assert [taken.key for taken, _ in fresh.orders()] == [delivery.key], f"statement {number}"
            assert len(fresh.paid_lines()) == len(set(fresh.paid_lines())) == 2
            transaction.savepoint_rollback(undo)
    assert points > 10


def send_and_die(batch: Batch, monkeypatch: pytest.MonkeyPatch, *, is_taken: bool) -> None:
    """The process dies at the post of the file: after the bank has taken it, or before."""
    post = HttpChannel._post

    def die(self: HttpChannel, parcel: Parcel) -> Receipt:
        if is_taken:
            post(self, parcel)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(HttpChannel, "_post", die)
        with pytest.raises(Killed):
            send(batch)


@pytest.mark.parametrize("moment", ["before the bank has it", "after the bank has it"])
def test_killed_around_the_handing_over_and_run_again_the_bank_pays_once(
    finance: money.Finance, over_http: Gateway, bank: Bank, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    batch = a_sealed_batch(finance)
    send_and_die(batch, monkeypatch, is_taken=moment.startswith("after"))
    assert (Delivery.objects.get().state, Delivery.objects.get().tries) == ("planned", 1)
    assert send(batch).state == "acknowledged"
    assert len(bank.paid_lines()) == 2


class _Straight:
    """The bank without a wire between: fast enough to die before each statement."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    def hand_over(self, parcel: Parcel, *, tried: bool) -> Receipt:
        return Receipt(self.bank.take(key=parcel.key, name=parcel.name, content=parcel.open().read()).reference)

    def arrivals(self, *, known: Callable[[str], bool], at: float) -> Iterator[Any]:
        return iter(())


def test_answers_about_another_file_are_believed_by_nobody(server: Server, bank: Bank) -> None:
    bank.take(key="202603001-abcdef01", name="x.csv", content=b"other bytes")
    channel = HttpChannel(server.url, token="the-secret", timeout=2, wait=lambda seconds: None)
    parcel = Parcel.of(key="202603001-abcdef01", name="x.csv", content=b"these bytes")
    with pytest.raises(Unsure, match="不符"):
        channel.enquire(parcel)
    assert Parcel.of(key=parcel.key, name=parcel.name, content=b"other bytes").sha256 != parcel.sha256
