"""The text: numbered paragraphs, headings, and what stands between, page breaks taken out."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from reftel.read.elements import Piece, cut
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
    reads_q_for_apostrophe,
)
from reftel.telegram import Block, BlockKind, Diagnostic, Repair, Span

_RULE = re.compile(r"\s*(?:[-=_*~]\s?){3,}\s*\Z")
_RULED_HEADING = re.compile(r"\s*[-=_*]{3,}\s+(?P<text>[^-=_*].*?)\s+[-=_*]{3,}\s*\Z")
_INNER_RULE = re.compile(r"(?:(?<=\s)|(?<=\A))(?:-{8,}(?: -+)*(?=\s|\Z)|-{4,}(?: -+)*\s*\Z)")
_PAGE_BREAK = frozenset(("page-line", "section-line", "banner", "release-stamp", "release-note", "exemption-code", "section-heading"))
_INNER_PARAGRAPH = re.compile(r"(?<=\S)\s+(?=¶ ?[0-9]{1,3}\. ?)")
_SENTENCE_END = re.compile(r"[.?!:;\"')\]8”]\s*\Z")
_KEPT_LINE = re.compile(
    r"\s*(?:--? ?\S|\*|•|o\s|\(?(?:[A-Za-z]|[ivxIVX]{2,4}|[0-9]{1,3})[.)]\s|\([A-Za-z0-9]{1,4}\))|\S.*\S {3,}\S"
)
_RUNNING_NUMBER = re.compile(r"\s*([0-9]{1,4})\s+[A-Za-z]")
_SIGNATURE = re.compile(
    r"\s*(?P<name>(?:(?:VAN|DE|DI|MC|O'|VON|LA|LE|ST\.?) ?)?[A-Z][A-Z'-]{2,20}"
    r"(?: [A-Z][A-Z'-]{2,20})?)[.#]?(?:\s+N{3,4})?\s*\Z"
)
_MIXED_SIGNATURE = re.compile(
    r"\s*(?P<name>(?:(?:van|de|von|di|la|le) )*(?:Mc|Mac|O'|D')?[A-Z][a-z]{2,20}(?:-[A-Z][a-z]+)?)\s*\Z"
)
_SIGNED_IN_LINE = re.compile(r"(?<=[.?!\")])\s+(?P<name>[A-Z](?:[A-Z'-]{2,20}|[a-z]{3,20}))\s*\Z")
_NO_NAME = frozenset(
    """SUMMARY COMMENT UNQUOTE UNQTE QUOTE TEXT NOTE STOP END CONFIDENTIAL UNCLASSIFIED SECRET BT
    REGARDS NNNN TABLE POINTS NONE SIPDIS EXDIS NODIS LIMDIS STADIS NOFORN""".split()
)


@dataclass(slots=True)
class _Line:
    """A line of text, and whether a blank line or a page break stands before it."""

    piece: Piece
    after_blank: bool
    after_break: bool


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
        _read_signature(reading, index)
    lines = _lines(_in_order(reading, index))
    reading.q_for_apostrophe = reads_q_for_apostrophe(reading.source)
    parts = _parts(reading, lines)
    blocks = [_block(reading, part) for part in parts]
    reading.body = [block for block in blocks if block.text or block.number is not None]
    reading.summary = find_summary(reading.body)


def _cut_inner_paragraphs(reading: Reading, index: int) -> None:
    """Republishers put a pilcrow before each paragraph, and sometimes two paragraphs on a line."""
    if "¶" not in reading.source:
        return
    pieces = reading.pieces
    at = index
    while at < len(pieces):
        piece = pieces[at]
        if not piece.kind and (match := _INNER_PARAGRAPH.search(piece.text)):
            pieces[at : at + 1] = cut(piece, match.end())
        at += 1


def _cut_rules(reading: Reading, index: int) -> None:
    """Where lines were run together, a rule stands behind or between words: cut it out."""
    if " ----" not in reading.source:
        return
    pieces = reading.pieces
    at = index
    while at < len(pieces):
        piece = pieces[at]
        match = _INNER_RULE.search(piece.text) if not piece.kind else None
        if match and not _RULE.match(piece.text) and not _RULED_HEADING.match(piece.text):
            if piece.text[: match.start()].strip():
                pieces[at : at + 1] = cut(piece, match.start())
            elif piece.text[match.end() :].strip():
                pieces[at : at + 1] = cut(piece, match.end())
        at += 1


def _read_signature(reading: Reading, index: int) -> None:
    """The last line of the text, when it is a surname alone; or a surname behind the last sentence."""
    text_lines = [at for at in range(index, len(reading.pieces)) if not reading.pieces[at].kind]
    if not text_lines:
        return
    at = text_lines[-1]
    piece = reading.pieces[at]
    match = _SIGNATURE.match(piece.text) or (
        _MIXED_SIGNATURE.match(piece.text) if len(text_lines) > 1 else None
    )
    if match and match["name"].split()[0] not in _NO_NAME and not _folds(reading, text_lines):
        piece.kind = "signature"
        reading.signature = match["name"]
    elif (
        (match := _SIGNED_IN_LINE.search(piece.text))
        and (
            len(piece.text[: match.start()].split()) > 1
            or len(match[0].rstrip()) > len(match["name"]) + 1
        )
        and match["name"].upper() not in _NO_NAME
    ):
        before, name = cut(piece, match.start("name"))
        name.kind = "signature"
        reading.pieces[at : at + 1] = [before, name]
        reading.signature = match["name"]
    if reading.signature:
        # Each section of a telegram can be signed.
        for other in reading.pieces[index:]:
            if not other.kind and other.text.strip() == reading.signature:
                other.kind = "signature"


def _folds(reading: Reading, text_lines: list[int]) -> bool:
    """Whether the last line is only the end of a folded sentence: it has a full stop, and the line
    above it, with no blank one between, does not end a sentence."""
    at = text_lines[-1]
    if len(text_lines) < 2 or text_lines[-2] != at - 1:
        return False
    above, last = reading.pieces[at - 1].text, reading.pieces[at].text
    return last.rstrip().endswith(".") and not _SENTENCE_END.search(above)


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
    at = 0
    while at < len(lines):
        line = lines[at]
        match = PARAGRAPH_START.match(line.piece.text)
        if match:
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
        (at, match)
        for at, line in enumerate(lines)
        if (match := PARAGRAPH_START.match(line.piece.text)) and not match["indent"]
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
    """Where the heading that begins at line `at` ends; `at` itself when none begins there."""
    line = lines[at]
    text = line.piece.text
    if _RULED_HEADING.match(text):
        return at + 1
    if _RULE.match(text):
        # A rule above a heading; alone it parts nothing, and is kept out of the text.
        return at + 1
    if PARAGRAPH_START.match(text):
        return at
    end = at + 1
    while end < len(lines) and end - at < 3 and not _starts_anew(lines[end]):
        end += 1
    ruled_below = end < len(lines) and bool(_RULE.match(lines[end].piece.text))
    short = all(len(each.piece.text.strip()) <= 72 for each in lines[at:end])
    if not short or end - at > 2:
        return at
    begins = line.after_blank or at == 0 or bool(_RULE.match(lines[at - 1].piece.text))
    if ruled_below and not lines[end].after_blank and (begins or _ends_sentence(parts)):
        return end + 1
    followed = end < len(lines) and PARAGRAPH_START.match(lines[end].piece.text) is not None
    if begins and followed and _reads_as_heading(lines[at:end], parts):
        return end
    return at


def _starts_anew(line: _Line) -> bool:
    text = line.piece.text
    return line.after_blank or bool(PARAGRAPH_START.match(text)) or bool(_RULE.match(text))


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
    return bool(_SENTENCE_END.search(parts[-1].lines[-1].piece.text))


def _heading(lines: list[_Line]) -> _Part:
    for line in lines:
        line.piece.kind = "rule" if _RULE.match(line.piece.text) else "heading"
    return _Part("heading", None, [line for line in lines if line.piece.kind == "heading"])


def _continue_text(parts: list[_Part], line: _Line) -> None:
    """Add a line to the paragraph it goes on with, or begin text without a number."""
    last = parts[-1] if parts else None
    if last is None or last.kind == "heading":
        parts.append(_Part("text", None, [line]))
        return
    if line.after_blank and last.kind == "text" and not _goes_on(last, line):
        parts.append(_Part("text", None, [line]))
        return
    if line.after_blank and _goes_on(last, line):
        line.after_blank = False
    last.lines.append(line)


def _goes_on(part: _Part, line: _Line) -> bool:
    """Whether a line after a blank one goes on with a sentence that a lost page break cut."""
    before = part.lines[-1].piece.text
    return line.piece.text.lstrip()[:1].islower() and not _SENTENCE_END.search(before)


def _block(reading: Reading, part: _Part) -> Block:
    for line in part.lines:
        line.piece.kind = line.piece.kind or "body"
    if not part.lines:
        return Block(part.kind, None, None, None, "", Span(0, 0))
    first, last = part.lines[0].piece, part.lines[-1].piece
    span = Span(first.start, last.start + len(last.text))
    texts = [line.piece.text for line in part.lines]
    if part.kind == "heading":
        ruled = _RULED_HEADING.match(texts[0])
        heading = ruled["text"] if ruled else " ".join(" ".join(texts).split())
        return Block("heading", None, None, None, heading, span)
    offset = 0
    if part.kind == "paragraph":
        match = PARAGRAPH_START.match(texts[0])
        assert match is not None
        offset = match.end()
    marking, skip = portion_mark(texts[0][offset:])
    offset += skip
    text = _clean(reading, part, offset)
    if part.kind == "paragraph":
        _cut_number(reading, first, offset)
    return Block(part.kind, part.number, marking, label_of_paragraph(text), text, span)


def _cut_number(reading: Reading, piece: Piece, offset: int) -> None:
    at = reading.pieces.index(piece)
    if offset >= len(piece.text):
        piece.kind = "paragraph-number"
        return
    number, rest = cut(piece, offset)
    number.kind = "paragraph-number"
    reading.pieces[at : at + 1] = [number, rest]


def _clean(reading: Reading, part: _Part, offset: int) -> str:
    """The text of a block: damage mended, lines joined, lists and tables left as they stand."""
    raw, starts = _raw(part, offset)
    mends = find_mends(raw, reading.source, q_for_apostrophe=reading.q_for_apostrophe)
    for mend in mends:
        reading.repairs.append(_repair(reading, part, offset, starts, mend))
    for start, end in doubtful_marks(raw):
        if not any(mend.start <= start < mend.end for mend in mends):
            message = "this may be a lost quotation mark; its other one is not found"
            span = _repair(reading, part, offset, starts, Mend(start, end, "", "")).span
            reading.diagnostics.append(Diagnostic("quote-doubtful", "info", message, span))
    return _flow(_apply(raw, mends))


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


def _flow(text: str) -> str:
    """Lines joined to running text; a line that opens an item or a row of a table stays its own."""
    groups: list[str] = []
    for group in text.split("\n\n"):
        flowed: list[str] = []
        lines = group.split("\n")
        rows = _numbered_rows(lines) if len(lines) > 2 else ()
        for at, line in enumerate(lines):
            if _RULE.match(line):
                continue
            if not flowed or at in rows or _KEPT_LINE.match(line):
                flowed.append(line.strip() if not _is_row(line) else line.rstrip())
            else:
                flowed[-1] = _joined(flowed[-1].rstrip(), line.strip())
        joined = "\n".join(row if _is_row(row) else " ".join(row.split()) for row in flowed).replace(SOFT_HYPHEN, "")
        if joined.strip():
            groups.append(joined.strip())
    return "\n\n".join(groups)


def _numbered_rows(lines: list[str]) -> set[int]:
    """Lines of a list or table that open with a running number: three or more, one after another."""
    rows: set[int] = set()
    run: list[int] = []
    last = -1
    for at, line in enumerate([*lines, ""]):
        match = _RUNNING_NUMBER.match(line)
        if match and (not run or int(match[1]) == last + 1):
            run.append(at)
        else:
            if len(run) > 2:
                rows.update(run)
            run = [at] if match else []
        last = int(match[1]) if match else -1
    return rows


def _is_row(line: str) -> bool:
    return bool(re.search(r"\S {3,}\S", line))


def _joined(before: str, line: str) -> str:
    """Two lines as one: a blank between them, none behind a hyphen or within a divided word."""
    if before.endswith(SOFT_HYPHEN):
        return before[:-1] + line
    return before + line if before[-1:] == "-" and before[-2:-1].isalpha() else f"{before} {line}"


_END_SUMMARY = re.compile(r"[\s(.]*END (?:OF )?SUMMARY(?: AND COMMENT)?\s*[.)]*", re.IGNORECASE)
_SUMMARY = re.compile(r"(?:BEGIN |EXECUTIVE )?SUMM?A?R?Y\b", re.IGNORECASE)
_LABEL_END = re.compile(r"\)?\s*(?:\((?:U|SBU|LOU|C|S|TS)(?:/+[A-Z]+)?\))?[ .:;)\n-]*")


def find_summary(body: list[Block]) -> str | None:
    """The summary's text without its labels: a labelled block, or what stands under such a heading."""
    for index, block in enumerate(body):
        if block.kind == "heading" and _SUMMARY.match(block.text):
            return _summary_from(body, index + 1, 0)
        if block.label and _SUMMARY.match(block.label):
            label = _LABEL_END.match(block.text, block.text.index(block.label) + len(block.label))
            return _summary_from(body, index, label.end() if label else len(block.label))
    return None


def _summary_from(body: list[Block], index: int, skip: int) -> str | None:
    """From block `index` to where the summary ends: `END SUMMARY`, or the end of the block."""
    texts: list[str] = []
    for block in body[index : index + 8]:
        text = block.text[skip:].lstrip(" .:;-\n") if skip else block.text
        skip = 0
        if block.kind == "heading":
            break
        if match := _END_SUMMARY.search(text):
            texts.append(text[: match.start()] + _stop(match))
            return "\n\n".join(texts).strip() or None
        texts.append(text)
    return texts[0].strip() or None if texts else None


def _stop(match: re.Match[str]) -> str:
    """The point that ends the summary's last sentence, when the pattern took it with the label."""
    return "." if "." in match[0][: match[0].upper().index("END")] else ""
