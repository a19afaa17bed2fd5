"""`manage.py import_policies`: all or nothing, twice the same, every mistake placed."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from wagtail.models import Page, Revision

from cms.models import PolicyDocumentPage, PolicyItemPage, ReadingPage
from disbursement.domain.workflow import ClockStep
from disbursement.selectors.limits import limits_of
from matching.models import PolicyItem, PolicyVersion
from matching.registry.models import BudgetLine, Department, OutboxMessage
from tests.rounds import first_round_only
from tests.unit.cms.test_import_lines import BUDGET, DEPARTMENT, DOCUMENT, ITEM, READING

pytestmark = pytest.mark.django_db

FILE = [READING, ITEM, DOCUMENT, BUDGET, DEPARTMENT]  # the order of lines does not matter


@pytest.fixture(name="write")
def write_fixture(tmp_path: Path) -> Any:
    def write(*lines: Any) -> str:
        path = tmp_path / "P.jsonl"
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        return str(path)

    return write


def run(path: str, *options: str) -> int:
    try:
        call_command("import_policies", path, *options)
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def counts() -> tuple[int, ...]:
    models = (Page, Revision, Department, BudgetLine, PolicyItem, PolicyVersion, OutboxMessage)
    return tuple(model.objects.count() for model in models)


def test_a_file_becomes_published_pages_and_versions(write: Any) -> None:
    line = {**ITEM, "document": "一号"}
    assert run(write(READING, line, DOCUMENT, BUDGET, DEPARTMENT), "--publish") == 0
    page = PolicyItemPage.objects.get(code="kj-one")
    assert page.live
    assert (page.document_page, page.title) == (PolicyDocumentPage.objects.get(), "一号")
    assert page.materials[0].value["source"] == "library"
    assert set(ReadingPage.objects.values_list("slug", flat=True)) == {"kj-one-jd", "jd"}
    version = PolicyVersion.objects.get()
    assert version.rules["criteria"] == ITEM["criteria"]
    assert version.rules["ceiling"] == "3000000.00"
    assert version.details["document"] == "一号"


def test_acceptance_and_appeal_may_have_limits_of_their_own(write: Any) -> None:
    own = {"acceptance": {"statutory": 4, "promised": 1}, "appeal": {"promised": 9}}
    path = write(DEPARTMENT, BUDGET, DOCUMENT, {**ITEM, "limits": {**ITEM["limits"], **own}})
    assert run(path, "--publish") == 0
    rules = PolicyVersion.objects.get().rules
    assert rules["limits"] == {
        "review": {"statutory": 20, "promised": 10},
        "acceptance": {"statutory": 4, "promised": 1},
        "appeal": {"statutory": None, "promised": 9},
    }
    found = [limits_of(rules=rules, step=step) for step in (ClockStep.ACCEPTANCE, ClockStep.REVIEW, ClockStep.APPEAL)]
    assert found == [(4, 1), (20, 10), (20, 9)]
    before = counts()
    assert run(path, "--publish") == 0
    assert counts() == before
    # Without them the version is as it was before items could name them.
    assert run(write(*FILE), "--publish") == 0
    latest = PolicyVersion.objects.latest("number")
    assert latest.rules["limits"] == {"review": {"statutory": 20, "promised": 10}}


def test_importing_twice_changes_nothing(write: Any) -> None:
    path = write(*FILE)
    run(path, "--publish")
    before = counts()
    assert run(path, "--publish") == 0
    assert run(path) == 0
    assert counts() == before


def test_drafts_are_drafts_and_publishing_them_later_publishes(write: Any) -> None:
    path = write(*FILE)
    run(path)
    assert not PolicyItemPage.objects.get().live
    assert not PolicyVersion.objects.exists()
    run(path, "--publish")
    assert PolicyItemPage.objects.get().live
    assert PolicyVersion.objects.count() == 1


def test_a_draft_import_over_a_published_item_leaves_what_is_live(write: Any) -> None:
    run(write(*FILE), "--publish")
    run(write({**ITEM, "name": "改名"}))
    page = PolicyItemPage.objects.get()
    assert (page.title, page.get_latest_revision_as_object().title) == ("一号", "改名")
    assert page.has_unpublished_changes


def test_a_changed_line_revises_its_page_alone(write: Any) -> None:
    run(write(*FILE), "--publish")
    revisions = Revision.objects.count()
    run(write(*[{**ITEM, "fees": "免费"} if line is ITEM else line for line in FILE]), "--publish")
    assert Revision.objects.count() == revisions + 1
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        ({**ITEM, "code": "kj-two", "readings": [], "department": "none"}, "department: "),
        ({**ITEM, "code": "kj-two", "readings": [], "document": "无号"}, "document: "),
        ({**ITEM, "code": "kj-two", "readings": [], "budget_line": "none"}, "budget_line: "),
        ({**READING, "id": "jd-two", "item": "none"}, "item: "),
        ({**READING, "id": "kj-one"}, "id: "),
        ({**BUDGET, "year": 2027, "department": "none"}, "department: "),
        ({**ITEM, "code": "kj-two", "readings": [], "type": "x"}, "type: "),
    ],
)
def test_one_wrong_line_leaves_nothing_behind(
    write: Any, bad: dict[str, Any], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = counts()
    path = write(*FILE, bad)
    assert run(path, "--publish") == 2
    assert f"{path}:6: {place}" in capsys.readouterr().err
    assert counts() == before


def test_skipping_bad_lines_writes_the_good_ones_and_lists_the_others(
    write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(*FILE, {**ITEM, "code": "kj-two", "readings": [], "department": "none"}, {"kind": "x"})
    assert run(path, "--publish", "--skip-bad") == 0
    told = capsys.readouterr().err
    assert f"{path}:6: department: " in told
    assert f"{path}:7: kind: " in told
    assert "2 行" in told
    assert list(PolicyItem.objects.values_list("code", flat=True)) == ["kj-one"]


def test_a_line_that_refers_to_a_skipped_one_is_itself_bad(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = write({**DEPARTMENT, "name": ""}, BUDGET, ITEM)
    assert run(path, "--skip-bad") == 0
    told = capsys.readouterr().err
    assert f"{path}:2: department: " in told
    assert f"{path}:3: department: " in told
    assert not PolicyItemPage.objects.exists()


def test_a_dry_run_finds_everything_and_writes_nothing(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = counts()
    assert run(write(*FILE), "--dry-run", "--publish") == 0
    assert "未写入" in capsys.readouterr().out
    assert run(write(*FILE, {**READING, "id": "x", "item": "none"}), "--dry-run") == 2
    assert counts() == before


def test_a_budget_is_not_changed_by_import(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(write(DEPARTMENT, BUDGET))
    assert run(write(DEPARTMENT, {**BUDGET, "ceiling": "999.00"})) == 2
    assert "ceiling: 2026 年已有此科目" in capsys.readouterr().err
    assert run(write(DEPARTMENT, {**BUDGET, "name": "新名"})) == 0
    assert BudgetLine.objects.get().name == "新名"


def test_forms_that_officers_attached_survive_an_import(write: Any) -> None:
    from wagtail.documents.models import Document

    run(write(*FILE), "--publish")
    form = Document.objects.create(title="申请表", file="x.pdf")
    page = PolicyItemPage.objects.get().get_latest_revision_as_object()
    page.materials[0].value["template"] = form
    page.save_revision().publish()
    run(write(*[{**ITEM, "fees": "免费"} if line is ITEM else line for line in FILE]), "--publish")
    assert PolicyItemPage.objects.get().materials[0].value["template"] == form


def test_a_file_that_is_not_there_is_told() -> None:
    assert run("/nowhere/P.jsonl") == 2


@first_round_only
def test_the_demo_districts_file_is_good(tmp_path: Path) -> None:
    from datetime import date

    from portal.demo.policies import import_lines

    path = tmp_path / "demo.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in import_lines(date(2026, 11, 22))), encoding="utf-8")
    assert run(str(path), "--publish") == 0
    assert PolicyItem.objects.filter(is_listed=True).count() >= 25
    before = counts()
    assert run(str(path), "--publish") == 0
    assert counts() == before
