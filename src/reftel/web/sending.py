"""Files that the reading room sends: all results of a search, and citations."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import IO, cast, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reftel.archive import Document, View
from reftel.archive.export import FORMS as EXPORTS
from reftel.archive.export import ExportError, export
from reftel.archive.model import TimeOrder
from reftel.write.citation import FORMS as CITATIONS
from reftel.write.citation import Cited, cited

__all__ = ["CITATIONS", "EXPORTS", "citation_of", "citation_response", "export_response"]

_CHUNK = 256 * 1024
_IN_MEMORY = 4 * 1024 * 1024


def export_response(view: View, request: Request) -> Response:
    """All results of `q`, as a file in the form `form`. Raises `QueryError`, `HTTPException`."""
    asked = request.query_params
    name, order = asked.get("form", "csv"), asked.get("order", "newest")
    form = EXPORTS.get(name)
    if form is None:
        raise HTTPException(400, f"form is one of {', '.join(EXPORTS)}, not {name}")
    if order not in get_args(TimeOrder):
        raise HTTPException(400, f"order is one of {', '.join(get_args(TimeOrder))}, not {order}")
    documents = view.every(asked.get("q", ""), cast("TimeOrder", order))
    pieces = form.pieces(documents) if form.pieces else _whole(documents, name)
    # What fails at the first piece fails before anything is sent.
    first = list(_first(pieces))
    headers = {"Content-Disposition": f'attachment; filename="telegrams{form.suffix}"'}
    return StreamingResponse(chain(first, pieces), headers=headers, media_type=form.media_type)


def _first(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        return


def _whole(documents: Iterator[Document], form: str) -> Iterator[bytes]:
    """A form that is written to a file at once, read from that file."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        try:
            export(documents, form, cast("IO[bytes]", file))
        except ExportError as error:
            raise HTTPException(501, str(error)) from error
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def citation_response(document: Document, request: Request) -> Response:
    """The citation of a document in the form `form`, to `paragraph`, with its address here. Raises
    `HTTPException`."""
    name = request.query_params.get("form", "note")
    form = CITATIONS.get(name)
    if form is None:
        raise HTTPException(400, f"form is one of {', '.join(CITATIONS)}, not {name}")
    citation = citation_of(document, request)
    text = form.make(citation)
    if text is None:
        raise HTTPException(404, "The National Archives hold telegrams of 1973-79 in this way.")
    headers = {"Content-Disposition": f'inline; filename="{citation.key}{form.suffix}"'}
    return Response(text.encode(), headers=headers, media_type=form.media_type)


def citation_of(document: Document, request: Request) -> Cited:
    """What there is to cite of a document, to `paragraph`, with its address here. Raises
    `HTTPException`."""
    try:
        return cited(
            document.telegram,
            digest=document.digest,
            paragraph=request.query_params.get("paragraph") or None,
            url=f"{request.base_url}d/{document.digest[:16]}",
        )
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
