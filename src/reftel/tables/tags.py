"""TAGS at a date: the same letters stand for different countries in different years.

Sources and eras: tables/README.md; telegram-content.md 3.12.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from reftel.tables.data import Entry, entries
from reftel.telegram import TagKind

_KINDS: Final[dict[str, TagKind]] = {
    "subject": "subject",
    "geo": "geographic",
    "org": "organization",
    "program": "program",
    "special": "special",
}
_ERA: Final = re.compile(r"(?P<first>[0-9]{4})?(?P<dash>-)?(?P<last>[0-9]{4})?")


@cache
def _by_code() -> dict[str, tuple[Entry, ...]]:
    codes: dict[str, list[Entry]] = {}
    for entry in entries("tags"):
        codes.setdefault(entry.code, []).append(entry)
    return {code: tuple(rows) for code, rows in codes.items()}


@lru_cache(maxsize=16384)
def tag(code: str, year: int | None) -> Entry | None:
    """What a TAGS code meant in a year: the row of that era, failing that of the nearest one."""
    rows = _by_code().get(code.upper())
    if not rows:
        return None
    if year is None or len(rows) == 1:
        return rows[0]
    return min(rows, key=lambda row: _distance(row.era, year))


@lru_cache(maxsize=16384)
def tag_kind(code: str, year: int | None) -> TagKind:
    """The kind of a TAGS code; K and three letters is a program even when no table knows it."""
    entry = tag(code, year)
    if entry is not None:
        return _KINDS.get(entry.columns["kind"], "unknown")
    return "program" if re.fullmatch(r"K[A-Z]{3}", code.upper()) else "unknown"


def _distance(era: str, year: int) -> int:
    """Years between a year and an era; 0 within it."""
    first, last = _years(era)
    return max(first - year, year - last, 0)


@cache
def _years(era: str) -> tuple[int, int]:
    """The first and the last year of an era (`1973-79`, `-1990`, `2012-`, `2024`)."""
    match = _ERA.match(era)
    if match is None or not match[0]:
        return 0, 9999
    first = int(match["first"]) if match["first"] else 0
    if match["last"]:
        last = int(match["last"])
    elif short := re.match(r"[0-9]{4}-([0-9]{2})(?![0-9])", era):
        last = first - first % 100 + int(short[1])
    else:
        last = 9999 if match["dash"] else first
    return first, last
