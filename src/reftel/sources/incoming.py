"""What comes in: bytes with their name, a text with its origin, or a reason why there is none."""

from __future__ import annotations

import msgspec


class Incoming(msgspec.Struct, frozen=True):
    """The text of one input, and the path that it came from (`folder.zip!inner/name.txt`)."""

    path: str
    text: str


class Problem(msgspec.Struct, frozen=True):
    """An input that was not read, or was read with a doubt: where, and why. `passing` says that it may be
    read another time, as it is: when an extra is installed, a disk is back."""

    path: str
    reason: str
    line: int | None = None
    passing: bool = False

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line is not None else self.path
        return f"{place}: {self.reason}"


class SourceFile(msgspec.Struct, frozen=True):
    """A file as it was when it was opened: a changed one is another one.

    `path` is absolute, `size` in bytes, `modified` in nanoseconds since 1970.
    """

    path: str
    size: int
    modified: int


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One input as it was found: its bytes, or the problem that there is in their place.

    `path` is its stable name: `years.7z!1975/0123.txt`, `cables.csv#row-12`, `desk.mbox#mail-3`. `whole`
    says that the bytes are one telegram's alone (a row, a mail), which is not to be parted further.
    `file` is the file that it came out of (none for standard input), `ordinal` its place among the
    inputs of that file, from 1, always the same for the same file; `last` that none follow. `done` is
    how many bytes of all files, packed as they are, lie behind it.
    """

    path: str
    data: bytes = b""
    problem: Problem | None = None
    whole: bool = False
    file: SourceFile | None = None
    ordinal: int = 1
    last: bool = False
    done: int = 0
