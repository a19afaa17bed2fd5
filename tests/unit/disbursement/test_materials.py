"""Materials are what their bytes say, are kept under their hash, and are nobody else's."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from django.conf import settings

from disbursement.domain.errors import Denied, Invalid
from disbursement.models import Material, FileType
from disbursement.models.material import private_storage
from disbursement.services import materials
from tests.factories.disbursement import PDF, agent, applicant, case

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20 + b"IEND\xaeB`\x82"
JPG = b"\xff\xd8\xff\xe0" + b"\x00" * 20 + b"\xff\xd9"


def xlsx() -> bytes:
    book = openpyxl.Workbook()
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as built:
        for name, content in members.items():
            built.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PDF, FileType.PDF), (PNG, FileType.PNG), (JPG, FileType.JPEG), (xlsx(), FileType.XLSX)],
)
def test_a_file_is_what_its_bytes_say(content: bytes, kind: FileType) -> None:
    assert materials.content_type_of(content=content) is kind


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MZ\x90\x00 a program", "只能上传"),
        (b"<html>", "只能上传"),
        (PDF[:20], "不完整"),
        (PNG[:15], "不完整"),
        (JPG[:8], "不完整"),
        (b"PK\x03\x04 broken", "损坏"),
        (archive(word__document_dot_xml=b""), "不能作为材料"),
    ],
)
def test_what_is_not_taken_or_is_cut_short_is_refused_with_what_to_do(content: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        materials.content_type_of(content=content)


def test_a_table_with_macros_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as built:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"):
            built.writestr(name, b"")
    with pytest.raises(Invalid, match="宏"):
        materials.content_type_of(content=buffer.getvalue())


@pytest.mark.django_db
def test_the_same_bytes_twice_are_one_file_and_lie_outside_what_is_served() -> None:
    made = case()
    made.drafted().upload("invoice").upload("invoice")
    material = Material.objects.get(application_id=made.id)
    assert material.sha256 in str(material.file.name)
    assert not material.file.path.startswith(str(settings.MEDIA_ROOT))
    with pytest.raises(ValueError, match="URL"):
        private_storage().url(material.file.name)


@pytest.mark.django_db
def test_a_removed_file_keeps_its_row() -> None:
    made = case()
    made.drafted()
    material = Material.objects.get(application_id=made.id)
    materials.remove(material_id=material.pk, actor=made.agent, now=made.now)
    material.refresh_from_db()
    assert material.replaced_at == made.now


@pytest.mark.django_db
def test_nothing_may_be_changed_while_the_department_works() -> None:
    made = case().submitted()
    material = Material.objects.get(application_id=made.id)
    with pytest.raises(Denied):
        made.upload("invoice", PNG)
    with pytest.raises(Denied):
        materials.remove(material_id=material.pk, actor=made.agent, now=made.now)


@pytest.mark.django_db
def test_a_material_opens_for_its_enterprise_and_its_department_only() -> None:
    made = case().submitted()
    material = Material.objects.get(application_id=made.id)
    for actor in (made.agent, made.acceptor, made.reviewer):
        assert materials.open_material(material_id=material.pk, actor=actor)[1] == PDF
    with pytest.raises(Denied):
        materials.open_material(material_id=material.pk, actor=agent(applicant()))
    with pytest.raises(Denied):
        materials.open_material(material_id=10**9, actor=made.agent)


@pytest.mark.django_db
def test_bytes_that_changed_on_disk_are_not_handed_out() -> None:
    made = case()
    made.drafted().upload("invoice", PNG)
    material = Material.objects.get(application_id=made.id, content_type="image/png")
    with open(material.file.path, "ab") as tampered:
        tampered.write(b"!")
    try:
        with pytest.raises(Invalid, match="不一致"):
            materials.open_material(material_id=material.pk, actor=made.agent)
    finally:
        with open(material.file.path, "wb") as mended:
            mended.write(PNG)


@pytest.mark.django_db
def test_an_empty_an_unknown_and_a_huge_file_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = case()
    made.drafted()
    with pytest.raises(Invalid, match="空"):
        made.upload("invoice", b"")
    with pytest.raises(Invalid, match="没有这种材料"):
        made.upload("unheard-of")
    monkeypatch.setattr(materials, "LARGEST", 100)
    with pytest.raises(Invalid, match="超过"):
        made.upload("invoice", PDF + b" " * 100)
