"""免申即享: the machine finds who is eligible, works out what each would get, and puts it before them.

One offer for an enterprise, an item and a calendar year: a run that is killed goes on where it was, two at once make no
second one. What an offer shows is worked out anew when a fact, a version, an account or a cap changes, each night, and
again under lock when somebody consents (`services.delivery.consents`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.delivery import OFFER, OfferAction, OfferState, changes, reason_text
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Application, Offer, OfferEdition, OfferEvent, PassedOver
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.delivery import terms_of
from disbursement.services.application.drafts import version_in_force
from disbursement.services.delivery.offer_content import Composed, compose, content_of
from matching.criteria import canonical_json
from matching.days import day_of
from matching.models import Enterprise, PolicyItem, PolicyVersion, Verdict
from matching.registry import outbox
from matching.selectors import enterprises_matching

TOPIC = "offer.changed"
RECHECK = "offer.recheck"
CHUNK = 200
_LONGEST_REASON = 500


@dataclass(slots=True)
class Tally:
    """What a run did: enterprises looked at, offers made and reopened, enterprises passed over."""

    seen: int = 0
    made: int = 0
    passed_over: int = 0
    items: list[str] = field(default_factory=list)


Progress = Callable[[str, int], None]


def automatic_items(*, code: str = "") -> list[PolicyItem]:
    """Listed items that do without application, with terms for it, by code."""
    found = PolicyItem.objects.filter(is_listed=True, current_version__isnull=False).select_related("current_version")
    if code:
        found = found.filter(code=code)
    items = []
    for item in found.order_by("code"):
        assert item.current_version is not None
        terms = terms_of(version=item.current_version)
        if terms is not None and terms.mode == "automatic":
            items.append(item)
    return items


def run(*, now: datetime, code: str = "", on_progress: Progress | None = None) -> Tally:
    """Go through the eligible of each automatic item (or of one, `code`) and make the offers that are due.

    Each enterprise in a transaction of its own, in the order of ids, in pieces: killed and run again it makes the rest.
    """
    tally = Tally()
    for item in automatic_items(code=code):
        try:
            version_in_force(item=item, day=day_of(now))
        except Invalid:  # not open yet, or over
            continue
        tally.items.append(item.code)
        for ids in _eligible(item=item, year=day_of(now).year):
            for enterprise in Enterprise.objects.filter(pk__in=ids).order_by("pk"):
                made = put(enterprise=enterprise, item=item, now=now)
                tally.seen += 1
                tally.made += made
                tally.passed_over += not made
            if on_progress is not None:
                on_progress(item.code, tally.seen)
        # Who is no longer eligible was not passed over.
        PassedOver.objects.filter(item=item, year=day_of(now).year, seen_at__lt=now).delete()
    return tally


def _eligible(*, item: PolicyItem, year: int) -> Iterator[list[int]]:
    """The enterprises that matching calls eligible and that have no offer of the year, but for those taken back."""
    answered = Offer.objects.filter(item=item, year=year).exclude(state=OfferState.WITHDRAWN)
    last = 0
    while True:
        rows = enterprises_matching(item=item).filter(verdict=Verdict.ELIGIBLE, enterprise_id__gt=last)
        rows = rows.exclude(enterprise_id__in=answered.values("enterprise_id"))
        ids = list(rows.order_by("enterprise_id").values_list("enterprise_id", flat=True)[:CHUNK])
        if not ids:
            return
        yield ids
        last = ids[-1]


@transaction.atomic
def put(*, enterprise: Enterprise, item: PolicyItem, now: datetime) -> bool:
    """Put the item before one enterprise, or write down why not; whether an offer was made (or made again)."""
    year = day_of(now).year
    composed = compose(enterprise=enterprise, item=item, now=now)
    seen: dict[str, Any] = {"enterprise": enterprise, "item": item, "year": year}
    if composed.against or composed.content is None:
        reasons = [reason.to_json() for reason in composed.against]
        PassedOver.objects.update_or_create(**seen, defaults={"reasons": reasons, "seen_at": now})
        return False
    PassedOver.objects.filter(**seen).delete()
    last_day = _last_day(version=composed.version, now=now)
    offer, is_new = Offer.objects.get_or_create(**seen, defaults={"last_day": last_day, "opened_at": now})
    offer = lock(offer_id=offer.pk)
    if is_new:
        _edition(offer=offer, seq=1, composed=composed, why=[], now=now)
        _tell(offer=offer, now=now)
        return True
    if offer.status is not OfferState.WITHDRAWN:
        return False  # another run was a little faster
    seq = offer.edition + 1
    edition = _edition(offer=offer, seq=seq, composed=composed, why=[_("此前的原因已消除。")], now=now)
    move(offer=offer, action=OfferAction.REOPEN, actor=SYSTEM, edition=edition, now=now, reason="", last_day=last_day)
    return True


def _last_day(*, version: PolicyVersion, now: datetime) -> date:
    terms = terms_of(version=version)
    assert terms is not None
    last = working_calendar().add_working_days(day_of(now), terms.offer_days)
    return last if version.window_until is None else min(last, version.window_until)


def lock(*, offer_id: int) -> Offer:
    """The offer's row, locked until the transaction ends. Raises Denied where there is none."""
    found = (
        Offer.objects.select_for_update(of=("self",), no_key=True)
        .select_related("enterprise", "item__current_version", "item__department")
        .filter(pk=offer_id)
        .first()
    )
    if found is None:
        raise Denied(_("没有这项免申即享告知。"))
    return found


