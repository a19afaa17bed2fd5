"""Builds the demo district: tables, vocabulary, departments and budgets, officials, enterprises, the first accounts."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from cms.services.importing import import_policies
from disbursement.ledger.posting import sync_ceiling
from matching.importers.files import EnterpriseFile
from matching.models import Enterprise
from matching.registry import outbox
from matching.registry.models import BudgetLine
from matching.services.enterprise_import import import_enterprises
from matching.services.vocabulary import current_vocabulary, ensure_default
from portal.accounts.models import User
from portal.demo import accounts, enterprises, policies
from portal.demo.enterprises import BOUNCED, CREDIT_FALLER, PROTAGONIST
from portal.demo.narrator import Narrator
from portal.demo.story import acts
from portal.demo.story.stage import Stage, StoryBroken, deliver, enterprise
from portal.demo.story.timeline import at
from portal.migrating import migrate_empty_database

# What the district has before its policies are published.
_BEFORE = ("department", "budget_line")


def is_empty() -> bool:
    """Whether the database holds nobody and nothing yet: the demo is never laid over anything."""
    return not (User.objects.exists() or Enterprise.objects.exists())


def make_tables(*, narrator: Narrator) -> None:
    with narrator.progress("建立数据库"):
        migrate_empty_database()


def build(*, stage: Stage, narrator: Narrator, folder: Path) -> None:
    """Everything that is there on the eve of the publication; files that were imported stay in `folder`."""
    eve = stage.time.before(stage.time.published, 1)
    now = at(eve, 9)
    with narrator.progress("建立演示区", total=4) as bar:
        ensure_default(now=now)
        import_lines(stage=stage, folder=folder, kinds=_BEFORE, name="演示部门与预算.jsonl", now=now)
        accounts.open_staff()
        bar.update()
        with outbox.quiet():
            _appropriate(now)
            bar.update()
            _import_enterprises(stage=stage, folder=folder, now=now)
            bar.update()
            _open_accounts(stage=stage, now=at(eve, 14))
            deliver(now=at(eve, 18))
            bar.update()


def publish(*, stage: Stage, folder: Path, now: datetime) -> None:
    """The policy officer imports the documents, items and readings, published."""
    rest = ("document", "item", "reading")
    import_lines(stage=stage, folder=folder, kinds=rest, name="演示政策.jsonl", now=now)


def import_lines(
    *, stage: Stage, folder: Path, kinds: tuple[str, ...], name: str, now: datetime, publish: bool = True
) -> None:
    """Write the lines of these kinds to a file and import it as any other."""
    lines = [line for line in policies.import_lines(stage.time.published) if line.get("kind", "item") in kinds]
    import_objects(lines=lines, folder=folder, name=name, now=now, publish=publish)


def import_objects(*, lines: list[dict[str, Any]], folder: Path, name: str, now: datetime, publish: bool) -> None:
    """Import policy lines from a file written for it. Raises StoryBroken with the first mistakes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    report = import_policies(
        lines=path.read_bytes().splitlines(keepends=True),
        file=name,
        district=settings.HUIDA_DISTRICT,
        publish=publish,
        now=now,
    )
    if report.problems:
        raise StoryBroken("\n".join(str(problem) for problem in report.problems[:5]))


def _appropriate(now: datetime) -> None:
    """The budget of each line is laid down in the ledger."""
    from django.db import transaction

    for line in BudgetLine.objects.filter(year=now.year).order_by("code"):
        with transaction.atomic():
            sync_ceiling(line=line, now=now)


def _import_enterprises(*, stage: Stage, folder: Path, now: datetime) -> None:
    path = folder / "演示企业.jsonl"
    enterprises.write_enterprises(path, enterprises.generate(as_of=stage.time.published))
    vocabulary = current_vocabulary()
    problems: list[str] = []
    result = import_enterprises(
        lines=EnterpriseFile(path, vocabulary, None),
        vocabulary=vocabulary,
        source="数据共享交换平台",
        valid_on=now.date(),
        now=now,
        on_problem=lambda line, problem: problems.append(f"第 {line} 行：{problem}"),
    )
    if not result.committed:
        raise StoryBroken("\n".join(problems[:5]))


def _open_accounts(*, stage: Stage, now: datetime) -> None:
    """Those whom the story follows can sign in and be paid. The protagonist has its agent as well."""
    accounts.open_enterprise(enterprise=enterprise(PROTAGONIST), now=now, username=accounts.LEGAL, full_name="何法人")
    accounts.authorise_agent(enterprise=enterprise(PROTAGONIST), now=now)
    for external_id in (CREDIT_FALLER, BOUNCED):
        accounts.open_enterprise(enterprise=enterprise(external_id), now=now)
    for external_id in (PROTAGONIST, CREDIT_FALLER, BOUNCED):
        acts.give_account(stage=stage, external_id=external_id, now=now)
