"""Messages out of a plain stream: from ZCZC to NNNN, as ACP 127 stations without a link send them.

No I/O: bytes go in, transmissions come out, whole or with what is wrong with them. Every byte comes out in
one of them: what is no message is line noise, and is given out as such when it is more than blanks.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Fault = Literal["cut", "two-starts", "no-start", "too-long", "noise"]

_START = b"ZCZC"
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
        self._overflowed = False

    @property
    def within_message(self) -> bool:
        """Whether something has begun that is more than blanks between messages."""
        return bool(self._buffer[:64].strip(_BLANKS)) or len(self._buffer) > 64

    def receive(self, data: bytes) -> list[Framed]:
        """The transmissions that end in these bytes."""
        self._buffer += data
        found: list[Framed] = []
        while (end := self._next_mark()) is not None:
            mark, at = end
            if mark == _END:
                piece = self._take(at + len(_END))
                begun = _begins(piece)
                # What follows a message that was too long belongs to it, up to its end.
                fault: Fault | None = None if begun else "noise" if self._overflowed else "no-start"
                self._overflowed = False
                if fault is None or piece.removesuffix(_END).strip(_BLANKS):
                    found.append(Framed(piece, fault))
            else:
                piece = self._take(at)
                self._overflowed = False
                if piece.strip(_BLANKS):
                    found.append(Framed(piece, "two-starts" if _begins(piece) else "noise"))
        if len(self._buffer) > self._longest:
            begun = _begins(self._buffer)
            found.append(Framed(self._take(len(self._buffer)), "too-long" if begun else "noise"))
            self._overflowed = True
        return found

    def _take(self, end: int) -> bytes:
        piece = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._looked = 0
        return piece

    def _next_mark(self) -> tuple[bytes, int] | None:
        """The next start that is not the message's own, or the next end: which, and where it begins (a
        start with its V), an end where it begins too."""
        # A start at the head of what is held opens the message that is being read.
        first = len(_START) + 1 if _begins(self._buffer) else 0
        looked = max(self._looked, first)
        start = self._buffer.find(_START, looked)
        end = self._buffer.find(_END, looked)
        while end > 0 and self._buffer[end - 1] not in _LINE_ENDS:
            # It stands at a line's start: words can hold four N where they were run together.
            end = self._buffer.find(_END, end + 1)
        if end >= 0 and not 0 <= start < end:
            return _END, end
        if start >= 0:
            at = start - (start > 0 and self._buffer[start - 1 : start] == b"V")
            if at > 0 or first:
                return _START, at
            # The message begins here: look for what ends it.
            self._looked = len(_START) + 1
            return self._next_mark()
        self._looked = max(len(self._buffer) - len(_START), 0)
        return None

    def finish(self) -> list[Framed]:
        """What is left when the stream ends."""
        rest = self._take(len(self._buffer))
        if not rest.strip(_BLANKS):
            return []
        return [Framed(rest, "cut" if _begins(rest) else "noise")]


def _begins(data: bytes | bytearray) -> bool:
    return data.startswith((_START, b"V" + _START))
