"""Format lines 5 to 11: preamble, address, prefix and the BT before the text (wire-format.md 1.5 to
1.11, 7; telegram-content.md 3.6, 3.7)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from reftel import tables
from reftel.read.classification import (
    DAMAGED_OPENINGS,
    LEVEL_OPENINGS,
    LOOSE_CLASSIFICATION_LINE,
    OUTGOING,
    is_classification_line,
    match_classification,
    opens_level,
)
from reftel.read.damaged_prosigns import DAMAGED_FM, DAMAGED_TO, behind_damaged_info
from reftel.read.dtg import (
    DTG_FIRST,
    GARBLED_DTG_LINE,
    MONTHS,
    PRECEDENCES,
    WRECKED_DTG_LINE,
    day_of_year,
    match_dtg,
    mend_digits,
    near_months,
    opens_dtg,
    time_of,
)
from reftel.read.elements import Piece, cut
from reftel.read.furniture import match_page_line
from reftel.read.lettercase import capitals
from reftel.read.reading import Reading
from reftel.read.transmission import signals_of
from reftel.telegram import Addressee, Readdressal, Repair, Span, Station, full_year

# A name goes on to the end of its line; whoever takes it takes its words.
_FM: Final = re.compile(r"\s*(?:FM[: ]|FROM:)\s*(?P<name>\S.*)", re.IGNORECASE)
_TO: Final = re.compile(r"\s*TO[: ]\s*(?P<name>\S.*)", re.IGNORECASE)
_TO_GLUED: Final = re.compile(r"\s*TO(?P<name>R[UH][A-Z]{3,6}/\S.*)")
_ACTION: Final = re.compile(
    r"\s*ACTION ?:?\s+(?P<name>(?:AM ?EMB|AM ?CON|US ?MISSION|USUN\b|ALL (?:AM|DIP|POSTS)).*)",
    re.IGNORECASE,
)
_MIXED_POST: Final = re.compile(
    r"(?:Am ?Emb(?:assy)?|Am ?Con(?:sul)?|US ?Mission) [A-Z][A-Z ]{2,30}(?: [0-9]{1,5})?\Z"
)
_INFO: Final = re.compile(r"\s*INFO[: ]\s*(?P<name>\S.*)", re.IGNORECASE)
_XMT: Final = re.compile(r"\s*XMT[: /]\s*(?P<name>\S.*)", re.IGNORECASE)
_INNER_XMT: Final = re.compile(r"[, ]+XMT[: /]\s*", re.IGNORECASE)
_PAGE_BEHIND: Final = re.compile(r"\s*(?:TO|INFO) (?=PAGE [0-9])")
_ZONE_FIRST: Final = frozenset("TIX")
_ZONE_ALONE: Final = re.compile(r"\s*(?P<zone>TO|INFO|XMT):?\s*\Z")
_BT: Final = re.compile(r"\s*BT\s*\Z")
_PREFIX: Final = re.compile(r"\s*(?:[A-Z]+ )?GR(?:NC| ?[0-9]{1,4})\s*\Z")
_INDICATOR: Final = re.compile(r"[A-Z]{4,8}|ZEN")
_PRECEDENCE_WORDS: Final = frozenset(("NIACT", "FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"))
_CONTINUITY_NUMBER: Final = re.compile(r"[0-9]{1,6}(?:-[0-9]{1,6})?")
# `RUEHC / SECSTATE WASHDC`
_APART: Final = re.compile(r"(R[UH][A-Z]{3,6})(?: ?/ | / ?)([A-Z].*)")
_STATION: Final = re.compile(r"([A-Z]{4,8})/(.+)")
# Where lines were run together: the next prosign, and the next addressee behind a precedence.
_INNER_PROSIGN: Final = re.compile(
    r"(?<=\S) +(?=FM [A-Z]|(?:TO|INFO|XMT) (?:[A-Z]{4,8}/|SECSTATE|AM[CE]|US[A-Z]|ALL |[A-Z ]+ COLLECTIVE))"
)
_INNER_PRECEDENCE: Final = re.compile(
    r" (?:NIACT IMMEDIATE|FLASH|IMMEDIATE|PRIORITY|ROUTINE)(?: [0-9]{1,6})?(?= (?!FOR |INFO )[A-Z]{4})"
)
_INNER_COMMA: Final = re.compile(
    r"[,;] ?(?=[A-Z]{4,8}/[A-Z]|SECSTATE|AM(?:EMB|CON)|USMISSION|CINC)"
)
# `AMEMBASSY PARIS AMCONSUL ZURICH`
_POSTS: Final = frozenset(("AMEMBASSY", "AMCONSUL"))
_WORDS_OF_ONE_POST: Final = 3
_INNER_POST: Final = re.compile(
    r"(?<=[A-Z0-9]) (?=(?:AMEMBASSY|AMCONSUL) [A-Z])(?<!XMT )(?<!INFO )(?<!FOR )(?<!/ )"
)
_LONGEST_ALONE: Final = 32
_INNER_LEVEL: Final = re.compile(
    r" (?<=[A-Z0-9/] ) *"
    r"(?=(?:UNCLAS|C ?O ?N ?F ?I|S ?E ?C ?R ?E ?T|T ?O ?P +S ?E|LIMITED OFF)[A-Z ]{0,60} [0-9])"
)
_WORDS_OF_TWO: Final = 4
# How most names begin, and how a name ends that does not begin so.
_BEGINS: Final = ("AM", "US", "SECSTATE", "CINC", "DEPT")
_ENDS: Final = frozenset(("COLLECTIVE", "WASHDC", "WASHINGTON DC", "POSTS"))
_NO_INDICATOR: Final = ("US", "AM", "CINC", "COM")
_GROUPS: Final = frozenset(("AIG", "DTS", "OSIS"))
_GROUP: Final = re.compile(r"(?:AIG|DTS|OSIS) [0-9]+\Z")
_LABEL: Final = re.compile(
    r"\s*(?:E\. ?[O0]\.|EO [0-9]|TAGS\b|SUBJ(?:ECT)?\b|REFS?:)", re.IGNORECASE
)
_TOP_THIRD: Final = frozenset("Pp")
_LABEL_OPENINGS: Final = frozenset(("E.", "EO", "TA", "SU", "RE"))
_PRECEDENCE_ALONE: Final = re.compile(
    r"\s*(?:NIACT IMMEDIATE|FLASH|IMMEDIATE|PRIORITY|ROUTINE)?(?: ?[0-9]{1,6})?\s*\Z"
)
_LONGEST_PRECEDENCE: Final = len("NIACT IMMEDIATE 123456")
_PRECEDENCE_FIRST: Final = frozenset("NFIPR0123456789")
_PROSE: Final = re.compile(r".*[a-z]{3}|.{75}|\s*[0-9]{1,2}\. ")
_ADDRESSED: Final = re.compile(
    r"[A-Z]{4,8}/|SECSTATE|AM[CE]|US[A-Z]|ALL\b|[A-Z ]+ COLLECTIVE|AIG [0-9]", re.IGNORECASE
)
_ZONES: Final = {
    "TO": ("to", "action-addressee"),
    "INFO": ("info", "info-addressee"),
    "XMT": ("exempt", "exempt-addressee"),
}


_KINDS: Final = dict(_ZONES.values())


def is_marking(piece: Piece) -> bool:
    """Whether a line is one of the markings behind the address: the classification line, or a label."""
    text = piece.text
    opening = text.lstrip()[:2].upper()
    if opening in _LABEL_OPENINGS and _LABEL.match(text):
        return True
    if opening == "TO" and text.lstrip()[2:].lstrip()[:1] not in _TOP_THIRD:
        # Format line 7 opens as TOP SECRET does.
        return False
    if opening in LEVEL_OPENINGS:
        return match_classification(text) is not None
    return opening in DAMAGED_OPENINGS and is_classification_line(text)


def match_action(text: str) -> re.Match[str] | None:
    """The match of a line that names the action addressee as the Department's forms of the 1960s did:
    `ACTION: Amembassy BERN IMMEDIATE`."""
    return _ACTION.match(text) if text.lstrip()[:1] in ("A", "a") else None


def is_originator(text: str) -> bool:
    """Whether a line is format line 6."""
    return text.lstrip()[:1] in ("F", "f") and _FM.match(text) is not None


def read_address(reading: Reading, index: int) -> tuple[int, bool]:
    """Read format lines 5 to 11 from piece `index` on; the index after them, and whether there was any.

    A second preamble within the address is a readdressal: what stood before it is the supplementary
    heading, what follows is the message's own (wire-format.md 10.5).
    """
    pieces = reading.pieces
    _part_prosigns(reading, index)
    found = False
    zone = ""
    last = index
    for at in range(index, len(pieces)):
        piece = pieces[at]
        text = piece.text
        if piece.kind:
            continue
        first = piece.first.upper()
        if is_marking(piece):
            break
        opens = first in DTG_FIRST and opens_dtg(text)
        match = match_dtg(text) if opens else None
        if (
            match
            and zone not in ("", "from")
            and match["first"]
            and _follows_originator(pieces, at)
        ):
            if reading.dtg is not None:
                _set_readdressal(reading)
            # Else a republisher put sender and receiver above the heading.
            reading.action, reading.info, reading.exempt = [], [], []
            zone = ""
            _read_dtg(reading, piece, match)
        elif match and reading.dtg is None and (match["first"] or not found):
            _read_dtg(reading, piece, match)
        elif opens and not found and (garbled := GARBLED_DTG_LINE.match(text)) is not None:
            _read_garbled_dtg(reading, piece, garbled)
        elif not zone and reading.dtg is None and (match := above_originator(pieces, at)):
            _read_wrecked_dtg(reading, piece, match)
        elif not zone and first == "F" and (match := _FM.match(text)):
            zone, piece.kind = "from", "originator"
            reading.originator = station_of(match["name"])
        elif (
            first == "T"
            and (not zone or (zone == "from" and not reading.action))
            and (match := _TO.match(text))
            and (zone or _ADDRESSED.match(match["name"]) or reading.transmission or found)
        ) or (first == "A" and not zone and (match := match_action(text))):
            zone = _take(reading, piece, "TO", match["name"])
        elif first == "T" and zone in ("", "from") and (match := _TO_GLUED.match(text)):
            zone = _take(reading, piece, "TO", match["name"])
            reading.doubt(
                "words-run-together", "TO is run together with the address", piece, "info"
            )
        elif (
            first == "I"
            and (match := _INFO.match(text))
            and (zone or found or (text.isupper() and _ADDRESSED.match(match["name"])))
        ):
            zone = _take(reading, piece, "INFO", match["name"])
        elif zone in ("to", "info") and first == "X" and (match := _XMT.match(text)):
            zone = _take(reading, piece, "XMT", match["name"])
        elif zone and first in _ZONE_FIRST and (match := _ZONE_ALONE.match(text)):
            zone, piece.kind = _ZONES[match["zone"]]
        elif first == "B" and _BT.match(text):
            piece.kind = "separator"
            last, found = at + 1, True
            break
        elif found and "GR" in text and _PREFIX.match(text):
            piece.kind = "prefix"
            reading.prefix = " ".join(text.split())
        elif not zone and found and reading.dtg is not None and (match := DAMAGED_FM.match(text)):
            zone, piece.kind = "from", "originator"
            reading.originator = station_of(match["name"])
        elif zone == "from" and not reading.action and (match := DAMAGED_TO.match(text)):
            zone = _take(reading, piece, "TO", match["name"])
        elif zone == "to" and (name := behind_damaged_info(text)):
            zone = _take(reading, piece, "INFO", name)
        elif zone in ("to", "info", "exempt") and _continues(reading, zone, piece):
            pass
        else:
            break
        found, last = True, at + 1
    return last, found


_FIRST_LINES: Final = 12
# `TO X FM A`
_SHORTEST_JOINED: Final = 9
_JOINED_FIRST: Final = DTG_FIRST | frozenset("FfTt")


def _part_prosigns(reading: Reading, index: int) -> None:
    """Cut lines of the heading that were run together: `R 121530Z JAN 74 FM AMEMBASSY BERN TO ...`."""
    pieces = reading.pieces
    for at in range(index, index + _FIRST_LINES):
        if at >= len(pieces):
            return
        piece = pieces[at]
        text = piece.text
        if piece.kind or len(text) < _SHORTEST_JOINED:
            continue
        joined = len(text) > _LONGEST_ALONE and _names_level(text)
        level = _INNER_LEVEL.search(text) if joined else None
        if level and is_classification_line(text[level.end() :]):
            pieces[at : at + 1] = cut(piece, level.end())
            piece = pieces[at]
            text = piece.text
        if (
            "PAGE" in text
            and (behind := _PAGE_BEHIND.match(text))
            and match_page_line(text[behind.end() :])
        ):
            # A page of the copy ended behind the prosign.
            pieces[at : at + 1] = cut(piece, behind.end())
            pieces[at + 1].kind = "page-line"
            continue
        if piece.first not in _JOINED_FIRST or not (
            " FM " in text or " TO " in text or " INFO " in text
        ):
            continue
        if opens_dtg(text):
            opens = match_dtg(text)
        else:
            opens = (_FM if piece.first in "Ff" else _TO).match(text)
        if opens and (inner := _INNER_PROSIGN.search(text)):
            pieces[at : at + 1] = cut(piece, inner.end())


def _names_level(text: str) -> bool:
    """Whether letters of a classification stand in a line: cheap, before any pattern."""
    return (
        "NCLAS" in text
        or "O N F I" in text
        or "ONFID" in text
        or "C R E T" in text
        or "SECRET" in text
        or "OFFICIAL USE" in text
    )


def _follows_originator(pieces: list[Piece], at: int) -> bool:
    after = next((piece for piece in pieces[at + 1 :] if piece.kind != "blank"), None)
    return after is not None and not after.kind and is_originator(after.text)


def _set_readdressal(reading: Reading) -> None:
    reading.readdressal = Readdressal(
        dtg=reading.dtg,
        originator=reading.originator,
        action=tuple(reading.action),
        info=tuple(reading.info),
        precedence=reading.precedence,
    )
    reading.dtg = reading.originator = reading.precedence = reading.info_precedence = None
    reading.action, reading.info, reading.exempt = [], [], []


def above_originator(pieces: list[Piece], at: int) -> re.Match[str] | None:
    """The match of a line right above FM that ends as a date-time group does, what is before garbled."""
    text = pieces[at].text
    match = WRECKED_DTG_LINE.match(text) if text.rstrip()[-2:].isdigit() else None
    if match is None:
        return None
    after = next((piece.text for piece in pieces[at + 1 : at + 3] if piece.kind != "blank"), "")
    return match if is_originator(after) else None


def _read_wrecked_dtg(reading: Reading, piece: Piece, match: re.Match[str]) -> None:
    """A date-time group with a letter between its digits or before them: read when six digits are left."""
    piece.kind = "date-time-group"
    letters = match["first"].strip()[-1:]
    _read_precedence(reading, letters if letters in PRECEDENCES else "R", None)
    digits = "".join(each for each in match["digits"] if each.isdigit())
    months = near_months(match["month"])
    sent = [time_of(digits[:2], digits[2:], month, match["year"]) for month in months]
    if len(digits) == 6 and len(sent) == 1 and sent[0]:
        reading.dtg = sent[0]
        span = Span(piece.start + match.start("digits"), piece.start + match.end("digits"))
        reading.repairs.append(Repair(span, span.of(reading.source), f"{digits}Z", "time garbled"))
        return
    message = f"{piece.text.strip()!r} is no date and time that can be read for certain"
    reading.doubt("dtg-unreadable", message, piece, "error")
    if reading.year is None:
        reading.year = full_year(int(match["year"]))


def _take(reading: Reading, piece: Piece, prosign: str, name: str) -> str:
    """Begin a zone with its first addressee; its name."""
    zone, piece.kind = _ZONES[prosign]
    _address(reading, zone, name)
    return zone


def _list(reading: Reading, zone: str) -> list[Addressee]:
    if zone == "to":
        return reading.action
    return reading.info if zone == "info" else reading.exempt


def _continues(reading: Reading, zone: str, piece: Piece) -> bool:
    """Read a line that goes on with the addressees of the zone, if it is one."""
    text = piece.text.strip()
    doubtful = len(text) > 74 or not text.isupper() or text[0].isdigit()
    if doubtful and _PROSE.match(text) and not _MIXED_POST.match(text):
        return False
    if opens_level(text) and LOOSE_CLASSIFICATION_LINE.match(text):
        return False
    if reading.originator is None and OUTGOING.match(text):
        return False
    addressees = _list(reading, zone)
    piece.kind = _KINDS[zone]
    if (
        addressees
        and len(text) <= _LONGEST_PRECEDENCE
        and text[0] in _PRECEDENCE_FIRST
        and _PRECEDENCE_ALONE.match(text)
    ):
        # The line was folded before the precedence: it belongs to the addressee above.
        last = addressees.pop()
        text = f"{_written(last)} {text}"
    elif addressees and _ends_name(addressees[-1], text):
        text = f"{_written(addressees.pop())} {text}"
    _address(reading, zone, text)
    return True


def _written(addressee: Addressee) -> str:
    indicator = addressee.routing_indicator
    return f"{indicator}/{addressee.name}" if indicator else addressee.name


def _ends_name(above: Addressee, text: str) -> bool:
    """Whether a line is the rest of the name above it: `AMEMBASSY BANDAR SERI` / `BEGAWAN PRIORITY`."""
    if above.precedence or above.mcn or "/" in text or text.startswith(_BEGINS):
        return False
    rest = addressee_of(text)
    if rest is None or tables.address(rest.name) is not None:
        return False
    return rest.name in _ENDS or tables.address(f"{above.name} {rest.name}") is not None


def _address(reading: Reading, zone: str, text: str) -> None:
    """Add the addressee that the text names, and those exempted behind it (`X, XMT Y`)."""
    words = text.split()
    if _is_one(text, words):
        if addressee := _addressee(words, text):
            _list(reading, zone).append(addressee)
        return
    plain = " ".join(words).lstrip("/").rstrip(",;")
    if ("," in plain or ";" in plain) and len(several := _INNER_COMMA.split(plain)) > 1:
        for each in several:
            _address(reading, zone, each)
        return
    if " AM" in plain and len(several := _INNER_POST.split(plain)) > 1:
        for each in several:
            _address(reading, zone, each)
        return
    at = 0
    if _may_be_two(words):
        for run in _INNER_PRECEDENCE.finditer(plain):
            _address(reading, zone, plain[at : run.end()])
            at = run.end() + 1
        plain = plain[at:]
    if "XMT" in plain and (inner := _INNER_XMT.search(plain)):
        _address(reading, "exempt", plain[inner.end() :])
        plain = plain[: inner.start()]
    if addressee := addressee_of(plain):
        _list(reading, zone).append(addressee)


def _is_one(text: str, words: list[str]) -> bool:
    """Whether a text, which has these words, can only be one addressee: by far the most are."""
    if "," in text or ";" in text or "XMT" in text:
        return False
    if " AM" in text and len(words) > _WORDS_OF_ONE_POST and not _POSTS.isdisjoint(words[2:]):
        return False
    return not (words and words[0].startswith("/")) and not _may_be_two(words)


def _may_be_two(words: list[str]) -> bool:
    """Whether a precedence stands further in front than at the end, where a number may follow it."""
    if len(words) < _WORDS_OF_TWO:
        return False
    behind = 2 if words[-1].isdigit() else 1
    return not _PRECEDENCE_WORDS.isdisjoint(words[1 : len(words) - behind])


# The last word of an addressee: its number on to its precedence, or a point behind either.
_TAIL: Final = re.compile(
    r"(FLASH|IMMEDIATE|PRIORITY|ROUTINE)(?:([0-9]{1,6})[.,]?|[.,])|([0-9]{1,6})[.,]"
)
_TAIL_FIRST: Final = frozenset("FIPR0123456789")


def addressee_of(plain: str) -> Addressee | None:
    """The addressee that a line names: `QZAAMF/MINFOR PORTA PRIORITY 0311` (wire-format.md 7.4)."""
    return _addressee(plain.split(), plain)


def _addressee(words: list[str], text: str) -> Addressee | None:
    """The addressee that a text names, which has these words."""
    if not words:
        return None
    if words[0] in _GROUPS and _GROUP.match(plain := " ".join(words)):
        return Addressee(plain)
    raised = words if text.isupper() else capitals(text).split()
    # From the end; a name of one word at least is left.
    end = len(words)
    mcn: str | None = None
    precedence: str | None = None
    last = raised[-1]
    if (
        end > 1
        and last not in _PRECEDENCE_WORDS
        and last[0] in _TAIL_FIRST
        and not last.isdigit()
        and (glued := _TAIL.fullmatch(last))
    ):
        # `PRIORITY1234`, `1234.`
        tail = [part for part in glued.groups() if part]
        words, raised = words[:-1] + tail, raised[:-1] + tail
        end, last = len(words), raised[-1]
    if end > 1 and (last == "UNN" or (last[0].isdigit() and _is_continuity_number(last))):
        end -= 1
        mcn = words[end]
    if end > 1 and (precedence := _precedence(raised[end - 1])):
        end -= 1
        if precedence == "IMMEDIATE" and end > 1 and raised[end - 1] == "NIACT":
            end -= 1
            precedence = "NIACT"
    if precedence == "NIACT":
        precedence = "NIACT IMMEDIATE"
    name, indicator = _name_and_indicator(" ".join(words[:end]))
    return Addressee(name, indicator, precedence, mcn)


def _is_continuity_number(word: str) -> bool:
    # By far the most are of four digits: they are spared the pattern.
    if len(word) == 4 and word.isdigit() and word.isascii():
        return True
    return _CONTINUITY_NUMBER.fullmatch(word) is not None


# The same are addressed again and again, each time with another number behind the name.
@lru_cache(maxsize=4096)
def _name_and_indicator(text: str) -> tuple[str, str | None]:
    """An addressee's name, and the routing indicator before it."""
    if match := _APART.match(text):
        return match[2], match[1]
    indicator, slash, rest = text.partition("/")
    station = capitals(indicator)
    # `USDAO/SAIGON` names no station.
    if not (slash and rest and rest[0] != " " and _INDICATOR.fullmatch(station)) or (
        station.startswith(_NO_INDICATOR)
    ):
        return text, None
    return rest, indicator or None


