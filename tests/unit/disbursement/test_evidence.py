"""The evidence library: given once, with its validity; what becomes of it is told where it is used."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import (
    EvidenceEvent,
    EvidenceVersion,
    FileReading,
    Material,
    MaterialFlag,
    StoredFile,
)
from disbursement.selectors import evidence as library
from disbursement.selectors.forms import read_rules
from disbursement.services.application import corrections, drafts, materials
from disbursement.services.application.corrections import Ask
from disbursement.services.evidence import following as evidence_following
from disbursement.services.evidence import library as evidence
from disbursement.services.evidence.library import Details
from disbursement.services.review import complete_list, decisions, interests, publicity
from matching.days import day_of
from matching.models import Enterprise
from matching.registry import outbox
from matching.services.vocabulary import current_vocabulary
from portal.inbox.models import Notification
from tests.factories import matching as base
from tests.factories import papers
from tests.factories.disbursement import CRITERIA, MATERIALS, Case, agent, applicant, at, case, staff

pytestmark = pytest.mark.django_db
UNTIL = date(2026, 12, 31)
DETAILS = Details(issuer="成都某会计师事务所", issued_on=date(2026, 1, 10), number="审字1号", valid_until=UNTIL)


def give(made: Case, content: bytes | None = None, details: Details = DETAILS, **other: Any) -> EvidenceVersion:
    """A certificate of the kind that the case's item takes from the library."""
    return evidence.add(
        **{
            "enterprise_id": made.enterprise.pk,
            "kind": "licence",
            "details": details,
            "content": content or papers.pdf(mark="licence"),
            "name": "执照.pdf",
            "actor": made.agent,
            "now": made.now,
            **other,
        }
    )


def renew(version: EvidenceVersion, made: Case, mark: str = "new", **details: Any) -> EvidenceVersion:
    return evidence.replace(
        evidence_id=version.evidence_id,
        details=changed(DETAILS, **details),
        content=papers.pdf(mark=mark),
        name="新执照.pdf",
        actor=made.agent,
        now=made.now,
    )


def deliver(now: datetime) -> None:
    outbox.deliver(now=now)


def live(made: Case) -> list[EvidenceVersion | None]:
    found = Material.objects.filter(application_id=made.id, code="licence", replaced_at__isnull=True)
    return [material.evidence_version for material in found]


def titles(enterprise: Enterprise) -> list[str]:
    return list(Notification.objects.filter(enterprise=enterprise).order_by("pk").values_list("title", flat=True))


def test_what_is_in_the_library_is_taken_into_each_draft_bytes_and_all() -> None:
    made = case()
    given = give(made)
    made.drafted()
    material = Material.objects.get(application_id=made.id, code="licence")
    assert (material.evidence_version, material.sha256) == (given, given.stored.sha256)
    assert library.uses(evidence=given.evidence) == [material]


def test_of_several_the_one_registered_by_a_department_is_taken_then_the_newest() -> None:
    made = case()
    give(made)
    newest = give(made, papers.pdf(mark="newest"), changed(DETAILS, issued_on=date(2026, 2, 1), number="2"))
    usable = library.usable(enterprise_id=made.enterprise.pk, day=day_of(made.now), kinds=["licence"])
    assert usable["licence"][0].version == newest
    department = made.version.item.department
    attested = evidence.attest(
        enterprise_id=made.enterprise.pk,
        kind="licence",
        department_id=department.pk,
        details=changed(DETAILS, issued_on=date(2025, 1, 1), issuer=department.name),
        content=papers.pdf(mark="attested"),
        name="登记.pdf",
        actor=made.acceptor,
        now=made.now,
    )
    made.drafted()
    assert live(made) == [attested]
    deliver(made.now)
    assert any("登记了贵企业的" in title for title in titles(made.enterprise))
    # Its keeper is the department: the enterprise neither changes nor withdraws it.
    with pytest.raises(Denied, match="签发部门"):
        evidence.withdraw(evidence_id=attested.evidence_id, reason="不要了", actor=made.agent, now=made.now)


