"""What the index holds, made again of what the store holds, on all cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from reftel.archive.entry import line_of
from reftel.archive.model import DamagedError, NoProcessError
from reftel.archive.pool import Pool
from reftel.archive.rows import Row
from reftel.archive.store import Store

Line = tuple[int, int, str]
"""A document, its label, and its entry in the label's index."""

_BATCH = 200
# For so few no processes are begun.
_FEW = 5000

_decode = msgspec.msgpack.Decoder(list[Line]).decode


def lines(store: Store, documents: Sequence[int], workers: int) -> Iterator[tuple[int, list[Line]]]:
    """How many of some documents have been looked at, and the entries of those that are reading copies, in
    their order; read in so many other processes, or in this one."""
    batches = deque(documents[at : at + _BATCH] for at in range(0, len(documents), _BATCH))
    done = 0
    if workers and len(documents) >= _FEW:
        pool = Pool(workers, store.path)
        try:
            asked = ((each, msgspec.msgpack.encode([*each])) for each in [*batches])
            for some, answer in pool.each(_work, asked):
                found = _lines(store, some) if answer is None else _decode(answer)
                batches.popleft()
                done += len(some)
                yield done, found
        except NoProcessError:
            # It takes longer, and nobody need know why.
            pass
        finally:
            pool.end()
    for some in batches:
        done += len(some)
        yield done, _lines(store, some)


def _work(store: Store, packed: bytes) -> bytes:
    return msgspec.msgpack.encode(_lines(store, msgspec.msgpack.decode(packed)))


def _lines(store: Store, documents: Sequence[int]) -> list[Line]:
    rows = store.some(documents)
    return [(row.id, row.label, held(store, row)) for row in rows if row.reading]


def held(store: Store, row: Row) -> str:
    """The entry of a document that is held. One that is damaged cannot be found by its words, and is by
    its number and time, so that nobody misses it unawares; `verify` names it."""
    try:
        return line_of(store.telegram(row.id, elements=False), row.digest)
    except DamagedError:
        return line_of(row.stand_in, row.digest)
