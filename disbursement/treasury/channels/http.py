"""A bank over HTTPS, safe against every lost answer: the protocol stands in docs/payment-files.md.

The parcel is posted with its key as `Idempotency-Key`. Whenever it is not known whether it arrived (the answer was
lost, came too late, or made no sense; the process before this one died), the bank is asked by key first, and only what
it says it has not is posted again, with the same key. Everything is bounded: tries, seconds, bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

import requests

from .base import LARGEST, Arrival, Parcel, Receipt, Refusal, Unsure

TRIES = 3
MOST_FILES = 1000
_PIECE = 64 * 1024
_ANSWER = 256 * 1024  # bytes of an answer that is no file
_LISTING = 4 * 1024 * 1024
_AGAIN = frozenset({408, 425, 429})
_TAKEN = frozenset({"accepted", "processing"})


def check_url(url: str) -> str:
    """The base address without its last slash; raises ValueError unless it is https, or http on this machine."""
    parts = urlsplit(url.strip())
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("地址中不能含用户名、密码、参数或锚点。")
    if not parts.hostname:
        raise ValueError("请填写完整地址，如 https://bank.example/api。")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("地址须为 https；http 只能用于本机（127.0.0.1、localhost）。")
    return url.strip().rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpChannel:
    """`timeout` is in seconds, for connecting and for each silence; an answer as a whole may take four times as long.
    `wait` sleeps between tries.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout: float = 30,
        tries: int = TRIES,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = check_url(url)
        self._timeout = timeout
        self._tries = tries
        self._wait = wait
        self._session = requests.Session()
        # No proxies and no .netrc: where money goes stands in the configuration alone.
        self._session.trust_env = False
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def hand_over(self, parcel: Parcel, *, tried: bool) -> Receipt | None:
        doubt, problem, posts, left = tried, "未能连接银行", 0, False
        for number in range(self._tries):
            if number:
                self._wait(2 ** (number - 2))  # half a second, one, two
            try:
                if doubt:
                    found = self.enquire(parcel)
                    if found is not None:
                        return found
                posts += 1
                return self._post(parcel)
            except Refusal as refusal:
                if posts > 1 and not refusal.of_key:
                    # A post before this one has no answer, and may be taken yet.
                    raise Unsure(f"{refusal}同一次发送中有请求没有得到答复，尚不能确定银行是否收到。") from refusal
                raise
            except Unsure as error:
                doubt, problem = True, str(error)
                left = left or posts > 0 or error.left
        standing = "尚不能确定银行是否收到" if left else "本次没有送出文件"
        raise Unsure(f"{problem}。{standing}；再次发送会先查询，并使用同一个幂等键，不会重复支付。", left=left)

    def greet(self) -> None:
        """Ask the bank whether it answers. Raises Unsure where it does not, or not as agreed."""
        status, _content = self._call("GET", "/returns", most=_LISTING)
        if status != 200:
            raise Unsure(f"银行对查询答复 {status}")

    def enquire(self, parcel: Parcel) -> Receipt | None:
        """What the bank has under the parcel's key; None where it has nothing. Raises Refusal or Unsure."""
        try:
            status, content = self._call("GET", f"/payment-files/{quote(parcel.key, safe='')}", most=_ANSWER)
        except Unsure as error:
            raise Unsure(str(error), left=False) from error
        if status == 404:
            return None
        if status != 200:
            raise Unsure(f"查询银行是否收到时，对方答复 {status}", left=False)
        return self._judge(parcel, content)

    def arrivals(self, *, known: Callable[[str], bool], at: float) -> Iterator[Arrival]:
        status, content = self._call("GET", "/returns", most=_LISTING)
        if status != 200:
            raise Unsure(f"查询回单时，对方答复 {status}")
        files = _json(content).get("files")
        if not isinstance(files, list):
            raise Unsure("回单清单无法识别")
        fetched = 0
        for listed in files:
            if not isinstance(listed, dict):
                continue
            name, digest = str(listed.get("name", "")), str(listed.get("sha256", ""))
            if not name or known(digest):
                continue
            if fetched == MOST_FILES:
                raise Unsure(f"银行还有回单未取：每轮至多取{MOST_FILES}个，其余下一轮再取")
            fetched += 1
            status, content = self._call("GET", f"/returns/{quote(name, safe='')}", most=LARGEST)
            if status != 200 or hashlib.sha256(content).hexdigest() != digest:
                # Cut on the way, or another file by now: it stands in the list the next time, too.
                continue
            yield Arrival(name[-200:], content)

    def _post(self, parcel: Parcel) -> Receipt:
        headers = {
            "Idempotency-Key": parcel.key,
            "Content-Type": "application/octet-stream",
            "X-File-Name": quote(parcel.name),
            "Content-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(parcel.sha256)).decode()}:",
        }
        with parcel.open() as file:
            data = _Sized(file, parcel.size)
            status, content = self._call("POST", "/payment-files", most=_ANSWER, data=data, headers=headers)
        if status in (200, 201, 202):
            return self._judge(parcel, content)
        if status in _AGAIN or status >= 500 or status < 400:
            raise Unsure(f"银行答复 {status}")
        reason = _reason(content)
        if status == 409:
            # Whatever the bank has under the key: none of ours may go another way before somebody has asked it.
            raise Unsure(f"银行称该幂等键已用于内容不同的文件（409 {reason}）。请勿另行发送，立即与银行核对")
        raise Refusal(
            f"银行拒绝接收（{status} {reason}）。文件未被受理，请按原因处理后再次发送。",
            of_key=_rejects(content, parcel),
        )

    def _judge(self, parcel: Parcel, content: bytes) -> Receipt:
        said = _json(content)
        if said.get("key") != parcel.key or said.get("sha256") != parcel.sha256:
            raise Unsure("银行答复的幂等键或摘要与所发文件不符。请勿另行发送，立即与银行核对")
        status = said.get("status")
        if status == "rejected":
            raise Refusal(f"银行拒绝受理：{str(said.get('reason', ''))[:200]}。请按原因处理后再次发送。", of_key=True)
        if status not in _TAKEN:
            raise Unsure(f"银行答复的状态“{str(status)[:20]}”无法识别")
        return Receipt(str(said.get("reference", ""))[:100])

    def _call(
        self, method: str, path: str, *, most: int, data: _Sized | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """(status, body). Raises Unsure where no whole answer came in time."""
        # Elapsed time alone: no date comes of it.
        until = time.monotonic() + 4 * self._timeout
        try:
            with self._session.request(
                method,
                f"{self._url}{path}",
                data=data,
                headers=None if headers is None else dict(headers),
                timeout=(min(self._timeout, 10), self._timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                parts, size = [], 0
                for part in response.iter_content(64 * 1024):
                    size += len(part)
                    if size > most:
                        raise Unsure("银行的答复过长")
                    if time.monotonic() > until:
                        raise Unsure("银行的答复过慢")
                    parts.append(part)
                return response.status_code, b"".join(parts)
        except requests.RequestException as error:
            raise Unsure(f"与银行的连接中断或超时（{type(error).__name__}）") from error


class _Sized:
    """A file whose length is told beforehand, and which is then sent in pieces."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(_PIECE), b"")

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def _json(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unsure("银行的答复无法识别") from error
    if not isinstance(said, dict):
        raise Unsure("银行的答复无法识别")
    return said


def _rejects(content: bytes, parcel: Parcel) -> bool:
    """Whether an answer says of the parcel's own key, and its bytes, that they are rejected."""
    try:
        said = _json(content)
    except Unsure:
        return False
    return (said.get("key"), said.get("sha256"), said.get("status")) == (parcel.key, parcel.sha256, "rejected")


def _reason(content: bytes) -> str:
    try:
        return str(_json(content).get("reason", ""))[:200]
    except Unsure:
        return ""
