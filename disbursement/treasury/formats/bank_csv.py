"""The bank's batch payment file as CSV: UTF-8 with a byte order mark (spreadsheets in use ask for it), CRLF.

批次号,202612001,付款户名,…,付款账号,…,生成时间,2026-12-18T16:00:00+08:00
明细号,收款户名,收款账号,开户银行,联行号,金额,用途
202612001-000001,…
合计,2,150000.00
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from disbursement.domain import money

from .base import ControlTotals, FormatError, PaymentOrder, checked, clean

_COLUMNS = ["明细号", "收款户名", "收款账号", "开户银行", "联行号", "金额", "用途"]
_TRAILER = "合计"


class BankCsv:
    code = "bank_csv"
    extension = "csv"

    def write(self, order: PaymentOrder) -> bytes:
        out = io.BytesIO()
        self.write_to(order, out)
        return out.getvalue()

    def write_to(self, order: PaymentOrder, out: BinaryIO) -> None:
        text = codecs.getwriter("utf-8")(out)
        text.write("\ufeff")
        writer = csv.writer(text, lineterminator="\r\n")
        payer = order.payer
        writer.writerow(
            [
                "批次号",
                order.number,
                "付款户名",
                clean(payer.name, limit=140),
                "付款账号",
                payer.account_number,
                "生成时间",
                order.created_at.isoformat(timespec="seconds"),
            ]
        )
        writer.writerow(_COLUMNS)
        count, total = 0, money.ZERO
        for line in checked(order):
            writer.writerow(
                [
                    line.line_id,
                    clean(line.payee.name, limit=140),
                    line.payee.account_number,
                    clean(line.payee.bank_name, limit=140),
                    line.payee.bank_code,
                    f"{line.amount:.2f}",
                    clean(line.purpose, limit=140),
                ]
            )
            count, total = count + 1, total + line.amount
        writer.writerow([_TRAILER, count, f"{total:.2f}"])

    def read_totals(self, content: bytes) -> ControlTotals:
        amounts: dict[str, Decimal] = {}
        for line_id, amount in self.amounts(io.BytesIO(content)):
            if line_id in amounts:
                raise FormatError(f"文件中明细号{line_id}重复。")
            amounts[line_id] = amount
        return ControlTotals(amounts)

    def amounts(self, file: BinaryIO) -> Iterator[tuple[str, Decimal]]:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            yield from _amounts(csv.reader(text, strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise FormatError(f"文件不是可读的CSV：{error}") from error
        finally:
            text.detach()


def _amounts(rows: Iterator[list[str]]) -> Iterator[tuple[str, Decimal]]:
    next(rows, None)
    held = next(rows, None) == _COLUMNS and next(rows, None)
    if not held:
        raise FormatError("文件缺少表头或合计行，可能不完整。")
    count, total = 0, money.ZERO
    for number, following in enumerate(rows, start=3):
        if len(held) != len(_COLUMNS):
            raise FormatError(f"文件第{number}行列数不符。")
        try:
            amount = money.money(held[5])
        except money.NotMoney as error:
            raise FormatError(f"文件第{number}行：{error}") from error
        count, total = count + 1, total + amount
        yield held[0], amount
        held = following
    if len(held) != 3 or held[0] != _TRAILER:
        raise FormatError("文件缺少表头或合计行，可能不完整。")
    if held[1:] != [str(count), f"{total:.2f}"]:
        raise FormatError("文件的合计行与明细不符。")
