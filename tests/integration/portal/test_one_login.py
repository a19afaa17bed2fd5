"""There is one way to sign in, the one that counts wrong passwords; the editors' rooms lead to it and back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from cms.services.setup import OFFICERS
from portal.accounts import throttle
from portal.accounts.models import User
from tests.factories import cms

pytestmark = pytest.mark.django_db
PASSWORD = "right-horse-battery"
WAGTAILS = ("/cms/login/", "/_util/login/")


@pytest.fixture
def officer() -> User:
    cms.library()
    user = User.objects.create_user("zhou", password=PASSWORD, full_name="周", email="zhou@example.org")
    user.groups.add(Group.objects.get(name=OFFICERS))
    return user


@pytest.mark.parametrize("door", WAGTAILS)
def test_no_password_is_tried_at_the_doors_of_wagtail(door: str, officer: User) -> None:
    client = Client()
    for password in [*["wrong"] * throttle.MAX_FAILURES, PASSWORD]:
        answer = client.post(door, {"username": officer.username, "password": password})
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_an_officer_signs_in_at_our_door_and_comes_back_to_the_editor(officer: User) -> None:
    client = Client()
    asked = client.get("/cms/pages/?q=a", follow=True)
    at = asked.redirect_chain[-1][0]
    assert at.startswith("/accounts/login/?next=")
    back = client.post(at, {"username": officer.username, "password": PASSWORD, "next": asked.context["next"]})
    assert back["Location"] == "/cms/pages/?q=a"
    assert client.get(back["Location"]).status_code == 200
    assert client.get("/cms/login/?next=/cms/", follow=True).redirect_chain[-1][0] == "/cms/"
    assert client.post("/cms/logout/", follow=True).redirect_chain[-1][0] == "/accounts/login/"


def test_who_is_no_editor_is_told_so_and_not_led_in_a_circle() -> None:
    client = Client()
    client.force_login(User.objects.create_user("enterprise-person", password=PASSWORD))
    assert client.get("/cms/", follow=True).status_code == 403
    assert client.get("/_util/login/?next=/", follow=True).status_code == 403


def test_no_password_is_set_anew_by_mail(officer: User) -> None:
    assert Client().post("/cms/password_reset/", {"email": officer.email}).status_code == 404
