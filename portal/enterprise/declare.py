"""What an enterprise says of itself (企业填报): only what no authority has said, and never about its own misconduct."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from matching.criteria import FactDefinition
from matching.models import Enterprise, Fact
from matching.services import facts
from matching.services.declarations import SELF_DECLARED, may_declare
from portal.accounts.models import User


def declare(
    *, enterprise: Enterprise, definition: FactDefinition, value: Any, valid_on: date, user: User, now: datetime
) -> None:
    """Record what the enterprise states. `valid_on` is the day (Asia/Shanghai) from which it holds, `now` is aware.

    Raises PermissionDenied where an authority states it, InvalidInput where the value cannot be read.
    """
    # By the day it holds from, then by when it was learned: the same order in which a profile is folded.
    latest = (
        Fact.objects.filter(enterprise=enterprise, key=definition.key, valid_on__lte=valid_on)
        .order_by("-valid_on", "-recorded_at", "-id")
        .first()
    )
    known = latest.source if latest is not None and latest.value is not None else None
    if not may_declare(definition=definition, source=known):
        raise PermissionDenied(
            _("“%(label)s”由%(source)s提供，企业不能自行填报。如有出入，请向该部门申请更正。")
            % {"label": definition.label, "source": known or definition.source}
        )
    facts.record(
        enterprise=enterprise,
        key=definition.key,
        value=value,
        source=SELF_DECLARED,
        valid_on=valid_on,
        now=now,
        recorded_by=user,
    )


__all__ = ["SELF_DECLARED", "declare", "may_declare"]
