"""import_enterprises: the same enterprises from JSONL, CSV and XLSX; all or nothing; twice is once."""

import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from openpyxl import Workbook

from matching.models import Enterprise, Fact, Profile
from matching.registry.models import OutboxMessage
from tests.factories.matching import credit_code_of
from tests.factories.workbooks import ending_early, of_wrong_size, with_a_row_moved, workbook

pytestmark = pytest.mark.django_db

HIGH_TECH = {"code": "high_tech", "on": "2024-11-01", "until": "2027-10-31"}
FACTS = {
    "registered_region": "510105",
    "revenue": {"2024": "31000000", "2025": "35000000.5"},
    "established_on": "2019-03-15",
    "above_scale": True,
    "insured_staff": "42",
    "qualifications": [HIGH_TECH],
}


def run(*arguments, code=0):
    """(output, errors) of the command, which must end with this exit code."""
    out, errors = StringIO(), StringIO()
    ended = 0
    try:
        call_command("import_enterprises", *map(str, arguments), stdout=out, stderr=errors)
    except SystemExit as stopped:
        ended = stopped.code
    assert ended == code, errors.getvalue()
    return out.getvalue(), errors.getvalue()


def jsonl(path, *lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def line(number, **more):
    return {"id": f"E{number}", "name": f"企业{number}", "credit_code": credit_code_of(number), "facts": FACTS, **more}


HEADERS = [
    "编号",
    "企业名称",
    "统一社会信用代码",
    "注册地",
    "2024年营业收入（万元）",
    "2025年营业收入（万元）",
    "成立日期",
    "规模以上（限额以上）企业",
    "社保参保人数",
    "资质认定",
]
ROW = [
    "E1",
    "企业1",
    credit_code_of(1),
    "青羊区",
    "3,100",
    "3500.00005",
    "2019/3/15",
    "是",
    "42",
    "高新技术企业（2024-11-01~2027-10-31）",
]


def csv_file(path, *rows, encoding="utf-8"):
    path.write_text("".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows), encoding=encoding)
    return path


def imported():
    enterprise = Enterprise.objects.get()
    assert (enterprise.external_id, enterprise.name, enterprise.credit_code) == ("E1", "企业1", credit_code_of(1))
    return enterprise.profile.facts


def test_jsonl_registers_enterprises_and_records_their_facts(tmp_path):
    out, _ = run(jsonl(tmp_path / "e.jsonl", line(1)), "--source", "税务", "--valid-on", "2024-03-01")
    assert "新登记企业 1 家" in out
    assert imported() == FACTS
    fact = Fact.objects.get(key="revenue")
    assert (fact.source, fact.valid_on) == ("税务", date(2024, 3, 1))
    assert OutboxMessage.objects.filter(topic="enterprise.facts_changed").count() == 1


def test_an_enterprise_of_which_the_file_tells_nothing_has_an_empty_profile_and_is_announced(tmp_path):
    run(jsonl(tmp_path / "e.jsonl", line(1, credit_code=credit_code_of(1).lower(), facts={})))
    assert imported() == {}
    assert OutboxMessage.objects.filter(topic="enterprise.facts_changed").count() == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_with_labels_as_headers_says_the_same_in_any_encoding(tmp_path, encoding):
    run(csv_file(tmp_path / "e.csv", HEADERS, ROW, encoding=encoding))
    assert imported() == FACTS


def test_a_workbook_says_the_same_with_real_numbers_and_dates(tmp_path):
    book = Workbook()
    book.active.title = "名单"
    book.active.append(["青羊区企业名单"])
    book.active.append(HEADERS)
    book.active.append([*ROW[:4], 3100, 3500.00005, date(2019, 3, 15), True, 42, ROW[9]])
    book.active.append([None] * 4)
    book.save(tmp_path / "e.xlsx")
    mapping = tmp_path / "map.json"
    columns = dict(
        zip(
            HEADERS,
            [
                "id",
                "name",
                "credit_code",
                "registered_region",
                {"to": "revenue.2024", "factor": "10000"},
                {"to": "revenue.2025", "factor": 10000},
                "established_on",
                "above_scale",
                "insured_staff",
                "qualifications",
            ],
            strict=True,
        )
    )
    mapping.write_text(json.dumps({"sheet": "名单", "header_row": 2, "columns": columns}), encoding="utf-8")
    out, _ = run(tmp_path / "e.xlsx", "--map", mapping)
    assert "读取 1 行" in out
    assert imported() == FACTS


