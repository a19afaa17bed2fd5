"""No page waits for a bank: what speaks to one over the network is a worker's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from disbursement import tasks
from disbursement.models import BackgroundRun, RunKind
from disbursement.services import runs
from disbursement.services.payment.collection import treasury_round
from disbursement.treasury.simulator.server import Server
from portal.accounts.models import User
from tests.factories import money
from tests.integration.portal.conftest import official, signed_in

from .test_gateways import TOKEN, a_gateway, a_sealed_batch

pytestmark = pytest.mark.django_db
Given = list[tuple[str, int]]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> tuple[Given, Callable[[], None]]:
    """What pages give to workers, and the worker that then does it."""
    given: Given = []
    found = {task.name: task for task in (tasks.send_batch, tasks.collect_returns, tasks.work_off_run)}
    for task in found.values():
        monkeypatch.setattr(task, "apply_async", lambda args, name=task.name, **_options: given.append((name, *args)))

    def work() -> None:
        while given:
            name, pk = given.pop(0)
            found[name](pk)

    return given, work


@pytest.fixture
def over_http(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(TOKEN, "the-secret")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return a_gateway(kind="http", url=server.url, token_variable=TOKEN, timeout=2)


def test_sealing_on_a_batchs_page_seals_at_once_and_leaves_the_bank_to_a_worker(over_http: Any, worker: Any) -> None:
    given, work = worker
    money.payables(2)
    [batch] = money.cut()
    office = money.Finance()
    money.signed(batch, office)
    desk = signed_in(User.objects.get(pk=office.maker.user_id or 0))
    assert desk.post(f"/desk/batches/{batch.pk}/do/seal/").status_code == 302
    batch.refresh_from_db()
    assert (batch.state, given) == ("sealed", [("disbursement.send_batch", batch.pk)])
    work()
    batch.refresh_from_db()
    assert batch.state == "acknowledged"


def test_sending_again_and_fetching_returns_are_a_workers(over_http: Any, worker: Any) -> None:
    given, work = worker
    batch = a_sealed_batch(money.Finance())
    desk = signed_in(official("finance_maker"))
    answer = desk.post(f"/desk/batches/{batch.pk}/delivery/again/", follow=True)
    assert "正在后台向银行查询并发送" in answer.text
    desk.post(f"/desk/gateways/{over_http.pk}/collect/")
    assert [name for name, _ in given] == ["disbursement.send_batch", "disbursement.collect_returns"]
    over_http.refresh_from_db()
    assert over_http.collected_at is None
    work()
    over_http.refresh_from_db()
    batch.refresh_from_db()
    assert over_http.collected_at is not None
    assert batch.sent_at is not None


def test_sealing_a_small_month_over_the_network_is_a_run_in_the_background(over_http: Any, worker: Any) -> None:
    given, work = worker
    money.payables(1)
    [batch] = money.cut()
    money.signed(batch, money.Finance())
    assert runs.is_long(kind=RunKind.SEAL, cycle_id=batch.cycle_id)
    desk = signed_in(official("finance_maker"))
    answer = desk.post(f"/desk/cycles/{batch.cycle_id}/seal/")
    assert answer["Location"] == f"/desk/runs/{BackgroundRun.objects.get().pk}/"
    assert given
    work()
    batch.refresh_from_db()
    assert batch.sent_at is not None


def test_what_stays_in_the_house_is_done_at_once(worker: Any) -> None:
    given, _work = worker
    money.payables(1)
    [batch] = money.cut()
    money.signed(batch, money.Finance())
    assert not runs.is_long(kind=RunKind.SEAL, cycle_id=batch.cycle_id)
    signed_in(official("finance_maker")).post(f"/desk/batches/{batch.pk}/do/seal/")
    batch.refresh_from_db()
    assert (batch.state, given) == ("sent", [])


def test_a_worker_that_is_refused_leaves_the_reason_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    a_gateway(kind="http", url="http://127.0.0.1:9", timeout=1)
    batch = a_sealed_batch(money.Finance())
    assert "银行" in tasks.send_batch(batch.pk)
    page = signed_in(official("finance_maker")).get(f"/desk/batches/{batch.pk}/").text
    assert "不能确定银行是否收到" in page


def test_where_the_queue_is_away_the_page_says_that_it_goes_on_by_itself(
    over_http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = a_sealed_batch(money.Finance())
    desk = signed_in(official("finance_maker"))

    def away(*_args: Any, **_options: Any) -> None:
        raise OperationalError("[Errno 111] Connection refused")

    with monkeypatch.context() as without:
        for task in (tasks.send_batch, tasks.collect_returns):
            without.setattr(task, "apply_async", away)
        for address in (f"/desk/batches/{batch.pk}/delivery/again/", f"/desk/gateways/{over_http.pk}/collect/"):
            assert "后台队列暂时连接不上" in desk.post(address, follow=True).text
    treasury_round(now=timezone.now())
    batch.refresh_from_db()
    assert batch.sent_at is not None
