"""A file is taken where its bytes are known, whole and harmless, and refused with what to do everywhere else."""

from __future__ import annotations

import struct
import zlib

import pytest

from disbursement.scanning import FileKind, Unsafe, images, inspect, packages, pdf
from tests.factories import papers

MACHINE = b"MZ\x90\x00" + b"\0" * 60


def stream(head: bytes, content: bytes, *, packed: bool = False) -> bytes:
    """A stream object of a PDF."""
    body = zlib.compress(content) if packed else content
    filtered = b"/Filter/FlateDecode" if packed else b""
    return b"<<" + head + filtered + b"/Length %d>>\nstream\n" % len(body) + body + b"\nendstream"


def attached(content: bytes, *, packed: bool = True) -> bytes:
    return papers.pdf(
        extra=[stream(b"/Type/EmbeddedFile", content, packed=packed), b"<</Type/Filespec/F(a)/EF<</F 5 0 R>>>>"],
        catalog=b"/Names<</EmbeddedFiles<</Names[(a) 6 0 R]>>>>",
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (papers.pdf(), FileKind.PDF),
        (papers.png(), FileKind.PNG),
        (papers.jpeg(), FileKind.JPEG),
        (papers.xlsx(), FileKind.XLSX),
        (papers.docx(), FileKind.DOCX),
        (papers.ofd(), FileKind.OFD),
    ],
    ids=[kind.name for kind in (FileKind.PDF, FileKind.PNG, FileKind.JPEG, FileKind.XLSX, FileKind.DOCX, FileKind.OFD)],
)
def test_a_file_is_what_its_bytes_say(content: bytes, kind: FileKind) -> None:
    assert inspect(content) is kind


def test_a_pdf_may_carry_the_data_of_its_invoice() -> None:
    """E-invoices attach their XML; that is what one wants to have."""
    assert inspect(attached(b'<?xml version="1.0"?><invoice/>')) is FileKind.PDF
    assert inspect(attached("发票号码,金额\n1,2\n".encode("gb18030"))) is FileKind.PDF


DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><document>&b;</document>'
TEMPLATE = (
    b'<Relationships><Relationship Id="a" TargetMode="External" Target="http://127.0.0.1/x.dotm"'
    b' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"/></Relationships>'
)
DDE = b'<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
REFUSED = {
    "a program": (MACHINE, "只能上传"),
    "a page of the web": (b"<html><script>alert(1)</script>", "只能上传"),
    "a script": (b"#!/bin/sh\nrm -rf ~\n", "只能上传"),
    "nothing known": (b"\x00\x01\x02\x03" * 40, "只能上传"),
    "an office file of old": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧版办公文件"),
    "a picture of a telephone": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "图片格式"),
    "an archive of another kind": (b"Rar!\x1a\x07\x00" + b"\0" * 40, "压缩包"),
    "a plain archive": (papers.archive({"a.txt": b"a"}), "压缩包"),
    # PDF
    "a pdf cut short": (papers.pdf()[:60], "不完整"),
    "a pdf that is none": (b"%PDF-1.7\nhello\n%%EOF\n", "打不开"),
    "a pdf without pages": (papers.pdf().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[     ]/Count 0"), "一页也没有"),
    "a pdf with a password": (
        papers.pdf(
            extra=[b"<</Filter/Standard/V 1/R 2/O(" + b"o" * 32 + b")/U(" + b"u" * 32 + b")/P -4>>"],
            trailer=b"/Encrypt 5 0 R/ID[(a)(b)]",
        ),
        "密码",
    ),
    "a pdf with a script": (papers.pdf(catalog=b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "脚本"),
    "a pdf with a script by another spelling": (papers.pdf(catalog=b"/OpenAction<</S/J#61vaScript/J#53(x)>>"), "脚本"),
    "a pdf with a script that nothing leads to": (papers.pdf(extra=[b"<</S/JavaScript/JS(x)>>"]), "脚本"),
    "a pdf with a script in a packed object": (
        papers.pdf(extra=[stream(b"/Type/ObjStm/N 1/First 4", b"9 0 <</JS(x)/S/JavaScript>>", packed=True)]),
        "脚本",
    ),
    "a pdf that starts a program": (papers.pdf(catalog=b"/AA<</O<</S/Launch/F(cmd.exe)>>>>"), "动作"),
    "a pdf that sends its form": (papers.pdf(catalog=b"/OpenAction<</S/SubmitForm/F(http://x)>>"), "动作"),
    "a pdf with a program of forms": (papers.pdf(catalog=b"/AcroForm<</XFA[]>>"), "表单"),
    "a pdf that carries a program": (attached(MACHINE), "附带"),
    "a pdf that carries a script": (attached(b"<script>x</script>"), "附带"),
    "a pdf that carries what nobody knows": (attached(b"\x01\x00\x02"), "附带"),
    "a pdf that is an archive, too": (
        papers.pdf() + papers.archive({"a": b"b"}) + b"\n%%EOF\n",
        "打不开|压缩包",
    ),
    # pictures
    "a png cut short": (papers.png()[:-20], "不完整"),
    "a jpeg cut short": (papers.picture("JPEG", size=(400, 400))[:-600], "不完整"),
    "a png with something behind": (papers.png() + b"<script>", "别的内容"),
    "a png with a broken line": (papers.png().replace(b"IDAT", b"IDAT\x00", 1), "损坏"),
    "a jpeg that is an archive, too": (papers.jpeg() + papers.archive({"a": b"b"}), "压缩包"),
    # packages
    "a package that is damaged": (papers.xlsx()[:-400] + papers.xlsx()[-300:], "损坏"),
    "a table with macros": (papers.docx(word__vbaProject_dot_bin=b"x"), "宏"),
    "a table with a macro's content type": (
        papers.archive({"[Content_Types].xml": b"<a>macroEnabled</a>", "xl/workbook.xml": b"<a/>"}),
        "宏",
    ),
    "a document with an embedded object": (papers.docx(word__embeddings__oleObject1_dot_bin=b"x"), "嵌入"),
    "a document with a program for a picture": (papers.docx(word__media__a_dot_png=MACHINE), "嵌入"),
    "a document with an archive for a picture": (papers.docx(word__media__a_dot_png=papers.ofd()), "嵌入"),
    "a document with a member nobody knows": (papers.docx(word__a_dot_exe=b"x"), "不能识别"),
    "a document that declares entities": (papers.docx(word__styles_dot_xml=DOCTYPE), "声明"),
    "a document that fetches its template": (papers.docx(word___rels__settings_dot_xml_dot_rels=TEMPLATE), "外部"),
    "a table that starts a program": (papers.docx(xl__externalLinks__externalLink1_dot_xml=DDE), "DDE"),
    "a document that is no XML": (
        papers.archive({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<document>"}),
        "损坏",
    ),
    "a document and a table at once": (papers.docx(xl__workbook_dot_xml=b"<a/>"), "压缩包"),
    "a document with something behind": (papers.docx() + b"\0MZ", "夹带"),
    "a document with a path that climbs": (papers.archive({"OFD.xml": b"<a/>", "../../x.xml": b"<a/>"}), "路径"),
    "a document with a script for a page": (papers.ofd({"a.xml": b"<html><SCRIPT>x"}), "声明"),
    "a document that unfolds without end": (papers.ofd({"a.xml": b"\0" * 9_000_000}), "过大"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_what_to_do(what: str) -> None:
    content, words = REFUSED[what]
    with pytest.raises(Unsafe, match=words) as refusal:
        inspect(content)
    assert any(advice in str(refusal.value) for advice in ("上传", "后上传"))


def test_a_picture_is_measured_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 300)
    with pytest.raises(Unsafe, match="百万像素"):
        inspect(papers.png())


def test_a_picture_that_claims_to_be_huge_is_refused_unread() -> None:
    bomb = bytearray(papers.png())
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    with pytest.raises(Unsafe, match="百万像素"):
        inspect(bytes(bomb))


def test_a_member_that_is_longer_than_it_claims_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "LARGEST_UNZIPPED", 100)
    with pytest.raises(Unsafe, match="过大"):
        inspect(papers.ofd({"a.xml": b"<a>" + b"b" * 200 + b"</a>"}))


def test_an_encrypted_package_is_refused() -> None:
    locked = bytearray(papers.ofd())
    for place in (locked.find(b"PK\x03\x04") + 6, locked.find(b"PK\x01\x02") + 8):
        locked[place] |= 1
    with pytest.raises(Unsafe, match=r"密码|损坏"):
        inspect(bytes(locked))


def test_a_pdf_of_countless_objects_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_OBJECTS", 3)
    with pytest.raises(Unsafe, match="复杂"):
        inspect(papers.pdf(extra=[b"1", b"2"]))


def test_whatever_is_changed_in_a_good_file_it_is_taken_or_refused_and_nothing_else() -> None:
    """No damage makes a checker stumble: it answers, or it refuses."""
    refused = 0
    good = [papers.pdf(), papers.png(), papers.jpeg(), papers.docx(), papers.ofd()]
    for content in good:
        for place in range(0, len(content), max(1, len(content) // 60)):
            changed = bytearray(content)
            changed[place] ^= 0x55
            for attempt in (bytes(changed), content[:place], content[:place] + content[place + 7 :]):
                try:
                    inspect(attempt)
                except Unsafe:
                    refused += 1
    assert refused > 300
