"""What the tests of awards share: conditions, and the range that one enterprise is told."""

from typing import Any

from .world import enterprise, policy, run

FLAG = {"fact": "flag", "is": True}
FLAG2 = {"fact": "flag2", "is": True}
FLAG3 = {"fact": "flag3", "is": True}
NOT_FLAG = {"fact": "flag", "is": False}


def estimate(award: Any, facts: Any = None, **options: Any) -> tuple[str, str | None]:
    (only,) = run([policy(award=award)], [enterprise(facts)], command="estimate", **options).rows
    return only["low"], only["high"]


def exactly(amount: str) -> tuple[str, str]:
    return amount, amount


def one(**rule: Any) -> dict[str, Any]:
    return {"rules": [rule]}


BONUS = [{"when": FLAG, "points": "5"}, {"when": FLAG2, "points": "2.5"}]
