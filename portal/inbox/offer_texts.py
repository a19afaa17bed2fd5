"""What messages say of 免申即享 (an offer, and what became of it), and of promised days that are past (限时即享)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _

from disbursement.domain.delivery import OfferAction
from disbursement.models import Offer, OfferEdition, OfferEvent, TimePromise
from portal.accounts.models import RoleAssignment, StaffRole
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link


def of_offer(*, offer_id: int, revision: int) -> Message | None:
    """What a step of an offer means for the enterprise, as it stood then; None for the enterprise's own doing."""
    offer = Offer.objects.select_related("item__department").get(pk=offer_id)
    event = OfferEvent.objects.filter(offer=offer, seq=revision).first()
    edition = OfferEdition.objects.get(offer=offer, seq=1 if event is None else event.edition)
    action = None if event is None else OfferAction(event.action)
    names = {
        "item": offer.item.name,
        "amount": f"{edition.amount:,.2f} 元",
        "day": offer.last_day.isoformat(),
        "why": "" if event is None else event.note,
    }
    match action:
        case None | OfferAction.REOPEN:
            title = _("免申即享：《%(item)s》可得 %(amount)s，确认即可")
            body = _("不用填表、不用交材料。请在 %(day)s 前核对金额和收款账户，点一下确认。")
        case OfferAction.REVISE:
            title = _("免申即享：《%(item)s》的内容有变化，现为 %(amount)s")
            body = _("%(why)s请在 %(day)s 前核对新的内容后确认。")
        case OfferAction.WITHDRAW:
            title = _("免申即享：《%(item)s》的告知已收回")
            body = _("原因：%(why)s 如有不同意见，可以自行申报。")
        case OfferAction.LAPSE:
            title = _("免申即享：《%(item)s》逾期未确认")
            body = _("确认期限到 %(day)s 止。申报期内仍可自行申报。")
        case _:
            return None
    answers = action in (None, OfferAction.REOPEN, OfferAction.REVISE)
    if answers and edition.account_id is None:
        body += _("确认前请先登记收款账户。")
    return Message(
        key=f"offer:{offer.pk}:{revision}",
        kind=NotificationKind.POLICY if answers else NotificationKind.APPLICATION,
        title=title % names,
        body=body % names,
        link=link("enterprise:offer", offer.pk),
        enterprise_id=offer.enterprise_id,
        item_id=offer.item_id,
        department_id=offer.item.department_id,
    )


def of_broken_promise(*, promise_id: int) -> Iterator[Message]:
    """A promised day is past without a decision: to each supervisor of the department, and of the district."""
    promise = TimePromise.objects.select_related("application__item__department").get(pk=promise_id)
    application = promise.application
    department = application.item.department
    held = RoleAssignment.objects.filter(role=StaffRole.SUPERVISOR).filter(
        Q(department__isnull=True) | Q(department=department)
    )
    for user_id in sorted(set(held.values_list("user_id", flat=True))):
        yield Message(
            key=f"time-promise:{promise.pk}:{user_id}",
            kind=NotificationKind.SERVICE,
            title=_("限时承诺已过：%(item)s（%(number)s）")
            % {"item": application.item.name, "number": application.number},
            body=_("%(department)s承诺受理后 %(days)s 个工作日内决定，最初应在 %(day)s 前，现仍未决定。")
            % {"department": department.name, "days": promise.days, "day": promise.due_on.isoformat()},
            link=link("desk:application", application.pk),
            user_id=user_id,
            department_id=department.pk,
        )
