"""Every address, for every role, with any id: never an error of ours, and nothing of another enterprise.

A door is tried first with an id that nobody has: who is sent away there was sent away before any id was looked at, and
every fourth day one more id shows that the door stays shut. Who is let in asks for every third id on SQLite, for every
eighteenth on PostgreSQL; the others fall to the next roles, and on the next days to the same one. `make every-address`
asks for all of it at once, every id at shut doors, too; EVERY_ADDRESS_DAY repeats a day.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from disbursement import models as d
from disbursement.models import Application, Batch, Document, Material, Payable
from matching.registry.models import BudgetLine, Department
from portal.accounts.models import Membership, RoleAssignment, StaffRole
from portal.inbox.models import Notification
from tests.integration.portal.conftest import World

ROOMS = ("accounts", "enterprise", "desk", "inbox", "verify", "publicity")
HUGE = 10**18 - 1
LOGGING_OUT = {"accounts:logout"}
IS_WHOLE = os.environ.get("EVERY_ADDRESS") == "whole"
DAY = int(os.environ.get("EVERY_ADDRESS_DAY") or datetime.now(UTC).toordinal())
REPEAT = f"EVERY_ADDRESS_DAY={DAY}"
EACH = 3 if connection.vendor == "sqlite" else 18
Ask = Callable[[str], HttpResponseBase]


@dataclass(frozen=True)
class Door:
    """One named address: with arguments that exist, and with such as nobody has."""

    name: str
    arguments: tuple[str, ...]
    known: tuple[str, ...]
    strange: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.known, *self.strange)

    @property
    def room(self) -> str:
        return self.name.partition(":")[0]


def patterns(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[tuple[str, URLPattern, str]]:
    """(name with its room, pattern, route) of all that is ours."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            room = entry.namespace or space
            if not space and room not in ROOMS:
                continue
            yield from patterns(entry, prefix + str(entry.pattern), room)
        elif space or entry.name in ("home-for-role", "healthz"):
            yield f"{space}:{entry.name}" if space else str(entry.name), entry, prefix + str(entry.pattern)


def ids_of(world: World) -> dict[str, list[Any]]:
    """For each argument, values that exist, ours and theirs among them."""

    def few(model: Any, number: int = 2) -> list[int]:
        found = list(model.objects.order_by("pk").values_list("pk", flat=True))
        return [*found[:number], *found[-1:]]

    applications = [
        world.cases[name].id
        for name in (
            "submitted",
            "accepted",
            "draft-ours",
            "draft-theirs",
            "correction-ours",
            "publicity",
            "closed",
            "answered",
        )
    ]
    applications += list(Payable.objects.values_list("application_id", flat=True))[:2]
    return {
        "application_id": applications,
        "material_id": few(Material),
        "document_id": few(Document),
        "evidence_id": few(d.Evidence),
        "version_id": few(d.EvidenceVersion),
        "flag_id": few(d.MaterialFlag, 1),
        "payable_id": few(Payable),
        "attempt_id": few(d.PaymentAttempt),
        "membership_id": few(Membership),
        "objection_id": few(d.Objection),
        "offer_id": few(d.Offer),
        "publicity_id": few(d.Publicity),
        "rectification_id": few(d.Rectification),
        "declaration_id": few(d.InterestDeclaration),
        "clawback_id": few(d.Clawback),
        "cycle_id": few(d.Cycle),
        "batch_id": few(Batch),
        "account_id": few(d.PayeeAccount),
        "file_id": few(d.ReturnFile),
        "gateway_id": [*few(d.Gateway), 1],
        "line_id": [*few(d.ReturnLine, 1), *few(BudgetLine, 1)],
        "department_id": few(Department),
        "year_id": few(d.CalendarYear),
        "day_id": few(d.SpecialDay, 1),
        "user_id": [world.users["ours"].pk, world.users["reviewer"].pk],
        "assignment_id": few(RoleAssignment, 1),
        "code": [world.cases["submitted"].version.item.code],
        "key": ["revenue", "registered_region", "credit_records", "qualifications"],
        "deed": [
            *("accept", "approve", "publicise", "uphold", "start", "refuse", "reject", "make", "verify", "seal"),
            *("hold", "release", "refund", "claw-back", "recover", "reconcile", "dissolve", "back", "recommend"),
            *("record", "propose", "default", "set-off"),
        ],
        "number": ["SL-2026-000001", *Document.objects.values_list("number", flat=True)[:1]],
        "uidb64": ["MQ", "%00"],
        "token": ["set", "abc-def"],
        "notification_id": few(Notification),
        "mute_id": [1],
    }


STRANGE: dict[str, list[Any]] = {
    "code": ["no-such-item"],
    "key": ["no_such_fact", "x" * 200],
    "deed": ["no-such-deed"],
    "number": ["nothing", "SL-9999-999999"],
    "uidb64": ["!!!"],
    "token": ["x"],
}


