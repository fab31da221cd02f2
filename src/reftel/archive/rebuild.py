"""What the index holds, made again of what the store holds, on all cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

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


def lines(store: Store, workers: int) -> Iterator[tuple[int, list[Line]]]:
    """The entries of all reading copies, in the order of filing, and the last document that was looked at;
    read in so many other processes, or in this one."""
    last = store.next_id() - 1
    batches = deque(range(at, min(at + _BATCH, last + 1)) for at in range(1, last + 1, _BATCH))
    if workers and last >= _FEW:
        pool = Pool(workers, store.path)
        try:
            asked = ((each, msgspec.msgpack.encode((each.start, each.stop))) for each in [*batches])
            for documents, answer in pool.each(_work, asked):
                found = _lines(store, documents) if answer is None else _decode(answer)
                batches.popleft()
                yield documents[-1], found
        except NoProcessError:
            # It takes longer, and nobody need know why.
            pass
        finally:
            pool.end()
    for documents in batches:
        yield documents[-1], _lines(store, documents)


def _work(store: Store, packed: bytes) -> bytes:
    return msgspec.msgpack.encode(_lines(store, range(*msgspec.msgpack.decode(packed))))


def _lines(store: Store, documents: range) -> list[Line]:
    rows = store.between(documents[0], documents[-1])
    return [(row.id, row.label, line) for row in rows if row.reading and (line := held(store, row))]


def held(store: Store, row: Row) -> str | None:
    """The entry of a document that is held; `None` if it is damaged: `verify` names it, and a telegram
    that cannot be read cannot be found by its words."""
    try:
        return line_of(store.telegram(row.id, elements=False), row.digest)
    except DamagedError:
        return None
