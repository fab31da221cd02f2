"""The archive over HTTP, for programs: JSON under `/api/`, described by OpenAPI 3.1 at `/openapi.json`.

One table says what each operation is; the routes, the description and its page are made from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from reftel.archive import Document, Order, QueryError
from reftel.archive.batch import BatchRow, search_all
from reftel.archive.model import TimeOrder
from reftel.archive.results import Found, Result, found, result
from reftel.archive.saved import Look, NoSavedSearchError, SavedNameError
from reftel.telegram import Mrn, to_builtins
from reftel.web.api_following import ApiFollowing
from reftel.web.forms import MOST, number_asked, order_asked
from reftel.web.openapi import (
    BatchRequest,
    HeldDocument,
    Mistake,
    New,
    Operation,
    Parameter,
    SavedState,
    SaveRequest,
    description,
    number,
)
from reftel.web.sending import CITATIONS, EXPORTS, citation_response, export_response

if TYPE_CHECKING:
    from reftel.web.app import ReadingRoom

PAGE_LIMIT = 1000


class Api:
    """The operations of the API on one archive."""

    def __init__(self, room: ReadingRoom) -> None:
        self._room = room
        self._operations = (*_operations(self), *ApiFollowing(room).operations())
        self._description = description(self._operations)

    def routes(self) -> list[Route]:
        return [
            *(
                Route(each.path, self._guarded(each), methods=[each.method])
                for each in self._operations
            ),
            Route("/openapi.json", self._openapi),
            Route("/api", self._page),
        ]

    def _guarded(self, operation: Operation) -> Any:
        """The operation, with every mistake of the caller's as a JSON answer."""

        async def answer(request: Request) -> Response:
            try:
                if operation.method != "GET":
                    self._room.same_origin(request)
                body = await _body(request, operation.takes) if operation.takes else None
                made: Response = await run_in_threadpool(operation.answer, request, body)
                return made
            except QueryError as error:
                return _mistake(400, error.message, error.position)
            except NoSavedSearchError as error:
                return _mistake(404, str(error))
            except SavedNameError as error:
                return _mistake(400, str(error))

        return answer

    def _openapi(self, request: Request) -> Response:
        servers = [{"url": str(request.base_url).rstrip("/")}]
        return JSONResponse({**self._description, "servers": servers})

    def _page(self, request: Request) -> Response:
        del request
        return self._room.page("api.html", operations=self._operations)

    # Operations

    def search(self, request: Request, _: object) -> Response:
        view = self._room.view(request)
        results = view.search(
            request.query_params.get("q", ""),
            order=order_asked(request),
            limit=number_asked(request, "limit", 20, 0, PAGE_LIMIT),
            offset=number_asked(request, "offset", 0, 0),
        )
        return _json(found(results))

    def batch(self, request: Request, asked: BatchRequest) -> Response:
        view = self._room.view(request)
        rows = search_all(view, enumerate(asked.queries, 1), asked.order, asked.limit)
        lines = (msgspec.json.encode(row) + b"\n" for row in rows)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    def export(self, request: Request, _: object) -> Response:
        return export_response(self._room.view(request), request)

    def telegrams(self, request: Request, _: object) -> Response:
        number = request.path_params["number"]
        mrn = Mrn.parse(number)
        if mrn is None:
            raise HTTPException(404, f"{number} is no message reference number")
        documents = self._room.view(request).cited_as(mrn)
        if not documents:
            raise HTTPException(404, f"{mrn.short} is not held")
        return _json([_held(each) for each in documents])

    def document(self, request: Request, _: object) -> Response:
        return _json(_held(self._document(request)))

    def like(self, request: Request, _: object) -> Response:
        limit = number_asked(request, "limit", 10, 1, 100)
        digest = self._document(request).digest
        return _json([result(hit) for hit in self._room.view(request).like(digest, limit)])

    def citation(self, request: Request, _: object) -> Response:
        return citation_response(self._document(request), request)

    def _document(self, request: Request) -> Document:
        digest = request.path_params["digest"]
        document = self._room.view(request).document(digest)
        if document is None:
            raise HTTPException(404, f"No document has the digest {digest}")
        return document

    def saved(self, request: Request, _: object) -> Response:
        return _json([_state(look) for look in self._room.saved(request).looks()])

    def save(self, request: Request, asked: SaveRequest) -> Response:
        searches = self._room.saved(request)
        searches.save(request.path_params["name"], asked.query)
        return _json(_state(searches.look(request.path_params["name"])))

    def new(self, request: Request, _: object) -> Response:
        searches = self._room.saved(request)
        look = searches.look(request.path_params["name"])
        offset = number_asked(request, "offset", 0, 0)
        hits = searches.hits(look, offset, number_asked(request, "limit", 20, 0, PAGE_LIMIT))
        return _json(New(_state(look), offset, tuple(result(hit) for hit in hits)))

    def seen(self, request: Request, _: object) -> Response:
        searches = self._room.saved(request)
        name = request.path_params["name"]
        searches.mark(name)
        return _json(_state(searches.look(name)))

    def forget(self, request: Request, _: object) -> Response:
        self._room.saved(request).forget(request.path_params["name"])
        return Response(status_code=204)


def _state(look: Look) -> SavedState:
    search = look.search
    return SavedState(
        search.name,
        search.query,
        search.saved,
        search.looked,
        look.total,
        len(look.new),
        look.mistake,
    )


