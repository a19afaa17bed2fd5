"""The clocks of applications: started, paused and stopped by transitions; charged with cards at night."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from disbursement.domain import clocks
from disbursement.domain.calendar import Calendar
from disbursement.domain.clocks import Colour
from disbursement.domain.workflow import ClockAct, ClockEffect, ClockStep
from disbursement.models import Application, ClockCard, ClockPause, Handover, StepClock
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.limits import limits_for
from disbursement.services.supervision import ledger as supervision
from matching.days import day_of


def apply_effects(*, application: Application, effects: Iterable[ClockEffect], reason: str, now: datetime) -> None:
    """Do to the clocks what a transition says, in its transaction; the handler holds those that run."""
    today = day_of(now)
    for effect in effects:
        if effect.act is ClockAct.START:
            _start(application=application, step=effect.step, today=today)
            continue
        # One, but for the departments that were asked for their opinions: each has its own.
        for clock in StepClock.objects.filter(application=application, step=effect.step):
            if effect.act is ClockAct.PAUSE:
                _pause(clock=clock, today=today, reason=reason)
            elif effect.act is ClockAct.RESUME:
                _resume(clock=clock, today=today, reason=reason)
            else:
                _stop(clock=clock, today=today)
    hand_over(application=application)


def hand_over(*, application: Application) -> None:
    """The running clocks are held by the application's department and handler from now on; those of the departments
    that were asked for their opinions stay theirs.
    """
    own = StepClock.objects.filter(application=application, stopped_on__isnull=True).exclude(step=ClockStep.JOINT)
    own.update(department_id=application.item.department_id, holder_id=application.handler_id)


def start_joint(*, application: Application, department_id: int, limit: int, now: datetime) -> None:
    """The clock of a department that is asked for its opinion: `limit` working days, charged to that department."""
    StepClock.objects.create(
        application=application,
        step=ClockStep.JOINT,
        statutory_limit=limit,
        promised_limit=limit,
        started_on=day_of(now),
        department_id=department_id,
    )


def stop_joint(*, application: Application, department_id: int, now: datetime, holder_id: int | None = None) -> None:
    """The department has answered, `holder_id` for it."""
    running = StepClock.objects.filter(
        application=application, step=ClockStep.JOINT, department_id=department_id, stopped_on__isnull=True
    )
    running.update(stopped_on=day_of(now), holder_id=holder_id)


def _start(*, application: Application, step: ClockStep, today: date) -> None:
    statutory, promised = limits_for(application=application, step=step)
    StepClock.objects.create(
        application=application,
        step=step,
        statutory_limit=statutory,
        promised_limit=promised,
        started_on=today,
        department_id=application.item.department_id,
        holder_id=application.handler_id,
    )


def _pause(*, clock: StepClock, today: date, reason: str) -> None:
    if clock.stopped_on is None and not clock.pauses.filter(ended_on__isnull=True).exists():
        ClockPause.objects.create(clock=clock, started_on=today, reason=reason)


def _resume(*, clock: StepClock, today: date, reason: str) -> None:
    clock.pauses.filter(ended_on__isnull=True).update(ended_on=today)
    if clock.stopped_on is not None:
        # The step is taken up again after its end (an objection after an appeal): the time between was nobody's.
        ClockPause.objects.create(clock=clock, started_on=clock.stopped_on, ended_on=today, reason=reason)
        clock.stopped_on = None
        clock.save(update_fields=["stopped_on"])


def _stop(*, clock: StepClock, today: date) -> None:
    if clock.stopped_on is not None:
        return
    clock.pauses.filter(ended_on__isnull=True).update(ended_on=today)
    clock.stopped_on = today
    clock.save(update_fields=["stopped_on"])


def charge_cards(*, now: datetime) -> int:
    """Draw the cards that are due today: yellow from 80 % of a promised limit, red past it; return how many are new.

    Each clock draws each colour once, so running it again the same night changes nothing. A clock that jumped over
    yellow (a night was missed) draws both. Each card enters the supervision ledger with it. What is over is charged to
    whoever had it when the limit ended, though it lies on another desk since midnight or since the weekend.
    """
    today = day_of(now)
    calendar = working_calendar()
    drawn = 0
    waiting = StepClock.objects.filter(stopped_on__isnull=True).exclude(cards__colour=Colour.RED)
    for clock in waiting.prefetch_related("pauses").order_by("pk").iterator(chunk_size=500):
        drawn += _charge(clock=clock, today=today, calendar=calendar, now=now)
    # What stopped between two nights is charged as it stood when it stopped.
    just_stopped = StepClock.objects.filter(stopped_on__isnull=False, stopped_on__gte=_since(today, calendar))
    for clock in just_stopped.prefetch_related("pauses").order_by("pk").iterator(chunk_size=500):
        drawn += _charge(clock=clock, today=today, calendar=calendar, now=now)
    return drawn


def _since(today: date, calendar: Calendar) -> date:
    # A fortnight of nights may have been missed; older stops were charged before.
    return date.fromordinal(today.toordinal() - 14)


@transaction.atomic
def _charge(*, clock: StepClock, today: date, calendar: Calendar, now: datetime) -> int:
    value = clock.as_clock()
    reading = clocks.read(value, as_of=today, calendar=calendar)
    holder_id = clock.holder_id
    if reading.colour is Colour.RED:
        holder_id = _holder_when_over(clock=clock, ended_on=clocks.due(value, calendar=calendar))
    colours = {Colour.GREEN: (), Colour.YELLOW: (Colour.YELLOW,), Colour.RED: (Colour.YELLOW, Colour.RED)}
    drawn = 0
    for colour in colours[reading.colour]:
        card, is_new = ClockCard.objects.get_or_create(
            clock=clock,
            colour=colour,
            defaults={
                "charged_on": today,
                "used": reading.used,
                "limit": reading.limit,
                "department_id": clock.department_id,
                "holder_id": holder_id,
            },
        )
        if is_new:
            supervision.enter_card(card=card, now=now)
        drawn += is_new
    return drawn


def _holder_when_over(*, clock: StepClock, ended_on: date) -> int | None:
    """Who had it when the last day of the limit ended: not the deputy to whom, nor the colleague to whom, it passed by
    itself since (离岗代理), who had no day of it.
    """
    if clock.stopped_on is not None or clock.step == ClockStep.JOINT:
        return clock.holder_id
    passed = Handover.objects.filter(
        application_id=clock.application_id, by__isnull=True, absence__isnull=False, at__date__gt=ended_on
    )
    first = passed.order_by("pk").first()
    return clock.holder_id if first is None else first.giver_id