THREE = workbook([HEADERS[:3], *([f"E{n}", f"企业{n}", credit_code_of(n)] for n in (1, 2, 3))])


def test_a_workbook_that_says_itself_smaller_than_it_is_loses_no_enterprise(tmp_path):
    (tmp_path / "e.xlsx").write_bytes(of_wrong_size(THREE))
    out, _ = run(tmp_path / "e.xlsx")
    assert "读取 3 行" in out
    assert Enterprise.objects.count() == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(with_a_row_moved(THREE, 4, 281_823_921), "行号超过工作表的上限"), (ending_early(THREE), "此行之后读不下去")],
    ids=["a row that no sheet can have", "cut short"],
)
def test_a_workbook_that_breaks_on_the_way_is_refused_with_its_place_and_imports_nothing(tmp_path, content, said):
    (tmp_path / "e.xlsx").write_bytes(content)
    _, errors = run(tmp_path / "e.xlsx", code=2)
    assert said in errors
    assert "另存为 .xlsx" in errors
    assert not Enterprise.objects.exists()


def test_a_map_in_toml_reads_columns_in_their_own_words(tmp_path):
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        """
empty = ["-"]
[columns]
"代码" = "credit_code"
"单位" = "name"
"区" = { to = "registered_region", codes = { "本区" = "510105" } }
"营收" = { to = "revenue.2025", factor = "100000000" }
"发证" = { to = "qualifications.high_tech.on", format = "%d.%m.%Y" }
"到期" = { to = "qualifications.high_tech.until", format = "%d.%m.%Y" }
"规上" = "above_scale"
""",
        encoding="utf-8",
    )
    out, _ = run(
        csv_file(
            tmp_path / "e.csv",
            ["代码", "单位", "区", "营收", "发证", "到期", "规上", "备注"],
            [credit_code_of(7), "某某公司", "本区", "0.35", "01.11.2024", "31.10.2027", "-", "随便写"],
        ),
        "--map",
        mapping,
    )
    assert "未导入的列（列映射没有提到）：备注" in out
    enterprise = Enterprise.objects.get()
    assert enterprise.external_id == credit_code_of(7)
    assert enterprise.profile.facts == {
        "registered_region": "510105",
        "revenue": {"2025": "35000000"},
        "qualifications": [HIGH_TECH],
    }


def test_single_years_of_a_table_are_laid_over_those_known(tmp_path):
    run(jsonl(tmp_path / "e.jsonl", line(1)))
    run(csv_file(tmp_path / "new.csv", ["credit_code", "revenue.2026"], [credit_code_of(1), "40000000"]))
    assert imported()["revenue"] == {"2024": "31000000", "2025": "35000000.5", "2026": "40000000"}


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_the_same_file_again_changes_nothing(tmp_path, kind):
    path = jsonl(tmp_path / "e.jsonl", line(1)) if kind == "jsonl" else csv_file(tmp_path / "e.csv", HEADERS, ROW)
    run(path)
    before = (Fact.objects.count(), OutboxMessage.objects.count(), Profile.objects.get().revision)
    out, _ = run(path)
    assert "新登记企业 0 家" in out
    assert "新增事实 0 条" in out
    assert (Fact.objects.count(), OutboxMessage.objects.count(), Profile.objects.get().revision) == before


def test_a_known_enterprise_may_come_by_its_id_alone_and_be_renamed(tmp_path):
    run(jsonl(tmp_path / "e.jsonl", line(1)))
    out, _ = run(jsonl(tmp_path / "new.jsonl", {"id": "E1", "name": "新名字", "facts": {"insured_staff": 50}}))
    assert "更名或补编号 1 家" in out
    enterprise = Enterprise.objects.get()
    assert (enterprise.name, enterprise.profile.facts["insured_staff"]) == ("新名字", 50)


