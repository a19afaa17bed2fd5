"""The library: an enterprise keeps its certificates, a department registers them, a reviewer sees what changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from disbursement.models import Evidence, EvidenceVersion, FileReading, Material, MaterialFlag
from disbursement.services.application import materials
from matching.days import day_of
from matching.registry import outbox
from portal.accounts.models import StaffRole
from tests.factories import papers
from tests.factories.disbursement import at, case
from tests.integration.portal.conftest import member, official, signed_in

pytestmark = pytest.mark.django_db
NOW = at("2026-03-02", 15)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The views' clock, which a test may turn on."""
    hand = SimpleNamespace(now=NOW)
    monkeypatch.setattr(timezone, "now", lambda: hand.now)
    return hand


def typed(**other: Any) -> dict[str, Any]:
    """A filled form."""
    return {
        "kind": "licence",
        "number": "A-1",
        "issuer": "某所",
        "issued_on": "2026-01-05",
        "valid_until": "2027-01-05",
        "file": SimpleUploadedFile("执照.pdf", papers.pdf(mark="A")),
        **other,
    }


def page(client: Client, name: str, *arguments: object, status: int = 200) -> str:
    response = client.get(reverse(name, args=arguments))
    assert response.status_code == status
    return response.content.decode() if status == 200 else ""


def deliver(now: datetime) -> None:
    outbox.deliver(now=now)


def test_an_enterprise_keeps_a_certificate_from_its_first_day_to_its_last(clock: SimpleNamespace) -> None:
    made = case()
    ours, theirs = signed_in(member(made.enterprise)), signed_in(member(case().enterprise))
    assert "营业执照" in page(ours, "enterprise:evidence")  # asked for, and not there
    # Something is missing: said at its place, nothing kept.
    refused = ours.post(reverse("enterprise:evidence_add"), typed(valid_until=""))
    assert refused.status_code == 422
    assert "长期有效" in refused.content.decode()
    bad = ours.post(reverse("enterprise:evidence_add"), typed(file=SimpleUploadedFile("a.pdf", b"MZ")))
    assert "只能上传" in bad.content.decode()
    assert not Evidence.objects.exists()
    kept = ours.post(reverse("enterprise:evidence_add"), typed())
    found = Evidence.objects.get()
    assert kept.url == reverse("enterprise:certificate", args=[found.pk])  # type: ignore[attr-defined]
    # Its draft takes it, and the page of the certificate says so.
    made.drafted()
    assert made.version.item.name in page(ours, "enterprise:certificate", found.pk)
    assert "取自证照库" in page(ours, "enterprise:materials", made.id)
    newer = typed(number="A-2", file=SimpleUploadedFile("新.pdf", papers.pdf(mark="B")))
    assert ours.post(reverse("enterprise:evidence_replace", args=[found.pk]), newer).status_code == 302
    same = ours.post(reverse("enterprise:evidence_replace", args=[found.pk]), {**newer, "file": ""})
    assert "内容与现在的版本相同" in same.content.decode()
    deliver(clock.now)
    assert Material.objects.get(application_id=made.id, code="licence", replaced_at__isnull=True).name == "新.pdf"
    # Its file leaves as an attachment that no browser opens on this site.
    version = EvidenceVersion.objects.get(seq=2)
    response = ours.get(reverse("enterprise:evidence_file", args=[version.pk]))
    assert b"".join(response.streaming_content) == papers.pdf(mark="B")  # type: ignore[attr-defined]
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Content-Length"] == str(len(papers.pdf(mark="B")))
    # Nothing of it is anybody else's.
    for name, pk in (("certificate", found.pk), ("evidence_file", version.pk)):
        assert theirs.get(reverse(f"enterprise:{name}", args=[pk])).status_code == 404
    assert theirs.post(reverse("enterprise:evidence_withdraw", args=[found.pk]), {"reason": "x"}).status_code == 404
    assert ours.post(reverse("enterprise:evidence_withdraw", args=[found.pk]), {"reason": " "}).status_code == 422
    ours.post(reverse("enterprise:evidence_withdraw", args=[found.pk]), {"reason": "已注销"})
    assert "已停用" in page(ours, "enterprise:evidence")


def test_what_was_uploaded_for_an_application_goes_into_the_library_by_its_link(clock: SimpleNamespace) -> None:
    made = case()
    ours = signed_in(member(made.enterprise))
    made.drafted().upload("licence")
    material = Material.objects.get(application_id=made.id, code="licence")
    assert f"?material={material.pk}" in page(ours, "enterprise:materials", made.id)
    address = f"{reverse('enterprise:evidence_add')}?material={material.pk}"
    assert "不用再选文件" in ours.get(address).content.decode()
    assert ours.post(address, {**typed(), "file": ""}).status_code == 302
    assert EvidenceVersion.objects.get().stored.sha256 == material.sha256


