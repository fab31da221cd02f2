"""Zip archives. Sizes in their headers are claims: what is read is counted, and stopped in time."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from typing import IO

from reftel.sources.members import MEMBERS_LIMIT, is_hidden, member_path, refusal
from reftel.sources.stream import (
    BROKEN,
    Leaf,
    Peekable,
    UnreadableError,
    refused,
    seekable,
    unpacked,
    why_broken,
)

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


def members(path: str, stream: Peekable) -> Iterator[tuple[str, Peekable] | Leaf]:
    """The members in the order of the archive's directory, each with its bytes or as a refusal."""
    with seekable(stream) as file, _directory(file) as archive:
        listed = archive.infolist()
        if len(listed) > MEMBERS_LIMIT:
            raise UnreadableError(f"{len(listed)} members are too many; split the archive")
        for member in listed:
            if member.is_dir() or is_hidden(member.filename):
                continue
            name = member_path(path, member.filename)
            if reason := refusal(member.filename):
                yield refused(name, reason)
            elif stat.S_ISLNK(member.external_attr >> 16):
                yield refused(name, "a symbolic link; refused")
            else:
                yield _open(archive, member, name)


def _directory(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except BROKEN as error:
        raise UnreadableError(f"a broken zip archive: {error}") from error


def _open(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str
) -> tuple[str, Peekable] | Leaf:
    try:
        packed = archive.open(member)
    except BROKEN as error:
        return refused(name, why_broken(error))
    size = member.compress_size
    return name, unpacked(packed, lambda: size, member.file_size)
