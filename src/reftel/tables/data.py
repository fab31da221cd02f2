"""The code lists as they ship: one CSV file a kind, read once."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

FILES: Final[dict[str, tuple[str, str, str]]] = {
    "agencies": ("agencies.csv", "name", "routing_indicator"),
    "aliases": ("station-aliases.csv", "seen", "mrn_name"),
    "attributes": ("nara-attributes.csv", "attribute", "form"),
    "captions": ("captions.csv", "caption", "meaning"),
    "classifications": ("classifications.csv", "level", "damage_test"),
    "collectives": ("collectives.csv", "name", "routing_indicator"),
    "declassification": ("declass-codes.csv", "code", "meaning"),
    "exemptions": ("exemptions.csv", "code", "meaning"),
    "garbles": ("garbles.csv", "seen", "meant"),
    "months": ("months.csv", "dtg", "full"),
    "offices": ("offices.csv", "code", "name"),
    "posts": ("posts.csv", "mrn_name", "telegram_name"),
    "precedences": ("precedences.csv", "word", "notes"),
    "prosigns": ("prosigns.csv", "signal", "meaning"),
    "tags": ("tags.csv", "code", "name"),
    "terms": ("terms.csv", "term", "meaning"),
}
"""Kind of table: its file, the column that holds the code, and the one that says what it means."""


class Entry(NamedTuple):
    """A row of a table: its kind, code and meaning, and all its columns as they stand."""

    kind: str
    code: str
    name: str
    columns: dict[str, str]

    @property
    def era(self) -> str:
        return self.columns.get("era", "")

    @property
    def notes(self) -> str:
        return self.columns.get("notes", "")


@cache
def entries(kind: str) -> tuple[Entry, ...]:
    """All rows of a table. Raises `KeyError` for a kind that is not in `FILES`."""
    file, code, name = FILES[kind]
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Entry(kind, row[code], row[name], dict(row)) for row in rows)
