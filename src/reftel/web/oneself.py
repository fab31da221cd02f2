"""A reader's own page, and the audit trail for those who may look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reftel.web.readers import Asking, Readers

if TYPE_CHECKING:
    from reftel.web.app import ReadingRoom

_MOST_ENTRIES = 500


class Oneself:
    """`/me` and `/audit`."""

    def __init__(self, room: ReadingRoom, readers: Readers) -> None:
        self._room = room
        self._readers = readers

    @property
    def routes(self) -> list[Route]:
        return [Route("/me", self.me), Route("/audit", self.audit)]

    def me(self, request: Request) -> Response:
        """`/me`: who one is here, and what one may read."""
        asking: Asking = request.state.asking
        return self._room.page(
            "me.html",
            reader=asking.reader,
            captions=sorted(asking.reader.captions),
            keep_days=self._readers.policy.access.audit.keep_days,
        )

    def audit(self, request: Request) -> Response:
        """`/audit`: the newest entries of the trail; for others than auditors there is no such page."""
        asking: Asking = request.state.asking
        if not asking.reader.auditor:
            raise HTTPException(404)
        who, words = (request.query_params.get(key, "").strip() for key in ("who", "words"))
        trail = self._readers.trail
        entries = list(trail.entries(who=who or None, words=words or None, last=_MOST_ENTRIES))
        return self._room.page(
            "audit.html",
            who=who,
            words=words,
            entries=list(reversed(entries)),
            most=_MOST_ENTRIES,
            head=trail.head(),
        )
