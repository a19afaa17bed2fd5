"""`manage.py cycle`, as it is typed."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from disbursement.models import Batch, Cycle, Payable, ReturnFile, SealedFile
from disbursement.services.month import cycles
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db


def cycle(*argv: str) -> str:
    out = io.StringIO()
    call_command("cycle", *argv, stdout=out, no_color=True)
    return out.getvalue()


def test_a_month_from_open_to_reconciled(tmp_path: Path) -> None:
    assert "截止日2026-03-20" in cycle("open", "--month", "2026-03", "--as-of", "2026-03-01")
    assert "此前已开启" in cycle("open", "--as-of", "2026-03-02T09:00")
    money.payables(2)
    assert "2笔，200,000.00元" in cycle("cutoff", "--as-of", "2026-03-20T17:00")
    assert "此前已截止" in cycle("cutoff", "--as-of", "2026-03-23")
    [batch] = Batch.objects.all()
    assert "尚未签署完毕" in cycle("seal", "--as-of", "2026-03-20")
    money.signed(batch, money.Finance())
    said = cycle("seal", "--as-of", "2026-03-20T18:00")
    assert SealedFile.objects.get().sha256 in said
    assert "没有待封存的批次" in cycle("seal", "--as-of", "2026-03-20T18:00")
    answer = tmp_path / "bank.csv"
    answer.write_bytes(money.answer(batch, bounced=[2]))
    said = cycle("returns", str(answer), "--as-of", "2026-03-25")
    assert "入账2笔，重复0笔，例外0笔" in said
    assert "四项数据一致" in said
    assert "此前已读过" in cycle("returns", str(answer), "--as-of", "2026-03-25")
    said = cycle("status", "--month", "2026-03", "--as-of", "2026-03-25")
    assert "已关闭" in said
    assert "退票：1笔，100,000.00元" in said
    assert "账实不符" not in said


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["cutoff", "--month", "2026-03", "--as-of", "2026-03-19"], "尚未到期"),
        (["seal", "--month", "2026-03", "--as-of", "2026-03-19"], "尚未开启"),
        (["status", "--month", "March"], "--month"),
        (["status", "--as-of", "soon"], "--as-of"),
        (["returns", "/nowhere/at/all.csv"], "无法读取"),
    ],
)
def test_what_cannot_be_done_is_told_in_chinese_with_exit_code_two(argv: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        cycle(*argv)
    assert caught.value.returncode == 2


def test_a_file_that_is_no_return_leaves_nothing_and_says_what_it_should_be(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="明细号"):
        cycle("returns", str(wrong))
    assert ReturnFile.objects.count() == 0


def test_the_calendar_that_is_missing_is_warned_of() -> None:
    assert "尚未录入" in cycle("status", "--as-of", "2029-03-01")


def test_the_morning_after_the_cut_off_day_the_cycle_is_cut_off_by_itself() -> None:
    money.payable()
    assert cycles.daily(now=at("2026-03-20", 5)) == []
    [batch] = cycles.daily(now=at("2026-03-21", 5))
    assert batch.state == "checked"
    assert cycles.daily(now=at("2026-03-22", 5)) == []
    assert list(Cycle.objects.values_list("state", flat=True)) == ["cut_off"]


def test_cutting_off_more_payables_takes_hardly_more_queries() -> None:
    def queries(number: int, month: date) -> int:
        for payable in money.payables(number):
            Payable.objects.filter(pk=payable.pk).update(pay_month=month, slip_reason="x")
        with CaptureQueriesContext(connection) as captured:
            [batch] = money.cut(month=month, now=at(month.replace(day=20)))
        assert batch.count == number
        return len(captured)

    assert queries(12, date(2026, 4, 1)) <= queries(2, date(2026, 5, 1))
