"""What the bank returns for a batch, as CSV or as the same table in XLSX.

    明细号,收款账号,金额,结果,处理日期,银行流水号,原因
    202612001-000001,6222…,100000.00,成功,2026-12-21,B0001,
    202612001-000002,6222…,50000.00,退票,2026-12-21,B0002,账号户名不符
    合计,2,150000.00

Banks whose table has other headings and words are read by a table of theirs (`return_tables`), and judged the same.

The trailer tells a whole file from one cut short. A line that cannot be read is handed on with what is wrong
with it; it never stops the others, and none disappears.
"""

from __future__ import annotations

import codecs
import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TextIO

from openpyxl import load_workbook

from disbursement.domain import money
from matching.workbooks import SPOILT, TooManyRows, rows_of

from .base import FormatError, UnknownTable
from .return_tables import HEADINGS_WITHIN, ReturnTable, parse_tables, translated
from .returned import RESULTS, Findings, ReturnRow, broken, day_in, flat, good

COLUMNS = ["明细号", "收款账号", "金额", "结果", "处理日期", "银行流水号", "原因"]
TRAILER = "合计"
_PIECE = 1024 * 1024
_WIDEST = 100  # columns that are looked at where banks' own tables are known
_SECONDS = 19  # of "2026-12-21 09:30:00", as spreadsheets write a day
_MOST_BYTES = 512 * 1024 * 1024  # of an unpacked workbook; a hundred thousand lines take about 60 MB
_MOST_TIMES = 300  # that it may be larger than its archive: a table of figures packs to a tenth

# Tables of banks that write otherwise, as the settings name them.
_tables: list[ReturnTable] = []


def name_return_tables(tables: object) -> None:
    """Read the banks' own tables (see `return_tables.parse_tables`), too, from now on. Raises FormatError."""
    _tables[:] = parse_tables(tables)


def csv_rows(content: bytes, findings: Findings) -> Iterator[ReturnRow]:
    """The lines of a CSV one by one."""
    text, whole_end = _text(content)
    # A file cut short may end inside a quoted field: a lenient reader gives what there is.
    try:
        yield from _read(csv.reader(text), findings, whole_end=whole_end)
    except csv.Error as error:
        raise FormatError(f"回单不是可读的CSV：{error}") from error


def xlsx_rows(content: bytes, findings: Findings) -> Iterator[ReturnRow]:
    """The lines of the first sheet one by one."""
    yield from _read(_sheet(content), findings, whole_end=True)


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


def decoded(content: bytes) -> str:
    """Text in UTF-8 or GB 18030, without a cut character at its end. Raises FormatError."""
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


def _text(content: bytes) -> tuple[TextIO, bool]:
    """The text of `decoded`, as it is read, and whether it ends with a line's end. Only a file that is cut inside a
    character, or is in no encoding that we know, is decoded whole.
    """
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    view = memoryview(content)
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        for place in range(start, len(content), _PIECE):
            is_last = place + _PIECE >= len(content)
            try:
                decoder.decode(view[place : place + _PIECE], final=is_last)
            except UnicodeDecodeError:
                if is_last:
                    whole = decoded(content)
                    return io.StringIO(whole, newline=""), whole.endswith(("\n", "\r"))
                break
        else:
            file = io.BytesIO(content)
            file.seek(start)
            return io.TextIOWrapper(file, encoding=encoding, newline=""), content.endswith((b"\n", b"\r"))
    whole = decoded(content)
    return io.StringIO(whole, newline=""), whole.endswith(("\n", "\r"))


def _sheet(content: bytes) -> Iterator[list[str]]:
    try:
        _refuse_bomb(content)
        with warnings.catch_warnings():
            # What other programs leave in a workbook is none of our business; what we need is looked at below.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        # Cells are taken up to the column past the last: a row that claims sixteen thousand costs no more than that.
        most = _WIDEST if _tables else len(COLUMNS) + 1
        for row in rows_of(book.worksheets[0], max_col=most):
            if row.count(None) == len(row):
                yield []  # a sheet may claim a million of them
                continue
            cells = [_cell(value) for value in row]
            while len(cells) > len(COLUMNS) and not cells[-1]:
                cells.pop()
            yield cells
        book.close()
    except TooManyRows as error:
        raise FormatError(f"回单不是可读的XLSX：{error}。请向银行索取原文件。") from error
    except SPOILT as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"回单不是可读的XLSX：{type(error).__name__} {error}"[:300]) from error


