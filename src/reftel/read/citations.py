"""What the text cites: `REFTEL` and `REF B`, resolved to the REF line's items, and telegrams by number."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from reftel import tables
from reftel.read.elements import Piece
from reftel.read.reading import Reading
from reftel.read.references import Citing, resolve_number
from reftel.telegram import Citation, Span, written_year

# `REF B`, `Ref b`, `reftel A`, from their second letter on, which are found first: a search for one text
# is many times as fast as one with a pattern.
_POINTER = r"\(?[A-Za-z](?![A-Za-z]|\.[A-Za-z])\)?"
_BEHIND_REF: Final = (
    r"(?P<tel>(?:TEL|tel)[Ss]?(?![A-Za-z]))?"
    rf"(?:[Ss]? ?(?P<letters>{_POINTER}(?:(?: ?[,/&-] ?| AND | and | ?, ?and ){_POINTER})*))?"
)
_REFS: Final = tuple(
    (letters, re.compile(rf"{letters}(?<=[Rr]..){_BEHIND_REF}")) for letters in ("EF", "ef")
)
_PAGE_BREAKS: Final = ("page-line", "section-line", "section-heading", "release-note")
_LETTER: Final = re.compile(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])")
# The number first, then what stands before it: far fewer numbers than words.
_NUMBER_BEHIND_BLANK: Final = " 000"
_NUMBER: Final = re.compile(r" (?P<number>[0-9]{3,7})(?![0-9%]|[,.:/-][0-9]|Z\b)")
_WORD: Final = re.compile(r"[A-Z][A-Z'-]+\Z")
_OPENING: Final = frozenset("([\"'/")
_DIGITS: Final = re.compile(r"(?:[0-9]{2}|(?:19|20)[0-9]{2})\Z")
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}\Z")


def read_citations(reading: Reading, citing: Citing) -> None:
    """Fill `citations` from the text, in the order in which they stand."""
    if not reading.body:
        return
    source = reading.source
    start = reading.body[0].span.start
    end = max([block.span.end for block in reading.body])
    found: list[Citation] = []
    if reading.references:
        for letters, pattern in _REFS:
            # One letter is found many times as fast as two: most texts have no small ones.
            at = source.find(letters[1], start + 2, end)
            at = source.find(letters, at - 1, end) if at > 0 else -1
            while at >= 0:
                match = pattern.match(source, at, end)
                if match and (at == 1 or not source[at - 2].isalnum()):
                    found += _pointed_at(reading, match)
                at = source.find(letters, at + 2, end)
    shape = reading.shape
    place = shape.find(_NUMBER_BEHIND_BLANK, max(start, 1), end)
    while place >= 0:
        if shape[place - 1] == "A":
            number = _NUMBER.match(source, place, end)
            if number and (citation := _named(source, number, citing)) is not None:
                found.append(citation)
        place = shape.find(_NUMBER_BEHIND_BLANK, place + 1, end)
    if not found:
        return
    own = reading.mrn.short if reading.mrn else None
    breaks = [piece for kind in _PAGE_BREAKS for piece in reading.of_kind(kind)]
    breaks.sort(key=lambda piece: piece.start)
    reading.citations = sorted(
        (each for each in found if each.mrn != own and not _within(each, breaks)),
        key=lambda each: each.span,
    )


def _within(citation: Citation, pieces: list[Piece]) -> bool:
    """Whether a number stands on a page line or in the like, which the text goes round."""
    at = bisect_right(pieces, citation.span.start, key=lambda piece: piece.start) - 1
    return at >= 0 and citation.span.start < pieces[at].end


def _pointed_at(reading: Reading, match: re.Match[str]) -> list[Citation]:
    start = match.start() - 1
    references = reading.references
    by_letter = {each.enumerator: each.mrn for each in reversed(references) if each.enumerator}
    letters = [letter.upper() for letter in _LETTER.findall(match["letters"] or "")]
    if match["tel"] and not any(letter in by_letter for letter in letters):
        mrns = list(dict.fromkeys(each.mrn for each in references if each.mrn))
        span = Span(start, match.end("tel"))
        text = span.of(reading.source)
        return [Citation(text, mrns[0] if len(mrns) == 1 else None, "", span)]
    text = f"{match.string[start]}{match[0]}"
    if text.count(")") > text.count("("):
        # `(REF B)`: the bracket was opened before.
        text = text.removesuffix(")")
    span = Span(start, start + len(text))
    if "-" in text and len(letters) == 2:
        letters = [chr(code) for code in range(ord(letters[0]), ord(letters[1]) + 1)]
    return [
        Citation(text, by_letter[letter], letter, span) for letter in letters if letter in by_letter
    ]


def _named(source: str, match: re.Match[str], citing: Citing) -> Citation | None:
    """The citation whose number is found: its post is the longest name that ends before the number."""
    before = source[max(0, match.start() - 40) : match.start()].split(" ")
    if before[-1].isalpha() and not tables.may_end_post(before[-1]):
        return None
    count = 0
    while count < 4 and count < len(before) and _WORD.match(before[-1 - count]):
        count += 1
    if count < 4 and count < len(before) and before[-1 - count][:1] in _OPENING:
        # `(LONDON 4321)`
        bare = before[-1 - count].lstrip("([\"'/")
        if _WORD.match(bare):
            before[-1 - count] = bare
            count += 1
            before[:-count] = []
    for length in range(count, 0, -1):
        name = " ".join(before[-length:])
        if len(name) < 4 or (post := tables.canonical_post(name, citing.year)) is None:
            continue
        if length > 1 and post.startswith(letters := name.replace(" ", "")) and post != letters:
            # `PAN AM 100` is a flight: a name cut short is written as one word.
            continue
        start = match.start() - len(name)
        digits = before[-1 - length] if length < len(before) and length == count else ""
        year = None
        if _DIGITS.match(digits):
            year = written_year(digits)
            start -= len(digits) + 1
        elif _YEAR.match(match["number"]):
            return None
        mrn = resolve_number(post, int(match["number"]), year, citing)
        span = Span(start, match.end())
        return Citation(span.of(source), mrn, None, span)
    return None
