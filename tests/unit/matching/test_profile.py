"""Folding a history: rows by rows, against a naive model that re-tells the history day by day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from matching.profile import HistoryRow, fold, holding

DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(6)]
INSTANTS = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(6)]

rows_written = st.lists(
    st.tuples(
        st.sampled_from(["staff", "revenue"]),
        st.one_of(st.none(), st.integers(0, 3)),
        st.sampled_from(DAYS),
        st.sampled_from(INSTANTS),
    ),
    max_size=12,
)


def history(written: list[tuple[str, Any, date, datetime]]) -> list[HistoryRow]:
    """Rows get their order as a table gives ids: by the instant of recording."""
    in_order = sorted(written, key=lambda row: row[3])
    return [HistoryRow(*row, order=order) for order, row in enumerate(in_order, start=1)]


def told_day_by_day(rows: list[HistoryRow], day: date, known_at: datetime | None) -> dict[str, Any]:
    """The model: walk through every day; on each, hear what was recorded about it, in the order of recording."""
    profile: dict[str, Any] = {}
    for today in DAYS:
        if today > day:
            break
        for row in rows:
            if row.valid_on == today and (known_at is None or row.recorded_at <= known_at):
                profile[row.key] = row.value
    return {key: value for key, value in profile.items() if value is not None}


@given(rows_written, st.sampled_from(DAYS), st.one_of(st.none(), st.sampled_from(INSTANTS)))
def test_folding_agrees_with_a_history_told_day_by_day(written: list[Any], day: date, known_at: datetime | None):
    rows = history(written)
    assert fold(rows, day=day, known_at=known_at) == told_day_by_day(rows, day, known_at)


@given(rows_written, st.randoms(use_true_random=False), st.sampled_from(DAYS))
def test_the_order_in_which_rows_are_read_does_not_matter(written: list[Any], random: Any, day: date):
    rows = history(written)
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert fold(shuffled, day=day) == fold(rows, day=day)


def test_a_row_that_is_valid_later_does_not_hold_yet():
    row = HistoryRow("staff", 5, DAYS[3], INSTANTS[0], 1)
    assert fold([row], day=DAYS[2]) == {}
    assert fold([row], day=DAYS[3]) == {"staff": 5}


def test_holding_tells_the_row_so_that_its_source_and_age_can_be_shown():
    old = HistoryRow("staff", 5, DAYS[0], INSTANTS[0], 1)
    new = HistoryRow("staff", 6, DAYS[1], INSTANTS[1], 2)
    assert holding([old, new], day=DAYS[5]) == {"staff": new}
