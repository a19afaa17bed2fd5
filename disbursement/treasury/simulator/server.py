"""The simulated bank over HTTP on loopback, in the protocol of docs/payment-files.md.

POST /payment-files            Idempotency-Key, X-File-Name, the bytes      201 first, 200 again, 409 other bytes
                               cut short: nothing is taken                  400 where Content-Digest says otherwise
GET  /payment-files/KEY                                                     200, 404
GET  /returns                                                               {"files": [{"name", "sha256", "size"}]}
GET  /returns/NAME                                                          the bytes
POST /settle?on=2026-03-24     (the simulator's own: pay what was taken)    {"files": [names]}
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .bank import Bank, KeyConflict, Taken

LARGEST = 64 * 1024 * 1024
_KEY = re.compile(r"[A-Za-z0-9._-]{8,100}")


class Server(ThreadingHTTPServer):
    """The bank on a loopback port (0: any that is free)."""

    daemon_threads = True

    def __init__(self, bank: Bank, *, port: int = 0, token: str = "") -> None:
        self.bank = bank
        self.token = token
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Serve in a thread for as long as the block lasts."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= LARGEST:
            self._say(413, {"reason": "文件过大"})
            return
        content = self.rfile.read(length)
        if len(content) != length:  # who sent it died in the middle: there is no file
            self.close_connection = True
            return
        if not self._allowed():
            return
        path = urlsplit(self.path)
        if path.path == "/settle":
            on = date.fromisoformat(parse_qs(path.query)["on"][0])
            self._say(200, {"files": self.server.bank.settle(on=on)})
        elif path.path == "/payment-files":
            self._take(content)
        else:
            self._say(404, {"reason": "没有这个地址"})

    def do_GET(self) -> None:
        if not self._allowed():
            return
        bank = self.server.bank
        path = unquote(urlsplit(self.path).path)
        if path == "/returns":
            files = [
                {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
                for name, content in bank.returns()
            ]
            self._say(200, {"files": files})
        elif path.startswith("/returns/"):
            content = bank.returned(path.removeprefix("/returns/"))
            if content is None:
                self._say(404, {"reason": "没有这个文件"})
            else:
                self._answer(200, content, "application/octet-stream")
        elif path.startswith("/payment-files/"):
            taken = bank.status(path.removeprefix("/payment-files/"))
            if taken is None:
                self._say(404, {"reason": "没有收到"})
            else:
                self._say(200, _told(taken))
        else:
            self._say(404, {"reason": "没有这个地址"})

    def _take(self, content: bytes) -> None:
        bank = self.server.bank
        key = self.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(key):
            self._say(400, {"reason": "缺少 Idempotency-Key"})
            return
        if not _is_as_told(content, self.headers.get("Content-Digest", "")):
            self._say(400, {"reason": "内容与 Content-Digest 不符"})
            return
        time.sleep(bank.mischief.slow)
        if bank.happens("lost_request"):
            self.close_connection = True
            return
        if bank.happens("error"):
            self._say(503, {"reason": "系统繁忙"})
            return
        is_new = bank.status(key) is None
        try:
            taken = bank.take(key=key, name=unquote(self.headers.get("X-File-Name", "")), content=content)
        except KeyConflict:
            self._say(409, {"reason": "该幂等键已用于内容不同的文件"})
            return
        if bank.happens("lost_answer"):
            self.close_connection = True
            return
        self._say(422 if taken.status == "rejected" else 201 if is_new else 200, _told(taken))

    def _allowed(self) -> bool:
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._say(401, {"reason": "凭据不正确"})
            return False
        return True

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self._answer(status, json.dumps(body, ensure_ascii=False).encode(), "application/json")

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_args: Any) -> None:
        """Nothing: what happened stands in the bank's folder."""


def _is_as_told(content: bytes, digest: str) -> bool:
    """Whether the bytes are those whose SHA-256 the sender told, where it told one (RFC 9530)."""
    told = re.fullmatch(r"sha-256=:([A-Za-z0-9+/=]+):", digest)
    return told is None or base64.b64encode(hashlib.sha256(content).digest()).decode() == told.group(1)


def _told(taken: Taken) -> dict[str, str]:
    return {
        "key": taken.key,
        "sha256": taken.sha256,
        "status": taken.status,
        "reference": taken.reference,
        "reason": taken.reason,
    }
