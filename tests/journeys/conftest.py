"""A real browser on a real server, and people who know their passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from portal.accounts.models import User

PASSWORD = "a-long-way-home"
# The rules of WCAG 2.2, levels A and AA.
STANDARD = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@dataclass
class Clock:
    """The server's clock, moved by hand."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    settings.SESSION_COOKIE_AGE = 366 * 24 * 3600  # months pass between two clicks
    standing = Clock(timezone.now())
    monkeypatch.setattr(timezone, "now", standing)
    return standing


class Person:
    """Somebody at a screen, without JavaScript: what they do by hand has to work with plain pages."""

    def __init__(self, browser: Browser, base: str, user: User | None, *, width: int = 1280) -> None:
        self.base = base
        self.context: BrowserContext = browser.new_context(
            java_script_enabled=False, locale="zh-CN", viewport={"width": width, "height": 900}
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        if user is not None:
            self.open("/accounts/login/")
            self.fill("账户名", user.username)
            self.fill("密码", PASSWORD)
            self.press("登录")

    def open(self, path: str) -> None:
        response = self.page.goto(self.base + path)
        assert response is not None
        assert response.status < 400, (path, response.status)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=False).first.fill(text)

    def press(self, name: str, *, exact: bool = True) -> None:
        self.page.get_by_role("button", name=name, exact=exact).first.click()
        self._sound()

    def follow(self, name: str, *, exact: bool = False) -> None:
        self.page.get_by_role("link", name=name, exact=exact).first.click()
        self._sound()

    def unfold(self, name: str) -> None:
        self.page.locator("summary", has_text=name).first.click()

    def upload(self, label: str, name: str, content: bytes) -> None:
        payload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        self.page.get_by_label(label, exact=False).first.set_input_files(payload)  # type: ignore[arg-type]

    def sees(self, text: str) -> Locator:
        found = self.page.get_by_text(text, exact=False).first
        found.wait_for(state="visible")
        return found

    @property
    def text(self) -> str:
        return self.page.locator("main").inner_text()

    def download(self, name: str) -> bytes:
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name=name).first.click()
        return Path(waiting.value.path()).read_bytes()

    def close(self) -> None:
        self.context.close()

    def _sound(self) -> None:
        self.page.wait_for_load_state()
        assert "系统出了问题" not in self.page.content()


@pytest.fixture
def sit_down(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Somebody signed in before a screen, with JavaScript; a page on which a script fails fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def begin(user: User | None, *, width: int = 1280) -> Page:
        context = chromium.new_context(locale="zh-CN", viewport={"width": width, "height": 900})
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            value = client.session.session_key
            cookie = {"name": configured.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        return page

    yield begin
    for context in contexts:
        context.close()
    assert wrong == []


def faults(page: Page) -> list[str]:
    """What axe finds wrong on the page."""
    found = Axe().run(page, options=STANDARD).response["violations"]
    return [f"{v['id']}: {v['help']}: {[node['target'] for node in v['nodes']]}" for v in found]


def overflow(page: Page) -> int:
    """How many pixels of the page have to be pushed sideways to be seen."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return max(int(wide), 0)
