"""The truth: an SQLite database of texts, records and what they cite (docs/archive-format.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from reftel.access import Label, Reader
from reftel.archive.listed import Listed
from reftel.archive.model import BrokenStoreError, DamagedError, Number, StoreError
from reftel.archive.pack import NONE, Dictionary, unpack, unpack_text
from reftel.archive.rows import Decided, New, Row
from reftel.archive.schema import ADDED, FORMAT, SCHEMA
from reftel.archive.sqlite import SqliteDatabase
from reftel.sources import SourceFile
from reftel.telegram import Telegram

if TYPE_CHECKING:
    from reftel.archive.postgres import PostgresDatabase


def _database(
    path: Path | str, read_only: bool, reader: Reader | None
) -> SqliteDatabase | PostgresDatabase:
    if isinstance(path, Path):
        return SqliteDatabase(path, read_only=read_only)
    try:
        from reftel.archive.postgres import PostgresDatabase
    except ImportError as error:
        need = "install it with: pip install 'reftel[postgres]'"
        raise StoreError(f"{error.name} is not installed; {need}") from error
    return PostgresDatabase(path, read_only=read_only, reader=reader)


Labels = Collection[int]
"""Ids of labels: what a reader may read."""


_COLUMNS = ", ".join(Row.__struct_fields__)
_ADD_DOCUMENT = (
    f"INSERT INTO documents ({_COLUMNS}) VALUES ({', '.join('?' * len(Row.__struct_fields__))})"
)


def within(labels: Labels, table: str = "") -> str:
    """The condition that a document's label is one of these; the ids are ours, never a reader's words."""
    return f"{table}label IN ({', '.join(str(int(each)) for each in sorted(labels)) or -1})"


_Value = TypeVar("_Value")
_REMEMBERED = 200
_AT_A_TIME = 400


class Store(Listed):
    """One connection to the database; every write happens inside `transaction()`."""

    def __init__(
        self, path: Path | str, *, read_only: bool = False, reader: Reader | None = None
    ) -> None:
        """A file of SQLite, or the URL of a PostgreSQL, which a reader may ask for what that reader may
        know of alone. Raises `StoreError`."""
        self.path = path
        self.place = 1
        self._dictionaries = {0: NONE}
        self._ids: dict[Label | str, int] = {}
        """Of labels and stations met, so that they are not looked up for each telegram."""
        self._remembered: dict[Hashable, tuple[object, Any]] = {}
        self._db = _database(path, read_only, reader)
        try:
            self._begin(read_only)
        except BaseException:
            self._db.close()
            raise

    def _begin(self, read_only: bool) -> None:
        if not read_only:
            with self.transaction():
                if self._db.create(SCHEMA):
                    self._db.execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))
                    if isinstance(self.path, Path):
                        self.enter("index")
        row = self._db.one("SELECT value FROM meta WHERE key = 'format'")
        found = row[0] if row else "none"
        if row is None or int(found) > FORMAT:
            raise StoreError(f"{self.name} has format {found}; this version reads up to {FORMAT}")
        if int(found) < FORMAT:
            raise StoreError(
                f"{self.name} has format {found}: open it where it can be written, once"
            )
        if isinstance(self.path, Path) and not read_only:
            with self.transaction():
                self._db.execute(ADDED)

    @property
    def has_readers(self) -> bool:
        return self._db.one("SELECT 1 FROM meta WHERE key = 'readers'") is not None

    def note_readers(self) -> None:
        with self.transaction():
            self._db.execute("INSERT INTO meta VALUES ('readers', '1') ON CONFLICT DO NOTHING")

    def enter(self, name: str) -> bool:
        """Be the store of the index in a place, of which there may be several; whether it is a new one.
        What changes is listed for each of them."""
        row = self._db.one("SELECT id FROM places WHERE name = ?", (name,))
        new = row is None
        if new:
            insert = "INSERT INTO places (name) VALUES (?) RETURNING id"
            row = self._db.one(insert, (name,))
        self.place = int(row[0])
        return new

    def lock(self, *, wait: bool = True) -> AbstractContextManager[bool]:
        """One writer at a time; whether it is this one."""
        return self._db.lock(wait=wait)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on disk when it ends. Raises `StoreError` when it cannot be written."""
        try:
            with self._db.transaction():
                yield
        except BaseException:
            # Ids that were given in it were not.
            self._ids.clear()
            raise

    def snapshot(self) -> AbstractContextManager[None]:
        """What is read within is of one moment, whatever others write."""
        return self._db.snapshot()

    @property
    def name(self) -> str:
        """Where the store is, without a password."""
        return self._db.name

    def damage(self) -> list[str]:
        """What the database itself finds damaged."""
        return self._db.damage()

    def close(self) -> None:
        self._db.close()

    @property
    def state(self) -> object:
        """Changes whenever the database does, by whoever."""
        return self._db.state

    def remembered(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """What `make` gave in the present state of the database: for answers that look at all of it."""
        state = self.state
        known = self._remembered.get(key)
        if known is None or known[0] != state:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = (state, make())
        value: _Value = known[1]
        return value

    # Labels

    def labels(self) -> dict[int, Label]:
        rows = self._db.execute("SELECT id, classification, captions FROM labels")
        return {row[0]: Label(row[1], tuple(row[2].split("|")) if row[2] else ()) for row in rows}

    def label_id(self, label: Label) -> int:
        """The id of a label, given to it if it has none."""
        return self._id_of(
            label,
            "SELECT id FROM labels WHERE classification = ? AND captions = ?",
            "INSERT INTO labels (classification, captions) VALUES (?, ?) RETURNING id",
            (label.classification, "|".join(label.captions)),
        )

    def _station(self, name: str) -> int:
        return self._id_of(
            name,
            "SELECT id FROM stations WHERE name = ?",
            "INSERT INTO stations (name) VALUES (?) RETURNING id",
            (name,),
        )

    def _id_of(self, what: Label | str, find: str, give: str, values: tuple[str, ...]) -> int:
        if (known := self._ids.get(what)) is None:
            row = self._db.one(find, values)
            if row is None:
                row = self._db.one(give, values)
            known = self._ids[what] = int(row[0])
        return known

    # Filing

    def next_id(self) -> int:
        (last,) = self._db.one("SELECT max(id) FROM documents")
        return (last or 0) + 1

    def insert(self, documents: list[New]) -> None:
        """Add documents. They are listed as not indexed yet if they are reading copies."""
        add = self._db.executemany
        add(_ADD_DOCUMENT, [msgspec.structs.astuple(each.row) for each in documents])
        add(
            "INSERT INTO texts VALUES (?, ?, ?, ?)",
            [(each.row.id, each.dictionary, each.source, each.record) for each in documents],
        )
        add(
            "INSERT INTO citations (post, year, number, document, label, how)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (c.post, c.year, c.number, each.row.id, each.row.label, c.how)
                for each in documents
                for c in each.cited
            ],
        )
        add(
            "INSERT INTO continuity (originator, addressee, sent, document, number)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (
                    self._station(c.originator),
                    self._station(c.addressee),
                    each.row.sent,
                    each.row.id,
                    c.number,
                )
                for each in documents
                if each.row.sent is not None
                for c in each.continuity
            ],
        )
        add(
            "INSERT INTO lost VALUES (?, ?)",
            [(each.row.id, each.lost) for each in documents if each.lost is not None],
        )
        places = self._db.execute("SELECT id FROM places")
        add(
            "INSERT INTO unindexed (place, document, label) VALUES (?, ?, ?)",
            [
                (place, each.row.id, each.row.label)
                for each in documents
                if each.row.reading
                for (place,) in places
            ],
        )

    def refuse(self, digest: bytes, reason: str) -> None:
        """Remember that a text is no telegram, and why."""
        insert = "INSERT INTO refused VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._db.execute(insert, (digest, reason))

    def had(self, file: SourceFile) -> int:
        """How many inputs of a file, as it is, have been dealt with; `sources.ALL` when it has no more."""
        query = "SELECT inputs FROM had WHERE path = ? AND size = ? AND modified = ?"
        row = self._db.one(query, (file.path, file.size, file.modified))
        return int(row[0]) if row else 0

    def set_had(self, file: SourceFile, inputs: int) -> None:
        self._db.execute(
            "INSERT INTO had VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " size = excluded.size, modified = excluded.modified, inputs = excluded.inputs",
            (file.path, file.size, file.modified, inputs),
        )

    def set_reading(self, row: Row, reading: bool) -> None:
        """Whether a document is the copy to read under its label; the index has to follow."""
        update = "UPDATE documents SET reading = ? WHERE id = ?"
        self._db.execute(update, (int(reading), row.id))
        self.mark_unindexed(row.id, row.label)

    def part(self, row: Row) -> None:
        """Make a document a telegram of its own."""
        self._db.execute("UPDATE documents SET telegram = id WHERE id = ?", (row.id,))
        self._db.execute("DELETE FROM spread WHERE telegram = ?", (row.telegram,))

    def merge(self, telegram: int, into: int) -> None:
        """Make the copies of one telegram copies of another: both are one, as a further copy shows."""
        self._db.execute(
            "UPDATE documents SET telegram = ? WHERE id = ? OR (telegram = ? AND telegram <> id)",
            (into, telegram, telegram),
        )
        self._db.execute("DELETE FROM spread WHERE telegram = ?", (telegram,))

    def set_label(self, row: Row, label: int, opens: int | None = None) -> None:
        """Put a document under another label, until it falls open on a day; both indexes have to follow."""
        update = "UPDATE documents SET label = ?, opens = ? WHERE id = ?"
        self._db.execute(update, (label, opens, row.id))
        self._db.execute("UPDATE citations SET label = ? WHERE document = ?", (label, row.id))
        self.mark_unindexed(row.id, row.label)
        self.mark_unindexed(row.id, label)

    def mark_spread(self, telegram: int) -> None:
        """Note that copies of a telegram lie under several labels."""
        self._db.execute("INSERT INTO spread VALUES (?) ON CONFLICT DO NOTHING", (telegram,))

    def opened_by(self, day: int) -> list[int]:
        """Ids of the documents that fall open on or before a day and are classified still."""
        query = (
            "SELECT d.id FROM documents d JOIN labels l ON l.id = d.label"
            " WHERE d.opens <= ? AND l.classification <> '' ORDER BY d.id"
        )
        return [row[0] for row in self._db.execute(query, (day,))]

    def decide(
        self, digest: bytes, at: int, who: str, why: str, label: int | None, opens: int | None
    ) -> None:
        """Record a reviewer's decision on a document: the label that it has from then on, `None` for what
        its own markings say."""
        self._db.execute(
            "INSERT INTO decisions (digest, at, who, why, label, opens) VALUES (?, ?, ?, ?, ?, ?)",
            (digest, at, who, why, label, opens),
        )

    def decisions(self, digest: bytes) -> list[Decided]:
        """The decisions on a document, the oldest first."""
        query = "SELECT at, who, why, label, opens FROM decisions WHERE digest = ? ORDER BY id"
        return [Decided(*row) for row in self._db.execute(query, (digest,))]

    # Finding

    def counts(self, labels: Labels) -> dict[int, int]:
        """Label → how many telegrams there are under it, copies of one counted once."""
        where = f"reading = 1 AND {within(labels)}"
        query = f"SELECT label, count(*) FROM documents WHERE {where} GROUP BY label"
        return dict(self._db.execute(query))

    def holds(self, digest: bytes) -> bool:
        query = "SELECT 1 FROM documents WHERE digest = ?"
        return self._db.one(query, (digest,)) is not None

    def among(self, digests: list[bytes]) -> dict[bytes, str | None]:
        """Those of some digests that need not be read again: held (`None`), or refused, and why."""
        found: dict[bytes, str | None] = {}
        for at in range(0, len(digests), _AT_A_TIME):
            some = digests[at : at + _AT_A_TIME]
            marks = ", ".join("?" * len(some))
            query = (
                f"SELECT digest, NULL FROM documents WHERE digest IN ({marks})"
                f" UNION ALL SELECT digest, reason FROM refused WHERE digest IN ({marks})"
            )
            found.update(self._db.execute(query, (*some, *some)))
        return found

    def by_id(self, document: int) -> Row | None:
        rows = self._rows("id = ?", (document,))
        return rows[0] if rows else None

    def cited_between(
        self, first: int, last: int
    ) -> dict[int, set[tuple[str, int, int, int, int]]]:
        """Document → what it cites, with how and the label kept there, for ids from one to another."""
        found: dict[int, set[tuple[str, int, int, int, int]]] = {}
        query = (
            "SELECT document, post, year, number, how, label FROM citations"
            " WHERE document >= ? AND document <= ?"
        )
        for document, *cited in self._db.execute(query, (first, last)):
            found.setdefault(document, set()).add(tuple(cited))
        return found

    def by_digest(self, prefix: str, labels: Labels) -> Row | None:
        """The document whose digest begins so (in hexadecimal), if there is exactly one."""
        if not prefix or len(prefix) > 64 or any(c not in "0123456789abcdef" for c in prefix):
            return None
        first = bytes.fromhex(prefix.ljust(64, "0"))
        last = bytes.fromhex(prefix.ljust(64, "f"))
        where = f"digest >= ? AND digest <= ? AND {within(labels)} LIMIT 2"
        rows = self._rows(where, (first, last))
        return rows[0] if len(rows) == 1 else None

    def by_number(self, number: Number, labels: Labels | None = None) -> list[Row]:
        """All documents with a number, sections in order, the best copies first."""
        of_these = f" AND {within(labels)}" if labels is not None else ""
        order = "ORDER BY section NULLS FIRST, quality DESC, digest"
        return self._rows(f"post = ? AND year = ? AND number = ?{of_these} {order}", number)

    def numbered(self, post: str, year: int, labels: Labels) -> list[Row]:
        """The documents of a post and year."""
        return self._rows(f"post = ? AND year = ? AND {within(labels)}", (post, year))

    def among_numbers(self, numbers: Iterable[Number]) -> set[Number]:
        """Those of some numbers that a document has."""
        return self._among("post, year, number", list(numbers))

    def among_times(self, times: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
        """Those of some posts and minutes in which the post sent a document."""
        return self._among("post, sent", list(times))

    def _among(self, columns: str, wanted: list[Any]) -> set[Any]:
        names = columns.split(", ")
        same = " AND ".join(f"d.{name} = w.{name}" for name in names)
        found: set[Any] = set()
        for at in range(0, len(wanted), _AT_A_TIME):
            some = wanted[at : at + _AT_A_TIME]
            marks = ", ".join([f"({', '.join('?' * len(names))})"] * len(some))
            query = (
                f"WITH wanted ({columns}) AS (VALUES {marks})"
                f" SELECT {', '.join(f'w.{name}' for name in names)} FROM wanted w"
                f" WHERE EXISTS (SELECT 1 FROM documents d WHERE {same})"
            )
            found.update(self._db.execute(query, [value for each in some for value in each]))
        return found

    def by_time(self, sent: int, post: str) -> list[Row]:
        """The documents of a post that were sent in one minute."""
        return self._rows("sent = ? AND post = ? ORDER BY id", (sent, post))

    def copies(self, telegram: int, labels: Labels | None = None) -> list[Row]:
        """All copies of a telegram, the best first."""
        of_these = f" AND {within(labels)}" if labels is not None else ""
        where = f"(id = ? OR (telegram = ? AND telegram <> id)){of_these}"
        return self._rows(f"{where} ORDER BY quality DESC, digest", (telegram, telegram))

    def further_copies(self) -> dict[int, int]:
        """Document → its telegram, of those that are further copies of one."""
        return dict(self._db.execute("SELECT id, telegram FROM documents WHERE telegram <> id"))

    def citing(self, number: Number, labels: Labels) -> list[int]:
        """Ids of the documents that cite a number, each telegram's best copy, the oldest first."""
        rows = self._db.execute(
            "SELECT d.id, d.telegram FROM citations c JOIN documents d ON d.id = c.document"
            f" WHERE c.post = ? AND c.year = ? AND c.number = ? AND {within(labels, 'd.')}"
            " ORDER BY d.sent IS NULL, d.sent, d.quality DESC, d.digest",
            number,
        )
        best: dict[int, int] = {}
        for document, telegram in rows:
            best.setdefault(telegram, document)
        return list(best.values())

    def lost(self, document: int) -> str | None:
        """Why a document has no text; `None` where it has one."""
        rows = self.select("SELECT why FROM lost WHERE document = ?", (document,))
        return rows[0][0] if rows else None

    def held(self, numbers: Iterable[Number], labels: Labels) -> frozenset[Number]:
        query = (
            "SELECT 1 FROM documents WHERE post = ? AND year = ? AND number = ?"
            f" AND {within(labels)} LIMIT 1"
        )
        return frozenset(number for number in set(numbers) if self._db.one(query, number))

    def last_number(self, post: str, year: int, labels: Labels) -> int | None:
        """The highest number held of a post in a year."""
        query = (
            f"SELECT max(number) FROM documents WHERE post = ? AND year = ? AND {within(labels)}"
        )
        (last,) = self._db.one(query, (post, year))
        return int(last) if last is not None else None

    def ids(self) -> Iterator[int]:
        return (row.id for row in self.all_rows())

    def all_rows(self) -> Iterator[Row]:
        """Every document, in the order of filing."""
        last = 0
        while some := self._rows("id > ? ORDER BY id LIMIT 1000", (last,)):
            yield from some
            last = some[-1].id

    def under(self, label: int) -> list[int]:
        """Ids of the reading copies under a label."""
        query = "SELECT id FROM documents WHERE label = ? AND reading = 1 ORDER BY id"
        return [document for (document,) in self._db.execute(query, (label,))]

    def between(self, first: int, last: int) -> list[Row]:
        """The documents with ids from one to another."""
        return self._rows("id >= ? AND id <= ? ORDER BY id", (first, last))

    def some(self, documents: Collection[int]) -> list[Row]:
        """Those of a few documents that are held."""
        marks = ", ".join("?" * len(documents))
        return self._rows(f"id IN ({marks}) ORDER BY id", tuple(documents))

    def telegram(self, document: int, *, elements: bool = True) -> Telegram:
        """The record with its source, with its elements or, for what asks for none of them, without.
        Raises `DamagedError` if either is damaged."""
        try:
            dictionary, source, record = self._packed(document)
            return unpack(source, record, self.dictionary(dictionary), elements=elements)
        except DamagedError as error:
            raise DamagedError(f"{self._named(document)}: {error}") from error

    def text(self, document: int) -> str:
        """The exact text alone. Raises `DamagedError`."""
        try:
            dictionary, source, _ = self._packed(document)
            return unpack_text(source, self.dictionary(dictionary))
        except DamagedError as error:
            raise DamagedError(f"{self._named(document)}: {error}") from error

    def _named(self, document: int) -> str:
        """A document as people can ask for it, where its row can be read."""
        row = None
        with suppress(BrokenStoreError):
            row = self.by_id(document)
        if row is None:
            return f"document {document}"
        return f"document {row.digest.hex()[:16]}{f' ({row.mrn.short})' if row.mrn else ''}"

    def put(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Add whole rows to a table."""
        marks = ", ".join("?" * len(rows[0]))
        self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def count_on(self) -> None:
        """Give new rows the numbers behind those that were put."""
        self._db.count_on(("labels", "stations", "decisions"))

    def select(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, for the modules that follow numbers and citations (graph.py, gaps.py)."""
        return self._db.execute(query, tuple(values))

    def _packed(self, document: int) -> tuple[int, bytes, bytes]:
        query = "SELECT dictionary, source, record FROM texts WHERE document = ?"
        try:
            row = self._db.one(query, (document,))
        except BrokenStoreError as error:
            raise DamagedError(f"its text lies on a damaged page: {error}") from error
        if row is None:
            raise DamagedError("there is no text of it")
        return row[0], row[1], row[2]

    def dictionary(self, number: int) -> Dictionary:
        """A dictionary by its number. Raises `DamagedError`."""
        if (found := self._dictionaries.get(number)) is None:
            query = "SELECT id, text, record FROM dictionaries WHERE id = ?"
            row = self._db.one(query, (number,))
            if row is None:
                raise DamagedError(f"there is no dictionary {number}")
            found = self._dictionaries[number] = Dictionary(*row)
        return found

    def newest_dictionary(self) -> Dictionary:
        (number,) = self._db.one("SELECT max(id) FROM dictionaries")
        return self.dictionary(number or 0)

    def add_dictionary(self, dictionary: Dictionary) -> None:
        values = (dictionary.number, dictionary.text, dictionary.record)
        self._db.execute("INSERT INTO dictionaries VALUES (?, ?, ?)", values)

    def _rows(self, where: str, values: tuple[Any, ...]) -> list[Row]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM documents WHERE {where}", values)
        # SQLite's 0 and 1 serve as truth values.
        return [Row(*row) for row in rows]
