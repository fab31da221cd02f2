"""Streams packed as a whole: gzip, bzip2, xz, Zstandard. The name stays that of the file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from typing import IO, cast

from reftel.sources.pdf import MissingExtraError
from reftel.sources.stream import Peekable, UnreadableError, unpacked, why_broken

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def packing(head: bytes) -> str | None:
    """How a stream is packed: `gzip`, `bzip2`, `xz`, `zstd`, or not at all."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def unpack(stream: Peekable, how: str) -> Peekable:
    """What the stream unpacks to, as it comes."""
    if how == "gzip":
        source = cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    elif how == "bzip2":
        source = cast("IO[bytes]", bz2.BZ2File(stream))
    elif how == "xz":
        source = cast("IO[bytes]", lzma.LZMAFile(stream))  # noqa: SIM115
    else:
        source = _zstd(stream)
    return unpacked(source, stream.tell)


def _zstd(stream: Peekable) -> IO[bytes]:
    try:
        if sys.version_info >= (3, 14):
            from compression.zstd import ZstdError, ZstdFile
        else:
            from backports.zstd import ZstdError, ZstdFile
    except ImportError as error:
        message = "reading Zstandard needs an extra: pip install 'reftel[archive]'"
        raise MissingExtraError(message) from error
    file = ZstdFile(stream)

    class Checked:
        def read(self, size: int) -> bytes:
            try:
                return file.read1(size)
            except ZstdError as error:
                raise UnreadableError(why_broken(error)) from error

    return cast("IO[bytes]", Checked())
