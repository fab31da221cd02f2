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
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reftel.centre.journalfile import (
    FORMAT,
    GENESIS,
    Awaited,
    Duty,
    JournalError,
    Reader,
    connect,
    create,
    link,
)
from reftel.centre.salvage import salvage

_LARGEST_COMMIT = 512
_ADD_MESSAGE = "INSERT INTO message VALUES (?,?,?,?,?,?,?)"
_ADD_ENTRY = "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?)"
_ADD_HANDLED = "INSERT OR IGNORE INTO handled VALUES (?,?,?,?)"
_ADD_DUTY = "INSERT INTO duty VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_SET = "INSERT INTO value VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


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
        self._writer = connect(self.path)
        self.reader = connect(self.path)
        if not self._writer.execute("SELECT 1 FROM sqlite_master WHERE name='journal'").fetchone():
            create(self._writer)
        (format_,) = self._writer.execute("SELECT format FROM journal").fetchone()
        if format_ != FORMAT:
            raise JournalError(
                f"{self.path} has the format {format_}; this Reftel writes {FORMAT}. Upgrade Reftel."
            )
        row = self._writer.execute(
            "SELECT id, chain FROM entry ORDER BY id DESC LIMIT 1"
        ).fetchone()
        self._last_entry: int = row[0] if row else 0
        self._chain: bytes = row[1] if row else GENESIS
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
        for connection in ("_writer", "reader"):
            with contextlib.suppress(AttributeError, sqlite3.Error):
                getattr(self, connection).close()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        aside = self.path.with_name(f"{self.path.stem}.damaged-{stamp}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            old = Path(f"{self.path}{suffix}")
            if old.exists():
                old.replace(f"{aside}{suffix}")
        counts = salvage(aside, self.path)
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
        self.reader.close()
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
                chain = link(chain, last, row)
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
