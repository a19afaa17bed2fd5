"""Returns in a bank's own table: its headings, its words, its way of writing days."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook

from disbursement.treasury.formats import FormatError, name_return_tables
from disbursement.treasury.formats.bank_return_csv import write_csv
from tests.factories.returns import read_return
from tests.fuzz.mutate import spoil

TABLE: dict[str, Any] = {
    "name": "甲银行",
    "columns": {
        "line_id": "客户流水号",
        "account": "对方账号",
        "amount": "交易金额",
        "result": "处理状态",
        "day": "交易日期",
        "reason": "失败原因",
    },
    "results": {"交易成功": "成功", "交易失败": "退票", "处理中": ""},
    "trailer": "总计",
}
ROWS = [
    ["甲银行代发明细", "", "", "", "", "", ""],
    ["打印日期：2026-03-25", "", "", "", "", "", ""],
    ["序号", "交易日期", "客户流水号", "对方账号", "对方户名", "交易金额", "处理状态", "失败原因"],
    ["1", "20260324", "202603001-000001", "'6222000000000001", "甲公司", "100,000.00", "交易成功", ""],
    ["2", "2026/3/24 09:30:00", "202603001-000002", "6222000000000002", "乙公司", "50000.50", "交易失败", "户名不符"],
    ["3", "2026年3月24日", "202603001-000003", "6222000000000003", "总计科技公司", "1.00", "处理中", ""],
    ["总计", "", "", "", "", "150,001.50", "", ""],
]


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    name_return_tables([TABLE])
    yield
    name_return_tables([])


def csv(rows: list[list[str]], encoding: str = "gb18030") -> bytes:
    quoted = (",".join(f'"{cell}"' for cell in row) for row in rows)
    return ("\r\n".join(quoted) + "\r\n").encode(encoding)


def test_a_banks_own_headings_words_and_days_are_read() -> None:
    content = read_return("回单.csv", csv(ROWS))
    assert content.is_complete
    first, second = content.rows
    assert (first.line_id, first.result, first.amount, str(first.occurred_on)) == (
        "202603001-000001",
        "paid",
        Decimal("100000.00"),
        "2026-03-24",
    )
    assert first.account_number == "6222000000000001"
    assert (second.result, second.reason, second.row_no) == ("bounced", "户名不符", 5)
    assert content.problems == ["有1笔银行尚在处理，未入账，等银行的下一份回单。"]


def test_a_workbook_with_more_columns_than_ours_is_read_alike() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in ROWS:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    assert read_return("x.xlsx", out.getvalue()).rows == read_return("x.csv", csv(ROWS)).rows


def test_our_own_table_is_still_read() -> None:
    ours = write_csv([["202603001-000001", "6222", "5.00", "成功", "2026-03-24", "B1", ""]])
    assert read_return("x.csv", ours).is_complete


def test_a_word_or_a_day_that_nobody_named_is_a_broken_line_and_stops_no_other() -> None:
    rows = [*ROWS[:3], [*ROWS[3][:6], "部分成功", ""], ["2", "2026-13-45", *ROWS[4][2:]], ROWS[5], ROWS[6]]
    problems = [row.problem for row in read_return("x.csv", csv(rows)).rows]
    assert "部分成功" in problems[0]
    assert "处理日期" in problems[1]


def test_a_sum_that_does_not_add_up_or_a_missing_last_line_is_told() -> None:
    wrong = [*ROWS[:-1], ["总计", "", "", "", "", "999.00", "", ""]]
    assert not read_return("x.csv", csv(wrong)).is_complete
    assert not read_return("x.csv", csv(ROWS[:-1])).is_complete


def test_a_table_without_a_last_line_says_that_it_cannot_be_checked() -> None:
    name_return_tables({**TABLE, "trailer": ""})
    content = read_return("x.csv", csv(ROWS[:-1]))
    assert content.is_complete
    assert "无法核对是否完整" in content.problems[-1]
    torn = read_return("x.csv", csv(ROWS[:5])[:-6])
    assert "本行中断" in torn.rows[-1].problem


def test_headings_that_nobody_knows_are_refused_with_those_that_are_read() -> None:
    with pytest.raises(FormatError, match="“甲银行”应有列：客户流水号"):
        read_return("x.csv", csv([["流水号", "金额"], ["1", "2"]]))


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"columns": {"line_id": "号"}}, "缺少amount、result、day"),
        ({"columns": {**TABLE["columns"], "payee": "户名"}}, "没有“payee”"),
        ({"columns": {**TABLE["columns"], "reason": "处理状态"}}, "重复的列名"),
        ({"results": {"好": "paid"}}, "“paid”无法识别"),
        ({"results": {"坏": "退票"}}, "没有表示“成功”的词"),
        ({"results": {"好": 1}}, "文字对文字"),
        ({"header": "x"}, "可用：name、columns、results、trailer"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(spoilt: dict[str, object], told: str) -> None:
    with pytest.raises(FormatError, match=told):
        name_return_tables([{**TABLE, **spoilt}])


def test_mutated_files_of_a_banks_own_table_crash_nothing_and_agree_or_are_broken() -> None:
    seed = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    chance = random.Random(seed)
    good = csv(ROWS)
    for number in range(400):
        content = spoil(good, chance)
        try:
            rows = read_return("x.csv", content).rows
        except FormatError:
            continue
        for row in rows:
            assert row.problem or (row.amount is not None and row.occurred_on is not None and row.result), (
                f"FUZZ_SEED={seed}, mutant {number}"
            )
