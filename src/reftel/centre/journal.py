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
import functools
import itertools
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from reftel.access.chain import GENESIS, link
from reftel.centre.journalfile import (
    FORMAT,
    Awaited,
    Duty,
    JournalError,
    Reader,
    check,
    connect,
    create,
    digest_of,
    upgrade,
)
from reftel.centre.salvage import salvage

Told = Callable[[Exception | None], None]

_LARGEST_COMMIT = 512
_CHECKED_WHOLE = 100_000_000
"""Bytes of a file that is looked through at each start; in a larger one damage shows when it is met."""
_WAL_HEAD, _WAL_FRAME_HEAD = 32, 24
_ROWS_AT_ONCE = 64
_ADD_MESSAGES = "INSERT INTO message VALUES {rows}"
_ADD_ENTRIES = "INSERT INTO entry VALUES {rows}"
_ADD_HANDLED = "INSERT OR IGNORE INTO handled VALUES {rows}"
_ADD_DUTIES = "INSERT INTO duty VALUES {rows}"
_CHANGE_DUTIES = (
    "UPDATE duty SET circuit=column3, rank=column4, at=column5, letter=column6, routing=column7,"
    " pilot=column8, hop=column9, link=column10, note=column11,"
    " crc=column12 FROM (VALUES {rows}) WHERE id=column1"
)
_END_DUTIES = "DELETE FROM duty WHERE id IN (VALUES {rows})"
_SET = "INSERT OR REPLACE INTO value VALUES {rows}"

_encode = msgspec.json.Encoder().encode


class Changes:
    """What one step writes, all of it or nothing."""

    __slots__ = ("changed", "ended", "entries", "handled", "messages", "new", "others", "values")

    def __init__(self) -> None:
        self.messages: list[tuple[Any, ...]] = []
        self.entries: list[tuple[Any, ...]] = []
        self.handled: list[tuple[Any, ...]] = []
        self.new: list[tuple[Any, ...]] = []
        self.changed: list[tuple[Any, ...]] = []
        self.ended: list[int] = []
        self.values: dict[str, str] = {}
        self.others: list[tuple[str, tuple[Any, ...]]] = []

    def message(
        self, number: int, at: float, circuit: str, hop: str | None, name: str | None, data: bytes
    ) -> None:
        self.messages.append((number, at, circuit, hop, name, data))

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
        text = _encode(detail).decode() if detail else "{}"
        self.entries.append((at, kind, message, circuit, hop, who, text))

    def handle(self, name: str, indicator: str, content: str, message: int) -> None:
        self.handled.append((name, indicator, content, message))

    def add_duty(self, duty: Duty) -> None:
        self.new.append(_row(duty))

    def change_duty(self, duty: Duty) -> None:
        self.changed.append(_row(duty))

    def end_duty(self, number: int) -> None:
        self.ended.append(number)

    def set(self, name: str, value: object) -> None:
        self.values[name] = str(value)

    def await_answer(self, awaited: Awaited) -> None:
        row = (
            awaited.kind,
            awaited.name,
            awaited.circuit,
            awaited.at,
            awaited.letter,
            awaited.reminded,
            _encode(awaited.detail).decode(),
        )
        self.others.append(
            ("INSERT OR REPLACE INTO awaited VALUES (?,?,?,?,?,?,?,?)", (*row, check(row)))
        )

    def end_awaited(self, kind: str, name: str) -> None:
        self.others.append(("DELETE FROM awaited WHERE kind=? AND name=?", (kind, name)))

    def read_by(self, office: str, message: int, at: float, why: str) -> None:
        sql = "INSERT OR IGNORE INTO reading VALUES (?,?,?,?,NULL)"
        self.others.append((sql, (office, message, at, why)))

    def read_anew(self, office: str, sections: Sequence[int]) -> None:
        """A telegram that lay before an office with fewer of its sections is to be read again, under the
        first alone."""
        first, *others = sections
        sql = "UPDATE reading SET reader=NULL WHERE office=? AND message=?"
        self.others.append((sql, (office, first)))
        sql = "DELETE FROM reading WHERE office=? AND message=? AND reader IS NULL"
        self.others += [(sql, (office, number)) for number in others]

    def was_read(self, office: str, message: int, who: str) -> None:
        sql = "UPDATE reading SET reader=? WHERE office=? AND message=? AND reader IS NULL"
        self.others.append((sql, (who, office, message)))

    def include(self, other: Changes) -> None:
        """Write those of another step in the same."""
        self.messages += other.messages
        self.entries += other.entries
        self.handled += other.handled
        self.new += other.new
        self.changed += other.changed
        self.ended += other.ended
        self.values |= other.values
        self.others += other.others

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)


