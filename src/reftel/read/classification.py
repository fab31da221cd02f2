"""The classification line: level, section and message reference number.

mrnline = class ["//" control] ["SECTION" nn "OF" nn] short serial [series number] [remark]
                                                                    telegram-content.md 3.8
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

from reftel import tables
from reftel.read.damaged_labels import is_near
from reftel.read.elements import cut, name_front
from reftel.read.reading import Reading
from reftel.telegram import Section, Span

# One blank between the letters, or two.
_LEVEL: Final = (
    r"(?P<level>UNCL[A-Z]*(?: +E ?F ?T ?O)?|U N C L A S(?: S I F I E D)?"
    r"|L ?I ?M ?I ?T ?E ?D +O ?F+ ?I ?C ?[A-Z]? ?[A-Z]? ?[A-Z]? ?L? +U ?S ?E"
    r"|SENSITIVE BUT UNCLASSIFIED|C ?[O0] ?N ?F ?[I1] ?[DO0] ?E ?N ?T ?[I1] ?A ?L|CONFID[A-Z*]*"
    r"|T ?O ?P +S ?E ?C ?R ?E ?T|S ?E ?C ?R ?E ?T)"
).replace(" ?", " {0,2}")
_CAPTION: Final = r"(?:NOFORN|NF|FOUO|EXDIS|NODIS|LIMDIS|STADIS|SIPDIS|SENSITIVE)"
_CONTROL = (
    r"(?: *//? *(?P<control>[A-Z][A-Z ,/]*?)(?=//| |\Z)(?://)?"
    rf"|(?P<captions>(?: +{_CAPTION}\b,?)+))?"
)
_NUMBERS: Final = ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN")
_NUMBER: Final = rf"[0-9]{{1,2}}|{'|'.join(_NUMBERS)}"
_SECTION = (
    r"(?:(?:FINAL )?(?:S?ECTIO?N?S?|SE?TIO?N|SECTI?N|SECT?|PART|SCTION|S E C T I O N) *"
    rf"(?P<number>{_NUMBER})? *(?:OF|ON|GF|0F|/) *(?P<of>{_NUMBER})(?: SECTIONS)?)"
)
_POST = (
    r"(?P<post>(?!(?:OF|ON|GF|S?ECTIONS?|SE?TION|SCTION|SECTI?N|SECT?|PART)\b)"
    r"[A-Z][A-Z.']*(?: [A-Z][A-Z.']*){0,3}?)"
)
_SERIAL = r"(?P<serial>[0-9]{1,8})(?:/(?P<part>[0-9]{1,2}))?(?![0-9A-Z])"

CLASSIFICATION_LINE: Final = re.compile(
    rf"\s*(?:CLASSIFICATION: *)?{_LEVEL}{_CONTROL}(?: +{_SECTION})?(?: +|(?<=//)){_POST} +{_SERIAL}"
    r"(?: +(?P<series>TOSEC|SECTO|TODEP|DEPTO) +[0-9]+)?(?P<rest>.*)\Z",
    re.IGNORECASE,
)
# As by far the most are written: the same groups, several times as fast. Those that hold nothing can match
# nothing.
_USUAL_LINE: Final = re.compile(
    r"(?P<level>UNCLAS(?:SIFIED)?|CONFIDENTIAL|C O N F I D E N T I A L|SECRET|S E C R E T"
    r"|LIMITED OFFICIAL USE)(?P<control>(?!))?(?P<captions>(?!))?"
    r"(?: SECTION (?P<number>[0-9]{2}) OF (?P<of>[0-9]{2}))?"
    rf" (?P<post>(?!(?:EFT?|EFTO|FINAL|S?ECTIO?N?|O[FN]|GF|{_CAPTION})\b)[A-Z]{{2,}}(?: [A-Z]{{2,}}){{0,3}}?)"
    r" (?P<serial>[0-9]{3,8})(?P<part>(?!))?(?P<series>(?!))?(?P<rest>)\Z"
)
# A scan loses the blank behind the level, and more: `CONFIDENTIALSECTION 01 OF 04 BERN 001817`.
_GLUED_LINE: Final = re.compile(
    rf"\s*(?P<level>C ?ON ?F ?[Il1] ?DENTIAL|UNCLAS(?:SIFIED)?|SECRET)(?: *{_SECTION})? *"
    r"(?P<post>[A-Z][A-Z.']*(?: [A-Z][A-Z.']*){0,3}?) *(?P<serial>[0-9]{4,6})"
    r"(?P<control>)(?P<captions>)(?P<series>)(?P<rest>\s*)\Z"
)
# Without a post or a number that can be read: still where the heading ends.
LOOSE_CLASSIFICATION_LINE: Final = re.compile(
    rf"\s*(?:CLASSIFICATION: *)?{_LEVEL}\b(?: +{_SECTION})?(?P<rest>.*)\Z", re.IGNORECASE
)
LEVEL_OPENINGS: Final = frozenset(
    first + second
    for opening in ("UN", "U ", "LI", "L ", "SE", "S ", "CO", "C ", "CL", "TO", "T ")
    for first in (opening[0], opening[0].lower())
    for second in (opening[1], opening[1].lower())
)
"""The first two letters of lines that open with a classification."""
# With a letter wrong, lost or too many among the first: of lines that end in a number only.
DAMAGED_OPENINGS: Final = frozenset(
    pair
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ -"
    for pair in (
        *(letter + second for second in "ULSCNIEO"),
        *(first + letter for first in "ULSC"),
    )
) - {"RU", "US", "AU", "IN", "AS", "AC"}
# A number in which letters were read for digits: another place must confirm it.
_DOUBTFUL_NUMBER: Final = re.compile(
    r"\s*(?P<post>[A-Z][A-Z.']*(?: [A-Z][A-Z.']*){0,3}?) +(?P<serial>(?=[OIl]*[0-9])[0-9OIl]{3,8})\s*\Z"
)
_NUMBER_LINE: Final = re.compile(rf"\s*{_SECTION} +{_POST} +{_SERIAL}(?P<rest>.*)\Z", re.IGNORECASE)
OUTGOING: Final = re.compile(r"\s*STATE +(?P<serial>[0-9]{4,6})\s*\Z")
"""The number alone on a line, on the Department's forms of the 1960s."""
_MORE_DIGITS: Final = re.compile(r" ?[0-9]{1,4}\s*\Z")
_SERVICE: Final = re.compile(r"\s*SVC\b\s*")
_SECTION_AFTER: Final = re.compile(rf"\s*\(?{_SECTION}\)?\s*", re.IGNORECASE)
# The levels as letters alone, each with its name in the record.
_LEVELS: Final = (
    ("CONFIDENTIAL", "CONFIDENTIAL"),
    ("UNCLAS", "UNCLASSIFIED"),
    ("UNCLASSIFIED", "UNCLASSIFIED"),
    ("LIMITEDOFFICIALUSE", "LIMITED OFFICIAL USE"),
    ("SECRET", "SECRET"),
)
_SHORT_LOU: Final = ("LOU", "LIMOFFUSE")
_NUMBER_LAST: Final = re.compile(r".*[A-Z] +[0-9]{3,6}\.?\s*\Z")
_LONGEST_DAMAGED: Final = 72
_ABBREVIATED: Final = {"NF": "NOFORN"}