def doors(world: World) -> list[Door]:
    known = ids_of(world)
    found = []
    for name, pattern, route in patterns(get_resolver()):
        arguments = list(pattern.pattern.converters)
        if name in LOGGING_OUT:
            continue
        if not arguments:
            found.append(Door(name, (), (f"/{route}",), ()))
            continue
        values = [known.get(argument, [1]) or [1] for argument in arguments]
        nobodys = [STRANGE.get(argument, [HUGE, 0]) for argument in arguments]
        found.append(
            Door(
                name,
                tuple(arguments),
                tuple(_filled(route, arguments, values, index) for index in range(max(map(len, values)))),
                tuple(_filled(route, arguments, nobodys, index) for index in (0, 1)),
            )
        )
    return found


def _filled(route: str, arguments: list[str], values: list[list[Any]], index: int) -> str:
    for argument, options in zip(arguments, values, strict=True):
        kind = next(part for part in route.split("<")[1:] if part.split(">")[0].endswith(argument))
        route = route.replace(f"<{kind.split('>')[0]}>", str(options[index % len(options)]), 1)
    return f"/{route}"


def addresses(world: World) -> list[tuple[str, str]]:
    return [(door.name, path) for door in doors(world) for path in door.all]


def is_shut(response: HttpResponseBase) -> bool:
    """Whether somebody was sent away: forbidden, told another method, or sent to sign in or choose an enterprise."""
    elsewhere = response.headers.get("Location", "")
    return response.status_code in (403, 405) or elsewhere.startswith(("/accounts/login/", "/accounts/choose/"))


def visit(door: Door, ask: Ask, turn: int) -> Iterator[tuple[str, HttpResponseBase, bool]]:
    """Each address asked for on a role's turn, its answer, and whether it was let in where the door is shut."""
    if not door.strange:
        yield door.known[0], ask(door.known[0]), False
        return
    first, *others = door.strange
    answer = ask(first)
    yield first, answer, False
    shut = is_shut(answer)
    known = door.known
    if not IS_WHOLE:
        drawn = (turn + len(door.name)) % (4 * len(known))
        known = known[turn % EACH :: EACH] if not shut else known[drawn : drawn + 1]
        others = others if not shut and turn % EACH == 1 else []
    for path in (*known, *others):
        answer = ask(path)
        yield path, answer, shut and not is_shut(answer)


ROLES = ["", "ours", "agent", "nobody", "several", "elsewhere", *[role.value for role in StaffRole]]


NONSENSE = {
    **dict.fromkeys(
        (
            *("reason", "text", "summary", "remedy", "note", "reply", "grounds", "question", "other", "answer", "name"),
            *("contact", "comment", "username", "full_name", "credit_code", "account_name", "bank_name", "code", "q"),
        ),
        "\0<script>alert('字')</script>" + "长" * 3000,
    ),
    **dict.fromkeys(("days", "level", "enterprise", "year", "ceiling", "account_number", "department"), "9" * 400),
    **dict.fromkeys(("first", "last", "valid_on", "due_on", "received_on", "gap-invoice"), "9999-99-99"),
    **dict.fromkeys(("fact-invoice_total", "fact-revenue_2025", "fact-revenue"), "1e400"),
    "gap-\0": "2026-04-01",
    "fact-qualifications-0-code": "\0",
    "seen_sha256": "0" * 64,
    "file_format": "none",
    "role": "emperor",
    "accept": "maybe",
    "sustained": "\0",
    "material.invoice": "1",
    "leaf.here.problem": "\0",
    "supply": "1",
    "next": "javascript:alert(1)",
}


