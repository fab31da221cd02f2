"""The kinds of element a telegram falls into, and the pieces from which the partition is made.

The partition is lossless by construction: the source is cut at line ends, and any later cut makes
two pieces out of one. No step drops, moves or rewrites a character.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from reftel.telegram import Element

_T = TypeVar("_T")
try:
    from mypy_extensions import mypyc_attr
except ImportError:
    # It is there where the reader is compiled, and says nothing to plain Python.
    def mypyc_attr(*attrs: str, **kwattrs: object) -> Callable[[_T], _T]:
        del attrs, kwattrs
        return lambda decorated: decorated


KINDS: Final[dict[str, str]] = {
    "blank": "An empty line, or one that holds blanks only.",
    "transmission-id": "Format line 1: start of message, channel and channel number of the last hop.",
    "routing-line": "Format line 2: precedence, doubled, and the stations this transmission goes to.",
    "calling-station": "Format line 3: the sending station, its serial number and the time of filing.",
    "security-line": "Format line 4: security warning and transmission instructions.",
    "date-time-group": "Format line 5: precedence, date and time, and message instructions.",
    "originator": "Format line 6: FM, the post or office that sends the telegram.",
    "action-addressee": "Format line 7: TO, who must act on it.",
    "info-addressee": "Format line 8: INFO, who gets it for information.",
    "exempt-addressee": "Format line 9: XMT, members of a collective who do not get it.",
    "prefix": "Format line 10: accounting symbol and group count.",
    "separator": "BT, the break before and after the text.",
    "page-line": "PAGE line of 1973-79 copies: page, post, number, section and time of reception.",
    "section-line": "The line that marks where a page or section of the telegram begins.",
    "section-heading": "The heading of a further section, which repeats that of the first.",
    "banner": "The classification, above or below a page.",
    "queue-number": "A copy or queue number of the Department's message centre.",
    "distribution": "Offices that got a copy, with the number of copies.",
    "drafting": "Who drafted, cleared and approved the telegram.",
    "dash-line": "The Department's running number, behind dashes.",
    "classification-line": "Classification, section and message reference number.",
    "caption": "A caption: who may see the telegram, or how it is to be handled.",
    "corrected-copy": "Says that this is a corrected copy, and what changed.",
    "passing": "A passing or attention line: an office that is to get the telegram.",
    "executive-order": "The E.O. line: the order that classifies it and when it falls open.",
    "tags": "TAGS: the subjects, countries, organizations and persons it is filed under.",
    "subject": "The subject line.",
    "reference": "References to earlier telegrams and documents.",
    "classified-by": "Who classified the telegram, and why.",
    "label": "A labelled line of the 2009 form that has no field of its own.",
    "paragraph-number": "The number of a paragraph, with its portion mark.",
    "heading": "A heading within the text.",
    "rule": "A line of dashes or signs that sets off a heading.",
    "body": "Text of the telegram.",
    "service-text": "What one message centre says to another about the message behind it.",
    "correction": "Format line 15: a correction of the text above.",
    "signature": "The surname of the principal officer, who signs.",
    "end-of-message": "NNNN, or what a copy has in its place.",
    "release-stamp": "A stamp of the review that released the telegram.",
    "release-note": "A line of the review that released the copy: action, case and document number.",
    "exemption-code": "A code in the margin: why the passage beside it was withheld.",
    "publisher-note": "A note by whoever published or migrated the copy; not part of the telegram.",
    "lost-text": "Says that text was lost here.",
    "attributes-label": "Begins a part of the National Archives' export.",
    "attributes": "The National Archives' catalogue of the telegram.",
    "mail-header": "A header field of the mail in which the telegram came.",
    "mail-part": "A part of the mail that is not the telegram's text.",
    "markup": "Marks and surroundings of the page that carries the telegram, and its margin.",
    "unknown": "Not understood.",
}
"""Every kind of element, with a sentence for someone who has never seen a telegram."""


_FIRST_VISIBLE: Final = 0x21
_LAST_VISIBLE: Final = 0x7E


# Compiled, pieces hold nothing that could hold them: the garbage collector need not look at them.
@mypyc_attr(acyclic=True)
class Piece:
    """A run of the source while it is being read; `text` is without its line end, `first` its first
    character that is no blank (most patterns can begin with few, so it spares trying them)."""

    __slots__ = ("end", "first", "kind", "start", "text")

    def __init__(self, start: int, end: int, text: str, kind: str = "") -> None:
        self.start = start
        self.end = end
        self.text = text
        self.kind = kind
        # Most lines begin with a letter: they are spared a look for blanks.
        visible = text and _FIRST_VISIBLE <= ord(text[0]) <= _LAST_VISIBLE
        self.first = text[0] if visible else text.lstrip()[:1]

    def part(self, start: int, end: int | None) -> Piece:
        """The piece from one offset of its text to another, or to its end with the line end."""
        stop = self.end if end is None else self.start + end
        return Piece(self.start + start, stop, self.text[start:end], self.kind)


def cut_lines(source: str, lines: list[str] | None = None) -> list[Piece]:
    """The source as physical lines, each with its line end inside [start, end); `lines` are the source
    split at LF, where that is done.

    Only LF ends a line; a CR before it belongs to the line end.
    """
    pieces: list[Piece] = []
    texts = lines if lines is not None else source.split("\n")
    returns = "\r" in source
    start = 0
    for text in texts:
        end = start + len(text) + 1
        pieces.append(Piece(start, end, text.rstrip("\r") if returns else text))
        start = end
    pieces[-1].end -= 1
    if pieces[-1].start == pieces[-1].end:
        pieces.pop()
    return pieces


def cut(piece: Piece, offset: int) -> tuple[Piece, Piece]:
    """Two pieces out of one, parted at `offset` of its text."""
    return piece.part(0, offset), piece.part(offset, None)


def name_front(pieces: list[Piece], index: int, end: int, kind: str, ignored: str = "") -> None:
    """Name a piece up to offset `end` of its text; what stands behind, but for blanks and `ignored`
    signs, becomes a piece of its own."""
    piece = pieces[index]
    if piece.text[end:].strip(f" \t{ignored}"):
        head, rest = cut(piece, end)
        head.kind = kind
        pieces[index : index + 1] = [head, rest]
    else:
        piece.kind = kind


def to_elements(pieces: list[Piece]) -> tuple[Element, ...]:
    """The finished partition; a piece that no step named is `unknown`, one without text is dropped."""
    if any(piece.end == piece.start for piece in pieces):
        pieces = [piece for piece in pieces if piece.end > piece.start]
    kinds = [piece.kind or "unknown" for piece in pieces]
    starts = [piece.start for piece in pieces]
    # Each ends where the next one begins.
    ends = [*starts[1:], pieces[-1].end] if pieces else []
    return tuple(map(Element, kinds, starts, ends))
