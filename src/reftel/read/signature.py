"""Who signed: the surname of the principal officer on the last line (telegram-content.md 3.20)."""

from __future__ import annotations

import re
from typing import Final

from reftel.read.elements import cut
from reftel.read.flow import ends_sentence
from reftel.read.lettercase import capitals
from reftel.read.reading import Reading

_SIGNATURE: Final = re.compile(
    r"\s*(?P<name>(?:(?:VAN|DER|DEN|DE|DEL|DI|MC|O'|VON|LA|LE|EL|AL|ST\.?) ?){0,3}(?:Mc|Mac)?"
    r"[A-Z][A-Z'-]{2,20}(?: (?!N{3,4}\b)[A-Z][A-Z'-]{2,20})?"
    # Who signs in another's place: `DAM, ACTING`, `RABB BY HOLMES`.
    r"(?:, ?ACTING| (?:BY|FOR) [A-Z][A-Z'-]{2,20})?)[.#\"]*(?:\s+N{3,4})?"
    # A publisher's date behind the name.
    r"(?:\s+[0-9]? ?[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4})?\s*\Z"
)
_REDACTED: Final = re.compile(r"X{4,}")
_MIXED_SIGNATURE: Final = re.compile(
    r"\s*(?P<name>(?:(?:van|de|von|di|la|le) )*(?:Mc|Mac|O'|D')?[A-Z][a-z]{2,20}(?:-[A-Z][a-z]+)?)\s*\Z"
)
_NAME: Final = re.compile(r"[A-Z](?:[A-Z'-]{2,20}|[a-z]{3,20})")
_ENDINGS: Final = (".", "?", "!", '"', ")", "UNQUOTE", "UNQTE")
_NO_NAME: Final = frozenset(
    """SUMMARY COMMENT UNQUOTE UNQTE QUOTE TEXT NOTE STOP END CONFIDENTIAL UNCLASSIFIED SECRET BT
    REGARDS NNNN TABLE POINTS NONE SIPDIS EXDIS NODIS LIMDIS STADIS NOFORN""".split()
)


def read_signature(reading: Reading, index: int) -> None:
    """The last line of the text, when it is a surname alone; or a surname behind the last sentence."""
    pieces = reading.pieces
    # The last two lines of the text.
    text_lines: list[int] = []
    at = len(pieces) - 1
    while at >= index and len(text_lines) < 2:
        if not pieces[at].kind:
            text_lines.insert(0, at)
        at -= 1
    if not text_lines:
        return
    at = text_lines[-1]
    piece = reading.pieces[at]
    text = capitals(piece.text) if reading.lowered else piece.text
    match = _SIGNATURE.match(text) or (
        _MIXED_SIGNATURE.match(piece.text) if len(text_lines) > 1 else None
    )
    if match and _REDACTED.match(match["name"]):
        piece.kind = "signature"
        return
    if match and match["name"].split()[0] not in _NO_NAME and not _folds(reading, text_lines):
        piece.kind = "signature"
        reading.signature = piece.text[match.start("name") : match.end("name")]
    elif (start := _signed_in_line(piece.text)) is not None:
        before, name = cut(piece, start)
        name.kind = "signature"
        pieces[at : at + 1] = [before, name]
        reading.signature = name.text.rstrip()
    if reading.signature:
        # Each section of a telegram can be signed.
        first = reading.signature[0]
        for other in reading.pieces[index:]:
            if other.first == first and not other.kind and other.text.strip() == reading.signature:
                other.kind = "signature"


def _signed_in_line(text: str) -> int | None:
    """Where a surname stands behind the last sentence of a line: two words before it, or two blanks."""
    sentence, *name = text.rsplit(maxsplit=1) or [""]
    if not name or not sentence.endswith(_ENDINGS) or not _NAME.fullmatch(name[0]):
        return None
    start = text.rindex(name[0])
    apart = len(sentence.split()) > 1 or start - len(sentence) > 1
    return start if apart and name[0].upper() not in _NO_NAME else None


def _folds(reading: Reading, text_lines: list[int]) -> bool:
    """Whether the last line is only the end of a folded sentence: it has a full stop, and the line
    above it, with no blank one between, does not end a sentence."""
    at = text_lines[-1]
    if len(text_lines) < 2 or text_lines[-2] != at - 1:
        return False
    above, last = reading.pieces[at - 1].text, reading.pieces[at].text
    return last.rstrip().endswith(".") and not ends_sentence(above)
