"""The supervision ledger (监察台账): written from what happened, contested by whom it charges, struck out with reasons.

Cards and warnings enter in the transaction that draws them; `supervision_sources.collect` finds what the rest of the
house put on record, and what was drawn before there was a ledger. A line is entered once: its source is unique.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.clocks import Colour
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.supervision import EntryKind, WarningLevel
from disbursement.domain.workflow import ClockStep, Role
from disbursement.models import ClockCard
from disbursement.models.supervision import ClockWarning, EntryAppeal, SupervisionEntry
from matching.days import day_of
from matching.registry import outbox

_LEADING = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER)


def enter_card(*, card: ClockCard, now: datetime) -> None:
    """A card into the ledger, in the transaction that drew it; told as topic `clock.carded` {"card": id}."""
    enter_all([of_card(card=card, now=now)])
    outbox.emit(topic="clock.carded", payload={"card": card.pk}, now=now, dedupe_key=f"clock.carded:{card.pk}")


def enter_warning(*, warning: ClockWarning, now: datetime) -> None:
    """A warning into the ledger, in the transaction that gave it."""
    level = WarningLevel(warning.level)
    enter_all(
        [
            SupervisionEntry(
                kind=EntryKind.WARNING,
                source=f"warning:{warning.pk}",
                application_id=warning.clock.application_id,
                department_id=warning.department_id,
                person_id=warning.holder_id,
                clock_id=warning.clock_id,
                limit=warning.limit,
                used=warning.used,
                text=_("%(level)s：%(step)s已用 %(used)s 个工作日，承诺 %(limit)s 个。")
                % {
                    "level": level.label,
                    "step": ClockStep(warning.clock.step).label,
                    "used": warning.used,
                    "limit": warning.limit,
                },
                happened_on=day_of(warning.warned_at),
                entered_at=now,
            )
        ]
    )


def of_card(*, card: ClockCard, now: datetime) -> SupervisionEntry:
    """The line of a card."""
    colour = Colour(card.colour)
    return SupervisionEntry(
        kind=EntryKind.YELLOW if colour is Colour.YELLOW else EntryKind.RED,
        source=f"card:{card.pk}",
        application_id=card.clock.application_id,
        department_id=card.department_id,
        person_id=card.holder_id,
        clock_id=card.clock_id,
        limit=card.limit,
        used=card.used,
        text=_("%(step)s已用 %(used)s 个工作日，承诺 %(limit)s 个。")
        % {"step": ClockStep(card.clock.step).label, "used": card.used, "limit": card.limit},
        happened_on=card.charged_on,
        entered_at=now,
    )


@transaction.atomic
def contest(*, entry_id: int, grounds: str, actor: Actor, now: datetime) -> EntryAppeal:
    """The person charged, or where nobody is, somebody of the department, says that a line is wrong (申辩); once.

    Raises Denied for others, Invalid without grounds or the second time.
    """
    entry = _entry(entry_id)
    if actor.user_id is None or not may_contest(entry=entry, actor=actor):
        raise Denied(_("申辩由被记录的本人提出；没有责任人的，由本部门人员提出。"))
    if EntryAppeal.objects.filter(entry=entry).exists():
        raise Invalid(Fault("grounds", _("这条记录已经申辩过，不能重复提出。")))
    if not grounds.strip():
        raise Invalid(Fault("grounds", _("请写明记录有误的理由，例如“补正期间时限未暂停”。")))
    appeal = EntryAppeal.objects.create(entry=entry, grounds=grounds.strip(), filed_by_id=actor.user_id, filed_at=now)
    outbox.emit(
        topic="entry.contested", payload={"appeal": appeal.pk}, now=now, dedupe_key=f"entry.contested:{entry.pk}"
    )
    return appeal


@transaction.atomic
def decide(*, entry_id: int, strike: bool, reason: str, actor: Actor, now: datetime) -> EntryAppeal:
    """A supervisor strikes a contested line out, or lets it stand, with reasons; once. The line stays in the ledger.

    Raises Denied for those who do not supervise the department or contested it themselves, Invalid where nothing is
    contested, it was decided, or reasons are missing.
    """
    entry = _entry(entry_id)
    appeal = EntryAppeal.objects.filter(entry=entry).first()
    if actor.user_id is None or not actor.supervises(entry.department_id):
        raise Denied(_("申辩由督查人员处理，您没有这个部门的督查职责。"))
    if appeal is None or appeal.is_struck is not None:
        raise Invalid(Fault("reason", _("这条记录没有待处理的申辩。")))
    if actor.user_id in (appeal.filed_by_id, entry.person_id):
        raise Denied(_("自己的申辩由其他督查人员处理。"))
    if not reason.strip():
        raise Invalid(Fault("reason", _("请写明核实情况和处理理由，本人会看到。")))
    appeal.is_struck, appeal.decision = strike, reason.strip()
    appeal.decided_by_id, appeal.decided_at = actor.user_id, now
    appeal.save(update_fields=["is_struck", "decision", "decided_by", "decided_at"])
    outbox.emit(topic="entry.decided", payload={"appeal": appeal.pk}, now=now, dedupe_key=f"entry.decided:{entry.pk}")
    return appeal


def may_contest(*, entry: SupervisionEntry, actor: Actor) -> bool:
    """Whether the person may contest a line: one's own, or one of the department's that charges nobody."""
    if entry.kind == EntryKind.WARNING or actor.user_id is None:
        return False
    if entry.person_id is not None:
        return entry.person_id == actor.user_id
    return any(actor.holds(role, department_id=entry.department_id) for role in _LEADING)


def _entry(entry_id: int) -> SupervisionEntry:
    # Locked, so that two who contest or decide at once take turns.
    found = SupervisionEntry.objects.select_for_update(of=("self",), no_key=True).filter(pk=entry_id).first()
    if found is None:
        raise Denied(_("没有这条记录。"))
    return found


def enter_all(rows: Iterable[SupervisionEntry]) -> int:
    """Write lines, each source once; how many are new."""
    made = list(rows)
    known = set(SupervisionEntry.objects.filter(source__in=[r.source for r in made]).values_list("source", flat=True))
    new = [row for row in made if row.source not in known]
    SupervisionEntry.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)
