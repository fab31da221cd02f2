"""A telegram taken apart for someone who has never seen one: what each line is, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from reftel import tables
from reftel.read.elements import KINDS
from reftel.telegram import Diagnostic, Element, Repair, Telegram

GROUPS: dict[str, str] = {
    "transmission-id": "wire",
    "routing-line": "wire",
    "calling-station": "wire",
    "security-line": "wire",
    "separator": "wire",
    "prefix": "wire",
    "end-of-message": "wire",
    "correction": "wire",
    "date-time-group": "heading",
    "originator": "heading",
    "action-addressee": "heading",
    "info-addressee": "heading",
    "exempt-addressee": "heading",
    "distribution": "heading",
    "drafting": "heading",
    "section-heading": "heading",
    "mail-header": "heading",
    "classification-line": "marking",
    "caption": "marking",
    "corrected-copy": "marking",
    "passing": "marking",
    "executive-order": "marking",
    "tags": "marking",
    "subject": "marking",
    "reference": "marking",
    "classified-by": "marking",
    "label": "marking",
    "paragraph-number": "number",
    "heading": "text",
    "body": "text",
    "signature": "text",
    "lost-text": "doubt",
    "unknown": "doubt",
}
"""The family of each kind of element, for colours; a kind that is not here is `furniture`."""


class Run(NamedTuple):
    """Neighbouring pieces of one kind: physical lines with their numbers from 1, what the kind is, what
    these lines say, and the repairs and doubts within them."""

    kind: str
    group: str
    lines: tuple[tuple[int, str], ...]
    meaning: str
    note: str | None
    repairs: tuple[Repair, ...]
    doubts: tuple[Diagnostic, ...]


def anatomy(telegram: Telegram) -> tuple[Run, ...]:
    """The runs of a telegram, in order; their texts joined hold every character but line ends."""
    runs: list[Run] = []
    line = 1
    gathered: list[Element] = []
    for element in (*telegram.elements, None):
        if element is not None and (not gathered or gathered[0].kind == element.kind):
            gathered.append(element)
            continue
        if gathered:
            run, line = _run(telegram, gathered, line)
            runs.append(run)
        gathered = [element] if element is not None else []
    return tuple(runs)


def _run(telegram: Telegram, elements: list[Element], line: int) -> tuple[Run, int]:
    kind, start, end = elements[0].kind, elements[0].start, elements[-1].end
    text = telegram.source[start:end]
    parts = text.split("\n")
    ended = parts[-1] == "" and len(parts) > 1
    shown = parts[:-1] if ended else parts
    lines = tuple((line + at, part.rstrip("\r")) for at, part in enumerate(shown))
    note = _NOTES[kind](telegram, text) if kind in _NOTES else None
    run = Run(
        kind,
        GROUPS.get(kind, "furniture"),
        lines,
        KINDS[kind],
        note or None,
        tuple(each for each in telegram.repairs if start <= each.span.start < end),
        tuple(
            each for each in telegram.diagnostics if each.span and start <= each.span.start < end
        ),
    )
    return run, line + len(parts) - 1


def _station(indicator: str) -> str:
    entry = tables.station(indicator)
    return (
        f"{indicator} is {entry.name if entry.kind != 'posts' else _post(entry.code)}"
        if entry
        else indicator
    )


def _post(mrn_name: str) -> str:
    entry = tables.post_by_name(mrn_name)
    return tables.addressee_name(entry.columns["telegram_name"]) if entry else mrn_name


def _routing(t: Telegram, _text: str) -> str | None:
    if t.transmission is None:
        return None
    names = ", ".join(_station(each) for each in t.transmission.routing[:6])
    return f"{t.transmission.precedence}; {names}"


def _calling(t: Telegram, _text: str) -> str | None:
    way = t.transmission
    if way is None or way.station is None:
        return None
    parts = [_station(way.station)]
    if way.station_serial:
        parts.append(f"its message {way.station_serial}")
    if way.section:
        parts.append(f"section {way.section}")
    if way.filed:
        parts.append(f"filed {_moment(way.filed)}")
    return "; ".join(parts)


def _security(t: Telegram, _text: str) -> str | None:
    return t.transmission.classification if t.transmission else None


def _sent(t: Telegram, _text: str) -> str | None:
    second = f", {t.info_precedence} for information" if t.info_precedence else ""
    return f"{t.precedence}{second}; {_moment(t.dtg)}" if t.dtg else None


def _moment(iso: str) -> str:
    moment = datetime.fromisoformat(iso)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _originator(t: Telegram, _text: str) -> str | None:
    return tables.addressee_name(t.originator.name) if t.originator else None


def _number(t: Telegram, _text: str) -> str | None:
    section = f"; section {t.section.number} of {t.section.of}" if t.section else ""
    number = f"{t.classification}; telegram {t.mrn.short}" if t.mrn else t.classification
    return f"{number}{section}"


def _captions(t: Telegram, text: str) -> str | None:
    found = [tables.caption(word) for word in t.captions if word in text.upper()]
    return "; ".join(f"{each.code}: {each.name}" for each in found if each)


def _order(t: Telegram, _text: str) -> str | None:
    order = t.executive_order
    if order is None or (order.declassify_on is None and order.event is None):
        return None
    when = (
        f"falls open on {order.declassify_on}"
        if order.declassify_on
        else f"falls open: {order.event}"
    )
    return f"{when}, by the order's own schedule" if order.by_rule else when


def _tags(t: Telegram, _text: str) -> str | None:
    year = t.mrn.year if t.mrn else None
    named = [(tag.code, tables.tag(tag.code, year)) for tag in t.tags]
    return "; ".join(
        f"{code}: {entry.name}" if entry and entry.name else code for code, entry in named
    )


def _references(t: Telegram, _text: str) -> str | None:
    cited = [each.mrn for each in t.references if each.mrn]
    return f"cites {', '.join(cited)}" if cited else None


def _classified_by(t: Telegram, _text: str) -> str | None:
    by = t.classified_by
    if by is None:
        return None
    reasons = f"reasons {', '.join(by.reasons)}" if by.reasons else None
    return "; ".join(part for part in (by.name, by.title, reasons) if part)


def _offices(t: Telegram, _text: str) -> str | None:
    if t.distribution is None:
        return None
    codes = (*t.distribution.action, *t.distribution.origin)
    names = [(code, tables.office(code.rpartition("-")[0])) for code in codes]
    return "; ".join(f"{code}: {entry.name}" for code, entry in names if entry and entry.name)


def _section(_t: Telegram, text: str) -> str | None:
    match = re.search(r"([0-9]{3})(?:\.[0-9])? OF ([0-9]{3})", text)
    return f"section {int(match[1])} of {int(match[2])} goes on here" if match else None


_NOTES: dict[str, Callable[[Telegram, str], str | None]] = {
    "routing-line": _routing,
    "calling-station": _calling,
    "security-line": _security,
    "date-time-group": _sent,
    "originator": _originator,
    "classification-line": _number,
    "caption": _captions,
    "executive-order": _order,
    "tags": _tags,
    "reference": _references,
    "classified-by": _classified_by,
    "distribution": _offices,
    "section-line": _section,
}
