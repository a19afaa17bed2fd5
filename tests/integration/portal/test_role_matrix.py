"""Each button of the desk, pressed by each role in each state: what the table does not allow changes nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

from disbursement.domain.workflow import APPLICATION, ApplicationState, Role
from disbursement.models import Application, Batch, BatchApproval, Payable, StateChange, TransitionLog
from portal.accounts.models import StaffRole
from portal.desk.actions import DEEDS
from portal.desk.views import review
from tests.integration.portal.conftest import World
from tests.rounds import first_round_only

pytestmark = pytest.mark.django_db
WORDS = {"text": "意见", "note": "意见", "question": "问题", "summary": "理由", "remedy": "可复议", "reason": "原因"}
COVERED = {Role.APPEAL_REVIEWER: Role.SECOND_REVIEWER}
PAYABLE_DEEDS = ("hold", "release", "cancel", "refund", "claw-back", "recover")
BATCH_DEEDS = ("make", "verify", "approve", "back", "dissolve", "seal", "reconcile")
REFUSED = {302, 403, 404, 405, 409, 422}
REVIEWERS = ("acceptor", "reviewer", "second_reviewer", "elsewhere")
OUTSIDERS = ("ours", "nobody", "")


def traces() -> tuple[Any, ...]:
    return (
        TransitionLog.objects.count(),
        StateChange.objects.count(),
        BatchApproval.objects.count(),
        sorted(Application.objects.values_list("pk", "state")),
        sorted(Payable.objects.values_list("pk", "state", "pay_month")),
        sorted(Batch.objects.values_list("pk", "state")),
    )


def press(world: World, who: str, url: str, data: dict[str, str], before: tuple[Any, ...]) -> tuple[int, bool]:
    """The answer's status, and whether anything was done since `before`; it is undone."""
    with transaction.atomic():
        status = world.clients[who].post(url, data).status_code
        changed = traces() != before
        transaction.set_rollback(True)
    return status, changed


def undrawn(*_: Any, status: int = 200, **__: Any) -> HttpResponse:
    return HttpResponse(status=status)


@first_round_only
@pytest.mark.parametrize("state", [state for state in ApplicationState if state is not ApplicationState.DRAFT])
def test_no_role_does_to_an_application_what_the_table_gives_to_another(world: World, state: ApplicationState) -> None:
    """A refusal comes back on a page, which is drawn for one role of each deed, in turn; the others tell the status."""
    case, before = world.cases[state.value], traces()
    wrong = []
    for place, deed in enumerate(DEEDS):
        row = next((r for r in APPLICATION if (r.source, r.action) == (state, deed.action)), None)
        roles = {COVERED.get(role, role).value for role in row.roles} if row is not None else set()
        url = reverse("desk:act", args=[case.id, deed.name])
        data = {f"{deed.name}-{name}": text for name, text in WORDS.items()} | {f"{deed.name}-days": "3"}
        # The view's door is the same for every deed: who may not enter at all tries one.
        others = [role for role in StaffRole.values if role not in REVIEWERS] if deed is DEEDS[0] else []
        for who in (*REVIEWERS, *others, *(OUTSIDERS if deed is DEEDS[0] else ())):
            if who in roles:
                continue
            is_drawn = who not in REVIEWERS or who == REVIEWERS[place % len(REVIEWERS)]
            with nullcontext() if is_drawn else patch.object(review, "application_page", undrawn):
                status, changed = press(world, who, url, data, before)
            if changed or status not in REFUSED:
                wrong.append((deed.name, who, status, changed))
    assert wrong == []


def test_no_role_but_finance_touches_a_payable_or_a_batch(world: World) -> None:
    wrong, before = [], traces()
    others = ["second_reviewer", "supervisor", "administrator", "elsewhere"]
    targets = [
        *(("desk:payable_act", pk, deed) for pk in _one_of_each(Payable)[:3] for deed in PAYABLE_DEEDS),
        *(("desk:batch_act", pk, deed) for pk in _one_of_each(Batch) for deed in BATCH_DEEDS),
    ]
    for name, pk, deed in targets:
        data = {f"{deed}-{field}": text for field, text in WORDS.items()} | WORDS
        for who in (*others, *OUTSIDERS):
            status, changed = press(world, who, reverse(name, args=[pk, deed]), data, before)
            if changed or status not in REFUSED:
                wrong.append((name, deed, who, status, changed))
    assert wrong == []


def test_the_audit_is_the_supervisors_alone(world: World) -> None:
    url = reverse("desk:audit")
    answers = {who: client.get(url).status_code for who, client in world.clients.items()}
    assert {who for who, status in answers.items() if status == 200} == {"supervisor"}


def _one_of_each(model: Any) -> list[int]:
    found: dict[str, int] = {}
    for pk, state in model.objects.order_by("pk").values_list("pk", "state"):
        found.setdefault(state, pk)
    return sorted(found.values())
