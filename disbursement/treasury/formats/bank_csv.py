"""The bank's batch payment file as CSV: UTF-8 with a byte order mark (spreadsheets in use ask for it), CRLF.

批次号,202612001,付款户名,…,付款账号,…,生成时间,2026-12-18T16:00:00+08:00
明细号,收款户名,收款账号,开户银行,联行号,金额,用途
202612001-000001,…
合计,2,150000.00
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from disbursement.domain import money

from .base import ControlTotals, FormatError, PaymentOrder, check_order, clean

_COLUMNS = ["明细号", "收款户名", "收款账号", "开户银行", "联行号", "金额", "用途"]
_TRAILER = "合计"


class BankCsv:
    code = "bank_csv"
    extension = "csv"

    def write(self, order: PaymentOrder) -> bytes:
        check_order(order)
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
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
        for line in order.lines:
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
        writer.writerow([_TRAILER, order.count, f"{order.total:.2f}"])
        return out.getvalue().encode("utf-8-sig")

    def read_totals(self, content: bytes) -> ControlTotals:
        try:
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise FormatError(f"文件不是可读的CSV：{error}") from error
        if len(rows) < 3 or rows[1] != _COLUMNS or len(rows[-1]) != 3 or rows[-1][0] != _TRAILER:
            raise FormatError("文件缺少表头或合计行，可能不完整。")
        amounts: dict[str, Decimal] = {}
        for number, row in enumerate(rows[2:-1], start=3):
            if len(row) != len(_COLUMNS) or row[0] in amounts:
                raise FormatError(f"文件第{number}行列数不符或明细号重复。")
            try:
                amounts[row[0]] = money.money(row[5])
            except money.NotMoney as error:
                raise FormatError(f"文件第{number}行：{error}") from error
        totals = ControlTotals(amounts)
        if rows[-1][1:] != [str(totals.count), f"{totals.total:.2f}"]:
            raise FormatError("文件的合计行与明细不符。")
        return totals
