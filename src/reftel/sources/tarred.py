"""Tar archives, read once from front to back; what is damaged in them is passed over and told."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import Any, Self

from reftel.sources.members import is_hidden, member_path, refusal
from reftel.sources.stream import BROKEN, Leaf, Peekable, UnreadableError, refused, unpacked


def is_tar(head: bytes) -> bool:
    """Whether the first 512 bytes are a tar header: its checksum says so."""
    if len(head) < tarfile.BLOCKSIZE or not head[0] or head[148:156].strip(b"01234567 \0"):
        return False
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def members(path: str, stream: Peekable) -> Iterator[tuple[str, Peekable] | Leaf]:
    """The members in order, each with its bytes or as a refusal. Raises `UnreadableError`."""
    bad = 0
    ended = False

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: Any, encoding: str, errors: str) -> Self:
            nonlocal bad, ended
            try:
                made = super().frombuf(buf, encoding, errors)
            except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
                ended = True
                raise
            except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError):  # type: ignore[attr-defined]
                bad += 1
                raise
            ended = False
            return made

    last = path
    try:
        # Broken headers are passed over like zeros, block by block, until one is sound.
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=Header, ignore_zeros=True) as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]
                if bad:
                    yield refused(last, _damaged(bad))
                    bad = 0
                name = member_path(path, member.name)
                last = name
                if member.isdir() or is_hidden(member.name):
                    continue
                if reason := refusal(member.name):
                    yield refused(name, reason)
                elif not member.isreg():
                    yield refused(name, "a link or a device, not a file; refused")
                elif packed := archive.extractfile(member):
                    yield name, unpacked(packed, size=member.size)
    except (tarfile.TarError, *BROKEN) as error:
        raise UnreadableError(f"the tar archive breaks off: {error}") from error
    if bad:
        yield refused(last, _damaged(bad))
    elif not ended:
        yield refused(path, "the tar archive has no end; it was cut short behind its last member")


def _damaged(blocks: int) -> str:
    return f"behind this the tar archive is damaged: {blocks} blocks of 512 bytes were passed over"
