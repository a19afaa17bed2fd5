"""`manage.py rescan`: put stored files to the virus scanner again."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from disbursement.models import ScanState, StoredFile
from disbursement.scanning import ScannerAway
from disbursement.services.evidence import scans


class Command(BaseCommand):
    help = "Scan the files that came in while the virus scanner was away; with --all every stored file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="every stored file, after new signatures for example")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = StoredFile.objects.all() if options["all"] else StoredFile.objects.filter(scan=ScanState.WAITING)
        done: Counter[str] = Counter()
        found = scans.rescan(now=timezone.now(), everything=options["all"])
        try:
            for stored, state in tqdm(found, total=wanted.count(), disable=not sys.stderr.isatty()):
                done[state] += 1
                if state == ScanState.INFECTED:
                    self.stdout.write(f"{stored.sha256}：查出 {stored.finding}")
                elif state == "missing":
                    self.stdout.write(f"{stored.sha256}：文件不见了或已改变，请运行 manage.py audit")
        except ScannerAway as away:
            raise CommandError(f"查毒服务不可用：{away}。已查 {done.total()} 个文件，恢复后再运行即可。") from away
        clean, infected, missing = done[ScanState.CLEAN], done[ScanState.INFECTED], done["missing"]
        self.stdout.write(f"查毒通过 {clean} 个，查出病毒 {infected} 个，读不到 {missing} 个。")
        if done[ScanState.INFECTED] or done["missing"]:
            sys.exit(1)
