"""The message centre's pages and its interface for programs: state, queues, messages, an operator's deeds."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from reftel.access import ACCESS_FILE, load_policy
from reftel.archive import StoreError
from reftel.centre import desk, origin, readers
from reftel.centre.accepting import Refused
from reftel.centre.config import Profile
from reftel.centre.history import would_find
from reftel.centre.journalfile import Entry, JournalError
from reftel.centre.metrics import MEDIA_TYPE, metrics
from reftel.centre.running import Centre
from reftel.centre.scan import scan_text
from reftel.centre.status import status
from reftel.centre.told import came_from, clock, days, more, span, told
from reftel.read.dtg import PRECEDENCES
from reftel.telegram import RecordError, from_builtins
from reftel.web.app import ReadingRoom, application
from reftel.web.login import LOCAL, Doorkeeper, Login, Person
from reftel.web.pages import telegram_page
from reftel.web.readers import Asking, Door, Readers, open_readers, owner
from reftel.web.sending import citation_of

WORDS = ("FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE")
_MOST_READ_FOR_A_TRIAL = 2000
_TRIED = ("tags", "captions", "attention", "offices", "words", "originators")


class CentreRoom:
    """The pages of one running centre."""

    def __init__(self, centre: Centre, room: ReadingRoom, *, trusted: bool) -> None:
        self._centre = centre
        self._room = room
        self._trusted = trusted
        self.login = Login(centre, room)
        room.filters |= {
            "clock": clock,
            "span": span,
            "told": told,
            "more": more,
            "came_from": came_from,
            "days": days,
            "precedence": lambda letter: PRECEDENCES.get(letter, letter),
        }

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health),
            Route("/metrics", self.metrics),
            Route("/login", self.login.page, methods=["GET", "POST"]),
            Route("/logout", self.login.leave, methods=["POST"]),
            Route("/centre", self.overview),
            Route("/centre.json", self.overview),
            Route("/centre/queue", self.queue),
            Route("/centre/queue.json", self.queue),
            Route("/centre/find", self.find),
            Route("/centre/find.json", self.find),
            Route("/centre/message/{number:int}.json", self.message),
            Route("/centre/message/{number:int}", self.message),
            Route("/centre/offices.json", self.offices),
            Route("/centre/reading", self.offices),
            # An office's name may have a stroke in it: EUR/AGS.
            Route("/centre/reading/{office:path}/{number:int}", self.telegram),
            Route("/centre/reading/{office:path}.json", self.reading),
            Route("/centre/reading/{office:path}", self.reading),
            Route("/centre/profiles", self.profiles),
            Route("/centre/profiles.json", self.profiles),
            Route("/centre/due.json", self.due),
            Route("/centre/read", self.read, methods=["POST"]),
            Route("/centre/do", self.do, methods=["POST"]),
            Route("/centre/send", self.send, methods=["POST"]),
            Route("/centre/reload", self.reload, methods=["POST"]),
        ]

    def _page(self, request: Request, template: str, **values: Any) -> Response:
        person = self._person(request)
        named = person if self._centre.station.config.operator else None
        return self._room.page(template, person=named, **values)

    # Looking

    async def health(self, request: Request) -> Response:
        """200 while the journal can be written, 503 while not."""
        del request
        now = status(self._centre.station)
        body = {
            "healthy": now.healthy,
            "why": now.trouble,
            "circuits_down": [each.name for each in now.circuits if not each.up],
            "alerts": len(now.alerts),
        }
        return JSONResponse(body, 200 if now.healthy else 503)

    async def metrics(self, request: Request) -> Response:
        del request
        return Response(metrics(self._centre.station), media_type=MEDIA_TYPE)

    async def overview(self, request: Request) -> Response:
        station = self._centre.station
        now = status(station)
        if request.url.path.endswith(".json"):
            return JSONResponse(msgspec.to_builtins(now))
        return self._page(
            request,
            "centre.html",
            now=now,
            rows=[*desk.queue_rows(station, "operator"), *desk.queue_rows(station, "held")],
            offices=readers.offices(station),
            words=WORDS,
            recent=list(reversed(station.journal.entries(last=15))),
            keep=station.config.keep,
        )

    async def queue(self, request: Request) -> Response:
        circuit = request.query_params.get("circuit") or None
        station = self._centre.station
        places = [*station.circuits, "here", "operator", "held"]
        if circuit is not None and circuit not in places:
            raise HTTPException(404, f"There is no queue {circuit}; there are {', '.join(places)}")
        rows = desk.queue_rows(station, circuit, _number(request, "limit", 200))
        if request.url.path.endswith(".json"):
            return JSONResponse(rows)
        state = station.circuits.get(circuit or "")
        numbered = state is not None and state.config.receive is not None
        return self._page(
            request, "queue.html", rows=rows, circuit=circuit, places=places, numbered=numbered
        )

    async def find(self, request: Request) -> Response:
        words = request.query_params.get("q", "").strip()
        found = desk.find(self._centre.station, words) if words else []
        if request.url.path.endswith(".json"):
            return JSONResponse(found)
        if len(found) == 1:
            return RedirectResponse(f"/centre/message/{found[0]}", 303)
        ways = [desk.way(self._centre.station, each) for each in found[-50:]]
        return self._page(request, "found.html", words=words, ways=ways[::-1], total=len(found))

    async def message(self, request: Request) -> Response:
        station = self._centre.station
        try:
            way = desk.way(station, request.path_params["number"])
        except desk.DeskError as error:
            raise HTTPException(404, str(error)) from error
        except JournalError as error:
            raise HTTPException(500, str(error)) from error
        if request.url.path.endswith(".json"):
            entries = [
                {**msgspec.to_builtins(each), "said": told(each), "more": more(each)}
                for each in way.entries
            ]
            came = came_from(way.circuit)
            return JSONResponse({**msgspec.to_builtins(way), "entries": entries, "from": came})
        scanned = scan_text(way.text)
        return self._page(
            request,
            "way.html",
            way=way,
            scanned=scanned,
            awaited=("person", str(way.message)) in station.awaited,
            circuits=list(station.circuits),
            sent=any(each.kind == "sent" for each in way.entries),
            document=_document(way.entries),
        )

    # Reading

    async def offices(self, request: Request) -> Response:
        """The reading queues; a reader's own alone."""
        mine = self._person(request).offices
        found = [
            each
            for each in readers.offices(self._centre.station)
            if mine is None or each.office in mine
        ]
        if request.url.path.endswith(".json"):
            return JSONResponse(msgspec.to_builtins(found))
        if len(found) == 1:
            return RedirectResponse(f"/centre/reading/{quote(found[0].office)}", 303)
        return self._page(request, "offices.html", offices=found)

    async def reading(self, request: Request) -> Response:
        """An office's reading queue."""
        office = request.path_params["office"]
        rows = readers.reading(self._centre.station, office, _number(request, "limit", 200))
        if request.url.path.endswith(".json"):
            return JSONResponse(msgspec.to_builtins(rows))
        return self._page(request, "reading.html", office=office, rows=rows)

    async def telegram(self, request: Request) -> Response:
        """A telegram as it lies before an office."""
        office, number = request.path_params["office"], request.path_params["number"]
        rows = readers.reading(self._centre.station, office, -1)
        lying = next((row for row in rows if row.message == number), None)
        if lying is None:
            raise HTTPException(404, f"Message {number} does not lie before {office}.")
        archive = self._room.archive
        document = archive.document(lying.document) if lying.document else None
        if document is None:
            raise HTTPException(404, f"Message {number} is not in the archive; see its way.")
        # What lies around it is shown as far as the reader's access goes.
        page = telegram_page(self._room.view(request), document, citation_of(document, request))
        return self._page(request, "telegram.html", page=page, lying=lying, office=office)

    async def read(self, request: Request) -> Response:
        """Somebody says that he has read a telegram: a form from its page."""
        self._room.same_origin(request)
        form = await request.form()
        office, person = str(form.get("office", "")), self._person(request)
        if person.offices is not None and office not in person.offices:
            raise HTTPException(403, f"{person.name} does not read for {office}.")
        try:
            number = int(str(form.get("message", "")))
            await readers.read(self._centre.station, office, number, person.name)
        except desk.DeskError as error:
            raise HTTPException(409, str(error)) from error
        except ValueError as error:
            raise HTTPException(400, "Say which message, by its number.") from error
        return RedirectResponse(f"/centre/reading/{quote(office)}", 303)

    async def profiles(self, request: Request) -> Response:
        """Who reads what; what one of the profiles, or one that is tried, would have found."""
        config = self._centre.station.config
        asked = request.query_params
        office = asked.get("office", "")
        tried: dict[str, Any] = {key: _listed(asked.get(key, "")) for key in _TRIED}
        if any(tried.values()):
            profiles = [Profile(office=office or "TRIAL", **tried)]
        else:
            profiles = [each for each in config.profile if each.office == office]
        try:
            days = min(max(float(asked.get("days", "31")), 0.0), 3660.0)
        except ValueError:
            days = 31.0
        trial = None
        if profiles:
            trial = await asyncio.to_thread(
                would_find, config, profiles, days, _MOST_READ_FOR_A_TRIAL
            )
        if request.url.path.endswith(".json"):
            return JSONResponse(msgspec.to_builtins(trial))
        return self._page(
            request,
            "profiles.html",
            profiles=config.profile,
            office=office,
            tried=tried,
            trying=any(tried.values()),
            days=days,
            trial=trial,
        )

    async def due(self, request: Request) -> Response:
        """What has been kept long enough and would leave the journal now."""
        del request
        return JSONResponse(msgspec.to_builtins(await self._centre.retention.due()))

    # Doing

    async def do(self, request: Request) -> Response:
        """One deed of an operator: JSON from a program, a form from a page."""
        is_form = "form" in request.headers.get("content-type", "")
        if is_form:
            self._room.same_origin(request)
            asked = {key: str(value) for key, value in (await request.form()).items()}
        else:
            asked = await self._json(request)
        try:
            done = await self._deed(asked, self._who(request))
        except desk.DeskError as error:
            raise HTTPException(409, str(error)) from error
        except (Refused, JournalError) as error:
            raise HTTPException(503, str(error)) from error
        except KeyError as error:
            raise HTTPException(400, f"{error.args[0]} is missing") from error
        except ValueError as error:
            raise HTTPException(400, f"something is wrong: {error}") from error
        if not is_form:
            return JSONResponse({"done": msgspec.to_builtins(done)})
        if asked.get("deed") in ("correct", "service", "ask-part"):
            return RedirectResponse(f"/centre/message/{done}", 303)
        back = asked.get("back", "/centre")
        return RedirectResponse(back if back.startswith("/centre") else "/centre", 303)

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
            if len(to) != 1:
                raise desk.DeskError("a tracer goes to one station; name it")
            return await desk.trace(station, int(asked["message"]), to[0], who, claimant)
        if deed == "close":
            return await desk.close(station, str(asked["kind"]), str(asked["name"]), who, why)
        if deed == "service":
            letter = str(asked.get("precedence") or "R")[:1].upper()
            words, form = str(asked.get("text", "")), str(asked.get("form", ""))
            place = str(asked.get("circuit") or "").strip()
            place = place if place in station.circuits else place.upper()
            return await desk.service(station, place, words, who, letter=letter, form=form)
        if deed == "ask-part":
            return await desk.ask_for_part(station, int(asked["message"]), str(asked["text"]), who)
        if deed == "prune":
            return await self._centre.retention.prune(who)
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

    def _person(self, request: Request) -> Person:
        person = getattr(request.state, "person", LOCAL)
        assert isinstance(person, Person)
        return person

    def _who(self, request: Request) -> str:
        """Who asks, as the journal has it. Only the socket's users say it themselves."""
        if self._trusted:
            return request.headers.get("x-reftel-operator", "local")[:80]
        return self._person(request).name


