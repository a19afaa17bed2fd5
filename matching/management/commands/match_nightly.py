"""``manage.py match_nightly``: what the passing of dates changed, as beat runs it each night."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from tqdm import tqdm

from matching.days import day_of
from matching.management.enterprise_command import EnterpriseCommand, day_argument
from matching.models import Profile
from matching.services.match_profiles import match_nightly


class Command(EnterpriseCommand):
    help = "夜间匹配：事实生效、受理期开闭、年限到期使哪些企业有了变化，新符合的推送一次"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", type=day_argument, metavar="YYYY-MM-DD", help="以哪一天为准（默认：今天）")
        parser.add_argument("--all", action="store_true", help="不论是否已知没有变化，全部企业重新匹配")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        total = Profile.objects.count()
        with tqdm(total=total, unit=" 家", desc="匹配企业", disable=None, leave=False) as bar:

            def matched(count: int) -> None:
                bar.update(count)

            run = match_nightly(
                as_of=options["as_of"] or day_of(now), now=now, on_progress=matched, all_whole=options["all"]
            )
        self.stdout.write(
            f"已匹配 {run.enterprises} 家企业，{run.pairs} 对结果；更新 {run.written} 条，移除 {run.removed} 条，"
            f"新推送 {run.pushed} 条；{run.unchanged} 家企业没有变化，未重新匹配"
        )
