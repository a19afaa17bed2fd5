"""A bank on this machine that pays nothing, to try a gateway out.

    manage.py bank_simulator [--port 8099] [--folder DIR] [--answers csv|csvgbk|xlsx|pain002|camt053]
                             [--mischief lost_answer=0.3,late_bounce=0.1] [--seed 1]

It speaks the protocol of docs/payment-files.md on 127.0.0.1 alone, keeps its books in the folder, and wants the token
that HUIDA_GATEWAY_SIMULATOR_TOKEN holds, if any. `POST /settle?on=2026-03-24` makes it pay what it has taken and write
its returns. Ctrl-C stops it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from disbursement.treasury.simulator import ANSWER_FORMATS, Bank, Mischief
from disbursement.treasury.simulator.server import Server

TOKEN = "HUIDA_GATEWAY_SIMULATOR_TOKEN"
_REFUSED = 2


class Command(BaseCommand):
    help = "在本机运行模拟银行（不付款），可按需出错"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8099, help="本机端口，0 为任选")
        parser.add_argument("--folder", type=Path, default=Path(settings.VAR_DIR) / "bank", help="存放账册的文件夹")
        parser.add_argument("--answers", choices=list(ANSWER_FORMATS), default="csv", help="回单格式")
        parser.add_argument("--mischief", default="", metavar="KIND=SHARE,…", help="出错方式，如 lost_answer=0.5")
        parser.add_argument("--seed", type=int, default=1, help="随机种子")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            mischief = Mischief.parse(options["mischief"])
        except ValueError as error:
            raise CommandError(f"--mischief：{error}", returncode=_REFUSED) from error
        bank = Bank(options["folder"], mischief=mischief, seed=options["seed"], answers=options["answers"])
        try:
            server = Server(bank, port=options["port"], token=os.environ.get(TOKEN, ""))
        except OSError as error:
            raise CommandError(f"端口{options['port']}不能使用：{error.strerror}。", returncode=_REFUSED) from error
        with server:
            self.stdout.write(f"模拟银行在 {server.url}，账册在 {options['folder']}。按 Ctrl-C 停止。")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                self.stdout.write("已停止。")
