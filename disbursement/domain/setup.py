"""What a district sets of its payments: which account pays for which budget line, and how many people approve which
sum. Framework-free; a setting that cannot be right is told with what is wrong and allowed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from disbursement.domain.cycle import Tiers

_ACCOUNT = re.compile(r"[0-9]{8,32}")
_NEEDED = ("name", "account_number", "bank_name")
_PAYER = (*_NEEDED, "bank_code")


class BadSetting(ValueError):
    """The message is for whoever set it."""


@dataclass(frozen=True, slots=True)
class Payer:
    """An account that pays (as it stands in payment files), for these budget codes and these funds."""

    account: Mapping[str, str]
    codes: frozenset[str]
    funds: frozenset[str]


def parse_payers(value: object, *, funds: Collection[str]) -> list[Payer]:
    """Read `[{"codes": […], "funds": […], "name", "account_number", "bank_name", "bank_code"}]`. Raises BadSetting."""
    if not isinstance(value, list):
        raise BadSetting("应为列表。")
    found: list[Payer] = []
    taken: set[tuple[str, str]] = set()
    for number, entry in enumerate(value, start=1):
        where = f"第{number}项"
        known = (*_PAYER, "codes", "funds")
        if not isinstance(entry, dict) or any(key not in known for key in entry):
            raise BadSetting(f"{where}应为对象，可用：{'、'.join(known)}。")
        if missing := [key for key in _NEEDED if not isinstance(entry.get(key), str) or not entry[key].strip()]:
            raise BadSetting(f"{where}缺少{'、'.join(missing)}。")
        if not _ACCOUNT.fullmatch(entry["account_number"]):
            raise BadSetting(f"{where}的account_number应为8至32位数字。")
        scopes = {key: _texts(entry.get(key, []), f"{where}的{key}") for key in ("codes", "funds")}
        if not scopes["codes"] and not scopes["funds"]:
            raise BadSetting(f"{where}没有写明codes（预算科目代码）或funds（资金级次）。")
        if unknown := scopes["funds"] - set(funds):
            raise BadSetting(f"{where}的资金级次“{min(unknown)}”无法识别，应为{'、'.join(funds)}。")
        mine = {(key, name) for key, names in scopes.items() for name in names}
        if twice := mine & taken:
            raise BadSetting(f"{where}的“{min(twice)[1]}”已由前面的账户付款。")
        taken |= mine
        account = {key: str(entry.get(key, "")).strip() for key in _PAYER}
        found.append(Payer(account, frozenset(scopes["codes"]), frozenset(scopes["funds"])))
    return found


def payer_for(*, code: str, fund: str, payers: Sequence[Payer], default: Mapping[str, str]) -> dict[str, str]:
    """The account that pays for a line: the one named for its code, else for its fund, else the district's."""
    named = next((payer for payer in payers if code in payer.codes), None)
    named = named or next((payer for payer in payers if fund in payer.funds), None)
    return dict(default if named is None else named.account)


def parse_tiers(value: Sequence[str]) -> Tiers:
    """Read `["0:1", "5000000:2"]`: from which total in 元 a batch takes how many approvers. Raises BadSetting."""
    found: list[tuple[Decimal, int]] = []
    for entry in value:
        floor, _, count = entry.partition(":")
        try:
            tier = (Decimal(floor.strip()), int(count))
        except (InvalidOperation, ValueError):
            raise BadSetting(f"“{entry}”应写作“起点金额:人数”，如“5000000:2”。") from None
        if not tier[0].is_finite() or tier[0] < 0 or not 1 <= tier[1] <= 9:
            raise BadSetting(f"“{entry}”的金额应不小于0，人数应为1至9。")
        if found and (tier[0] <= found[-1][0] or tier[1] <= found[-1][1]):
            raise BadSetting(f"“{entry}”的金额和人数应比前一档大。")
        found.append(tier)
    return tuple(found)


def _texts(value: object, where: str) -> set[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise BadSetting(f"{where}应为文字列表。")
    return set(value)
