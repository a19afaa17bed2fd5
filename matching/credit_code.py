"""The unified social credit code (统一社会信用代码, GB 32100-2015): its characters and its check digit."""

import re

from stdnum.cn import uscc

LENGTH = 18
_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")


class BadCreditCode(ValueError):
    """A text that is no credit code; it says why, in Chinese."""


def parse_credit_code(text: str) -> str:
    """The code in capitals and without spaces. Raises BadCreditCode where length, characters or check digit are wrong.

    Registering authority and kind (digits or letters), six digits of the region, nine characters of the organisation,
    one check digit; the letters I, O, S, V, Z are never used.
    """
    code = "".join(text.split()).upper()
    if len(code) != LENGTH:
        raise BadCreditCode(f"统一社会信用代码应为 {LENGTH} 位，现为 {len(code)} 位")
    if not _SHAPE.fullmatch(code):
        raise BadCreditCode(
            f"统一社会信用代码 {code if code.isprintable() else ascii(code)} 含有不允许的字符："
            "第 3 至 8 位应为数字，其余为半角数字或字母，不用字母 I、O、S、V、Z"
        )
    digit = uscc.calc_check_digit(code[:-1])
    if code[-1] != digit:
        raise BadCreditCode(f"统一社会信用代码 {code} 的校验位不对，第 {LENGTH} 位应为 {digit}；请核对是否录错")
    return code
