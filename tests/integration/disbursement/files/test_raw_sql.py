"""Raw SQL against every constraint and every trigger of the tables of files, materials and certificates."""

from __future__ import annotations

from dataclasses import replace as changed
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from disbursement.guards import evidence as evidence_guards
from disbursement.models import Evidence, EvidenceEvent, FileReading, Material, MaterialFlag, StoredFile
from disbursement.models import evidence as evidence_models
from disbursement.models import files as file_models
from disbursement.models import material as material_models
from disbursement.services.application import drafts, materials
from disbursement.services.evidence import following as evidence_following
from disbursement.services.evidence import library as evidence
from disbursement.services.evidence.library import Details
from tests.factories import papers
from tests.factories.disbursement import at, case
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    check_triggers,
    copy,
    execute,
    models_in,
    one_after_the_other,
    refused,
)

pytestmark = pytest.mark.django_db
MODELS = models_in(evidence_models, file_models, material_models)


@pytest.fixture
def world() -> SimpleNamespace:
    """Two certificates, one of them withdrawn while an application used it; a reviewer has read and settled it."""
    made, other = case(), case()
    details = Details(issuer="某所", issued_on=at("2026-01-05").date(), valid_until=at("2027-01-05").date())
    given: dict[str, Any] = {"kind": "licence", "details": details, "name": "a.pdf", "now": made.now}

    def add(case: Any, mark: str) -> Any:
        return evidence.add(enterprise_id=case.enterprise.pk, content=papers.pdf(mark=mark), actor=case.agent, **given)

    gone, lasting = add(made, "1"), add(made, "2")
    strange = add(other, "3")
    made.drafted()
    materials.take_from_library(application_id=made.id, version_id=gone.pk, actor=made.agent, now=made.now)
    made.later()
    drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    evidence.withdraw(evidence_id=gone.evidence_id, reason="已注销", actor=made.agent, now=made.now)
    evidence_following.follow(evidence_id=gone.evidence_id, now=made.now)
    flag = MaterialFlag.objects.get()
    materials.open_material(material_id=flag.material_id, actor=made.reviewer, now=made.now)
    evidence_following.settle(flag_id=flag.pk, note="不影响", actor=made.acceptor, now=made.now)
    newer = evidence.replace(
        evidence_id=lasting.evidence_id,
        details=changed(details, number="2"),
        content=None,
        name="",
        actor=made.agent,
        now=made.now,
    )
    return SimpleNamespace(
        made=made,
        stranger=other.reviewer.user_id,
        gone=gone,
        lasting=lasting,
        newer=newer,
        strange=strange,
        material=flag.material,
        invoice=Material.objects.get(application_id=made.id, code="invoice"),
        flag=flag,
        stored=gone.stored,
        reading=FileReading.objects.get(),
        event=EvidenceEvent.objects.filter(version=newer).get(),
        withdrawn=Evidence.objects.get(pk=gone.evidence_id),
    )


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    now = at("2026-03-31")
    return {
        "material_not_empty": change("material", w.material.pk, size=0),
        "material_hash_shape": change("material", w.material.pk, sha256="none"),
        "material_type_taken": change("material", w.material.pk, content_type="text/html"),
        "material_same_bytes_once": copy("material", w.material.pk),
        "materialflag_once": copy("materialflag", w.flag.pk),
        "materialflag_reason_known": copy("materialflag", w.flag.pk, reason="whim"),
        "materialflag_settled_whole": change("materialflag", w.flag.pk, note=""),
        "storedfile_not_empty": change("storedfile", w.stored.pk, size=0),
        "storedfile_hash_shape": copy("storedfile", w.stored.pk, sha256="none"),
        "storedfile_type_taken": change("storedfile", w.stored.pk, content_type="text/html"),
        "storedfile_scan_whole": change("storedfile", w.stored.pk, scan="infected", scanned_at=now),
        "filereading_of_one_thing": copy("filereading", w.reading.pk, version_id=w.gone.pk),
        "evidence_kind_named": change("evidence", w.withdrawn.pk, kind=""),
        "evidence_attested_by_a_department": change("evidence", w.withdrawn.pk, source="attested"),
        "evidence_withdrawn_whole": change("evidence", w.withdrawn.pk, withdraw_reason=""),
        "evidenceversion_seq_once": copy("evidenceversion", w.gone.pk),
        "evidenceversion_seq_from_1": copy("evidenceversion", w.gone.pk, seq=0),
        "evidenceversion_issuer_named": copy("evidenceversion", w.gone.pk, seq=9, issuer=""),
        "evidenceversion_validity_said": copy("evidenceversion", w.gone.pk, seq=9, is_long_term=True),
        "evidenceevent_once": copy("evidenceevent", w.event.pk),
        "evidenceevent_kind_known": copy("evidenceevent", w.event.pk, kind="whim"),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    return {
        "disbursement_evidenceevent_append_only": change("evidenceevent", w.event.pk, note="没有这回事"),
        "disbursement_evidenceversion_append_only": change("evidenceversion", w.gone.pk, valid_until="2099-01-01"),
        "disbursement_filereading_append_only": change("filereading", w.reading.pk, reader_id=w.stranger),
        "disbursement_evidence_frozen": change("evidence", w.withdrawn.pk, kind="lease"),
        "disbursement_materialflag_frozen": change("materialflag", w.flag.pk, reason="expired"),
        "disbursement_storedfile_frozen": change("storedfile", w.stored.pk, sha256="0" * 64),
        "disbursement_evidence_once": change(
            "evidence", w.withdrawn.pk, withdrawn_at=None, withdrawn_by_id=None, withdraw_reason=""
        ),
        "disbursement_materialflag_once": change("materialflag", w.flag.pk, settled_by_id=w.stranger),
        "disbursement_material_frozen": change("material", w.material.pk, sha256="0" * 64),
        "disbursement_material_once": one_after_the_other(
            *(change("material", w.material.pk, replaced_at=at(day)) for day in ("2026-05-01", "2026-05-02"))
        ),
        "disbursement_material_version": change("material", w.material.pk, evidence_version_id=None),
        # The bytes of another version, or of somebody else's.
        "disbursement_material_of_library": copy(
            "material", w.invoice.pk, code="licence", evidence_version_id=w.strange.pk
        ),
        "disbursement_evidenceversion_follows": copy("evidenceversion", w.gone.pk, seq=2),
    }


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    check_triggers(MODELS, guard_attacks(world))


@pytest.mark.parametrize("other", ["bytes", "kind"])
def test_a_material_cannot_claim_a_version_whose_bytes_or_kind_are_not_its_own(
    world: SimpleNamespace, other: str
) -> None:
    values = {"bytes": {"sha256": "0" * 64}, "kind": {"code": "lease"}}[other]
    error = refused(copy("material", world.material.pk, **values))
    assert "has the bytes of its version" in str(error)


@pytest.mark.postgres
def test_nothing_of_a_certificate_is_ever_deleted(world: SimpleNamespace) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets its owner delete")
    tables = (*evidence_guards.APPEND_ONLY, *evidence_guards.NEVER_DELETED, "disbursement_material")
    results = {table: refused(partial(execute, f"DELETE FROM {table}")) for table in tables}
    assert [table for table, error in results.items() if error is None or "never deleted" not in str(error)] == []
    assert StoredFile.objects.exists()
