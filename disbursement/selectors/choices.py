"""What an enterprise chose among items that compete, and what that means for one of them."""

from __future__ import annotations

from typing import Any

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Choice

_S = ApplicationState
# In these an application comes to nothing any more: what was given up for it is free again.
FAILED = (_S.WITHDRAWN, _S.NOT_ACCEPTED, _S.REJECTED, _S.REJECTION_UPHELD, _S.REVOKED)


def latest_choice(*, enterprise_id: int, year: int) -> Choice | None:
    """The choice that counts: the newest for that calendar year of approval."""
    return Choice.objects.filter(enterprise_id=enterprise_id, year=year).order_by("-pk").first()


def given_up_for(*, enterprise_id: int, year: int, code: str) -> list[str]:
    """Why the enterprise's choice stands against approving this item, for people; empty where it does not.

    A choice stands while what was chosen instead may still come: once each of those was refused, withdrawn or revoked,
    what was given up for them is free again.
    """
    choice = latest_choice(enterprise_id=enterprise_id, year=year)
    entry = None if choice is None else next((row for row in choice.given_up if row["item"] == code), None)
    if choice is None or entry is None:
        return []
    standing = [row for row in choice.taken if row["item"] in entry["for"] and not _has_failed(row, choice)]
    if not standing:
        return []
    names = "、".join(f"“{row['label']}”" for row in standing)
    told = (
        f"企业{choice.made_at:%Y-%m-%d}已选择享受{names}，放弃本事项（就高不重复）。"
        "如企业改变选择，请其先在“组合比选”中重新选择，再审核本件。"
    )
    return [told]


def _has_failed(row: dict[str, Any], choice: Choice) -> bool:
    """Whether every application for the chosen item came to nothing; where there is none yet, it may still come. One
    that was over before the choice says nothing of it.
    """
    states = Application.objects.filter(enterprise_id=choice.enterprise_id, item__code=row["item"])
    if row.get("application") is not None:
        states = states.filter(pk__gte=row["application"])
    else:
        states = states.filter(submitted_at__gte=choice.made_at)
    found = set(states.exclude(state=_S.DRAFT).values_list("state", flat=True))
    return bool(found) and found <= {state.value for state in FAILED}
