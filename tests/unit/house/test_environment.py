"""What the environment and make are asked for stands where people look for it, and is asked for by something."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SETTINGS = ROOT / "portal" / "settings"
# Of development alone.
UNTOLD = {"DEBUG"}


def read_by_settings() -> set[str]:
    return {
        name
        for path in SETTINGS.glob("*.py")
        for name in re.findall(r"env\.\w+\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))
    }


def read_by_compose() -> set[str]:
    return set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))


def told() -> tuple[set[str], set[str]]:
    """The variables named anywhere in docs/operations.md, and those of its tables."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.split("## Settings from the environment", 1)[1].split("\n## ", 1)[0]
    cells = " ".join(line.split("|")[1] for line in section.splitlines() if line.startswith("|"))
    return set(re.findall(r"`([A-Z][A-Z_]+)\b", text)), set(re.findall(r"`([A-Z][A-Z_]+)`", cells))


def test_every_variable_that_is_read_is_told_and_every_one_that_is_told_is_read() -> None:
    read = read_by_settings() | read_by_compose()
    anywhere, in_tables = told()
    assert not read - anywhere - UNTOLD
    assert in_tables
    assert not in_tables - read


def test_every_setting_of_ours_is_used() -> None:
    text = "".join((SETTINGS / f"{name}.py").read_text(encoding="utf-8") for name in ("base", "production"))
    ours = set(re.findall(r"^(HUIDA_\w+)\b.*=", text, re.MULTILINE))
    rooms = (path for room in ("portal", "cms", "disbursement", "matching") for path in (ROOT / room).rglob("*.py"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in rooms if path.parent != SETTINGS)
    assert ours
    assert not ours.difference(re.findall(r"\bHUIDA_\w+", code))


def test_a_file_named_as_a_command_of_make_does_not_stand_in_its_way() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) == set(phony.split())
