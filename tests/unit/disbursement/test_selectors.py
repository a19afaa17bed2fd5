"""Lists for the desks: the right rows in the right order, in a number of queries that does not grow with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from disbursement.domain.actors import Actor
from disbursement.domain.workflow import Role
from disbursement.models import Application
from disbursement.selectors.applications import Line, lines, with_clocks
from disbursement.selectors.desk import card_counts, stuck, worklist
from disbursement.services.review import interests, reviews
from disbursement.services.supervision import clocks
from matching.models import Enterprise
from tests.factories import matching as base
from tests.factories.disbursement import START, Case, applicant, at, case, item, staff

pytestmark = pytest.mark.django_db


def queries(read: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        read()
    return len(captured)


def own(enterprise: Enterprise) -> list[Line]:
    """An enterprise's list, as its page reads it."""
    found = with_clocks(Application.objects.filter(enterprise=enterprise))
    return lines(applications=list(found), as_of=START)


def ids(actor: Actor, **options: object) -> list[int]:
    lines = worklist(actor=actor, as_of=START + timedelta(days=1), **options)  # type: ignore[arg-type]
    return [line.application.pk for line in lines]


def test_an_enterprises_list_is_its_own_and_says_what_it_is_asked_for() -> None:
    made = case().submitted().asked()
    case().submitted()
    (line,) = own(made.enterprise)
    assert line.application.pk == made.id
    assert line.correction is not None
    assert [entry.label for entry in line.correction.items.all()] == ["发票清单"]
    assert line.reading is not None
    assert line.reading.paused


def test_an_enterprises_list_takes_as_many_queries_for_ten_as_for_one() -> None:
    enterprise = applicant()
    case(enterprise=enterprise).submitted().asked()

    def read() -> None:
        for line in own(enterprise):
            assert line.application.item.department.name
            assert line.application.enterprise.name

    one = queries(read)
    for _ in range(4):
        case(enterprise=enterprise).approved()
        case(enterprise=enterprise).submitted().asked()
    assert queries(read) == one


def test_a_worklist_takes_as_many_queries_for_ten_as_for_one() -> None:
    version = item()
    made = case(version).submitted()

    def read() -> None:
        for line in worklist(actor=made.acceptor, as_of=START):
            assert line.application.item.department.name
            assert line.application.enterprise.name
            assert line.clock is not None
            assert line.clock.department.name

    one = queries(read)
    for _ in range(9):
        case(version).submitted()
    assert len(worklist(actor=made.acceptor, as_of=START)) == 10
    assert queries(read) == one


def test_the_stuck_list_takes_as_many_queries_for_ten_as_for_one() -> None:
    version = item()
    late = case(version).submitted().later(days=10)
    clocks.charge_cards(now=late.now)

    def read() -> None:
        for entry in stuck(as_of=late.now.date()):
            assert entry.clock.application.enterprise.name
            assert entry.clock.department.name

    one = queries(read)
    for _ in range(9):
        case(version).submitted()
    clocks.charge_cards(now=late.now)
    assert len(stuck(as_of=late.now.date())) == 10
    assert queries(read) == one


def test_the_worst_clock_is_on_top_and_paused_ones_come_last() -> None:
    version = item()
    newest = case(version)
    newest.now = at(START + timedelta(days=1), 9)
    newest.submitted()
    oldest = case(version).submitted()
    assert ids(newest.acceptor) == [oldest.id, newest.id]


def test_each_role_sees_its_own_step_only() -> None:
    version = item()
    waiting, accepted, reviewed = case(version).submitted(), case(version).accepted(), case(version).second_review()
    assert ids(waiting.acceptor) == [waiting.id]
    assert ids(waiting.reviewer) == [accepted.id]
    assert ids(waiting.second) == [reviewed.id]
    assert ids(waiting.agent) == []
    assert ids(staff(Role.ACCEPTOR, base.department("rsj", "人社局"))) == []


def test_a_list_leaves_out_what_a_conflict_forbids() -> None:
    version = item()
    taken_part, foreign = case(version).second_review(), case(version).second_review()
    both = Actor.of(
        user_id=taken_part.reviewer.user_id or 0,
        roles=[Role.REVIEWER, Role.SECOND_REVIEWER],
        department_ids=[version.item.department_id],
    )
    assert ids(both) == [foreign.id]
    interests.declare(enterprise_id=foreign.enterprise.pk, reason="持股", actor=both, now=foreign.now)
    assert ids(both) == []


def test_what_a_colleague_has_claimed_leaves_the_common_list() -> None:
    made = case().submitted()
    colleague = staff(Role.ACCEPTOR, made.version.item.department)
    assert ids(colleague) == [made.id]
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    assert ids(colleague) == []
    assert ids(made.acceptor, mine=True) == [made.id]


def test_an_appeal_is_on_the_list_of_those_who_took_no_part() -> None:
    made = case().appealed()
    assert ids(made.second) == []
    assert ids(made.other) == [made.id]


def test_stuck_names_who_holds_it_and_counts_the_cards() -> None:
    made = case().submitted()
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    day = START + timedelta(days=10)
    clocks.charge_cards(now=at(day))
    (entry,) = stuck(as_of=day)
    assert entry.clock.holder_id == made.acceptor.user_id
    assert entry.reading.left < 0
    assert [card.colour for card in entry.cards] == ["yellow", "red"]
    assert stuck(as_of=day, department_ids=frozenset({10_000})) == []
    (count,) = card_counts(since=START, until=day)
    assert (count.department, count.yellow, count.red) == ("科技局", 1, 1)
    assert isinstance(made, Case)
