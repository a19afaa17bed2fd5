"""Raw SQL against every constraint of the tables that hold a draft while it is typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from disbursement.models import DraftChange, DraftPresence, DraftSheet, draft
from disbursement.services.application import applications, sheets
from tests.factories.disbursement import case
from tests.integration.disbursement.raw_sql import change, copy, execute, models_in, named, refused

pytestmark = pytest.mark.django_db
MODELS = models_in(draft)


def test_every_constraint_of_a_draft_refuses_its_attack() -> None:
    made = case()
    made.drafted()
    sheets.look(application_id=made.id, actor=made.agent, now=made.now)
    row = DraftChange.objects.filter(sheet_id=made.id)[0]
    below = "UPDATE disbursement_draftsheet SET revision = -1 WHERE application_id = %s"
    attacks: dict[str, Callable[[], object]] = {
        "draftsheet_revision_from_0": partial(execute, below, made.id),
        "draftchange_once_a_revision": copy("draftchange", row.pk),
        "draftchange_revision_from_1": change("draftchange", row.pk, revision=0),
        "draftpresence_once_each": copy("draftpresence", DraftPresence.objects.get(sheet_id=made.id).pk),
    }
    assert {c.name for m in MODELS for c in m._meta.constraints} == set(attacks)
    results = {name: refused(attack) for name, attack in attacks.items()}
    assert None not in results.values()
    # The column of the revision has a check of its own, which may be the first to refuse.
    del results["draftsheet_revision_from_0"]
    assert [name for name, error in results.items() if error is None or not named(error, name)] == []


def test_a_draft_that_is_withdrawn_takes_its_changes_along() -> None:
    made = case()
    made.drafted()
    assert DraftSheet.objects.exists()
    applications.withdraw(application_id=made.id, actor=made.agent, now=made.now)
    assert not DraftSheet.objects.exists()
    assert not DraftChange.objects.exists()
