"""Format lines 1 to 16: the whole message as it goes over a circuit (ACP 127(G); wire-format.md 1, 2).

A record that was read from wire text has its procedure lines in `wire` and is written with them. One
that has none is written from format line 5 on, as it is handed to the message centre, which puts its
own first four lines before it; `heading` gives these.
"""

from __future__ import annotations

from datetime import datetime

from reftel.read.dtg import MONTHS, PRECEDENCES
from reftel.telegram import (
    Addressee,
    Procedure,
    Readdressal,
    Station,
    Telegram,
    Wire,
    WireForm,
)
from reftel.write.lines import LINE, fold
from reftel.write.text import classification_word, service_lines, text_lines

LETTERS = {word: letter for letter, word in PRECEDENCES.items()}
"""The prosign of each precedence; NIACT IMMEDIATE travels as O (wire-format.md 3.1)."""

PAGE = 20
"""Lines of a page: the first counts from format line 5 on (ACP 127 208.a to c)."""

_PAGE_GAP = ["", "", ""]
_ENDING = [""] * 7
_BROKEN_OFF = "E E E E E E E E AR"


def letter_of(precedence: str) -> str:
    """The prosign for a precedence word."""
    return LETTERS[precedence.removeprefix("NIACT ")]


def wire_lines(
    telegram: Telegram, form: WireForm, width: int = LINE, text: list[str] | None = None
) -> list[str]:
    """The message line by line, an empty string for a blank one; `form` says whose layout.

    `text` takes the place of the telegram's own format line 12: a section's part of it.
    """
    wire = telegram.wire
    headings = wire.headings if wire else ()
    lines = [line for each in _outer(telegram) for line in procedure_lines(each, form)]
    if wire is not None and wire.cancelled:
        return [*lines, *text_lines(telegram, form, width), _BROKEN_OFF, *_ENDING, "NNNN"]
    if wire is not None and wire.abbreviated:
        return [*lines, *service_lines(telegram), *_ENDING, "NNNN"]
    if telegram.service is not None and len(headings) > 1:
        lines += ["BT", *service_lines(telegram), *procedure_lines(headings[-1], form)]
    message = address_lines(telegram, form)
    if text is None:
        alone = telegram.service is not None and len(headings) < 2
        text = service_lines(telegram) if alone else text_lines(telegram, form, width)
    if form == "acp127" and headings:
        text = _paged(len(message) + 1, text, headings[-1], classification_word(telegram))
    lines += [*message, "BT", *text, "BT"]
    if wire is not None:
        lines += wire.corrections
    if not headings:
        return lines
    if form == "state" and headings[-1].serial:
        lines.append("#" + headings[-1].serial.strip("#").partition("/")[0])
    return [*lines, *_ENDING, "NNNN"]


def _outer(telegram: Telegram) -> tuple[Procedure, ...]:
    """The headings above the message: all of them, but the one that a service message repeats."""
    if telegram.wire is None:
        return ()
    headings = telegram.wire.headings
    return headings[:1] if telegram.service is not None else headings


def procedure_lines(heading: Procedure, form: WireForm) -> list[str]:
    """Format lines 1 to 4 of one hop."""
    lines: list[str] = []
    if heading.id:
        # Five spaces end the line, or part the security prosign from it (ACP 127 138.a); copies in
        # State's form have none.
        plain = form == "state" and not heading.prosign
        lines.append(heading.id + ("" if plain else "     " + (heading.prosign or "")))
    if heading.routing:
        letter = letter_of(heading.precedence or "ROUTINE")
        lines += fold(" ".join(heading.routing), first=f"{letter}{letter} ")
    if heading.station:
        parts = ("DE", heading.station, heading.serial, heading.filed)
        lines.append(" ".join(part for part in parts if part))
    if heading.security:
        lines.append(" ".join(part for part in (heading.security, heading.instructions) if part))
    return lines


def address_lines(telegram: Telegram, form: WireForm) -> list[str]:
    """Format lines 5 to 10; those of a readdressal, where there is one, stand before the message's."""
    lines = _readdressal_lines(telegram.readdressal, form) if telegram.readdressal else []
    wire = telegram.wire
    if telegram.dtg is not None:
        lines.append(
            date_time_line(
                telegram.precedence,
                telegram.info_precedence,
                telegram.dtg,
                form,
                wire.instructions if wire else None,
            )
        )
    if telegram.originator is not None:
        lines.append(f"FM {_station(telegram.originator)}")
    lines += _listed("TO", telegram.action)
    lines += _listed("INFO", telegram.info)
    lines += _listed("XMT", telegram.exempt)
    if wire is not None and wire.prefix:
        lines.append(wire.prefix)
    return lines