@pytest.mark.parametrize(
    ("details", "place", "words"),
    [
        (changed(DETAILS, issuer=" "), "issuer", "签发单位"),
        (changed(DETAILS, issued_on=date(2027, 1, 1)), "issued_on", "晚于今天"),
        (changed(DETAILS, valid_until=None), "valid_until", "长期有效"),
        (changed(DETAILS, is_long_term=True), "valid_until", "不填有效期"),
        (changed(DETAILS, valid_until=date(2026, 1, 1)), "valid_until", "早于签发"),
        (changed(DETAILS, valid_until=date(2026, 3, 1)), "valid_until", "已于 2026-03-01 到期"),
    ],
)
def test_a_certificate_says_who_issued_it_and_until_when_it_holds(details: Details, place: str, words: str) -> None:
    made = case()
    with pytest.raises(Invalid, match=words) as refusal:
        give(made, details=details)
    assert refusal.value.faults[0].place == place
    assert not EvidenceVersion.objects.exists()


def test_only_kinds_that_items_take_from_the_library_are_kept_and_only_by_those_whose_they_are() -> None:
    made = case()
    with pytest.raises(Invalid, match="种类"):
        give(made, kind="invoice")
    with pytest.raises(Denied):
        give(made, actor=agent(applicant()))
    registrar = made.reviewer
    attest: dict[str, Any] = {
        "enterprise_id": made.enterprise.pk,
        "kind": "licence",
        "details": DETAILS,
        "content": papers.pdf(),
        "name": "a.pdf",
        "now": made.now,
    }
    other = base.department(code="other")
    with pytest.raises(Denied, match="签发部门"):
        evidence.attest(**attest, department_id=other.pk, actor=registrar)
    ours = Actor(user_id=registrar.user_id, grants=registrar.grants, enterprise_ids=frozenset({made.enterprise.pk}))
    with pytest.raises(Conflict, match="办理人员"):
        evidence.attest(**attest, department_id=made.version.item.department_id, actor=ours)


def test_the_same_certificate_twice_is_a_double_click() -> None:
    made = case()
    assert give(made) == give(made)
    assert EvidenceEvent.objects.count() == 1


def test_a_file_handed_in_with_an_application_goes_into_the_library_without_an_upload() -> None:
    made = case()
    made.drafted().upload("licence")
    material = Material.objects.get(application_id=made.id, code="licence")
    version = evidence.add_material(material_id=material.pk, details=DETAILS, actor=made.agent, now=made.now)
    assert (version.stored.sha256, version.name) == (material.sha256, "licence.pdf")
    with pytest.raises(Denied):
        evidence.add_material(material_id=material.pk, details=DETAILS, actor=agent(applicant()), now=made.now)


def test_a_newer_version_refreshes_drafts_flags_reviews_and_leaves_decisions_alone() -> None:
    decided, reviewed, drafted = (case() for _ in range(3))
    reviewed.enterprise = drafted.enterprise = decided.enterprise
    reviewed.agent = drafted.agent = decided.agent
    given = give(decided)
    decided.approved()
    reviewed.in_review()
    drafted.drafted()
    newer = renew(given, drafted)
    deliver(drafted.now)
    deliver(drafted.now)
    assert live(drafted) == [newer]
    assert live(reviewed) == [given] == live(decided)
    flag = MaterialFlag.objects.get()
    assert (flag.reason, flag.material.application_id) == ("replaced", reviewed.id)
    assert library.open_flags(application_id=reviewed.id) == [flag]
    told = titles(decided.enterprise)
    assert sum("草稿中的“营业执照”已换成新版" in title for title in told) == 1
    assert sum("用到的“营业执照”有变动" in title for title in told) == 1
    # Its reviewer is told, in person.
    handler = reviewed.fresh().handler
    assert handler is not None
    assert Notification.objects.filter(user=handler, title__contains="有变动").count() == 1


