"""compose.yaml and the Dockerfile against the code they start: every variable is read, every command is understood, and
the health checks find what they look for. What Docker itself does with them is not tried here."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import elasticsearch
import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from wagtail.models import Page

from tests.cluster.nodes import free_ports, until
from tests.rounds import first_round_only

ROOT = Path(settings.BASE_DIR)
GIVEN = {
    "SECRET_KEY": "s" * 60,
    "ALLOWED_HOSTS": "huiqi.example.gov.cn,other.example",
    "CSRF_TRUSTED_ORIGINS": "https://huiqi.example.gov.cn",
    "HUIDA_BASE_URL": "https://huiqi.example.gov.cn",
    "EMAIL_URL": "smtp+tls://user:password@mail.example:587",
    "HUIDA_PAYER_ACCOUNT": "6217000000000001",
    "POSTGRES_PASSWORD": "a-password",
}
OURS = ("prepare", "web", "worker", "beat")


def substituted(text: str, given: dict[str, str]) -> str:
    """``${NAME:?message}`` and ``${NAME:-default}``, the innermost first, as Docker Compose does; ``$$`` is ``$``."""
    pattern = re.compile(r"(?<!\$)\$\{(\w+)(?::(-|\?)([^${}]*))?\}")

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if given.get(name):
            return given[name]
        assert kind == "-", f"{name} is not set: {rest}"
        return rest or ""

    while pattern.search(text):
        text = pattern.sub(value, text)
    return text.replace("$$", "$")


def composed(**more: str) -> dict[str, Any]:
    """The file as Docker Compose reads it: parsed, then filled in, so that what is filled in stays text."""

    def filled(value: Any) -> Any:
        match value:
            case str():
                return substituted(value, GIVEN | more)
            case list():
                return [filled(member) for member in value]
            case dict():
                return {key: filled(member) for key, member in value.items()}
        return value

    loaded: dict[str, Any] = filled(yaml.safe_load((ROOT / "compose.yaml").read_text()))
    return loaded


def environment(service: str = "web", **more: str) -> dict[str, str]:
    """As the container has it: what compose says and what the image says, over what this machine needs."""
    image = dict(re.findall(r"(\b[A-Z_]+)=(\S+)", " ".join(instructions("ENV"))))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **image, **composed()["services"][service]["environment"], **more}


def instructions(name: str) -> list[str]:
    """The arguments of a Dockerfile's instructions of a kind."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(f"{name} ")]


