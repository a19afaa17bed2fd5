"""Names of files, as they may be shown and saved again on any system."""

from __future__ import annotations

import unicodedata

LONGEST = 120
_FORBIDDEN = frozenset('<>:"/\\|?*')
# Names that Windows keeps for devices, whatever extension follows.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)


def clean_name(name: str, *, extension: str, aliases: tuple[str, ...] = (), default: str) -> str:
    """The last part of `name` without what misleads or breaks, ending in `extension` (".pdf").

    Control and format characters go (they can turn "fdp.exe" round for the eye), and so does everything before the last
    slash. An ending among `aliases` is replaced by `extension`; any other is kept before it: what the bytes are is said
    last. `default` stands where nothing is left.
    """
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    shown = "".join(" " if c.isspace() else c for c in base if c.isspace() or unicodedata.category(c)[0] != "C")
    shown = "".join("_" if c in _FORBIDDEN else c for c in shown).strip().rstrip(" .")
    for ending in sorted((extension, *aliases), key=len, reverse=True):
        if shown.lower().endswith(ending):
            shown = shown[: -len(ending)]
            break
    shown = shown.strip(" .")
    if not shown:
        shown = default
    if shown.split(".", 1)[0].strip().lower() in _DEVICES:
        shown = f"_{shown}"
    return shown[: LONGEST - len(extension)].rstrip(" .") + extension
