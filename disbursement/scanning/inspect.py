"""What the bytes of a file are, and whether they are whole and harmless."""

from __future__ import annotations

import io
import zipfile
from enum import StrEnum

import puremagic
from django.utils.translation import gettext as _

from disbursement.scanning import images, packages
from disbursement.scanning.unsafe import Unsafe


class FileKind(StrEnum):
    """Content types that are taken."""

    PDF = "application/pdf"
    OFD = "application/ofd"
    JPEG = "image/jpeg"
    PNG = "image/png"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


# The ending of a name, and others that mean the same.
EXTENSIONS: dict[FileKind, tuple[str, ...]] = {
    FileKind.PDF: (".pdf",),
    FileKind.OFD: (".ofd",),
    FileKind.JPEG: (".jpg", ".jpeg", ".jpe", ".jfif"),
    FileKind.PNG: (".png",),
    FileKind.XLSX: (".xlsx",),
    FileKind.DOCX: (".docx",),
}
_SNIFFED = 64 * 1024


def inspect(content: bytes) -> FileKind:
    """What the bytes are, by themselves and not by their name. Raises Unsafe for what is not taken, broken or harmful.

    Takes a second at most for 20 MB, and little memory beside the file: what would unfold to more is refused unread.
    """
    found = _candidates(content)
    if content.startswith(b"%PDF-"):
        # Late: its reader takes as long to load as Django's models.
        from disbursement.scanning import pdf

        pdf.check(content)
        _refuse_second_face(content)
        return FileKind.PDF
    if ".png" in found:
        images.check(content, "PNG")
        _refuse_second_face(content)
        return FileKind.PNG
    if ".jpg" in found:
        images.check(content, "JPEG")
        _refuse_second_face(content)
        return FileKind.JPEG
    if content.startswith(b"PK\x03\x04"):
        match packages.check(content):
            case packages.Package.XLSX:
                return FileKind.XLSX
            case packages.Package.DOCX:
                return FileKind.DOCX
            case packages.Package.OFD:
                return FileKind.OFD
    raise Unsafe(_advice(content, found))


def _candidates(content: bytes) -> list[str]:
    """Endings of names that the first and the last bytes speak for, the surest first; in lower case."""
    try:
        return [match.extension.lower() for match in puremagic.magic_string(content[:_SNIFFED])]
    except (puremagic.PureError, ValueError):
        return []


def _advice(content: bytes, found: list[str]) -> str:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return _("这是旧版办公文件（DOC、XLS 或 WPS），可能带宏。请另存为 PDF、DOCX 或 XLSX 后上传。")
    if {".heic", ".heif", ".webp", ".bmp", ".tif", ".tiff", ".gif"} & set(found[:4]):
        return _("这种图片格式不能收取，请另存为 JPG、PNG 或 PDF 后上传。")
    if {".rar", ".7z", ".gz", ".tar"} & set(found[:4]):
        return _("压缩包不能作为材料，请解压后逐个上传其中的文件。")
    return _("只能上传 PDF、OFD、JPG、PNG、DOCX 或 XLSX 文件，这个文件不是其中任何一种。请另存为 PDF 后上传。")


def _refuse_second_face(content: bytes) -> None:
    """A picture or a PDF that is an archive, too, is one thing to us and another to the next program."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise Unsafe(_("文件里还夹带了一个压缩包。请打印为 PDF 或重新截图保存后上传。"))
