"""The National Archives' catalogue that their exports carry behind a telegram of 1973-79.

`Key: value` lines; a value goes on over unindented lines (telegram-content.md 3.22). The catalogue
is kept as it stands, and compared with the telegram; it is never used in place of what that says.
"""

from __future__ import annotations

import re
from typing import Final

from reftel import tables
from reftel.read.reading import Reading

_KEY: Final = re.compile(r"(?P<key>[A-Z][A-Za-z ]{1,40}):(?: (?P<value>.*))?\Z")


def read_attributes(reading: Reading) -> None:
    """Fill `attributes` from the pieces of that kind, if there are any."""
    values: dict[str, list[str]] = {}
    last: str | None = None
    for piece in reading.of_kind("attributes"):
        match = _KEY.match(piece.text.strip("\r"))
        if match and tables.attribute(match["key"]) is not None:
            last = match["key"]
            values[last] = [(match["value"] or "").strip()]
        elif last is not None:
            values[last].append(piece.text.strip())
    if values:
        reading.attributes = {
            key: " ".join(part for part in parts if part) for key, parts in values.items()
        }
