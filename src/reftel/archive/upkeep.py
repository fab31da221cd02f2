"""Keeping the indexes what the store says: caught up after each change, built again when they are lost."""

from __future__ import annotations

from secrets import token_hex

from reftel.archive import spread
from reftel.archive.index import Indexes
from reftel.archive.listed import WHOLE
from reftel.archive.model import (
    BrokenStoreError,
    NoRoomError,
    OnProgress,
    ReadOnlyError,
    StoreError,
)
from reftel.archive.rebuild import held, lines
from reftel.archive.rows import Row
from reftel.archive.store import Store
from reftel.archive.waiting import Waiting

_CATCH_UP = 2000
# An entry that is removed goes on to count in the frequencies of words until its part of the index is
# written anew, and so in the order of results. An index of so few entries is made anew at once.
_MADE_ANEW = 5000


def mend(store: Store, indexes: Indexes, workers: int, on_progress: OnProgress | None) -> bool:
    """After a crash: finish what was filed and not indexed, or begin the index again; whether it was
    begun again."""
    indexes.remove_leftovers()
    try:
        if not indexes.is_new and indexes.stand.is_at(store.stand):
            lacking = spread.lacks(store, indexes)
            catch_up(store, indexes, workers, spread_anew=lacking, on_progress=on_progress)
            if matches(store, indexes):
                # Which of two it is that a crash left.
                indexes.stand.say(store.stand)
                return False
    except (BrokenStoreError, NoRoomError, ReadOnlyError):
        raise
    except StoreError:
        # A damaged index is no loss: it is built again from the store.
        pass
    fill(store, indexes, workers, on_progress)
    return True


def matches(store: Store, indexes: Indexes) -> bool:
    """Whether the indexes are of this store as it is, and hold as many documents as they should. Raises
    `DamagedIndexError`."""
    if not indexes.stand.is_at(store.stand):
        return False
    labels = store.labels()
    held_there = store.counts(labels)
    return all(indexes.of(label).count() == held_there.get(label, 0) for label in labels)


def catch_up(
    store: Store,
    indexes: Indexes,
    workers: int = 0,
    *,
    spread_anew: bool = False,
    on_progress: OnProgress | None = None,
) -> None:
    """Index what the store lists as not indexed, in so many other processes where it is much;
    `spread_anew`: what has copies under several labels may be other than it was, though nothing is listed."""
    try:
        if _index_what_is_listed(store, indexes, workers, on_progress) or spread_anew:
            spread.keep(store, indexes)
    except BaseException:
        # What was begun and not committed must not be committed with what is added later.
        indexes.abandon()
        raise


def _index_what_is_listed(
    store: Store, indexes: Indexes, workers: int, on_progress: OnProgress | None
) -> bool:
    """Whether there was anything."""
    done, listed = 0, store.behind() if on_progress else 0
    changed = False
    while behind := store.unindexed(_CATCH_UP):
        changed = True
        documents = [each for each in behind if each[0] != WHOLE]
        if not documents:
            for _, label in behind:
                _make_anew(store, indexes, label, workers, on_progress)
                with indexes.stand.moving_on(store.stand) as stand:
                    store.strike_off([(WHOLE, label)], stand)
            continue
        anew: set[int] = set()
        for document, label in documents:
            index = indexes.of(label)
            row = store.by_id(document)
            stays = row is not None and row.reading and row.label == label
            there = index.holds(document)
            if there and not stays:
                index.remove(document)
                if index.count() <= _MADE_ANEW:
                    anew.add(label)
            elif stays and not there:
                assert row is not None
                index.add([(document, held(store, row))])
        # First, so that it is not forgotten by an interruption.
        with store.transaction():
            for label in anew:
                store.mark_label_unindexed(label)
        indexes.commit()
        with indexes.stand.moving_on(store.stand) as stand:
            store.strike_off(documents, stand)
        done += len(documents)
        if on_progress and listed > _CATCH_UP:
            on_progress(min(done, listed), listed)
    indexes.end_writing()
    return changed


def withdraw(store: Store, indexes: Indexes, rows: list[Row]) -> None:
    """Take out of the indexes what is about to be closed to some, so that they do not find it counted for a
    moment longer than they may read it; it is listed, in case nothing comes of it."""
    with store.transaction():
        for row in rows:
            store.mark_unindexed(row.id, row.label)
    for row in rows:
        if beside := indexes.copies(row.label):
            # First, so that nothing is taken off that is not counted.
            beside.remove(row.id)
            beside.commit()
    for row in rows:
        indexes.of(row.label).remove(row.id)
    indexes.commit()


def let_leave(store: Store, indexes: Indexes) -> None:
    """Take out of the indexes what is listed and no longer belongs there, while another machine writes: it
    stays listed, so that whatever else becomes of it is seen to later."""
    try:
        for document, label in store.unindexed(_CATCH_UP):
            row = store.by_id(document)
            stays = row is not None and row.reading and row.label == label
            if document != WHOLE and not stays and indexes.of(label).holds(document):
                indexes.of(label).remove(document)
        indexes.end_writing()
    except BaseException:
        indexes.abandon()
        raise


def _make_anew(
    store: Store, indexes: Indexes, label: int, workers: int, on_progress: OnProgress | None
) -> None:
    """Make the index of a label again, with nothing in it of what has left it. Until it is whole the one
    before serves, on disk as in memory."""
    if beside := indexes.copies(label):
        # First, so that nothing is ever taken off that was not counted.
        beside.clear()
        beside.commit()
    index = indexes.of(label)
    # What was begun for a few takes little at a time.
    index.end_writing()
    documents = store.under(label)
    index.clear(many=len(documents) > _MADE_ANEW)
    for done, some in lines(store, documents, workers):
        index.add((document, line) for document, _, line in some)
        if on_progress and len(documents) > _MADE_ANEW:
            on_progress(done, len(documents))
    index.end_writing()


def fill(store: Store, indexes: Indexes, workers: int, on_progress: OnProgress | None) -> None:
    """Build the indexes again from the store, which is read in so many other processes (0: in this one)."""
    last = store.next_id() - 1
    made = indexes.aside()
    # What the index that is there lacks stays listed, in case this one is never whole.
    waiting = Waiting(store, made, listed=False)
    try:
        for done, some in lines(store, range(1, last + 1), workers):
            waiting.hold(some)
            waiting.add_some()
            if on_progress:
                on_progress(done, last)
        waiting.finish()
        made.end_writing()
        spread.keep(store, made)
    except BaseException:
        waiting.abandon()
        indexes.remove_leftovers()
        raise
    stand = token_hex(8)
    made.stand.say(store.stand, stand)
    made.filled()
    indexes.replace(made)
    store.strike_all_off(stand)
    indexes.stand.say(stand)
