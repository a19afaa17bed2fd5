"""The monthly report of supervision (电子监察月报): made once a month is over, numbered, its bytes and hash kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.supervision import month_number
from disbursement.models import Document, DocumentKind
from disbursement.selectors.supervision import months_with_lines
from disbursement.services import notices
from matching.days import day_of

# Until then a supervisor may settle what is contested, and make the report by hand.
WRITTEN_ON = 5


def write_due(*, now: datetime) -> list[str]:
    """The machine writes last month's report on the fifth (Asia/Shanghai) where nobody has, and the ledger has lines of
    it. Numbers of what it wrote; asked again it writes nothing.
    """
    today = day_of(now)
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    if today.day < WRITTEN_ON or month not in months_with_lines() or subject_of(month=month) in made():
        return []
    return [notices.issue(kind=DocumentKind.SUPERVISION, subject_id=month_number(month), now=now).number]


def make(*, month: date, actor: Actor, now: datetime) -> Document:
    """The report of a month (its first day): the stored one, or written now, once, as the ledger stands.

    Raises Denied for those who do not supervise the whole district, Invalid before the month is over.
    """
    if None not in actor.supervised:
        raise Denied(_("月报由全区督查人员出具。"))
    if month >= day_of(now).replace(day=1):
        raise Invalid(Fault("month", _("这个月还没有结束，不能出具月报。")))
    return notices.issue(kind=DocumentKind.SUPERVISION, subject_id=month_number(month), now=now)


def made() -> dict[str, Document]:
    """The reports there are, without their bytes, by subject."""
    found = Document.objects.filter(kind=DocumentKind.SUPERVISION).defer("content")
    return {row.subject: row for row in found.order_by("pk")}


def subject_of(*, month: date) -> str:
    return f"{notices.SUBJECT[DocumentKind.SUPERVISION]}:{month_number(month)}"
