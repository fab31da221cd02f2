"""Who is at the reading room's pages, and what is written down of it.

A request's reader is named by a web server before this one (a header, believed from its addresses alone),
or by a session that began at an OpenID provider; else it is one of everybody. What a reader asks for is in
the audit trail before the answer leaves.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reftel.access import (
    EVERYTHING,
    TRAIL_FILE,
    Deed,
    Policy,
    Reader,
    Trail,
    TrailError,
)

ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)
"""Who asks, while a request is answered."""


class Asking(msgspec.Struct):
    """The reader of a request, from where, what was done so far and is not in the trail yet. `known` says
    whether somebody vouches for the name, `session` whether that is a session that can be ended."""

    reader: Reader
    address: str
    known: bool
    session: bool = False
    deeds: list[Deed] = []


class Readers:
    """The readers of one archive: an access file, and the trail of what they do."""

    def __init__(self, policy: Policy, trail: Trail) -> None:
        self.policy = policy
        self.trail = trail

    @property
    def may_log_in(self) -> bool:
        return self.policy.access.openid is not None

    def asking(self, request: Request) -> Asking:
        """Who asks."""
        peer = request.client.host if request.client else ""
        proxy = self.policy.access.proxy
        address = peer
        if proxy is not None and proxy.trusts(peer):
            forwarded = request.headers.getlist("x-forwarded-for")
            if forwarded:
                # The proxy appends the address that it saw; what stands before is the browser's word.
                address = forwarded[-1].rpartition(",")[2].strip()[:80] or peer
            names = [_name(each) for each in request.headers.getlist(proxy.header)]
            listed = request.headers.getlist(proxy.groups) if proxy.groups else []
            # Two are one from the proxy and one from somebody else.
            if len(names) == 1 and names[0].strip() and len(listed) <= 1:
                groups = [each.strip() for each in _name(",".join(listed)).split(",")]
                return Asking(self.policy.reader(names[0].strip(), groups), address, True)
        session = request.scope.get("session") or {}
        if self.may_log_in and session.get("until", 0) > time.time():
            reader = self.policy.reader(session["name"], session["groups"])
            return Asking(reader, address, True, True)
        return Asking(self.policy.everybody, address, False)


class Door:
    """Finds out who asks, and has the trail on disk before an answer leaves."""

    def __init__(
        self, app: ASGIApp, readers: Readers, who: Callable[[Request], Asking] | None = None
    ) -> None:
        self._app = app
        self._readers = readers
        self._who = who or readers.asking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        proxy = self._readers.policy.access.proxy
        request = Request(scope)
        if proxy is not None and request.client and proxy.trusts(request.client.host):
            _forward(scope, request, proxy.address)
        asking = self._who(Request(scope))
        scope.setdefault("state", {})["asking"] = asking
        refused = False

        async def send_when_written(message: Message) -> None:
            nonlocal refused
            if refused:
                return
            try:
                await self._write(asking)
            except TrailError as error:
                if message["type"] != "http.response.start":
                    # The answer has begun: it breaks off rather than go on unrecorded.
                    raise
                refused = True
                await _unwritten(error)(scope, receive, send)
                return
            if message["type"] == "http.response.start":
                private = (b"cache-control", b"private, no-store")
                message = {**message, "headers": [*message["headers"], private]}
            await send(message)

        token = ASKING.set(asking)
        try:
            await self._app(scope, receive, send_when_written)
        finally:
            ASKING.reset(token)
        await self._write(asking)

    async def _write(self, asking: Asking) -> None:
        if asking.deeds:
            deeds, asking.deeds = asking.deeds, []
            written = self._readers.trail.write(asking.reader.name, asking.address, deeds)
            await asyncio.wrap_future(written)


def _name(header: str) -> str:
    """What a header says in UTF-8, as proxies write names; headers are read as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header


def _forward(scope: Scope, request: Request, address: str | None) -> None:
    """Have a request from the proxy be as the browser made it."""
    if address is None:
        scheme = request.headers.get("x-forwarded-proto")
        scope["scheme"] = scheme if scheme in ("http", "https") else scope["scheme"]
        return
    parts = urlsplit(address)
    scope["scheme"] = parts.scheme
    # Whether the proxy hands the browser's Host on, or puts ours in its place.
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    scope["headers"] = [*others, (b"host", parts.netloc.encode())]


def _unwritten(error: TrailError) -> PlainTextResponse:
    return PlainTextResponse(
        f"Nothing is shown while the audit trail cannot be written: {error}\n", 503
    )


def owner(request: Request) -> Asking:
    """The archive's owner asks, on a way that is nobody else's."""
    return Asking(EVERYTHING, request.client.host if request.client else "", True)


def onward(path: str) -> str:
    """Where to go after the log-in: a page of this site."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if safe else "/"


def open_readers(archive: Path, policy: Policy) -> Readers:
    """The readers of the archive in a folder, and the trail of what they do; entries past their time are
    removed from it. Raises `TrailError`."""
    readers = Readers(policy, Trail(archive / TRAIL_FILE))
    days = policy.access.audit.keep_days
    if days is not None:
        readers.trail.prune(time.time() - days * 86400, "retention")
    return readers
