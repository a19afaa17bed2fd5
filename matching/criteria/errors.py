"""What is wrong with an input, and where: every mistake at once, never only the first."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: ``path`` is its place inside the value (``criteria.all.1.gte``; ``""`` is the whole),
    ``message`` says in Chinese what is wrong and what is allowed."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or '$'}: {self.message}"


class InvalidInput(ValueError):
    """An input that cannot be used; ``problems`` holds every mistake found, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Collector:
    """Gathers problems while a parser goes on reading."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, printable(message)))

    def include(self, more: Iterable[Problem]) -> None:
        """Adds the problems of places that have none yet: one mistake is told once."""
        told = {problem.path for problem in self.problems}
        self.problems += [problem for problem in more if problem.path not in told]

    def raise_if_any(self) -> None:
        if self.problems:
            raise InvalidInput(self.problems)

    def mapping(self, value: Any, path: str, what: str) -> dict[str, Any] | None:
        """``value`` if it is an object with text keys, else None and a problem."""
        if not isinstance(value, dict):
            self.add(path, f"{what}应是对象 {{…}}，现为 {shown(value)}")
            return None
        strange = [key for key in value if not isinstance(key, str)]
        for key in strange:
            self.add(path, f"{what}的键应是文本，现为 {shown(key)}")
        return None if strange else value

    def keys(self, value: dict[str, Any], path: str, *, allowed: Iterable[str], required: Iterable[str] = ()) -> None:
        """A problem for each key that is not allowed and each required one that is missing."""
        allowed = tuple(allowed)
        for key in value:
            if key not in allowed:
                self.add(join(path, key), f"没有这个键；可用：{'、'.join(allowed)}")
        for key in required:
            if key not in value:
                self.add(path, f"缺少键 {key}")

    def sequence(self, value: Any, path: str, what: str) -> list[Any] | None:
        if not isinstance(value, list | tuple):
            self.add(path, f"{what}应是列表 […]，现为 {shown(value)}")
            return None
        return list(value)

    def text(self, value: Any, path: str, what: str, *, empty: bool = False) -> str | None:
        if not isinstance(value, str):
            self.add(path, f"{what}应是文本，现为 {shown(value)}")
            return None
        if not value and not empty:
            self.add(path, f"{what}不能是空文本")
            return None
        return value

    def boolean(self, value: Any, path: str, what: str) -> bool | None:
        if not isinstance(value, bool):
            self.add(path, f"{what}应是 true 或 false，现为 {shown(value)}")
            return None
        return value

    def one_of(self, value: Any, path: str, what: str, allowed: Iterable[str]) -> str | None:
        allowed = tuple(allowed)
        if not isinstance(value, str) or value not in allowed:
            self.add(path, f"{what}应是 {'、'.join(allowed)} 之一，现为 {shown(value)}")
            return None
        return value


def join(path: str, key: str | int) -> str:
    """The place of ``key`` inside ``path``; a key that would blur the place is quoted."""
    step = str(key)
    if not step or len(step) > _LONGEST_SHOWN or not step.isprintable() or any(c in " .:" for c in step):
        step = shown(step)
    return f"{path}.{step}" if path else step


def shown(value: Any) -> str:
    """A value as JSON on one line for a message, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    text = printable(text)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def printable(text: str) -> str:
    """``text`` on one line that any terminal and UTF-8 can show: the rest is escaped."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
