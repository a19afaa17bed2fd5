"""What supervision sees: the ledger, filtered; the figures of a span of days by department and person; open urgings.

Every question costs a fixed number of queries. Days are calendar days in Asia/Shanghai, both ends included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet

from disbursement.domain import clocks
from disbursement.domain.calendar import Calendar
from disbursement.domain.cycle import next_month
from disbursement.domain.supervision import Done, EntryKind, Tally, total
from disbursement.models import StepClock
from disbursement.models.supervision import SupervisionEntry, Urging
from disbursement.selectors.calendar import working_calendar

_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Span:
    """What is looked at: days, and what they are narrowed to (None: all)."""

    since: date
    until: date
    department_ids: frozenset[int] | None = None
    person_id: int | None = None
    item_id: int | None = None
    kind: EntryKind | None = None
    contested_only: bool = False

    @classmethod
    def of_month(cls, month: date, *, department_ids: frozenset[int] | None = None) -> Span:
        return cls(month, next_month(month) - timedelta(days=1), department_ids)


@dataclass(slots=True)
class Row:
    """One department's or person's figures. `person_id` None with `is_person`: steps that nobody had taken up."""

    name: str
    department: str
    department_id: int
    person_id: int | None = None
    is_person: bool = False
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a span: all together, by department, by person, most cards first."""

    whole: Tally
    departments: list[Row]
    people: list[Row]


def ledger(*, span: Span) -> QuerySet[SupervisionEntry]:
    """The lines of a span, the latest first, with all that a list shows of them."""
    return (
        _narrowed(span)
        .select_related("application__item", "application__enterprise", "department", "person", "clock", "appeal")
        .prefetch_related("clock__pauses")
        .order_by("-happened_on", "-pk")
    )


def own_lines(*, user_id: int, department_ids: frozenset[int] | None) -> QuerySet[SupervisionEntry]:
    """The lines that charge a person, and those of the person's departments that charge nobody."""
    nobodys = Q(person__isnull=True)
    if department_ids is not None:
        nobodys &= Q(department_id__in=department_ids)
    return SupervisionEntry.objects.filter(Q(person_id=user_id) | nobodys)


def outcome(entry: SupervisionEntry, *, calendar: Calendar) -> tuple[str, int | None]:
    """How the step of a line ended: `open`, `in_time` or `late`, with the working days used; "" where it is of none."""
    clock = entry.clock
    if clock is None:
        return "", None
    if clock.stopped_on is None:
        return "open", None
    used = clocks.read(clock.as_clock(clock.pauses.all()), as_of=clock.stopped_on, calendar=calendar).used
    return ("in_time" if used <= clock.promised_limit else "late"), used


def figures(*, span: Span) -> Figures:
    """Steps ended and at work, their days against the promise, and lines, by department and by person."""
    departments: dict[int, Row] = {}
    people: dict[tuple[int, int | None], Row] = {}

    def rows(department: object, department_id: int, person: object, person_id: int | None) -> tuple[Row, Row]:
        place = departments.setdefault(department_id, Row(str(department), str(department), department_id))
        whose = people.setdefault(
            (department_id, person_id),
            Row(str(person or ""), str(department), department_id, person_id, is_person=True),
        )
        return place, whose

    calendar = working_calendar()
    for clock in _ended(span).iterator(chunk_size=_CHUNK):
        assert clock.stopped_on is not None
        used = clocks.read(clock.as_clock(clock.pauses.all()), as_of=clock.stopped_on, calendar=calendar).used
        for row in rows(clock.department, clock.department_id, clock.holder, clock.holder_id):
            row.tally.done.append(Done(used, clock.promised_limit))
    for clock in _running(span).iterator(chunk_size=_CHUNK):
        for row in rows(clock.department, clock.department_id, clock.holder, clock.holder_id):
            row.tally.running += 1
    for entry in _narrowed(span).select_related("department", "person", "appeal").iterator(chunk_size=_CHUNK):
        for row in rows(entry.department, entry.department_id, entry.person, entry.person_id):
            if is_struck(entry):
                row.tally.struck += 1
            else:
                row.tally.add(EntryKind(entry.kind))
    return Figures(
        whole=total(row.tally for row in departments.values()),
        departments=_worst_first(departments.values()),
        people=_worst_first(people.values()),
    )


def is_struck(entry: SupervisionEntry) -> bool:
    """Whether the line was struck out; reads `appeal`."""
    appeal = getattr(entry, "appeal", None)
    return appeal is not None and bool(appeal.is_struck)


def months_with_lines() -> list[date]:
    """The months that the ledger has lines of, the latest first."""
    return list(SupervisionEntry.objects.dates("happened_on", "month", order="DESC"))


def urgings(*, department_ids: frozenset[int] | None, open_only: bool = False) -> QuerySet[Urging]:
    """What these departments are urged to (None: all), what is open and due first."""
    found = Urging.objects.select_related(
        *("department", "person", "application__item", "application__enterprise", "sent_by", "replied_by", "closed_by")
    )
    if department_ids is not None:
        found = found.filter(department_id__in=department_ids)
    if open_only:
        return found.filter(closed_at__isnull=True).order_by("due_on", "pk")
    return found.order_by("-sent_at", "-pk")


def urging_counts(*, since: date, until: date) -> dict[str, int]:
    """Urgings sent in a span, how many were answered, how many closed as settled. One query."""
    sent = Urging.objects.filter(sent_at__date__gte=since, sent_at__date__lte=until)
    return sent.aggregate(
        sent=Count("pk"),
        answered=Count("pk", filter=Q(replied_at__isnull=False)),
        settled=Count("pk", filter=Q(is_settled=True)),
    )


def _narrowed(span: Span) -> QuerySet[SupervisionEntry]:
    found = SupervisionEntry.objects.filter(happened_on__gte=span.since, happened_on__lte=span.until)
    if span.department_ids is not None:
        found = found.filter(department_id__in=span.department_ids)
    if span.person_id is not None:
        found = found.filter(person_id=span.person_id)
    if span.item_id is not None:
        found = found.filter(application__item_id=span.item_id)
    if span.kind is not None:
        found = found.filter(kind=span.kind.value)
    if span.contested_only:
        found = found.filter(appeal__is_struck__isnull=True, appeal__isnull=False)
    return found


def _clocks(span: Span) -> QuerySet[StepClock]:
    found = StepClock.objects.select_related("department", "holder").order_by("pk")
    if span.department_ids is not None:
        found = found.filter(department_id__in=span.department_ids)
    if span.person_id is not None:
        found = found.filter(holder_id=span.person_id)
    if span.item_id is not None:
        found = found.filter(application__item_id=span.item_id)
    return found


def _ended(span: Span) -> QuerySet[StepClock]:
    return _clocks(span).filter(stopped_on__gte=span.since, stopped_on__lte=span.until).prefetch_related("pauses")


def _running(span: Span) -> QuerySet[StepClock]:
    """At work on the span's last day."""
    return _clocks(span).filter(Q(stopped_on__isnull=True) | Q(stopped_on__gt=span.until), started_on__lte=span.until)


def _worst_first(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row.tally.red, -row.tally.yellow, row.department, row.name))


__all__ = [
    "Figures",
    "Row",
    "Span",
    "figures",
    "is_struck",
    "ledger",
    "months_with_lines",
    "outcome",
    "own_lines",
    "urging_counts",
    "urgings",
]
