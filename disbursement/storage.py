"""Where what enterprises hand in lies: files that no web server serves."""

from __future__ import annotations

from django.core.files.storage import FileSystemStorage


class PrivateStorage(FileSystemStorage):
    """Files without an address: they leave only through a view that asks who wants them."""

    def url(self, name: str | None) -> str:
        raise ValueError("a private file has no URL; open it through services.materials")
