"""``manage.py import_enterprises FILE``: enterprises and their facts, from JSONL, CSV or XLSX."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from tqdm import tqdm

from matching.criteria import Problem
from matching.days import day_of
from matching.files import LineProblem
from matching.importers.columns import read_column_map
from matching.importers.files import EnterpriseFile
from matching.importers.lines import EnterpriseLine, Unusable
from matching.management.enterprise_command import EnterpriseCommand, day_argument
from matching.services.enterprise_import import import_enterprises
from matching.services.vocabulary import current_vocabulary


class Command(EnterpriseCommand):
    help = "导入企业及其事实（JSONL、CSV、XLSX）。有一行错误就什么也不写入；同一文件导入两次不产生变化。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=".jsonl、.csv（UTF-8 或 GBK）或 .xlsx")
        parser.add_argument("--map", type=Path, metavar="MAP", help="列映射（.toml 或 .json），用于 CSV 和 XLSX")
        parser.add_argument("--source", default="批量导入", help="事实的来源，如 税务、市场监管（默认：批量导入）")
        parser.add_argument("--valid-on", type=day_argument, metavar="YYYY-MM-DD", help="事实自哪天起有效（默认今天）")
        parser.add_argument("--dry-run", action="store_true", help="只检查并报告将发生的变化，不写入")
        parser.add_argument("--skip-bad", action="store_true", help="列出并略过有错的行，其余照常导入，退出码为 0")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        vocabulary = current_vocabulary()
        path: Path = options["file"]
        source = options["source"].strip()
        if not 1 <= len(source) <= 80:
            self.refuse("--source: 来源应为 1 至 80 个字")
        problems = 0

        def told(line: int, problem: Problem) -> None:
            nonlocal problems
            problems += 1
            with tqdm.external_write_mode():
                self.tell(LineProblem(str(path), line, problem.path, problem.message))

        try:
            column_map = read_column_map(options["map"], vocabulary) if options["map"] else None
            source_file = EnterpriseFile(path, vocabulary, column_map)
            result = import_enterprises(
                lines=_with_progress(source_file),
                vocabulary=vocabulary,
                source=source,
                valid_on=options["valid_on"] or day_of(now),
                now=now,
                on_problem=told,
                skip_bad=options["skip_bad"],
                rehearse=options["dry_run"],
            )
        except Unusable as error:
            for problem in error.problems:
                self.tell(problem)
            self.refuse("文件无法读取，没有写入任何内容")
        if source_file.left_out:
            self.stdout.write(f"未导入的列（列映射没有提到）：{'、'.join(source_file.left_out)}")
        if result.bad and not options["skip_bad"]:
            self.refuse(
                f"共 {result.bad} 行有错，{problems} 处；没有写入任何内容。改正后重试，或加 --skip-bad 略过这些行"
            )
        if result.bad:
            self.stderr.write(f"已略过有错的 {result.bad} 行（{problems} 处错误）")
        done = "试运行，没有写入：将" if options["dry_run"] else "已导入：共"
        self.stdout.write(
            f"{done}读取 {result.lines} 行，新登记企业 {result.registered} 家，更名或补编号 {result.renamed} 家，"
            f"新增事实 {result.facts} 条，画像有变化的企业 {result.changed} 家"
        )


def _with_progress(source: EnterpriseFile) -> Iterator[EnterpriseLine]:
    """The lines behind a progress bar, which shows on a terminal only."""
    with tqdm(total=source.total, unit="B", unit_scale=True, desc="导入企业", disable=None, leave=False) as bar:
        for line in source:
            yield line
            bar.total = source.total
            bar.update(source.position - bar.n)
