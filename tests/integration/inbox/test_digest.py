"""The daily mail: what is new, once, whatever happens in between."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from portal.inbox import digest, services
from portal.inbox.models import Digest, DigestEntry, NotificationKind
from tests.factories import matching as make
from tests.integration.inbox.conftest import member

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


def send(day=TODAY, now=None):
    return digest.send_digests(day=day, now=now or make.NOW + (day - TODAY) + timedelta(minutes=1))


@pytest.fixture
def told(firm, person, deliver):
    """Two items that the enterprise was told of."""
    make.published(name="房租补贴", code="rent")
    make.published(name="贷款贴息", code="loan")
    deliver()
    return firm


def test_one_mail_tells_what_is_new_with_reasons_and_links(told):
    assert (send().prepared, send().sent) == (1, 0)
    (message,) = mail.outbox
    assert message.to == ["wang@example.com"]
    assert message.subject == "【惠达·青羊区】您有 2 条新消息"
    assert "王经办，您好！" in message.body
    assert "成都青羊测试有限公司" in message.body
    assert "《房租补贴》符合贵企业：面向所有企业" in message.body
    assert "http://localhost:8000/enterprise/opportunities/loan/" in message.body


def test_what_was_told_is_not_told_again_the_next_day(told, deliver):
    send()
    assert send(TODAY + timedelta(days=1)).prepared == 0
    make.published(name="新事项")
    deliver()
    assert send(TODAY + timedelta(days=2)).prepared == 1
    assert "新事项" in mail.outbox[1].body
    assert "房租补贴" not in mail.outbox[1].body


def test_what_was_read_or_muted_is_not_mailed(told, person):
    rent, _ = services.visible(user=person, enterprise_ids=[told.pk]).order_by("id")
    services.mark_read(user=person, enterprise_ids=[told.pk], notification_ids=[rent.pk], now=make.NOW)
    send()
    assert "房租补贴" not in mail.outbox[0].body
    other = member(told, email="li@example.com")
    services.mute(user=other, kind="policy", now=make.NOW)
    assert send(TODAY + timedelta(days=1)).prepared == 0


def test_a_person_who_acts_for_two_enterprises_gets_one_mail_about_both(told, person):
    from portal.accounts.models import Membership

    second = make.enterprise("第二家公司")
    Membership.objects.create(user=person, enterprise=second, kind="agent", granted_at=make.NOW)
    services.tell(
        messages=[services.Message("x", NotificationKind.SERVICE, "第二家的事", enterprise_id=second.pk)], now=make.NOW
    )
    send()
    (message,) = mail.outbox
    headings = [line for line in message.body.splitlines() if line in {told.name, second.name}]
    assert sorted(headings) == sorted([told.name, second.name])
    assert "3 条" in message.subject


def test_who_left_or_came_later_or_has_no_address_gets_nothing_old(told, person):
    person.memberships.update(revoked_at=make.NOW)
    late = member(told, email="late@example.com")
    late.memberships.update(granted_at=make.NOW + timedelta(seconds=30))
    member(told, email="")
    assert send().prepared == 0
    assert mail.outbox == []


def test_a_crash_after_writing_sends_it_later_and_once(told):
    assert digest.prepare(day=TODAY, now=make.NOW) == 1
    assert mail.outbox == []
    send()
    send()
    assert len(mail.outbox) == 1
    assert Digest.objects.get().state == "sent"


def test_a_crash_while_sending_is_not_sent_twice(told):
    digest.prepare(day=TODAY, now=make.NOW)
    Digest.objects.update(state="sending", claimed_at=make.NOW)
    assert send().sent == 0
    assert mail.outbox == []
    assert send(TODAY + timedelta(days=1)).prepared == 0


def test_a_mail_server_that_is_away_leaves_everything_for_the_next_run(told, monkeypatch):
    def away(self):
        raise ConnectionRefusedError("no server")

    monkeypatch.setattr(EmailBackend, "open", away)
    with pytest.raises(ConnectionRefusedError):
        send()
    assert Digest.objects.get().state == "prepared"
    monkeypatch.undo()
    assert send().sent == 1


def test_one_address_that_fails_does_not_stop_the_others(told, monkeypatch):
    member(told, email="second@example.com")
    real = EmailBackend.send_messages

    def refuse_one(self, messages):
        if messages[0].to == ["wang@example.com"]:
            raise OSError("550 no such user")
        return real(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", refuse_one)
    done = send()
    assert (done.prepared, done.sent, done.failed) == (2, 1, 1)
    failed = Digest.objects.get(state="failed")
    assert "550 no such user" in failed.error
    assert send().sent == 0


def test_a_long_mail_says_how_many_more_there_are(firm, person):
    services.tell(
        messages=[
            services.Message(f"m{number}", NotificationKind.SERVICE, f"第{number}条", enterprise_id=firm.pk)
            for number in range(60)
        ],
        now=make.NOW,
    )
    send()
    assert "另有 10 条" in mail.outbox[0].body
    assert DigestEntry.objects.count() == 60
