"""What an enterprise is told when the month of its money moves."""

from __future__ import annotations

from django.utils.translation import gettext as _

from disbursement.domain.cycle import month_label
from disbursement.models import PayForecast
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link


def of_move(*, forecast_id: int) -> Message | None:
    """One message for each move; None where a later one has taken it back or moved on: that one tells."""
    row = PayForecast.objects.select_related("application__item").get(pk=forecast_id)
    later = PayForecast.objects.filter(application_id=row.application_id, instalment=row.instalment, seq__gt=row.seq)
    if not row.has_moved or row.month is None or row.previous is None or later.exclude(month=row.month).exists():
        return None
    application = row.application
    names = {"item": application.item.name, "month": month_label(row.month), "before": month_label(row.previous)}
    title = (
        _("《%(item)s》预计%(month)s兑现")
        if row.instalment == 0
        else _("《%(item)s》第 %(number)s 期改在%(month)s兑现")
    )
    return Message(
        key=f"forecast:{row.pk}",
        kind=NotificationKind.PAYMENT,
        title=title % {**names, "number": row.instalment},
        body=_("原预计%(before)s。%(why)s") % {**names, "why": row.text},
        link=link("enterprise:application", application.pk),
        enterprise_id=application.enterprise_id,
        item_id=application.item_id,
        department_id=application.item.department_id,
    )
