"""Paused clocks are seen by supervision, though no card is drawn of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from disbursement.selectors.desk import stuck
from disbursement.selectors.standing_still import standing_still
from disbursement.services.review import reviews
from matching.days import day_of
from portal.accounts.models import RoleAssignment, StaffRole
from tests.factories.disbursement import case, user

pytestmark = pytest.mark.django_db


def test_what_waits_for_a_correction_or_for_experts_is_listed_the_longest_first() -> None:
    rules = {"steps": [{"kind": "expert", "name": "专家评审", "days": 3}]}
    asked, expert = case().submitted().asked(), case(review=rules).in_review()
    case().submitted()  # its clock runs
    reviews.ask_expert(application_id=expert.id, question="是否属于研发", actor=expert.reviewer, now=expert.now)
    day = day_of(expert.now) + timedelta(days=14)
    assert not {asked.id, expert.id} & {row.clock.application_id for row in stuck(as_of=day)}
    rows = {row.pause.clock.application_id: row for row in standing_still(as_of=day)}
    assert set(rows) == {asked.id, expert.id}
    assert list(rows) == sorted(rows, key=lambda pk: rows[pk].pause.started_on)
    assert (rows[expert.id].days, rows[expert.id].is_overdue) == (10, True)
    assert rows[expert.id].due_on is not None
    assert rows[asked.id].due_on == asked.application.corrections.get().due_on
    elsewhere = frozenset({expert.version.item.department_id + 1000})
    assert standing_still(as_of=day, department_ids=elsewhere) == []


def test_a_supervisor_sees_who_waits_for_what() -> None:
    asked = case().submitted().asked()
    client = Client()
    supervisor = user()
    RoleAssignment.objects.create(user=supervisor, role=StaffRole.SUPERVISOR)
    client.force_login(supervisor)
    page = client.get(reverse("desk:supervision")).content.decode()
    heading = page.index("停表等待")
    assert asked.enterprise.name in page[heading:]


def test_the_list_asks_as_many_questions_for_many_as_for_one() -> None:
    day = day_of(case().submitted().asked().now) + timedelta(days=3)
    with CaptureQueriesContext(connection) as few:
        assert len(standing_still(as_of=day)) == 1
    for _more in range(3):
        case().submitted().asked()
    with CaptureQueriesContext(connection) as many:
        assert len(standing_still(as_of=day)) == 4
    assert len(few) == len(many)
