"""The files of `match`: what is listed, in which order, in which bytes; the process around them."""

from typing import Any

import pytest

from .world import AS_OF, EVERYONE, VOCABULARY, enterprise, lines, policy, row, run

LEAF = {"fact": "staff", "gte": 10}


def pair(p: str, e: str) -> str:
    return f'{{"policy": "{p}", "enterprise": "{e}", "verdict": "eligible", "unmet": [], "unknown": []}}\n'


def test_the_three_verdicts_byte_for_byte():
    """`{"policy", "enterprise", "verdict", "unmet": [leaf ids], "unknown": [leaf ids]}`; keys in the
    order shown."""
    done = run(
        [policy(LEAF)], [enterprise({"staff": 10}, "a"), enterprise({}, "b"), enterprise({"staff": 9}, "c")], near=1
    )
    assert done.out == (
        b'{"policy": "p", "enterprise": "a", "verdict": "eligible", "unmet": [], "unknown": []}\n'
        b'{"policy": "p", "enterprise": "b", "verdict": "undetermined", "unmet": [], "unknown": ["root"]}\n'
        b'{"policy": "p", "enterprise": "c", "verdict": "ineligible", "unmet": ["root"], "unknown": []}\n'
    )


def test_rows_are_sorted_by_the_code_points_of_policy_and_then_of_enterprise():
    """sorted by policy, then enterprise; sorted by code point."""
    ids = ["😀", "｡", "中", "é", "e\u0301", "a9", "a10", "a", "Z", "B", "0", " ", "-"]
    expected = [" ", "-", "0", "B", "Z", "a", "a10", "a9", "e\u0301", "é", "中", "｡", "😀"]
    done = run([policy(id=i) for i in ids], [enterprise(id=i) for i in reversed(ids)])
    assert [(r["policy"], r["enterprise"]) for r in done.rows] == [(p, e) for p in expected for e in expected]


def test_output_is_utf8_without_escapes():
    """UTF-8 without escapes, LF."""
    done = run([policy({**LEAF, "id": "条件é😀"}, id="政策\u2028")], [enterprise(id="é/<&>'\u0085")])
    assert (
        done.out
        == (
            '{"policy": "政策\u2028", "enterprise": "é/<&>\'\u0085", "verdict": "undetermined", "unmet": [], '
            '"unknown": ["条件é😀"]}\n'
        ).encode()
    )


def test_ids_with_signs_that_json_must_escape_stay_json():
    """Ids are strings."""
    done = run([policy(id='q"\\\n\t\u0001')], [enterprise(id="e")])
    assert done.rows[0]["policy"] == 'q"\\\n\t\u0001'
    assert done.out is not None
    assert done.out.count(b"\n") == 1


def test_line_separators_of_unicode_do_not_end_a_line():
    """`{"id": "…", "criteria": {…}}` a line, LF."""
    done = run([policy(id="a\u2028b\u2029c\u0085d\x7f")], [enterprise(id="e\u2028")])
    assert [(r["policy"], r["enterprise"]) for r in done.rows] == [("a\u2028b\u2029c\u0085d\x7f", "e\u2028")]


def test_blank_lines_are_skipped_and_still_counted():
    """blank lines are skipped; `FILE:LINE: PATH: …`."""
    text = b'\n   \n\t\n{"id": "p", "criteria": {"all": []}}\n\n{"id": "q", "criteria": {}}\n\n'
    done = run(text, [enterprise()])
    assert done.code == 2
    assert [e.split(": ")[0] for e in done.errors] == ["P.jsonl:6"]
    assert (
        run(text.replace(b"{}", b'{"all": []}'), b"\n" + lines([enterprise()]) + b"\n\n").out
        == (pair("p", "e") + pair("q", "e")).encode()
    )


