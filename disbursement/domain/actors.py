"""Who is acting: a person with the roles they hold, where they hold them, and the enterprises they may act
for.

`portal` makes an `Actor` from the signed-in user; services trust nothing else. A role counts only in the
department for which it was given (None: the whole district), so that an acceptor of one department who
reviews in another is no reviewer of the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .workflow import Role


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in one department; `department_id` None means in the whole district."""

    role: Role
    department_id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """One person, or (`user_id` None) the machine itself.

    `grants` are staff roles; `enterprise_ids` the enterprises for which the person may act today.
    """

    user_id: int | None
    grants: frozenset[Grant] = field(default_factory=frozenset)
    enterprise_ids: frozenset[int] = field(default_factory=frozenset)
    # Departments whose work the person supervises (None: the whole district): they read, and never act.
    supervised: frozenset[int | None] = field(default_factory=frozenset)

    @classmethod
    def of(
        cls,
        *,
        user_id: int,
        roles: Iterable[Role | str] = (),
        department_ids: Iterable[int] | None = None,
        enterprise_ids: Iterable[int] = (),
    ) -> Actor:
        """An actor who holds the same roles in each of `department_ids` (None: in the whole district)."""
        places: list[int | None] = [None] if department_ids is None else list(department_ids)
        grants = frozenset(Grant(Role(role), place) for role in roles for place in places)
        return cls(user_id=user_id, grants=grants, enterprise_ids=frozenset(enterprise_ids))

    @property
    def is_system(self) -> bool:
        return self.user_id is None

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere; the machine's own for the system."""
        if self.is_system:
            return frozenset({Role.SYSTEM})
        held = frozenset(grant.role for grant in self.grants)
        return held | {Role.ENTERPRISE} if self.enterprise_ids else held

    def department_ids(self, *roles: Role) -> frozenset[int] | None:
        """Departments in which one of `roles` is held (any role where none is named); None: the whole
        district.
        """
        found = {g.department_id for g in self.grants if not roles or g.role in roles}
        if None in found:
            return None
        return frozenset(place for place in found if place is not None)

    def holds(self, role: Role, *, department_id: int | None = None) -> bool:
        """Whether the role is held in that department, or in the whole district.

        Without a department only a district-wide grant (or, for the system, SYSTEM) counts.
        """
        if role == Role.SYSTEM:
            return self.is_system
        return any(grant.role == role and grant.department_id in (None, department_id) for grant in self.grants)

    def supervises(self, department_id: int) -> bool:
        return None in self.supervised or department_id in self.supervised

    def acts_for(self, enterprise_id: int) -> bool:
        return enterprise_id in self.enterprise_ids


SYSTEM = Actor(user_id=None)