def centre_app(centre: Centre, *, host: str = "127.0.0.1", trusted: bool = False) -> Starlette:
    """Reading room and centre as one application. `trusted` is for the socket in the data folder, which
    only the centre's own user can open: it says itself who asks."""
    assert centre.archive is not None
    folder = centre.archive.folder
    file = folder / ACCESS_FILE
    readers = open_readers(folder, load_policy(file)) if file.exists() else None
    if readers is None and centre.archive.has_readers and not trusted:
        raise StoreError(f"the archive has readers, and there is no {file} to say who reads what")
    room = ReadingRoom(centre.archive, centre.config.directory, centre=True, readers=readers)
    pages = CentreRoom(centre, room, trusted=trusted)
    doors = [] if trusted else [Middleware(Doorkeeper, login=pages.login)]
    if readers is not None:
        who = owner if trusted else partial(_asking, readers)
        doors.append(Middleware(Door, readers=readers, who=who))
    names = centre.config.http.names if centre.config.http else ()
    return application(room, (host, *names), pages.routes, doors)


def _asking(readers: Readers, request: Request) -> Asking:
    """An operator reads in the archive what the access file grants that name."""
    person: Person = request.state.person
    address = request.client.host if request.client else ""
    return Asking(readers.policy.reader(person.name), address, True)


def _document(entries: tuple[Entry, ...]) -> str | None:
    """The digest under which the archive has what these entries delivered or filed."""
    return next((e.detail["document"] for e in reversed(entries) if e.detail.get("document")), None)


def _listed(text: str) -> tuple[str, ...]:
    """The items of a field, commas between them."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _number(request: Request, name: str, default: int) -> int:
    try:
        return max(int(request.query_params.get(name, default)), 0)
    except ValueError:
        return default
