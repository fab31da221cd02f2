"""The journal: every message and every change of its state, on disk before anything is acknowledged.

One SQLite file, written by one thread: what many senders hand in while a commit runs goes into the next
one (group commit, WAL, synchronous=FULL). `entry` is what happened, append-only, each row chained to the
one before by a digest; `message` holds the bytes as received; the other tables are the state that follows
from them, changed in the same transaction, so that a start needs no replay.

docs/journal.md describes the file well enough to read it without Reftel.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec

FORMAT = 1
_GENESIS = b"\0" * 16
_LARGEST_COMMIT = 512
_SCHEMA = """
CREATE TABLE message (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, circuit TEXT NOT NULL, hop TEXT,
    name TEXT, bytes BLOB NOT NULL, digest BLOB NOT NULL
);
CREATE INDEX message_name ON message (name) WHERE name IS NOT NULL;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, message INTEGER,
    circuit TEXT, hop TEXT, who TEXT, detail TEXT NOT NULL, chain BLOB NOT NULL
);
CREATE INDEX entry_message ON entry (message) WHERE message IS NOT NULL;
CREATE INDEX entry_hop ON entry (hop) WHERE hop IS NOT NULL;
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
    BEGIN SELECT raise(ABORT, 'an entry of the journal is never changed'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry
    BEGIN SELECT raise(ABORT, 'an entry of the journal is never removed'); END;
CREATE TABLE duty (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL, circuit TEXT NOT NULL, rank INTEGER NOT NULL,
    at REAL NOT NULL, letter TEXT NOT NULL, routing TEXT NOT NULL, pilot TEXT,
    hop TEXT, link INTEGER, note TEXT
);
CREATE TABLE handled (
    name TEXT NOT NULL, indicator TEXT NOT NULL, content TEXT NOT NULL, message INTEGER NOT NULL,
    PRIMARY KEY (name, indicator)
) WITHOUT ROWID;
CREATE TABLE value (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE awaited (
    kind TEXT NOT NULL, name TEXT NOT NULL, circuit TEXT NOT NULL, at REAL NOT NULL,
    letter TEXT NOT NULL, reminded INTEGER NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE reading (
    office TEXT NOT NULL, message INTEGER NOT NULL, at REAL NOT NULL, why TEXT NOT NULL,
    PRIMARY KEY (office, message)
) WITHOUT ROWID;
CREATE TABLE journal (format INTEGER NOT NULL);
"""

_ADD_MESSAGE = "INSERT INTO message VALUES (?,?,?,?,?,?,?)"
_ADD_ENTRY = "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?)"
_ADD_HANDLED = "INSERT OR IGNORE INTO handled VALUES (?,?,?,?)"
_ADD_DUTY = "INSERT INTO duty VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_SET = "INSERT INTO value VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class JournalError(RuntimeError):
    """The journal cannot be written or read; the message says why and what to do."""


class Entry(msgspec.Struct, frozen=True):
    """One thing that happened: when (seconds since 1970, UTC), of what kind, to which message, on which
    circuit under which channel number, who did it, and what else is to be said (JSON)."""

    id: int
    at: float
    kind: str
    message: int | None
    circuit: str | None
    hop: str | None
    who: str | None
    detail: dict[str, Any]


class Duty(msgspec.Struct):
    """A message that is still to go over a circuit (or to be delivered here, or looked at).

    `rank` and `id` order it; `hop` and `link` are the numbers of a transmission that has begun and is not
    known to have ended.
    """

    id: int
    message: int
    circuit: str
    rank: int
    at: float
    letter: str
    routing: tuple[str, ...]
    pilot: str | None = None
    hop: str | None = None
    link: int | None = None
    note: str | None = None


class Awaited(msgspec.Struct):
    """An answer that is awaited: an open channel number, a repeat asked for, a person's acknowledgement."""

    kind: str
    name: str
    circuit: str
    at: float
    letter: str
    reminded: int = 0
    detail: dict[str, Any] = {}


class Changes:
    """What one step writes, all of it or nothing."""

    __slots__ = ("entries", "handled", "messages", "others")

    def __init__(self) -> None:
        self.messages: list[tuple[Any, ...]] = []
        self.entries: list[tuple[Any, ...]] = []
        self.handled: list[tuple[Any, ...]] = []
        self.others: list[tuple[str, tuple[Any, ...]]] = []

    def message(
        self, number: int, at: float, circuit: str, hop: str | None, name: str | None, data: bytes
    ) -> None:
        digest = hashlib.blake2b(data, digest_size=16).digest()
        self.messages.append((number, at, circuit, hop, name, data, digest))

    def entry(
        self,
        kind: str,
        at: float,
        *,
        message: int | None = None,
        circuit: str | None = None,
        hop: str | None = None,
        who: str | None = None,
        **detail: Any,
    ) -> None:
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True) if detail else "{}"
        self.entries.append((at, kind, message, circuit, hop, who, text))

    def handle(self, name: str, indicator: str, content: str, message: int) -> None:
        self.handled.append((name, indicator, content, message))

    def add_duty(self, duty: Duty) -> None:
        self.others.append((_ADD_DUTY, _row(duty)))

    def change_duty(self, duty: Duty) -> None:
        sql = (
            "UPDATE duty SET circuit=?, rank=?, at=?, letter=?, routing=?, pilot=?, hop=?, link=?,"
            " note=? WHERE id=?"
        )
        self.others.append((sql, (*_row(duty)[2:], duty.id)))

    def end_duty(self, number: int) -> None:
        self.others.append(("DELETE FROM duty WHERE id=?", (number,)))

    def set(self, name: str, value: object) -> None:
        self.others.append((_SET, (name, str(value))))

    def await_answer(self, awaited: Awaited) -> None:
        row = (
            awaited.kind,
            awaited.name,
            awaited.circuit,
            awaited.at,
            awaited.letter,
            awaited.reminded,
            json.dumps(awaited.detail, ensure_ascii=False),
        )
        self.others.append(("INSERT OR REPLACE INTO awaited VALUES (?,?,?,?,?,?,?)", row))

    def end_awaited(self, kind: str, name: str) -> None:
        self.others.append(("DELETE FROM awaited WHERE kind=? AND name=?", (kind, name)))

    def read_by(self, office: str, message: int, at: float, why: str) -> None:
        sql = "INSERT OR IGNORE INTO reading VALUES (?,?,?,?)"
        self.others.append((sql, (office, message, at, why)))

    def __bool__(self) -> bool:
        return bool(self.messages or self.entries or self.handled or self.others)


def _row(duty: Duty) -> tuple[Any, ...]:
    return (
        duty.id,
        duty.message,
        duty.circuit,
        duty.rank,
        duty.at,
        duty.letter,
        " ".join(duty.routing),
        duty.pilot,
        duty.hop,
        duty.link,
        duty.note,
    )


def _duty(row: tuple[Any, ...]) -> Duty:
    values = (*row[:6], tuple(row[6].split()), *row[7:])
    return Duty(**dict(zip(Duty.__struct_fields__, values, strict=True)))


class Reader:
    """A journal to look into; its centre may be at work beside."""

    def __init__(self, path: Path) -> None:
        """Raises `FileNotFoundError` when there is no journal."""
        if not path.exists():
            raise FileNotFoundError(f"there is no journal {path}; has the centre run yet?")
        self.path = path
        self._reader = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def bytes_of(self, message: int) -> bytes:
        """The bytes of a message as they came. Raises `JournalError` if they are not what was written."""
        try:
            row = self._reader.execute(
                "SELECT bytes, digest FROM message WHERE id=?", (message,)
            ).fetchone()
        except sqlite3.Error as error:
            raise JournalError(f"message {message} cannot be read: {error}") from error
        if row is None:
            raise JournalError(f"message {message} is not in the journal")
        data: bytes = row[0]
        if hashlib.blake2b(data, digest_size=16).digest() != row[1]:
            raise JournalError(f"message {message} is damaged: its bytes do not match their digest")
        return data

    def last_ids(self) -> tuple[int, int]:
        """The highest numbers given to a message and to a duty."""
        (message,) = self._reader.execute("SELECT max(id) FROM message").fetchone()
        (duty,) = self._reader.execute("SELECT max(id) FROM duty").fetchone()
        stored = self.value("duty")
        return message or 0, max(duty or 0, int(stored or 0))

    def duties(self) -> list[Duty]:
        """What is still to be done, in the order in which it came."""
        rows = self._reader.execute("SELECT * FROM duty ORDER BY id").fetchall()
        return [_duty(row) for row in rows]

    def awaited(self) -> list[Awaited]:
        rows = self._reader.execute("SELECT * FROM awaited ORDER BY at").fetchall()
        names = Awaited.__struct_fields__
        return [
            Awaited(**dict(zip(names, (*row[:6], json.loads(row[6])), strict=True))) for row in rows
        ]

    def value(self, name: str) -> str | None:
        row = self._reader.execute("SELECT value FROM value WHERE name=?", (name,)).fetchone()
        return row[0] if row else None

    def values(self) -> dict[str, str]:
        return dict(self._reader.execute("SELECT name, value FROM value"))

    def handled(self, name: str) -> dict[str, tuple[str, int]]:
        """For which stations a message was taken on: routing indicator → (content, message)."""
        sql = "SELECT indicator, content, message FROM handled WHERE name=?"
        return {i: (content, m) for i, content, m in self._reader.execute(sql, (name,))}

    def messages_named(self, name: str) -> list[int]:
        """The messages with a station serial number (`QZBBNV 0412 1550842`), oldest first."""
        sql = "SELECT id FROM message WHERE name=? ORDER BY id"
        return [number for (number,) in self._reader.execute(sql, (name,))]

    def messages_like(self, words: str, limit: int = 100) -> list[int]:
        """The newest messages whose identification has these words in it, oldest first."""
        sql = "SELECT id FROM message WHERE name LIKE ? ESCAPE '!' ORDER BY id DESC LIMIT ?"
        escaped = words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        rows = self._reader.execute(sql, (f"%{escaped}%", limit)).fetchall()
        return sorted(number for (number,) in rows)

    def message(self, number: int) -> tuple[float, str, str | None, str | None] | None:
        """When a message came, by which circuit, under which channel number, and its identification."""
        sql = "SELECT at, circuit, hop, name FROM message WHERE id=?"
        row: tuple[float, str, str | None, str | None] | None = self._reader.execute(
            sql, (number,)
        ).fetchone()
        return row

    def entries(
        self, *, message: int | None = None, hop: str | None = None, after: int = 0, last: int = 0
    ) -> list[Entry]:
        """Entries of one message, of one channel number, or the newest `last` of all; oldest first."""
        where, values = ["id>?"], [after]
        if message is not None:
            where.append("message=?")
            values.append(message)
        if hop is not None:
            where.append("hop=?")
            values.append(hop)  # type: ignore[arg-type]
        columns = "id, at, kind, message, circuit, hop, who, detail"
        sql = f"SELECT {columns} FROM entry WHERE {' AND '.join(where)} ORDER BY id"
        if last:
            sql = f"SELECT * FROM ({sql} DESC LIMIT {last:d}) ORDER BY id"
        rows = self._reader.execute(sql, values).fetchall()
        names = Entry.__struct_fields__
        return [
            Entry(**dict(zip(names, (*row[:7], json.loads(row[7])), strict=True))) for row in rows
        ]

    def delivered(self, since: float) -> list[tuple[int, float]]:
        """The messages delivered here since a time, oldest first."""
        sql = "SELECT message, at FROM entry WHERE kind='delivered' AND at>=? ORDER BY id"
        return self._reader.execute(sql, (since,)).fetchall()

    def in_reading(self, office: str, limit: int = 100) -> list[tuple[int, float, str]]:
        """What lies in an office's reading queue: message, when it came, why; newest first."""
        sql = "SELECT message, at, why FROM reading WHERE office=? ORDER BY message DESC LIMIT ?"
        return self._reader.execute(sql, (office, limit)).fetchall()

    def verify(self) -> Iterator[str]:
        """Everything that is wrong with the file: the chain, the bytes, SQLite's own check."""
        for (line,) in self._reader.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield f"the file: {line}"
        yield from self._check_chain(0)
        numbers = [n for (n,) in self._reader.execute("SELECT id FROM message ORDER BY id")]
        for number in numbers:
            try:
                self.bytes_of(number)
            except JournalError as error:
                yield str(error)

    def head(self) -> tuple[int, str]:
        """Number and digest of the last entry: kept elsewhere, it proves that nothing was cut off."""
        row = self._reader.execute(
            "SELECT id, chain FROM entry ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return (row[0], row[1].hex()) if row else (0, _GENESIS.hex())

    def _check_chain(self, first: int) -> Iterator[str]:
        sql = "SELECT chain FROM entry WHERE id=?"
        row = self._reader.execute(sql, (first,)).fetchone()
        chain, expected = (row[0], first + 1) if row else (_GENESIS, None if first else 1)
        columns = "id, at, kind, message, circuit, hop, who, detail, chain"
        rows = self._reader.execute(f"SELECT {columns} FROM entry WHERE id>? ORDER BY id", (first,))
        for number, *values, kept in rows:
            if expected is not None and number != expected:
                yield f"entry {expected} is missing"
                chain = kept
            elif expected is not None and _link(chain, number, tuple(values)) != kept:
                yield f"entry {number} was altered: it does not follow from the one before"
            chain, expected = kept, number + 1


class Journal(Reader):
    """The journal of one centre. Opening it mends what a crash left and tells it in `found`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[str] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _only_one(path)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise JournalError(f"{path}: {error}") from None
            self._set_aside(str(error))
        self._jobs: queue.SimpleQueue[tuple[Changes, asyncio.Future[None] | None] | None] = (
            queue.SimpleQueue()
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    # Opening

    def _open(self) -> None:
        self._writer = _connect(self.path)
        self._reader = _connect(self.path)
        if not self._writer.execute("SELECT 1 FROM sqlite_master WHERE name='journal'").fetchone():
            self._writer.executescript(
                "BEGIN;" + _SCHEMA + f"INSERT INTO journal VALUES ({FORMAT});COMMIT;"
            )
        (format_,) = self._writer.execute("SELECT format FROM journal").fetchone()
        if format_ != FORMAT:
            raise JournalError(
                f"{self.path} has the format {format_}; this Reftel writes {FORMAT}. Upgrade Reftel."
            )
        row = self._writer.execute(
            "SELECT id, chain FROM entry ORDER BY id DESC LIMIT 1"
        ).fetchone()
        self._last_entry: int = row[0] if row else 0
        self._chain: bytes = row[1] if row else _GENESIS
        self._check_what_matters()

    def _check_what_matters(self) -> None:
        """At a start: the messages that are still to be moved, and the end of the chain."""
        sql = "SELECT DISTINCT message FROM duty ORDER BY message"
        for (number,) in self._writer.execute(sql).fetchall():
            try:
                self.bytes_of(number)
            except JournalError as error:
                self.found.append(str(error))
        first = max(self._last_entry - 2000, 0)
        self.found += [problem for problem in self._check_chain(first) if problem]

    def _set_aside(self, why: str) -> None:
        """A file that SQLite cannot use is kept, and what can be read of it goes into a new one."""
        for connection in ("_writer", "_reader"):
            with contextlib.suppress(AttributeError, sqlite3.Error):
                getattr(self, connection).close()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        aside = self.path.with_name(f"{self.path.stem}.damaged-{stamp}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            old = Path(f"{self.path}{suffix}")
            if old.exists():
                old.replace(f"{aside}{suffix}")
        counts = _salvage(aside, self.path)
        saved = ", ".join(f"{count} of {table}" for table, count in counts.items() if count)
        self.found.append(
            f"{self.path} is damaged ({why}); it is kept as {aside.name}, and what could be read is in a"
            f" new journal: {saved or 'nothing'}. Ask the neighbours for their last numbers (ZID)."
        )
        self._open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is waiting, and let go of the file."""
        self._jobs.put(None)
        self._thread.join()
        self._writer.close()
        self._reader.close()
        os.close(self._lock)

    # Writing

    async def commit(self, changes: Changes) -> None:
        """Returns when the changes are on disk. Raises `JournalError` when they cannot be."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        future = self._loop.create_future()
        self._jobs.put((changes, future))
        await future

    def commit_now(self, changes: Changes) -> None:
        """The same where no event loop runs: a command, a test."""
        self._write([changes])

    def _write_all(self) -> None:
        ending = False
        while not ending:
            batch = [self._jobs.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < _LARGEST_COMMIT:
                    batch.append(self._jobs.get_nowait())
            ending = None in batch
            jobs = [job for job in batch if job is not None]
            if not jobs:
                continue
            error: Exception | None = None
            try:
                self._write([changes for changes, _ in jobs])
            except Exception as failure:
                error = failure
            if self._loop is not None and not self._loop.is_closed():
                futures = [future for _, future in jobs if future is not None]
                self._loop.call_soon_threadsafe(_settle, futures, error)

    def _write(self, all_changes: Sequence[Changes]) -> None:
        writer = self._writer
        chain, last = self._chain, self._last_entry
        rows = []
        for changes in all_changes:
            for row in changes.entries:
                last += 1
                chain = _link(chain, last, row)
                rows.append((last, *row, chain))
        try:
            writer.execute("BEGIN IMMEDIATE")
            try:
                writer.executemany(_ADD_MESSAGE, [m for c in all_changes for m in c.messages])
                writer.executemany(_ADD_ENTRY, rows)
                writer.executemany(_ADD_HANDLED, [h for c in all_changes for h in c.handled])
                for changes in all_changes:
                    for sql, values in changes.others:
                        writer.execute(sql, values)
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise JournalError(f"{self.path}: {error}") from error
        self._chain, self._last_entry = chain, last


def _settle(futures: list[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _link(chain: bytes, number: int, row: tuple[Any, ...]) -> bytes:
    text = "\0".join("" if value is None else repr(value) for value in (number, *row))
    return hashlib.blake2b(chain + text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA cell_size_check=ON")
    connection.execute("PRAGMA cache_size=-16000")
    return connection


def _only_one(path: Path) -> int:
    """A journal belongs to one process at a time; the lock falls with it."""
    import fcntl

    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    end = time.monotonic() + 5
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(lock)
                raise JournalError(
                    f"{path} is in use by another centre; stop it first, or name another data folder"
                ) from None
            time.sleep(0.05)


_TABLES = ("message", "entry", "duty", "handled", "value", "awaited", "reading")


def _salvage(damaged: Path, path: Path) -> dict[str, int]:
    """Copy every row that can be read of a damaged file into a new one, table by table.

    Where a page is lost, the rows on it are passed over and reading goes on behind them.
    """
    new = _connect(path)
    new.executescript("BEGIN;" + _SCHEMA + f"INSERT INTO journal VALUES ({FORMAT});COMMIT;")
    counts = dict.fromkeys(_TABLES, 0)
    try:
        old = sqlite3.connect(damaged, isolation_level=None)
        old.execute("PRAGMA cell_size_check=ON")
    except sqlite3.Error:
        return counts
    for table in _TABLES:
        marks: str | None = None
        new.execute("BEGIN")
        for row in _readable_rows(old, table):
            marks = marks or ",".join("?" * len(row))
            with contextlib.suppress(sqlite3.Error):
                new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
                counts[table] += 1
        new.execute("COMMIT")
    old.close()
    new.close()
    return counts


def _readable_rows(old: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    if table not in ("message", "entry", "duty"):
        with contextlib.suppress(sqlite3.Error):
            yield from old.execute(f"SELECT * FROM {table}")
        return
    at, top, skipped = 0, None, 0
    with contextlib.suppress(sqlite3.Error):
        (top,) = old.execute(f"SELECT max(id) FROM {table}").fetchone()
    while skipped < 10_000:
        try:
            for row in old.execute(f"SELECT * FROM {table} WHERE id>? ORDER BY id", (at,)):
                at, skipped = row[0], 0
                yield row
            return
        except sqlite3.Error:
            at, skipped = at + 1, skipped + 1
            if top is not None and at > top:
                return