def test_crlf_and_a_last_line_without_an_end_are_read():
    """Files in these formats come from outside; blank lines are skipped, LF is written."""
    done = run(lines([policy(), policy(id="q")]).replace(b"\n", b"\r\n") + b"\r\n", lines([enterprise()]).rstrip(b"\n"))
    assert done.out == (pair("p", "e") + pair("q", "e")).encode()


@pytest.mark.parametrize(("policies", "enterprises"), [([], []), ([policy()], []), ([], [enterprise()])])
def test_no_pairs_make_an_empty_file(policies: list[Any], enterprises: list[Any]):
    """`M.jsonl`: a line for each pair. Exit 0."""
    done = run(policies, enterprises)
    assert (done.code, done.out) == (0, b"")


@pytest.mark.parametrize(
    ("window", "listed"),
    [
        ({"from": AS_OF, "until": AS_OF}, True),
        ({"from": AS_OF}, True),
        ({"until": AS_OF}, True),
        ({}, True),
        ({"from": "2026-11-23"}, False),
        ({"until": "2026-11-21"}, False),
        ({"from": "2026-01-01", "until": "2026-12-31"}, True),
        ({"from": "2027-01-01", "until": "2027-12-31"}, False),
        ({"from": "0001-01-01", "until": "9999-12-31"}, True),
    ],
)
def test_a_policy_is_listed_on_the_days_of_its_window_alone(window: dict[str, str], listed: bool):
    """`"window"` (either end or both may be missing, both days included; outside it the policy is not
    listed)."""
    done = run(
        [policy(LEAF, window=window)],
        [enterprise({"staff": 10}, "a"), enterprise({}, "b"), enterprise({"staff": 9}, "c")],
        near=1,
    )
    assert len(done.rows) == (3 if listed else 0)
    award = {"rules": [{"fixed": "1"}]}
    done = run([policy(LEAF, window=window, award=award)], [enterprise({"staff": 10})], command="estimate")
    assert len(done.rows) == (1 if listed else 0)


def test_enterprises_may_give_facts_of_the_application():
    """`E.jsonl` may give application facts."""
    assert row({"fact": "loan", "gte": 5}, {"loan": 5})["verdict"] == "eligible"


def test_a_policy_may_carry_an_award_which_match_checks_too():
    """`P.jsonl` may carry `"award"`, which `match` checks too."""
    assert len(run([policy(award={"rules": [{"fixed": "1"}]})], [enterprise()]).rows) == 1
    done = run([policy(award={"rules": [{"fixed": "1"}], "instalments": ["40", "30"]})], [enterprise()])
    assert done.code == 2
    assert done.errors[0].startswith("P.jsonl:1: award.instalments: ")


def test_the_memory_backend_is_the_default():
    """[--backend memory|elasticsearch]."""
    assert run([policy()], [enterprise()], backend="memory").out == run([policy()], [enterprise()]).out


def test_elasticsearch_is_refused_with_a_reason_until_it_stands():
    """An error a person can cause says what is wrong and what is allowed."""
    done = run([policy()], [enterprise()], backend="elasticsearch", before=b"old")
    if done.code == 0:
        assert done.out == run([policy()], [enterprise()]).out
    else:
        assert (done.code, done.out) == (2, b"old")
        assert "--backend memory" in done.err


def test_another_backend_is_refused():
    """[--backend memory|elasticsearch]."""
    assert run([policy()], [enterprise()], backend="sql").code == 2


@pytest.mark.parametrize(
    "as_of",
    [
        "2026-02-30",
        "2026-2-3",
        "20260203",
        "today",
        "",
        "2026-11-22T00:00",
        "２０２６-11-22",
        "0000-01-01",
        "10000-01-01",
    ],
)
def test_as_of_is_a_date_or_the_command_stops(as_of: str):
    """--as-of 2026-11-22; dates are YYYY-MM-DD, years four digits. Exit 2."""
    done = run([policy()], [enterprise()], as_of=as_of, before=b"old")
    assert (done.code, done.out) == (2, b"old")


