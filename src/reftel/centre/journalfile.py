"""The journal's file: its tables, its chain of digests, and how to look into it.

docs/journal.md describes the file well enough to read it without Reftel.
"""

from __future__ import annotations

import bisect
import functools
import hashlib
import json
import secrets
import sqlite3
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from reftel.access.chain import GENESIS, breaks

FORMAT = 2
LOCAL = "#here"
"""Stands for a circuit: what is to be delivered at this station."""
OPERATOR = "#operator"
"""What a person has to look at."""
HELD = "#held"
"""What a person has put aside."""
GENERATED = "#service"
"""Stands for the circuit of what this station made itself."""
_HASHED_AT_ONCE = 2047
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
CREATE TABLE duty (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL, circuit TEXT NOT NULL, rank INTEGER NOT NULL,
    at REAL NOT NULL, letter TEXT NOT NULL, routing TEXT NOT NULL, pilot TEXT,
    hop TEXT, link INTEGER, note TEXT, crc INTEGER NOT NULL
);
CREATE TABLE handled (
    name TEXT NOT NULL, indicator TEXT NOT NULL, content TEXT NOT NULL, message INTEGER NOT NULL,
    PRIMARY KEY (name, indicator, content)
) WITHOUT ROWID;
CREATE TABLE value (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE awaited (
    kind TEXT NOT NULL, name TEXT NOT NULL, circuit TEXT NOT NULL, at REAL NOT NULL,
    letter TEXT NOT NULL, reminded INTEGER NOT NULL, detail TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE reading (
    office TEXT NOT NULL, message INTEGER NOT NULL, at REAL NOT NULL, why TEXT NOT NULL, reader TEXT,
    PRIMARY KEY (office, message)
) WITHOUT ROWID;
CREATE INDEX reading_unread ON reading (office, at) WHERE reader IS NULL;
CREATE TABLE journal (format INTEGER NOT NULL, identity TEXT NOT NULL);
"""
_RETENTION = """
CREATE TABLE removed (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, chain BLOB NOT NULL);
CREATE TRIGGER removed_stays BEFORE UPDATE ON removed
    BEGIN SELECT raise(ABORT, 'what was removed of the journal is never changed'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry
    WHEN OLD.id > coalesce(
        (SELECT last FROM removed WHERE first <= OLD.id ORDER BY first DESC LIMIT 1), 0)
    BEGIN SELECT raise(ABORT, 'an entry of the journal is never removed before its time'); END;
"""


class JournalError(RuntimeError):
    """The journal cannot be written or read; the message says why and what to do."""


class TextRemovedError(JournalError):
    """A message's text was removed when its time was over; when it came and what became of it may still
    be known."""


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


class Duty(msgspec.Struct, gc=False):
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


class Reader:
    """A journal to look into; its centre may be at work beside."""

    def __init__(self, path: Path) -> None:
        """Raises `FileNotFoundError` when there is no journal."""
        if not path.exists():
            raise FileNotFoundError(f"there is no journal {path}; has the centre run yet?")
        self.path = path
        self.reader = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()

    def bytes_of(self, message: int) -> bytes:
        """The bytes of a message as they came. Raises `JournalError` if they are not what was written."""
        found = self.bytes_of_many([message])[message]
        if isinstance(found, JournalError):
            raise found
        return found

    def bytes_of_many(self, messages: Sequence[int]) -> dict[int, bytes | JournalError]:
        """The same of several, in one look at the disk."""
        marks = ",".join("?" * len(messages))
        sql = f"SELECT id, bytes, digest FROM message WHERE id IN ({marks})"
        found: dict[int, bytes | JournalError] = {}
        try:
            for number, data, digest in self.reader.execute(sql, messages):
                whole = digest_of(data) == digest
                found[number] = data if whole else _not_whole(number, data)
        except sqlite3.Error as error:
            if len(messages) > 1:
                # One of them cannot be read; the others can.
                return {number: self.bytes_of_many([number])[number] for number in messages}
            found[messages[0]] = JournalError(f"message {messages[0]} cannot be read: {error}")
        for number in messages:
            if number not in found:
                found[number] = JournalError(f"message {number} is not in the journal")
        return found

    def last_ids(self) -> tuple[int, int]:
        """The highest numbers given to a message and to a duty."""
        (message,) = self.reader.execute("SELECT max(id) FROM message").fetchone()
        (duty,) = self.reader.execute("SELECT max(id) FROM duty").fetchone()
        stored = self.value("duty")
        return message or 0, max(duty or 0, int(stored or 0))

    def duties(self) -> list[Duty]:
        """What is still to be done, in the order in which it came. One whose record is damaged is for the
        operator: its circuit and stations are not to be trusted."""
        return [_duty(row) for row in self.reader.execute("SELECT * FROM duty ORDER BY id")]

    def awaited(self) -> list[Awaited]:
        rows = self.reader.execute("SELECT * FROM awaited ORDER BY at").fetchall()
        names = Awaited.__struct_fields__
        return [
            Awaited(**dict(zip(names, (*row[:6], json.loads(row[6])), strict=True)))
            for row in rows
            if check(row[:7]) == row[7]
        ]

    def value(self, name: str) -> str | None:
        sql = "SELECT name, value, crc FROM value WHERE name=?"
        row = self.reader.execute(sql, (name,)).fetchone()
        return row[1] if row and check(row[:2]) == row[2] else None

    def values(self) -> dict[str, str]:
        """Last numbers and the like, those whose record is damaged left out."""
        rows = self.reader.execute("SELECT name, value, crc FROM value")
        return {name: value for name, value, crc in rows if check((name, value)) == crc}

    @property
    def identity(self) -> str:
        """What tells this journal from every other, and from one that takes its place."""
        (identity,) = self.reader.execute("SELECT identity FROM journal").fetchone()
        return str(identity)

    def damaged_rows(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """The records of the state that do not match their checksum: table and row."""
        for table in ("duty", "value", "awaited"):
            for row in self.reader.execute(f"SELECT * FROM {table}"):
                if check(row[:-1]) != row[-1]:
                    yield table, row

    def handled(self, name: str) -> dict[tuple[str, str], int]:
        """For which stations a message was taken on: routing indicator and content → message."""
        sql = "SELECT indicator, content, message FROM handled WHERE name=?"
        return {(i, content): m for i, content, m in self.reader.execute(sql, (name,))}

    def handled_names(self) -> Iterator[str]:
        """The names of all messages that were taken on."""
        for (name,) in self.reader.execute("SELECT DISTINCT name FROM handled"):
            yield name

    def messages_named(self, name: str) -> list[int]:
        """The messages with a station serial number (`QZBBNV 0412 1550842`), oldest first."""
        sql = "SELECT id FROM message WHERE name=? ORDER BY id"
        return [number for (number,) in self.reader.execute(sql, (name,))]

    def messages_like(self, words: str, limit: int = 100) -> list[int]:
        """The newest messages whose identification has these words in it, oldest first."""
        sql = "SELECT id FROM message WHERE name LIKE ? ESCAPE '!' ORDER BY id DESC LIMIT ?"
        escaped = words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        rows = self.reader.execute(sql, (f"%{escaped}%", limit)).fetchall()
        return sorted(number for (number,) in rows)

    def message(self, number: int) -> tuple[float, str, str | None, str | None] | None:
        """When a message came, by which circuit, under which channel number, and its identification."""
        sql = "SELECT at, circuit, hop, name FROM message WHERE id=?"
        row: tuple[float, str, str | None, str | None] | None = self.reader.execute(
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
        rows = self.reader.execute(sql, values).fetchall()
        names = Entry.__struct_fields__
        return [
            Entry(**dict(zip(names, (*row[:7], json.loads(row[7])), strict=True))) for row in rows
        ]

    def delivered(self, since: float) -> list[tuple[int, float]]:
        """The messages delivered here since a time, oldest first."""
        sql = (
            "SELECT message, max(at) FROM entry WHERE kind='delivered' AND at>=?"
            " GROUP BY message ORDER BY max(id)"
        )
        return self.reader.execute(sql, (since,)).fetchall()

    def in_reading(self, office: str, limit: int = 100) -> list[tuple[int, float, str, str | None]]:
        """What lies in an office's reading queue: message, when it came, why, who has read it; what nobody
        has read first, newest first."""
        sql = (
            "SELECT message, at, why, reader FROM reading WHERE office=?"
            " ORDER BY reader IS NOT NULL, message DESC LIMIT ?"
        )
        return self.reader.execute(sql, (office, limit)).fetchall()

    def unread(self) -> dict[str, tuple[int, float]]:
        """How many telegrams nobody has read, by office, and since when the oldest lies there."""
        sql = "SELECT office, count(*), min(at) FROM reading WHERE reader IS NULL GROUP BY office"
        return {office: (count, at) for office, count, at in self.reader.execute(sql)}

    def verify(self) -> Iterator[str]:
        """Everything that is wrong with the file: the chain, the bytes, the state, SQLite's own check."""
        for what, problems in (
            ("the file", self._check_file()),
            ("the entries", self._check_chain(0)),
            ("the state", self._check_state()),
            ("the messages", self._check_messages()),
            ("what was removed", self._check_removals()),
        ):
            try:
                yield from problems
            except sqlite3.DatabaseError as error:
                yield f"{what}: a part cannot be read: {error}"

    def _check_file(self) -> Iterator[str]:
        for (line,) in self.reader.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield f"the file: {line}"

    def _check_state(self) -> Iterator[str]:
        for table, row in self.damaged_rows():
            yield f"a record of {table} is damaged: {row[0]}"

    def _check_messages(self) -> Iterator[str]:
        numbers = [n for (n,) in self.reader.execute("SELECT id FROM message ORDER BY id")]
        for number in numbers:
            try:
                self.bytes_of(number)
            except TextRemovedError:
                continue
            except JournalError as error:
                yield str(error)

    def _check_removals(self) -> Iterator[str]:
        """An entry of the chain has to say of everything removed that it was."""
        texts, entries = list[tuple[int, int]](), set[tuple[int, int, str]]()
        sql = "SELECT detail FROM entry WHERE kind='removed'"
        for (detail,) in self.reader.execute(sql):
            said = json.loads(detail)
            texts += [(first, last) for first, last in said.get("texts", ())]
            entries.update((first, last, chain) for first, last, chain in said.get("entries", ()))
        texts.sort()
        sql = "SELECT id FROM message WHERE length(bytes)=0 AND digest!=? ORDER BY id"
        for (number,) in self.reader.execute(sql, (digest_of(b""),)):
            at = bisect.bisect(texts, (number, number)) - 1
            around = texts[max(at, 0) : at + 2]
            if not any(first <= number <= last for first, last in around):
                yield f"the text of message {number} is gone, and no entry says that it was removed"
        for first, last, chain in self.reader.execute("SELECT first, last, chain FROM removed"):
            if (first, last, chain.hex()) not in entries:
                yield f"entries {first} to {last} are gone, and no entry says that they were removed"

    def head(self) -> tuple[int, str]:
        """Number and digest of the last entry: kept elsewhere, it proves that nothing was cut off."""
        row = self.reader.execute("SELECT id, chain FROM entry ORDER BY id DESC LIMIT 1").fetchone()
        return (row[0], row[1].hex()) if row else (0, GENESIS.hex())

    def _check_chain(self, first: int) -> Iterator[str]:
        sql = "SELECT chain FROM entry WHERE id=?"
        row = self.reader.execute(sql, (first,)).fetchone()
        chain, expected = (row[0], first + 1) if row else (GENESIS, None if first else 1)
        columns = "id, at, kind, message, circuit, hop, who, detail, chain"
        rows = self.reader.execute(f"SELECT {columns} FROM entry WHERE id>? ORDER BY id", (first,))
        removed = {
            run[0]: (run[1], run[2])
            for run in self.reader.execute("SELECT first, last, chain FROM removed")
        }
        yield from breaks(rows, chain, expected, removed)


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=600
    )
    # A message of the usual 4 kB and its row fit on a page: fewer are written for each.
    connection.execute("PRAGMA page_size=8192")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=2000")
    connection.execute("PRAGMA cell_size_check=ON")
    connection.execute("PRAGMA cache_size=-16000")
    return connection


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty file."""
    identity = secrets.token_hex(8)
    connection.executescript(
        f"BEGIN;{_SCHEMA}{_RETENTION}INSERT INTO journal VALUES ({FORMAT}, '{identity}');COMMIT;"
    )


def upgrade(connection: sqlite3.Connection) -> None:
    """Make a journal of format 1, of which nothing could be removed, one of format 2."""
    connection.executescript(
        f"BEGIN;DROP TRIGGER entry_kept;{_RETENTION}UPDATE journal SET format={FORMAT};COMMIT;"
    )


@functools.lru_cache(10_000)
def stations(text: str) -> tuple[str, ...]:
    """The routing indicators of a line. The many messages that go to the same stations share them."""
    return tuple(text.split())


def _not_whole(message: int, data: bytes) -> JournalError:
    if not data:
        return TextRemovedError(
            f"the text of message {message} was removed when the time for which texts are kept was over"
        )
    return JournalError(f"message {message} is damaged: its bytes do not match their digest")


def digest_of(data: bytes) -> bytes:
    """The digest of a message's bytes: BLAKE2b, 16 bytes."""
    digest = hashlib.blake2b(digest_size=16)
    # Of a longer piece hashlib lets go of the interpreter, and waits to get it back.
    for at in range(0, len(data), _HASHED_AT_ONCE):
        digest.update(data[at : at + _HASHED_AT_ONCE])
    return digest.digest()


def check(row: tuple[Any, ...]) -> int:
    """The checksum of a record."""
    return zlib.crc32(repr(row).encode("utf-8", "surrogatepass"))


def _duty(row: tuple[Any, ...]) -> Duty:
    number, message, circuit, *values = row[:-1]
    duty = Duty(number, message, sys.intern(str(circuit)), *values)
    duty.routing = stations(str(duty.routing))
    if check(row[:-1]) == row[-1]:
        return duty
    note = "its record in the journal is damaged; look at the message and send it on by hand"
    return Duty(duty.id, duty.message, OPERATOR, 1, 0.0, "Z", (), note=note)
