"""Date facts and durations."""

import pytest

from .world import F, T, U, judge_many


def within(period: str) -> dict[str, str]:
    return {"fact": "born", "within_last": period}


def ago(period: str) -> dict[str, str]:
    return {"fact": "born", "at_least_ago": period}


def test_date_operators_hold_their_ends():
    """`on_or_after`, `on_or_before` (dates), `within_last: "P3Y"` (as_of − P ≤ d ≤ as_of),
    `at_least_ago: "P3Y"`
    (d ≤ as_of − P)."""
    judge_many(
        [
            ({"fact": "born", "on_or_after": "2020-01-01"}, {"born": "2020-01-01"}, T),
            ({"fact": "born", "on_or_after": "2020-01-01"}, {"born": "2019-12-31"}, F),
            ({"fact": "born", "on_or_before": "2020-01-01"}, {"born": "2020-01-01"}, T),
            ({"fact": "born", "on_or_before": "2020-01-01"}, {"born": "2020-01-02"}, F),
            ({"fact": "born", "on_or_before": "2020-01-01"}, {}, U),
            (within("P3Y"), {"born": "2023-11-22"}, T),
            (within("P3Y"), {"born": "2023-11-21"}, F),
            (within("P3Y"), {"born": "2026-11-22"}, T),
            (within("P3Y"), {"born": "2026-11-23"}, F),
            (ago("P3Y"), {"born": "2023-11-22"}, T),
            (ago("P3Y"), {"born": "2023-11-23"}, F),
            (ago("P3Y"), {"born": "0001-01-01"}, T),
            (ago("P3Y"), {}, U),
        ]
    )


def test_date_operators_may_stand_together_and_all_must_hold():
    """`obtained: {…date operators on "on"…}`; `date`: `on_or_after`, `on_or_before`."""
    leaf = {"fact": "born", "on_or_after": "2020-01-01", "on_or_before": "2020-12-31"}
    both = {"fact": "born", "within_last": "P3Y", "at_least_ago": "P1Y"}
    judge_many(
        [
            (leaf, {"born": "2020-12-31"}, T),
            (leaf, {"born": "2021-01-01"}, F),
            (leaf, {"born": "2019-12-31"}, F),
            (both, {"born": "2025-11-22"}, T),
            (both, {"born": "2025-11-23"}, F),
            (both, {"born": "2023-11-21"}, F),
        ]
    )


@pytest.mark.parametrize(
    ("as_of", "period", "start"),
    [
        ("2024-02-29", "P1Y", "2023-02-28"),
        ("2024-02-29", "P4Y", "2020-02-29"),
        ("2024-02-29", "P1Y1M", "2023-01-29"),  # together: not by way of 2023-02-28
        ("2023-02-28", "P1Y", "2022-02-28"),
        ("2025-02-28", "P1Y", "2024-02-28"),
        ("2026-03-31", "P1M", "2026-02-28"),
        ("2024-03-31", "P1M", "2024-02-29"),
        ("2026-03-31", "P1M1D", "2026-02-27"),  # the month first, then the day
        ("2026-03-01", "P1D", "2026-02-28"),
        ("2024-03-01", "P1D", "2024-02-29"),
        ("2026-11-22", "P0D", "2026-11-22"),
        ("2026-11-22", "P0Y0M0D", "2026-11-22"),
        ("2026-11-22", "P12M", "2025-11-22"),
        ("2026-01-31", "P2M", "2025-11-30"),
        ("2026-01-15", "P1Y13M", "2023-12-15"),
        ("2026-11-22", "P1Y2M10D", "2025-09-12"),
        ("2026-05-31", "P18M", "2024-11-30"),
        ("2026-11-22", "P365D", "2025-11-22"),
        ("2000-03-31", "P100Y1M", "1900-02-28"),
    ],
)
def test_years_and_months_come_off_together_and_then_the_days(as_of: str, period: str, start: str):
    """years and months are taken off together, a day past the month's end becomes its last day, then
    days are taken
    off."""
    from datetime import date, timedelta

    first = date.fromisoformat(start)
    eve, morrow = str(first - timedelta(1)), str(first + timedelta(1))
    judge_many(
        [
            (within(period), {"born": start}, T),
            (within(period), {"born": eve}, F),
            (ago(period), {"born": start}, T),
            (ago(period), {"born": morrow}, F),
        ],
        as_of=as_of,
    )


def test_a_duration_may_reach_before_the_calendar():
    """as_of − P ≤ d ≤ as_of: where as_of − P lies before the year 1, every date up to as_of is within it."""
    for period in ("P3000Y", "P99999999M", "P9999999D", "P999999999999Y"):
        judge_many(
            [
                (within(period), {"born": "0001-01-01"}, T),
                (within(period), {"born": "2026-11-23"}, F),
                (ago(period), {"born": "0001-01-01"}, F),
            ]
        )


def test_the_first_and_the_last_year_of_the_calendar_are_dates():
    """dates are YYYY-MM-DD, years four digits."""
    judge_many(
        [
            ({"fact": "born", "on_or_after": "0001-01-01"}, {"born": "0001-01-01"}, T),
            ({"fact": "born", "on_or_before": "9999-12-31"}, {"born": "9999-12-31"}, T),
            (within("P1Y"), {"born": "0001-01-01"}, T),
            ({"fact": "rev", "gte": 0}, {"rev": {"2025": 1}}, U),
            (
                {"fact": "rev", "gte": 0, "year": "before_last", "years": 3, "over": "each", "growth": True},
                {"rev": {}},
                U,
            ),
        ],
        as_of="0001-01-01",
    )
    judge_many(
        [(ago("P1Y"), {"born": "9998-12-31"}, T), ({"fact": "rev", "gte": 0}, {"rev": {"9998": 1}}, T)],
        as_of="9999-12-31",
    )
