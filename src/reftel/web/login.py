"""Who is at the centre's pages: operators, who do everything, and readers, who see their offices' queues.

A person logs in with a form and gets a session; a program sends name and password with each request (RFC
7617). Secrets are scrypt digests of the configuration, which may change while sessions go on.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
import secrets
import time
from collections import OrderedDict
from typing import Literal
from urllib.parse import parse_qs, quote, unquote

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reftel.centre.journal import Changes
from reftel.centre.passwords import matches, secret
from reftel.centre.running import Centre
from reftel.web.app import ReadingRoom

COOKIE = "reftel"
_LASTS_S = 12 * 3600.0
_AFTER_A_WRONG_ONE_S = 1.0
_MOST_SESSIONS = 1000
_LARGEST_FORM = 8192
_MOST_PROGRAMS = 100
_OPEN = ("/health", "/login", "/static/")


class Person(msgspec.Struct, frozen=True):
    """Who asks; `offices` are those of a reader, `None` for an operator."""

    name: str
    offices: tuple[str, ...] | None = None

    def may_see(self, path: str) -> bool:
        """A reader sees the queues of his offices and the telegrams in them."""
        if self.offices is None or path in ("/centre/read", "/logout", "/centre/reading"):
            return True
        queue = re.sub(r"(?:/[0-9]+|\.json)\Z", "", path.removeprefix("/centre/reading/"))
        return path.startswith("/centre/reading/") and queue in self.offices


LOCAL = Person("local")


class Login:
    """Sessions and passwords of one centre."""

    def __init__(self, centre: Centre, room: ReadingRoom) -> None:
        self._centre = centre
        self._room = room
        self._sessions: OrderedDict[str, tuple[str, str, float]] = OrderedDict()
        self._programs: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._trying: dict[str, asyncio.Lock] = {}
        self._nobody = secret(secrets.token_hex(8))

    def _kept(self, name: str) -> tuple[Person, str] | None:
        config = self._centre.station.config
        for operator in config.operator:
            if operator.name == name:
                return Person(name), operator.secret
        for reader in config.reader:
            if reader.name == name:
                return Person(name, reader.offices), reader.secret
        return None

    async def who(self, request: Request) -> Person | None:
        """The person of a request; `None` when none is known. Without operators in the configuration
        everybody on this machine is one."""
        config = self._centre.station.config
        if not config.operator and not config.reader:
            return LOCAL
        token = request.cookies.get(COOKIE, "")
        session = self._sessions.get(_digest(token)) if token else None
        if session is not None and session[2] > time.monotonic():
            kept = self._kept(session[0])
            # Who was taken out of the configuration, or has another secret, comes in anew.
            return kept[0] if kept and kept[1] == session[1] else None
        return await self._program(request)

    async def _program(self, request: Request) -> Person | None:
        header = request.headers.get("authorization", "")
        kind, _, value = header.partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        kept = self._kept(name)
        # A program asks every few seconds: scrypt is for the first time.
        known = self._programs.get(_digest(header))
        if kept is not None and known == (name, kept[1]):
            return kept[0]
        person = await self._try(request, name, password)
        if person is not None and kept is not None:
            self._programs[_digest(header)] = (name, kept[1])
            if len(self._programs) > _MOST_PROGRAMS:
                self._programs.popitem(last=False)
        return person

    async def _try(self, request: Request, name: str, password: str) -> Person | None:
        """One try at a time from each address, and a pause after a wrong one."""
        address = request.client.host if request.client else ""
        lock = self._trying.setdefault(address, asyncio.Lock())
        async with lock:
            kept = self._kept(name)
            right = await asyncio.to_thread(matches, kept[1] if kept else self._nobody, password)
            if kept is None or not right:
                # A name that nobody has may be a password.
                self._centre.station.tell(
                    "person.refused", name=name if kept else None, address=address
                )
                await asyncio.sleep(_AFTER_A_WRONG_ONE_S)
        if not lock.locked():
            self._trying.pop(address, None)
        return kept[0] if kept is not None and right else None

    # The page

    async def page(self, request: Request) -> Response:
        """`/login`: the form, and what it sends."""
        if request.method == "GET":
            return self._form(request.query_params.get("next", ""), "")
        self._room.same_origin(request)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _LARGEST_FORM:
                raise HTTPException(413, "That is too long for a name and a password.")
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        name, password, onward = (form.get(key, [""])[0] for key in ("name", "password", "next"))
        person = await self._try(request, name, password)
        if person is None:
            return self._form(onward, name, wrong=True)
        token = secrets.token_urlsafe(32)
        kept = self._kept(name)
        until = time.monotonic() + _LASTS_S
        self._sessions[_digest(token)] = (name, kept[1] if kept else "", until)
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        changes = Changes()
        changes.entry("logged-in", self._centre.station.clock(), who=name)
        await self._centre.station.commit(changes)
        to = (
            onward if onward.startswith("/") and not onward.startswith(("//", "/\\")) else "/centre"
        )
        response = RedirectResponse(to, 303)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(_LASTS_S),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    def _form(self, onward: str, name: str, *, wrong: bool = False) -> Response:
        station = self._centre.station.config.station.name
        return self._room.page(
            "login.html",
            401 if wrong else 200,
            onward=onward,
            name=name,
            wrong=wrong,
            station=station,
        )

    async def leave(self, request: Request) -> Response:
        """`/logout`: the session ends."""
        self._room.same_origin(request)
        self._sessions.pop(_digest(request.cookies.get(COOKIE, "")), None)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response


class Doorkeeper:
    """Lets nobody in who is not known; `person` is in the request's state behind it."""

    def __init__(self, app: ASGIApp, login: Login) -> None:
        self._app = app
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        person = await self._login.who(request)
        answer = self._refusal(request, person)
        if answer is not None:
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {})["person"] = person
        await self._app(scope, receive, send)

    @staticmethod
    def _refusal(request: Request, person: Person | None) -> Response | None:
        path = request.url.path
        kind: Literal["page", "program"] = (
            "page" if "text/html" in request.headers.get("accept", "") else "program"
        )
        if person is None and kind == "page":
            onward = path + (f"?{request.url.query}" if request.url.query else "")
            to = f"/login?next={quote(onward)}" if request.method == "GET" else "/login"
            return RedirectResponse(to, 303)
        if person is None:
            headers = {"WWW-Authenticate": 'Basic realm="Reftel", charset="UTF-8"'}
            return PlainTextResponse("Name and password, please.\n", 401, headers)
        if person.may_see(unquote(path)):
            return None
        if kind == "page" and request.method == "GET" and path in ("/", "/centre"):
            return RedirectResponse("/centre/reading", 303)
        return PlainTextResponse(
            f"{person.name} reads for an office; this is for operators.\n", 403
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
