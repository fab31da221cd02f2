"""Entries chained by digests: who alters, removes or inserts one breaks every one that follows.

An entry's digest is BLAKE2b (16 bytes) of the digest before it and of its own values. The last digest, kept
where the file's keeper cannot reach it, proves that nothing was cut off or written anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

GENESIS = b"\0" * 16
"""What the first entry follows."""


def link(chain: bytes, number: int, row: tuple[Any, ...]) -> bytes:
    """The digest of an entry that follows one with the digest `chain`."""
    text = "\0".join("" if value is None else repr(value) for value in (number, *row))
    return hashlib.blake2b(chain + text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def breaks(
    rows: Iterable[tuple[Any, ...]],
    chain: bytes,
    expected: int | None,
    removed: Mapping[int, tuple[int, bytes]] | None = None,
) -> Iterator[str]:
    """What is wrong with entries that follow a digest: each row is a number, values, and its digest.
    `expected` is the first number; without it, the first entry is taken as it stands. `removed` are runs of
    entries that were rightly taken out: from the first, the last and its digest."""
    for number, *values, kept in rows:
        while removed and expected is not None and expected != number and expected in removed:
            last, chain = removed[expected]
            expected = last + 1
        if expected is not None and number != expected:
            yield f"entry {expected} is missing"
        elif expected is not None and link(chain, number, tuple(values)) != kept:
            yield f"entry {number} was altered: it does not follow from the one before"
        chain, expected = kept, number + 1
