"""Whether the links of each table are whole: signed by the platform, over the rows as they stand, none missing.

Rows are read again in pages of links, so that memory stays flat; which rows are covered is kept as one bit a row.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Iterator
from datetime import datetime

from django.db import connection

from disbursement.audit.findings import Finding, Scope
from disbursement.audit.signing import Verifier, message, microseconds
from disbursement.guards import APPEND_ONLY, NEVER_DELETED, chain
from disbursement.models import ChainKind, ChainLink, ChainShape
from matching.days import SHANGHAI

RANGE = re.compile(r"\[(\d+),(\d+)\)")
_PAGE = 2000
_ROWS = 20_000
_SHOWN = 5
# When a row of a table whose answers are linked (`chain.ANSWERED`) bears one.
_ANSWERS = {"disbursement_returnline": "resolution <> '' OR resolved_at IS NOT NULL OR resolved_by_id IS NOT NULL"}
_ASK = "请立即封存数据库备份并报告督查部门，对照纸质锚点和备份查明是谁、何时改动，再按更正程序恢复。"
_NAMES = {
    "disbursement_award": "核定",
    "disbursement_application": "申报",
    "disbursement_bankentry": "银行流水登记",
    "disbursement_bankinquiry": "书面核实",
    "disbursement_batch": "批次",
    "disbursement_batchapproval": "批次签署",
    "disbursement_claimedinvoice": "已用发票",
    "disbursement_clawback": "追回",
    "disbursement_clawbackentry": "分期",
    "disbursement_clawbackplan": "分期计划",
    "disbursement_clawbackreceipt": "追回到账",
    "disbursement_cutoffday": "截止日调整",
    "disbursement_findingacknowledgement": "审计核查",
    "disbursement_planchange": "分期办理记录",
    "disbursement_setoff": "抵扣",
    "disbursement_takeover": "以前年度承接",
    "disbursement_cycle": "兑现周期",
    "disbursement_decision": "决定",
    "disbursement_delivery": "发送记录",
    "disbursement_deliveryroute": "改走通道",
    "disbursement_document": "文书",
    "disbursement_judgement": "判定记录",
    "disbursement_ledgeraccount": "预算账户",
    "disbursement_ledgertransfer": "预算流水",
    "disbursement_material": "申报材料",
    "disbursement_opinion": "审核意见",
    "disbursement_participation": "参与人员",
    "disbursement_payable": "应付款项",
    "disbursement_payeeaccount": "收款账户",
    "disbursement_paymentattempt": "支付明细",
    "disbursement_reconciliation": "对账记录",
    "disbursement_accountproof": "开户证明",
    "disbursement_reissue": "原账户重新支付",
    "disbursement_repaymentaccount": "退款账户",
    "disbursement_returnfile": "回单文件",
    "disbursement_returnline": "回单明细",
    "disbursement_sealedfile": "封存文件",
    "disbursement_statechange": "办理记录",
    "disbursement_transitionlog": "申报办理记录",
    "registry_budgetline": "预算科目",
}
# Nothing of ours deletes these, though no trigger refuses it: what was never used may be undone by hand, and is seen.
_STAYS = ("registry_budgetline",)


def name_of(table: str) -> str:
    return _NAMES.get(table, table)


def check_links(*, scope: Scope, counts: dict[str, int]) -> Iterator[Finding]:
    """Go through every table that leaves links."""
    verifier = Verifier()
    with connection.cursor() as cursor:
        tables = {found.table: found for found in chain.linked(chain.tables_of(cursor, vendor=connection.vendor))}
    shapes = {shape.key: shape for shape in ChainShape.objects.all()}
    for shape in shapes.values():
        if chain.shape_key(shape.table, shape.columns) != shape.key:
            yield Finding("links.shape", f"存证列 {shape.table}", "存证列的登记被改动，所存列与其编号不符。", _ASK)
    for table, found in tables.items():
        if scope.tables is None or table in scope.tables:
            yield from _check_table(found, shapes=shapes, verifier=verifier, scope=scope, counts=counts)


def _check_table(
    found: chain.Linked, *, shapes: dict[str, ChainShape], verifier: Verifier, scope: Scope, counts: dict[str, int]
) -> Iterator[Finding]:
    covered = bytearray()
    last = _last_links(found.table, since=scope.since_link) if found.whole or found.answered else array("q")
    for page in _pages(found.table, since=scope.since_link):
        counts["links"] = counts.get("links", 0) + len(page)
        yield from _check_page(found, page, covered, last, shapes=shapes, verifier=verifier)
    if scope.since_link == 0:
        yield from _uncovered(found, covered)
        yield from _answered_unseen(found, last)


def _pages(table: str, *, since: int) -> Iterator[list[ChainLink]]:
    """Links in pages of so many rows."""
    page: list[ChainLink] = []
    rows = 0
    for link in ChainLink.objects.filter(stream=table, id__gt=since).order_by("id").iterator(chunk_size=_PAGE):
        page.append(link)
        rows += link.count
        if rows >= _ROWS or len(page) >= _PAGE:
            yield page
            page, rows = [], 0
    if page:
        yield page


def _check_page(
    found: chain.Linked,
    page: list[ChainLink],
    covered: bytearray,
    last: array[int],
    *,
    shapes: dict[str, ChainShape],
    verifier: Verifier,
) -> Iterator[Finding]:
    by_shape: dict[str, list[tuple[ChainLink, list[tuple[int, int]]]]] = {}
    for link in page:
        ranges = [(int(low), int(high)) for low, high in RANGE.findall(link.ids)]
        if not verifier.is_signed(session=link.session, signature=link.mac, text=_message(link)):
            yield Finding(
                "links.unsigned",
                f"{name_of(found.table)} {_shown(ranges)}",
                (
                    f"这些行在{_when(link.written_at)}由数据库用户“{link.written_by}”写入或改动，"
                    "不是本平台写入的，或者存证本身被改动。"
                ),
                _ASK,
                mark=f"{link.pk}:{link.ids}:{link.digest}",
            )
        if link.kind == ChainKind.UPDATE:
            continue
        doubled = _cover(covered, ranges, again=link.kind == ChainKind.ROW)
        if doubled:
            yield Finding("links.doubled", f"{name_of(found.table)} #{doubled}", "同一行有两条新增存证。", _ASK)
        if link.kind == ChainKind.INSERT or (ranges and last[ranges[0][0]] == link.pk):
            by_shape.setdefault(link.shape, []).append((link, ranges))
    for key, links in by_shape.items():
        shape = shapes.get(key)
        if shape is None or shape.table != found.table:
            yield Finding("links.shape", f"存证列 {found.table}", f"存证列登记“{key}”缺失，有存证无法核对。", _ASK)
            continue
        yield from _compare(found, shape, links)


def _compare(
    found: chain.Linked, shape: ChainShape, links: list[tuple[ChainLink, list[tuple[int, int]]]]
) -> Iterator[Finding]:
    names = shape.columns.split(",")
    with connection.cursor() as cursor:
        present = chain.tables_of(cursor, vendor=connection.vendor)[found.table]
    if not set(names) <= set(present):
        gone = "、".join(sorted(set(names) - set(present)))
        yield Finding(
            "links.shape", name_of(found.table), f"列 {gone} 已不存在，此前的存证无法核对。", "请按升级手册重新存证。"
        )
        return
    contents = _contents(found.table, [(name, present[name]) for name in names], links)
    for link, ranges in links:
        digest, there = hashlib.sha256(), 0
        missing: list[int] = []
        for low, high in ranges:
            for pk in range(low, high):
                text = contents.get(pk)
                if text is None:
                    missing.append(pk)
                    continue
                digest.update(b"\n" * (there > 0) + text.encode())
                there += 1
        place = f"{name_of(found.table)} {_shown(ranges)}"
        if missing:
            if found.table in (*NEVER_DELETED, *APPEND_ONLY, *_STAYS) or not found.whole:
                lost = "、".join(f"#{pk}" for pk in missing[:_SHOWN])
                yield Finding("links.missing", place, f"已存证的行不见了：{lost}（共{len(missing)}行）。", _ASK)
            continue
        if digest.hexdigest() != link.digest or there != link.count:
            yield Finding("links.changed", place, f"内容与{_when(link.written_at)}存证时不一致，被改动过。", _ASK)


def _contents(
    table: str, columns: list[tuple[str, str]], links: list[tuple[ChainLink, list[tuple[int, int]]]]
) -> dict[int, str]:
    """Content of each row that the links name."""
    text = chain.content(columns, vendor=connection.vendor)
    spans = sorted(span for _link, ranges in links for span in ranges)
    joined: list[list[int]] = []
    for low, high in spans:
        # Small holes are read over: one query is dearer than a few rows too many.
        if joined and low - joined[-1][1] < 100:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    found: dict[int, str] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(joined), 200):
            piece = joined[start : start + 200]
            where = " OR ".join("(id >= %s AND id < %s)" for _span in piece)
            cursor.execute(f"SELECT id, {text} FROM {table} WHERE {where}", [edge for span in piece for edge in span])
            found.update(cursor.fetchall())
    return found


def _last_links(table: str, *, since: int) -> array[int]:
    """The last link of each row, by the row's id: only that one tells how the row must stand now. Eight bytes a row."""
    last: array[int] = array("q")
    rows = ChainLink.objects.filter(stream=table, kind=ChainKind.ROW, id__gt=since).order_by("id")
    for pk, text in rows.values_list("id", "ids").iterator(chunk_size=_PAGE):
        for low, _high in RANGE.findall(text)[:1]:
            row = int(low)
            if row >= len(last):
                last.extend([0] * (row + 1024 - len(last)))
            last[row] = pk
    return last


