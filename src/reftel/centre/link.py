"""The link between two Reftel stations: a thin layer under ACP 127 that names what is safely stored.

ACP 127 has no positive acknowledgement: a station learns of a loss only by the next channel number. The
link adds one. It does no I/O: bytes go in by `receive`, which gives what they mean; `hello`, `message`
and so on give bytes. docs/link.md is its specification.

frame = kind (1 byte) length (4 bytes, the highest first) CRC-32 (4 bytes) payload (length bytes)
"""

from __future__ import annotations

import struct
import zlib
from typing import Literal, NamedTuple

import msgspec

VERSION = 1
LONGEST_FRAME = 65536
"""Bytes of payload; a longer message comes in several data frames."""
LARGEST_NUMBER = 2**63 - 1
_HEAD = struct.Struct(">cII")
_COVERED = struct.Struct(">cI")
_NUMBER = struct.Struct(">Q")
_BEGIN = struct.Struct(">QI")

Kind = Literal["hello", "begin", "data", "give-up", "stored", "refused", "ping", "pong", "bye"]
_LETTERS: dict[bytes, Kind] = {
    b"H": "hello",
    b"B": "begin",
    b"D": "data",
    b"X": "give-up",
    b"S": "stored",
    b"R": "refused",
    b"P": "ping",
    b"Q": "pong",
    b"Z": "bye",
}
_KINDS = {kind: letter for letter, kind in _LETTERS.items()}


class LinkError(ValueError):
    """The other end broke the link's rules; the connection is closed with the reason."""


class Hello(msgspec.Struct, frozen=True):
    """The first frame of each side: who speaks, on which channels, out of which journal; the highest link
    number that it has stored of the other's, `of` the journal of the other's that counted it, and which
    numbers up to it were not stored but refused."""

    version: int
    station: str
    send: str
    receive: str
    stored: int
    journal: str = ""
    of: str = ""
    refused: tuple[int, ...] = ()


class Received(NamedTuple):
    """One thing that the other end said. `number` is a link number; `data` a whole message, or a reason."""

    kind: Literal[
        "hello", "message", "too-long", "gave-up", "stored", "refused", "ping", "pong", "bye"
    ]
    number: int = 0
    data: bytes = b""
    hello: Hello | None = None


class Link:
    """What one side has received so far of one connection."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._number = 0
        self._expected = -1
        self._parts: list[bytes] = []
        self._size = 0
        self.greeted = False
        self.frames = 0
        """How many have come, whole."""

    @property
    def within_message(self) -> bool:
        """Whether a message or a frame has begun and not ended."""
        return self._expected >= 0 or self.within_frame

    @property
    def within_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def receive(self, data: bytes) -> list[Received]:
        """What these bytes say, as far as it is complete. Raises `LinkError`."""
        self._buffer += data
        found: list[Received] = []
        at = 0
        while len(self._buffer) - at >= _HEAD.size:
            letter, length, check = _HEAD.unpack_from(self._buffer, at)
            kind = _LETTERS.get(letter)
            if kind is None:
                raise LinkError(f"no frame begins with {letter!r}")
            if length > LONGEST_FRAME:
                raise LinkError(f"a {kind} frame of {length} bytes is too long")
            end = at + _HEAD.size + length
            if len(self._buffer) < end:
                break
            payload = bytes(self._buffer[at + _HEAD.size : end])
            if _check(letter, payload) != check:
                raise LinkError(f"a {kind} frame was damaged on the way")
            at = end
            self.frames += 1
            said = self._understand(kind, payload)
            if said is not None:
                found.append(said)
        del self._buffer[:at]
        return found

    def _understand(self, kind: Kind, payload: bytes) -> Received | None:
        if self.greeted == (kind == "hello"):
            raise LinkError(
                "a second greeting came"
                if self.greeted
                else f"a {kind} frame came before the greeting"
            )
        if kind == "hello":
            return Received("hello", hello=self._greeting(payload))
        if kind == "begin":
            if self._expected >= 0:
                raise LinkError("a message began within another")
            if len(payload) != _BEGIN.size:
                raise LinkError(f"a begin frame has {_BEGIN.size} bytes")
            self._number, self._expected = _BEGIN.unpack(payload)
            _checked(self._number)
            self._parts, self._size = [], 0
            return self._whole()
        if kind == "data":
            if self._expected < 0:
                raise LinkError("data came without a message")
            self._size += len(payload)
            if self._size > self._expected:
                raise LinkError("a message is longer than was said")
            if self._expected <= self._longest:
                self._parts.append(payload)
            return self._whole()
        if kind == "give-up":
            if self._expected < 0:
                raise LinkError("a message was given up that had not begun")
            self._expected = -1
            return Received("gave-up", self._number)
        if kind in ("stored", "refused"):
            if len(payload) < _NUMBER.size:
                raise LinkError(f"a {kind} frame has at least {_NUMBER.size} bytes")
            (number,) = _NUMBER.unpack_from(payload)
            return Received(kind, _checked(number), payload[_NUMBER.size :])
        return Received(kind, data=payload)

    def _greeting(self, payload: bytes) -> Hello:
        try:
            hello = msgspec.json.decode(payload, type=Hello)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LinkError(f"the greeting cannot be read: {error}") from None
        if hello.version != VERSION:
            raise LinkError(f"version {hello.version} of the link is spoken there, {VERSION} here")
        _checked(hello.stored)
        self.greeted = True
        return hello

    def _whole(self) -> Received | None:
        if self._size < self._expected:
            return None
        size, self._expected = self._expected, -1
        if size > self._longest:
            return Received("too-long", self._number, f"{size} bytes".encode())
        return Received("message", self._number, b"".join(self._parts))


def _checked(number: int) -> int:
    if not 0 <= number <= LARGEST_NUMBER:
        raise LinkError(f"{number} is no link number")
    return number


def _check(letter: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_COVERED.pack(letter, len(payload))))


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """One frame's bytes."""
    letter = _KINDS[kind]
    return _HEAD.pack(letter, len(payload), _check(letter, payload)) + payload


def hello(
    station: str,
    send: str,
    receive: str,
    stored: int,
    journal: str = "",
    of: str = "",
    refused: tuple[int, ...] = (),
) -> bytes:
    """The greeting."""
    said = Hello(VERSION, station, send, receive, stored, journal, of, refused)
    return frame("hello", msgspec.json.encode(said))


def begin(number: int, size: int) -> bytes:
    """Announces a message and its length; its bytes follow in data frames."""
    return frame("begin", _BEGIN.pack(number, size))


def message(number: int, data: bytes) -> bytes:
    """A whole message at once."""
    parts = [data[at : at + LONGEST_FRAME] for at in range(0, len(data), LONGEST_FRAME)]
    return begin(number, len(data)) + b"".join(frame("data", part) for part in parts)


def stored(number: int) -> bytes:
    """Everything up to this link number is on disk here."""
    return frame("stored", _NUMBER.pack(number))


def refused(number: int, why: str) -> bytes:
    """This message will not be taken, now or later."""
    return frame("refused", _NUMBER.pack(number) + why.encode()[:1000])
