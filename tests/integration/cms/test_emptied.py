"""A database that was emptied is set up again."""

import pytest
from django.core.management import call_command
from django.test import Client
from wagtail.models import Locale, Page

from tests.factories import cms


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_pages_are_made_again(client: Client, time: str) -> None:
    Page.objects.all().delete()  # the root and the site's home page, too
    Locale.objects.all().delete()
    call_command("setup_cms")
    cms.published_item(code="kj-one", title=time)
    assert time in client.get("/policies/").content.decode()
