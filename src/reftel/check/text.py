"""The text: R75 to R89."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from reftel.check.finding import MODERN, RANKS, STATE, Case, Found, rule
from reftel.telegram import Span

_LINE = 69
_LONG = 6_000
_BAD_MARK = re.compile(r"[(\[](?P<mark>[A-Z]{1,4}(?:/+[A-Z]{2,6})?)[)\]]\s")
_LEVEL_LIKE = frozenset("SE CO CON CONF UN UNC UNCL UNCLAS SEC TOP CL L R".split())
_PAIRS = (
    (
        "SUMMARY",
        r"(?<!END )(?<!END OF )\bBEGIN SUMMARY\b",
        r"\bEND (?:OF )?SUMMARY\b|\bSUMMARY ENDS?\b",
    ),
    ("COMMENT", r"\bBEGIN COMMENT\b", r"\bEND (?:OF )?COMMENT\b|\bCOMMENT ENDS?\b|\bEND NOTE AND"),
    ("TEXT", r"\bBEGIN TEXT\b", r"\bEND (?:OF )?TEXT\b|\bTEXT ENDS?\b"),
    ("QUOTE", r"\bBEGIN QUOTE\b", r"\bEND (?:OF )?QUOTE\b|\bUNQUOTE\b"),
)
_ACTION = re.compile(r"ACTION REQUEST[^.]{0,40}?PARA(?:GRAPH)?S? (?P<n>[0-9]{1,2})", re.IGNORECASE)
_REF_LETTER = re.compile(r"\bREF(?:TEL)? (?P<letter>[A-Z])\b(?!\.[A-Z])")
_SECTION = re.compile(r"\bSECTION (?P<n>[0-9]{1,2}) OF (?:THIS|[0-9])")
_INNER_HEADING = re.compile(r"^FM [A-Z][A-Z ]+$\n+^TO [A-Z][A-Z /]+", re.MULTILINE)
_QUOTE = re.compile(r"\b(?:QUOTE|QTE|BEGIN (?:TEXT|QUOTE))\b")
_COLUMNS = re.compile(r"\S {3,}\S")
_NO_CIRCUIT = re.compile(r"[^\x00-\u024f\u2010-\u2044\u20ac\u00a0]")


@rule("R75", "text-begins", "warning", "5 FAH-1 H-246.1", STATE)
def text_begins(case: Case) -> Iterator[Found]:
    """Text follows the subject or reference line after one blank line, flush left, single spaced.

    Asked of a telegram whose lines are the sender's; published copies lost and gained blank lines.
    """
    if case.draft or not case.line_true or case.further or not case.telegram.body:
        return
    elements = case.telegram.elements
    for before, element in pairwise(elements):
        if element.kind in ("body", "paragraph-number", "heading"):
            if before.kind in ("subject", "reference", "classified-by"):
                yield Found(
                    "no blank line before the text",
                    before.kind,
                    "one blank line",
                    "leave a line blank above paragraph 1",
                    Span(element.start, element.end),
                )
            return


@rule("R76", "line-length", "error", "CM; 5 FAH-1 H-246.1; ACP 127 138.f")
def line_length(case: Case) -> Iterator[Found]:
    """Lines hold at most 69 characters; writers break at 65 or less, 55 asked of posts in 2004.

    Released copies were unwrapped by those who published them, so lines are counted only where BT
    shows that they are the sender's. Of a draft the writer breaks all lines but those of the address.
    """
    t = case.telegram
    if case.draft:
        for number, addressee in enumerate(case.addressees):
            length = len(addressee.line) + (5 if number in (0, len(t.action)) else 0)
            if length > _LINE:
                yield _too_long(addressee.name, length, case.of(addressee))
        return
    at = 0
    for line in t.source.split("\n") if case.line_true else ():
        length = len(line.rstrip())
        if length > _LINE:
            yield _too_long(line[:30].strip() + "...", length, Span(at + _LINE, at + length))
        at += len(line) + 1


def _too_long(found: str, length: int, place: Span | None) -> Found:
    return Found(
        f"a line of {length} characters: circuits carry {_LINE}",
        found,
        f"at most {_LINE} characters",
        "shorten it, or break it",
        place,
    )


@rule("R77", "characters", "error", "ACP 127 140; wire-format.md 2.1")
def characters(case: Case) -> Iterator[Found]:
    """Only characters the carrier passes are used; others are transliterated, and the change is shown.

    Published copies have characters that were never sent, so only drafts and wire text are asked. What
    the writer replaces warns; what nothing can replace is an error.
    """
    if not case.draft and not case.line_true:
        return
    source = case.telegram.source
    if source.isascii():
        return
    if match := _NO_CIRCUIT.search(source):
        yield Found(
            f"no circuit carries {match[0]!r}",
            match[0],
            "letters of the alphabet",
            "write it in letters of the alphabet",
            Span(match.start(), match.end()),
        )
    other = next((c for c in source if not c.isascii() and not _NO_CIRCUIT.match(c)), None)
    if other:
        at = source.index(other)
        yield Found(
            f"{other!r} is replaced when the telegram is written",
            other,
            "A-Z, a-z, 0-9 and common signs",
            "nothing need be done; the writer shows what it puts in its place",
            Span(at, at + 1),
            "warning",
        )


def _paragraphs(case: Case) -> list[int]:
    return [b.number for b in case.telegram.body if b.kind == "paragraph" and b.number is not None]


@rule("R78", "numbering", "error", "5 FAH-1 H-246.2; measured", STATE)
def numbering(case: Case) -> Iterator[Found]:
    """Two or more paragraphs are numbered 1, 2, 3 without gap or repeat.

    Nearly a fifth of the telegrams sent are not, so there it warns.
    """
    numbers = _paragraphs(case)
    if len(numbers) < 2 or (case.telegram.section is not None and case.further):
        return
    for at, (number, expected) in enumerate(zip(numbers, range(1, len(numbers) + 1), strict=True)):
        if number != expected:
            blocks = [
                b for b in case.telegram.body if b.kind == "paragraph" and b.number is not None
            ]
            yield Found(
                f"paragraph {number} stands where {expected} should",
                str(number),
                str(expected),
                "number the paragraphs 1, 2, 3",
                blocks[at].span,
                None if case.draft else "warning",
            )
            return


@rule("R79", "single-unnumbered", "warning", "5 FAH-1 H-246.2; measured", STATE)
def single_unnumbered(case: Case) -> Iterator[Found]:
    """A single paragraph has no number."""
    numbers = _paragraphs(case)
    if len(numbers) == 1 and case.telegram.section is None:
        others = [b for b in case.telegram.body if b.kind == "text"]
        block = next(b for b in case.telegram.body if b.number is not None)
        if not others and len(block.text) < _LONG:
            yield Found(
                "the only paragraph has a number",
                f"{numbers[0]}.",
                "no number",
                "leave it out",
                block.span,
            )


@rule("R80", "portion-mark", "error", "5 FAH-1 H-246.2", MODERN)
def portion_mark(case: Case) -> Iterator[Found]:
    """Every paragraph of a classified or SBU message has a portion mark after the number.

    A mark for the whole text (`(C - ENTIRE TEXT)`) does for all. Before October 1995 marks were not
    asked for; a paragraph without one in a sent telegram warns.
    """
    t = case.telegram
    early = case.date is not None and case.date < "1995-10-14"
    sensitive = t.classification == "SENSITIVE BUT UNCLASSIFIED" or (
        t.classification == "UNCLASSIFIED" and "SENSITIVE" in t.captions
    )
    if early or not (case.classified or sensitive):
        return
    if any("ENTIRE TEXT" in block.text[:60].upper() for block in t.body):
        return
    for block in t.body:
        if (
            block.kind != "heading"
            and not block.marking
            and (case.draft or block.number is not None)
        ):
            number = f"paragraph {block.number}" if block.number else "the text"
            yield Found(
                f"{number} has no portion mark",
                block.text[:40],
                "(U), (SBU), (C), (S) or (TS)",
                "mark it with the highest level of what it says",
                block.span,
                None if case.draft else "warning",
            )
            return


@rule("R81", "mark-known", "error", "5 FAH-1 H-246.2; CAPCO", MODERN)
def mark_known(case: Case) -> Iterator[Found]:
    """Portion marks are U, SBU, C, S, TS with NF or REL; no mark in square brackets, none of a level
    that does not exist."""
    for block in case.telegram.body:
        if block.marking or block.kind == "heading":
            continue
        match = _BAD_MARK.match(block.text + " ")
        if match and (
            match["mark"].split("/")[0] in _LEVEL_LIKE
            or (match[0][0] == "[" and match["mark"].split("/")[0] in ("U", "SBU", "C", "S", "TS"))
        ):
            yield Found(
                f"{match[0].strip()} is no portion mark",
                match[0].strip(),
                "(U), (SBU), (C), (S) or (TS)",
                "write the mark in round brackets",
                block.span,
            )


@rule("R82", "only-open-portions", "error", "E.O. 12958; E.O. 13526", MODERN)
def only_open_portions(case: Case) -> Iterator[Found]:
    """A message with only (U) portions is not classified.

    In a sent telegram it warns: the subject or an attachment may hold what is classified.
    """
    t = case.telegram
    unmarked = [b for b in t.body if b.kind != "heading" and not b.marking]
    partly = t.section is not None and len(t.sections_present) < (t.section.of or 1)
    if not case.classified or not case.marks or unmarked or partly:
        return
    if max(rank for _, rank, _ in case.marks) < RANKS["CONFIDENTIAL"]:
        yield Found(
            f"{t.classification}, and every portion is open",
            "(U) throughout",
            "UNCLAS",
            "mark the portions that are classified, or the telegram UNCLAS",
            case.span("classification-line"),
            None if case.draft else "warning",
        )


@rule("R83", "summary", "warning", "5 FAH-1 H-246.3", STATE)
def summary(case: Case) -> Iterator[Found]:
    """Over three pages there is a summary.

    A page is taken as 2,000 characters. A guest list, a text passed on, or instructions have none.
    """
    t = case.telegram
    if t.summary or case.further or (t.section is not None and 1 not in t.sections_present):
        return
    words = ("SUMMARY", "BEGIN TEXT", "INTRODUCTION", "OBJECTIVE", "ACTION REQUEST", "KEY POINT")
    if len(case.prose) > _LONG and not any(word in case.prose.upper() for word in words):
        yield Found(
            f"{len(case.prose):,} characters and no summary",
            "no summary",
            "SUMMARY: ... END SUMMARY.",
            "begin with a summary",
            next((b.span for b in t.body), None),
        )


@rule("R84", "pairs-closed", "warning", "own; measured", STATE)
def pairs_closed(case: Case) -> Iterator[Found]:
    """BEGIN/END pairs (SUMMARY, COMMENT, TEXT, QUOTE) are closed and not crossed."""
    if case.telegram.section is not None and (
        len(case.telegram.sections_present) < (case.telegram.section.of or 1)
    ):
        return
    text = case.prose.upper()
    for name, begin, end in _PAIRS:
        if f"BEGIN {name}" not in text:
            continue
        begun = [match.start() for match in re.finditer(begin, text)]
        ended = [match.start() for match in re.finditer(end, text)]
        if begun and (not ended or ended[-1] < begun[-1]):
            yield Found(
                f"BEGIN {name} is not closed",
                f"BEGIN {name}",
                f"END {name}",
                f"write END {name} where it ends",
                case.place(f"BEGIN {name}", "body", "paragraph-number", "heading"),
            )


@rule("R85", "action-request", "warning", "own; measured", STATE)
def action_request(case: Case) -> Iterator[Found]:
    """ACTION REQUEST, when named, points at a paragraph that exists."""
    numbers = _paragraphs(case)
    match = _ACTION.search(case.prose)
    whole = case.telegram.section is None
    if match and numbers and whole and int(match["n"]) > max(numbers):
        yield Found(
            f"the action request is in paragraph {match['n']}, the last one is {max(numbers)}",
            match[0],
            f"a paragraph of 1 to {max(numbers)}",
            "correct the number",
            case.place(match[0][:14], "body", "paragraph-number"),
        )


@rule("R86", "text-references", "warning", "own")
def text_references(case: Case) -> Iterator[Found]:
    """References in the text exist: REF A, SECTION 2."""
    t = case.telegram
    letters = {each.enumerator for each in t.references if each.enumerator}
    if letters:
        for match in _REF_LETTER.finditer(case.prose):
            if match["letter"] not in letters and match["letter"] not in "AI":
                yield Found(
                    f"the text names REF {match['letter']}, the last one is REF {max(letters)}",
                    match[0],
                    f"one of {', '.join(sorted(letters))}",
                    "correct the letter, or add the reference",
                    case.place(match[0], "body"),
                )
                break
    if t.section and t.section.of:
        for match in _SECTION.finditer(case.prose):
            if int(match["n"]) > t.section.of:
                yield Found(
                    f"the text names section {match['n']} of {t.section.of}",
                    match[0],
                    f"a section of 1 to {t.section.of}",
                    "correct the number",
                    case.place(match[0], "body"),
                )
                break


@rule("R87", "quoted-telegram", "warning", "own; measured", STATE)
def quoted_telegram(case: Case) -> Iterator[Found]:
    """A repeated telegram is enclosed by QUOTE and UNQUOTE with its own heading."""
    for span in case.spans("body"):
        if case.telegram.source.startswith("FM ", span.start):
            match = _INNER_HEADING.match(case.telegram.source, span.start)
            if match and not _QUOTE.search(case.prose.upper()):
                yield Found(
                    "another telegram's heading stands in the text, with no QUOTE before it",
                    match[0].split("\n")[0],
                    "QUOTE ... UNQUOTE",
                    "put QUOTE above it, and UNQUOTE behind it",
                    span,
                )
                return


@rule("R88", "table-row", "warning", "5 FAH-1 H-246.2", STATE)
def table_row(case: Case) -> Iterator[Found]:
    """A table row begins at the left margin and fits the line.

    Asked of drafts and of wire text: published copies moved and unwrapped them.
    """
    if not case.draft and not case.line_true:
        return
    for block in case.telegram.body:
        for line in block.text.split("\n"):
            if _COLUMNS.search(line) and (len(line) > _LINE or line[:1] == " "):
                yield Found(
                    f"a row of {len(line)} characters"
                    if len(line) > _LINE
                    else "a row that does not begin at the margin",
                    line.strip()[:40],
                    f"at most {_LINE} characters, flush left",
                    "narrow the columns",
                    block.span,
                    "error" if case.draft and len(line) > _LINE else None,
                )
                return


@rule("R89", "signature", "warning", "own; measured", STATE)
def signature(case: Case) -> Iterator[Found]:
    """The last line is the surname of the principal officer, and nothing follows."""
    t = case.telegram
    last = (
        t.section is None or t.section.number == t.section.of or t.section.of in t.sections_present
    )
    if not case.whole or not last or not t.body or not case.message:
        return
    if not t.signature:
        yield Found(
            "nobody signs",
            t.body[-1].text[-30:],
            "the surname of the principal officer",
            "sign it: Signed: DOE",
            case.span("signature", "body"),
        )
    elif case.draft and len(t.signature.split()) > 2:
        yield Found(
            "the signature is more than a surname",
            t.signature,
            t.signature.split()[-1],
            "write the surname alone",
            case.span("signature"),
        )
