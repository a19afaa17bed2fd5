"""``manage.py reindex``: the indices built anew with no gap in service, or compared with the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from matching.backends.base import BackendUnavailable
from matching.services import indexing, reindex
from matching.services.index_kinds import Compared, IndexKind, Progress, kinds

INTERRUPTED = 130


class Command(BaseCommand):
    help = "重建 Elasticsearch 索引：建好并核对后才切换，可随时中断、再次运行即接着做；--check 只与数据库核对"

    def add_arguments(self, parser: CommandParser) -> None:
        names = [kind.name for kind in kinds()]
        parser.add_argument("--only", choices=names, help=f"只处理一种索引：{'、'.join(names)}")
        parser.add_argument("--check", action="store_true", help="只核对，不改动；有差异时退出码为 1")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [kind for kind in kinds() if kind.name == options["only"] or (not options["only"] and kind.in_use)]
        if not chosen:
            raise CommandError(
                "设置中没有选用 Elasticsearch（HUIDA_MATCHER、HUIDA_SEARCH），没有要处理的索引", returncode=2
            )
        try:
            if options["check"]:
                self._check(chosen)
            else:
                for kind in chosen:
                    self._rebuild(kind)
        except BackendUnavailable as error:
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt as error:
            raise CommandError("已中断；使用中的索引没有改动，再次运行即接着做", returncode=INTERRUPTED) from error

    def _rebuild(self, kind: IndexKind) -> None:
        with tqdm(desc=f"重建{kind.label}", unit=" 行", disable=None, leave=False) as bar:
            built = reindex.rebuild_index(only=kind.name, now=timezone.now(), on_progress=_shown_on(bar))
        resumed = f"，其中 {built.found} 行上次已写入" if built.found else ""
        self.stdout.write(f"{kind.label}：索引 {built.name} 已启用，{built.rows} 行{resumed}，核对无误")

    def _check(self, chosen: list[IndexKind]) -> None:
        differing = []
        for kind in chosen:
            with tqdm(desc=f"核对{kind.label}", unit=" 行", disable=None, leave=False) as bar:
                found = kind.check(on_progress=_shown_on(bar))
            if found:
                differing.append(f"{kind.label}：{_told(found)}")
            else:
                self.stdout.write(f"{kind.label}：索引与数据库一致：{found.rows} 行")
        if differing:
            waiting = indexing.pending_count()
            hint = f"另有 {waiting} 项变更等待写入，写完后再核对；" if waiting else ""
            raise CommandError(
                "索引与数据库不一致\n" + "\n".join(differing) + f"\n{hint}仍不一致时请运行 manage.py reindex",
                returncode=1,
            )


def _shown_on(bar: tqdm[Any]) -> Progress:
    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return show


def _told(found: Compared) -> str:
    return (
        f"应有 {found.rows} 行，缺 {found.lacking} 行，多 {found.surplus} 行，内容不符 {found.wrong} 行"
        f"（如 {found.example}）"
    )
