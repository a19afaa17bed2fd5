"""People of the editorial desk."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from cms.services.setup import OFFICERS
from portal.accounts.models import User
from tests.factories import cms


@pytest.fixture(name="officer")
def officer_fixture(db: None) -> User:
    """A policy officer: a person of the group, nothing more."""
    cms.library()
    user = User.objects.create_user("officer", password="a-long-password", full_name="专员甲")
    user.groups.add(Group.objects.get(name=OFFICERS))
    return user


@pytest.fixture(name="desk")
def desk_fixture(officer: User, client: Client) -> Client:
    client.force_login(officer)
    return client
