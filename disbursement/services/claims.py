"""Which invoices awards stand on: each counts once (同一发票不得重复享受), until its award is revoked."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from disbursement.domain.errors import invalid
from disbursement.domain.invoices import Invoice
from disbursement.models import Application, ClaimedInvoice
from disbursement.selectors.invoices import already_claimed


def claim(*, application: Application, invoices: Sequence[Invoice]) -> None:
    """Enter the invoices as used, in the caller's transaction. Raises Invalid where another award has one of them."""
    used = used_elsewhere(application=application, invoices=invoices)
    if used:
        raise invalid("invoices", "".join(used))
    claims = [
        ClaimedInvoice(application=application, issuer=i.issuer, number=i.number, amount=i.amount) for i in invoices
    ]
    try:
        with transaction.atomic():
            ClaimedInvoice.objects.bulk_create(claims)
    except IntegrityError as error:  # another approval was a little faster, and is there to be named now
        used = used_elsewhere(application=application, invoices=invoices)
        raise invalid("invoices", "".join(used) or "发票清单中有发票重复或已被使用，请核对后再审核。") from error


def used_elsewhere(*, application: Application, invoices: Sequence[Invoice]) -> list[str]:
    """For each invoice that another award stands on, what to tell: that application's number, nothing of its owner."""
    return [
        f"发票{invoice.number}（{invoice.issuer}）已用于申报{number}，不能重复使用。请要求企业补正发票清单，或审核不通过。"
        for invoice, number in already_claimed(invoices=invoices, application=application)
    ]
