"""What the bank sends back is fetched from each gateway, in every format, and ends the same however badly it comes."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError

from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import Batch, Gateway, Payable, PaymentAttempt, ReturnFile, ReturnLine
from disbursement.services.payment import collection, returns, sealing
from disbursement.treasury.channels import HttpChannel
from disbursement.treasury.channels.http import MOST_FILES
from disbursement.treasury.simulator import ANSWER_FORMATS, Bank, Mischief
from disbursement.treasury.simulator.server import Server
from tests.factories import money
from tests.factories.disbursement import at

from .test_gateways import TOKEN, a_gateway, a_sealed_batch, send

pytestmark = pytest.mark.django_db
NOW = at("2026-03-26")
PAID_ON = date(2026, 3, 24)


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


@pytest.fixture
def over_http(server: Server, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setenv(TOKEN, "the-secret")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return a_gateway(kind="http", url=server.url, token_variable=TOKEN, timeout=2)


def picture() -> dict[str, object]:
    return {
        "payables": list(Payable.objects.order_by("id").values_list("state", flat=True)),
        "attempts": list(PaymentAttempt.objects.order_by("id").values_list("outcome", "outcome_on", "contradicted")),
        "balances": {kind.value: balance for kind, balance in balances(line=money.line()).items()},
        "posted": sorted(ReturnLine.objects.filter(status="posted").values_list("line_id", "result", "occurred_on")),
    }


@pytest.mark.parametrize("answers", ANSWER_FORMATS)
def test_each_format_comes_back_over_http_and_closes_the_batch(
    finance: money.Finance, server: Server, over_http: Gateway, answers: str, tmp_path: Path
) -> None:
    server.bank = Bank(tmp_path / "another", answers=answers)
    batch = send(a_sealed_batch(finance))
    server.bank.settle(on=PAID_ON)
    names: list[str] = []
    told: list[tuple[int, int]] = []
    [done] = collection.collect_all(now=NOW, on_step=names.append, on_progress=lambda *lines: told.append(lines))
    assert names == [report.file.name for report in done.reports]
    assert (2, 2) in told
    assert [(report.posted, report.exceptions) for report in done.reports] == [(2, 0)]
    batch.refresh_from_db()
    assert (batch.state, done.problems) == ("closed", [])
    before = picture()
    for _ in range(2):
        [again] = collection.collect_all(now=NOW)
        assert again.reports == []
    assert picture() == before


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("answers", ["csv", "camt053"])
def test_a_bank_that_misbehaves_in_every_way_ends_with_the_books_right(
    finance: money.Finance, server: Server, over_http: Gateway, tmp_path: Path, answers: str, seed: int
) -> None:
    everything = Mischief.parse(
        "lost_answer=1,late_bounce=0.5,duplicate,repeat,partial,wrong_amount,wrong_payee,out_of_order,strangers"
    )
    server.bank = Bank(tmp_path / "bad", mischief=everything, seed=seed, answers=answers)
    batch = send(a_sealed_batch(finance))
    server.bank.settle(on=PAID_ON)
    collection.collect_all(now=NOW)
    late = {line for name, content in server.bank.returns() if "late" in name for line in _ids(content)}
    for attempt in batch.attempts.all():
        assert attempt.outcome == ("bounced" if batch.line_id(attempt.line_no or 0) in late else "paid")
    assert ledger_findings(line=money.line()) == []
    # Whatever did not agree is on somebody's list, and nothing of it was posted.
    wrong = ReturnLine.objects.filter(status="exception")
    assert (
        wrong.filter(problem__startswith="金额不符").exists()
        or wrong.filter(problem__startswith="收款账号不符").exists()
    )
    assert len(server.bank.paid_lines()) == 2


def _ids(content: bytes) -> set[str]:
    import re

    return {found.decode() for found in re.findall(rb"[0-9]{9}-[0-9]{6}", content)}


def test_a_folder_is_read_when_its_files_are_whole_and_emptied(
    finance: money.Finance, settings: Any, treasury: Path
) -> None:
    a_gateway(folder="icbc", done_marker=True)
    batch = send(a_sealed_batch(finance))
    inbox = settings.HUIDA_TREASURY_FOLDERS / "icbc" / "in"
    inbox.mkdir(parents=True)
    content = money.answer(batch)
    (inbox / "r1.csv").write_bytes(content[:200])
    (inbox / ".r0.csv").write_bytes(content)
    (inbox / "notes.txt").write_text("x")
    (inbox / "link.csv").symlink_to("/etc/hostname")
    [done] = collection.collect_all(now=NOW)
    assert (done.reports, done.problems) == ([], [])
    (inbox / "r1.csv").write_bytes(content)
    (inbox / "r1.csv.done").write_text("")
    [done] = collection.collect_all(now=NOW)
    assert [report.posted for report in done.reports] == [2]
    assert (inbox / "processed" / "r1.csv").read_bytes() == content
    assert not (inbox / "r1.csv.done").exists()


def test_a_marker_of_other_bytes_leaves_the_file_where_it_is(finance: money.Finance, settings: Any) -> None:
    a_gateway(folder="icbc", done_marker=True)
    inbox = settings.HUIDA_TREASURY_FOLDERS / "icbc" / "in"
    inbox.mkdir(parents=True)
    (inbox / "r1.csv").write_bytes(b"half")
    (inbox / "r1.csv.done").write_text("0" * 64)
    [done] = collection.collect_all(now=NOW)
    assert (done.reports, (inbox / "r1.csv").exists()) == ([], True)


def test_a_file_that_is_no_return_is_put_aside_with_the_reason(finance: money.Finance, settings: Any) -> None:
    gateway = a_gateway(folder="icbc")
    inbox = settings.HUIDA_TREASURY_FOLDERS / "icbc" / "in"
    inbox.mkdir(parents=True)
    (inbox / "menu.csv").write_text("菜名,价格\n")
    [done] = collection.collect_all(now=at("2099-01-01"))
    assert "首行应为" in done.problems[0]
    assert "首行应为" in (inbox / "rejected" / "menu.csv.txt").read_text()
    gateway.refresh_from_db()
    assert "menu.csv" in gateway.problem
    assert not ReturnFile.objects.exists()


def test_a_bank_that_cannot_be_reached_is_told_on_the_gateway(over_http: Gateway, server: Server) -> None:
    Gateway.objects.update(url="http://127.0.0.1:1")
    [done] = collection.collect_all(now=NOW)
    assert "连接中断" in done.problems[0]


def test_the_round_ends_what_was_begun_and_fetches_what_came(
    finance: money.Finance, server: Server, over_http: Gateway
) -> None:
    batch = a_sealed_batch(finance)
    server.bank.mischief = Mischief(lost_request=1)
    with pytest.raises(Exception, match="不会重复支付"):
        sealing.send(batch_id=batch.pk, now=money.CUT)
    assert collection.treasury_round(now=NOW) == {"sent": 0, "failed": 1, "files": 0, "problems": 0}
    server.bank.mischief = Mischief()
    assert collection.treasury_round(now=NOW)["sent"] == 1
    server.bank.settle(on=PAID_ON)
    assert collection.treasury_round(now=NOW) == {"sent": 0, "failed": 0, "files": 1, "problems": 0}
    assert Batch.objects.get().state == "closed"


def test_files_that_were_taken_in_before_do_not_count_against_what_one_round_fetches(
    server: Server, tmp_path: Path
) -> None:
    for number in range(MOST_FILES + 3):
        (tmp_path / "bank" / "returns" / f"HD{number:05d}.csv").write_bytes(str(number).encode())
    known = {hashlib.sha256(str(number).encode()).hexdigest() for number in range(MOST_FILES + 2)}
    channel = HttpChannel(server.url, token="the-secret", timeout=5)
    arrived = [arrival.name for arrival in channel.arrivals(known=known.__contains__, at=0)]
    assert arrived == [f"HD{MOST_FILES + 2:05d}.csv"]


def test_what_is_left_for_the_next_round_is_told(
    server: Server, over_http: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("disbursement.treasury.channels.http.MOST_FILES", 2)
    for number in range(3):
        (tmp_path / "bank" / "returns" / f"HD{number}.csv").write_bytes(
            money.return_file({f"20260300{number}-000001": ("1.00", "成功")})
        )
    [done] = collection.collect_all(now=NOW)
    assert (len(done.reports), "其余下一轮再取" in done.problems[0]) == (2, True)
    [done] = collection.collect_all(now=NOW)
    assert (len(done.reports), done.problems) == (1, [])


def test_a_file_on_which_the_reading_breaks_stops_no_other_and_stays_for_the_next_round(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = a_gateway(folder="icbc")
    inbox = settings.HUIDA_TREASURY_FOLDERS / "icbc" / "in"
    inbox.mkdir(parents=True)
    for number in range(3):
        (inbox / f"{number}.csv").write_bytes(money.return_file({f"20260300{number}-000001": ("1.00", "成功")}))
    read = returns.import_return

    def breaks(*, name: str, **said: Any) -> Any:
        if name == "1.csv":
            raise DataError("integer out of range")
        return read(name=name, **said)

    with monkeypatch.context() as patch:
        patch.setattr(collection, "import_return", breaks)
        [done] = collection.collect_all(now=at("2099-01-01"))
    assert len(done.reports) == 2
    assert "1.csv：处理时出错" in done.problems[0]
    gateway.refresh_from_db()
    assert gateway.problem == done.problems[0]
    assert [path.name for path in sorted(inbox.glob("*.csv"))] == ["1.csv"]
    [done] = collection.collect_all(now=at("2099-01-01"))
    assert (len(done.reports), done.problems) == (1, [])
