"""What the search index holds of a telegram."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from reftel.telegram import Telegram


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A telegram's line in the index: words to find it by, values to count and sort by.

    `fields` are further fields of the index, those that the telegram has; no phrase reaches from one of a
    field's values into the next.

    `minute` counts minutes from 1 January of the year 1, 0 where the date-time group cannot be read;
    `tie` is a part of the digest, so that the order of telegrams of one minute is the same everywhere.
    """

    minute: int
    tie: int
    day: int
    subject: str
    text: str
    year: str
    post: str
    mrn: str
    classification: str
    fields: dict[str, tuple[str, ...]]


# `ARA-20` is an office and how many copies it gets (telegram-content.md 3.3).
_COPIES = re.compile(r"-[0-9]+\Z")

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
        year=t.dtg[:4] if t.dtg else str(t.mrn.year) if t.mrn else "",
        post=t.mrn.post if t.mrn else "",
        mrn=t.mrn.short if t.mrn else "",
        classification=t.classification or "",
        fields={name: values for name, values in (*_words(t), *_codes(t)) if values},
    )


def _words(t: Telegram) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "from", (t.originator.name,) if t.originator else ()
    yield "action", tuple(each.name for each in t.action)
    yield "info", tuple(each.name for each in t.info)
    yield "drafted", (t.drafted_by,) if t.drafted_by else ()
    yield "approved", (t.approved_by,) if t.approved_by else ()
    yield "cleared", t.clearances
    yield "signed", (t.signature,) if t.signature else ()


def _codes(t: Telegram) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "tags", tuple(tag.code for tag in t.tags)
    yield "caption", t.captions
    if t.distribution is not None:
        listed = t.distribution
        symbols = (*listed.action, *listed.origin, *listed.info)
        yield "office", tuple({_COPIES.sub("", symbol).upper() for symbol in symbols})
    withheld = t.release.exemptions if t.release else ()
    exemptions = (*withheld, *(t.executive_order.exemptions if t.executive_order else ()))
    yield "exemption", tuple({exemption.upper() for exemption in exemptions})
    yield "precedence", (t.precedence,) if t.precedence else ()
    cited = {*(each.mrn for each in t.references), *(each.mrn for each in t.citations)}
    yield "cites", tuple(mrn for mrn in cited if mrn)
    yield "form", (t.dialect,)
    held = {
        "attributes": t.attributes,
        "citation": any(each.reference is None for each in t.citations),
        "date": t.dtg,
        "distribution": t.distribution,
        "doubt": any(each.severity != "info" for each in t.diagnostics),
        "number": t.mrn,
        "reference": t.references,
        "repair": t.repairs,
        "section": t.section,
        "signature": t.signature,
        "subject": t.subject,
        "summary": t.summary,
        "withheld": withheld,
    }
    yield "has", tuple(name for name, value in held.items() if value)


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
