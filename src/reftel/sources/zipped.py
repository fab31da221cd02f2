"""Zip archives, a member after another (PKWARE's APPNOTE 6.3)."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

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

# Sections 4.3.16, 4.3.14, 4.3.12, 4.3.7 and 4.5.3.
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_BYTES = 20
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ZIP64, _IN_ZIP64 = 1, 0xFFFFFFFF
_ENCRYPTED, _UTF8 = 0x1, 0x800

# How much of the directory, and of the end of the file, is read at a time.
_PIECE = 1024 * 1024
_COMMENT_BYTES = 65535
# Below this no limit of what a member unpacks to is reached.
_SMALL = 1024 * 1024


class _Member(NamedTuple):
    """An entry of the directory: its place there, what it is called, how it is packed and where."""

    at: int
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    offset: int


def members(path: str, stream: Peekable) -> Iterator[tuple[str, Peekable] | Leaf]:
    """The members in the order of the archive's directory, each with its bytes or as a refusal."""
    with seekable(stream) as file, _Library(file) as library:
        for member in _directory(file) or library.members():
            if member.at >= MEMBERS_LIMIT:
                raise UnreadableError(
                    f"more than {MEMBERS_LIMIT} members are too many; split the archive"
                )
            if member.name.endswith("/") or is_hidden(member.name):
                continue
            name = member_path(path, member.name)
            if reason := refusal(member.name):
                yield refused(name, reason)
            elif stat.S_ISLNK(member.attributes >> 16):
                yield refused(name, "a symbolic link; refused")
            elif (data := _plain(file, member)) is not None:
                yield name, io.BufferedReader(io.BytesIO(data), len(data) + 1)
            else:
                yield library.open(member, name)


class _Library:
    """The standard library's reader, for what is not small and plain: it keeps the whole directory, some
    hundred bytes a member, and so is called in only where need be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> _Library:
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()

    def _opened(self) -> zipfile.ZipFile:
        if self._archive is None:
            try:
                self._archive = zipfile.ZipFile(self._file)
            except BROKEN as error:
                reason = str(error)
                if not zipfile.is_zipfile(self._file):
                    reason = "the directory at its end is missing, as if it were cut short; fetch it anew"
                raise UnreadableError(f"a broken zip archive: {reason}") from error
        return self._archive

    def members(self) -> Iterator[_Member]:
        for at, each in enumerate(self._opened().infolist()):
            yield _Member(
                at,
                each.filename,
                each.flag_bits,
                each.compress_type,
                each.CRC,
                each.compress_size,
                each.file_size,
                each.external_attr,
                each.header_offset,
            )

    def open(self, member: _Member, name: str) -> tuple[str, Peekable] | Leaf:
        archive = self._opened()
        try:
            packed = archive.open(archive.infolist()[member.at])
        except BROKEN as error:
            return refused(name, why_broken(error))
        return name, unpacked(packed, lambda: member.packed, member.size)


def _directory(file: IO[bytes]) -> Iterator[_Member] | None:
    """The entries of the directory, a piece of it in memory at a time; `None` where its end is not found
    as it should be."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END.size - _COMMENT_BYTES - _LOCATOR_BYTES - _END_64.size))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + _END.size > len(tail):
        return None
    _, _, _, _, count, length, offset, comment = _END.unpack_from(tail, end)
    if end + _END.size + comment != len(tail):
        return None
    at = end - _LOCATOR_BYTES
    if at >= 0 and tail.startswith(b"PK\x06\x07", at):
        end = at - _END_64.size
        if end < 0 or not tail.startswith(b"PK\x06\x06", end):
            return None
        *_, count, length, offset = _END_64.unpack_from(tail, end)
    begins = size - len(tail) + end - length
    # What stands before the first member, such as a program that unpacks it, counts in no offset.
    before = begins - offset
    if begins < 0 or before < 0:
        return None
    return _entries(file, count, begins, length, before)


def _entries(
    file: IO[bytes], count: int, begins: int, length: int, before: int
) -> Iterator[_Member]:
    piece, at, behind = b"", 0, begins
    for number in range(count):
        if len(piece) - at < _ENTRY.size + 3 * 65535 and behind < begins + length:
            file.seek(behind)
            more = file.read(min(_PIECE, begins + length - behind))
            if not more:
                break
            behind += len(more)
            piece, at = piece[at:] + more, 0
        if len(piece) - at < _ENTRY.size or not piece.startswith(b"PK\x01\x02", at):
            break
        entry = _ENTRY.unpack_from(piece, at)
        name_end = at + _ENTRY.size + entry[10]
        extra_end = name_end + entry[11]
        name = piece[at + _ENTRY.size : name_end]
        packed, size, offset = _in_full((entry[8], entry[9], entry[16]), piece[name_end:extra_end])
        yield _Member(
            number,
            name.decode("utf-8" if entry[3] & _UTF8 else "cp437", "replace").partition("\0")[0],
            flags=entry[3],
            method=entry[4],
            crc=entry[7],
            packed=packed,
            size=size,
            attributes=entry[15],
            offset=before + offset,
        )
        at = extra_end + entry[12]
    else:
        return
    raise UnreadableError(
        "a broken zip archive: its directory is damaged; what stands before was read"
    )


def _in_full(values: tuple[int, int, int], extra: bytes) -> tuple[int, int, int]:
    """Size packed, size, and offset; where one is too large for its field, as the extra field has it."""
    if _IN_ZIP64 not in values:
        return values
    packed, size, offset = values
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == _ZIP64:
            wide = iter(
                struct.unpack_from(f"<{length // 8}Q", extra.ljust(at + 4 + length, b"\0"), at + 4)
            )
            size = next(wide, size) if size == _IN_ZIP64 else size
            packed = next(wide, packed) if packed == _IN_ZIP64 else packed
            offset = next(wide, offset) if offset == _IN_ZIP64 else offset
            break
        at += 4 + length
    return packed, size, offset


def _plain(file: IO[bytes], member: _Member) -> bytes | None:
    """The bytes of a small member that is stored or deflated and undamaged, which nearly all are."""
    if (
        member.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        or member.flags & _ENCRYPTED
        or max(member.size, member.packed) > _SMALL
    ):
        return None
    file.seek(member.offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(MAGIC[0]):
        return None
    file.seek(sum(_LOCAL.unpack(head)[-2:]), io.SEEK_CUR)
    data = file.read(member.packed)
    if member.method == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _SMALL + 1)
        except zlib.error:
            return None
    return data if len(data) == member.size and zlib.crc32(data) == member.crc else None
