"""The reading room's requests: each parses, asks the archive once, and renders a page's values."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import reftel
from reftel import tables
from reftel.archive import (
    FIELDS,
    Archive,
    Card,
    DamagedError,
    Document,
    QueryError,
    StoreError,
    View,
    results_to_json,
)
from reftel.archive.drafts import DraftNameError, Drafts
from reftel.archive.held import ArchiveHeld
from reftel.archive.model import UnreachableError
from reftel.archive.saved import SavedSearches
from reftel.check import PROFILES, Profile
from reftel.read.anatomy import anatomy
from reftel.tables.directory import Directory
from reftel.telegram import Mrn, Section, to_builtins
from reftel.web.api import Api
from reftel.web.desk import complete, look
from reftel.web.finding import Finding
from reftel.web.following import Following
from reftel.web.forms import MOST, form_of, number_asked, order_asked
from reftel.web.oneself import Oneself
from reftel.web.openid import OpenIdLogin
from reftel.web.pages import (
    LEVEL_CLASSES,
    PAGE_SIZE,
    day,
    narrowing,
    result_line,
    search_page,
    search_url,
    telegram_page,
)
from reftel.web.readers import ASKING, Asking, Door, Readers
from reftel.web.sending import citation_of
from reftel.write.template import reply, template

_PROFILES: tuple[tuple[Profile, str], ...] = (
    ("state-1995-2009", "State 1995-2009"),
    ("state-1973-79", "State 1973-79"),
    ("state-2009", "State 2009 and later"),
    ("acp127", "ACP 127"),
)
_HOME_POSTS, _HOME_TAGS = 18, 24
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FORMATS = re.compile(r"(?P<name>.*?)(?:\.(?P<form>json|txt))?\Z", re.DOTALL)


class _SecurityHeaders:
    """Puts the policy headers on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class ReadingRoom:
    """The pages of one archive."""

    def __init__(
        self,
        archive: Archive,
        directory: Directory,
        *,
        centre: bool = False,
        readers: Readers | None = None,
    ) -> None:
        """Without `readers`, whoever asks reads everything."""
        self.archive = archive
        self.readers = readers
        self._centre = centre
        self._directory = directory
        self._templates = Environment(
            loader=PackageLoader("reftel.web"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["visible"] = _visible
        self._templates.filters["level"] = lambda word: LEVEL_CLASSES.get(word or "", "none")
        self.filters = self._templates.filters

    def page(self, template: str, code: int = 200, **values: Any) -> HTMLResponse:
        context = {
            "query": "",
            "version": reftel.__version__,
            "has_centre": self._centre,
            "person": None,
            "lying": None,
            "sections": (),
            "asking": ASKING.get(),
            "may_log_in": self.readers is not None and self.readers.may_log_in,
            **values,
        }
        return HTMLResponse(self._templates.get_template(template).render(context), code)

    def view(self, request: Request) -> View:
        """What the reader behind a request sees."""
        if self.readers is None:
            return self.archive
        asking: Asking = request.state.asking
        return self.archive.view(asking.reader, lambda deed: asking.deeds.append(deed))

    def saved(self, request: Request) -> SavedSearches:
        """The searches that the reader behind a request has saved."""
        self._known(request, "keep searches")
        return SavedSearches(self.archive.folder, self.view(request))

    def _drafts(self, request: Request) -> Drafts:
        return Drafts(self.archive.folder, self.view(request).reader)

    def _known(self, request: Request, what: str) -> None:
        """Nothing is kept for everybody together."""
        if self.readers is not None and not request.state.asking.known:
            raise HTTPException(403, f"Only readers who are known by name can {what}.")

    def home(self, request: Request) -> Response:
        results = self.view(request).search("", limit=5)
        years = sorted(results.facets.year, key=lambda count: count.value)
        posts = [
            (tables.post_title(c.value), c, narrowing("post", c.value)) for c in results.facets.post
        ]
        tags = [
            (c, tables.tag(c.value, None), narrowing("tags", c.value)) for c in results.facets.tags
        ]
        return self.page(
            "home.html",
            total=results.total,
            years=years,
            most=max((c.count for c in years), default=1),
            posts=posts[:_HOME_POSTS],
            tags=tags[:_HOME_TAGS],
            more_posts=max(len(posts) - _HOME_POSTS, 0),
            more_tags=max(len(tags) - _HOME_TAGS, 0),
            lines=[result_line(hit) for hit in results.hits],
            search_url=search_url,
        )

    def search(self, request: Request) -> Response:
        query = request.query_params.get("q", "").strip()
        as_json = request.url.path.endswith(".json")
        given = order_asked(request)
        page = number_asked(request, "page", 1, 1, MOST // PAGE_SIZE)
        try:
            results = self.view(request).search(
                query, order=given, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE
            )
        except QueryError as error:
            if as_json:
                body = {"error": error.message, "position": error.position, "status": 400}
                return JSONResponse(body, 400)
            return self.page("mistake.html", 400, query=query, error=error, fields=FIELDS)
        if as_json:
            return JSONResponse(results_to_json(results))
        named = self.view(request).named(query)
        return self.page("search.html", query=query, page=search_page(results, named, given))

    def by_number(self, request: Request) -> Response:
        """`/t/79BERN4120`, in any spelling, with `.json` or `.txt`."""
        match = _FORMATS.match(request.path_params["number"])
        assert match is not None
        mrn = Mrn.parse(match["name"])
        if mrn is None:
            raise HTTPException(404, f"{match['name']} is no message reference number")
        form = match["form"]
        if match["name"] != mrn.short:
            return RedirectResponse(f"/t/{mrn.short}{'.' + form if form else ''}", 301)
        view = self.view(request)
        documents = [d for d in view.cited_as(mrn) if d.variant_of is None]
        cards = view.cards(mrn)
        if not documents and cards:
            return self._withheld(cards, form)
        if not documents:
            return Following(self).ghost(view, mrn, form)
        if not cards and (whole := view.whole(documents)) is not None:
            sections = [(d.telegram.section, f"/d/{d.digest[:16]}") for d in documents]
            return self._telegram(request, whole, form, sections)
        if len(documents) + len(cards) > 1 and form is None:
            lines = [
                (each, telegram_page(view, each, citation_of(each, request)))
                for each in documents
                if not each.damaged
            ]
            return self.page(
                "several.html",
                mrn=mrn,
                lines=lines,
                damaged=[each for each in documents if each.damaged],
                cards=_card_lines(cards),
            )
        return self._telegram(request, documents[0], form)

    def by_digest(self, request: Request) -> Response:
        """`/d/<digest>`: one document for ever, whatever other documents share its number."""
        match = _FORMATS.match(request.path_params["digest"])
        assert match is not None
        view = self.view(request)
        document = view.document(match["name"])
        if document is None and (card := view.card(match["name"])):
            return self._withheld((card,), match["form"])
        if document is None:
            raise HTTPException(404, f"No document has the digest {match['name']}")
        return self._telegram(request, document, match["form"])

    def _telegram(
        self,
        request: Request,
        document: Document,
        form: str | None,
        sections: Sequence[tuple[Section | None, str]] = (),
    ) -> Response:
        if form == "json":
            return JSONResponse(to_builtins(document.telegram, source=document.origin))
        if form == "txt":
            return PlainTextResponse(document.telegram.source.encode("utf-8", "replace"))
        page = telegram_page(self.view(request), document, citation_of(document, request))
        return self.page("telegram.html", page=page, sections=sections)

    def anatomy(self, request: Request) -> Response:
        """`/anatomy/<digest>`: the document taken apart, line by line."""
        document = self.view(request).document(request.path_params["digest"])
        if document is None:
            raise HTTPException(404, f"No document has the digest {request.path_params['digest']}")
        page = telegram_page(self.view(request), document, citation_of(document, request))
        runs = anatomy(document.telegram)
        first = {run.kind: at for at, run in reversed(list(enumerate(runs)))}
        return self.page("anatomy.html", page=page, runs=runs, first=set(first.values()))

    def _withheld(self, cards: tuple[Card, ...], form: str | None) -> Response:
        """Withdrawal cards stand where the texts would, for those who may know of them."""
        if form is not None:
            withheld = msgspec.to_builtins(cards)
            reason = "withheld from this reader"
            return JSONResponse({"error": reason, "status": 403, "withheld": withheld}, 403)
        return self.page("withheld.html", 403, cards=_card_lines(cards))

    async def desk(self, request: Request) -> Response:
        """`/desk`: a draft with its findings and its wire form; saved drafts by `?draft=name`."""
        name = request.query_params.get("draft", "")
        # Today's drafts; an older one says its date.
        profile, state = _PROFILES[2][0], ""
        draft = template()
        if request.method == "POST":
            self.same_origin(request)
            form = await form_of(request)
            name, draft = form.get("name", ""), form.get("draft", "").replace("\r\n", "\n")
            asked = form.get("do", "check")
            profile = next((each for each in PROFILES if each == form.get("profile")), profile)
            if asked == "save":
                self._known(request, "keep drafts")
                try:
                    self._drafts(request).save(name, draft)
                except DraftNameError as error:
                    raise HTTPException(400, str(error)) from error
                except OSError as error:
                    # What was written stands on the page still.
                    state = f"Not saved: {error.strerror}. Copy the draft, or download it."
                else:
                    state = f"Saved as {name}"
            elif asked in ("draft", "wire"):
                return self._download(request, draft, profile, name, asked)
        elif name:
            saved = self._saved(request, name)
            if saved is None:
                raise HTTPException(404, f"No draft has the name {name}")
            draft = saved
        elif number := request.query_params.get("reply"):
            draft = self._reply(request, number)
        seen = look(draft, profile, ArchiveHeld(self.view(request)), self._directory)
        return self.page(
            "desk.html",
            name=name,
            names=self._drafts(request).names(),
            draft=draft,
            profile=profile,
            profiles=_PROFILES,
            state=state,
            seen={"captions": [], "changes": [], **seen},
        )

    async def desk_look(self, request: Request) -> Response:
        """`/desk/look`: findings, marks and wire form of the draft in a JSON body."""
        self.same_origin(request)
        try:
            asked = await request.json()
            # A browser may send half a character.
            draft = str(asked["draft"]).encode(errors="replace").decode()
            profile = str(asked.get("profile", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HTTPException(400, "a JSON object with the key draft is wanted") from error
        found = await run_in_threadpool(
            look, draft, profile, ArchiveHeld(self.view(request)), self._directory
        )
        return JSONResponse(found)

    def desk_complete(self, request: Request) -> Response:
        """`/desk/complete?kind=address|tags|captions&words=...`: what it can be completed to."""
        given = request.query_params
        words = given.get("words", "")[:80]
        return JSONResponse(complete(given.get("kind", ""), words, self._directory))

    def _saved(self, request: Request, name: str) -> str | None:
        try:
            return self._drafts(request).read(name)
        except DraftNameError:
            return None

    def _reply(self, request: Request, number: str) -> str:
        mrn = Mrn.parse(number)
        held = self.view(request).cited_as(mrn) if mrn else ()
        if not held:
            raise HTTPException(404, f"{number} is not held")
        return reply(held[0].telegram)

    def _download(
        self, request: Request, draft: str, profile: str, name: str, what: str
    ) -> Response:
        text = draft
        if what == "wire":
            seen = look(draft, profile, ArchiveHeld(self.view(request)), self._directory)
            if seen["wire"] is None:
                raise HTTPException(422, "The draft breaks a rule, so there is no wire form yet.")
            text = seen["wire"]
        stem = name if re.fullmatch("[a-z0-9-]+", name) else "draft"
        file = f"{stem}-wire.txt" if what == "wire" else f"{stem}.txt"
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return PlainTextResponse(text, headers=headers)

    @staticmethod
    def same_origin(request: Request) -> None:
        """Refuse what another site's page sends: a browser says where a request comes from."""
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin")
        other = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if site not in ("same-origin", "none") or other:
            raise HTTPException(
                403, "Requests that change something are taken from this site's own pages only."
            )

    def about(self, request: Request) -> Response:
        del request
        return self.page("about.html", fields=FIELDS)

    def error(self, request: Request, error: Exception) -> Response:
        status, reason = 500, "Something failed here."
        if isinstance(error, HTTPException):
            status, reason = error.status_code, str(error.detail) or reason
        elif isinstance(error, StoreError):
            status, reason = _what_fails(error)
            # Whose names and folders are nothing to a reader, and all to who keeps the archive.
            logging.getLogger("reftel").error("%s: %s", request.url.path, error)
        if status == 404 and reason == "Not Found":
            reason = "There is no such page."
        accepts = request.headers.get("accept", "")
        if (
            request.url.path.startswith("/api/")
            or request.url.path.endswith(".json")
            or "application/json" in accepts
        ):
            return JSONResponse({"error": reason, "status": status}, status)
        return self.page("error.html", status, status=status, reason=reason)


def _what_fails(error: StoreError) -> tuple[int, str]:
    """The status and the reason that a reader is given where the archive fails."""
    if isinstance(error, UnreachableError):
        return 503, "The archive's database cannot be reached just now. Try again in a moment."
    if isinstance(error, DamagedError):
        return 500, f"This cannot be shown: {error}."
    return 500, (
        "The archive cannot answer this. Who keeps it finds why where the reading room runs, and by"
        " reftel archive verify."
    )


def _card_lines(cards: tuple[Card, ...]) -> list[dict[str, Any]]:
    return [
        {
            "card": card,
            "level": LEVEL_CLASSES.get(card.classification, "none"),
            "sent": day(card.dtg),
            "sender": tables.addressee_name(card.originator) if card.originator else None,
            "to": [tables.addressee_name(each) for each in card.to],
        }
        for card in cards
    ]


def _visible(text: str) -> str:
    """Text without characters that would turn or hide what stands on a page."""
    return "".join(
        "\ufffd" if 0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 or c == "\0" else c
        for c in text
    )


def app(
    archive: Archive,
    *,
    host: str = "127.0.0.1",
    directory: Directory | None = None,
    readers: Readers | None = None,
    who: Callable[[Request], Asking] | None = None,
) -> Starlette:
    """The reading room of an archive as an ASGI application, answering to loopback and `host`; the desk
    looks stations up in `directory`. Without `readers`, whoever asks reads everything; `who` says who asks,
    where the access file does not."""
    room = ReadingRoom(archive, directory or Directory(), readers=readers)
    if readers is None:
        return application(room, (host,))
    openid = OpenIdLogin(room, readers) if readers.may_log_in else None
    doors = [*([openid.middleware] if openid else []), Middleware(Door, readers=readers, who=who)]
    pages = [*(openid.routes if openid else ()), *Oneself(room, readers).routes]
    known = (
        each.address for each in (readers.policy.access.proxy, readers.policy.access.openid) if each
    )
    names = [urlsplit(address).hostname or "" for address in known if address]
    return application(room, [host, *names], pages, doors)


def application(
    room: ReadingRoom,
    names: Sequence[str],
    more: Sequence[Route] = (),
    doors: Sequence[Middleware] = (),
) -> Starlette:
    """The room's pages, answering to loopback and `names`, with further pages beside them and further
    middleware before them."""
    anywhere = {"0.0.0.0", "::"} & set(names)
    hosts = ["*"] if anywhere else [*_LOOPBACK, *names, "testserver"]
    return Starlette(
        routes=[
            *more,
            Route("/", room.home),
            Route("/search", room.search),
            Route("/search.json", room.search),
            *Following(room).routes(),
            Route("/t/{number:path}", room.by_number),
            Route("/d/{digest:path}", room.by_digest),
            Route("/anatomy/{digest}", room.anatomy),
            Route("/desk", room.desk, methods=["GET", "POST"]),
            Route("/desk/look", room.desk_look, methods=["POST"]),
            Route("/desk/complete", room.desk_complete),
            Route("/about", room.about),
            *Finding(room).routes(),
            *Api(room).routes(),
            Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
        ],
        middleware=[
            Middleware(_SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
            *doors,
        ],
        exception_handlers={HTTPException: room.error, StoreError: room.error, 500: room.error},
    )
