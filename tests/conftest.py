"""What every test stands on."""

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import rounds

TESTS = Path(__file__).parent
CHROMIUM = Path("/usr/bin/chromium")
# What puts whole parts of the product together is slow by its nature; `make test-fast` leaves it out.
SLOW_FOLDERS = ("cluster", "faults", "fuzz", "integration", "journeys", "pdfa", "search_quality", "stateful")
DATABASE_FIXTURES = {"db", "django_db_setup", "transactional_db", "django_db_reset_sequences", "live_server"}

# An image may forbid Python to keep what it has compiled. Tests start many processes, and rewriting each assertion anew
# for each of them takes longer than all the rest of their start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Machines are shared: an example that takes long once says nothing. A failing example prints how to run it again. Under
# CI=true the same examples are drawn each time (Hypothesis's own profile); elsewhere others, and more is found.
settings.register_profile(
    "huida",
    deadline=None,
    max_examples=rounds.WHOLE,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.differing_executors],
)
settings.load_profile("huida")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="run only tests that touch a database: the suite's second round, on PostgreSQL",
    )


class WithoutRequests(logging.Filter):
    """Takes the request off what Django logs of a refused one.

    Pytest keeps every record until its test ends, and with the request all that hangs on it: the form that was sent,
    the files, the user, the view's frames. A test that is refused ten thousand times held 6 GB by that.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.__dict__.pop("request", None) is not None and record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        return True


def leaves_slow_out(markers: str) -> bool:
    """Whether no test marked slow can be chosen by these marks, as far as can be seen at a glance."""
    return " or " not in markers and "not slow" in markers.split(" and ")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A folder none of whose tests will run is not even read."""
    slow = any(collection_path == TESTS / folder for folder in SLOW_FOLDERS)
    return True if slow and leaves_slow_out(config.getoption("markexpr")) else None


def touches_database(item: pytest.Item) -> bool:
    return (
        item.get_closest_marker("django_db") is not None
        or item.get_closest_marker("postgres") is not None
        or bool(DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ())))
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    slow = tuple(TESTS / folder for folder in SLOW_FOLDERS)
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in slow):
            item.add_marker(pytest.mark.slow)
    if config.getoption("--database-only"):
        chosen = [item for item in items if touches_database(item) and rounds.is_of_second_round(item)]
        left = set(items).difference(chosen)
        config.hook.pytest_deselected(items=[item for item in items if item in left])
        items[:] = chosen
    yield
    # Only now is it known what marks leave out: the rest is dealt.
    rounds.longest_first(
        items,
        processes=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        touches_database=touches_database,
    )


def pytest_configure(config: pytest.Config) -> None:
    if leaves_slow_out(config.getoption("markexpr")):
        rounds.take_fewer_examples()
    # Playwright's synchronous API runs an event loop in the test's thread; Django would refuse the ORM there.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_sessionstart(session: pytest.Session) -> None:
    capturing = session.config.pluginmanager.get_plugin("logging-plugin")
    if capturing is not None:
        for handler in (capturing.caplog_handler, capturing.report_handler):
            handler.addFilter(WithoutRequests())


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """Each test process has its own copy of a migrated database (see tests/database.py)."""
    from django.conf import settings as django_settings
    from django.db import connection

    from tests import database, flush

    suffix = os.environ.get("PYTEST_XDIST_WORKER", f"p{os.getpid()}")
    before = django_settings.DATABASES["default"]["NAME"]
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            database.make_sqlite_database(suffix)
        else:
            name = database.make_postgresql_database(suffix)
        flush.keep_what_is_there()
    yield
    with django_db_blocker.unblock():
        if connection.vendor != "sqlite":
            database.drop_postgresql_database(name)
            database.point_at(before)


@pytest.fixture(scope="session", autouse=True)
def no_indices_left() -> Iterator[None]:
    """What this process put into Elasticsearch goes with it."""
    yield
    from tests.elastic import delete_indices, was_used

    if was_used():
        delete_indices()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's browser: one for all tests of a process, because Playwright runs its loop in their thread."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # machines are shared
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium")
    quiet = ("gpu", "background-networking", "component-update", "sync")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *(f"--disable-{what}" for what in quiet)]
        )
        yield browser
        browser.close()
