"""People of the district, as the composition root knows them (`HUIDA_FINANCE_STAFF`, `HUIDA_JOINT_STAFF`)."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils.module_loading import import_string

from disbursement.domain.actors import Actor


def finance_staff() -> Sequence[Actor]:
    """Everyone with a role of finance and an account in use; nobody where no directory is set."""
    path = getattr(settings, "HUIDA_FINANCE_STAFF", "")
    found: Sequence[Actor] = import_string(path)() if path else ()
    return found


def can_answer(*, department_id: int) -> bool:
    """Whether somebody could give the department's opinion (会审); true where no directory is set."""
    path = getattr(settings, "HUIDA_JOINT_STAFF", "")
    return not path or bool(import_string(path)(department_id=department_id))
