"""Code tables: posts, TAGS, captions, offices and the rest, as data with typed access.

A code means something only at a date; where that matters, the functions take a year.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from reftel.tables.data import FILES, Entry, entries
from reftel.tables.lookup import UnknownCodeError, lookup, table
from reftel.tables.posts import (
    address,
    addressee_name,
    addresses,
    canonical_post,
    is_collective,
    may_end_post,
    misspelt_post,
    near_addresses,
    post_by_name,
    post_title,
    routing_indicator,
    station,
)
from reftel.tables.tags import tag, tag_kind

__all__ = [
    "KINDS",
    "Entry",
    "UnknownCodeError",
    "address",
    "addressee_name",
    "addresses",
    "attribute",
    "canonical_post",
    "caption",
    "captions",
    "classification",
    "entries",
    "is_collective",
    "lookup",
    "may_end_post",
    "misspelt_post",
    "near_addresses",
    "office",
    "operating_signal",
    "post_by_name",
    "post_title",
    "precedence",
    "routing_indicator",
    "station",
    "table",
    "tag",
    "tag_kind",
]

KINDS: Final[tuple[str, ...]] = tuple(sorted(FILES))
"""The kinds of table that `entries`, `table` and `lookup` take."""


@cache
def _index(kind: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in entries(kind):
        found.setdefault(entry.code.upper(), entry)
    return found


def captions() -> tuple[Entry, ...]:
    """All captions."""
    return entries("captions")


def caption(word: str) -> Entry | None:
    """What a caption means and whom it lets read."""
    return _index("captions").get(word.upper())


def classification(level: str) -> Entry | None:
    """A classification by the record's word for it."""
    return _index("classifications").get(level.upper())


def precedence(word: str) -> Entry | None:
    """A precedence by its word."""
    return _index("precedences").get(word.upper())


def office(code: str) -> Entry | None:
    """An office of the Department or an agency by the code of the distribution block."""
    return _index("offices").get(code.upper())


def operating_signal(code: str) -> Entry | None:
    """A prosign or operating signal."""
    return _index("prosigns").get(code.upper())


def attribute(key: str) -> Entry | None:
    """A key of the National Archives' attribute block."""
    return _index("attributes").get(key.upper())
