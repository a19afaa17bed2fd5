"""Running an audit: which checks, over what, and keeping what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from disbursement.audit.accounts import check_accounts
from disbursement.audit.acknowledge import acknowledged, digest_of
from disbursement.audit.anchors import check_anchors
from disbursement.audit.batches import check_batches, check_returns
from disbursement.audit.books import check_ledger
from disbursement.audit.cases import check_applications
from disbursement.audit.delivery import check_delivery
from disbursement.audit.findings import Finding, Scope
from disbursement.audit.limits import check_limits
from disbursement.audit.links import check_links
from disbursement.audit.papers import check_papers
from disbursement.audit.payments import check_payables
from disbursement.audit.people import People
from disbursement.audit.recoveries import check_recoveries
from disbursement.audit.structure import check_structure
from disbursement.domain.errors import invalid
from disbursement.models import Application, AuditRun, Batch, ChainLink, Payable, StateChange, TransitionLog

Progress = Callable[[str, int], None]
_KEPT = 1000
# In the order in which a reader wants to hear of them; the key is what a caller may choose by.
CHECKS = {
    "structure": "数据库防护",
    "links": "存证",
    "anchors": "锚点",
    "people": "人员职责",
    "applications": "申报、判定与核定",
    "delivery": "系统办理和免申即享",
    "limits": "上限、票据和预算调整",
    "payables": "应付款项",
    "recoveries": "追回与截止日",
    "accounts": "收款账户",
    "batches": "批次与封存文件",
    "returns": "回单",
    "ledger": "预算流水",
    "papers": "文书与材料",
}
# What the counts of a run are of.
COUNTED = {
    "guards": "防护触发器",
    "links": "存证",
    "anchors": "锚点",
    "applications": "申报",
    "judgements": "判定",
    "awards": "核定",
    "verifications": "系统核验",
    "offers": "免申即享告知",
    "payables": "应付款项",
    "clawbacks": "追回",
    "accounts": "收款账户",
    "batches": "批次",
    "return_files": "回单文件",
    "lines": "预算科目",
    "transfers": "预算流水",
    "documents": "文书",
    "materials": "材料",
    "certificates": "证照",
    "invoices": "发票",
    "caps": "上限",
    "budget_changes": "预算调整",
}
# What the runs' counts tell besides.
TOLD = {**COUNTED, "acknowledged": "已核查并说明的发现"}


def scope_of_application(*, number: str) -> Scope:
    """One application (its number, or its id), with its money. Raises Invalid where there is none."""
    found = Application.objects.filter(number=number).first()
    if found is None and number.isascii() and number.isdigit():
        found = Application.objects.filter(pk=int(number)).first()
    if found is None:
        raise invalid("application", f"没有申报“{number}”。请填写申报编号，如 2026-000123。")
    return scope_of(applications={found.pk}, label={"application": found.number or str(found.pk)})


def scope_since(*, moment: datetime) -> Scope:
    """What was written since a moment: the links, and everything that was moved since."""
    logged = TransitionLog.objects.filter(at__gte=moment).values_list("application_id", flat=True)
    moved = StateChange.objects.filter(made_at__gte=moment, payable__isnull=False)
    applications = {*logged, *moved.values_list("payable__application_id", flat=True).distinct()}
    batches = StateChange.objects.filter(made_at__gte=moment, batch__isnull=False).values_list("batch_id", flat=True)
    before = ChainLink.objects.filter(written_at__lt=moment).order_by("-id").values_list("id", flat=True).first()
    scope = scope_of(applications=applications, label={"since": moment.isoformat()})
    return Scope(
        applications=scope.applications,
        batches=frozenset({*(scope.batches or ()), *batches}),
        lines=scope.lines,
        enterprises=scope.enterprises,
        since_link=before or 0,
        label=scope.label,
    )


def scope_of(*, applications: Iterable[int], label: dict[str, str] | None = None) -> Scope:
    """These applications with their batches, budget lines and enterprises."""
    ids = frozenset(applications)
    payables = Payable.objects.filter(application__in=ids)
    return Scope(
        applications=ids,
        batches=frozenset(Batch.objects.filter(attempts__payable__in=payables).values_list("pk", flat=True)),
        lines=frozenset(payables.exclude(budget_line=None).values_list("budget_line_id", flat=True)),
        enterprises=frozenset(Application.objects.filter(pk__in=ids).values_list("enterprise_id", flat=True)),
        label=dict(label or {}),
    )


def findings(
    *, scope: Scope, counts: Counter[str] | None = None, only: Iterable[str] = CHECKS, on_step: Progress | None = None
) -> Iterator[Finding]:
    """Everything that is not as it must be, as it is found; `counts` tells how much was looked at. Changes nothing."""
    counts = Counter() if counts is None else counts
    people = People()
    runs: dict[str, Callable[[], Iterator[Finding]]] = {
        "structure": lambda: check_structure(counts=counts),
        "links": lambda: check_links(scope=scope, counts=counts),
        "anchors": lambda: check_anchors(counts=counts),
        "people": lambda: _role_problems(people),
        "applications": lambda: check_applications(scope=scope, people=people, counts=counts),
        "delivery": lambda: check_delivery(scope=scope, people=people, counts=counts),
        "limits": lambda: check_limits(scope=scope, people=people, counts=counts),
        "payables": lambda: check_payables(scope=scope, people=people, counts=counts),
        "recoveries": lambda: check_recoveries(scope=scope, people=people, counts=counts),
        "accounts": lambda: check_accounts(scope=scope, people=people, counts=counts),
        "batches": lambda: check_batches(scope=scope, people=people, counts=counts),
        "returns": lambda: check_returns(scope=scope, counts=counts),
        "ledger": lambda: check_ledger(scope=scope, counts=counts),
        "papers": lambda: check_papers(scope=scope, counts=counts),
    }
    for name in only:
        if on_step is not None:
            on_step(CHECKS[name], sum(counts.values()))
        yield from runs[name]()


def run(*, scope: Scope, now: datetime, finished: Callable[[], datetime], on_step: Progress | None = None) -> AuditRun:
    """Run every check over `scope` and keep the outcome for the supervisors' page. Raises nothing for findings."""
    counts: Counter[str] = Counter()
    kept: list[dict[str, str]] = []
    number = 0
    known = acknowledged()
    looked_into = 0
    for finding in findings(scope=scope, counts=counts, on_step=on_step):
        if digest_of(finding) in known:
            looked_into += 1
            continue
        number += 1
        if len(kept) < _KEPT:
            kept.append(finding.to_json())
    if looked_into:
        counts["acknowledged"] = looked_into
    return AuditRun.objects.create(
        started_at=now,
        finished_at=finished(),
        scope=scope.label,
        checked=dict(counts),
        findings=kept,
        finding_count=number,
    )


def _role_problems(people: People) -> Iterator[Finding]:
    for problem in [] if people.roles is None else people.roles.problems():
        yield Finding("people", "人员职责", problem, "请核对该人员的任免文件，撤销没有依据的授权。")
