"""An item is told to an enterprise once for each version and verdict, with the reason why it fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from matching import bulk
from matching.chunks import chunks
from matching.criteria import Brief, Facts
from matching.criteria.render import OPEN_TO_ALL
from matching.models import PolicyVersion, Push, PushCause
from matching.registry import outbox
from matching.services.explanations import explainer_of
from matching.services.vocabulary import current_vocabulary

TOLD_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Fitting:
    """A pair that fits, or fits subject to what the item's form asks (`verdict` is then `undetermined`)."""

    enterprise_id: int
    version_id: int
    verdict: str
    facts: Facts

    @property
    def key(self) -> tuple[int, int, str]:
        return (self.enterprise_id, self.version_id, self.verdict)


@transaction.atomic
def push_fitting(*, fitting: Sequence[Fitting], cause: PushCause, as_of: date, now: datetime) -> int:
    """Push the pairs that were never pushed with this verdict; returns how many.

    Emits `push.created` with the ids of what was pushed, some hundreds to an event. Safe to run twice and beside
    another run: the table takes each (enterprise, version, verdict) once, and the database says which rows are new.
    """
    if not fitting:
        return 0
    told = _told(fitting)
    # In one order everywhere, so that two runs that tell the same pairs wait for each other and not in a circle.
    new = sorted({pair.key: pair for pair in fitting if pair.key not in told}.values(), key=lambda pair: pair.key)
    if not new:
        return 0
    vocabulary = current_vocabulary()
    versions = PolicyVersion.objects.in_bulk({pair.version_id for pair in new})
    explainers = {
        pk: explainer_of(version=version, as_of=as_of, vocabulary=vocabulary) for pk, version in versions.items()
    }
    reasons = Reasons()
    created = bulk.insert(
        model=Push,
        fields=("enterprise", "version", "verdict", "cause", "reason", "created_at"),
        rows=[
            (
                pair.enterprise_id,
                pair.version_id,
                pair.verdict,
                str(cause),
                reasons.of(explainers[pair.version_id].brief(pair.facts)),
                now,
            )
            for pair in new
        ],
        unique=("enterprise", "version", "verdict"),
    )
    outbox.emit_many(
        topic="push.created",
        messages=[({"push_ids": ids}, None) for ids in chunks(created, TOLD_TOGETHER)],
        now=now,
    )
    return len(created)


def _told(fitting: Sequence[Fitting]) -> set[tuple[int, int, str]]:
    """The pairs that were pushed before, by key (and perhaps others of the same enterprises)."""
    enterprises = {pair.enterprise_id for pair in fitting}
    versions = {pair.version_id for pair in fitting}
    pushes = Push.objects.filter(bulk.Among("enterprise_id", enterprises))
    if len(versions) == 1:  # many enterprises: one stretch of an index
        pushes = Push.objects.filter(
            version=versions.pop(), enterprise_id__gte=min(enterprises), enterprise_id__lte=max(enterprises)
        )
    return set(pushes.values_list("enterprise_id", "version_id", "verdict"))


class Reasons:
    """Says why a pair fits: what is met on the way to qualify, what the form still asks, and what the policy asks for
    in principle (原则上) and is not met. Looks its own words up once, which costs more than the rest."""

    def __init__(self) -> None:
        self._asked = _("申报时还需填报：%(facts)s")
        self._warning = _("请注意：%(warning)s")

    def of(self, brief: Brief) -> list[str]:
        said = list(brief.met)
        if brief.asked:
            said.append(self._asked % {"facts": "、".join(brief.asked)})
        said += [self._warning % {"warning": warning} for warning in brief.warnings]
        return said or [OPEN_TO_ALL]
