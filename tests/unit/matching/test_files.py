from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from matching.criteria import InvalidInput
from matching.files import Window, parse_window, read_enterprises, read_policies, read_vocabulary, write_lines
from tests.unit.matching.criteria.samples import VOCABULARY


def policies_of(path: Path, content: bytes) -> list[str]:
    """The problems of a P.jsonl, without the file's name."""
    path.write_bytes(content)
    found = read_policies(path, vocabulary=VOCABULARY)
    return [str(problem).removeprefix(f"{path}:") for problem in found.problems]


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    path = tmp_path / "E.jsonl"
    path.write_bytes('\n{"id": "甲", "facts": {}}\r\n\t \r\n\n{"id": "乙"}'.encode())
    found = read_enterprises(path, vocabulary=VOCABULARY)
    assert [row.id for row in found.rows] == ["甲"]
    assert [(problem.line, problem.path) for problem in found.problems] == [(5, "")]
    assert found.bad_lines == 1


def test_a_mark_at_the_start_of_the_file_is_passed_over(tmp_path: Path) -> None:
    assert policies_of(tmp_path / "P.jsonl", b'\xef\xbb\xbf{"id": "P", "criteria": {"all": []}}\n') == []
    (tmp_path / "V.json").write_bytes(b'\xef\xbb\xbf{"facts": []}')
    vocabulary, problems = read_vocabulary(tmp_path / "V.json")
    assert vocabulary is not None
    assert problems == ()


def test_a_doubled_key_is_found_however_deep(tmp_path: Path) -> None:
    line = b'{"id": "P", "criteria": {"all": [{"fact": "staff", "gte": 1, "gte": 2}]}}'
    [problem] = policies_of(tmp_path / "P.jsonl", line)
    assert problem.startswith("1: criteria.all.0.gte: ")


def test_all_mistakes_of_a_line_are_told_in_one_go(tmp_path: Path) -> None:
    line = b'{"id": 7, "criteria": {"fact": "nope", "gte": 1}, "window": {"from": "soon", "til": "2026-01-01"}, "x": 1}'
    places = [problem.split(": ")[1] for problem in policies_of(tmp_path / "P.jsonl", line)]
    assert sorted(places) == ["criteria.fact", "id", "window.from", "window.til", "x"]


def test_a_repeated_id_makes_the_later_line_wrong(tmp_path: Path) -> None:
    path = tmp_path / "P.jsonl"
    path.write_text('{"id": "P", "criteria": {"all": []}}\n' * 3)
    found = read_policies(path, vocabulary=VOCABULARY)
    assert len(found.rows) == 1
    assert [(problem.line, problem.path) for problem in found.problems] == [(2, "id"), (3, "id")]


def test_an_award_may_be_required(tmp_path: Path) -> None:
    path = tmp_path / "P.jsonl"
    path.write_text('{"id": "P", "criteria": {"all": []}}\n')
    assert read_policies(path, vocabulary=VOCABULARY).problems == ()
    [problem] = read_policies(path, vocabulary=VOCABULARY, award="required").problems
    assert "award" in problem.message


def test_a_window_includes_both_its_days_and_may_be_open() -> None:
    window = parse_window({"from": "2026-01-01", "until": "2026-01-31"})
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    assert [window.contains(day) for day in days] == [False, True, True, False]
    assert parse_window({}) == Window()
    assert parse_window({"until": "2026-01-31"}).contains(date.min)


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InvalidInput, match="不能早于"):
        parse_window({"from": "2026-01-02", "until": "2026-01-01"})


def test_a_file_that_cannot_be_read_is_no_file_with_bad_lines(tmp_path: Path) -> None:
    found = read_policies(tmp_path, vocabulary=VOCABULARY)
    assert not found.usable
    assert [problem.line for problem in found.problems] == [0]


def test_writing_replaces_the_file_whole(tmp_path: Path) -> None:
    target = tmp_path / "M.jsonl"
    target.write_text("old\n")
    write_lines(target, ["政策\n", "b\n"])
    assert target.read_bytes() == "政策\nb\n".encode()
    assert list(tmp_path.iterdir()) == [target]


def test_writing_that_breaks_off_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "M.jsonl"
    target.write_text("old\n")

    def lines() -> Iterator[str]:
        yield "new\n" * 100_000
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        write_lines(target, lines())
    assert target.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_lines(Path("/dev/null"), ["nothing\n"])
    assert Path("/dev/null").is_char_device()
