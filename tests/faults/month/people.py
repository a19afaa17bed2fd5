"""People at their desks: they open a page, fill in the form that they find there, and press its button over HTTP."""

from __future__ import annotations

from typing import Any

import requests
from lxml import html

_TOKEN = "t" * 32


class Person:
    """One person who is logged in. Whatever goes wrong on the way is theirs to see as a page that did not come."""

    def __init__(self, base: str, session: str) -> None:
        self._base = base
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Connection"] = "close"
        self._session.cookies.set("sessionid", session)
        self._session.cookies.set("csrftoken", _TOKEN)
        self.last = ""

    def submits(self, page: str, action: str, *, button: str = "", file: Any = None, **fields: Any) -> bool:
        """Open the page and send its form whose address ends with `action`; False where there is no such form, or
        anything failed. Fields are filled in by the ends of their names, so that prefixes do not matter.
        """
        try:
            shown = self._get(page)
            found = (
                next((f for f in shown.forms if self._address(f, page).endswith(action)), None)
                if shown is not None
                else None
            )
            if found is None:
                return False
            data = self._filled(found, fields)
            if button:
                data[button] = "1"
            answer = self._session.post(
                self._base + self._address(found, page),
                data=data,
                files={"file": file} if file else None,
                headers={"X-CSRFToken": _TOKEN},
                timeout=15,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            self.last = f"{page} {action}: {type(error).__name__}"
            return False
        self.last = f"{page} {action}: {answer.status_code} {_said(answer)}"
        return bool(answer.status_code < 400)

    def _get(self, page: str) -> Any:
        answer = self._session.get(self._base + page, timeout=15)
        if answer.status_code != 200:
            self.last = f"{page}: {answer.status_code} {_said(answer)}"
            return None
        self.last = f"{page}: no such form"
        return html.document_fromstring(answer.content)

    @staticmethod
    def _address(form: Any, page: str) -> str:
        return str(form.get("action") or page)

    @staticmethod
    def _filled(form: Any, fields: dict[str, Any]) -> dict[str, str]:
        data = {name: value for name, value in form.form_values() if value is not None}
        for wanted, value in fields.items():
            names = [name for name in form.fields if name == wanted or name.endswith(f"-{wanted}")]
            # A button with a value is no field that lxml lists.
            data[names[0] if names else wanted] = str(value)
        return data


def _said(answer: requests.Response) -> str:
    """What a page says went wrong, in short."""
    if answer.status_code < 400 or not answer.content:
        return ""
    words = html.document_fromstring(answer.content).xpath(
        "string((//*[contains(@class,'error') or contains(@class,'message') or @role='alert'])[1])"
    )
    return " ".join(str(words).split())[:200]
