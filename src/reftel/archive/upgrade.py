"""Archives of earlier formats, brought to the present one when they are opened."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reftel.archive.filing import prepared
from reftel.archive.keep import keep
from reftel.archive.model import StoreError
from reftel.archive.sqlite import SqliteDatabase, connected
from reftel.archive.store import Store
from reftel.sources import Problem
from reftel.telegram import Telegram

_BATCH = 1000


def upgrade(folder: Path) -> None:
    """Bring an archive of format 1 to the present format; nothing to do for any other.

    The new database is made beside the old one, which stays as `telegrams-format-1.db`; until the new
    one is whole, the old one is the archive.
    """
    database = folder / "telegrams.db"
    if not database.exists() or format_of(database) != 1:
        return
    unfinished = folder / "telegrams-upgrading.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{unfinished}{suffix}").unlink(missing_ok=True)
    store = Store(unfinished)
    try:
        _copy(database, store)
    finally:
        store.close()
    # Closed databases have no log beside them: one file takes the other's place, in one step.
    shutil.copymode(database, unfinished)
    (folder / "telegrams-format-1.db").unlink(missing_ok=True)
    os.link(database, folder / "telegrams-format-1.db")
    unfinished.replace(database)


def format_of(database: Path) -> int | None:
    """The format of an archive's database, if it can be read. Raises `StoreError`."""
    db = connected(database, read_only=True)
    try:
        row = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    except sqlite3.DatabaseError:
        return None
    finally:
        db.close()
    return int(row[0]) if row else None


def unsound(database: Path) -> Iterator[Problem]:
    """What is damaged in a database of format 1: pages, texts that are not what they were."""
    db = SqliteDatabase(database, read_only=True)
    try:
        yield from (Problem(database.name, line) for line in db.damage())
        for (id_,) in db.execute("SELECT id FROM documents ORDER BY id"):
            query = "SELECT digest, origin, source FROM documents WHERE id = ?"
            digest, origin, source = db.one(query, (id_,))
            try:
                sound = hashlib.sha256(zlib.decompress(source)).hexdigest() == digest
            except zlib.error:
                sound = False
            if not sound:
                yield Problem(origin, f"document {digest[:16]}: its text does not match its digest")
    finally:
        db.close()


def _copy(database: Path, store: Store) -> None:
    """Every document of an archive of format 1, with the record that it has there."""
    today = datetime.now(UTC).date()
    old = sqlite3.connect(database)
    # Folds the old log into the old file, so that it can be renamed.
    old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    decoder = msgspec.json.Decoder(Telegram)
    rows = old.execute(
        "SELECT id, digest, origin, filed, record, source FROM documents ORDER BY id"
    )
    try:
        while some := rows.fetchmany(_BATCH):
            with store.transaction():
                for id_, digest, origin, filed, record, source in some:
                    text = zlib.decompress(source).decode("utf-8", "surrogatepass")
                    telegram = msgspec.structs.replace(
                        decoder.decode(zlib.decompress(record)), source=text
                    )
                    item = prepared(
                        origin, bytes.fromhex(digest), telegram, today, store.newest_dictionary()
                    )
                    keep(store, [item], id_, int(datetime.fromisoformat(filed).timestamp()))
    except (zlib.error, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise StoreError(
            f"{database} cannot be upgraded: document {id_} ({origin}) is damaged: {error}."
            " Nothing was changed; restore it from a backup, or remove that document."
        ) from error
    finally:
        old.close()
