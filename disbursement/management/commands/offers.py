"""免申即享 from the command line: work standing offers out anew, tell who is newly eligible, show how things stand.

    manage.py offers run [--item CODE] [--as-of 2026-12-18[T16:30]]
    manage.py offers status [--item CODE] [--as-of …]

Each enterprise in a transaction of its own: a run that is killed goes on where it was when it is run again, and makes
no second offer. Exit code 0 when done, 2 when refused, with the reason.
"""

from __future__ import annotations

import sys
from datetime import datetime, time
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from disbursement.domain.delivery import OfferState
from disbursement.selectors.delivery import figures
from disbursement.services.delivery import offers
from matching.days import SHANGHAI, day_of

_REFUSED = 2


class Command(BaseCommand):
    help = "免申即享：重新测算已告知的、告知新符合的企业、查看情况"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["run", "status"], help="run 测算并告知；status 查看情况")
        parser.add_argument("--item", default="", metavar="CODE", help="只办一个事项，默认为全部免申即享事项")
        parser.add_argument("--as-of", default="", metavar="YYYY-MM-DD[THH:MM]", help="按这一时刻办理，默认为现在")

    def handle(self, *args: Any, **options: Any) -> None:
        now = _as_of(options["as_of"])
        items = offers.automatic_items(code=options["item"])
        if options["item"] and not items:
            raise CommandError(
                f"没有已发布、设有免申即享条件的事项“{options['item']}”。请核对事项编码，或在政策编辑中设置。",
                returncode=_REFUSED,
            )
        if options["action"] == "run":
            standing = offers.keep_up(now=now)
            bar: tqdm[NoReturn] = tqdm(unit="家", disable=not sys.stderr.isatty())
            with bar:

                def show(code: str, seen: int) -> None:
                    bar.set_description(code)
                    bar.update(seen - bar.n)

                tally = offers.run(now=now, code=options["item"], on_progress=show)
            self.stdout.write(
                f"待确认的告知{standing}件已重新测算；查看{tally.seen}家，新告知{tally.made}家，未告知{tally.passed_over}家。"
            )
        for found in figures(items=items, year=day_of(now).year):
            told = "，".join(f"{state.label}{found.offers.get(state.value, 0)}" for state in OfferState)
            self.stdout.write(f"{found.item.code}：符合{found.found}家，{told}，未告知{found.passed_over}家。")


def _as_of(text: str) -> datetime:
    if not text:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"无法读取时间“{text}”，请写作 2026-12-18 或 2026-12-18T16:30。", returncode=2) from error
    if "T" not in text:
        moment = datetime.combine(moment.date(), time(12))
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
