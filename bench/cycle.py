"""``python -m bench.cycle --payables 100000``: a month's run, timed: cut-off, signatures, seal; then the bank's answer.

On PostgreSQL, in a database of its own. Each phase is a process of its own (forked from this one, which loaded the
code and nothing else), so that its peak memory is its own. For each: seconds by the clock, seconds of this process's
and of the database server's processor (where it runs on this machine), statements, peak memory. Exits 1 where a
promised time is missed or memory grows with the rows (``--memory`` compares with a fifth of the payables).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROMISED = 60.0  # seconds, for each of the two halves, at 100,000 payables
GROWTH_MB = 24  # how much more memory five times as many payables may take
DATABASE = "huida_bench_cycle"
TO_SEAL = ("cut-off", "maker", "checker and approvers", "seal", "send")
RETURNS = ("returns", "returns, corrected")


def preflight(folder: Path) -> Any:
    from disbursement.services.month import preflight as service
    from tests.factories import money

    people = list(_actors().values())
    found = service.look(month=money.MONTH, now=money.CUT, staff=lambda: people)
    return {"count": found.count, "unpaid": found.unpaid_count, "issues": len(found.issues)}


def cut_off(folder: Path) -> Any:
    from disbursement.services.month import cycles
    from tests.factories import money

    done = cycles.cut_off(month=money.MONTH, now=money.CUT)
    return {"batches": len(done.batches)}


def _actors() -> dict[str, Any]:
    """The finance people of the scene."""
    from disbursement.domain.actors import Actor
    from disbursement.domain.workflow import Role
    from portal.accounts.models import RoleAssignment

    roles = {
        "maker": Role.FINANCE_MAKER,
        "checker": Role.FINANCE_CHECKER,
        "first": Role.FINANCE_APPROVER,
        "second": Role.FINANCE_APPROVER,
    }
    found: dict[str, Any] = {}
    taken: list[int] = []
    for name, role in roles.items():
        held = RoleAssignment.objects.filter(role=role).exclude(user__in=taken).order_by("id")[0]
        taken.append(held.user_id)
        found[name] = Actor.of(user_id=held.user_id, roles=[role])
    return found


def maker(folder: Path) -> Any:
    from disbursement.models import Batch
    from disbursement.services.month import batches
    from tests.factories import money

    for batch in Batch.objects.filter(state="checked").order_by("id"):
        batches.make(batch_id=batch.pk, actor=_actors()["maker"], now=money.CUT)
    return None


def signatures(folder: Path) -> Any:
    from disbursement.models import Batch
    from disbursement.services.month import batches
    from tests.factories import money

    people = _actors()
    for batch in Batch.objects.filter(state="made").order_by("id"):
        seen: dict[str, Any] = {"batch_id": batch.pk, "now": money.CUT, "seen_sha256": batch.file_sha256}
        batches.verify(actor=people["checker"], **seen)
        done = batches.approve(actor=people["first"], **seen)
        if done.state != "approved":
            batches.approve(actor=people["second"], **seen)
    return None


def seal(folder: Path) -> Any:
    from disbursement.models import Batch
    from disbursement.services.payment import sealing
    from tests.factories import money

    for batch in Batch.objects.filter(state="approved").order_by("id"):
        sealing.seal(batch_id=batch.pk, now=money.CUT)
    return None


def send(folder: Path) -> Any:
    from disbursement.models import Batch
    from disbursement.services.payment import sealing
    from tests.factories import money

    for batch in Batch.objects.filter(state="sealed").order_by("id"):
        sealing.send(batch_id=batch.pk, now=money.CUT)
    return {"files": sum(path.stat().st_size for path in (folder / "treasury").iterdir())}


def write_returns(folder: Path) -> Any:
    from bench import cycle_scene

    cycle_scene.write_returns(folder)
    return None


def _receive(path: Path, day: str) -> Any:
    from disbursement.services.payment import returns
    from tests.factories.disbursement import at

    with path.open("rb") as handle:
        report = returns.import_return(name=path.name, content=handle.read(), now=at(day))
    return {"posted": report.posted, "exceptions": report.exceptions, "batches": [b.state for b in report.batches]}


def receive(folder: Path) -> Any:
    return _receive(folder / "returns.csv", "2026-03-25")


def receive_corrected(folder: Path) -> Any:
    return _receive(folder / "returns-corrected.csv", "2026-03-26")


def check(folder: Path) -> Any:
    """That what was timed was right: the books, the states, nothing paid twice."""
    from django.db.models import Count

    from disbursement.ledger.reconcile import four_figures, ledger_findings
    from disbursement.models import Batch, Payable
    from matching.registry.models import BudgetLine

    for line in BudgetLine.objects.all():
        assert ledger_findings(line=line) == [], ledger_findings(line=line)
    for batch in Batch.objects.exclude(state="dissolved"):
        figures = four_figures(batch=batch)
        assert figures.agree, figures.differences[:3]
    states = dict(Payable.objects.order_by().values_list("state").annotate(count=Count("id")))
    assert set(states) <= {"settled", "bounced", "held"}, states
    return states


def measured(phase: Callable[[Path], Any], *, database: str, folder: Path) -> dict[str, Any]:
    """Run it in a child: what it answered and what it cost."""
    reader, writer = os.pipe()
    gc.collect()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            from tests.database import point_at

            point_at(database)
            answer = _costs(phase, folder)
            os.write(writer, json.dumps(answer).encode())
            status = 0
        except BaseException:  # the parent must not go on as if it were the child
            import traceback

            traceback.print_exc()
        os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"{phase.__name__} failed")
    return {**json.loads(said), "peak_mb": used.ru_maxrss / 1024}


def _costs(phase: Callable[[Path], Any], folder: Path) -> dict[str, Any]:
    from django.conf import settings
    from django.db import connection

    from matching.registry import outbox

    settings.HUIDA_TREASURY_OUTBOX = folder / "treasury"
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    statements = 0

    def count(execute: Any, *args: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*args)

    if slow := os.environ.get("HUIDA_BENCH_EXPLAIN_MS"):
        _explain(connection, slow)
    before = _server_seconds(backend)
    started, busy = time.perf_counter(), time.process_time()
    # Notices and messages are the worker's, afterwards; here they would be written in the same process.
    with outbox.quiet(), connection.execute_wrapper(count):
        answer = phase(folder)
    return {
        "seconds": time.perf_counter() - started,
        "python": time.process_time() - busy,
        "server": _server_seconds(backend) - before,
        "statements": statements,
        "answer": answer,
    }


def _explain(connection: Any, slow: str) -> None:
    """Print the plan of every statement, those inside triggers too, that takes longer (milliseconds)."""
    connection.connection.add_notice_handler(lambda said: print(said.message_primary, flush=True))
    with connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'")
        for name, value in (
            ("auto_explain.log_min_duration", slow),
            ("auto_explain.log_nested_statements", "on"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_timing", "off"),
            ("auto_explain.log_triggers", "on"),
            ("client_min_messages", "log"),
        ):
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def _server_seconds(pid: int) -> float:
    """Processor seconds of a server process on this machine; 0 where it is elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


