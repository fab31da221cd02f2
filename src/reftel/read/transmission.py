"""Format lines 1 to 4 of ACP 127: how a copy travelled (wire-format.md 1.1 to 1.4, 0.3).

A pilot is a small heading that a relay put before the whole message; routing then goes by the pilot,
identification by the heading inside (wire-format.md 1.1.2).
"""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

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
_FIRST: Final = frozenset("VZJORPYD0")
_LONGEST: Final = 40


def is_transmission_start(text: str) -> bool:
    """Whether a line is format line 1, which begins a wire heading."""
    return text[:1] in "VZ " and _TRANSMISSION_ID.match(text) is not None


def is_transmission_line(text: str) -> bool:
    """Whether a line can only be one of format lines 2 to 4."""
    return text.lstrip()[:1] in _FIRST and any(
        pattern.match(text) for pattern in (_ROUTING, _CALLING, _SECURITY, _JANAP)
    )


def _first_line(text: str) -> Procedure:
    """Format line 1: identification, and the security prosign behind it."""
    plain = text.strip()
    prosign = plain[-2:] if plain[-3:] in (" UU", " HH") else None
    return Procedure(id=plain[:-2].rstrip() if prosign else plain, prosign=prosign)


def signals_of(text: str) -> tuple[str, ...]:
    """The operating signals of a line, remarks in brackets left out."""
    return tuple(OPERATING_SIGNAL.findall(text.split("(")[0]))


def read_transmission(reading: Reading, index: int) -> int:
    """Read format lines 1 to 4 from piece `index` on; the index after them. Each may be missing."""
    pieces = reading.pieces
    values: dict[str, str | None] = {}
    routing: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    inner = False
    written = Procedure()
    last = index
    for at in range(index, min(index + _LONGEST, len(pieces))):
        piece = pieces[at]
        if piece.kind:
            continue
        if last == index and piece.first not in _FIRST:
            # None of these lines opens so.
            break
        text = piece.text
        if "id" not in values and _TRANSMISSION_ID.match(text):
            piece.kind = "transmission-id"
            values["id"] = " ".join(text.split())
            written = _first_line(text)
        elif match := _ROUTING.match(text):
            piece.kind = "routing-line"
            called = tuple(match["ris"].split())
            precedence = PRECEDENCES[match["prec"].replace("0", "O")]
            if signals and "ri" not in values and written.routing:
                # What is above was the pilot of a message that had made no hop yet.
                inner = True
                reading.headings.append(written)
                written = Procedure()
            written = replace(written, precedence=precedence, routing=called)
            if not inner:
                values["precedence"] = precedence
                routing = called
        elif routing and "ri" not in values and not signals and _ROUTING_MORE.match(text):
            piece.kind = "routing-line"
            called = tuple(text.split())
            written = replace(written, routing=written.routing + called)
            routing += called
        elif "ri" not in values and (match := _CALLING.match(text)):
            piece.kind = "calling-station"
            values |= match.groupdict()
            serial = text.split()[2:3]
            written = replace(
                written,
                station=match["ri"],
                serial=serial[0] if match["serial"] else None,
                filed=match["filed"],
            )
        elif match := _SECURITY.match(text):
            piece.kind = "security-line"
            values["classification"] = _LETTER_CLASSIFICATION.get(match["letters"][0])
            if written.security is None:
                written = replace(
                    written,
                    security=f"{match['signal']} {match['letters']}",
                    instructions=" ".join(match["rest"].split()) or None,
                )
            signals += tuple(
                each
                for each in (match["signal"], *signals_of(match["rest"]))
                if each not in signals
            )
        elif signals and "ri" not in values and _OLDER_ID.match(text):
            # The heading of an earlier hop stands inside: what is above it was a relay's pilot.
            piece.kind, inner = "transmission-id", True
            reading.headings.append(written)
            written = _first_line(text)
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
    reading.headings.append(written)
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
