"""What was found out of an application after it was decided, and what may follow: promises that proved false, checks
with a serious finding; the decision revoked while nothing was paid, what was paid asked back (追回).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.domain.workflow import ApplicationState, PayableState
from disbursement.models import Application, Finding, Payable, Promise, QualityCheck

_PAID = (PayableState.PAID, PayableState.SETTLED)
_BACK = (PayableState.CLAWBACK, PayableState.CLAWED_BACK, PayableState.REFUNDED)
_UNPAID_END = (PayableState.CANCELLED, *_BACK)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that was found: a title, what the finding says, and when (aware)."""

    title: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was found, oldest first; the payables that were paid and may be asked back; those under way, that could be
    held; those that came back or are asked back. `may_be_revoked`: nothing has left the house yet.
    """

    troubles: list[Trouble] = field(default_factory=list)
    paid: list[Payable] = field(default_factory=list)
    coming: list[Payable] = field(default_factory=list)
    back: list[Payable] = field(default_factory=list)
    may_be_revoked: bool = False

    def __bool__(self) -> bool:
        return bool(self.troubles)


def aftermath_of(*, application: Application) -> Aftermath:
    """Empty where nothing was found. Two queries, a third where something was."""
    troubles = [
        Trouble(_("承诺经核查不实：%(text)s") % {"text": promise.text}, promise.finding, promise.checked_at)
        for promise in Promise.objects.filter(application=application, kept=False).order_by("pk")
        if promise.checked_at is not None
    ]
    # A promise's own check says nothing more than the promise.
    serious = QualityCheck.objects.filter(application=application, promise__isnull=True, finding=Finding.SERIOUS)
    troubles += [
        Trouble(_("抽查结论：有错误"), check.text, check.checked_at)
        for check in serious.order_by("pk")
        if check.checked_at is not None
    ]
    if not troubles:
        return Aftermath()
    payables = list(Payable.objects.filter(application=application).order_by("number"))
    paid = [payable for payable in payables if payable.state in _PAID]
    back = [payable for payable in payables if payable.state in _BACK]
    return Aftermath(
        troubles=sorted(troubles, key=lambda trouble: trouble.at),
        paid=paid,
        coming=[payable for payable in payables if payable.state not in (*_PAID, *_UNPAID_END)],
        back=back,
        may_be_revoked=application.status is ApplicationState.APPROVED and not paid and not back,
    )
