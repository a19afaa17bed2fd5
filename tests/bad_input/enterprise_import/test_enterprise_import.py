"""One file for each mistake: refused with line, place and reason, and nothing half-written.

`expected.toml` says for each file where the mistake is told, and in which words; maps are tried on
`table_for_maps.csv`.
"""

import tomllib
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from matching.models import Enterprise, Fact
from matching.registry.models import OutboxMessage

HERE = Path(__file__).parent
EXPECTED = tomllib.loads((HERE / "expected.toml").read_text(encoding="utf-8"))
TABLE = HERE / "table_for_maps.csv"
FILES = sorted(path for path in HERE.iterdir() if path.suffix not in (".py", ".toml", "") and path != TABLE)
MAPS = sorted((HERE / "maps").iterdir())


def refused(*arguments):
    errors = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("import_enterprises", *map(str, arguments), stdout=StringIO(), stderr=errors)
    assert stopped.value.code == 2
    for written in (Enterprise, Fact, OutboxMessage):
        assert not written.objects.exists()
    return errors.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_wrong_file_is_refused_with_place_and_reason(path):
    place, reason = EXPECTED["files"][path.name]
    told = refused(path)
    assert f"{path}:{place}: " in told
    assert reason in told


@pytest.mark.django_db
@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.name)
def test_a_wrong_column_map_is_refused_with_place_and_reason(path):
    place, reason = EXPECTED["maps"][path.name]
    told = refused(TABLE, "--map", path)
    assert f"{place}: " in told
    assert reason in told


def test_every_file_is_expected_and_every_expectation_has_its_file():
    assert {path.name for path in FILES} == set(EXPECTED["files"])
    assert {path.name for path in MAPS} == set(EXPECTED["maps"])
