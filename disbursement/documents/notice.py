"""What stands in a notice, apart from how it looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; `widths` are per cent of the page, `numeric` the columns set right."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int] = ()
    numeric: frozenset[int] = frozenset()

    @property
    def columns(self) -> list[tuple[int, bool]]:
        """(width, whether numeric) of each column."""
        widths = self.widths or [100 // len(self.head)] * len(self.head)
        return [(width, index in self.numeric) for index, width in enumerate(widths)]

    @property
    def cells(self) -> list[list[tuple[str, bool]]]:
        """Each row's cells as (text, whether numeric)."""
        return [[(text, index in self.numeric) for index, text in enumerate(row)] for row in self.rows]

    @property
    def is_crowded(self) -> bool:
        """Whether sums stand side by side: 10 亿元 to the cent fits a column of 17 % in smaller figures alone."""
        return len(self.numeric) > 2


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with paragraphs and, where there is one, a numbered list or a table."""

    heading: str = ""
    paragraphs: Sequence[str] = ()
    points: Sequence[str] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One official notice. `issued_on` is a day in Asia/Shanghai."""

    title: str
    number: str
    district: str
    issuer: str
    recipient: str
    issued_on: date
    verify_url: str
    opening: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    sections: Sequence[Section] = ()
    closing: Sequence[str] = ()
    contact: str = ""
    signatures: Sequence[tuple[str, str]] = field(default=())
    # Not numbered, not kept: nothing to verify.
    is_working_paper: bool = False

    @property
    def chinese_date(self) -> str:
        return f"{self.issued_on.year}年{self.issued_on.month}月{self.issued_on.day}日"

    @property
    def fact_rows(self) -> list[list[tuple[str, str]]]:
        """The facts two to a line; a long one has the line to itself."""
        rows: list[list[tuple[str, str]]] = []
        for fact in self.facts:
            short = len(fact[1]) <= 16
            if rows and short and len(rows[-1]) == 1 and len(rows[-1][0][1]) <= 16:
                rows[-1].append(fact)
            else:
                rows.append([fact])
        return rows
