"""The simulated bank over HTTP takes whole files alone: whoever sends one may die in the middle of it."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from disbursement.treasury.simulator import Bank
from disbursement.treasury.simulator.server import Server

KEY = "202603001-0123456789abcdef"
WHOLE = b"<Document/>" * 40


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(Bank(tmp_path))
    with made.running():
        yield made


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def sent(server: Server, content: bytes, of: bytes) -> requests.Response:
    headers = {"Idempotency-Key": KEY, "X-File-Name": "1.xml", "Content-Digest": digest(of)}
    return requests.post(f"{server.url}/payment-files", data=content, headers=headers, timeout=5)


def kept(server: Server) -> str | None:
    """The hash of what the bank has under the key."""
    answer = requests.get(f"{server.url}/payment-files/{KEY}", timeout=5)
    return None if answer.status_code == 404 else str(answer.json()["sha256"])


@pytest.mark.parametrize("arrived", [0, 1, len(WHOLE) - 1])
def test_a_file_whose_sender_died_in_the_middle_is_not_there_and_may_be_sent_again(
    server: Server, arrived: int
) -> None:
    there = urlsplit(server.url)
    with socket.create_connection((there.hostname, there.port), timeout=5) as line:
        head = (
            f"POST /payment-files HTTP/1.1\r\nHost: bank\r\nIdempotency-Key: {KEY}\r\nContent-Length: {len(WHOLE)}\r\n"
        )
        line.sendall(head.encode() + b"\r\n" + WHOLE[:arrived])
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""
    assert kept(server) is None
    sent(server, WHOLE, WHOLE)
    assert kept(server) == hashlib.sha256(WHOLE).hexdigest()


def test_bytes_other_than_their_digest_are_not_taken(server: Server) -> None:
    assert sent(server, WHOLE[:-1], WHOLE).status_code == 400
    assert kept(server) is None
    sent(server, WHOLE, WHOLE)
    assert kept(server) == hashlib.sha256(WHOLE).hexdigest()
