"""What the commands share: messages, colour, exit codes, options, the archive."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from reftel.tables.directory import Directory, DirectoryError, parse_directory

if TYPE_CHECKING:
    from reftel.archive import Archive

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


def user_folder() -> Path:
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "reftel"


def database_folders() -> Path:
    """Where the indexes of databases lie."""
    return user_folder() / "databases"


def open_archive(folder: Place | None, *, new: bool = False) -> Archive:
    try:
        from reftel.archive import Archive, StoreError
    except ImportError as error:
        fail(f"{error.name} is not installed; install it with: pip install 'reftel[archive]'")
    place = folder or user_folder()
    if not new and isinstance(place, Path) and not (place / "telegrams.db").exists():
        fail(f"there is no archive in {place}; file telegrams first: reftel add FOLDER")
    try:
        return Archive.open(place, database_folders())
    except (StoreError, OSError) as error:
        fail(str(error))


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
