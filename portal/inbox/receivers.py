"""Every notification is made here, of pushes, applications and payments alike: an event comes in, a message goes out.

The key of a message is its occasion, so that an event that is handled twice tells once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from matching.chunks import chunks
from matching.registry import outbox
from portal.inbox import (
    aftermath_texts,
    budget_texts,
    desk_texts,
    evidence_texts,
    finance_texts,
    forecast_texts,
    gap_texts,
    money_texts,
    offer_texts,
    policy_texts,
    publicity_texts,
    push_texts,
    services,
    supervision_texts,
    texts,
)
from portal.inbox.services import Message

_TOGETHER = 2000


def _tell(messages: Iterable[Message | None], now: datetime) -> None:
    services.tell(messages=[message for message in messages if message is not None], now=now)


def _only(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: payload[name] for name in names}


@outbox.subscribe("push.created", together=True)
def tell_of_pushes(*, payloads: list[dict[str, Any]], now: datetime) -> None:
    ids = (pk for payload in payloads for pk in payload["push_ids"])
    for piece in chunks(ids, _TOGETHER):
        _tell(push_texts.of_pushes(push_ids=piece), now)


@outbox.subscribe("application.changed")
def tell_of_application(*, payload: dict[str, Any], now: datetime) -> None:
    message = texts.of_application(
        application_id=payload["application_id"],
        action=payload["action"],
        seq=payload["seq"],
    )
    _tell([message], now)


@outbox.subscribe("application.changed")
def tell_the_desk_of_application(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(desk_texts.of_step(**_only(payload, "application_id", "action", "seq"), now=now), now)


@outbox.subscribe("gap.due")
def tell_of_gap(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(gap_texts.of_gap(gap_id=payload["gap"], stage=payload["stage"], now=now), now)


@outbox.subscribe("objection.raised")
def tell_of_objection(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(publicity_texts.of_objection(objection_id=payload["objection"], now=now), now)


@outbox.subscribe("publicity.held")
def tell_of_held_publicity(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(publicity_texts.of_held(publicity_id=payload["publicity"], why=payload["why"], now=now), now)


@outbox.subscribe("rating.given")
def tell_the_desk_of_rating(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(desk_texts.of_low_rating(**_only(payload, "application_id", "level"), now=now), now)


@outbox.subscribe("cycle.cut_off")
def tell_makers_of_cut_off(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(finance_texts.of_cut_off(cycle_id=payload["cycle"], now=now), now)


@outbox.subscribe("batch.signed")
def tell_who_signs_next(*, payload: dict[str, Any], now: datetime, message_id: int) -> None:
    messages = finance_texts.of_batch(batch_id=payload["batch"], action=payload["action"], occasion=message_id, now=now)
    _tell(messages, now)


@outbox.subscribe("batch.unsent")
def tell_of_unsent_batch(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(finance_texts.of_unsent(batch_id=payload["batch"], day=payload["day"], now=now), now)


@outbox.subscribe("delivery.stuck")
def tell_of_stuck_delivery(*, payload: dict[str, Any], now: datetime, message_id: int) -> None:
    _tell(finance_texts.of_stuck_delivery(delivery_id=payload["delivery"], occasion=message_id, now=now), now)


@outbox.subscribe("inquiry.entered")
@outbox.subscribe("inquiry.ended")
def tell_of_bank_inquiry(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(finance_texts.of_bank_inquiry(inquiry_id=payload["inquiry"], now=now), now)


@outbox.subscribe("payee.proposed")
def tell_who_checks_accounts(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(finance_texts.of_proposed_account(account_id=payload["account"], now=now), now)
    _tell(finance_texts.of_changed_account(account_id=payload["account"]), now)


@outbox.subscribe("reissue.proposed")
@outbox.subscribe("reissue.decided")
def tell_of_reissue(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(finance_texts.of_reissue(reissue_id=payload["reissue"], now=now), now)


@outbox.subscribe("budget.proposed")
def tell_who_decides_budgets(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(finance_texts.of_proposed_change(change_id=payload["change"], now=now), now)


@outbox.subscribe("page.not_in_time")
def tell_of_page_not_in_time(*, payload: dict[str, Any], now: datetime) -> None:
    page = _only(payload, "title", "ends", "problem")
    _tell(policy_texts.of_page_not_in_time(page_id=payload["page"], person_id=payload["person"], **page, now=now), now)


@outbox.subscribe("rating.answered")
def tell_of_answered_rating(*, payload: dict[str, Any], now: datetime) -> None:
    _tell([texts.of_answered_rating(application_id=payload["application_id"])], now)


@outbox.subscribe("payee.checked")
def tell_of_checked_account(*, payload: dict[str, Any], now: datetime) -> None:
    _tell([texts.of_account(account_id=payload["account"], accepted=payload["accepted"])], now)


@outbox.subscribe("evidence.changed")
def tell_of_certificate(*, payload: dict[str, Any], now: datetime) -> None:
    _tell([evidence_texts.of_event(event_id=payload["event_id"], now=now)], now)


@outbox.subscribe("material.changed")
def tell_of_material(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(evidence_texts.of_material(**payload), now)


@outbox.subscribe("budget.alert")
def tell_of_budget(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(budget_texts.of_alert(line_id=payload["line"], code=payload["code"], text=payload["text"]), now)


@outbox.subscribe("budget.changed")
def tell_of_budget_change(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(budget_texts.of_change(change_id=payload["change"]), now)


@outbox.subscribe("forecast.moved")
def tell_of_moved_month(*, payload: dict[str, Any], now: datetime) -> None:
    _tell([forecast_texts.of_move(forecast_id=payload["forecast"])], now)


@outbox.subscribe("clock.warned")
def tell_of_warning(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(supervision_texts.of_warning(warning_id=payload["warning"], now=now), now)


@outbox.subscribe("clock.carded")
def tell_of_card(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(supervision_texts.of_card(card_id=payload["card"], now=now), now)


@outbox.subscribe("entry.contested")
def tell_of_contested_line(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(supervision_texts.of_appeal(appeal_id=payload["appeal"], decided=False), now)


@outbox.subscribe("entry.decided")
def tell_of_decided_line(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(supervision_texts.of_appeal(appeal_id=payload["appeal"], decided=True), now)


def _urging_event(event: str) -> None:
    @outbox.subscribe(f"urging.{event}")
    def tell_of_urging(*, payload: dict[str, Any], now: datetime) -> None:
        _tell(supervision_texts.of_urging(urging_id=payload["urging"], event=event, now=now), now)


for _step in ("sent", "answered", "closed"):
    _urging_event(_step)


@outbox.subscribe("offer.changed")
def tell_of_offer(*, payload: dict[str, Any], now: datetime) -> None:
    _tell([offer_texts.of_offer(offer_id=payload["offer_id"], revision=payload["revision"])], now)


@outbox.subscribe("promise.broken")
def tell_of_broken_promise(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(offer_texts.of_broken_promise(promise_id=payload["promise_id"]), now)


@outbox.subscribe("promise.false")
def tell_of_false_promise(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(aftermath_texts.of_false_promise(promise_id=payload["promise_id"], now=now), now)


@outbox.subscribe("quality.serious")
def tell_of_serious_check(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(aftermath_texts.of_serious_check(check_id=payload["check_id"], now=now), now)


@outbox.subscribe("clawback.plan")
def tell_of_plan(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(money_texts.of_plan(plan_id=payload["plan"], event=payload["event"]), now)


@outbox.subscribe("clawback.reminder")
def remind_of_clawback(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(money_texts.of_reminder(clawback_id=payload["clawback"], due=payload["due"], stage=payload["stage"]), now)


@outbox.subscribe("payable.recovered_part")
def tell_of_receipt(*, payload: dict[str, Any], now: datetime) -> None:
    _tell([money_texts.of_receipt(receipt_id=payload["receipt"])], now)


@outbox.subscribe("payable.set_off")
def tell_of_set_off(*, payload: dict[str, Any], now: datetime) -> None:
    _tell([money_texts.of_set_off(set_off_id=payload["set_off"])], now)


@outbox.subscribe("cycle.preflight")
def tell_of_preflight(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(money_texts.of_preflight(preflight_id=payload["preflight"]), now)


@outbox.subscribe("cycle.cut_off_moved")
def tell_of_cut_off_day(*, payload: dict[str, Any], now: datetime) -> None:
    for piece in chunks(money_texts.of_cut_off_day(decision_id=payload["decision"]), _TOGETHER):
        _tell(piece, now)


@outbox.subscribe("exceptions.old")
def tell_of_old_exception(*, payload: dict[str, Any], now: datetime) -> None:
    _tell(money_texts.of_old_exception(line_id=payload["line"]), now)


def _payable_event(event: str) -> None:
    @outbox.subscribe(f"payable.{event}")
    def tell_of_payables(*, payload: dict[str, Any], now: datetime, message_id: int) -> None:
        # A payable may be held, or bounce, more than once: the event's own number tells the occasions apart.
        _tell(texts.of_payables(payable_ids=payload["payables"], event=event, occasion=message_id), now)


for _event in texts.PAYABLE_EVENTS:
    _payable_event(_event)
