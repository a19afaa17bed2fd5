"""Papers: issued notices, handed-in materials and kept certificates still have the bytes that their hashes name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from disbursement.audit.findings import Finding, Scope
from disbursement.models import ApplicationInvoice, ClaimedInvoice, Document, EvidenceVersion, Material
from disbursement.models.files import private_storage

_PAPER = "请以企业手中的纸质或电子原件核对摘要，从备份恢复，并查明是谁改动。"
_PIECE = 1 << 20


def check_papers(*, scope: Scope, counts: Counter[str]) -> Iterator[Finding]:
    """Documents, materials, and invoices that an award stands on."""
    documents, materials = Document.objects.order_by("pk"), Material.objects.order_by("pk")
    claims = ClaimedInvoice.objects.select_related("application").order_by("pk")
    if scope.applications is not None:
        documents = documents.filter(application__in=scope.applications)
        materials = materials.filter(application__in=scope.applications)
        claims = claims.filter(application__in=scope.applications)
    for document in documents.iterator(chunk_size=20):
        counts["documents"] += 1
        content = bytes(document.content)
        if hashlib.sha256(content).hexdigest() != document.sha256 or len(content) != document.size:
            yield Finding("documents", f"文书 {document.number}", "文书的内容与其摘要或大小不符。", _PAPER)
    for material in materials.select_related("application").iterator(chunk_size=200):
        counts["materials"] += 1
        place = f"申报 {material.application.number or material.application_id} 材料 {material.name}"
        if problem := _file_problem(path=str(material.file.name), sha256=material.sha256, size=material.size):
            yield Finding("materials", place, f"材料文件{problem}。", _PAPER)
    if scope.applications is None:
        yield from _check_certificates(counts)
    for claim in claims.iterator(chunk_size=1000):
        counts["invoices"] += 1
        table = ApplicationInvoice.objects.filter(application=claim.application)
        stated = table.filter(number=claim.number, issuer=claim.issuer, amount=claim.amount)
        if claim.released_at is None and not stated.exists() and table.exists():
            place = f"申报 {claim.application.number} 发票 {claim.number}"
            yield Finding("invoices", place, "已用发票与申报的发票清单不符。", _PAPER)
        if claim.released_at is not None and claim.application.state == "approved":
            place = f"申报 {claim.application.number} 发票 {claim.number}"
            yield Finding("invoices", place, "申报仍有效，其发票却已释放。", _PAPER)


def _check_certificates(counts: Counter[str]) -> Iterator[Finding]:
    """The library's files: each application that took one is checked by itself."""
    versions = EvidenceVersion.objects.select_related("stored", "evidence__enterprise").order_by("pk")
    for version in versions.iterator(chunk_size=200):
        counts["certificates"] += 1
        stored = version.stored
        if problem := _file_problem(path=stored.path, sha256=stored.sha256, size=stored.size):
            place = f"{version.evidence.enterprise} 证照 {version.evidence.kind_name} 第 {version.seq} 版"
            yield Finding("certificates", place, f"证照文件{problem}。", _PAPER)


def _file_problem(*, path: str, sha256: str, size: int) -> str:
    """What is wrong with a stored file; empty where it is what came in."""
    digest, found = hashlib.sha256(), 0
    try:
        with private_storage().open(path, "rb") as handle:
            while piece := handle.read(_PIECE):
                digest.update(piece)
                found += len(piece)
    except OSError:
        return "不见了"
    return "" if digest.hexdigest() == sha256 and found == size else "的内容与其摘要或大小不符"
