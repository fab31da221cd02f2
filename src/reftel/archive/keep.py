"""Putting a telegram into the store: as one of its own, or as a further copy of one that is held."""

from __future__ import annotations

import msgspec

from reftel.archive.copies import are_copies
from reftel.archive.filing import Prepared
from reftel.archive.pack import unpack
from reftel.archive.store import Row, Store


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
    other = _copied(store, item)
    if other is not None:
        row = msgspec.structs.replace(row, telegram=other.telegram, reading=False)
    store.insert(row, item.source, item.record, item.cited, item.continuity, item.lost)
    if other is not None:
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


def _copied(store: Store, item: Prepared) -> Row | None:
    """A document that is another copy of the same telegram, if one is held."""
    if item.number is None:
        return None
    candidates = store.by_number(item.number)
    if not candidates:
        return None
    telegram = unpack(item.source, item.record)
    compared: set[int] = set()
    for row in candidates:
        if row.telegram in compared:
            continue
        compared.add(row.telegram)
        if are_copies(store.telegram(row.id), telegram):
            return row
    return None
