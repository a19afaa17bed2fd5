"""Every trigger as it must stand in the database: what `install` creates, and what an audit compares with.

PostgreSQL: conditions that ask other tables about rows written by the hundred thousand are put to a statement's rows
at once (`BULK`), the others to each row. SQLite knows only the latter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from disbursement.guards import chain
from disbursement.guards.money import APPEND_ONLY, NEVER_DELETED, Guard, elsewhere, guards

Tables = Mapping[str, Mapping[str, str]]
_BULK = (*chain.BULK, "disbursement_ledgertransfer", "disbursement_statechange")
_COLUMN = re.compile(r'\b(?:OLD|NEW)\."?(\w+)"?')
_TABLE = re.compile(r"\b(?:FROM|JOIN) (\w+)")
_CODE = "USING ERRCODE = 'integrity_constraint_violation'"


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger. PostgreSQL: `body` is that of the function it calls; SQLite: `body` is the whole statement."""

    name: str
    table: str
    timing: str
    event: str
    level: str
    function: str
    body: str
    transitions: str = ""

    @property
    def create(self) -> str:
        referencing = f" REFERENCING {self.transitions}" if self.transitions else ""
        return (
            f"CREATE OR REPLACE TRIGGER {self.name} {self.timing} {self.event} ON {self.table}{referencing}"
            f" FOR EACH {self.level} EXECUTE FUNCTION {self.function}()"
        )

    @property
    def create_function(self) -> str:
        return f"CREATE OR REPLACE FUNCTION {self.function}() RETURNS trigger LANGUAGE plpgsql AS $${self.body}$$"


def triggers(tables: Tables, *, vendor: str) -> Iterator[Trigger]:
    """Those of the tables that are there (name → columns with their types)."""
    made = _postgresql(tables) if vendor == "postgresql" else _sqlite(tables)
    for trigger in made:
        if trigger.table in tables:
            yield trigger


def _standing(tables: Tables) -> Iterator[Guard]:
    """The guards whose columns and tables are there: an earlier migration installs none of what a later one adds."""
    for guard in guards():
        columns, asked = set(_COLUMN.findall(guard.condition)), set(_TABLE.findall(guard.condition))
        if guard.table in tables and columns <= tables[guard.table].keys() and asked <= tables.keys():
            yield guard


def helpers(tables: Tables) -> dict[str, str]:
    """PostgreSQL: functions that triggers call, name → statement that makes them."""
    if "disbursement_chainlink" not in tables:
        return {}
    return {
        "disbursement_link": (
            "CREATE OR REPLACE FUNCTION disbursement_link(v_stream text, v_kind text, v_shape text, v_ids text,"
            f" v_count bigint, v_digest text) RETURNS void LANGUAGE plpgsql AS $${LINK_BODY}$$"
        )
    }


LINK_BODY = (
    " DECLARE v_at timestamptz := clock_timestamp();"
    " v_session text := coalesce(current_setting('huida.session', true), '');"
    " v_secret text := coalesce(current_setting('huida.secret', true), ''); v_mac text := ''; BEGIN"
    " IF v_secret <> '' THEN v_mac := encode(sha256(convert_to(v_secret || encode(sha256(convert_to(concat_ws('|',"
    " v_stream, v_kind, v_shape, v_ids, v_count::text, v_digest, session_user::text,"
    " ((EXTRACT(EPOCH FROM v_at) * 1000000)::bigint)::text), 'UTF8')), 'hex'), 'UTF8')), 'hex'); END IF;"
    " INSERT INTO disbursement_chainlink"
    " (stream, kind, shape, ids, count, digest, session, mac, written_by, written_at)"
    " VALUES (v_stream, v_kind, v_shape, v_ids, v_count, v_digest, CASE WHEN v_mac = '' THEN '' ELSE v_session END,"
    " v_mac, session_user, v_at); END "
)


