"""`manage.py year_end 2026`: how the year's lines stand; with `--close --by USERNAME --paper NUMBER`, close them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS
from disbursement.domain.money import yuan
from disbursement.management.bar import Bar
from disbursement.selectors.staff import finance_staff
from disbursement.services.budget import year_end
from matching.days import day_of
from matching.registry.models import BudgetLine


class Command(BaseCommand):
    help = "年终关账：不加参数时只检查；加 --close 时结转、收回并关账，可重复运行。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("year", type=int)
        parser.add_argument("--close", action="store_true", help="关闭可以关账的科目")
        parser.add_argument("--by", default="", help="财务审批人员的用户名，关账记在其名下")
        parser.add_argument("--paper", default="", help="批准文号")

    def handle(self, *args: Any, **options: Any) -> None:
        year, now = options["year"], timezone.now()
        lines = list(BudgetLine.objects.filter(year=year).order_by("code"))
        if not lines:
            raise CommandError(f"{year}年度没有预算科目。")
        if options["close"]:
            self._close(year, by=options["by"], paper=options["paper"])
        left = 0
        for line in lines:
            line.refresh_from_db()
            found = year_end.preflight(line=line, today=day_of(now))
            left += found.done is None
            self.stdout.write(f"{line}：{_state(found)}")
            for blocker in found.blockers:
                self.stdout.write(f"  - {blocker}")
        if options["close"] and left:
            raise CommandError(f"还有{left}个科目没有关账，请按上面的原因处理后再次运行。")

    def _close(self, year: int, *, by: str, paper: str) -> None:
        user = get_user_model().objects.filter(username=by).first()
        if user is None:
            raise CommandError("请用 --by 写明财务审批人员的用户名。")
        # Without a role of finance the service refuses, as it would on the page.
        actor = next((one for one in finance_staff() if one.user_id == user.pk), Actor(user_id=user.pk))
        try:
            with Bar("步", text="结转") as bar:
                year_end.close_year(
                    year=year,
                    actor=actor,
                    now=timezone.now(),
                    paper_number=paper,
                    on_step=bar.say,
                    on_progress=bar.show,
                )
        except REFUSALS as refusal:
            raise CommandError(str(refusal)) from refusal


def _state(found: year_end.Preflight) -> str:
    if found.done is not None:
        done = found.done
        return f"已关账，已支付{yuan(done.paid)}元，结转{yuan(done.carried)}元，收回{yuan(done.released)}元"
    what = "还不能关账" if found.blockers else "可以关账"
    return f"{what}，已支付{yuan(found.paid)}元，将结转{yuan(found.carried_total)}元，将收回{yuan(found.released)}元"