def _precedence(word: str) -> str | None:
    """The precedence that a word is, or misses by one letter: IMEDIATE."""
    if word in _PRECEDENCE_WORDS:
        return word
    if len(word) < 7 or word[0] not in "IPR":
        return None
    meant = {"I": "IMMEDIATE", "P": "PRIORITY", "R": "ROUTINE"}[word[0]]
    if len(word) == len(meant):
        return meant if sum(a != b for a, b in zip(word, meant, strict=True)) == 1 else None
    longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
    drops = (longer[:at] + longer[at + 1 :] for at in range(len(longer)))
    return meant if any(each == shorter for each in drops) else None


def station_of(text: str) -> Station:
    """The originator that a line names, its routing indicator before a slash."""
    name = " ".join(text.split())
    match = _STATION.match(name) if "/" in name else None
    return Station(match[2], match[1]) if match else Station(name)


def _read_garbled_dtg(reading: Reading, piece: Piece, match: re.Match[str]) -> None:
    """A date-time group whose month is misspelt, or that has no year: the Julian time of filing and the
    year that was named settle what they can."""
    piece.kind = "date-time-group"
    _read_precedence(reading, match["first"], match["second"])
    year = match["year"] or (str(reading.year) if reading.year else None)
    months = near_months(match["month"]) if match["month"] else []
    filed = reading.transmission.filed if reading.transmission else None
    moments = [time_of(match["day"], match["time"], month, year) for month in months if year]
    sent = [moment for moment in moments if moment]
    if filed and len(filed) == 7 and year:
        sent = [m for m in sent if abs(int(filed[:3]) - day_of_year(m)) <= 2]
    if len(sent) != 1:
        message = f"{piece.text.strip()!r} is no date and time that can be read for certain"
        reading.doubt("dtg-unreadable", message, piece, "error")
        if match["year"] and reading.year is None:
            # The number needs no more of the date than its year.
            reading.year = full_year(int(match["year"][-2:]))
        return
    reading.dtg = sent[0]
    month = MONTHS[int(sent[0][5:7]) - 1]
    if match["month"] and match["month"][:3] != month:
        span = Span(piece.start + match.start("month"), piece.start + match.end("month"))
        reading.repairs.append(Repair(span, span.of(reading.source), month, "month misspelt"))


