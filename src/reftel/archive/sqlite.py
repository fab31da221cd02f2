"""The database of an archive on one machine: a file of SQLite."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reftel.archive.model import BrokenStoreError, ReadOnlyError, StoreError

_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_CLOSED_FOLDER = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))


class SqliteDatabase:
    """One connection. Every error is a `StoreError` that says what to do."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.name = str(path)
        if not read_only and not path.exists():
            # What cannot be made SQLite itself says.
            with suppress(OSError):
                path.touch(0o600)
        with self._errors():
            self._db = connected(path, read_only=read_only)
            if read_only:
                self._db.execute("PRAGMA query_only = ON")
            else:
                # Some telegrams to a page, so that little of it is left over.
                self._db.execute("PRAGMA page_size = 32768")
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA cache_size = -64000")

    def create(self, schema: str) -> bool:
        """Make the tables if there are none, within a transaction; whether there were none."""
        if self.one("SELECT 1 FROM sqlite_master WHERE type = 'table'"):
            return False
        for statement in schema.split(";\n"):
            if statement.strip():
                self.execute(statement)
        return True

    def execute(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; the rows that it gives."""
        with self._errors():
            return self._db.execute(query, values).fetchall()

    def one(self, query: str, values: Sequence[Any] = ()) -> Any:
        """The first row that a statement gives, as a tuple, or `None`."""
        with self._errors():
            return self._db.execute(query, values).fetchone()

    def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._errors():
            self._db.executemany(query, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._errors():
                self._db.execute("COMMIT")
        except BaseException:
            # After some errors, such as a full disk, SQLite has rolled back already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read within is of one moment."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def count_on(self, tables: Iterable[str]) -> None:
        """SQLite takes the number behind the highest by itself."""

    @contextmanager
    def lock(self, *, wait: bool = True) -> Iterator[bool]:  # noqa: ARG002
        """The lock of the folder is enough."""
        yield True

    @property
    def state(self) -> object:
        """Changes whenever the database does, by whoever."""
        row = self.one("PRAGMA data_version")
        return row, self._db.total_changes

    def damage(self) -> list[str]:
        """What SQLite itself finds damaged: pages, and indexes that do not fit their tables."""
        try:
            found = [str(line) for (line,) in self.execute("PRAGMA integrity_check(20)")]
            found = [line for line in found if line != "ok"]
            for table, row, other, _ in self.execute("PRAGMA foreign_key_check"):
                found.append(f"row {row} of {table} belongs to nothing in {other}")
        except BrokenStoreError as error:
            return [str(error)]
        return found

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._said(error) from error

    def _said(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_NOTADB:
            return BrokenStoreError(f"{self.path} is no archive that can be used: {error}")
        if code in _DAMAGED:
            return BrokenStoreError(
                f"{self.path} is damaged: {error}; restore a backup, or take what can be read into a"
                " new archive with reftel archive salvage (docs/care.md)"
            )
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            return StoreError(
                f"{self.path} cannot be read or written: {error}; see whether its disk is full."
                " What was filed before is kept; give the same command again to go on."
            )
        if code == sqlite3.SQLITE_READONLY:
            return ReadOnlyError(f"{self.path} cannot be written: {error}")
        if code == sqlite3.SQLITE_BUSY:
            return StoreError(f"{self.path} is kept busy by another program; try again later")
        return StoreError(f"{self.path} cannot be used: {error}")


def connected(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection to a file. Raises `sqlite3.Error`, `StoreError`."""

    def connect(options: str) -> sqlite3.Connection:
        address = f"{path.absolute().as_uri()}{options}"
        return sqlite3.connect(
            address, uri=True, timeout=60, isolation_level=None, check_same_thread=False
        )

    if not read_only or is_writable(path.parent):
        return connect("")
    # Where nothing can be written SQLite cannot keep its log: it follows one that another process keeps,
    # and takes the file as it is if there is none.
    log = Path(f"{path}-wal")
    if not log.exists() or not log.stat().st_size:
        return connect("?immutable=1")
    if not Path(f"{path}-shm").exists():
        raise StoreError(
            f"{path} has a log that was not folded in, and its folder cannot be written: copy the folder"
            " to where it can, and open it there"
        )
    return connect("?mode=ro")


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder."""
    return os.access(folder, os.W_OK)


def says_read_only(error: OSError) -> bool:
    """Whether an error means that nothing can be written in a place."""
    return error.errno in _CLOSED_FOLDER
