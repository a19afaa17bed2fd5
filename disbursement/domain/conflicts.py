"""Who may not act: nobody twice on one application or batch in different roles, nobody where an interest was
declared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .workflow import Role

# Steps of one instance that different people must take. The enterprise and the machine stand outside it.
STAFF = frozenset(Role) - {Role.ENTERPRISE, Role.SYSTEM}


class Conflict(Exception):
    """The person must not do this; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Someone acted in a role on the instance in question."""

    person: int
    role: Role


def check_person(
    *,
    person: int,
    role: Role,
    deeds: Collection[Deed],
    interests: Collection[int] = (),
    enterprises: Mapping[int, str] | None = None,
    subject: str = "该事项",
) -> None:
    """Raise Conflict unless `person` may act in `role`.

    `deeds` is what has been done on the instance so far; `interests` the enterprises (ids) in which the
    person declared an interest; `enterprises` those that the instance concerns, id to name.
    """
    if role not in STAFF:
        return
    for deed in deeds:
        if deed.person == person and deed.role != role and deed.role in STAFF:
            raise Conflict(
                f"您已以“{deed.role.label}”身份办理过{subject}，不能再以“{role.label}”身份办理。请由其他人员办理。"
            )
    concerned = [name for key, name in sorted((enterprises or {}).items()) if key in set(interests)]
    if concerned:
        shown = "、".join(concerned[:3]) + ("等" if len(concerned) > 3 else "")
        raise Conflict(f"您已申报与{shown}存在利益关系，须回避{subject}。请由其他人员办理。")