def test_an_enterprise_that_came_without_an_id_can_be_given_one_once(tmp_path):
    run(jsonl(tmp_path / "1.jsonl", {"name": "甲", "credit_code": credit_code_of(1), "facts": {}}))
    run(jsonl(tmp_path / "2.jsonl", {"id": "E1", "credit_code": credit_code_of(1), "facts": {}}))
    assert Enterprise.objects.get().external_id == "E1"
    _, errors = run(jsonl(tmp_path / "3.jsonl", {"id": "E2", "credit_code": credit_code_of(1), "facts": {}}), code=2)
    assert "已以编号 E1 登记" in errors


def test_one_bad_line_and_nothing_is_written(tmp_path):
    path = jsonl(tmp_path / "e.jsonl", line(1), line(2, facts={"size": "giant"}), line(3, name=""))
    _, errors = run(path, code=2)
    assert f"{path}:2: facts.size: " in errors
    assert f"{path}:3: name: " in errors
    assert "没有写入任何内容" in errors
    assert not Enterprise.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_bad_line_after_a_thousand_good_ones_takes_them_all_back(tmp_path):
    lines = [line(number, facts={}) for number in range(1, 1202)]
    _, errors = run(jsonl(tmp_path / "e.jsonl", *lines, line(1202, credit_code="X")), code=2)
    assert ":1202: credit_code: " in errors
    assert not Enterprise.objects.exists()


def test_bad_lines_can_be_left_out_and_are_listed_and_counted(tmp_path):
    path = jsonl(tmp_path / "e.jsonl", line(1), line(2, facts={"size": "giant", "nope": 1}), line(3))
    _, errors = run(path, "--skip-bad")
    assert f"{path}:2: facts.size: " in errors
    assert f"{path}:2: facts.nope: " in errors
    assert "已略过有错的 1 行（2 处错误）" in errors
    assert Enterprise.objects.count() == 2


def test_a_rehearsal_tells_what_would_happen_and_writes_nothing(tmp_path):
    out, _ = run(jsonl(tmp_path / "e.jsonl", line(1), line(2)), "--dry-run")
    assert "试运行，没有写入" in out
    assert "新登记企业 2 家" in out
    assert "新增事实 12 条" in out
    assert not Enterprise.objects.exists()


def test_a_later_duplicate_is_the_wrong_line_even_far_below(tmp_path):
    lines = [line(number, facts={}) for number in range(1, 700)]
    _, errors = run(jsonl(tmp_path / "e.jsonl", *lines, line(3, id="other", facts={})), code=2)
    assert ":700: credit_code: " in errors
    assert "与第 3 行重复" in errors


def test_export_gives_back_what_was_imported_and_can_go_back_in_time(tmp_path):
    run(jsonl(tmp_path / "e.jsonl", line(2), line(1)), "--valid-on", "2024-01-01")
    run(jsonl(tmp_path / "n.jsonl", {"id": "E1", "facts": {"insured_staff": 99}}), "--valid-on", "2024-06-01")

    def export(*arguments):
        call_command("export_enterprises", "--out", str(tmp_path / "out.jsonl"), *arguments, stdout=StringIO())
        return [json.loads(text) for text in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]

    one, two = export()
    assert two == line(2)
    assert one["facts"]["insured_staff"] == 99
    one, _ = export("--as-of", "2024-05-31", "--for-match")
    assert one == {"id": "E1", "facts": FACTS}
    one, _ = export("--as-of", "2023-12-31")
    assert one["facts"] == {}
    one, _ = export("--as-of", "2024-05-31", "--known-at", "2020-01-01")
    assert one["facts"] == {}
    exported = tmp_path / "out.jsonl"
    export()
    out, _ = run(exported, "--valid-on", "2024-06-01")
    assert "画像有变化的企业 0 家" in out


def test_importing_many_lines_costs_queries_by_the_chunk_not_by_the_line(tmp_path, django_assert_max_num_queries):
    path = jsonl(tmp_path / "e.jsonl", *[line(number) for number in range(1, 400)])
    with django_assert_max_num_queries(40):
        run(path)
