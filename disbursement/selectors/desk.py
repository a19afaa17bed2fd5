"""The desks of the district: what waits for a reviewer, worst clock on top; and where things are stuck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Prefetch, Q

from disbursement.domain import clocks
from disbursement.domain.actors import Actor
from disbursement.domain.calendar import Calendar
from disbursement.domain.clocks import Colour, Reading
from disbursement.domain.supervision import CARDS
from disbursement.domain.workflow import APPLICATION, ApplicationState, ClockStep, Role
from disbursement.models import (
    Application,
    ClockCard,
    Correction,
    EntryAppeal,
    InterestDeclaration,
    JointReview,
    Participation,
    Rectification,
    StepClock,
)
from disbursement.selectors.applications import Line, lines, with_clocks
from disbursement.selectors.calendar import working_calendar

STAFF_ROLES = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER, Role.APPEAL_REVIEWER)
_RANK = {Colour.RED: 0, Colour.YELLOW: 1, Colour.GREEN: 2}


def states_of(role: Role) -> list[ApplicationState]:
    """The states in which this role has something to do."""
    return [state for state in ApplicationState if APPLICATION.actions(state, role)]


def worklist(*, actor: Actor, as_of: date, roles: Iterable[Role] = STAFF_ROLES, mine: bool = False) -> list[Line]:
    """What this person could act on now, the worst clock first; what a conflict forbids them is left out.

    `mine` leaves only what they have claimed; without it, what others have claimed is left out. Clocks are read as of
    a day in Asia/Shanghai. The number of queries is fixed.
    """
    assert actor.user_id is not None, "a worklist is a person's"
    wanted = Q(pk__in=[])
    for role in roles:
        held = Role.SECOND_REVIEWER if role is Role.APPEAL_REVIEWER else role
        departments = actor.department_ids(held, role)
        if departments is not None and not departments:
            continue
        place = Q() if departments is None else Q(item__department_id__in=departments)
        # Taking part once fixes the role: elsewhere the person is out.
        others = Participation.objects.filter(user_id=actor.user_id).exclude(role=role.value)
        # While other departments are asked the case waits for them, though the request could be taken back.
        states = [state.value for state in states_of(role) if state is not ApplicationState.JOINT_REVIEW]
        wanted |= Q(state__in=states) & place & ~Q(pk__in=others.values("application_id"))
    interests = InterestDeclaration.objects.filter(user_id=actor.user_id, ended_at__isnull=True)
    found = Application.objects.exclude(enterprise_id__in=interests.values("enterprise_id")).exclude(
        enterprise_id__in=actor.enterprise_ids
    )
    own = Q(handler_id=actor.user_id)
    free = own if mine else own | Q(handler__isnull=True)
    asked = {} if mine else _asked_of(actor)
    # What a department is asked for lies on the desk of whoever asks.
    found = found.filter(free & wanted | Q(pk__in=asked))
    told = lines(applications=list(with_clocks(found)), as_of=as_of)
    calendar = working_calendar() if asked else None
    if calendar is not None:
        told = [_as_asked(line, asked, as_of=as_of, calendar=calendar) for line in told]
    return sorted(told, key=_worst_first)


def _asked_of(actor: Actor) -> dict[int, frozenset[int]]:
    """Applications on which this person may speak for a department that was asked, with those departments."""
    places = {grant.department_id for grant in actor.grants if grant.role is Role.REVIEWER and grant.department_id}
    if not places or actor.user_id is None:
        return {}
    elsewhere = Participation.objects.filter(user_id=actor.user_id).exclude(role=Role.JOINT_REVIEWER.value)
    waiting = JointReview.objects.filter(
        department_id__in=places, at__isnull=True, application__state=ApplicationState.JOINT_REVIEW
    ).exclude(application_id__in=elsewhere.values("application_id"))
    found: dict[int, frozenset[int]] = {}
    for application_id, department_id in waiting.values_list("application_id", "department_id"):
        found[application_id] = found.get(application_id, frozenset()) | {department_id}
    return found


def _as_asked(line: Line, asked: dict[int, frozenset[int]], *, as_of: date, calendar: Calendar) -> Line:
    """The line with the clock of the department that is asked, not that of the one that asks."""
    places = asked.get(line.application.pk)
    if places is None:
        return line
    own = [clock for clock in line.application.clocks.all() if clock.step == ClockStep.JOINT]
    clock = next((clock for clock in own if clock.stopped_on is None and clock.department_id in places), None)
    if clock is None:
        return line
    reading = clocks.read(clock.as_clock(clock.pauses.all()), as_of=as_of, calendar=calendar)
    return replace(line, clock=clock, reading=reading)


def _worst_first(line: Line) -> tuple[int, int, int, int]:
    if line.is_promise_broken and line.reading is not None:
        # A day that was promised to the enterprise and is past comes before everything.
        return (-1, 0, line.reading.left, line.application.pk)
    if line.reading is None:
        return (3, 0, 0, line.application.pk)
    # A paused clock waits for somebody else; it comes after those that run.
    return (_RANK[line.reading.colour], int(line.reading.paused), line.reading.left, line.application.pk)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A running clock that is yellow or red: whose it is, how far it is gone, and the cards it drew."""

    clock: StepClock
    reading: Reading
    cards: tuple[ClockCard, ...]

    @property
    def step(self) -> str:
        return ClockStep(self.clock.step).label


