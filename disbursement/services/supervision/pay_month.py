"""The forecast of the pay month as it is kept (兑现月份预测): a row for each change, in the transaction that made it.

`note` follows an application until its approval, `note_payables` each instalment from then on, `keep_up` what moves by
the passing of days alone. A move from one month to another is told to the enterprise, unless the event that moved it
tells by itself: topic `forecast.moved` {"forecast": id}.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import OuterRef, Subquery

from disbursement.domain import pay_month as domain
from disbursement.domain.pay_month import Cause, Cuts, Forecast, Why
from disbursement.domain.workflow import UNDER_WAY, ApplicationAction, ApplicationState, PayableState
from disbursement.models import Application, Payable
from disbursement.models.pay_forecast import PayForecast
from disbursement.selectors.applications import with_clocks
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.pay_month import cuts_of, forecast_of, owed_of
from matching.chunks import chunks
from matching.days import day_of
from matching.registry import outbox

TOPIC = "forecast.moved"
# Events of payables after which their forecasts are looked at; each tells the enterprise by itself.
MOVING = frozenset(
    {"granted", "slipped", "held", "released", "bounced", "reissued", "refunded", "clawback", "cancelled"},
)
# Instalments that the passing of days moves.
_WAITING = (PayableState.AWAITING, PayableState.HELD, PayableState.BOUNCED, PayableState.MENDED)
_PIECE = 500
_S = ApplicationState
# What a step says of a month that it moved, where the clocks alone would not say why.
_BECAUSE = {
    ApplicationAction.SUPPLY: Why(Cause.CORRECTION, "补正材料已收到。"),
    ApplicationAction.EXPERT_REPORT: Why(Cause.EXPERT, "专家意见已收到。"),
    ApplicationAction.GATHER_OPINIONS: Why(Cause.JOINT, "会审意见已汇总。"),
    ApplicationAction.SEND_BACK: Why(Cause.SENT_BACK, "退回审核，重新办理。"),
    ApplicationAction.SUSTAIN_OBJECTION: Why(Cause.OBJECTION, "公示异议成立，重新审核。"),
    ApplicationAction.APPEAL: Why(Cause.APPEAL, "已申请复核。"),
}
BY_CALENDAR = Why(Cause.CALENDAR, "工作日历有调整。")


def note(*, application: Application, action: ApplicationAction, now: datetime) -> None:
    """Keep the forecast of a locked application as it stands after a transition, if that changed it.

    Approval hands over to the instalments; what pays nothing has no forecast.
    """
    if not application.version.rules.get("award") or application.status in (_S.DRAFT, _S.APPROVED, _S.CLOSED):
        return
    today = day_of(now)
    cuts = cuts_of(as_of=today, calendar=working_calendar())
    fresh = with_clocks(Application.objects.filter(pk=application.pk)).get()
    _keep(application=fresh, today=today, cuts=cuts, because=_BECAUSE.get(action), now=now)


def note_payables(*, payable_ids: Iterable[int], now: datetime, tell: bool = False, because: Why | None = None) -> int:
    """Keep the forecasts of locked instalments where they changed; how many did. Three queries for each piece."""
    today = day_of(now)
    cuts = cuts_of(as_of=today, calendar=working_calendar())
    count = 0
    for piece in chunks(payable_ids, _PIECE):
        payables = list(Payable.objects.filter(pk__among=piece).order_by("application_id", "number"))
        changed = _changed_payables(payables, today=today, cuts=cuts, because=because, now=now)
        _write(changed, tell=tell, now=now)
        count += len(changed)
    return count


def keep_up(*, now: datetime, because: Why | None = None) -> int:
    """Follow what days alone have moved (the night's round, or a calendar that was changed); how many changed.

    Looks first and locks only what changed: it can run twice, and beside people at work.
    """
    today = day_of(now)
    cuts = cuts_of(as_of=today, calendar=working_calendar())
    count = 0
    for pk in stale_applications(today=today, cuts=cuts):
        with transaction.atomic():
            # Locked apart: what is read through outer joins cannot be.
            Application.objects.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
            application = with_clocks(Application.objects.filter(pk=pk)).get()
            if application.state in UNDER_WAY:
                count += _keep(application=application, today=today, cuts=cuts, because=because, now=now)
    last = 0
    waiting = Payable.objects.filter(state__in=_WAITING).order_by("pk").select_for_update(of=("self",))
    while True:
        with transaction.atomic():
            ids = list(
                waiting.filter(pk__gt=last).select_for_update(of=("self",)).values_list("pk", flat=True)[:_PIECE]
            )
            if not ids:
                return count
            count += note_payables(payable_ids=ids, now=now, tell=True, because=because)
            last = ids[-1]


def stale_applications(*, today: date, cuts: Cuts) -> list[int]:
    """Applications whose forecast on that day, by those cut-offs and their calendar, is another than the one kept."""
    return [pk for pk, kept, found in standing(today=today, cuts=cuts) if _differs(kept, found)]


def moved_between(*, today: date, before: Cuts, after: Cuts) -> list[tuple[Application, date, date]]:
    """Applications under way whose money comes in another month by other cut-offs or another calendar: (application,
    month before, month after).
    """
    found = []
    under_way = with_clocks(Application.objects.filter(state__in=UNDER_WAY)).order_by("pk")
    for application in under_way.iterator(chunk_size=_PIECE):
        if not application.version.rules.get("award"):
            continue
        was = forecast_of(application=application, as_of=today, cuts=before).month
        will_be = forecast_of(application=application, as_of=today, cuts=after).month
        if was is not None and will_be is not None and was != will_be:
            found.append((application, was, will_be))
    return found


def standing(*, today: date, cuts: Cuts) -> Iterable[tuple[int, tuple[date | None, str] | None, Forecast]]:
    """(application, the month and its basis as kept last, what is forecast) of all that are under way, in pieces."""
    latest = PayForecast.objects.filter(application=OuterRef("pk"), instalment=0).order_by("-seq")
    under_way = Application.objects.filter(state__in=UNDER_WAY).annotate(
        kept_month=Subquery(latest.values("month")[:1]), kept_basis=Subquery(latest.values("basis")[:1])
    )
    for application in with_clocks(under_way).order_by("pk").iterator(chunk_size=_PIECE):
        if application.version.rules.get("award"):
            month, basis = getattr(application, "kept_month", None), getattr(application, "kept_basis", None)
            kept = None if basis is None else (month, basis)
            yield application.pk, kept, forecast_of(application=application, as_of=today, cuts=cuts)


def _differs(kept: tuple[date | None, str] | None, found: Forecast) -> bool:
    return kept is None or kept != (found.month, found.lead.cause.value)


def _keep(*, application: Application, today: date, cuts: Cuts, because: Why | None, now: datetime) -> bool:
    last = PayForecast.objects.filter(application_id=application.pk, instalment=0).order_by("-seq").first()
    found = forecast_of(application=application, as_of=today, cuts=cuts)
    row = _row(place=(application.pk, 0), last=last, start=None, found=found, because=because, now=now)
    if row is None:
        return False
    _write([row], tell=True, now=now)
    return True


def _changed_payables(
    payables: Sequence[Payable], *, today: date, cuts: Cuts, because: Why | None, now: datetime
) -> list[PayForecast]:
    last = _last_of({payable.application_id for payable in payables})
    found = []
    for payable in payables:
        before = last.get((payable.application_id, payable.number))
        start: date | None = None
        if before is None:
            # The first of its rows goes on from the application's own forecast, or from what was promised.
            own = last.get((payable.application_id, 0))
            is_new = payable.pay_month == payable.promised_month
            start = (own.month if own is not None and payable.number == 1 else None) if is_new else None
            start = payable.promised_month if not is_new else start
        forecast = domain.forecast_owed(owed_of(payable), as_of=today, cuts=cuts)
        place = (payable.application_id, payable.number)
        row = _row(place=place, last=before, start=start, found=forecast, because=because, now=now)
        if row is not None:
            found.append(row)
    return found


def _last_of(application_ids: Collection[int]) -> dict[tuple[int, int], PayForecast]:
    rows = PayForecast.objects.filter(application_id__among=application_ids).order_by("seq")
    return {(row.application_id, row.instalment): row for row in rows}


def _row(
    *,
    place: tuple[int, int],
    last: PayForecast | None,
    start: date | None,
    found: Forecast,
    because: Why | None,
    now: datetime,
) -> PayForecast | None:
    """The row that follows `last`, or (without one) begins at `start`; None where nothing changed."""
    if last is not None and not _differs((last.month, last.basis), found):
        return None
    if last is None and found.month is None:
        return None  # what never had a month does not lose one: a draft that is withdrawn
    previous = start if last is None else last.month
    causes = found.causes
    moved = found.month is not None and previous is not None and found.month != previous
    if moved and because is not None and found.lead.cause in (Cause.ON_TIME, Cause.OVERDUE):
        causes = (because, *causes)
    return PayForecast(
        application_id=place[0],
        instalment=place[1],
        seq=1 if last is None else last.seq + 1,
        month=found.month,
        previous=previous,
        cause=causes[0].cause.value,
        basis=found.lead.cause.value,
        text="".join(why.text for why in causes)[:300],
        at=now,
    )


def _write(rows: Sequence[PayForecast], *, tell: bool, now: datetime) -> None:
    PayForecast.objects.bulk_create(rows, batch_size=_PIECE)
    if tell:
        outbox.emit_many(
            topic=TOPIC,
            messages=[({"forecast": row.pk}, f"{TOPIC}:{row.pk}") for row in rows if row.has_moved],
            now=now,
        )
