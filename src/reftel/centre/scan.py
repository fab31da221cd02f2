"""A message as a relay sees it: format lines 1 to 4 and its ending, the rest untouched.

Reading a whole telegram is for those who deliver it; a relay answers for the heading alone (ACP 127
402), and text is sacred (201.b): what goes on is what came, but for format lines 1 and 2.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from reftel.read.dtg import DTG_LINE, MONTHS, PRECEDENCES
from reftel.read.elements import Piece, cut_lines
from reftel.read.reading import Reading
from reftel.read.transmission import read_transmission
from reftel.telegram import CLASSIFICATIONS, Procedure
from reftel.write.circuit import encode, functions
from reftel.write.wire import LETTERS, procedure_lines

RANKS = {"Y": 0, "Z": 1, "O": 2, "P": 3, "R": 4}
"""The order in which prosigns leave (wire-format.md 3.4); one that is unknown goes before all."""

CANCELLED = "E E E E E E E E AR"
ENDING = "\n" * 8 + "NNNN\n"
_FUNCTIONS = b"\r\x7f\0\a"
_NOISE = 300
_HEAD_LINES = 60
_HOP = re.compile(r"(?:V?ZCZC ?|VV +)(?P<channel>[A-Z]{3}) ?(?P<number>[0-9]{3,4})")
_END = re.compile(r"\n[ \t]*NNNN[ \t]*(?=\n|\Z)")
# Format lines 1 to 5 as the specification writes them (wire-format.md 1.1 to 1.5): most traffic. It is read
# by this alone, several times as fast; whatever is written otherwise is read by the reader's own rules.
_STRICT = re.compile(
    r"(?P<id>VZCZC(?P<channel>[A-Z]{3})(?P<number>[0-9]{3,4}))(?: {5})?\n"
    r"(?P<letter>[ZOPRY])(?P=letter)"
    r"(?P<routing>(?: [A-Z]{4,8})+(?:\n[A-Z]{4,8}(?: [A-Z]{4,8})*){0,8})\n"
    r"(?P<called>DE (?P<station>[A-Z]{4,8}) (?P<serial>#?[0-9]{1,4}(?:/[0-9]{2})?) (?P<filed>[0-9]{7})\n)"
    r"(?P<security>ZN[RY] [A-Z]{4,5})(?P<instructions>(?: [A-Z]{3}[0-9]?)*)\n"
    rf"[ZOPRY](?P<second> [ZOPR])? [0-3][0-9]{{5}}Z (?:{'|'.join(MONTHS)}) (?:(?:19|20)?[0-9]{{2}})"
    r"(?: [A-Z]{3}[0-9]?)*\n"
)
_LEVELS = {"U": 0, "E": 0, "C": 2, "S": 3, "T": 4}
_RISING = {level: at for at, level in enumerate(CLASSIFICATIONS)}
_WORDS = re.compile(
    r"(?:BT\n)?\s*(UNCLAS|CONFIDENTIAL|C O N F I D E N T I A L|SECRET|S E C R E T"
    r"|TOP SECRET|T O P +S E C R E T|LIMITED OFFICIAL USE)"
)


class Scanned(msgspec.Struct, frozen=True):
    """What a heading says.

    `hop` is the channel number of format line 1 as service messages write it (`NVA027`), `channel` and
    `number` its parts; `letter` is the prosign of format line 2 and
    `routing` its routing indicators; `message` is station, serial and time of filing, by which service
    messages name it (ACP 127 116). `outer` is the pilot, or the heading where there is none; `inner`
    the message's own. `rest` is everything behind format line 2 up to the ending, which a relay leaves
    as it is; `content` a digest of the message from its format line 3 on, the same at every hop.
    """

    hop: str | None
    channel: str | None
    number: int | None
    letter: str
    routing: tuple[str, ...]
    message: str | None
    classification: str | None
    outer: Procedure
    inner: Procedure
    rest: str
    content: str
    dual: bool
    cancelled: bool
    problems: tuple[str, ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """What the outermost format line 4 says behind the security warning."""
        return tuple((self.outer.instructions or "").split())

    @property
    def suspected_duplicate(self) -> bool:
        return "ZFD" in self.signals


def scan(data: bytes) -> Scanned:
    """Read the heading of one transmission. Damage never raises: `problems` says what is wrong."""
    return scan_text(text_of(data))


def text_of(data: bytes) -> str:
    """The characters of what came, a line feed at each line's end. A byte beyond ASCII is one character:
    it goes on as it came."""
    return data.translate(None, _FUNCTIONS).decode("latin-1")


def bytes_for(text: str, code: str = "ascii") -> bytes:
    """The bytes of a message for a circuit, the reverse of `text_of`."""
    return encode(text, "ita2") if code == "ita2" else functions(text).encode("latin-1")


def scan_text(text: str) -> Scanned:
    """The same of a text whose lines a line feed ends."""
    start = text.find("ZCZC", 0, _NOISE)
    text = text[max(start - 1, 0) if start > 0 and text[start - 1] == "V" else max(start, 0) :]
    text = text.lstrip("\n\r ")
    if (bare := text.rstrip("\n")).endswith("\nNNNN"):
        end = len(bare) - len("\nNNNN")
    else:
        end = max((match.start() for match in _END.finditer(text)), default=-1)
    message = text[:end] if end >= 0 else text
    cancelled = message.rstrip().endswith(CANCELLED)
    message = message.rstrip("\n ")
    problems = [] if end >= 0 else ["no NNNN ends it: it is cut short"]
    if match := _STRICT.match(message):
        return _strict(match, message, cancelled, problems)
    return _scan_freely(message, cancelled, problems)


def _strict(match: re.Match[str], message: str, cancelled: bool, problems: list[str]) -> Scanned:
    """What `_STRICT` found, as `_scan_freely` would say it."""
    routing = tuple(match["routing"].split())
    heading = Procedure(
        id=match["id"],
        precedence=PRECEDENCES[match["letter"]],
        routing=routing,
        station=match["station"],
        serial=match["serial"],
        filed=match["filed"],
        security=match["security"],
        instructions=match["instructions"][1:] or None,
    )
    rest = message[match.start("called") :]
    return Scanned(
        hop=match["channel"] + match["number"],
        channel=match["channel"],
        number=int(match["number"]),
        letter=match["letter"],
        routing=tuple(dict.fromkeys(routing)),
        message=f"{match['station']} {match['serial']} {match['filed']}",
        classification=_classification(heading, message),
        outer=heading,
        inner=heading,
        rest=rest,
        content=_digest(rest),
        dual=match["second"] is not None,
        cancelled=cancelled,
        problems=tuple(problems),
    )


def _scan_freely(message: str, cancelled: bool, problems: list[str]) -> Scanned:
    """A heading with pilots, damage, or lines left out, by the rules of the reader."""
    reading = Reading(message, cut_lines(_head(message)))
    for piece in reading.pieces:
        if not piece.text.strip():
            # Copies in State's form have an empty line behind format line 2.
            piece.kind = "blank"
    behind = read_transmission(reading, 0)
    outer = reading.headings[0] if reading.headings else Procedure()
    inner = reading.headings[-1] if reading.headings else Procedure()
    hop = _HOP.match(outer.id or "")
    if hop is None:
        problems.append("format line 1 has no channel number")
    if not outer.routing:
        problems.append("format line 2 names no station")
    pieces = reading.pieces
    called = _behind_routing(pieces)
    own = max(
        (piece.start for piece in pieces[:behind] if piece.kind == "calling-station"),
        default=called,
    )
    if inner.station is None:
        problems.append("format line 3 names no calling station")
    named = inner.station and inner.filed and inner.serial
    dual = False
    for piece in pieces[behind : behind + 4]:
        if match := DTG_LINE.match(piece.text):
            dual = match["second"] is not None
            break
    return Scanned(
        hop=f"{hop['channel']}{hop['number']}" if hop else None,
        channel=hop["channel"] if hop else None,
        number=int(hop["number"]) if hop else None,
        letter=LETTERS.get(outer.precedence or "", "R" if outer.routing else "Z"),
        routing=tuple(dict.fromkeys(outer.routing)),
        message=f"{inner.station} {inner.serial} {inner.filed}" if named else None,
        classification=_classification(inner, message),
        outer=outer,
        inner=inner,
        rest=message[called:],
        content=_digest(message[own:]),
        dual=dual,
        cancelled=cancelled,
        problems=tuple(problems),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _head(text: str) -> str:
    """The first lines of a text: a heading's, however long its routing line is."""
    at = -1
    for _ in range(_HEAD_LINES):
        at = text.find("\n", at + 1)
        if at < 0:
            return text
    return text[: at + 1]


