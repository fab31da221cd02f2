"""What comes in: a text with its origin, or a reason why there is none."""

from __future__ import annotations

import msgspec


class Incoming(msgspec.Struct, frozen=True):
    """The text of one input, and the path that it came from (`folder.zip!inner/name.txt`)."""

    path: str
    text: str


class Problem(msgspec.Struct, frozen=True):
    """An input that was not read, or was read with a doubt: where, and why."""

    path: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line is not None else self.path
        return f"{place}: {self.reason}"