def _postgresql(tables: Tables) -> Iterator[Trigger]:
    for guard in _standing(tables):
        yield _checked(guard)
    for table in (*APPEND_ONLY, *NEVER_DELETED, *elsewhere()):
        body = f" BEGIN RAISE EXCEPTION {_CODE}, MESSAGE = TG_TABLE_NAME || ' is never deleted from'; END "
        for event, level in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            # Row triggers do not see a TRUNCATE.
            name = f"{table}_no_{event.lower()}"
            yield Trigger(name, table, "BEFORE", event, level, "disbursement_refuse_delete", body)
    # Once a statement, not once a row: a batch of a hundred thousand lines touches each balance a single time.
    # Named to come after the guards of the transfers.
    yield Trigger(
        "disbursement_transfer_z_balances",
        "disbursement_ledgertransfer",
        "AFTER",
        "INSERT",
        "STATEMENT",
        "disbursement_keep_balances",
        (
            " BEGIN UPDATE disbursement_ledgeraccount a SET balance = a.balance + moved.amount FROM ("
            " SELECT account, SUM(amount) AS amount FROM ("
            " SELECT debit_id AS account, -amount AS amount FROM new_rows"
            " UNION ALL SELECT credit_id, amount FROM new_rows) each_side GROUP BY account) moved"
            " WHERE a.id = moved.account; RETURN NULL; END "
        ),
        "NEW TABLE AS new_rows",
    )
    yield Trigger(
        "disbursement_balance_follows",
        "disbursement_ledgeraccount",
        "BEFORE",
        "UPDATE",
        "ROW",
        "disbursement_refuse_balance",
        (
            " BEGIN IF OLD.balance IS DISTINCT FROM NEW.balance AND pg_trigger_depth() = 1 THEN"
            f" RAISE EXCEPTION 'balances follow from transfers' {_CODE}; END IF; RETURN NEW; END "
        ),
    )
    if "disbursement_chainlink" in tables:
        for found in chain.linked(tables):
            yield from _links(found)


def _checked(guard: Guard) -> Trigger:
    condition = guard.condition.replace("DIFFERS", "IS DISTINCT FROM")
    function = f"{guard.name}_check"
    if guard.table not in _BULK or "SELECT" not in condition:
        body = f" BEGIN IF {condition} THEN RAISE EXCEPTION '{guard.message}' {_CODE}; END IF; RETURN NEW; END "
        return Trigger(guard.name, guard.table, "BEFORE", guard.event, "ROW", function, body)
    asked = condition.replace("NEW.", "n.").replace("OLD.", "o.").replace("'", "''")
    source = "new_rows n" if guard.event == "INSERT" else "new_rows n JOIN old_rows o ON o.id = n.id"
    transitions = "NEW TABLE AS new_rows" if guard.event == "INSERT" else "OLD TABLE AS old_rows NEW TABLE AS new_rows"
    # Planned anew for each statement: a plan made for one row would be kept for a hundred thousand. Counted, not asked
    # whether there is one: for the sake of a first row the planner would compare each new row with each old one.
    body = (
        " DECLARE is_wrong boolean; BEGIN EXECUTE"
        f" 'SELECT count(*) > 0 FROM {source} WHERE {asked}' INTO is_wrong;"
        f" IF is_wrong THEN RAISE EXCEPTION '{guard.message}' {_CODE}; END IF; RETURN NULL; END "
    )
    return Trigger(guard.name, guard.table, "AFTER", guard.event, "STATEMENT", function, body, transitions)