def _behind_routing(pieces: list[Piece]) -> int:
    """Where format line 2 of the outermost heading ends."""
    end = 0
    for piece in pieces:
        if (piece.kind == "transmission-id" and end == 0) or piece.kind == "routing-line":
            end = piece.end
        elif end and piece.kind:
            break
    return end


def _classification(inner: Procedure, text: str) -> str | None:
    """The highest of the security warning and the text's first words; none of both fails safe later
    (wire-format.md 8.2)."""
    found: list[int] = []
    if inner.security:
        letters = inner.security.split()[-1]
        found.append(_LEVELS.get(letters[:1], 4))
    at = text.find("\nBT\n")
    match = _WORDS.match(text, at + 1) if at >= 0 else None
    if match:
        word = match[1].replace(" ", "")
        level = {"U": 0, "L": 1, "C": 2, "S": 3, "T": 4}[word[0]]
        found.append(level)
    if not found:
        return None
    return ("UNCLASSIFIED", "LIMITED OFFICIAL USE", "CONFIDENTIAL", "SECRET", "TOP SECRET")[
        max(found)
    ]


def may_carry(cleared: str, classification: str | None) -> bool:
    """Whether a circuit cleared so high may carry a message; an unknown classification is the highest
    (ACP 127 203.b)."""
    return _RISING[cleared] >= _RISING[classification or "TOP SECRET"]


