"""The heading: how a telegram travelled, when it was sent, from whom and to whom.

Format lines 1 to 11 (wire-format.md 1) and the lines that the Department put above them in 1973-79.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Final

import msgspec

from reftel.read.address import is_marking, is_originator, match_action, read_address
from reftel.read.classification import CLASSIFICATION_LINE, opens_level
from reftel.read.department import (
    is_department_line,
    is_office_list,
    read_department_lines,
    read_scattered,
)
from reftel.read.dtg import GARBLED_DTG_LINE, filing_time, match_dtg, opens_dtg
from reftel.read.elements import Piece
from reftel.read.furniture import NUMBER_AND_LEVEL
from reftel.read.reading import Reading
from reftel.read.transmission import is_transmission_line, is_transmission_start, read_transmission

_DAY_AND_TIME: Final = re.compile(r"([0-9]{2})/([0-9]{2})([0-9]{2})[A-Z]")
_HALF_A_YEAR: Final = 182
_RANK: Final = ("FLASH", "EMERGENCY", "NIACT IMMEDIATE", "IMMEDIATE", "PRIORITY", "ROUTINE")


def read_heading(reading: Reading, start: int) -> int:
    """Read the heading from piece `start` on; the index of the first piece that is not of it."""
    index = read_transmission(reading, start)
    index = read_department_lines(reading, index)
    found = index > start
    index, addressed = read_address(reading, index)
    if not (found or addressed):
        return start
    if reading.originator is None and (at := _resumes(reading, index)) is not None:
        offices = next(
            (k for k in range(index, at) if is_office_list(reading.pieces[k].text)), None
        )
        if offices is not None and reading.distribution is None:
            # A republisher put the date-time group above the whole.
            read_department_lines(reading, offices)
        read_scattered(reading, reading.pieces[index:at])
        index, _ = read_address(reading, at)
    for piece in reading.pieces[start:index]:
        if not piece.kind:
            piece.kind = "publisher-note" if NUMBER_AND_LEVEL.match(piece.text) else "unknown"
    return index


_NEAR: Final = 60


def _resumes(reading: Reading, index: int) -> int | None:
    """Where a heading goes on that broke off at piece `index`, in a scan for most: a date-time group with
    FM below it, or FM with TO, before the markings."""
    solid: list[int] = []
    for at in range(index, min(index + _NEAR, len(reading.pieces))):
        piece = reading.pieces[at]
        if piece.kind:
            continue
        if is_marking(piece):
            break
        solid.append(at)
    for at, after in pairwise(solid):
        text, below = reading.pieces[at].text, reading.pieces[after].text
        if (match_dtg(text) and is_originator(below)) or (
            is_originator(text) and below.lstrip().startswith("TO ")
        ):
            return at
    return None


def is_heading_line(text: str) -> bool:
    """Whether a line can only belong to a heading: format lines 2 to 6, an office list, the
    classification line."""
    if opens_dtg(text) and (match_dtg(text) or GARBLED_DTG_LINE.match(text)):
        return True
    return bool(
        is_transmission_line(text)
        or is_department_line(text)
        or is_originator(text)
        or match_action(text)
        or (opens_level(text) and CLASSIFICATION_LINE.match(text))
    )


def heading_follows(pieces: list[Piece], at: int) -> bool:
    """Whether a labelled line that comes first is a republisher's title: the heading stands right
    below it."""
    solid = [piece.text for piece in pieces[at + 1 : at + 6] if not piece.kind]
    return any(match_dtg(text) and is_originator(after) for text, after in pairwise(solid)) or any(
        is_transmission_start(text) for text in solid
    )


def finish_heading(reading: Reading) -> None:
    """What the lines of a heading say together: precedence, and the time of filing with its year."""
    _finish_precedence(reading)
    transmission = reading.transmission
    if transmission is None or transmission.filed is None:
        return
    filed = _filed(transmission.filed, reading)
    if filed is None:
        message = f"the time of filing {transmission.filed!r} has no year, or is no time"
        reading.doubt("filing-time-unreadable", message, None, "info")
    elif reading.dtg and abs(_days(filed) - _days(reading.dtg)) > 2:
        message = f"filed {filed[:10]}, but the date-time group says {reading.dtg[:10]}"
        reading.doubt("filing-time-differs", message)
    reading.transmission = msgspec.structs.replace(transmission, filed=filed)


def _filed(text: str, reading: Reading) -> str | None:
    """The time of filing with the year that puts it next to the date-time group (wire-format.md 6.3)."""
    dtg = reading.readdressal.dtg if reading.readdressal else reading.dtg
    if match := _DAY_AND_TIME.fullmatch(text):
        return f"{dtg[:8]}{match[1]}T{match[2]}:{match[3]}:00Z" if dtg else None
    year = int(dtg[:4]) if dtg else reading.year
    if year is None:
        return None
    nearest = filing_time(text, year)
    if dtg is None or (nearest and abs(_days(nearest) - _days(dtg)) < _HALF_A_YEAR):
        return nearest
    candidates = [nearest, filing_time(text, year + 1), filing_time(text, year - 1)]
    return min(
        (each for each in candidates if each),
        key=lambda each: abs(_days(each) - _days(dtg)),
        default=None,
    )


def _finish_precedence(reading: Reading) -> None:
    """The date-time group's letter; failing that the routing line's, or the highest addressee's word."""
    words = [addressee.precedence for addressee in reading.action + reading.info]
    if reading.precedence is None:
        if reading.transmission and reading.transmission.precedence:
            reading.precedence = reading.transmission.precedence
        else:
            reading.precedence = _highest(words)
        return
    if reading.precedence == "IMMEDIATE" and (
        "NIACT IMMEDIATE" in [addressee.precedence for addressee in reading.action]
    ):
        reading.precedence = "NIACT IMMEDIATE"
    # The outer heading of a readdressal or of a repeat has a precedence of its own.
    inner = reading.readdressal is not None or reading.service is not None
    if reading.transmission and reading.transmission.precedence and not inner:
        letter = reading.precedence.replace("NIACT ", "")
        if reading.transmission.precedence not in (letter, reading.info_precedence):
            message = f"the routing line says {reading.transmission.precedence}, the date-time group {letter}"
            reading.doubt("precedence-differs", message)
    highest = _highest(words)
    if highest and _RANK.index(highest) < _RANK.index(reading.precedence):
        message = f"an addressee has {highest}, the date-time group {reading.precedence}"
        reading.doubt("precedence-differs", message)


def _highest(precedences: list[str | None]) -> str | None:
    for word in _RANK:
        if word in precedences:
            return word
    return None


def _days(iso: str) -> int:
    return date.fromisoformat(iso[:10]).toordinal()
