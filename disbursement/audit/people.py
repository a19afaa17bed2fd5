"""Who held which role when, and who had an interest when: what the checks ask about the people behind the deeds."""

from __future__ import annotations

from array import array
from collections import defaultdict
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.module_loading import import_string

from disbursement.audit.links import RANGE
from disbursement.models import ChainKind, ChainLink, InterestDeclaration


class RoleHistory(Protocol):
    """Who held a role, by the clock of the database. The composition root gives one (`HUIDA_ROLE_HISTORY`)."""

    def held(self, *, user_id: int, role: str, at: datetime) -> bool: ...

    def acted_for(self, *, user_id: int, enterprise_id: int) -> bool: ...

    def problems(self) -> list[str]: ...


def role_history() -> RoleHistory | None:
    path = getattr(settings, "HUIDA_ROLE_HISTORY", "")
    return import_string(path)() if path else None


class People:
    """What is known of people, read once for a run."""

    def __init__(self) -> None:
        self.roles = role_history()
        self._written: dict[str, array[float]] = {}
        self._names: dict[int, str] = {}

    def name(self, user_id: int | None) -> str:
        if user_id is None:
            return "系统"
        if user_id not in self._names:
            found = get_user_model().objects.filter(pk=user_id).first()
            self._names[user_id] = str(found) if found is not None else f"#{user_id}"
        return self._names[user_id]

    def written_at(self, table: str, pk: int) -> datetime | None:
        """When a row was written, by the database's clock: its link says so. Eight bytes a row."""
        if table not in self._written:
            self._written[table] = _written(table)
        times = self._written[table]
        return datetime.fromtimestamp(times[pk], tz=UTC) if pk < len(times) and times[pk] else None

    def lacked_role(self, *, user_id: int, role: str, table: str, pk: int) -> bool:
        """Whether somebody signed as what they were not at that moment."""
        if self.roles is None or role in ("enterprise", "system"):
            return False
        at = self.written_at(table, pk)
        return at is not None and not self.roles.held(user_id=user_id, role=role, at=at)

    def was_stranger(self, *, user_id: int, enterprise_id: int) -> bool:
        """Whether somebody acted for an enterprise that never authorised them."""
        return self.roles is not None and not self.roles.acted_for(user_id=user_id, enterprise_id=enterprise_id)

    def had_interest(self, *, user_id: int, enterprise_id: int, at: datetime) -> bool:
        return any(
            since <= at and (until is None or at < until)
            for enterprise, since, until in self._interests.get(user_id, ())
            if enterprise == enterprise_id
        )

    @cached_property
    def _interests(self) -> dict[int, list[tuple[int, datetime, datetime | None]]]:
        found: dict[int, list[tuple[int, datetime, datetime | None]]] = defaultdict(list)
        rows = InterestDeclaration.objects.values_list("user_id", "enterprise_id", "declared_at", "ended_at")
        for user_id, enterprise_id, since, until in rows:
            found[user_id].append((enterprise_id, since, until))
        return found


def _written(table: str) -> array[float]:
    times: array[float] = array("d")
    links = ChainLink.objects.filter(stream=table, kind__in=[ChainKind.INSERT, ChainKind.ROW]).order_by("-id")
    for text, at in links.values_list("ids", "written_at").iterator(chunk_size=2000):
        for low, high in RANGE.findall(text):
            if int(high) >= len(times):
                times.extend([0.0] * (int(high) + 1024 - len(times)))
            for pk in range(int(low), int(high)):
                times[pk] = at.timestamp()
    return times