def test_a_flag_is_settled_by_a_reviewer_who_says_why_or_by_another_file() -> None:
    made = case()
    given = give(made)
    made.in_review()
    newer = renew(given, made)
    deliver(made.now)
    flag = MaterialFlag.objects.get()
    for stranger in (made.agent, staff(Role.REVIEWER, base.department(code="other"))):
        with pytest.raises(Denied):
            evidence_following.settle(flag_id=flag.pk, note="可以", actor=stranger, now=made.now)
    with pytest.raises(Invalid, match="处理意见"):
        evidence_following.settle(flag_id=flag.pk, note=" ", actor=made.reviewer, now=made.now)
    # Nothing may come in while the department works; what it asks for may be taken from the library.
    take: dict[str, Any] = {"application_id": made.id, "version_id": newer.pk, "actor": made.agent}
    with pytest.raises(Denied):
        materials.take_from_library(**take, now=made.now)
    ask = [Ask("material", "licence", "执照已换新", "请提交新版")]  # type: ignore[arg-type]
    corrections.ask(application_id=made.id, items=ask, actor=made.reviewer, now=made.later().now)
    materials.take_from_library(**take, now=made.later().now)
    corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now)
    assert live(made) == [newer]
    flag.refresh_from_db()
    assert (flag.note, flag.settled_by_id) == ("材料已更换", made.agent.user_id)
    other = case()
    give(other)
    other.submitted()
    evidence.withdraw(
        evidence_id=Material.objects.get(application_id=other.id, code="licence").evidence_version.evidence_id,  # type: ignore[union-attr]
        reason="已注销",
        actor=other.agent,
        now=other.now,
    )
    deliver(other.now)
    withdrawn = MaterialFlag.objects.get(material__application_id=other.id)
    settled = evidence_following.settle(flag_id=withdrawn.pk, note="申报时有效", actor=other.acceptor, now=other.now)
    assert (settled.reason, settled.settled_by_id) == ("withdrawn", other.acceptor.user_id)


def test_nothing_is_approved_on_a_certificate_that_changed_until_somebody_says_why_it_may_stay() -> None:
    made = case()
    given = give(made)
    made.second_review()
    renew(given, made)
    deliver(made.now)
    for pass_on in (decisions.approve, partial(publicity.publicise, days=3)):
        with pytest.raises(Invalid, match="营业执照”有变动（证照已换新版"):
            pass_on(application_id=made.id, actor=made.second, now=made.now)
    flag = MaterialFlag.objects.get()
    # The same stands on the list of what to ask for, so that it is asked once and for all.
    asked = [ask.problem for ask in complete_list.compose(application=made.fresh(), now=made.now)]
    assert asked == [flag.get_reason_display()]
    evidence_following.settle(flag_id=flag.pk, note="申报时有效", actor=made.second, now=made.now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.now)


def test_a_publicity_does_not_end_by_itself_over_a_certificate_that_was_withdrawn() -> None:
    made = case()
    given = give(made)
    made.publicised()
    evidence.withdraw(evidence_id=given.evidence_id, reason="已注销", actor=made.agent, now=made.now)
    deliver(made.now)
    over = at("2026-03-31")
    assert publicity.end_due(now=over) == []
    assert any("营业执照" in line for line in publicity.stays_because(application=made.fresh(), now=over))
    evidence_following.settle(flag_id=MaterialFlag.objects.get().pk, note="申报时有效", actor=made.second, now=over)
    assert publicity.end_due(now=over) == [made.id]


