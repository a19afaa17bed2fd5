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
from tests.contract.conformance.chance import Chance
from tests.unit.matching.criteria.samples import AS_OF, VOCABULARY, VOCABULARY_JSON

Json = Any
REPOSITORY = Path(__file__).parents[4]


def put(path: Path, lines: list[Json]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def common_world(folder: Path) -> int:
    """Policies as districts write them, in columns and with windows: 50,000 pairs. Each pays in its own way."""
    columns = generate.policies(125, seed=1, kind="columns")
    windows = generate.policies(125, seed=2, kind="windows")
    chance = Chance(generate.vocabulary(), seed=3)
    lines = [{**line, "id": f"P{number:05d}", "award": chance.award()} for number, line in enumerate(columns + windows)]
    put(folder / "P.jsonl", lines)
    put(folder / "E.jsonl", generate.enterprises(200, seed=3, kind="windows", unknown=0.15))
    (folder / "V.json").write_text(json.dumps(generate.vocabulary()), encoding="utf-8")
    return 250 * 200


def odd_world(folder: Path) -> int:
    """Every operator, values on and beside the bounds, records without dates, what only a form asks: 60,000 pairs.

    Five worlds of a few facts each, put together: across them most facts are unknown.
    """
    worlds = [Chance(VOCABULARY_JSON, seed) for seed in range(5)]
    policies = [{"criteria": world.tree(2), "award": world.award()} for world in worlds for _ in range(60)]
    put(folder / "P.jsonl", [{"id": f"P{number:05d}"} | line for number, line in enumerate(policies)])
    profiles = [world.enterprise() for world in worlds for _ in range(40)]
    put(folder / "E.jsonl", [{"id": f"E{number:05d}", "facts": facts} for number, facts in enumerate(profiles)])
    (folder / "V.json").write_text(json.dumps(VOCABULARY_JSON), encoding="utf-8")
    return 300 * 200


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
def test_a_hundred_thousand_pairs_are_matched_and_estimated_to_the_same_bytes(tmp_path: Path) -> None:
    pairs = 0
    for world in (common_world, odd_world):
        folder = tmp_path / world.__name__
        folder.mkdir()
        pairs += world(folder)
        matched, estimated = written(folder, "match", "--near", "2"), written(folder, "estimate")
        assert matched["elasticsearch"] == matched["memory"]
        assert estimated["elasticsearch"] == estimated["memory"]
        lines = [json.loads(line) for line in matched["memory"].splitlines()]
        for verdict in ("eligible", "undetermined", "ineligible"):
            assert sum(line["verdict"] == verdict for line in lines) > 300
        amounts = [json.loads(line) for line in estimated["memory"].splitlines()]
        assert len(amounts) == sum(line["verdict"] != "ineligible" for line in lines)
        assert sum(amount["low"] != amount["high"] for amount in amounts) > 300
    assert pairs > 100_000


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
