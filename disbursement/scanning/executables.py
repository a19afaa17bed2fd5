"""Bytes that a computer would run."""

from __future__ import annotations

_STARTS = (
    b"MZ",  # Windows
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",  # macOS, four ways
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",  # Java, and macOS for several processors
    b"#!",
    b"\x4c\x00\x00\x00\x01\x14\x02\x00",  # a Windows shortcut
    b"\xd0\xcf\x11\xe0",  # old office files and installers, which hold macros
    b"dex\n",
    b"MSCF",
    b"FWS",
    b"CWS",
)
_SCRIPTS = (b"<script", b"<html", b"<!doctype html", b"<?php", b"<hta:", b"@echo off", b"powershell", b"wscript.")


def looks_executable(head: bytes) -> bool:
    """Whether a file that begins like this is a program, a script, or may hold macros. A kilobyte is enough."""
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(_STARTS) or any(word in start.lower() for word in _SCRIPTS)
