"""People who act for enterprises, and the day on which they are told."""

import pytest

from matching.registry import outbox
from portal.accounts.models import Membership, User
from tests.factories import matching as make


@pytest.fixture
def firm(db):
    made = make.enterprise("成都青羊测试有限公司", registered_region="510105")
    outbox.deliver(now=make.NOW)  # so that what is published later is told because it was published
    return made


@pytest.fixture
def person(firm):
    return member(firm, name="王经办", email="wang@example.com")


@pytest.fixture
def deliver():
    """Deliver everything that waits, and again: the second time must find nothing."""

    def run(now=make.NOW):
        count = outbox.deliver(now=now)
        assert outbox.deliver(now=now) == 0
        return count

    return run


def member(firm, *, name="某人", email="", kind="agent"):
    user = User.objects.create(username=f"u{User.objects.count()}", full_name=name, email=email)
    Membership.objects.create(user=user, enterprise=firm, kind=kind, granted_at=make.NOW)
    return user
