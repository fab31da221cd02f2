"""The link between two Reftel stations: a thin layer under ACP 127 that names what is safely stored.

ACP 127 has no positive acknowledgement: a station learns of a loss only by the next channel number. The
link adds one. It does no I/O: bytes go in by `receive`, which gives what they mean; `hello`, `message`
and so on give bytes. docs/link.md is its specification.

frame = kind (1 byte) length (4 bytes, the highest first) payload (length bytes)
"""

from __future__ import annotations

import struct
import zlib
from typing import Literal, NamedTuple

import msgspec

VERSION = 1
LONGEST_CONTROL = 10_000
_HEAD = struct.Struct(">cI")
_NUMBER = struct.Struct(">Q")
_BEGIN = struct.Struct(">QII")

Kind = Literal[
    "hello", "begin", "data", "give-up", "stored", "refused", "wait", "ping", "pong", "bye"
]
_LETTERS: dict[bytes, Kind] = {
    b"H": "hello",
    b"B": "begin",
    b"D": "data",
    b"X": "give-up",
    b"S": "stored",
    b"R": "refused",
    b"W": "wait",
    b"P": "ping",
    b"Q": "pong",
    b"Z": "bye",
}
_KINDS = {kind: letter for letter, kind in _LETTERS.items()}


class LinkError(ValueError):
    """The other end broke the link's rules; the connection is closed with the reason."""


class Hello(msgspec.Struct, frozen=True):
    """The first frame of each side: who speaks, on which channels, and the highest link number that it
    has stored of the other's."""

    version: int
    station: str
    send: str
    receive: str
    stored: int


class Received(NamedTuple):
    """One thing that the other end said. `number` is a link number; `data` a whole message."""

    kind: Literal["hello", "message", "gave-up", "stored", "refused", "wait", "ping", "pong", "bye"]
    number: int = 0
    data: bytes = b""
    hello: Hello | None = None


class Link:
    """What one side has received so far of one connection."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._number = self._sum = 0
        self._expected = -1
        self._parts: list[bytes] = []
        self._size = 0
        self.greeted = False

    @property
    def within_message(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._expected >= 0

    def receive(self, data: bytes) -> list[Received]:
        """What these bytes say, as far as it is complete. Raises `LinkError`."""
        self._buffer += data
        found: list[Received] = []
        at = 0
        while len(self._buffer) - at >= _HEAD.size:
            letter, length = _HEAD.unpack_from(self._buffer, at)
            kind = _LETTERS.get(letter)
            if kind is None:
                raise LinkError(f"no frame begins with {letter!r}")
            if length > (self._longest if kind == "data" else LONGEST_CONTROL):
                raise LinkError(f"a {kind} frame of {length} bytes is too long")
            end = at + _HEAD.size + length
            if len(self._buffer) < end:
                break
            payload = bytes(self._buffer[at + _HEAD.size : end])
            at = end
            said = self._understand(kind, payload)
            if said is not None:
                found.append(said)
        del self._buffer[:at]
        return found

    def _understand(self, kind: Kind, payload: bytes) -> Received | None:
        if not self.greeted and kind != "hello":
            raise LinkError(f"a {kind} frame came before the greeting")
        if kind == "hello":
            if self.greeted:
                raise LinkError("a second greeting came")
            try:
                hello = msgspec.json.decode(payload, type=Hello)
            except msgspec.DecodeError as error:
                raise LinkError(f"the greeting cannot be read: {error}") from None
            if hello.version != VERSION:
                raise LinkError(
                    f"version {hello.version} of the link is spoken there, {VERSION} here"
                )
            self.greeted = True
            return Received("hello", hello=hello)
        if kind == "begin":
            if self._expected >= 0:
                raise LinkError("a message began within another")
            if len(payload) != _BEGIN.size:
                raise LinkError("a begin frame has 16 bytes")
            self._number, self._expected, self._sum = _BEGIN.unpack(payload)
            if self._expected > self._longest:
                raise LinkError(f"a message of {self._expected} bytes is too long")
            self._parts, self._size = [], 0
            return self._whole()
        if kind == "data":
            if self._expected < 0:
                raise LinkError("data came without a message")
            self._parts.append(payload)
            self._size += len(payload)
            if self._size > self._expected:
                raise LinkError("a message is longer than was said")
            return self._whole()
        if kind == "give-up":
            number, self._expected = self._number, -1
            return Received("gave-up", number)
        if kind in ("stored", "refused"):
            if len(payload) < _NUMBER.size:
                raise LinkError(f"a {kind} frame has at least 8 bytes")
            (number,) = _NUMBER.unpack_from(payload)
            return Received(kind, number, payload[_NUMBER.size :])
        return Received(kind, data=payload)

    def _whole(self) -> Received | None:
        if self._size < self._expected:
            return None
        self._expected = -1
        data = b"".join(self._parts)
        if zlib.crc32(data) != self._sum:
            raise LinkError(f"message {self._number} was damaged on the way")
        return Received("message", self._number, data)


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """One frame's bytes."""
    return _HEAD.pack(_KINDS[kind], len(payload)) + payload


def hello(station: str, send: str, receive: str, stored: int) -> bytes:
    """The greeting."""
    return frame("hello", msgspec.json.encode(Hello(VERSION, station, send, receive, stored)))


def begin(number: int, data: bytes) -> bytes:
    """Announces a message, its length and its CRC-32; its bytes follow in data frames."""
    return frame("begin", _BEGIN.pack(number, len(data), zlib.crc32(data)))


def message(number: int, data: bytes) -> bytes:
    """A whole message at once."""
    return begin(number, data) + frame("data", data)


def stored(number: int) -> bytes:
    """Everything up to this link number is on disk here."""
    return frame("stored", _NUMBER.pack(number))


def refused(number: int, why: str) -> bytes:
    """This message will not be taken, now or later."""
    return frame("refused", _NUMBER.pack(number) + why.encode())