def onward(
    scanned: Scanned,
    hop: str | None,
    routing: tuple[str, ...],
    letter: str,
    pilot: str | None = None,
) -> str:
    """The message for one path: a new format line 1, a format line 2 with this path's stations, the rest
    as it came; no format line 1 where this is not yet a transmission (`hop` None). `pilot` puts a small
    heading before it, with these instructions (ACP 127 427)."""
    heading = Procedure(
        id=f"VZCZC{hop}" if hop else None,
        precedence=PRECEDENCES[letter],
        routing=routing,
        prosign=scanned.outer.prosign,
    )
    lines = procedure_lines(heading, "acp127")
    if pilot is None:
        return "\n".join(lines) + "\n" + scanned.rest + ENDING
    security = scanned.inner.security or "ZNY TTTTT"
    older = (scanned.outer.id or "").removeprefix("V").removeprefix("ZCZC")
    inside = procedure_lines(
        Procedure(
            id=older or None, precedence=PRECEDENCES[scanned.letter], routing=scanned.routing
        ),
        "acp127",
    )
    return "\n".join([*lines, f"{security} {pilot}", *inside]) + "\n" + scanned.rest + ENDING


def cancellation(hop: str, routing: tuple[str, ...], letter: str) -> str:
    """A transmission given up in its course: its number is used, the message follows (ACP 127 424.a)."""
    heading = Procedure(id=f"VZCZC{hop}", precedence=PRECEDENCES[letter], routing=routing)
    return "\n".join(procedure_lines(heading, "acp127")) + f"\n{CANCELLED}{ENDING}"
