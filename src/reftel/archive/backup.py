"""A copy of an archive that can be trusted, made while the archive is in use; and the way back.

A backup is a folder with everything but the index, which is built again, and `SHA256SUMS` of its files
(`sha256sum -c` checks them). Both ways the copy is made beside its place, checked, and takes the place in one
step.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reftel.archive.filing import digest_of
from reftel.archive.index import NEW, OLD
from reftel.archive.model import DamagedError, OnProgress, StoreError
from reftel.archive.schema import FORMAT
from reftel.archive.sqlite import connected
from reftel.archive.store import Store
from reftel.archive.upgrade import format_of, unsound
from reftel.sources import Problem

SUMS = "SHA256SUMS"
DATABASE = "telegrams.db"

_PAGES = 2000
_NOT_KEPT = ("-wal", "-shm", "-journal", "-upgrading.db")


def backup(folder: Path, to: Path, on_progress: OnProgress | None = None) -> list[Problem]:
    """Copy an archive to a folder that is not there yet; whatever is filed meanwhile is not in it.

    The problems are those of the archive itself, which the backup has with it. Raises `StoreError`,
    `OSError`; then there is no backup.
    """
    if not (folder / DATABASE).is_file():
        raise StoreError(f"there is no archive in {folder}")
    if to.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{to} lies in the archive itself; name a folder elsewhere")
    found = format_of(folder / DATABASE)
    if found is not None and found > FORMAT:
        raise StoreError(
            f"{folder / DATABASE} has format {found}; this version copies up to {FORMAT}"
        )
    with replacing(to) as place:
        for file in _files(folder):
            copy = begin_copy(file, folder, place)
            if _is_database(file):
                _copy_database(file, copy, on_progress if file.name == DATABASE else None)
            else:
                shutil.copyfile(file, copy)
            shutil.copymode(file, copy)
        problems = _unsound(place)
        copies = sorted(each for each in place.rglob("*") if each.is_file())
        lines = [f"{_sum(each)}  {each.relative_to(place)}\n" for each in copies]
        (place / SUMS).write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        shutil.copymode(place / DATABASE, place / SUMS)
    return problems


def restore(backup: Path, folder: Path) -> list[Problem]:
    """Put a backup in the place of an archive, which must be free. Raises `StoreError`, `OSError`; then
    nothing is changed."""
    if not (backup / DATABASE).is_file() or not (backup / SUMS).is_file():
        raise StoreError(f"{backup} is no backup: {DATABASE} and {SUMS} are not both there")
    sums = _sums(backup)
    with replacing(folder) as place:
        for name, wanted in sums.items():
            try:
                copy = begin_copy(backup / name, backup, place)
                shutil.copyfile(backup / name, copy)
                shutil.copymode(backup / name, copy)
            except FileNotFoundError:
                raise StoreError(f"{backup / name} is missing; use another backup") from None
            if _sum(copy) != wanted:
                raise StoreError(
                    f"{backup / name} is not what was backed up: its checksum is another; use"
                    " another backup, or take what can be read with reftel archive salvage"
                )
        return _unsound(place)


@contextmanager
def replacing(to: Path) -> Iterator[Path]:
    """A folder beside a place, which takes the place when all went well and is removed when not."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise StoreError(f"{to} is there already; name another place, or move it away first")
    if to.is_symlink() and not to.exists():
        raise StoreError(
            f"{to} is a link to {to.readlink()}, which is not there: make that folder, or remove the link"
        )
    # A link to an empty folder stands for that.
    to = to.resolve()
    for above in to.parents:
        if (above / DATABASE).is_file():
            raise StoreError(
                f"{to} lies in {above}, which is an archive or a backup; name a folder elsewhere"
            )
    to.parent.mkdir(parents=True, exist_ok=True)
    place = to.with_name(f".{to.name}.unfinished")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(0o700)
    try:
        yield place
        for each in (*place.rglob("*"), place):
            _sync(each)
        place.rename(to)
        _sync(to.parent)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def begin_copy(file: Path, folder: Path, place: Path) -> Path:
    """Where a file of a folder belongs in another: empty, and its keeper's alone. The folders to it are made,
    with the modes of those that they stand for."""
    for inside in reversed(file.relative_to(folder).parents):
        (place / inside).mkdir(0o700, exist_ok=True)
        (place / inside).chmod((folder / inside).stat().st_mode & 0o777 | 0o700)
    copy = place / file.relative_to(folder)
    copy.touch(0o600)
    return copy


_DERIVED = ("index", NEW, OLD, "lock", SUMS)


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        derived = inside.parts[0] in _DERIVED or file.name.endswith(_NOT_KEPT)
        if file.is_file() and not derived:
            yield file


def files_beside(folder: Path) -> Iterator[Path]:
    """What lies in an archive beside its database and what is derived: drafts, saved searches, the access
    file, the audit trail."""
    for file in _files(folder):
        name = file.relative_to(folder).parts[0]
        if not name.startswith("telegrams") and name != "place":
            yield file


def copy_beside(folder: Path, to: Path) -> None:
    """Copy that to another folder, but for what is there; it may be in use."""
    to.mkdir(0o700, parents=True, exist_ok=True)
    for file in files_beside(folder):
        if (to / file.relative_to(folder)).exists():
            continue
        copy = begin_copy(file, folder, to)
        if _is_database(file):
            # Its newest entries may lie in a log beside it.
            with suppress(StoreError):
                _copy_database(file, copy, None)
                shutil.copystat(file, copy)
                continue
        # What is damaged is copied as it is.
        shutil.copy2(file, copy)


def _is_database(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\0"


def _copy_database(path: Path, to: Path, on_progress: OnProgress | None) -> None:
    """SQLite's online backup, of the state in which the database is now: who writes is not hindered."""
    source = connected(path, read_only=True)
    target = sqlite3.connect(to)

    def tell(_: int, remaining: int, total: int) -> None:
        if on_progress:
            on_progress(total - remaining, total)

    try:
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        source.backup(target, pages=_PAGES, progress=tell)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be copied to {to.parent}: {error}") from error
    finally:
        target.close()
        source.close()


def _unsound(place: Path) -> list[Problem]:
    """What is damaged in a copy: the database, texts that are not what they were."""
    if format_of(place / DATABASE) == 1:
        # It is copied as it is, and upgraded when it is opened.
        return list(unsound(place / DATABASE))
    store = Store(place / DATABASE, read_only=True)
    try:
        problems = [Problem(DATABASE, line) for line in store.damage()]
        for row in store.all_rows():
            try:
                if digest_of(store.text(row.id)) == row.digest:
                    continue
                why = "its text does not match its digest"
            except DamagedError as error:
                why = str(error)
            problems.append(Problem(row.origin, why))
    finally:
        store.close()
    return problems


def _sums(backup: Path) -> dict[str, str]:
    text = (backup / SUMS).read_text(encoding="utf-8", errors="surrogateescape")
    sums: dict[str, str] = {}
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or name.startswith("/") or ".." in Path(name).parts:
            raise StoreError(f"{backup / SUMS} is damaged: {line[:80]!r}; use another backup")
        sums[name] = digest
    if DATABASE not in sums:
        raise StoreError(f"{backup / SUMS} does not name {DATABASE}; use another backup")
    return sums


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
