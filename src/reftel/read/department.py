"""What the Department put above a telegram in 1973-79: queue number, office list, drafting officers
and dash line (telegram-content.md 3.3 to 3.5)."""

from __future__ import annotations

import re
from typing import Final

from reftel.read.dtg import DTG_FIRST, match_dtg, opens_dtg
from reftel.read.elements import Piece
from reftel.read.reading import Reading
from reftel.telegram import Distribution

# `10-16` is IO-16 in a scan; in 1966-72 a blank stands for the hyphen.
_HYPHENED = r"(?:[A-Z][A-Z/]*+[0-9]?+|[0-9]{2}[A-Z]?+)-[0-9O]{1,2}\b"
_BLANKED = r"[A-Z]{1,4} [0-9]{2}\b"
_OFFICE_CODE = rf"(?:{_HYPHENED}|{_BLANKED})"
_OFFICE_LIST: Final = re.compile(
    rf"\s*(?:ACTION|ORIGIN):?\s+(?:{_HYPHENED}|{_BLANKED}(?:\s*\Z|\s+INFO\b))"
)
_INFO_OFFICES: Final = re.compile(
    rf"\s*[I1]N[FE]O:?\s+(?:{_HYPHENED}|{_BLANKED}[,\s]+{_BLANKED}|/ ?[0-9]{{3}} ?[WR])"
)
_OFFICES_MORE: Final = re.compile(
    rf"\s*+(?:{_OFFICE_CODE},?\s*+)*+(?:/ ?[0-9]{{3}} ?[WR]?|\( *[A-Z]+ *\) ?[WR])?\s*\Z"
)
_ENTRIES: Final = re.compile(rf"\s*+(?:(?:{_HYPHENED}|ACTION|ORIGIN|INFO)(?:\s++|\Z))*+\Z")
_GROUP_OR_OFFICE: Final = re.compile(rf"\b(?:ACTION|ORIGIN|[I1]N[FE]O)\b(?!-)|{_OFFICE_CODE}")
_OFFICE_TOTAL: Final = re.compile(
    r"(?:/ ?(?P<total>[0-9]{3})|\( *[A-Z]+ *\)) ?(?P<direction>[WR])?\s*\Z"
)
_QUEUE: Final = re.compile(r"\s*[0-9]{2}(?:[-/][0-9]{2})?\s*\Z")
# `66011` stands between the offices and the drafter of a telegram that is sent once more.
_REPEATED: Final = re.compile(r"\s*[0-9]{4,6}\s*\Z")
_DRAFTED: Final = re.compile(r"\s*DRAF?TE?D?Y? ?BY\s*[:=-]?\s*(?P<who>.*?)\s*\Z")
_APPROVED: Final = re.compile(r"\s*[AE][A-Z]{0,2}ROVED ?BY\s*[:=-]?\s*(?P<who>.*?)\s*\Z")
# The counter is in hexadecimal from 1990 on: `------------------3F9A6B  061536Z /38`.
_DASHES: Final = re.compile(
    r"\s*(?:-{10,}\s*[0-9A-F]{4}[\s0-9A-FZ/]*|(?:\S{1,3} )?[0-9A-F]{6} +[0-9]{6}[Z27] +/[0-9]{2}\s*)\Z"
)
_OFFICES_FIRST: Final = frozenset("AOI")
_DRAFTING_FIRST: Final = frozenset("DAE")
_DASH_FIRST: Final = frozenset("-0123456789ABCDEF")
_FM: Final = re.compile(r"\s*FM[: ]\s*\S", re.IGNORECASE)
_LONGEST: Final = 120


def is_office_list(text: str) -> bool:
    """Whether a line begins the office list of a 1973-79 copy."""
    return text.lstrip()[:1] in ("A", "O") and _OFFICE_LIST.match(text) is not None


def is_queue_number(text: str) -> bool:
    """Whether a line holds nothing but the two digits that stand above an office list."""
    return _QUEUE.match(text) is not None


def is_department_line(text: str) -> bool:
    """Whether a line can only belong to this block."""
    first = text.lstrip()[:1]
    if first == "A" or first == "O":
        return _OFFICE_LIST.match(text) is not None
    if first == "I":
        return _INFO_OFFICES.match(text) is not None
    return first == "D" and _DRAFTED.match(text) is not None


