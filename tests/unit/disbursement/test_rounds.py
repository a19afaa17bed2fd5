"""A round in which one step breaks."""

from __future__ import annotations

import pytest

from disbursement.services.rounds import every


def test_a_step_that_breaks_leaves_no_other_undone_and_is_seen(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def breaks() -> None:
        raise OSError("磁盘已满")

    with pytest.raises(OSError, match="磁盘已满"):
        every({"first": lambda: done.append("first"), "second": breaks, "third": lambda: done.append("third")})
    assert done == ["first", "third"]
    assert "second broke" in caplog.text
    assert every({"one": lambda: 1, "two": lambda: 2}) == {"one": 1, "two": 2}
