"""The archive's care: `archive verify`, `backup`, `restore`, `salvage`, `rebuild-index`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reftel.cli.common import (
    DONE,
    NOTHING,
    Place,
    archive_option,
    database_folders,
    fail,
    indexing,
    open_archive,
    place,
    progress,
    say,
    user_folder,
)

if TYPE_CHECKING:
    from reftel.sources import Problem


@click.group()
def archive() -> None:
    """Take care of an archive: verify, back up, restore, salvage, build its index again.

    \b
    Example: reftel archive verify
    """


@archive.command()
@archive_option
def verify(folder: Place | None) -> None:
    """Check every document (text, record, number, citations, label, copies) and the index.

    What is wrong is said with what to do; nothing is changed.

    \b
    Example: reftel archive verify
    """
    with open_archive(folder) as opened:
        with progress("Verifying") as show:
            problems = opened.verify(show)
        _say_all(problems)
        say(f"{opened.count():,} telegrams, {len(problems):,} problems")
    sys.exit(NOTHING if problems else DONE)


@archive.command()
@click.argument("to", type=click.Path(path_type=Path))
@archive_option
def backup(to: Path, folder: Place | None) -> None:
    """Copy the archive to the folder TO, which is not there yet, while it is in use.

    The copy is checked before it takes its place; the index is left out and built again by restore.

    \b
    Example: reftel archive backup /mnt/safe/2026-11-27
    """
    from reftel.archive.backup import backup as make

    with _failures(), progress("Copying") as show:
        problems = make(_folder_of(folder), to, show)
    _say_all(problems)
    if problems:
        say(
            f"{to}: the archive is copied as it is, and it is damaged: keep older backups. The way"
            " back is in docs/care.md"
        )
    else:
        say(f"{to}: a backup of the archive, checked")
    sys.exit(NOTHING if problems else DONE)


@archive.command()
@click.argument("source", metavar="FROM", type=click.Path(exists=True, path_type=Path))
@archive_option
def restore(source: Path, folder: Place | None) -> None:
    """Put the backup FROM in the place of the archive, and build its index.

    An archive that is there already is not touched: move it away first.

    \b
    Example: reftel archive restore /mnt/safe/2026-11-27
    """
    from reftel.archive.backup import restore as put_back

    target = _folder_of(folder)
    with _failures():
        problems = put_back(source, target)
    _say_all(problems)
    with open_archive(target) as opened:
        say(f"{target}: {opened.count():,} telegrams, as they were backed up")
    sys.exit(NOTHING if problems else DONE)


@archive.command()
@click.argument("to", type=click.Path(path_type=Path))
@archive_option
def salvage(to: Path, folder: Place | None) -> None:
    """Take what can be read of a damaged archive into a new one, in the folder TO.

    The damaged one is not touched. What is lost is said, one line each.

    \b
    Example: reftel archive salvage ~/telegrams-new
    """
    from reftel.archive.salvage import salvage as save

    with _failures(), progress("Reading") as show:
        saved, lost = save(_folder_of(folder), to, show)
    _say_all(lost)
    with open_archive(to):
        say(f"{to}: {saved:,} documents saved, {len(lost):,} lost or doubtful")
    sys.exit(NOTHING if lost else DONE)


@archive.command()
@click.argument("source", metavar="FROM", type=place)
@click.argument("to", type=place)
def copy(source: Place, to: Place) -> None:
    """Copy the archive FROM to TO: a folder that is not there yet, or an empty database
    (postgresql://...), either way.

    It may be in use meanwhile. Each row is read again and compared.

    \b
    Example: reftel archive copy ~/telegrams postgresql://reftel@db.example/telegrams
    """
    from reftel.archive.copying import copy as move

    with _failures(), progress("Copying") as show:
        copied = move(source, to, database_folders(), show)
    with open_archive(to):
        say(f"{copied:,} documents copied and compared; the index is built")


@archive.command("rebuild-index")
@archive_option
def rebuild_index(folder: Place | None) -> None:
    """Build the search index again from the stored telegrams.

    \b
    Example: reftel archive rebuild-index
    """
    from reftel.archive.pool import cores

    with open_archive(folder) as opened:
        if not opened.index_built:
            with indexing() as show:
                opened.rebuild_index(cores(), show)
        say(f"{opened.count():,} telegrams indexed")


def _say_all(problems: list[Problem]) -> None:
    for problem in problems:
        say(str(problem))


def _folder_of(named: Place | None) -> Path:
    if isinstance(named, str):
        fail(
            "an archive in a database is backed up by the database's own means (pg_dump), or copied to"
            " a folder: reftel archive copy FROM TO"
        )
    return named or user_folder()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        from reftel.archive import StoreError
    except ImportError as error:
        fail(f"{error.name} is not installed; install it with: pip install 'reftel[archive]'")
    try:
        yield
    except (StoreError, OSError) as error:
        fail(str(error))


@archive.command("open-due")
@archive_option
def open_due(folder: Place | None) -> None:
    """Open the telegrams whose day of declassification has come. The reading room and the message centre
    do so each day.

    \b
    Example: reftel archive open-due
    """
    with open_archive(folder) as opened:
        fallen = opened.open_due()
    say(f"{fallen} telegrams fell open")
