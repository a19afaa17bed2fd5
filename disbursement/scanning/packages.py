"""Office files that are archives (XLSX, DOCX, OFD): no macros, no programs, no bombs, nothing beside the archive."""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from enum import Enum, auto
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from disbursement.scanning.executables import looks_executable
from disbursement.scanning.unsafe import Unsafe


class Package(Enum):
    XLSX = auto()
    DOCX = auto()
    OFD = auto()


MOST_MEMBERS = 5_000
# Bytes that all members together may unfold to.
LARGEST_UNZIPPED = 200 * 1024 * 1024
# Tables of equal rows shrink a hundredfold; a bomb a thousandfold.
MOST_RATIO = 300
_RATIO_FROM = 4 * 1024 * 1024
_PIECE = 1 << 16
_MAIN = {"xl/workbook.xml": Package.XLSX, "word/document.xml": Package.DOCX, "OFD.xml": Package.OFD}
_TEXT = frozenset({"xml", "rels", "vml", "svg"})
_PICTURES = frozenset({"png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "emf", "wmf", "jb2", "jbig2"})
_OTHER = frozenset({"ttf", "otf", "ttc", "odttf", "fntdata", "esl", "dat", "bin", "txt"})
_MACRO = re.compile(r"vbaproject|vbadata|macrosheets?/|dialogsheets?/|/activex/|customui", re.IGNORECASE)
_EMBEDDED = re.compile(r"/embeddings/|/oleobject", re.IGNORECASE)
# What an office program would fetch or start by itself when it opens the file.
_FETCHED = re.compile(
    rb'<Relationship\b(?=[^>]*TargetMode\s*=\s*["\']External)'
    rb'(?=[^>]*Type\s*=\s*["\'][^"\']*/(attachedTemplate|oleObject|frame|subDocument)["\'])'
)
_DDE = re.compile(rb"<(\w+:)?dde(Link|Item)\b|\bDDEAUTO\b")
_END = b"PK\x05\x06"
# RuntimeError and NotImplementedError: a member that is encrypted, or packed in a way that Python does not know.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
# The part that says what the document is; it is read whole.
LARGEST_MAIN = 50 * 1024 * 1024


def check(content: bytes) -> Package:
    """Which package the archive is. Raises Unsafe."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            package = _which(members)
            _check_list(members)
            _check_ends(content, archive)
            for member in members:
                if not member.is_dir():
                    _check_member(archive, member)
            return package
    except _DAMAGED as error:
        raise Unsafe(_("文件已损坏，请用办公软件另存后上传。")) from error


def _which(members: list[zipfile.ZipInfo]) -> Package:
    names = {member.filename for member in members}
    found = [package for name, package in _MAIN.items() if name in names]
    if len(found) != 1 or (found[0] is not Package.OFD and "[Content_Types].xml" not in names):
        raise Unsafe(_("压缩包或其他办公文件不能作为材料，请上传 PDF、OFD、JPG、PNG、DOCX 或 XLSX。"))
    return found[0]


def _check_list(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > LARGEST_UNZIPPED:
        raise _bomb()
    if len({member.filename.lower() for member in members}) != len(members):
        raise Unsafe(_("文件内部有重名的部分，请用办公软件另存后上传。"))
    for member in members:
        name = member.filename
        if member.flag_bits & 0x1:
            raise Unsafe(_("文件设有密码，请去掉密码后上传。"))
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or ":" in name:
            raise Unsafe(_("文件内部的路径不正常，请用办公软件另存后上传。"))
        if _MACRO.search(name):
            raise Unsafe(_("文件中含有宏或控件，请另存为不含宏的 DOCX、XLSX 或 PDF 后上传。"))
        if _EMBEDDED.search(name):
            raise Unsafe(_("文件中嵌入了其他文件，请删去嵌入的对象，或另存为 PDF 后上传。"))
        if member.file_size > _RATIO_FROM and member.file_size > MOST_RATIO * max(1, member.compress_size):
            raise _bomb()


def _check_ends(content: bytes, archive: zipfile.ZipFile) -> None:
    """The archive fills the file, from its first byte to its last."""
    place = content.rfind(_END)
    if archive.comment or place + 22 != len(content) or not content.startswith(b"PK\x03\x04"):
        raise Unsafe(_("文件前后还夹带了别的内容，请用办公软件另存后上传。"))


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    name = member.filename
    ending = name.rsplit(".", 1)[-1].lower() if "." in name.rsplit("/", 1)[-1] else ""
    if ending not in _TEXT | _PICTURES | _OTHER:
        raise Unsafe(_("文件里含有不能识别的内容（%(name)s），请另存为 PDF 后上传。") % {"name": name[-60:]})
    unfolded = 0
    kept = bytearray()
    with archive.open(member) as stream:
        # To the end, by what comes out and not by what the list claims; the last piece checks the sum.
        while piece := stream.read(_PIECE):
            unfolded += len(piece)
            if unfolded > member.file_size or unfolded > LARGEST_UNZIPPED:
                raise _bomb()
            if not kept or name.endswith(".rels") or name == "[Content_Types].xml" or name in _MAIN or "Link" in name:
                kept += piece
            if len(kept) > LARGEST_MAIN:
                raise _bomb()
    _check_content(name, ending, bytes(kept))


def _check_content(name: str, ending: str, head: bytes) -> None:
    if ending in _TEXT:
        if b"<!DOCTYPE" in head[:4096] or b"<!ENTITY" in head[:4096] or b"<script" in head[:4096].lower():
            raise Unsafe(_("文件内部含有不允许的声明，请用办公软件另存后上传。"))
        if name.endswith(".rels") and _FETCHED.search(head):
            raise Unsafe(_("文件打开时会自动访问外部模板或对象，请另存为 PDF 后上传。"))
        if _DDE.search(head):
            raise Unsafe(_("文件中含有会启动其他程序的链接（DDE），请另存为 PDF 后上传。"))
        if name == "[Content_Types].xml" and b"macroenabled" in head.lower():
            raise Unsafe(_("文件中含有宏或控件，请另存为不含宏的 DOCX、XLSX 或 PDF 后上传。"))
        if name in _MAIN or name == "[Content_Types].xml":
            _parse(head)
    elif looks_executable(head) or head.startswith(b"PK\x03\x04"):
        raise Unsafe(_("文件中嵌入了程序或其他文件，请另存为 PDF 后上传。"))


def _parse(text: bytes) -> None:
    try:
        fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Unsafe(_("文件已损坏，请用办公软件另存后上传。")) from error


def _bomb() -> Unsafe:
    return Unsafe(_("文件展开后过大，请拆分或改为 PDF 后上传。"))
