"""Whether an archive is what it should be: pages, texts, records, relations, labels, index."""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path

import msgspec

from reftel.access import Label, label_of
from reftel.archive.copying import pages
from reftel.archive.entry import key_of, minutes_of
from reftel.archive.filing import digest_of
from reftel.archive.index import Indexes
from reftel.archive.keep import opens_of
from reftel.archive.model import BrokenStoreError, DamagedError, DamagedIndexError, OnProgress
from reftel.archive.relations import cited_by, continuity_of, lost_text, number_of
from reftel.archive.rows import Row
from reftel.archive.store import Store
from reftel.sources import Problem
from reftel.telegram import Telegram

_AT_ONCE = 2000
_REBUILD = "run reftel archive rebuild-index"
_SALVAGE = "restore a backup, or run reftel archive salvage (docs/care.md)"
_FOOTER_MAGIC = 1337
_SUM = (1 << 64) - 1


def verify(
    store: Store,
    indexes: Indexes,
    folder: Path,
    today: date,
    on_progress: OnProgress | None = None,
) -> Iterator[Problem]:
    """Everything that is wrong, with what to do; each document is read, and every file of the index."""
    database = store.name
    damage = store.damage()
    for line in damage:
        yield Problem(database, f"{line}; {_SALVAGE}")
    try:
        yield from _documents(store, indexes, folder, today, on_progress)
        for line in _relations(store):
            yield Problem(database, f"{line}; {_SALVAGE}")
    except BrokenStoreError as error:
        if not damage:
            yield Problem(database, str(error))
    if not indexes.stand.is_at(store.stand):
        yield Problem(
            str(folder / "index"), f"it was made of another state of the archive; {_REBUILD}"
        )
    for path, why in _index_files(folder / "index"):
        yield Problem(path, f"{why}; {_REBUILD}")


def _documents(
    store: Store, indexes: Indexes, folder: Path, today: date, on_progress: OnProgress | None
) -> Iterator[Problem]:
    last = store.next_id() - 1
    numbered = _continuity(store, last)
    broken: set[int] = set()
    counted: dict[int, int] = defaultdict(int)
    for first in range(1, last + 1, _AT_ONCE):
        end = min(first + _AT_ONCE - 1, last)
        rows, unread = _rows(store, first, end)
        yield from unread
        wanted: dict[int, set[int]] = defaultdict(set)
        keys = {row.id: key_of(row.sent, row.digest) for row in rows}
        passed: set[int] = set()
        waiting = store.unindexed_between(first, end)
        cited = store.cited_between(first, end)
        lost: dict[int, str] = dict(
            store.select(
                "SELECT document, why FROM lost WHERE document >= ? AND document <= ?", (first, end)
            )
        )
        for row in rows:
            if row.reading:
                wanted[row.label].add(row.id)
            try:
                telegram = store.telegram(row.id)
            except DamagedError as error:
                passed.add(row.id)
                yield Problem(row.origin, f"{error}; {_SALVAGE}")
                continue
            problems = [*_row_problems(store, row, telegram, cited.get(row.id, set()), today)]
            if numbered[row.id] != _numbered_by(telegram, row.sent):
                problems.append("its continuity numbers are not those of its record")
            if lost.get(row.id) != lost_text(telegram):
                problems.append(
                    "why it has no text, or that it has one, is not what its record says"
                )
            for why in problems:
                yield Problem(row.origin, f"document {row.digest.hex()[:16]}: {why}; {_SALVAGE}")
        for label in store.labels():
            if label in broken:
                continue
            place = str(folder / "index" / str(label))
            try:
                found = indexes.of(label).between(first, end)
            except DamagedIndexError as error:
                broken.add(label)
                yield Problem(place, f"it cannot be read: {error.__cause__}; {_REBUILD}")
                continue
            counted[label] += len(found)
            left_out = passed | {document for document, of in waiting if of == label}
            yield from (
                Problem(place, f"{why}; {_REBUILD}")
                for why in _index_problems(wanted[label], {each for each, _ in found}, left_out)
            )
            others = [each for each, key in found if key != keys.get(each, key)]
            if set(others) - left_out:
                many = f"{len(others)} documents, the first of them {min(others)}"
                yield Problem(place, f"it holds the entries of others for {many}; {_REBUILD}")
            if len(found) != len({each for each, _ in found}):
                yield Problem(place, f"documents stand in it twice; {_REBUILD}")
        if on_progress:
            on_progress(end, last)
    for label in store.labels().keys() - broken:
        if indexes.of(label).count() != counted[label]:
            place = str(folder / "index" / str(label))
            yield Problem(place, f"it holds documents that the archive does not; {_REBUILD}")


