"""The tables in which banks send their answers, each by its own headings and words (`HUIDA_RETURN_COLUMNS`).

A table names, for what we need to know of a line, the heading under which that bank writes it; other columns are left
alone, and so is what stands above the headings. Lines are handed on in the order and the words of our own table, so
that one reader judges all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from disbursement.domain import money

from .base import FormatError
from .returned import LINE_ID, RESULTS, Findings, amount_in, flat

# What is known of a line, in the order of our own table.
KEYS = ("line_id", "account", "amount", "result", "day", "reference", "reason")
_NEEDED = ("line_id", "amount", "result", "day")
_PARTS = ("name", "columns", "results", "trailer")
# The headings stand within so many rows: banks put their name, the customer and the period above them.
HEADINGS_WITHIN = 20
_DAYS = (
    re.compile(r"(20[0-9]{2})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T].*)?"),
    re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})(?: .*|[0-9]{6})?"),
)
_QUOTES = "'‘’"


@dataclass(frozen=True, slots=True)
class ReturnTable:
    """One bank's table: `columns` tells key → heading, `results` the bank's word → ours (成功, 退票, 退款; empty: not
    settled yet), `trailer` the word that its last line carries, empty where it has none.
    """

    name: str
    columns: Mapping[str, str]
    results: Mapping[str, str]
    trailer: str = ""

    def places(self, row: Sequence[str]) -> dict[str, int] | None:
        """Where each key stands, if this row has the headings; None where it has not."""
        headings = [flat(cell).strip(_QUOTES) for cell in row]
        if any(headings.count(heading) != 1 for heading in self.columns.values()):
            return None
        return {key: headings.index(heading) for key, heading in self.columns.items()}

    def is_trailer(self, cells: Sequence[str], places: Mapping[str, int]) -> bool:
        """Whether this is the last line: its word stands in a cell, and no payment of ours is named."""
        if not self.trailer or LINE_ID.fullmatch(_at(cells, places["line_id"])):
            return False
        return any(cell.rstrip("：:") == self.trailer for cell in cells)


def parse_tables(value: object) -> list[ReturnTable]:
    """The tables that the setting names, one object or a list. Raises FormatError with what is wrong and allowed."""
    given = value if isinstance(value, list) else [value] if value else []
    return [_table(number, entry) for number, entry in enumerate(given, start=1)]


def _table(number: int, entry: Any) -> ReturnTable:
    where = f"回单列名表第{number}项"
    if not isinstance(entry, dict) or any(key not in _PARTS for key in entry):
        raise FormatError(f"{where}应为对象，可用：{'、'.join(_PARTS)}。")
    columns, results = entry.get("columns", {}), entry.get("results", {})
    if not _is_text_table(columns) or not _is_text_table(results) or not isinstance(entry.get("trailer", ""), str):
        raise FormatError(f"{where}的 columns、results 应为文字对文字，trailer 应为文字。")
    if unknown := [key for key in columns if key not in KEYS]:
        raise FormatError(f"{where}的 columns 没有“{unknown[0]}”，可用：{'、'.join(KEYS)}。")
    if missing := [key for key in _NEEDED if not columns.get(key)]:
        raise FormatError(f"{where}的 columns 缺少{'、'.join(missing)}。")
    if len(set(columns.values())) != len(columns):
        raise FormatError(f"{where}的 columns 有重复的列名，每个含义须各用一列。")
    if wrong := [word for word in results.values() if word and word not in RESULTS]:
        raise FormatError(f"{where}的 results 中“{wrong[0]}”无法识别，应为{'、'.join(RESULTS)}，或留空表示处理中。")
    if "成功" not in results.values():
        raise FormatError(f"{where}的 results 没有表示“成功”的词。")
    return ReturnTable(str(entry.get("name", number)), dict(columns), dict(results), entry.get("trailer", ""))


def _is_text_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for pair in value.items() for text in pair)


def translated(
    *, table: ReturnTable, places: Mapping[str, int], rows: Iterable[Sequence[str]], findings: Findings, trailer: str
) -> Iterator[list[str]]:
    """The rows below the headings in our order and words; the last line as ours, begun with `trailer`. A row that is
    not settled yet becomes an empty one, so that the rows keep their numbers, and is counted in the notes.
    """
    count = waiting = 0
    total = not_settled = money.ZERO
    for row in rows:
        cells = [flat(cell).strip(_QUOTES) for cell in row]
        if not any(cells):
            yield []
            continue
        if table.is_trailer(cells, places):
            # What it says of the sum stands under the amounts; a bank's count has no column of its own.
            said = _amount(cells, places)
            if said is None:
                findings.notes.append(f"“{table.name}”的合计行没有金额，无法核对；请以对账为准。")
            yield [trailer, str(count), str(total if said is None else said - not_settled)]
            continue
        word = _at(cells, places["result"])
        if table.results.get(word) == "":
            waiting += 1
            not_settled += _amount(cells, places) or money.ZERO
            yield []
            continue
        count += 1
        total += _amount(cells, places) or money.ZERO
        found = {key: _at(cells, place) for key, place in places.items()}
        found["result"] = table.results.get(word, word)
        found["day"] = _day(found["day"])
        yield [found.get(key, "") for key in KEYS]
    if waiting:
        findings.notes.append(f"有{waiting}笔银行尚在处理，未入账，等银行的下一份回单。")
    if not table.trailer:
        findings.notes.append(f"“{table.name}”的回单没有合计行，无法核对是否完整；请以对账为准。")


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _amount(cells: Sequence[str], places: Mapping[str, int]) -> Decimal | None:
    return amount_in(_at(cells, places["amount"]).replace(",", ""))


def _day(text: str) -> str:
    """A day as banks write it (20261221, 2026/12/21 09:30, 2026年12月21日), as we do; what is none stays."""
    found = next((match for pattern in _DAYS if (match := pattern.fullmatch(text))), None)
    return text if found is None else f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}"
