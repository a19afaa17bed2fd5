"""The telling on a terminal: widths as a terminal counts them."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from portal.demo.narrator import WIDTH, Narrator, day_words, fit, money, shorten, width, wrap


def told(act) -> str:
    out = io.StringIO()
    act(Narrator(out, io.StringIO()))
    return out.getvalue()


def test_a_chinese_character_takes_two_columns():
    assert width("惠达ab") == 6
    assert fit("惠达", 6) == "惠达  "
    assert fit("惠达", 6, right=True) == "  惠达"


def test_what_is_too_long_is_cut_with_an_ellipsis():
    assert shorten("青羊区科技创新局", 8) == "青羊区…"
    assert shorten("青羊区", 8) == "青羊区"


@given(st.text(alphabet="惠达政策，。“”（）abc 12%", max_size=200), st.integers(min_value=12, max_value=60))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, columns: int):
    lines = wrap(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    # Only a word that is whole, or punctuation that must not begin a line, is let over the edge.
    assert all(width(line) <= columns or len(wrap(line[:-1], columns)) == 1 for line in lines)


def test_a_figure_stays_whole():
    assert wrap("合计 622,102.60 元", 12) == ["合计", "622,102.60", "元"]


def test_a_line_says_when_who_and_what():
    at = datetime(2026, 9, 1, 2, 5, tzinfo=ZoneInfo("UTC"))
    line = told(lambda say: say.say("提交申报。", at=at, who="何经办"))
    assert line.split() == ["09-01", "10:05", "何经办", "提交申报。"]


def test_no_line_is_wider_than_the_page():
    text = told(lambda say: say.say("很长的一句话，" * 30, who="很长的名字很长的名字很长的名字"))
    assert max(width(line) for line in text.splitlines()) <= WIDTH


def test_columns_of_a_table_stand_under_their_heads():
    rows = [["202609001", "1.00 元"], ["合计", "622,102.60 元"]]
    text = told(lambda say: say.table(["批次", "金额"], rows, right=(1,)))
    head, _rule, *body = text.splitlines()
    assert {width(line) for line in (head, *body)} == {width(body[0])}


def test_a_weekend_that_is_worked_says_so():
    assert day_words(date(2026, 9, 20)) == "2026年9月20日 周日（调休上班）"
    assert day_words(date(2026, 9, 21)) == "2026年9月21日 周一"


def test_money_has_two_places_and_its_unit():
    assert money(Decimal("105250.00")) == "105,250.00 元"


def test_chapters_count():
    say = Narrator(io.StringIO(), io.StringIO())
    say.chapter("一", day=date(2026, 9, 1))
    say.chapter("二", day=date(2026, 9, 2), until=date(2026, 9, 3))
    assert say.chapters == 2