def _refuse_bomb(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > _MOST_BYTES or size > max(len(content), 10_000) * _MOST_TIMES:
        raise FormatError("回单展开后过大，不像正常的表格，未予读取。请向银行索取CSV或分段文件。")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        # Spreadsheets hold numbers as doubles; their shortest text is what the person typed.
        return repr(value).removesuffix(".0")
    return str(value)


def _read(lines: Iterator[list[str]], findings: Findings, *, whole_end: bool) -> Iterator[ReturnRow]:
    below, first, has_trailer = _below_headings(lines, findings)
    trailer: list[str] | None = None
    count, total = 0, money.ZERO
    # The last line is held back until it is known whether the file ends behind it.
    held: ReturnRow | None = None
    held_cells: list[str] = []
    for row_no, raw in enumerate(below, start=first):
        cells = [flat(cell) for cell in raw]
        if not any(cells):
            continue
        cells += [""] * (3 - len(cells))
        if cells[0] == TRAILER:
            trailer = cells
            continue
        if held is not None:
            yield held
        held, held_cells = _row(row_no, cells), cells
        count += 1
        total += held.amount or money.ZERO
    if trailer is None:
        if has_trailer:
            findings.problems.append("回单没有合计行，可能不完整；已读到的明细照常处理，请向银行索取完整回单。")
        if held is not None and not whole_end and not held.problem:
            # The last line may lack digits of its amount or letters of its reason: it is not to be trusted.
            held = _broken(held.row_no, held_cells, "回单在本行中断，内容可能不全")
    else:
        said = [cell.strip().replace(",", "") for cell in trailer[1:3]]
        if said[0] != str(count) or not _same_amount(said[1], total):
            findings.problems.append(
                f"回单合计行为{said[0][:20]}笔、{said[1][:30]}元，明细为{count}笔、{total}元，两者不符；请与银行核对。"
            )
    if held is not None:
        yield held


def _below_headings(lines: Iterator[list[str]], findings: Findings) -> tuple[Iterator[list[str]], int, bool]:
    """The lines below the headings in our order and words, the number of the first, and whether a last line with totals
    is to be expected. Raises UnknownTable where neither our headings stand in the first row nor a bank's near it.
    """
    for row_no, row in enumerate(islice(lines, HEADINGS_WITHIN), start=1):
        if row_no == 1 and [cell.strip() for cell in row[: len(COLUMNS)]] == COLUMNS:
            return lines, 2, True
        for table in _tables:
            places = table.places(row)
            if places is not None:
                found = translated(table=table, places=places, rows=lines, findings=findings, trailer=TRAILER)
                return found, row_no + 1, bool(table.trailer)
    known = "".join(f"；“{table.name}”应有列：{'、'.join(table.columns.values())}" for table in _tables)
    raise UnknownTable(f"回单首行应为：{','.join(COLUMNS)}{known}。请确认选对了文件。")


def _same_amount(text: str, amount: Decimal) -> bool:
    try:
        return money.money(text) == amount
    except money.NotMoney:
        return False


def _row(row_no: int, cells: list[str]) -> ReturnRow:
    if len(cells) != len(COLUMNS):
        return _broken(row_no, cells, f"应有{len(COLUMNS)}列，实有{len(cells)}列")
    line_id, account, amount_text, result_text, day_text, reference, reason = cells
    if not line_id:
        return _broken(row_no, cells, "缺少明细号")
    if result_text not in RESULTS:
        return _broken(row_no, cells, f"结果“{result_text[:20]}”无法识别，应为{'、'.join(RESULTS)}")
    try:
        amount = money.money(amount_text.replace(",", ""))
    except money.NotMoney:
        return _broken(row_no, cells, f"金额“{amount_text[:30]}”无法识别")
    if amount <= 0:
        return _broken(row_no, cells, f"金额“{amount_text[:30]}”应大于零")
    try:
        day = day_in(day_text[:10] if len(day_text) == _SECONDS else day_text)
    except ValueError:
        return _broken(row_no, cells, f"处理日期“{day_text[:30]}”无法识别，应如2026-12-21")
    return good(
        row_no=row_no,
        line_id=line_id,
        result=RESULTS[result_text],
        amount=amount,
        day=day,
        reference=reference,
        reason=reason,
        account=account,
    )


def _broken(row_no: int, cells: Sequence[str], problem: str) -> ReturnRow:
    return broken(row_no=row_no, line_id=cells[0], said=",".join(cells), problem=problem)