def test_a_withdrawn_certificate_leaves_drafts_and_never_comes_back() -> None:
    made = case(materials=[MATERIALS[0], {**MATERIALS[1], "required": True}])
    given = give(made)
    made.drafted()
    evidence.withdraw(evidence_id=given.evidence_id, reason="已注销", actor=made.agent, now=made.now)
    deliver(made.now)
    assert live(made) == []
    assert any("不能再用" in title for title in titles(made.enterprise))
    with pytest.raises(Invalid, match="营业执照"):
        drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    with pytest.raises(Denied, match="已停用"):
        renew(given, made)


def test_the_enterprise_is_warned_thirty_days_before_and_told_on_the_day_after_each_once() -> None:
    made = case(materials=[MATERIALS[0], {**MATERIALS[1], "required": True}])
    given = give(made, details=changed(DETAILS, valid_until=date(2026, 4, 10)))
    long = give(made, papers.pdf(mark="2"), changed(DETAILS, valid_until=None, is_long_term=True, number="2"))
    made.drafted()
    # The newest is taken; the one that ends is chosen by hand.
    materials.take_from_library(application_id=made.id, version_id=given.pk, actor=made.agent, now=made.now)
    for material in Material.objects.filter(application_id=made.id, evidence_version=long):
        materials.remove(material_id=material.pk, actor=made.agent, now=made.now)
    days = {
        "2026-03-10": (0, 0),
        "2026-03-11": (1, 0),
        "2026-03-12": (0, 0),
        "2026-04-10": (0, 0),
        "2026-04-11": (0, 1),
    }
    for day, (expiring, expired) in days.items():
        told = evidence_following.pass_days(now=at(day))
        assert told == {"expiring": expiring, "expired": expired}, day
    deliver(at("2026-04-11"))
    assert [title for title in titles(made.enterprise) if "到期" in title] == [
        "“营业执照”将于 2026-04-10 到期",
        "“营业执照”已于 2026-04-10 到期",
    ]
    # The draft takes the other one, which is still valid.
    assert live(made) == [long]


def test_a_certificate_that_ended_since_the_draft_does_not_go_through() -> None:
    made = case(materials=[MATERIALS[0], {**MATERIALS[1], "required": True}])
    give(made, details=changed(DETAILS, valid_until=date(2026, 3, 20)))
    made.drafted()
    with pytest.raises(Invalid, match="营业执照"):
        drafts.submit(application_id=made.id, actor=made.agent, now=at("2026-03-23"))
    drafts.submit(application_id=made.id, actor=made.agent, now=at("2026-03-20"))


def test_what_the_enterprise_uploaded_itself_stays_beside_a_new_certificate() -> None:
    made = case()
    made.drafted().upload("licence")
    give(made, papers.pdf(mark="library"))
    deliver(made.now)
    assert live(made) == [None]


def test_an_infected_file_leaves_drafts_is_flagged_elsewhere_and_opened_by_nobody() -> None:
    made, reviewed = case(), case()
    given = give(made)
    made.drafted()
    reviewed.submitted()
    invoice = Material.objects.get(application_id=reviewed.id)
    found = [given.stored.sha256, invoice.sha256]
    StoredFile.objects.filter(sha256__in=found).update(scan="infected", finding="Eicar", scanned_at=made.now)
    for stored in StoredFile.objects.filter(sha256__in=found):
        evidence_following.follow_scan(stored_id=stored.pk, now=made.now)
        evidence_following.follow_scan(stored_id=stored.pk, now=made.now)
    deliver(made.now)
    assert live(made) == []
    assert MaterialFlag.objects.get().material == invoice
    with pytest.raises(Denied, match="病毒"):
        evidence.open_version(version_id=given.pk, actor=made.agent, now=made.now)
    with pytest.raises(Invalid, match="病毒"):
        give(made)


