"""Long work with money in the background: asked for on a page, done by a worker, its progress there for all to see.

The result is that of doing it by hand, for the same services do it, in the same pieces. A worker that dies leaves the
pieces it finished; the run is taken up by the next worker that is given it, by the treasury's round when it has been
silent for too long, or asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS, invalid
from disbursement.domain.workflow import BatchState, CycleState
from disbursement.models import BackgroundRun, Batch, Cycle, ReturnFile, RunKind, RunState
from disbursement.selectors.staff import finance_staff
from disbursement.services.budget import year_end
from disbursement.services.month import cycles, preflight
from disbursement.services.payment import returns
from disbursement.services.payment.gateways import asks_a_bank
from matching.registry.models import BudgetLine

logger = logging.getLogger(__name__)

# So many steps are done while the page waits; more go to a worker.
AT_ONCE = 2000
# A run that has told nothing for so long has lost its worker.
SILENCE = timedelta(minutes=5)
Clock = Callable[[], datetime]
_ALIVE = (RunState.WAITING, RunState.RUNNING)


def is_long(*, kind: RunKind, cycle_id: int | None = None, size: int = 0) -> bool:
    """Whether the work is for a worker: by the steps of a cycle's work, or by `size`, the lines of a return file or the
    payables that go to the next year; and whatever speaks to a bank over the network.
    """
    if cycle_id is not None:
        unsent = Batch.objects.filter(cycle=cycle_id, state__in=[BatchState.APPROVED, BatchState.SEALED])
        if kind is RunKind.SEAL and any(asks_a_bank(batch=batch) for batch in unsent.select_related("budget_line")):
            return True
        size = 0 if kind is RunKind.SEAL else cycles.steps_of_cut_off(cycle_id=cycle_id)
        size = size or cycles.lines_to_seal(cycle_id=cycle_id)
    return size > AT_ONCE


def under_way(*, year: int) -> bool:
    """Whether the year is being closed by a worker, who may have little left to do."""
    return BackgroundRun.objects.filter(kind=RunKind.YEAR_END, year=year, state__in=_ALIVE).exists()


def ask(
    *,
    kind: RunKind,
    actor: Actor,
    now: datetime,
    cycle_id: int | None = None,
    file_id: int | None = None,
    year: int | None = None,
    paper_number: str = "",
) -> BackgroundRun:
    """A run of this work that waits for a worker; the one under way where there is one, and it is not silent. It is
    about a cycle, a return file, or a budget year with the paper that orders its closing.

    Raises Invalid where the month is not due yet, or the paper is missing.
    """
    if kind is RunKind.CUT_OFF:
        cycle = Cycle.objects.get(pk=cycle_id or 0)
        if cycle.state == CycleState.OPEN:
            cycles.need_due(cycle=cycle, now=now)
    if kind is RunKind.PREFLIGHT:
        _need_open(cycle_id)
    if kind is RunKind.YEAR_END and not paper_number.strip():
        raise invalid("paper_number", _("请填写批准文号。"))
    same = BackgroundRun.objects.filter(kind=kind, cycle=cycle_id, file=file_id, year=year)
    # First without a lock: what it is about may be locked by the work itself.
    alive = same.filter(state__in=_ALIVE, beat_at__gt=now - SILENCE).first()
    if alive is not None:
        return _agreeing(alive, paper_number=paper_number)
    with transaction.atomic():
        # Two who ask at once take turns on what it is about.
        if cycle_id is not None:
            Cycle.objects.select_for_update().get(pk=cycle_id)
        elif file_id is not None:
            ReturnFile.objects.select_for_update().only("pk").get(pk=file_id)
        else:
            BudgetLine.objects.select_for_update().filter(year=year or 0).order_by("pk").first()
        alive = same.filter(state__in=_ALIVE).first()
        if alive is not None and now - alive.beat_at < SILENCE:
            return _agreeing(alive, paper_number=paper_number)
        if alive is not None:
            _end(alive, RunState.BROKEN, _("后台没有继续办理，已重新发起。"), now)
        return BackgroundRun.objects.create(
            kind=kind,
            cycle_id=cycle_id,
            file_id=file_id,
            year=year,
            paper_number=paper_number.strip(),
            asked_by_id=actor.user_id,
            asked_at=now,
            beat_at=now,
        )


def _agreeing(alive: BackgroundRun, *, paper_number: str) -> BackgroundRun:
    """The run under way, for somebody else who asks for the same. Raises Invalid for a year closed on another paper."""
    if alive.paper_number != paper_number.strip():
        text = _("%(who)s已按“%(paper)s”发起关账，正在办理。")
        raise invalid("paper_number", text % {"who": alive.asked_by or "", "paper": alive.paper_number})
    return alive


def work_off(*, run_id: int, clock: Clock) -> BackgroundRun:
    """Do the work of a run and note how it went; one that is over is left as it is. The work is dated with the asking,
    so that a second worker does the same as the first; a line's year ends with its last posting, though, if that came
    later. `clock` gives the time for the record of the run alone.
    """
    with transaction.atomic():
        run = BackgroundRun.objects.select_for_update().get(pk=run_id)
        if run.is_over:
            return run
        run.state, run.beat_at = RunState.RUNNING.value, clock()
        run.save(update_fields=["state", "beat_at"])
    run = BackgroundRun.objects.select_related("cycle").get(pk=run_id)
    reporter = Reporter(run_id=run.pk, clock=clock)
    try:
        said = _WORK[RunKind(run.kind)](run, reporter)
    except REFUSALS as refusal:
        return _end(run, RunState.REFUSED, str(refusal), clock())
    except Exception:
        _end(run, RunState.BROKEN, _("办理中断，已完成的部分保留；请重新发起，将从中断处继续。"), clock())
        raise
    finally:
        reporter.close()
    return _end(run, RunState.DONE, said, clock(), total=reporter.total)


def take_up_silent(*, now: datetime, clock: Clock) -> int:
    """Work off the runs that have told nothing for so long that their worker is lost, or was never woken. Returns how
    many. `clock` gives the time for their records: a run that works beats. One that breaks is left to people, and stops
    no other.
    """
    silent = BackgroundRun.objects.filter(state__in=_ALIVE, beat_at__lt=now - SILENCE).order_by("pk")
    ids = list(silent.values_list("pk", flat=True))
    for run_id in ids:
        try:
            work_off(run_id=run_id, clock=clock)
        except Exception:
            logger.exception("run %s broke when it was taken up again", run_id)
    return len(ids)


class Reporter:
    """Writes how far a run has come, past the transaction of the work, so that others see it while that lasts."""

    def __init__(self, *, run_id: int, clock: Clock) -> None:
        self._run_id = run_id
        self._clock = clock
        self._side: Any = None
        self.total = 0

    def step(self, text: str) -> None:
        self._write(step=text[:200])

    def progress(self, done: int, total: int) -> None:
        self.total = max(total, done)
        self._write(done=done, total=self.total)

    def close(self) -> None:
        if self._side is not None:
            self._side.close()

    def _write(self, **changes: Any) -> None:
        if connection.vendor != "postgresql" or not connection.in_atomic_block:
            # SQLite has one writer at a time: there others see it with the piece that it belongs to.
            BackgroundRun.objects.filter(pk=self._run_id).update(beat_at=self._clock(), **changes)
        else:
            self._side = self._side or connection.copy()
            names = ", ".join(f"{name} = %s" for name in changes)
            with self._side.cursor() as cursor:
                cursor.execute(
                    f"UPDATE disbursement_backgroundrun SET beat_at = %s, {names} WHERE id = %s",
                    [self._clock(), *changes.values(), self._run_id],
                )


def _cut_off(run: BackgroundRun, reporter: Reporter) -> str:
    assert run.cycle is not None
    done = cycles.cut_off(month=run.cycle.month, now=run.asked_at, on_step=reporter.step, on_progress=reporter.progress)
    return _("已截止：%(batches)s 个批次待经办，%(held)s 笔因校验暂缓。") % {
        "batches": len(done.batches),
        "held": len(done.held),
    }


def _need_open(cycle_id: int | None) -> None:
    if Cycle.objects.filter(pk=cycle_id or 0, cut_at__isnull=False).exists():
        raise invalid("cycle", _("本月已经截止，预检不再进行；截止的结果见本月批次。"))


def _look(run: BackgroundRun, reporter: Reporter) -> str:
    assert run.cycle is not None
    reporter.step(_("按截止的规则逐笔推算"))
    outlook = preflight.look(
        month=run.cycle.month, now=run.asked_at, staff=finance_staff, probe=True, on_progress=reporter.progress
    )
    # Kept now it would pass for what was seen before the cut-off.
    _need_open(run.cycle_id)
    kept = preflight.keep(cycle=run.cycle, outlook=outlook, now=run.asked_at, actor=Actor(user_id=run.asked_by_id))
    return _("预检完成：须先处理 %(stops)s 项，不会支付 %(unpaid)s 笔。") % {"stops": kept.stops, "unpaid": kept.unpaid}


def _seal(run: BackgroundRun, reporter: Reporter) -> str:
    assert run.cycle is not None
    done = cycles.seal_signed(
        month=run.cycle.month, now=run.asked_at, on_step=reporter.step, on_progress=reporter.progress
    )
    return _("已封存并发送 %(sent)s 个批次，%(waiting)s 个待签署或待送达。") % {
        "sent": len(done.sent),
        "waiting": len(done.waiting),
    }


def _returns(run: BackgroundRun, reporter: Reporter) -> str:
    if run.file_id is None:
        raise invalid("file", _("没有回单文件。"))
    reporter.step(_("逐笔入账，然后对账"))
    report = returns.post_file(file_id=run.file_id, now=run.asked_at, on_progress=reporter.progress)
    return _("入账 %(posted)s 笔，重复 %(duplicates)s 笔，例外 %(exceptions)s 笔。") % {
        "posted": report.posted,
        "duplicates": report.duplicates,
        "exceptions": report.exceptions,
    }


def _year_end(run: BackgroundRun, reporter: Reporter) -> str:
    assert run.year is not None
    # What the person may do now, not what they might when they asked.
    now_may = (one for one in finance_staff() if one.user_id == run.asked_by_id)
    outcomes = year_end.close_year(
        year=run.year,
        actor=next(now_may, Actor(user_id=run.asked_by_id)),
        now=run.asked_at,
        paper_number=run.paper_number,
        on_step=reporter.step,
        on_progress=reporter.progress,
    )
    if not any(outcome.closed for outcome in outcomes):
        raise invalid("line", year_end.told(outcomes))
    return year_end.told(outcomes)


_WORK: dict[RunKind, Callable[[BackgroundRun, Reporter], str]] = {
    RunKind.CUT_OFF: _cut_off,
    RunKind.PREFLIGHT: _look,
    RunKind.SEAL: _seal,
    RunKind.RETURNS: _returns,
    RunKind.YEAR_END: _year_end,
}


def _end(run: BackgroundRun, state: RunState, message: str, now: datetime, *, total: int = 0) -> BackgroundRun:
    run.refresh_from_db()
    if run.is_over:
        return run
    run.state, run.message, run.ended_at, run.beat_at = state.value, message, now, now
    if state is RunState.DONE:
        run.done = run.total = max(total, run.total)
    run.save(update_fields=["state", "message", "ended_at", "beat_at", "done", "total"])
    return run
