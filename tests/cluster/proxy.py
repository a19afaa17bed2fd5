"""A proxy before a server that spoils what goes through it, as a network, a full queue or a bad gateway would."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

BUSY = {"type": "es_rejected_execution_exception", "reason": "rejected execution: the queue is full"}


class Proxy:
    """``mode`` is one of: pass, hang (takes the question and never answers), cut (half of the answer), drop (no
    answer, the connection is closed), busy (429), gateway (502 with a page), drip (a byte now and then)."""

    def __init__(self, target: str) -> None:
        self.mode = "pass"
        self.seen = 0
        self._free = threading.Event()
        self._free.set()
        proxy = self
        server = urlsplit(target)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                proxy.seen += 1
                mode = proxy.mode
                if mode == "hang":
                    proxy._free.wait(60)
                    self.close_connection = True
                    return
                if mode == "drop":
                    self.close_connection = True
                    return
                if mode == "busy":
                    self.say(429, {"error": {"root_cause": [BUSY], **BUSY}, "status": 429})
                    return
                if mode == "gateway":
                    self.say(502, None)
                    return
                connection = http.client.HTTPConnection(server.hostname or "", server.port, timeout=60)
                try:
                    kept = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "connection"}}
                    connection.request(self.command, self.path, body, kept)
                    answer = connection.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                if mode == "cut":
                    self.wfile.write(content[: len(content) // 2])
                    self.close_connection = True
                elif mode == "drip":
                    for byte in content:
                        self.wfile.write(bytes([byte]))
                        if proxy._free.wait(0.2):
                            break
                    self.close_connection = True
                elif self.command != "HEAD":
                    self.wfile.write(content)

            def say(self, status: int, what: Any) -> None:
                content = b"<html>Bad Gateway</html>" if what is None else json.dumps(what).encode()
                self.send_response(status)
                self.send_header("content-type", "text/html" if what is None else "application/json")
                self.send_header("x-elastic-product", "Elasticsearch")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads it."""

        for method in ("GET", "POST", "PUT", "DELETE", "HEAD"):
            setattr(Handler, f"do_{method}", Handler.handle_any)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that gave up is what is wanted here."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def spoil(self, mode: str) -> None:
        self.mode = mode
        if mode in {"hang", "drip"}:
            self._free.clear()
        else:
            self._free.set()

    def end(self) -> None:
        self.spoil("pass")
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
