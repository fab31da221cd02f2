"""What stands between the heading and the text: captions, passing lines, E.O., TAGS, SUBJECT, REF,
Classified By, in any order, folded, run together or given twice (telegram-content.md 3.8 to 3.15).
"""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from reftel import tables
from reftel.read.attention import is_passing
from reftel.read.captions import CAPTION_WORDS, captions_of, misspelt_caption
from reftel.read.classification import (
    CLASSIFICATION_LINE,
    level_of,
    opens_level,
    read_classification,
    set_section,
)
from reftel.read.classified_by import (
    CLASSIFIED_LABEL,
    FURTHER_LABEL,
    is_cut,
    parse_classified_by,
    parse_reasons,
)
from reftel.read.damaged_labels import FieldKind
from reftel.read.dtg import day_of_year
from reftel.read.elements import Piece, cut, name_front
from reftel.read.executive_order import parse_executive_order
from reftel.read.labels import inner_label, label_of
from reftel.read.paragraphs import PARAGRAPH_FIRST, PARAGRAPH_START, is_paragraph
from reftel.read.reading import Reading
from reftel.read.references import (
    CITED,
    ITEM,
    Citing,
    goes_on,
    is_next_number,
    is_unfinished,
    parse_references,
)
from reftel.read.tags_line import are_mostly_tags, are_tags, parse_tags
from reftel.telegram import Repair, Span

_RULE_FIRST: Final = frozenset("-=_")
_QUOTE_FIRST: Final = frozenset("QqBb")
_QUOTE: Final = re.compile(r"\s*(?:QUOTE|QTE|BEGIN (?:TEXT|QUOTE))\b", re.IGNORECASE)
_TEXT_LABEL_FIRST: Final = frozenset("SCIABsciab")
_TEXT_LABEL: Final = re.compile(
    r"\s*(?:BEGIN )?(?:SUMMARY|COMMENT|INTRODUCTION|ACTION REQUEST(?:ED)?|BACKGROUND)\b",
    re.IGNORECASE,
)
_CORRECTED_FIRST: Final = frozenset("(*Cc")
_CORRECTED: Final = re.compile(
    r"\s*[(*]*(?:C ?O ?R ?R ?E ?C ?T ?E ?D) +(?:C ?O ?P ?Y)\b", re.IGNORECASE
)
_LETTERED: Final = re.compile(r"\s*\(?(?P<letter>[A-Z])[.)] +\S")
_RULED: Final = re.compile(r"\s*[-=_*]{4,}")
_TAG_MARKS: Final = re.compile(r"</?[A-Za-z][^<>]{0,80}>")
_MARKUP: Final = re.compile(r"\[([^\]\[]*)\]\([^)]*\)")
# A dash at the start of a line keeps its indentation on the wire.
_INDENTED: Final = re.compile(r"\n[ \t]*-[ \t]{3,}")
_NAME_ALONE: Final = re.compile(r"\s*[A-Z][A-Z'-]{2,20}\s*\Z")
_HYPHEN_AT_END: Final = re.compile(r"(?<=[A-Za-z])-[ \t]?\n[ \t]*(?=[A-Za-z])")
# Text with a portion mark, not the letters of a reason: `(C) AND (D)`.
_MARKED_TEXT: Final = re.compile(
    r"\s*\((?:U|SBU|LOU|C|S|TS)(?:/+[A-Z]+)?\) +(?!AND\b|OR\b|FOR\b)[\"A-Z][A-Za-z]"
)
_SECTION_OF_ORDER: Final = re.compile(r"\b1\.[2-6]\b")
_ONLY: Final = re.compile(
    r"\s*(?:EYES )?ONLY FOR\b|\s*(?:EYES ONLY )?FOR\b.*\bONLY\b", re.IGNORECASE
)
_NO_SUBJECT: Final = re.compile(
    r"\s*(?:[-=_*]{4,}|-- ?[A-Z]|[IVX]{1,4}\. |TABLE OF CONTENTS\b|SUGGEST DEP(?:T|ARTMENT)\b|TO: "
    r"|FOR (?:THE )?(?:AMBASSADOR|CHARGE|DCM|CONSUL GENERAL|(?:(?:ASSISTANT|UNDER|DEPUTY) )?SECRETARY)"
    r"(?: [A-Z]+)?(?: FROM\b.*)?\s*\Z"
    r"|THIS IS AN? ACTION\b|DERIVED FROM|DECL(?:ASSIFY)? ?ON\b|DECL:"
    r"|SENSITIVE BUT UNCLAS|NOT FOR INTERNET|PAGE [0-9]"
    r"|(?:UNCLASSIFIED|CONFIDENTIAL|SECRET)\s*(?:[^\sA-Z]|\Z))",
    re.IGNORECASE,
)

