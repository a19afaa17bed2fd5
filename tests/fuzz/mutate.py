"""Spoiling return files: from a single flipped bit to a workbook that claims to be a terabyte.

`spoil` takes any format; the same random generator gives the same mutant. Some mutations know the table or the XML and
change what they say (an amount, a payee, the order of columns), others know nothing but bytes.
"""

from __future__ import annotations

import csv
import io
import random
import re
import struct
import zipfile
from collections.abc import Callable

AMOUNTS = [
    "0",
    "-1.00",
    "0.001",
    "1e5",
    "1E400",
    "9" * 15,
    "9" * 400,
    "NaN",
    "Infinity",
    "１００.００",
    "100,000.00",
    " 100000.00 ",
    "100000.0",
    "100000.000",
    "100000.009",
    "+100000.00",
    "0x10",
    "",
    "100000.01",
    "99999.99",
    "1000000.00",
    "10000.000",
    "00100000.00",
]
TEXTS = [
    "",
    "'",
    '"',
    "=1+1",
    "\x00",
    "\u202e",
    "é",
    "\ud7ff",
    "成功",
    "退票",
    "退款",
    "合计",
    "x" * 5000,
    "-",
    "0",
    "\n",
    "\t",
]
_DIGITS = re.compile(rb"[0-9]+(?:\.[0-9]+)?")
_ELEMENT = re.compile(rb"<([A-Za-z]+)[^<>/]*>[^<]*</\1>")
_ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    b'<!ENTITY x "1">',
)

Mutation = Callable[[bytes, random.Random], bytes]


def spoil(content: bytes, dice: random.Random) -> bytes:
    """One to three mutations of a file that was good."""
    if content.startswith(b"PK"):
        kinds = [*_BYTES, *_BOOK, *_BOOK, *_BOOK]
    elif content.lstrip().startswith(b"<"):
        kinds = [*_BYTES, *_XML, *_XML]
    else:
        kinds = [*_BYTES, *_TABLE, *_TABLE]
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        content = dice.choice(kinds)(content, dice)
    return content


def flip_bits(content: bytes, dice: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        if spoilt:
            spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
    return bytes(spoilt)


def flip_a_digit(content: bytes, dice: random.Random) -> bytes:
    """A digit becomes another: the smallest lie."""
    places = [place for place, byte in enumerate(content) if 48 <= byte <= 57]
    if not places:
        return content
    spoilt = bytearray(content)
    spoilt[dice.choice(places)] = 48 + dice.randrange(10)
    return bytes(spoilt)


def truncate(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def drop_a_piece(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content) + 1)
    return content[:start] + content[start + dice.choice((1, 2, 7, 60, 500)) :]


def double_a_piece(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content) + 1)
    piece = content[start : start + dice.choice((1, 3, 20, 200, 2000))]
    return content[:start] + piece * dice.choice((2, 2, 3, 50)) + content[start + len(piece) :]


def insert_noise(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content) + 1)
    return content[:start] + dice.randbytes(dice.choice((1, 4, 50, 3000))) + content[start:]


def twice_over(content: bytes, dice: random.Random) -> bytes:
    return content + content


def change_a_number(content: bytes, dice: random.Random) -> bytes:
    found = list(_DIGITS.finditer(content))
    if not found:
        return content
    one = dice.choice(found)
    return content[: one.start()] + dice.choice(AMOUNTS).encode() + content[one.end() :]


def reencode(content: bytes, dice: random.Random) -> bytes:
    text = content.decode("utf-8-sig", errors="replace")
    encoding = dice.choice(
        ("gb18030", "utf-16", "utf-16-le", "utf-8-sig", "big5", "latin-1", "utf-7", "cp1252", "utf-32")
    )
    return text.encode(encoding, errors="replace")


def change_line_ends(content: bytes, dice: random.Random) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", dice.choice((b"\r", b"\n", b"\r\r\n", b"\n\n", b"\x0b", b"")))


_BYTES: list[Mutation] = [
    flip_bits,
    flip_bits,
    flip_a_digit,
    flip_a_digit,
    truncate,
    drop_a_piece,
    double_a_piece,
    insert_noise,
    twice_over,
    change_a_number,
    reencode,
    change_line_ends,
]


def _table(content: bytes) -> tuple[list[list[str]], str]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding), newline=""))), encoding
        except (UnicodeDecodeError, csv.Error):
            continue
    return [], "utf-8"


def _written(rows: list[list[str]], encoding: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding, errors="replace")


