"""``manage.py estimate``: what each policy would pay each enterprise that it fits or may fit, from files to a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from matching.backends import MatcherBackend
from matching.criteria.award import Award, estimate
from matching.files import AwardUse
from matching.management.file_command import FileCommand, Inputs


class Command(FileCommand):
    help = "测算奖补金额：读 P.jsonl 和 E.jsonl，写出符合或待定的每一对最少、最多可得多少元（上不封顶时 high 为 null）"
    award: AwardUse = "required"

    def lines(self, inputs: Inputs, backend: MatcherBackend, options: dict[str, Any]) -> Iterator[str]:
        awards: dict[str, Award] = {policy.id: policy.award for policy in inputs.policies if policy.award is not None}
        found: dict[str, list[str]] = {policy.id: [] for policy in inputs.policies}
        for enterprise, matches in self.matched(inputs, backend, near=0, what="测算"):
            name = _json(enterprise.id)
            for match in matches:
                amount = estimate(awards[match.policy], enterprise.facts, inputs.as_of)
                found[match.policy].append(f'{name}, "low": {_money(amount.low)}, "high": {_money(amount.high)}}}\n')
        for policy in self.progress(inputs.policies, total=len(inputs.policies), what="写出", unit=" 条"):
            start = f'{{"policy": {_json(policy.id)}, "enterprise": '
            for ending in found.pop(policy.id):
                yield start + ending


def _money(amount: Decimal | None) -> str:
    return "null" if amount is None else f'"{amount}"'


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