def shown(*, offer: Offer) -> OfferEdition:
    """The edition that the offer shows."""
    return OfferEdition.objects.select_related("version", "vocabulary", "account").get(offer=offer, seq=offer.edition)


def _edition(*, offer: Offer, seq: int, composed: Composed, why: Sequence[str], now: datetime) -> OfferEdition:
    assert composed.content is not None
    inputs, result = canonical_json(composed.assessment.inputs), canonical_json(composed.assessment.result)
    return OfferEdition.objects.create(
        offer=offer,
        seq=seq,
        version=composed.version,
        vocabulary=composed.assessment.vocabulary,
        as_of=day_of(now),
        amount=composed.content.amount,
        working=composed.working,
        account=composed.account,
        proofs=list(composed.proofs.proved),
        inputs=inputs,
        result=result,
        inputs_sha256=_sha256(inputs),
        result_sha256=_sha256(result),
        digest=composed.content.digest,
        why=list(why),
        made_at=now,
    )


def move(
    *,
    offer: Offer,
    action: OfferAction,
    actor: Actor,
    edition: OfferEdition,
    now: datetime,
    reason: str = "",
    note: str = "",
    application: Application | None = None,
    last_day: date | None = None,
) -> None:
    """Change, log and announce one step of a locked offer, in the caller's transaction. Raises Refused."""
    role = Role.SYSTEM if actor.is_system else Role.ENTERPRISE
    row = OFFER.find(offer.status, action, role)
    # The log first: the database lets an offer change only if the log says so.
    OfferEvent.objects.create(
        offer=offer,
        seq=offer.revision + 1,
        action=action.value,
        source=row.source.value,
        target=row.target.value,
        role=role.value,
        actor_id=actor.user_id,
        edition=edition.seq,
        digest=edition.digest,
        note=note or reason,
        at=now,
    )
    offer.state, offer.edition, offer.revision = row.target.value, edition.seq, offer.revision + 1
    offer.reason = reason[:_LONGEST_REASON]
    if last_day is not None:
        offer.last_day = last_day
    if actor.user_id is not None:
        offer.answered_by_id, offer.answered_at = actor.user_id, now
    if application is not None:
        offer.application = application
    offer.save()
    _tell(offer=offer, now=now)


def _tell(*, offer: Offer, now: datetime) -> None:
    outbox.emit(
        topic=TOPIC,
        payload={"offer_id": offer.pk, "revision": offer.revision},
        now=now,
        dedupe_key=f"{TOPIC}:{offer.pk}:{offer.revision}",
    )


@transaction.atomic
def refresh(*, offer_id: int, now: datetime) -> Offer:
    """Bring an open offer to what holds now: revised with what changed, taken back with the reason, or lapsed after its
    last day. An offer that is answered stays as it is. Can run twice.
    """
    offer = lock(offer_id=offer_id)
    if offer.status is not OfferState.OPEN:
        return offer
    edition = shown(offer=offer)
    if day_of(now) > offer.last_day:
        move(offer=offer, action=OfferAction.LAPSE, actor=SYSTEM, edition=edition, now=now, note=_("逾期未确认。"))
        return offer
    try:
        composed = compose(enterprise=offer.enterprise, item=offer.item, now=now)
    except Invalid as closed:
        reason = str(closed)
    else:
        reason = reason_text(composed.against) or ("" if composed.content else _("按现在的信息，没有可享受的金额。"))
        if not reason:
            assert composed.content is not None
            if composed.content.digest != edition.digest:
                why = changes(content_of(edition=edition), composed.content, labels=composed.labels)
                new = _edition(offer=offer, seq=offer.edition + 1, composed=composed, why=why, now=now)
                move(offer=offer, action=OfferAction.REVISE, actor=SYSTEM, edition=new, now=now, note="".join(why))
            return offer
    move(offer=offer, action=OfferAction.WITHDRAW, actor=SYSTEM, edition=edition, now=now, reason=reason)
    return offer


def keep_up(*, now: datetime) -> int:
    """The night's round over open offers; how many are open after it."""
    last = 0
    while ids := list(_open_after(last)):
        for pk in ids:
            refresh(offer_id=pk, now=now)
        last = ids[-1]
    return Offer.objects.filter(state=OfferState.OPEN).count()


def _open_after(last: int) -> list[int]:
    rows = Offer.objects.filter(state=OfferState.OPEN, pk__gt=last).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:CHUNK])


@transaction.atomic
def ask_for_recheck(*, now: datetime, item_id: int | None = None, enterprise_ids: Sequence[int] | None = None) -> int:
    """Have the open offers of an item, or of enterprises, worked out anew, each by a message of its own; how many."""
    found = Offer.objects.filter(state=OfferState.OPEN)
    if item_id is not None:
        found = found.filter(item_id=item_id)
    if enterprise_ids is not None:
        found = found.filter(enterprise_id__in=enterprise_ids)
    ids = list(found.order_by("pk").values_list("pk", flat=True))
    outbox.emit_many(topic=RECHECK, messages=[({"offer_id": pk}, None) for pk in ids], now=now)
    return len(ids)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
