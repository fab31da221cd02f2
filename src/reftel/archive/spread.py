"""The telegrams whose copies lie under several labels, indexed by themselves once more.

A reader of several labels is not shown a copy that a better one under another label outdoes, so every
search asks which such copies it finds. They are few; but each asked for by its number among all telegrams
under a label takes as long as the search itself. So those of a label have a small index beside its own, and
nothing but time depends on it: what is not in it, or not any more, is asked for among all.
"""

from __future__ import annotations

from collections.abc import Set

import tantivy

from reftel.archive.index import Indexes, LabelIndex
from reftel.archive.rebuild import held
from reftel.archive.store import Store


def keep(store: Store, indexes: Indexes) -> None:
    """Have the small indexes hold what the store says."""
    spread = store.spread()
    for label in store.labels():
        wanted = spread.get(label, set())
        index = indexes.copies(label, begin=bool(wanted))
        if index is None:
            continue
        there = index.documents
        for document in there - wanted:
            index.remove(document)
        rows = (row for each in sorted(wanted - there) if (row := store.by_id(each)))
        new = [(row.id, line) for row in rows if (line := held(store, row))]
        if new:
            index.add(new)
        index.end_writing()


def among(
    indexes: Indexes, label: int, query: tantivy.Query, matching: int, documents: Set[int]
) -> list[tuple[LabelIndex, list[int]]]:
    """Those of some documents under a label that a query finds, which finds so many under it in all; with
    the index that holds them."""
    index, beside = indexes.of(label), indexes.copies(label)
    if beside is None:
        return [(index, index.among(query, matching, documents))]
    here = [each for each in beside.all_that(query) if each in documents]
    others = documents - beside.documents
    return [(beside, here), (index, index.among(query, matching, others))]