def _row(duty: Duty) -> tuple[Any, ...]:
    row = (
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
    return (*row, check(row))


class Journal(Reader):
    """The journal of one centre. Opening it mends what a crash left and tells it in `found`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[str] = []
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _only_one(path)
        self._look_at_the_end()
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise JournalError(f"{path}: {error}") from None
            self._set_aside(str(error))
        self._jobs: queue.SimpleQueue[_Jobs | None] = queue.SimpleQueue()
        self._gathered: list[tuple[Changes, Told]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    # Opening

    def _open(self) -> None:
        self._writer = connect(self.path)
        self.reader = connect(self.path)
        if not self._writer.execute("SELECT 1 FROM sqlite_master WHERE name='journal'").fetchone():
            create(self._writer)
        (format_,) = self._writer.execute("SELECT format FROM journal").fetchone()
        if format_ == 1:
            upgrade(self._writer)
            format_ = FORMAT
        if format_ != FORMAT:
            raise JournalError(
                f"{self.path} has the format {format_}; this Reftel writes {FORMAT}. Upgrade Reftel."
            )
        row = self._writer.execute(
            "SELECT id, chain FROM entry ORDER BY id DESC LIMIT 1"
        ).fetchone()
        self._last_entry: int = row[0] if row else 0
        self._chain: bytes = row[1] if row else GENESIS
        if self.path.stat().st_size <= _CHECKED_WHOLE:
            (said,) = self._writer.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise sqlite3.DatabaseError(f"malformed: {' '.join(said.split())}")
        self._check_what_matters()

    def _look_at_the_end(self) -> None:
        """A write that a crash cut off is passed over by SQLite; it is told."""
        written = Path(f"{self.path}-wal")
        size = written.stat().st_size if written.exists() else 0
        if size <= _WAL_HEAD:
            return
        with written.open("rb") as file:
            page = int.from_bytes(file.read(12)[8:], "big")
        if (size - _WAL_HEAD) % (page + _WAL_FRAME_HEAD):
            self.found.append(
                f"{written.name} ends in the middle of a write; what was being written then was not"
                " acknowledged, and is not in the journal"
            )

    def _mend_state(self) -> None:
        """Records of the state that a checksum shows to be damaged."""
        for table, row in list(self.damaged_rows()):
            self.found.append(f"a record of {table} is damaged: {row[0]!r}")
            if table != "value":
                continue
            changes = Changes()
            changes.others.append(("DELETE FROM value WHERE name=?", (row[0],)))
            self._write([changes])
            way, _, circuit = str(row[0]).partition(":")
            sql = (
                "SELECT hop FROM entry WHERE kind='sending' AND circuit=? ORDER BY id DESC LIMIT 1"
            )
            if way == "out" and (last := self._writer.execute(sql, (circuit,)).fetchone()):
                # The entries say it too.
                mended = Changes()
                mended.set(str(row[0]), int(last[0][3:]))
                self._write([mended])

    def _check_what_matters(self) -> None:
        """At a start: the state, the messages that are still to be moved, and the end of the chain."""
        self._mend_state()
        self.last_ids(), self.duties(), self.awaited()
        sql = "SELECT DISTINCT message FROM duty ORDER BY message"
        waiting = [number for (number,) in self._writer.execute(sql)]
        for start in range(0, len(waiting), _LARGEST_COMMIT):
            read = self.bytes_of_many(waiting[start : start + _LARGEST_COMMIT])
            self.found += [str(each) for each in read.values() if isinstance(each, JournalError)]
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
        self._hand_over()
        self._jobs.put(None)
        self._thread.join()
        self._writer.close()
        self.reader.close()
        os.close(self._lock)

    # Writing

    async def commit(self, changes: Changes) -> None:
        """Returns when the changes are on disk. Raises `JournalError` when they cannot be."""
        future = asyncio.get_running_loop().create_future()
        self.write(changes, functools.partial(settle, future))
        await future

    def write(self, changes: Changes, told: Told) -> None:
        """Hand changes over to be written. In the event loop `told` hears that they are on disk (`None`)
        or why they are not, in the order in which they were handed over.

        What one turn of the loop hands over goes to the writer together. Once something could not be
        written nothing is, until `resume`: a later change may rest on the one that failed.
        """
        loop = asyncio.get_running_loop()
        if not self._gathered or self._loop is not loop:
            self._loop = loop
            loop.call_soon(self._hand_over)
        self._gathered.append((changes, told))

    def resume(self) -> None:
        """Write again after a failure, from what is handed over next on."""
        self._hand_over()
        self._jobs.put(_Jobs(None, [], resume=True))

    def mend(self) -> None:
        """Where a part of the file turns out to be damaged while the centre runs: set it aside and go on with
        what can be read, as at a start. Nothing is being written: a failure came before."""
        if isinstance(self._failed, JournalError) and "malformed" in str(self._failed):
            self._set_aside(str(self._failed))

    def commit_now(self, changes: Changes) -> None:
        """The same where no event loop runs: a command, a test."""
        self._write([changes])

    def _hand_over(self) -> None:
        if self._gathered:
            self._jobs.put(_Jobs(self._loop, self._gathered))
            self._gathered = []

    def _write_all(self) -> None:
        ending = False
        while not ending:
            batch = [self._jobs.get()]
            with contextlib.suppress(queue.Empty):
                while sum(len(jobs.made) for jobs in batch if jobs) < _LARGEST_COMMIT:
                    batch.append(self._jobs.get_nowait())
            ending = None in batch
            for several in _parted(batch):
                made = [changes for jobs in several for changes, _ in jobs.made]
                if several[0].resume:
                    self._failed = None
                if made and self._failed is None:
                    try:
                        self._write(made)
                    except Exception as failure:
                        self._failed = failure
                for jobs in several:
                    if jobs.loop is not None and not jobs.loop.is_closed():
                        jobs.loop.call_soon_threadsafe(_tell_all, jobs, self._failed)

    def _write(self, all_changes: Sequence[Changes]) -> None:
        chain, last = self._chain, self._last_entry
        entries = []
        for changes in all_changes:
            for row in changes.entries:
                last += 1
                chain = link(chain, last, row)
                entries.append((last, *row, chain))
        messages = [
            (*row, digest_of(row[-1])) for changes in all_changes for row in changes.messages
        ]
        new: dict[int, tuple[Any, ...]] = {}
        changed: dict[int, tuple[Any, ...]] = {}
        ended: dict[int, None] = {}
        values: dict[str, str] = {}
        for changes in all_changes:
            new.update((row[0], row) for row in changes.new)
            for row in changes.changed:
                (new if row[0] in new else changed)[row[0]] = row
            for number in changes.ended:
                changed.pop(number, None)
                if new.pop(number, None) is None:
                    ended[number] = None
            values.update(changes.values)
        writer = self._writer
        try:
            writer.execute("BEGIN IMMEDIATE")
            try:
                self._put(_ADD_MESSAGES, messages)
                self._put(_ADD_ENTRIES, entries)
                self._put(_ADD_HANDLED, [row for c in all_changes for row in c.handled])
                self._put(_ADD_DUTIES, list(new.values()))
                self._put(_CHANGE_DUTIES, list(changed.values()))
                self._put(_END_DUTIES, [(number,) for number in ended])
                self._put(_SET, [(*row, check(row)) for row in values.items()])
                for changes in all_changes:
                    for sql, row in changes.others:
                        writer.execute(sql, row)
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise JournalError(f"{self.path}: {error}") from error
        self._chain, self._last_entry = chain, last

    def _put(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Many rows by one statement: each one run of a statement costs a wait for the interpreter, which
        the event loop holds."""
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[at : at + _ROWS_AT_ONCE]
            values = list(itertools.chain.from_iterable(part))
            self._writer.execute(_statement(sql, len(part[0]), len(part)), values)


@functools.cache
def _statement(sql: str, columns: int, rows: int) -> str:
    row = f"({','.join('?' * columns)})"
    return sql.format(rows=",".join([row] * rows))


class _Jobs(NamedTuple):
    """Changes that one turn of an event loop handed over, and who is to hear of them."""

    loop: asyncio.AbstractEventLoop | None
    made: list[tuple[Changes, Told]]
    resume: bool = False


def _parted(batch: list[_Jobs | None]) -> Iterator[list[_Jobs]]:
    """The jobs that go into one transaction each: what follows a failure's end stands apart."""
    several: list[_Jobs] = []
    for jobs in batch:
        if jobs is None:
            continue
        if jobs.resume and several:
            yield several
            several = []
        several.append(jobs)
    if several:
        yield several


def _tell_all(jobs: _Jobs, error: Exception | None) -> None:
    for _, told in jobs.made:
        try:
            told(error)
        except Exception as failure:
            assert jobs.loop is not None
            context = {"message": "after a commit", "exception": failure}
            jobs.loop.call_exception_handler(context)


def settle(future: asyncio.Future[None], error: Exception | None) -> None:
    """Let who waits hear that changes are on disk, or why they are not."""
    if future.done():
        return
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
