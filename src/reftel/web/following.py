"""The reading room's pages that follow references: threads, the most cited, what is missing, and two
documents side by side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reftel import tables
from reftel.archive import Document, QueryError, View
from reftel.archive.beside import beside
from reftel.archive.follow import (
    completeness_to_json,
    ghost_to_json,
    missing_rows,
    missing_to_json,
    most_cited_to_json,
    thread_to_json,
)
from reftel.archive.ghosts import ghost, iso, missing
from reftel.archive.graphml import thread_graphml
from reftel.archive.threads import Node, Thread, most_cited, path, thread
from reftel.telegram import Mrn
from reftel.web.forms import number_asked
from reftel.web.pages import LEVEL_CLASSES, day

if TYPE_CHECKING:
    from reftel.web.app import ReadingRoom

_FORMATS = re.compile(r"(?P<name>.*?)(?:\.(?P<form>json|graphml))?\Z", re.DOTALL)
MOST_STEPS, MOST_TELEGRAMS = 12, 500
MOST_CITED = 50


class Following:
    """The pages, of what the reader behind each request sees."""

    def __init__(self, room: ReadingRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        return [
            Route("/thread/{number:path}", self.thread),
            Route("/cited", self.cited),
            Route("/cited.json", self.cited),
            Route("/missing", self.missing),
            Route("/missing.json", self.missing),
            Route("/d/{left}/beside/{right}", self.beside),
        ]

    def thread(self, request: Request) -> Response:
        """`/thread/79BERN4120`, with `.json` or `.graphml`; `?to=` another for the path between them."""
        match = _FORMATS.match(request.path_params["number"])
        assert match is not None
        view = self._room.view(request)
        form = match["form"]
        mrn = Mrn.parse(match["name"])
        start: Mrn | Document | None = mrn or view.document(match["name"])
        if start is None:
            raise HTTPException(404, f"No telegram has the number or digest {match['name']}")
        if (other := request.query_params.get("to", "").strip()) and mrn is not None:
            return self._path(view, mrn, other, form)
        depth = number_asked(request, "depth", 3, 1, MOST_STEPS)
        limit = number_asked(request, "limit", 60, 1, MOST_TELEGRAMS)
        found = thread(view, start, depth=depth, limit=limit)
        if form == "json":
            return JSONResponse(thread_to_json(found))
        if form == "graphml":
            return _graphml(thread_graphml(found.nodes, found.links))
        more = None
        if found.cut and (depth < MOST_STEPS or limit < MOST_TELEGRAMS):
            more = f"?depth={min(depth + 2, MOST_STEPS)}&limit={min(limit * 3, MOST_TELEGRAMS)}"
        return self._room.page(
            "thread.html",
            name=match["name"],
            title=found.start if len(found.start) < 40 else found.start[:16],
            lines=_lines(found),
            cut=found.cut,
            more=more,
            to="",
            said=None,
        )

    def _path(self, view: View, one: Mrn, text: str, form: str | None) -> Response:
        other = Mrn.parse(text)
        if other is None:
            raise HTTPException(400, f"{text} is no message reference number")
        found = path(view, one, other)
        if form == "json":
            return JSONResponse(thread_to_json(found))
        if form == "graphml":
            return _graphml(thread_graphml(found.nodes, found.links))
        steps = len(found.links)
        said = f"{steps} {'step' if steps == 1 else 'steps'} from {one.short} to {other.short}"
        if not found.nodes:
            said = f"No references lead from {one.short} to {other.short}"
            if not found.whole:
                said += f" among the {found.visited:,} telegrams looked at"
        whole = Thread(one.short, found.nodes, found.links, ())
        return self._room.page(
            "thread.html",
            name=one.short,
            title=one.short,
            lines=_lines(whole),
            cut=(),
            more=None,
            to=other.short,
            said=f"{said}.",
        )

    def cited(self, request: Request) -> Response:
        """`/cited?post=&year=&q=`: the telegrams that most others cite."""
        post, year = post_asked(request), year_asked(request)
        query = request.query_params.get("q", "").strip()
        try:
            found = most_cited(
                self._room.view(request), post=post, year=year, query=query, limit=MOST_CITED
            )
        except QueryError as error:
            raise HTTPException(400, f"{query}: {error.message}") from error
        if request.url.path.endswith(".json"):
            return JSONResponse(most_cited_to_json(found))
        return self._room.page(
            "cited.html",
            query=query,
            found=found,
            most=max((each.citing for each in found), default=1),
            post=post or "",
            year=year or "",
            day=day,
        )

    def missing(self, request: Request) -> Response:
        """`/missing`: completeness by post and year; `?post=TEHRAN&year=1979`: the gaps."""
        view = self._room.view(request)
        post, year = post_asked(request), year_asked(request)
        as_json = request.url.path.endswith(".json")
        if post is not None and year is not None:
            found = missing(view, post, year)
            if as_json:
                return JSONResponse(missing_to_json(found))
            return self._room.page(
                "gaps.html",
                title=tables.post_title(post),
                post=post,
                year=year,
                complete=found.completeness,
                rows=missing_rows(found),
                lost=[(Mrn.of(year, post, number).short, why) for number, why in found.lost],
                continuity=[
                    (_station(each.addressee), each, iso(each.after), iso(each.before))
                    for each in found.continuity
                ],
                day=day,
                station=_station,
            )
        rows = view.gaps.completeness(post, year)
        if as_json:
            return JSONResponse([completeness_to_json(each) for each in rows])
        posts: dict[str, list[Any]] = {}
        for each in rows:
            posts.setdefault(each.post, []).append(each)
        named = sorted((tables.post_title(name), years) for name, years in posts.items())
        return self._room.page("missing.html", posts=named, post=post or "", year=year or "")

    def ghost(self, view: View, mrn: Mrn, form: str | None) -> Response:
        """The page of a telegram that is not held: all that is known of it."""
        found = ghost(view, mrn)
        if form is not None:
            error = {"error": f"{mrn.short} is not held", "status": 404}
            return JSONResponse({**error, **ghost_to_json(found)}, 404)
        return self._room.page("ghost.html", 404, ghost=found, day=day)

    def beside(self, request: Request) -> Response:
        """`/d/DIGEST/beside/DIGEST`: two documents side by side."""
        view = self._room.view(request)
        documents = []
        for side in ("left", "right"):
            document = view.document(request.path_params[side])
            if document is None:
                raise HTTPException(404, f"No document has the digest {request.path_params[side]}")
            documents.append(document)
        left, right = documents
        return self._room.page(
            "beside.html",
            left=left,
            right=right,
            found=beside(left.telegram, right.telegram),
            names=[_origin(each) for each in documents],
        )


def _graphml(text: str) -> Response:
    return Response(text, media_type="application/graphml+xml")


def _origin(document: Document) -> str:
    name = document.origin.rpartition("/")[2]
    number = document.telegram.mrn.short if document.telegram.mrn else document.digest[:12]
    return f"{number} · {name}"


def post_asked(request: Request) -> str | None:
    """Raises `HTTPException` for a post without a letter."""
    text = request.query_params.get("post", "").strip()
    if not text:
        return None
    post = tables.canonical_post(text) or "".join(c for c in text.upper() if "A" <= c <= "Z")
    if not post:
        raise HTTPException(400, f"post is the name of a post, such as LAPAZ, not {text}")
    return post


def year_asked(request: Request) -> int | None:
    """Raises `HTTPException` for what is no year."""
    text = request.query_params.get("year", "").strip()
    if text and not re.fullmatch("[0-9]{4}", text):
        raise HTTPException(400, f"year is four figures, such as 1979, not {text}")
    return int(text) if text else None


def _station(name: str) -> str:
    return tables.post_title(name) if name.isalpha() else name


class _Line(msgspec.Struct, frozen=True):
    """A telegram of a thread as its page shows it."""

    node: Node
    url: str
    when: str
    parties: str
    level: str
    start: bool
    links: tuple[tuple[Any, str], ...]


def _lines(found: Thread) -> list[_Line]:
    nodes = {node.key: node for node in found.nodes}
    return [
        _Line(
            node,
            _url(node),
            f"{day(node.after)} to {day(node.before)}"
            if node.after
            else day(node.sent) or "no date",
            _parties(node),
            LEVEL_CLASSES.get(node.classification or "", "none"),
            node.key == found.start,
            tuple(
                (link, nodes[link.target].mrn or link.target[:12])
                for link in found.links
                if link.source == node.key
            ),
        )
        for node in found.nodes
    ]


def _url(node: Node) -> str:
    return f"/t/{node.mrn}" if node.mrn else f"/d/{(node.digest or '')[:16]}"


def _parties(node: Node) -> str:
    sender = tables.addressee_name(node.originator) if node.originator else ""
    to = tables.addressee_name(node.to[0]) if node.to else ""
    more = f" and {len(node.to) - 1} more" if len(node.to) > 1 else ""
    return f"{sender} to {to}{more}" if sender and to else sender