def test_a_certificate_is_taken_from_the_library_by_a_button(clock: SimpleNamespace) -> None:
    made = case().drafted()
    ours = signed_in(member(made.enterprise))
    ours.post(reverse("enterprise:evidence_add"), typed())
    material = Material.objects.filter(application_id=made.id, code="licence").first()
    if material is not None:  # tasks run at once here: the draft was refreshed by itself
        materials.remove(material_id=material.pk, actor=made.agent, now=clock.now)
    version = EvidenceVersion.objects.get()
    address = reverse("enterprise:materials", args=[made.id])
    assert f'value="{version.pk}"' in page(ours, "enterprise:materials", made.id)
    for nonsense in ("x", "9" * 30, "٣"):
        assert ours.post(address, {"code": "licence", "version": nonsense}).status_code == 302
    ours.post(address, {"code": "licence", "version": version.pk})
    assert Material.objects.get(application_id=made.id, code="licence", replaced_at=None).evidence_version == version


def test_a_department_registers_what_it_issued_and_nobody_elses(clock: SimpleNamespace) -> None:
    made = case()
    department = made.version.item.department
    registrar = signed_in(official(StaffRole.ACCEPTOR, department))
    elsewhere = signed_in(official(StaffRole.ACCEPTOR, people_of_another()))
    form = typed(credit_code=made.enterprise.credit_code.lower(), department=department.pk)
    assert (
        "没有登记过"
        in registrar.post(
            reverse("desk:evidence_register"), typed(credit_code="91510105MA00000000", department=department.pk)
        ).content.decode()
    )
    assert elsewhere.post(reverse("desk:evidence_register"), form).status_code == 422
    form["file"].seek(0)
    registrar.post(reverse("desk:evidence_register"), form)
    found = Evidence.objects.get()
    assert (found.department, found.source) == (department, "attested")
    assert made.enterprise.name in page(registrar, "desk:evidence")
    assert "营业执照" in page(registrar, "desk:certificate", found.pk)
    assert elsewhere.get(reverse("desk:certificate", args=[found.pk])).status_code == 404
    version = EvidenceVersion.objects.get()
    assert registrar.get(reverse("desk:evidence_file", args=[version.pk])).status_code == 200
    ours = signed_in(member(made.enterprise))
    shown = page(ours, "enterprise:certificate", found.pk)
    assert "登记部门查看" in shown  # who read it is told
    assert "换成新版" not in shown
    registrar.post(reverse("desk:evidence_replace", args=[found.pk]), {**typed(number="A-9"), "file": ""})
    registrar.post(reverse("desk:evidence_withdraw", args=[found.pk]), {"reason": "吊销"})
    assert "吊销" in page(ours, "enterprise:certificate", found.pk)


def people_of_another() -> Any:
    from tests.factories.matching import department

    return department(code="elsewhere", name="别的局")


def test_a_reviewer_sees_what_changed_and_a_supervisor_may_open_the_file(clock: SimpleNamespace) -> None:
    made = case()
    department = made.version.item.department
    ours = signed_in(member(made.enterprise))
    ours.post(reverse("enterprise:evidence_add"), typed())
    made.in_review()
    clock.now = made.now
    ours.post(reverse("enterprise:evidence_withdraw", args=[Evidence.objects.get().pk]), {"reason": "已注销"})
    deliver(clock.now)
    flag = MaterialFlag.objects.get()
    reviewer, supervisor = (
        signed_in(official(role, department)) for role in (StaffRole.REVIEWER, StaffRole.SUPERVISOR)
    )
    elsewhere = signed_in(official(StaffRole.SUPERVISOR, people_of_another()))
    assert "证照已停用" in page(reviewer, "desk:application", made.id)
    assert "证照已停用" in page(ours, "enterprise:application", made.id)
    for client, status in ((reviewer, 200), (supervisor, 200), (elsewhere, 404)):
        assert client.get(reverse("desk:material", args=[flag.material_id])).status_code == status
    assert FileReading.objects.filter(material=flag.material).count() == 2
    settle = reverse("desk:settle_flag", args=[flag.pk])
    assert supervisor.post(settle, {"note": "可以"}).status_code == 403
    reviewer.post(settle, {"note": ""})
    flag.refresh_from_db()
    assert flag.settled_at is None
    reviewer.post(settle, {"note": "申报时有效"})
    flag.refresh_from_db()
    assert flag.note == "申报时有效"
    assert "申报时有效" in page(reviewer, "desk:application", made.id)


def test_the_library_asks_no_more_queries_for_more_certificates(
    clock: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    made = case()
    user = member(made.enterprise)
    client = signed_in(user)

    def queries() -> int:
        with django_assert_max_num_queries(60) as seen:
            page(client, "enterprise:evidence")
        return len(seen)

    client.post(reverse("enterprise:evidence_add"), typed())
    few = queries()
    for number in range(5):
        day = (day_of(NOW) - timedelta(days=number)).isoformat()
        upload = SimpleUploadedFile("a.pdf", papers.pdf(mark=f"m{number}"))
        client.post(reverse("enterprise:evidence_add"), typed(number=f"N{number}", issued_on=day, file=upload))
    assert Evidence.objects.count() == 6
    assert queries() == few
