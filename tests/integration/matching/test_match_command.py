"""``manage.py match`` from files to a file, as somebody outside would run it."""

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from bench import generate
from matching.criteria import evaluate, parse_criteria, parse_facts
from tests.unit.matching.criteria import strategies
from tests.unit.matching.criteria.samples import VOCABULARY, VOCABULARY_JSON

Json = Any
AS_OF = "2026-11-22"
REPOSITORY = Path(__file__).parents[3]


class Desk:
    """A folder with the files of one run."""

    def __init__(self, folder: Path, vocabulary: Json = VOCABULARY_JSON) -> None:
        self.policies, self.enterprises = folder / "P.jsonl", folder / "E.jsonl"
        self.vocabulary, self.out = folder / "V.json", folder / "M.jsonl"
        self.vocabulary.write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        self.errors = ""

    def put(self, policies: Iterable[Json], enterprises: Iterable[Json]) -> "Desk":
        for path, lines in ((self.policies, policies), (self.enterprises, enterprises)):
            path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        return self

    def arguments(self, *more: str) -> list[str]:
        files = ["--policies", str(self.policies), "--enterprises", str(self.enterprises), "--out", str(self.out)]
        return [*files, "--vocabulary", str(self.vocabulary), "--as-of", AS_OF, *more]

    def run(self, *more: str) -> int:
        """The exit code; what was said on standard error stays in ``errors``."""
        stderr = StringIO()
        try:
            call_command("match", *self.arguments(*more), stderr=stderr)
        except SystemExit as end:
            return int(str(end.code))
        finally:
            self.errors = stderr.getvalue()
        return 0

    @property
    def written(self) -> str:
        return self.out.read_bytes().decode("utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def naive(policies: list[Json], enterprises: list[Json], as_of: date, near: int, vocabulary: Any = VOCABULARY) -> str:
    """Every pair, one by one, by the plain evaluator."""
    lines = []
    for policy in sorted(policies, key=lambda line: line["id"]):
        window = policy.get("window", {})
        if not window.get("from", "0000") <= as_of.isoformat() <= window.get("until", "9999"):
            continue
        tree = parse_criteria(policy["criteria"], vocabulary)
        for enterprise in sorted(enterprises, key=lambda line: line["id"]):
            found = evaluate(tree, parse_facts(enterprise["facts"], vocabulary), as_of)
            if len(found.unmet) > near:
                continue
            line = {
                "policy": policy["id"],
                "enterprise": enterprise["id"],
                "verdict": str(found.verdict),
                "unmet": list(found.unmet),
                "unknown": list(found.unknown),
            }
            if found.form_only:
                line["form_only"] = True
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


ids = st.text(st.sampled_from('aZ0é政企😀"\\'), min_size=1, max_size=3)
windows = st.fixed_dictionaries({}, optional={"from": st.just("2026-11-22"), "until": st.just("2026-11-22")})
shut = st.sampled_from([{"from": "2026-11-23"}, {"until": "2026-11-21"}])
policy_lines = st.dictionaries(ids, st.tuples(strategies.trees, st.none() | windows | shut), max_size=5).map(
    lambda lines: [
        {"id": key, "criteria": tree} | ({} if window is None else {"window": window})
        for key, (tree, window) in lines.items()
    ]
)
enterprise_lines = st.dictionaries(ids, strategies.facts, max_size=4).map(
    lambda lines: [{"id": key, "facts": facts} for key, facts in lines.items()]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policies=policy_lines, enterprises=enterprise_lines, near=st.integers(0, 3))
def test_the_file_is_what_a_loop_over_all_pairs_with_the_evaluator_writes(
    desk: Desk, policies: list[Json], enterprises: list[Json], near: int
) -> None:
    assert desk.put(policies, enterprises).run("--near", str(near)) == 0
    assert desk.written == naive(policies, enterprises, date.fromisoformat(AS_OF), near)


@pytest.mark.parametrize("kind", ["columns", "windows"])
def test_the_file_is_right_on_the_benchmarks_own_data(tmp_path: Path, kind: generate.Kind) -> None:
    from matching.criteria import parse_vocabulary

    desk = Desk(tmp_path, generate.vocabulary())
    policies = generate.policies(80, seed=3, kind=kind)
    enterprises = generate.enterprises(25, seed=4, kind=kind, unknown=0.1)
    assert desk.put(policies, enterprises).run("--near", "1") == 0
    vocabulary = parse_vocabulary(generate.vocabulary())
    assert desk.written == naive(policies, enterprises, generate.AS_OF, 1, vocabulary)


def test_without_near_only_those_that_fit_or_may_fit_are_listed(desk: Desk) -> None:
    desk.put(
        [{"id": "P", "criteria": {"fact": "staff", "gte": 10}}],
        [{"id": "few", "facts": {"staff": 9}}, {"id": "many", "facts": {"staff": "10"}}, {"id": "who", "facts": {}}],
    )
    assert desk.run() == 0
    assert desk.written == (
        '{"policy": "P", "enterprise": "many", "verdict": "eligible", "unmet": [], "unknown": []}\n'
        '{"policy": "P", "enterprise": "who", "verdict": "undetermined", "unmet": [], "unknown": ["root"]}\n'
    )


def test_a_pair_that_lacks_only_what_the_form_asks_for_says_so(desk: Desk) -> None:
    desk.put([{"id": "P", "criteria": {"fact": "investment", "gte": 1}}], [{"id": "E", "facts": {}}])
    assert desk.run() == 0
    assert json.loads(desk.written)["form_only"] is True
    assert list(json.loads(desk.written)) == ["policy", "enterprise", "verdict", "unmet", "unknown", "form_only"]


def test_ids_are_sorted_by_code_point_and_written_without_escapes(desk: Desk) -> None:
    names = ["政策", "Z", "a", "😀", "ｚ", "10", "9"]
    desk.put([{"id": name, "criteria": {"all": []}} for name in names], [{"id": "企业", "facts": {}}])
    assert desk.run() == 0
    assert [json.loads(line)["policy"] for line in desk.written.splitlines()] == sorted(names)
    assert '"policy": "政策", "enterprise": "企业"' in desk.written


def test_no_match_at_all_is_an_empty_file(desk: Desk) -> None:
    desk.put([{"id": "P", "criteria": {"fact": "staff", "gte": 10}}], [{"id": "E", "facts": {"staff": 1}}])
    assert desk.run() == 0
    assert desk.written == ""


def test_the_default_vocabulary_serves_where_none_is_named(desk: Desk) -> None:
    desk.put([{"id": "P", "criteria": {"all": []}}], [{"id": "E", "facts": {}}])
    arguments = desk.arguments()
    at = arguments.index("--vocabulary")
    call_command("match", *arguments[:at], *arguments[at + 2 :])
    assert '"eligible"' in desk.written


def test_every_mistake_is_told_with_file_line_and_place_and_nothing_is_written(desk: Desk) -> None:
    desk.out.write_text("yesterday's\n")
    desk.put(
        [
            {"id": "P1", "criteria": {"fact": "staff", "gte": "ten"}, "windw": {}},
            {"id": "P2", "criteria": {"all": []}, "window": {"from": "2026-12-31", "until": "2026-01-01"}},
            {"id": "P2", "criteria": {"all": []}},
        ],
        [{"id": "E1", "facts": {"staff": None}}, {"facts": {}}],
    )
    assert desk.run() == 2
    told = desk.errors.splitlines()
    for place in (
        f"{desk.policies}:1: windw: ",
        f"{desk.policies}:1: criteria.gte: ",
        f"{desk.policies}:2: window.until: ",
        f"{desk.policies}:3: id: ",
        f"{desk.enterprises}:1: facts.staff: ",
        f"{desk.enterprises}:2: $: ",
    ):
        assert any(line.startswith(place) for line in told), place
    assert "5 行有错，6 处" in told[-1]
    assert desk.out.read_text() == "yesterday's\n"
    assert sorted(path.name for path in desk.out.parent.iterdir()) == ["E.jsonl", "M.jsonl", "P.jsonl", "V.json"]


def test_an_award_in_a_policy_is_checked_too(desk: Desk) -> None:
    award = {"rules": [{"fixed": "-1"}]}
    desk.put([{"id": "P", "criteria": {"all": []}, "award": award}], [{"id": "E", "facts": {}}])
    assert desk.run() == 2
    assert f"{desk.policies}:1: award.rules.0.fixed" in desk.errors


def test_bad_lines_are_skipped_when_asked_but_still_listed_and_counted(desk: Desk) -> None:
    desk.put(
        [{"id": "good", "criteria": {"all": []}}, {"id": "bad", "criteria": {"any": []}}],
        [{"id": "E", "facts": {}}, {"id": "E", "facts": {}}],
    )
    assert desk.run("--skip-bad") == 0
    assert f"{desk.policies}:2: criteria.any: " in desk.errors
    assert f"{desk.enterprises}:2: id: " in desk.errors
    assert "略过有错的 2 行（2 处错误）" in desk.errors
    assert [json.loads(line)["policy"] for line in desk.written.splitlines()] == ["good"]


def test_lines_that_are_not_json_or_not_utf8_are_placed(desk: Desk) -> None:
    desk.put([{"id": "P", "criteria": {"all": []}}], [])
    desk.enterprises.write_bytes(b'\n  \r\n{"id": "E1", "facts": {}}\r\n{"id": "E2"\n{"id": "\xff", "facts": {}}\n[]\n')
    assert desk.run() == 2
    lines = [line.split(": ")[0] for line in desk.errors.splitlines()[:-1]]
    assert lines == [f"{desk.enterprises}:{number}" for number in (4, 5, 6)]


def test_a_bad_vocabulary_and_missing_files_cannot_be_skipped(desk: Desk) -> None:
    desk.put([], [])
    desk.vocabulary.write_text('{"facts": [{"key": "x"}]}')
    assert desk.run("--skip-bad") == 2
    assert f"{desk.vocabulary}:1: facts.0: " in desk.errors
    desk.vocabulary.write_text('{"facts": []}')
    desk.policies.unlink()
    assert desk.run("--skip-bad") == 2
    assert f"{desk.policies}:0: $: 读不到文件" in desk.errors
    assert not desk.out.exists()


def test_a_place_that_cannot_be_written_is_told(desk: Desk) -> None:
    desk.put([], [])
    desk.out = desk.out.parent / "nowhere" / "M.jsonl"
    assert desk.run() == 2
    assert f"{desk.out}:0: $: 写不出文件" in desk.errors


def test_an_elasticsearch_that_is_away_is_told_with_what_to_do(desk: Desk, settings: Settings) -> None:
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    desk.put([{"id": "P", "criteria": {"all": []}}], [{"id": "E", "facts": {}}])
    assert desk.run("--backend", "elasticsearch") == 2
    assert "http://127.0.0.1:9" in desk.errors
    assert "memory，结果相同" in desk.errors
    assert not desk.out.exists()


def test_as_a_process_it_shows_no_progress_off_a_terminal_and_ends_with_its_code(desk: Desk) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", "match", *desk.arguments(*more)]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    desk.put([{"id": "P", "criteria": {"all": []}}], [{"id": "E", "facts": {}}])
    good = run()
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    desk.put([{"id": "P", "criteria": {"all": [], "x": 1}}], [])
    bad = run()
    assert bad.returncode == 2
    assert f"{desk.policies}:1: criteria.x: " in bad.stderr
    assert run("--as-of", "2026-02-30").returncode == 2
    assert run("--near", "-1").returncode == 2