def _cover(covered: bytearray, ranges: list[tuple[int, int]], *, again: bool) -> int:
    """Mark rows as covered; the first that was covered already (0: none)."""
    doubled = 0
    for low, high in ranges:
        if high >= len(covered) * 8:
            covered.extend(bytes(high // 8 + 1024 - len(covered)))
        for pk in range(low, high):
            byte, bit = pk >> 3, 1 << (pk & 7)
            if covered[byte] & bit and not again:
                doubled = doubled or pk
            covered[byte] |= bit
    return doubled


def _answered_unseen(found: chain.Linked, last: array[int]) -> Iterator[Finding]:
    """Rows that bear an answer, and no link from when it was given."""
    condition = _ANSWERS.get(found.table)
    if condition is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {found.table} WHERE {condition} ORDER BY id")
        while rows := cursor.fetchmany(_ROWS):
            for (pk,) in rows:
                if pk >= len(last) or not last[pk]:
                    place = f"{name_of(found.table)} #{pk}"
                    yield Finding("links.uncovered", place, "处理说明没有存证：写入时触发器被停用。", _ASK)


def _uncovered(found: chain.Linked, covered: bytearray) -> Iterator[Finding]:
    strangers: list[int] = []
    count = 0
    with connection.cursor() as cursor:
        last = 0
        while True:
            cursor.execute(f"SELECT id FROM {found.table} WHERE id > %s ORDER BY id LIMIT {_ROWS}", [last])
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                break
            for pk in ids:
                if pk >= len(covered) * 8 or not covered[pk >> 3] & (1 << (pk & 7)):
                    count += 1
                    strangers[_SHOWN:] = []
                    strangers.append(pk)
            last = ids[-1]
    if count:
        shown = "、".join(f"#{pk}" for pk in strangers[:_SHOWN])
        yield Finding(
            "links.uncovered",
            f"{name_of(found.table)} {shown}",
            f"有{count}行没有存证：写入时触发器被停用，或存证被删除。",
            _ASK,
        )


def _message(link: ChainLink) -> str:
    return message(
        stream=link.stream,
        kind=link.kind,
        shape=link.shape,
        ids=link.ids,
        count=link.count,
        digest=link.digest,
        written_by=link.written_by,
        microseconds=microseconds(link.written_at),
    )


def _shown(ranges: list[tuple[int, int]]) -> str:
    if not ranges:
        return "（空）"
    told = [f"#{low}" if high == low + 1 else f"#{low}–{high - 1}" for low, high in ranges[:_SHOWN]]
    return "、".join(told) + ("等" if len(ranges) > _SHOWN else "")


def _when(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
