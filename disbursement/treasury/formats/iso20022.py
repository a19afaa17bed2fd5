"""What `pain.002` and `camt.053` have in common: XML from a bank, opened with care, and the ISO 20022 code lists.

A document type, and with it every entity, inner or outer, is refused before anything is parsed; the parser may not
reach for a network or grow beyond libxml2's own limits. Elements are handed on as they end and cleared behind the
reader, so that memory stays flat.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from lxml import etree

from .base import FormatError
from .returned import LINE_ID, Findings, amount_in, day_in, flat

CURRENCY = "CNY"
SHANGHAI = ZoneInfo("Asia/Shanghai")

# ExternalStatusReason1Code and ExternalReturnReason1Code, as far as they can befall a credit transfer to an enterprise.
REASONS: dict[str, str] = {
    "AC01": "收款账号不正确",
    "AC02": "付款账号不正确",
    "AC03": "收款账号无效",
    "AC04": "账号已销户",
    "AC06": "账户已冻结",
    "AC07": "收款账号已销户",
    "AC13": "付款账户类型不符",
    "AC14": "收款账户类型不符",
    "AG01": "该账户不允许此类交易",
    "AG02": "交易代码不正确",
    "AM01": "金额为零",
    "AM02": "金额超出限额",
    "AM03": "币种不受理",
    "AM04": "付款账户余额不足",
    "AM05": "重复提交",
    "AM09": "金额不正确",
    "AM10": "合计金额不符",
    "BE01": "账号与户名不符",
    "BE04": "缺少收款人地址",
    "BE05": "发起人无法识别",
    "BE06": "收款人无法识别",
    "CNOR": "收款行未登记",
    "CUST": "收款人要求退回",
    "DNOR": "付款行未登记",
    "DT01": "日期不正确",
    "DU01": "文件重复",
    "DU02": "支付信息重复",
    "DU03": "交易重复",
    "DU04": "端到端标识重复",
    "DUPL": "重复支付",
    "ED05": "清算失败",
    "FF01": "文件格式不正确",
    "FOCR": "按付款人的撤回请求退回",
    "MD07": "收款人已死亡或终止",
    "MS02": "收款人未说明原因",
    "MS03": "银行未说明原因",
    "NARR": "原因见说明",
    "NOAS": "收款人未答复",
    "RC01": "联行号不正确",
    "RC04": "收款行代码不正确",
    "RR01": "缺少付款人账号或标识",
    "RR02": "缺少付款人名称或地址",
    "RR03": "缺少收款人名称或地址",
    "RR04": "监管原因",
    "TECH": "技术原因",
    "TM01": "超过受理时间",
}
# A file that is refused for these was most likely taken before: nothing may be concluded but that a person must ask.
DUPLICATES = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DUPL"})
# The payee's account or name is at fault: such a reason speaks of one payment, never of a file.
OF_THE_PAYEE = frozenset(
    {"AC01", "AC03", "AC04", "AC06", "AC07", "AC14", "BE01", "BE04", "BE06", "CNOR", "MD07", "RC01", "RC04", "RR03"}
)
# The payee wants it so (退款); for every other reason the bank could not pay (退票).
GIVEN_BACK = frozenset({"CUST", "FOCR"})

_DECLARED = re.compile(rb"\s*<\?xml\b([^>]*)\?>")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_MARKUP = re.compile(rb"<!(?!--|\[CDATA\[)")
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_GBK = frozenset({"gbk", "gb2312", "gb18030", "gb-18030", "cp936"})
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.001\.[0-9]{2}")
_SNIFF = re.compile(rb"<([A-Za-z0-9_]+:)?Document\b[^>]*?urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3})\.001\.")
_HEAD = 4096


class Unclear(ValueError):
    """An element that cannot be read; the message is for people."""


def message_of(content: bytes) -> str:
    """`pain.002`, `camt.053`, …: which ISO message the XML is by its namespace; empty where it is none."""
    found = _SNIFF.search(content[:_HEAD])
    return "" if found is None else found[2].decode("ascii")


def opened(content: bytes) -> io.BytesIO:
    """The XML in UTF-8, behind its declaration, if it is safe to parse; what is UTF-8 already is not copied. Raises
    FormatError.
    """
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    declared = _DECLARED.match(content, start)
    named = None if declared is None else _ENCODING.search(declared[1])
    encoding = "utf-8" if named is None else named[1].decode("ascii").lower()
    if encoding in _GBK:
        content, start = decoded_gbk(content).encode("utf-8"), 0
        declared = _DECLARED.match(content)
    elif encoding not in _UTF8:
        raise FormatError(f"XML 的编码“{encoding[:20]}”不受理，请使用 UTF-8 或 GBK。")
    if _MARKUP.search(content):
        raise FormatError(
            "XML 含有文档类型或实体声明（DOCTYPE/ENTITY），出于安全未予读取。请向银行索取不含声明的文件。"
        )
    file = io.BytesIO(content)
    file.seek(start if declared is None else declared.end())
    return file


def decoded_gbk(content: bytes) -> str:
    """GB 18030 text, without a cut character at its end. Raises FormatError."""
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        if len(content) - error.start < 4:
            return content[: error.start].decode("gb18030")
        raise FormatError("XML 声明为 GBK 编码，但有无法识别的字符。请向银行索取完整文件。") from error


def elements(content: bytes, *, message: str, names: tuple[str, ...], findings: Findings) -> Iterator[etree._Element]:
    """Elements of these local names as they end. A file that breaks off gives what there is, and a problem.

    Raises FormatError where it is no such message at all.
    """
    begun = False
    walk = etree.iterparse(
        opened(content),
        events=("start", "end"),
        tag=["{*}Document", *(f"{{*}}{name}" for name in names)],
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for event, element in walk:
            if not begun:
                found = _NAMESPACE.fullmatch(etree.QName(element).namespace or "")
                if element.getparent() is not None or found is None or found[1] != message:
                    raise FormatError(f"文件不是 {message} 报文：根元素的命名空间不符。请确认选对了文件。")
                begun = True
            elif event == "end" and etree.QName(element).localname in names:
                yield element
    except etree.XMLSyntaxError as error:
        where = f"第{error.lineno}行" if error.lineno else "开头"
        if not begun:
            raise FormatError(f"文件不是可读的XML（{where}：{str(error.msg)[:120]}）。") from error
        findings.problems.append(
            f"报文在{where}中断或损坏（{str(error.msg)[:120]}），可能不完整；此前的明细照常处理，请向银行索取完整报文。"
        )
    if not begun:
        raise FormatError(f"文件不是 {message} 报文。请确认选对了文件。")


def forget(element: etree._Element) -> None:
    """Give back the memory of an element that was read, and of the one like it before."""
    element.clear()
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None and before.tag == element.tag:
        parent.remove(before)


@cache
def _path(namespace: str, steps: str) -> str:
    return "/".join(f"{{{namespace}}}{step}" for step in steps.split("/"))


def child(element: etree._Element, steps: str) -> etree._Element | None:
    """The one element at a path of local names, or None. Raises Unclear where there are several."""
    found = element.findall(_path(etree.QName(element).namespace or "", steps))
    if len(found) > 1:
        raise Unclear(f"{steps}出现{len(found)}次，无法确定以哪个为准")
    return found[0] if found else None


def children(element: etree._Element, steps: str) -> list[etree._Element]:
    return element.findall(_path(etree.QName(element).namespace or "", steps))


def text(element: etree._Element, *paths: str) -> str:
    """The text at the first of the paths that has any; empty where none has."""
    for steps in paths:
        found = child(element, steps)
        if found is not None and found.text and found.text.strip():
            return flat(found.text)
    return ""


def amount(element: etree._Element, *paths: str) -> Decimal | None:
    """The amount in 元 at the first path that exists, or None. Raises Unclear for another currency or no amount."""
    for steps in paths:
        found = child(element, steps)
        if found is None:
            continue
        if found.get("Ccy") != CURRENCY:
            raise Unclear(f"币种“{(found.get('Ccy') or '未注明')[:10]}”不是人民币（{CURRENCY}）")
        said = flat(found.text or "")
        value = amount_in(said)
        if value is None or value <= 0:
            raise Unclear(f"金额“{said[:30]}”无法识别，应为大于零、至多两位小数的数")
        return value
    return None


def day(element: etree._Element, *paths: str) -> date | None:
    """The day in Shanghai of the first path that has a date or time. Raises Unclear."""
    said = text(element, *paths)
    return day_of(said) if said else None


def day_of(said: str) -> date:
    """The day in Shanghai of an ISO date or time; one without an offset is meant so. Raises Unclear."""
    try:
        if len(said) == len("2026-12-21"):
            return day_in(said)
        moment = datetime.fromisoformat(said)
        return day_in((moment if moment.tzinfo is None else moment.astimezone(SHANGHAI)).date().isoformat())
    except (ValueError, OverflowError) as error:
        raise Unclear(f"日期“{said[:40]}”无法识别，应如2026-12-21或2026-12-21T09:30:00+08:00") from error


def account(element: etree._Element, path: str) -> str:
    """The account number under an account element."""
    return text(element, f"{path}/Id/Othr/Id", f"{path}/Id/IBAN")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: an ISO code, empty where the bank used none, and the words for people."""

    code: str
    words: str


def reason(element: etree._Element, path: str) -> Reason:
    """The first reason at a path, told in our words with the bank's own behind them."""
    for found in children(element, path):
        code = text(found, "Rsn/Cd")
        said = [flat(part.text or "") for part in children(found, "AddtlInf")]
        own = " ".join(part for part in [text(found, "Rsn/Prtry"), *said] if part)
        known = REASONS.get(code, "")
        words = " ".join(part for part in (code, known) if part)
        return Reason(code, "：".join(part for part in (words, own) if part))
    return Reason("", "")


def line_ids(*texts: str) -> list[str]:
    """Our line ids in running text, each once, in order."""
    return list(dict.fromkeys(found for said in texts for found in LINE_ID.findall(said)))
