"""The operations of the API that follow references and numbers: threads, paths, the most cited, what is
missing. The pages' own `.json` addresses give the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from reftel import tables
from reftel.archive import Document
from reftel.archive.follow import (
    YearHeld,
    YearMissing,
    completeness_to_json,
    missing_to_json,
    most_cited_to_json,
    thread_to_json,
)
from reftel.archive.ghosts import missing
from reftel.archive.threads import DEPTH, LIMIT, MostCited, Path, Thread, most_cited, path, thread
from reftel.telegram import Mrn
from reftel.web.following import (
    MOST_CITED,
    MOST_STEPS,
    MOST_TELEGRAMS,
    post_asked,
    year_asked,
)
from reftel.web.forms import number_asked
from reftel.web.openapi import Operation, Parameter, number

if TYPE_CHECKING:
    from reftel.web.app import ReadingRoom


class ApiFollowing:
    """The operations, of what the reader behind each request sees."""

    def __init__(self, room: ReadingRoom) -> None:
        self._room = room

    def operations(self) -> tuple[Operation, ...]:
        start = Parameter("number", "path", {"type": "string"}, "For example 79BERN4120.")
        post = Parameter("post", "query", {"type": "string"}, "A post, in any spelling.")
        year = Parameter("year", "query", {"type": "string", "pattern": "^[0-9]{4}$"}, "A year.")
        return (
            Operation(
                "GET",
                "/api/threads/{number}",
                "thread",
                "What a telegram answers and what answers it, in order of time.",
                self.thread,
                (
                    Parameter("number", "path", {"type": "string"}, "A number, or a digest."),
                    number("depth", DEPTH, 1, MOST_STEPS, "How many steps from it."),
                    number("limit", LIMIT, 1, MOST_TELEGRAMS, "How many telegrams at most."),
                ),
                gives=Thread,
                wrong={
                    400: "The depth or the limit is none.",
                    404: "It is no number, and no document has the digest.",
                },
            ),
            Operation(
                "GET",
                "/api/threads/{number}/to/{other}",
                "path",
                "The shortest path of references from one telegram to another.",
                self.path,
                (start, Parameter("other", "path", {"type": "string"}, "Another number.")),
                gives=Path,
                wrong={404: "One of them is no message reference number."},
            ),
            Operation(
                "GET",
                "/api/cited",
                "cited",
                "The telegrams that most others cite, of all, of a post or year, or that a query finds.",
                self.cited,
                (
                    post,
                    year,
                    Parameter("q", "query", {"type": "string", "default": ""}, "A query."),
                    number("limit", 20, 1, MOST_CITED, "How many."),
                ),
                gives=list[MostCited],
                wrong={
                    400: "The query cannot be understood (position says where), or the post, the year"
                    " or the limit is none."
                },
            ),
            Operation(
                "GET",
                "/api/missing",
                "completeness",
                "How much is held of each post and year.",
                self.completeness,
                (post, year),
                gives=list[YearHeld],
                wrong={400: "The post or the year is none."},
            ),
            Operation(
                "GET",
                "/api/missing/{post}/{year}",
                "missing",
                "What is not held of a post and year.",
                self.missing,
                (
                    Parameter("post", "path", {"type": "string"}, "A post, in any spelling."),
                    Parameter("year", "path", {"type": "string"}, "For example 1979."),
                ),
                gives=YearMissing,
                wrong={404: "The year is none."},
            ),
        )

    def thread(self, request: Request, _: object) -> Response:
        view = self._room.view(request)
        name = request.path_params["number"]
        start: Mrn | Document | None = Mrn.parse(name) or view.document(name)
        if start is None:
            raise HTTPException(404, f"no telegram has the number or digest {name}")
        depth = number_asked(request, "depth", DEPTH, 1, MOST_STEPS)
        limit = number_asked(request, "limit", LIMIT, 1, MOST_TELEGRAMS)
        return _json(thread_to_json(thread(view, start, depth=depth, limit=limit)))

    def path(self, request: Request, _: object) -> Response:
        ends = [Mrn.parse(request.path_params[name]) for name in ("number", "other")]
        one, other = ends
        if one is None or other is None:
            raise HTTPException(404, "a path leads from one message reference number to another")
        return _json(thread_to_json(path(self._room.view(request), one, other)))

    def cited(self, request: Request, _: object) -> Response:
        found = most_cited(
            self._room.view(request),
            post=post_asked(request),
            year=year_asked(request),
            query=request.query_params.get("q", "").strip(),
            limit=number_asked(request, "limit", 20, 1, MOST_CITED),
        )
        return _json(most_cited_to_json(found))

    def completeness(self, request: Request, _: object) -> Response:
        gaps = self._room.view(request).gaps
        found = gaps.completeness(post_asked(request), year_asked(request))
        return _json([completeness_to_json(each) for each in found])

    def missing(self, request: Request, _: object) -> Response:
        name, year = request.path_params["post"], request.path_params["year"]
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            raise HTTPException(404, f"{year} is no year")
        post = tables.canonical_post(name) or "".join(c for c in name.upper() if "A" <= c <= "Z")
        return _json(missing_to_json(missing(self._room.view(request), post, int(year))))


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
