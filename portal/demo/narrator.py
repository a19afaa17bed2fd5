"""Tells things on a terminal: chapters, dated lines, tables; widths counted as a terminal counts Chinese."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TextIO

from tqdm import tqdm

from disbursement.domain.calendar import shipped
from disbursement.domain.money import yuan
from matching.days import SHANGHAI

WIDTH = 100
_WHEN = 12  # "09-28 10:00" and a space
_WHO = 20
_TEXT = 2 + _WHEN + _WHO
_DAYS = "一二三四五六日"
# A line of Chinese must not end with the former, nor begin with one of the latter.
_NEVER_LAST = "“‘（《「"
_NEVER_FIRST = "，。；：、？！）》」』”’·…％%,.;:?!)"


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fit(text: str, columns: int, *, right: bool = False) -> str:
    """The text padded to so many columns."""
    gap = " " * max(columns - width(text), 0)
    return gap + text if right else text + gap


def shorten(text: str, columns: int) -> str:
    """The text cut to so many columns, with an ellipsis where something is left out."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if width(kept + character) > columns - 1:
            break
        kept += character
    return kept + "…"


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns; words of Latin letters and figures stay whole."""
    lines, line = [], ""
    for word in _words(text):
        # Two columns are kept for a full stop that would else begin the next line.
        if line and width(line + word) > columns - 2 and word[0] not in _NEVER_FIRST:
            lines.append(line.rstrip())
            line = word.lstrip()
        else:
            line += word
    return [*lines, line.rstrip()] if line else lines or [""]


def _words(text: str) -> Iterator[str]:
    word = opened = ""
    for character in text:
        if character in _NEVER_LAST:
            if word:
                yield opened + word
                word = opened = ""
            opened += character
            continue
        narrow = width(character) == 1 and not character.isspace()
        if narrow and len(word) < 60:
            word += character
            continue
        if word:
            yield opened + word
            opened = ""
        word = character if narrow else ""
        if not narrow:
            yield opened + character
            opened = ""
    if opened + word:
        yield opened + word


def day_words(day: date) -> str:
    """A day with its weekday, and a word where a weekend is worked to make up for a holiday."""
    made_up = "（调休上班）" if day in shipped().working_weekends else ""
    return f"{day.year}年{day.month}月{day.day}日 周{_DAYS[day.weekday()]}{made_up}"


def money(amount: Decimal) -> str:
    return f"{yuan(amount)} 元"


class Narrator:
    """Writes to `out`; progress goes to `err`, and only where that is a terminal."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._bright = out.isatty() and "NO_COLOR" not in os.environ
        self.chapters = 0

    def _put(self, text: str = "", style: str = "") -> None:
        self._out.write(f"\033[{style}m{text}\033[0m\n" if self._bright and style and text else f"{text}\n")
        self._out.flush()

    def title(self, text: str, note: str) -> None:
        self._put()
        self._put("═" * WIDTH, "36")
        self._put(f"  {text}", "1")
        for line in wrap(note, WIDTH - 4):
            self._put(f"  {line}", "2")
        self._put("═" * WIDTH, "36")

    def chapter(self, text: str, *, day: date, until: date | None = None) -> None:
        """A numbered chapter, with the days that it covers."""
        self.chapters += 1
        span = day_words(day) + ("" if until is None or until == day else f" 至 {until.month}月{until.day}日")
        head = f"第 {self.chapters} 章  {text}"
        self._put()
        self._put(fit(head, WIDTH - width(span)) + span, "1;36")
        self._put("─" * WIDTH, "36")

    def heading(self, text: str) -> None:
        self._put()
        self._put(f"  {text}", "1")

    def say(self, text: str, *, at: datetime | None = None, who: str = "") -> None:
        """One thing that happened: when, who, what. Without when and who it is a remark over the whole width."""
        if at is None and not who:
            for line in wrap(text, WIDTH - 2):
                self._put(f"  {line}")
            return
        when = "" if at is None else f"{at.astimezone(SHANGHAI):%m-%d %H:%M}"
        first, *rest = wrap(text, WIDTH - _TEXT)
        self._put(f"  {fit(when, _WHEN)}{fit(shorten(who, _WHO - 1), _WHO)}{first}")
        for line in rest:
            self._put(f"{' ' * _TEXT}{line}")

    def detail(self, text: str) -> None:
        """Something that belongs to the line above."""
        self._marked(text, mark="·", indent=_TEXT)

    def point(self, text: str, *, mark: str = "·", depth: int = 1, style: str = "") -> None:
        """One of a list, `depth` steps in."""
        self._marked(text, mark=mark, indent=2 + 2 * depth, style=style)

    def _marked(self, text: str, *, mark: str, indent: int, style: str = "") -> None:
        first, *rest = wrap(text, WIDTH - indent - 2)
        self._put(f"{' ' * indent}{mark} {first}", style)
        for line in rest:
            self._put(f"{' ' * indent}  {line}", style)

    def good(self, text: str) -> None:
        self.point(text, mark="✓", style="32")

    def bad(self, text: str) -> None:
        self.point(text, mark="✗", style="33")

    def note(self, text: str) -> None:
        for line in wrap(text, WIDTH - 4):
            self._put(f"  {line}", "2")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> None:
        """Columns as wide as they need; `right` are the numbers of those aligned to the right."""
        columns = [max(width(row[i]) for row in [head, *rows]) for i in range(len(head))]

        def laid(row: Sequence[str]) -> str:
            return "    " + "  ".join(fit(cell, columns[i], right=i in right) for i, cell in enumerate(row)).rstrip()

        self._put(laid(head), "2")
        self._put("    " + "─" * (sum(columns) + 2 * (len(columns) - 1)), "2")
        for row in rows:
            self._put(laid(row))

    def blank(self) -> None:
        self._put()

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[tqdm[Any]]:
        """A bar on the terminal while something takes long; nothing where nobody watches."""
        watched = self._err.isatty()
        bar: tqdm[Any] = tqdm(
            total=total, desc=f"  {label}", file=self._err, disable=not watched, leave=False, ncols=WIDTH
        )
        with bar:
            yield bar
