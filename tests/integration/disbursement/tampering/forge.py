"""Seeded tamperings in raw SQL: what a person with the database's password would try."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from disbursement.guards import chain

# Columns that carry no money, no right and no evidence: a changed one is no tampering with what was decided or paid.
HARMLESS: dict[str, set[str]] = {
    "disbursement_application": {"updated_at"},
    # Derived for lists; the ledger and the log say what is so.
    "disbursement_ledgeraccount": set(),
}


@dataclass(frozen=True)
class Tampering:
    """What was done, as SQL, for the report of a failing seed."""

    seed: int
    mode: str
    table: str
    deed: str
    statements: list[tuple[str, list[Any]]]

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.mode}, {self.deed} {self.table}: {self.statements}"


class NothingToDo(Exception):
    """The dice chose what changes nothing."""


def tables() -> list[str]:
    with connection.cursor() as cursor:
        found = chain.linked(chain.tables_of(cursor, vendor=connection.vendor))
        names = [one.table for one in found]
        filled = []
        for name in names:
            cursor.execute(f"SELECT 1 FROM {name} LIMIT 1")
            if cursor.fetchone():
                filled.append(name)
    return filled


def model_of(table: str) -> type[models.Model]:
    return next(model for model in apps.get_models() if model._meta.db_table == table)


# Where the money is: amounts, payees, persons who signed, files, entries, the log itself.
CORE: dict[str, tuple[str, ...]] = {
    "disbursement_award": ("computed", "amount", "enterprise_id", "granted_by_id", "granted_at"),
    "disbursement_application": ("state", "revision", "enterprise_id", "approved_amount", "decided_at"),
    "disbursement_batch": (
        "state",
        "count",
        "total",
        "payer",
        "round",
        "file_sha256",
        "maker_id",
        "checker_id",
        "approver_id",
    ),
    "disbursement_batchapproval": ("round", "role", "person_id", "file_sha256", "count", "total", "signed_at"),
    "disbursement_clawback": ("amount", "due_on", "ordered_by_id", "recovered_at"),
    "disbursement_clawbackentry": ("amount", "due_on", "plan_id"),
    "disbursement_clawbackplan": ("amount", "state", "proposed_by_id", "approved_by_id", "approved_at"),
    "disbursement_clawbackreceipt": ("amount", "applied", "excess", "reference", "recorded_by_id", "received_on"),
    "disbursement_bankentry": ("reference", "use", "recorded_by_id"),
    "disbursement_cutoffday": ("day", "former", "decided_by_id"),
    "disbursement_decision": ("kind", "amount", "by_id", "at", "judgement_id"),
    "disbursement_document": ("content", "sha256", "size", "number", "issued_at"),
    "disbursement_jointreview": ("answer", "text", "by_id", "at", "department_id"),
    "disbursement_judgement": ("inputs", "result", "verdict", "as_of", "version_id"),
    "disbursement_ledgeraccount": ("balance", "kind", "budget_line_id"),
    "disbursement_ledgertransfer": ("amount", "kind", "debit_id", "credit_id", "payable_id", "attempt_id", "posted_at"),
    "disbursement_material": ("sha256", "size", "file", "uploaded_by_id"),
    "disbursement_payable": (
        "amount",
        "entitled",
        "state",
        "budget_line_id",
        "pay_month",
        "payee_name",
        "account_number",
        "enterprise_id",
        "award_id",
    ),
    "disbursement_payeeaccount": ("account_number", "account_name", "state", "checked_by_id", "proposed_by_id"),
    "disbursement_paymentattempt": ("amount", "account_number", "payee_name", "outcome", "outcome_on", "line_no"),
    "disbursement_returnfile": ("content", "sha256", "received_by_id"),
    "disbursement_returnline": ("amount", "result", "line_id", "status", "occurred_on", "attempt_id"),
    "disbursement_planchange": ("action", "source", "target", "role", "person_id", "made_at"),
    "disbursement_sealedfile": ("content", "sha256", "count", "total", "name", "sealed_at"),
    "disbursement_sitevisit": ("finding", "is_confirmed", "visited_on", "recorded_by_id", "recorded_at"),
    "disbursement_statechange": ("action", "source", "target", "role", "person_id", "made_at"),
    "disbursement_transitionlog": ("action", "source", "target", "role", "actor_id", "at"),
}


def core_tampering(seed: int) -> Tampering:
    """A change of a column where the money is, from within the platform's own session: by SQL injection."""
    dice = random.Random(seed)
    table = dice.choice(sorted(CORE))
    model = model_of(table)
    deed = dice.choices(["update", "renumber", "swap", "delete"], weights=[6, 2, 1, 1])[0]
    if deed == "delete":
        return Tampering(seed, "injected", table, deed, _delete(dice, model))
    column = dice.choice(CORE[table])
    made = {"update": _update, "renumber": _renumber, "swap": _swap}[deed]
    return Tampering(seed, "injected", table, deed, made(dice, model, column))


