"""Messages out of a plain stream: from ZCZC to NNNN, as ACP 127 stations without a link send them.

No I/O: bytes go in, transmissions come out, whole or with what is wrong with them. Whatever stands
between an end and the next start is line noise, and is given out as such when it is more than blanks.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Fault = Literal["cut", "two-starts", "too-long", "noise"]

_START = b"ZCZC"
_VV = b"VV   "
_END = b"NNNN"
_LINE_ENDS = frozenset(b"\r\n")
_BLANKS = b"\r\n\x00\x7f \x07"


class Framed(NamedTuple):
    """One transmission's bytes, and what is wrong with its frame."""

    data: bytes
    fault: Fault | None = None


class Framer:
    """What has come of one stream and is not yet a whole message."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._looked = 0
        self._skipping = False

    @property
    def within_message(self) -> bool:
        return _START in self._buffer

    def receive(self, data: bytes) -> list[Framed]:
        """The transmissions that end in these bytes."""
        self._buffer += data
        found: list[Framed] = []
        while True:
            start = self._buffer.find(_START)
            if start < 0:
                if len(self._buffer) > self._longest:
                    found.append(Framed(bytes(self._buffer[: -len(_START)]), "noise"))
                    del self._buffer[: -len(_START)]
                return found
            if self._buffer[start - 1 : start] == b"V":
                start -= 1
            if self._buffer[:start].strip(_BLANKS):
                found.append(Framed(bytes(self._buffer[:start]), "noise"))
            if start:
                del self._buffer[:start]
                self._looked = 0
            end = self._end()
            again = self._buffer.find(_START, 5, end if end >= 0 else None)
            if again >= 0:
                again -= self._buffer[again - 1 : again] == b"V"
                # A start within a message: the first one lost its end (ACP 127 432).
                found.append(Framed(bytes(self._buffer[:again]), "two-starts"))
                del self._buffer[:again]
                self._looked = 0
                continue
            if end < 0:
                if len(self._buffer) > self._longest:
                    found.append(Framed(bytes(self._buffer), "too-long"))
                    self._buffer.clear()
                self._looked = max(len(self._buffer) - len(_END), 0)
                return found
            found.append(Framed(bytes(self._buffer[:end])))
            del self._buffer[:end]
            self._looked = 0

    def _end(self) -> int:
        """Behind the NNNN that ends the message; -1 where none has come. It stands at a line's start:
        words can hold four N where they were run together."""
        at = max(self._looked, 4)
        while (at := self._buffer.find(_END, at)) >= 0:
            if self._buffer[at - 1] in _LINE_ENDS:
                return at + len(_END)
            at += 1
        return -1

    def finish(self) -> list[Framed]:
        """What is left when the stream ends."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        if not rest.strip(_BLANKS):
            return []
        return [Framed(rest, "cut" if _START in rest else "noise")]
