"""Putting a telegram into the store: as one of its own, or as a further copy of one that is held."""

from __future__ import annotations

import msgspec

from reftel.access import Label, opens_on
from reftel.archive.copies import are_copies, look_alike, same_under_another_number
from reftel.archive.filing import Prepared
from reftel.archive.model import DamagedError, Number
from reftel.archive.pack import unpack
from reftel.archive.relations import number_of
from reftel.archive.rows import New, Row
from reftel.archive.store import Store
from reftel.telegram import Telegram


def keep(store: Store, items: list[Prepared], first: int, filed: int) -> list[Row]:
    """Add telegrams under ids from the first one on, filed at a time (seconds since 1970), within a
    transaction. The rows say which were the copies to read when they were added."""
    numbers = store.among_numbers({item.number for item in items if item.number})
    times = store.among_times({time for item in items if (time := _time(item))})
    rows: list[Row] = []
    alone: list[New] = []
    for document, item in enumerate(items, first):
        row = _row(store, item, document, filed)
        time = _time(item)
        if item.number is None or (item.number not in numbers and time not in times):
            alone.append(_new(row, item))
        else:
            store.insert(alone)
            alone.clear()
            row = _keep_beside_others(store, row, item)
        rows.append(row)
        if item.number is not None:
            numbers.add(item.number)
        if time is not None:
            times.add(time)
    store.insert(alone)
    return rows


def _time(item: Prepared) -> tuple[str, int] | None:
    return (item.number[0], item.sent) if item.number and item.sent is not None else None


def _row(store: Store, item: Prepared, document: int, filed: int) -> Row:
    post, year, number = item.number or (None, None, None)
    return Row(
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


def _new(row: Row, item: Prepared) -> New:
    packed = (item.dictionary, item.source, item.record)
    return New(row, *packed, item.cited, item.continuity, item.lost)


def _keep_beside_others(store: Store, row: Row, item: Prepared) -> Row:
    """Add a document that may be a further copy of one that is held."""
    groups = _groups(store, item)
    if groups:
        row = msgspec.structs.replace(row, telegram=groups[0], reading=False)
    store.insert([_new(row, item)])
    if groups:
        for other in groups[1:]:
            store.merge(other, row.telegram)
        row = msgspec.structs.replace(row, reading=row.id in settle(store, row.telegram))
        row = _as_decided(store, row, item.label)
    return row


def _as_decided(store: Store, row: Row, label: Label) -> Row:
    """A further copy of a telegram that a reviewer has closed is closed with it."""
    labels = store.labels()
    for copy in store.copies(row.telegram):
        decisions = store.decisions(copy.digest)
        decided = decisions[-1] if decisions else None
        if decided and decided.label is not None and not labels[decided.label].within(label):
            why = f"{decided.why} (a copy of {copy.digest.hex()[:16]})"
            store.decide(row.digest, row.filed, decided.who, why, decided.label, decided.opens)
            relabel(store, row, decided.label, decided.opens)
            found = store.by_id(row.id)
            assert found is not None
            return found
    return row


def opens_of(store: Store, row: Row, telegram: Telegram) -> int | None:
    """The day on which a document falls open: by the last decision on it, or else by its markings."""
    decisions = store.decisions(row.digest)
    if decisions and decisions[-1].label is not None:
        return decisions[-1].opens
    marked = opens_on(telegram)
    return int(marked.strftime("%Y%m%d")) if marked else None


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


def relabel(store: Store, row: Row, label: int, opens: int | None = None) -> None:
    """Put a document under another label. What it and its copies are together is found again, as if all of
    them were filed now, one after the other: who sees which of them has changed."""
    store.set_label(row, label, opens)
    near: dict[int, Row] = {}
    waiting = [row.id]
    while waiting:
        found = store.by_id(waiting.pop())
        assert found is not None
        if found.id in near:
            continue
        near[found.id] = found
        number = (found.post, found.year, found.number)
        others = store.copies(found.telegram)
        if None not in number:
            others += _candidates(store, number, found.sent)  # type: ignore[arg-type]
        waiting += [each.id for each in others if each.id not in near]
    if len(near) == 1:
        return
    for each in near.values():
        store.part(each)
    for each in sorted(near.values(), key=lambda each: each.id):
        current = store.by_id(each.id)
        assert current is not None
        number = (current.post, current.year, current.number)
        if None in number:
            continue
        earlier = [
            one
            for one in _candidates(store, number, current.sent)  # type: ignore[arg-type]
            if one.id < current.id
        ]
        if earlier:
            label_ = store.labels()[current.label]
            groups = _joined(store, earlier, label_, store.telegram(current.id))
            for other in [current.id, *groups[1:]] if groups else ():
                store.merge(other, groups[0])
    for telegram in {found.telegram for each in near if (found := store.by_id(each))}:
        settle(store, telegram)


def _groups(store: Store, item: Prepared) -> list[int]:
    """The telegrams that a document is a copy of, the first filed first: those that it joins."""
    if item.number is None:
        return []
    rows = _candidates(store, item.number, item.sent)
    if not rows:
        return []
    telegram = unpack(item.source, item.record, store.dictionary(item.dictionary))
    return _joined(store, rows, item.label, telegram)


def _candidates(store: Store, number: Number, sent: int | None) -> list[Row]:
    """The documents that have a number, or one that looks like it in the same minute."""
    misread = store.by_time(sent, number[0]) if sent is not None else []
    others = [row for row in misread if row.number and look_alike(row.number, number[2])]
    return [*store.by_number(number), *others]


def _joined(store: Store, rows: list[Row], label: Label, telegram: Telegram) -> list[int]:
    """Those of the telegrams of some documents that a document under a label joins.

    A document that not everybody may read must not bring together what only its readers would see to
    be one telegram: each reader's archive looks as if nothing else were in it. So a document joins a
    telegram, and makes two of them one, only where whoever sees two of the copies sees how they hang
    together.
    """
    labels = store.labels()
    joined: list[int] = []
    members: list[Label] = []
    for group in sorted({row.telegram for row in rows}):
        copies = store.copies(group)
        known = [labels[copy.label] for copy in copies]
        best = {copy.label: copy for copy in reversed(copies)}
        bridges = [labels[each.label] for each in best.values() if _alike(store, each, telegram)]
        seen = all(
            any(bridge.within(label) or bridge.within(one) for bridge in bridges) for one in known
        )
        apart = any(
            not (label.within(one) or label.within(other)) for one in members for other in known
        )
        if seen and not apart:
            joined.append(group)
            members += known
    return joined


def _alike(store: Store, row: Row, telegram: Telegram) -> bool:
    try:
        held = store.telegram(row.id)
    except DamagedError:
        # Nothing shows it to be a copy, and it must not stand in the way of one that can be read.
        return False
    if number_of(held) == number_of(telegram):
        return are_copies(held, telegram)
    return same_under_another_number(held, telegram)
