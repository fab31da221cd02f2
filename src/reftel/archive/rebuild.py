"""What the index holds, made again of what the store holds, on all cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

from reftel.archive.entry import line_of
from reftel.archive.model import DamagedError, NoProcessError
from reftel.archive.pool import Pool
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
    found: list[Line] = []
    for row in store.between(documents[0], documents[-1]):
        if row.reading:
            try:
                telegram = store.telegram(row.id, elements=False)
            except DamagedError:
                # `verify` names it; a telegram that cannot be read cannot be found by its words.
                continue
            found.append((row.id, row.label, line_of(telegram, row.digest)))
    return found
