"""The matching files, read strictly and written whole: P.jsonl, E.jsonl, a vocabulary, M.jsonl. No framework here.

Reading never stops at the first mistake: what comes back holds every good line, and every problem with its file, line
and place. It is the caller who decides whether bad lines may be left out. Writing is all or nothing: the lines go to a
file beside the target, which takes its name only when everything is on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from matching.criteria import Facts, InvalidInput, Node, Vocabulary, parse_facts, parse_vocabulary
from matching.criteria.award import Award, parse_award
from matching.criteria.errors import Collector, join, shown
from matching.criteria.jsontext import FlawedJson, load_json, read_json_lines
from matching.criteria.parse import parse_criteria
from matching.criteria.values import read_date

__all__ = [
    "EnterpriseLine",
    "LineProblem",
    "PolicyLine",
    "Read",
    "Window",
    "parse_window",
    "read_enterprises",
    "read_policies",
    "read_vocabulary",
    "why_not",
    "write_lines",
]

AwardUse = Literal["optional", "required"]
Watch = Callable[[list[bytes]], Iterable[bytes]]


@dataclass(frozen=True, slots=True, order=True)
class LineProblem:
    """One mistake in a file. ``line`` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path or '$'}: {self.message}"


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which a policy is listed, both included; None is an open end."""

    first: date | None = None
    last: date | None = None

    def contains(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A line of P.jsonl."""

    id: str
    criteria: Node
    window: Window = ALWAYS
    award: Award | None = None


@dataclass(frozen=True, slots=True)
class EnterpriseLine:
    """A line of E.jsonl."""

    id: str
    facts: Facts


Row = TypeVar("Row")
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Read(Generic[Row]):
    """What a file held: the good rows in the order of the file, and every problem. ``bad_lines`` counts lines.

    ``usable`` is False where the file itself could not be read, so that leaving bad lines out is no way on.
    """

    rows: tuple[Row, ...]
    problems: tuple[LineProblem, ...]
    bad_lines: int = 0
    usable: bool = True


def read_vocabulary(path: Path) -> tuple[Vocabulary | None, tuple[LineProblem, ...]]:
    """The vocabulary of a file, or None and every problem."""
    file = str(path)
    content, problems = _content(path)
    if content is None:
        return None, problems
    found = Collector()
    try:
        try:
            value = load_json(content.removeprefix(BOM_UTF8))
        except FlawedJson as error:
            # A doubled key hides no other mistake.
            found.include(error.problems)
            value = error.value
        vocabulary = parse_vocabulary(value)
    except InvalidInput as error:
        found.include(error.problems)
    if found.problems:
        return None, tuple(LineProblem(file, 1, problem.path, problem.message) for problem in found.problems)
    return vocabulary, ()


def read_policies(
    path: Path, *, vocabulary: Vocabulary, award: AwardUse = "optional", watch: Watch | None = None
) -> Read[PolicyLine]:
    """The policies of a P.jsonl. An award is always checked; ``required`` makes a line without one wrong.

    ``watch`` wraps the raw lines while they are read, for a progress bar.
    """

    def parse(body: dict[str, Any], problems: Collector) -> PolicyLine:
        required = ("id", "criteria", "award") if award == "required" else ("id", "criteria")
        problems.keys(body, "", allowed=("id", "criteria", "window", "award"), required=required)
        criteria = _part(body, "criteria", problems, lambda data: parse_criteria(data, vocabulary, "criteria"))
        paid = _part(body, "award", problems, lambda data: parse_award(data, vocabulary, "award"))
        window = _part(body, "window", problems, lambda data: parse_window(data, "window"))
        problems.raise_if_any()
        assert criteria is not None
        return PolicyLine(body["id"], criteria, window or ALWAYS, paid)

    return _read_lines(path, parse, watch)


def read_enterprises(path: Path, *, vocabulary: Vocabulary, watch: Watch | None = None) -> Read[EnterpriseLine]:
    """The enterprises of an E.jsonl, with enterprise and application facts alike."""

    def parse(body: dict[str, Any], problems: Collector) -> EnterpriseLine:
        problems.keys(body, "", allowed=("id", "facts"), required=("id", "facts"))
        facts = _part(body, "facts", problems, lambda data: parse_facts(data, vocabulary, "facts"))
        problems.raise_if_any()
        assert facts is not None
        return EnterpriseLine(body["id"], facts)

    return _read_lines(path, parse, watch)


