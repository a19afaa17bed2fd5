"""A TCP proxy on loopback that passes everything on, until it is told to delay, swallow, cut or refuse.

One event loop in a thread serves every proxy. A cut is a reset (RST), as a firewall or a dead machine makes it, with
what was under way lost; what is swallowed is taken and never passed on, in both directions, until the cut that follows.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

_CHUNK = 65536


@dataclass(slots=True)
class Spell:
    """What a proxy does from now on. `kind` is one of: cut (everything, now), cut_after (`number` more bytes passed in
    either direction, then everything), delay (every chunk by `number` ms), swallow (for `number` ms, then cut), refuse
    (cut, and no new connection for `number` ms).
    """

    kind: str
    number: int = 0


class Line:
    """One connection through the proxy."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.writers = (near, far)

    def reset(self) -> None:
        for writer in self.writers:
            found = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """Before one server. Its methods may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int) -> None:
        self._loop = loop
        self.target = target
        self.port = 0
        self.struck = 0  # connections that were cut or refused, and chunks that were delayed or swallowed
        self._lines: set[Line] = set()
        self._delay = 0.0
        self._swallows = self._refuses = False
        self._left: int | None = None
        self._server: asyncio.Server | None = None
        self._timers: list[asyncio.TimerHandle] = []

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._clear()
        self._cut()
        if self._server is not None:
            self._server.close()

    def cast(self, spell: Spell) -> None:
        """From now on, this."""
        self._call(lambda: self._cast(spell))

    def clear(self) -> None:
        """From now on, everything passes."""
        self._call(self._clear)

    def _call(self, deed: Callable[[], object]) -> None:
        done = threading.Event()

        def run() -> None:
            deed()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(10)

    def _cast(self, spell: Spell) -> None:
        self._clear()
        if spell.kind == "cut":
            self._cut()
        elif spell.kind == "cut_after":
            self._left = spell.number
        elif spell.kind == "delay":
            self._delay = spell.number / 1000
        elif spell.kind == "swallow":
            self._swallows = True
            self._timers.append(self._loop.call_later(spell.number / 1000, self._end))
        elif spell.kind == "refuse":
            self._refuses = True
            self._cut()
            self._timers.append(self._loop.call_later(spell.number / 1000, self._clear))
        else:
            raise ValueError(spell.kind)

    def _clear(self) -> None:
        if self._swallows:
            # What was swallowed is missing for good: such a connection can't go on.
            self._cut()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._delay, self._swallows, self._refuses, self._left = 0.0, False, False, None

    def _end(self) -> None:
        self._cut()
        self._clear()

    def _cut(self) -> None:
        for line in list(self._lines):
            self.struck += 1
            line.reset()
        self._lines.clear()

    async def _serve(self, near_in: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            if self._refuses:
                self.struck += 1
                raise ConnectionRefusedError
            far_in, far = await asyncio.open_connection("127.0.0.1", self.target, limit=_CHUNK)
        except OSError:
            near.transport.abort()
            return
        line = Line(near, far)
        self._lines.add(line)
        try:
            await asyncio.gather(self._pass(near_in, far, line), self._pass(far_in, near, line))
        except OSError:
            line.reset()
        finally:
            self._lines.discard(line)
            for writer in line.writers:
                writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line) -> None:
        while chunk := await reader.read(_CHUNK):
            if self._delay:
                self.struck += 1
                await asyncio.sleep(self._delay)
            if self._swallows:
                self.struck += 1
                continue
            if self._left is not None:
                chunk, whole = chunk[: self._left], len(chunk)
                self._left -= whole
                if self._left <= 0:
                    writer.write(chunk)
                    with contextlib.suppress(OSError):
                        await writer.drain()
                    self._left = None
                    self._cut()
                    return
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            with contextlib.suppress(OSError):
                writer.write_eof()


class Network:
    """The event loop in its thread, and the proxies on it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._proxies: list[Proxy] = []

    def before(self, port: int) -> Proxy:
        made = Proxy(self._loop, port)
        self._wait(made.open())
        self._proxies.append(made)
        return made

    def end(self) -> None:
        for proxy in self._proxies:
            self._wait(proxy.close())
        self._wait(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _settle(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _wait(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(20)
