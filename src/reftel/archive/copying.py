"""An archive moved to the other kind of store, row by row, and compared afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from reftel.archive.backup import DATABASE, copy_beside, replacing
from reftel.archive.model import StoreError
from reftel.archive.place import is_url, parted
from reftel.archive.store import Store

KEYS = {
    "labels": ("id",),
    "documents": ("id",),
    "texts": ("document",),
    "dictionaries": ("id",),
    "spread": ("telegram",),
    "citations": ("post", "year", "number", "document"),
    "stations": ("id",),
    "continuity": ("originator", "sent", "addressee", "document"),
    "lost": ("document",),
    "decisions": ("id",),
    "refused": ("digest",),
    "had": ("path",),
}
"""The tables that are copied, in this order, and the key of each."""
NOT_COPIED = ("meta", "places", "unindexed")
"""What a new store has of itself, and what belongs to the index."""

_ROWS = 500


def copy(
    source: Path | str,
    target: Path | str,
    folders: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Copy an archive, which may be in use, to a folder that is not there yet or to an empty database; how
    many documents. Raises `StoreError`, `OSError`; then nothing was copied."""
    path, beside = _opened(source, folders)
    old = Store(path, read_only=True)
    try:
        with old.snapshot():
            if is_url(target):
                address, folder = parted(str(target), folders)
                new = Store(address)
                try:
                    if new.next_id() > 1:
                        raise StoreError(f"{new.name} holds telegrams already; name an empty one")
                    return _copied(old, new, beside, folder, on_progress)
                finally:
                    new.close()
            with replacing(Path(target)) as folder:
                new = Store(folder / DATABASE)
                try:
                    return _copied(old, new, beside, folder, on_progress)
                finally:
                    new.close()
    finally:
        old.close()


def _opened(place: Path | str, folders: Path | None) -> tuple[Path | str, Path]:
    """The store of an archive that is there, and the folder with its other files."""
    if is_url(place):
        return parted(str(place), folders)
    folder = Path(place)
    if not (folder / DATABASE).is_file():
        raise StoreError(f"there is no archive in {folder}")
    return folder / DATABASE, folder


def _copied(
    old: Store,
    new: Store,
    beside: Path,
    folder: Path,
    on_progress: Callable[[int, int], None] | None,
) -> int:
    of = old.next_id() - 1
    with new.transaction():
        for table in KEYS:
            before = hashlib.sha256()
            done = 0
            for rows in pages(old, table):
                new.put(table, rows)
                done += len(rows)
                before.update(_packed(rows))
                if on_progress and table == "texts":
                    on_progress(done, of)
            after = hashlib.sha256()
            for rows in pages(new, table):
                after.update(_packed(rows))
            if before.digest() != after.digest():
                raise StoreError(f"{new.name}: {table} came out otherwise; nothing was copied")
        new.count_on()
        if beside.is_dir():
            copy_beside(beside, folder)
    return sum(1 for _ in new.ids())


def pages(store: Store, table: str) -> Iterator[list[tuple[Any, ...]]]:
    """All rows of a table in the order of its key, some at a time."""
    keys = KEYS[table]
    names = ", ".join(keys)
    marks = ", ".join("?" * len(keys))
    last: tuple[Any, ...] | None = None
    while True:
        where = f"WHERE ({names}) > ({marks})" if last else ""
        query = f"SELECT {names}, {table}.* FROM {table} {where} ORDER BY {names} LIMIT {_ROWS}"
        rows = store.select(query, last or ())
        if not rows:
            return
        last = rows[-1][: len(keys)]
        yield [row[len(keys) :] for row in rows]


def _packed(rows: list[tuple[Any, ...]]) -> bytes:
    # PostgreSQL keeps the picture of a NUL in a text (postgres.py).
    return msgspec.msgpack.encode(
        [
            [
                each.replace("\0", "\N{SYMBOL FOR NULL}") if isinstance(each, str) else each
                for each in row
            ]
            for row in rows
        ]
    )
