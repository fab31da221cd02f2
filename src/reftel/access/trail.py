"""The audit trail: who searched for and opened what, when and from where; who was refused what.

One SQLite file beside the archive, append-only, its entries chained by a digest. A thread of its own writes
what many requests hand in, in one transaction (WAL, synchronous=FULL); a request goes on when its entries
are on disk. docs/access.md describes the file.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec

from reftel.access.chain import GENESIS, breaks, link
from reftel.tables.spreadsheet import csv_line

FILE = "audit.db"
FORMAT = 1
_SCHEMA = """
CREATE TABLE trail (format INTEGER NOT NULL);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL,
    kind TEXT NOT NULL, what TEXT NOT NULL, found INTEGER, chain BLOB NOT NULL
);
CREATE INDEX entry_who ON entry (who);
CREATE TABLE cut (id INTEGER NOT NULL, chain BLOB NOT NULL);
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
    BEGIN SELECT raise(ABORT, 'an entry of the audit trail is never changed'); END;
"""
_KEPT = """CREATE TRIGGER entry_kept BEFORE DELETE ON entry
    BEGIN SELECT raise(ABORT, 'an entry of the audit trail is never removed'); END;"""
_COLUMNS = "id, at, who, address, kind, what, found"
_MOST_AT_ONCE = 1000
# A query has at most four thousand characters.
_LONGEST = 4200


class TrailError(RuntimeError):
    """The trail cannot be written or read; the message says why."""


class Deed(msgspec.Struct, frozen=True):
    """What was asked for: `search`, `export` (query, and how many were found), `open` (digest), `refused`
    (what was asked for and is held, but not for this reader: the answer was that it is not), `card`
    (its withdrawal card was shown), `not-held` (the number or digest), `decide` (what a reviewer put under
    which label), `log-in`, `log-out`, `prune`."""

    kind: str
    what: str
    found: int | None = None


class Entry(msgspec.Struct, frozen=True):
    """A line of the trail: when (seconds since 1970, UTC), who, from which address, what."""

    id: int
    at: float
    who: str
    address: str
    kind: str
    what: str
    found: int | None

    @property
    def time(self) -> str:
        """When, in ISO 8601 UTC."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Trail:
    """The audit trail of one archive, open to be written and read."""

    def __init__(self, path: Path) -> None:
        """Raises `TrailError`."""
        self.path = path
        try:
            self._db = _connect(path)
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name='trail'").fetchone():
                self._db.executescript(
                    f"BEGIN IMMEDIATE;{_SCHEMA}{_KEPT}INSERT INTO trail VALUES ({FORMAT});COMMIT;"
                )
                path.chmod(0o600)
            (found,) = self._db.execute("SELECT format FROM trail").fetchone()
            self._reader = _connect(path)
            self._file = _inode(path)
        except (sqlite3.Error, OSError) as error:
            raise TrailError(f"{path}: {error}") from error
        if found > FORMAT:
            raise TrailError(f"{path} has format {found}; this version reads up to {FORMAT}")
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="audit", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End when all that was handed in is written."""
        self._queue.put(None)
        self._thread.join()
        self._db.close()
        self._reader.close()

    # Writing

    def write(self, who: str, address: str, deeds: Iterable[Deed]) -> Future[None]:
        """Hand in what somebody did; the future is done when it is on disk, or has a `TrailError`."""
        at = time.time()
        rows = [
            (at, _storable(who), _storable(address), each.kind, _storable(each.what), each.found)
            for each in deeds
        ]
        told: Future[None] = Future()
        # Whoever goes away before it is written takes nothing back: it was asked for.
        told.set_running_or_notify_cancel()
        self._queue.put((rows, told))
        return told

    def _write_all(self) -> None:
        ended = False
        while not ended:
            jobs = [self._queue.get()]
            while len(jobs) < _MOST_AT_ONCE and not self._queue.empty():
                jobs.append(self._queue.get())
            ended = None in jobs
            some = [job for job in jobs if job is not None]
            error = self._commit([row for rows, _ in some for row in rows])
            for _, told in some:
                if error is None:
                    told.set_result(None)
                else:
                    told.set_exception(error)

    def _commit(self, rows: Sequence[tuple[Any, ...]]) -> TrailError | None:
        if not rows:
            return None
        # Whatever it is that goes wrong, somebody waits to be told; and the next entries are to be written.
        try:
            if _inode(self.path) != self._file:
                raise OSError("it is not the file any more that was opened; start again")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._append(self._db, rows)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except Exception as error:
            return TrailError(f"{self.path} cannot be written: {error}")
        return None

    @classmethod
    def _append(cls, db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        number, chain = cls._last(db)
        for row in rows:
            number += 1
            chain = link(chain, number, row)
            db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, *row, chain))

    @staticmethod
    def _last(db: sqlite3.Connection) -> tuple[int, bytes]:
        """Number and digest of the last entry, or of the last that was removed."""
        row = db.execute("SELECT id, chain FROM entry ORDER BY id DESC LIMIT 1").fetchone()
        row = row or db.execute("SELECT id, chain FROM cut").fetchone()
        return row or (0, GENESIS)

    def prune(self, before: float, who: str) -> int:
        """Remove the entries from before a time (seconds since 1970); how many. The digest of the last of
        them is kept, so that the rest can still be verified, and an entry says who removed them.

        Raises `TrailError`."""
        db = _connect(self.path)
        try:
            db.execute("BEGIN IMMEDIATE")
            last = db.execute(
                "SELECT id, chain FROM entry WHERE id < (SELECT coalesce(min(id), 1 << 60)"
                " FROM entry WHERE at >= ?) ORDER BY id DESC LIMIT 1",
                (before,),
            ).fetchone()
            if last is None:
                db.execute("ROLLBACK")
                return 0
            (removed,) = db.execute(
                "SELECT count(*) FROM entry WHERE id <= ?", (last[0],)
            ).fetchone()
            what = f"{removed} entries, {_removed(*last)}"
            row = (time.time(), _storable(who), "", "prune", what, removed)
            self._append(db, [row])
            db.execute("DROP TRIGGER entry_kept")
            db.execute("DELETE FROM cut")
            db.execute("INSERT INTO cut VALUES (?, ?)", last)
            db.execute("DELETE FROM entry WHERE id <= ?", (last[0],))
            db.execute(_KEPT)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise TrailError(f"{self.path} cannot be written: {error}") from error
        finally:
            db.close()
        return int(removed)

    # Reading

    def head(self) -> tuple[int, str]:
        """Number and digest of the last entry: kept elsewhere, it proves that nothing was cut off."""
        number, chain = self._last(self._reader)
        return number, chain.hex()

    def verify(self, head: tuple[int, str] | None = None) -> Iterator[str]:
        """Everything that is wrong with the trail; also whether it goes on from a head kept elsewhere."""
        try:
            for (line,) in self._reader.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    yield f"the file: {line}"
            cut = self._reader.execute("SELECT id, chain FROM cut").fetchone()
            first, chain = cut or (0, GENESIS)
            rows = self._reader.execute(f"SELECT {_COLUMNS}, chain FROM entry ORDER BY id")
            yield from breaks(rows, chain, first + 1)
            said = "SELECT 1 FROM entry WHERE kind = 'prune' AND instr(what, ?) > 0"
            if cut and not self._reader.execute(said, (_removed(*cut),)).fetchone():
                yield f"the entries up to {first} are not there, and no entry says who removed them"
            if head is not None:
                row = self._reader.execute(
                    "SELECT id, chain FROM entry WHERE id = ? UNION SELECT id, chain FROM cut"
                    " WHERE id = ?",
                    (head[0], head[0]),
                ).fetchone()
                if row is None and head[0] < first:
                    yield f"entry {head[0]} was removed with those up to {first}; keep a newer head"
                elif row is None and head[0]:
                    yield f"entry {head[0]} is missing: the trail was cut off or begun anew"
                elif row is not None and row[1].hex() != head[1]:
                    yield f"entry {head[0]} is not the one whose digest was kept: the trail was altered"
        except sqlite3.DatabaseError as error:
            yield f"a part cannot be read: {error}"

    def entries(
        self,
        *,
        who: str | None = None,
        kind: str | None = None,
        words: str | None = None,
        since: float | None = None,
        last: int | None = None,
    ) -> Iterator[Entry]:
        """Entries, oldest first: of a reader, of a kind, with words in what was asked for, since a time
        (seconds since 1970); the newest `last` of them."""
        where: list[str] = ["1"]
        values: list[Any] = []
        for condition, value in (
            ("who = ?", who),
            ("kind = ?", kind),
            ("instr(lower(what), lower(?)) > 0", words),
            ("at >= ?", since),
        ):
            if value is not None:
                where.append(condition)
                values.append(value)
        sql = f"SELECT {_COLUMNS} FROM entry WHERE {' AND '.join(where)} ORDER BY id"
        if last is not None:
            sql = f"SELECT * FROM ({sql} DESC LIMIT {last:d}) ORDER BY id"
        for row in self._reader.execute(sql, values):
            yield Entry(*row)


_Job = tuple[list[tuple[Any, ...]], "Future[None]"]


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """A table of entries, line by line."""
    yield csv_line(("id", "time", "who", "address", "kind", "what", "found"))
    for each in entries:
        found = "" if each.found is None else each.found
        yield csv_line((each.id, each.time, each.who, each.address, each.kind, each.what, found))


def _removed(number: int, chain: bytes) -> str:
    return f"the last of them {number}, its digest {chain.hex()}"


def _storable(text: str) -> str:
    """Without halves of characters, which no database takes; what is cut off is marked."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection
