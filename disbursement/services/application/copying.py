"""Taking over answers from an earlier application of the same enterprise (沿用以往申报)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.copying import Outcome, Row, plan
from disbursement.domain.errors import Denied
from disbursement.models import Application
from disbursement.services.application import judging, sheets
from matching.days import day_of

MOST_SOURCES = 20


@dataclass(frozen=True, slots=True)
class Source:
    """An earlier application, and how many of its answers could be taken over."""

    application: Application
    same_item: bool
    usable: int


def sources(*, application: Application, now: datetime) -> list[Source]:
    """Earlier applications with something to take over: those for the same item first, then the latest."""
    earlier = (
        Application.objects.filter(enterprise_id=application.enterprise_id, number__isnull=False)
        .exclude(pk=application.pk)
        .select_related("item", "version__vocabulary")
        .order_by("-submitted_at", "-pk")[:MOST_SOURCES]
    )
    found = []
    for one in earlier:
        usable = sum(row.outcome is not Outcome.LEFT for row in preview(application=application, source=one, now=now))
        if usable:
            found.append(Source(one, one.item_id == application.item_id, usable))
    return sorted(found, key=lambda source: not source.same_item)


def preview(*, application: Application, source: Application, now: datetime) -> list[Row]:
    """What would be taken over from `source` and what not, and why; changes nothing."""
    assert source.submitted_at is not None
    return plan(
        earlier=source.form,
        earlier_form=judging.rules_of(version=source.version, now=now).form,
        form=judging.rules_of(version=application.version, now=now).form,
        present=application.form,
        said_on=day_of(source.submitted_at),
        as_of=day_of(now),
    )


@transaction.atomic
def copy(*, application_id: int, source_id: int, keys: Collection[str], actor: Actor, now: datetime) -> list[Row]:
    """Take over the answers named by `keys`, as far as they can be; what was done is kept with the draft.

    Raises Denied where one of the two is not the actor's enterprise's, Refused where it is no draft any more.
    """
    pair = Application.objects.select_related("item", "version__vocabulary").in_bulk([application_id, source_id])
    application, source = pair.get(application_id), pair.get(source_id)
    if application is None or source is None or source.number is None:
        raise Denied(_("没有这件申报。"))
    if application.enterprise_id != source.enterprise_id or not actor.acts_for(application.enterprise_id):
        raise Denied(_("没有这件申报，或者您无权办理。"))
    rows = preview(application=application, source=source, now=now)
    taken = [row for row in rows if row.key in keys and row.can_be_copied]
    sheets.overwrite(
        application_id=application_id,
        actor=actor,
        now=now,
        states={row.key: {"value": row.value} for row in taken},
    )
    sheet = sheets.sheet_of(application=application)
    done = {row.key for row in taken}
    sheet.copied = {
        "number": source.number,
        "item": source.item.name,
        "on": day_of(now).isoformat(),
        "rows": [
            {"label": row.label, "copied": row.key in done, "reason": row.reason or _kept(row, done)} for row in rows
        ],
    }
    sheet.save(update_fields=["copied"])
    return taken


def _kept(row: Row, done: Collection[str]) -> str:
    if row.key in done:
        return ""
    return _("与现在填写的相同。") if row.outcome is Outcome.SAME else _("保留现在填写的内容。")
