"""Bytes as they come out of a container: counted, limited, and read ahead of."""

from __future__ import annotations

import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, TypeAlias, cast

LIMIT_BYTES = 32 * 1024 * 1024
"""The largest single input; a telegram is some kilobytes, the largest known below one megabyte."""

RATIO_LIMIT = 200
"""Text of telegrams packs to a third or a tenth; what unpacks to more than this is a bomb."""
_RATIO_FROM_BYTES = 1024 * 1024

COPY_LIMIT_BYTES = 16 * 1024 * 1024 * 1024
"""How much of an archive inside another is copied to a temporary file, since it needs seeking."""
_COPY_IN_MEMORY_BYTES = 4 * 1024 * 1024

AHEAD_BYTES = 256 * 1024
HEAD_BYTES = 64 * 1024

Peekable: TypeAlias = "io.BufferedReader[Any]"
"""A stream whose next `HEAD_BYTES` can be looked at without taking them."""


class UnreadableError(Exception):
    """An input cannot be read; the message says why. `passing`: it may be another time."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


class Leaf(NamedTuple):
    """One input of a container, not read yet: `load` gives its bytes, or raises `UnreadableError`. It
    is called before the next leaf is asked for, or not at all."""

    path: str
    load: Callable[[], bytes]
    whole: bool = False


def refused(path: str, reason: str, *, passing: bool = False) -> Leaf:
    """A leaf in the place of an input that is not read, for this reason."""

    def load() -> bytes:
        raise UnreadableError(reason, passing=passing)

    return Leaf(path, load)


class _Unpacked(io.RawIOBase):
    """What a source unpacks to. It fills every buffer as long as there is something, gives what stands
    before a break, and stops what grows beyond measure."""

    def __init__(self, source: IO[bytes], packed: Callable[[], int] | None) -> None:
        # One step at a time, or what stands before a break would go with it.
        self._read: Callable[[int], bytes] = getattr(source, "read1", source.read)
        self._packed = packed
        self._count = 0
        self._broken: UnreadableError | None = None

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._count

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._broken is not None:
            raise self._broken
        filled = 0
        while filled < len(buffer):
            try:
                data = self._read(len(buffer) - filled)
            except UnreadableError as error:
                self._broken = error
            except BROKEN as error:
                self._broken = UnreadableError(why_broken(error))
            if self._broken is not None:
                if not filled:
                    raise self._broken
                break
            if not data:
                break
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        self._count += filled
        packed = self._packed() if self._packed is not None else self._count
        if self._count > _RATIO_FROM_BYTES and self._count > RATIO_LIMIT * max(packed, 1):
            self._broken = UnreadableError(
                f"unpacks to over {RATIO_LIMIT} times its size; refused as a zip bomb"
            )
            raise self._broken
        return filled


def unpacked(
    source: IO[bytes], packed: Callable[[], int] | None = None, size: int = AHEAD_BYTES
) -> Peekable:
    """A stream of what `source` gives; `packed` says how many packed bytes that took so far, `size`
    how many bytes it is likely to give in all."""
    return io.BufferedReader(_Unpacked(source, packed), ahead(size))


def ahead(size: int) -> int:
    """How much to read ahead of a stream of a likely size, in bytes."""
    return min(max(size, 0) + 4096, AHEAD_BYTES)


BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What the libraries that unpack raise on damaged or encrypted data."""


def why_broken(error: Exception) -> str:
    if isinstance(error, RuntimeError) and not isinstance(error, NotImplementedError):
        return "is encrypted; unpack it with its password first"
    return f"cannot be unpacked: {error or type(error).__name__}"


def why_not_read(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it; check its owner and mode"
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return error.strerror or str(error)


def take(stream: Peekable) -> bytes:
    """All bytes of one input. Raises `UnreadableError` when they are too many."""
    # A buffer of the largest size for each small input would cost more than reading it.
    data = stream.read(HEAD_BYTES)
    if len(data) == HEAD_BYTES:
        data += stream.read(LIMIT_BYTES + 1 - HEAD_BYTES)
    if len(data) > LIMIT_BYTES:
        limit = LIMIT_BYTES // (1024 * 1024)
        raise UnreadableError(f"more than {limit} MB, which is too large for a telegram")
    return data


@contextmanager
def seekable(stream: Peekable) -> Iterator[IO[bytes]]:
    """The stream itself, or a temporary copy of it, where there is no going back in it."""
    if stream.seekable():
        yield stream
        return
    with tempfile.SpooledTemporaryFile(max_size=_COPY_IN_MEMORY_BYTES) as copy:
        size = 0
        while data := stream.read(AHEAD_BYTES):
            size += len(data)
            if size > COPY_LIMIT_BYTES:
                raise UnreadableError("an archive of over 16 GB inside another; unpack it first")
            copy.write(data)
        copy.seek(0)
        yield cast("IO[bytes]", copy)
