"""What of which invoices and contracts awards stand on: each paper counts once (同一发票不得重复享受), in whole or in
parts, until an award is revoked or all of its money came back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from disbursement.domain import money
from disbursement.domain.errors import invalid
from disbursement.domain.invoices import Invoice
from disbursement.domain.workflow import ApplicationState, PayableState
from disbursement.models import Application, ClaimedInvoice, Paper, Payable
from disbursement.selectors.invoices import already_claimed
from disbursement.selectors.papers import keys_of

# An instalment in one of these was never paid or came back whole, and stays so.
GIVEN_BACK = (PayableState.CANCELLED, PayableState.REFUNDED, PayableState.CLAWED_BACK)


def claim(*, application: Application, invoices: Sequence[Invoice]) -> None:
    """Enter what is used of the papers, in the caller's transaction. Raises Invalid where others leave too little.

    Two approvals that share a paper take turns on its row.
    """
    keys = keys_of(invoices)
    ordered = sorted(invoices, key=lambda invoice: (invoice.kind, keys[invoice]))
    papers = [_lock(invoice, keys=keys[invoice]) for invoice in ordered]
    used = used_elsewhere(application=application, invoices=invoices)
    if used:
        raise invalid("invoices", "".join(used))
    claims = []
    for invoice, paper in zip(ordered, papers, strict=True):
        if paper.amount != invoice.amount:  # stated otherwise by an award that was revoked since
            Paper.objects.filter(pk=paper.pk).update(amount=invoice.amount)
        claims.append(
            ClaimedInvoice(
                application=application,
                paper=paper,
                issuer=invoice.issuer,
                number=invoice.number,
                amount=invoice.amount,
                used=invoice.used,
            )
        )
    try:
        with transaction.atomic():
            ClaimedInvoice.objects.bulk_create(claims)
    except IntegrityError as error:
        raise invalid("invoices", "发票清单中有发票重复或已被使用，请核对后再审核。") from error


def release(*, application: Application, now: datetime) -> None:
    """Leave the papers of a revoked award to others."""
    ClaimedInvoice.objects.filter(application=application, released_at__isnull=True).update(released_at=now)


def release_unkept(*, application_ids: Iterable[int] | None = None, now: datetime) -> int:
    """Leave the papers of closed applications to others of which no instalment was kept: each was given back, recovered
    or cancelled. None: look at every one. Returns how many papers; run again, it finds nothing.

    As caps do (`selectors.granted`), but only once the money is back: what is still asked for is not given back yet.
    """
    kept = Payable.objects.exclude(state__in=[state.value for state in GIVEN_BACK])
    claims = ClaimedInvoice.objects.filter(released_at__isnull=True, application__payables__isnull=False)
    if application_ids is not None:
        claims = claims.filter(application_id__in=list(application_ids))
    claims = claims.filter(application__state=ApplicationState.CLOSED.value).exclude(application__payables__in=kept)
    ids = sorted(set(claims.values_list("pk", flat=True)))
    # None of these states leads anywhere: what is given back stays so.
    return ClaimedInvoice.objects.filter(pk__in=ids, released_at__isnull=True).update(released_at=now)


def used_elsewhere(*, application: Application, invoices: Sequence[Invoice]) -> list[str]:
    """For each paper of which other awards leave too little, what to tell: their numbers, nothing of their owners."""
    told = []
    for invoice, used in already_claimed(invoices=invoices, application=application):
        where = "、".join(used.numbers)
        if used.amount != invoice.amount:
            why = f"登记的金额为{money.yuan(used.amount)}元，与本次的{money.yuan(invoice.amount)}元不符"
        elif used.left > 0:
            why = (
                f"已使用{money.yuan(used.used)}元，余{money.yuan(used.left)}元，不够本次的{money.yuan(invoice.used)}元"
            )
        else:
            why = "不能重复使用"
        told.append(
            f"{invoice.label}（{invoice.issuer}）已用于申报{where}，{why}。请要求企业补正发票清单，或审核不通过。"
        )
    return told


def _lock(invoice: Invoice, *, keys: Sequence[str]) -> Paper:
    """The paper behind it, locked; entered where it is new. One that stands under several keys is locked under each."""
    known = Paper.objects.filter(kind=invoice.kind, key__in=keys)
    if not known.exists():
        Paper.objects.bulk_create([Paper(kind=invoice.kind, key=keys[0], amount=invoice.amount)], ignore_conflicts=True)
    locked = {paper.key: paper for paper in known.select_for_update().order_by("pk")}
    return next(locked[key] for key in keys if key in locked)