@pytest.mark.parametrize("near", ["-1", "x", "1.5", "１"])
def test_near_is_a_whole_number_or_the_command_stops(near: str):
    """[--near 1]."""
    assert run([policy()], [enterprise()], near=near).code == 2


def test_estimate_has_no_near():
    """`python manage.py estimate` takes the same arguments as `match` without `--near`."""
    assert run([policy(award={"rules": [{"fixed": "1"}]})], [enterprise()], command="estimate", near=1).code == 2


def test_an_existing_output_is_replaced_on_success_and_untouched_on_error():
    """nothing is written unless all lines are good."""
    assert run([policy()], [enterprise()], before=b"old").out == pair("p", "e").encode()
    assert run([policy({})], [enterprise()], before=b"old").out == b"old"
    assert run([policy()], [enterprise({"staff": None})], before=b"old").out == b"old"
    assert run([policy({})], [enterprise()]).out is None


def test_every_error_of_every_file_is_told_in_one_run():
    """2 with every error found, as `FILE:LINE: PATH: what is wrong and what is allowed`."""
    done = run(
        [
            policy({"all": [{"fact": "nope", "gte": 1}, {"fact": "staff", "gte": "x", "lte": "y"}]}),
            policy(id="q"),
            policy({"any": []}, id="r", window={"from": "x"}),
        ],
        [enterprise({"staff": None, "region": "9"}), enterprise(id=""), "no json"],
    )
    assert done.code == 2
    places = {tuple(e.split(": ")[:2]) for e in done.errors}
    assert places >= {
        ("P.jsonl:1", "criteria.all.0.fact"),
        ("P.jsonl:1", "criteria.all.1.gte"),
        ("P.jsonl:1", "criteria.all.1.lte"),
        ("P.jsonl:3", "criteria.any"),
        ("P.jsonl:3", "window.from"),
        ("E.jsonl:1", "facts.staff"),
        ("E.jsonl:1", "facts.region"),
        ("E.jsonl:2", "id"),
    }
    assert any(e.startswith("E.jsonl:3: ") for e in done.errors)
    assert not any(e.startswith("P.jsonl:2:") for e in done.errors)


def test_skip_bad_lists_and_counts_bad_lines_exits_0_and_writes_the_rest():
    """unless all lines are good, or `--skip-bad` was given, which still lists and counts them, and exits 0."""
    done = run(
        [policy(), policy({}, id="bad"), "{", policy(id="q")],
        [enterprise(None, "e"), enterprise({"staff": True}, "x")],
        skip_bad=True,
    )
    assert done.code == 0
    assert done.out == (pair("p", "e") + pair("q", "e")).encode()
    assert {e.split(": ")[0] for e in done.errors} == {"P.jsonl:2", "P.jsonl:3", "E.jsonl:2"}
    assert "3" in done.err.splitlines()[-1]


def test_skip_bad_without_bad_lines_says_nothing():
    """which still lists and counts them."""
    done = run([policy()], [enterprise()], skip_bad=True)
    assert (done.code, done.err, done.out) == (0, "", pair("p", "e").encode())


def test_skip_bad_does_not_excuse_a_missing_file_or_a_broken_vocabulary():
    """A wrong *line* never disappears silently: `--skip-bad` is about lines."""
    assert run([policy()], [enterprise()], skip_bad=True, vocabulary="{", before=b"old").out == b"old"
    assert run([policy()], [enterprise()], skip_bad=True, vocabulary="{").code == 2


def test_a_later_duplicate_id_is_the_wrong_line():
    """Ids are strings, unique in their file (a later duplicate is the wrong line)."""
    done = run([policy(), policy(LEAF, id="q"), policy(), policy()], [enterprise(), enterprise(id="f"), enterprise()])
    assert done.code == 2
    assert [":".join(e.split(": ")[:2]) for e in done.errors] == ["P.jsonl:3:id", "P.jsonl:4:id", "E.jsonl:3:id"]
    done = run([policy(LEAF), policy()], [enterprise({"staff": 10}), enterprise()], skip_bad=True)
    assert done.out == pair("p", "e").encode()
    assert run([policy(id="same")], [enterprise(id="same")]).code == 0
    # The later line is wrong even where the earlier one is wrong in another way.
    done = run([policy({}), policy()], [enterprise()], skip_bad=True)
    assert ([e.split(": ")[0] for e in done.errors], done.out) == (["P.jsonl:1", "P.jsonl:2"], b"")


