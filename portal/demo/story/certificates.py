"""Certificates given once: registered by a department or kept by the enterprise, used again, and what changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from disbursement.models import Evidence
from disbursement.services.evidence import library as evidence
from disbursement.services.evidence.library import Details
from matching.days import day_of
from matching.registry.models import Department
from portal.demo.enterprises import PROTAGONIST
from portal.demo.story import papers
from portal.demo.story.stage import Stage, enterprise
from portal.demo.story.timeline import at


def plan_certificates(stage: Stage) -> None:
    """The protagonist's library: one that a department registered, one of its own, one that soon ends."""
    day = stage.time.published
    stage.plan(at(day, 14), lambda now: _attest(stage, now))
    stage.plan(at(day, 14, 10), lambda now: keep(stage, PROTAGONIST, "audit-report", now=now, until=None))
    soon = stage.time.today + timedelta(days=21)
    stage.plan(at(day, 14, 20), lambda now: keep(stage, PROTAGONIST, "lease", now=now, until=soon))


def keep(stage: Stage, external_id: str, kind: str, *, now: datetime, until: date | None) -> None:
    """The enterprise puts a certificate of its own into its library; `until`: its last day, None for no end."""
    known = enterprise(external_id)
    title, issuer = _KINDS[kind]
    evidence.add(
        enterprise_id=known.pk,
        kind=kind,
        details=Details(issuer, day_of(now) - timedelta(days=60), "演 0001 号", until, is_long_term=until is None),
        content=papers.pdf(title=title, lines=[f"企业名称：{known.name}"], stamp=issuer[:4]),
        name=f"{title}.pdf",
        actor=stage.person_of(external_id),
        now=now,
    )


def renew(stage: Stage, external_id: str, kind: str, now: datetime) -> None:
    """The enterprise gives a newer one; whoever has the older one in review is told."""
    standing = Evidence.objects.get(enterprise__external_id=external_id, kind=kind)
    title, issuer = _KINDS[kind]
    evidence.replace(
        evidence_id=standing.pk,
        details=Details(issuer, day_of(now), "演 0002 号", is_long_term=True),
        content=papers.pdf(title=f"{title}（更正）", lines=["更正了第三页的研发费用明细"], stamp=issuer[:4]),
        name=f"{title}（更正）.pdf",
        actor=stage.person_of(external_id),
        now=now,
    )


def _attest(stage: Stage, now: datetime) -> None:
    known, department = enterprise(PROTAGONIST), Department.objects.get(code="innovation")
    evidence.attest(
        enterprise_id=known.pk,
        kind="certificate",
        department_id=department.pk,
        details=Details(
            department.name, day_of(now) - timedelta(days=150), "GR-演-0001", day_of(now) + timedelta(days=945)
        ),
        content=papers.pdf(title="高新技术企业证书", lines=[f"企业名称：{known.name}"], stamp=department.short_name),
        name="高新技术企业证书.pdf",
        actor=stage.staff("reviewer"),
        now=now,
    )


_KINDS = {
    "audit-report": ("上年度财务审计报告", "成都某会计师事务所（演示）"),
    "lease": ("租赁合同与备案证明", "青羊工业园管理处（演示）"),
}
