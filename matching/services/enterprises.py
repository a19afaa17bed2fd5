"""Enterprises are registered here, each under its checked unified social credit code (统一社会信用代码)."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from stdnum.cn import uscc

from matching.criteria import InvalidInput, Problem
from matching.models import Enterprise
from matching.services.facts import store_checked
from matching.services.vocabulary import current_vocabulary

LONGEST_NAME = 200
LONGEST_ID = 100
LENGTH = 18
_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")


@dataclass(frozen=True, slots=True)
class BadCreditCode(ValueError):
    """A credit code that cannot be one; `message` says why, in Chinese."""

    message: str

    def __str__(self) -> str:
        return self.message


def credit_code(*, text: str) -> str:
    """The code in capitals and without spaces. Raises BadCreditCode where length, characters or check digit are wrong.

    GB 32100-2015: registering authority and kind (digits or letters), six digits of the region, nine of the
    organisation, one check digit; the letters I, O, S, V, Z are never used.
    """
    code = "".join(text.split()).upper()
    if len(code) != LENGTH:
        raise BadCreditCode(_("统一社会信用代码应为 18 位，现为 %(count)s 位") % {"count": len(code)})
    if not _SHAPE.fullmatch(code):
        message = _("统一社会信用代码 %(code)s 含有不允许的字符：第 3 至 8 位应为数字，其余不用字母 I、O、S、V、Z")
        raise BadCreditCode(message % {"code": code if code.isprintable() else ascii(code)})
    digit = uscc.calc_check_digit(code[:-1])
    if code[-1] != digit:
        message = _("统一社会信用代码 %(code)s 的校验位不对，第 18 位应为 %(digit)s；请核对是否录错")
        raise BadCreditCode(message % {"code": code, "digit": digit})
    return code


@transaction.atomic
def register(*, name: str, code: str, now: datetime, external_id: str | None = None) -> Enterprise:
    """Register an enterprise with an empty profile, so that what is open to everyone finds it.

    `external_id` is the id under which files name it (default: the credit code). Raises InvalidInput where code, name
    or id are wrong or taken.
    """
    problems = []
    try:
        code = credit_code(text=code)
    except BadCreditCode as bad:
        problems.append(Problem("credit_code", bad.message))
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
