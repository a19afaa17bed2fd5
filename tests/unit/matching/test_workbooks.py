"""A workbook is believed in nothing that it says of its own size."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from matching.workbooks import MOST_ROWS, TooManyRows, rows_of
from tests.factories.workbooks import of_wrong_size, with_a_row_moved, workbook

ROWS = [("甲", 1, None), ("乙", 2, None), ("丙", 3, "末")]


def read(content: bytes, max_col: int | None = 3) -> list[tuple[object, ...]]:
    return list(rows_of(load_workbook(io.BytesIO(content), read_only=True).worksheets[0], max_col=max_col))


def test_a_sheet_that_claims_one_cell_gives_all_that_it_holds() -> None:
    assert read(of_wrong_size(workbook(ROWS))) == ROWS


def test_rows_that_are_left_out_are_empty_and_the_others_keep_their_numbers() -> None:
    assert read(with_a_row_moved(workbook(ROWS), 3, 5)) == [*ROWS[:2], *[(None,) * 3] * 2, ROWS[2]]


def test_without_a_width_a_row_is_as_wide_as_it_is_written() -> None:
    assert read(of_wrong_size(workbook(ROWS)), max_col=None) == [("甲", 1), ("乙", 2), ("丙", 3, "末")]


def test_the_last_row_that_a_sheet_can_have_is_read() -> None:
    assert len(read(with_a_row_moved(workbook(ROWS), 3, MOST_ROWS))) == MOST_ROWS


@pytest.mark.parametrize("number", [MOST_ROWS + 1, 281_823_921, 10**30])
def test_a_row_beyond_the_last_is_refused_before_all_those_between_are_made_up(number: int) -> None:
    with pytest.raises(TooManyRows, match="1048576"):
        read(with_a_row_moved(workbook(ROWS), 3, number))
