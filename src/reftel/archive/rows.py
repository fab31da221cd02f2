"""What the store keeps of a document besides its text, and what is decided about one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from reftel.archive.relations import Cited, Continuity
from reftel.telegram import Mrn, Telegram


class Row(msgspec.Struct, frozen=True, gc=False):
    """A stored document without its text. `telegram` is the id of the first copy of the same telegram;
    `reading` says whether it is the best copy of it under its label; `sent` counts minutes since 1970,
    `filed` seconds; `opens` is a day as 20260131."""

    id: int
    digest: bytes
    telegram: int
    label: int
    reading: bool
    quality: int
    post: str | None
    year: int | None
    number: int | None
    section: int | None
    sent: int | None
    opens: int | None
    filed: int
    origin: str

    @property
    def mrn(self) -> Mrn | None:
        if self.post is None or self.year is None or self.number is None:
            return None
        return Mrn.of(self.year, self.post, self.number)

    @property
    def stand_in(self) -> Telegram:
        """What is known of the document where its text or record cannot be read: number and time."""
        sent = None if self.sent is None else datetime.fromtimestamp(60 * self.sent, UTC)
        return Telegram(source="", mrn=self.mrn, dtg=f"{sent:%Y-%m-%dT%H:%M:%SZ}" if sent else None)


class New(NamedTuple):
    """A document to be added, with its packed text and record."""

    row: Row
    dictionary: int
    source: bytes
    record: bytes
    cited: Iterable[Cited]
    continuity: Iterable[Continuity]
    lost: str | None


class Decided(msgspec.Struct, frozen=True):
    """A reviewer's decision: when (seconds since 1970), by whom, why; the label (`None`: as marked) and the
    day on which the document falls open."""

    at: int
    who: str
    why: str
    label: int | None
    opens: int | None