@pytest.mark.slow
@pytest.mark.django_db
def test_nonsense_in_every_field_is_refused_not_stumbled_over(world: World) -> None:
    rooms = {
        "enterprise": ["ours"],
        "accounts": ["ours"],
        "inbox": ["ours"],
        "verify": [""],
        "publicity": [""],
        "desk": ["acceptor", "reviewer", "second_reviewer", "finance_maker", "finance_checker", "administrator"],
    }
    query = {"q": "\0%", "page": "9" * 50, "show": "\0", "kind": "\0", "item": "\0"}
    failures = []
    for door in doors(world):
        for turn, role in enumerate(rooms.get(door.room, []), DAY):
            client = world.clients[role]

            def send(
                path: str, client: Client = client, *, is_deed: bool = "deed" in door.arguments
            ) -> HttpResponseBase:
                deed = path.rstrip("/").rpartition("/")[2]
                upload = SimpleUploadedFile("../../\u202e.pdf", b"%PDF-\0" + b"x" * 2000)
                prefixed = {f"{deed}-{name}": text for name, text in NONSENSE.items()} if is_deed else {}
                return client.post(path, NONSENSE | prefixed | {"file": upload})

            for path, answer, _let_in in visit(door, send, turn):
                answers = (
                    [answer] if is_shut(answer) and answer.status_code != 405 else [answer, client.get(path, query)]
                )
                failures += [(role, path, each.status_code) for each in answers if each.status_code >= 500]
    assert failures == [], REPEAT


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_fails_for_any_role_with_any_id(world: World, method: str) -> None:
    failures = []
    listed = doors(world)
    assert len({door.name for door in listed}) > 70
    for turn, role in enumerate(ROLES, DAY):
        ask = getattr(world.clients[role], method)
        for door in listed:
            for path, answer, let_in in visit(door, ask, turn):
                if answer.status_code >= 500 or let_in:
                    failures.append((role, method, door.name, path, answer.status_code))
    assert failures == [], REPEAT


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["-1", "0", str(10**18), "9" * 400, "1e3", "%00", "１"])
def test_an_id_that_cannot_be_is_simply_not_found(world: World, path: str) -> None:
    assert world.clients["ours"].get(f"/enterprise/applications/{path}/").status_code == 404
    assert world.clients["reviewer"].get(f"/desk/applications/{path}/").status_code == 404
    assert world.clients["finance_maker"].get(f"/desk/batches/{path}/").status_code == 404


@pytest.mark.django_db
def test_no_enterprise_page_shows_or_changes_anything_of_another_enterprise(world: World) -> None:
    theirs = set(Application.objects.filter(enterprise=world.theirs).values_list("pk", flat=True))
    before = {pk: str(Application.objects.filter(pk=pk).values().get()) for pk in theirs}
    payables = Payable.objects.filter(enterprise=world.theirs).values_list("pk", flat=True)
    materials = Material.objects.filter(application__in=theirs).values_list("pk", flat=True)
    documents = Document.objects.filter(application__in=theirs).values_list("pk", flat=True)
    certificates = d.Evidence.objects.filter(enterprise=world.theirs).values_list("pk", flat=True)
    versions = d.EvidenceVersion.objects.filter(evidence__in=certificates).values_list("pk", flat=True)
    assert len(versions) == 2
    assert theirs
    assert payables
    assert materials
    paths = []
    for name, pattern, route in patterns(get_resolver()):
        if not name.startswith("enterprise:"):
            continue
        converters = list(pattern.pattern.converters)
        subjects = {
            "application_id": theirs,
            "payable_id": payables,
            "material_id": materials,
            "document_id": documents,
            "evidence_id": certificates,
            "version_id": versions,
        }
        subject = next((argument for argument in converters if argument in subjects), None)
        if subject is None:
            continue
        for pk in subjects[subject]:
            path = route.replace(f"<pk:{subject}>", str(pk))
            for other in converters:
                path = path.replace(f"<pk:{other}>", str(next(iter(materials))))
            paths.append(f"/{path}")
    assert len(paths) > 20
    for role in ("ours", "agent"):
        for path in paths:
            for method in ("get", "post"):
                response = getattr(world.clients[role], method)(path)
                assert response.status_code in (403, 404, 405), (role, method, path, response.status_code)
    assert {pk: str(Application.objects.filter(pk=pk).values().get()) for pk in theirs} == before


@pytest.mark.django_db
def test_the_name_of_another_enterprise_stands_on_no_page_of_ours(world: World) -> None:
    for name, path in addresses(world):
        if not name.startswith(("enterprise:", "inbox:", "accounts:")):
            continue
        response = world.clients["ours"].get(path, follow=True)
        assert world.theirs.name not in response.getvalue().decode(errors="replace"), path


@pytest.mark.django_db
def test_desk_pages_are_closed_to_enterprises_and_enterprise_pages_to_officials(world: World) -> None:
    away: dict[str, dict[str, tuple[int, ...]]] = {
        "desk": {"ours": (403, 404, 405), "nobody": (403, 404, 405), "": (302,)},
        "enterprise": dict.fromkeys(("reviewer", "finance_maker", "administrator", "nobody"), (403, 405)),
    }
    for door in doors(world):
        for turn, (role, statuses) in enumerate(away.get(door.room, {}).items(), DAY):
            for path, answer, _let_in in visit(door, world.clients[role].get, turn):
                assert answer.status_code in statuses, (role, path, REPEAT)


@pytest.mark.django_db
def test_a_reviewer_of_another_department_finds_no_application_but_what_theirs_was_asked_about(world: World) -> None:
    for name, case in world.cases.items():
        found = world.clients["elsewhere"].get(f"/desk/applications/{case.id}/").status_code
        assert found == (200 if name == "answered" else 404), name


@pytest.mark.django_db
def test_finance_sees_no_budget_it_may_not_change(world: World) -> None:
    assert world.clients["finance_maker"].get("/desk/budget/").status_code == 200
    assert world.clients["finance_maker"].get("/desk/budget/new/").status_code == 403
