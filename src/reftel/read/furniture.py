"""Lines that are not the telegram's own words: page lines, banners, stamps, publishers' notes.

They can stand anywhere, in mid-sentence too, and are recognised by their shape alone, before
anything else is read (telegram-content.md 3.2, 3.18, 3.21, 3.24).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from reftel.read.elements import Piece, cut
from reftel.read.release import is_released_copy, mark_release
from reftel.read.repairs import SOFT_HYPHEN

# stamp = "Declassified/Released" ... "EO Systematic Review" date; two lines at each page foot, parts
# parted by blanks or tabs, the officer's name before or after. Matched by shape: dates differ.
_STAMP: Final = re.compile(
    r"[ \t]*(?:[A-Z][a-z]+ [A-Z]\.? ?[A-Z][a-z]+[ \t]+)?"
    r"(?:(?:De)?classified/Released|(?:[a-z]*/)Released)[ \t]+"
    r"US Department of State[ \t]+EO Systematic Review[ \t]+"
    r"[0-9]{1,2} [A-Za-z]{3} [0-9]{4}[ \t]*"
)
NUMBER_AND_LEVEL: Final = re.compile(
    r"\s*(?:19|20)[0-9]{2}[A-Z]{3,20}[0-9]{5,6} - (?:CLASSIFICATION: )?[A-Z][A-Z /]{5,40}\Z",
    re.IGNORECASE,
)
"""What archives put above or below a copy: `2000BERN00838 - UNCLASSIFIED`."""
_REVIEWED: Final = re.compile(r"[ \t]*Review [0-9]{1,2} [A-Za-z]{3} [0-9]{4}\s*\Z")
_STAMP_PART: Final = re.compile(
    r"[ \t]*(?:Declassified/Released|US Department of State|EO Systematic Review"
    r"|[0-9]{1,2} [A-Za-z]{3} [0-9]{4}|[A-Z][a-z]+ [A-Z]\. [A-Z][a-z]+)[ \t]*\Z"
)
# secline = short SP serial8 2SP nnn ["." digit] SP "OF" SP nnn               telegram-content.md 3.18
SECTION_MARK: Final = re.compile(
    r"(?<![A-Z0-9])(?P<post>[A-Z][A-Z.']*(?: [A-Z][A-Z.']*){0,3}) (?P<serial>[0-9]{8}) {1,3}"
    r"(?P<number>[0-9]{3})(?:\.[0-9])? OF (?P<of>[0-9]{3})(?![0-9])"
)
_SECTION_END: Final = re.compile(r" [0-9]{8} {1,3}[0-9]{3}(?:\.[0-9])? OF [0-9]{3}(?![0-9])")
_MOST_WORDS: Final = 4
# pageline = "PAGE" nn short serial [nn "OF" nn] [ddhhmmZ]                    telegram-content.md 3.2
PAGE_LINE: Final = re.compile(
    r" *PAGE +(?:[0-9]{1,2}|TWO|THREE|FOUR|FIVE|SIX|SEVEN|EIGHT|NINE|TEN)"
    r" +(?P<post>[A-Z][A-Z .]*?) +(?P<serial>[0-9]{3,6})"
    r"(?: +(?P<series>TOSEC|SECTO|TODEP|DEPTO) +[0-9]+)?"
    r"(?: +(?P<section>[0-9]{1,2}) +OF +(?P<of>[0-9]{1,2}))?(?: +(?P<received>[0-9]{6} ?[Z2]?))?"
    r"(?: +POSS DUPE)?(?: +(?:UNCLAS\w*|LIMITED OFFICIAL USE|C O N F I D E N T I A L|S E C R E T"
    r"|T O P +S E C R E T))? *\Z"
)
# What a printed page of SMART has at its head, and other copies at their foot.
_PAGE_OF: Final = re.compile(r" *Page +[0-9]{1,3} +of +[0-9]{1,3} *\Z", re.IGNORECASE)
_PAGE_ALONE: Final = re.compile(r" *PAGE +[0-9]{1,2} *\Z")
PAGE_POST: Final = re.compile(r" *(?P<post>[A-Z][A-Z ]+?) +(?P<serial>[0-9]{5,6})(?: .*)?\Z")
_PAGE_POST_AND_TIME: Final = re.compile(
    r" *[A-Z][A-Z ]+? +[0-9]{5,6}(?: +[0-9]{2} OF [0-9]{2})? +[0-9]{6} ?[Z2]\s*\Z"
)
# Above the pages of an agency's own copy, and the time at which it came in.
_PAGE_OPENINGS: Final = frozenset(("PAGE", "TOR:"))
_PAGE_SECOND: Final = frozenset("AaOo")
_RECEIVED: Final = re.compile(r" *(?:PAGE +0[0-9]{2}|TOR: ?[0-9]{6}.*)\Z")
_BANNER_OPENINGS: Final = frozenset(("UN", "LI", "SE", "CO", "TO"))
_BANNER: Final = re.compile(
    r" *(?:UNCLAS\w*|LIMITED OF+[A-Z]* USE|SENSITIVE BUT UNCLASSIFIED|CONFID[A-Z*]*|SECRET"
    r"|TOP SECRET)(?: *//? *NOFORN| +PTQ ?[0-9]{4})? *\Z"
)
_USUAL_BANNERS: Final = frozenset(
    ("UNCLASSIFIED", "LIMITED OFFICIAL USE", "CONFIDENTIAL", "SECRET", "TOP SECRET")
)
_END: Final = re.compile(
    r" *(?:N{2,8}(?:MAFVVZCZ|V{1,2}|M{1,2})?|<< *END OF DOCUMENT *>>"
    r"|={3,} *[A-Z ]*ENDS? *={3,}|#[0-9]{4}|\*{3} *Current (?:Handling"
    r" Restrictions|Classification) *\*{3}.*)\s*\Z"
)
_LOST: Final = re.compile(
    r" *(?:ERROR READING TEXT.*|EXPAND ERROR ENCOUNTERED.*|(?:E ){5,}E(?: AR)?|\*{8,}"
    r"|\* *Missing Section [0-9]+ *\*|.*TEXT UNRETRIEVABLE.*)\s*\Z",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(
    r"\s*(?:This record is a partial extract of the original cable\b.*"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, [0-9]{1,2} [A-Z][a-z]+ [0-9]{4}, [0-9:]+"
    r")\s*\Z"
)
_ATTRIBUTES: Final = re.compile(r"\s*Message Attributes\s*\Z")
_MESSAGE_TEXT: Final = re.compile(r"\s*Message Text\s*\Z")


def mark_furniture(pieces: list[Piece], source: str) -> list[Piece]:
    """The pieces, cut where furniture stands inside a line, with every piece of furniture named."""
    telegram = source
    # Most telegrams are in capitals: what has small letters is not looked for in them.
    small = "e" in source
    if small and ("Message " in source or "Channel Indicators:" in source):
        pieces = _mark_export(pieces, source)
        # The Archives' catalogue has the words of a review of its own: `Review Action: RELEASED`.
        catalogue = next((piece.start for piece in pieces if piece.kind == "attributes"), None)
        telegram = source[:catalogue]
    if is_released_copy(telegram, small):
        pieces = mark_release(pieces)
    places = _places(source, " OF 0")
    stamps = small and "Systematic" in source
    if stamps:
        places = sorted([*places, *_places(source, "Systematic"), *_places(source, "Released")])
    if places:
        pieces = _part_marks(pieces, places, stamps)
    candidates: list[Piece] = []
    for piece in pieces:
        first = piece.first
        if not first:
            piece.kind = piece.kind or "blank"
        elif not piece.kind:
            if first in _FURNITURE_FIRST:
                _mark_line(piece)
            if (
                len(piece.text) < _LONGEST_BANNER
                and first in _CONTEXT_FIRST
                and not piece.kind
                and _may_be_furniture(piece)
            ):
                candidates.append(piece)
    if candidates:
        _mark_in_context(pieces, candidates)
    _mark_last_number(pieces)
    return _part_banners(pieces, source)


_GLUED_BANNER: Final = re.compile(
    r"(?<=[A-Z])(?:LIMITED OFFICIAL USE|CONFIDENTIAL|SECRET|UNCLASSIFIED)\s*\Z"
)


def _part_banners(pieces: list[Piece], source: str) -> list[Piece]:
    """Prints that undid hyphens ran the last word of a page into the banner below it: cut them apart, and
    let the word go on over the page."""
    for at in range(len(pieces) - 1, 1, -1):
        if pieces[at].kind != "page-line":
            continue
        above = _solid_above(pieces, at)
        place = _solid_above(pieces, above)
        banner, last = pieces[above], pieces[place]
        if place < 0 or banner.kind != "banner" or last.kind:
            continue
        if not last.text.rstrip().endswith(banner.text.strip()) or "\nPAGE " not in source:
            continue
        if (glued := _GLUED_BANNER.search(last.text)) and glued[0].strip() == banner.text.strip():
            word, rest = cut(last, glued.start())
            word.text += SOFT_HYPHEN
            rest.kind = "banner"
            pieces[place : place + 1] = [word, rest]
    return pieces


def _solid_above(pieces: list[Piece], at: int) -> int:
    """The index of the last piece above `at` that is not blank; -1 when there is none."""
    at -= 1
    while at >= 0 and pieces[at].kind == "blank":
        at -= 1
    return at


def _places(source: str, sign: str) -> list[int]:
    """Where a sign stands in the source."""
    places: list[int] = []
    at = source.find(sign)
    while at >= 0:
        places.append(at)
        at = source.find(sign, at + 1)
    return places


def _part_marks(pieces: list[Piece], places: list[int], stamps: bool) -> list[Piece]:
    """The pieces, cut where a stamp or a section mark stands in a line, and these named; `places` are
    those of their signs."""
    parted: list[Piece] = []
    done = 0
    for place in places:
        at = _piece_at(pieces, done, place)
        if at < done or pieces[at].kind:
            continue
        parted += pieces[done:at]
        done = at + 1
        piece = pieces[at]
        text = piece.text
        if stamps and ("Released" in text or "Systematic" in text):
            stamp = _STAMP.search(text)
            if stamp is not None and not text[: stamp.start()] and not text[stamp.end() :]:
                # By far the most stand alone on their lines.
                piece.kind = "release-stamp"
                parted.append(piece)
                continue
            if (
                stamp is None
                and text.rstrip().endswith("EO Systematic")
                and at + 1 < len(pieces)
                and _REVIEWED.match(pieces[at + 1].text)
            ):
                # Folded by a republisher.
                piece.kind = pieces[at + 1].kind = "release-stamp"
            if stamp is None and "EO Systematic Review" in text:
                piece.kind = "release-stamp"
            parted += _cut_out(piece, _STAMP.search, "release-stamp")
        else:
            parted += _cut_out(piece, find_section_mark, "section-line")
    return parted + pieces[done:]


def _piece_at(pieces: list[Piece], low: int, place: int) -> int:
    """The index of the piece in which a place of the source stands, `low` or more; `low - 1` when it
    stands before that one."""
    high = len(pieces)
    while low < high:
        middle = (low + high) // 2
        if pieces[middle].start > place:
            high = middle
        else:
            low = middle + 1
    return low - 1


@lru_cache(maxsize=64)
def match_page_line(text: str) -> re.Match[str] | None:
    """The match of a page line; the checks of what a telegram repeats ask for it again."""
    return PAGE_LINE.match(text)


@lru_cache(maxsize=64)
def find_section_mark(text: str) -> re.Match[str] | None:
    """The first section mark of a line: its numbers are found first, then the post's few words before
    them; tried from every word of the line on, the pattern would cost ten times as much."""
    end = _SECTION_END.search(text)
    while end is not None:
        words = text[: end.start()].split(" ")[-_MOST_WORDS:]
        start = end.start() - len(" ".join(words))
        if (match := SECTION_MARK.search(text, start, end.end())) is not None:
            return match
        end = _SECTION_END.search(text, end.end())
    return None


_END_FIRST: Final = frozenset("N<#*=")
_LOST_FIRST: Final = frozenset("Ee*")
# Of `This record` and the days of the week; small letters second are rare where telegrams are in capitals.
_NOTE_FIRST: Final = frozenset("TMWFS")
_NOTE_SECOND: Final = frozenset("hoeura")
_FURNITURE_FIRST: Final = _END_FIRST | _LOST_FIRST | _NOTE_FIRST | frozenset("PT-")
_PAGE_NUMBER: Final = re.compile(r"\s*-+ ?[0-9]{1,3} ?-+\s*\Z")
_LAST_NUMBER: Final = re.compile(r"\s*[0-9]{1,3}\s*\Z")
_LAST_LINE: Final = re.compile(r"\s*[A-Z][A-Za-z.' #-]{2,30}\Z")
_SHORTEST: Final = 12


def _mark_last_number(pieces: list[Piece]) -> None:
    """The number of a page below the signature."""
    solid = [piece for piece in pieces[-_SHORTEST:] if piece.kind != "blank"][-2:]
    if len(solid) < 2 or solid[1].kind or not _LAST_NUMBER.match(solid[1].text):
        return
    if solid[0].kind == "end-of-message" or _LAST_LINE.match(solid[0].text):
        solid[1].kind = "page-line"


def _mark_line(piece: Piece) -> None:
    first, text = piece.first, piece.text
    if first in _NOTE_FIRST:
        if (
            text.lstrip()[1:2] in _NOTE_SECOND
            and ("day, " in text or "This record" in text)
            and _NOTE.match(text)
        ):
            piece.kind = "publisher-note"
            return
        if first != "T":
            return
    if first == "P" or first == "T":
        opening = text.lstrip(" ")
        if (
            opening[1:2] in _PAGE_SECOND
            and opening[:4].upper() in _PAGE_OPENINGS
            and (match_page_line(text) or _PAGE_OF.match(text) or _RECEIVED.match(text))
        ):
            piece.kind = "page-line"
            return
    elif first == "-":
        if len(text) < _SHORTEST and _PAGE_NUMBER.match(text):
            piece.kind = "page-line"
        return
    elif first in _END_FIRST and (first != "N" or "NN" in text) and _END.match(text):
        piece.kind = "end-of-message"
        return
    if first in _LOST_FIRST and _may_be_lost(text) and _LOST.match(text):
        piece.kind = "lost-text"


def _may_be_lost(text: str) -> bool:
    """Whether one of the words stands in a line that say that text was lost."""
    raised = text.upper()
    return "*" in text or any(sign in raised for sign in ("ERROR", "E E E", "UNRETRIEVABLE"))


def _mark_export(pieces: list[Piece], source: str) -> list[Piece]:
    """The parts of the Archives' export: stamps and `Message Text`, the telegram, the attributes."""
    for index, piece in enumerate(pieces[:12]):
        if _MESSAGE_TEXT.match(piece.text):
            for before in pieces[:index]:
                blank = not before.text or before.text.isspace()
                before.kind = "blank" if blank else "release-stamp"
            piece.kind = "attributes-label"
            break
    start: int | None = None
    for place in _places(source, "Message Attributes"):
        at = _piece_at(pieces, 0, place)
        if _ATTRIBUTES.match(pieces[at].text):
            start = at
            break
    if start is None:
        start = _unlabelled_catalogue(pieces)
    if start is not None:
        pieces[start].kind = "attributes-label"
        for line in pieces[start + 1 :]:
            if not line.text or line.text.isspace():
                line.kind = "blank"
            elif ":" not in line.text and _STAMP_PART.match(line.text):
                line.kind = "release-stamp"
            else:
                line.kind = "attributes"
    return pieces


