"""The pages of the inbox, by hand."""

import pytest
from django.urls import reverse

from portal.accounts.access import SESSION_KEY
from portal.accounts.models import Membership
from portal.inbox import services
from portal.inbox.models import Mute, Notification, NotificationKind, ReadMark
from tests.factories import matching as make
from tests.integration.inbox.conftest import member

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(firm, person, deliver, client):
    make.published(name="房租补贴", code="rent")
    deliver()
    client.force_login(person)
    return Notification.objects.get(enterprise=firm)


def test_the_list_shows_what_is_new_and_the_navigation_counts_it(told, client):
    page = client.get(reverse("inbox:list")).content.decode()
    assert "《房租补贴》符合贵企业" in page
    assert "未读" in page
    assert '<span class="count">1' in page


def test_looking_at_a_message_marks_it_as_read(told, client, person):
    page = client.get(reverse("inbox:detail", args=[told.pk])).content.decode()
    assert "面向所有企业" in page
    assert told.link in page
    assert ReadMark.objects.filter(user=person, notification=told).count() == 1
    client.get(reverse("inbox:detail", args=[told.pk]))
    assert "没有未读消息" in client.get(reverse("inbox:list"), {"show": "unread"}).content.decode()


def test_everything_can_be_marked_as_read(told, client):
    client.post(reverse("inbox:read_all"))
    assert ReadMark.objects.count() == 1
    assert client.get(reverse("inbox:read_all")).status_code == 405


def test_an_item_can_be_muted_from_its_message_and_restored_in_the_settings(told, client, person):
    client.post(reverse("inbox:mute", args=[told.pk]), {"what": "item"})
    assert "房租补贴" not in client.get(reverse("inbox:list")).content.decode().split("</h1>")[1]
    assert "房租补贴" in client.get(reverse("inbox:list"), {"show": "muted"}).content.decode()
    settings = client.get(reverse("inbox:preferences")).content.decode()
    assert "房租补贴" in settings
    client.post(reverse("inbox:unmute", args=[Mute.objects.get().pk]))
    assert not Mute.objects.exists()
    assert client.post(reverse("inbox:mute", args=[told.pk]), {"what": "everything"}).status_code == 404


def test_kinds_are_muted_and_unmuted_in_the_settings(told, client, person):
    url = reverse("inbox:preferences")
    client.post(url, {"kinds": ["policy", "payment"]})
    client.post(url, {"kinds": ["payment"]})
    assert [mute.kind for mute in Mute.objects.filter(user=person)] == ["payment"]
    client.post(url, {})
    assert not Mute.objects.exists()
    page = client.post(url, {"kinds": ["nonsense"]}).content.decode()
    assert "error-summary" in page or "errorlist" in page


def test_nobody_sees_or_touches_the_messages_of_another_enterprise(told, client):
    stranger = member(make.enterprise("别家"))
    client.force_login(stranger)
    assert "房租补贴" not in client.get(reverse("inbox:list")).content.decode()
    assert client.get(reverse("inbox:detail", args=[told.pk])).status_code == 404
    assert client.post(reverse("inbox:mute", args=[told.pk]), {"what": "item"}).status_code == 404
    assert client.get(reverse("inbox:detail", args=[999_999_999_999_999_999])).status_code == 404


def test_somebody_elses_mute_cannot_be_taken_away(told, client, firm):
    other = member(firm)
    mute = Mute.objects.create(user=other, kind="policy", created_at=make.NOW)
    assert client.post(reverse("inbox:unmute", args=[mute.pk])).status_code == 404
    assert Mute.objects.exists()


def test_who_acts_for_two_enterprises_sees_the_messages_of_the_one_chosen(told, client, person):
    second = make.enterprise("第二家公司")
    Membership.objects.create(user=person, enterprise=second, kind="agent", granted_at=make.NOW)
    services.tell(
        messages=[services.Message("x", NotificationKind.SERVICE, "第二家的事", enterprise_id=second.pk)], now=make.NOW
    )

    def shown():
        page = client.get(reverse("inbox:list")).content.decode()
        return "房租补贴" in page, "第二家的事" in page

    assert shown() == (True, True)
    session = client.session
    session[SESSION_KEY] = second.pk
    session.save()
    assert shown() == (False, True)
    assert client.get(reverse("inbox:detail", args=[told.pk])).status_code == 404


def test_a_stranger_is_sent_to_the_login_page(told, client):
    client.logout()
    for name, arguments in (("list", []), ("detail", [told.pk]), ("preferences", [])):
        answer = client.get(reverse(f"inbox:{name}", args=arguments))
        assert answer.status_code == 302
        assert "login" in answer.url


def test_a_page_costs_the_same_for_one_message_and_for_twenty(told, client, deliver, django_assert_max_num_queries):
    def queries():
        with django_assert_max_num_queries(40) as counted:
            client.get(reverse("inbox:list"))
        return len(counted)

    few = queries()
    for _ in range(19):
        make.published()
    deliver()
    assert queries() == few
