"""What pytest keeps of the log until a test ends must not keep the requests of the test alive."""

import logging
import sys

import pytest


def test_a_refused_request_is_not_kept_with_its_record_and_its_frames(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise PermissionError("not yours")
    except PermissionError:
        logging.getLogger("django.request").warning(
            "Forbidden: %s", "/desk/", exc_info=sys.exc_info(), extra={"request": object(), "status_code": 403}
        )
    [record] = caplog.records
    assert not hasattr(record, "request")
    assert record.exc_info is None
    assert "PermissionError: not yours" in caplog.text


def test_other_records_keep_what_they_say(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("matching").exception("a task failed")
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError
