"""The message centre's pages and its interface for programs: state, queues, messages, an operator's deeds."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reftel.centre import desk, origin, services
from reftel.centre.accepting import Refused
from reftel.centre.config import Operator
from reftel.centre.journalfile import JournalError
from reftel.centre.passwords import matches
from reftel.centre.running import Centre
from reftel.centre.scan import scan
from reftel.centre.status import metrics, status
from reftel.read.dtg import PRECEDENCES
from reftel.telegram import RecordError, from_builtins
from reftel.web.app import ReadingRoom, application


class _Operators:
    """Asks for name and password (RFC 7617) where operators are named; `who` is in the request's state."""

    def __init__(self, app: ASGIApp, operators: tuple[Operator, ...]) -> None:
        self._app = app
        self._operators = {each.name: each.secret for each in operators}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        who = self._who(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
        if who is None:
            headers = {"WWW-Authenticate": 'Basic realm="Reftel", charset="UTF-8"'}
            await PlainTextResponse("Name and password, please.", 401, headers)(
                scope, receive, send
            )
            return
        scope.setdefault("state", {})["who"] = who
        await self._app(scope, receive, send)

    def _who(self, header: str) -> str | None:
        kind, _, value = header.partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        kept = self._operators.get(name)
        return name if kept is not None and matches(kept, password) else None


class CentreRoom:
    """The pages of one running centre."""

    def __init__(self, centre: Centre, room: ReadingRoom, *, trusted: bool) -> None:
        self._centre = centre
        self._room = room
        self._trusted = trusted
        room.filters["clock"] = _clock
        room.filters["span"] = _span

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health),
            Route("/metrics", self.metrics),
            Route("/centre", self.overview),
            Route("/centre.json", self.overview),
            Route("/centre/queue", self.queue),
            Route("/centre/queue.json", self.queue),
            Route("/centre/find", self.find),
            Route("/centre/find.json", self.find),
            Route("/centre/message/{number:int}.json", self.message),
            Route("/centre/message/{number:int}", self.message),
            Route("/centre/reading/{office}.json", self.reading),
            Route("/centre/reading/{office}", self.reading),
            Route("/centre/do", self.do, methods=["POST"]),
            Route("/centre/send", self.send, methods=["POST"]),
            Route("/centre/reload", self.reload, methods=["POST"]),
        ]

    # Looking

    async def health(self, request: Request) -> Response:
        """200 while the journal can be written, 503 while not."""
        del request
        trouble = self._centre.station.trouble
        body = {"healthy": trouble is None, "why": trouble}
        return JSONResponse(body, 200 if trouble is None else 503)

    async def metrics(self, request: Request) -> Response:
        del request
        return PlainTextResponse(
            metrics(self._centre.station), media_type="text/plain; version=0.0.4"
        )

    async def overview(self, request: Request) -> Response:
        now = status(self._centre.station)
        if request.url.path.endswith(".json"):
            return JSONResponse(msgspec.to_builtins(now))
        station = self._centre.station
        rows = [
            *desk.queue_rows(station, "operator"),
            *desk.queue_rows(station, "held"),
        ]
        offices = [profile.office for profile in station.config.profile]
        return self._room.page(
            "centre.html",
            now=now,
            rows=rows,
            offices=[*dict.fromkeys(offices), "UNASSIGNED"],
            letters=("FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"),
            recent=list(reversed(station.journal.entries(last=12))),
        )

    async def queue(self, request: Request) -> Response:
        circuit = request.query_params.get("circuit")
        rows = desk.queue_rows(self._centre.station, circuit, _number(request, "limit", 200))
        if request.url.path.endswith(".json"):
            return JSONResponse(rows)
        return self._room.page("queue.html", rows=rows, circuit=circuit)

    async def find(self, request: Request) -> Response:
        words = request.query_params.get("q", "").strip()
        found = desk.find(self._centre.station, words) if words else []
        if request.url.path.endswith(".json"):
            return JSONResponse(found)
        if len(found) == 1:
            return RedirectResponse(f"/centre/message/{found[0]}", 303)
        ways = [desk.way(self._centre.station, each) for each in found[-50:]]
        return self._room.page("found.html", words=words, ways=ways)

    async def message(self, request: Request) -> Response:
        try:
            way = desk.way(self._centre.station, request.path_params["number"])
        except (desk.DeskError, JournalError) as error:
            raise HTTPException(404, str(error)) from error
        if request.url.path.endswith(".json"):
            return JSONResponse(msgspec.to_builtins(way))
        scanned = scan(way.text.encode("latin-1", "replace"))
        awaited = ("person", str(way.message)) in self._centre.station.awaited
        return self._room.page(
            "way.html",
            way=way,
            scanned=scanned,
            precedence=PRECEDENCES.get(scanned.letter, scanned.letter),
            awaited=awaited,
            circuits=list(self._centre.station.circuits),
        )

    async def reading(self, request: Request) -> Response:
        """An office's reading queue."""
        station = self._centre.station
        office = request.path_params["office"]
        rows = []
        for number, at, why in station.journal.in_reading(office):
            row = station.journal.message(number)
            rows.append({"message": number, "at": at, "why": why, "name": row[3] if row else None})
        if request.url.path.endswith(".json"):
            return JSONResponse(rows)
        return self._room.page("reading.html", office=office, rows=rows)

    # Doing

    async def do(self, request: Request) -> Response:
        """One deed of an operator: JSON from a program, a form from a page."""
        is_form = "form" in request.headers.get("content-type", "")
        if is_form:
            self._room.same_origin(request)
            asked = {key: str(value) for key, value in (await request.form()).items()}
        else:
            asked = await self._json(request)
        who = self._who(request)
        try:
            done = await self._deed(asked, who)
        except (desk.DeskError, Refused) as error:
            raise HTTPException(409, str(error)) from error
        except (KeyError, ValueError) as error:
            raise HTTPException(400, f"something is missing or wrong: {error}") from error
        if is_form:
            back = asked.get("back", "/centre")
            return RedirectResponse(back if back.startswith("/centre") else "/centre", 303)
        return JSONResponse({"done": done})

    async def _deed(self, asked: dict[str, Any], who: str) -> Any:
        station = self._centre.station
        deed, why = asked["deed"], str(asked.get("why", ""))
        to = tuple(str(asked.get("to", "")).upper().split())
        if deed == "acknowledge":
            return await desk.acknowledge(station, int(asked["message"]), who)
        if deed == "send-again":
            return await desk.send_again(station, int(asked["message"]), who, to)
        if deed == "trace":
            claimant = str(asked.get("claimant") or "ADDRESSEE")
            return await desk.trace(station, int(asked["message"]), to[0], who, claimant)
        if deed == "close":
            return await desk.close(station, str(asked["kind"]), str(asked["name"]), who, why)
        if deed == "service":
            circuit = str(asked["circuit"])
            letter = str(asked.get("precedence", "R"))[:1].upper()
            return await services.send(station, circuit, letter, str(asked["text"]).upper())
        duty = int(asked["duty"])
        if deed == "hold":
            return await desk.hold(station, duty, who, why)
        if deed == "release":
            return await desk.release(station, duty, who)
        if deed == "discard":
            return await desk.discard(station, duty, who, why)
        if deed == "route":
            return await desk.reroute(station, duty, to, who, asked.get("circuit") or None)
        if deed == "correct":
            return (await desk.correct(station, duty, str(asked["text"]), who)).message
        raise HTTPException(400, f"{deed!r} is nothing that can be done here")

    async def send(self, request: Request) -> Response:
        """A telegram of this station: a record (JSON), released by who asks."""
        asked = await self._json(request)
        try:
            telegram = from_builtins(asked)
        except RecordError as error:
            raise HTTPException(400, str(error)) from error
        try:
            accepted = await origin.send(self._centre.station, telegram, self._who(request))
        except origin.NotSendable as error:
            return JSONResponse(
                {"error": str(error), "problems": error.problems, "status": 422}, 422
            )
        except (Refused, JournalError) as error:
            raise HTTPException(503, str(error)) from error
        return JSONResponse([msgspec.to_builtins(each) for each in accepted])

    async def reload(self, request: Request) -> Response:
        del request
        problems = await self._centre.reload()
        return JSONResponse({"problems": problems}, 200 if not problems else 422)

    @staticmethod
    async def _json(request: Request) -> dict[str, Any]:
        """The body of a program's request. A page of another site cannot send this type unasked."""
        if "json" not in request.headers.get("content-type", ""):
            raise HTTPException(415, "a JSON object is wanted")
        try:
            asked = await request.json()
        except ValueError as error:
            raise HTTPException(400, f"the JSON cannot be read: {error}") from error
        if not isinstance(asked, dict):
            raise HTTPException(400, "a JSON object is wanted")
        return asked

    def _who(self, request: Request) -> str:
        if self._trusted:
            return request.headers.get("x-reftel-operator", "local")
        return str(getattr(request.state, "who", "local"))


def centre_app(centre: Centre, *, host: str = "127.0.0.1", trusted: bool = False) -> Starlette:
    """Reading room and centre as one application. `trusted` is for the socket in the data folder, which
    only the centre's own user can open: it says itself who asks."""
    assert centre.archive is not None
    room = ReadingRoom(centre.archive, centre.config.directory, centre=True)
    routes = CentreRoom(centre, room, trusted=trusted).routes
    doors = []
    if centre.config.operator and not trusted:
        doors.append(Middleware(_Operators, operators=centre.config.operator))
    return application(room, host, routes, doors)


def _number(request: Request, name: str, default: int) -> int:
    try:
        return max(int(request.query_params.get(name, default)), 0)
    except ValueError:
        return default


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _span(seconds: float) -> str:
    """An age to read: `4 s`, `12 min`, `3.5 h`, `2 d`."""
    for limit, unit, word in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / 86400:.0f} d"