def test_a_version_opens_for_its_enterprise_and_for_the_department_that_registered_it() -> None:
    made = case()
    own = give(made)
    opened = evidence.open_version(version_id=own.pk, actor=made.agent, now=made.now)
    assert b"".join(opened.pieces()) == papers.pdf(mark="licence")
    for stranger in (made.reviewer, agent(applicant())):
        with pytest.raises(Denied):
            evidence.open_version(version_id=own.pk, actor=stranger, now=made.now)
    attested = evidence.attest(
        enterprise_id=made.enterprise.pk,
        kind="licence",
        department_id=made.version.item.department_id,
        details=DETAILS,
        content=papers.pdf(mark="attested"),
        name="a.pdf",
        actor=made.acceptor,
        now=made.now,
    )
    evidence.open_version(version_id=attested.pk, actor=made.reviewer, now=made.now)
    assert [reading.reader_id for reading in FileReading.objects.all()] == [made.reviewer.user_id]


def verified(made: Case, on: date) -> dict[str, list[str]]:
    rules = read_rules(version=made.version, vocabulary=current_vocabulary())
    found = library.verified_by_data(version=made.version, rules=rules, enterprise_id=made.enterprise.pk, day=on)
    return {code: [fact.label for fact in facts] for code, facts in found.items()}


def test_what_a_trusted_and_fresh_source_says_needs_no_paper() -> None:
    here, *others = CRITERIA["all"]
    criteria = {"all": [{**here, "evidence": ["lease"]}, *others[:1], {**others[1], "evidence": ["invoice"]}]}
    lease = {**MATERIALS[2], "required": True}
    made = case(criteria=criteria, materials=[MATERIALS[0], lease])
    day = day_of(made.now)
    definition = current_vocabulary().facts["registered_region"]
    # What is on file comes from somebody whom nobody vouches for.
    assert verified(made, day) == {}
    say(made, source=definition.source, on=date(2026, 2, 1))
    # The form's own figure proves no invoice; the registered place proves the lease, where its authority says so.
    assert verified(made, day) == {"lease": [definition.label]}
    made.submitted()  # without the lease
    assert "lease" not in set(Material.objects.filter(application_id=made.id).values_list("code", flat=True))
    say(made, source="企业填报", on=day)
    assert verified(made, day + timedelta(days=1)) == {}
    say(made, source="数据共享交换平台", on=day + timedelta(days=2))
    assert verified(made, day + timedelta(days=3)) == {"lease": [definition.label]}


def say(made: Case, *, source: str, on: date) -> None:
    """The same place again, by somebody else: unknown for a day between, for a fact that says nothing new is no row."""
    for value, day in ((None, on - timedelta(days=1)), ("510105", on)):
        base.learn(made.enterprise, now=made.now, valid_on=day, source=source, registered_region=value)


def test_a_person_of_the_district_who_registered_a_certificate_has_not_written_the_application() -> None:
    made = case()
    evidence.attest(
        enterprise_id=made.enterprise.pk,
        kind="licence",
        department_id=made.version.item.department_id,
        details=DETAILS,
        content=papers.pdf(mark="attested"),
        name="a.pdf",
        actor=made.acceptor,
        now=made.now,
    )
    made.accepted()
    assert Material.objects.get(application_id=made.id, code="licence").uploaded_by_id == made.agent.user_id


def test_who_declared_an_interest_registers_nothing_for_the_enterprise() -> None:
    made = case()
    given: dict[str, Any] = {
        "enterprise_id": made.enterprise.pk,
        "kind": "licence",
        "department_id": made.version.item.department_id,
        "details": DETAILS,
        "content": papers.pdf(mark="attested"),
        "name": "a.pdf",
        "now": made.now,
    }
    version = evidence.attest(**given, actor=made.reviewer)
    interests.declare(enterprise_id=made.enterprise.pk, reason="配偶任职", actor=made.acceptor, now=made.now)
    deeds = (
        partial(evidence.attest, **given),
        partial(evidence.withdraw, evidence_id=version.evidence_id, reason="已注销", now=made.now),
    )
    for deed in deeds:
        with pytest.raises(Conflict, match="须回避登记它的证照"):
            deed(actor=made.acceptor)
