"""One line of an enterprise file, whatever the file's format, and what can be wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from matching.credit_code import BadCreditCode, parse_credit_code
from matching.criteria import Collector, InvalidInput, Problem, Vocabulary, parse_facts
from matching.criteria.errors import shown
from matching.files import LineProblem

LONGEST_ID = 100
LONGEST_NAME = 200
KEYS = ("id", "name", "credit_code", "facts")


class Unusable(ValueError):
    """The file as a whole cannot be read: wrong format, wrong encoding, wrong header, wrong column map."""

    def __init__(self, problems: list[LineProblem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True, slots=True)
class EnterpriseLine:
    """A line: good where `problems` is empty. An empty text stands for what the line does not say.

    `merged_years` are the yearly facts of which it gives single years, to be laid over those known.
    """

    number: int
    id: str = ""
    name: str = ""
    credit_code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    merged_years: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def check_line(
    number: int,
    body: Mapping[str, Any],
    vocabulary: Vocabulary,
    *,
    merged_years: frozenset[str] = frozenset(),
    places: Mapping[str, str] | None = None,
    before: tuple[Problem, ...] = (),
) -> EnterpriseLine:
    """The line of a JSON object with the keys `KEYS`. `places` names the columns from which its parts come; `before`
    are problems found on the way here."""
    problems = Collector()
    problems.keys(dict(body), "", allowed=KEYS)
    identifier = _text(body, "id", problems, LONGEST_ID)
    name = _text(body, "name", problems, LONGEST_NAME)
    code = _text(body, "credit_code", problems, 40)
    if code:
        try:
            code = parse_credit_code(code)
        except BadCreditCode as bad:
            problems.add("credit_code", str(bad))
    if not identifier and not code and not problems.problems and not before:
        problems.add("", "至少要有 id（编号）或 credit_code（统一社会信用代码）之一，才知道是哪家企业")
    facts = body.get("facts", {})
    try:
        parse_facts(facts, vocabulary)
    except InvalidInput as error:
        problems.problems.extend(error.problems)
    placed = tuple(Problem(_place(problem.path, places or {}), problem.message) for problem in problems.problems)
    if before or placed:
        return EnterpriseLine(number, problems=before + placed)
    return EnterpriseLine(number, identifier, name, code, facts, merged_years)


def _text(body: Mapping[str, Any], key: str, problems: Collector, longest: int) -> str:
    if key not in body:
        return ""
    value = body[key]
    if not isinstance(value, str):
        problems.add(key, f"应是文本，现为 {shown(value)}")
        return ""
    value = value.strip()
    if not value:
        problems.add(key, "不能是空文本；没有就不写这个键")
    elif len(value) > longest:
        problems.add(key, f"最多 {longest} 个字，现有 {len(value)} 个")
    elif not value.isprintable():
        problems.add(key, f"不能含控制字符，现为 {shown(value)}")
    return value


def _place(path: str, places: Mapping[str, str]) -> str:
    """The column from which a part of the line came, or its path."""
    step = path
    while step:
        if step in places:
            return places[step]
        step = step.rpartition(".")[0]
    return path