# What a caption has behind it: `EXDIS - DISTRIBUTE AS NODIS`, `OFFICIAL INFORMAL NO. 12`.
_CAPTION_MORE: Final = re.compile(
    r"\W*(?:DISTRIBUTE AS [A-Z]+\W*|(?:NO\. ?)?[0-9]+(?:[/-][0-9]+)?\s*\Z)"
)
_CAPTION_BEHIND: Final = re.compile(
    r" (?<=\S ) *(?:SIPDIS|SENSITIVE|NOFORN|EXDIS|NODIS|LIMDIS)(?: +SIPDIS)?\s*\Z"
)

# What archives and publishers write above the text of a copy.
_ARCHIVE_NOTE: Final = re.compile(
    r"\s*(?:Original (?:telegram|classification|document)\b|Copy (?:from|of)\b.*(?:Archives|file)"
    r"|R(?:ecord )?G(?:roup)? ?[0-9]+\b|(?:19[0-9]{2}-)?[0-9-]* ?Central (?:Foreign Policy )?Files?\b"
    r"|(?:File|Box|Folder): )",
    re.IGNORECASE,
)
_DECLASSIFIED: Final = re.compile(r"de-?classified\b(?<!\wdeclassified)(?<!\wde-classified)")
_YEAR_AT_END: Final = re.compile(r"[0-9]{2,4}\s*\Z")
_SIGN: Final = re.compile(r"[A-Z0-9]")
_FEW_PROSE_LINES: Final = 8
_FEW_WORDS: Final = 4
_LONG_SUBJECT: Final = 3
_SENTENCE: Final = re.compile(r"[A-Za-z]{4}\.(?: [A-Z\"]|\Z)")
_FAR: Final = 60


def read_markings(reading: Reading, index: int) -> int:
    """Read the markings from piece `index` on; the index of the first piece of the text."""
    paragraph = _split_labels(reading, index)
    last = _last_label(reading, index, paragraph)
    at = index
    if last is None:
        _read_quoted(reading, index)
    else:
        # Lines are cut in two as they are read, so the end is known by its piece, not its index.
        while not last.kind:
            at = _read_line(reading, at)
    return _read_tail(reading, at, paragraph)


def _read_quoted(reading: Reading, index: int) -> None:
    """A telegram sent on whole, between QUOTE and UNQUOTE, by one that has no markings of its own: what
    the quoted one is about, the other is about too. The lines stay text."""
    pieces = reading.pieces
    end = min(index + _FAR, len(pieces))
    at = index
    while at < end and (pieces[at].kind or not _opens_quote(pieces[at])):
        at += 1
    if at == end:
        return
    quoted = [piece.part(0, None) for piece in pieces[at + 1 : end]]
    inner = Reading(reading.source, quoted, _year(reading))
    inner.dtg, inner.lowered = reading.dtg, reading.lowered
    read_markings(inner, 0)
    if inner.executive_order is None or not (inner.tags or inner.subject):
        return
    reading.executive_order, reading.subject = inner.executive_order, inner.subject
    reading.tags, reading.references = inner.tags, inner.references
    reading.doubt(
        "markings-quoted", "the markings are those of the telegram quoted", pieces[at], "info"
    )


def _split_labels(reading: Reading, index: int) -> Piece | None:
    """Cut lines that hold several labels, up to the first paragraph; the line that begins it, if it
    is met."""
    pieces = reading.pieces
    solid = 0
    at = index
    while at < len(pieces) and solid < _FAR:
        piece = pieces[at]
        if piece.kind:
            at += 1
            continue
        first, text = piece.first, piece.text
        if first in PARAGRAPH_FIRST and is_paragraph(text) and not CLASSIFIED_LABEL.match(text):
            return piece
        solid += 1
        if first not in _RULE_FIRST:
            match = inner_label(text, text.index(first) + 1)
            named = match and match[0].startswith(" E") and "DECL" not in text[match.end() :]
            if match and not (named and _is_named(pieces, index, at)):
                pieces[at : at + 1] = cut(piece, match.start() + 1)
        at += 1
    return None


