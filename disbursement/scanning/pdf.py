"""PDF: opens without a password, has pages, and holds nothing that runs, starts or sends.

Every object of the file is looked at, also those that no page reaches: what one program passes over, the next may run.
A file attached inside is taken where it is what e-invoices attach (XML, OFD, pictures, PDF, text), and nothing else.
"""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator

from django.utils.translation import gettext as _
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

from disbursement.scanning.executables import looks_executable
from disbursement.scanning.unsafe import Unsafe

MOST_OBJECTS = 200_000
# Processor seconds that one file may take.
LONGEST = 10.0
LARGEST_ATTACHED = 30 * 1024 * 1024
_DEEPEST = 60
_KEYS = frozenset({"/JS", "/JavaScript", "/XFA", "/RichMediaContent", "/RichMediaSettings"})
_ACTIONS = frozenset({"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition", "/RichMediaExecute"})
_ANNOTATIONS = frozenset({"/RichMedia", "/Screen", "/Movie", "/3D"})
# As they stand in bytes that no table of the file leads to; a name may be written with #xx for any letter.
_IN_BYTES = (b"/JavaScript", b"/Launch", b"/RichMedia")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAME = re.compile(rb"/[A-Za-z0-9#]*#[A-Za-z0-9#]*")
_SCRIPT = re.compile(rb"/(?:JS|XFA)(?![A-Za-z0-9])")
_ATTACHABLE = (b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04")

# It tells of every oddity of a file that it reads all the same.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def check(content: bytes) -> None:
    """Raises Unsafe."""
    if b"%%EOF" not in content[-2048:]:
        raise Unsafe(_("PDF 文件不完整（没有结尾），请重新导出后上传。"))
    _refuse_words(content)
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise Unsafe(_("PDF 设有密码或权限保护，请去掉保护（例如打印为 PDF）后上传。"))
        if not len(reader.pages):
            raise Unsafe(_("PDF 里一页也没有，请重新导出后上传。"))
        _walk(reader)
    except Unsafe:
        raise
    except RecursionError as error:
        raise _broken() from error
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, EOFError) as error:
        # The reader raises any of these for a damaged file.
        raise _broken() from error
    except (AssertionError, NotImplementedError, OverflowError, MemoryError) as error:
        raise _broken() from error


def _refuse_words(content: bytes) -> None:
    named = {_plain(name) for name in _NAME.findall(content)}
    if any(word in content or word in named for word in _IN_BYTES):
        raise _active()


def _walk(reader: PdfReader) -> None:
    until = time.process_time() + LONGEST
    for seen, (number, generation) in enumerate(_numbers(reader)):
        if seen > MOST_OBJECTS or time.process_time() > until:
            raise Unsafe(_("PDF 的结构过于复杂，无法检查。请打印为 PDF（或转为图片）后上传。"))
        _look(reader.get_object(IndirectObject(number, generation, reader)), depth=0)
    _look(reader.trailer, depth=0)


def _numbers(reader: PdfReader) -> Iterator[tuple[int, int]]:
    for generation, entries in reader.xref.items():
        # 65535 marks what was freed.
        if generation != 65535:
            yield from ((number, generation) for number in list(entries) if number)
    yield from ((number, 0) for number in list(reader.xref_objStm) if number)


def _look(value: object, *, depth: int) -> None:
    """At one object and what stands inside it; what it refers to is an object of its own."""
    if depth > _DEEPEST:
        raise _broken()
    if isinstance(value, DictionaryObject):
        if not _KEYS.isdisjoint(value.keys()):
            raise _active()
        if value.raw_get("/S") in _ACTIONS if "/S" in value else False:
            raise _active()
        if value.raw_get("/Subtype") in _ANNOTATIONS if "/Subtype" in value else False:
            raise _active()
        if isinstance(value, StreamObject):
            _look_into(value)
        for key in list(value.keys()):
            _look(value.raw_get(key), depth=depth + 1)
    elif isinstance(value, ArrayObject):
        for member in list.__iter__(value):
            _look(member, depth=depth + 1)


def _look_into(stream: StreamObject) -> None:
    if _is_attached(stream):
        _check_attached(stream)
    elif "/Type" in stream and stream.raw_get("/Type") == "/ObjStm":
        # Objects packed together: those that no table leads to are not read, so their words are.
        packed = stream.get_data()
        _refuse_words(packed)
        if _SCRIPT.search(_NAME.sub(lambda found: _plain(found[0]), packed)):
            raise _active()


def _is_attached(stream: StreamObject) -> bool:
    kind = stream.raw_get("/Type") if "/Type" in stream else None
    return kind == "/EmbeddedFile" or "/Params" in stream


def _check_attached(stream: StreamObject) -> None:
    attached = stream.get_data()
    if len(attached) > LARGEST_ATTACHED:
        raise Unsafe(_("PDF 里附带的文件过大，请删去附件后上传。"))
    text = attached[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    plain = text.startswith(b"<?xml") or (b"\0" not in text and _is_text(text) and not text.startswith(b"<"))
    if looks_executable(attached) or not (plain or attached.startswith(_ATTACHABLE)):
        raise Unsafe(_("PDF 里附带了不能识别或可执行的文件，请删去附件（例如打印为 PDF）后上传。"))


def _is_text(head: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        try:
            head[:-4].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _plain(name: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), name)


def _active() -> Unsafe:
    return Unsafe(_("PDF 里含有脚本、表单程序或会启动其他程序的动作，请打印为 PDF 后上传。"))


def _broken() -> Unsafe:
    return Unsafe(_("PDF 打不开或结构已损坏，请重新导出后上传。"))
