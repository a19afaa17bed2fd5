"""The enterprise's answer to an offer (免申即享): one click of consent, or a refusal with its reason.

A consent names the digest of what was seen. It makes an ordinary application of the same enterprise for the same item,
submitted by the person who clicked, which the machine then takes as far as the item lets it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.delivery import CONSENT_WORDS, OfferAction, OfferState
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, MachineVerification, Offer
from disbursement.services.application import applications, drafts
from disbursement.services.delivery import offers
from disbursement.services.delivery.machine import checked_account
from matching.days import day_of


def consent(
    *, offer_id: int, seen: str, contact_name: str, contact_phone: str, actor: Actor, now: datetime
) -> Application:
    """Agree to an offer as it was shown: `seen` is the digest of the edition on the page.

    Whatever changed since is written down first, and the consent refused with it: the enterprise looks again and
    decides anew. Raises Denied for a person who may not submit for the enterprise, Invalid after the last day, where
    another answer was given, without a checked account, or where the content is no longer what was seen.
    """
    _entitled(offer_id=offer_id, actor=actor)
    offer = offers.refresh(offer_id=offer_id, now=now)
    _check_open(offer)
    _check_seen(offer, seen)
    with transaction.atomic():
        offer = offers.lock(offer_id=offer_id)
        _check_open(offer)
        _check_seen(offer, seen)
        edition = offers.shown(offer=offer)
        if edition.account is None:
            text = _("请先登记收款账户；财政部门核对通过后即可确认。")
            raise Invalid(Fault("account", text))
        account = checked_account(enterprise_id=offer.enterprise_id)
        if account is None or account.account_number != edition.account.account_number:
            raise Invalid(Fault("account", _("收款账户刚有变化，请刷新后核对再确认。")))
        if day_of(now) > offer.last_day:
            raise Invalid(Fault("offer", _("确认期限到 %(day)s 止，已过。") % {"day": offer.last_day}))
        _put_away_draft(offer=offer, actor=actor, now=now)
        draft = drafts.create_draft(item_id=offer.item_id, enterprise_id=offer.enterprise_id, actor=actor, now=now)
        drafts.save_draft(
            application_id=draft.pk, actor=actor, now=now, contact_name=contact_name, contact_phone=contact_phone
        )
        application = drafts.submit(application_id=draft.pk, actor=actor, now=now)
        verification = MachineVerification.objects.filter(application=application).first()
        verified = None if verification is None else verification.amount
        # What the machine granted, or published, is what was agreed to; what people decide they tell by themselves.
        if verified is not None and verified != edition.amount:
            text = _("核定金额与告知的 %(amount)s 元不同，请刷新后重新确认。")
            raise Invalid(Fault("amount", text % {"amount": edition.amount}))
        offers.move(
            offer=offer,
            action=OfferAction.CONSENT,
            actor=actor,
            edition=edition,
            now=now,
            note=CONSENT_WORDS,
            application=application,
        )
    return application


@transaction.atomic
def decline(*, offer_id: int, reason: str, actor: Actor, now: datetime) -> Offer:
    """Do without (放弃享受), and say why; the item is not offered again this year, and may still be applied for."""
    _entitled(offer_id=offer_id, actor=actor)
    if not reason.strip():
        raise Invalid(Fault("reason", _("请写明放弃的原因，便于改进服务。")))
    offer = offers.lock(offer_id=offer_id)
    _check_open(offer)
    edition = offers.shown(offer=offer)
    offers.move(offer=offer, action=OfferAction.DECLINE, actor=actor, edition=edition, now=now, reason=reason.strip())
    return offer


def _entitled(*, offer_id: int, actor: Actor) -> None:
    offer = Offer.objects.filter(pk=offer_id).only("enterprise_id").first()
    if offer is None or actor.user_id is None or not actor.acts_for(offer.enterprise_id):
        raise Denied(_("没有这项免申即享告知，或者您无权代表这家企业答复。"))


def _check_open(offer: Offer) -> None:
    if offer.status is OfferState.OPEN:
        return
    words = {
        OfferState.CONSENTED: _("贵企业已同意享受，不用再次确认。"),
        OfferState.DECLINED: _("贵企业已放弃享受；如改变主意，可以自行申报。"),
        OfferState.LAPSED: _("确认期限到 %(day)s 止，已过；仍可自行申报。") % {"day": offer.last_day},
        OfferState.WITHDRAWN: _("这项告知已收回：%(reason)s") % {"reason": offer.reason},
    }
    raise Invalid(Fault("offer", words[offer.status]))


def _check_seen(offer: Offer, seen: str) -> None:
    edition = offers.shown(offer=offer)
    if edition.digest == seen:
        return
    why = "".join(edition.why) or _("内容已更新。")
    raise Invalid(Fault("seen", _("您看到之后有变化：%(why)s请核对新的内容后再确认。") % {"why": why}))


def _put_away_draft(*, offer: Offer, actor: Actor, now: datetime) -> None:
    """A draft of the same item that somebody began is withdrawn: what is agreed to is what was shown, nothing typed."""
    draft = Application.objects.filter(
        enterprise_id=offer.enterprise_id, item_id=offer.item_id, state=ApplicationState.DRAFT.value
    ).first()
    if draft is not None:
        applications.withdraw(
            application_id=draft.pk, actor=actor, now=now, reason=_("企业同意免申即享，草稿不再使用。")
        )
