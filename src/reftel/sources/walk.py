"""Walks over paths and gives what they hold, one input after another."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from reftel.read.several import parts
from reftel.sources.decode import UndecodableError, decode
from reftel.sources.incoming import Incoming, Problem
from reftel.sources.pdf import MissingExtraError, pdf_text
from reftel.sources.zipped import read_zip

LIMIT_BYTES = 32 * 1024 * 1024
"""The largest single input; a telegram is some kilobytes, the largest known below one megabyte."""

STDIN = "-"


def walk(paths: Iterable[str], *, stdin: BinaryIO | None = None) -> Iterator[Incoming | Problem]:
    """What the paths hold, in order; folders in the order of their names, hidden files left out."""
    for path in paths:
        if path == STDIN and stdin is not None:
            yield from _read_stream(stdin)
        else:
            yield from _walk_path(Path(path))


def count(paths: Iterable[str]) -> int:
    """How many files the paths hold: an estimate for a progress bar (an archive counts as one)."""
    total = 0
    for path in paths:
        if Path(path).is_dir():
            total += sum(len(files) for _, _, files in os.walk(path))
        else:
            total += 1
    return total


def _walk_path(path: Path) -> Iterator[Incoming | Problem]:
    try:
        if path.is_dir():
            yield from _walk_folder(path)
        else:
            yield from _read_file(path)
    except OSError as error:
        yield Problem(str(path), _reason(error))


def _walk_folder(folder: Path) -> Iterator[Incoming | Problem]:
    problems: list[Problem] = []

    def note(error: OSError) -> None:
        problems.append(Problem(str(error.filename or folder), _reason(error)))

    # Links to folders are not followed: they can make a loop.
    for here, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from problems
        problems.clear()
        for name in sorted(files):
            if name.startswith("."):
                continue
            path = Path(here, name)
            try:
                yield from _read_file(path)
            except OSError as error:
                yield Problem(str(path), _reason(error))
    yield from problems


def _read_file(path: Path) -> Iterator[Incoming | Problem]:
    # Opened without blocking, and looked at once open: a pipe or device must not hold us up.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            yield Problem(str(path), "not a regular file; only files and folders are read")
            return
        head = file.read(8)
        file.seek(0)
        if head.startswith(b"PK\x03\x04"):
            yield from read_zip(file, str(path), read_bytes)
            return
        if status.st_size > LIMIT_BYTES:
            yield Problem(str(path), _too_large(status.st_size))
            return
        yield from read_bytes(str(path), file.read())


def _read_stream(stream: BinaryIO) -> Iterator[Incoming | Problem]:
    data = stream.read(LIMIT_BYTES + 1)
    if len(data) > LIMIT_BYTES:
        yield Problem(STDIN, _too_large(len(data)))
    elif data.startswith(b"PK\x03\x04"):
        yield from read_zip(io.BytesIO(data), STDIN, read_bytes)
    else:
        yield from read_bytes(STDIN, data)


def read_bytes(path: str, data: bytes) -> Iterator[Incoming | Problem]:
    """The texts of one input's bytes, whatever its kind; of a file of several telegrams, each one's
    (`cables.csv#row-12`, `day.txt#line-340`)."""
    if not data.strip():
        yield Problem(path, "the file is empty")
        return
    try:
        text, doubt = (pdf_text(data), None) if data.startswith(b"%PDF-") else decode(data)
    except (UndecodableError, MissingExtraError) as error:
        yield Problem(path, str(error))
        return
    if doubt:
        yield Problem(path, f"filed with a doubt: {doubt}")
    for part in parts(text):
        yield Incoming(f"{path}#{part.place.replace(' ', '-')}" if part.place else path, part.text)


def _too_large(size_bytes: int) -> str:
    limit = LIMIT_BYTES // (1024 * 1024)
    return f"{size_bytes / 1048576:.0f} MB is too large for a telegram; the limit is {limit} MB"


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it; check its owner and mode"
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return error.strerror or str(error)
