"""The month of the money in one sentence for each instalment, as the pages of an application tell it: when it comes,
what was forecast before, and why it moved. No name of any person stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from disbursement.domain.cycle import month_label
from disbursement.domain.pay_month import Cause, supply_by
from disbursement.models import Application, Payable, PayForecast
from disbursement.selectors.applications import with_clocks
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.pay_month import cuts_of, situation_of

_DONE = frozenset({"paid", "settled", "refunded", "clawback", "clawed_back", "cancelled"})
# Causes that say only that nothing stands in the way.
_PLAIN = frozenset({Cause.ON_TIME, Cause.APPROVED})


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of one instalment (0: before approval). `why` is what it waits for now, empty where nothing."""

    instalment: int
    sentence: str
    why: str
    has_slipped: bool


def lines(*, forecasts: Sequence[PayForecast], payables: Sequence[Payable]) -> list[Line]:
    """The lines of an application's forecasts (oldest first): of the application until it has instalments."""
    latest: dict[int, PayForecast] = {row.instalment: row for row in forecasts}
    moved: dict[int, PayForecast] = {row.instalment: row for row in forecasts if row.has_moved}
    done = {payable.number for payable in payables if payable.state in _DONE}
    wanted = [0] if not payables else [payable.number for payable in payables if payable.number not in done]
    found = []
    for number in wanted:
        now = latest.get(number)
        if now is None or now.month is None:
            continue
        basis = Cause(now.basis)
        found.append(
            Line(
                instalment=number,
                sentence=_sentence(now.month, moved.get(number)),
                why="" if basis in _PLAIN else now.text,
                has_slipped=_is_later(moved.get(number)),
            )
        )
    return found


def _is_later(move: PayForecast | None) -> bool:
    return move is not None and move.month is not None and move.previous is not None and move.month > move.previous


def _sentence(month: date, move: PayForecast | None) -> str:
    told = _("预计%(month)s兑现") % {"month": month_label(month)}
    if move is None or move.previous is None:
        return told + "。"
    cause = Cause(move.cause)
    later = _is_later(move)
    why = _("办理进度") if cause in _PLAIN else cause.label
    how = _("顺延") if later else _("提前")
    before = month_label(move.previous)
    if move.previous.year == month.year:
        before = _("%(month)s月") % {"month": move.previous.month}
    return told + _("；原预计%(before)s，因%(why)s%(how)s。") % {"before": before, "why": why, "how": how}


def keep_by(*, application: Application, as_of: date) -> date | None:
    """While something is asked for: the last day to hand it in without losing a month; None where no day does."""
    cuts = cuts_of(as_of=as_of, calendar=working_calendar())
    fresh = with_clocks(Application.objects.filter(pk=application.pk)).get()
    return supply_by(situation_of(application=fresh, calendar=cuts.calendar), as_of=as_of, cuts=cuts)
