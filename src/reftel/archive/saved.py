"""Saved searches, kept beside an archive for each reader: the query, and which results were seen.

What is new is what was not among the results at the last look: telegrams filed since, better copies,
and those that fell open in the meantime.
"""

from __future__ import annotations

import os
import re
import shutil
import zlib
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from reftel.archive.model import Hit
from reftel.archive.query import QueryError

if TYPE_CHECKING:
    from reftel.archive.view import View

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}\Z")


class SavedNameError(ValueError):
    """A name that no saved search can have; the message says what names look like."""


class NoSavedSearchError(SavedNameError):
    """A name that no saved search has."""


class SavedSearch(msgspec.Struct, frozen=True):
    """A search under a name; `saved` and `looked` are ISO 8601 UTC, `looked` the time of the last look."""

    name: str
    query: str
    saved: str
    looked: str


class Look(NamedTuple):
    """What a saved search finds now: how many results, and the keys of those that were not there at the
    last look, newest first. Nothing, if its query is none any more; then there is a `mistake`."""

    search: SavedSearch
    total: int
    new: array[int]
    mistake: str | None = None


class SavedSearches:
    """The saved searches of a view's reader, in the folder `saved` of an archive."""

    def __init__(self, archive: Path, view: View) -> None:
        self._view = view
        reader = view.reader.in_paths or "@owner"
        self._folder = archive / "saved" / reader.replace(".", "%2E")

    def all(self) -> tuple[SavedSearch, ...]:
        """Every saved search, by name."""
        files = sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []
        return tuple(msgspec.json.decode(file.read_bytes(), type=SavedSearch) for file in files)

    def find(self, name: str) -> SavedSearch | None:
        """The search of a name, if there is one. Raises `SavedNameError` for what no search can have."""
        path = self._path(name, ".json")
        return msgspec.json.decode(path.read_bytes(), type=SavedSearch) if path.is_file() else None

    def get(self, name: str) -> SavedSearch:
        """Raises `SavedNameError` where there is none of that name."""
        search = self.find(name)
        if search is None:
            raise NoSavedSearchError(f"no search is saved as {name}")
        return search

    def save(self, name: str, query: str) -> SavedSearch:
        """Keep a search under a name, in place of the one that had it; all that it finds now counts as
        seen. Raises `SavedNameError`, and `QueryError` for a query that cannot be understood."""
        path = self._path(name, ".seen")
        found = array("Q", self._view.keys(query))
        self._folder.mkdir(parents=True, exist_ok=True)
        now = _now()
        search = SavedSearch(name, query, now, now)
        _put(path, zlib.compress(found.tobytes(), 1))
        self._write(search)
        return search

    def look(self, name: str) -> Look:
        """What a search finds now, beside what was seen. It stays new until `mark`. Raises
        `SavedNameError`, and `QueryError` for a query of an older version that is none any more."""
        search = self.get(name)
        found = array("Q", self._view.keys(search.query))
        _put(self._path(name, ".shown"), zlib.compress(found.tobytes(), 1))
        return Look(search, len(found), array("Q", _without(found, self._seen(name))))

    def looks(self) -> tuple[Look, ...]:
        """A look at every saved search, by name."""
        return tuple(self._look(each) for each in self.all())

    def _look(self, search: SavedSearch) -> Look:
        try:
            return self.look(search.name)
        except QueryError as error:
            return Look(search, 0, array("Q"), str(error))

    def hits(self, look: Look, offset: int = 0, limit: int | None = None) -> Iterator[Hit]:
        """The new results of a look, newest first."""
        wanted = look.new[offset:] if limit is None else look.new[offset : offset + limit]
        return self._view.hits(look.search.query, frozenset(wanted)) if wanted else iter(())

    def mark(self, name: str) -> None:
        """What the last look showed counts as seen from now on; what came since does not. Raises
        `SavedNameError`."""
        search = self.get(name)
        shown = self._path(name, ".shown")
        if shown.is_file():
            shown.replace(self._path(name, ".seen"))
            self._write(msgspec.structs.replace(search, looked=_now()))

    def forget(self, name: str) -> None:
        """Raises `SavedNameError` where there is none of that name."""
        self.get(name)
        for suffix in (".json", ".seen", ".shown"):
            self._path(name, suffix).unlink(missing_ok=True)

    def _seen(self, name: str) -> array[int]:
        path = self._path(name, ".seen")
        seen = array("Q")
        if path.is_file():
            seen.frombytes(zlib.decompress(path.read_bytes()))
        return seen

    def _write(self, search: SavedSearch) -> None:
        _put(self._path(search.name, ".json"), msgspec.json.encode(search))

    def _path(self, name: str, suffix: str) -> Path:
        if not _NAME.match(name):
            raise SavedNameError(
                f"{name!r} is no name for a search: small letters, digits and hyphens, at most 80"
            )
        return self._folder / f"{name}{suffix}"


def _without(found: array[int], seen: array[int]) -> Iterator[int]:
    """What is found and not seen; both go down."""
    at = 0
    for key in found:
        while at < len(seen) and seen[at] > key:
            at += 1
        if at == len(seen) or seen[at] != key:
            yield key


def _put(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, part)
    part.replace(path)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
