"""Notices are files that an archive takes: an independent validator finds them to be PDF/A, tagged."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from disbursement.documents.notice import Notice, Section, Table
from disbursement.documents.render import render_pdf
from tests.database import one_at_a_time

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


def sample(recipient: str) -> Notice:
    """A notice with everything that one can have, over two pages."""
    rows = [[str(number), "近三年内未受过重大行政处罚", "没有处罚记录", "符合"] for number in range(1, 30)]
    return Notice(
        title="审核决定书",
        number="SH-2026-000001",
        district="示范区",
        issuer="科技局",
        recipient=recipient,
        issued_on=date(2026, 3, 2),
        verify_url="https://huida.example/verify/SH-2026-000001/",
        opening=["你单位提交的申报已办理完毕，现将决定告知如下。"],
        facts=[("申报编号", "2026-000001"), ("提交时间", "2026年2月1日"), ("申报事项", "研发投入补贴")],
        sections=[
            Section("一、决定", ["予以通过，核定金额人民币 150,000.00 元（大写：壹拾伍万元整）。"]),
            Section("二、金额计算", points=["300,000 元 × 50% = 150,000 元"]),
            Section("三、条件核对", table=Table("逐条核对", ["序号", "条件", "情况", "结论"], rows, (8, 36, 44, 12))),
        ],
        closing=["特此告知。"],
        contact="联系方式：028-81000000",
        signatures=[("财务经办", "张三　2026年3月2日")],
    )


@pytest.fixture(scope="module")
def classpath(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The validator's jars, fetched by Maven."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PDF/A is checked with Java and Maven, and neither may be missing here")
        pytest.skip("needs Java and Maven")
    command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:build-classpath"]
    path = tmp_path_factory.mktemp("pdfa") / "classpath"
    # Another process may be filling the same repository of jars, and what comes over a network may fail once.
    with one_at_a_time("maven"):
        for _ in range(3):
            ran = subprocess.run(
                [*command, f"-Dmdep.outputFile={path}"], capture_output=True, text=True, timeout=180, check=False
            )
            if ran.returncode == 0:
                return path.read_text().strip()
    pytest.fail(f"Maven can't fetch the validator: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")


@pytest.mark.parametrize(
    "recipient",
    ["示范区精密制造有限公司", "示范区鱻𠮷科技有限公司", "Ωmega Κορπορέισον（示范区）有限公司"],
    ids=["in the cut face", "beyond the cut face", "in another script"],
)
def test_a_notice_is_tagged_pdf_a(recipient: str, classpath: str, tmp_path: Path) -> None:
    path = tmp_path / "notice.pdf"
    path.write_bytes(render_pdf(sample(recipient)))
    told = subprocess.run(
        ["java", "-cp", classpath, str(HERE / "Validate.java"), str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert told.stdout.splitlines() == ["2a kept"], told.stdout
