"""Walks over paths and gives what they hold, one input after another."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from reftel.sources.incoming import Incoming, Input, Problem, SourceFile
from reftel.sources.leaves import leaves
from reftel.sources.stream import (
    Peekable,
    UnreadableError,
    ahead,
    unpacked,
    why_not_read,
)
from reftel.sources.texts import texts

STDIN = "-"
ALL = -1
"""What `had` says of a file whose inputs have all been had."""

_MAILDIR = {"cur", "new", "tmp"}


def inputs(
    paths: Iterable[str],
    *,
    stdin: BinaryIO | None = None,
    had: Callable[[SourceFile], int] | None = None,
) -> Iterator[Input]:
    """What the paths hold, in order, as bytes; folders in the order of their names, hidden files left
    out. Memory stays flat whatever the files hold.

    `had` says of a file how many of its inputs are to be passed over because they have been had
    (`Input.ordinal` of the last one), or `ALL`; a file that has changed is a new one to it.
    """
    done = 0
    for path in paths:
        if path == STDIN and stdin is not None:
            yield from _numbered(STDIN, unpacked(stdin), None, 0, done)
            continue
        for found in _files(Path(path)):
            if isinstance(found, Problem):
                yield Input(path=found.path, problem=found, done=done)
            else:
                yield from _read_file(found, had, done)
                done += _size(found)


def walk(paths: Iterable[str], *, stdin: BinaryIO | None = None) -> Iterator[Incoming | Problem]:
    """The texts of all that the paths hold, in order, and the problems met."""
    for item in inputs(paths, stdin=stdin):
        yield from texts(item)


def total_bytes(paths: Iterable[str]) -> int:
    """How many bytes the files under the paths have, packed as they are: what `Input.done` goes up
    to. Standard input counts nothing."""
    return sum(
        0 if isinstance(found, Problem) else _size(found)
        for path in paths
        if path != STDIN
        for found in _files(Path(path))
    )


def _files(path: Path) -> Iterator[Path | Problem]:
    """The files of a path, in the order in which they are read."""
    try:
        if not path.is_dir():
            yield path
            return
    except OSError as error:
        yield Problem(_named(path), why_not_read(error))
        return
    problems: list[Problem] = []

    def note(error: OSError) -> None:
        problems.append(Problem(_named(error.filename or path), why_not_read(error)))

    # Links to folders are not followed: they can make a loop.
    for here, folders, files in os.walk(path, onerror=note):
        mail = set(folders) >= _MAILDIR
        folders[:] = sorted(name for name in folders if _is_walked(Path(here, name), mail))
        yield from problems
        problems.clear()
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(here, name)
    yield from problems


def _is_walked(folder: Path, in_mail: bool) -> bool:
    """Hidden folders are not, save the subfolders of a Maildir; nor what is still being delivered."""
    if not in_mail:
        return not folder.name.startswith(".")
    if folder.name.startswith("."):
        return (folder / "cur").is_dir()
    return folder.name != "tmp"


def _read_file(path: Path, had: Callable[[SourceFile], int] | None, before: int) -> Iterator[Input]:
    try:
        # Opened without blocking, and looked at once open: a pipe or device must not hold us up.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        yield Input(
            path=_named(path), problem=Problem(_named(path), why_not_read(error)), done=before
        )
        return
    status = os.fstat(descriptor)
    with io.BufferedReader(io.FileIO(descriptor), ahead(status.st_size)) as stream:
        if not stat.S_ISREG(status.st_mode):
            reason = "not a regular file; only files and folders are read"
            yield Input(path=_named(path), problem=Problem(_named(path), reason), done=before)
            return
        file = SourceFile(_named(path.absolute()), status.st_size, status.st_mtime_ns)
        passed = had(file) if had is not None else 0
        if passed != ALL:
            yield from _numbered(_named(path), stream, file, passed, before)


def _numbered(
    path: str, stream: Peekable, file: SourceFile | None, passed: int, before: int
) -> Iterator[Input]:
    """The inputs of a stream behind the first `passed`, numbered, the last one marked."""
    held: Input | None = None
    done = before
    for ordinal, leaf in enumerate(leaves(path, stream), 1):
        if held is not None:
            yield held
            held = None
        if ordinal <= passed:
            continue
        data, problem = b"", None
        try:
            data = leaf.load()
        except UnreadableError as error:
            problem = Problem(leaf.path, str(error), passing=error.passing)
        except OSError as error:
            problem = Problem(leaf.path, why_not_read(error), passing=True)
        if file is not None:
            # An archive's directory stands at its end: what was read there is not behind us.
            done = max(done, before + min(os.lseek(stream.fileno(), 0, os.SEEK_CUR), file.size))
        held = Input(
            path=leaf.path,
            data=data,
            problem=problem,
            whole=leaf.whole,
            file=file,
            ordinal=ordinal,
            done=done,
        )
    if held is not None:
        done = before + file.size if file is not None else before
        yield msgspec.structs.replace(held, last=True, done=done)


def _named(path: Path | str) -> str:
    """A path as it is shown and kept: bytes of it that are no text stand as `\\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0
