"""Fetching what the bank sends back, from every gateway, as often as one likes: what was read once changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from disbursement.domain.errors import REFUSALS, Invalid
from disbursement.models import Gateway, GatewayKind, ReturnFile
from disbursement.services import runs
from disbursement.services.payment import gateways, returns, sealing
from disbursement.services.payment.returns import ReturnReport, import_return
from disbursement.services.rounds import every
from disbursement.treasury.channels import Unsure

logger = logging.getLogger(__name__)
_PROBLEM = 300


@dataclass(slots=True)
class Collected:
    """What one gateway had: files taken into the books, and what could not be read or reached, for people."""

    gateway: Gateway
    reports: list[ReturnReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def collect(
    *,
    gateway_id: int,
    now: datetime,
    on_step: Callable[[str], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Collected:
    """Fetch a gateway's returns and post them, file by file. A file that cannot be read stops no other; it stays with
    its reason. `on_step` is told each file's name, `on_progress` (its lines done, its lines in all).
    """
    gateway = Gateway.objects.get(pk=gateway_id)
    done = Collected(gateway)
    try:
        channel = gateways.channel_for(gateway=gateway)
        for arrival in channel.arrivals(known=_known, at=now.timestamp()):
            if on_step is not None:
                on_step(arrival.name)
            try:
                report = import_return(name=arrival.name, content=arrival.content, now=now, on_progress=on_progress)
                done.reports.append(report)
            except Invalid as refusal:
                done.problems.append(f"{arrival.name}：{refusal}")
                arrival.reject(str(refusal))
            except OSError:
                raise
            except Exception:
                # It stays where it is and is read again the next time; those after it are read now.
                logger.exception("return file %s of gateway %s broke; the others go on", arrival.name, gateway.pk)
                done.problems.append(
                    f"{arrival.name}：处理时出错，未全部入账；已记入日志，请联系运维人员。其余文件照常处理。"
                )
            else:
                arrival.keep()
    except Unsure as doubt:
        done.problems.append(str(doubt))
    except Invalid as refusal:
        done.problems.append(str(refusal))
    except OSError as error:
        done.problems.append(f"文件夹无法使用：{error.strerror}。请检查挂载、权限和磁盘空间。")
    problem = "；".join(done.problems)[:_PROBLEM]
    Gateway.objects.filter(pk=gateway.pk).update(collected_at=now, problem=problem)
    gateway.collected_at, gateway.problem = now, problem
    return done


def collect_all(
    *,
    now: datetime,
    on_step: Callable[[str], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Collected]:
    """Every active gateway that brings files by itself; told of as `collect` does."""
    active = Gateway.objects.filter(is_active=True).exclude(kind=GatewayKind.BY_HAND).order_by("pk")
    one = partial(collect, now=now, on_step=on_step, on_progress=on_progress)
    asked = {f"gateway {gateway.pk}": partial(one, gateway_id=gateway.pk) for gateway in active}
    return list(every(asked).values())


def treasury_round(*, now: datetime, clock: Callable[[], datetime] | None = None) -> dict[str, int]:
    """The machine's round: what a dead process left is brought to its end (background runs, sendings, files half
    posted), then returns are fetched. May run at any time, and twice at once. `clock` gives the time while it runs.
    """
    fetched: list[Collected] = []
    sent: list[bool] = []
    every(
        {
            "runs": lambda: runs.take_up_silent(now=now, clock=clock or (lambda: now)),
            "sendings": lambda: sent.extend(_finish_sendings(clock=clock or (lambda: now))),
            "files half posted": lambda: returns.finish_interrupted(before=now - runs.SILENCE, now=now),
            "returns": lambda: fetched.extend(collect_all(now=now)),
        }
    )
    return {
        "sent": sum(sent),
        "failed": len(sent) - sum(sent),
        "files": sum(len(found.reports) for found in fetched),
        "problems": sum(len(found.problems) for found in fetched),
    }


def _finish_sendings(*, clock: Callable[[], datetime]) -> list[bool]:
    """Of each batch that is sealed and not told as sent, whether it is now. Each try bears its own time: a day after it
    a bank that has not got the file will not get it any more.
    """

    def send(batch_id: int) -> bool:
        try:
            sealing.send(batch_id=batch_id, now=clock())
        except REFUSALS:
            # Told on the batch's page; the next round asks the bank again.
            return False
        return True

    return list(every({f"batch {batch.number}": partial(send, batch.pk) for batch in gateways.unfinished()}).values())


def _known(sha256: str) -> bool:
    """Whether a file with this hash was taken in whole: one that was interrupted is fetched again."""
    return ReturnFile.objects.filter(sha256=sha256, posted_at__isnull=False).exists()
