"""The text: numbered paragraphs, headings, and what stands between, page breaks taken out."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise
from typing import Final

from reftel.read.elements import Piece, cut
from reftel.read.flow import RULE, are_plain, ends_sentence, flow, has_odd_blanks, is_rule
from reftel.read.lettercase import capitals
from reftel.read.paragraphs import (
    PARAGRAPH_START,
    Sequence,
    label_of_paragraph,
    pilcrow_ones,
    portion_mark,
)
from reftel.read.reading import Reading
from reftel.read.repairs import (
    SOFT_HYPHEN,
    Mend,
    Suspect,
    doubtful_marks,
    find_mends,
    suspects,
)
from reftel.read.signature import read_signature
from reftel.read.summary import find_summary
from reftel.telegram import Block, BlockKind, Diagnostic, Repair, Span

# Where something quoted begins or ends: no heading, though it stands alone.
_QUOTING: Final = re.compile(
    r"\s*(?:BEGIN|END) (?:[A-Z]+ )?(?:TEXT|POINTS|QUOTE|SUMMARY|COMMENT|NOTE|NON-?PAPER)\b",
    re.IGNORECASE,
)
# What has its label in front is text: `SUMMARY: ... END SUMMARY`
_LABELLED: Final = re.compile(
    r"(?:BEGIN )?(?:SUMMARY|COMMENT|INTRODUCTION|BACKGROUND)\s*[:.]\s*\S", re.IGNORECASE
)
_RULED_HEADING: Final = re.compile(r"\s*+[-=_*]{3,}+\s++(?P<text>[^-=_*].*?)\s+[-=_*]{3,}\s*\Z")
_INNER_RULE: Final = re.compile(
    r"----(?:(?<=\s-{4})|(?<=\A-{4}))(?:-{4,}(?: -+)*(?=\s|\Z)|-*(?: -+)*\s*\Z)"
)
# A title in mixed case, two words to eight, nothing but words in it.
_TITLE: Final = re.compile(
    r"\s*(?=.*[a-z])[A-Z][A-Za-z'’-]*"
    r"(?:,? (?:[A-Z][A-Za-z'’-]*|of|and|the|in|on|for|to|a|with|from|by)){1,7}\s*\Z"
)
_LONGEST_RULED: Final = 160
_RULE_SIGNS: Final = frozenset("-=_*~")
_NUMBER_SIGNS: Final = frozenset("0123456789¶")
_CAPITALS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SMALL: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
_SIGNS: Final = _RULE_SIGNS | _NUMBER_SIGNS
_PAGE_BREAK: Final = frozenset(
    (
        "page-line",
        "section-line",
        "banner",
        "release-stamp",
        "release-note",
        "exemption-code",
        "section-heading",
    )
)
_INNER_PARAGRAPH: Final = re.compile(r"(?<=\S)\s+(?=¶ ?[0-9]{1,3}\. ?)")


class _Lines:
    """The lines of the text, and by their places those that can begin something; by far the most only
    go on with the one above."""

    def __init__(self, pieces: list[Piece], after_blank: set[int]) -> None:
        self.pieces = pieces
        self.after_blank = after_blank
        self.openings: dict[int, re.Match[str]] = {}
        self.rules: set[int] = set()
        self.ruled: set[int] = set()
        self.small = True
        self.in_capitals = False


class _Part:
    """A block in the making: its lines, and the places among them that a blank line stands before;
    then its text as written, which begins `offset` characters into the first line."""

    def __init__(
        self,
        kind: BlockKind,
        number: int | None,
        pieces: list[Piece],
        opening: re.Match[str] | None = None,
    ) -> None:
        self.kind = kind
        self.number = number
        self.pieces = pieces
        self.opening = opening
        self.gaps: list[int] = []
        self.offset = 0
        self.marking: str | None = None
        self.text = ""
        self.plain = False


_LONGEST_OPENING: Final = 4
_MARKED_PARAGRAPH: Final = re.compile(
    r"(?<=[.?!\"]) +(?=(?P<number>[0-9]{1,2})\. {0,2}\((?:U|SBU|LOU|C|S|TS)[/)])"
)


def read_body(reading: Reading, index: int) -> None:
    """Read the text from piece `index` to the end."""
    _cut_inner_paragraphs(reading, index)
    if _has_marks_in_lines(reading.source):
        _cut_marked_paragraphs(reading.pieces, index)
    _cut_rules(reading, index)
    _mark_captions(reading, index)
    if reading.service is None:
        read_signature(reading, index)
    lines = _lines(_in_order(reading, index))
    if not lines.pieces:
        return
    lines.small = _may_have_small_letters(reading, index)
    parts = [part for part in _parts(reading, lines) if part.pieces]
    for part in parts:
        _begin(reading, part)
    whole = "\n\n".join([part.text for part in parts])
    shape = reading.shape[reading.pieces[index].start :]
    damage = suspects(whole, reading.source, shape, in_capitals=lines.in_capitals)
    odd_blanks = has_odd_blanks(reading.source)
    blocks = [_block(reading, part, damage, odd_blanks) for part in parts]
    _cut_numbers(reading, parts)
    reading.body = [block for block in blocks if block.text or block.number is not None]
    reading.summary = find_summary(reading.body)


def _cut_inner_paragraphs(reading: Reading, index: int) -> None:
    """Republishers put a pilcrow before each paragraph, and sometimes two paragraphs on a line."""
    if "¶" not in reading.source:
        return
    pieces = reading.pieces
    cut_up: list[Piece] = []
    for piece in pieces[index:]:
        at = 0
        if not piece.kind and piece.text.find("¶", 1) > 0:
            for match in _INNER_PARAGRAPH.finditer(piece.text):
                cut_up.append(piece.part(at, match.end()))
                at = match.end()
        cut_up.append(piece.part(at, None) if at else piece)
    pieces[index:] = cut_up


def _has_marks_in_lines(source: str) -> bool:
    """Whether a number and the sign that opens a portion mark stand further on in a line."""
    # A bracket alone is found many times as fast as all three signs.
    at = source.find("(", len("1. "))
    while at >= 0:
        stop = at - 2
        if (
            source[stop:at] == ". "
            and source[stop - 1].isdigit()
            and "\n" not in source[max(stop - _LONGEST_OPENING, 0) : stop]
        ):
            return True
        at = source.find("(", at + 1)
    return False


def _cut_marked_paragraphs(pieces: list[Piece], index: int) -> None:
    """Where lines were run together, a paragraph stands behind another: it has the number that follows
    and a portion mark."""
    at = index
    number = 0
    while at < len(pieces):
        piece = pieces[at]
        if not piece.kind:
            if piece.first.isdigit() and (opening := PARAGRAPH_START.match(piece.text)):
                number = int(opening["number"])
            inner = _MARKED_PARAGRAPH.search(piece.text, _LONGEST_OPENING)
            if inner and int(inner["number"]) == number + 1:
                pieces[at : at + 1] = cut(piece, inner.end())
        at += 1


def _cut_rules(reading: Reading, index: int) -> None:
    """Where lines were run together, a rule stands behind or between words: cut it out."""
    pieces = reading.pieces
    if index >= len(pieces) or reading.source.find(" ----", pieces[index].start) < 0:
        return
    for at in range(len(pieces) - 1, index - 1, -1):
        if " ----" in pieces[at].text and not pieces[at].kind and not is_rule(pieces[at].text):
            pieces[at : at + 1] = _apart_from_rules(pieces[at])


def _mark_captions(reading: Reading, index: int) -> None:
    """Copies of the 1980s to 2003 repeat SIPDIS within the text, where a page or a section ended."""
    pieces = reading.pieces
    if index >= len(pieces) or reading.source.find("SIPDIS", pieces[index].start) < 0:
        return
    for piece in pieces[index:]:
        if piece.first == "S" and not piece.kind and piece.text.strip() == "SIPDIS":
            piece.kind = "caption"
            if "SIPDIS" not in reading.captions:
                reading.captions.append("SIPDIS")


def _ruled_heading(text: str) -> re.Match[str] | None:
    """A heading between rules on one line. Its length and last sign are looked at first: where lines were
    run together the pattern would read far."""
    if len(text) > _LONGEST_RULED or text.rstrip()[-1:] not in _RULE_SIGNS:
        return None
    return _RULED_HEADING.match(text)


def _apart_from_rules(piece: Piece) -> list[Piece]:
    text = piece.text
    if not text.strip("- \t"):
        # Lines under the heads of a table's columns, or a rule.
        return [piece]
    length = len(text.rstrip())
    cuts: list[int | None] = [0]
    at = 0
    while match := _INNER_RULE.search(text, at):
        if length - at < _LONGEST_RULED and (is_rule(text[at:]) or _ruled_heading(text[at:])):
            break
        if text[at : match.start()].strip():
            at = match.start()
        elif match.end() < length:
            at = match.end()
        else:
            break
        cuts.append(at)
    parts = pairwise([*cuts, None])
    return [piece.part(start or 0, end) for start, end in parts] if len(cuts) > 1 else [piece]


def _in_order(reading: Reading, index: int) -> list[list[Piece]]:
    """The pieces of the text, in one run; or a run for each section, put in order, when an earlier
    one came behind a later one."""
    pieces = reading.pieces[index:]
    if not reading.section_starts or reading.section is None:
        return [pieces]
    numbers = [reading.section.number, *(number for number, _ in reading.section_starts)]
    if numbers == sorted(numbers):
        return [pieces]
    places = {id(piece): at for at, piece in enumerate(pieces)}
    cuts = [0, *(places.get(id(last), -1) + 1 for _, last in reading.section_starts), len(pieces)]
    runs = [pieces[start:stop] for start, stop in pairwise(cuts)]
    return [runs[at] for at in sorted(range(len(runs)), key=lambda at: numbers[at])]


def _lines(runs: list[list[Piece]]) -> _Lines:
    kept: list[Piece] = []
    after_blank: set[int] = set()
    blank = broken = False
    for pieces in runs:
        for piece in pieces:
            kind = piece.kind
            if not kind:
                # A page break brings blank lines of its own: they part nothing.
                if blank and not broken:
                    after_blank.add(len(kept))
                blank = broken = False
                kept.append(piece)
            elif kind == "blank":
                blank = True
            elif kind in _PAGE_BREAK or (
                kind == "caption" and kept and not ends_sentence(kept[-1].text)
            ):
                broken = True
        broken = True
    lines = _Lines(kept, after_blank)
    for at in [at for at, piece in enumerate(kept) if piece.first in _SIGNS]:
        text = kept[at].text
        if kept[at].first in _NUMBER_SIGNS:
            if opening := PARAGRAPH_START.match(text):
                lines.openings[at] = opening
        elif RULE.match(text):
            lines.rules.add(at)
        elif _ruled_heading(text):
            lines.ruled.add(at)
    return lines


def _parts(reading: Reading, lines: _Lines) -> list[_Part]:
    ones = _pilcrow_ones(reading, lines)
    sequence = Sequence()
    parts: list[_Part] = []
    at = 0
    for stop in [*_stops(lines), len(lines.pieces)]:
        if stop < at:
            continue
        if stop > at:
            _continue_text(parts, lines, at, stop)
            at = stop
        match = lines.openings.get(at)
        if match is not None:
            number = int(match["number"]) - (_tens(match) if at in ones else 0)
            # Asked of a pilcrow alone.
            apart = not match["pilcrow"] or at in lines.after_blank or _ends_sentence(parts)
            if sequence.accepts(match, number, apart=apart):
                sequence.take(match, number)
                piece = lines.pieces[at]
                if at in ones:
                    reading.repairs.append(_without_one(reading, piece, match, number))
                parts.append(_Part("paragraph", number, [piece], match))
                at += 1
                continue
        if at < len(lines.pieces) and (end := _heading_end(lines, at, parts)) > at:
            parts.append(_heading(lines, at, end))
            at = end
        # What is neither goes on with the text, together with the lines behind it.
    return parts


def _stops(lines: _Lines) -> list[int]:
    """The places of lines that may begin a paragraph or a heading, and of the first.

    A heading stands after a blank line, beside a rule, before a paragraph, or in capitals under a line
    that is not.
    """
    stops = {0, *lines.after_blank, *lines.openings, *lines.ruled}
    for at in lines.rules:
        stops |= {at - 2, at - 1, at, at + 1}
    texts = [piece.text for piece in lines.pieces]
    if not lines.rules and _all_in_capitals(lines, texts):
        lines.in_capitals = True
        return sorted(stops)
    in_capitals = [piece.first not in _SMALL and piece.text.isupper() for piece in lines.pieces]
    if lines.rules or 2 * sum(in_capitals) < len(texts):
        stops |= {at for at in range(1, len(texts)) if in_capitals[at] and not in_capitals[at - 1]}
    return sorted([at for at in stops if 0 <= at < len(texts)])


def _may_have_small_letters(reading: Reading, index: int) -> bool:
    """Whether a small letter stands in a line of the text, seen in the shape of the source: stamps and
    the like between the lines have some. What is not ASCII may be one."""
    if not reading.source.isascii():
        return True
    shape = reading.shape
    at = shape.find("a", reading.pieces[index].start)
    if at < 0:
        return False
    for piece in reading.pieces[index:]:
        if 0 <= at < piece.end:
            if not piece.kind:
                return True
            at = shape.find("a", piece.end)
    return False


def _all_in_capitals(lines: _Lines, texts: list[str]) -> bool:
    """Whether a text has no small letters, and words on most of its lines: nothing stands out of it."""
    if not texts[len(texts) // 2].isupper():
        return False
    worded = [piece for piece in lines.pieces if piece.first in _CAPITALS]
    whole = "\n".join(texts) if lines.small else ""
    return 2 * len(worded) >= len(texts) and whole.upper() == whole


def _tens(match: re.Match[str]) -> int:
    """What the leading 1 of a number is worth: 10 in 14, 100 in 110."""
    return int("1" + "0" * (len(match["number"]) - 1))


def _pilcrow_ones(reading: Reading, lines: _Lines) -> set[int]:
    if not any(match["number"] == "11" for match in lines.openings.values()):
        return set()
    starts = [(at, match) for at, match in lines.openings.items() if not match["indent"]]
    numbers = [(int(match["number"]), bool(match["pilcrow"])) for _, match in starts]
    later = reading.section is not None and reading.section.number > 1
    return {starts[index][0] for index in pilcrow_ones(numbers, later_section=later)}


def _without_one(reading: Reading, piece: Piece, match: re.Match[str], number: int) -> Repair:
    start = piece.start + match.start("number")
    end = piece.start + match.end("stop")
    now = f"{number}{match['stop']}"
    return Repair(Span(start, end), reading.source[start:end], now, "pilcrow read as 1")


def _heading_end(lines: _Lines, at: int, parts: list[_Part]) -> int:
    """Where the heading that begins at line `at` ends; `at` itself when none begins there.

    A rule is one by itself: it sets off a heading, and alone parts nothing.
    """
    pieces, rules = lines.pieces, lines.rules
    if at in rules or at in lines.ruled:
        return at + 1
    if at in lines.openings or _QUOTING.match(pieces[at].text):
        return at
    after_blank = at in lines.after_blank
    begins = after_blank or at == 0 or at - 1 in rules or _stands_out(lines, at, parts)
    if not begins and at + 1 not in rules and at + 2 not in rules:
        return at
    end = at + 1
    while end < len(pieces) and end - at < 3 and not _starts_anew(lines, end):
        end += 1
    if end - at > 2 or any(len(piece.text.strip()) > 72 for piece in pieces[at:end]):
        return at
    if end == len(pieces):
        return at
    anew = end in lines.after_blank
    if end in rules and (not anew or at - 1 in rules) and (begins or _ends_sentence(parts)):
        return end + 1
    if begins and end in lines.openings and _reads_as_heading(pieces[at:end], parts):
        return end
    alone = after_blank and anew and end == at + 1
    if alone and _TITLE.match(pieces[at].text) and _ends_sentence(parts):
        return end
    return at


def _stands_out(lines: _Lines, at: int, parts: list[_Part]) -> bool:
    """Whether a line in capitals follows a sentence that is not: a heading without a blank line."""
    text = lines.pieces[at].text
    return (
        text.isupper()
        and len(text.split()) > 1
        and not lines.pieces[at - 1].text.isupper()
        and _ends_sentence(parts)
    )


def _starts_anew(lines: _Lines, at: int) -> bool:
    return at in lines.after_blank or at in lines.rules or at in lines.openings


def _reads_as_heading(pieces: list[Piece], parts: list[_Part]) -> bool:
    text = " ".join(piece.text.strip() for piece in pieces)
    return (
        (text[:1].isupper() or text[:1] in "\"'(¿¡0123456789")
        and not text.endswith((".", ",", ";", ":"))
        and len(text.split()) <= 14
        and not _LABELLED.match(text)
        and _ends_sentence(parts)
    )


def _ends_sentence(parts: list[_Part]) -> bool:
    if not parts or parts[-1].kind == "heading":
        return True
    return ends_sentence(parts[-1].pieces[-1].text)


def _heading(lines: _Lines, at: int, end: int) -> _Part:
    words: list[Piece] = []
    for index in range(at, end):
        piece = lines.pieces[index]
        if index in lines.rules:
            piece.kind = "rule"
        else:
            piece.kind = "heading"
            words.append(piece)
    return _Part("heading", None, words)


def _continue_text(parts: list[_Part], lines: _Lines, at: int, end: int) -> None:
    """Add lines to the paragraph that they go on with, or begin text without a number."""
    pieces = lines.pieces[at:end]
    last = parts[-1] if parts else None
    if last is None or last.kind == "heading":
        parts.append(_Part("text", None, pieces))
        return
    if at in lines.after_blank and not _goes_on(last, pieces[0]):
        if last.kind == "text":
            parts.append(_Part("text", None, pieces))
            return
        last.gaps.append(len(last.pieces))
    last.pieces += pieces


def _goes_on(part: _Part, piece: Piece) -> bool:
    """Whether a line after a blank one goes on with a sentence that a lost page break cut."""
    return piece.first.islower() and not ends_sentence(part.pieces[-1].text)


def _begin(reading: Reading, part: _Part) -> None:
    """Name the lines of a block, and part number and portion mark from its text."""
    if part.kind == "heading":
        return
    texts: list[str] = []
    for piece in part.pieces:
        piece.kind = "body"
        texts.append(piece.text)
    part.plain = not part.gaps and are_plain(part.pieces)
    if part.opening is not None:
        part.offset = part.opening.end()
    part.marking, skip = portion_mark(_cased(reading, texts[0][part.offset :]))
    part.offset += skip
    texts[0] = texts[0][part.offset :]
    if part.marking is None and len(texts) > 1 and not texts[0].strip():
        # The number stands alone on its line.
        part.marking, skip = portion_mark(_cased(reading, texts[1]))
        texts[1] = " " * skip + texts[1][skip:]
    for gap in reversed(part.gaps):
        texts.insert(gap, "")
    part.text = "\n".join(texts)


def _block(reading: Reading, part: _Part, damage: list[Suspect], odd_blanks: bool) -> Block:
    pieces = part.pieces
    first, last = pieces[0], pieces[-1]
    span = Span(first.start, last.start + len(last.text))
    if last.start < first.start:
        # Lines of an earlier section can stand behind those of a later one.
        start = min(piece.start for piece in pieces)
        span = Span(start, max(piece.start + len(piece.text) for piece in pieces))
    if part.kind == "heading":
        ruled = _ruled_heading(first.text)
        heading = ruled["text"] if ruled else " ".join(" ".join(p.text for p in pieces).split())
        return Block("heading", None, None, None, heading, span)
    raw = part.text
    mends = find_mends(raw, reading.source, damage) if damage else []
    doubtful = doubtful_marks(raw) if "&" in raw else []
    if mends or doubtful:
        _note_damage(reading, part, mends, doubtful)
    if mends:
        text = flow(_apply(raw, mends), odd_blanks=odd_blanks)
    else:
        text = flow(raw, odd_blanks=odd_blanks, plain=part.plain)
    return Block(part.kind, part.number, part.marking, label_of_paragraph(text), text, span)


def _cased(reading: Reading, text: str) -> str:
    return capitals(text) if reading.lowered else text


def _cut_numbers(reading: Reading, parts: list[_Part]) -> None:
    """Part the numbers of paragraphs from their text, now that no line is needed whole."""
    pieces = reading.pieces
    at = 0
    for part in parts:
        if part.kind != "paragraph":
            continue
        piece = part.pieces[0]
        if piece.start < pieces[at].start:
            # A paragraph of a section that came out of order.
            at = 0
        while pieces[at] is not piece:
            at += 1
        if part.offset >= len(piece.text):
            piece.kind = "paragraph-number"
        else:
            rest = piece.part(part.offset, None)
            piece.end, piece.text = rest.start, piece.text[: part.offset]
            piece.kind = "paragraph-number"
            pieces.insert(at + 1, rest)


def _note_damage(
    reading: Reading, part: _Part, mends: list[Mend], doubtful: list[tuple[int, int]]
) -> None:
    """Repairs and doubts with their places in the source."""
    starts: list[int] = []
    gaps = set(part.gaps)
    at = -part.offset
    for index, piece in enumerate(part.pieces):
        at += index in gaps
        starts.append(max(at, 0))
        at += len(piece.text) + 1

    def place(start: int, end: int) -> Span:
        index = bisect_right(starts, start) - 1
        begin = part.pieces[index].start + start - starts[index] + (0 if index else part.offset)
        return Span(begin, begin + end - start)

    for mend in mends:
        span = place(mend.start, mend.end)
        now = mend.now.replace(SOFT_HYPHEN, "")
        reading.repairs.append(Repair(span, span.of(reading.source), now, mend.why))
    begins = [mend.start for mend in mends]
    for start, end in doubtful:
        before = bisect_right(begins, start) - 1
        if before < 0 or start >= mends[before].end:
            message = "this may be a lost quotation mark; its other one is not found"
            reading.diagnostics.append(
                Diagnostic("quote-doubtful", "info", message, place(start, end))
            )


def _apply(text: str, mends: list[Mend]) -> str:
    parts: list[str] = []
    at = 0
    for mend in mends:
        parts += [text[at : mend.start], mend.now]
        at = mend.end
    return "".join([*parts, text[at:]])
