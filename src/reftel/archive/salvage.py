"""What can be read of a damaged archive, into a new one.

Texts are the truth: each that matches its checksum is kept, its record with it if that can be read, or read
again; numbers, labels, citations and copies are found anew. Nobody may read more afterwards than before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import reftel
from reftel.access import Label
from reftel.access.labels import HIGHEST, OTHER
from reftel.archive.backup import DATABASE, begin_copy, copy_beside, replacing
from reftel.archive.filing import digest_of, prepared
from reftel.archive.keep import keep, relabel
from reftel.archive.model import BrokenStoreError, DamagedError, OnProgress, StoreError
from reftel.archive.pack import NONE, TRAIN_AT, Dictionary, unpack, unpack_text
from reftel.archive.sqlite import SqliteDatabase
from reftel.archive.store import Store
from reftel.archive.upgrade import format_of
from reftel.sources import Problem
from reftel.telegram import Telegram

_BATCH = 500
CLOSED = Label(HIGHEST, (OTHER,))
"""Stands for a label that cannot be read: nobody holds it but who holds all."""
# Where the last number cannot be read, so many numbers without a document are taken for the end.
_END = 20_000


def salvage(
    folder: Path, to: Path, on_progress: OnProgress | None = None
) -> tuple[int, list[Problem]]:
    """Copy what can be read of an archive to a folder that is not there yet; how many documents, and
    what is lost. Raises `StoreError`, `OSError`; then nothing is changed."""
    if not (folder / DATABASE).is_file():
        raise StoreError(f"there is no archive in {folder}")
    if format_of(folder / DATABASE) == 1:
        raise StoreError(
            f"{folder / DATABASE} has format 1, which is not salvaged: make a backup, and open the archive"
            " once (reftel archive verify); it is upgraded then, and the old database stays beside it"
        )
    with replacing(to) as place:
        old = _Damaged(folder / DATABASE)
        new = Store(place / DATABASE)
        try:
            _dictionaries(old, new)
            saved = _documents(old, new, on_progress)
            _decisions(old, new)
        finally:
            new.close()
            old.close()
        copy_beside(folder, place)
        shutil.copymode(folder / DATABASE, begin_copy(folder / DATABASE, folder, place))
    return saved, old.lost


class _Damaged:
    """A damaged database, read row by row; what cannot be read is passed over, and noted."""

    def __init__(self, path: Path) -> None:
        self._db = SqliteDatabase(path, read_only=True)
        self._db.execute("PRAGMA cell_size_check = ON")
        self.lost: list[Problem] = []
        self._dictionaries = {0: NONE}
        self.labels = {
            row[0]: Label(row[1], tuple(row[2].split("|")) if row[2] else ())
            for row in self.rows("SELECT id, classification, captions FROM labels")
        }
        self.was: dict[int, tuple[Label, int | None]] = {}
        """Document → the label that it had, and when it was to fall open."""

    def close(self) -> None:
        self._db.close()

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with suppress(BrokenStoreError):
            return self._db.execute(query, values)
        return []

    def last(self) -> int:
        """The highest number of a document that any table tells."""
        queries = (
            "SELECT max(id) FROM documents",
            "SELECT max(document) FROM texts",
            "SELECT document FROM citations ORDER BY document DESC LIMIT 1",
        )
        return max((row[0] or 0 for query in queries for row in self.rows(query)), default=0)

    def documents(self, on_progress: OnProgress | None) -> Iterator[tuple[int, str, int, Telegram]]:
        """Each document that can be read: its number, origin, when it was filed, and what it says."""
        last = self.last()
        number = missing = 0
        while number < last or missing < (0 if last else _END):
            number += 1
            kept = self.rows(
                "SELECT digest, label, opens, filed, origin FROM documents WHERE id = ?", (number,)
            )
            digest, label, opens, filed, origin = kept[0] if kept else (None, None, None, 0, "")
            origin = origin or f"document {number}"
            try:
                telegram = self._telegram(number)
            except DamagedError as error:
                if kept:
                    why = f"{error}; file it again: its digest is {digest.hex()}"
                    self.lost.append(Problem(origin, why))
                missing = 0 if kept else missing + 1
                continue
            missing = 0
            if telegram is None:
                self.lost.append(Problem(origin, "its text is no telegram any more"))
                continue
            if not kept:
                why = (
                    "its text is kept; where it came from, when it was filed and how a decision may"
                    " have closed it cannot be read"
                )
                self.lost.append(Problem(origin, why))
            else:
                self.was[number] = (self.labels.get(label, CLOSED), opens)
            yield number, origin, filed, telegram
            if on_progress:
                on_progress(number, max(last, number))

    def _telegram(self, document: int) -> Telegram | None:
        """A document's record, read again from the text where the record is damaged."""
        query = "SELECT dictionary, source, record FROM texts WHERE document = ?"
        found = self.rows(query, (document,))
        if not found:
            raise DamagedError("its text cannot be read")
        number, source, record = found[0]
        dictionary = self.dictionary(number)
        text = unpack_text(source, dictionary)
        with suppress(DamagedError):
            telegram = unpack(source, record, dictionary)
            if telegram.elements and telegram.elements[-1].end == len(text):
                return telegram
        with suppress(reftel.NotATelegram):
            return reftel.read(text)
        return None

    def dictionary(self, number: int) -> Dictionary:
        if number not in self._dictionaries:
            query = "SELECT id, text, record FROM dictionaries WHERE id = ?"
            for row in self.rows(query, (number,)):
                self._dictionaries[number] = Dictionary(*row)
        if number not in self._dictionaries:
            raise DamagedError(f"dictionary {number}, which its text needs, cannot be read")
        return self._dictionaries[number]


def _dictionaries(old: _Damaged, new: Store) -> None:
    with new.transaction():
        for number in range(1, len(TRAIN_AT) + 1):
            with suppress(DamagedError):
                new.add_dictionary(old.dictionary(number))


def _documents(old: _Damaged, new: Store, on_progress: OnProgress | None) -> int:
    today = datetime.now(UTC).date()
    saved = 0
    documents = old.documents(on_progress)
    done = False
    while not done:
        with new.transaction():
            done = True
            for number, origin, filed, telegram in documents:
                digest = digest_of(telegram.source)
                if not new.holds(digest):
                    dictionary = new.newest_dictionary()
                    keep(
                        new, [prepared(origin, digest, telegram, today, dictionary)], number, filed
                    )
                    saved += 1
                if saved % _BATCH == 0:
                    done = False
                    break
    return saved


def _decisions(old: _Damaged, new: Store) -> None:
    """The decisions that can be read; and where the label of a document was narrower than what they and
    its markings say, that label."""
    last: dict[bytes, tuple[Label | None, int | None]] = {}
    with new.transaction():
        for digest, at, who, why, label, opens in old.rows(
            "SELECT digest, at, who, why, label, opens FROM decisions ORDER BY id"
        ):
            given = old.labels.get(label, CLOSED) if label is not None else None
            if new.holds(digest):
                new.decide(digest, at, who, why, new.label_id(given) if given else None, opens)
                last[digest] = (given, opens)
        for row in new.all_rows():
            marked = new.labels()[row.label]
            decided, opens = last.get(row.digest, (None, None))
            was, opens = old.was.get(row.id, (decided or marked, opens))
            if was == marked or (was.within(marked) and was != decided):
                continue
            if was != decided:
                who, why = "reftel archive salvage", "the label that it had before the damage"
                now = int(datetime.now(UTC).timestamp())
                new.decide(row.digest, now, who, why, new.label_id(was), opens)
            relabel(new, row, new.label_id(was), opens)
