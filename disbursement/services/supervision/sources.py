"""What the house has put on record and the supervision ledger has not: found by what is missing, entered in pieces.

Each source is looked for anew every time, so that nothing depends on an event that was lost, and running it again
finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from disbursement.domain.cycle import month_label
from disbursement.domain.pay_month import Cause
from disbursement.domain.supervision import EntryKind
from disbursement.domain.workflow import ClockStep, PayableState
from disbursement.models import (
    ClockCard,
    Correction,
    Finding,
    JointAnswer,
    JointReview,
    Payable,
    QualityCheck,
    TimePromise,
)
from disbursement.models.pay_forecast import PayForecast
from disbursement.models.supervision import SupervisionEntry
from disbursement.services.supervision.ledger import enter_all, of_card
from matching.days import day_of

_PIECE = 500
# Why a month was missed that is not the house's doing: the account, the credit record, a hold with its reason.
_OTHERS_DOING = (Cause.HELD, Cause.BOUNCED, Cause.MENDED)


def collect(*, now: datetime) -> int:
    """Enter what is on record elsewhere and not in the ledger yet; how many lines. Can die and run again."""
    return sum(_collect(source, now) for source in _SOURCES)


Source = Callable[[datetime], list[SupervisionEntry]]


def _collect(source: Source, now: datetime) -> int:
    count = 0
    while True:
        with transaction.atomic():
            piece = source(now)
            count += enter_all(piece)
        if len(piece) < _PIECE:
            return count


def _unentered(found: QuerySet[Any], word: str) -> list[Any]:
    """The next piece of those rows that no line names."""
    source = Concat(Value(f"{word}:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    return list(found.filter(~Exists(SupervisionEntry.objects.filter(source=source))).order_by("pk")[:_PIECE])


def _cards(now: datetime) -> list[SupervisionEntry]:
    cards = _unentered(ClockCard.objects.select_related("clock"), "card")
    return [of_card(card=card, now=now) for card in cards]


def _late_corrections(now: datetime) -> list[SupervisionEntry]:
    found = Correction.objects.exclude(late_reason="").select_related("application__item")
    return [
        SupervisionEntry(
            kind=EntryKind.LATE_CORRECTION,
            source=f"correction:{row.pk}",
            application_id=row.application_id,
            department_id=row.application.item.department_id,
            person_id=row.asked_by_id,
            text=_("第 %(round)s 次要求补正，其中有首次应当告知而未告知的内容。所写理由：%(reason)s")[:500]
            % {"round": row.round, "reason": row.late_reason},
            happened_on=day_of(row.asked_at),
            entered_at=now,
        )
        for row in _unentered(found, "correction")
    ]


def _lapsed(now: datetime) -> list[SupervisionEntry]:
    found = JointReview.objects.filter(answer=JointAnswer.LAPSED)
    return [
        SupervisionEntry(
            kind=EntryKind.LAPSED,
            source=f"joint:{row.pk}",
            application_id=row.application_id,
            department_id=row.department_id,
            limit=row.limit,
            text=_("未在 %(limit)s 个工作日内出具会审意见，按约定视为同意。") % {"limit": row.limit},
            happened_on=day_of(row.at),
            entered_at=now,
        )
        for row in _unentered(found, "joint")
    ]


def _broken_promises(now: datetime) -> list[SupervisionEntry]:
    forecasts = PayForecast.objects.filter(application=OuterRef("application"), instalment=OuterRef("number"))
    found = (
        Payable.objects.filter(pay_month__gt=F("promised_month"))
        .exclude(state=PayableState.CANCELLED)
        .exclude(Q(attempts__outcome="bounced"))
        .filter(~Exists(forecasts.filter(cause__in=[cause.value for cause in _OTHERS_DOING])))
        .select_related("application__item")
    )
    text = _("第 %(number)s 期承诺%(promised)s兑现，现为%(month)s。%(reason)s")
    return [
        SupervisionEntry(
            kind=EntryKind.BROKEN_PROMISE,
            source=f"payable:{row.pk}",
            application_id=row.application_id,
            department_id=row.application.item.department_id,
            text=(
                text
                % {
                    "number": row.number,
                    "promised": month_label(row.promised_month),
                    "month": month_label(row.pay_month),
                    "reason": row.slip_reason,
                }
            )[:500],
            happened_on=day_of(now),
            entered_at=now,
        )
        for row in _unentered(found, "payable")
    ]


def _broken_times(now: datetime) -> list[SupervisionEntry]:
    found = TimePromise.objects.filter(broken_on__isnull=False).select_related("application__item")
    rows = _unentered(found.prefetch_related("application__clocks"), "promise")
    text = _("限时即享：承诺受理后 %(days)s 个工作日内作出决定（最迟 %(due)s），已超过。")
    return [
        SupervisionEntry(
            kind=EntryKind.BROKEN_PROMISE,
            source=f"promise:{row.pk}",
            application_id=row.application_id,
            department_id=row.application.item.department_id,
            person_id=next((c.holder_id for c in row.application.clocks.all() if c.step == ClockStep.REVIEW), None),
            text=text % {"days": row.days, "due": row.due_on.isoformat()},
            happened_on=row.broken_on,
            entered_at=now,
        )
        for row in rows
    ]


def _quality(now: datetime) -> list[SupervisionEntry]:
    found = QualityCheck.objects.filter(finding__in=[Finding.MINOR, Finding.SERIOUS])
    return [
        SupervisionEntry(
            kind=EntryKind.QUALITY,
            source=f"check:{row.pk}",
            application_id=row.application_id,
            department_id=row.application.item.department_id,
            person_id=row.decided_by_id,
            text=f"{row.get_finding_display()}：{row.text}"[:500],
            happened_on=day_of(row.checked_at),
            entered_at=now,
        )
        for row in _unentered(found.select_related("application__item"), "check")
    ]


_SOURCES: tuple[Source, ...] = (_cards, _late_corrections, _lapsed, _broken_promises, _broken_times, _quality)
