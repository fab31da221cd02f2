"""What an archive knows, as the drafting rules ask for it (`reftel.check.Held`)."""

from __future__ import annotations

from reftel.archive.view import View
from reftel.telegram import Mrn, Telegram


class ArchiveHeld:
    """An archive, as a reader sees it, as a witness: which numbers it holds, and the last one of a post."""

    def __init__(self, view: View) -> None:
        self._view = view

    def telegram(self, mrn: str) -> Telegram | None:
        parsed = Mrn.parse(mrn)
        found = self._view.cited_as(parsed, damaged=True) if parsed else ()
        return found[0].telegram if found else None

    def last_number(self, post: str, year: int) -> int | None:
        return self._view.last_number(post, year)
