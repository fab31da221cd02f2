"""Members of archives: what they are called, and which are not let in."""

from __future__ import annotations

from pathlib import PurePosixPath

MEMBERS_LIMIT = 5_000_000


def member_path(path: str, name: str) -> str:
    """`path!name`, without characters that would steer a terminal."""
    return f"{path}!{''.join(c if c.isprintable() else f'%{ord(c):02X}' for c in name)}"


def is_hidden(name: str) -> bool:
    """Whether a member is one that systems leave in archives (`.DS_Store`, `__MACOSX/`)."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith(".") and part != ".." and part != "." for part in parts) or (
        parts[:1] == ("__MACOSX",)
    )


def refusal(name: str) -> str | None:
    """Why a member of this name is not read."""
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts or ":" in (plain.parts or ("",))[0]:
        return "its path leaves the archive; refused"
    return None
