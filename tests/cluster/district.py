"""A district large enough that indexing and telling it takes a while, put into the database by statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench import generate
from matching.chunks import chunks
from matching.models import Enterprise, PolicyItem, PolicyVersion, Profile
from matching.registry.models import Department
from matching.services import publish, vocabulary
from tests.factories.matching import NOW, TODAY, credit_code_of

FIRST = 500_000
"""Numbers of enterprises made here begin after it, so that other factories' do not meet them."""


def settle() -> None:
    """The benchmark's vocabulary in force, and a department that owns everything."""
    vocabulary.activate(data=generate.vocabulary(), note="测试词表", now=NOW)
    Department.objects.get_or_create(code="kjj", defaults={"name": "科技局"})


def list_items(count: int, *, seed: int = 1) -> list[int]:
    """Items with criteria like a city's, listed; returns the ids of their versions. Nobody is told."""
    made = []
    department = Department.objects.get(code="kjj")
    revision = vocabulary.ensure_default(now=NOW)
    lines = generate.policies(count, seed=seed, kind="windows")
    for piece in chunks(lines, 1000):
        items = PolicyItem.objects.bulk_create(
            [
                PolicyItem(code=f"s{seed}-{line['id']}", name=f"事项 {line['id']}", department=department)
                for line in piece
            ]
        )
        versions = PolicyVersion.objects.bulk_create(
            [
                PolicyVersion(
                    item=item,
                    number=1,
                    rule_hash=publish.rule_hash(rules={"criteria": line["criteria"]}),
                    rules={"criteria": line["criteria"]},
                    details={},
                    vocabulary=revision,
                    published_at=NOW,
                )
                for item, line in zip(items, piece, strict=True)
            ]
        )
        for item, version in zip(items, versions, strict=True):
            item.current_version, item.is_listed = version, True
        PolicyItem.objects.bulk_update(items, ["current_version", "is_listed"])
        made += [version.pk for version in versions]
    return made


def register(count: int, *, seed: int = 2) -> list[int]:
    """Enterprises with profiles; returns their ids. Facts stand in the profile alone: nothing here asks for history."""
    made: list[int] = []
    start = FIRST + Enterprise.objects.count()
    for piece in chunks(_lines(count, seed), 2000):
        rows = Enterprise.objects.bulk_create(
            [
                Enterprise(
                    credit_code=credit_code_of(start + number),
                    name=f"企业{start + number}",
                    external_id=credit_code_of(start + number),
                    created_at=NOW,
                )
                for number, _ in piece
            ]
        )
        Profile.objects.bulk_create(
            [
                Profile(enterprise=row, facts=facts, revision=1, as_of=TODAY, updated_at=NOW)
                for row, (_, facts) in zip(rows, piece, strict=True)
            ]
        )
        made += [row.pk for row in rows]
    return made


def _lines(count: int, seed: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(generate.enterprises(count, seed=seed, kind="windows", unknown=0.1)):
        yield number, line["facts"]