def _unlabelled_catalogue(pieces: list[Piece]) -> int | None:
    """Where a rule stands in place of the label: the Archives' catalogue as others print it."""
    for index, piece in enumerate(pieces):
        if piece.text.startswith("Channel Indicators:"):
            for at in range(index - 1, max(index - 4, 0) - 1, -1):
                if set(pieces[at].text.strip()) == {"-"}:
                    return at
    return None


def _cut_out(piece: Piece, find: Callable[[str], re.Match[str] | None], kind: str) -> list[Piece]:
    """The piece, cut so that each match stands alone and has its kind."""
    parts: list[Piece] = []
    rest = piece
    while match := find(rest.text):
        if rest.text[: match.start()].strip():
            before, rest = cut(rest, match.start())
            parts.append(before)
            match = find(rest.text)
            assert match is not None
        if not rest.text[match.end() :].strip():
            rest.kind = kind
            parts.append(rest)
            return parts
        mark, rest = cut(rest, match.end())
        mark.kind = kind
        parts.append(mark)
    parts.append(rest)
    return parts


def _may_be_furniture(piece: Piece) -> bool:
    """Whether a short line can be furniture, if its neighbours tell."""
    text = piece.text
    if piece.first in _BANNER_FIRST:
        return text.lstrip(" ")[:2] in _BANNER_OPENINGS and _is_banner(text)
    if piece.first == "P":
        return "PAGE" in text and _PAGE_ALONE.match(text) is not None
    return _CATALOGUE[2].match(text) is not None