def _links(found: chain.Linked) -> Iterator[Trigger]:
    table = found.table
    stem = f"{table}_link"
    if found.whole:
        body = _row_link(found)
        for event in ("INSERT", "UPDATE"):
            yield Trigger(f"{stem}_{event.lower()}", table, "AFTER", event, "ROW", stem, body)
        return
    ranges = "range_agg(int8range(id, id, '[]'))::text"
    text = chain.content(found.columns, vendor="postgresql")
    body = (
        f" BEGIN PERFORM disbursement_link('{table}', 'insert', '{found.key}', {ranges}, count(*),"
        f" encode(sha256(convert_to(string_agg({text}, E'\\n' ORDER BY id), 'UTF8')), 'hex'))"
        " FROM new_rows HAVING count(*) > 0; RETURN NULL; END "
    )
    yield Trigger(
        f"{stem}_insert", table, "AFTER", "INSERT", "STATEMENT", f"{stem}_insert", body, "NEW TABLE AS new_rows"
    )
    if found.answered:
        body = _row_link(found.as_answered())
        yield Trigger(f"{stem}_update", table, "AFTER", "UPDATE", "ROW", f"{stem}_update", body)
    elif found.bulk:
        body = (
            f" BEGIN PERFORM disbursement_link('{table}', 'update', '', {ranges}, count(*), '')"
            " FROM new_rows HAVING count(*) > 0; RETURN NULL; END "
        )
        yield Trigger(
            f"{stem}_update", table, "AFTER", "UPDATE", "STATEMENT", f"{stem}_update", body, "NEW TABLE AS new_rows"
        )


def _row_link(found: chain.Linked) -> str:
    text = chain.content(found.columns, vendor="postgresql", row="NEW.")
    digest = f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"
    return (
        f" BEGIN PERFORM disbursement_link('{found.table}', 'row', '{found.key}',"
        f" '{{[' || NEW.id || ',' || NEW.id + 1 || ')}}', 1, {digest}); RETURN NULL; END "
    )


def _sqlite(tables: Tables) -> Iterator[Trigger]:
    for guard in _standing(tables):
        condition = guard.condition.replace("DIFFERS", "IS NOT")
        statement = (
            f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{guard.message}'); END"
        )
        yield Trigger(guard.name, guard.table, "BEFORE", guard.event, "ROW", "", statement)
    # SQLite keeps decimals as binary doubles; rounding to the cent after each step keeps them the very
    # doubles that the decimal texts convert to, so that comparisons stay exact up to fifteen digits.
    yield Trigger(
        "disbursement_transfer_z_balances",
        "disbursement_ledgertransfer",
        "AFTER",
        "INSERT",
        "ROW",
        "",
        (
            "CREATE TRIGGER disbursement_transfer_z_balances AFTER INSERT ON disbursement_ledgertransfer BEGIN"
            " UPDATE disbursement_ledgeraccount SET balance = ROUND(balance - NEW.amount, 2) WHERE id = NEW.debit_id;"
            " UPDATE disbursement_ledgeraccount SET balance = ROUND(balance + NEW.amount, 2) WHERE id = NEW.credit_id;"
            " END"
        ),
    )
    if "disbursement_chainlink" in tables:
        for found in chain.linked(tables):
            for event in ("INSERT", "UPDATE") if found.whole or found.bulk else ("INSERT",):
                yield _sqlite_link(found, event)


def _sqlite_link(found: chain.Linked, event: str) -> Trigger:
    table, name = found.table, f"{found.table}_link_{event.lower()}"
    if found.answered and event == "UPDATE":
        found = found.as_answered()
    kind = "row" if found.whole else event.lower()
    ids = "'{[' || NEW.id || ',' || (NEW.id + 1) || ')}'"
    shape, digest = f"'{found.key}'", f"huida_sha256({chain.content(found.columns, vendor='sqlite', row='NEW.')})"
    if kind == "update":
        shape = digest = "''"
    at = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    parts = f"'{table}', '{kind}', {shape}, {ids}, 1, {digest}, 'sqlite', {at}"
    statement = (
        f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN INSERT INTO disbursement_chainlink"
        " (stream, kind, shape, ids, count, digest, written_by, written_at, session, mac)"
        # Two changes of one row within a statement are told once: they would be the same link.
        f" SELECT {parts}, huida_session(), huida_mac({parts}) WHERE TRUE ON CONFLICT DO NOTHING; END"
    )
    return Trigger(name, table, "AFTER", event, "ROW", "", statement)
