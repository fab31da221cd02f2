"""What is filed and not yet in the index: while more is read and filed, a thread adds it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from reftel.archive.filing import Prepared
from reftel.archive.index import Indexes
from reftel.archive.memory import return_memory
from reftel.archive.rows import Row
from reftel.archive.store import Store

# What was filed is found when so many wait for it, or after so many seconds.
_MANY, _LONG_S = 10_000, 20.0
# The writer of an index that gets fewer entries at a time is let go of, with the memory it takes.
_FEW = 1000

_Lines = dict[tuple[int, int], str]
"""Entries of the index, by document and label."""


class Waiting:
    """Entries on their way into the index. If they are `listed`, what waits is also on the store's list of
    what is not indexed, and is struck off when it is committed."""

    def __init__(self, store: Store, indexes: Indexes, *, listed: bool = True) -> None:
        self._store, self._indexes, self._listed = store, indexes, listed
        self._lines: _Lines = {}
        self._aside = ThreadPoolExecutor(1, "index")
        self._adding: Future[None] | None = None
        self._added: set[tuple[int, int]] = set()
        self._began = time.monotonic()

    def take(self, filed: list[tuple[Row, Prepared]]) -> None:
        """Have what was filed wait. Where a decision has put something under another label all is left to
        `upkeep.catch_up`, which asks the store; so is what is in the index and has to leave it for a
        better copy."""
        labels = self._store.labels()
        if any(labels[row.label] != item.label for row, item in filed):
            self._lines.clear()
            self._added.clear()
            return
        for row, item in filed:
            if row.reading:
                self._lines[row.id, row.label] = item.line
        for telegram in {row.telegram for row, _ in filed if row.telegram != row.id}:
            for copy in self._store.copies(telegram):
                if not copy.reading:
                    self._lines.pop((copy.id, copy.label), None)
                    self._added.discard((copy.id, copy.label))

    def hold(self, lines: Iterable[tuple[int, int, str]]) -> None:
        """Have the entries of documents under their labels wait."""
        for document, label, line in lines:
            self._lines[document, label] = line

    def add_some(self) -> None:
        """Begin to add what waits, if it is time."""
        if self._adding is not None and self._adding.done():
            self._settle()
        if len(self._lines) >= _MANY or time.monotonic() - self._began > _LONG_S:
            self._settle()
            lines, self._lines = self._lines, {}
            self._added = set(lines)
            self._adding = self._aside.submit(self._add, lines)
            self._adding.add_done_callback(lambda _: return_memory())
            self._began = time.monotonic()

    def finish(self) -> None:
        """Add all that waits."""
        try:
            self._settle()
            self._added = set(self._lines)
            self._add(self._lines)
            self._strike_off()
        except BaseException:
            # What was begun and not committed must not be committed with what is added later.
            self.abandon()
            raise
        self._aside.shutdown()

    def abandon(self) -> None:
        """Leave what waits: the store knows of it, and the next to open it adds it."""
        if self._adding is not None:
            wait([self._adding])
        self._aside.shutdown()
        self._indexes.abandon()

    def _settle(self) -> None:
        if self._adding is not None:
            self._adding.result()
            self._adding = None
            self._strike_off()

    def _strike_off(self) -> None:
        if self._listed:
            with self._indexes.stand.moving_on(self._store.stand) as stand:
                self._store.strike_off(self._added, stand)

    def _add(self, lines: _Lines) -> None:
        """Add entries, a label after another: each takes some megabytes until it is committed."""
        labels: dict[int, list[int]] = {}
        for document, label in lines:
            labels.setdefault(label, []).append(document)
        for label, documents in labels.items():
            index, many = self._indexes.of(label), len(documents) >= _FEW
            # Let go of as they are taken, since they are held once more until they are written.
            index.add(((each, lines.pop((each, label))) for each in documents), many=many)
            if many:
                # What is merged of a large index is not waited for.
                index.commit()
            else:
                index.end_writing()
