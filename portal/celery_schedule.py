"""What Celery beat wakes up, in Asia/Shanghai. The database decides what there is to do: a beat that comes twice, late
or not at all loses nothing."""

from typing import Any

from celery.schedules import crontab

CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Commits wake the worker at once; this finds what failed and is due again, and what a lost wake-up left.
    "deliver-outbox": {"task": "matching.deliver_outbox", "schedule": 60.0, "options": {"expires": 55}},
    # Chunks wake a worker each; this finds runs whose workers died or whose wake-ups were lost.
    "resume-match-runs": {"task": "matching.resume_runs", "schedule": 60.0, "options": {"expires": 55}},
    # What officers gave a time in the editor (定时发布), to the minute.
    "publish-scheduled": {"task": "cms.publish_scheduled", "schedule": 60.0, "options": {"expires": 55}},
    "applications-nightly": {"task": "disbursement.nightly_applications", "schedule": crontab(hour=0, minute=30)},
    # Limits come near by the day; hourly, so that a round that died is made up for before people come to work.
    "supervise": {"task": "disbursement.supervise", "schedule": crontab(minute=50), "options": {"expires": 3500}},
    # On the fifth, where no supervisor made the month's report before; other days find nothing to do.
    "supervision-report": {"task": "disbursement.supervision_report", "schedule": crontab(hour=7, minute=0)},
    # After the night's matching: who is eligible without applying is told, and what was offered is worked out anew.
    "offer-without-application": {
        "task": "disbursement.offer_without_application",
        "schedule": crontab(hour=5, minute=0),
    },
    # Before supervisors come to work: promised days that are past.
    "time-promises": {"task": "disbursement.time_promises", "schedule": crontab(hour=6, minute=45)},
    # Before the night's round over applications: what ends today is told first.
    "evidence-nightly": {"task": "disbursement.nightly_evidence", "schedule": crontab(hour=0, minute=5)},
    # Files that came in while the virus scanner was away.
    "scan-waiting": {"task": "disbursement.scan_waiting", "schedule": 300.0, "options": {"expires": 290}},
    # Opens the month's cycle, and cuts off the morning after the cut-off day what nobody cut off by hand.
    "cycle-daily": {"task": "disbursement.daily_cycle", "schedule": crontab(hour=2, minute=30)},
    # Before finance comes to work: lines that run short, run out or are left over, each told once.
    "budget-alerts": {"task": "disbursement.budget_alerts", "schedule": crontab(hour=6, minute=30)},
    # The month that is about to be cut off, what is to be paid back, exceptions that have grown old.
    "month-daily": {"task": "disbursement.daily_month", "schedule": crontab(hour=6, minute=0)},
    # When nobody works any longer: everything is proved, and what was written since yesterday is anchored.
    "audit-nightly": {"task": "disbursement.nightly_audit", "schedule": crontab(hour=3, minute=30)},
    # Asks the bank about sendings that were cut off, and fetches its returns.
    "treasury-round": {"task": "disbursement.treasury_round", "schedule": 600.0, "options": {"expires": 590}},
    # The month before is over: a share of what it decided is drawn, once; later days find it drawn.
    "draw-quality-sample": {"task": "desk.draw_quality_sample", "schedule": crontab(hour=4, minute=30)},
    "match-nightly": {"task": "matching.match_nightly", "schedule": crontab(hour=1, minute=30)},
    # Changes wake the writer at once; this finds what waited for a server that was away.
    "write-index": {"task": "matching.write_index", "schedule": 30.0, "options": {"expires": 25}},
    # The matcher mends its index before it believes an answer; this takes out what nobody holds any longer.
    "mend-index": {"task": "matching.mend_index", "schedule": 600.0, "options": {"expires": 590}},
    "send-inbox-digests": {"task": "inbox.send_digests", "schedule": crontab(hour=8, minute=0)},
}
