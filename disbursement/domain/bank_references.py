"""The number that a bank gives an entry of an account, as people type it and banks write it. Pure.

Full-width or small letters, blanks and what is not seen make no other entry of it: else the same money is recorded
twice by being written in two ways.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80
# What a set-off is known by: it has no entry at the bank.
SET_OFF = "抵扣-"
_DEMAND = re.compile(r"ZH-?[0-9]{4}-?[0-9]{6}")


def normal(reference: str) -> str:
    """The reference as it is kept and compared; empty where nothing is left of it."""
    if reference.isascii() and reference.isalnum():
        return reference.upper()  # as most are, of a hundred thousand
    shown = "".join(c for c in unicodedata.normalize("NFKC", reference) if unicodedata.category(c)[0] != "C")
    return "".join(shown.upper().split())


def fault_of(reference: str) -> str:
    """What is wrong with a normal reference, for people; empty where it can be a bank's."""
    if not reference:
        return "请填写银行流水号，同一笔到账或退还只登记一次。"
    if len(reference) > LONGEST:
        return f"银行流水号最多{LONGEST}个字符，请照银行流水填写。"
    if reference.startswith(SET_OFF) or _DEMAND.match(reference):
        return f"“{reference}”是本系统的编号，不是银行流水号；请照银行流水填写该笔到账的流水号。"
    return ""


def of_set_off(decision_id: int) -> str:
    """What the receipt of a set-off is known by."""
    return f"{SET_OFF}{decision_id}"
