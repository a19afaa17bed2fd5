"""What a worker is woken up for. Each task takes nothing or ids, may run twice, and leaves the same state."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from disbursement.audit import anchors
from disbursement.audit import service as audit
from disbursement.audit.findings import Scope
from disbursement.domain.errors import REFUSALS
from disbursement.selectors.staff import finance_staff
from disbursement.services import runs
from disbursement.services.application import applications, corrections, gaps
from disbursement.services.award import claims
from disbursement.services.budget import alerts as budget_alerts
from disbursement.services.delivery import offers, time_promises
from disbursement.services.evidence import following as evidence_following
from disbursement.services.evidence import scans
from disbursement.services.month import cycles, preflight
from disbursement.services.payment import collection, exceptions, gateways, reissues, sealing
from disbursement.services.recovery import plans as recovery_plans
from disbursement.services.review import absences, publicity, steps
from disbursement.services.rounds import every
from disbursement.services.supervision import clocks, pay_month, warnings
from disbursement.services.supervision import reports as supervision_reports
from disbursement.services.supervision import sources as supervision_sources


@shared_task(name="disbursement.nightly_applications")
def nightly_applications() -> dict[str, int]:
    """The night's round over applications: who is away, what lapsed, promised materials and their day, publicity that
    ended, cards, months of payment that days have moved, what is settled."""
    now = timezone.now()
    return every(
        {
            "handed_on": lambda: sum(absences.keep_up(now=now)),
            "consented": lambda: len(steps.lapse_overdue(now=now)),
            "lapsed": lambda: len(corrections.lapse_overdue(now=now)),
            "gaps": lambda: gaps.remind(now=now),
            "approved": lambda: len(publicity.end_due(now=now)),
            "cards": lambda: clocks.charge_cards(now=now),
            "forecasts": lambda: pay_month.keep_up(now=now),
            "closed": lambda: len(applications.close_settled(now=now)),
            "papers": lambda: claims.release_unkept(now=now),
        }
    )


@shared_task(name="disbursement.supervise")
def supervise() -> dict[str, int]:
    """Warn of clocks that come near their limits, and enter in the ledger what is on record and not in it."""
    now = timezone.now()
    return {"warned": warnings.warn(now=now), "entered": supervision_sources.collect(now=now)}


@shared_task(name="disbursement.supervision_report")
def write_supervision_report() -> list[str]:
    """Last month's report of supervision, where nobody made it by hand; its number."""
    return supervision_reports.write_due(now=timezone.now())


@shared_task(name="disbursement.offer_without_application")
def offer_without_application() -> dict[str, int]:
    """免申即享: what stands is worked out anew, what is past lapses, and who is newly eligible is told."""
    now = timezone.now()
    standing = offers.keep_up(now=now)
    tally = offers.run(now=now)
    return {"standing": standing, "made": tally.made, "passed_over": tally.passed_over}


@shared_task(name="disbursement.time_promises")
def tell_of_broken_promises() -> int:
    """限时即享: supervisors are told of promised days that are past; how many they were told of now."""
    return len(time_promises.tell_broken(now=timezone.now()))


@shared_task(name="disbursement.nightly_evidence")
def nightly_evidence() -> dict[str, int]:
    """Certificates that end soon, and those that have ended; how many were told of."""
    return evidence_following.pass_days(now=timezone.now())


@shared_task(name="disbursement.scan_waiting")
def scan_waiting() -> dict[str, int]:
    """Scan the files that came in while the scanner was away; how many came out how."""
    return scans.work_off(now=timezone.now())


@shared_task(name="disbursement.nightly_audit")
def nightly_audit() -> int:
    """Prove everything once a night, then anchor it; how much was found is on the supervisors' page."""
    run = audit.run(scope=Scope(), now=timezone.now(), finished=timezone.now)
    anchors.anchor(now=timezone.now())
    return run.finding_count


@shared_task(name="disbursement.treasury_round")
def treasury_round() -> dict[str, int]:
    """Bring sendings that were begun to an end, and fetch what the bank sends back."""
    return collection.treasury_round(now=timezone.now(), clock=timezone.now)


@shared_task(name="disbursement.collect_returns")
def collect_returns(gateway_id: int) -> int:
    """Fetch what one gateway has; what came of it stands on its page. How many files."""
    return len(collection.collect(gateway_id=gateway_id, now=timezone.now()).reports)


@shared_task(name="disbursement.send_batch")
def send_batch(batch_id: int) -> str:
    """Bring a sealed file on its way, as often as asked; what came of it stands on the batch's page, and is told."""
    try:
        return str(sealing.send(batch_id=batch_id, now=timezone.now()).state)
    except REFUSALS as refusal:
        return str(refusal)


@shared_task(name="disbursement.budget_alerts")
def warn_of_budgets() -> int:
    """Tell finance of lines that run short, run out or are left over. How many warnings stand."""
    return budget_alerts.warn(now=timezone.now())


@shared_task(name="disbursement.daily_month")
def daily_month() -> dict[str, int]:
    """Before finance comes to work: a preflight of the month that is about to be cut off, reminders of what is to be
    paid back, exceptions that have grown old, batches that are signed and not at the bank, payments that
    came back and wait for another account. How many of each.
    """
    now = timezone.now()
    return every(
        {
            "preflights": lambda: len(preflight.keep_daily(now=now, staff=finance_staff)),
            "reminders": lambda: recovery_plans.remind(now=now),
            "old_exceptions": lambda: exceptions.warn_of_old(now=now),
            "unsent": lambda: gateways.remind_of_unsent(now=now),
            "bounces": lambda: reissues.remind_of_bounces(now=now),
        }
    )


@shared_task(name="disbursement.daily_cycle")
def daily_cycle() -> list[str]:
    """Open this month's cycle, and cut off what is past its day and was not cut off by hand. Numbers of the batches."""
    return [batch.number for batch in cycles.daily(now=timezone.now())]


@shared_task(name="disbursement.work_off_run")
def work_off_run(run_id: int) -> str:
    """Do the work of a run that a page asked for; how it ended."""
    return str(runs.work_off(run_id=run_id, clock=timezone.now).state)
