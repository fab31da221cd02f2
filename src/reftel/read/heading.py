"""The heading: how a telegram travelled, when it was sent, from whom and to whom.

Format lines 1 to 10 (wire-format.md 1) and the lines that the Department put above them in 1973-79:
office list, drafting officers, dash line (telegram-content.md 3.3 to 3.5).
"""

from __future__ import annotations

import re
from datetime import date

import msgspec

from reftel.read.classification import CLASSIFICATION_LINE, LOOSE_CLASSIFICATION_LINE
from reftel.read.dtg import DTG_LINE, OPERATING_SIGNAL, PRECEDENCES, filing_time, time_of
from reftel.read.elements import Piece
from reftel.read.reading import Reading
from reftel.telegram import Addressee, Distribution, Station, Transmission

_TRANSMISSION_ID = re.compile(r"\s*V?(?P<id>ZCZC[A-Z]{2,3} ?[0-9]{3,4}|V{2} {3}[A-Z]{3}[0-9]{3,4})")
_ROUTING = re.compile(r"\s*(?P<prec>[ZOPRY])(?P=prec)(?P<ris>(?: +[A-Z]{4,8})+)\s*\Z")
_ROUTING_MORE = re.compile(r"\s*[A-Z]{4,8}(?: +[A-Z]{4,8})*\s*\Z")
_CALLING = re.compile(
    r"\s*DE (?P<ri>[A-Z]{4,8})(?: +#?(?P<serial>[0-9]{1,4}[A-Z]?)(?:/(?P<section>[0-9]{2}))?)?"
    r"(?: +(?P<filed>[0-9]{7}|[0-9]{2}/[0-9]{4}[A-Z]))?\s*\Z"
)
_SECURITY = re.compile(r"\s*(?P<signal>ZN[RY]) +(?P<letters>[A-Z]{4,5})\b(?P<rest>.*)\Z")
_FM = re.compile(r"\s*FM[: ]\s*(?P<name>\S.*?)\s*\Z", re.IGNORECASE)
_TO = re.compile(r"\s*TO[: ]\s*(?P<name>\S.*?)\s*\Z", re.IGNORECASE)
_INFO = re.compile(r"\s*INFO[: ]\s*(?P<name>\S.*?)\s*\Z", re.IGNORECASE)
_XMT = re.compile(r"\s*XMT[: /]\s*(?P<name>\S.*?)\s*\Z", re.IGNORECASE)
_BT = re.compile(r"\s*BT\s*\Z")
_PREFIX = re.compile(r"\s*(?:[A-Z]+ )?GR(?:NC| ?[0-9]{1,4})\s*\Z")
_OFFICE_LIST = re.compile(r"\s*(?:ACTION|ORIGIN)\s+[A-Z][A-Z/]*-[0-9]{2}\b")
_INFO_OFFICES = re.compile(r"\s*INFO\s+(?:[A-Z][A-Z/]*-[0-9]{2}\b|/[0-9]{3} ?[WR])")
_OFFICES_MORE = re.compile(
    r"\s*(?:[A-Z][A-Z/]*-[0-9]{2}\s*)*(?:/ ?[0-9]{3} ?[WR]?|\( *[A-Z]+ *\) ?[WR])?\s*\Z"
)
_OFFICE = re.compile(r"[A-Z][A-Z/]*-[0-9]{2}\b")
_OFFICE_TOTAL = re.compile(r"(?:/ ?(?P<total>[0-9]{3})|\( *[A-Z]+ *\)) ?(?P<direction>[WR])?\s*\Z")
_QUEUE = re.compile(r"\s*[0-9]{2}\s*\Z")
_DRAFTED = re.compile(r"\s*DRAFTED?Y? ?BY:?\s*(?P<who>.*?)\s*\Z")
_APPROVED = re.compile(r"\s*[AE]PPROVED ?BY:?\s*(?P<who>.*?)\s*\Z")
_DASHES = re.compile(r"\s*-{10,}[\s0-9Z/]*\Z")
_ADDRESSEE = re.compile(
    r"(?:(?P<ri>[A-Z]{4,8}|ZEN)/)?(?P<name>\S.*?)"
    r"(?: +(?P<precedence>NIACT IMMEDIATE|FLASH|IMMEDIATE|PRIORITY|ROUTINE))?"
    r"(?: +(?P<mcn>[0-9]{1,6}(?:-[0-9]{1,6})?))?\Z",
    re.IGNORECASE,
)
_LETTER_CLASSIFICATION = {
    "U": "UNCLASSIFIED",
    "E": "UNCLASSIFIED",
    "C": "CONFIDENTIAL",
    "S": "SECRET",
    "T": "TOP SECRET",
}
_LABEL = re.compile(r"\s*(?:E\. ?O\.|EO [0-9]|TAGS\b|SUBJ(?:ECT)?\b|REFS?:)", re.IGNORECASE)
_PRECEDENCE_ALONE = re.compile(
    r"\s*(?:NIACT IMMEDIATE|FLASH|IMMEDIATE|PRIORITY|ROUTINE)?(?: ?[0-9]{1,6})?\s*\Z"
)
_PROSE = re.compile(r".*[a-z]{3}|.{75}|\s*[0-9]{1,2}\. ")


