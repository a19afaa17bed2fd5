"""The machine's decisions and the offers without application: what was done follows from what was verified and shown,
and an enterprise agreed to exactly that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from disbursement.audit.findings import Finding, Scope
from disbursement.audit.paths import Step, wrong_steps
from disbursement.audit.people import People
from disbursement.domain.delivery import OFFER, OfferState
from disbursement.models import Award, MachineVerification, Offer, OfferEdition
from disbursement.selectors.delivery import terms_of
from disbursement.services.delivery.offer_content import content_of, replay
from matching.criteria import InvalidInput
from matching.delivery_terms import Terms

_MACHINE = "请暂缓该申报的款项，由人员按政策条件重新审核；查明系统核验记录或政策条件由谁改动。"
_OFFER = "请暂缓该申报的款项，与企业核对其确认的内容；告知内容被改动的，撤销后重新告知。"


def check_delivery(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """Go through what the machine verified, and through the offers."""
    yield from _verified(scope, counts=counts)
    yield from _offers(scope, people=people, counts=counts)


def _verified(scope: Scope, *, counts: Counter[str]) -> Iterator[Finding]:
    rows = MachineVerification.objects.order_by("pk").select_related("application__version", "judgement")
    if scope.applications is not None:
        rows = rows.filter(application__in=scope.applications)
    for row in rows.iterator(chunk_size=500):
        counts["verifications"] += 1
        application = row.application
        place = f"申报 {application.number} 系统核验"
        terms = terms_of(version=application.version)
        if terms is None or terms.mode != row.mode:
            yield Finding("delivery.machine", place, "该政策版本没有让系统这样办理的条件。", _MACHINE)
            continue
        if row.passed:
            yield from _within(row, terms, place)
        decided = Award.objects.filter(application=application, granted_by__isnull=True).first()
        if row.decides and decided is not None and decided.amount != row.amount:
            problem = f"系统核验金额{row.amount}元，核定{decided.amount}元，不一致。"
            yield Finding("delivery.machine", place, problem, _MACHINE)


def _within(row: MachineVerification, terms: Terms, place: str) -> Iterator[Finding]:
    taken = {"acceptance": row.accepts, "review": row.reviews, "decision": row.decides}
    beyond = [step for step, is_taken in taken.items() if is_taken and step not in terms.machine]
    if beyond:
        yield Finding("delivery.machine", place, f"系统办理了政策没有交给它的环节：{'、'.join(beyond)}。", _MACHINE)
    if row.most != terms.most or (row.amount is not None and terms.most is not None and row.amount > terms.most):
        yield Finding("delivery.machine", place, "金额或金额上限与政策版本不符。", _MACHINE)
    proved = {proof.get("fact") for proof in row.proofs}
    lacking = set(terms.verified or row.judgement.facts) - proved
    if lacking:
        yield Finding("delivery.machine", place, f"没有核验 {'、'.join(sorted(lacking))} 的记录。", _MACHINE)


def _offers(scope: Scope, *, people: People, counts: Counter[str]) -> Iterator[Finding]:
    rows = Offer.objects.order_by("pk").select_related("item", "enterprise", "application")
    if scope.applications is not None:
        rows = rows.filter(application__in=scope.applications)
    editions = "editions__version", "editions__vocabulary", "editions__account"
    for offer in rows.prefetch_related("log", *editions).iterator(chunk_size=200):
        counts["offers"] += 1
        place = f"免申即享告知 #{offer.pk}（{offer.enterprise.name}，{offer.item.name}）"
        log = sorted(offer.log.all(), key=lambda event: event.seq)
        steps = [Step(one.source, one.action, one.role, one.target, one.actor_id) for one in log]
        for problem in wrong_steps(OFFER, steps, first="open", now=offer.state):
            yield Finding("delivery.offers", place, problem, _OFFER)
        shown = {one.seq: one for one in offer.editions.all()}
        for edition in shown.values():
            yield from _edition(edition, f"{place} 第{edition.seq}版")
        if offer.status is not OfferState.CONSENTED:
            continue
        consent = log[-1] if log else None
        agreed = shown.get(offer.edition)
        if consent is None or agreed is None or (consent.edition, consent.digest) != (agreed.seq, agreed.digest):
            yield Finding("delivery.offers", place, "企业确认的内容与现存的告知内容不符。", _OFFER)
            continue
        if consent.actor_id is None or people.was_stranger(user_id=consent.actor_id, enterprise_id=offer.enterprise_id):
            yield Finding("delivery.offers", place, "确认人从未获该企业授权。", _OFFER)
        submitted = offer.application.log.filter(action="submit").first() if offer.application else None
        if submitted is None or (submitted.actor_id, submitted.at) != (consent.actor_id, consent.at):
            yield Finding("delivery.offers", place, "确认与申报的提交不是同一人、同一时间。", _OFFER)
        verified = MachineVerification.objects.filter(application=offer.application_id, passed=True).first()
        if verified is not None and verified.amount != agreed.amount:
            problem = f"企业确认的金额{agreed.amount}元，系统核验{verified.amount}元，不一致。"
            yield Finding("delivery.offers", place, problem, _OFFER)


def _edition(edition: OfferEdition, place: str) -> Iterator[Finding]:
    if content_of(edition=edition).digest != edition.digest:
        yield Finding("delivery.offers", place, "告知内容与其摘要不符，被改动过。", _OFFER)
    try:
        again = replay(edition=edition)
    except (InvalidInput, ValueError, KeyError, LookupError) as error:
        yield Finding("delivery.offers", place, f"判定输入已无法读取：{error}", _OFFER)
        return
    if not again.intact or not again.same:
        yield Finding("delivery.offers", place, "用所存输入重新判定，结果与所存结果不一致。", _OFFER)


__all__ = ["check_delivery"]
