"""Reading what a bank sends back: whole, cut short, spoilt, in CSV and XLSX."""

from __future__ import annotations

import contextlib
import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from disbursement.treasury.formats import FormatError
from disbursement.treasury.formats.bank_return_csv import COLUMNS, write_csv
from tests.factories.returns import read_return
from tests.factories.workbooks import of_wrong_size, with_a_row_moved, workbook

ROWS = [
    ["202603001-000001", "6222000000000001", "100000.00", "成功", "2026-03-24", "B0001", ""],
    ["202603001-000002", "6222000000000002", "50000.50", "退票", "2026-03-24", "B0002", "账号，户名不符"],
]


def test_a_whole_file_gives_its_lines() -> None:
    content = read_return("x.csv", write_csv(ROWS))
    assert content.is_complete
    assert content.problems == []
    first, second = content.rows
    assert (first.line_id, first.result, first.amount, first.occurred_on) == (
        "202603001-000001",
        "paid",
        Decimal("100000.00"),
        date(2026, 3, 24),
    )
    assert (second.result, second.reason, second.row_no) == ("bounced", "账号，户名不符", 3)


def test_gbk_is_read_as_well() -> None:
    content = write_csv(ROWS).decode("utf-8-sig").encode("gb18030")
    assert [row.result for row in read_return("回单.CSV", content).rows] == ["paid", "bounced"]


def test_a_spreadsheet_gives_the_same_lines() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(COLUMNS)
    sheet.append(["202603001-000001", "6222000000000001", 100000, "成功", datetime(2026, 3, 24), "B0001", None])  # noqa: DTZ001 - spreadsheets know no time zones
    sheet.append(["202603001-000002", "6222000000000002", 50000.5, "退票", "2026-03-24", "B0002", "账号，户名不符"])
    sheet.append(["合计", 2, 150000.5])
    out = io.BytesIO()
    book.save(out)
    content = read_return("x.xlsx", out.getvalue())
    assert content.is_complete
    assert content.rows == read_return("x.csv", write_csv(ROWS)).rows


SHEET = [COLUMNS, *ROWS, ["合计", "2", "150000.50"]]


def test_a_spreadsheet_that_says_itself_smaller_than_it_is_loses_no_line() -> None:
    content = read_return("x.xlsx", of_wrong_size(workbook(SHEET)))
    assert content.is_complete
    assert content.rows == read_return("x.csv", write_csv(ROWS)).rows


def test_empty_rows_between_lines_are_passed_over() -> None:
    content = read_return("x.xlsx", with_a_row_moved(workbook(SHEET), 4, 900_000))
    assert content.is_complete
    assert [row.row_no for row in content.rows] == [2, 3]


def test_a_row_that_no_spreadsheet_can_have_is_refused_at_once() -> None:
    with pytest.raises(FormatError, match="行号超过工作表的上限"):
        read_return("x.xlsx", with_a_row_moved(workbook(SHEET), 4, 281_823_921))


@pytest.mark.parametrize(
    ("spoilt", "problem"),
    [
        ({2: "1e5"}, "金额"),
        ({2: "0"}, "应大于零"),
        ({2: "1.234"}, "金额"),
        ({3: "可能"}, "无法识别，应为成功"),
        ({4: "2026-02-30"}, "处理日期"),
        ({4: "24/03/2026"}, "处理日期"),
        ({0: ""}, "缺少明细号"),
    ],
)
def test_a_spoilt_line_is_handed_on_with_its_problem_and_stops_no_other(spoilt: dict[int, str], problem: str) -> None:
    bad = [spoilt.get(n, cell) for n, cell in enumerate(ROWS[0])]
    lines = [",".join(COLUMNS), ",".join(bad), ",".join(ROWS[1]), "合计,2,150000.50"]
    first, second = read_return("x.csv", "\r\n".join(lines).encode()).rows
    assert problem in first.problem
    assert second.problem == ""


def test_a_line_with_a_column_too_many_is_spoilt() -> None:
    lines = [",".join(COLUMNS), ",".join([*ROWS[0], "x"]), "合计,1,100000.00"]
    assert "应有7列" in read_return("x.csv", "\n".join(lines).encode()).rows[0].problem


def test_a_trailer_that_does_not_add_up_is_told() -> None:
    content = write_csv(ROWS).replace("合计,2".encode(), "合计,3".encode())
    read = read_return("x.csv", content)
    assert not read.is_complete
    assert "两者不符" in read.problems[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b""),
        ("x.csv", "姓名,电话\r\n".encode()),
        ("x.csv", b"\xff\xfe\x00\x01\x02" * 9),
        ("x.xlsx", b"PK not a zip"),
        ("x.pdf", b"%PDF"),
        ("noending", b""),
    ],
)
def test_what_is_no_return_file_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(FormatError):
        read_return(name, content)


@given(st.integers(0, 400))
def test_a_file_cut_short_keeps_the_lines_before_the_cut_and_invents_none(cut: int) -> None:
    whole = write_csv(ROWS)
    cut = min(cut, len(whole.rstrip()) - 1)
    try:
        content = read_return("x.csv", whole[:cut])
    except FormatError:
        assert cut < len(("\ufeff" + ",".join(COLUMNS)).encode())
        return
    good = [row for row in content.rows if not row.problem]
    assert good == read_return("x.csv", whole).rows[: len(good)]
    # Of the trailer nothing may be missing but zeros at its end.
    assert content.is_complete is (whole[:cut].decode(errors="ignore").endswith(("150000.5", "150000.50")))


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    for name in ("x.csv", "x.xlsx", "x.xml"):
        with contextlib.suppress(FormatError):
            assert read_return(name, content).problems is not None
