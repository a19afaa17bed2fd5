"""Asking ClamAV's daemon over its socket (INSTREAM). No client library that is kept bounds the whole of a question in
time, which a person who uploads waits for; the protocol is thirty lines.
"""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_PIECE = 1 << 16
_LONGEST_ANSWER = 4096
_FOUND = re.compile(r"^(?:stream|instream\([^)]*\)): (?P<name>.+) FOUND$")


class ScannerAway(Exception):
    """The scanner gave no verdict: it is not there, too slow, or refuses the file. The message is for operators."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the scanner says of a file: the name of what it found, empty where it is clean."""

    found: str = ""

    @property
    def is_clean(self) -> bool:
        return not self.found


@dataclass(frozen=True, slots=True)
class Scanner:
    """A daemon at `address`: `unix:///run/clamav/clamd.ctl` or `tcp://host:3310`. `timeout` is in seconds, for the
    whole of a question."""

    address: str
    timeout: float = 20.0

    def scan(self, content: bytes) -> Verdict:
        """Raises ScannerAway."""
        return self._read(self._ask(b"zINSTREAM\0", content))

    def ping(self) -> None:
        """Raises ScannerAway where nobody answers."""
        if (answer := self._ask(b"zPING\0")) != "PONG":
            raise ScannerAway(f"unexpected answer: {answer[:100]}")

    def version(self) -> str:
        """Engine and signatures, as the daemon tells them. Raises ScannerAway."""
        return self._ask(b"zVERSION\0")

    def _read(self, answer: str) -> Verdict:
        if answer == "stream: OK":
            return Verdict()
        if matched := _FOUND.match(answer):
            return Verdict(matched["name"][:200])
        # "… ERROR", "INSTREAM size limit exceeded.": no verdict.
        raise ScannerAway(f"no verdict: {answer[:200]}")

    def _ask(self, command: bytes, content: bytes | None = None) -> str:
        until = time.monotonic() + self.timeout
        try:
            with self._connected(until) as link:
                try:
                    _send(link, command, until)
                    if content is not None:
                        view = memoryview(content)
                        for start in range(0, len(view), _PIECE):
                            piece = view[start : start + _PIECE]
                            _send(link, len(piece).to_bytes(4, "big"), until)
                            _send(link, piece, until)
                        _send(link, b"\0\0\0\0", until)
                except (BrokenPipeError, ConnectionResetError):
                    # It may have said why before it hung up.
                    pass
                return _answer(link, until)
        except (OSError, ValueError) as error:
            raise ScannerAway(str(error) or type(error).__name__) from error

    def _connected(self, until: float) -> socket.socket:
        place = urlsplit(self.address)
        if place.scheme == "unix" and place.path:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            link.settimeout(_left(until))
            try:
                link.connect(place.path)
            except OSError:
                link.close()
                raise
            return link
        if place.scheme == "tcp" and place.hostname:
            return socket.create_connection((place.hostname, place.port or 3310), timeout=_left(until))
        raise ValueError(f"CLAMAV_SOCKET must be unix:///path or tcp://host:port, not {self.address!r}")


def _send(link: socket.socket, data: bytes | memoryview, until: float) -> None:
    link.settimeout(_left(until))
    link.sendall(data)


def _answer(link: socket.socket, until: float) -> str:
    got = bytearray()
    while b"\0" not in got and len(got) < _LONGEST_ANSWER:
        link.settimeout(_left(until))
        piece = link.recv(1024)
        if not piece:
            break
        got += piece
    if not got:
        raise ConnectionError("the scanner hung up without an answer")
    return bytes(got).split(b"\0", 1)[0].decode("utf-8", "replace").strip()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the scanner took too long")
    return left
