"""A database that was emptied, as between two journeys, is set up again."""

import pytest
from django.core.management import call_command
from django.test import Client

from tests.factories import cms


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_pages_are_made_again(client: Client, time: str) -> None:
    call_command("setup_cms")
    cms.published_item(code="kj-one", title=time)
    assert time in client.get("/policies/").content.decode()