def _is_named(pieces: list[Piece], index: int, at: int) -> bool:
    """Whether an executive order in line `at` is one that a subject or a reason names, below the line of
    the telegram's own."""
    found = label_of(pieces[at].text)
    while found is None and at > index and pieces[at].kind != "blank":
        at -= 1
        found = None if pieces[at].kind else label_of(pieces[at].text)
    if found is None or found[0] != "subject":
        return found is not None and found[0] == "classified-by"
    above = (label_of(piece.text) for piece in pieces[index:at] if not piece.kind)
    return any(label is not None and label[0] == "executive-order" for label in above)


def _last_label(reading: Reading, index: int, paragraph: Piece | None) -> Piece | None:
    """The last line that begins a field, looking no further than the text."""
    last: Piece | None = None
    prose = solid = 0
    subject_met = False
    for at in range(index, len(reading.pieces)):
        piece = reading.pieces[at]
        if piece.kind:
            if piece.kind == "publisher-note" and last is not None:
                break
            continue
        if piece is paragraph:
            break
        solid += 1
        found = label_of(piece.text)
        if found:
            last, prose = piece, 0
            subject_met = subject_met or found[0] == "subject"
        elif _opens_text(piece, subject_met):
            break
        else:
            prose += 1
        if solid > _FAR or (subject_met and prose > _FEW_PROSE_LINES):
            break
    return last


def _opens_text(piece: Piece, subject_met: bool) -> bool:
    """Whether a line begins the text, or a telegram that this one quotes."""
    first = piece.first
    if first in PARAGRAPH_FIRST:
        return is_paragraph(piece.text)
    if _opens_quote(piece):
        return True
    return subject_met and first in _TEXT_LABEL_FIRST and _TEXT_LABEL.match(piece.text) is not None


def _opens_quote(piece: Piece) -> bool:
    """Whether the text of another telegram begins here."""
    return piece.first in _QUOTE_FIRST and _QUOTE.match(piece.text) is not None


def _read_line(reading: Reading, at: int) -> int:
    """Read one line or one folded field; the index after it."""
    piece = reading.pieces[at]
    if piece.kind:
        return at + 1
    if found := label_of(piece.text):
        kind, match = found
        return _read_field(reading, at, kind, match)
    return _read_unlabelled(reading, at)


def _read_field(reading: Reading, at: int, kind: FieldKind, match: re.Match[str]) -> int:
    lines, end = _folded(reading, at, kind, match)
    if kind == "subject" and (own := _own_lines(reading, lines, end)) < len(lines):
        lines, end = lines[:own], reading.pieces.index(lines[own], at)
    for piece in lines:
        piece.kind = kind
    texts = [line.text for line in lines]
    if reading.lowered and kind in ("subject", "reference", "classified-by"):
        # What people wrote keeps its letters; only codes are read as capitals.
        texts = [reading.source[line.start : line.start + len(line.text)] for line in lines]
    value = texts[0][match.end() :]
    for at in range(1, len(lines)):
        # Line ends and pages between the lines keep their room, so that every item has its place.
        above = lines[at - 1]
        room = lines[at].start - above.start - len(above.text)
        value += "\n".rjust(room) + texts[at]
    start = lines[0].start + match.end()
    if kind == "executive-order":
        if reading.executive_order is None:
            reading.executive_order = parse_executive_order(match["order"], value, _year(reading))
    elif kind == "tags" and not reading.tags:
        reading.tags = parse_tags(value, _year(reading))
        _part_captions(reading)
        written = value.upper()
        if apart := [tag.code for tag in reading.tags if tag.code not in written]:
            message = f"TAGS written otherwise are read as {', '.join(apart)}"
            reading.doubt("words-run-together", message, lines[0], "info")
    elif kind == "subject" and not reading.subject:
        reading.subject = clean_subject(value)
    elif kind == "reference":
        known = {(reference.enumerator, reference.text) for reference in reading.references}
        reading.references += [
            reference
            for reference in parse_references(value, start, citing_of(reading))
            if (reference.enumerator, reference.text) not in known
        ]
    elif kind == "classified-by":
        _read_classified_by(reading, match, value)
    return end


