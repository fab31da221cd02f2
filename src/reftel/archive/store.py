"""The truth: an SQLite database of sources, records and what they cite (docs/archive-format.md)."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from reftel.telegram import Telegram

FORMAT = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    filed TEXT NOT NULL,
    mrn TEXT,
    section INTEGER,
    sent TEXT,
    quality INTEGER NOT NULL,
    variant_of INTEGER REFERENCES documents (id),
    record BLOB NOT NULL,
    source BLOB NOT NULL
);
CREATE INDEX documents_mrn ON documents (mrn);
CREATE INDEX documents_variant ON documents (variant_of) WHERE variant_of IS NOT NULL;
CREATE TABLE citations (
    document INTEGER NOT NULL REFERENCES documents (id),
    mrn TEXT NOT NULL,
    PRIMARY KEY (mrn, document)
) WITHOUT ROWID;
CREATE TABLE unindexed (document INTEGER PRIMARY KEY);
"""


class StoreError(RuntimeError):
    """The folder holds no archive that this version can use; the message says what to do."""


class Row(msgspec.Struct, frozen=True):
    """A stored document without its text."""

    id: int
    digest: str
    origin: str
    filed: str
    mrn: str | None
    section: int | None
    quality: int
    variant_of: int | None


_COLUMNS = "id, digest, origin, filed, mrn, section, quality, variant_of"


