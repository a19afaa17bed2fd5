"""What is checked of each payment at cut-off, by statement over a piece of a batch: the first thing wrong with each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from django.db.models import Sum

from disbursement.domain import money
from disbursement.models import HoldKind, Payable, PayeeAccount, PaymentAttempt
from disbursement.selectors.granted import NOT_KEPT
from disbursement.services.month.recovery_checks import owed_findings
from matching.criteria import InvalidInput, canonical_json, evaluate, leaves, parse_criteria
from matching.criteria.ast import Node
from matching.models import PolicyVersion
from matching.services.facts import profiles_as_of
from matching.services.listed import known_facts
from matching.services.vocabulary import current_vocabulary

Finding = tuple[HoldKind, str]
_RULES = Path(__file__).parents[2] / "domain" / "data" / "payment_checks.json"
_COLUMNS = (
    "pk",
    "enterprise_id",
    "account_number",
    "payee_name",
    "award__item_code",
    "award__year",
    "award__version_id",
)


def credit_warnings(*, enterprise_id: int, day: date) -> list[str]:
    """What is on record of the enterprise on this day (Asia/Shanghai) that would stop every payment to it, in Chinese;
    for acceptance and review, where nothing was promised yet.
    """
    reason = Checks(today=day)._credit([enterprise_id]).get(enterprise_id)
    return [reason] if reason else []


class Checks:
    """The checks of one day (Asia/Shanghai). What they learn of rules and versions is kept for the pieces that follow.

    `as_listed`: as the payables will be once a batch has listed them, with the account in use now.
    """

    def __init__(self, *, today: date, as_listed: bool = False) -> None:
        self._today = today
        self._as_listed = as_listed
        self._vocabulary = current_vocabulary()
        self._verdicts: dict[str, str] = {}
        self._caps: dict[int, Decimal | None] = {}

    def findings(self, *, payable_ids: Sequence[int]) -> dict[int, Finding]:
        """The first thing wrong with each payable, if anything is."""
        rows = list(Payable.objects.filter(pk__among=payable_ids).order_by("pk").values_list(*_COLUMNS))
        enterprises = sorted({row[1] for row in rows})
        credit = self._credit(enterprises)
        checked = PayeeAccount.objects.filter(state="checked").order_by()
        accounts = {
            pk: (number, name)
            for pk, number, name in checked.filter(enterprise_id__among=enterprises).values_list(
                "enterprise_id", "account_number", "account_name"
            )
        }
        if self._as_listed:
            rows = [(pk, who, *accounts.get(who, (number, name)), *rest) for pk, who, number, name, *rest in rows]
        numbers = {row[2] for row in rows}
        holders = Counter(checked.filter(account_number__among=numbers).values_list("account_number", flat=True))
        contradicted = set(
            PaymentAttempt.objects.filter(payable__among=payable_ids, contradicted=True).values_list(
                "payable_id", flat=True
            )
        )
        over = self._over_cap([(enterprise, item, year, version) for _, enterprise, _, _, item, year, version in rows])
        owed = owed_findings(payable_ids=payable_ids, today=self._today)
        found: dict[int, Finding] = {}
        for pk, enterprise, number, name, item, year, version in rows:
            account = accounts.get(enterprise)
            if pk in contradicted:
                found[pk] = (HoldKind.CONTRADICTION, "银行对上次支付的结果前后矛盾，须先向银行核实")
            elif enterprise in credit:
                found[pk] = (HoldKind.CREDIT, credit[enterprise])
            elif pk in owed:
                found[pk] = (HoldKind.RECOVERY, owed[pk])
            elif account is None:
                found[pk] = (HoldKind.ACCOUNT, "收款账户尚未核对")
            elif account != (number, name):
                found[pk] = (HoldKind.ACCOUNT, "收款账户与核对过的账户不一致")
            elif holders[number] > 1:
                found[pk] = (HoldKind.CONFLICT, "该收款账号同时登记在其他企业名下")
            elif (enterprise, item, year, version) in over:
                found[pk] = (HoldKind.CAP, "超过本事项的年度上限")
        return found

    @cached_property
    def _rules(self) -> list[tuple[Node, str]]:
        """What stops a payment, in the criteria language; a rule on a fact that the district's vocabulary lacks
        is void.
        """
        rules = []
        for entry in json.loads(_RULES.read_text(encoding="utf-8")):
            try:
                rules.append((parse_criteria(entry["criteria"], self._vocabulary), str(entry["reason"])))
            except InvalidInput:
                continue
        return rules

    @cached_property
    def _keys(self) -> set[str]:
        """The facts that the rules ask for."""
        asked = [leaf for tree, _ in self._rules for leaf in leaves(tree)]
        return {key for leaf in asked for key in (leaf.fact, getattr(leaf, "percent_of", None)) if key}

    def _credit(self, enterprises: Sequence[int]) -> dict[int, str]:
        found = {}
        profiles = profiles_as_of(enterprise_ids=enterprises, day=self._today, keys=self._keys)
        for pk, profile in profiles.items():
            if reason := self._verdict(profile):
                found[pk] = reason
        return found

    def _verdict(self, profile: dict[str, object]) -> str:
        """Why these facts stop a payment; empty where they do not. Thousands of enterprises have the same ones."""
        said = canonical_json(profile)
        if said not in self._verdicts:
            facts = known_facts(facts=profile, vocabulary=self._vocabulary)
            self._verdicts[said] = next(
                (reason for tree, reason in self._rules if evaluate(tree, facts, self._today).verdict == "ineligible"),
                "",
            )
        return self._verdicts[said]

    def _over_cap(self, rows: Sequence[tuple[int, str, int, int]]) -> set[tuple[int, str, int, int]]:
        """Those (enterprise, item, year, version) with which the enterprise has more from the item in one year than
        the version's yearly cap.
        """
        self._learn_caps({version for *_, version in rows})
        capped = {row for row in rows if self._caps[row[3]] is not None}
        if not capped:
            return set()
        sums = (
            Payable.objects.filter(
                award__enterprise_id__among={row[0] for row in capped},
                award__item_code__in={row[1] for row in capped},
                award__year__in={row[2] for row in capped},
            )
            .exclude(state__in=[state.value for state in NOT_KEPT])
            .order_by()
            .values_list("award__enterprise_id", "award__item_code", "award__year")
            .annotate(sum=Sum("amount"))
        )
        granted = {(enterprise, item, year): money.from_sum(total) for enterprise, item, year, total in sums}
        return {row for row in capped if granted.get(row[:3], money.ZERO) > (self._caps[row[3]] or money.ZERO)}

    def _learn_caps(self, versions: set[int]) -> None:
        new = versions - self._caps.keys()
        for pk, rules in PolicyVersion.objects.filter(pk__in=new).values_list("pk", "rules"):
            cap = (rules.get("award") or {}).get("cap_per_year")
            self._caps[pk] = None if cap is None else money.money(str(cap))
