"""Enterprise files by their kind: JSONL, CSV in UTF-8 or GBK, XLSX. Read in a stream, whatever their length."""

import codecs
import csv
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import load_workbook

from matching.criteria import Collector, InvalidInput, Problem, Vocabulary, read_json_lines
from matching.criteria.errors import shown
from matching.files import LineProblem
from matching.importers.cells import identity, text_of, value
from matching.importers.columns import Column, ColumnMap, match_header
from matching.importers.lines import EnterpriseLine, Unusable, check_line
from matching.workbooks import MOST_ROWS, SPOILT, TooManyRows, rows_of

JSONL = (".jsonl", ".ndjson")
TEXT = (".csv", ".tsv", ".txt")
WORKBOOK = (".xlsx", ".xlsm")
_BLOCK = 1 << 20
_DELIMITERS = (",", "\t", ";")
_MOST_COLUMNS = 2000
_NO_WORKBOOK = "不是有效的 XLSX 文件；请在 Excel 中另存为 .xlsx"


class EnterpriseFile:
    """A file to be read once. `total` and `position` (bytes, or rows of a sheet) are for a progress bar; `left_out`
    are the columns that the map does not name, known after the first line."""

    def __init__(self, path: Path, vocabulary: Vocabulary, column_map: ColumnMap | None = None) -> None:
        self.path = path
        self.file = str(path)
        self.vocabulary = vocabulary
        self.column_map = column_map
        self.position = 0
        self.left_out: list[str] = []
        self.suffix = path.suffix.lower()
        if self.suffix not in JSONL + TEXT + WORKBOOK:
            hint = "；旧版 .xls 请在 Excel 中另存为 .xlsx" if self.suffix == ".xls" else ""
            raise self._unusable(
                0, f"不认识的文件类型 {shown(self.suffix)}；可用：{'、'.join(JSONL + TEXT + WORKBOOK)}{hint}"
            )
        try:
            self.total = path.stat().st_size
        except OSError as error:
            raise self._unusable(0, f"打不开文件：{error.strerror}") from None
        if self.total == 0:
            raise self._unusable(0, "文件是空的")

    def __iter__(self) -> Iterator[EnterpriseLine]:
        if self.suffix in WORKBOOK:
            yield from self._table(self._workbook_rows())
            return
        try:
            with open(self.path, "rb") as content:
                if self.suffix in JSONL:
                    yield from self._json_lines(content)
                else:
                    yield from self._table(self._text_rows(content))
        except OSError as error:
            raise self._unusable(0, f"读不了文件：{error.strerror}") from None

    def _json_lines(self, content: BinaryIO) -> Iterator[EnterpriseLine]:
        for number, read in read_json_lines(content):
            self.position = content.tell()
            if isinstance(read, InvalidInput):
                yield EnterpriseLine(number, problems=read.problems)
            elif not isinstance(read, dict):
                told = Problem("", f"每行应是一个 JSON 对象 {{…}}，现为 {shown(read)}")
                yield EnterpriseLine(number, problems=(told,))
            else:
                yield check_line(number, read, self.vocabulary)

    def _table(self, rows: Iterator[tuple[int, list[Any] | str]]) -> Iterator[EnterpriseLine]:
        header_row = self.column_map.header_row if self.column_map else 1
        empty = self.column_map.empty if self.column_map else frozenset()
        columns: list[Column | None] | None = None
        for number, cells in rows:
            if columns is None:
                if number < header_row:
                    continue
                if isinstance(cells, str):
                    raise self._unusable(number, f"读不了表头：{cells}")
                headers = [text_of(cell) for cell in cells]
                while headers and not headers[-1]:
                    headers.pop()
                columns, self.left_out = match_header(self.file, number, headers, self.column_map, self.vocabulary)
            elif isinstance(cells, str):
                yield EnterpriseLine(number, problems=(Problem("", cells),))
            elif any(text_of(cell) for cell in cells):
                yield self._row(number, cells, columns, empty)
        if columns is None:
            raise self._unusable(header_row, "没有表头；第一行应是各列的名称")

    def _row(
        self, number: int, cells: list[Any], columns: list[Column | None], empty: frozenset[str]
    ) -> EnterpriseLine:
        problems = Collector()
        body: dict[str, Any] = {"facts": {}}
        facts: dict[str, Any] = body["facts"]
        places: dict[str, str] = {}
        parts: dict[str, dict[str, dict[str, Any]]] = {}  # records built from columns: fact → code → fields
        merged: set[str] = set()
        for position, cell in enumerate(cells):
            text = text_of(cell)
            if not text or text in empty:
                continue
            if position >= len(columns):
                problems.add("", f"第 {position + 1} 列没有表头，内容为 {shown(text)}；请检查是否多了分隔符")
                continue
            column = columns[position]
            if column is None:
                continue
            if column.definition is None:
                body[column.target] = identity(cell, column, problems)
                places[column.target] = column.header
                continue
            known = value(cell, column, self.vocabulary, problems)
            if known is None:
                continue
            key = column.definition.key
            place = f"facts.{key}"
            if column.year:
                facts.setdefault(key, {})[column.year] = known
                merged.add(key)
                place = f"{place}.{column.year}"
            elif column.part:
                record = parts.setdefault(key, {}).setdefault(column.code, {"code": column.code})
                record[column.part] = known
                facts[key] = list(parts[key].values())
            else:
                facts[key] = known
            places[place] = column.header
        for target in ("id", "name", "credit_code"):
            if not body.get(target):
                body.pop(target, None)
        return check_line(
            number,
            body,
            self.vocabulary,
            merged_years=frozenset(merged),
            places=places,
            before=tuple(problems.problems),
        )

    def _text_rows(self, content: BinaryIO) -> Iterator[tuple[int, list[Any] | str]]:
        encoding = self._encoding(content)
        text = TextIOWrapper(content, encoding=encoding, newline="")
        first = text.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        text.seek(0)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            start = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                self.position = content.tell()
                yield start, f"不是有效的 CSV（{error}）；含分隔符、换行或引号的单元格应用英文双引号括起"
                continue
            self.position = content.tell()
            if any("\0" in cell for cell in cells):
                yield start, "含有空字符（NUL）；文件可能已损坏"
            else:
                yield start, cells
        text.detach()

    def _encoding(self, content: BinaryIO) -> str:
        """UTF-8 where the whole file is, else GBK (GB 18030), as Excel writes CSV in China."""
        if content.peek(4)[:4].startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # type: ignore[attr-defined]
            return "utf-16"
        for encoding in ("utf-8-sig", "gb18030"):
            decoder = codecs.getincrementaldecoder(encoding)()
            content.seek(0)
            try:
                while block := content.read(_BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            content.seek(0)
            return encoding
        raise self._unusable(self._undecodable(content), "既不是 UTF-8 也不是 GBK 编码；请另存为“CSV UTF-8”")

    @staticmethod
    def _undecodable(content: BinaryIO) -> int:
        content.seek(0)
        for number, line in enumerate(content, start=1):
            try:
                line.decode("gb18030")
            except UnicodeDecodeError:
                return number
        return 1

    def _workbook_rows(self) -> Iterator[tuple[int, list[Any] | str]]:
        try:
            book = load_workbook(self.path, read_only=True, data_only=True)
        except SPOILT:
            raise self._unusable(0, _NO_WORKBOOK) from None
        try:
            name = self.column_map.sheet if self.column_map else ""
            if name and name not in book.sheetnames:
                raise self._unusable(0, f"没有工作表 {shown(name)}；有：{'、'.join(book.sheetnames)}")
            sheet = book[name] if name else book.worksheets[0]
            self.total = min(sheet.max_row or 0, MOST_ROWS)
            for number, cells in enumerate(rows_of(sheet), start=1):
                self.position = number
                yield number, list(cells[:_MOST_COLUMNS])
        except TooManyRows as error:
            raise self._unusable(self.position, f"{error}；{_NO_WORKBOOK}") from None
        except Unusable:
            raise
        except SPOILT:
            raise self._unusable(self.position, f"此行之后读不下去；{_NO_WORKBOOK}") from None
        finally:
            book.close()

    def _unusable(self, line: int, message: str) -> Unusable:
        return Unusable([LineProblem(self.file, line, "", message)])