def tampering(seed: int, *, names: list[str], modes: tuple[str, ...]) -> Tampering:
    """The tampering that a seed stands for. Raises NothingToDo where it would change nothing."""
    dice = random.Random(seed)
    table = dice.choice(names)
    mode = dice.choice(modes)
    deeds = {
        "update": (_update, 52),
        "renumber": (_renumber, 10),
        "delete": (_delete, 12),
        "insert": (_insert, 14),
        "swap": (_swap, 10),
        "truncate": (_truncate, 2),
    }
    deed = dice.choices(list(deeds), weights=[weight for _make, weight in deeds.values()])[0]
    make, _weight = deeds[deed]
    return Tampering(seed, mode, table, deed, make(dice, model_of(table)))


def columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    harmless = HARMLESS.get(model._meta.db_table, set())
    return [f for f in model._meta.concrete_fields if not f.primary_key and f.column not in harmless]


def _update(dice: random.Random, model: type[models.Model], column: str = "") -> list[tuple[str, list[Any]]]:
    table = model._meta.db_table
    chosen = dice.choice([f for f in columns(model) if column in ("", f.column)])
    row = _row(dice, model)
    old = row[str(chosen.column)]
    new = another(dice, chosen, old)
    return [(f'UPDATE {table} SET "{chosen.column!s}" = %s WHERE id = %s', [new, row["id"]])]


def _renumber(dice: random.Random, model: type[models.Model], column: str = "") -> list[tuple[str, list[Any]]]:
    """A change that takes another id along, so that no old row answers to the new one; often the id is put back, and
    nothing is left of it but the change."""
    [(change, [new, old])] = _update(dice, model, column)
    other = old + 900_000
    renumbered = change.replace(" SET ", f" SET id = {other}, ", 1)
    back = (f"UPDATE {model._meta.db_table} SET id = %s WHERE id = %s", [old, other])
    return [(renumbered, [new, old]), *([back] if dice.random() < 0.7 else [])]


def _delete(dice: random.Random, model: type[models.Model]) -> list[tuple[str, list[Any]]]:
    return [(f"DELETE FROM {model._meta.db_table} WHERE id = %s", [_row(dice, model)["id"]])]


def _insert(dice: random.Random, model: type[models.Model]) -> list[tuple[str, list[Any]]]:
    """A forged row: a copy with some other values, its unique ones new."""
    row = _row(dice, model)
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    changed = set(dice.sample([f.attname for f in fields], k=min(len(fields), dice.randint(1, 3))))
    ends = {
        constraint.fields[-1]
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields
    }
    changed |= {f.attname for f in fields if f.unique or f.name in ends}
    values = [another(dice, f, row[f.attname]) if f.attname in changed else row[f.attname] for f in fields]
    names = ", ".join(f'"{f.column}"' for f in fields)
    marks = ", ".join("%s" for _ in fields)
    return [(f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks})", [_bound(v) for v in values])]


def _swap(dice: random.Random, model: type[models.Model], column: str = "") -> list[tuple[str, list[Any]]]:
    table = model._meta.db_table
    chosen = column or str(dice.choice(columns(model)).column)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT id, "{chosen}" FROM {table} ORDER BY id')
        rows = cursor.fetchall()
    one = dice.choice(rows)
    others = [row for row in rows if row[1] != one[1]]
    if not others:
        raise NothingToDo
    two = dice.choice(others)
    sql = f'UPDATE {table} SET "{chosen}" = %s WHERE id = %s'
    return [(sql, [_bound(two[1]), one[0]]), (sql, [_bound(one[1]), two[0]])]


def _truncate(dice: random.Random, model: type[models.Model]) -> list[tuple[str, list[Any]]]:
    if connection.vendor != "postgresql":
        return [(f"DELETE FROM {model._meta.db_table}", [])]
    return [(f"TRUNCATE {model._meta.db_table} CASCADE", [])]


def _row(dice: random.Random, model: type[models.Model]) -> dict[str, Any]:
    names = [str(f.column) for f in model._meta.concrete_fields]
    with connection.cursor() as cursor:
        quoted = ", ".join(f'"{name}"' for name in names)
        cursor.execute(f"SELECT {quoted} FROM {model._meta.db_table} ORDER BY id")
        rows = cursor.fetchall()
    return dict(zip(names, dice.choice(rows), strict=True))


