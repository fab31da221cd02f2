"""Putting a telegram into the store: as one of its own, or as a further copy of one that is held."""

from __future__ import annotations

import msgspec

from reftel.access import Label
from reftel.archive.copies import are_copies, look_alike, same_under_another_number
from reftel.archive.filing import Prepared
from reftel.archive.pack import unpack
from reftel.archive.relations import number_of
from reftel.archive.store import Row, Store
from reftel.telegram import Telegram


def keep(store: Store, item: Prepared, document: int, filed: int) -> Row:
    """Add a telegram under an id, filed at a time (seconds since 1970), within a transaction. The row says
    whether it is the copy to read."""
    post, year, number = item.number or (None, None, None)
    row = Row(
        id=document,
        digest=item.digest,
        telegram=document,
        label=store.label_id(item.label),
        reading=True,
        quality=item.quality,
        post=post,
        year=year,
        number=number,
        section=item.section,
        sent=item.sent,
        opens=item.opens,
        filed=filed,
        origin=item.path,
    )
    groups = _groups(store, item)
    if groups:
        row = msgspec.structs.replace(row, telegram=groups[0], reading=False)
    store.insert(
        row,
        item.dictionary,
        item.source,
        item.record,
        item.cited,
        item.continuity,
        item.lost,
    )
    if groups:
        for other in groups[1:]:
            store.merge(other, row.telegram)
        row = msgspec.structs.replace(row, reading=row.id in settle(store, row.telegram))
    return row


def settle(store: Store, telegram: int) -> set[int]:
    """Choose the reading copy of a telegram under each label: the best, by quality, then digest. Their
    ids."""
    rows = store.copies(telegram)
    best: dict[int, int] = {}
    for row in rows:
        best.setdefault(row.label, row.id)
    for row in rows:
        if row.reading != (best[row.label] == row.id):
            store.set_reading(row, not row.reading)
    if len(best) > 1:
        store.mark_spread(telegram)
    return set(best.values())


def _groups(store: Store, item: Prepared) -> list[int]:
    """The telegrams that a document is a copy of, the first filed first: those that it joins.

    A document that not everybody may read must not bring together what only its readers would see to
    be one telegram: each reader's archive looks as if nothing else were in it. So a document joins a
    telegram, and makes two of them one, only where whoever sees two of the copies sees how they hang
    together.
    """
    if item.number is None:
        return []
    rows = store.by_number(item.number)
    misread = store.by_time(item.sent, item.number[0]) if item.sent is not None else []
    others = [row for row in misread if row.number and look_alike(row.number, item.number[2])]
    if not rows and not others:
        return []
    labels = store.labels()
    telegram = unpack(item.source, item.record, store.dictionary(item.dictionary))
    joined: list[int] = []
    members: list[Label] = []
    for group in sorted({row.telegram for row in (*rows, *others)}):
        copies = store.copies(group)
        known = [labels[copy.label] for copy in copies]
        best = {copy.label: copy for copy in reversed(copies)}
        bridges = [labels[each.label] for each in best.values() if _alike(store, each, telegram)]
        seen = all(
            any(bridge.within(item.label) or bridge.within(label) for bridge in bridges)
            for label in known
        )
        apart = any(
            not (item.label.within(one) or item.label.within(label))
            for one in members
            for label in known
        )
        if seen and not apart:
            joined.append(group)
            members += known
    return joined


def _alike(store: Store, row: Row, telegram: Telegram) -> bool:
    held = store.telegram(row.id)
    if number_of(held) == number_of(telegram):
        return are_copies(held, telegram)
    return same_under_another_number(held, telegram)
