"""One file for each mistake, each refused by ``match`` with its line, place and reason, and nothing half-written."""

import tomllib
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

HERE = Path(__file__).parent
EXPECTED = tomllib.loads((HERE / "expected.toml").read_text(encoding="utf-8"))
# A kind of file, which is its argument and its folder → how the names of such files end.
KINDS = {"policies": "jsonl", "enterprises": "jsonl", "vocabulary": "json"}
OLD = "what stood there before\n"


def match(out: Path, name: str | None, *options: str) -> tuple[int, list[str]]:
    """The exit code of ``match`` over good files but this one, and what it says."""
    used = {kind: HERE / "good" / f"{kind}.{end}" for kind, end in KINDS.items()}
    if name is not None:
        used[Path(name).parent.name] = HERE / name
    said = StringIO()
    arguments = [text for kind, path in used.items() for text in (f"--{kind}", str(path))]
    try:
        call_command("match", *arguments, "--as-of", "2026-11-22", "--out", str(out), *options, stderr=said)
    except SystemExit as stop:
        return int(stop.code or 0), said.getvalue().splitlines()
    return 0, said.getvalue().splitlines()


def test_every_file_is_expected_and_there_are_at_least_sixty() -> None:
    files = {f"{kind}/{path.name}" for kind in KINDS for path in (HERE / kind).iterdir()}
    assert files == set(EXPECTED)
    assert len(files) >= 60


def test_the_good_files_are_good(tmp_path: Path) -> None:
    out = tmp_path / "M.jsonl"
    assert match(out, None) == (0, [])
    assert out.read_text(encoding="utf-8").count("\n") == 1


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_mistake_is_refused_with_its_place_and_reason_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    out = tmp_path / "M.jsonl"
    out.write_text(OLD, encoding="utf-8")
    expected = EXPECTED[name]
    code, said = match(out, name)
    told = [line for line in said if line.startswith(f"{HERE / name}:")]
    assert code == 2
    assert len(told) == 1, told
    assert told[0].startswith(f"{HERE / name}:{expected['line']}: {expected['path']}: ")
    assert expected["reason"] in told[0].removeprefix(f"{HERE / name}:{expected['line']}: {expected['path']}: ")
    assert out.read_text(encoding="utf-8") == OLD
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", sorted(name for name in EXPECTED if not name.startswith("vocabulary/")))
def test_with_skip_bad_the_mistake_is_still_told_and_the_good_lines_are_matched(name: str, tmp_path: Path) -> None:
    out = tmp_path / "M.jsonl"
    code, said = match(out, name, "--skip-bad")
    assert code == 0
    assert any(line.startswith(f"{HERE / name}:{EXPECTED[name]['line']}: ") for line in said)
    assert out.read_text(encoding="utf-8").count("\n") == 1
