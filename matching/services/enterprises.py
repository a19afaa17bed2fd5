"""Enterprises are registered here, each under its checked unified social credit code (统一社会信用代码)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from matching.credit_code import BadCreditCode, parse_credit_code
from matching.criteria import InvalidInput, Problem
from matching.models import Enterprise
from matching.services.facts import store_checked
from matching.services.vocabulary import current_vocabulary

LONGEST_NAME = 200


@transaction.atomic
def register(*, name: str, code: str, now: datetime, external_id: str | None = None) -> Enterprise:
    """Register an enterprise with an empty profile, so that what is open to everyone finds it.

    `external_id` is the id under which files name it (default: the credit code). Raises InvalidInput where code, name
    or id are wrong or taken.
    """
    problems = []
    try:
        code = parse_credit_code(code)
    except BadCreditCode as bad:
        problems.append(Problem("credit_code", str(bad)))
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        problems.append(Problem("name", _("企业名称应为 1 至 %(most)s 个字") % {"most": LONGEST_NAME}))
    external_id = code if external_id is None else external_id
    if Enterprise.objects.filter(credit_code=code).exists():
        problems.append(Problem("credit_code", _("统一社会信用代码 %(code)s 已登记") % {"code": code}))
    elif Enterprise.objects.filter(external_id=external_id).exists():
        problems.append(Problem("id", _("编号 %(id)s 已被另一家企业使用") % {"id": external_id}))
    if problems:
        raise InvalidInput(problems)
    enterprise = Enterprise.objects.create(credit_code=code, name=name, external_id=external_id, created_at=now)
    store_checked(facts=[], vocabulary=current_vocabulary(), now=now, also_refresh=[enterprise.pk])
    return enterprise