def _mark_in_context(pieces: list[Piece], candidates: list[Piece]) -> None:
    """Furniture that only its neighbours tell: broken page lines, catalogue blocks, banners."""
    solid = [piece for piece in pieces if piece.kind != "blank"]
    banners: list[int] = []
    index = 0
    for piece in candidates:
        index = solid.index(piece, index)
        if piece.kind:
            continue
        if piece.first == "P":
            _mark_broken_page_line(solid, index)
        elif piece.first in _BANNER_FIRST:
            banners.append(index)
        else:
            _mark_catalogue(solid, index)
    last: int | None = None
    for index in banners:
        strays = solid[last + 1 : index] if last is not None else []
        if _at_page_edge(solid, index):
            solid[index].kind = "banner"
        elif 0 < len(strays) < _MOST_STRAYS and all(_STRAY.match(each.text) for each in strays):
            # Between two pages a scan has what it lost of the office list.
            solid[index].kind = "banner"
            for each in strays:
                each.kind = "distribution"
        last = index if solid[index].kind else None


_STRAY: Final = re.compile(r"\s*[A-Z0-9]{1,5}-[0-9]{2}\s*\Z")
_MOST_STRAYS: Final = 20
_BANNER_FIRST: Final = frozenset("ULSCT")
_CONTEXT_FIRST: Final = _BANNER_FIRST | frozenset("P0123456789")
_LONGEST_BANNER: Final = 60


