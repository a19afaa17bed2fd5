"""The judged corpus: items of many topics in the words of departments, beside those of the demo district."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from portal.demo.policies import import_lines
from portal.demo.policies.build import Data, item, local

HERE = Path(__file__).parent
AS_OF = date(2026, 11, 22)


def topics() -> dict[str, list[str]]:
    """The codes of each topic's items, in the order of the file."""
    found: dict[str, list[str]] = {}
    for topic, _, _, _ in _read():
        found.setdefault(topic[0], []).append(f"{topic[0]}-{len(found.get(topic[0], [])) + 1}")
    return found


def lines() -> list[bytes]:
    """The corpus as an import file: departments, budget lines, documents, items and readings."""
    places: dict[str, int] = {}
    made: list[Data] = []
    for topic, title, summary, condition in _read():
        key, kind, department = topic
        places[key] = places.get(key, 0) + 1
        made.append(_item(f"{key}-{places[key]}", kind, department, title, summary, condition))
    told: list[dict[str, Any]] = [*import_lines(AS_OF)]
    # Items stand before the readings that are about them.
    readings = [line for line in told if line["kind"] == "reading"]
    others = [line for line in told if line["kind"] != "reading"]
    return [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in (*others, *made, *readings)]


TUNED, HELD_OUT = "judgements.txt", "heldout.txt"


def judgements(name: str = TUNED) -> dict[str, dict[str, int]]:
    """For each query the grades (1–3) of item codes. A later, narrower name replaces an earlier, wider one.

    `TUNED` are the queries by which the engines were made, `HELD_OUT` those that were written and judged without them.
    """
    by_topic = topics()
    judged: dict[str, dict[str, int]] = {}
    for line in _lines(name):
        query, _, grades = line.partition("|")
        named = [entry.rpartition("=") for entry in grades.split()]
        # Topics first, so that an item named by itself keeps its own grade.
        named.sort(key=lambda entry: entry[0] not in by_topic)
        told: dict[str, int] = {}
        for name, _, grade in named:
            for code in by_topic.get(name, [name]):
                told[code] = int(grade)
        assert query.strip() not in judged, query
        judged[query.strip()] = told
    return judged


def _item(code: str, kind: str, department: str, title: str, summary: str, condition: str) -> Data:
    # A boolean fact carries the condition's words: what it asks for does not matter to search.
    criteria = {"all": [local(), {"fact": "has_own_accounts", "is": True, "text": condition}]}
    return item(
        AS_OF,
        code,
        title,
        kind=kind,
        department=department,
        clause=("10", "第一条"),
        audience=f"{condition}的企业",
        summary=summary,
        criteria=criteria,
        award={"rules": [{"fixed": "100000"}]},
        materials=(),
    )


def _read() -> Iterator[tuple[tuple[str, str, str], str, str, str]]:
    topic: tuple[str, str, str] | None = None
    for line in _lines("corpus.txt"):
        parts = [part.strip() for part in line.removeprefix("=").split("|")]
        if line.startswith("="):
            topic = (parts[0], parts[1], parts[2])
        else:
            assert topic is not None
            yield topic, parts[0], parts[1], parts[2]


def _lines(name: str) -> list[str]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
