"""Bulk import of a policy file, all or nothing unless bad lines may be skipped."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from cms.importers.lines import read_policy_lines
from cms.importers.pages import Refused, Writer
from cms.services.setup import setup_cms
from matching.files import LineProblem
from matching.services.vocabulary import current_vocabulary, ensure_default

ORDER = ("department", "budget_line", "document", "item", "reading")


@dataclass(slots=True)
class ImportReport:
    """What an import did: how many of each kind changed, how many were so already, and every mistake."""

    written: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    problems: list[LineProblem] = field(default_factory=list)
    kept: bool = False

    @property
    def bad_lines(self) -> int:
        return len({problem.line for problem in self.problems})


class _TakeBack(Exception):
    """Rolls the import back; the report is what is left of it."""


def import_policies(
    *,
    lines: Iterable[bytes],
    file: str,
    district: str,
    publish: bool,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
) -> ImportReport:
    """Read and write a policy file (docs/import-formats.md).

    `lines` are the bytes of its lines, `file` its name in messages, `district` names the site where there is none yet,
    `now` (aware) dates what is published. Unless `skip_bad`, nothing is written when a line is wrong.
    """
    report = ImportReport()
    try:
        with transaction.atomic():
            ensure_default(now=now)
            _write_all(report=report, lines=lines, file=file, district=district, publish=publish, now=now)
            if dry_run or (report.problems and not skip_bad):
                raise _TakeBack
            report.kept = True
    except _TakeBack:
        pass
    report.problems.sort()
    return report


def _write_all(
    *, report: ImportReport, lines: Iterable[bytes], file: str, district: str, publish: bool, now: datetime
) -> None:
    found = read_policy_lines(lines, file=file, vocabulary=current_vocabulary())
    report.problems.extend(found.problems)
    writer = Writer(library=setup_cms(district=district), publish=publish, now=now)
    for line in sorted(found.lines, key=lambda line: (ORDER.index(line.kind), line.number)):
        counts = dict(writer.written), writer.unchanged
        try:
            with transaction.atomic():
                writer.write(line)
        except Refused as refused:
            writer.written, writer.unchanged = counts
            report.problems.extend(LineProblem(file, line.number, path, message) for path, message in refused.problems)
    report.written, report.unchanged = writer.written, writer.unchanged