def another(dice: random.Random, field: models.Field[Any, Any], old: Any) -> Any:
    """Another value that the column could well hold."""
    if field.is_relation:
        related = field.related_model
        assert related is not None
        ids = list(related._base_manager.exclude(pk=old).order_by("pk").values_list("pk", flat=True))
        if not ids:
            raise NothingToDo
        return dice.choice(ids)
    if field.choices:
        others = [value for value, _label in field.flatchoices if value not in (old, "")]
        if not others:
            raise NothingToDo
        return dice.choice(others)
    kind = field.get_internal_type()
    if kind == "DecimalField":
        return str(dice.choice([(old or 0) + 1, (old or 0) * 10 + 1, (old or 2) / 2, (old or 0) + 100_000]))[:16]
    if "Integer" in kind:
        return (old or 0) + dice.choice([1, 2, 7])
    if kind == "DateTimeField":
        return f"2026-0{dice.randint(1, 9)}-1{dice.randint(0, 9)} 11:00:0{dice.randint(0, 9)}+00"
    if kind == "DateField":
        return (
            f"2026-0{dice.randint(1, 9)}-01"
            if "month" in str(field.column)
            else f"2026-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}"
        )
    if "Boolean" in kind:
        return not old
    if kind == "BinaryField":
        return (bytes(old or b"") or b"x") + b"\n"
    if kind == "JSONField":
        return f'{{"forged": "{dice.randint(1, 9)}"}}'
    text = str(old or "")
    if "account_number" in str(field.column):
        return f"6222{dice.randint(10**11, 10**12 - 1)}"
    if "sha256" in str(field.column) or str(field.column) in ("digest", "mac"):
        return f"{dice.getrandbits(256):064x}"
    if str(field.column) == "number" and text[:4].isdigit() and "-" in text:
        return f"2026-{dice.randint(900_000, 999_999)}"
    return (text[: (field.max_length or 200) - 3] + dice.choice(["甲", "乙", "9"])) or "丙"


def _bound(value: Any) -> Any:
    import json
    from decimal import Decimal

    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, Decimal) and connection.vendor != "postgresql" else value


@contextmanager
def as_stranger(mode: str) -> Iterator[None]:
    """How the tampering is done: past the platform's session, and past the triggers too where the mode says so."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT current_setting('huida.secret', true), current_setting('huida.session', true)")
            [own] = cursor.fetchall()
            if mode != "injected":
                cursor.execute("SELECT set_config('huida.secret', '', true), set_config('huida.session', '', true)")
            if mode in ("lifted", "rewritten"):
                cursor.execute("SET LOCAL session_replication_role = replica")
        elif mode != "injected":
            session = connection.connection
            session.create_function("huida_mac", 8, lambda *parts: "")
            session.create_function("huida_session", 0, lambda: "")
    try:
        yield
    finally:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                if not connection.needs_rollback and mode in ("lifted", "rewritten"):
                    cursor.execute("SET LOCAL session_replication_role = origin")
                if not connection.needs_rollback:
                    cursor.execute(
                        "SELECT set_config('huida.secret', %s, true), set_config('huida.session', %s, true)", own
                    )
        elif mode != "injected":
            from disbursement.audit import signing

            signing.open_session(sender=None, connection=connection)


def carry_out(done: Tampering) -> None:
    """Do it. In the mode “rewritten” the links of the rows are written anew, as well as somebody can who has no key."""
    with as_stranger(done.mode), connection.cursor() as cursor:
        for sql, values in done.statements:
            cursor.execute(sql, values)
        if done.mode == "rewritten":
            _rewrite(cursor, done.table)


def _rewrite(cursor: Any, table: str) -> None:
    found = next(one for one in chain.linked(chain.tables_of(cursor, vendor=connection.vendor)) if one.table == table)
    kind = "row" if found.whole else "insert"
    text = chain.content(found.columns, vendor=connection.vendor)
    cursor.execute("DELETE FROM disbursement_chainlink WHERE stream = %s", [table])
    cursor.execute(
        "INSERT INTO disbursement_chainlink"
        " (stream, kind, shape, ids, count, digest, session, mac, written_by, written_at)"
        f" SELECT %s, %s, %s, '{{[' || id || ',' || (id + 1) || ')}}', 1,"
        f" encode(sha256(convert_to({text}, 'UTF8')), 'hex'), md5(id::text), encode(sha256(id::text::bytea), 'hex'),"
        f" session_user, clock_timestamp() FROM {table}",
        [table, kind, found.key],
    )
