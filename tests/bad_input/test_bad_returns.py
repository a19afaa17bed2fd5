"""One return file for each mistake a bank can make, each told in its place with its reason; what is good is read."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from disbursement.treasury.formats import FormatError
from tests.factories.returns import read_return

HERE = Path(__file__).parent
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((HERE / "returns.toml").read_text(encoding="utf-8"))


def test_every_return_file_is_expected_and_there_are_at_least_forty_nine() -> None:
    assert {path.name for path in (HERE / "returns").iterdir()} == set(EXPECTED)
    assert len(EXPECTED) >= 49


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_mistake_of_the_bank_is_told_in_its_place_with_its_reason(name: str) -> None:
    expected = EXPECTED[name]
    content = (HERE / "returns" / name).read_bytes()
    if expected["where"] == "refused":
        with pytest.raises(FormatError, match=expected["reason"]):
            read_return(name, content)
        return
    read = read_return(name, content)
    if expected["where"] == "file":
        assert any(expected["reason"] in problem for problem in read.problems), read.problems
        return
    [row] = [row for row in read.rows if row.row_no == expected["row"]]
    assert expected["reason"] in row.problem
    assert (row.result, row.amount, row.occurred_on) == ("", None, None)
    # A line that cannot be read stops no other.
    assert all(not other.problem for other in read.rows if other is not row)
