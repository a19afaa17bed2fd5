"""What the bank returns for a batch, as CSV or as the same table in XLSX.

    明细号,收款账号,金额,结果,处理日期,银行流水号,原因
    202612001-000001,6222…,100000.00,成功,2026-12-21,B0001,
    202612001-000002,6222…,50000.00,退票,2026-12-21,B0002,账号户名不符
    合计,2,150000.00

The trailer tells a whole file from one cut short. A line that cannot be read is handed on with what is wrong
with it; it never stops the others, and none disappears.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from disbursement.domain import money

from .base import FormatError

COLUMNS = ["明细号", "收款账号", "金额", "结果", "处理日期", "银行流水号", "原因"]
TRAILER = "合计"
RESULTS = {"成功": "paid", "退票": "bounced", "退款": "refunded"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SECONDS = 19  # of "2026-12-21 09:30:00", as spreadsheets write a day

# What a spoilt workbook makes the libraries raise, from the archive down to its XML (a SyntaxError there).
_SPOILT = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """One line as read. `problem` is empty, or says what is wrong; then the other fields are what could be
    read.

    `result` is paid, bounced or refunded; `amount` in 元; `occurred_on` the bank's day.
    """

    row_no: int
    line_id: str
    result: str
    amount: Decimal | None
    occurred_on: date | None
    reference: str
    reason: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ReturnContent:
    """All lines of a file, and what is wrong with the file as a whole (an incomplete one has a problem)."""

    rows: Sequence[ReturnRow]
    problems: Sequence[str]
    is_complete: bool


def read_csv(content: bytes) -> ReturnContent:
    """Read UTF-8 or GB 18030. Raises FormatError where it is no such table at all."""
    text = _decode(content)
    # A file cut short may end inside a quoted field: a lenient reader gives what there is.
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise FormatError(f"回单不是可读的CSV：{error}") from error
    return _read(rows, whole_last_line=text.endswith(("\n", "\r")))


def read_xlsx(content: bytes) -> ReturnContent:
    """Read the first sheet. Raises FormatError where it is no such table at all."""
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        book.close()
    except _SPOILT as error:
        raise FormatError(f"回单不是可读的XLSX：{error}") from error
    return _read(rows, whole_last_line=True)


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """A return file as a bank would write it, from lines in the order of COLUMNS; for the simulator and the
    demo.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    lines = [list(row) for row in rows]
    writer.writerows(lines)
    writer.writerow([TRAILER, len(lines), f"{money.total(Decimal(line[2]) for line in lines):.2f}"])
    return out.getvalue().encode("utf-8-sig")


def _decode(content: bytes) -> str:
    # Not "utf-8-sig": the places in its errors do not count the mark.
    content = content.removeprefix(codecs.BOM_UTF8)
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            # Cut inside a character: what stands before it is still good.
            if error.end >= len(content) and len(content) - error.start < 4:
                return content[: error.start].decode(encoding)
    raise FormatError("回单的文字编码无法识别，请使用 UTF-8 或 GBK。")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        # Spreadsheets hold numbers as doubles; their shortest text is what the person typed.
        return repr(value).removesuffix(".0")
    return str(value)


def _read(rows: list[list[str]], *, whole_last_line: bool) -> ReturnContent:
    if not rows or [cell.strip() for cell in rows[0][: len(COLUMNS)]] != COLUMNS:
        raise FormatError(f"回单首行应为：{','.join(COLUMNS)}。请确认选对了文件。")
    lines = list(_lines(rows[1:]))
    problems: list[str] = []
    trailers = [(row_no, cells) for row_no, cells in lines if cells[0] == TRAILER]
    details = [(row_no, cells) for row_no, cells in lines if cells[0] != TRAILER]
    parsed = [_row(row_no, cells) for row_no, cells in details]
    if not trailers:
        problems.append("回单没有合计行，可能不完整；已读到的明细照常处理，请向银行索取完整回单。")
        if parsed and not whole_last_line and not parsed[-1].problem:
            # The last line may lack digits of its amount or letters of its reason: it is not to be trusted.
            parsed[-1] = _broken(parsed[-1].row_no, details[-1][1], "回单在本行中断，内容可能不全")
    else:
        said = [cell.strip().replace(",", "") for cell in trailers[-1][1][1:3]]
        amounts = money.total(row.amount for row in parsed if row.amount is not None)
        if said[0] != str(len(details)) or not _same_amount(said[1], amounts):
            problems.append(
                f"回单合计行为{said[0]}笔、{said[1]}元，明细为{len(details)}笔、{amounts}元，两者不符；请与银行核对。"
            )
    return ReturnContent(rows=parsed, problems=problems, is_complete=not problems)


def _lines(rows: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(rows, start=2):
        # A control character is never part of what the bank meant, and a database may refuse to keep it.
        cells = [_CONTROL.sub(" ", cell).strip() for cell in row]
        if any(cells):
            yield number, cells + [""] * (3 - len(cells))


def _same_amount(text: str, amount: Decimal) -> bool:
    try:
        return money.money(text) == amount
    except money.NotMoney:
        return False


def _row(row_no: int, cells: list[str]) -> ReturnRow:
    if len(cells) != len(COLUMNS):
        return _broken(row_no, cells, f"应有{len(COLUMNS)}列，实有{len(cells)}列")
    line_id, _, amount_text, result_text, day_text, reference, reason = cells
    if not line_id:
        return _broken(row_no, cells, "缺少明细号")
    if result_text not in RESULTS:
        return _broken(row_no, cells, f"结果“{result_text}”无法识别，应为{'、'.join(RESULTS)}")
    try:
        amount = money.money(amount_text.replace(",", ""))
    except money.NotMoney:
        return _broken(row_no, cells, f"金额“{amount_text}”无法识别")
    if amount <= 0:
        return _broken(row_no, cells, f"金额“{amount_text}”应大于零")
    try:
        day = date.fromisoformat(day_text[:10] if len(day_text) == _SECONDS else day_text)
    except ValueError:
        return _broken(row_no, cells, f"处理日期“{day_text}”无法识别，应如2026-12-21")
    return ReturnRow(
        row_no=row_no,
        line_id=line_id[:60],
        result=RESULTS[result_text],
        amount=amount,
        occurred_on=day,
        reference=reference[:80],
        reason=reason[:300],
    )


def _broken(row_no: int, cells: Sequence[str], problem: str) -> ReturnRow:
    return ReturnRow(
        row_no=row_no,
        line_id=cells[0][:60],
        result="",
        amount=None,
        occurred_on=None,
        reference="",
        reason=",".join(cells)[:300],
        problem=problem,
    )
