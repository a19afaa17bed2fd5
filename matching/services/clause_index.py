"""The clauses of listed items as an index kind; each process that matches also completes them before it asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from matching.backends.base import Listed
from matching.backends.elastic import rebuild
from matching.models import PolicyItem, PolicyVersion
from matching.services import indexing
from matching.services.index_kinds import Built, Compared, Progress
from matching.services.listed import readable
from matching.services.vocabulary import current_vocabulary


class ClauseKind:
    """See `IndexKind`. Its objects are policy items."""

    name = indexing.CLAUSES

    @property
    def label(self) -> str:
        return _("政策条款")

    @property
    def in_use(self) -> bool:
        return indexing.in_use()

    def write(self, ids: Sequence[int]) -> None:
        versions = PolicyVersion.objects.filter(item__in=ids).values_list("pk", flat=True)
        rebuild.replace(listed_policies(items=ids), instead_of=map(str, versions))

    def rebuild(self, *, now: datetime, on_progress: Progress) -> Built:
        """What is listed or withdrawn meanwhile is mended afterwards; until then those who ask complete it."""
        built = rebuild.rebuild(listed_policies(), stamp=f"{now:%Y%m%d%H%M%S%f}", on_progress=on_progress)
        rebuild.mend(listed_policies())
        return Built(built.name, built.rows, built.found)

    def check(self, *, on_progress: Progress) -> Compared:
        found = rebuild.check(listed_policies())
        on_progress(found.rows, found.rows)
        example = next(iter((*found.lacking, *found.surplus, *found.wrong)), "")
        return Compared(found.rows, len(found.lacking), len(found.surplus), len(found.wrong), example)

    def mend(self) -> int:
        found = rebuild.mend(listed_policies())
        return len(found.lacking) + len(found.surplus)


def listed_policies(*, items: Sequence[int] | None = None) -> Iterator[Listed]:
    """Every listed version, or those of some items, that the vocabulary in force can read."""
    vocabulary = current_vocabulary()
    rows = PolicyItem.objects.filter(is_listed=True).order_by("pk")
    if items is not None:
        rows = rows.filter(pk__in=items)
    for version_id, rules in rows.values_list("current_version_id", "current_version__rules").iterator(chunk_size=500):
        listed = readable(version_id=version_id, rules=rules, vocabulary=vocabulary)
        if listed is not None:
            yield listed
