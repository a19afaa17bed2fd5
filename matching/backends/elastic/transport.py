"""A request goes to the next node where one fails or hangs, and all its tries together take no longer than one may."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from elastic_transport import (
    ConnectionTimeout,
    NodeConfig,
    Transport,
    TransportApiResponse,
    TransportError,
    Urllib3HttpNode,
)
from urllib3 import HTTPConnectionPool, HTTPHeaderDict, Timeout
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from .. import patience

ANOTHER_MAY = frozenset({429, 502, 503, 504})
"""A node that is too busy, or cut off from the others: another one may answer."""

TOO_BUSY = 429
_FIRST_REST, _LONGEST_REST = 0.25, 5.0
_PIECE = 65_536


class PatientTransport(Transport):
    """The client's transport, with tries of its own: every node once, sharing the time that the caller has.

    A server that is too busy is asked again after a rest where a job asks that was told to be patient.
    Questions can be put twice, and rows, which are written by their keys. Making and deleting an index cannot: that is
    tried again only where the first node never heard of it. The nodes are those that the settings name; asking the
    cluster for its nodes would find addresses that only it can reach.
    """

    usual: float = 5.0
    """Seconds for a request of whose time nobody said anything."""

    def perform_request(
        self, method: str, target: str, *, request_timeout: Any = None, **more: Any
    ) -> TransportApiResponse:
        more.pop("max_retries", None)
        asked = self.usual if not isinstance(request_timeout, int | float) else float(request_timeout)
        end = time.monotonic() + patience.for_request(asked)
        twice = method in {"GET", "HEAD", "POST"}
        tries = len(self.node_pool)
        rest = _FIRST_REST
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise ConnectionTimeout("no time left to ask")
            share = left / tries if twice else left
            try:
                answer = super().perform_request(
                    method, target, request_timeout=max(share, 0.001), max_retries=0, **more
                )
            except TransportError as error:
                if tries == 1 or not (twice or _never_arrived(error)) or end <= time.monotonic():
                    raise
            else:
                if answer.meta.status == TOO_BUSY and patience.is_unhurried() and time.monotonic() + rest < end:
                    time.sleep(rest)
                    rest = min(2 * rest, _LONGEST_REST)
                    continue
                if tries == 1 or not twice or answer.meta.status not in ANOTHER_MAY:
                    return answer
            tries -= 1


def _never_arrived(error: TransportError) -> bool:
    return isinstance(error.__cause__, NewConnectionError | ConnectTimeoutError)


class PatientNode(Urllib3HttpNode):
    """The client's node, whose time limit holds for the whole answer. urllib3's begins anew with each piece that comes,
    so that a server which sends a byte now and then would be waited for without end."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool: Any = _WholeAnswers(self.pool)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: HTTPHeaderDict
    data: bytes


class _WholeAnswers:
    """What the node uses of a connection pool."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool

    def urlopen(self, method: str, url: str, *, timeout: float, **more: Any) -> _Answer:
        end = time.monotonic() + timeout
        answer = self._pool.urlopen(method, url, timeout=Timeout(total=timeout), preload_content=False, **more)
        pieces = []
        try:
            while piece := answer.read1(_PIECE):
                pieces.append(piece)
                left = end - time.monotonic()
                if left <= 0:
                    raise ReadTimeoutError(self._pool, url, "the answer takes too long")
                socket = getattr(answer.connection, "sock", None)
                if socket is not None:
                    socket.settimeout(left)
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        return _Answer(answer.status, answer.headers, b"".join(pieces))

    def close(self) -> None:
        self._pool.close()
