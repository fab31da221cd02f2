"""Who cites whom, in both directions, among the documents that one reader may read.

A telegram stands in the graph under its number, and one without a number under its digest. A number that
is cited and not held stands there as well: it is a ghost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeAlias

from reftel.archive.model import Number
from reftel.archive.store import Labels, Store

Key: TypeAlias = Number | str
"""A number, or the digest (in hexadecimal) of a telegram that has none."""

# So many numbers are asked for at a time.
_BATCH = 300


class Edge(NamedTuple):
    """`source` cites `target`; `how` adds up `relations.REFERENCE`, `NAMED` and `POINTED`."""

    source: Key
    target: Number
    how: int


class Held(NamedTuple):
    """A telegram under a key: its copy to read, and when it was sent (minutes since 1970)."""

    telegram: int
    document: int
    sent: int | None


class Graph:
    """The references among what may be read: documents under these labels, and nothing else."""

    def __init__(self, store: Store, labels: Labels) -> None:
        self._store = store
        self._labels = ", ".join(str(int(each)) for each in sorted(labels)) or "-1"

    def held(self, keys: Iterable[Key]) -> dict[Key, list[Held]]:
        """The telegrams under each key, the oldest first; a ghost has none."""
        found: dict[Key, dict[int, Held]] = {}
        columns = "d.telegram, d.id, d.sent"
        order = "ORDER BY d.sent IS NULL, d.sent, d.section NULLS FIRST, d.quality DESC, d.digest"
        numbers, digests = _sorted_out(keys)
        for some in _some(numbers):
            query = (
                f"{_wanted(len(some))} SELECT w.post, w.year, w.number, {columns} FROM wanted w"
                " JOIN documents d ON d.post = w.post AND d.year = w.year AND d.number = w.number"
                f" WHERE d.label IN ({self._labels}) {order}"
            )
            for post, year, number, telegram, id_, sent in self._select(query, some):
                found.setdefault((post, year, number), {}).setdefault(
                    telegram, Held(telegram, id_, sent)
                )
        for some_digests in _some(digests):
            query = (
                f"SELECT d.digest, {columns} FROM documents d"
                f" WHERE d.digest IN ({_marks(len(some_digests))}) AND d.label IN ({self._labels})"
            )
            for digest, telegram, id_, sent in self._store.select(query, some_digests):
                found[digest.hex()] = {telegram: Held(telegram, id_, sent)}
        return {key: list(telegrams.values()) for key, telegrams in found.items()}

    def cites(self, keys: Iterable[Key]) -> set[Edge]:
        """What the telegrams under these keys cite."""
        edges: dict[tuple[Key, Number], int] = {}
        numbers, digests = _sorted_out(keys)
        cited = "c.post, c.year, c.number, c.how"
        for some in _some(numbers):
            query = (
                f"{_wanted(len(some))} SELECT w.post, w.year, w.number, {cited} FROM wanted w"
                " JOIN documents d ON d.post = w.post AND d.year = w.year AND d.number = w.number"
                f" JOIN citations c ON c.document = d.id WHERE d.label IN ({self._labels})"
            )
            for row in self._select(query, some):
                _add(edges, row[:3], row[3:6], row[6])
        for some_digests in _some(digests):
            query = (
                f"SELECT d.digest, {cited} FROM documents d JOIN citations c ON c.document = d.id"
                f" WHERE d.digest IN ({_marks(len(some_digests))}) AND d.label IN ({self._labels})"
            )
            for digest, post, year, number, how in self._store.select(query, some_digests):
                _add(edges, digest.hex(), (post, year, number), how)
        return {Edge(source, target, how) for (source, target), how in edges.items()}

    def cited_by(self, keys: Iterable[Key]) -> dict[Edge, int | None]:
        """Who cites these numbers, and when that was sent."""
        edges: dict[tuple[Key, Number], int] = {}
        sent_at: dict[Key, int | None] = {}
        numbers, _ = _sorted_out(keys)
        for some in _some(numbers):
            query = (
                f"{_wanted(len(some))} SELECT w.post, w.year, w.number, c.how,"
                " d.post, d.year, d.number, d.digest, d.sent FROM wanted w JOIN citations c"
                " ON c.post = w.post AND c.year = w.year AND c.number = w.number"
                f" JOIN documents d ON d.id = c.document WHERE c.label IN ({self._labels})"
            )
            for row in self._select(query, some):
                source: Key = row[7].hex() if row[4] is None else row[4:7]
                _add(edges, source, row[:3], row[3])
                if sent_at.get(source) is None:
                    sent_at[source] = row[8]
        return {
            Edge(source, target, how): sent_at[source] for (source, target), how in edges.items()
        }

    def times_cited(self, keys: Iterable[Key]) -> dict[Number, int]:
        """How many documents cite these numbers, counted without a look at one."""
        numbers, _ = _sorted_out(keys)
        found: dict[Number, int] = {}
        for some in _some(numbers):
            query = (
                f"{_wanted(len(some))} SELECT w.post, w.year, w.number, count(*) FROM wanted w"
                " JOIN citations c ON c.post = w.post AND c.year = w.year AND c.number = w.number"
                f" WHERE c.label IN ({self._labels}) GROUP BY w.post, w.year, w.number"
            )
            found.update({row[:3]: row[3] for row in self._select(query, some)})
        return found

    def citing_documents(self, number: Number) -> list[tuple[int, int, int | None]]:
        """Document, how, and time of each that cites a number, one for each telegram, the oldest
        first."""
        query = (
            "SELECT d.id, c.how, d.sent, d.telegram FROM citations c"
            " JOIN documents d ON d.id = c.document"
            f" WHERE c.post = ? AND c.year = ? AND c.number = ? AND c.label IN ({self._labels})"
            " ORDER BY d.sent IS NULL, d.sent, d.quality DESC, d.digest"
        )
        best: dict[int, tuple[int, int, int | None]] = {}
        for id_, how, sent, telegram in self._store.select(query, number):
            best.setdefault(telegram, (id_, how, sent))
        return list(best.values())

    def most_cited(
        self, limit: int, *, post: str | None = None, year: int | None = None
    ) -> list[tuple[Number, int]]:
        """The numbers that most telegrams cite, and how many do, copies counted once.

        Documents are counted first, without looking at one; then telegrams, for the numbers that may
        still be among the first. The answer is remembered until it changes.
        """
        key = ("most cited", self._labels, post, year, limit)
        return self._store.remembered(key, lambda: self._most_cited(limit, post, year))

    def _most_cited(
        self, limit: int, post: str | None, year: int | None
    ) -> list[tuple[Number, int]]:
        where, values = self._where(post, year)
        # Most numbers are cited once or twice: they need not be put in order to find the first ones.
        size, least = limit, 5
        while True:
            query = (
                f"SELECT post, year, number, count(*) AS documents FROM citations WHERE {where}"
                " GROUP BY post, year, number HAVING count(*) >= ?"
                " ORDER BY documents DESC, post, year, number LIMIT ?"
            )
            rows = self._store.select(query, (*values, least, size + 1))
            if len(rows) <= size and least > 1:
                least = 1
                continue
            ranked = [(tuple(row[:3]), self._citing_telegrams(row[:3])) for row in rows]
            ranked.sort(key=lambda each: (-each[1], each[0]))
            bound = rows[-1][3] if len(rows) > size else 0
            # No number behind these has more telegrams than the last of them has documents.
            if not bound or (len(ranked) >= limit and ranked[limit - 1][1] >= bound):
                return [(number, count) for number, count in ranked[:limit]]
            size *= 2

    def _citing_telegrams(self, number: Iterable[Any]) -> int:
        query = (
            "SELECT document FROM citations"
            f" WHERE post = ? AND year = ? AND number = ? AND label IN ({self._labels})"
        )
        return self._telegrams(document for (document,) in self._store.select(query, number))

    def _telegrams(self, documents: Iterable[int]) -> int:
        """How many telegrams some documents are. Few are further copies, and these are remembered:
        looking at each document would take a hundred times as long."""
        copies = self._store.remembered("copies", self._store.further_copies)
        return len({copies.get(document, document) for document in documents})

    def cited_and_not_held(
        self, *, post: str | None = None, year: int | None = None
    ) -> Iterator[tuple[Number, int]]:
        """The ghosts that somebody cites, in order of their numbers, and how many telegrams do."""
        where, values = self._where(post, year, "c.")
        query = (
            f"SELECT c.post, c.year, c.number, c.document FROM citations c WHERE {where}"
            " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.post = c.post AND d.year = c.year"
            f" AND d.number = c.number AND d.label IN ({self._labels}))"
            " ORDER BY c.post, c.year, c.number"
        )
        rows = self._store.select(query, values)
        for number, citing in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
            yield number, self._telegrams(document for *_, document in citing)

    def edges(self) -> Iterator[Edge]:
        """Every reference there is, in order of the documents that make them."""
        last = 0
        while True:
            query = (
                "SELECT d.id, d.post, d.year, d.number, d.digest, c.post, c.year, c.number, c.how"
                " FROM documents d JOIN citations c ON c.document = d.id"
                f" WHERE d.id > ? AND d.id <= ? AND d.label IN ({self._labels})"
                " ORDER BY d.id, c.post, c.year, c.number"
            )
            (highest,) = self._store.select("SELECT max(id) FROM documents")[0]
            if last >= (highest or 0):
                return
            for row in self._store.select(query, (last, last + 10_000)):
                yield Edge(row[4].hex() if row[1] is None else row[1:4], row[5:8], row[8])
            last += 10_000

    def _where(self, post: str | None, year: int | None, table: str = "") -> tuple[str, list[Any]]:
        parts, values = [f"{table}label IN ({self._labels})"], list[Any]()
        if post is not None:
            parts.append(f"{table}post = ?")
            values.append(post)
        if year is not None:
            parts.append(f"{table}year = ?")
            values.append(year)
        return " AND ".join(parts), values

    def _select(self, query: str, numbers: list[Number]) -> list[tuple[Any, ...]]:
        return self._store.select(query, [value for number in numbers for value in number])


def _add(edges: dict[tuple[Key, Number], int], source: Key, target: Number, how: int) -> None:
    edges[source, target] = edges.get((source, target), 0) | how


def _sorted_out(keys: Iterable[Key]) -> tuple[list[Number], list[bytes]]:
    numbers: list[Number] = []
    digests: list[bytes] = []
    for key in keys:
        if isinstance(key, str):
            digests.append(bytes.fromhex(key))
        else:
            numbers.append(key)
    return sorted(numbers), sorted(digests)


def _some(keys: list[Any]) -> Iterator[list[Any]]:
    items = iter(keys)
    while some := list(islice(items, _BATCH)):
        yield some


def _wanted(count: int) -> str:
    return f"WITH wanted (post, year, number) AS (VALUES {', '.join(['(?, ?, ?)'] * count)})"


def _marks(count: int) -> str:
    return ", ".join("?" * count)
