"""Who signed: the surname of the principal officer on the last line (telegram-content.md 3.20)."""

from __future__ import annotations

import re
from typing import Final

from reftel.read.elements import Piece, cut
from reftel.read.flow import ends_sentence
from reftel.read.furniture import NUMBER_AND_LEVEL
from reftel.read.lettercase import capitals
from reftel.read.reading import Reading

_SIGNATURE: Final = re.compile(
    r"\s*#*(?P<name>(?:(?:VAN|DER|DEN|DE|DEL|DI|MC|O'|VON|LA|LE|EL|AL|ST\.?) ?){0,3}(?:Mc|Mac)?"
    r"[A-Z][A-Z'-]{2,20}(?: (?!N{3,4}\b|UNQ)[A-Z][A-Z'-]{2,20})?"
    # Who signs in another's place: `DAM, ACTING`, `RABB BY HOLMES`.
    r"(?:, ?(?:ACTING|JR\.?|SR\.?|III?)| (?:BY|FOR) [A-Z][A-Z'-]{2,20})?)[.#\"]*(?:\s+N{3,4})?"
    # A publisher's date behind the name.
    r"(?:\s+[0-9]? ?[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4})?\s*\Z"
)
# What copies have behind the name, or run into it: the end of the message, the level of the page.
_BEHIND: Final = re.compile(
    r"(?:\s*N{4}|\s+BT|\s+#+ ?[0-9]{3,5}"
    r"|\s*[=<>*-]*\s*(?:UNCLASSIFIED|CONFIDENTIAL|LIMITED OFFICIAL USE|(?:TOP )?SECRET)[=<>*-]*)+\s*\Z"
)
# What it can end with; most lines are spared the search.
_SIGNS_BEHIND: Final = "=<>*-"
_ENDS_BEHIND: Final = (
    *("NNNN", "BT", "UNCLASSIFIED", "CONFIDENTIAL", "LIMITED OFFICIAL USE", "SECRET"),
    *"0123456789",
)
_LONGEST_LINE: Final = 80
# What copies have below the name.
_BELOW: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "end-of-message",
        re.compile(
            r"[\W_]{1,80}\Z|[\W_]{0,20}(?:END(?: OF)?(?: THE)? (?:CABLE|TELEGRAM|DOCUMENT|TRANSMISSION)"
            r"|(?:CABLE|TELEGRAM)(?: TEXT)? ENDS)[\W_]{0,20}\Z",
            re.IGNORECASE,
        ),
    ),
    (
        "banner",
        re.compile(
            r"\s*(?:UNCLASSIFIED|CONFIDENTIAL|LIMITED OFFICIAL USE|(?:TOP )?SECRET)\s*\Z",
            re.IGNORECASE,
        ),
    ),
    (
        "release-note",
        re.compile(r"\s*(?:C[0-9]{8}|APPROVED FOR RELEASE\b.{0,60})\s*\Z", re.IGNORECASE),
    ),
    (
        "publisher-note",
        re.compile(
            r"[\s\[(]*(?:PAGE [0-9]{1,3}|SOURCE: .{0,80}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}"
            r"|</?[A-Z]{1,12}>)[\s\])]*\Z",
            re.IGNORECASE,
        ),
    ),
    ("caption", re.compile(r"\s*(?:SIPDIS|EXDIS|NODIS|NOFORN|LIMDIS|STADIS)\s*\Z", re.IGNORECASE)),
    ("publisher-note", NUMBER_AND_LEVEL),
    (
        "publisher-note",
        re.compile(
            r"[\s(*]*NOTE(?: (?:BY|FROM) OC/T\b|:? .{0,60}\b(?:AS RECEIVED|NOT PASSED)\b)",
            re.IGNORECASE,
        ),
    ),
)
_BELOW_ALONE: Final = tuple(each for each in _BELOW if each[0] in ("banner", "caption"))
_MOST_BELOW: Final = 4
_MIXED_SIGNATURE: Final = re.compile(
    r"\s*(?P<name>(?:(?:van|de|von|di|la|le) )*(?:Mc|Mac|O'|D')?[A-Z][a-z]{2,20}(?:-[A-Z][a-z]+)?)\s*\Z"
)
_NAME: Final = re.compile(r"[A-Z](?:[A-Z'-]{2,20}|[a-z]{3,20})")
_ENDINGS: Final = (".", "?", "!", '"', ")", "UNQUOTE", "UNQUOTE:", "UNQTE")
_NO_NAME: Final = frozenset(
    """SUMMARY COMMENT UNQUOTE UNQTE QUOTE TEXT NOTE STOP END CONFIDENTIAL UNCLASSIFIED SECRET BT
    REGARDS NNNN TABLE POINTS NONE SIPDIS EXDIS NODIS LIMDIS STADIS NOFORN""".split()
)