def stuck(*, as_of: date, department_ids: frozenset[int] | None = None) -> list[Stuck]:
    """Running clocks past 80 % of their promised limit, the worst first; None: in the whole district.

    For supervision: who holds it stands on `clock.holder` and `clock.department`. The number of queries is fixed.
    """
    running = StepClock.objects.filter(stopped_on__isnull=True)
    if department_ids is not None:
        running = running.filter(department_id__in=department_ids)
    running = running.select_related(
        "department", "holder", "application__item__department", "application__enterprise"
    ).prefetch_related("pauses", Prefetch("cards", ClockCard.objects.order_by("charged_on", "id")))
    calendar = working_calendar()
    found = []
    for clock in running:
        reading = clocks.read(clock.as_clock(clock.pauses.all()), as_of=as_of, calendar=calendar)
        if reading.colour is not Colour.GREEN and not reading.paused:
            found.append(Stuck(clock, reading, tuple(clock.cards.all())))
    return sorted(found, key=lambda item: (item.reading.left, item.clock.pk))


@dataclass(frozen=True, slots=True)
class CardCount:
    """Cards of a department in a span of days."""

    department_id: int
    department: str
    yellow: int
    red: int


def card_counts(*, since: date, until: date) -> list[CardCount]:
    """Yellow and red cards by department, both days included, most red first; what was struck out of the ledger counts
    nowhere. Two queries.
    """
    counts: dict[int, list[int | str]] = {}
    cards = ClockCard.objects.filter(charged_on__gte=since, charged_on__lte=until).select_related("department")
    struck = EntryAppeal.objects.filter(
        is_struck=True, entry__kind__in=CARDS, entry__happened_on__gte=since, entry__happened_on__lte=until
    )
    gone = set(struck.values_list("entry__source", flat=True))
    for card in cards:
        if f"card:{card.pk}" in gone:
            continue
        entry = counts.setdefault(card.department_id, [card.department.name, 0, 0])
        index = 1 if card.colour == Colour.YELLOW else 2
        entry[index] = int(entry[index]) + 1
    found = [CardCount(key, str(name), int(yellow), int(red)) for key, (name, yellow, red) in counts.items()]
    return sorted(found, key=lambda count: (-count.red, -count.yellow, count.department))


def late_corrections(*, since: datetime, department_ids: frozenset[int] | None = None) -> list[Correction]:
    """Corrections since then (aware) that asked for what an earlier list could have named, the latest first; None: in
    the whole district. One query.
    """
    found = Correction.objects.filter(asked_at__gte=since).exclude(late_reason="")
    if department_ids is not None:
        found = found.filter(application__item__department_id__in=department_ids)
    return list(found.select_related("application__item__department", "asked_by").order_by("-asked_at", "-pk")[:100])


def rectifications(*, actor: Actor, open_only: bool = True) -> list[Rectification]:
    """Low ratings that this person's departments must answer, the nearest deadline first. One query."""
    departments = actor.department_ids(Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER)
    found = Rectification.objects.select_related(
        "rating__application__enterprise", "rating__application__item", "department", "answered_by"
    )
    if departments is not None:
        found = found.filter(department_id__in=departments)
    if open_only:
        found = found.filter(answered_at__isnull=True)
    return list(found)
