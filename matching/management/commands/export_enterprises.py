"""``manage.py export_enterprises --out FILE``: enterprises and profiles, as the import and ``match`` read them."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from matching.chunks import chunks
from matching.days import SHANGHAI
from matching.files import write_lines
from matching.management.enterprise_command import EnterpriseCommand, day_argument
from matching.models import Enterprise
from matching.services.facts import profiles_as_of

_CHUNK = 500


class Command(EnterpriseCommand):
    help = "导出企业及其画像为 JSONL；可导出过去任意一天、以及当时所知的画像"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="写到哪个文件")
        parser.add_argument("--as-of", type=day_argument, metavar="YYYY-MM-DD", help="哪一天的画像（默认：现行画像）")
        parser.add_argument(
            "--known-at", type=day_argument, metavar="YYYY-MM-DD", help="只用这一天结束前已登记的事实（需要 --as-of）"
        )
        parser.add_argument(
            "--for-match", action="store_true", help="只写 id 和 facts，即 manage.py match 所读的 E.jsonl"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["known_at"] and not options["as_of"]:
            self.refuse("--known-at 需要同时给出 --as-of")
        ids = sorted(Enterprise.objects.values_list("external_id", "pk"))
        try:
            write_lines(options["out"], self._lines([pk for _, pk in ids], options))
        except OSError as error:
            self.refuse(f"{options['out']}:0: $: 写不出文件：{error.strerror}；请检查目录是否存在、是否可写")
        self.stdout.write(f"已导出 {len(ids)} 家企业")

    def _lines(self, ids: list[int], options: dict[str, Any]) -> Iterator[str]:
        day: date | None = options["as_of"]
        known_at = None
        if options["known_at"]:
            known_at = datetime.combine(options["known_at"], datetime.max.time(), SHANGHAI)
        with tqdm(total=len(ids), unit=" 家", desc="导出企业", disable=None, leave=False) as bar:
            for piece in chunks(ids, _CHUNK):
                enterprises = Enterprise.objects.select_related("profile").in_bulk(piece)
                past = profiles_as_of(enterprise_ids=piece, day=day, known_at=known_at) if day else {}
                for pk in piece:
                    enterprise = enterprises[pk]
                    body: dict[str, Any] = {"id": enterprise.external_id}
                    if not options["for_match"]:
                        body |= {"name": enterprise.name, "credit_code": enterprise.credit_code}
                    body["facts"] = past[pk] if day else enterprise.profile.facts
                    yield json.dumps(body, ensure_ascii=False) + "\n"
                bar.update(len(piece))
