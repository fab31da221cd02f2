"""The National Archives' catalogue that their exports carry behind a telegram of 1973-79.

`Key: value` lines; a value goes on over unindented lines (telegram-content.md 3.22). The catalogue
is kept as it stands, and compared with the telegram; it is never used in place of what that says.
"""

from __future__ import annotations

from typing import Final

from reftel import tables
from reftel.read.reading import Reading

_KEYS: Final = frozenset(entry.code for entry in tables.entries("attributes"))


def read_attributes(reading: Reading) -> None:
    """Fill `attributes` from the pieces of that kind, if there are any."""
    values: dict[str, str] = {}
    last: str | None = None
    for piece in reading.of_kind("attributes"):
        text = piece.text.strip("\r")
        key, colon, value = text.partition(":")
        if (
            colon
            and value[:1] in ("", " ")
            and key[:1].isupper()
            and key.isascii()
            and (key in _KEYS or tables.attribute(key) is not None)
        ):
            last = key
            values[last] = value.strip()
        elif last is not None:
            values[last] = f"{values[last]} {text.strip()}".strip()
    if values:
        reading.attributes = values
