"""An audit of returns that were read under other settings than today's accuses nobody, and still sees what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from disbursement import guards
from disbursement.audit.batches import check_returns
from disbursement.audit.findings import Scope
from disbursement.models import Batch, ReturnLine
from disbursement.treasury.formats import name_return_tables
from tests.factories import money

pytestmark = pytest.mark.django_db
TABLE = {
    "name": "甲银行",
    "columns": {"line_id": "客户流水号", "account": "对方账号", "amount": "交易金额", "result": "状态", "day": "日期"},
    "results": {"交易成功": "成功"},
}


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    yield
    name_return_tables([])


@pytest.fixture
def batch() -> Batch:
    money.payables(1)
    [batch] = money.cut()
    return money.sent(batch, money.Finance())


def without_account(batch: Batch) -> bytes:
    return money.answer(batch).replace(f",{money.account_paid(batch.line_id(1))},".encode(), b",,")


def found() -> list[str]:
    return [finding.problem for finding in check_returns(scope=Scope(), counts=Counter())]


@pytest.mark.parametrize("strict", [False, True])
def test_whether_an_account_was_demanded_may_change_after_a_return_came(
    batch: Batch, settings: Any, strict: bool
) -> None:
    settings.HUIDA_RETURNS_NEED_ACCOUNT = strict
    report = money.receive(without_account(batch))
    assert (report.posted, report.exceptions) == (not strict, strict)
    assert found() == []
    settings.HUIDA_RETURNS_NEED_ACCOUNT = not strict
    assert found() == []


def test_what_differs_from_the_banks_words_is_found_whatever_was_demanded(batch: Batch, settings: Any) -> None:
    settings.HUIDA_RETURNS_NEED_ACCOUNT = False
    money.receive(without_account(batch))
    guards.remove(None, SimpleNamespace(connection=connection))  # type: ignore[arg-type]
    for changed in ({"result": "bounced"}, {"status": "exception", "problem": "-", "amount": 1, "result": ""}):
        ReturnLine.objects.update(**changed)
        assert found() == ["入账的内容与银行的原文不符。"]


def test_a_banks_table_that_was_taken_out_of_the_settings_is_said_to_be_missing(batch: Batch) -> None:
    name_return_tables([TABLE])
    account = money.account_paid(batch.line_id(1))
    content = f"客户流水号,对方账号,交易金额,状态,日期\n{batch.line_id(1)},{account},100000.00,交易成功,2026-03-24\n"
    assert money.receive(content.encode()).posted == 1
    assert found() == []
    name_return_tables([])
    [missing] = check_returns(scope=Scope(), counts=Counter())
    assert "没有能读取该文件的列名表" in missing.problem
    assert "HUIDA_RETURN_COLUMNS" in missing.remedy
