"""Strict JSON: a doubled key, a float, NaN or a broken character is an error with its place, never a silent choice."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import Collector, InvalidInput, Problem, join, shown

# An integer longer than this is wrong in any case (15 significant digits) and slow to convert.
_LONGEST_INTEGER = 40

# What the standard library says of a broken JSON text, in the words of the people who read our messages.
_REASONS = {
    "Expecting value": "应是一个值（对象、列表、加引号的文本、数字、true 或 false）",
    "Expecting property name enclosed in double quotes": "应是加英文双引号的键（最后一项之后不能再有逗号）",
    "Illegal trailing comma before end of object": "多了一个逗号",
    "Illegal trailing comma before end of array": "多了一个逗号",
    "Expecting ':' delimiter": "缺少英文冒号",
    "Expecting ',' delimiter": "缺少英文逗号或右括号",
    "Extra data": "之后有多余的内容；每行只能有一个对象",
    "Unterminated string starting at": "开始的文本没有结束，缺少右引号",
    "Invalid control character at": "的文本含有控制字符（如换行、制表符），应写成转义形式",
    "Invalid \\escape": "的反斜杠转义无效",
    "Invalid \\uXXXX escape": "的 \\u 转义无效，应是四位十六进制数字",
}


class Unreadable:
    """Stands where JSON held a number that this language does not take: ``1.5``, ``1e3``, ``NaN``."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text if len(self.text) <= _LONGEST_INTEGER else self.text[:_LONGEST_INTEGER] + "…"


class FlawedJson(InvalidInput):
    """JSON that could be read but not taken as it is. ``value`` is what it held, for finding further mistakes."""

    def __init__(self, problems: Iterable[Problem], value: Any) -> None:
        super().__init__(problems)
        self.value = value


class _DoubledKeys(dict[str, Any]):
    """An object some of whose keys stand twice; the later value is kept only for reading on."""

    doubled: tuple[str, ...] = ()


def load_json(text: str | bytes, path: str = "") -> Any:
    """The value of a JSON text (bytes: UTF-8).

    Raises InvalidInput with every mistake and its place below ``path``; FlawedJson where the text can be read on.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput([Problem(path, f"不是 UTF-8 编码：第 {error.start + 1} 个字节无法解读")]) from None
    suspects: list[Any] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        body = dict(items)
        if len(body) == len(items):
            return body
        marked = _DoubledKeys(body)
        seen: set[str] = set()
        marked.doubled = tuple(dict.fromkeys(key for key, _ in items if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
        suspects.append(marked)
        return marked

    def unreadable(literal: str) -> Unreadable:
        number = Unreadable(literal)
        suspects.append(number)
        return number

    def integer(literal: str) -> int | Unreadable:
        return int(literal) if len(literal) <= _LONGEST_INTEGER else unreadable(literal)

    try:
        value = json.loads(
            text, object_pairs_hook=pairs, parse_float=unreadable, parse_constant=unreadable, parse_int=integer
        )
    except json.JSONDecodeError as error:
        where = f"第 {error.lineno} 行第 {error.colno} 个字符" if error.lineno > 1 else f"第 {error.colno} 个字符"
        raise InvalidInput([Problem(path, f"不是合法的 JSON：{where}处{_why(error.msg)}")]) from None
    except RecursionError:
        raise InvalidInput([Problem(path, "JSON 嵌套过深；条件最多 32 层")]) from None
    # A lone surrogate has no UTF-8: it could be read here, but never written again.
    if suspects or "\\ud" in text or "\\uD" in text:
        problems = Collector()
        _find(value, path, problems)
        if problems.problems:
            raise FlawedJson(problems.problems, value)
    return value


def _find(value: Any, path: str, problems: Collector) -> None:
    """Names the place of each doubled key, unreadable number and broken character."""
    if isinstance(value, Unreadable):
        problems.add(path, f'数字应是整数或十进制文本（如 "12.50"，最多 15 位有效数字），不能写成 {value!r}')
    elif isinstance(value, str):
        if _is_broken(value):
            problems.add(path, f"文本 {shown(value)} 含有不成对的代理字符，不能写成 UTF-8")
    elif isinstance(value, dict):
        for key in getattr(value, "doubled", ()):
            problems.add(join(path, key), f"键 {shown(key)} 重复；每个键只能出现一次")
        for key, member in value.items():
            if _is_broken(key):
                problems.add(path, f"键 {shown(key)} 含有不成对的代理字符，不能写成 UTF-8")
            _find(member, join(path, key), problems)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _find(member, join(path, index), problems)


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def read_json_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, Any | InvalidInput]]:
    """(line number from 1, value or what is wrong with it) of each line of a JSONL file opened in binary mode.

    Blank lines are skipped but counted; a byte order mark before the first line is passed over.
    """
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        text = text.strip(b" \t\r\n")
        if not text:
            continue
        try:
            yield number, load_json(text)
        except InvalidInput as error:
            yield number, error


def _why(message: str) -> str:
    """The reason in Chinese; one that is not on the list stays as it is."""
    return next((reason for start, reason in _REASONS.items() if message.startswith(start)), f" {message}")
