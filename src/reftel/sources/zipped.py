"""Zip archives. Sizes in their headers are claims: what is read is counted, and stopped in time."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from reftel.sources.incoming import Incoming, Problem

MEMBER_LIMIT_BYTES = 32 * 1024 * 1024
RATIO_LIMIT = 200
"""Text of telegrams packs to a third or a tenth; beyond this a member is a bomb."""
_RATIO_FROM_BYTES = 1024 * 1024
MEMBERS_LIMIT = 5_000_000

ReadBytes = Callable[[str, bytes], Iterator[Incoming | Problem]]


def read_zip(file: BinaryIO, path: str, read_bytes: ReadBytes) -> Iterator[Incoming | Problem]:
    """The members of an archive, named `path!member`; each is read or has its reason."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        yield Problem(path, f"a broken zip archive: {error}")
        return
    with archive:
        members = archive.infolist()
        if len(members) > MEMBERS_LIMIT:
            yield Problem(path, f"{len(members)} members are too many; split the archive")
            return
        for member in members:
            if member.is_dir() or PurePosixPath(member.filename).name.startswith("."):
                continue
            yield from _read_member(archive, member, f"{path}!{member.filename}", read_bytes)


def _read_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str, read_bytes: ReadBytes
) -> Iterator[Incoming | Problem]:
    if reason := _refusal(member):
        yield Problem(path, reason)
        return
    try:
        with archive.open(member) as packed:
            data = packed.read(MEMBER_LIMIT_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        yield Problem(path, f"cannot be unpacked: {error}")
        return
    except RuntimeError:
        yield Problem(path, "is encrypted; unpack it with its password first")
        return
    if len(data) > MEMBER_LIMIT_BYTES:
        yield Problem(path, "unpacks to more than 32 MB; too large for a telegram")
    elif len(data) > _RATIO_FROM_BYTES and len(data) > RATIO_LIMIT * max(member.compress_size, 1):
        yield Problem(path, f"unpacks to over {RATIO_LIMIT} times its size; refused as a zip bomb")
    elif data.startswith(b"PK\x03\x04"):
        yield Problem(path, "a zip archive inside another; unpack the outer one first")
    else:
        yield from read_bytes(path, data)


def _refusal(member: zipfile.ZipInfo) -> str | None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in (name.parts or ("",))[0]:
        return "its path leaves the archive; refused"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a symbolic link; refused"
    return None
