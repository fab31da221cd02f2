"""From texts to what the store keeps: read, packed and labelled, in this process or in others.

Reading is most of the work and needs nothing of the archive, so it runs wherever a core is free; one
process alone writes.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, date, datetime
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import msgspec

import reftel
from reftel.access import Label, label_of, opens_on
from reftel.archive.copies import quality
from reftel.archive.entry import Entry, entry_of, minutes_of
from reftel.archive.pack import pack
from reftel.archive.store import Number, Store
from reftel.sources import Incoming, Problem
from reftel.telegram import Mrn, Telegram

Reader = Callable[[str], Telegram]

NOT_A_TELEGRAM = "not a telegram: "
KNOWN, REFUSED = "known", "refused"


class Prepared(msgspec.Struct, frozen=True, array_like=True, tag="prepared"):
    """A telegram ready to be filed."""

    path: str
    digest: bytes
    label: Label
    number: Number | None
    section: int | None
    sent: int | None
    opens: int | None
    quality: int
    source: bytes
    record: bytes
    cited: tuple[Number, ...]
    entry: Entry


class Passed(msgspec.Struct, frozen=True, array_like=True, tag="passed"):
    """A text that is not filed: it is held (`known`), or is no telegram (`refused`, with the reason)."""

    path: str
    digest: bytes
    outcome: str
    reason: str = ""


Ready = Prepared | Passed | Problem


def digest_of(text: str) -> bytes:
    """A document's identity: SHA-256 of its text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def prepare(item: Incoming, store: Store, reader: Reader, today: date) -> Prepared | Passed:
    """Read a text, unless the store knows it."""
    digest = digest_of(item.text)
    if store.holds(digest):
        return Passed(item.path, digest, KNOWN)
    if (reason := store.refusal(digest)) is not None:
        return Passed(item.path, digest, REFUSED, reason)
    try:
        telegram = reader(item.text)
    except reftel.NotATelegram as refusal:
        return Passed(item.path, digest, REFUSED, refusal.why)
    return prepared(item.path, digest, telegram, today)


def prepared(path: str, digest: bytes, telegram: Telegram, today: date) -> Prepared:
    """What the store and the index keep of a telegram."""
    opens = opens_on(telegram)
    source, record = pack(telegram)
    return Prepared(
        path=path,
        digest=digest,
        label=label_of(telegram, today),
        number=number_of(telegram.mrn),
        section=telegram.section.number if telegram.section else None,
        sent=minutes_of(telegram.dtg),
        opens=int(opens.strftime("%Y%m%d")) if opens else None,
        quality=quality(telegram),
        source=source,
        record=record,
        cited=tuple(
            {
                number
                for each in telegram.references
                if each.mrn and (number := number_of(Mrn.parse(each.mrn)))
            }
        ),
        entry=entry_of(telegram, digest),
    )


def number_of(mrn: Mrn | None) -> Number | None:
    return (mrn.post, mrn.year, mrn.number) if mrn else None


def prepare_here(
    inputs: Iterable[Incoming | Problem], store: Store, reader: Reader, batch: int
) -> Iterator[list[Ready]]:
    """Batches of what is ready, read in this process."""
    today = datetime.now(UTC).date()
    items = iter(inputs)
    while some := list(islice(items, batch)):
        yield [
            item if isinstance(item, Problem) else prepare(item, store, reader, today)
            for item in some
        ]


# In a worker process.

_store: Store
_decoder = msgspec.msgpack.Decoder(list[Incoming])
_encoder = msgspec.msgpack.Encoder()
_ready_decoder = msgspec.msgpack.Decoder(list[Prepared | Passed])


def _begin(database: str) -> None:
    global _store
    _store = Store(Path(database), read_only=True)


def _work(packed: bytes) -> bytes:
    today = datetime.now(UTC).date()
    return _encoder.encode(
        [prepare(item, _store, reftel.read, today) for item in _decoder.decode(packed)]
    )


def prepare_in(
    workers: int, inputs: Iterable[Incoming | Problem], database: Path, batch: int
) -> Iterator[list[Ready]]:
    """The same, read in other processes, in the order of the inputs. A worker that dies takes nothing
    with it: what it had is read again, one text at a time where it dies again."""
    pool = _Pool(workers, database)
    waiting: deque[tuple[list[Problem], list[Incoming], Future[bytes]]] = deque()
    items = iter(inputs)
    try:
        while True:
            while len(waiting) < 2 * workers and (some := list(islice(items, batch))):
                texts = [item for item in some if isinstance(item, Incoming)]
                problems = [item for item in some if isinstance(item, Problem)]
                waiting.append((problems, texts, pool.submit(texts)))
            if not waiting:
                return
            problems, texts, future = waiting.popleft()
            try:
                ready: Sequence[Ready] = _ready_decoder.decode(future.result())
            except BrokenProcessPool:
                pool.mend()
                ready = pool.one_by_one(texts)
                # Whatever else was on its way went down with it.
                again = [(p, t, pool.submit(t)) for p, t, _ in waiting]
                waiting.clear()
                waiting.extend(again)
            yield [*problems, *ready]
    finally:
        pool.end()


class _Pool:
    def __init__(self, workers: int, database: Path) -> None:
        self._workers, self._database = workers, str(database)
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Not forked: a child would share locks and connections with threads of ours.
        return ProcessPoolExecutor(
            self._workers, get_context("spawn"), initializer=_begin, initargs=(self._database,)
        )

    def submit(self, texts: list[Incoming]) -> Future[bytes]:
        return self._executor.submit(_work, _encoder.encode(texts))

    def mend(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._start()

    def one_by_one(self, texts: list[Incoming]) -> list[Ready]:
        ready: list[Ready] = []
        for text in texts:
            try:
                ready += _ready_decoder.decode(self.submit([text]).result())
            except BrokenProcessPool:
                self.mend()
                ready.append(Problem(text.path, "the process that read it ended; it is left out"))
        return ready

    def end(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """How many processes may read at a time: one for each core that is ours."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
