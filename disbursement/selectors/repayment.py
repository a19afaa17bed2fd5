"""The account to which enterprises pay money back, and whom they ask."""

from __future__ import annotations

from disbursement.models import RepaymentAccount, RepaymentDecision


def account_in_force() -> RepaymentAccount | None:
    """The one last approved; None where there is none yet."""
    return RepaymentAccount.objects.filter(decision=RepaymentDecision.APPROVED).order_by("-pk").first()