def read_signature(reading: Reading, index: int) -> None:
    """The last line of the text, when it is a surname alone; or a surname behind the last sentence."""
    pieces = reading.pieces
    below: list[tuple[Piece, str]] = []
    # The last two lines of the text.
    text_lines: list[int] = []
    at = len(pieces) - 1
    while at >= index and len(text_lines) < 2:
        if not pieces[at].kind:
            kind = "" if text_lines or len(below) == _MOST_BELOW else _below(pieces[at].text)
            if kind:
                below.append((pieces[at], kind))
            else:
                text_lines.insert(0, at)
        at -= 1
    if not text_lines:
        return
    _read_name(reading, text_lines)
    if reading.signature:
        for piece, kind in below:
            piece.kind = kind
        # Each section of a telegram can be signed.
        first = reading.signature[0]
        for other in reading.pieces[index:]:
            if other.first == first and not other.kind and other.text.strip() == reading.signature:
                other.kind = "signature"


def _below(text: str) -> str:
    """The kind of a line that copies have below the signature; empty for another one."""
    # One word can be a banner, and nothing else: a name mostly.
    for kind, pattern in _BELOW_ALONE if text.strip().isalpha() else _BELOW:
        if pattern.match(text):
            return kind
    return ""


def _read_name(reading: Reading, text_lines: list[int]) -> None:
    """Read the name from the last line, given the places of the last two."""
    pieces = reading.pieces
    at = text_lines[-1]
    piece = pieces[at]
    text = capitals(piece.text) if reading.lowered else piece.text
    tail = text.rstrip().rstrip(_SIGNS_BEHIND)
    marked = tail.endswith(_ENDS_BEHIND) and len(text) < _LONGEST_LINE
    if marked and (behind := _BEHIND.search(text)) is not None:
        text = text[: behind.start()]
        if not text or _goes_on(reading, text_lines):
            return
    match = _SIGNATURE.match(text) or (
        _MIXED_SIGNATURE.match(piece.text[: len(text)]) if len(text_lines) > 1 else None
    )
    if match and match["name"].startswith("XXXX"):
        piece.kind = "signature"
        return
    # A last line with a full stop can be the end of a folded sentence.
    folded = text.rstrip().endswith(".") and _goes_on(reading, text_lines)
    if match and match["name"].split()[0].upper() not in _NO_NAME and not folded:
        piece.kind = "signature"
        reading.signature = piece.text[match.start("name") : match.end("name")]
    elif (start := _signed_in_line(piece.text[: len(text)])) is not None:
        reading.signature = piece.text[start : len(text)].rstrip()
        before, name = cut(piece, start)
        name.kind = "signature"
        pieces[at : at + 1] = [before, name]


def _signed_in_line(text: str) -> int | None:
    """Where a surname stands behind the last sentence of a line: two words before it, or two blanks."""
    sentence, *name = text.rsplit(maxsplit=1) or [""]
    if not name or not sentence.endswith(_ENDINGS) or not _NAME.fullmatch(name[0]):
        return None
    start = text.rindex(name[0])
    apart = len(sentence.split()) > 1 or start - len(sentence) > 1
    return start if apart and name[0].upper() not in _NO_NAME else None


def _goes_on(reading: Reading, text_lines: list[int]) -> bool:
    """Whether the last line goes on with a sentence of the line above it, with no blank one between."""
    at = text_lines[-1]
    above = len(text_lines) > 1 and text_lines[-2] == at - 1
    return above and not ends_sentence(reading.pieces[at - 1].text)
