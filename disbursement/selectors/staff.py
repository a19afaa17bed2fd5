"""The people of finance, as the composition root knows them (`HUIDA_FINANCE_STAFF`)."""

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
