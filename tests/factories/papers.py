"""Files that people hand in, as small as they may be; and others that nobody should take."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import openpyxl
from PIL import Image

_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def pdf(mark: str = "", *, extra: Sequence[bytes] = (), catalog: bytes = b"", trailer: bytes = b"") -> bytes:
    """One blank page. `mark` tells one from another; `extra` objects are numbered from 5, `catalog` and `trailer` are
    entries of these dictionaries."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
        b"<</Title(" + mark.encode() + b")>>",
        *extra,
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<</Size %d/Root 1 0 R/Info 4 0 R" % (len(bodies) + 1) + trailer + b">>\n"
    return out + table + end + b"startxref\n%d\n%%%%EOF\n" % len(out)


def png(colour: str = "white") -> bytes:
    return picture("PNG", colour)


def jpeg(colour: str = "white") -> bytes:
    return picture("JPEG", colour)


def picture(form: str, colour: str = "white", size: tuple[int, int] = (24, 16)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()


def xlsx() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def docx(**members: bytes) -> bytes:
    """A word document; more members by name, `__` for a slash and `_dot_` for a dot."""
    types = f'<Types xmlns="{_TYPES}"><Override PartName="/word/document.xml" ContentType="{_WORD}"/></Types>'
    return archive(
        {"[Content_Types].xml": types.encode(), "word/document.xml": b"<document/>"}
        | {name.replace("__", "/").replace("_dot_", "."): content for name, content in members.items()}
    )


def ofd(members: dict[str, bytes] | None = None) -> bytes:
    """A document of GB/T 33190."""
    return archive({"OFD.xml": b'<?xml version="1.0"?><OFD/>', "Doc_0/Document.xml": b"<Document/>"} | (members or {}))


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as built:
        for name, content in members.items():
            built.writestr(name, content)
    return out.getvalue()
