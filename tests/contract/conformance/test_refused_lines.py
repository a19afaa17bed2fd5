"""Lines and vocabularies that are refused: keys, JSON, UTF-8, doubled keys."""

import json
from typing import Any

import pytest

from .world import (
    AS_OF,
    EVERYONE,
    VOCABULARY,
    check_refused,
    enterprise,
    lines,
    policy,
    run,
)

OK: dict[str, Any] = {"fact": "staff", "gte": 1}

BAD_POLICY_LINES: list[tuple[Any, str | None]] = [
    ([], None),
    ("x", None),
    (1, None),
    (None, None),
    (True, None),
    ({}, None),
    ({"criteria": EVERYONE}, "$"),
    ({"id": "p"}, "$"),
    ({"id": "", "criteria": EVERYONE}, "id"),
    ({"id": 1, "criteria": EVERYONE}, "id"),
    ({"id": None, "criteria": EVERYONE}, "id"),
    ({"id": ["p"], "criteria": EVERYONE}, "id"),
    ({"id": "p", "criteria": EVERYONE, "name": "x"}, "name"),
    ({"id": "p", "criteria": EVERYONE, "facts": {}}, "facts"),
    ({"id": "p", "criteria": EVERYONE, "window": None}, "window"),
    ({"id": "p", "criteria": EVERYONE, "window": []}, "window"),
    ({"id": "p", "criteria": EVERYONE, "window": "2026"}, "window"),
    ({"id": "p", "criteria": EVERYONE, "window": {"to": "2026-01-01"}}, "window.to"),
    ({"id": "p", "criteria": EVERYONE, "window": {"from": None}}, "window.from"),
    ({"id": "p", "criteria": EVERYONE, "window": {"from": "2026-01-02", "until": "2026-01-01"}}, None),
    ({"id": "p", "criteria": EVERYONE, "award": None}, "award"),
    ({"id": "p", "criteria": EVERYONE, "award": []}, "award"),
]
BAD_ENTERPRISE_LINES: list[tuple[Any, str | None]] = [
    ([], None),
    ("x", None),
    (None, None),
    ({}, None),
    ({"facts": {}}, "$"),
    ({"id": "e"}, "$"),
    ({"id": "", "facts": {}}, "id"),
    ({"id": 7, "facts": {}}, "id"),
    ({"id": None, "facts": {}}, "id"),
    ({"id": {"a": 1}, "facts": {}}, "id"),
    ({"id": "e", "facts": {}, "name": "x"}, "name"),
    ({"id": "e", "facts": {}, "criteria": EVERYONE}, "criteria"),
]


@pytest.mark.parametrize(("line", "path"), BAD_POLICY_LINES, ids=[json.dumps(x) for x, _ in BAD_POLICY_LINES])
def test_a_line_of_policies_has_its_keys_and_no_others(line: Any, path: str | None):
    """`{"id": "…", "criteria": {…}}` a line, and optionally `"window"`; unknown keys; `until` before `from`."""
    check_refused(run([line], []), "P.jsonl:1: ", path)


@pytest.mark.parametrize(("line", "path"), BAD_ENTERPRISE_LINES, ids=[json.dumps(x) for x, _ in BAD_ENTERPRISE_LINES])
def test_a_line_of_enterprises_has_its_keys_and_no_others(line: Any, path: str | None):
    """`{"id": "…", "facts": {…}}` a line."""
    check_refused(run([], [line]), "E.jsonl:1: ", path)


