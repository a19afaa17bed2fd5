"""Promises that stood in for materials (告知承诺), spot-checked afterwards; a broken one goes on the credit record."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Promise
from disbursement.services.application.applications import lock
from matching.days import day_of
from matching.models import Fact
from matching.registry import outbox
from matching.services.facts import NewFact, record_many
from matching.services.vocabulary import current_vocabulary

FACT = "promises_broken"
# What is told of a promise that proved false.
FALSE = "promise.false"
# The code of a promise that proved false, in the vocabulary's list of broken promises.
FALSE_PROMISE = "informed_promise"
_CHECKING = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER)


def has_broken_one(*, enterprise_id: int, day: date) -> bool:
    """Whether the credit record of that day lists a promise that proved false, and was not repaired since (the record
    then comes without it). Whoever broke one brings papers instead.
    """
    return any(isinstance(each, dict) and each.get("code") == FALSE_PROMISE for each in _listed(enterprise_id, day))


def _listed(enterprise_id: int, day: date) -> list[Any]:
    latest = (
        Fact.objects.filter(enterprise_id=enterprise_id, key=FACT, valid_on__lte=day)
        .order_by("-valid_on", "-recorded_at", "-pk")
        .first()
    )
    return list(latest.value) if latest is not None and isinstance(latest.value, list) else []


@transaction.atomic
def check(*, promise_id: int, kept: bool, finding: str, actor: Actor, now: datetime) -> Promise:
    """Put on record whether a promise was kept, once; a false one is told, and becomes a fact (承诺未兑现)."""
    promise = Promise.objects.filter(pk=promise_id).first()
    if promise is None:
        raise Denied(_("没有这项承诺。"))
    application = lock(application_id=promise.application_id)
    department_id = application.item.department_id
    if actor.user_id is None or not any(actor.holds(role, department_id=department_id) for role in _CHECKING):
        raise Denied(_("承诺由承办部门核查。"))
    promise.refresh_from_db()
    if promise.kept is not None:
        raise Invalid(Fault("promise", _("这项承诺已经核查过。")))
    if not finding.strip():
        raise Invalid(Fault("finding", _("请写明核查情况。")))
    promise.kept, promise.finding = kept, finding.strip()
    promise.checked_by_id, promise.checked_at = actor.user_id, now
    promise.save()
    if not kept:
        outbox.emit(topic=FALSE, payload={"promise_id": promise.pk}, now=now, dedupe_key=f"{FALSE}:{promise.pk}")
    vocabulary = current_vocabulary()
    if not kept and FACT in vocabulary.facts:
        listed = vocabulary.code_list(FACT)
        code = FALSE_PROMISE if FALSE_PROMISE in listed else next(iter(listed.codes))
        day = day_of(now)
        known = _listed(application.enterprise_id, day)
        value = [*known, {"code": code, "on": day.isoformat()}]
        source = _("承诺核查（%(number)s）") % {"number": application.number}
        user = get_user_model().objects.get(pk=actor.user_id)
        record_many(facts=[NewFact(application.enterprise_id, FACT, value, source, day)], now=now, recorded_by=user)
    return promise
