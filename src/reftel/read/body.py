"""The text: numbered paragraphs, headings, and what stands between, page breaks taken out."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from reftel.read.elements import Piece, cut
from reftel.read.flow import RULE, ends_sentence, flow, is_rule
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
    doubtful_marks,
    find_mends,
    has_spaced_words,
    reads_q_for_apostrophe,
)
from reftel.read.signature import read_signature
from reftel.read.summary import find_summary
from reftel.telegram import Block, BlockKind, Diagnostic, Repair, Span

# Where something quoted begins or ends: no heading, though it stands alone.
_QUOTING = re.compile(
    r"\s*(?:BEGIN|END) (?:[A-Z]+ )?(?:TEXT|POINTS|QUOTE|SUMMARY|COMMENT|NOTE|NON-?PAPER)\b",
    re.IGNORECASE,
)
_RULED_HEADING = re.compile(r"\s*[-=_*]{3,}\s+(?P<text>[^-=_*].*?)\s+[-=_*]{3,}\s*\Z")
_INNER_RULE = re.compile(r"(?:(?<=\s)|(?<=\A))(?:-{8,}(?: -+)*(?=\s|\Z)|-{4,}(?: -+)*\s*\Z)")
# A title in mixed case, two words to eight, nothing but words in it.
_TITLE = re.compile(
    r"\s*(?=.*[a-z])[A-Z][A-Za-z'’-]*"
    r"(?:,? (?:[A-Z][A-Za-z'’-]*|of|and|the|in|on|for|to|a|with|from|by)){1,7}\s*\Z"
)
_RULE_SIGNS = frozenset("-=_*~")
_NUMBER_SIGNS = frozenset("0123456789¶")
_PAGE_BREAK = frozenset(
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
_INNER_PARAGRAPH = re.compile(r"(?<=\S)\s+(?=¶ ?[0-9]{1,3}\. ?)")


class _Line:
    """A line of text: whether a blank line or a page break stands before it, and what it can begin."""

    __slots__ = ("after_blank", "after_break", "is_rule", "is_ruled", "opening", "piece")

    def __init__(self, piece: Piece, after_blank: bool, after_break: bool) -> None:
        self.piece = piece
        self.after_blank = after_blank
        self.after_break = after_break
        first = piece.first
        signs = first in _RULE_SIGNS
        self.is_rule = signs and RULE.match(piece.text) is not None
        self.is_ruled = signs and not self.is_rule and _RULED_HEADING.match(piece.text) is not None
        self.opening = PARAGRAPH_START.match(piece.text) if first in _NUMBER_SIGNS else None


@dataclass(slots=True)
class _Part:
    """A block in the making: its lines, and which of them begin a new part after a blank line."""

    kind: BlockKind
    number: int | None = None
    lines: list[_Line] = field(default_factory=list)


def read_body(reading: Reading, index: int) -> None:
    """Read the text from piece `index` to the end."""
    _cut_inner_paragraphs(reading, index)
    _cut_rules(reading, index)
    if reading.service is None:
        read_signature(reading, index)
    lines = _lines(_in_order(reading, index))
    start = reading.pieces[index].start if index < len(reading.pieces) else 0
    reading.spaced_words = has_spaced_words(reading.source, start)
    reading.q_for_apostrophe = reads_q_for_apostrophe(reading.source)
    parts = _parts(reading, lines)
    numbers: dict[Piece, int] = {}
    blocks = [_block(reading, part, numbers) for part in parts]
    _cut_numbers(reading, numbers)
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


def _cut_rules(reading: Reading, index: int) -> None:
    """Where lines were run together, a rule stands behind or between words: cut it out."""
    if " ----" not in reading.source:
        return
    pieces = reading.pieces
    at = index
    while at < len(pieces):
        piece = pieces[at]
        match = _INNER_RULE.search(piece.text) if not piece.kind and " ----" in piece.text else None
        if match and not is_rule(piece.text) and not _RULED_HEADING.match(piece.text):
            if piece.text[: match.start()].strip():
                pieces[at : at + 1] = cut(piece, match.start())
            elif piece.text[match.end() :].strip():
                pieces[at : at + 1] = cut(piece, match.end())
        at += 1


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


def _lines(runs: list[list[Piece]]) -> list[_Line]:
    lines: list[_Line] = []
    blank = broken = False
    for pieces in runs:
        for piece in pieces:
            if piece.kind == "blank":
                blank = True
            elif piece.kind in _PAGE_BREAK:
                broken = True
            elif not piece.kind:
                # A page break brings blank lines of its own: they part nothing.
                lines.append(_Line(piece, blank and not broken, broken))
                blank = broken = False
        broken = True
    return lines


def _parts(reading: Reading, lines: list[_Line]) -> list[_Part]:
    ones = _pilcrow_ones(reading, lines)
    sequence = Sequence()
    parts: list[_Part] = []
    ruled = any(line.is_rule for line in lines)
    mixed = 2 * sum(line.piece.text.isupper() for line in lines) < len(lines)
    at = 0
    while at < len(lines):
        line = lines[at]
        match = line.opening
        capitals_line = mixed and line.piece.text.isupper()
        if (
            match is None
            and parts
            and not (line.after_blank or ruled or line.is_ruled or capitals_line)
        ):
            # By far the most lines only go on.
            _continue_text(parts, line)
            at += 1
            continue
        if match is not None:
            number = int(match["number"]) - (_tens(match) if at in ones else 0)
            if sequence.accepts(match, number):
                sequence.take(match, number)
                parts.append(_begin_paragraph(reading, line, match, number, at in ones))
                at += 1
                continue
        end = _heading_end(lines, at, parts)
        if end > at:
            parts.append(_heading(lines[at:end]))
            at = end
            continue
        _continue_text(parts, line)
        at += 1
    return parts


def _tens(match: re.Match[str]) -> int:
    """What the leading 1 of a number is worth: 10 in 14, 100 in 110."""
    return int("1" + "0" * (len(match["number"]) - 1))


def _pilcrow_ones(reading: Reading, lines: list[_Line]) -> set[int]:
    starts = [
        (at, line.opening)
        for at, line in enumerate(lines)
        if line.opening is not None and not line.opening["indent"]
    ]
    numbers = [(int(match["number"]), bool(match["pilcrow"])) for _, match in starts]
    later = reading.section is not None and reading.section.number > 1
    return {starts[index][0] for index in pilcrow_ones(numbers, later_section=later)}


def _begin_paragraph(
    reading: Reading, line: _Line, match: re.Match[str], number: int, one: bool
) -> _Part:
    piece = line.piece
    if one:
        start = piece.start + match.start("number")
        end = piece.start + match.end("stop")
        was = reading.source[start:end]
        now = f"{number}{match['stop']}"
        reading.repairs.append(Repair(Span(start, end), was, now, "pilcrow read as 1"))
    return _Part("paragraph", number, [line])


def _heading_end(lines: list[_Line], at: int, parts: list[_Part]) -> int:
    """Where the heading that begins at line `at` ends; `at` itself when none begins there.

    A rule is one by itself: it sets off a heading, and alone parts nothing.
    """
    line = lines[at]
    if line.is_rule or line.is_ruled:
        return at + 1
    if line.opening is not None or _QUOTING.match(line.piece.text):
        return at
    begins = (
        line.after_blank
        or at == 0
        or lines[at - 1].is_rule
        or _stands_out(lines[at - 1], line, parts)
    )
    if not begins and not any(each.is_rule for each in lines[at + 1 : at + 3]):
        return at
    end = at + 1
    while end < len(lines) and end - at < 3 and not _starts_anew(lines[end]):
        end += 1
    if end - at > 2 or any(len(each.piece.text.strip()) > 72 for each in lines[at:end]):
        return at
    if end == len(lines):
        return at
    after = lines[end]
    if after.is_rule and not after.after_blank and (begins or _ends_sentence(parts)):
        return end + 1
    if begins and after.opening is not None and _reads_as_heading(lines[at:end], parts):
        return end
    alone = line.after_blank and after.after_blank and end == at + 1
    if alone and _TITLE.match(line.piece.text) and _ends_sentence(parts):
        return end
    return at


def _stands_out(above: _Line, line: _Line, parts: list[_Part]) -> bool:
    """Whether a line in capitals follows a sentence that is not: a heading without a blank line."""
    text = line.piece.text
    return (
        text.isupper()
        and len(text.split()) > 1
        and not above.piece.text.isupper()
        and _ends_sentence(parts)
    )


def _starts_anew(line: _Line) -> bool:
    return line.after_blank or line.is_rule or line.opening is not None


def _reads_as_heading(lines: list[_Line], parts: list[_Part]) -> bool:
    text = " ".join(line.piece.text.strip() for line in lines)
    return (
        (text[:1].isupper() or text[:1] in "\"'(¿¡0123456789")
        and not text.endswith((".", ",", ";", ":"))
        and len(text.split()) <= 14
        and _ends_sentence(parts)
    )


def _ends_sentence(parts: list[_Part]) -> bool:
    if not parts or parts[-1].kind == "heading":
        return True
    return ends_sentence(parts[-1].lines[-1].piece.text)


def _heading(lines: list[_Line]) -> _Part:
    for line in lines:
        line.piece.kind = "rule" if line.is_rule else "heading"
    return _Part("heading", None, [line for line in lines if not line.is_rule])


def _continue_text(parts: list[_Part], line: _Line) -> None:
    """Add a line to the paragraph it goes on with, or begin text without a number."""
    last = parts[-1] if parts else None
    if last is None or last.kind == "heading":
        parts.append(_Part("text", None, [line]))
        return
    if line.after_blank:
        if _goes_on(last, line):
            line.after_blank = False
        elif last.kind == "text":
            parts.append(_Part("text", None, [line]))
            return
    last.lines.append(line)


def _goes_on(part: _Part, line: _Line) -> bool:
    """Whether a line after a blank one goes on with a sentence that a lost page break cut."""
    before = part.lines[-1].piece.text
    return line.piece.text.lstrip()[:1].islower() and not ends_sentence(before)


def _block(reading: Reading, part: _Part, numbers: dict[Piece, int]) -> Block:
    if not part.lines:
        return Block(part.kind, None, None, None, "", Span(0, 0))
    texts: list[str] = []
    for line in part.lines:
        piece = line.piece
        texts.append(piece.text)
        if not piece.kind:
            piece.kind = "body"
    first, last = part.lines[0].piece, part.lines[-1].piece
    span = Span(first.start, last.start + len(last.text))
    if last.start < first.start:
        # Lines of an earlier section can stand behind those of a later one.
        start = min(line.piece.start for line in part.lines)
        span = Span(start, max(line.piece.start + len(line.piece.text) for line in part.lines))
    if part.kind == "heading":
        ruled = _RULED_HEADING.match(texts[0])
        heading = ruled["text"] if ruled else " ".join(" ".join(texts).split())
        return Block("heading", None, None, None, heading, span)
    offset = 0
    if part.kind == "paragraph":
        opening = part.lines[0].opening
        assert opening is not None
        offset = opening.end()
    marking, skip = portion_mark(_cased(reading, texts[0][offset:]))
    offset += skip
    text = _clean(reading, part, offset)
    if part.kind == "paragraph":
        numbers[first] = offset
    return Block(part.kind, part.number, marking, label_of_paragraph(text), text, span)


def _cased(reading: Reading, text: str) -> str:
    return capitals(text) if reading.lowered else text


def _cut_numbers(reading: Reading, offsets: dict[Piece, int]) -> None:
    """Part the numbers of paragraphs from their text, now that no line is needed whole."""
    pieces = reading.pieces
    at = 0
    for piece, offset in offsets.items():
        try:
            at = pieces.index(piece, at)
        except ValueError:
            # A paragraph of a section that came out of order.
            at = pieces.index(piece)
        if offset >= len(piece.text):
            piece.kind = "paragraph-number"
        else:
            number, rest = cut(piece, offset)
            number.kind = "paragraph-number"
            pieces[at : at + 1] = [number, rest]


def _clean(reading: Reading, part: _Part, offset: int) -> str:
    """The text of a block: damage mended, lines joined, lists and tables left as they stand."""
    raw, starts = _raw(part, offset)
    mends = find_mends(
        raw,
        reading.source,
        q_for_apostrophe=reading.q_for_apostrophe,
        spaced=reading.spaced_words,
    )
    for mend in mends:
        reading.repairs.append(_repair(reading, part, offset, starts, mend))
    for start, end in doubtful_marks(raw) if "&" in raw else ():
        if not any(mend.start <= start < mend.end for mend in mends):
            message = "this may be a lost quotation mark; its other one is not found"
            span = _repair(reading, part, offset, starts, Mend(start, end, "", "")).span
            reading.diagnostics.append(Diagnostic("quote-doubtful", "info", message, span))
    return flow(_apply(raw, mends) if mends else raw)


def _raw(part: _Part, offset: int) -> tuple[str, list[int]]:
    """The lines of a block as one text, and where each of them begins in it."""
    texts: list[str] = []
    starts: list[int] = []
    length = 0
    for index, line in enumerate(part.lines):
        text = line.piece.text[offset:] if index == 0 else line.piece.text
        if index and line.after_blank:
            texts.append("")
            length += 1
        starts.append(length)
        texts.append(text)
        length += len(text) + 1
    return "\n".join(texts), starts


def _repair(reading: Reading, part: _Part, offset: int, starts: list[int], mend: Mend) -> Repair:
    index = bisect_right(starts, mend.start) - 1
    start = part.lines[index].piece.start + mend.start - starts[index]
    if index == 0:
        start += offset
    end = start + mend.end - mend.start
    now = mend.now.replace(SOFT_HYPHEN, "")
    return Repair(Span(start, end), reading.source[start:end], now, mend.why)


def _apply(text: str, mends: list[Mend]) -> str:
    parts: list[str] = []
    at = 0
    for mend in mends:
        parts += [text[at : mend.start], mend.now]
        at = mend.end
    return "".join([*parts, text[at:]])