def _continuity(store: Store, last: int) -> array[int]:
    """For each document a sum of its continuity numbers, which lie in the order of the stations: eight bytes
    for each, however many there are."""
    names = dict(store.select("SELECT id, name FROM stations"))
    sums = array("Q", bytes(8 * (last + 1)))
    for some in pages(store, "continuity"):
        for originator, addressee, sent, document, number in some:
            if document <= last:
                found = _summed(names.get(originator), names.get(addressee), sent, number)
                sums[document] = (sums[document] + found) & _SUM
    return sums


def _numbered_by(telegram: Telegram, sent: int | None) -> int:
    if sent is None:
        return 0
    each = (_summed(c.originator, c.addressee, sent, c.number) for c in continuity_of(telegram))
    return sum(each) & _SUM


def _summed(*values: str | int | None) -> int:
    return int.from_bytes(blake2b(repr(values).encode(), digest_size=8).digest(), "big")


def _rows(store: Store, first: int, last: int) -> tuple[list[Row], list[Problem]]:
    """The rows of some documents, and what cannot be read of them."""
    try:
        return store.between(first, last), []
    except BrokenStoreError:
        rows: list[Row] = []
        problems: list[Problem] = []
        for document in range(first, last + 1):
            try:
                rows += store.between(document, document)
            except BrokenStoreError as error:
                problems.append(Problem(f"document {document}", f"its row cannot be read: {error}"))
        return rows, problems


def _row_problems(
    store: Store,
    row: Row,
    telegram: Telegram,
    cited: set[tuple[str, int, int, int, int]],
    today: date,
) -> Iterator[str]:
    """Where what is kept of a document is not what its text and record say."""
    t = telegram
    if digest_of(t.source) != row.digest:
        yield "its text does not match its digest"
    if (t.elements[-1].end if t.elements else 0) != len(t.source):
        yield "its record does not match its text"
    number = (row.post, row.year, row.number)
    if number != (number_of(t) or (None, None, None)):
        yield "it is kept under a number that its record does not have"
    if row.sent != minutes_of(t.dtg) or row.section != (t.section.number if t.section else None):
        yield "it is kept under a time or section that its record does not have"
    if cited != {(*each, row.label) for each in cited_by(t)}:
        yield "its citations are not those of its record"
    if row.opens != opens_of(store, row, t):
        yield "it is to fall open on another day than its markings or the last decision say"
    allowed = _labels_of(store, row, telegram, today)
    labels = store.labels()
    if labels[row.label] not in allowed:
        yield f"it lies under the label {labels[row.label]}, which is not its own"


def _labels_of(store: Store, row: Row, telegram: Telegram, today: date) -> set[Label]:
    """The label of a document: by the last decision on it, or else by its markings. Both may have let it
    fall open by now."""
    decided = store.decisions(row.digest)
    if not decided or decided[-1].label is None:
        filed = datetime.fromtimestamp(row.filed, UTC).date()
        return {label_of(telegram, filed), label_of(telegram, today)}
    allowed = {store.labels()[decided[-1].label]}
    opens = decided[-1].opens
    if opens is not None and opens <= int(today.strftime("%Y%m%d")):
        allowed.add(Label("", next(iter(allowed)).captions))
    return allowed