def parse_window(data: Any, path: str = "window") -> Window:
    """``{"from": …, "until": …}``, either end or both may be missing. Raises InvalidInput."""
    problems = Collector()
    ends: dict[str, date | None] = {}
    body = problems.mapping(data, path, "受理期")
    if body is not None:
        problems.keys(body, path, allowed=("from", "until"))
        ends = {key: read_date(body[key], join(path, key), problems) for key in ("from", "until") if key in body}
    first, last = ends.get("from"), ends.get("until")
    if first is not None and last is not None and last < first:
        problems.add(join(path, "until"), f"until（{last}）不能早于 from（{first}）")
    problems.raise_if_any()
    return Window(first, last)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes the lines (each with its LF) as UTF-8, all or nothing: ``path`` changes only when all are on the disk."""
    if path.parent == Path("/dev") or (path.exists() and not path.is_file()):
        with open(path, "w", encoding="utf-8", newline="") as stream:  # a device or a pipe has no name to take
            stream.writelines(lines)
        return
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with open(beside, "x", encoding="utf-8", newline="") as target:
            target.writelines(lines)
            target.flush()
            os.fsync(target.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        raise


def why_not(error: OSError) -> str:
    """Why a file could not be read or written, in Chinese."""
    if isinstance(error, FileNotFoundError):
        return "文件或目录不存在"
    if isinstance(error, IsADirectoryError):
        return "这是一个目录，不是文件"
    if isinstance(error, NotADirectoryError):
        return "路径中有一段不是目录"
    if isinstance(error, PermissionError):
        return "没有权限"
    return {errno.ENOSPC: "磁盘已满", errno.EROFS: "文件系统只读"}.get(error.errno or 0, str(error.strerror))


def _content(path: Path) -> tuple[bytes | None, tuple[LineProblem, ...]]:
    try:
        return path.read_bytes(), ()
    except OSError as error:
        return None, (LineProblem(str(path), 0, "", f"读不到文件：{why_not(error)}；请检查路径和权限"),)


def _read_lines(path: Path, parse: Callable[[dict[str, Any], Collector], Row], watch: Watch | None) -> Read[Row]:
    content, unreadable = _content(path)
    if content is None:
        return Read((), unreadable, usable=False)
    file = str(path)
    rows: list[Row] = []
    problems: list[LineProblem] = []
    first_seen: dict[str, int] = {}
    bad_lines = 0
    lines = content.split(b"\n")
    for number, value in read_json_lines(lines if watch is None else watch(lines)):
        found = Collector()
        if isinstance(value, InvalidInput):
            found.problems += value.problems
            if isinstance(value, FlawedJson):
                # A doubled key hides no other mistake of its line.
                further = Collector()
                _parse_line(value.value, further, number, first_seen, parse)
                found.include(further.problems)
        else:
            row = _parse_line(value, found, number, first_seen, parse)
            if row is not None:
                rows.append(row)
                continue
        bad_lines += 1
        problems += [LineProblem(file, number, problem.path, problem.message) for problem in found.problems]
    return Read(tuple(rows), tuple(problems), bad_lines)


def _parse_line(
    value: Any,
    problems: Collector,
    number: int,
    first_seen: dict[str, int],
    parse: Callable[[dict[str, Any], Collector], Row],
) -> Row | None:
    """The row of a line, or None and at least one problem. A repeated id is wrong in the later line."""
    body = problems.mapping(value, "", "每行")
    if body is None:
        return None
    if "id" in body:
        identity = problems.text(body["id"], "id", "id ")
        if identity is not None and identity in first_seen:
            problems.add("id", f"id {shown(identity)} 在第 {first_seen[identity]} 行已出现过；每个 id 只能出现一次")
        elif identity is not None:
            first_seen[identity] = number
    try:
        row = parse(body, problems)
    except InvalidInput:
        return None  # parse gathers into problems and raises only after that
    return row


def _part(body: dict[str, Any], key: str, problems: Collector, parse: Callable[[Any], Part]) -> Part | None:
    """One part of a line by the parser it has elsewhere, its problems gathered with the line's."""
    if key not in body:
        return None
    try:
        return parse(body[key])
    except InvalidInput as error:
        problems.problems.extend(error.problems)
        return None