def opens_level(text: str) -> bool:
    """Whether a line can open with a classification, by its first letters: cheap, before any pattern."""
    opening = text.lstrip()[:2]
    if opening in LEVEL_OPENINGS:
        return True
    if opening in DAMAGED_OPENINGS:
        return text.rstrip()[-1:].isdigit()
    return not opening.isascii() and opening.upper() in LEVEL_OPENINGS


def is_level(text: str) -> bool:
    """Whether a line says a level and nothing else."""
    match = LOOSE_CLASSIFICATION_LINE.match(text) if opens_level(text) else None
    return match is not None and not match["rest"].strip()


@lru_cache(maxsize=1024)
def level_of(text: str) -> str | None:
    """The classification that a marking stands for, in the record's words."""
    letters = re.sub(r"[^A-Z]", "", text.upper().replace("0", "O").replace("1", "I"))
    if letters.startswith("UNCL"):
        return "UNCLASSIFIED"
    if letters.startswith("SENSITIVEBUT"):
        return "SENSITIVE BUT UNCLASSIFIED"
    if letters.startswith("LIMITEDOF"):
        return "LIMITED OFFICIAL USE"
    if letters.startswith(("CONFID", "CONFIO")):
        return "CONFIDENTIAL"
    if letters.startswith("TOPSECRET"):
        return "TOP SECRET"
    if letters.startswith("SECRET"):
        return "SECRET"
    if letters in _SHORT_LOU:
        return "LIMITED OFFICIAL USE"
    return next((level for word, level in _LEVELS if is_near(letters, word)), None)


