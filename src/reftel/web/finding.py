"""Pages beside the search: saved searches and what is new in them; citations for programs that collect
them (unAPI 1.0, which Zotero asks first)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reftel.archive import QueryError
from reftel.archive.saved import NoSavedSearchError, SavedNameError
from reftel.web.forms import MOST, form_of, number_asked
from reftel.web.pages import PAGE_SIZE, page_links, result_line, search_url
from reftel.web.sending import CITATIONS, citation_of

if TYPE_CHECKING:
    from reftel.web.app import ReadingRoom

_UNAPI = ("ris", "bibtex")


class Finding:
    """The pages of saved searches, and the unAPI server."""

    def __init__(self, room: ReadingRoom) -> None:
        self._room = room

    def routes(self) -> list[Route]:
        return [
            Route("/saved", self.all),
            Route("/saved", self.save, methods=["POST"]),
            Route("/saved/{name}", self.one),
            Route("/saved/{name}", self.change, methods=["POST"]),
            Route("/unapi", self.unapi),
        ]

    def all(self, request: Request) -> Response:
        """`/saved`: the saved searches, each with how much is new in it."""
        looks = self._room.saved(request).looks()
        return self._room.page("saved.html", looks=looks, search_url=search_url)

    async def save(self, request: Request) -> Response:
        """Keep the search `q` under `name`; in place of another that has it only if `replace` is given."""
        self._room.same_origin(request)
        asked = await form_of(request)
        searches, name, query = self._room.saved(request), asked.get("name", ""), asked.get("q", "")
        try:
            kept = searches.find(name)
            if kept is not None and not asked.get("replace"):
                return self._room.page("taken.html", 409, kept=kept, q=query, search_url=search_url)
            searches.save(name, query)
        except (SavedNameError, QueryError) as error:
            raise HTTPException(400, str(error)) from error
        return RedirectResponse("/saved", 303)

    def one(self, request: Request) -> Response:
        """`/saved/dues`: what is new in one."""
        searches = self._room.saved(request)
        name = request.path_params["name"]
        number = number_asked(request, "page", 1, 1, MOST // PAGE_SIZE)
        try:
            look = searches.look(name)
        except SavedNameError as error:
            raise HTTPException(404, str(error)) from error
        except QueryError as error:
            reason = f"The search saved as {name} cannot be understood any more: {error}"
            raise HTTPException(400, reason) from error
        hits = searches.hits(look, (number - 1) * PAGE_SIZE, PAGE_SIZE)
        return self._room.page(
            "new.html",
            look=look,
            lines=[result_line(hit) for hit in hits],
            pages=page_links(len(look.new), number, lambda at: f"/saved/{quote(name)}?page={at}"),
            search_url=search_url,
        )

    async def change(self, request: Request) -> Response:
        """Mark what was shown as seen, or give the search up."""
        self._room.same_origin(request)
        searches, name = self._room.saved(request), request.path_params["name"]
        asked = (await form_of(request)).get("do")
        try:
            if asked == "forget":
                searches.forget(name)
            else:
                searches.mark(name)
        except NoSavedSearchError as error:
            raise HTTPException(404, str(error)) from error
        except SavedNameError as error:
            raise HTTPException(400, str(error)) from error
        return RedirectResponse("/saved", 303)

    def unapi(self, request: Request) -> Response:
        """`/unapi?id=<digest>&format=ris`: a citation; without a format, what formats there are."""
        digest, name = request.query_params.get("id"), request.query_params.get("format")
        document = self._room.view(request).document(digest) if digest else None
        if digest and document is None:
            raise HTTPException(404, f"No document has the digest {digest}")
        if document is None or name is None:
            formats = "".join(
                f'<format name="{each}" type={quoteattr(CITATIONS[each].media_type)} />'
                for each in _UNAPI
            )
            about = f" id={quoteattr(digest)}" if digest else ""
            body = f'<?xml version="1.0" encoding="UTF-8"?>\n<formats{about}>{formats}</formats>\n'
            return Response(body, 300 if digest else 200, media_type="application/xml")
        if name not in _UNAPI:
            raise HTTPException(406, f"format is one of {', '.join(_UNAPI)}")
        form = CITATIONS[name]
        return Response(form.make(citation_of(document, request)), media_type=form.media_type)