def _is_banner(text: str) -> bool:
    return text in _USUAL_BANNERS or _BANNER.match(text) is not None


def _at_page_edge(solid: list[Piece], index: int) -> bool:
    """A classification alone on a line is a banner at a page edge; elsewhere it may be a caption.

    A page edge is the top of the copy, a page line, a stamp or another banner next to it, or its end.
    """
    if any(each.kind == "release-stamp" for each in solid[max(index - 1, 0) : index + 2]):
        return True
    before = _neighbour(solid, index, -1)
    after = _neighbour(solid, index, 1)
    return bool(
        after is None
        or after.kind in ("page-line", "end-of-message", "attributes-label", "release-note")
        or (before is not None and before.kind in ("page-line", "banner", "release-note"))
        or (before is None and after.kind == "page-line")
        or (not after.kind and _is_banner(after.text))
    )


def _mark_broken_page_line(solid: list[Piece], index: int) -> None:
    """PAGE lines that prints of 1978-79 and scans broke in two: `PAGE 02` / `STATE 042975`, with a sign
    or the action office in between, or the other way round."""
    before, after = solid[max(0, index - 1) : index], solid[index + 1 : index + 3]
    if before and _is_page_post(before[0]) and not (after and _is_page_post(after[0])):
        found = before
    elif after and not after[0].kind and PAGE_POST.match(after[0].text):
        found = after[:1]
    elif len(after) == 2 and _is_page_post(after[1]) and _BETWEEN.match(after[0].text):
        found = after[after[0].first.isalpha() :]
    else:
        return
    for each in (solid[index], *found):
        each.kind = "page-line"