def _relations(store: Store) -> Iterator[str]:
    """Where copies of a telegram do not hang together."""
    copied = "telegram IN (SELECT telegram FROM documents WHERE telegram <> id)"
    for (document,) in store.select(
        "SELECT d.id FROM documents d LEFT JOIN documents t ON t.id = d.telegram"
        " WHERE d.telegram <> d.id AND (t.id IS NULL OR t.telegram <> t.id) ORDER BY d.id"
    ):
        yield f"document {document} is a copy of one that is not held"
    for telegram, label in store.select(
        f"SELECT telegram, label FROM documents WHERE {copied} GROUP BY telegram, label"
        " HAVING sum(reading) <> 1 ORDER BY telegram, label"
    ):
        yield f"of telegram {telegram} not exactly one copy under label {label} is the one to read"
    for (telegram,) in store.select(
        f"SELECT telegram FROM documents WHERE {copied} AND telegram NOT IN"
        " (SELECT telegram FROM spread) GROUP BY telegram HAVING count(DISTINCT label) > 1"
        " ORDER BY telegram"
    ):
        yield f"telegram {telegram} has copies under several labels and is not listed so"
    for (telegram,) in store.select(
        "SELECT telegram FROM spread WHERE telegram NOT IN (SELECT telegram FROM documents"
        f" WHERE {copied} GROUP BY telegram HAVING count(DISTINCT label) > 1) ORDER BY telegram"
    ):
        yield f"telegram {telegram} is listed as having copies under several labels and has not"
    # How good a copy is an earlier version may have judged otherwise: what counts is which goes before which.
    for telegram, label in store.select(
        "SELECT telegram, label FROM (SELECT telegram, label, reading, row_number() OVER (PARTITION BY"
        f" telegram, label ORDER BY quality DESC, digest) AS place FROM documents WHERE {copied}) ranked"
        " WHERE place = 1 AND reading = 0 ORDER BY telegram, label"
    ):
        yield f"of telegram {telegram} the best copy under label {label} is not the one to read"
    for digest, reason in store.select(
        "SELECT digest, reason FROM refused WHERE reason = '' OR EXISTS"
        " (SELECT 1 FROM documents d WHERE d.digest = refused.digest) ORDER BY digest"
    ):
        why = "is held" if reason else "has no reason"
        yield f"the text {digest.hex()[:16]}, which is listed as no telegram, {why}"
    for (document,) in store.select(
        "SELECT id FROM documents WHERE telegram = id AND reading = 0 AND id NOT IN"
        " (SELECT telegram FROM documents WHERE telegram <> id) ORDER BY id"
    ):
        yield f"document {document} has no other copy and is not the one to read"


def _index_problems(wanted: set[int], found: set[int], left_out: set[int]) -> Iterator[str]:
    lacking, beyond = wanted - found - left_out, found - wanted - left_out
    if lacking:
        yield f"it lacks {len(lacking)} documents, the first of them {min(lacking)}"
    if beyond:
        yield f"it holds {len(beyond)} documents that it must not, the first of them {min(beyond)}"


def _index_files(folder: Path) -> Iterator[tuple[str, str]]:
    """The files of the index that do not have the checksum at their end (Tantivy's footer: JSON, its
    length, a magic number)."""
    for meta in sorted(folder.glob("*/meta.json")):
        try:
            segments = msgspec.json.decode(meta.read_bytes())["segments"]
            parts = [each["segment_id"].replace("-", "") for each in segments]
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            yield str(meta), f"it cannot be read: {error}"
            continue
        for part in parts:
            for file in sorted(meta.parent.glob(f"{part}.*")):
                if not _has_its_checksum(file):
                    yield str(file), "it is damaged: its checksum is another"


def _has_its_checksum(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < 8:
            return False
        file.seek(size - 8)
        length, magic = struct.unpack("<II", file.read(8))
        body = size - 8 - length
        if magic != _FOOTER_MAGIC or body < 0:
            return False
        file.seek(body)
        try:
            wanted = msgspec.json.decode(file.read(length))["crc"]
        except (msgspec.MsgspecError, KeyError, TypeError):
            return False
        file.seek(0)
        crc = 0
        while body > 0 and (some := file.read(min(body, 1 << 20))):
            crc = zlib.crc32(some, crc)
            body -= len(some)
    return bool(crc == wanted)
