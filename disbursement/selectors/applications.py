"""Applications as an enterprise sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, QuerySet

from disbursement.domain import clocks
from disbursement.domain.clocks import Reading
from disbursement.models import Application, Correction, LaneChoice, StepClock, TimePromise
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.delivery import lanes_of, open_promises
from disbursement.selectors.pay_month import PayMonth, cuts_of, pay_month


@dataclass(frozen=True, slots=True)
class Line:
    """One application in a list. `correction` is what the enterprise is asked for now, with its items; `lane` the one
    it is on (None: its item offers none), `promise` a day promised for its decision and still open (限时即享).
    """

    application: Application
    pay_month: PayMonth
    clock: StepClock | None
    reading: Reading | None
    correction: Correction | None
    lane: LaneChoice | None = None
    promise: TimePromise | None = None

    @property
    def is_promise_broken(self) -> bool:
        """Whether the promised day is past, by the clock that measures it."""
        return self.promise is not None and (
            self.promise.broken_on is not None or (self.reading is not None and self.reading.left < 0)
        )


def with_clocks(applications: QuerySet[Application]) -> QuerySet[Application]:
    """The relations that clocks and pay months read, in a fixed number of queries."""
    open_corrections = Correction.objects.filter(supplied_at__isnull=True, lapsed_at__isnull=True)
    return applications.select_related("item__department", "version", "enterprise", "handler").prefetch_related(
        Prefetch("clocks", StepClock.objects.select_related("department", "holder").prefetch_related("pauses")),
        Prefetch("corrections", open_corrections.prefetch_related("items"), to_attr="open_corrections"),
        "payables",
        "publicities",
    )


def lines(*, applications: list[Application], as_of: date) -> list[Line]:
    """The lines of applications that were read `with_clocks`."""
    calendar = working_calendar()
    cuts = cuts_of(as_of=as_of, calendar=calendar)
    ids = [application.pk for application in applications]
    lanes, promises = lanes_of(application_ids=ids), open_promises(application_ids=ids)
    result = []
    for application in applications:
        clock = next((c for c in application.clocks.all() if c.stopped_on is None), None)
        reading = None
        if clock is not None:
            reading = clocks.read(clock.as_clock(clock.pauses.all()), as_of=as_of, calendar=calendar)
        corrections: list[Correction] = getattr(application, "open_corrections", [])
        result.append(
            Line(
                application=application,
                pay_month=pay_month(application=application, as_of=as_of, calendar=calendar, cuts=cuts),
                clock=clock,
                reading=reading,
                correction=corrections[0] if corrections else None,
                lane=lanes.get(application.pk),
                promise=promises.get(application.pk),
            )
        )
    return result