def test_the_default_vocabulary_is_used_where_none_is_given():
    """[--vocabulary V.json]; `registered_region`, `revenue` and `project_investment` are facts of it."""
    criteria = {
        "all": [
            {"fact": "registered_region", "in": ["5101"]},
            {"fact": "revenue", "gte": "20000000"},
            {"fact": "qualifications", "any_of": ["high_tech"]},
            {"fact": "project_investment", "gte": 1},
        ]
    }
    facts = {"registered_region": "510105", "revenue": {"2025": "20000000.00"}, "qualifications": ["high_tech"]}
    (only,) = run([policy(criteria)], [enterprise(facts)], vocabulary=None).rows
    assert only == {
        "policy": "p",
        "enterprise": "e",
        "verdict": "undetermined",
        "unmet": [],
        "unknown": ["all.3"],
        "form_only": True,
    }


def test_a_vocabulary_of_ones_own_stands_alone():
    """The vocabulary is data, not code."""
    own = {"facts": [{"key": "高度", "label": "高度", "type": "number", "unit": "米"}]}
    assert (
        run([policy({"fact": "高度", "gte": 1})], [enterprise({"高度": 1})], vocabulary=own).rows[0]["verdict"]
        == "eligible"
    )
    assert run([policy({"fact": "revenue", "gte": 1})], [], vocabulary=own).code == 2


def test_the_example_of_the_contract_is_a_vocabulary():
    """Vocabulary file."""
    text = """
{"code_lists": {"region": {"hierarchy": "prefix", "codes": {"5101": "成都市", "510105": "青羊区"}},
                "qualification": {"hierarchy": "none", "codes": {"high_tech": "高新技术企业"}},
                "size": {"hierarchy": "parents", "parents": {"micro": "sme", "small": "sme", "medium": "sme"}, "codes": {"sme": "中小微企业", "micro": "微型", "small": "小型", "medium": "中型", "large": "大型"}}},
 "facts": [{"key": "registered_region", "label": "注册地", "type": "code", "codes": "region", "source": "市场监管", "fresh_for": "P1Y"},
           {"key": "revenue", "label": "营业收入", "type": "yearly", "unit": "元", "source": "税务"},
           {"key": "project_investment", "label": "项目总投资", "type": "number", "unit": "元", "scope": "application"}]}
"""  # noqa: E501
    assert (
        run(
            [policy({"fact": "registered_region", "in": ["5101"]})],
            [enterprise({"registered_region": "510105"})],
            vocabulary=text,
        ).rows[0]["verdict"]
        == "eligible"
    )


def test_an_old_fact_stays_known():
    """A fact older than its `fresh_for` is warned of, never made unknown."""
    facts = [dict(f, fresh_for="P1D") for f in VOCABULARY["facts"]]
    criteria = {
        "all": [
            {"fact": "rev", "gte": 1, "year": "2001"},
            {"fact": "born", "on_or_before": "2002-01-01"},
            {"fact": "quals", "any_of": ["ht"]},
            {"fact": "staff", "gte": 1},
        ]
    }
    known = {"rev": {"2001": 1}, "born": "2001-01-01", "quals": [{"code": "ht", "on": "2001-01-01"}], "staff": 1}
    done = run([policy(criteria)], [enterprise(known)], vocabulary={**VOCABULARY, "facts": facts})
    assert (done.code, done.out) == (0, pair("p", "e").encode())
    assert EVERYONE == {"all": []}
