"""Materials: bytes checked for what they are, kept privately under their hash, replaced but never overwritten."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import datetime

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Material, FileType, Promise, ToleratedGap
from disbursement.models.material import private_storage
from disbursement.selectors.forms import MaterialRule, material_rules
from disbursement.services.applications import lock, may_see

LARGEST = 20 * 1024 * 1024
MOST_FILES = 20
# Uncompressed size that an XLSX may claim; more is a bomb, not a table.
LARGEST_UNZIPPED = 200 * 1024 * 1024

_S = ApplicationState
_OPEN = frozenset({_S.DRAFT, _S.CORRECTION, _S.REVIEW_CORRECTION})
# Here only what a granted gap still waits for may come in.
_GAP_OPEN = frozenset({_S.SUBMITTED, _S.ACCEPTED, _S.IN_REVIEW, _S.EXPERT, _S.SECOND_REVIEW, _S.PUBLICITY})


def content_type_of(*, content: bytes) -> FileType:
    """What the bytes are, by themselves and not by their name. Raises Invalid for what is not taken, or is broken."""
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-2048:]:
            raise _refused(_("PDF 文件不完整（没有结尾），请重新导出后上传。"))
        return FileType.PDF
    if content.startswith(b"\xff\xd8\xff"):
        if b"\xff\xd9" not in content[-64:]:
            raise _refused(_("JPG 图片不完整，请重新保存后上传。"))
        return FileType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        if b"IEND" not in content[-64:]:
            raise _refused(_("PNG 图片不完整，请重新保存后上传。"))
        return FileType.PNG
    if content.startswith(b"PK\x03\x04"):
        return _xlsx(content)
    raise _refused(_("只能上传 PDF、JPG、PNG 或 XLSX 文件，这个文件不是其中任何一种。"))


def _xlsx(content: bytes) -> FileType:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise _refused(_("表格文件已损坏，请用办公软件另存为 XLSX 后上传。")) from error
    names = {entry.filename for entry in entries}
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        raise _refused(_("压缩包或其他办公文件不能作为材料，请上传 PDF、JPG、PNG 或 XLSX。"))
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _refused(_("表格中含有宏，请另存为不含宏的 XLSX 后上传。"))
    if sum(entry.file_size for entry in entries) > LARGEST_UNZIPPED:
        raise _refused(_("表格展开后过大，请拆分或改为 PDF 后上传。"))
    return FileType.XLSX


def _refused(message: str) -> Invalid:
    return Invalid(Fault("file", message))


@transaction.atomic
def upload(*, application_id: int, code: str, name: str, content: bytes, actor: Actor, now: datetime) -> Material:
    """Add one file for the material `code`; the same bytes again are the same file.

    Taken while the enterprise may mend (draft, corrections), and for a promised gap until the decision. Raises Denied,
    or Invalid with what is wrong with the file.
    """
    application = lock(application_id=application_id)
    rule = _rule(application=application, code=code)
    gap = _check_open(application=application, code=code, actor=actor)
    assert actor.user_id is not None
    if not content:
        raise _refused(_("文件是空的，请重新选择。"))
    if len(content) > LARGEST:
        raise _refused(_("文件超过 %(limit)s MB，请压缩或拆分后上传。") % {"limit": LARGEST // 1024 // 1024})
    kind = content_type_of(content=content)
    digest = hashlib.sha256(content).hexdigest()
    live = Material.objects.filter(application=application, code=code, replaced_at__isnull=True)
    material = live.filter(sha256=digest).first()
    if material is None:
        if live.count() >= MOST_FILES:
            raise _refused(_("“%(name)s”最多 %(most)s 个文件。") % {"name": rule.name, "most": MOST_FILES})
        material = Material.objects.create(
            application=application,
            code=code,
            file=_stored(content=content, digest=digest),
            name=_clean_name(name),
            content_type=kind.value,
            size=len(content),
            sha256=digest,
            uploaded_by_id=actor.user_id,
            uploaded_at=now,
        )
    if gap is not None and gap.filled_at is None:
        gap.filled_at = now
        gap.save(update_fields=["filled_at"])
    return material


@transaction.atomic
def remove(*, material_id: int, actor: Actor, now: datetime) -> None:
    """Take a file out of an application; its row and bytes stay on record. Raises Denied."""
    material = Material.objects.select_related("application").filter(pk=material_id).first()
    if material is None:
        raise Denied(_("没有这个文件。"))
    application = lock(application_id=material.application_id)
    if not actor.acts_for(application.enterprise_id) or application.status not in _OPEN:
        raise Denied(_("现在不能删除材料。需要更换时，请在补正时重新上传。"))
    Material.objects.filter(pk=material_id, replaced_at__isnull=True).update(replaced_at=now)


@transaction.atomic
def sign_promise(*, application_id: int, code: str, actor: Actor, now: datetime) -> Promise:
    """Sign the item's promise in place of a material (告知承诺). Raises Invalid where the item offers none for it."""
    application = lock(application_id=application_id)
    rule = _rule(application=application, code=code)
    _check_open(application=application, code=code, actor=actor)
    if not rule.promise:
        raise Invalid(Fault(f"material.{code}", _("“%(name)s”不适用告知承诺，请上传。") % {"name": rule.name}))
    assert actor.user_id is not None
    promise, _is_new = Promise.objects.get_or_create(
        application=application,
        material_code=code,
        defaults={"text": rule.promise, "signed_by_id": actor.user_id, "signed_at": now},
    )
    return promise


