"""What the conformance tests share: one small vocabulary, and the two commands called as an officer calls them.

Nothing here knows the code behind the commands: files go in as text, bytes and exit codes come out. Expectations in the
tests are worked out by hand from the criteria language (docs/schemas/); each test quotes the sentence it checks.
"""

import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command, get_commands, load_command_class

AS_OF = "2026-11-22"

VOCABULARY: dict[str, Any] = {
    "code_lists": {
        "region": {
            "hierarchy": "prefix",
            "codes": {"5101": "成都市", "510105": "青羊区", "510106": "金牛区", "5102": "另一市", "51010": "片区"},
        },
        "size": {
            "hierarchy": "parents",
            "parents": {
                "tiny": "micro",
                "micro": "small_micro",
                "small": "small_micro",
                "small_micro": "sme",
                "medium": "sme",
            },
            "codes": {
                "sme": "中小微企业",
                "small_micro": "小微企业",
                "micro": "微型",
                "tiny": "极小",
                "small": "小型",
                "medium": "中型",
                "large": "大型",
            },
        },
        "grade": {"hierarchy": "none", "codes": {"A": "A 级", "AA": "AA 级", "B": "B 级"}},
        "qualification": {"hierarchy": "none", "codes": {"ht": "高新技术企业", "gz": "瞪羚", "uc": "独角兽"}},
        "award_kind": {
            "hierarchy": "prefix",
            "codes": {"n": "国家级", "n1": "国家一类", "n2": "国家二类", "p": "省级"},
        },
    },
    "facts": [
        {"key": "region", "label": "注册地", "type": "code", "codes": "region"},
        {"key": "size", "label": "规模", "type": "code", "codes": "size"},
        {"key": "grade", "label": "信用等级", "type": "code", "codes": "grade"},
        {"key": "staff", "label": "职工人数", "type": "number", "unit": "人"},
        {"key": "insured", "label": "参保人数", "type": "number", "unit": "人"},
        {"key": "rev", "label": "营业收入", "type": "yearly", "unit": "元"},
        {"key": "rd", "label": "研发费用", "type": "yearly", "unit": "元"},
        {"key": "born", "label": "成立日期", "type": "date"},
        {"key": "flag", "label": "是否上市", "type": "boolean"},
        {"key": "flag2", "label": "是否规上", "type": "boolean"},
        {"key": "flag3", "label": "是否出口", "type": "boolean"},
        {"key": "quals", "label": "资质", "type": "records", "codes": "qualification"},
        {"key": "honours", "label": "获奖", "type": "records", "codes": "award_kind"},
        {"key": "loan", "label": "贷款额", "type": "number", "unit": "元", "scope": "application"},
        {"key": "investment", "label": "项目总投资", "type": "number", "unit": "元", "scope": "application"},
        {"key": "project", "label": "项目收入", "type": "yearly", "unit": "元", "scope": "application"},
    ],
}

EVERYONE: dict[str, Any] = {"all": []}


@dataclass(frozen=True)
class Outcome:
    code: int
    out: bytes | None  # None: no file was written
    err: str
    said: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.code == 0, self.err
        assert self.out is not None
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def errors(self) -> list[str]:
        """The lines on stderr that have the form FILE:LINE: …"""
        return [line for line in self.err.splitlines() if line.startswith(("P.jsonl:", "E.jsonl:", "V.json:"))]


def lines(objects: Iterable[Any]) -> bytes:
    return "".join((o if isinstance(o, str) else json.dumps(o, ensure_ascii=False)) + "\n" for o in objects).encode()


def policy(criteria: Any = EVERYONE, id: str = "p", **more: Any) -> dict[str, Any]:
    return {"id": id, "criteria": criteria, **more}


def enterprise(facts: Any = None, id: str = "e") -> dict[str, Any]:
    return {"id": id, "facts": {} if facts is None else facts}


