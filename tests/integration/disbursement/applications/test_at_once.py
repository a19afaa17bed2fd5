"""Two people at once, on PostgreSQL: one wins, the other is told."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection, connections

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS
from disbursement.models import Application, Decision, Document, DocumentKind, Offer, OfferEdition, Payable
from disbursement.services import notices
from disbursement.services.application import drafts
from disbursement.services.delivery import consents, offers
from disbursement.services.review import decisions, reviews
from disbursement.services.review.conditions import Reason
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from tests.factories import delivery
from tests.factories.disbursement import Case, agent, at, case, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def needs_row_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("needs row locks")
    # Commits wake nobody: what is delivered, and when, is the test's to say.
    monkeypatch.setattr(outbox, "_wakers", [])


def race(*runners: Callable[[], object]) -> list[object]:
    """Run them at the same moment; what each returned, or the refusal it was told."""
    start = Barrier(len(runners))
    results: list[object] = [None] * len(runners)

    def run(index: int, runner: Callable[[], object]) -> None:
        try:
            start.wait(timeout=20)
            results[index] = runner()
        except REFUSALS as refusal:
            results[index] = refusal
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(index, runner)) for index, runner in enumerate(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def refusals(results: list[object]) -> list[object]:
    unexpected = [r for r in results if isinstance(r, Exception) and not isinstance(r, REFUSALS)]
    assert unexpected == []
    return [r for r in results if isinstance(r, REFUSALS)]


def drafted() -> Case:
    made = case()
    return made.drafted()


def test_a_double_submit_hands_in_once() -> None:
    made = drafted()
    results = race(*[lambda: drafts.submit(application_id=made.id, actor=made.agent, now=made.now) for _ in range(4)])
    assert len(refusals(results)) == 3
    assert made.fresh().log.count() == 1
    assert OutboxMessage.objects.filter(topic="application.changed").count() == 1


def test_two_clicks_on_apply_make_one_draft() -> None:
    made = case()
    colleague = agent(made.enterprise)

    def apply_as(actor: object) -> Callable[[], Application]:
        return lambda: drafts.create_draft(
            item_id=made.version.item_id,
            enterprise_id=made.enterprise.pk,
            actor=actor,  # type: ignore[arg-type]
            now=made.now,
        )

    results = race(apply_as(made.agent), apply_as(colleague), apply_as(made.agent))
    assert refusals(results) == []
    assert Application.objects.count() == 1


def test_two_reviewers_approve_and_the_money_is_reserved_once() -> None:
    made = case().second_review()
    colleague = staff("second_reviewer", made.version.item.department)
    results = race(
        lambda: decisions.approve(application_id=made.id, actor=made.second, now=made.now),
        lambda: decisions.approve(application_id=made.id, actor=colleague, now=made.now),
    )
    assert len(refusals(results)) == 1
    assert Decision.objects.filter(kind="approved").count() == 1
    assert Payable.objects.count() == 1


def test_one_accepts_while_another_refuses_and_one_of_them_is_told() -> None:
    made = case().submitted()
    colleague = staff("acceptor", made.version.item.department)
    results = race(
        lambda: reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now),
        lambda: reviews.not_accept(
            application_id=made.id,
            reasons=[Reason("不受理")],
            remedy="改投",
            actor=colleague,
            now=made.now,
        ),
    )
    assert len(refusals(results)) == 1
    assert made.fresh().revision == 2


def test_numbers_given_out_at_once_are_all_different_and_without_gaps() -> None:
    cases = [drafted() for _ in range(6)]

    def submit(made: Case) -> Callable[[], object]:
        return lambda: drafts.submit(application_id=made.id, actor=made.agent, now=made.now)

    assert refusals(race(*[submit(made) for made in cases])) == []
    numbers = list(Application.objects.order_by("number").values_list("number", flat=True))
    assert numbers == [f"2026-{n:06d}" for n in range(1, 7)]


def test_a_notice_asked_for_twice_at_once_is_rendered_once() -> None:
    made = case().accepted()
    decision = Decision.objects.get(application_id=made.id, kind="accepted")

    def issue() -> int:
        return notices.issue(kind=DocumentKind.ACCEPTANCE, subject_id=decision.pk, now=made.now).pk

    results = race(issue, issue, issue)
    assert refusals(results) == []
    assert len(set(results)) == 1
    assert Document.objects.count() == 1


def test_two_workers_deliver_each_letter_once() -> None:
    made = case().accepted()

    def deliver() -> int:
        return outbox.deliver(now=made.now)

    results = race(deliver, deliver, deliver)
    assert refusals(results) == []
    while outbox.deliver(now=made.now):
        pass
    assert list(Document.objects.values_list("kind", "application_id")) == [("acceptance", made.id)]
    assert not OutboxMessage.objects.exclude(last_error="").exists()


def test_two_people_consent_to_one_offer_and_it_is_taken_once() -> None:
    offer = delivery.offer()
    digest = offers.shown(offer=offer).digest
    people = [agent(offer.enterprise) for _ in range(3)]

    def agree_as(actor: Actor) -> Callable[[], Application]:
        return lambda: consents.consent(
            offer_id=offer.pk,
            seen=digest,
            contact_name="张三",
            contact_phone="028-81000000",
            actor=actor,
            now=at("2026-03-04"),
        )

    results = race(*[agree_as(person) for person in people])
    assert len(refusals(results)) == 2
    assert Application.objects.count() == 1
    assert Payable.objects.count() == 1


def test_two_runs_at_once_make_one_offer_for_each_enterprise() -> None:
    version = delivery.item()
    made = [delivery.enterprise() for _ in range(4)]
    delivery.matched(version, *made)
    results = race(*[lambda: offers.run(now=at("2026-03-04")) for _ in range(2)])
    assert refusals(results) == []
    assert Offer.objects.count() == 4
    assert OfferEdition.objects.count() == 4
