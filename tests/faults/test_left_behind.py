"""What a dead process left is brought to its end by the treasury's round, without anybody: each point has its test."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from disbursement.models import Batch, Cycle, Delivery, Gateway, ReturnFile, RunKind, SealedFile
from disbursement.services import runs
from disbursement.services.payment import collection, gateways, returns, sealing
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
NOW = at("2026-03-25")


class Died(BaseException):
    """The process ended here: nothing after it ran, and nothing caught it."""


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Path) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"


@pytest.fixture
def batch() -> Batch:
    money.payables(2)
    [made] = money.cut()
    return money.signed(made, money.Finance())


def dies(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def die(**_: object) -> None:
        raise Died

    monkeypatch.setattr(where, die)


def test_a_sealed_file_whose_sending_never_began_is_sent_by_the_round(batch: Batch) -> None:
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    assert not Delivery.objects.exists()
    assert collection.treasury_round(now=money.CUT)["sent"] == 1
    batch.refresh_from_db()
    assert batch.state == "sent"


def test_a_file_that_arrived_and_was_not_told_as_sent_is_told_by_the_round(batch: Batch) -> None:
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    gateways.hand_over(batch_id=batch.pk, now=money.CUT)
    assert Delivery.objects.get().state == "done"
    assert collection.treasury_round(now=money.CUT)["sent"] == 1
    batch.refresh_from_db()
    assert batch.state == "sent"


def test_a_return_whose_reader_died_before_the_figures_were_compared_is_read_again(
    batch: Batch, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gateway.objects.create(code="bank", name="银行", kind="folder", folder="bank", is_default=True, updated_at=NOW)
    arrivals = settings.HUIDA_TREASURY_FOLDERS / "bank" / "in"
    arrivals.mkdir(parents=True)
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    sealing.send(batch_id=batch.pk, now=money.CUT)
    (arrivals / "return.csv").write_bytes(money.answer(batch))
    os.utime(arrivals / "return.csv", (0, 0))  # nothing has touched it for a while
    with monkeypatch.context() as patched:
        dies(patched, "disbursement.services.payment.returns.reconcile")
        with pytest.raises(Died):
            collection.treasury_round(now=NOW)
    batch.refresh_from_db()
    assert (ReturnFile.objects.get().posted_at, batch.state) == (None, "acknowledged")
    collection.treasury_round(now=NOW)
    batch.refresh_from_db()
    assert (ReturnFile.objects.get().posted_at, batch.state) == (NOW, "closed")


def test_a_return_that_a_person_brought_and_that_was_half_posted_is_finished_by_the_round(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    sealing.send(batch_id=batch.pk, now=money.CUT)
    with monkeypatch.context() as patched:
        dies(patched, "disbursement.services.payment.returns.reconcile")
        with pytest.raises(Died):
            returns.import_return(name="return.csv", content=money.answer(batch), now=NOW)
    collection.treasury_round(now=NOW + timedelta(minutes=4))
    assert ReturnFile.objects.get().posted_at is None  # its reader may still be at it
    collection.treasury_round(now=NOW + timedelta(minutes=6))
    batch.refresh_from_db()
    assert (ReturnFile.objects.get().posted_at is not None, batch.state) == (True, "closed")


def test_a_return_that_cannot_be_finished_stops_no_other(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    sealing.send(batch_id=batch.pk, now=money.CUT)
    bad, _, _ = returns.receive(name="bad.csv", content=money.answer(batch, only=[1]), now=NOW)
    good, _, _ = returns.receive(name="good.csv", content=money.answer(batch), now=NOW)
    post = returns.post_file

    def post_all_but_one(*, file_id: int, **options: Any) -> returns.ReturnReport:
        if file_id == bad.pk:
            raise OSError("磁盘已满")
        return post(file_id=file_id, **options)

    monkeypatch.setattr(returns, "post_file", post_all_but_one)
    assert returns.finish_interrupted(before=NOW + timedelta(minutes=1), now=NOW) == 1
    good.refresh_from_db()
    assert good.posted_at is not None
    assert "could not be finished" in caplog.text


def test_two_readers_of_one_file_at_different_times_both_come_to_their_end(batch: Batch) -> None:
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    sealing.send(batch_id=batch.pk, now=money.CUT)
    content = money.answer(batch)
    file, _, said = returns.receive(name="return.csv", content=content, now=NOW)
    returns.post_file(file_id=file.pk, now=NOW)
    # The other read the file's row before the first was done, and is done a second later.
    assert file.posted_at is None
    report = returns._post(
        file=file, name=file.name, content=content, said=said, now=NOW + timedelta(seconds=1), on_progress=None
    )
    assert (report.posted, ReturnFile.objects.get().posted_at) == (2, NOW)


@pytest.mark.parametrize("began", [False, True], ids=["never woken", "lost in the middle"])
def test_a_run_without_a_worker_is_worked_off_by_the_round(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, began: bool
) -> None:
    finance = money.Finance()
    run = runs.ask(kind=RunKind.SEAL, actor=finance.maker, now=money.CUT, cycle_id=Cycle.objects.get().pk)
    if began:
        with monkeypatch.context() as patched:
            dies(patched, "disbursement.services.month.cycles.send")
            with pytest.raises(Died):
                runs.work_off(run_id=run.pk, clock=lambda: money.CUT)
        assert SealedFile.objects.count() == 1
    collection.treasury_round(now=money.CUT + timedelta(minutes=4))
    run.refresh_from_db()
    assert not run.is_over  # it may only be slow
    collection.treasury_round(now=money.CUT + timedelta(minutes=6))
    run.refresh_from_db()
    batch.refresh_from_db()
    assert (run.state, batch.state, SealedFile.objects.count()) == ("done", "sent", 1)


def test_a_run_that_breaks_again_stops_no_other(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    finance = money.Finance()
    run = runs.ask(kind=RunKind.SEAL, actor=finance.maker, now=money.CUT, cycle_id=Cycle.objects.get().pk)

    def breaks(**_: object) -> None:
        raise OSError("磁盘已满")

    monkeypatch.setattr("disbursement.services.month.cycles.seal", breaks)
    assert runs.take_up_silent(now=money.CUT + timedelta(minutes=6), clock=lambda: money.CUT) == 1
    run.refresh_from_db()
    assert (run.state, run.beat_at) == ("broken", money.CUT)
    assert "taken up again" in caplog.text
