"""Strict JSON and JSON lines."""

import pytest

from matching.criteria import FlawedJson, InvalidInput, load_json, read_json_lines


def places(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load_json(text)
    return [problem.path for problem in caught.value.problems]


def test_sound_json_is_read_as_it_is() -> None:
    assert load_json('{"a": [1, "x", true, null, {"b": -2}]}') == {"a": [1, "x", True, None, {"b": -2}]}
    assert load_json('{"a": "青羊"}'.encode()) == {"a": "青羊"}


def test_a_doubled_key_is_an_error_at_its_place() -> None:
    assert places('{"a": 1, "b": [{"c": 1, "c": 2, "c": 3}], "a": 2}') == ["a", "b.0.c"]


@pytest.mark.parametrize("number", ["1.5", "1e3", "-0.0", "NaN", "Infinity", "-Infinity", "9" * 5000])
def test_numbers_that_are_not_exact_or_absurdly_long_are_errors_at_their_place(number: str) -> None:
    assert places(f'{{"a": [0, {number}]}}') == ["a.1"]


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", '{"a" 1}', "nul", '"\t"', "[1] 2"])
def test_broken_json_is_an_error_of_the_whole(text: str) -> None:
    assert places(text) == [""]


def test_bytes_that_are_not_utf8_are_an_error_of_the_whole() -> None:
    assert places("青羊".encode("gbk")) == [""]


def test_a_lone_surrogate_is_an_error_because_it_could_never_be_written() -> None:
    assert places(r'{"a": "\ud800"}') == ["a"]
    assert load_json(r'"\ud83d\ude00"') == "😀"


def test_json_nested_without_end_is_an_error_and_no_crash() -> None:
    assert places("[" * 100_000) == [""]


def test_what_a_flawed_text_held_can_be_read_on_for_further_mistakes() -> None:
    with pytest.raises(FlawedJson) as caught:
        load_json('{"a": 1, "a": 2}')
    assert caught.value.value == {"a": 2}


def test_lines_are_numbered_and_blank_ones_skipped() -> None:
    lines = [b'\xef\xbb\xbf{"id": "a"}\n', b"\n", b"  \t\r\n", b"{\r\n", '{"id": "\u2028"}'.encode()]
    found = dict(read_json_lines(lines))
    assert list(found) == [1, 4, 5]
    assert found[1] == {"id": "a"}
    assert isinstance(found[4], InvalidInput)
    assert found[5] == {"id": "\u2028"}
