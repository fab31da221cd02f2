"""The telegrams whose copies lie under several labels, indexed by themselves once more.

A reader of several labels is not shown a copy that a better one under another label outdoes, so every
search asks which such copies it finds. They are few; but each asked for by its number among all telegrams
under a label takes as long as the search itself. So those of a label have a small index beside its own, and
nothing but time depends on it: what is not in it, or not any more, is asked for among all, as everything is
where it is damaged.
"""

from __future__ import annotations

from collections.abc import Set

import tantivy

from reftel.archive.facets import Counted
from reftel.archive.index import Found, Indexes
from reftel.archive.model import DamagedIndexError, Order
from reftel.archive.rebuild import held
from reftel.archive.store import Labels, Store, within


def outdone(store: Store, labels: Labels) -> dict[int, frozenset[int]]:
    """Label → ids of the reading copies under it that a better copy under another label outdoes, for a
    reader of these labels."""
    found: dict[int, list[int]] = {}
    last = None
    for telegram, label, document in _reading_copies(store, labels):
        if telegram == last:
            found.setdefault(label, []).append(document)
        last = telegram
    return {label: frozenset(documents) for label, documents in found.items()}


def documents_of(store: Store) -> dict[int, set[int]]:
    """Label → ids of the reading copies under it whose telegrams have copies under others."""
    found: dict[int, set[int]] = {}
    for _, label, document in _reading_copies(store, store.labels()):
        found.setdefault(label, set()).add(document)
    return found


def _reading_copies(store: Store, labels: Labels) -> list[tuple[int, int, int]]:
    """Telegram, label and id of each reading copy that is under some labels, the best of a telegram
    first."""
    return store.select(
        # SQLite looks through all documents unless it is told to begin with the few.
        "SELECT d.telegram, d.label, d.id FROM spread s CROSS JOIN documents d"
        " WHERE (d.id = s.telegram OR (d.telegram = s.telegram AND d.telegram <> d.id))"
        f" AND d.reading = 1 AND {within(labels, 'd.')}"
        " ORDER BY d.telegram, d.quality DESC, d.digest"
    )


def keep(store: Store, indexes: Indexes) -> None:
    """Have the small indexes hold what the store says."""
    spread = documents_of(store)
    for label in store.labels():
        wanted = spread.get(label, set())
        index = indexes.copies(label)
        if index is None and not wanted:
            continue
        try:
            index = index or indexes.begin_copies(label)
            _, there = index.documents()
        except DamagedIndexError:
            index, there = indexes.begin_copies(label), frozenset()
        for document in there - wanted:
            index.remove(document)
        if lacking := sorted(wanted - there):
            # One by one: of a large archive they are many.
            rows = (row for each in lacking if (row := store.by_id(each)))
            index.add((row.id, line) for row in rows if (line := held(store, row)))
        index.end_writing()


def lacks(store: Store, indexes: Indexes) -> bool:
    """Whether there are such telegrams, and no small indexes, or one that cannot be opened: as an earlier
    version or damage leaves an archive."""
    some = store.select("SELECT 1 FROM spread LIMIT 1")
    return bool(some) and indexes.lack_copies(store.labels())


class Seen:
    """The indexes of a label as they are at a moment, so that what is counted is what is found."""

    def __init__(self, indexes: Indexes, label: int) -> None:
        self._indexes, self._label = indexes, label
        self._copies: tuple[tantivy.Searcher, frozenset[int]] | None = None
        # The small one as it was before, so that nothing is in it that is not in the other.
        self._beside = indexes.copies(label)
        if self._beside is not None:
            try:
                self._copies = self._beside.documents()
            except DamagedIndexError:
                indexes.give_up_copies(label)
        self._index = indexes.of(label)
        self._searcher = self._index.searcher
        self.size = int(self._searcher.num_docs)

    def top(
        self, query: tantivy.Query, order: Order, limit: int, without: Set[int]
    ) -> tuple[int, list[Found]]:
        """How many match, and the first of them but for some documents."""
        return self._index.top(self._searcher, query, order, limit, without)

    def counts(self, query: tantivy.Query) -> Counted:
        """The counts over all that match."""
        return self._index.counts(self._searcher, query)

    def among(
        self, query: tantivy.Query, matching: int, documents: Set[int]
    ) -> tuple[int, list[Counted]]:
        """How many of some documents a query finds, which finds so many in all; and the counts over them."""
        found, counted, others = 0, [], documents
        if self._beside is not None and self._copies is not None:
            searcher, held = self._copies
            try:
                here = [each for each in self._beside.found(searcher, query) if each in documents]
                counted = [self._beside.counts_over(searcher, here)]
                found, others = len(here), documents - held
            except DamagedIndexError:
                self._indexes.give_up_copies(self._label)
        there = self._index.among(self._searcher, query, matching, others)
        return found + len(there), [*counted, self._index.counts_over(self._searcher, there)]
