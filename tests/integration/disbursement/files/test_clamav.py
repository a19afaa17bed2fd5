"""A real clamd: what is infected is refused, what came in while it was away is scanned afterwards, and nothing is taken
unscanned without saying so."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from disbursement.domain.errors import Denied, Invalid
from disbursement.models import Material, StoredFile
from disbursement.scanning import Scanner, ScannerAway
from disbursement.services.application import materials
from disbursement.services.evidence import scans
from disbursement.tasks import scan_waiting
from matching.registry import outbox
from portal.inbox.models import Notification
from tests.factories import papers
from tests.factories.disbursement import Case, case
from tests.integration.disbursement.files.conftest import STREAM_LIMIT, Daemon, infected_pdf


@pytest.fixture
def scanned(clamd: Daemon, settings: Any) -> Daemon:
    """The settings name the daemon, which runs."""
    settings.CLAMAV_SOCKET = clamd.address
    try:
        Scanner(clamd.address, timeout=2).ping()
    except ScannerAway:
        clamd.start()
    return clamd


@contextmanager
def listener(answer: bytes | None) -> Iterator[str]:
    """Something at the scanner's place that takes a connection, and answers with `answer`, or never."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def serve() -> None:
            link, _ = server.accept()
            taken.append(link)
            if answer is not None:
                link.sendall(answer)
                link.shutdown(socket.SHUT_RDWR)
                link.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join(timeout=10)
        for link in taken:
            link.close()


def test_a_clean_file_and_an_infected_one_are_told_apart(scanned: Daemon) -> None:
    scanner = Scanner(scanned.address)
    assert scanner.scan(papers.pdf()).is_clean
    assert scanner.scan(infected_pdf()).found == "Huida.Test.Eicar.UNOFFICIAL"
    assert "ClamAV" in scanner.version()


def test_a_file_that_the_scanner_will_not_take_has_no_verdict(scanned: Daemon) -> None:
    with pytest.raises(ScannerAway, match=r"size limit|reset|Broken|hung up"):
        Scanner(scanned.address).scan(b"\0" * (STREAM_LIMIT * 3))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("unix:///nowhere/clamd.sock", "No such file"),
        ("tcp://127.0.0.1:1", "refused"),
        ("http://127.0.0.1", "must be"),
        ("clamd", "must be"),
    ],
)
def test_a_scanner_that_is_not_there_has_no_verdict(address: str, words: str) -> None:
    with pytest.raises(ScannerAway, match=words):
        Scanner(address, timeout=1).scan(b"x")


def test_a_scanner_that_never_answers_is_given_up_in_time() -> None:
    with listener(None) as address, pytest.raises(ScannerAway, match=r"too long|timed out"):
        Scanner(address, timeout=0.3).scan(b"x" * 100)


@pytest.mark.parametrize("answer", [b"", b"nonsense\0", b"stream: broken ERROR\0", b"stream:  FOUND\0"])
def test_an_answer_that_is_no_verdict_counts_as_none(answer: bytes) -> None:
    with listener(answer) as address, pytest.raises(ScannerAway):
        Scanner(address, timeout=5).scan(b"x")


def material(made: Case) -> Material:
    return Material.objects.get(application_id=made.id, code="lease")


@pytest.mark.django_db
def test_an_infected_upload_is_refused_and_told_and_nothing_is_kept(scanned: Daemon) -> None:
    made = case().drafted()
    assert StoredFile.objects.get().scan == "clean"
    with pytest.raises(Invalid, match=r"Huida\.Test\.Eicar") as refusal:
        made.upload("lease", infected_pdf())
    assert "查杀病毒" in str(refusal.value)
    assert StoredFile.objects.count() == 1
    assert not Material.objects.filter(code="lease").exists()


@pytest.mark.django_db
def test_while_the_scanner_is_away_nothing_is_taken_unless_the_settings_say_quarantine(
    scanned: Daemon, settings: Any, client: Client
) -> None:
    made = case().drafted()
    scanned.stop()
    with pytest.raises(Invalid, match="查毒服务暂时不可用"):
        made.upload("lease")
    assert any("查毒服务不可用" in notice for notice in client.get("/healthz").json()["notices"])
    settings.CLAMAV_WHEN_AWAY = "quarantine"
    made.upload("lease", papers.pdf(mark="good"))
    made.upload("licence", infected_pdf())
    kept = material(made)
    for actor in (made.agent, made.reviewer):
        with pytest.raises(Denied, match="等待查毒"):
            materials.open_material(material_id=kept.pk, actor=actor, now=made.now)
    assert scan_waiting() == {"away": 1}
    with pytest.raises(CommandError, match="查毒服务不可用"):
        call_command("rescan")
    # Then it is back.
    scanned.start()
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("rescan", stdout=out)
    assert "查毒通过 1 个，查出病毒 1 个" in out.getvalue()
    outbox.deliver(now=timezone.now())
    opened = materials.open_material(material_id=kept.pk, actor=made.agent, now=made.now)
    assert b"".join(opened.pieces()) == papers.pdf(mark="good")
    # The infected one has left the draft, and the enterprise knows why.
    assert not Material.objects.filter(application_id=made.id, code="licence", replaced_at__isnull=True).exists()
    assert "查出病毒" in Notification.objects.get(title__contains="不能再用").body
    with pytest.raises(Invalid, match="病毒"):
        made.upload("licence", infected_pdf())
    assert scans.troubles(now=made.now) == []


@pytest.mark.django_db
def test_what_was_clean_is_found_later_by_new_signatures(scanned: Daemon, settings: Any) -> None:
    settings.CLAMAV_SOCKET = ""
    made = case().drafted().upload("lease", infected_pdf())
    assert StoredFile.objects.get(sha256=material(made).sha256).scan == "none"
    with pytest.raises(CommandError, match="没有配置"):
        call_command("rescan", all=True)
    settings.CLAMAV_SOCKET = scanned.address
    with pytest.raises(SystemExit):
        call_command("rescan", all=True, stdout=io.StringIO())
    with pytest.raises(Denied, match=r"Huida\.Test\.Eicar"):
        materials.open_material(material_id=material(made).pk, actor=made.agent, now=made.now)
