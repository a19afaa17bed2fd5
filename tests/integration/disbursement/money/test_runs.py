"""Long work in the background gives what doing it by hand gives, and shows how far it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Invalid
from disbursement.models import BackgroundRun, Batch, Cycle, CyclePreflight, ReturnFile, RunKind, StateChange, YearEnd
from disbursement.selectors.staff import finance_staff
from disbursement.services import runs
from disbursement.services.budget import year_end
from disbursement.services.month import cycles, preflight, preflight_book, preparation
from disbursement.services.payment import bulk, returns
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Any) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a piece, so that a handful of payables is work in several."""
    monkeypatch.setattr(bulk, "PIECE", 2)
    monkeypatch.setattr(preparation, "PIECE", 2)
    monkeypatch.setattr(preflight_book, "PIECE", 2)
    monkeypatch.setattr(returns, "PIECE", 2)
    monkeypatch.setattr(year_end, "_PIECE", 2)


def asked(kind: RunKind, actor: Actor, **subject: Any) -> BackgroundRun:
    return runs.ask(kind=kind, actor=actor, now=money.CUT, **subject)


def test_a_month_in_the_background_ends_as_one_by_hand(small_pieces: None) -> None:
    finance = money.Finance()
    money.payables(5)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    run = runs.work_off(
        run_id=asked(RunKind.CUT_OFF, finance.maker, cycle_id=cycle.pk).pk, clock=lambda: at("2026-03-20", 18)
    )
    assert (run.state, run.percent) == ("done", 100)
    batch = Batch.objects.get()
    assert (batch.state, batch.count) == ("checked", 5)
    assert [line.line_no for line in money.lines(batch)] == [1, 2, 3, 4, 5]
    money.signed(batch, finance)
    sealed = runs.work_off(run_id=asked(RunKind.SEAL, finance.maker, cycle_id=cycle.pk).pk, clock=lambda: money.CUT)
    assert (sealed.state, sealed.done, sealed.total) == ("done", 5, 5)
    batch.refresh_from_db()
    file, _, _ = returns.receive(
        name="b.csv", content=money.answer(batch, bounced=[2]), now=money.CUT, actor=finance.maker
    )
    answered = runs.work_off(run_id=asked(RunKind.RETURNS, finance.maker, file_id=file.pk).pk, clock=lambda: money.CUT)
    assert answered.message == "入账 5 笔，重复 0 笔，例外 0 笔。"
    batch.refresh_from_db()
    assert batch.state == "closed"


def test_work_that_was_done_is_not_done_again_by_a_second_worker() -> None:
    finance = money.Finance()
    money.payables(2)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    run = asked(RunKind.CUT_OFF, finance.maker, cycle_id=cycle.pk)
    runs.work_off(run_id=run.pk, clock=lambda: money.CUT)
    before = StateChange.objects.count()
    assert runs.work_off(run_id=run.pk, clock=lambda: money.CUT).state == "done"
    assert StateChange.objects.count() == before


def test_asking_twice_gives_the_same_run_and_a_silent_one_is_replaced() -> None:
    finance = money.Finance()
    money.payable()
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    first = asked(RunKind.CUT_OFF, finance.maker, cycle_id=cycle.pk)
    assert asked(RunKind.CUT_OFF, finance.checker, cycle_id=cycle.pk).pk == first.pk
    later = runs.ask(
        kind=RunKind.CUT_OFF,
        actor=finance.maker,
        now=money.CUT + runs.SILENCE + timedelta(minutes=1),
        cycle_id=cycle.pk,
    )
    first.refresh_from_db()
    assert later.pk != first.pk
    assert first.state == "broken"


def test_a_month_that_is_not_due_is_not_begun() -> None:
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    with pytest.raises(Invalid, match="尚未到期"):
        runs.ask(kind=RunKind.CUT_OFF, actor=money.Finance().maker, now=at("2026-03-19"), cycle_id=cycle.pk)