def read_department_lines(reading: Reading, index: int) -> int:
    """Read the block from piece `index` on, if it stands there; the index after it."""
    pieces = reading.pieces
    offices: list[str] = []
    drafting: list[Piece] = []
    last = index
    zone = ""
    for at in range(index, min(index + _LONGEST, len(pieces))):
        piece = pieces[at]
        text = piece.text
        if piece.kind == "page-line":
            last = at + 1
        if piece.kind:
            continue
        first = piece.first
        if first in DTG_FIRST and opens_dtg(text) and match_dtg(text):
            break
        if (first == "F" or first == "f") and _FM.match(text):
            break
        if (
            (zone == "" or zone == "offices")
            and first in _OFFICES_FIRST
            and (_INFO_OFFICES if first == "I" else _OFFICE_LIST).match(text)
        ):
            zone, piece.kind = "offices", "distribution"
            offices.append(text)
        elif zone == "offices" and _OFFICES_MORE.match(text):
            piece.kind = "distribution"
            offices.append(text)
        elif first.isdigit() and (
            (zone == "" and _QUEUE.match(text)) or (zone == "offices" and _REPEATED.match(text))
        ):
            piece.kind = "queue-number"
        elif first in _DRAFTING_FIRST and (_DRAFTED.match(text) or _APPROVED.match(text)):
            zone, piece.kind = "drafting", "drafting"
            drafting.append(piece)
        elif first in _DASH_FIRST and _DASHES.match(text):
            zone, piece.kind = "dashes", "dash-line"
        elif zone == "offices" and _drafting_follows(pieces, at):
            # The message centre's own remark: `SOURCE: KODAKA.000123`.
            piece.kind = "drafting"
        elif zone == "drafting" and len(drafting) < 30:
            piece.kind = "drafting"
            drafting.append(piece)
        else:
            break
        last = at + 1
    if zone:
        reading.dialect = "sas" if reading.dialect == "fragment" else reading.dialect
    if offices:
        reading.distribution = _distribution(reading, offices, pieces[index])
    _read_drafting(reading, drafting)
    return last


def read_scattered(reading: Reading, pieces: list[Piece]) -> None:
    """Take what a scan scattered over lines of their own, below an office list that broke off: more
    offices, the drafter, the counter."""
    drafting: list[Piece] = []
    lines: list[Piece] = []
    for piece in pieces:
        if piece.kind:
            continue
        text = piece.text
        if _OFFICES_MORE.match(text) or _INFO_OFFICES.match(text) or text.strip() == "INFO":
            lines.append(piece)
        elif _DASHES.match(text):
            piece.kind = "dash-line"
        elif drafting or _DRAFTED.match(text):
            piece.kind = "drafting"
            drafting.append(piece)
    _read_drafting(reading, drafting)
    listed = reading.distribution
    if listed is None or not lines:
        return
    for piece in lines:
        piece.kind = "distribution"
    more = _distribution(reading, [piece.text for piece in lines], lines[0])
    reading.distribution = Distribution(
        listed.action, listed.origin, (*listed.info, *more.info), more.total, more.direction
    )


def _drafting_follows(pieces: list[Piece], at: int) -> bool:
    after = next((piece for piece in pieces[at + 1 : at + 4] if not piece.kind), None)
    return after is not None and _DRAFTED.match(after.text) is not None


def _distribution(reading: Reading, lines: list[str], place: Piece) -> Distribution:
    groups: dict[str, list[str]] = {"ACTION": [], "ORIGIN": [], "INFO": []}
    offices = groups["INFO"]
    counted = 0
    tail: re.Match[str] | None = None
    for line in lines:
        if tail is None and ("/" in line or "(" in line):
            tail = _OFFICE_TOTAL.search(line.rstrip())
            if tail is not None:
                line = line[: tail.start()]
        words: list[str] = line.split()
        if not _ENTRIES.match(line):
            words = _GROUP_OR_OFFICE.findall(line)
        for word in words:
            number = _COPIES.get(word[-2:])
            if number is None:
                offices = groups[word if word in groups else "INFO"]
            else:
                offices.append(word)
                counted += number
    total = int(tail["total"]) if tail and tail["total"] else None
    if total is not None and counted != total:
        message = f"the offices got {counted} copies, the list says {total}"
        reading.doubt("office-sum-differs", message, place)
    return Distribution(
        action=tuple(groups["ACTION"]),
        origin=tuple(groups["ORIGIN"]),
        info=tuple(groups["INFO"]),
        total=total,
        direction=tail["direction"] if tail else None,
    )


# What an entry can end with: `EUR-3`, `EUR-03`, `EUR-O3`.
_COPIES: Final = {
    f"{tens}{ones}": int(f"{tens}{ones}".lstrip("-").replace("O", "0"))
    for tens in "-0123456789O"
    for ones in "0123456789O"
}


_CLEARANCE: Final = re.compile(
    # Copies of 1973 have a blank behind each sign: `EUR/ RPM: JDOE`.
    r"\s*(?!DIST)[A-Z][A-Z0-9/&.]*(?:[/-] ?[A-Z0-9/&.]+)*"
    r"(?:\s*[:-]\s*[A-Z]|\s+(?:MRS?|MISS|MS|AMB|COL|GEN|DR)\b)"
)


def _read_drafting(reading: Reading, drafting: list[Piece]) -> None:
    """Drafter, approving officer and, below them, who cleared it: an office and a name a line."""
    if not drafting:
        return
    clearances: list[str] = []
    for piece in drafting:
        if match := _DRAFTED.match(piece.text):
            reading.drafted_by = match["who"] or None
        elif match := _APPROVED.match(piece.text):
            reading.approved_by = match["who"] or None
        elif reading.approved_by:
            # Two can stand on a line, a column each.
            clearances += [
                " ".join(each.split())
                for each in re.split(r"\s{3,}", piece.text)
                if _CLEARANCE.match(each)
            ]
    reading.clearances = tuple(clearances)