def read_heading(reading: Reading, start: int) -> int:
    """Read the heading from piece `start` on; the index of the first piece that is not of it."""
    pieces = reading.pieces
    index = _read_transmission(reading, start)
    index = _read_department_lines(reading, index)
    found = index > start
    index, addressed = _read_address(reading, index)
    if not (found or addressed):
        return start
    for piece in pieces[start:index]:
        if not piece.kind:
            piece.kind = "unknown"
    return index


def _read_transmission(reading: Reading, index: int) -> int:
    """Format lines 1 to 4. Their order is fixed, each may be missing."""
    pieces = reading.pieces
    values: dict[str, str | None] = {}
    routing: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    last = index
    calling: re.Match[str] | None = None
    for at in range(index, min(index + 30, len(pieces))):
        piece = pieces[at]
        if piece.kind:
            continue
        text = piece.text
        if not values.get("id") and (match := _TRANSMISSION_ID.match(text)):
            piece.kind = "transmission-id"
            values["id"] = text.strip()
        elif match := _ROUTING.match(text):
            piece.kind = "routing-line"
            values["precedence"] = PRECEDENCES[match["prec"]]
            routing = tuple(match["ris"].split())
        elif routing and calling is None and _ROUTING_MORE.match(text):
            piece.kind = "routing-line"
            routing += tuple(text.split())
        elif calling is None and (match := _CALLING.match(text)):
            piece.kind = "calling-station"
            calling = match
        elif match := _SECURITY.match(text):
            piece.kind = "security-line"
            values["classification"] = _LETTER_CLASSIFICATION.get(match["letters"][0])
            signals = (match["signal"], *_signals_of(match["rest"]))
        else:
            break
        last = at + 1
    if last == index:
        return index
    reading.dialect = "acp127"
    reading.transmission = Transmission(
        id=values.get("id"),
        precedence=values.get("precedence"),
        routing=routing,
        station=calling["ri"] if calling else None,
        station_serial=calling["serial"] if calling else None,
        section=calling["section"] if calling else None,
        filed=calling["filed"] if calling else None,
        classification=values.get("classification"),
        operating_signals=signals,
    )
    return last


def is_transmission_start(text: str) -> bool:
    """Whether a line is format line 1, which begins a wire heading."""
    return _TRANSMISSION_ID.match(text) is not None


def is_office_list(text: str) -> bool:
    """Whether a line begins the office list of a 1973-79 copy."""
    return _OFFICE_LIST.match(text) is not None


def is_queue_number(text: str) -> bool:
    """Whether a line holds nothing but the two digits that stand above an office list."""
    return _QUEUE.match(text) is not None


def is_heading_line(text: str) -> bool:
    """Whether a line can only belong to a heading: format lines 2 to 4, an office list, FM."""
    patterns = (_ROUTING, _CALLING, _SECURITY, _OFFICE_LIST, _INFO_OFFICES, _DRAFTED, DTG_LINE)
    return any(pattern.match(text) for pattern in patterns) or bool(
        CLASSIFICATION_LINE.match(text) or _FM.match(text)
    )