def _own_lines(reading: Reading, lines: list[Piece], end: int) -> int:
    """How many of its lines a subject keeps: no blank line may part it from the text.

    It has eaten the text when it goes on to the end of the telegram, over a sentence and a signature; or
    over several lines with a sentence in them. Then it ends with the first line that had room for more.
    """
    texts = [line.text.rstrip() for line in lines]
    if len(texts) > 2 and texts[-2].endswith(".") and _NAME_ALONE.match(texts[-1]):
        return 1 if all(piece.kind for piece in reading.pieces[end:]) else len(texts)
    if len(texts) <= _LONG_SUBJECT or not _SENTENCE.search(" ".join(texts)):
        return len(texts)
    width = max(map(len, texts))
    for at, (text, after) in enumerate(pairwise(texts), 1):
        if len(text) + 1 + len(after.split()[0]) <= width:
            return at
    return len(texts)


def _read_classified_by(reading: Reading, match: re.Match[str], value: str) -> None:
    who = reading.classified_by
    if match.re is not FURTHER_LABEL:
        if who is None or not (who.title or who.reasons):
            # One that says too little is followed by the right one: `Classified By: Classified By: ...`
            reading.classified_by = parse_classified_by(value, match.end())
    elif match["reason"] and who is not None and not who.reasons:
        reading.classified_by = replace(who, reasons=parse_reasons(value))


def _part_captions(reading: Reading) -> None:
    """A caption that strayed into the TAGS line (`PREL NO SIPDIS`) is one all the same, and no TAGS."""
    stray = [tag for tag in reading.tags if tag.kind == "unknown" and tag.code in CAPTION_WORDS]
    if not stray:
        return
    reading.tags = [tag for tag in reading.tags if tag not in stray]
    reading.captions += [tag.code for tag in stray if tag.code not in reading.captions]


def clean_subject(value: str) -> str | None:
    """A subject on one line, links and emphasis of republishers removed. Its portion mark stays, as in
    the Archives' catalogue: `(C) HIJACK CONTINGENCY PLANNING`."""
    whole = _MARKUP.sub(r"\1", value) if "[" in value else value
    whole = html.unescape(whole) if "&" in whole and ";" in whole else whole
    whole = _TAG_MARKS.sub("", whole) if "<" in whole else whole
    whole = _HYPHEN_AT_END.sub("-", _INDENTED.sub("\n", whole)) if "-" in whole else whole
    return " ".join(whole.replace("**", "").split()).lstrip(":;- ").rstrip("; ") or None


_PAGE_END: Final = frozenset(("page-line", "banner", "release-stamp", "release-note"))
_OVER_SECTIONS: Final = frozenset(("reference", "classified-by"))


def _folded(
    reading: Reading, at: int, kind: FieldKind, label: re.Match[str]
) -> tuple[list[Piece], int]:
    """The lines of a field that begins at `at`, and the index after them."""
    pieces = reading.pieces
    lines = [pieces[at]]
    empty = not lines[0].text[label.end() :].strip()
    at += 1
    blank = paged = False
    while at < len(pieces):
        piece = pieces[at]
        if piece.kind == "blank":
            blank = blank or not paged
            at += 1
            continue
        if piece.kind in _PAGE_END or (piece.kind == "section-line" and kind in _OVER_SECTIONS):
            # A page may end in a field; the blank lines about its line part nothing.
            blank = blank and (paged or piece.kind in ("banner", "release-stamp"))
            paged = True
            at += 1
            continue
        if piece.kind:
            break
        if not _goes_on(reading, kind, lines, piece, blank, empty):
            break
        lines.append(piece)
        blank = paged = empty = False
        at += 1
    return lines, at


