"""``python -m bench.notices``: notices as PDF/A, against a fresh ``HTML(...).write_pdf()`` for each.

Both write the same page as tagged PDF/A-2a; the fresh one parses the style sheet and takes the machine's whole font
each time, as WeasyPrint does when nobody prepares anything. They take turns in one process, on processor time, with
notices that differ from one another. Then two processes write notices as two workers would. Exits 1 where a promise is
missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from statistics import median

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")
django.setup()

from weasyprint import CSS, HTML

from disbursement.documents import render
from disbursement.documents.notice import Notice, Section, Table

PROMISED_RATIO = 2.0
PROMISED_RATE = 10.0
PROMISED_P95 = 0.5
PROMISED_SIZE = 300_000

_STREETS = "春熙锦里玉林桐梓宽窄浣花草堂青羊金牛武侯成华龙泉"
_TRADES = ["精密机械", "生物医药", "新型材料", "智能装备", "现代农业", "文化创意", "供应链管理", "环境工程"]
_AGREE = ["在本区登记注册", "近三年内未受过重大行政处罚", "上年度研发费用不低于营业收入的 3%", "参保人数不少于 10 人"]


def _name(number: int) -> str:
    street = _STREETS[number * 2 % len(_STREETS)] + _STREETS[(number * 3 + 1) % len(_STREETS)]
    return f"示范区{street}{_TRADES[number % len(_TRADES)]}有限公司"


def _notice(number: int, title: str, prefix: str, **parts: object) -> Notice:
    name = _name(number)
    facts = [
        ("申报编号", f"2026-{number:06d}"),
        ("提交时间", f"2026年{number % 12 + 1}月{number % 28 + 1}日"),
        ("申报企业", name),
        ("统一社会信用代码", f"91510105MA6{number:07d}"),
        ("申报事项", "研发投入补贴"),
    ]
    return Notice(
        title=title,
        number=f"{prefix}-2026-{number:06d}",
        district="示范区",
        issuer="示范区科技和工业信息化局",
        recipient=name,
        issued_on=date(2026, 3, 2),
        verify_url=f"https://huida.example/verify/{prefix}-2026-{number:06d}/",
        facts=[*facts, *parts.pop("facts", [])],  # type: ignore[misc]
        closing=["办理进度、预计兑现月份可登录 https://huida.example 查询。办理不收取任何费用。", "特此通知。"],
        contact="联系方式：028-81000000　示范大道 1 号政务服务中心",
        **parts,  # type: ignore[arg-type]
    )


def payment(number: int) -> Notice:
    """One page, by far the most frequent: each instalment that was paid has one."""
    money = f"{number * 1234.56 + 1000:,.2f}"
    return _notice(
        number,
        "兑现通知书",
        "DX",
        opening=["你单位申报的“研发投入补贴”资金已经兑现，现将有关情况告知如下，请查收。"],
        facts=[
            ("兑现金额", f"人民币 {money} 元"),
            ("期次", "第 1 期，共 1 期"),
            ("到账日期", "2026年3月24日"),
            ("收款户名", _name(number)),
            ("收款账户", "中国工商银行示范支行 ****1234"),
            ("兑现批次", f"2026年3月　202603-{number % 9 + 1:02d}"),
        ],
    )


def acceptance(number: int) -> Notice:
    """One page with a list of materials."""
    rows = [[str(i), name, f"{name}.pdf"] for i, name in enumerate(["营业执照", "发票清单", "审计报告", "承诺书"], 1)]
    table = Table("", ["序号", "材料", "文件"], rows, (10, 42, 48))
    opening = ["你单位提交的“研发投入补贴”申报收悉。经审查，符合受理条件，决定予以受理。"]
    return _notice(number, "受理通知书", "SL", opening=opening, sections=[Section("已收材料", table=table)])


def decision(number: int) -> Notice:
    """Two pages: every condition beside what was found, the working, the instalments."""
    rows = [[str(i), text, f"{text}：已核实（{number}）", "符合"] for i, text in enumerate(_AGREE * 2, 1)]
    months = [[str(i), f"2026年{i + 2}月", "****1234", "50,000.00"] for i in (1, 2, 3)]
    sections = [
        Section(
            "一、决定", ["经审核，你单位符合申报条件，予以通过，核定金额人民币 150,000.00 元（大写：壹拾伍万元整）。"]
        ),
        Section("二、条件核对", table=Table("", ["序号", "申报条件", "核对情况", "结论"], rows, (8, 36, 44, 12))),
        Section("三、金额计算", points=["300,000 元 × 50% = 150,000 元", "不超过单个企业上限 500,000 元"]),
        Section(
            "四、兑现安排",
            table=Table(
                "", ["期次", "承诺兑现月份", "收款账户", "金额（元）"], months, (14, 30, 28, 28), frozenset({3})
            ),
        ),
    ]
    return _notice(number, "审核决定书", "SH", sections=sections)


KINDS: dict[str, Callable[[int], Notice]] = {"payment": payment, "acceptance": acceptance, "decision": decision}


def fresh(notice: Notice) -> bytes:
    """The same page by one call, nothing prepared."""
    style = (render._TEMPLATES / "notice.css").read_text("utf-8")
    pdf: bytes = HTML(string=render.render_html(notice)).write_pdf(
        stylesheets=[CSS(string=style)], pdf_variant=render._VARIANT
    )
    return pdf


def _timed(write: Callable[[Notice], bytes], notice: Notice) -> tuple[float, int]:
    start = time.process_time()
    size = len(write(notice))
    return time.process_time() - start, size


def _worker(numbers: range) -> int:
    kinds = list(KINDS.values())
    return sum(len(render.render_pdf(kinds[number % len(kinds)](number))) > 0 for number in numbers)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.notices")
    parser.add_argument("--count", type=int, default=20, help="notices of each kind by each contestant")
    count = parser.parse_args().count
    missed = []
    print(f"{'kind':<12}{'ours ms':>10}{'fresh ms':>10}{'ratio':>8}{'p95 s':>8}{'largest KB':>12}")
    for name, make in KINDS.items():
        for write in (render.render_pdf, fresh):
            write(make(10**5))
        ours, theirs = [], []
        for number in range(count):
            ours.append(_timed(render.render_pdf, make(number)))
            theirs.append(_timed(fresh, make(number)))
        times = sorted(seconds for seconds, _ in ours)
        ratio = median(seconds for seconds, _ in theirs) / median(times)
        p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
        largest = max(size for _, size in ours)
        print(
            f"{name:<12}{median(times) * 1000:>10.0f}{median(s for s, _ in theirs) * 1000:>10.0f}"
            f"{ratio:>8.2f}{p95:>8.2f}{largest / 1000:>12.0f}"
        )
        if ratio < PROMISED_RATIO:
            missed.append(f"{name}: {ratio:.2f} × a fresh one, promised {PROMISED_RATIO}")
        if p95 > PROMISED_P95:
            missed.append(f"{name}: p95 {p95:.2f} s, promised {PROMISED_P95}")
        if largest > PROMISED_SIZE:
            missed.append(f"{name}: {largest} bytes, promised {PROMISED_SIZE}")
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_worker, [range(2), range(2)]))
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = sum(pool.map(_worker, [range(3 * count), range(3 * count, 6 * count)]))
        clock = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"two processes: {done} notices in {clock:.1f} s, {done / clock:.1f} a second ({spent:.1f} processor seconds)"
    )
    if done / clock < PROMISED_RATE:
        missed.append(f"{done / clock:.1f} notices a second, promised {PROMISED_RATE}")
    for line in missed:
        print("missed:", line)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
