"""What ``match`` and ``estimate`` share: arguments, reading P, E and the vocabulary, telling every mistake, writing.

Exit codes: 0; 2 with every mistake on standard error, one a line, and nothing written.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from matching.backends import BACKENDS, BackendUnavailable, Listed, Match, MatcherBackend, create_backend
from matching.criteria import Collector, Vocabulary
from matching.criteria.values import read_date
from matching.files import (
    AwardUse,
    EnterpriseLine,
    LineProblem,
    PolicyLine,
    read_enterprises,
    read_policies,
    read_vocabulary,
    why_not,
    write_lines,
)
from matching.vocabulary import load_default

Member = TypeVar("Member")

WRONG_INPUT = 2


@dataclass(frozen=True, slots=True)
class Inputs:
    """Policies listed as of the day and enterprises, both sorted by id (code point order)."""

    policies: tuple[PolicyLine, ...]
    enterprises: tuple[EnterpriseLine, ...]
    vocabulary: Vocabulary
    as_of: date


class FileCommand(BaseCommand):
    """Reads P.jsonl and E.jsonl, judges them as of a day, writes one file. Touches no database."""

    requires_system_checks = ()
    award: AwardUse = "optional"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--policies", required=True, type=Path, metavar="P.jsonl", help="政策，每行一条")
        parser.add_argument("--enterprises", required=True, type=Path, metavar="E.jsonl", help="企业，每行一家")
        parser.add_argument("--as-of", required=True, type=_day, metavar="YYYY-MM-DD", help="以哪一天为准")
        parser.add_argument("--vocabulary", type=Path, metavar="V.json", help="词表文件；不写则用默认词表")
        parser.add_argument(
            "--backend", choices=sorted(BACKENDS), default="memory", help="匹配引擎，结果逐字节相同（默认 memory）"
        )
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="写到哪个文件")
        parser.add_argument("--skip-bad", action="store_true", help="列出并略过有错的行，其余照写，退出码为 0")

    def handle(self, *args: Any, **options: Any) -> None:
        with _no_collecting():
            inputs = self.read(options)
            try:
                with closing(create_backend(options["backend"])) as backend:
                    backend.put(Listed(policy.id, policy.criteria) for policy in inputs.policies)
                    self.write(options["out"], self.lines(inputs, backend, options))
            except BackendUnavailable as error:
                self.refuse(f"--backend {options['backend']}: {error}；没有写出任何文件")

    def lines(self, inputs: Inputs, backend: MatcherBackend, options: dict[str, Any]) -> Iterable[str]:
        """The lines to write, each with its LF, in their final order. The backend holds the policies."""
        raise NotImplementedError

    def matched(
        self, inputs: Inputs, backend: MatcherBackend, *, near: int, what: str
    ) -> Iterator[tuple[EnterpriseLine, list[Match]]]:
        """Each enterprise with what comes up for it, in order, behind a progress bar."""
        profiles = ((enterprise.id, enterprise.facts) for enterprise in inputs.enterprises)
        found = backend.match_many(profiles, as_of=inputs.as_of, near=near)
        both = zip(inputs.enterprises, found, strict=True)
        for enterprise, (_, matches) in self.progress(both, total=len(inputs.enterprises), what=what, unit=" 家"):
            yield enterprise, matches

    def read(self, options: dict[str, Any]) -> Inputs:
        """Everything read and checked; refuses with every mistake unless bad lines may be skipped."""
        vocabulary, problems = self._vocabulary(options["vocabulary"])
        if vocabulary is None:
            self._tell(problems)
            self.refuse(f"词表有 {len(problems)} 处错误，没有写出任何文件")
            raise AssertionError
        policies = read_policies(
            options["policies"], vocabulary=vocabulary, award=self.award, watch=self._bar("读取政策", " 行")
        )
        enterprises = read_enterprises(
            options["enterprises"], vocabulary=vocabulary, watch=self._bar("读取企业", " 行")
        )
        problems = policies.problems + enterprises.problems
        self._tell(problems)
        bad_lines = policies.bad_lines + enterprises.bad_lines
        if not (policies.usable and enterprises.usable):
            self.refuse("有文件读不到，没有写出任何文件")
        if problems and not options["skip_bad"]:
            self.refuse(
                f"共 {bad_lines} 行有错，{len(problems)} 处；没有写出任何文件。改正后重试，或加 --skip-bad 略过这些行"
            )
        if problems:
            self.stderr.write(f"已略过有错的 {bad_lines} 行（{len(problems)} 处错误）")
        as_of: date = options["as_of"]
        listed = (policy for policy in policies.rows if policy.window.contains(as_of))
        return Inputs(
            policies=tuple(sorted(listed, key=lambda policy: policy.id)),
            enterprises=tuple(sorted(enterprises.rows, key=lambda enterprise: enterprise.id)),
            vocabulary=vocabulary,
            as_of=as_of,
        )

    def write(self, out: Path, lines: Iterable[str]) -> None:
        try:
            write_lines(out, lines)
        except OSError as error:
            self.refuse(f"{out}:0: $: 写不出文件：{why_not(error)}；请检查目录是否存在、是否可写")

    def refuse(self, message: str) -> None:
        """Says why on standard error and ends with exit code 2."""
        self.stderr.write(message)
        raise SystemExit(WRONG_INPUT)

    def progress(self, members: Iterable[Member], *, total: int, what: str, unit: str) -> Iterable[Member]:
        """The members behind a progress bar, which shows on a terminal only."""
        return tqdm(members, total=total, desc=what, unit=unit, disable=None, leave=False)

    def _bar(self, what: str, unit: str) -> Callable[[list[bytes]], Iterable[bytes]]:
        return lambda lines: self.progress(lines, total=len(lines), what=what, unit=unit)

    def _vocabulary(self, path: Path | None) -> tuple[Vocabulary | None, tuple[LineProblem, ...]]:
        return (load_default(), ()) if path is None else read_vocabulary(path)

    def _tell(self, problems: Iterable[LineProblem]) -> None:
        for problem in problems:
            self.stderr.write(str(problem))


@contextlib.contextmanager
def _no_collecting() -> Iterator[None]:
    """Millions of small lasting objects and no cycles: looking for garbage among them costs a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _day(text: str) -> date:
    problems = Collector()
    day = read_date(text, "--as-of", problems)
    if day is None:
        raise argparse.ArgumentTypeError(problems.problems[0].message)
    return day
