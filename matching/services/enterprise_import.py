"""Enterprises and their facts from a file, into the database in one transaction: all of it, or nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from matching.chunks import chunks
from matching.criteria import Problem, Vocabulary
from matching.importers.lines import EnterpriseLine
from matching.models import Enterprise
from matching.services.facts import NewFact, store_checked

_CHUNK = 500

Report = Callable[[int, Problem], None]


@dataclass(slots=True)
class ImportResult:
    """What an import did, or, in a rehearsal, would do. `bad` counts lines, not problems."""

    lines: int = 0
    bad: int = 0
    registered: int = 0
    renamed: int = 0
    facts: int = 0
    changed: int = 0
    committed: bool = False


@dataclass(slots=True)
class _Seen:
    """What earlier lines of the file took, and on which line."""

    ids: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    enterprises: dict[int, int] = field(default_factory=dict)


class _Rehearsed(Exception):
    """Raised to take back what was written."""


def import_enterprises(
    *,
    lines: Iterable[EnterpriseLine],
    vocabulary: Vocabulary,
    source: str,
    valid_on: date,
    now: datetime,
    on_problem: Report,
    skip_bad: bool = False,
    rehearse: bool = False,
    recorded_by: AbstractBaseUser | None = None,
) -> ImportResult:
    """Register the enterprises of a file, or recognise them by credit code or id, and record their facts.

    `valid_on` (Asia/Shanghai) is the day from which the facts hold, `source` where they come from. Every problem is
    handed to `on_problem(line, problem)` as it is found. With a bad line nothing is written, unless `skip_bad`; with
    `rehearse` nothing is written in any case. The same file again changes nothing.
    """
    result = ImportResult()
    seen = _Seen()
    try:
        with transaction.atomic():
            for piece in chunks(lines, _CHUNK):
                result.lines += len(piece)
                good = _resolve(piece, seen, result, on_problem)
                # After a bad line nothing will be written, but the rest is still looked at.
                if not result.bad or skip_bad:
                    _register(good, now=now, result=result)
                    recorded = store_checked(
                        facts=[
                            NewFact(enterprise.pk, key, value, source, valid_on, merge_years=key in line.merged_years)
                            for line, enterprise in good
                            for key, value in line.facts.items()
                        ],
                        vocabulary=vocabulary,
                        now=now,
                        recorded_by=recorded_by,
                        also_refresh=[enterprise.pk for _line, enterprise in good],
                    )
                    result.facts += recorded.rows
                    result.changed += len(recorded.changed)
            if rehearse or (result.bad and not skip_bad):
                raise _Rehearsed
        result.committed = True
    except _Rehearsed:
        pass
    return result


def _resolve(
    piece: Sequence[EnterpriseLine], seen: _Seen, result: ImportResult, on_problem: Report
) -> list[tuple[EnterpriseLine, Enterprise]]:
    """Each good line with its enterprise, registered or (without a key) to be registered."""
    sound = [line for line in piece if not line.problems]
    names = {line.id for line in sound if line.id} | {line.credit_code for line in sound if line.credit_code}
    by_id = {enterprise.external_id: enterprise for enterprise in Enterprise.objects.filter(external_id__in=names)}
    by_code = {enterprise.credit_code: enterprise for enterprise in Enterprise.objects.filter(credit_code__in=names)}
    good = []
    for line in piece:
        problems = list(line.problems)
        enterprise = None
        if not problems:
            enterprise = _recognise(line, by_id, by_code, problems)
            problems += _taken_before(line, enterprise, seen)
        if problems:
            result.bad += 1
            for problem in problems:
                on_problem(line.number, problem)
        elif enterprise is not None:
            good.append((line, enterprise))
    return good


def _recognise(
    line: EnterpriseLine, by_id: dict[str, Enterprise], by_code: dict[str, Enterprise], problems: list[Problem]
) -> Enterprise | None:
    named = by_id.get(line.id) if line.id else None
    coded = by_code.get(line.credit_code) if line.credit_code else None
    if named is not None:
        if line.credit_code and named.credit_code != line.credit_code:
            message = _("编号 %(id)s 已登记为 %(name)s（%(code)s），与本行的统一社会信用代码不同")
            problems.append(
                Problem("id", message % {"id": line.id, "name": named.name, "code": named.credit_code}),
            )
        return named
    if coded is not None:
        # An enterprise that came without an id so far goes by its credit code, and may still be given one.
        if line.id and coded.external_id != coded.credit_code:
            message = _("统一社会信用代码 %(code)s 已以编号 %(id)s 登记；同一企业不能有两个编号")
            problems.append(Problem("id", message % {"code": coded.credit_code, "id": coded.external_id}))
        return coded
    if not line.credit_code:
        message = _("缺少统一社会信用代码：编号 %(id)s 尚未登记，首次导入须同时给出")
        problems.append(Problem("credit_code", message % {"id": line.id}))
    if not line.name:
        problems.append(Problem("name", _("缺少企业名称：该企业尚未登记，首次导入须同时给出")))
    if not line.id and line.credit_code in by_id:
        message = _("%(code)s 已被另一家企业用作编号，请在本行另给编号")
        problems.append(Problem("id", message % {"code": line.credit_code}))
    return Enterprise(credit_code=line.credit_code, name=line.name, external_id=line.id or line.credit_code)


def _taken_before(line: EnterpriseLine, enterprise: Enterprise | None, seen: _Seen) -> list[Problem]:
    """Problems of a line whose id or enterprise stood on an earlier line of the file."""
    found = []
    for key, value, taken in (("id", line.id, seen.ids), ("credit_code", line.credit_code, seen.codes)):
        if value and taken.setdefault(value, line.number) != line.number:
            message = _("%(value)s 与第 %(line)s 行重复；每家企业在文件中只能有一行")
            found.append(Problem(key, message % {"value": value, "line": taken[value]}))
    if not found and enterprise is not None and enterprise.pk:
        first = seen.enterprises.setdefault(enterprise.pk, line.number)
        if first != line.number:
            message = _("与第 %(line)s 行是同一家企业 %(name)s；每家企业在文件中只能有一行")
            found.append(Problem("", message % {"line": first, "name": enterprise.name}))
    return found


def _register(good: Sequence[tuple[EnterpriseLine, Enterprise]], *, now: datetime, result: ImportResult) -> None:
    """Make the new enterprises, and take over new names and ids of known ones."""
    new: list[Enterprise] = []
    renamed: list[Enterprise] = []
    for line, enterprise in good:
        if enterprise.pk is None:
            enterprise.created_at = now
            new.append(enterprise)
            continue
        external_id, name = line.id or enterprise.external_id, line.name or enterprise.name
        if (external_id, name) != (enterprise.external_id, enterprise.name):
            enterprise.external_id, enterprise.name = external_id, name
            renamed.append(enterprise)
    Enterprise.objects.bulk_create(new)
    Enterprise.objects.bulk_update(renamed, ["external_id", "name"], batch_size=200)
    result.registered += len(new)
    result.renamed += len(renamed)
