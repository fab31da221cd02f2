"""What the search index holds of a telegram."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, datetime

import msgspec

from reftel.telegram import Telegram


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A telegram's line in the index: words to find it by, values to count and sort by.

    `minute` counts minutes from 1 January of the year 1, 0 where the date-time group cannot be read;
    `tie` is a part of the digest, so that the order of telegrams of one minute is the same everywhere.
    """

    minute: int
    tie: int
    day: int
    subject: str
    text: str
    sender: str
    to: str
    year: str
    post: str
    mrn: str
    tags: tuple[str, ...]
    classification: str
    captions: tuple[str, ...]


_EPOCH_MINUTES = -timegm((1, 1, 1, 0, 0, 0)) // 60


def entry_of(telegram: Telegram, digest: bytes) -> Entry:
    """The entry of a telegram with a digest."""
    t = telegram
    sent = minutes_of(t.dtg)
    return Entry(
        minute=0 if sent is None else sent + _EPOCH_MINUTES,
        tie=int.from_bytes(digest[:4], "big") >> 1,
        day=int(t.dtg[:10].replace("-", "")) if t.dtg else 0,
        subject=t.subject or "",
        text=index_text(t),
        sender=t.originator.name if t.originator else "",
        to=" | ".join(each.name for each in (*t.action, *t.info)),
        year=t.dtg[:4] if t.dtg else str(t.mrn.year) if t.mrn else "",
        post=t.mrn.post if t.mrn else "",
        mrn=t.mrn.short if t.mrn else "",
        tags=tuple(tag.code for tag in t.tags),
        classification=t.classification or "",
        captions=t.captions,
    )


def minutes_of(dtg: str | None) -> int | None:
    """Minutes from 1970 to a date-time group in ISO 8601."""
    if dtg is None:
        return None
    time = datetime.fromisoformat(dtg)
    return timegm((time if time.tzinfo is None else time.astimezone(UTC)).timetuple()) // 60


def index_text(telegram: Telegram) -> str:
    """The words of a telegram that a search looks at, besides its subject: what a snippet shows."""
    parts = [telegram.text, *telegram.passing, telegram.signature or ""]
    parts += [reference.text for reference in telegram.references]
    return "\n".join(part for part in parts if part)
