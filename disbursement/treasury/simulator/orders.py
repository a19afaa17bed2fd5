"""How a bank reads a payment file: by the format it finds, every line with its payee, refusing what does not add up."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from defusedxml.ElementTree import fromstring
from openpyxl import load_workbook

from disbursement.domain import money
from disbursement.treasury.formats.registry import PAYMENT_FORMATS
from disbursement.treasury.formats.voucher import TreasuryVoucher


class NotAnOrder(ValueError):
    """The bank cannot take the file; the message is what it answers."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """One payment that is asked for; `amount` in 元."""

    line_id: str
    name: str
    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """A payment file as the bank understood it."""

    number: str
    payer: str
    lines: Sequence[Ordered]


def read_order(content: bytes) -> Order:
    """Any of the formats that we send. Raises NotAnOrder."""
    try:
        if content.startswith(b"PK"):
            return _table(_cells(content))
        if content.lstrip().startswith(b"<"):
            return _xml(content)
        return _table(list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))))
    except NotAnOrder:
        raise
    except Exception as error:  # whatever a bank's parser stumbles over, the file is refused
        raise NotAnOrder(f"无法读取付款文件：{error}") from error


def _cells(content: bytes) -> list[list[str]]:
    book = load_workbook(io.BytesIO(content), read_only=True)
    rows = [[str(value or "") for value in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    book.close()
    return rows


def _table(rows: list[list[str]]) -> Order:
    head, trailer = rows[0], rows[-1]
    lines = [Ordered(row[0], row[1], row[2], money.money(row[5])) for row in rows[2:-1]]
    return _order(number=head[1], payer=head[5], lines=lines, count=trailer[1], total=trailer[2])


def _xml(content: bytes) -> Order:
    if b'encoding="GBK"' in content[:60]:
        content = content.decode("gb18030").replace('encoding="GBK"', 'encoding="UTF-8"', 1).encode()
    root = fromstring(content, forbid_dtd=True)
    if root.tag.endswith("}Document"):
        space = root.tag.removesuffix("Document")
        block = _find(root, f".//{space}PmtInf")
        lines = [
            Ordered(
                _said(found, space, "PmtId/EndToEndId"),
                _said(found, space, "Cdtr/Nm"),
                _said(found, space, "CdtrAcct/Id/Othr/Id"),
                money.money(_said(found, space, "Amt/InstdAmt")),
            )
            for found in block.iter(f"{space}CdtTrfTxInf")
        ]
        number, payer = _said(block, space, "PmtInfId"), _said(block, space, "DbtrAcct/Id/Othr/Id")
        return _order(number, payer, lines, _said(block, space, "NbOfTxs"), _said(block, space, "CtrlSum"))
    voucher = PAYMENT_FORMATS["voucher"]
    assert isinstance(voucher, TreasuryVoucher)
    # A bank knows the names that its treasury gave the elements, as the files are written with.
    tags = voucher.names_under(str(root.tag))
    head = _find(root, tags["head"])
    lines = [
        Ordered(
            _said(found, "", tags["line_id"]),
            _said(found, "", f"{tags['payee']}/{tags['name']}"),
            _said(found, "", f"{tags['payee']}/{tags['account']}"),
            money.money(_said(found, "", tags["amount"])),
        )
        for found in root.iter(tags["line"])
    ]
    number, payer = _said(head, "", tags["number"]), _said(head, "", f"{tags['payer']}/{tags['account']}")
    return _order(number, payer, lines, _said(head, "", tags["count"]), _said(head, "", tags["total"]))


def _order(number: str, payer: str, lines: list[Ordered], count: str, total: str) -> Order:
    if int(count) != len(lines) or money.money(total) != money.total(line.amount for line in lines):
        raise NotAnOrder("控制合计与明细不符")
    if len({line.line_id for line in lines}) != len(lines):
        raise NotAnOrder("明细号重复")
    return Order(number, payer, lines)


def _find(parent: Any, path: str) -> Any:
    found = parent.find(path)
    if found is None:
        raise NotAnOrder(f"缺少{path}")
    return found


def _said(parent: Any, space: str, path: str) -> str:
    return str(_find(parent, "/".join(space + step for step in path.split("/"))).text)
