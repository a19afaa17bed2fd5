"""What stops a payment because money is asked back: of the same award, or overdue from the same enterprise.

Whoever releases a payable by hand after that has weighed it, and is not overruled by the next cut-off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Max

from disbursement.domain.workflow import PayableAction, PayableState
from disbursement.models import Clawback, Payable, StateChange
from disbursement.services.recovery.recoveries import standing_of
from matching.days import day_of

_ASKED_BACK = (PayableState.CLAWBACK, PayableState.CLAWED_BACK)


def owed_findings(*, payable_ids: Sequence[int], today: date) -> dict[int, str]:
    """Why each payable has to wait for money that is asked back, as of a day in Asia/Shanghai; those that need not are
    left out. Two queries where nothing is asked back, which is nearly always.
    """
    rows = list(Payable.objects.filter(pk__among=payable_ids).values_list("pk", "enterprise_id", "award_id"))
    demands = list(
        Clawback.objects.filter(
            payable__enterprise_id__among={enterprise for _, enterprise, _ in rows}, payable__state__in=_ASKED_BACK
        )
        .select_related("payable")
        .order_by("pk")
    )
    if not demands:
        return {}
    of_award: dict[int, Clawback] = {demand.payable.award_id: demand for demand in demands}
    overdue: dict[int, tuple[Clawback, date]] = {}
    for demand in demands:
        since = _overdue_since(demand, today=today)
        if since is not None:
            overdue.setdefault(demand.payable.enterprise_id, (demand, since))
    released = _released(payable_ids=[pk for pk, who, award in rows if award in of_award or who in overdue])
    found: dict[int, str] = {}
    for pk, enterprise, award in rows:
        if award in of_award and not _weighed(released.get(pk), day_of(of_award[award].ordered_at)):
            demand = of_award[award]
            how = "正在追回" if demand.payable.state == PayableState.CLAWBACK else "已追回"
            found[pk] = f"同一奖补第{demand.payable.number}期{how}（{demand.number}），后续各期须核实后解除暂缓"
        elif enterprise in overdue and not _weighed(released.get(pk), overdue[enterprise][1]):
            found[pk] = f"企业的追回款{overdue[enterprise][0].number}逾期未退，可以抵扣，或退回后再支付"
    return found


def _overdue_since(demand: Clawback, *, today: date) -> date | None:
    """The day since which something of an open demand is overdue."""
    if demand.payable.state != PayableState.CLAWBACK:
        return None
    entries = standing_of(demand=demand, as_of=today).entries
    late = [each.due.due_on for each in entries if each.is_overdue]
    return min(late, default=None)


def _released(*, payable_ids: Sequence[int]) -> dict[int, datetime]:
    """When a person last released each."""
    released = StateChange.objects.filter(
        payable__among=payable_ids, action=PayableAction.RELEASE.value, person__isnull=False
    )
    return dict(released.order_by().values_list("payable_id").annotate(at=Max("made_at")))


def _weighed(released: datetime | None, since: date) -> bool:
    return released is not None and day_of(released) >= since