def _of_rows(change: Callable[[list[list[str]], random.Random], None]) -> Mutation:
    def mutation(content: bytes, dice: random.Random) -> bytes:
        rows, encoding = _table(content)
        if len(rows) < 3 or min(map(len, rows[:2])) < 2:
            return content
        change(rows, dice)
        return _written(rows, encoding)

    mutation.__name__ = change.__name__
    return mutation


def swap_columns(rows: list[list[str]], dice: random.Random) -> None:
    first, second = dice.sample(range(len(rows[0])), 2)
    header = dice.random() < 0.5
    for row in rows if header else rows[1:]:
        if len(row) > max(first, second):
            row[first], row[second] = row[second], row[first]


def swap_cells(rows: list[list[str]], dice: random.Random) -> None:
    """The same column of two lines: payees, amounts or results that changed places."""
    one, other = dice.choice(rows[1:]), dice.choice(rows[1:])
    column = dice.randrange(min(len(one), len(other)) or 1)
    if min(len(one), len(other)) > column:
        one[column], other[column] = other[column], one[column]


def double_a_line(rows: list[list[str]], dice: random.Random) -> None:
    rows.insert(dice.randrange(1, len(rows)), list(dice.choice(rows)))


def drop_a_line(rows: list[list[str]], dice: random.Random) -> None:
    del rows[dice.randrange(len(rows))]


def shuffle_lines(rows: list[list[str]], dice: random.Random) -> None:
    dice.shuffle(rows)


def change_a_cell(rows: list[list[str]], dice: random.Random) -> None:
    row = dice.choice(rows)
    if row:
        row[dice.randrange(len(row))] = dice.choice(AMOUNTS + TEXTS)


def change_an_amount(rows: list[list[str]], dice: random.Random) -> None:
    row = dice.choice(rows[1:])
    if len(row) > 2:
        row[2] = dice.choice(AMOUNTS)


def other_width(rows: list[list[str]], dice: random.Random) -> None:
    row = dice.choice(rows)
    if dice.random() < 0.5:
        row.append("x")
    elif row:
        row.pop(dice.randrange(len(row)))


_ROWS = (
    swap_columns,
    swap_cells,
    double_a_line,
    drop_a_line,
    shuffle_lines,
    change_a_cell,
    change_an_amount,
    other_width,
)
_TABLE: list[Mutation] = [_of_rows(change) for change in _ROWS]


def _elements(content: bytes) -> list[re.Match[bytes]]:
    return list(_ELEMENT.finditer(content))


def change_an_element(content: bytes, dice: random.Random) -> bytes:
    found = _elements(content)
    if not found:
        return content
    one = dice.choice(found)
    inner = one[0].index(b">") + 1
    new = dice.choice(AMOUNTS + TEXTS).encode(errors="replace")
    end = one[0].rindex(b"</")
    return content[: one.start()] + one[0][:inner] + new + one[0][end:] + content[one.end() :]


def double_an_element(content: bytes, dice: random.Random) -> bytes:
    found = _elements(content)
    if not found:
        return content
    one, where = dice.choice(found), dice.choice(found)
    return content[: where.end()] + one[0] + content[where.end() :]


def drop_an_element(content: bytes, dice: random.Random) -> bytes:
    found = _elements(content)
    if not found:
        return content
    one = dice.choice(found)
    return content[: one.start()] + content[one.end() :]


def swap_elements(content: bytes, dice: random.Random) -> bytes:
    """Two elements of one name change places: the amounts, the payees, the statuses of two payments."""
    found = _elements(content)
    if not found:
        return content
    one = dice.choice(found)
    other = dice.choice([element for element in found if element[1] == one[1]])
    first, second = sorted((one, other), key=lambda element: element.start())
    if first.start() == second.start():
        return content
    between = content[first.end() : second.start()]
    return content[: first.start()] + second[0] + between + first[0] + content[second.end() :]


def add_entities(content: bytes, dice: random.Random) -> bytes:
    start = content.find(b"?>") + 2 if content.startswith(b"<?xml") else 0
    spoilt = content[:start] + dice.choice(_ENTITIES) + content[start:]
    return spoilt.replace(b"</", b"&c;</", 1) if dice.random() < 0.5 else spoilt


def other_codes(content: bytes, dice: random.Random) -> bytes:
    """A status, direction or kind of balance becomes another."""
    codes = [
        b"ACSC",
        b"RJCT",
        b"PDNG",
        b"ACCP",
        b"PART",
        b"CRDT",
        b"DBIT",
        b"BOOK",
        b"OPBD",
        b"CLBD",
        b"RRTN",
        b"CNY",
        b"true",
    ]
    there = [code for code in codes if code in content]
    return content.replace(dice.choice(there), dice.choice(codes), dice.choice((1, 2, -1))) if there else content


