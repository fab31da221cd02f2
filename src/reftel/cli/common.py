"""What the commands share: messages, colour, exit codes, options, the archive."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from reftel.tables.directory import Directory, DirectoryError, parse_directory
from reftel.tables.settings import ConfigError, nearest

if TYPE_CHECKING:
    from reftel.access import Policy
    from reftel.archive import Archive, View

_Command = TypeVar("_Command", bound=Callable[..., Any])

DONE, NOTHING, UNREADABLE = 0, 1, 2


def say(message: str) -> None:
    click.echo(message, err=True)


def fail(message: str) -> NoReturn:
    say(f"reftel: {message}")
    sys.exit(UNREADABLE)


def color() -> bool:
    if "NO_COLOR" in os.environ:
        return False
    return sys.stdout.isatty() or "FORCE_COLOR" in os.environ


def width() -> int:
    return shutil.get_terminal_size((80, 24)).columns


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def format_option(*formats: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True
    )


Place = Path | str
"""A folder, or the URL of a database."""


def place(value: str) -> Place:
    """The folder or the URL that somebody names."""
    return value if value.startswith(("postgresql://", "postgres://")) else Path(value)


def archive_option(command: _Command) -> _Command:
    return click.option(
        "--archive",
        "folder",
        type=place,
        metavar="FOLDER|URL",
        envvar="REFTEL_ARCHIVE",
        help="The archive's folder, or postgresql://... [default: REFTEL_ARCHIVE, or the user data"
        " folder].",
    )(command)


def finding_options(command: _Command) -> _Command:
    """The options of commands that find in an archive as some reader sees it: `open_view` opens it."""
    as_option = click.option(
        "--as",
        "reader",
        metavar="NAME",
        expose_value=False,
        callback=_as,
        help="See what this reader of the access file sees.",
    )
    return archive_option(as_option(command))


def _as(context: click.Context, parameter: click.Parameter, name: str | None) -> None:
    del parameter
    context.meta["reftel.as"] = name


access_option = click.option(
    "--access",
    "access_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="REFTEL_ACCESS",
    help="The access file [default: REFTEL_ACCESS, or access.toml in the archive's folder].",
)


def fail_for_mistakes(path: Path, error: ConfigError) -> NoReturn:
    """End with every mistake of a configuration or an access file."""
    for problem in error.problems:
        say(f"{path}: {problem}")
    mistakes = "a mistake" if len(error.problems) == 1 else f"{len(error.problems)} mistakes"
    fail(f"{path} has {mistakes}; nothing was done")


def policy_of(folder: Path, file: Path | None = None) -> Policy | None:
    """The readers of an archive; `None` where no access file stands beside it and none is named."""
    from reftel.access import ACCESS_FILE, load_policy

    named = os.environ.get("REFTEL_ACCESS")
    path = file or (Path(named) if named else folder / ACCESS_FILE)
    if not path.exists() and file is None and not named:
        return None
    try:
        return load_policy(path)
    except ConfigError as error:
        fail_for_mistakes(path, error)
    except OSError as error:
        fail(f"{path}: {error.strerror}")


def needs_readers(archive: Archive, policy: Policy | None) -> None:
    """End where the access file has gone that said who may read what; remember it where it is there."""
    from reftel.access import ACCESS_FILE

    if policy is not None:
        archive.note_readers()
    elif archive.has_readers:
        file = archive.folder / ACCESS_FILE
        fail(
            f"this archive has readers who may not read all of it, and there is no {file}"
            " to say who reads what: put it there, or name it in REFTEL_ACCESS. One that has [everybody] with"
            ' clearance = "TOP SECRET" and captions = ["*"] opens everything to everybody (docs/access.md)'
        )


@contextmanager
def open_view(folder: Place | None) -> Iterator[View]:
    """The archive as the reader sees it whom `--as` names; without, as its owner does. Where there is an
    access file, what is asked for is in the audit trail before the answer is given."""
    from reftel.access import EVERYTHING, TRAIL_FILE, Deed, Trail, TrailError

    name = click.get_current_context().meta.get("reftel.as")
    with open_archive(folder) as archive:
        policy = policy_of(archive.folder)
        needs_readers(archive, policy)
        if policy is None:
            if name is not None:
                fail(f"--as {name}: there is no access.toml in {archive.folder} to say who that is")
            yield archive
            return
        reader = EVERYTHING if name is None else policy.named(name)
        if name is not None and reader is None:
            fail(f"--as {name}: the access file names no such reader{nearest(name, policy.names)}")
        assert reader is not None
        try:
            with Trail(archive.folder / TRAIL_FILE) as trail:

                def note(deed: Deed) -> None:
                    trail.write(reader.name, f"command line of {getuser()}", [deed]).result()

                yield archive.view(reader, note)
        except TrailError as error:
            fail_unrecorded(archive.folder, error)


def fail_unrecorded(folder: Path, error: Exception) -> NoReturn:
    """End where there is an access file and what is shown cannot be recorded."""
    way = ""
    if not os.access(folder, os.W_OK):
        way = (
            f". {folder} cannot be written and has an access file: make a backup of it where there is room"
            " (reftel archive backup), restore that where it can be written, and read it there"
        )
    fail(f"nothing is shown while the audit trail cannot be written: {error}{way}")


def user_folder() -> Path:
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "reftel"


def database_folders() -> Path:
    """Where the indexes of databases lie."""
    return user_folder() / "databases"


def open_archive(folder: Place | None, *, new: bool = False) -> Archive:
    try:
        from reftel.archive import Archive, StoreError
        from reftel.archive.pool import cores
    except ImportError as error:
        fail(f"{error.name} is not installed; install it with: pip install 'reftel[archive]'")
    place = folder or user_folder()
    if not new and isinstance(place, Path) and not (place / "telegrams.db").exists():
        fail(f"there is no archive in {place}; file telegrams first: reftel add FOLDER")
    try:
        with indexing() as show:
            return Archive.open(place, database_folders(), workers=cores(), on_index=show)
    except (StoreError, OSError) as error:
        fail(str(error))


@contextmanager
def progress(label: str, *, said: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar from when there is something to tell, where somebody looks; elsewhere the label alone, if it is
    to be said."""
    bar = click.progressbar(length=1, label=label, file=sys.stderr, width=30)

    def show(done: int, of: int) -> None:
        if not (said or sys.stderr.isatty()):
            return
        bar.length = max(of, 1)
        if not bar.entered:
            # Where nobody looks this says the label.
            bar.__enter__()
        if sys.stderr.isatty():
            bar.update(done - bar.pos)

    try:
        yield show
    finally:
        if bar.entered:
            # The cursor is seen again, also after an error.
            bar.render_finish()


def indexing() -> AbstractContextManager[Callable[[int, int], None]]:
    """Says that a search index is built, when that begins, and how far it is."""
    return progress("Building the search index", said=True)


def folder_of(place: Place | None) -> Path:
    """The folder of an archive, in which stands what is kept beside it."""
    if isinstance(place, str):
        with open_archive(place) as archive:
            return archive.folder
    return place or user_folder()


directory_option = click.option(
    "--directory",
    "directory_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="REFTEL_DIRECTORY",
    help="A directory file: routing indicators, mailboxes and clearances of stations.",
)


def directory_of(path: Path | None) -> Directory:
    if path is None:
        return Directory()
    try:
        return parse_directory(path.read_text(encoding="utf-8"))
    except (DirectoryError, OSError, UnicodeDecodeError) as error:
        fail(f"{path}: {error}")
