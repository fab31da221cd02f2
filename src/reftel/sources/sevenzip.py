"""7z archives: a solid block is one stream, unpacked once from its beginning to its end.

py7zr reads the directory and decompresses; its own ways of extracting hold a member whole or write
it to disk, so the members are cut from the blocks here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, cast

from reftel.sources.members import MEMBERS_LIMIT, is_hidden, member_path, refusal
from reftel.sources.pdf import MissingExtraError
from reftel.sources.stream import (
    AHEAD_BYTES,
    BROKEN,
    Leaf,
    Peekable,
    UnreadableError,
    refused,
    seekable,
    unpacked,
)

if TYPE_CHECKING:
    import py7zr
    from py7zr.archiveinfo import Folder

# What py7zr raises besides its own errors where a directory or a block says nonsense.
_MISREAD = (TypeError, LookupError, AttributeError, AssertionError, struct.error, MemoryError)

MAGIC = b"7z\xbc\xaf\x27\x1c"


def members(path: str, stream: Peekable) -> Iterator[tuple[str, Peekable] | Leaf]:
    """The members in the order of the archive, each with its bytes or as a refusal."""
    with seekable(stream) as file:
        yield from _members(path, file)


def _members(path: str, file: IO[bytes]) -> Iterator[tuple[str, Peekable] | Leaf]:
    archive = _directory(file)
    size = file.seek(0, 2)
    starts = _block_starts(archive)
    block: _Block | None = None
    taken = 0
    for each in archive.files:
        if each.is_directory:
            continue
        name = member_path(path, each.filename)
        if each.emptystream:
            source: IO[bytes] = io.BytesIO()
        else:
            if block is None or block.folder is not each.folder:
                block = _Block(file, each.folder, starts[id(each.folder)], each.compressed or 0)
                taken = 0
            # What was not taken of the members before is passed over when this one is read.
            member = _Member(block, taken, each.uncompressed, each.crc32)
            source = cast("IO[bytes]", member)
            taken += each.uncompressed
        if is_hidden(each.filename):
            continue
        if reason := refusal(each.filename):
            yield refused(name, reason)
        elif each.is_symlink:
            yield refused(name, "a symbolic link; refused")
        else:
            yield name, unpacked(source, lambda: size, each.uncompressed)


def _directory(file: IO[bytes]) -> py7zr.SevenZipFile:
    try:
        import py7zr
        from py7zr.exceptions import ArchiveError, PasswordRequired
    except ImportError as error:
        message = "reading 7z archives needs an extra: pip install 'reftel[archive]'"
        raise MissingExtraError(message) from error
    try:
        archive = py7zr.SevenZipFile(cast("Any", file))
    except PasswordRequired as error:
        raise UnreadableError("is encrypted; unpack it with its password first") from error
    except (ArchiveError, *BROKEN, *_MISREAD) as error:
        raise UnreadableError(f"a broken 7z archive: {error or 'it ends too soon'}") from error
    if len(archive.files) > MEMBERS_LIMIT:
        raise UnreadableError(f"{len(archive.files)} members are too many; split the archive")
    return archive


def _block_starts(archive: Any) -> dict[int, int]:
    """Where the packed bytes of each block begin, by the block's identity."""
    streams = getattr(archive.header, "main_streams", None)
    if streams is None:
        return {}
    positions = streams.packinfo.packpositions
    return {
        id(folder): archive.afterheader + positions[at]
        for at, folder in enumerate(streams.unpackinfo.folders)
    }


class _Block:
    """The stream of one solid block: only forwards."""

    def __init__(self, file: IO[bytes], folder: Folder, start: int, packed: int) -> None:
        self.folder = folder
        self.at = 0
        self._file = file
        self._position = start
        self._packed = packed
        self._ready = memoryview(b"")
        self._broken: UnreadableError | None = None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none only at the end. A break is told to every member behind it."""
        if not self._ready:
            self._ready = memoryview(self._next())
        data = bytes(self._ready[:size])
        self._ready = self._ready[size:]
        self.at += len(data)
        return data

    def _next(self) -> bytes:
        if self._broken is not None:
            raise self._broken
        from py7zr.exceptions import ArchiveError, PasswordRequired

        try:
            decompressor = self.folder.get_decompressor(self._packed)
            self._file.seek(self._position)
            while True:
                before = self._file.tell()
                data = decompressor.decompress(self._file, AHEAD_BYTES)
                self._position = self._file.tell()
                if data or self._position == before:
                    return bytes(data)
        except PasswordRequired:
            self._broken = UnreadableError("is encrypted; unpack it with its password first")
        except (ArchiveError, *BROKEN, *_MISREAD) as error:
            self._broken = UnreadableError(
                f"cannot be unpacked: its block is damaged before or within it ({error})"
            )
        raise self._broken


class _Member:
    """One member's bytes of a block, checked against its checksum."""

    def __init__(self, block: _Block, start: int, size: int, checksum: int | None) -> None:
        self._block = block
        self._start = start
        self._left = size
        self._checksum = checksum
        self._sum = 0

    def read(self, size: int) -> bytes:
        while self._block.at < self._start:
            if not self._block.read(self._start - self._block.at):
                raise UnreadableError("cannot be unpacked: the archive ends before it")
        if not self._left:
            return b""
        data = self._block.read(min(size, self._left))
        if not data:
            raise UnreadableError("cannot be unpacked: the archive ends within it")
        self._left -= len(data)
        self._sum = zlib.crc32(data, self._sum)
        if not self._left and self._checksum is not None and self._sum != self._checksum:
            raise UnreadableError("is damaged: its bytes do not match its checksum")
        return data
