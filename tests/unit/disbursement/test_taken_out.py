"""What an enterprise takes out during a correction is missing until something stands in its place."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.domain.errors import Invalid
from disbursement.models import CorrectionSubject, Evidence, Material, MaterialFlag
from disbursement.services.application import corrections, judging, materials
from disbursement.services.application.correction_answers import wanted_by
from disbursement.services.application.corrections import Ask
from disbursement.services.evidence import following, library
from disbursement.services.evidence.library import Details
from disbursement.services.review import decisions, reviews
from disbursement.services.review.complete_list import compose
from matching.registry import outbox
from portal.accounts.models import User
from tests.factories import papers
from tests.factories.disbursement import MATERIALS, START, Case, at, case, invoices

pytestmark = pytest.mark.django_db
LEASE = {**MATERIALS[2], "required": True}
PLACE = Ask(CorrectionSubject.LEAF, "here", "注册地存疑", "请说明迁入情况")
TOTAL = Ask(CorrectionSubject.FIELD, "invoice_total", "与发票不符", "按发票更正")


def filled() -> Case:
    """In review, with a lease that came after acceptance, for a gap."""
    gaps = {"lease": at("2026-03-13").date()}
    made = case(materials=[*MATERIALS[:2], LEASE]).submitted(gaps=gaps)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.now)
    return made.later().upload("lease", papers.pdf(mark="lease"))


def ask(made: Case, *items: Ask) -> None:
    corrections.ask(application_id=made.id, items=items, actor=made.reviewer, now=made.later().now)
    made.later()


def supply(made: Case, **told: Any) -> None:
    corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now, **told)


def take_out(made: Case, code: str) -> Material:
    material = Material.objects.get(application_id=made.id, code=code, replaced_at__isnull=True)
    materials.remove(material_id=material.pk, actor=made.agent, now=made.now)
    return material


def changed_licence() -> tuple[Case, MaterialFlag, int]:
    """A correction under way; the licence that was handed in has a newer version in the library (its id)."""
    made = case()
    details: dict[str, Any] = {"issuer": "市场监管局", "issued_on": START, "number": "1", "is_long_term": True}
    given = library.add(
        enterprise_id=made.enterprise.pk,
        kind="licence",
        details=Details(**details),
        content=papers.pdf(mark="licence"),
        name="执照.pdf",
        actor=made.agent,
        now=made.now,
    )
    made.in_review()
    newer = library.replace(
        evidence_id=given.evidence_id,
        details=Details(**{**details, "number": "2"}),
        content=papers.pdf(mark="newer"),
        name="新执照.pdf",
        actor=made.agent,
        now=made.now,
    )
    outbox.deliver(now=made.now)
    ask(made, PLACE)
    return made, MaterialFlag.objects.get(), newer.pk


def test_required_material_taken_out_in_a_correction_has_to_come_back_though_the_list_did_not_name_it() -> None:
    made = filled()
    ask(made, PLACE)
    take_out(made, "lease")
    with pytest.raises(Invalid) as told:
        supply(made, note="迁入登记已完成")
    assert [fault.place for fault in told.value.faults] == ["material.lease"]
    made.upload("lease", papers.pdf(mark="another lease"))
    supply(made, note="迁入登记已完成")
    assert made.fresh().state == "in_review"


def test_a_gap_that_was_filled_excuses_nothing_and_one_that_is_open_does() -> None:
    made = filled()
    made.application.materials.filter(code="lease").update(replaced_at=made.now)
    assert [each.code for each in compose(application=made.fresh(), now=made.now)] == ["lease"]
    gaps = {"lease": at("2026-03-13").date()}
    waiting = case(materials=[*MATERIALS[:2], LEASE]).submitted(gaps=gaps)
    corrections.ask(application_id=waiting.id, items=[TOTAL], actor=waiting.acceptor, now=waiting.now)
    supply(waiting, invoices=invoices("310000"))
    assert waiting.fresh().state == "submitted"


def test_what_is_asked_for_and_was_taken_out_is_told_once() -> None:
    made = filled()
    ask(made, Ask(CorrectionSubject.MATERIAL, "lease", "缺页", "补页"))
    take_out(made, "lease")
    with pytest.raises(Invalid) as told:
        supply(made)
    assert [fault.place for fault in told.value.faults] == ["material.lease"]
    assert "补页" in told.value.faults[0].message


def test_the_page_of_a_correction_offers_what_was_taken_out() -> None:
    made = filled()
    ask(made, TOTAL)
    rules = judging.rules_of(version=made.version, now=made.now)
    offered = partial(wanted_by, correction=corrections.open_correction(application=made.fresh()), rules=rules)
    assert offered(application=made.fresh()).materials == set()
    take_out(made, "lease")
    assert offered(application=made.fresh()).materials == {"lease"}


def test_a_removal_settles_no_flag_and_bars_approval_until_a_reviewer_has_said_why() -> None:
    made, flag, _newer = changed_licence()
    take_out(made, "licence")
    flag.refresh_from_db()
    assert (flag.settled_at, flag.note) == (None, "")
    supply(made, note="迁入登记已完成")
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.later().now)
    with pytest.raises(Invalid, match="营业执照”有变动"):
        decisions.approve(application_id=made.id, actor=made.second, now=made.now)
    desk = Client()
    desk.force_login(User.objects.get(pk=made.second.user_id or 0))
    page = desk.get(reverse("desk:application", args=[made.id])).content.decode()
    assert f'id="flag-{flag.pk}"' in page
    assert "材料已移除" in page
    following.settle(flag_id=flag.pk, note="不需要执照", actor=made.second, now=made.now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.later().now)


@pytest.mark.parametrize("uploads_first", [True, False])
@pytest.mark.parametrize("takes", [True, False])
def test_another_file_settles_the_flag_whether_it_comes_before_the_removal_or_after(
    uploads_first: bool, takes: bool
) -> None:
    made, flag, newer = changed_licence()
    steps = [
        partial(materials.take_from_library, application_id=made.id, version_id=newer, actor=made.agent, now=made.now)
        if takes
        else partial(made.upload, "licence", papers.pdf(mark="by hand")),
        partial(materials.remove, material_id=flag.material_id, actor=made.agent, now=made.now),
    ]
    for step in steps if uploads_first else reversed(steps):
        step()
    flag.refresh_from_db()
    assert (flag.note, flag.settled_by_id) == ("材料已更换", made.agent.user_id)
    assert Evidence.objects.count() == 1