def _readdressal_lines(readdressal: Readdressal, form: WireForm) -> list[str]:
    lines: list[str] = []
    if readdressal.dtg is not None:
        lines.append(date_time_line(readdressal.precedence, None, readdressal.dtg, form))
    if readdressal.originator is not None:
        lines.append(f"FM {_station(readdressal.originator)}")
    return [*lines, *_listed("TO", readdressal.action), *_listed("INFO", readdressal.info)]


def date_time_line(
    precedence: str | None,
    info_precedence: str | None,
    dtg: str,
    form: WireForm,
    instructions: str | None = None,
) -> str:
    """Format line 5; four digits of the year, two in State's form (wire-format.md 6.2)."""
    sent = datetime.fromisoformat(dtg)
    year = f"{sent.year % 100:02d}" if form == "state" else f"{sent.year:04d}"
    parts = [letter_of(precedence)] if precedence else []
    if info_precedence:
        parts.append(letter_of(info_precedence))
    parts.append(f"{sent.day:02d}{sent.hour:02d}{sent.minute:02d}Z {MONTHS[sent.month - 1]} {year}")
    if instructions:
        parts.append(instructions)
    return " ".join(parts)


def _station(station: Station) -> str:
    if station.routing_indicator:
        return f"{station.routing_indicator}/{station.name}"
    return station.name


def _listed(prosign: str, addressees: tuple[Addressee, ...]) -> list[str]:
    """One addressee a line, the prosign on the first (ACP 127, Annex B)."""
    lines = [each.line for each in addressees]
    return [f"{prosign} {lines[0]}", *lines[1:]] if lines else []


def _paged(before: int, text: list[str], heading: Procedure, word: str) -> list[str]:
    """The text with page lines, where it and the `before` lines above it are more than a page."""
    # Where the address fills the first page the text begins on a page of its own.
    at = PAGE - before if before < PAGE else PAGE
    at = sound_cut(text, 0, at)
    lines = text[:at]
    page = 2
    while at < len(text):
        lines += [*_PAGE_GAP, f"PAGE {page} {heading.station} {heading.serial} {word}"]
        end = sound_cut(text, at, at + PAGE)
        lines += text[at:end]
        at, page = end, page + 1
    return lines


def sound_cut(text: list[str], start: int, end: int) -> int:
    """The last place up to `end` where lines from `start` on can be parted without a loss: a blank line
    beside a page or section line parts nothing (ACP 127 208.d), so it must not be the one that does."""
    for place in range(min(end, len(text)), start, -1):
        if place >= len(text) or (text[place] and text[place - 1]):
            return place
    return min(end, len(text))


def heading_for(
    telegram: Telegram,
    *,
    station: str,
    channel: str,
    routing: tuple[str, ...],
    filed: datetime,
    form: WireForm,
) -> Wire:
    """The procedure lines that a centre puts before a telegram it sends itself.

    `station` is its routing indicator, `channel` format line 1 without `VZCZC` (`NVA027`), `routing`
    the stations called, `filed` the time of filing (UTC).
    """
    number = telegram.mrn.number if telegram.mrn else 0
    serial = f"{number % 10_000:04d}"
    level = telegram.classification or "UNCLASSIFIED"
    letter = {"CONFIDENTIAL": "C", "SECRET": "S", "TOP SECRET": "T"}.get(level, "U")
    warning = "ZNR UUUUU" if letter == "U" else f"ZNY {letter * 5}"
    return Wire(
        form=form,
        headings=(
            Procedure(
                id=f"VZCZC{channel}",
                precedence=(telegram.precedence or "ROUTINE").removeprefix("NIACT "),
                routing=routing,
                station=station,
                serial=f"#{serial}" if form == "state" else serial,
                filed=f"{filed.timetuple().tm_yday:03d}{filed:%H%M}",
                security=warning,
                instructions="ZZH" if form == "state" else None,
            ),
        ),
    )
