"""What comes over one connection: its bytes as they come, and the greeting of whoever calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from reftel.centre import link as links

CHUNK = 65536
"""Bytes that are read or written at a time."""


class PeerError(ConnectionError):
    """The other end is not who it should be, or breaks the rules; the message says how."""


class Line(asyncio.StreamReader):
    """What comes over a connection: to be read, or, once `hear` is set, told as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = 0
        self._hear: Callable[[bytes], None] | None = None
        self._ended: Callable[[], None] | None = None

    def feed_data(self, data: Any) -> None:
        if self._hear is not None:
            self._hear(data)
            return
        super().feed_data(data)
        self._kept += len(data)

    def feed_eof(self) -> None:
        super().feed_eof()
        if self._ended is not None:
            self._ended()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        if self._ended is not None:
            self._ended()

    async def read(self, n: int = -1) -> bytes:
        data = await super().read(n)
        self._kept -= len(data)
        return data

    async def tell(self, hear: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """From now on each piece is told to `hear` in the turn of the loop in which it comes, which spares
        a task's waking for each; `ended` hears that no more will come."""
        if self._kept:
            hear(await self.read(self._kept))
        self._hear, self._ended = hear, ended
        if self.at_eof() or self.exception() is not None:
            ended()

    def tell_no_more(self) -> None:
        self._hear = self._ended = None


class Greeting:
    """Reads the greeting of somebody of whom it is not yet known which circuit is meant."""

    def __init__(self, longest: int) -> None:
        self.link = links.Link(longest)
        self.hello: links.Hello | None = None
        self.more: list[links.Received] = []

    async def read(self, reader: asyncio.StreamReader) -> links.Hello:
        while self.hello is None:
            data = await reader.read(CHUNK)
            if not data:
                raise EOFError("the connection was closed before the greeting")
            said = self.link.receive(data)
            if said:
                self.hello = said[0].hello
                self.more = said[1:]
        return self.hello