def run(*, payables: int, lines: int, folder: Path) -> dict[str, dict[str, Any]]:
    """A whole month in a fresh database; prints as it goes."""
    from bench import cycle_scene
    from tests import database

    name = database.make_postgresql_database("cycle")
    phases: dict[str, Callable[[Path], Any]] = {
        "preflight": preflight,
        "cut-off": cut_off,
        "maker": maker,
        "checker and approvers": signatures,
        "seal": seal,
        "send": send,
        "(the bank writes)": write_returns,
        "returns": receive,
        "returns, corrected": receive_corrected,
        "(check)": check,
    }
    found: dict[str, dict[str, Any]] = {}
    print(f"\n## {payables:,} payables on {lines} budget line(s)")
    scene = measured(lambda _: cycle_scene.build(payables=payables, lines=lines), database=name, folder=folder)
    print(f"scene set in {scene['seconds']:.1f} s\n")
    print(f"{'phase':<24}{'seconds':>9}{'python':>9}{'server':>9}{'statements':>12}{'peak MB':>9}")
    try:
        for title, phase in phases.items():
            cost = found[title] = measured(phase, database=name, folder=folder)
            print(
                f"{title:<24}{cost['seconds']:>9.1f}{cost['python']:>9.1f}{cost['server']:>9.1f}"
                f"{cost['statements']:>12,}{cost['peak_mb']:>9.0f}   {cost['answer'] or ''}",
                flush=True,
            )
    finally:
        database.drop_postgresql_database(name)
    for title, parts in (("cut-off to sent file", TO_SEAL), ("returns", RETURNS)):
        print(f"{title + ', together':<24}{sum(found[part]['seconds'] for part in parts):>9.1f}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cycle", description=__doc__)
    parser.add_argument("--payables", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=1, help="budget lines, so many batches")
    parser.add_argument("--memory", action="store_true", help="first with a fifth of the payables, and compare memory")
    options = parser.parse_args()
    os.environ.setdefault("DATABASE_URL", f"postgres://huida:huida@127.0.0.1:5432/{DATABASE}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")
    import django

    django.setup()
    # Loaded once, before the phases are forked: what they share is not theirs.
    import disbursement.services.month.cycles
    import disbursement.services.payment.returns  # noqa: F401

    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        small: dict[str, dict[str, Any]] = {}
        if options.memory:
            (Path(place) / "small").mkdir()
            small = run(payables=options.payables // 5, lines=options.lines, folder=Path(place) / "small")
        found = run(payables=options.payables, lines=options.lines, folder=Path(place))
    limit = PROMISED * max(1.0, options.payables / 100_000)
    for title, parts in (("cut-off to sent file", TO_SEAL), ("returns", RETURNS)):
        if (taken := sum(found[part]["seconds"] for part in parts)) > limit:
            missed.append(f"{title}: {taken:.0f} s, promised {limit:.0f} s")
    print(f"\nbefore any phase the process held {base:.0f} MB")
    for title, cost in small.items():
        growth = found[title]["peak_mb"] - cost["peak_mb"]
        if not title.startswith("("):
            print(f"{title:<24}{cost['peak_mb']:>6.0f} MB, then {found[title]['peak_mb']:.0f} MB ({growth:+.0f})")
            if growth > GROWTH_MB:
                missed.append(f"{title}: {growth:.0f} MB more for five times the payables")
    if missed:
        print("\nmissed:", *missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