def _signals_of(text: str) -> tuple[str, ...]:
    return tuple(OPERATING_SIGNAL.findall(text.split("(")[0]))


def _read_department_lines(reading: Reading, index: int) -> int:
    """Queue number, office list, drafting officers and dash line of 1973-79 copies."""
    pieces = reading.pieces
    offices: list[str] = []
    drafting: list[Piece] = []
    last = index
    zone = ""
    for at in range(index, min(index + 120, len(pieces))):
        piece = pieces[at]
        text = piece.text
        if piece.kind == "page-line":
            last = at + 1
        if piece.kind:
            continue
        if DTG_LINE.match(text) or _FM.match(text):
            break
        if zone in ("", "offices") and (_OFFICE_LIST.match(text) or _INFO_OFFICES.match(text)):
            zone, piece.kind = "offices", "distribution"
            offices.append(text)
        elif zone == "offices" and _OFFICES_MORE.match(text):
            piece.kind = "distribution"
            offices.append(text)
        elif _QUEUE.match(text) and zone == "":
            piece.kind = "queue-number"
        elif _DRAFTED.match(text) or _APPROVED.match(text):
            zone, piece.kind = "drafting", "drafting"
            drafting.append(piece)
        elif _DASHES.match(text):
            zone, piece.kind = "dashes", "dash-line"
        elif zone == "drafting" and len(drafting) < 30:
            piece.kind = "drafting"
            drafting.append(piece)
        else:
            break
        last = at + 1
    if last > index:
        reading.dialect = "sas" if reading.dialect == "fragment" else reading.dialect
    if offices:
        reading.distribution = _distribution(reading, offices, pieces[index])
    _read_drafting(reading, drafting)
    return last


def _distribution(reading: Reading, lines: list[str], place: Piece) -> Distribution:
    groups: dict[str, list[str]] = {"ACTION": [], "ORIGIN": [], "INFO": []}
    group = "INFO"
    for line in lines:
        first = line.split(maxsplit=1)[0] if line.strip() else ""
        group = first if first in groups else group
        groups[group].extend(_OFFICE.findall(line))
    tail = _OFFICE_TOTAL.search(lines[-1].rstrip())
    total = int(tail["total"]) if tail and tail["total"] else None
    counted = sum(
        int(office[-2:]) for office in (*groups["ACTION"], *groups["ORIGIN"], *groups["INFO"])
    )
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


def _read_drafting(reading: Reading, drafting: list[Piece]) -> None:
    for piece in drafting:
        if match := _DRAFTED.match(piece.text):
            reading.drafted_by = match["who"] or None
        elif match := _APPROVED.match(piece.text):
            reading.approved_by = match["who"] or None


def _read_address(reading: Reading, index: int) -> tuple[int, bool]:
    """Format lines 5 to 10; the index after them, and whether there was any."""
    pieces = reading.pieces
    found = False
    zone = ""
    blanks = 0
    last = index
    for at in range(index, len(pieces)):
        piece = pieces[at]
        text = piece.text
        if piece.kind:
            blanks += piece.kind == "blank"
            continue
        if CLASSIFICATION_LINE.match(text) or _LABEL.match(text):
            break
        if reading.dtg is None and not found and (match := DTG_LINE.match(text)):
            _read_dtg(reading, piece, match)
        elif not zone and (match := _FM.match(text)):
            zone, piece.kind = "from", "originator"
            reading.originator = _station(match["name"])
        elif (
            zone != "" and reading.originator and not reading.action and (match := _TO.match(text))
        ):
            zone, piece.kind = "to", "action-addressee"
            _address(reading.action, match["name"])
        elif not zone and (match := _TO.match(text)) and _ADDRESSEE.match(match["name"]):
            if not _looks_addressed(match["name"]):
                break
            zone, piece.kind = "to", "action-addressee"
            _address(reading.action, match["name"])
        elif (zone or found) and (match := _INFO.match(text)):
            zone, piece.kind = "info", "info-addressee"
            _address(reading.info, match["name"])
        elif zone in ("to", "info") and (match := _XMT.match(text)):
            zone, piece.kind = "exempt", "exempt-addressee"
            _address(reading.exempt, match["name"])
        elif _BT.match(text):
            piece.kind = "separator"
            last, found = at + 1, True
            break
        elif zone and _PREFIX.match(text):
            piece.kind = "prefix"
        elif zone in ("to", "info", "exempt") and _continues(reading, zone, piece):
            pass
        else:
            break
        found, last, blanks = True, at + 1, 0
    return last, found


