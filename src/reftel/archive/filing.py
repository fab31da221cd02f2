"""From texts to what the store keeps: read, packed and labelled, in this process or in others.

Reading is most of the work and needs nothing of the archive, so it runs wherever a core is free; one
process alone writes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

import reftel
from reftel.access import Label, label_of, opens_on
from reftel.archive.copies import quality
from reftel.archive.entry import line_of, minutes_of
from reftel.archive.model import Number
from reftel.archive.pack import Dictionary, pack
from reftel.archive.pool import Pool
from reftel.archive.relations import (
    Cited,
    Continuity,
    cited_by,
    continuity_of,
    lost_text,
    number_of,
)
from reftel.archive.store import Store
from reftel.sources import ALL, Incoming, Input, Problem, SourceFile, texts
from reftel.telegram import Telegram

Reader = Callable[[str], Telegram]

KNOWN, REFUSED = "known", "refused"
# Half a character, as a program that decodes with `surrogateescape` makes it.
_HALF = re.compile("[\ud800-\udfff]")


class Prepared(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A telegram ready to be filed."""

    path: str
    digest: bytes
    label: Label
    number: Number | None
    section: int | None
    sent: int | None
    opens: int | None
    quality: int
    dictionary: int
    source: bytes
    record: bytes
    cited: tuple[Cited, ...]
    continuity: tuple[Continuity, ...]
    lost: str | None
    line: str


class Passed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A text that is not filed: it is held (`known`), or is no telegram (`refused`, with the reason)."""

    path: str
    digest: bytes
    outcome: str
    reason: str = ""


Ready = Prepared | Passed | Problem


def digest_of(text: str) -> bytes:
    """A document's identity: SHA-256 of its text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def prepare(items: Iterable[Incoming | Problem], store: Store, reader: Reader) -> list[Ready]:
    """Read some texts, save those that the store knows."""
    found = [(item, b"" if isinstance(item, Problem) else digest_of(item.text)) for item in items]
    known = store.among([digest for _, digest in found if digest])
    dictionary = store.newest_dictionary()
    today = datetime.now(UTC).date()
    ready: dict[int, Ready] = {}
    read: dict[int, tuple[Incoming, bytes, Telegram]] = {}
    for place, (item, digest) in enumerate(found):
        if isinstance(item, Problem):
            ready[place] = item
        elif digest in known:
            reason = known[digest]
            outcome = KNOWN if reason is None else REFUSED
            ready[place] = Passed(item.path, digest, outcome, reason or "")
        else:
            half = None if item.text.isascii() else _HALF.search(item.text)
            try:
                telegram = reader(item.text)
                if half:
                    # By itself, since it may be one that cannot be kept.
                    ready[place] = prepared(item.path, digest, telegram, today, dictionary)
                else:
                    read[place] = (item, digest, telegram)
            except reftel.NotATelegram as refusal:
                ready[place] = Passed(item.path, digest, REFUSED, refusal.why)
            except UnicodeEncodeError:
                if half is None:
                    raise
                why = f"U+{ord(half[0]):04X} is no character; decode the bytes as what they are"
                where = item.text.count("\n", 0, half.start()) + 1
                ready[place] = Problem(item.path, why, where)
    # Each kind of work is done for all before the next begins: what it goes by stays in the processor's
    # cache, which saves an eighth of the time.
    lines = [line_of(telegram, digest) for _, digest, telegram in read.values()]
    packed = pack([telegram for _, _, telegram in read.values()], dictionary)
    for place, line, each in zip(read, lines, packed, strict=True):
        item, digest, telegram = read[place]
        ready[place] = _put_together(
            item.path, digest, telegram, today, dictionary.number, each, line
        )
    return [ready[place] for place in range(len(found))]


def prepared(
    path: str, digest: bytes, telegram: Telegram, today: date, dictionary: Dictionary
) -> Prepared:
    """What the store and the index keep of a telegram."""
    (packed,) = pack([telegram], dictionary)
    line = line_of(telegram, digest)
    return _put_together(path, digest, telegram, today, dictionary.number, packed, line)


