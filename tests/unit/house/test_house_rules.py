"""The rules of the house, held against the code itself (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROOMS = ("portal", "cms", "disbursement", "matching")
# Who may look at whom; the registry is the floor of matching.
MAY_LOOK_AT = {
    "portal": {"portal", "cms", "disbursement", "matching"},
    "cms": {"cms", "matching"},
    "disbursement": {"disbursement", "matching"},
    "matching": {"matching"},
}
LARGEST_SOURCE = 15 * 1024


def sources(*parts: str) -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            if not parts or any(part in path.relative_to(ROOT).parts or path.stem == part for part in parts):
                yield path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def forgotten_trees() -> Iterator[None]:
    """A million nodes are not carried through all other tests."""
    yield
    tree.cache_clear()


def calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_model_relations_follow_the_arrow_between_the_rooms() -> None:
    wrong = []
    for model in apps.get_models():
        room = model.__module__.split(".")[0]
        if room not in ROOMS:
            continue
        for field in model._meta.get_fields():
            if not field.is_relation or field.auto_created or field.related_model is None:
                continue
            target = field.related_model
            if isinstance(target, str) or target._meta.label == settings.AUTH_USER_MODEL:
                continue
            other = target.__module__.split(".")[0]
            if other in ROOMS and other not in MAY_LOOK_AT[room]:
                wrong.append(f"{model._meta.label}.{field.name} → {target._meta.label}")
    assert not wrong


def test_nothing_under_views_tasks_and_commands_reads_the_clock() -> None:
    clocks = {"timezone.now", "timezone.localdate", "timezone.localtime", "date.today", "datetime.now", "time.time"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sources("services", "selectors", "domain", "criteria", "backends", "ledger", "treasury", "models")
        if "commands" not in path.parts  # one may be named for what it is about
        for line, name in calls(path)
        if name in clocks or name.endswith((".date.today", ".datetime.now"))
    ]
    assert not wrong


def test_only_the_transition_functions_assign_a_state() -> None:
    """Nobody assigns `.state`: the transition functions do, from the tables of disbursement.domain.workflow."""
    wrong = [
        f"{path.relative_to(ROOT)}:{target.lineno}"
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == "state" and ast.unparse(target.value) != "self"
    ]
    allowed = {
        "disbursement/services/application/applications.py",
        "disbursement/services/payment/transitions.py",
        "disbursement/services/recovery/plan_moves.py",  # the same for plans of paying back
        # An account is checked or refused once; the database ties the two people.
        "disbursement/services/payment/payees.py",
        # How far work has come, which is no step of a case: the database ties it to its times.
        "disbursement/services/runs.py",
        "matching/services/run_chunks.py",
        "matching/services/runs.py",
    }
    assert {place.split(":")[0] for place in wrong} <= allowed


@pytest.mark.parametrize("room", ["disbursement/domain", "disbursement/ledger", "disbursement/treasury"])
def test_float_never_touches_money(room: str) -> None:
    wrong = []
    for path in sorted((ROOT / room).rglob("*.py")):
        if "simulator" in path.parts:  # shares of chance and seconds of waiting; its money comes out of the files
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong


def test_no_source_file_has_grown_past_fifteen_kilobytes() -> None:
    wrong = {
        str(path.relative_to(ROOT)): path.stat().st_size for path in sources() if path.stat().st_size > LARGEST_SOURCE
    }
    assert not wrong


def test_the_code_never_asks_whether_it_is_under_test() -> None:
    words = ("PYTEST_CURRENT_TEST", "TESTING", "pytest")
    wrong = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in sources()
        for word in words
        if word in path.read_text(encoding="utf-8") and path.name != "manage.py"
    ]
    assert not wrong


def test_services_take_keywords_only() -> None:
    """A function of one argument cannot be called wrongly; with more, each is named."""
    wrong = []
    for path in sources("services"):
        for node in tree(path).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if len(node.args.args) + len(node.args.posonlyargs) > 1 or (node.args.args and node.args.kwonlyargs):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}")
    assert not wrong
