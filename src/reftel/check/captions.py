"""Captions: R58 to R68."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from reftel import tables
from reftel.check.finding import MODERN, STATE, Case, Found, rule

_RESTRICTIVE = ("NODIS", "EXDIS", "LIMDIS", "STADIS")
_INFO_LIMIT = 5
_DEPARTMENT = re.compile(
    r"SECSTATE|DEPT OF STATE|STATE\b|AM(?:EMBASSY|CONSUL)|US(?:MISSION|INT|OFFICE|LO|NATO|EU|OSCE|DEL)"
    r"|EMBASSY|CONSUL|MISSION|.*\bCOLLECTIVE|.*\bPOSTS\b|AMEMB|AIT |USUN"
)
_OWN_LINE = re.compile(r"(?:\bFOR\b.*\S|\S.*)\bONLY\b")


def _has(case: Case, *words: str) -> list[str]:
    return [each for each in case.telegram.captions if each in words]


def _channels(case: Case) -> list[str]:
    return [each for each in case.telegram.captions if each.endswith("CHANNEL")]


@rule("R58", "caption-known", "error", "5 FAH-2 H-443", STATE)
def caption_known(case: Case) -> Iterator[Found]:
    """Captions are known words for the era; unknown ones are refused, with the nearest name."""
    known = {word for entry in tables.captions() for word in re.split(r" ?[,/] ", entry.code)}
    for caption in case.telegram.captions:
        named = caption.startswith(("REL TO", "FOR ", "CODEL", "STAFFDEL"))
        if caption in known or named or caption.endswith(" ONLY"):
            continue
        near = get_close_matches(caption, known, n=1, cutoff=0.7)
        yield Found(
            f"{caption} is no caption",
            caption,
            near[0] if near else "a caption of the tables",
            f"write {near[0]}" if near else "look it up: reftel tables captions",
            case.place(caption, "caption"),
        )
    for repair in case.telegram.repairs:
        if repair.why == "caption misspelt":
            yield Found(
                f"{repair.was} is no caption",
                repair.was,
                repair.now,
                f"write {repair.now}",
                repair.span,
            )


@rule("R59", "caption-order", "error", "5 FAH-2 H-442, H-252.1-1", STATE)
def caption_order(case: Case) -> Iterator[Found]:
    """Captions stand on separate lines, most restrictive first; a channel caption is first.

    SIPDIS and SENSITIVE are met in either order on telegrams that were accepted, so only those that
    restrict distribution are put in order.
    """
    captions = case.telegram.captions
    channels = _channels(case)
    if channels and captions[0] not in channels:
        yield Found(
            f"{channels[0]} stands behind {captions[0]}",
            ", ".join(captions),
            f"{channels[0]} first",
            "put the channel first",
            case.place(channels[0], "caption"),
        )
    places = [_RESTRICTIVE.index(each) for each in captions if each in _RESTRICTIVE]
    if places != sorted(places):
        wanted = sorted((c for c in captions if c in _RESTRICTIVE), key=_RESTRICTIVE.index)
        yield Found(
            "the captions are out of order",
            ", ".join(c for c in captions if c in _RESTRICTIVE),
            ", ".join(wanted),
            "put the most restrictive first",
            case.span("caption"),
            None if case.draft else "warning",
        )


@rule("R60", "channel-alone", "error", "5 FAH-2 H-442", STATE)
def channel_alone(case: Case) -> Iterator[Found]:
    """At most one channel caption; AGREMENT CHANNEL and DIRGEN CHANNEL stand alone."""
    channels = _channels(case)
    alone = [each for each in channels if each in ("AGREMENT CHANNEL", "DIRGEN CHANNEL")]
    if len(channels) > 1 or (alone and len(case.telegram.captions) > 1):
        first = alone[0] if alone else channels[0]
        yield Found(
            f"{first} stands with another caption",
            ", ".join(case.telegram.captions),
            f"{first} alone",
            "leave out the others",
            case.place(first, "caption"),
        )


@rule("R61", "agrement", "error", "5 FAH-2 H-442.1", STATE)
def agrement(case: Case) -> Iterator[Found]:
    """AGREMENT CHANNEL messages are classified or SBU, and SECSTATE is an addressee."""
    t = case.telegram
    if "AGREMENT CHANNEL" not in t.captions:
        return
    if t.classification == "UNCLASSIFIED" and "SENSITIVE" not in t.captions:
        yield Found(
            "AGREMENT CHANNEL on an unclassified telegram",
            "UNCLASSIFIED",
            "classified or SBU",
            "classify it",
            case.span("classification-line", "caption"),
        )
    names = [each.name for each in case.addressees]
    if names and not any(name.startswith("SECSTATE") for name in names):
        sender = t.originator.name if t.originator else ""
        if not sender.startswith("SECSTATE"):
            yield Found(
                "AGREMENT CHANNEL without SECSTATE",
                ", ".join(names),
                "SECSTATE WASHDC",
                "address SECSTATE WASHDC",
                case.span("action-addressee"),
            )


@rule("R62", "captions-exclude", "error", "own knowledge", STATE)
def captions_exclude(case: Case) -> Iterator[Found]:
    """NODIS and EXDIS exclude each other, and exclude LIMDIS and SIPDIS."""
    strict = _has(case, "NODIS", "EXDIS")
    other = _has(case, "LIMDIS", "SIPDIS")
    if len(strict) > 1 or (strict and other):
        pair = (*strict, *other)[:2]
        yield Found(
            f"{pair[0]} excludes {pair[1]}",
            ", ".join(pair),
            pair[0],
            f"leave out {pair[1]}",
            case.place(pair[1], "caption"),
        )


@rule("R63", "nodis-addressees", "error", "own knowledge; limits to be confirmed", STATE)
def nodis_addressees(case: Case) -> Iterator[Found]:
    """NODIS and EXDIS messages address only the Department, chiefs of mission and agency heads; no
    collective, no military command, no agency below head; INFO at most five.

    The limit of five could not be confirmed, and warns.
    """
    strict = _has(case, "NODIS", "EXDIS")
    if not strict:
        return
    for addressee in case.addressees:
        collective = "COLLECTIVE" in addressee.name or tables.is_collective(addressee.name)
        if collective or re.match(r"(?:CDR|HQ|COM[A-Z]{3,})\b", addressee.name):
            yield Found(
                f"{strict[0]} to {addressee.name}",
                addressee.name,
                "the Department, chiefs of mission, heads of agencies",
                f"leave out {addressee.name}",
                case.of(addressee),
            )
    if len(case.telegram.info) > _INFO_LIMIT:
        yield Found(
            f"{strict[0]} to {len(case.telegram.info)} for information",
            f"{len(case.telegram.info)} information addressees",
            f"at most {_INFO_LIMIT}",
            "address fewer",
            case.span("info-addressee"),
            "warning",
        )


@rule("R64", "stadis-inside", "error", "5 FAH-2 H-252; PlusD list", STATE)
def stadis_inside(case: Case) -> Iterator[Found]:
    """STADIS messages have no addressee, attention line or pass line outside the Department."""
    if "STADIS" not in case.telegram.captions:
        return
    for addressee in case.addressees:
        if not _DEPARTMENT.match(addressee.name):
            yield Found(
                f"STADIS to {addressee.name}",
                addressee.name,
                "the Department and its posts only",
                f"leave out {addressee.name}, or STADIS",
                case.of(addressee),
            )
    for attention in case.telegram.attention:
        station = (attention.station or "").upper()
        entry = tables.address(station) if station else None
        if entry is not None and entry.kind == "agencies":
            yield Found(
                f"STADIS, and {station} is named for attention",
                station,
                "the Department's offices only",
                "leave the line out, or STADIS",
                case.place(station, "passing"),
            )


@rule("R65", "noforn-releasable", "error", "CAPCO", MODERN)
def noforn_releasable(case: Case) -> Iterator[Found]:
    """NOFORN messages have no addressee that is a foreign or international body, and no portion with
    REL TO."""
    if "NOFORN" not in case.telegram.captions:
        return
    for mark, _, span in case.marks:
        if "REL" in mark.split("/")[-1].split():
            yield Found(
                "a portion may go to foreigners, the telegram may not",
                f"({mark})",
                "no REL TO under NOFORN",
                "leave out REL TO, or the caption NOFORN",
                span,
            )


@rule("R66", "noforn-caption", "error", "CAPCO; measured", MODERN)
def noforn_caption(case: Case) -> Iterator[Found]:
    """A portion marked NOFORN requires NOFORN among the captions."""
    if "NOFORN" in case.telegram.captions or case.further:
        return
    for mark, _, span in case.marks:
        if "NF" in re.split(r"[/ -]+", mark)[1:] or "NOFORN" in mark:
            yield Found(
                "a portion is NOFORN, the telegram is not",
                f"({mark})",
                "the caption NOFORN",
                "add the caption NOFORN",
                span,
            )
            return


@rule("R67", "only-names", "error", "own", STATE)
def only_names(case: Case) -> Iterator[Found]:
    """ONLY names a person or office."""
    for caption in _has(case, "ONLY", "EYES ONLY"):
        lines = (*case.telegram.passing, *case.telegram.captions)
        if not any(
            (match := _OWN_LINE.search(line)) and match[0].strip() not in ("EYES ONLY", "ONLY")
            for text in lines
            for line in text.split("\n")
        ):
            yield Found(
                f"{caption} does not say for whom",
                caption,
                "FOR ASSISTANT SECRETARY DOE ONLY",
                "name the person or office",
                case.place(caption, "caption"),
            )


@rule("R68", "caption-once", "warning", "own; measured", MODERN)
def caption_once(case: Case) -> Iterator[Found]:
    """SENSITIVE, NOFORN and SIPDIS are printed once.

    SIPDIS stands twice on more than a quarter of the telegrams sent, so it is asked of drafts only.
    """
    words = case.text("caption")
    for caption in ("SENSITIVE", "NOFORN", "SIPDIS"):
        count = len(re.findall(rf"\b{caption}\b", words, re.IGNORECASE))
        if count > 1 and (case.draft or caption != "SIPDIS"):
            yield Found(
                f"{caption} stands {count} times",
                caption,
                f"{caption} once",
                "leave out the others",
                case.place(caption, "caption"),
            )
