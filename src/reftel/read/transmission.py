"""Format lines 1 to 4 of ACP 127: how a copy travelled (wire-format.md 1.1 to 1.4, 0.3).

A pilot is a small heading that a relay put before the whole message; routing then goes by the pilot,
identification by the heading inside (wire-format.md 1.1.2).
"""

from __future__ import annotations

import re
from typing import Final

from reftel.read.dtg import OPERATING_SIGNAL, PRECEDENCES
from reftel.read.reading import Reading
from reftel.telegram import Procedure, Transmission

# fl1 = ["V"] "ZCZC" channel serial *older-ti [5SP secpro] | "VV" 3SP channel serial
_TRANSMISSION_ID: Final = re.compile(
    r"\s*(?:V?ZCZ ?C ?[A-Z]{2,3} ?[0-9]{3,4}|VV {3}[A-Z]{3}[0-9]{3,4})"
    r"(?:(?:VV {3})?[A-Z]{3}[0-9]{3,4})*(?: +(?:UU|HH))?\s*\Z"
)
_OLDER_ID: Final = re.compile(r"\s*(?:VV {3})?(?:[A-Z]{3}[0-9]{3,4})+(?: +(?:UU|HH))?\s*\Z")
_ROUTING: Final = re.compile(
    # `00` is OO in a scan.
    r"\s*(?:J{3,}S{3,})?(?P<prec>[ZOPRY0])(?P=prec)(?P<ris>(?: +[A-Z]{4,8})+)\s*\Z"
)
_ROUTING_MORE: Final = re.compile(r"\s*[A-Z]{4,8}(?: +[A-Z]{4,8})*\s*\Z")
_CALLING: Final = re.compile(
    r"\s*DE (?P<ri>[A-Z]{4,8})(?: +#?(?P<serial>[0-9]{1,4}[A-Z]?)(?:/(?P<section>[0-9]{1,2}))?)?"
    r"(?: +(?P<filed>[0-9]{7}|[0-9]{2}/[0-9]{4}[A-Z]))?\s*\Z"
)
_SECURITY: Final = re.compile(
    r"\s*(?P<signal>ZN[RY]) +(?P<letters>[A-Z]{4,5})(?![A-Z])(?P<rest>.*)\Z"
)
_JANAP: Final = re.compile(
    r"\s*(?P<prec>[ZOPRY])[A-Z]{2}(?P<class>[A-Z])(?:[A-Z]{4}|[A-Z]{3}[0-9]) (?P<ri>[A-Z]{4,7})\s*"
    r"(?P<serial>[0-9]{4}) (?P<filed>[0-9]{7})-(?P<letters>[A-Z]{4})--(?P<ris>[A-Z ]+)\."
)
_LETTER_CLASSIFICATION: Final = {
    "U": "UNCLASSIFIED",
    "E": "UNCLASSIFIED",
    "C": "CONFIDENTIAL",
    "S": "SECRET",
    "T": "TOP SECRET",
}
_ROUTING_FIRST: Final = frozenset("ZOPRY0J")
_FIRST: Final = _ROUTING_FIRST | frozenset("VD")
_LONGEST: Final = 40


def is_transmission_start(text: str) -> bool:
    """Whether a line is format line 1, which begins a wire heading."""
    return text[:1] in "VZ " and _TRANSMISSION_ID.match(text) is not None


def is_transmission_line(text: str) -> bool:
    """Whether a line can only be one of format lines 2 to 4."""
    first = text.lstrip()[:1]
    if first not in _FIRST:
        return False
    if first == "D":
        return _CALLING.match(text) is not None
    return (
        _ROUTING.match(text) is not None
        or (first == "Z" and _SECURITY.match(text) is not None)
        or _JANAP.match(text) is not None
    )


