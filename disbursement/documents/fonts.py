"""The faces of notices: the machine's Chinese serif, cut down once to the characters that notices are written in.

A face of 65,000 glyphs costs every notice some 30 ms and 90 KB; one of 7,000 costs 5 ms and 30 KB. So each machine
makes its own, from the font that fontconfig finds, and keeps it; a character that is not in it is taken from the whole
font, which the style sheet names next. Where no face can be made, notices use the whole font and are only slower.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import struct
import subprocess
import tempfile
from pathlib import Path

import uharfbuzz
from fontTools.cffLib import CFFFontSet
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable

logger = logging.getLogger(__name__)

FAMILY = "Huida Notice"
_WHOLE = "Noto Serif CJK SC"
_WEIGHTS = {"regular": 400, "bold": 700}
_RECIPE = 1  # raised when what is cut changes, so that faces kept from before are made anew

# What shapes text in other scripts or in columns; Chinese in rows needs none of it.
_DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG")
_RANGES = ((0x20, 0x7E), (0xA0, 0xFF), (0x2010, 0x2027), (0x2030, 0x203B), (0x2460, 0x2473), (0x3000, 0x303F))
_FULL_WIDTH = (0xFF01, 0xFF65)
# Outside GB 2312, and yet in the names of enterprises and people.
_NAMES = (
    "喆垚堃犇骉镕祎玥翀珺瑀玘琎璟旸昇暐焜燚燊赟贇芃菂翾邨陞韡飏鸑龑囍槑烎頔颋堉埇墘奡"
    "婳嫚嵚峣锜锳閤姮妘妧屾昉晞晳朒柷棪檏㵆"
)


def face_rules(directory: Path) -> str:
    """The ``@font-face`` rules of the faces kept in a directory, made there at the first call; "" where none can be.

    Two processes at once each make the same and put it there whole.
    """
    try:
        faces = {weight: _face(directory, name) for name, weight in _WEIGHTS.items()}
    except (OSError, subprocess.SubprocessError, uharfbuzz.HarfBuzzError, ValueError, KeyError) as error:
        logger.warning("no faces could be made for notices, the whole font is used: %s", error)
        return ""
    return "".join(
        f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; src: url("{path.as_uri()}"); }}\n'
        for weight, path in faces.items()
    )


def missing_face() -> str:
    """Why notices cannot be written in the face that they are made for, for people; "" where they can."""
    try:
        for name in _WEIGHTS:
            _source(name)
    except (OSError, subprocess.SubprocessError, ValueError):
        return f"没有找到字体 {_WHOLE}"
    return ""


def _face(directory: Path, name: str) -> Path:
    source, index = _source(name)
    status = source.stat()
    stamp = hashlib.sha256(f"{_RECIPE} {source} {index} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()
    target = directory / f"notice-{name}-{stamp[:16]}.otf"
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        content = _with_codes_in_order(_cut(source, index))
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as part:
            part.write(content)
        os.replace(part.name, target)
    return target


def _source(name: str) -> tuple[Path, int]:
    """The file of the whole font and its place in it, as fontconfig has it."""
    wanted = _WHOLE if name == "regular" else f"{_WHOLE}:{name}"
    command = ["fc-match", "--format", "%{file}\n%{index}\n%{family}", wanted]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    path, index, family = found.split("\n", 2)
    if _WHOLE not in family:
        raise ValueError(f"{_WHOLE} is not installed, {family} stands in for it")
    return Path(path), int(index)


def _cut(source: Path, index: int) -> bytes:
    wanted = uharfbuzz.SubsetInput()
    wanted.sets(uharfbuzz.SubsetInputSets.UNICODE).set(_characters())
    dropped = wanted.sets(uharfbuzz.SubsetInputSets.DROP_TABLE_TAG)
    for tag in _DROPPED:
        dropped.add(int.from_bytes(tag.encode(), "big"))
    wanted.flags |= uharfbuzz.SubsetFlags.NO_HINTING
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(source)), index)
    return bytes(wanted.subset(face).blob.data)


def _with_codes_in_order(content: bytes) -> bytes:
    """The font with each glyph's code (CID) equal to its number, as one who embeds it takes for granted.

    Cutting numbers the glyphs anew and leaves them the codes that they had in the whole font.
    """
    glyphs = uharfbuzz.Face(uharfbuzz.Blob(content)).glyph_count
    font = TTFont(io.BytesIO(content), lazy=True, recalcBBoxes=False, recalcTimestamp=False)
    if "CFF " not in font:
        return content  # outlines of the other kind have no codes of their own
    table = bytearray(font.reader["CFF "])
    outlines = CFFFontSet()
    outlines.decompile(io.BytesIO(bytes(table)), TTFont(io.BytesIO(content), lazy=True))
    start = outlines.topDictIndex[0].rawDict["charset"]
    if table[start] != 0:
        raise ValueError("the codes of the cut font are not written one by one")
    codes = struct.pack(f">{glyphs - 1}H", *range(1, glyphs))
    table[start + 1 : start + 1 + len(codes)] = codes
    changed = DefaultTable("CFF ")
    changed.data = bytes(table)
    font["CFF "] = changed
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()


def _characters() -> set[int]:
    """ASCII, punctuation, circled numbers, full-width forms, the Chinese characters of GB 2312, and some of names."""
    found = {code for first, last in (*_RANGES, _FULL_WIDTH) for code in range(first, last + 1)}
    for lead in range(0xB0, 0xF8):
        for trail in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((lead, trail)).decode("gb2312")))
            except UnicodeDecodeError:
                continue  # the standard leaves some places free
    return found | {ord(character) for character in _NAMES}
