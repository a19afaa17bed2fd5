"""Whether the database still refuses what it must: every trigger and constraint there, in force, and unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection

from disbursement.audit.findings import Finding
from disbursement.guards import chain
from disbursement.guards.triggers import LINK_BODY, Trigger, triggers

_REMEDY = "请查明是谁改动了数据库结构，再运行 manage.py audit --repair-guards 恢复，并对其间写入的数据逐笔核对。"
_LEVEL_ROW, _BEFORE = 1, 2
_EVENTS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}


def check_structure(*, counts: dict[str, int]) -> Iterator[Finding]:
    """Compare the triggers with what this version of the platform installs, and see that each constraint stands."""
    with connection.cursor() as cursor:
        tables = chain.tables_of(cursor, vendor=connection.vendor)
        wanted = list(triggers(tables, vendor=connection.vendor))
        counts["guards"] = len(wanted)
        check = _postgresql if connection.vendor == "postgresql" else _sqlite
        for name, problem in check(cursor, wanted):
            yield Finding("guards", f"触发器 {name}", problem, _REMEDY)
        if connection.vendor == "postgresql":
            yield from _constraints(cursor)


def _postgresql(cursor: Any, wanted: list[Trigger]) -> Iterator[tuple[str, str]]:
    cursor.execute(
        "SELECT t.tgname, c.relname, t.tgenabled, t.tgtype, p.proname, p.prosrc, t.tgqual IS NOT NULL,"
        " coalesce(t.tgoldtable, ''), coalesce(t.tgnewtable, '') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
        " AND c.relnamespace = current_schema()::regnamespace"
    )
    there = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    for trigger in wanted:
        found = there.pop((trigger.name, trigger.table), None)
        if found is None:
            yield trigger.name, f"表 {trigger.table} 的防护触发器不见了。"
            continue
        enabled, kind, function, body, is_limited, old, new = found
        expected = _EVENTS[trigger.event]
        expected += _LEVEL_ROW * (trigger.level == "ROW") + _BEFORE * (trigger.timing == "BEFORE")
        if enabled != "O":
            yield trigger.name, f"表 {trigger.table} 的防护触发器被停用。"
        transitions = " ".join(f"{side} TABLE AS {name}" for side, name in (("OLD", old), ("NEW", new)) if name)
        there_now = (kind, function, is_limited, body, transitions)
        if there_now != (expected, trigger.function, False, trigger.body, trigger.transitions):
            yield trigger.name, f"表 {trigger.table} 的防护触发器被改动，与本版本应有的内容不符。"
    ours = {trigger.table for trigger in wanted}
    for (name, table), _row in sorted(there.items()):
        if table in ours:
            yield name, f"表 {table} 上有本平台没有的触发器。"
    cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'disbursement_link'")
    if [row[0] for row in cursor.fetchall()] != [LINK_BODY]:
        yield "disbursement_link", "写入存证的函数不见了或被改动。"
    cursor.execute("SHOW session_replication_role")
    if cursor.fetchone()[0] != "origin":
        yield "session_replication_role", "本会话停用了触发器。"
    cursor.execute(
        "SELECT coalesce(r.rolname, '*'), array_to_string(s.setconfig, ', ') FROM pg_db_role_setting s"
        " LEFT JOIN pg_roles r ON r.oid = s.setrole"
        " WHERE array_to_string(s.setconfig, ',') LIKE '%session_replication_role%'"
    )
    for role, text in cursor.fetchall():
        yield f"数据库用户 {role}", f"被设为默认停用触发器（{text}）。"


def _constraints(cursor: Any) -> Iterator[Finding]:
    cursor.execute(
        "SELECT conname, convalidated FROM pg_constraint WHERE connamespace = current_schema()::regnamespace"
        " UNION ALL SELECT c.relname, i.indisvalid AND i.indisunique FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relnamespace = current_schema()::regnamespace"
    )
    there: dict[str, bool] = {}
    for name, is_valid in cursor.fetchall():
        there[name] = there.get(name, False) or bool(is_valid)
    for model in apps.get_app_config("disbursement").get_models():
        for constraint in model._meta.constraints:
            if not there.get(constraint.name, False):
                problem = f"表 {model._meta.db_table} 的约束不见了或没有生效。"
                yield Finding(
                    "guards", f"约束 {constraint.name}", problem, "请查明是谁改动了数据库结构，并按迁移文件恢复该约束。"
                )


def _sqlite(cursor: Any, wanted: list[Trigger]) -> Iterator[tuple[str, str]]:
    cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
    there = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    for trigger in wanted:
        found = there.pop(trigger.name, None)
        if found is None:
            yield trigger.name, f"表 {trigger.table} 的防护触发器不见了。"
        elif found != (trigger.table, trigger.body):
            yield trigger.name, f"表 {trigger.table} 的防护触发器被改动，与本版本应有的内容不符。"
    ours = {trigger.table for trigger in wanted}
    for name, (table, _sql) in sorted(there.items()):
        if table in ours:
            yield name, f"表 {table} 上有本平台没有的触发器。"
