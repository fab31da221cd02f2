"""What the search index holds of a telegram."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from reftel import tables
from reftel.archive.words import pairs_in
from reftel.telegram import Telegram


class Entry(
    msgspec.Struct,
    frozen=True,
    gc=False,
    omit_defaults=True,
    rename={"sender": "from", "classification": "class"},
):
    """A telegram's line in the index: words to find it by, values to count and sort by, each under the
    name of its field there. No phrase reaches from one of a field's values into the next.

    `newest` and `oldest` are keys of time, the lower the earlier, for the two orders: the minute, counted
    from 1 January of the year 1, and a part of the digest, so that no two telegrams share one and that
    the order of those of one minute is the same everywhere. What has no date-time group that can be read
    is the last in both. `day` is as 20260131, or 0.

    The `TAGS_COLUMNS` are what TAGS are counted in: the first ones that a table lists have one each,
    further ones and those that no table lists are apart. Empty columns of one value are written too.
    """

    newest: int
    oldest: int
    day: int
    year: str
    post: str
    classification: str
    tags_1: str
    tags_2: str
    tags_3: str
    tags_4: str
    tags_5: str
    tags_6: str
    text: str
    pairs: str = ""
    tags_further: tuple[str, ...] = ()
    tags_unlisted: tuple[str, ...] = ()
    subject: str = ""
    mrn: str = ""
    sender: str = ""
    action: tuple[str, ...] = ()
    info: tuple[str, ...] = ()
    drafted: str = ""
    approved: str = ""
    cleared: tuple[str, ...] = ()
    signed: str = ""
    tags: tuple[str, ...] = ()
    caption: tuple[str, ...] = ()
    office: tuple[str, ...] = ()
    exemption: tuple[str, ...] = ()
    precedence: str = ""
    cites: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    form: str = ""


# `ARA-20` is an office and how many copies it gets (telegram-content.md 3.3).
_COPIES = re.compile(r"-[0-9]+\Z")


@lru_cache(10_000)
def _office(symbol: str) -> str:
    return _COPIES.sub("", symbol).upper()


_EPOCH_MINUTES = -timegm((1, 1, 1, 0, 0, 0)) // 60
_TIE_BITS = 31
_UNDATED_LAST = (1 << 63) - 1
TAGS_COLUMNS = tuple(f"tags_{place}" for place in range(1, 7))
"""What the first TAGS that a table lists are counted in."""


def entry_of(telegram: Telegram, digest: bytes) -> Entry:
    """The entry of a telegram with a digest."""
    t = telegram
    text = index_text(t)
    sent = minutes_of(t.dtg)
    key = key_of(sent, digest)
    offices = t.distribution
    symbols = (*offices.action, *offices.origin, *offices.info) if offices else ()
    withheld = t.release.exemptions if t.release else ()
    exemptions = (*withheld, *(t.executive_order.exemptions if t.executive_order else ()))
    codes = [tag.code for tag in t.tags]
    listed = [code for code in dict.fromkeys(codes) if tables.tag(code, None)]
    columns = (*listed, *[""] * len(TAGS_COLUMNS))
    cited = {*[each.mrn for each in t.references], *[each.mrn for each in t.citations]}
    return Entry(
        newest=key,
        oldest=_UNDATED_LAST - key if sent is None else key,
        day=int(t.dtg[:10].replace("-", "")) if t.dtg else 0,
        year=t.dtg[:4] if t.dtg else str(t.mrn.year) if t.mrn else "",
        post=t.mrn.post if t.mrn else "",
        classification=t.classification or "",
        tags_1=columns[0],
        tags_2=columns[1],
        tags_3=columns[2],
        tags_4=columns[3],
        tags_5=columns[4],
        tags_6=columns[5],
        text=text,
        pairs=pairs_in(text),
        tags_further=tuple(listed[len(TAGS_COLUMNS) :]),
        tags_unlisted=tuple([code for code in dict.fromkeys(codes) if code not in listed]),
        subject=t.subject or "",
        mrn=t.mrn.short if t.mrn else "",
        sender=t.originator.name if t.originator else "",
        action=tuple([each.name for each in t.action]),
        info=tuple([each.name for each in t.info]),
        drafted=t.drafted_by or "",
        approved=t.approved_by or "",
        cleared=t.clearances,
        signed=t.signature or "",
        tags=tuple(codes),
        caption=t.captions,
        office=tuple({*map(_office, symbols)}),
        exemption=tuple({exemption.upper() for exemption in exemptions}),
        precedence=t.precedence or "",
        cites=tuple([mrn for mrn in cited if mrn]),
        has=_has(t),
        form=t.dialect,
    )


def _has(t: Telegram) -> tuple[str, ...]:
    held = {
        "attributes": t.attributes,
        "citation": None in [each.reference for each in t.citations],
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
        "withheld": t.release and t.release.exemptions,
    }
    return tuple([name for name, value in held.items() if value])


def key_of(sent: int | None, digest: bytes) -> int:
    """What orders documents by time, and those of a minute by their digests."""
    tie = int.from_bytes(digest[:4], "big") >> 1
    return tie if sent is None else (sent + _EPOCH_MINUTES) << _TIE_BITS | tie


_encoder = msgspec.json.Encoder()


def line_of(telegram: Telegram, digest: bytes) -> str:
    """The entry in JSON, as the index takes it."""
    return _encoder.encode(entry_of(telegram, digest)).decode()


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