def _looks_addressed(name: str) -> bool:
    return bool(re.match(r"[A-Z]{4,8}/|SECSTATE|AM[CE]|US[A-Z]|ALL\b|[A-Z ]+ COLLECTIVE", name))


def _continues(reading: Reading, zone: str, piece: Piece) -> bool:
    """Read a line that goes on with the addressees of the zone, if it is one."""
    text = piece.text.strip()
    if LOOSE_CLASSIFICATION_LINE.match(text) or _PROSE.match(text):
        return False
    lists: dict[str, tuple[list[Addressee], str]] = {
        "to": (reading.action, "action-addressee"),
        "info": (reading.info, "info-addressee"),
        "exempt": (reading.exempt, "exempt-addressee"),
    }
    addressees, piece.kind = lists[zone]
    if addressees and _PRECEDENCE_ALONE.match(text):
        # The line was folded before the precedence: it belongs to the addressee above.
        last = addressees.pop()
        name = f"{last.routing_indicator}/{last.name}" if last.routing_indicator else last.name
        text = f"{name} {text}"
    _address(addressees, text)
    return True


def _address(addressees: list[Addressee], text: str) -> None:
    """Add the addressee that the text names; `X COLLECTIVE, XMT Y` is dealt with by the caller."""
    match = _ADDRESSEE.match(" ".join(text.split()))
    assert match is not None, "the pattern takes any text that is not blank"
    precedence = match["precedence"].upper() if match["precedence"] else None
    addressees.append(Addressee(match["name"], match["ri"], precedence, match["mcn"]))


def _station(text: str) -> Station:
    name = " ".join(text.split())
    match = re.match(r"([A-Z]{4,8})/(.+)", name)
    return Station(match[2], match[1]) if match else Station(name)


def _read_dtg(reading: Reading, piece: Piece, match: re.Match[str]) -> None:
    piece.kind = "date-time-group"
    if match["first"]:
        reading.precedence = PRECEDENCES[match["first"].upper()]
    if match["second"]:
        reading.info_precedence = PRECEDENCES[match["second"].upper()]
    reading.dtg = time_of(int(match["day"]), match["time"], match["month"], match["year"])
    if reading.dtg is None:
        message = f"{piece.text.strip()!r} is no date and time"
        reading.doubt("dtg-unreadable", message, piece, "error")
    if reading.transmission and (signals := _signals_of(match["rest"])):
        reading.transmission = _replace_signals(reading.transmission, signals)


def _replace_signals(transmission: Transmission, more: tuple[str, ...]) -> Transmission:
    signals = transmission.operating_signals + more
    return msgspec.structs.replace(transmission, operating_signals=signals)


def finish_heading(reading: Reading) -> None:
    """What the lines of a heading say together: NIACT, and the time of filing with its year."""
    if any(a.precedence == "NIACT IMMEDIATE" for a in reading.action) and reading.precedence in (
        None,
        "IMMEDIATE",
    ):
        reading.precedence = "NIACT IMMEDIATE"
    transmission = reading.transmission
    if transmission is None or transmission.filed is None:
        return
    year = int(reading.dtg[:4]) if reading.dtg else reading.year
    filed = None
    if year is not None and len(transmission.filed) == 7:
        filed = filing_time(transmission.filed, year)
    if (
        filed
        and reading.dtg
        and filed < reading.dtg
        and filed[5:7] == "01"
        and reading.dtg[5:7] == "12"
    ):
        filed = filing_time(transmission.filed, int(reading.dtg[:4]) + 1)
    if reading.dtg and filed and abs(_days(filed) - _days(reading.dtg)) > 2:
        message = f"filed {filed[:10]}, but the date-time group says {reading.dtg[:10]}"
        reading.doubt("filing-time-differs", message)
    reading.transmission = msgspec.structs.replace(transmission, filed=filed)


def _days(iso: str) -> int:
    return date.fromisoformat(iso[:10]).toordinal()