def other_namespace(content: bytes, dice: random.Random) -> bytes:
    return content.replace(
        dice.choice((b"pain.002", b"camt.053", b"001.10", b"iso:std", b"xmlns=")),
        dice.choice((b"pain.001", b"camt.053", b"pain.002", b"001.03", b"", b"xmlns:x=")),
    )


def other_declaration(content: bytes, dice: random.Random) -> bytes:
    encoding = dice.choice((b"GBK", b"GB18030", b"utf-16", b"ISO-8859-1", b"utf-8", b"nonsense", b"", b"UTF-7"))
    return re.sub(rb"encoding=['\"][^'\"]*['\"]", b'encoding="' + encoding + b'"', content, count=1)


def nest_deep(content: bytes, dice: random.Random) -> bytes:
    depth = dice.choice((10, 300, 5000))
    place = content.find(b"</")
    return content[:place] + b"<a>" * depth + b"</a>" * depth + content[place:]


def rename_an_element(content: bytes, dice: random.Random) -> bytes:
    found = _elements(content)
    if not found:
        return content
    one, other = dice.choice(found)[1], dice.choice(found)[1]
    return content.replace(b"<" + one + b">", b"<" + other + b">").replace(b"</" + one + b">", b"</" + other + b">")


_XML: list[Mutation] = [
    change_an_element,
    change_an_element,
    double_an_element,
    drop_an_element,
    swap_elements,
    swap_elements,
    add_entities,
    other_codes,
    other_codes,
    other_namespace,
    other_declaration,
    nest_deep,
    rename_an_element,
]


def _parts(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {info.filename: archive.read(info) for info in archive.infolist()}
    except Exception:  # an earlier mutation has spoilt the archive
        return {}


def _packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def spoil_the_sheet(content: bytes, dice: random.Random) -> bytes:
    """The XML inside is spoilt, the archive is sound: what a bad exporter writes."""
    parts = _parts(content)
    name = next((name for name in parts if "sheet1" in name), None)
    if name is None:
        return content
    parts[name] = dice.choice([*_BYTES, *_XML, _cells, _cells, _cells])(parts[name], dice)
    return _packed(parts)


def spoil_a_part(content: bytes, dice: random.Random) -> bytes:
    parts = _parts(content)
    if not parts:
        return content
    name = dice.choice(list(parts))
    parts[name] = dice.choice([*_BYTES, *_XML])(parts[name], dice)
    return _packed(parts)


def drop_a_part(content: bytes, dice: random.Random) -> bytes:
    parts = _parts(content)
    if parts:
        del parts[dice.choice(list(parts))]
    return _packed(parts)


def bomb(content: bytes, dice: random.Random) -> bytes:
    """A sheet that unpacks to far more than a table would."""
    parts = _parts(content)
    name = next((name for name in parts if "sheet1" in name), None)
    if name is None:
        return content
    parts[name] = parts[name].replace(b"</sheetData>", b"<row/>" * dice.choice((2000, 900_000)) + b"</sheetData>")
    return _packed(parts)


def lie_about_sizes(content: bytes, dice: random.Random) -> bytes:
    place = content.rfind(b"PK\x01\x02")
    if place < 0:
        return content
    spoilt = bytearray(content)
    place += dice.choice((16, 20, 24, 42))
    if place + 4 <= len(spoilt):
        struct.pack_into("<I", spoilt, place, dice.randrange(2**32))
    return bytes(spoilt)


def _cells(content: bytes, dice: random.Random) -> bytes:
    """The text of two cells changes places, or a cell says that it stands elsewhere, or that it is something else."""
    what = dice.randrange(4)
    if what == 0:
        return swap_elements(content, dice)
    if what == 1:
        return content.replace(
            b't="inlineStr"', dice.choice((b't="n"', b't="b"', b't="s"', b't="e"', b't="d"', b"")), 1
        )
    if what == 2:
        found = list(re.finditer(rb'r="([A-Z]+)([0-9]+)"', content))
        if found:
            one = dice.choice(found)
            new = dice.choice((b'r="XFD1048576"', b'r="A0"', b'r="A1"', b'r="ZZZZ9"', b'r=""', b'r="C3"'))
            return content[: one.start()] + new + content[one.end() :]
    return content.replace(b"<t>", b"<t>=", 1)


_BOOK: list[Mutation] = [
    spoil_the_sheet,
    spoil_the_sheet,
    spoil_the_sheet,
    spoil_a_part,
    drop_a_part,
    bomb,
    lie_about_sizes,
]
