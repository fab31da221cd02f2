"""What can be read of a damaged journal, row by row, into a new one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reftel.centre.journalfile import connect, create

_TABLES = ("message", "entry", "duty", "handled", "value", "awaited", "reading", "removed")


def salvage(damaged: Path, path: Path) -> dict[str, int]:
    """Copy every row that can be read of a damaged file into a new one, table by table.

    Where a page is lost, the rows on it are passed over and reading goes on behind them.
    """
    new = connect(path)
    create(new)
    counts = dict.fromkeys(_TABLES, 0)
    try:
        old = sqlite3.connect(damaged, isolation_level=None)
        old.execute("PRAGMA cell_size_check=ON")
    except sqlite3.Error:
        return counts
    for table in _TABLES:
        marks: str | None = None
        new.execute("BEGIN")
        for row in _readable_rows(old, table):
            marks = marks or ",".join("?" * len(row))
            with contextlib.suppress(sqlite3.Error):
                new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
                counts[table] += 1
        new.execute("COMMIT")
    old.close()
    new.close()
    return counts


def _readable_rows(old: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    if table not in ("message", "entry", "duty"):
        with contextlib.suppress(sqlite3.Error):
            yield from old.execute(f"SELECT * FROM {table}")
        return
    at, top, skipped = 0, None, 0
    with contextlib.suppress(sqlite3.Error):
        (top,) = old.execute(f"SELECT max(id) FROM {table}").fetchone()
    while skipped < 10_000:
        try:
            for row in old.execute(f"SELECT * FROM {table} WHERE id>? ORDER BY id", (at,)):
                at, skipped = row[0], 0
                yield row
            return
        except sqlite3.Error:
            at, skipped = at + 1, skipped + 1
            if top is not None and at > top:
                return