def reuse_known(*, application: Application, actor: Actor, now: datetime) -> list[Material]:
    """Bring what the enterprise handed in before for materials that come from the evidence library (电子证照库)."""
    assert actor.user_id is not None
    wanted = [rule.code for rule in material_rules(version=application.version) if rule.origin == "library"]
    added = []
    for code in wanted:
        latest = (
            Material.objects.filter(
                application__enterprise_id=application.enterprise_id,
                code=code,
                replaced_at__isnull=True,
                application__accepted_at__isnull=False,
            )
            .order_by("-uploaded_at", "-id")
            .first()
        )
        if latest is not None:
            added.append(
                Material.objects.create(
                    application=application,
                    code=code,
                    file=latest.file.name,
                    name=latest.name,
                    content_type=latest.content_type,
                    size=latest.size,
                    sha256=latest.sha256,
                    uploaded_by_id=actor.user_id,
                    uploaded_at=now,
                    reused_from=latest,
                )
            )
    return added


def open_material(*, material_id: int, actor: Actor) -> tuple[Material, bytes]:
    """A file for download, its bytes checked against their hash; views send it as an attachment, never inline.

    Raises Denied for strangers, and Invalid where the stored bytes are no longer those that came in.
    """
    material = Material.objects.select_related("application__item").filter(pk=material_id).first()
    if material is None or not may_see(application=material.application, actor=actor):
        raise Denied(_("没有这个文件，或者您无权查看。"))
    try:
        with material.file.open("rb") as stored:
            content: bytes = stored.read()
    except FileNotFoundError:
        content = b""
    if hashlib.sha256(content).hexdigest() != material.sha256:
        raise Invalid(Fault("file", _("文件与上传时不一致，请联系系统管理员。")))
    return material, content


def _rule(*, application: Application, code: str) -> MaterialRule:
    found = next((rule for rule in material_rules(version=application.version) if rule.code == code), None)
    if found is None:
        raise Invalid(Fault(f"material.{code}", _("该事项没有这种材料。")))
    return found


def _check_open(*, application: Application, code: str, actor: Actor) -> ToleratedGap | None:
    """The gap that the material fills, if any. Raises Denied where it may not come in now."""
    if not actor.acts_for(application.enterprise_id) or actor.user_id is None:
        raise Denied(_("没有这件申报，或者您无权办理。"))
    gap = ToleratedGap.objects.filter(application=application, material_code=code).first()
    if application.status in _OPEN or (gap is not None and application.status in _GAP_OPEN):
        return gap
    raise Denied(_("申报已提交，现在不能改动材料。需要更正时，请等待补正通知或撤回后重新申报。"))


def _stored(*, content: bytes, digest: str) -> str:
    """The private file that holds these bytes; one for each hash."""
    path = f"materials/{digest[:2]}/{digest}"
    storage = private_storage()
    return path if storage.exists(path) else storage.save(path, ContentFile(content))


def _clean_name(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in base if c.isprintable()).strip()
    return (shown or _("材料"))[-200:]