class Store:
    """One connection to the database; every write happens inside `transaction()`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(
                path, timeout=60, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except sqlite3.DatabaseError as error:
            message = f"{path} is no archive that can be used: {error}"
            raise StoreError(message) from error

    def _prepare(self) -> None:
        with self.transaction():
            tables = self._db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
            if not tables:
                for statement in _SCHEMA.split(";\n"):
                    if statement.strip():
                        self._db.execute(statement)
                self._db.execute("INSERT INTO meta VALUES ('format', ?)", (str(FORMAT),))
        row = self._db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        if row is None or int(row[0]) > FORMAT:
            found = row[0] if row else "none"
            raise StoreError(f"{self._path} has format {found}; this version reads up to {FORMAT}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()

    def insert(
        self,
        digest: str,
        origin: str,
        filed: str,
        telegram: Telegram,
        quality: int,
        variant_of: int | None,
    ) -> int:
        """Add a document; its id. It is listed as not indexed yet."""
        cursor = self._db.execute(
            "INSERT INTO documents (digest, origin, filed, mrn, section, sent, quality, variant_of,"
            " record, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                digest,
                origin,
                filed,
                telegram.mrn.short if telegram.mrn else None,
                telegram.section.number if telegram.section else None,
                telegram.dtg,
                quality,
                variant_of,
                _pack_record(telegram),
                zlib.compress(telegram.source.encode("utf-8", "surrogatepass"), 6),
            ),
        )
        document = cursor.lastrowid
        assert document is not None
        cited = {reference.mrn for reference in telegram.references if reference.mrn}
        self._db.executemany(
            "INSERT OR IGNORE INTO citations (document, mrn) VALUES (?, ?)",
            [(document, mrn) for mrn in cited],
        )
        self.mark_unindexed(document)
        return document

    def make_variant(self, document: int, reading_copy: int) -> None:
        """Let another document be the reading copy of this one and of its variants."""
        self._db.execute(
            "UPDATE documents SET variant_of = ? WHERE id = ? OR variant_of = ?",
            (reading_copy, document, document),
        )
        self.mark_unindexed(document)

    def mark_unindexed(self, document: int) -> None:
        self._db.execute("INSERT OR IGNORE INTO unindexed VALUES (?)", (document,))

    def mark_all_unindexed(self) -> None:
        self._db.execute("INSERT OR IGNORE INTO unindexed SELECT id FROM documents")

    def unindexed(self, limit: int) -> list[int]:
        rows = self._db.execute(
            "SELECT document FROM unindexed ORDER BY document LIMIT ?", (limit,)
        )
        return [row[0] for row in rows]

    def mark_indexed(self, documents: Iterable[int]) -> None:
        self._db.executemany("DELETE FROM unindexed WHERE document = ?", [(d,) for d in documents])

    def count(self) -> int:
        """How many documents there are that are no variant of another."""
        row = self._db.execute("SELECT count(*) FROM documents WHERE variant_of IS NULL").fetchone()
        return int(row[0])

    def holds(self, digest: str) -> bool:
        query = "SELECT 1 FROM documents WHERE digest = ?"
        return self._db.execute(query, (digest,)).fetchone() is not None

    def by_id(self, document: int) -> Row | None:
        return self._one("id = ?", (document,))

    def by_digest(self, prefix: str) -> Row | None:
        """The document whose digest begins so, if there is exactly one."""
        if not prefix or any(c not in "0123456789abcdef" for c in prefix):
            return None
        rows = self._rows("digest >= ? AND digest < ? LIMIT 2", (prefix, prefix + "g"))
        return rows[0] if len(rows) == 1 else None

    def by_mrn(self, mrn: str) -> list[Row]:
        """All documents with a number, reading copies first, sections in order, oldest first."""
        return self._rows("mrn = ? ORDER BY variant_of IS NOT NULL, section, id", (mrn,))

    def variants(self, document: int) -> list[Row]:
        return self._rows("variant_of = ? ORDER BY id", (document,))

    def citing(self, mrn: str) -> list[int]:
        """Ids of the reading copies that cite a number, oldest telegram first."""
        rows = self._db.execute(
            "SELECT d.id FROM citations c JOIN documents d ON d.id = c.document"
            " WHERE c.mrn = ? AND d.variant_of IS NULL ORDER BY d.sent IS NULL, d.sent, d.id",
            (mrn,),
        )
        return [row[0] for row in rows]

    def held(self, mrns: Iterable[str]) -> frozenset[str]:
        query = "SELECT 1 FROM documents WHERE mrn = ? LIMIT 1"
        return frozenset(mrn for mrn in set(mrns) if self._db.execute(query, (mrn,)).fetchone())

    def last_number(self, post: str, year: int) -> int | None:
        """The highest number held of a post in a year."""
        start = f"{year % 100:02d}{post}"
        row = self._db.execute(
            "SELECT max(CAST(substr(mrn, ?) AS INTEGER)) FROM documents WHERE mrn GLOB ?",
            (len(start) + 1, f"{start}[0-9]*"),
        ).fetchone()
        return int(row[0]) if row[0] is not None else None

    def ids(self) -> Iterator[int]:
        for row in self._db.execute("SELECT id FROM documents ORDER BY id"):
            yield int(row[0])

    def telegram(self, document: int) -> Telegram:
        """The record with its source. Raises `StoreError` if either is damaged."""
        row = self._db.execute(
            "SELECT record, source FROM documents WHERE id = ?", (document,)
        ).fetchone()
        if row is None:
            raise StoreError(f"there is no document {document}")
        try:
            source = zlib.decompress(row[1]).decode("utf-8", "surrogatepass")
            return _unpack_record(row[0], source)
        except (zlib.error, UnicodeDecodeError, msgspec.MsgspecError) as error:
            raise StoreError(f"document {document} is damaged: {error}") from error

    def _one(self, where: str, values: tuple[object, ...]) -> Row | None:
        rows = self._rows(where, values)
        return rows[0] if rows else None

    def _rows(self, where: str, values: tuple[object, ...]) -> list[Row]:
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM documents WHERE {where}", values)
        return [Row(*row) for row in rows]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Telegram)


def _pack_record(telegram: Telegram) -> bytes:
    return zlib.compress(_encoder.encode(msgspec.structs.replace(telegram, source="")), 1)


def _unpack_record(packed: bytes, source: str) -> Telegram:
    record = _decoder.decode(zlib.decompress(packed))
    return msgspec.structs.replace(record, source=source)