def _goes_on(
    reading: Reading, kind: FieldKind, lines: list[Piece], piece: Piece, blank: bool, empty: bool
) -> bool:
    """Whether a line belongs to the field begun by `lines`; `blank` when a blank one is between them,
    `empty` when nothing stands behind the label."""
    if blank and not empty and kind != "reference":
        cut = kind == "classified-by" and is_cut(lines[-1].text)
        if not cut or _SECTION_OF_ORDER.search(piece.text) is None:
            return False
        blank = False
    first, text = piece.first, piece.text
    if (
        label_of(text)
        or _opens_quote(piece)
        or (opens_level(text) and CLASSIFICATION_LINE.match(text))
        or (first == "B" and text.strip() == "BT")
    ):
        return False
    if kind == "reference":
        more = empty or goes_on(lines, text, blank)
        if ITEM.match(text):
            return more
        if is_next_number(lines, text):
            return True
        if PARAGRAPH_START.match(text) or _RULED.match(text) or _TEXT_LABEL.match(text):
            return False
        if blank and is_unfinished(lines[-1].text, text):
            return True
        return empty or (more and not blank and not is_passing(text))
    if (
        (first in PARAGRAPH_FIRST and is_paragraph(text))
        or (first in _TEXT_LABEL_FIRST and _TEXT_LABEL.match(text))
        or (first in _CORRECTED_FIRST and _CORRECTED.match(text))
    ):
        return False
    if kind == "tags":
        asked = lines[-1].text.rstrip().endswith(",")
        return (are_mostly_tags if asked else are_tags)(text, _year(reading))
    if blank and kind != "subject":
        return False
    if kind == "executive-order":
        value = lines[-1].text
        return (
            not captions_of(text)
            and not are_tags(text, _year(reading))
            and ("DECL" in value.upper() and not _YEAR_AT_END.search(value))
        )
    if kind == "subject":
        item = ITEM.match(text)
        if item and CITED.search(text):
            return False
        if _NO_SUBJECT.match(text):
            # `-- PLANS FOR A NEW YEAR`: a second half, or the first line of a list.
            return first == "-" and text[:3] == "-- " and _is_last(reading.pieces, piece)
        if item and item["letter"] == "A" and len(text.split()) <= _FEW_WORDS:
            # A heading `A. LAMPS`, unless the initial of a name: `VISIT OF MR.` / `A. DOE`.
            return lines[-1].text.rstrip()[-1:] in ".,"
        captions = captions_of(text)
        if captions is not None and not text[captions[1] :].strip():
            return False
        # `FOR ...` and `PASS ...` can go on with a subject; not so with an office before them.
        opens = text.lstrip().upper().startswith(("FOR ", "PASS "))
        return opens or not is_passing(text)
    return _MARKED_TEXT.match(text) is None


def _is_last(pieces: list[Piece], piece: Piece) -> bool:
    """Whether a line stands above a blank one, a marking or a paragraph."""
    at = pieces.index(piece) + 1
    return at < len(pieces) and (
        pieces[at].kind == "blank"
        or label_of(pieces[at].text) is not None
        or is_paragraph(pieces[at].text)
    )


def _read_unlabelled(reading: Reading, at: int) -> int:
    """A line without a label, before the last labelled one: caption, passing line, a lost label."""
    pieces = reading.pieces
    piece = pieces[at]
    text = piece.text
    if piece.first in _CORRECTED_FIRST and _CORRECTED.match(text):
        piece.kind = "corrected-copy"
        return at + 1
    if opens_level(text) and CLASSIFICATION_LINE.match(text):
        # The whole block stands twice; the first one has been read.
        return read_classification(Reading(reading.source, pieces), at)
    if captions := captions_of(text):
        return _take_captions(reading, at, *captions)
    if meant := misspelt_caption(text):
        start = piece.start + text.index(text.strip())
        span = Span(start, start + len(text.strip()))
        reading.repairs.append(Repair(span, span.of(reading.source), meant, "caption misspelt"))
        if meant not in reading.captions:
            reading.captions.append(meant)
        piece.kind = "caption"
        return at + 1
    if not reading.tags and reading.executive_order and are_mostly_tags(text, _year(reading)):
        piece.kind = "tags"
        reading.tags = parse_tags(text, _year(reading))
        reading.doubt("label-lost", "a line of TAGS without its label", piece, "info")
        return at + 1
    if not text.strip(" -*=_"):
        piece.kind = "rule"
        return at + 1
    if reading.classification is None and level_of(text) and len(text) < 40:
        piece.kind = "classification-line"
        reading.classification = level_of(text)
        return at + 1
    if len(text.strip()) == 1 and _SIGN.match(text.strip()):
        piece.kind = "unknown"
        return at + 1
    if set_section(reading, text):
        piece.kind = "classification-line"
        return at + 1
    if (tail := _CAPTION_BEHIND.search(text)) and tail.start() > 0:
        head, rest = cut(piece, tail.start())
        pieces[at : at + 1] = [head, rest]
        piece, text = head, head.text
    if _ARCHIVE_NOTE.match(text) or _DECLASSIFIED.search(text.lower()):
        piece.kind = "publisher-note"
        return at + 1
    _take_passing(reading, piece)
    return at + 1


