"""An item is told to an enterprise once for each version and verdict, with the reason why it fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from matching.criteria import Explanation, Facts, Outcome
from matching.criteria.render import OPEN_TO_ALL
from matching.models import PolicyVersion, Push, PushCause
from matching.registry import outbox
from matching.services.explanations import explain_pair
from matching.services.vocabulary import current_vocabulary


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
    """Push the pairs that were never pushed with this verdict; returns how many. Emits `push.created` for each.

    Safe to run twice and beside another run: the table takes each (enterprise, version, verdict) once, and the event's
    key is the row's.
    """
    if not fitting:
        return 0
    pairs = Push.objects.filter(
        enterprise_id__in={pair.enterprise_id for pair in fitting}, version_id__in={pair.version_id for pair in fitting}
    )
    told = set(pairs.values_list("enterprise_id", "version_id", "verdict"))
    new = {pair.key: pair for pair in fitting if pair.key not in told}
    if not new:
        return 0
    vocabulary = current_vocabulary()
    versions = PolicyVersion.objects.select_related("item").in_bulk({pair.version_id for pair in new.values()})
    Push.objects.bulk_create(
        [
            Push(
                enterprise_id=pair.enterprise_id,
                version_id=pair.version_id,
                verdict=pair.verdict,
                cause=cause,
                reason=reasons(
                    explanation=explain_pair(
                        version=versions[pair.version_id], facts=pair.facts, as_of=as_of, vocabulary=vocabulary
                    )
                ),
                created_at=now,
            )
            for pair in new.values()
        ],
        batch_size=1000,
        ignore_conflicts=True,  # another run may have told one of them in the meantime, and has its event then
    )
    # Ignoring conflicts gives no ids back. An event that was written already is passed over by its key.
    created = [
        pk
        for pk, *key in pairs.filter(created_at=now)
        .order_by("pk")
        .values_list("pk", "enterprise_id", "version_id", "verdict")
        if tuple(key) in new
    ]
    outbox.emit_many(
        topic="push.created",
        messages=[({"push_id": pk}, f"push.created:{pk}") for pk in created],
        now=now,
    )
    return len(created)


def reasons(*, explanation: Explanation) -> list[str]:
    """The sentences that say why a pair fits: what is met on the way to qualify, what the form still asks, and what
    the policy asks for in principle (原则上) and is not met."""
    on_way = [leaf for leaf in explanation.leaves if leaf.on_way and not leaf.soft]
    said = [leaf.comparison for leaf in on_way if leaf.outcome is Outcome.MET]
    asked = dict.fromkeys(
        label for leaf in on_way if leaf.outcome is Outcome.UNKNOWN for _key, label, _source in leaf.missing
    )
    if asked:
        said.append(_("申报时还需填报：%(facts)s") % {"facts": "、".join(asked)})
    said += [_("请注意：%(warning)s") % {"warning": leaf.comparison} for leaf in explanation.warnings]
    return said or [OPEN_TO_ALL]
