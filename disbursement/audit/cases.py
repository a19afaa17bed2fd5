"""Applications: their way, the people on it, and that decision, award and instalments follow from what was judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from disbursement.audit.findings import Finding, Scope
from disbursement.audit.paths import Step, two_roles, wrong_steps
from disbursement.audit.people import People
from disbursement.domain.workflow import APPLICATION, ApplicationState, Role
from disbursement.models import Application, Award, Judgement, TransitionLog
from disbursement.selectors.forms import read_rules
from disbursement.services.application.judging import judgement_inputs, replay
from matching.criteria import InvalidInput
from matching.criteria.award import split_instalments
from matching.services.vocabulary import vocabulary_at

_LOG = "请对照纸质案卷和备份查明真实经过；办理记录、状态被改动的，按更正程序处理，相关款项先暂缓。"
_PERSON = "请由督查部门核实是谁、以什么职责办理；确属越权的，撤销该步骤并由其他人员重新办理。"
_MONEY = "请暂缓该申报的全部款项，按政策版本和判定输入重新计算；已支付的，按追回办理。"
# Which step each decision and opinion belongs to.
DECISIONS = {
    "accepted": {"accept", "accept_with_gap"},
    "not_accepted": {"refuse"},
    "approved": {"approve"},
    "rejected": {"reject"},
    "upheld": {"uphold"},
    "revoked": {"revoke"},
}
OPINIONS = {
    "approval": {"recommend_approval"},
    "rejection": {"recommend_rejection"},
    "expert": {"expert_report"},
    "send_back": {"send_back"},
}
_CHANGEABLE = (ApplicationState.DRAFT, ApplicationState.CORRECTION, ApplicationState.REVIEW_CORRECTION)
# Roles that need no grant of their own.
_COVERED = {
    Role.APPEAL_REVIEWER.value: Role.SECOND_REVIEWER.value,
    Role.JOINT_REVIEWER.value: Role.REVIEWER.value,
}


def check_applications(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """Go through the applications one by one."""
    query = Application.objects.order_by("pk").select_related("item", "version", "enterprise")
    if scope.applications is not None:
        query = query.filter(pk__in=scope.applications)
    related = (
        "corrections",
        "publicities",
        "log",
        "participations",
        "judgements__vocabulary",
        "judgements__version",
        "decisions",
        "opinions",
        "visits",
        "joint_reviews",
    )
    for application in query.prefetch_related(*related).iterator(chunk_size=100):
        counts["applications"] += 1
        place = f"申报 {application.number or f'草稿 #{application.pk}'}"
        log = sorted(application.log.all(), key=lambda entry: entry.seq)
        yield from _way(application, log, place)
        yield from _persons(application, log, place, people=people)
        yield from _decided(application, log, place)
        yield from _judged(application, place, counts=counts)
        yield from _awarded(application, place, counts=counts)


def _way(application: Application, log: list[TransitionLog], place: str) -> Iterator[Finding]:
    steps = [Step(entry.source, entry.action, entry.role, entry.target, entry.actor_id) for entry in log]
    for problem in wrong_steps(APPLICATION, steps, first="draft", now=application.state):
        yield Finding("application.path", place, problem, _LOG)
    if [entry.seq for entry in log] != list(range(1, application.revision + 1)):
        yield Finding("application.path", place, "办理记录的序号不连续，或与申报的修订号不符。", _LOG)
    if any(later.at < earlier.at for earlier, later in pairwise(log)):
        yield Finding("application.path", place, "办理记录的时间前后颠倒。", _LOG)
    dates = {
        "submitted_at": ("submit",),
        "accepted_at": ("accept", "accept_with_gap"),
        "decided_at": ("approve", "reject", "uphold"),
        "closed_at": ("close",),
    }
    labels = {"submitted_at": "提交", "accepted_at": "受理", "decided_at": "决定", "closed_at": "办结"}
    for column, actions in dates.items():
        told = getattr(application, column)
        if told is not None and told not in {entry.at for entry in log if entry.action in actions}:
            yield Finding("application.dates", place, f"{labels[column]}时间与办理记录不符。", _LOG)


def _persons(application: Application, log: list[TransitionLog], place: str, *, people: People) -> Iterator[Finding]:
    parts = {part.user_id: part.role for part in application.participations.all()}
    steps = [Step(entry.source, entry.action, entry.role, entry.target, entry.actor_id) for entry in log]
    for user_id, first, other in two_roles(steps):
        yield Finding(
            "application.people", place, f"{people.name(user_id)}先后以“{first}”和“{other}”两种身份办理。", _PERSON
        )
    for entry in log:
        if entry.actor_id is None:
            continue
        who = people.name(entry.actor_id)
        if parts.get(entry.actor_id) != entry.role:
            yield Finding("application.people", place, f"第{entry.seq}步的{who}与参与人员登记不符。", _PERSON)
        role = _COVERED.get(entry.role, entry.role)
        if entry.role == Role.ENTERPRISE:
            if people.was_stranger(user_id=entry.actor_id, enterprise_id=application.enterprise_id):
                yield Finding("application.people", place, f"第{entry.seq}步的{who}从未获该企业授权。", _PERSON)
            continue
        if people.lacked_role(user_id=entry.actor_id, role=role, table="disbursement_transitionlog", pk=entry.pk):
            problem = f"第{entry.seq}步由{who}以“{entry.get_role_display()}”办理，但其当时没有该职责。"
            yield Finding("application.people", place, problem, _PERSON)
        if people.had_interest(user_id=entry.actor_id, enterprise_id=application.enterprise_id, at=entry.at):
            yield Finding("application.people", place, f"第{entry.seq}步的{who}当时已申报利益关系，应当回避。", _PERSON)


def _decided(application: Application, log: list[TransitionLog], place: str) -> Iterator[Finding]:
    """Each decision and each opinion is that of one step, by the same person at the same time, and none is missing."""
    steps = Counter((entry.action, entry.actor_id, entry.at) for entry in log)
    for decision in application.decisions.all():
        if not any(steps[action, decision.by_id, decision.at] for action in DECISIONS.get(decision.kind, ())):
            problem = f"决定“{decision.get_kind_display()}”在办理记录中没有对应的步骤。"
            yield Finding("application.decisions", place, problem, _LOG)
    for opinion in application.opinions.all():
        wanted = OPINIONS.get(opinion.kind)
        if wanted and not any(steps[action, opinion.by_id, opinion.at] for action in wanted):
            problem = f"意见“{opinion.get_kind_display()}”在办理记录中没有对应的步骤。"
            yield Finding("application.decisions", place, problem, _LOG)
    asked = Counter(("ask_correction", found.asked_by_id, found.asked_at) for found in application.corrections.all())
    shown = Counter(("publicise", found.opened_by_id, found.opened_at) for found in application.publicities.all())
    visited = Counter(("record_visit", row.recorded_by_id, row.recorded_at) for row in application.visits.all())
    answers = [row for row in application.joint_reviews.all() if row.by_id is not None]
    answered = Counter(("give_opinion", row.by_id, row.at) for row in answers)
    told = {
        "补正告知": ("ask_correction", asked),
        "公示": ("publicise", shown),
        "现场核查": ("record_visit", visited),
        "会审意见": ("give_opinion", answered),
    }
    for name, (action, rows) in told.items():
        if rows != Counter({step: number for step, number in steps.items() if step[0] == action}):
            yield Finding("application.decisions", place, f"{name}与办理记录不一致，有缺失或多出的。", _LOG)
    ended = sum(1 for found in application.publicities.all() if found.closed_at is not None)
    if ended != sum(1 for entry in log if entry.source == "publicity"):
        yield Finding("application.decisions", place, "公示的结束与办理记录不符。", _LOG)
    kinds = Counter(decision.kind for decision in application.decisions.all())
    for kind, actions in DECISIONS.items():
        taken = sum(1 for entry in log if entry.action in actions)
        if kinds[kind] != taken:
            yield Finding("application.decisions", place, f"“{kind}”有{taken}步，却有{kinds[kind]}份决定。", _LOG)


def _judged(application: Application, place: str, *, counts: Counter[str]) -> Iterator[Finding]:
    latest: Judgement | None = None
    for judgement in sorted(application.judgements.all(), key=lambda found: found.pk):
        counts["judgements"] += 1
        latest = judgement
        where = f"{place} 判定 #{judgement.pk}"
        try:
            again = replay(judgement=judgement)
        except (InvalidInput, ValueError, KeyError, LookupError) as error:
            yield Finding("judgements", where, f"判定输入已无法读取：{error}", _MONEY)
            continue
        if not again.intact:
            yield Finding("judgements", where, "判定的输入、结果或政策版本与其摘要不符，被改动过。", _MONEY)
        if not again.same:
            yield Finding("judgements", where, "用所存输入重新判定，结果与所存结果不一致。", _MONEY)
        outcome = judgement.outcome
        seen = judgement_inputs(judgement=judgement)
        if judgement.verdict != outcome["verdict"] or judgement.as_of.isoformat() != seen["as_of"]:
            yield Finding("judgements", where, "登记的结论或基准日与判定内容不符。", _MONEY)
        if judgement.version_id != application.version_id:
            yield Finding("judgements", where, "判定所用的政策版本不是申报的版本。", _MONEY)
    if latest is None or application.status in _CHANGEABLE:
        return
    facts = judgement_inputs(judgement=latest)["facts"]
    changed = [key for key, value in application.form.items() if key in facts and facts[key] != value]
    if changed:
        yield Finding("judgements", place, f"申报表中的 {'、'.join(changed)} 在最后一次判定后被改动。", _MONEY)


def _awarded(application: Application, place: str, *, counts: Counter[str]) -> Iterator[Finding]:
    award = Award.objects.filter(application=application).first()
    decision = next((found for found in application.decisions.all() if found.kind == "approved"), None)
    payables = sorted(application.payables.all(), key=lambda found: found.number)
    if award is None or decision is None:
        if award is not None or decision is not None or payables or application.approved_amount is not None:
            yield Finding("awards", place, "核定、审核决定和应付款项不齐：有其一而无其余。", _MONEY)
        return
    counts["awards"] += 1
    told = {"核定": award.amount, "决定书": decision.amount, "申报": application.approved_amount}
    told["各期应付"] = sum((payable.entitled for payable in payables), Decimal("0.00"))
    if len(set(told.values())) > 1:
        shown = "，".join(f"{name}{amount}元" for name, amount in told.items())
        yield Finding("awards", place, f"金额不一致：{shown}。", _MONEY)
    if (award.enterprise_id, award.version_id, award.item_code) != (
        application.enterprise_id,
        application.version_id,
        application.item.code,
    ):
        yield Finding("awards", place, "核定的企业、政策版本或事项与申报不符。", _MONEY)
    if award.granted_by_id != decision.by_id or award.granted_at != decision.at:
        yield Finding("awards", place, "核定人或核定时间与审核决定不符。", _PERSON)
    judgement = next((found for found in application.judgements.all() if found.pk == decision.judgement_id), None)
    figures = None if judgement is None else judgement.outcome["estimate"]
    if judgement is None or figures is None or Decimal(figures["low"]) != award.computed:
        yield Finding("awards", place, f"测算金额{award.computed}元与决定所依据的判定不符。", _MONEY)
    if any((p.award_id, p.enterprise_id) != (award.pk, application.enterprise_id) for p in payables):
        yield Finding("awards", place, "应付款项不属于本申报的核定或企业。", _MONEY)
    yield from _instalments(award, judgement, [(p.number, p.entitled) for p in payables], place)


def _instalments(
    award: Award, judgement: Judgement | None, there: list[tuple[int, Decimal]], place: str
) -> Iterator[Finding]:
    if judgement is None:
        return
    try:
        vocabulary = vocabulary_at(digest=judgement_inputs(judgement=judgement)["vocabulary"])
        rules = read_rules(version=judgement.version, vocabulary=vocabulary).award
    except (InvalidInput, ValueError, KeyError, LookupError):
        return  # told of with the judgement
    if rules is None:
        yield Finding("awards", place, "该政策版本没有奖补规则，却有核定。", _MONEY)
        return
    parts = [(n, Decimal(part)) for n, part in enumerate(split_instalments(rules, award.amount), start=1) if part > 0]
    if parts != there:
        yield Finding("awards", place, "各期应付与政策规定的分期不符，或缺少、多出一期。", _MONEY)
