"""Whether a log leads, step by step of the table, from the first state to the present one. Pure: rows in, words out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from disbursement.domain.conflicts import STAFF
from disbursement.domain.workflow import Table


@dataclass(frozen=True, slots=True)
class Step:
    """One logged step, as it stands in the database."""

    source: str
    action: str
    role: str
    target: str
    person: int | None = None


def wrong_steps(table: Table[Any, Any], steps: Sequence[Step], *, first: str, now: str) -> Iterator[str]:
    """What is wrong with the way, in Chinese; nothing where it is whole."""
    allowed = {(row.source.value, row.action.value): row for row in table}
    state = first
    for number, step in enumerate(steps, start=1):
        row = allowed.get((step.source, step.action))
        if row is None or step.target != row.target.value:
            yield f"第{number}步“{step.source}→{step.target}”（{step.action}）不是流转表允许的步骤。"
        elif step.role not in {role.value for role in row.roles}:
            yield f"第{number}步“{step.action}”由“{step.role}”办理，该身份无权办理这一步。"
        if step.source != state:
            yield f"第{number}步从“{step.source}”开始，但此前的状态是“{state}”，中间有缺失或多出的记录。"
        if (step.person is None) != (step.role == "system"):
            yield f"第{number}步的办理人与身份不符。"
        state = step.target
    if state != now:
        yield f"办理记录停在“{state}”，但现在的状态是“{now}”。"


def two_roles(steps: Sequence[Step]) -> Iterator[tuple[int, str, str]]:
    """(person, role, other role): who took part in two roles of the staff, or for the enterprise and as staff."""
    first: dict[int, str] = {}
    told: set[int] = set()
    staff = {role.value for role in STAFF} | {"enterprise"}
    for step in steps:
        if step.person is None or step.role not in staff:
            continue
        earlier = first.setdefault(step.person, step.role)
        if earlier != step.role and step.person not in told:
            told.add(step.person)
            yield step.person, earlier, step.role
