"""Materials are what their bytes say, are kept under their hash, and are nobody else's."""

from __future__ import annotations

import pytest
from django.conf import settings

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Invalid
from disbursement.models import FileReading, Material, ScanState, StoredFile
from disbursement.models.files import private_storage
from disbursement.services.application import materials
from disbursement.services.evidence import stored
from tests.factories import papers
from tests.factories.disbursement import PDF, Case, agent, applicant, case, user

pytestmark = pytest.mark.django_db
PNG = papers.png()


def opened(made: Case, material: Material, actor: Actor) -> bytes:
    return b"".join(materials.open_material(material_id=material.pk, actor=actor, now=made.now).pieces())


def test_the_same_bytes_twice_are_one_file_and_lie_outside_what_is_served() -> None:
    made = case()
    made.drafted().upload("invoice").upload("invoice")
    material = Material.objects.get(application_id=made.id)
    assert material.sha256 in str(material.file.name)
    assert not material.file.path.startswith(str(settings.MEDIA_ROOT))
    with pytest.raises(ValueError, match="URL"):
        private_storage().url(material.file.name)
    kept = StoredFile.objects.get(sha256=material.sha256)
    assert (kept.scan, kept.size, kept.content_type) == (ScanState.NONE, len(PDF), "application/pdf")


def test_a_removed_file_keeps_its_row() -> None:
    made = case()
    made.drafted()
    material = Material.objects.get(application_id=made.id)
    materials.remove(material_id=material.pk, actor=made.agent, now=made.now)
    material.refresh_from_db()
    assert material.replaced_at == made.now


def test_nothing_may_be_changed_while_the_department_works() -> None:
    made = case().submitted()
    material = Material.objects.get(application_id=made.id)
    with pytest.raises(Denied):
        made.upload("invoice", PNG)
    with pytest.raises(Denied):
        materials.remove(material_id=material.pk, actor=made.agent, now=made.now)


def test_a_material_opens_for_its_enterprise_its_department_and_its_supervisors_only() -> None:
    made = case().submitted()
    material = Material.objects.get(application_id=made.id)
    department = made.version.item.department_id
    here, everywhere = (Actor(user_id=user().pk, supervised=frozenset({place})) for place in (department, None))
    for actor in (made.agent, made.acceptor, made.reviewer, here, everywhere):
        assert opened(made, material, actor) == PDF
    elsewhere = Actor(user_id=user().pk, supervised=frozenset({10**6}))
    for stranger in (agent(applicant()), elsewhere):
        with pytest.raises(Denied):
            opened(made, material, stranger)
    with pytest.raises(Denied):
        materials.open_material(material_id=10**9, actor=made.agent, now=made.now)
    readers = FileReading.objects.filter(material=material).values_list("reader_id", flat=True)
    # Who reads their own leaves no trace; who of the district reads, each time.
    assert list(readers) == [made.acceptor.user_id, made.reviewer.user_id, here.user_id, everywhere.user_id]


def test_bytes_that_changed_on_disk_are_not_handed_out() -> None:
    made = case()
    made.drafted().upload("invoice", PNG)
    material = Material.objects.get(application_id=made.id, content_type="image/png")
    with open(material.file.path, "ab") as tampered:
        tampered.write(b"!")
    try:
        with pytest.raises(Invalid, match="不一致"):
            opened(made, material, made.agent)
    finally:
        with open(material.file.path, "wb") as mended:
            mended.write(PNG)


def test_an_empty_an_unknown_a_broken_and_a_huge_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = case()
    made.drafted()
    with pytest.raises(Invalid, match="空"):
        made.upload("invoice", b"")
    with pytest.raises(Invalid, match="没有这种材料"):
        made.upload("unheard-of")
    with pytest.raises(Invalid, match="只能上传"):
        made.upload("invoice", b"MZ a program")
    monkeypatch.setattr(stored, "LARGEST", 100)
    with pytest.raises(Invalid, match="超过"):
        made.upload("invoice", PDF)


@pytest.mark.parametrize(("state", "words"), [("waiting", "等待查毒"), ("infected", "病毒")])
def test_what_waits_for_the_scanner_or_is_infected_is_opened_by_nobody(state: str, words: str) -> None:
    made = case().submitted()
    material = Material.objects.get(application_id=made.id)
    found = {"finding": "Eicar", "scanned_at": made.now} if state == "infected" else {}
    StoredFile.objects.filter(sha256=material.sha256).update(scan=state, **found)
    for actor in (made.agent, made.reviewer):
        with pytest.raises(Denied, match=words):
            opened(made, material, actor)
    assert not FileReading.objects.exists()
