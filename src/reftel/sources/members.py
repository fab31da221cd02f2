"""Members of archives: what they are called, and which are not let in."""

from __future__ import annotations

MEMBERS_LIMIT = 5_000_000


def member_path(path: str, name: str) -> str:
    """`path!name`, without characters that would steer a terminal."""
    if not name.isprintable():
        name = "".join(c if c.isprintable() else f"%{ord(c):02X}" for c in name)
    return f"{path}!{name}"


def is_hidden(name: str) -> bool:
    """Whether a member is one that systems leave in archives (`.DS_Store`, `__MACOSX/`)."""
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or any(
        part.startswith(".") and part not in (".", "..") for part in parts
    )


def refusal(name: str) -> str | None:
    """Why a member of this name is not read."""
    parts = name.replace("\\", "/").split("/")
    if (not parts[0] and len(parts) > 1) or ".." in parts or ":" in parts[0]:
        return "its path leaves the archive; refused"
    return None
