"""Payment and return files: pure bytes in and out, nothing of a database or a folder.

A payment format writes a `PaymentOrder` to bytes that depend on nothing but the order, and reads the control
totals back from any bytes it wrote, so that the sealed file itself, not our memory of it, is what gets
reconciled.
"""

from __future__ import annotations

from .base import ControlTotals, FormatError, Party, PaymentFormat, PaymentLine, PaymentOrder, UnknownTable
from .registry import (
    PAYMENT_FORMATS,
    RETURN_READERS,
    name_return_tables,
    name_voucher_elements,
    payment_format,
    stream_return,
)
from .returned import Cover, Reading, ReturnRow

__all__ = [
    "PAYMENT_FORMATS",
    "RETURN_READERS",
    "ControlTotals",
    "Cover",
    "FormatError",
    "Party",
    "PaymentFormat",
    "PaymentLine",
    "PaymentOrder",
    "Reading",
    "ReturnRow",
    "UnknownTable",
    "name_return_tables",
    "name_voucher_elements",
    "payment_format",
    "stream_return",
]
