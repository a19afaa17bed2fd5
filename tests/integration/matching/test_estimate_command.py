"""``manage.py estimate``, run as it is run: files in, a file out, exit codes, every mistake told."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portal.demo.enterprises import generate
from portal.demo.policies import policy_items

OPEN: dict[str, Any] = {"all": []}
LOCAL = {"fact": "registered_region", "in": ["510105"]}
HALF = {"rules": [{"rate": "50", "of": "invoice_total", "cap": "1000000"}]}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def run(files: Path, *more: str, policies: list[Any], enterprises: list[Any], as_of: str = "2026-11-22") -> str:
    arguments = [
        f"--policies={write(files / 'P.jsonl', *policies)}",
        f"--enterprises={write(files / 'E.jsonl', *enterprises)}",
        f"--as-of={as_of}",
        f"--out={files / 'A.jsonl'}",
    ]
    call_command("estimate", *arguments, *more)
    return (files / "A.jsonl").read_text(encoding="utf-8")


def test_each_pair_that_fits_or_may_fit_is_estimated_in_order(files):
    text = run(
        files,
        policies=[
            {"id": "乙", "criteria": OPEN, "award": {"rules": [{"fixed": "200000"}]}},
            {"id": "a", "criteria": LOCAL, "award": HALF},
        ],
        enterprises=[
            {"id": "e2", "facts": {"registered_region": "510104", "invoice_total": 1}},
            {"id": "e10", "facts": {"registered_region": "510105", "invoice_total": "1200000"}},
            {"id": "e1", "facts": {}},
        ],
    )
    assert text == (
        '{"policy": "a", "enterprise": "e1", "low": "0.00", "high": "1000000.00"}\n'
        '{"policy": "a", "enterprise": "e10", "low": "600000.00", "high": "600000.00"}\n'
        '{"policy": "乙", "enterprise": "e1", "low": "200000.00", "high": "200000.00"}\n'
        '{"policy": "乙", "enterprise": "e10", "low": "200000.00", "high": "200000.00"}\n'
        '{"policy": "乙", "enterprise": "e2", "low": "200000.00", "high": "200000.00"}\n'
    )


def test_an_amount_that_nothing_bounds_has_no_high(files):
    award = {"rules": [{"rate": "50", "of": "invoice_total"}]}
    text = run(files, policies=[{"id": "p", "criteria": OPEN, "award": award}], enterprises=[{"id": "e", "facts": {}}])
    assert text == '{"policy": "p", "enterprise": "e", "low": "0.00", "high": null}\n'


def test_a_policy_outside_its_window_is_not_estimated(files):
    policy = {"id": "p", "criteria": OPEN, "award": HALF, "window": {"until": "2026-11-21"}}
    assert run(files, policies=[policy], enterprises=[{"id": "e", "facts": {}}]) == ""


def test_the_day_decides_which_year_is_the_last(files):
    award = {"rules": [{"rate": "10", "of": "district_contribution@last"}]}
    policy = {"id": "p", "criteria": OPEN, "award": award}
    enterprise = {"id": "e", "facts": {"district_contribution": {"2025": "500", "2024": "300"}}}
    assert '"low": "50.00", "high": "50.00"' in run(files, policies=[policy], enterprises=[enterprise])
    earlier = run(files, policies=[policy], enterprises=[enterprise], as_of="2025-01-01")
    assert '"low": "30.00", "high": "30.00"' in earlier


def test_mistakes_are_told_with_file_line_and_place_and_nothing_is_written(files, capsys):
    bad = {"rules": [{"rate": "-1", "of": "size"}], "instalments": ["50"]}
    policies = [{"id": "p", "criteria": OPEN}, {"id": "q", "criteria": OPEN, "award": bad}]
    with pytest.raises(SystemExit) as ended:
        run(files, policies=policies, enterprises=[{"id": "e", "facts": {}}])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert f"{files / 'P.jsonl'}:1: " in told
    assert "award" in told.splitlines()[0]
    for place in ("award.rules.0.rate", "award.rules.0.of", "award.instalments"):
        assert f"{files / 'P.jsonl'}:2: {place}: " in told
    assert not (files / "A.jsonl").exists()


def test_bad_lines_may_be_skipped_and_are_still_told(files, capsys):
    policies = [{"id": "p", "criteria": OPEN}, {"id": "q", "criteria": OPEN, "award": {"rules": [{"fixed": "1"}]}}]
    text = run(files, "--skip-bad", policies=policies, enterprises=[{"id": "e", "facts": {}}])
    assert text == '{"policy": "q", "enterprise": "e", "low": "1.00", "high": "1.00"}\n'
    assert f"{files / 'P.jsonl'}:1: " in capsys.readouterr().err


def test_near_misses_cannot_be_asked_for(files):
    policy = {"id": "p", "criteria": OPEN, "award": HALF}
    with pytest.raises((CommandError, SystemExit)):
        run(files, "--near=1", policies=[policy], enterprises=[{"id": "e", "facts": {}}])


def test_every_pair_estimated_is_one_that_match_lists(files):
    day = date(2026, 11, 22)
    policies = [
        {"id": item["code"], "criteria": item["criteria"], "award": item["award"]} for item in policy_items(day)
    ]
    enterprises = [{"id": row["id"], "facts": row["facts"]} for row in generate(as_of=day, count=60)]
    estimated = [json.loads(line) for line in run(files, policies=policies, enterprises=enterprises).splitlines()]
    call_command(
        "match",
        f"--policies={files / 'P.jsonl'}",
        f"--enterprises={files / 'E.jsonl'}",
        f"--as-of={day}",
        f"--out={files / 'M.jsonl'}",
    )
    matched = [json.loads(line) for line in (files / "M.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["policy"], row["enterprise"]) for row in estimated] == [
        (row["policy"], row["enterprise"]) for row in matched
    ]
    assert len(estimated) > 200