def read_classification(reading: Reading, index: int) -> int:
    """Read the classification line at piece `index`, if it is one; the index after it.

    What stands behind the number on the same line becomes a piece of its own.
    """
    piece = reading.pieces[index]
    text = piece.text
    match = match_classification(text)
    loose = LOOSE_CLASSIFICATION_LINE.match(text) if match is None or "SVC" in text else None
    if loose and (service := _SERVICE.match(loose["rest"])):
        return _read_service(reading, index, loose, loose.start("rest") + service.end())
    if match is None and reading.dtg is None and (number := OUTGOING.match(text)):
        # The Department's forms of the 1960s have the level above the address.
        reading.post, reading.number = "STATE", int(number["serial"])
        piece.kind = "classification-line"
        return index + 1
    if match is None:
        return _read_loose(reading, index, loose) if loose and _is_loose_line(loose) else index
    reading.classification = level_of(match["level"])
    reading.post, reading.number = match["post"].upper(), int(match["serial"])
    if control := match["control"] or match["captions"]:
        reading.captions += ["REL TO"] * ("REL TO" in control.upper())
        words = (_ABBREVIATED.get(word, word) for word in re.findall("[A-Z]+", control.upper()))
        reading.captions += [word for word in words if re.fullmatch(_CAPTION, word)]
    _set_section(reading, match["number"], match["of"])
    rest = match["rest"]
    end = match.start("rest")
    if rest and match["number"] is None and (after := _SECTION_AFTER.match(rest)):
        _set_section(reading, after["number"], after["of"])
        end += after.end()
    elif rest and (more := _MORE_DIGITS.match(rest)):
        # `BERN 17 123` is 17123 when another place says so.
        begin, end = match.start("serial"), end + more.end()
        span = Span(piece.start + begin, piece.start + end)
        reading.uncertain_number = (reading.post, text[begin:end], span)
    name_front(reading.pieces, index, end, "classification-line", "-/.")
    return index + 1


def _glued(text: str) -> re.Match[str] | None:
    match = _GLUED_LINE.match(text)
    if match is None:
        return None
    post = match["post"]
    return match if tables.canonical_post(post) or tables.misspelt_post(post) else None


def is_classification_line(text: str) -> bool:
    """Whether a line is the classification line, its message reference number legible."""
    return opens_level(text) and match_classification(text) is not None


@lru_cache(maxsize=64)
def match_classification(text: str) -> re.Match[str] | None:
    """The match of a classification line; several steps ask about the same line."""
    return (
        _USUAL_LINE.match(text)
        or CLASSIFICATION_LINE.match(text)
        or _glued(text)
        or (_damaged(text) if _NUMBER_LAST.match(text) else None)
    )


def _damaged(text: str) -> re.Match[str] | None:
    """The match of a classification line whose level has a letter wrong, lost, too many or changed over,
    or is written on to the post: `C O N F I D E N T A L BERN 4120`. The post must be a known one."""
    if len(text) > _LONGEST_DAMAGED:
        return None
    ends = [at + 1 for at, letter in enumerate(text) if letter.isalpha()]
    letters = "".join(text[end - 1] for end in ends)
    for word in (*(word for word, _ in _LEVELS), *_SHORT_LOU):
        for count in (len(word), len(word) - 1, len(word) + 1):
            begun = letters[:count]
            if begun != word and (word in _SHORT_LOU or not is_near(begun, word)):
                continue
            match = _behind(ends[count - 1]).match(text) if count < len(ends) else None
            if match is None:
                continue
            apart = not text[ends[count - 1]].isalpha()
            if tables.canonical_post(match["post"]) or (
                apart and begun == word and tables.misspelt_post(match["post"])
            ):
                return match
    return None


@lru_cache(maxsize=128)
def _behind(end: int) -> re.Pattern[str]:
    """The pattern of a classification line whose level ends at offset `end`."""
    return re.compile(
        rf"(?P<level>.{{{end}}})(?P<control>(?!))?(?P<captions>(?!))?[ ,.-]*(?:{_SECTION})? *"
        rf"{_POST} +(?P<serial>[0-9]{{3,6}})(?P<series>(?!))?(?P<rest>\.?\s*)\Z"
    )


def _is_loose_line(match: re.Match[str]) -> bool:
    rest = match["rest"].strip()
    return match["of"] is not None or not rest or bool(re.match(r"//|[A-Z]+ [0-9A-Z]{3,8}\Z", rest))


