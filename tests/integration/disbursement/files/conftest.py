"""A virus scanner of our own: Debian's clamd with one signature, that of the test string that every scanner knows.

Real signatures cannot be brought along; this one makes the daemon answer as it would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from disbursement.scanning import Scanner, ScannerAway
from tests.factories import papers

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
# In two pieces, or a scanner on the developer's own machine takes this file away.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"
STREAM_LIMIT = 1024 * 1024


def infected_pdf() -> bytes:
    """A page that opens, with the test string in it."""
    return papers.pdf(extra=[b"<</Length %d>>\nstream\n" % len(EICAR) + EICAR + b"\nendstream"])


class Daemon:
    """One clamd on a socket of its own; it may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"unix://{folder}/clamd.sock"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "db").mkdir()
        (folder / "db" / "test.ndb").write_bytes(b"Huida.Test.Eicar:0:*:" + EICAR.hex().encode() + b"\n")
        (folder / "clamd.conf").write_text(
            f"DatabaseDirectory {folder}/db\nLocalSocket {folder}/clamd.sock\nForeground yes\nMaxThreads 2\n"
            f"StreamMaxLength {STREAM_LIMIT}\nFixStaleSocket yes\nLogFile {folder}/clamd.log\n"
            f"TemporaryDirectory {folder}\n"
        )

    def start(self) -> None:
        assert CLAMD is not None
        self._process = subprocess.Popen(
            [CLAMD, f"--config-file={self.folder}/clamd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while True:
            try:
                Scanner(self.address, timeout=2).ping()
                return
            except ScannerAway:
                if time.monotonic() > until or self._process.poll() is not None:
                    log = self.folder / "clamd.log"
                    raise AssertionError(f"clamd did not start: {log.read_text() if log.exists() else ''}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="module")
def clamd() -> Iterator[Daemon]:
    if CLAMD is None:
        pytest.skip("clamd is not installed, so NOTHING WAS SCANNED here: apt-get install clamav-daemon")
    # A short path: the name of a socket has a hundred characters at most.
    with tempfile.TemporaryDirectory(prefix="clamd-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        daemon = Daemon(Path(name))
        daemon.start()
        yield daemon
        daemon.stop()