@pytest.mark.parametrize(
    "text",
    [
        b"x",
        b"{",
        b"{}}",
        b"{} {}",
        b"'a'",
        b'{"id": "p",}',
        b'{"id": "p" "criteria": {}}',
        b"// note",
        b'{"id": "p\t"}',
        b"\xff",
        b'{"id": "\xff", "criteria": {"all": []}}',
        b'{"id": "\xed\xa0\x80", "criteria": {"all": []}}',
        b'{"id": "\xc0\xaf", "criteria": {"all": []}}',
        b'{"id": "\xe4\xb8", "criteria": {"all": []}}',
        b'{"id": "\xf5\x80\x80\x80", "criteria": {"all": []}}',
        b"\x00",
        b'{"id": "p"',
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_a_line_that_is_not_json_in_utf8_is_told_and_the_others_are_read(text: bytes):
    """2 with every error found, as `FILE:LINE: PATH: …`; UTF-8."""
    done = run(lines([policy(id="a")]) + text + b"\n" + lines([policy({}, id="b")]), lines([enterprise()]) + text)
    assert done.code == 2
    assert {e.split(": ")[0] for e in done.errors} == {"P.jsonl:2", "P.jsonl:3", "E.jsonl:2"}
    done = run(lines([policy(id="a")]) + text + b"\n" + lines([policy(id="b")]), [enterprise()], skip_bad=True)
    assert [r["policy"] for r in done.rows] == ["a", "b"]


def test_messages_are_in_chinese_to_the_last_word():
    """`FILE:LINE: PATH: what is wrong and what is allowed`, for a person who is no programmer."""
    for text in (
        "x",
        '{"id": "p",}',
        '{"id" "p"}',
        '{"id": "p" 1}',
        "{} {}",
        '{"id": "p',
        '{"id": "p\t"}',
        '{"id": "\\q"}',
        '{"id": "\\u00"}',
        "[1,]",
    ):
        (message,) = run(text.encode(), []).errors
        reason = message.split(": ", 2)[2].removeprefix("不是合法的 JSON")
        assert not any(
            word.isascii() and word.isalpha() and word not in ("true", "false", "u") for word in reason.split()
        )


def test_half_a_surrogate_cannot_be_written_and_is_refused():
    """UTF-8 without escapes."""
    half = '"\\ud800"'
    check_refused(run(f'{{"id": {half}, "criteria": {{"all": []}}}}'.encode(), [enterprise()]), "P.jsonl:1: ", "id")
    check_refused(run([policy()], f'{{"id": {half}, "facts": {{}}}}'.encode()), "E.jsonl:1: ", "id")
    leaf = f'{{"fact": "staff", "gte": 1, "id": {half}}}'
    check_refused(run(f'{{"id": "p", "criteria": {leaf}}}'.encode(), [enterprise()]), "P.jsonl:1: ")
    whole = run(b'{"id": "\\ud83d\\ude00", "criteria": {"all": []}}', [enterprise()])
    assert whole.rows[0]["policy"] == "😀"
    for place in ("policies", "enterprises"):  # where it is not written out, it must still not break the message
        text = {
            "policies": f'{{"id": "p", "criteria": {{"fact": {half}, "gte": 1}}}}',
            "enterprises": f'{{"id": "e", "facts": {{{half}: 1}}}}',
        }[place].encode()
        done = run(text, []) if place == "policies" else run([], text)
        assert done.code == 2
        done.err.encode()


DOUBLED_POLICIES = [
    '{"id": "p", "id": "q", "criteria": {"all": []}}',
    '{"id": "p", "id": "p", "criteria": {"all": []}}',
    '{"id": "p", "criteria": {"all": [], "all": []}}',
    '{"id": "p", "criteria": {"fact": "staff", "gte": 1, "gte": 1}}',
    '{"id": "p", "criteria": {"all": [{"any": [{"fact": "staff", "fact": "staff", "gte": 1}]}]}}',
    '{"id": "p", "criteria": {"fact": "quals", "any_of": ["ht"], "count": {"gte": 1, "gte": 1}}}',
    '{"id": "p", "criteria": {"fact": "quals", "any_of": ["ht"], "where": {"rank": {"gte": 1}, "rank": {"gte": 1}}}}',
    '{"id": "p", "criteria": {"fact": "quals", "any_of": ["ht"], "where": {"rank": {"gte": 1, "\\u0067te": 1}}}}',
    (
        '{"id": "p", "criteria": {"fact": "quals", "any_of": ["ht"], "obtained": {"within_last": "P1Y", '
        '"within_last": "P1Y"}}}'
    ),
    '{"id": "p", "criteria": {"all": []}, "window": {"from": "2026-01-01", "from": "2026-01-01"}}',
    '{"id": "p", "criteria": {"all": []}, "award": {"rules": [{"fixed": "1", "fixed": "1"}]}}',
    '{"id": "p", "criteria": {"all": []}, "award": {"rules": [{"fixed": "1"}], "rules": [{"fixed": "1"}]}}',
]
DOUBLED_ENTERPRISES = [
    '{"id": "e", "id": "e", "facts": {}}',
    '{"id": "e", "facts": {}, "facts": {}}',
    '{"id": "e", "facts": {"staff": 1, "staff": 1}}',
    '{"id": "e", "facts": {"rev": {"2024": 1, "2024": 1}}}',
    '{"id": "e", "facts": {"quals": [{"code": "ht", "code": "ht"}]}}',
    '{"id": "e", "facts": {"quals": [{"code": "ht", "rank": 1, "rank": 2}]}}',
]


@pytest.mark.parametrize("text", DOUBLED_POLICIES)
def test_doubled_keys_are_errors_at_every_level_of_a_policy(text: str):
    """Errors: unknown or doubled keys."""
    check_refused(run(text.encode(), [enterprise()]), "P.jsonl:1: ")


@pytest.mark.parametrize("text", DOUBLED_ENTERPRISES)
def test_doubled_keys_are_errors_at_every_level_of_an_enterprise(text: str):
    """Errors: unknown or doubled keys."""
    check_refused(run([policy()], text.encode()), "E.jsonl:1: ")


FACT = {"key": "staff", "label": "人数", "type": "number"}
BAD_VOCABULARIES: list[Any] = [
    "",
    "{",
    "[]",
    "null",
    '"x"',
    "\\",
    '{"facts": [], "facts": []}',
    '{"code_lists": {}}',
    {"facts": [FACT], "more": 1},
    {"facts": {}},
    {"facts": None},
    {"facts": [None]},
    {"facts": ["staff"]},
    {"facts": [FACT, FACT]},
    {"facts": [{**FACT, "typo": 1}]},
    {"facts": [{**FACT, "type": "text"}]},
    {"facts": [{**FACT, "type": None}]},
    {"facts": [{**FACT, "scope": "project"}]},
    {"facts": [{**FACT, "fresh_for": "1Y"}]},
    {"facts": [{**FACT, "fresh_for": None}]},
    {"facts": [{"label": "人数", "type": "number"}]},
    {"facts": [{"key": "staff", "label": "人数"}]},
    {"facts": [{"key": "", "label": "人数", "type": "number"}]},
    {"facts": [{"key": 1, "label": "人数", "type": "number"}]},
    {"facts": [{"key": "r", "label": "r", "type": "code"}]},
    {"facts": [{"key": "r", "label": "r", "type": "code", "codes": "nope"}]},
    {"facts": [{"key": "r", "label": "r", "type": "records", "codes": "nope"}], "code_lists": {}},
    {"facts": [FACT], "code_lists": []},
    {"facts": [FACT], "code_lists": {"l": None}},
    {"facts": [FACT], "code_lists": {"l": {"codes": []}}},
    {"facts": [FACT], "code_lists": {"l": {"hierarchy": "tree", "codes": {"a": "A"}}}},
    {"facts": [FACT], "code_lists": {"l": {"hierarchy": "none", "codes": {"a": 1}}}},
    {"facts": [FACT], "code_lists": {"l": {"hierarchy": "none", "codes": {"a": "A"}, "typo": 1}}},
    {"facts": [FACT], "code_lists": {"l": {"hierarchy": "parents", "codes": {"a": "A"}, "parents": {"a": "b"}}}},
    {"facts": [FACT], "code_lists": {"l": {"hierarchy": "parents", "codes": {"a": "A"}, "parents": {"b": "a"}}}},
    {"facts": [FACT], "code_lists": {"l": {"hierarchy": "parents", "codes": {"a": "A"}, "parents": {"a": "a"}}}},
    {
        "facts": [FACT],
        "code_lists": {"l": {"hierarchy": "parents", "codes": {"a": "A", "b": "B"}, "parents": {"a": "b", "b": "a"}}},
    },
]


@pytest.mark.parametrize("vocabulary", BAD_VOCABULARIES, ids=[json.dumps(v)[:70] for v in BAD_VOCABULARIES])
def test_a_wrong_vocabulary_is_told_with_its_place(vocabulary: Any):
    """[--vocabulary V.json]; unknown or doubled keys; empty code lists; 2 with every error found."""
    done = run([policy()], [enterprise()], vocabulary=vocabulary, before=b"old")
    assert (done.code, done.out) == (2, b"old"), done
    assert any(line.startswith("V.json:") for line in done.err.splitlines()), done.err


def test_every_error_of_a_vocabulary_is_told():
    """2 with every error found."""
    bad = {"facts": [{**FACT, "type": "text"}, {**FACT, "key": "b", "scope": "x"}], "code_lists": {"l": {"codes": {}}}}
    done = run([policy()], [enterprise()], vocabulary=bad)
    places = {e.split(": ")[1] for e in done.errors}
    assert {"facts.0.type", "facts.1.scope", "code_lists.l.codes"} <= places


def test_messages_say_the_file_as_it_was_named_the_line_and_the_path():
    """`FILE:LINE: PATH: what is wrong and what is allowed`."""
    done = run([policy(), policy({"all": [OK, {"fact": "region", "in": ["510105", "x"]}]}, id="q")], [])
    assert len(done.errors) == 1
    assert done.errors[0].startswith("P.jsonl:2: criteria.all.1.in.1: ")
    assert '"x"' in done.errors[0] or "x" in done.errors[0].split(": ", 2)[2]
    assert AS_OF not in done.errors[0]
    assert VOCABULARY["facts"]