def test_a_piece_that_fails_leaves_those_before_it_and_the_next_run_goes_on(
    small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    finance = money.Finance()
    money.payables(5)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    original = bulk.add_lines
    calls: list[int] = []

    def crash_at_the_second(**arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the power went")
        original(**arguments)

    monkeypatch.setattr(preparation, "add_lines", crash_at_the_second)
    run = asked(RunKind.CUT_OFF, finance.maker, cycle_id=cycle.pk)
    with pytest.raises(RuntimeError, match="power"):
        runs.work_off(run_id=run.pk, clock=lambda: money.CUT)
    run.refresh_from_db()
    assert run.state == "broken"
    assert Batch.objects.get().attempts.count() == 2
    again = runs.work_off(run_id=asked(RunKind.CUT_OFF, finance.maker, cycle_id=cycle.pk).pk, clock=lambda: money.CUT)
    assert again.state == "done"
    assert [line.line_no for line in money.lines(Batch.objects.get())] == [1, 2, 3, 4, 5]


def test_a_run_is_of_what_its_kind_is_about() -> None:
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    row = {"asked_at": money.CUT, "beat_at": money.CUT}
    for wrong in (
        {"kind": "returns", "cycle": cycle},
        {"kind": "seal", "cycle": cycle, "year": 2026},
        {"kind": "year_end", "cycle": cycle, "year": 2026, "paper_number": "1"},
        {"kind": "year_end", "year": 2026},
        {"kind": "seal", "cycle": cycle, "done": 2, "total": 1},
        {"kind": "seal", "cycle": cycle, "state": "done"},
        {"kind": "seal", "cycle": cycle, "state": "asleep"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            BackgroundRun.objects.create(**row, **wrong)


def test_the_page_shows_a_bar_that_asks_again_until_the_work_is_over(client: Client) -> None:
    from portal.accounts.models import User

    finance = money.Finance()
    money.payables(2)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    run = asked(RunKind.CUT_OFF, finance.maker, cycle_id=cycle.pk)
    client.force_login(User.objects.get(pk=str(finance.maker.user_id)))
    url = reverse("desk:run", args=[run.pk])
    waiting = client.get(url).content.decode()
    assert 'http-equiv="refresh"' in waiting
    assert "hx-get" in waiting
    runs.work_off(run_id=run.pk, clock=lambda: money.CUT)
    over = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "hx-get" not in over
    assert "已截止：1 个批次待经办，0 笔因校验暂缓。" in over
    assert "100%" in over


def test_a_long_cut_off_asked_for_on_the_page_is_given_to_a_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.accounts.models import User

    finance = money.Finance()
    money.payables(3)
    monkeypatch.setattr(runs, "AT_ONCE", 2)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    client.force_login(User.objects.get(pk=str(finance.maker.user_id)))
    response = client.post(reverse("desk:cycle_cut_off", args=[cycle.pk]))
    run = BackgroundRun.objects.get()
    assert response.headers["Location"] == reverse("desk:run", args=[run.pk])
    assert (run.state, Batch.objects.get().count) == ("done", 3)  # tasks run eagerly in tests
    assert Cycle.objects.get().state == "cut_off"
    assert ReturnFile.objects.count() == 0


def test_a_long_batch_is_sealed_by_a_worker_from_its_months_page_and_no_page_waits_for_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.accounts.models import User

    finance = money.Finance()
    money.payables(3)
    [batch] = money.cut()
    money.signed(batch, finance)
    monkeypatch.setattr(runs, "AT_ONCE", 2)
    client.force_login(User.objects.get(pk=str(finance.maker.user_id)))
    month = reverse("desk:cycle", args=[batch.cycle_id])
    page = client.post(reverse("desk:batch_act", args=[batch.pk, "seal"]), follow=True)
    assert page.redirect_chain == [(month, 302)]
    assert "封存并发送已签署批次" in page.text
    batch.refresh_from_db()
    assert batch.state == "approved"
    response = client.post(reverse("desk:cycle_seal", args=[batch.cycle_id]))
    assert response.headers["Location"] == reverse("desk:run", args=[BackgroundRun.objects.get().pk])
    batch.refresh_from_db()
    assert batch.state in ("sent", "acknowledged")


def test_a_preflight_in_the_background_sees_what_one_by_hand_sees(small_pieces: None) -> None:
    finance = money.Finance()
    money.payables(5)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    by_hand = preflight.look(month=money.MONTH, now=money.CUT, staff=finance_staff, probe=True)
    run = runs.work_off(
        run_id=asked(RunKind.PREFLIGHT, finance.maker, cycle_id=cycle.pk).pk, clock=lambda: at("2026-03-20", 18)
    )
    kept = CyclePreflight.objects.get()
    assert (run.state, run.done, run.total) == ("done", 5, 5)
    assert run.message == f"预检完成：须先处理 {kept.stops} 项，不会支付 0 笔。"
    assert (kept.content, kept.made_by_id, kept.made_at) == (by_hand.to_json(), finance.maker.user_id, money.CUT)


def test_a_preflight_that_is_worked_off_after_the_cut_off_is_refused_and_keeps_nothing() -> None:
    finance = money.Finance()
    money.payable()
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    waiting = asked(RunKind.PREFLIGHT, finance.maker, cycle_id=cycle.pk)
    cycles.cut_off(month=money.MONTH, now=money.CUT)
    assert runs.work_off(run_id=waiting.pk, clock=lambda: money.CUT).state == "refused"
    assert not CyclePreflight.objects.exists()
    with pytest.raises(Invalid, match="已经截止"):
        asked(RunKind.PREFLIGHT, finance.maker, cycle_id=cycle.pk)


def test_a_long_preflight_asked_for_on_the_page_is_given_to_a_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.accounts.models import User

    finance = money.Finance()
    money.payables(2)
    monkeypatch.setattr(runs, "AT_ONCE", 2)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    client.force_login(User.objects.get(pk=str(finance.maker.user_id)))
    response = client.post(reverse("desk:cycle_preflight_run", args=[cycle.pk]))
    run = BackgroundRun.objects.get()
    assert response.headers["Location"] == reverse("desk:run", args=[run.pk])
    over = client.get(response.headers["Location"]).content.decode()
    assert reverse("desk:cycle_preflight", args=[cycle.pk]) in over
    assert CyclePreflight.objects.get().made_by_id == finance.maker.user_id


def test_a_year_is_closed_in_the_background_as_by_hand_and_tells_how_far_it_is(
    client: Client, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.accounts.models import User

    people.budget_line(year=2025, code="old", ceiling="900000")
    item = money.version("10000", line="old")
    for _ in range(5):
        money.payable("10000.00", item=item, now=at("2025-12-10"))
    monkeypatch.setattr(runs, "AT_ONCE", 4)
    finance = money.Finance()
    client.force_login(User.objects.get(pk=str(finance.approver.user_id)))
    response = client.post(reverse("desk:year_end_close", args=[2025]), {"paper_number": "青财〔2026〕2号"})
    run = BackgroundRun.objects.get()
    assert response.headers["Location"] == reverse("desk:run", args=[run.pk])
    assert (run.state, run.done, run.total) == ("done", 10, 10)
    closed = YearEnd.objects.get()
    assert (closed.carried, closed.carried_count, closed.closed_by_id) == (50000, 5, finance.approver.user_id)
    page = client.get(response.headers["Location"]).content.decode()
    assert "已关账 1 个科目" in page
    assert reverse("desk:year_end", args=[2025]) in page
    assert reverse("desk:run", args=[run.pk]) in client.get(reverse("desk:year_end", args=[2025])).content.decode()


def test_a_year_is_not_closed_by_who_no_longer_may_and_not_without_a_paper() -> None:
    people.budget_line(year=2025, code="old", ceiling="1000")
    finance = money.Finance()
    with pytest.raises(Invalid, match="批准文号"):
        asked(RunKind.YEAR_END, finance.approver, year=2025)
    run = asked(RunKind.YEAR_END, finance.maker, year=2025, paper_number="青财〔2026〕2号")
    assert asked(RunKind.YEAR_END, finance.approver, year=2025, paper_number="青财〔2026〕2号").pk == run.pk
    with pytest.raises(Invalid, match="已按“青财〔2026〕2号”发起"):
        asked(RunKind.YEAR_END, finance.approver, year=2025, paper_number="另一号")
    assert runs.work_off(run_id=run.pk, clock=lambda: money.CUT).state == "refused"
    assert not YearEnd.objects.exists()