def run(
    policies: Iterable[Any] | bytes,
    enterprises: Iterable[Any] | bytes,
    *,
    command: str = "match",
    as_of: str = AS_OF,
    vocabulary: Mapping[str, Any] | str | None = VOCABULARY,
    before: bytes | None = None,
    **options: Any,
) -> Outcome:
    """Runs the command in a directory of its own, on files named P.jsonl, E.jsonl and V.json."""
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        try:
            Path("P.jsonl").write_bytes(policies if isinstance(policies, bytes) else lines(policies))
            Path("E.jsonl").write_bytes(enterprises if isinstance(enterprises, bytes) else lines(enterprises))
            if vocabulary is not None:
                text = vocabulary if isinstance(vocabulary, str) else json.dumps(vocabulary, ensure_ascii=False)
                Path("V.json").write_text(text, encoding="utf-8")
                options["vocabulary"] = "V.json"
            if before is not None:
                Path("M.jsonl").write_bytes(before)
            return call(command, policies="P.jsonl", enterprises="E.jsonl", as_of=as_of, out="M.jsonl", **options)
        finally:
            os.chdir(home)


def call(command: str, *, out: str, **options: Any) -> Outcome:
    arguments = [
        f"--{name.replace('_', '-')}" if value is True else f"--{name.replace('_', '-')}={value}"
        for name, value in {**options, "out": out}.items()
    ]
    said, err = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(said), redirect_stderr(err):
        try:
            loaded = load_command_class(get_commands()[command], command)
            # Arguments are then refused as in a shell: with exit code 2, not with an exception.
            vars(loaded)["_called_from_command_line"] = True
            call_command(loaded, *arguments, stdout=said, stderr=err)
        except CommandError as problem:
            code = problem.returncode
            err.write(f"{problem}\n")
        except SystemExit as stop:
            code = int(stop.code or 0)
    target = Path(out)
    return Outcome(code, target.read_bytes() if target.is_file() else None, err.getvalue(), said.getvalue())


def judge(criteria: Any, facts: Any = None, **options: Any) -> str:
    """The verdict on one enterprise: `eligible`, `undetermined` or `ineligible`."""
    return str(row(criteria, facts, **options)["verdict"])


def row(criteria: Any, facts: Any = None, **options: Any) -> dict[str, Any]:
    (only,) = run([policy(criteria)], [enterprise(facts)], near=99, **options).rows
    return dict(only)


def judge_many(cases: Iterable[tuple[Any, Any, str]], **options: Any) -> None:
    """Each case is (criteria, facts, verdict); one run of the command for all of them, every
    difference is told."""
    listed = list(cases)
    policies = [policy(criteria, id=f"p{i:03}") for i, (criteria, _, _) in enumerate(listed)]
    enterprises = [enterprise(facts, id=f"e{i:03}") for i, (_, facts, _) in enumerate(listed)]
    done = run(policies, enterprises, near=99, **options)
    got = {r["policy"][1:]: r["verdict"] for r in done.rows if r["policy"][1:] == r["enterprise"][1:]}
    wrong = [
        f"{json.dumps(criteria, ensure_ascii=False)} over {json.dumps(facts, ensure_ascii=False)}: "
        f"{got.get(f'{i:03}')}, should be {verdict}"
        for i, (criteria, facts, verdict) in enumerate(listed)
        if got.get(f"{i:03}") != verdict
    ]
    assert not wrong, "\n".join(wrong)


def refuse(criteria: Any, path: str | None = None, **options: Any) -> str:
    """The criteria are an error (placed at `path`, where given); the message."""
    done = run([policy(criteria)], [], **options)
    return check_refused(done, "P.jsonl:1: ", path)


def refuse_facts(facts: Any, path: str | None = None, **options: Any) -> str:
    return check_refused(run([], [enterprise(facts)], **options), "E.jsonl:1: ", path)


def check_refused(done: Outcome, start: str, path: str | None = None) -> str:
    assert done.code == 2, (done.code, done.err, done.out)
    assert done.out is None
    placed = [line for line in done.errors if line.startswith(start)]
    assert placed, done.err
    if path is not None:
        assert any(line.startswith(f"{start}{path}: ") for line in placed), done.err
    return done.err


def accept(criteria: Any) -> None:
    done = run([policy(criteria)], [])
    assert (done.code, done.err) == (0, "")


def accept_facts(facts: Any) -> None:
    done = run([], [enterprise(facts)])
    assert (done.code, done.err) == (0, "")


T, U, F = "eligible", "undetermined", "ineligible"