_BETWEEN: Final = re.compile(r"\s*(?:[-.'_]\s*\Z|(?:ACTION|ORIGIN) )")


def _is_page_post(piece: Piece) -> bool:
    return not piece.kind and _PAGE_POST_AND_TIME.match(piece.text) is not None


# A publisher's catalogue of 2000s telegrams, its columns a line each: running number, date, message
# reference number, origin, classification, references.
_CATALOGUE: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s*[0-9]{1,6}\s*\Z",
        r"\s*(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})(?: [0-9:]{5,8})?\s*\Z",
        r"\s*[0-9]{2}[A-Z]{3,}[0-9]{1,6}\s*\Z",
        r"\s*(?:Embassy|Consulate|Mission|Secretary of State|US ?[A-Z]|American Institute)[A-Za-z ]*\Z",
        r"\s*(?:UNCLASSIFIED|CONFIDENTIAL|SECRET)[A-Z/ ]*\s*\Z",
        r"\s*(?:[0-9]{2}[A-Z]{3,}[0-9]{1,6}[|, ]*)*\Z",
    )
)


def _mark_catalogue(solid: list[Piece], at: int) -> None:
    if at == 0 or not _CATALOGUE[2].match(solid[at].text):
        return
    start = at - 1 if _CATALOGUE[1].match(solid[at - 1].text) else at
    if start < at and start > 0 and _CATALOGUE[0].match(solid[start - 1].text):
        start -= 1
    end = at + 1
    for pattern in _CATALOGUE[3:]:
        if end < len(solid) and pattern.match(solid[end].text):
            end += 1
    if end - start >= 4:
        for each in solid[start:end]:
            each.kind = "publisher-note"


def _neighbour(solid: list[Piece], index: int, step: int) -> Piece | None:
    """The next piece in one direction that is not a stamp."""
    index += step
    while 0 <= index < len(solid) and solid[index].kind == "release-stamp":
        index += step
    return solid[index] if 0 <= index < len(solid) else None
