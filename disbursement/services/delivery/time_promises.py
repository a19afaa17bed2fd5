"""限时即享: a decision promised within so many working days of acceptance, measured by the clock of the review, told to
the supervisor once it is past, and settled by the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from disbursement.domain import clocks, cycle
from disbursement.domain.clocks import Reading
from disbursement.domain.workflow import ApplicationAction, ApplicationState, ClockStep
from disbursement.models import Application, StepClock, TimePromise
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.delivery import terms_of
from matching.chunks import chunks
from matching.days import day_of
from matching.registry import outbox

TOPIC = "promise.broken"
_CHUNK = 500
_ACCEPTED = (ApplicationAction.ACCEPT, ApplicationAction.ACCEPT_WITH_GAP)
_DECIDED = (ApplicationState.APPROVED, ApplicationState.REJECTED)


def follow(*, application: Application, action: ApplicationAction, now: datetime) -> None:
    """After a step of a locked application: promise at acceptance, settle at the decision, drop at a withdrawal."""
    if action in _ACCEPTED:
        _promise(application=application, now=now)
    elif application.status in _DECIDED or application.status is ApplicationState.WITHDRAWN:
        _settle(application=application, now=now)


def _promise(*, application: Application, now: datetime) -> None:
    terms = terms_of(version=application.version)
    if terms is None or terms.mode != "window" or terms.decide_within is None:
        return
    clock = StepClock.objects.get(application=application, step=ClockStep.REVIEW)
    calendar = working_calendar()
    due = calendar.add_working_days(clock.started_on, clock.promised_limit)
    month: date | None = None
    if application.version.rules.get("award"):
        # Publicity stops the review's clock; the money waits for its end all the same.
        decided = calendar.add_working_days(due, int(application.version.rules.get("publicity_days") or 0))
        month = cycle.pay_month(decided, calendar=calendar, day=settings.HUIDA_CUTOFF_DAY)
    TimePromise.objects.get_or_create(
        application=application,
        defaults={
            "days": clock.promised_limit,
            "promised_on": day_of(now),
            "due_on": due,
            "pay_month": month,
        },
    )


def _settle(*, application: Application, now: datetime) -> None:
    promise = TimePromise.objects.filter(application=application, ended_on__isnull=True).first()
    if promise is None:
        return
    promise.ended_on = day_of(now)
    if application.status is not ApplicationState.WITHDRAWN:
        reading = reading_of(promise=promise, as_of=day_of(now))
        if reading is not None:
            promise.used, promise.kept = reading.used, reading.used <= promise.days
    promise.save(update_fields=["ended_on", "used", "kept"])


def reading_of(*, promise: TimePromise, as_of: date) -> Reading | None:
    """What the promise's clock shows on a day in Asia/Shanghai; its `due` moves with pauses."""
    return next(_readings(promises=[promise], as_of=as_of), (promise, None))[1]


def _readings(*, promises: Sequence[TimePromise], as_of: date) -> Iterator[tuple[TimePromise, Reading | None]]:
    """The promises with what their clocks show, in a fixed number of queries."""
    calendar = working_calendar()
    ids = [promise.application_id for promise in promises]
    rows = StepClock.objects.filter(application__in=ids, step=ClockStep.REVIEW).prefetch_related("pauses")
    found = {row.application_id: row for row in rows}
    for promise in promises:
        clock = found.get(promise.application_id)
        if clock is not None:
            yield promise, clocks.read(clock.as_clock(clock.pauses.all()), as_of=as_of, calendar=calendar)


def tell_broken(*, now: datetime) -> list[int]:
    """Find the promises that are past and tell of each, once; ids of those told of now. Can run twice."""
    waiting = TimePromise.objects.filter(ended_on__isnull=True, broken_on__isnull=True).order_by("pk")
    told = []
    for piece in chunks(list(waiting), _CHUNK):
        for promise, reading in _readings(promises=piece, as_of=day_of(now)):
            if reading is not None and reading.left < 0 and _mark(promise_id=promise.pk, now=now):
                told.append(promise.pk)
    return told


@transaction.atomic
def _mark(*, promise_id: int, now: datetime) -> bool:
    changed = TimePromise.objects.filter(pk=promise_id, ended_on__isnull=True, broken_on__isnull=True).update(
        broken_on=day_of(now)
    )
    if changed:
        outbox.emit(topic=TOPIC, payload={"promise_id": promise_id}, now=now, dedupe_key=f"{TOPIC}:{promise_id}")
    return bool(changed)