def _put_together(
    path: str,
    digest: bytes,
    telegram: Telegram,
    today: date,
    dictionary: int,
    packed: tuple[bytes, bytes],
    line: str,
) -> Prepared:
    opens = opens_on(telegram)
    return Prepared(
        path=path,
        digest=digest,
        label=label_of(telegram, today),
        number=number_of(telegram),
        section=telegram.section.number if telegram.section else None,
        sent=minutes_of(telegram.dtg),
        opens=int(opens.strftime("%Y%m%d")) if opens else None,
        quality=quality(telegram),
        dictionary=dictionary,
        source=packed[0],
        record=packed[1],
        cited=cited_by(telegram),
        continuity=continuity_of(telegram),
        lost=lost_text(telegram),
        line=line,
    )


class Batch(NamedTuple):
    """Some inputs read: what came of them, how far their files are had, how many bytes lie behind."""

    items: list[Ready]
    had: dict[SourceFile, int]
    inputs: int
    done: int
    path: str


def prepare_texts(
    incoming: Iterable[Incoming | Problem], store: Store, reader: Reader, batch: int
) -> Iterator[Batch]:
    """Batches of texts, read in this process."""
    items = iter(incoming)
    while some := list(islice(items, batch)):
        yield Batch(prepare(some, store, reader), {}, len(some), 0, some[-1].path)


def prepare_inputs(inputs: Iterable[Input], database: Path | str, workers: int) -> Iterator[Batch]:
    """Batches of inputs in their order, read in so many other processes, or in this one.

    A worker that dies takes nothing with it: what it had is read again, one input at a time where it
    dies again.
    """
    items = iter(inputs)
    held_up: set[SourceFile] = set()
    if not workers:
        store = Store(database, read_only=True)
        try:
            while some := _some(items):
                yield _batch(some, _prepare_all(some, store), held_up)
        finally:
            store.close()
        return
    pool = Pool(workers, database)
    try:
        batches = ((some, _encoder.encode(some)) for some in iter(lambda: _some(items), []))
        for some, answer in pool.each(_work, batches):
            ready = _one_by_one(pool, some) if answer is None else _decode(answer)
            yield _batch(some, ready, held_up)
    finally:
        pool.end()


_MOST_INPUTS, _MOST_BYTES = 200, 1_000_000


def _some(items: Iterator[Input]) -> list[Input]:
    """The next inputs, as many as make a batch."""
    some: list[Input] = []
    size = 0
    for item in items:
        some.append(item)
        size += len(item.data)
        if len(some) >= _MOST_INPUTS or size >= _MOST_BYTES:
            break
    return some


def _batch(inputs: list[Input], items: list[Ready], held_up: set[SourceFile]) -> Batch:
    """`held_up` are files with something in them that may be read another time: from there on they are
    gone through again when they are filed again."""
    passing = {item.path for item in items if isinstance(item, Problem) and item.passing}
    had: dict[SourceFile, int] = {}
    for each in inputs:
        if each.file is None or each.file in held_up:
            continue
        if any(path.startswith(each.path) for path in passing):
            held_up.add(each.file)
        # Of a file that is one telegram no note is kept: its digest tells.
        elif each.ordinal > 1 or not each.last:
            had[each.file] = ALL if each.last else each.ordinal
    return Batch(items, had, len(inputs), inputs[-1].done, inputs[-1].path)


def _prepare_all(inputs: list[Input], store: Store) -> list[Ready]:
    return prepare((found for item in inputs for found in texts(item)), store, reftel.read)


_encoder = msgspec.msgpack.Encoder()
_inputs_decoder = msgspec.msgpack.Decoder(list[Input])
_ready_decoder = msgspec.msgpack.Decoder(list[tuple[str, msgspec.Raw]])
_KINDS: dict[str, type[Prepared] | type[Passed] | type[Problem]] = {
    kind.__name__: kind for kind in (Prepared, Passed, Problem)
}


def _work(store: Store, packed: bytes) -> bytes:
    ready = _prepare_all(_inputs_decoder.decode(packed), store)
    return _encoder.encode([(type(item).__name__, item) for item in ready])


def _decode(packed: bytes) -> list[Ready]:
    return [
        msgspec.msgpack.decode(item, type=_KINDS[kind])
        for kind, item in _ready_decoder.decode(packed)
    ]


def _one_by_one(pool: Pool, inputs: list[Input]) -> list[Ready]:
    ready: list[Ready] = []
    for item in inputs:
        try:
            ready += _decode(pool.submit(_work, _encoder.encode([item])).result())
        except BrokenProcessPool:
            pool.mend()
            ready.append(
                Problem(item.path, "the process that read it ended; it is left out", passing=True)
            )
    return ready