def _read_precedence(reading: Reading, first: str | None, second: str | None) -> None:
    if first:
        reading.precedence = PRECEDENCES[first.upper().replace("0", "O")]
    if second:
        reading.info_precedence = PRECEDENCES[second.upper()]


def _read_dtg(reading: Reading, piece: Piece, match: re.Match[str]) -> None:
    piece.kind = "date-time-group"
    # Each taken by its name would cost as much as all at once.
    first, second, day, time, month, year, rest = match.groups()
    _read_precedence(reading, first, second)
    for part, written in (("day", day), ("time", time), ("year", year)):
        mended = mend_digits(written)
        if written != mended and written.replace(" ", "") != mended:
            span = Span(piece.start + match.start(part), piece.start + match.end(part))
            was = span.of(reading.source)
            reading.repairs.append(Repair(span, was, mended, "letter read for a digit"))
    reading.dtg = time_of(day, time, month, year)
    if reading.dtg is None:
        message = f"{piece.text.strip()!r} is no date and time"
        reading.doubt("dtg-unreadable", message, piece, "error")
    if not rest:
        reading.message_instructions = None
        return
    reading.message_instructions = " ".join(rest.split()) or None
    if reading.transmission and (signals := signals_of(rest)):
        more = reading.transmission.operating_signals + signals
        reading.transmission = msgspec.structs.replace(reading.transmission, operating_signals=more)
