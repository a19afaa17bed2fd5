"""``manage.py reindex``: the matcher's index built anew with no gap in service, or compared with the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from matching.backends.base import BackendUnavailable
from matching.services import reindex


class Command(BaseCommand):
    help = "重建 Elasticsearch 匹配索引：建好并核对后才切换，可随时中断、再次运行即接着做；--check 只与数据库核对"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="只核对，不改动；有差异时退出码为 1")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                self._check()
            else:
                self._rebuild()
        except BackendUnavailable as error:
            raise CommandError(str(error), returncode=2) from error

    def _rebuild(self) -> None:
        with tqdm(desc="重建索引", unit=" 行", disable=None, leave=False) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            built = reindex.rebuild_index(now=timezone.now(), on_progress=show)
        resumed = f"，其中 {built.found} 行上次已写入" if built.found else ""
        self.stdout.write(f"索引 {built.name} 已启用：{built.rows} 行{resumed}，核对无误")

    def _check(self) -> None:
        found = reindex.check_index()
        if not found:
            self.stdout.write(f"索引与数据库一致：{found.rows} 行")
            return
        raise CommandError(
            f"索引与数据库不一致：应有 {found.rows} 行，缺 {len(found.lacking)} 行，"
            f"多 {len(found.surplus)} 行，内容不符 {len(found.wrong)} 行；请运行 manage.py reindex",
            returncode=1,
        )
