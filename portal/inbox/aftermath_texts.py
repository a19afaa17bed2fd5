"""What is told of findings after a decision: a promise that proved false, to its enterprise and to who may act on it; a
check with a serious finding, to the desk alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.models import Application, Promise, QualityCheck
from disbursement.selectors.aftermath import aftermath_of
from portal.accounts.models import StaffRole
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link
from portal.inbox.whom import holders, present, unconcerned


def of_false_promise(*, promise_id: int, now: datetime) -> Iterator[Message]:
    """A promise (告知承诺) proved false: to the enterprise with what follows, and to who may act on it."""
    promise = Promise.objects.select_related("application__item__department", "application__enterprise").get(
        pk=promise_id
    )
    application = promise.application
    department = application.item.department
    names = {
        "item": application.item.name,
        "number": application.number or "—",
        "text": promise.text,
        "finding": promise.finding,
        "department": department.name,
        "phone": f"（{department.phone}）" if department.phone else "",
    }
    yield Message(
        key=f"false-promise:{promise.pk}",
        kind=NotificationKind.APPLICATION,
        title=_("《%(item)s》的承诺经核查不实") % names,
        body=_(
            "申报编号 %(number)s。承诺内容：%(text)s；核查情况：%(finding)s。已记入贵企业的承诺履行记录，"
            "可能影响今后的申报，本次决定可能被撤销，已付的款项可能被追回。有异议的，请联系%(department)s%(phone)s。"
        )
        % names,
        link=link("enterprise:application", application.pk),
        enterprise_id=application.enterprise_id,
        item_id=application.item_id,
        department_id=department.pk,
    )
    title = _("承诺经核查不实：%(enterprise)s《%(item)s》")
    yield from _to_the_desk(application, key=f"false-promise:{promise.pk}", title=title, found=promise.finding, now=now)


def of_serious_check(*, check_id: int, now: datetime) -> Iterator[Message]:
    """A check (抽查) found an error: to who may revoke the decision or ask the money back, but not who found it."""
    check = QualityCheck.objects.select_related("application__item__department", "application__enterprise").get(
        pk=check_id
    )
    title = _("抽查发现有错误：%(enterprise)s《%(item)s》")
    yield from _to_the_desk(check.application, key=f"serious:{check.pk}", title=title, found=check.text, now=now)


def _to_the_desk(application: Application, *, key: str, title: str, found: str, now: datetime) -> Iterator[Message]:
    after = aftermath_of(application=application)
    department_id = application.item.department_id
    names = {"enterprise": application.enterprise.name, "item": application.item.name}
    number = _("申报编号 %(number)s。%(found)s") % {"number": application.number or "—", "found": found}
    if after.may_be_revoked:
        what = _("款项还没有付出，请研究是否撤销决定。")
    elif after.paid:
        what = _("款项已经付出，请与财务研究是否追回。")
    else:
        what = _("请研究如何处理。")
    told: list[tuple[list[int], str, str]] = [
        (holders({StaffRole.SECOND_REVIEWER}, department_id), link("desk:application", application.pk), what)
    ]
    if after.paid or after.coming:
        payable = (after.paid or after.coming)[0]
        money = _("请研究是否追回已付的款项。") if after.paid else _("款项还没有付出，请研究是否先暂缓。")
        told.append((holders({StaffRole.FINANCE_APPROVER}, department_id), link("desk:payable", payable.pk), money))
    heard: set[int] = set()
    for people, place, advice in told:
        for user_id in unconcerned(present(people, now), application.enterprise_id):
            if user_id in heard:
                continue
            heard.add(user_id)
            yield Message(
                key=f"{key}:{user_id}",
                kind=NotificationKind.SERVICE,
                title=title % names,
                body=f"{number.rstrip('。')}。{advice}",
                link=place,
                user_id=user_id,
                item_id=application.item_id,
                department_id=department_id,
            )
