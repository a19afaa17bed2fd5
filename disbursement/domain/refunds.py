"""How the day on which a refund arrived is told in the log of a payable.

The log is evident when tampered with; the line of the batch, which is written again, is audited against it.
"""

from __future__ import annotations

from datetime import date


def refund_day(received_on: date | None) -> str:
    """What a step “refund” ends with: the day (Asia/Shanghai) of the bank's entry."""
    return f"（{received_on}到账）"
