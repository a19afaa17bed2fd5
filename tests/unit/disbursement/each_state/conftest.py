"""An application in each state, which every test of this folder stands on."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import partial

import pytest
from pytest_django.plugin import DjangoDbBlocker

from disbursement.domain.workflow import ApplicationState
from tests.factories.disbursement import Case, case_in
from tests.restored import restored


@pytest.fixture(scope="module", params=list(ApplicationState))
def brought(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[ApplicationState, Case]]:
    """A case that the services brought to the state; it stays until the module's tests of this state are through.

    So no test here may need an empty database.
    """
    state: ApplicationState = request.param
    with django_db_blocker.unblock(), restored(partial(case_in, state), name=(case_in, state)) as made:
        yield state, made


@pytest.fixture
def state(brought: tuple[ApplicationState, Case]) -> ApplicationState:
    """The one that was asked for."""
    return brought[0]


@pytest.fixture
def case(brought: tuple[ApplicationState, Case], db: None) -> Case:
    """A test's own, in a savepoint."""
    return deepcopy(brought[1])
