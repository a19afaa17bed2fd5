"""``manage.py match`` and ``estimate`` write the same bytes whichever backend proposes, on a hundred thousand pairs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from bench import generate
from matching.backends import BACKENDS, Listed
from matching.backends.elastic.backend import ElasticBackend
from matching.backends.elastic.indices import ClauseIndex
from matching.criteria import parse_criteria, parse_facts
from tests.unit.matching.criteria.samples import AS_OF, VOCABULARY

Json = Any
REPOSITORY = Path(__file__).parents[4]
AWARDS: list[Json] = [
    {"rules": [{"fixed": "200000"}]},
    {"rules": [{"rate": "5", "of": "revenue@last", "cap": "1000000"}], "cap_total": "800000"},
    {"rules": [{"when": {"fact": "listed", "is": True}, "fixed": "50000"}, {"each": "1000", "of": "staff"}]},
]


def put(path: Path, lines: list[Json]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def written(folder: Path, command: str, *more: str) -> dict[str, bytes]:
    """What each backend writes from the files in the folder."""
    found = {}
    for name in BACKENDS:
        out = folder / f"{name}.jsonl"
        files = {"policies": "P.jsonl", "enterprises": "E.jsonl", "vocabulary": "V.json"}
        arguments = [text for option, file in files.items() for text in (f"--{option}", str(folder / file))]
        call_command(command, *arguments, "--out", str(out), "--as-of", str(generate.AS_OF), "--backend", name, *more)
        found[name] = out.read_bytes()
    return found


@pytest.mark.elasticsearch
@pytest.mark.slow
def test_a_hundred_thousand_pairs_are_matched_to_the_same_bytes(tmp_path: Path) -> None:
    columns = generate.policies(250, seed=1, kind="columns")
    windows = generate.policies(250, seed=2, kind="windows")
    for number, line in enumerate(windows):
        line["id"] = f"W{number:05d}"
    put(tmp_path / "P.jsonl", columns + windows)
    put(tmp_path / "E.jsonl", generate.enterprises(200, seed=3, kind="windows", unknown=0.15))
    (tmp_path / "V.json").write_text(json.dumps(generate.vocabulary()), encoding="utf-8")
    found = written(tmp_path, "match", "--near", "2")
    assert found["elasticsearch"] == found["memory"]
    verdicts = [json.loads(line)["verdict"] for line in found["memory"].splitlines()]
    assert {verdicts.count(verdict) > 1000 for verdict in ("eligible", "undetermined", "ineligible")} == {True}


@pytest.mark.elasticsearch
@pytest.mark.slow
def test_amounts_are_estimated_to_the_same_bytes(tmp_path: Path) -> None:
    policies = generate.policies(150, seed=4, kind="windows")
    put(tmp_path / "P.jsonl", [line | {"award": AWARDS[number % 3]} for number, line in enumerate(policies)])
    put(tmp_path / "E.jsonl", generate.enterprises(200, seed=5, kind="windows", unknown=0.15))
    (tmp_path / "V.json").write_text(json.dumps(generate.vocabulary()), encoding="utf-8")
    found = written(tmp_path, "estimate")
    assert found["elasticsearch"] == found["memory"]
    assert found["memory"].count(b"\n") > 1000


@pytest.mark.elasticsearch
def test_a_row_that_lies_is_overruled_and_told_as_a_defect_with_both_inputs(caplog: pytest.LogCaptureFixture) -> None:
    index = ClauseIndex("scratch")
    backend = ElasticBackend(index=index)
    backend.put([Listed("P", parse_criteria({"fact": "staff", "gte": 100}, VOCABULARY))])
    facts = parse_facts({"staff": 30}, VOCABULARY)
    assert backend.match(facts, as_of=AS_OF) == []
    assert not caplog.records
    [(key, row)] = backend.held_rows().items()
    index.put(backend.holder, {key: {**row, "asks": [], "ranges": {}}})
    index.refresh()
    assert backend.match(facts, as_of=AS_OF) == []
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    told = record.getMessage()
    assert "defect" in told
    assert "eligible with 0 unmet, against ineligible with ('root',)" in told
    assert "Decimal('100')" in told
    assert "Decimal('30')" in told
    backend.close()


def test_rows_are_the_same_in_every_process() -> None:
    script = (
        "import django; django.setup()\n"
        "from bench import generate\n"
        "from matching.backends import Listed\n"
        "from matching.backends.elastic.rebuild import rows_of\n"
        "from matching.criteria import parse_criteria, parse_vocabulary\n"
        "V = parse_vocabulary(generate.vocabulary())\n"
        "lines = generate.policies(40, seed=6, kind='windows')\n"
        "print(sorted(rows_of(Listed(line['id'], parse_criteria(line['criteria'], V)) for line in lines)))\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONHASHSEED": seed, "DJANGO_SETTINGS_MODULE": "portal.settings.test"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count(".0'") == 40
