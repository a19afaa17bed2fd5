"""Two people type in one draft."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.merging import Change, Choice, Settlement, State, merge, same

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def says(value: Any) -> State:
    return None if value is None else {"value": value}


def changed(revision: int, before: Any, after: Any, *, key: str = "area", by: int = 2) -> Change:
    return Change(revision, key, says(before), says(after), by, AT)


def test_what_only_this_page_changed_is_written() -> None:
    found = merge(base=3, sent={"area": says("5")}, current={"area": says("4")}, changes=[])
    assert found.apply == {"area": says("5")}
    assert not found.clashes


def test_what_only_the_other_changed_is_taken_over() -> None:
    found = merge(base=3, sent={"area": says("4")}, current={"area": says("6")}, changes=[changed(4, "4", "6")])
    assert found.taken == {"area": says("6")}
    assert not found.apply


def test_what_both_changed_differently_is_asked_with_who_wrote_it() -> None:
    changes = [changed(4, "4", "6", by=7), changed(5, "6", "7", by=8)]
    found = merge(base=3, sent={"area": says("5")}, current={"area": says("7")}, changes=changes)
    clash = found.clashes[0]
    assert (clash.mine, clash.theirs, clash.last and clash.last.by) == (says("5"), says("7"), 8)
    assert not found.apply
    assert not found.taken


def test_what_both_changed_alike_is_no_clash() -> None:
    found = merge(base=3, sent={"area": says("6")}, current={"area": says("6")}, changes=[changed(4, "4", "6")])
    assert (found.apply, found.taken, found.clashes) == ({}, {}, [])


def test_an_answer_that_one_emptied_and_the_other_changed_clashes() -> None:
    found = merge(base=3, sent={"area": None}, current={"area": says("6")}, changes=[changed(4, "4", "6")])
    assert [clash.key for clash in found.clashes] == ["area"]


@pytest.mark.parametrize(
    ("choice", "applied", "taken", "asked"),
    [(Choice.MINE, True, False, False), (Choice.THEIRS, False, True, False), (Choice.OPEN, False, False, True)],
)
def test_a_clash_ends_with_a_choice_and_not_before(choice: Choice, applied: bool, taken: bool, asked: bool) -> None:
    found = merge(
        base=4,
        sent={"area": says("5")},
        current={"area": says("6")},
        changes=[changed(4, "4", "6")],
        settled={"area": Settlement(choice, 4)},
    )
    assert (bool(found.apply), bool(found.taken), bool(found.clashes)) == (applied, taken, asked)


def test_a_choice_made_before_a_third_change_is_asked_again() -> None:
    found = merge(
        base=4,
        sent={"area": says("5")},
        current={"area": says("9")},
        changes=[changed(4, "4", "6"), changed(5, "6", "9")],
        settled={"area": Settlement(Choice.MINE, 4)},
    )
    assert [clash.theirs for clash in found.clashes] == [says("9")]


def test_what_is_told_of_an_answer_is_no_difference() -> None:
    assert same({"raw": "x", "messages": ["a"]}, {"raw": "x", "messages": ["b"]})
    assert not same({"raw": "x"}, {"value": "x"})


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "3", None])),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "3", None])),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "3", None])),
)
def test_no_answer_is_lost_every_one_is_written_kept_or_asked(
    was: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    current = {**was, **theirs}
    changes = [
        changed(2, was.get(key), value, key=key) for key, value in sorted(theirs.items()) if value != was.get(key)
    ]
    sent = {key: says(value) for key, value in mine.items()}
    found = merge(base=1, sent=sent, current={k: says(v) for k, v in current.items()}, changes=changes)
    for key, value in mine.items():
        both = value != was.get(key) and current.get(key) != was.get(key) and value != current.get(key)
        assert (key in {clash.key for clash in found.clashes}) is both
        wrote = value != was.get(key) and current.get(key) == was.get(key)
        assert (key in found.apply) is wrote