def python(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_variable_is_one_that_the_settings_read() -> None:
    read = set()
    for path in (ROOT / "portal" / "settings").glob("*.py"):
        read.update(re.findall(r"env\.\w+\(\s*\"(\w+)\"", path.read_text()))
    for service in OURS:
        unknown = set(composed()["services"][service]["environment"]) - read
        assert not unknown, f"{service} is given what nobody reads: {unknown}"


@pytest.mark.slow
def test_production_starts_with_these_variables_and_finds_the_services_by_their_names(tmp_path: Path) -> None:
    asked = (
        "from django.conf import settings as s; d = s.DATABASES['default'];"
        "print(d['HOST'], d['PORT'], s.CELERY_BROKER_URL, s.CACHES['default']['LOCATION'], s.ELASTICSEARCH_URL,"
        " s.HUIDA_MATCHER, s.HUIDA_SEARCH, s.DEBUG, sep='\\n')"
    )
    told = python("-c", asked, HUIDA_VAR_DIR=str(tmp_path))
    assert told.returncode == 0, told.stderr
    host, port, broker, cache, elastic, matcher, search, debug = told.stdout.split()
    services = composed()["services"]
    assert {host, urlsplit(broker).hostname, urlsplit(cache).hostname, urlsplit(elastic).hostname} <= set(services)
    assert (port, urlsplit(elastic).port) == ("5432", 9200)
    assert (matcher, search, debug) == ("elasticsearch", "elasticsearch", "False")
    refused = python("-c", asked, HUIDA_VAR_DIR=str(tmp_path), SECRET_KEY="")
    assert refused.returncode == 0, "an empty value is Django's to refuse"


def test_services_elsewhere_are_named_by_their_variables() -> None:
    nodes = "https://one:9200,https://two:9200,https://three:9200"
    given = composed(ELASTICSEARCH_URL=nodes, DATABASE_URL="postgres://u:p@db.example:5432/huida")
    for service in OURS:
        there = given["services"][service]["environment"]
        assert there["ELASTICSEARCH_URL"] == nodes
        assert there["DATABASE_URL"] == "postgres://u:p@db.example:5432/huida"


@pytest.mark.parametrize("missing", sorted(GIVEN))
def test_a_variable_without_a_default_is_asked_for(missing: str) -> None:
    with pytest.raises(AssertionError, match=missing):
        composed(**{missing: ""})


def test_what_waits_for_another_waits_for_one_that_says_when_it_is_ready() -> None:
    services = composed()["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other]
            else:
                assert how["condition"] == "service_completed_successfully"
                assert services[other]["restart"] == "no"
        assert "elasticsearch" not in service.get("depends_on", {}), "the embedded engine answers while it is away"
        for mount in service.get("volumes", []):
            assert mount.split(":")[0] in composed()["volumes"]


@pytest.mark.slow
@pytest.mark.parametrize("service", ["worker", "beat"])
def test_celery_understands_its_commands(service: str, tmp_path: Path) -> None:
    command = shlex.split(composed()["services"][service]["command"])
    assert command[0] == "celery"
    told = python("-m", *command, "--help", HUIDA_VAR_DIR=str(tmp_path))
    assert told.returncode == 0, told.stderr
    refused = python("-m", *command, "--no-such-option", HUIDA_VAR_DIR=str(tmp_path))
    assert refused.returncode == 2, "options are checked"
    if service == "worker":
        ping = shlex.split(composed()["services"][service]["healthcheck"]["test"][1])
        told = python("-m", *ping, "--help", HUIDA_VAR_DIR=str(tmp_path))
        assert told.returncode == 0, told.stderr


@pytest.mark.django_db
def test_what_is_prepared_once_leaves_a_site_that_answers_and_changes_nothing_when_prepared_again(
    client: Client,
) -> None:
    commands = re.findall(r"python manage\.py (\w+)", composed()["services"]["prepare"]["command"])
    assert {"migrate", "setup_cms", "collectstatic"} == set(commands)
    for _time in range(2):
        for command in commands:
            if command != "collectstatic":
                call_command(command, verbosity=0)
        assert settings.HUIDA_DISTRICT in client.get("/").content.decode()
        assert client.get("/policies/").status_code == 200
    assert Page.objects.count() == 3, "the root, the front page and the library"


def database_in(folder: Path) -> str:
    """The test's own database, as DATABASE_URL names it: on SQLite a copy in a file."""
    wanted = connection.settings_dict
    if connection.vendor != "sqlite":
        place = f"{wanted['HOST']}:{wanted['PORT'] or 5432}/{wanted['NAME']}"
        return f"postgres://{wanted['USER']}:{wanted['PASSWORD']}@{place}"
    connection.ensure_connection()
    with closing(sqlite3.connect(folder / "huida.sqlite3")) as copy:
        connection.connection.backup(copy)
    return f"sqlite:///{folder}/huida.sqlite3"


@first_round_only
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_web_server_starts_and_its_health_check_finds_it_while_no_service_answers(tmp_path: Path) -> None:
    [command] = instructions("CMD")
    words: list[str] = yaml.safe_load(command)
    assert words[:2] == ["gunicorn", "portal.wsgi"]
    [port] = free_ports(1)
    words = [f"127.0.0.1:{port}" if word == "0.0.0.0:8000" else word for word in words]
    given = environment(
        DATABASE_URL=database_in(tmp_path),
        HUIDA_VAR_DIR=str(tmp_path),
        ELASTICSEARCH_URL="http://127.0.0.1:9",
    )
    (tmp_path / "static").mkdir()
    check = composed()["services"]["web"]["healthcheck"]["test"]
    assert check[:3] == ["CMD", "python", "-c"]
    script = check[3].replace("127.0.0.1:8000", f"127.0.0.1:{port}")

    def healthy(text: str = script) -> bool:
        ran = subprocess.run([sys.executable, "-c", text], env=given, capture_output=True, timeout=20, check=False)
        return ran.returncode == 0

    assert not healthy(), "nothing is there yet"
    with (tmp_path / "web.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=given, stdout=log, stderr=log)
    try:
        until(healthy, seconds=90, what="a healthy web server")
        assert not healthy(script.replace("https", "http")), "it is asked as the reverse proxy asks"
    finally:
        server.terminate()
        server.wait(60)  # it gives its workers 30 itself


def test_the_server_of_the_image_is_the_one_of_development_and_the_clients_generation() -> None:
    image = composed()["services"]["elasticsearch"]["image"]
    version = image.split(":")[1]
    pom = (ROOT / "deploy" / "elasticsearch-dev" / "pom.xml").read_text()
    assert f"<elasticsearch.version>{version}</elasticsearch.version>" in pom
    assert version.split(".")[0] == str(elasticsearch.__version__[0])


def test_the_image_holds_what_it_copies_and_runs_as_nobody_in_particular() -> None:
    [_, *rest] = (words.split() for words in instructions("COPY"))
    assert rest == [[".", "."]]
    assert (ROOT / "requirements.txt").is_file()
    assert re.search(r"^gunicorn==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "var", ".env"} <= set(ignored), "secrets and what this machine made stay out"
    assert instructions("USER") == ["huida"]
    [volume] = instructions("VOLUME")
    for service in OURS:
        assert f"huida:{volume}" in composed()["services"][service]["volumes"]