def _read_loose(reading: Reading, index: int, match: re.Match[str]) -> int:
    piece = reading.pieces[index]
    reading.classification = level_of(match["level"])
    _set_section(reading, match["number"], match["of"])
    if doubtful := _DOUBTFUL_NUMBER.match(match["rest"]):
        start = piece.start + match.start("rest") + doubtful.start("serial")
        span = Span(start, start + len(doubtful["serial"]))
        reading.uncertain_number = (doubtful["post"].upper(), doubtful["serial"], span)
    if match["rest"].strip():
        message = f"no message reference number can be read in {piece.text.strip()!r}"
        reading.doubt("mrn-unreadable", message, piece)
    piece.kind = "classification-line"
    after = reading.pieces[index + 1] if index + 1 < len(reading.pieces) else piece
    if not match["rest"].strip() and not after.kind and (number := _NUMBER_LINE.match(after.text)):
        # The line was folded behind the level.
        reading.post, reading.number = number["post"].upper(), int(number["serial"])
        _set_section(reading, number["number"], number["of"])
        name_front(reading.pieces, index + 1, number.start("rest"), "classification-line", "-/.")
        return index + 2
    return index + 1


def _read_service(reading: Reading, index: int, match: re.Match[str], end: int) -> int:
    """A service message: between message centres, about messages (wire-format.md 10.6)."""
    reading.classification = level_of(match["level"])
    rest = [piece.text for piece in reading.pieces[index:] if not piece.kind]
    reading.service = unfold(rest, end)
    name_front(reading.pieces, index, end, "classification-line", "-/.")
    return index + 1


_WIRE_LINE: Final = 69


def unfold(lines: list[str], start: int = 0) -> str:
    """Lines from offset `start` of the first on as one; a line that had room for the first word of the
    next was broken on purpose, and stays."""
    done = " ".join(lines[0][start:].split())
    for above, line in pairwise(lines):
        words = line.split()
        if words:
            room = len(above.rstrip()) + 1 + len(words[0]) <= _WIRE_LINE
            done += ("\n" if room else " ") + " ".join(words)
    return done.strip()


def set_section(reading: Reading, text: str) -> bool:
    """Take the section from a line that says nothing else, if it is one: `SECTION 2 OF 3`."""
    match = _SECTION_AFTER.fullmatch(text)
    if match is None or reading.section is not None:
        return False
    _set_section(reading, match["number"], match["of"])
    return True


def _set_section(reading: Reading, number: str | None, of: str | None) -> None:
    if of is None:
        return
    total = _counted(of)
    reading.section = Section(_counted(number) if number else total, total)


def _counted(number: str) -> int:
    return int(number) if number.isdigit() else _NUMBERS.index(number.upper()) + 1


_FURTHEST: Final = 60
_LEVEL_HEADS: Final = ("UNCLAS", "C O N F I", "CONFIDENTIAL", "S E C R", "SECRET", "LIMITED OFF")
_LEVEL_FIRST: Final = frozenset("UCSL")
_GLUES: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./")
_GLUED_LEVEL: Final = re.compile(
    rf"(?<=\S[A-Z0-9./])(?=(?:{'|'.join(_LEVEL_HEADS)})[A-Z ]{{0,60}} [0-9])"
)


def part_levels(reading: Reading) -> None:
    """Cut off a classification line that a republisher wrote on to the last addressee, or to a note of
    his: `AMEMBASSY PARIS 123UNCLAS BERN 000123`."""
    pieces = reading.pieces
    furthest = min(_FURTHEST, len(pieces))
    # One that stands on a line of its own ends the search: by far the most do.
    for at in range(furthest):
        if pieces[at].first in _LEVEL_FIRST and is_classification_line(pieces[at].text):
            furthest = at
            break
    if not furthest or not _has_glued_level(reading.source, pieces[furthest - 1].end):
        return
    for at in range(furthest):
        piece = pieces[at]
        ends = piece.text.rstrip()[-1:]
        if not ends.isdigit() or piece.kind not in ("", "publisher-note"):
            continue
        for match in _GLUED_LEVEL.finditer(piece.text):
            if is_classification_line(piece.text[match.end() :]):
                pieces[at : at + 1] = cut(piece, match.end())
                pieces[at + 1].kind = ""
                return


def _has_glued_level(source: str, end: int) -> bool:
    """Whether a level is written on to what is before it: cheap, before any pattern."""
    for level in _LEVEL_HEADS:
        at = source.find(level, 2, end)
        while at > 0:
            if source[at - 1] in _GLUES and not source[at - 2].isspace():
                return True
            at = source.find(level, at + 1, end)
    return False
