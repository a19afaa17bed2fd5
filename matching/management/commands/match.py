"""``manage.py match``: which policies fit, may fit or nearly fit which enterprises, from files to a file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import CommandParser

from matching.backends import Match, MatcherBackend
from matching.management.file_command import FileCommand, Inputs

_json = json.JSONEncoder(ensure_ascii=False).encode


class Command(FileCommand):
    help = "按条件匹配政策与企业：读 P.jsonl 和 E.jsonl，写出符合、待定和（--near）差几项的每一对"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--near", type=_how_many, default=0, metavar="N", help="也列出不符合但至多差 N 项的（默认 0：不列）"
        )

    def lines(self, inputs: Inputs, backend: MatcherBackend, options: dict[str, Any]) -> Iterator[str]:
        found: dict[str, list[tuple[str, Match]]] = {policy.id: [] for policy in inputs.policies}
        for enterprise, matches in self.matched(inputs, backend, near=options["near"], what="匹配"):
            name = _json(enterprise.id)
            for match in matches:
                found[match.policy].append((name, match))
        for policy in self.progress(inputs.policies, total=len(inputs.policies), what="写出", unit=" 条"):
            yield from _lines(policy.id, found.pop(policy.id))


def _lines(policy: str, matches: Iterable[tuple[str, Match]]) -> Iterator[str]:
    """The lines of a policy. Equal matches mostly come as the same object, so that each text is made once."""
    start = f'{{"policy": {_json(policy)}, "enterprise": '
    endings: dict[int, str] = {}
    for enterprise, match in matches:
        ending = endings.get(id(match))
        if ending is None:
            ending = endings[id(match)] = _ending(match)
        yield f"{start}{enterprise}{ending}"


def _ending(match: Match) -> str:
    form_only = ', "form_only": true' if match.form_only else ""
    return (
        f', "verdict": {_json(match.verdict.value)}, "unmet": {_json(match.unmet)}, '
        f'"unknown": {_json(match.unknown)}{form_only}}}\n'
    )


def _how_many(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"--near 应是 0 或正整数，现为 {text}")
    return min(int(text), 10_000)
