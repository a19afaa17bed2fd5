"""Import policy documents, items and readings from a JSONL file (docs/import-formats.md)."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from tqdm import tqdm

from cms.services.importing import import_policies

NAMES = {"department": "部门", "budget_line": "预算科目", "document": "文件", "item": "事项", "reading": "解读"}


class Command(BaseCommand):
    help = "从 JSONL 文件导入政策文件、事项和解读"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.jsonl")
        state = parser.add_mutually_exclusive_group()
        state.add_argument("--publish", action="store_true", help="导入后即发布")
        state.add_argument("--draft", action="store_true", help="导入为草稿（默认）")
        parser.add_argument("--dry-run", action="store_true", help="只检查，不写入")
        parser.add_argument("--skip-bad", action="store_true", help="列出并略过有错的行，其余照写，退出码为 0")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError as error:
            self.stderr.write(f"{path}:0: $: 读不到文件：{error.strerror}")
            raise SystemExit(2) from error
        report = import_policies(
            lines=tqdm(lines, desc="读取政策", unit=" 行", disable=None, leave=False),
            file=str(path),
            district=settings.HUIDA_DISTRICT,
            publish=options["publish"],
            now=timezone.now(),
            dry_run=options["dry_run"],
            skip_bad=options["skip_bad"],
        )
        for problem in report.problems:
            self.stderr.write(str(problem))
        if report.problems and not options["skip_bad"]:
            told = "没有写入任何内容。改正后重试，或加 --skip-bad 略过这些行"
            self.stderr.write(f"共 {report.bad_lines} 行有错，{len(report.problems)} 处；{told}")
            raise SystemExit(2)
        if report.problems:
            self.stderr.write(f"已略过有错的 {report.bad_lines} 行（{len(report.problems)} 处错误）")
        changed = "，".join(f"{NAMES[kind]} {count}" for kind, count in report.written.items()) or "没有变化"
        verb = "检查通过（未写入）" if options["dry_run"] else ("已发布" if options["publish"] else "已存为草稿")
        self.stdout.write(f"{verb}：{changed}；原样 {report.unchanged}")