def _take_passing(reading: Reading, piece: Piece) -> None:
    """A passing line; one that was folded behind a comma goes on with the line above it."""
    piece.kind = "passing"
    if _ONLY.match(piece.text) and "ONLY" not in reading.captions:
        reading.captions.append("ONLY")
    text = " ".join(piece.text.split())
    text = html.unescape(text) if "&" in text and ";" in text else text
    if reading.passing and (
        reading.passing[-1].endswith((",", " FOR")) or text.upper().startswith("AND ")
    ):
        text = f"{reading.passing.pop()} {text}"
    reading.passing.append(text)


def _take_captions(reading: Reading, at: int, captions: list[str], end: int) -> int:
    for caption in captions:
        if caption not in reading.captions:
            reading.captions.append(caption)
    if more := _CAPTION_MORE.match(reading.pieces[at].text, end):
        end = more.end()
    name_front(reading.pieces, at, end, "caption")
    return at + 1


def _read_tail(reading: Reading, at: int, paragraph: Piece | None) -> int:
    """Lines behind the last label that are still no text: passing lines, captions, a corrected copy."""
    pieces = reading.pieces
    while at < len(pieces):
        piece = pieces[at]
        text = piece.text
        if piece.kind in ("blank", "section-line", "page-line", "banner", "release-stamp"):
            at += 1
            continue
        if piece.kind or piece is paragraph:
            break
        if piece.first in PARAGRAPH_FIRST and is_paragraph(text):
            break
        found = captions_of(text)
        if found and (";" in text[: found[1]] or not text[found[1] :].strip()):
            at = _take_captions(reading, at, *found)
        elif (
            piece.first in _CORRECTED_FIRST and _CORRECTED.match(text) and _stands_alone(pieces, at)
        ):
            piece.kind = "corrected-copy"
            at += 1
        elif not reading.references and (end := _unlabelled_references(reading, at)) > at:
            at = end
        elif is_passing(text) and _stands_alone(pieces, at):
            _take_passing(reading, piece)
            at += 1
        else:
            break
    return at


def _unlabelled_references(reading: Reading, at: int) -> int:
    """References whose label is lost: lines A, B, ... between the subject and the first paragraph."""
    pieces = reading.pieces
    end = at
    letters = ""
    while end < len(pieces) and not pieces[end].kind and (m := _LETTERED.match(pieces[end].text)):
        letters += m["letter"]
        end += 1
    following = next((p for p in pieces[end:] if p.kind != "blank"), None)
    counts = "ABCDEFGHIJ".startswith(letters) and len(letters) > 1
    if not counts or following is None or not is_paragraph(following.text):
        return at
    for piece in pieces[at:end]:
        piece.kind = "reference"
    start, stop = pieces[at].start, pieces[end - 1].start + len(pieces[end - 1].text)
    reading.references = parse_references(reading.source[start:stop], start, citing_of(reading))
    reading.doubt("label-lost", "references without their label", pieces[at], "info")
    return end


def _stands_alone(pieces: list[Piece], at: int) -> bool:
    """Whether a line is but a few words, or the next one blank, a marking, or the first paragraph."""
    if at + 1 >= len(pieces) or len(pieces[at].text.split()) <= _FEW_WORDS:
        return True
    after = pieces[at + 1]
    text = after.text
    return bool(after.kind or is_paragraph(text) or label_of(text) or is_passing(text))


def _year(reading: Reading) -> int | None:
    return int(reading.dtg[:4]) if reading.dtg else reading.year


def citing_of(reading: Reading) -> Citing:
    """What year-less citations of this telegram are resolved against."""
    year = _year(reading)
    day = day_of_year(reading.dtg) if reading.dtg else None
    post = tables.canonical_post(reading.post, year) if reading.post else None
    return Citing(year, day, post or reading.post, reading.number)