class _Written:
    """The procedure lines of one station while they are being read."""

    def __init__(self, first_line: str = "") -> None:
        plain = first_line.strip()
        # Behind the identification stands the security prosign.
        self.prosign = plain[-2:] if plain[-3:] in (" UU", " HH") else None
        self.id = (plain[:-2].rstrip() if self.prosign else plain) or None
        self.precedence: str | None = None
        self.routing: tuple[str, ...] = ()
        self.station: str | None = None
        self.serial: str | None = None
        self.filed: str | None = None
        self.security: str | None = None
        self.instructions: str | None = None

    def finished(self) -> Procedure:
        return Procedure(
            self.id,
            self.prosign,
            self.precedence,
            self.routing,
            self.station,
            self.serial,
            self.filed,
            self.security,
            self.instructions,
        )


def signals_of(text: str) -> tuple[str, ...]:
    """The operating signals of a line, remarks in brackets left out."""
    return tuple(OPERATING_SIGNAL.findall(text.split("(")[0]))


def read_transmission(reading: Reading, index: int) -> int:
    """Read format lines 1 to 4 from piece `index` on; the index after them. Each may be missing."""
    pieces = reading.pieces
    opening = index
    while opening < len(pieces) and pieces[opening].kind:
        opening += 1
    if opening == len(pieces) or pieces[opening].first not in _FIRST:
        # None of these lines opens so.
        return index
    values: dict[str, str | None] = {}
    routing: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    inner = False
    written = _Written()
    last = index
    for at in range(index, min(index + _LONGEST, len(pieces))):
        piece = pieces[at]
        if piece.kind:
            continue
        first, text = piece.first, piece.text
        if (first == "V" or first == "Z") and "id" not in values and _TRANSMISSION_ID.match(text):
            piece.kind = "transmission-id"
            values["id"] = " ".join(text.split())
            written = _Written(text)
        elif first in _ROUTING_FIRST and (match := _ROUTING.match(text)):
            piece.kind = "routing-line"
            called = tuple(match["ris"].split())
            precedence = PRECEDENCES[match["prec"].replace("0", "O")]
            if signals and "ri" not in values and written.routing:
                # What is above was the pilot of a message that had made no hop yet.
                inner = True
                reading.headings.append(written.finished())
                written = _Written()
            written.precedence, written.routing = precedence, called
            if not inner:
                values["precedence"] = precedence
                routing = called
        elif routing and "ri" not in values and not signals and _ROUTING_MORE.match(text):
            piece.kind = "routing-line"
            called = tuple(text.split())
            written.routing += called
            routing += called
        elif first == "D" and "ri" not in values and (match := _CALLING.match(text)):
            piece.kind = "calling-station"
            values |= match.groupdict()
            serial = text.split()[2:3]
            written.station, written.filed = match["ri"], match["filed"]
            written.serial = serial[0] if match["serial"] else None
        elif first == "Z" and (match := _SECURITY.match(text)):
            piece.kind = "security-line"
            values["classification"] = _LETTER_CLASSIFICATION.get(match["letters"][0])
            if written.security is None:
                written.security = f"{match['signal']} {match['letters']}"
                written.instructions = " ".join(match["rest"].split()) or None
            signals += tuple(
                each
                for each in (match["signal"], *signals_of(match["rest"]))
                if each not in signals
            )
        elif signals and "ri" not in values and _OLDER_ID.match(text):
            # The heading of an earlier hop stands inside: what is above it was a relay's pilot.
            piece.kind, inner = "transmission-id", True
            reading.headings.append(written.finished())
            written = _Written(text)
        elif at == index and (match := _JANAP.match(text)):
            piece.kind = "calling-station"
            values |= {"ri": match["ri"], "serial": match["serial"], "filed": match["filed"]}
            values["precedence"] = PRECEDENCES[match["prec"]]
            values["classification"] = _LETTER_CLASSIFICATION.get(match["letters"][0])
            routing = tuple(match["ris"].split())
        else:
            break
        last = at + 1
    if last == index:
        return index
    reading.dialect = "acp127"
    reading.headings.append(written.finished())
    reading.transmission = Transmission(
        id=values.get("id"),
        precedence=values.get("precedence"),
        routing=routing,
        station=values.get("ri"),
        station_serial=values.get("serial"),
        section=values.get("section"),
        filed=values.get("filed"),
        classification=values.get("classification"),
        operating_signals=signals,
    )
    return last