def _held(document: Document) -> HeldDocument:
    return HeldDocument(
        digest=document.digest,
        origin=document.origin,
        filed=document.filed,
        variant_of=document.variant_of,
        record=to_builtins(
            document.telegram, source=document.origin, text=document.damaged is None
        ),
        damaged=document.damaged,
    )


async def _body(request: Request, kind: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        asked: msgspec.Struct = msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"the body is not what is wanted: {error}") from error
    return asked


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _mistake(status: int, error: str, position: int | None = None) -> Response:
    return JSONResponse(msgspec.to_builtins(Mistake(error, status, position)), status)


def _operations(api: Api) -> tuple[Operation, ...]:
    q = Parameter("q", "query", {"type": "string", "default": ""}, "A query (docs/search.md).")
    digest = Parameter(
        "digest", "path", {"type": "string"}, "The digest of a document, or how it begins."
    )
    name = Parameter(
        "name",
        "path",
        {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,79}$"},
        "The name of a saved search.",
    )
    order = Parameter("order", "query", {"enum": list(get_args(Order))}, "Best first, or by date.")
    time_order = Parameter("order", "query", {"enum": list(get_args(TimeOrder))}, "By date.")
    offset = number("offset", 0, 0, MOST, "How many to pass over.")
    return (
        Operation(
            "GET",
            "/api/search",
            "search",
            "Search, a page at a time, with counts over all results.",
            api.search,
            (q, order, number("limit", 20, 0, PAGE_LIMIT, "How many results."), offset),
            gives=Found,
            wrong={
                400: "The query cannot be understood (position says where), or a number or the order."
            },
        ),
        Operation(
            "POST",
            "/api/search/batch",
            "batch",
            "Search for many queries at once: a line of JSON for each result of each.",
            api.batch,
            takes=BatchRequest,
            gives=BatchRow,
            media_type="application/x-ndjson",
            wrong={400: "The body is not what is wanted."},
        ),
        Operation(
            "GET",
            "/api/export",
            "export",
            "All results of a search, however many, as one file.",
            api.export,
            (
                q,
                Parameter("form", "query", {"enum": list(EXPORTS)}, "The form [csv]."),
                time_order,
            ),
            media_types=tuple(form.media_type for form in EXPORTS.values()),
            wrong={
                400: "The query cannot be understood, or there is no such form.",
                501: "The form needs what is not installed on the server.",
            },
        ),
        Operation(
            "GET",
            "/api/telegrams/{number}",
            "telegrams",
            "The documents with a message reference number, in any spelling, the best copies first.",
            api.telegrams,
            (Parameter("number", "path", {"type": "string"}, "For example 79BERN4120."),),
            gives=list[HeldDocument],
            wrong={404: "None is held."},
        ),
        Operation(
            "GET",
            "/api/documents/{digest}",
            "document",
            "One document: its record and its exact text.",
            api.document,
            (digest,),
            gives=HeldDocument,
            wrong={404: "None is held, or several begin so."},
        ),
        Operation(
            "GET",
            "/api/documents/{digest}/like",
            "like",
            "The telegrams most like a document, the most alike first.",
            api.like,
            (digest, number("limit", 10, 1, 100, "How many.")),
            gives=list[Result],
            wrong={400: "The limit is none.", 404: "None is held, or several begin so."},
        ),
        Operation(
            "GET",
            "/api/documents/{digest}/citation",
            "citation",
            "How to cite a document, or a paragraph of it.",
            api.citation,
            (
                digest,
                Parameter("form", "query", {"enum": list(CITATIONS)}, "The form [note]."),
                Parameter("paragraph", "query", {"type": "string"}, "Its number; several: 2-4."),
            ),
            media_types=tuple(dict.fromkeys(form.media_type for form in CITATIONS.values())),
            wrong={
                400: "There is no such form or paragraph.",
                404: "None is held, or it is not cited in this form.",
            },
        ),
        Operation(
            "GET",
            "/api/saved",
            "saved",
            "The reader's saved searches, each with how many of its results are new.",
            api.saved,
            gives=list[SavedState],
        ),
        Operation(
            "PUT",
            "/api/saved/{name}",
            "save",
            "Save a search; all that it finds now counts as seen.",
            api.save,
            (name,),
            takes=SaveRequest,
            gives=SavedState,
            wrong={400: "The name, the body or the query is none."},
        ),
        Operation(
            "GET",
            "/api/saved/{name}",
            "new",
            "What is new in a saved search. It stays new until it is marked as seen.",
            api.new,
            (name, number("limit", 20, 0, PAGE_LIMIT, "How many results."), offset),
            gives=New,
            wrong={400: "The name or a number is none.", 404: "No search is saved so."},
        ),
        Operation(
            "POST",
            "/api/saved/{name}/seen",
            "seen",
            "What the last look showed counts as seen from now on.",
            api.seen,
            (name,),
            gives=SavedState,
            wrong={400: "The name is none.", 404: "No search is saved so."},
        ),
        Operation(
            "DELETE",
            "/api/saved/{name}",
            "forget",
            "Give a saved search up.",
            api.forget,
            (name,),
            status=204,
            wrong={400: "The name is none.", 404: "No search is saved so."},
        ),
    )
