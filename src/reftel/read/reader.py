"""The whole path from text to `Telegram`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reftel.read.address import above_originator, match_action
from reftel.read.attention import read_attention
from reftel.read.attributes import read_attributes
from reftel.read.body import read_body
from reftel.read.carrier import plain_signs, unwrapped, with_source
from reftel.read.citations import read_citations
from reftel.read.classification import (
    CLASSIFICATION_LINE,
    LEVEL_OPENINGS,
    is_level,
    level_of,
    opens_level,
    part_levels,
    read_classification,
    unfold,
)
from reftel.read.cover import cover_end, read_cover
from reftel.read.crosschecks import (
    compare_attributes,
    compare_ending,
    finish_classification,
    finish_number,
    finish_order,
    finish_sections,
)
from reftel.read.department import is_office_list, is_queue_number
from reftel.read.dtg import DTG_FIRST, match_dtg
from reftel.read.elements import Piece, cut, cut_lines, to_elements
from reftel.read.executive_order import downgrading_group
from reftel.read.furniture import mark_furniture
from reftel.read.heading import finish_heading, heading_follows, is_heading_line, read_heading
from reftel.read.labels import label_of
from reftel.read.lettercase import capitals, is_lowered, raise_case, restore_case
from reftel.read.mail import from_mail, is_mail, mail_text, mail_year
from reftel.read.markings import citing_of, read_markings
from reftel.read.markup import is_page, put_back, shown_text
from reftel.read.paragraphs import is_paragraph
from reftel.read.printed_mail import set_mail_aside
from reftel.read.reading import Reading
from reftel.read.release import read_release
from reftel.read.several import parts
from reftel.read.smart import is_smart, read_smart
from reftel.read.transmission import is_transmission_line, is_transmission_start
from reftel.telegram import Coverage, Span, Telegram, Wire, written_year


class NotATelegram(ValueError):  # noqa: N818
    """The text is no telegram; `why` says what was looked for and not found."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read(text: str, *, year: int | None = None) -> Telegram:
    """Read one telegram, or what is left of one; from its own text, a web page or a mail.

    `year` is the year that a fragment or a two-digit reference belongs to when the text does not
    say. Damage never raises: it becomes diagnostics and repairs. Raises `NotATelegram` when nothing
    in the text belongs to a telegram.
    """
    if not text or text.isspace():
        raise NotATelegram("the text is empty")
    if is_mail(text):
        return _read_mail(text, year)
    if is_page(text):
        shown = shown_text(text)
        return put_back(_read_text(shown.text, year), text, shown)
    return _read_text(text, year)


def read_all(text: str, *, year: int | None = None) -> Iterator[Telegram]:
    """Read every telegram in a text: one after another, a table of them, or a mail folder.

    What is no telegram among them is left out; `NotATelegram` is raised when none is one.
    """
    found = 0
    refused: NotATelegram | None = None
    for part in parts(text):
        try:
            yield read(part.text, year=year)
            found += 1
        except NotATelegram as error:
            refused = error
    if not found:
        raise refused or NotATelegram("the text is empty")


def _read_mail(text: str, year: int | None) -> Telegram:
    message, inner, shown = mail_text(text)
    year = year or mail_year(message)
    if is_page(inner):
        inner, shown = shown_text(inner).text, None
    try:
        telegram = _read_text(inner, year) if inner.strip() else None
    except NotATelegram:
        telegram = _read_body_alone(inner)
    return from_mail(telegram, text, message, shown)


def _read_body_alone(text: str) -> Telegram:
    """A text in which nothing but its paragraphs is a telegram's: the mail's headers say the rest."""
    reading = Reading(text, mark_furniture(cut_lines(text), text))
    read_body(reading, 0)
    reading.sort_pieces()
    return _finish(reading)


def _read_text(text: str, year: int | None) -> Telegram:
    plain = plain_signs(text)
    lines = plain.split("\n")
    shown = unwrapped(plain, lines)
    if shown is None:
        telegram = _read_plain(plain, lines, year)
    else:
        telegram = put_back(_read_plain(shown.text, shown.text.split("\n"), year), plain, shown)
    return telegram if plain is text else with_source(telegram, text)


_MAIL_WITHIN: Final = 2000


def _read_plain(text: str, lines: list[str], year: int | None) -> Telegram:
    if not text or text.isspace():
        raise NotATelegram("the text is empty")
    reading = Reading(text, mark_furniture(cut_lines(text, lines), text), year)
    if _may_hold_mail(text):
        set_mail_aside(reading.pieces)
    if is_lowered(text) and not is_smart(reading.pieces):
        reading.lowered = True
        raise_case(reading.pieces)
        reading.pieces = mark_furniture(reading.pieces, capitals(text))
    if is_smart(reading.pieces):
        start = read_smart(reading)
    else:
        start = _read_front(reading)
    _read_further_sections(reading, start)
    _read_downgrading(reading, start)
    if reading.lowered:
        restore_case(reading.pieces, text, start)
    read_body(reading, start)
    reading.sort_pieces()
    read_citations(reading, citing_of(reading))
    read_attributes(reading)
    read_release(reading)
    for piece in reading.of_kind("lost-text"):
        reading.doubt("text-lost", f"text is lost here: {piece.text.strip()}", piece)
    if not _has_evidence(reading):
        raise NotATelegram(
            "no date-time group, no FM or TO line, no classification line with a message reference"
            " number, no E.O., TAGS or SUBJECT line, no page line and no paragraph with a portion"
            " mark was found"
        )
    return _finish(reading)


def _may_hold_mail(text: str) -> bool:
    """Whether FROM and a colon stand near the beginning of a text."""
    at = text.find(":", 0, _MAIL_WITHIN)
    while at >= 0:
        if (text[at - 1] == "m" or text[at - 1] == "M") and text[at - 4 : at].lower() == "from":
            return True
        at = text.find(":", at + 1, _MAIL_WITHIN)
    return False


def _read_front(reading: Reading) -> int:
    """Heading and markings; the index of the first piece of the text."""
    part_levels(reading)
    index = _skip(reading, _heading_start(reading))
    index = read_heading(reading, index)
    _mark_ending(reading, index)
    index = _skip(reading, index)
    if reading.transmission is not None:
        _read_service_text(reading, index)
    if index < len(reading.pieces):
        index = read_classification(reading, index)
    if reading.service is not None:
        index = _read_repeated(reading, index)
    if reading.number is not None and reading.dtg is None and reading.year is None:
        reading.year = _year_beside(reading)
    if reading.dialect == "fragment" and (
        (reading.originator and reading.dtg) or reading.number is not None
    ):
        reading.dialect = "cable"
    return read_markings(reading, index)


_FAR: Final = 40


def _heading_start(reading: Reading) -> int:
    """Index of the line that begins the heading; what a republisher put before it is set aside."""
    pieces = reading.pieces
    first = _skip(reading, 0)
    for at in range(first, min(first + _FAR, len(pieces))):
        piece = pieces[at]
        if piece.kind:
            continue
        if (
            is_heading_line(piece.text)
            or _begins_section(reading, at)
            or above_originator(pieces, at)
        ):
            for before in pieces[first:at]:
                before.kind = before.kind or "publisher-note"
                if is_queue_number(before.text) and is_office_list(piece.text):
                    before.kind = "queue-number"
                elif match_action(piece.text) and is_level(before.text):
                    before.kind = "banner"
                    reading.classification = level_of(before.text)
            if (end := cover_end(pieces, at)) is not None:
                read_cover(reading, at, end)
                return end
            return at
        if is_paragraph(piece.text) or (
            label_of(piece.text)
            and not (at == first and heading_follows(pieces, at))
            and not _is_catalogued(pieces, at)
        ):
            # Markings or text come first: a fragment without its heading.
            break
    return first


_CATALOGUED: Final = re.compile(r"[A-Z][a-z]+: ")
_FEW: Final = 12


def _is_catalogued(pieces: list[Piece], at: int) -> bool:
    """Whether a label in small letters is a republisher's, who gives TAGS and subject above the copy: the
    telegram's own classification line, or its heading, stands below."""
    if not _CATALOGUED.match(pieces[at].text):
        return False
    solid = [piece.text for piece in pieces[at + 1 : at + 1 + _FEW] if not piece.kind]
    return any(
        (opens_level(text) and CLASSIFICATION_LINE.match(text))
        or match_dtg(text)
        or is_transmission_start(text)
        for text in solid
    )


def _year_beside(reading: Reading) -> int | None:
    """The year of a telegram without its date, where a republisher gives its number with the year:
    `02BERN123`."""
    letters = re.sub(r"[^A-Z]", "", (reading.post or "").upper())
    glued = re.compile(
        rf"(?<![A-Z0-9])(19[6-9][0-9]|20[0-2][0-9]|[0-9]{{2}}){letters}0*{reading.number}(?![0-9])"
    )
    match = glued.search(reading.source)
    return written_year(match[1]) if match else None


_CORRECTION: Final = re.compile(r"\s*C (?:PAGE |LINE |[WA][AB] |[0-9]+ - )")
# A signal, the identification of a message, or one of the tests of a line.
_SERVICE: Final = re.compile(
    r"\s*(?:(?:INT )?(?:Z[A-Z]{2}[0-9]?|QSL)\b|CHANNEL CHECK\b"
    r"|[A-Z]{4,8} #?[0-9]{1,4}(?:/[0-9]{2}|[A-Z])? (?:[0-9]{7}|[0-9]{2}/[0-9]{4}[A-Z])\b)"
)


def _mark_ending(reading: Reading, index: int) -> None:
    """The BT behind the text, the last one before format lines 15 and 16, and corrections behind it."""
    pieces = reading.pieces
    behind: list[Piece] = []
    for at in range(len(pieces) - 1, index - 1, -1):
        piece = pieces[at]
        if piece.kind:
            continue
        if piece.text.strip() == "BT":
            piece.kind = "separator"
            for each in behind:
                each.kind = "correction"
                reading.doubt("correction-given", "the sender corrects the text here", each, "info")
            return
        if piece.first != "C" or not _CORRECTION.match(piece.text):
            return
        behind.append(piece)


def _read_service_text(reading: Reading, index: int) -> None:
    """A service message between neighbours has no classification: a signal opens it, or the message or the
    test that it is about (ACP 127 405, 411)."""
    if reading.originator is not None or reading.dtg is not None:
        return
    texts = [piece.text for piece in reading.pieces[index:] if not piece.kind]
    if texts and (_SERVICE.match(texts[0]) or re.search(r"\bINT ZBZ\b", texts[-1])):
        reading.service = unfold(texts)


def _read_repeated(reading: Reading, index: int) -> int:
    """A service message can have a whole message behind it, from its format line 2 on: the repeat that
    was asked for (ACP 127 419.e). Heading and text are that one's; the transmission is the outer."""
    pieces = reading.pieces
    starts = (
        at
        for at in range(index, len(pieces) - 1)
        if not pieces[at].kind
        and is_transmission_line(pieces[at].text)
        and is_transmission_line(pieces[at + 1].text)
    )
    at = next(starts, None)
    if at is None:
        return index
    service = [piece for piece in pieces[index:at] if not piece.kind]
    for piece in service:
        piece.kind = "service-text"
    reading.service = unfold([piece.text for piece in service]) if service else ""
    outer = reading.transmission
    reading.classification = None
    at = read_heading(reading, at)
    reading.transmission = outer
    at = _skip(reading, at)
    return read_classification(reading, at) if at < len(pieces) else at


def _skip(reading: Reading, index: int) -> int:
    while index < len(reading.pieces) and reading.pieces[index].kind:
        index += 1
    return index


def _read_further_sections(reading: Reading, start: int) -> None:
    """Mark the headings of further sections that stand in the text, and note their numbers."""
    pieces = reading.pieces
    at = start
    while at < len(pieces):
        piece = pieces[at]
        if (
            piece.kind
            or piece.first not in _SECTION_FIRST
            or piece.text.lstrip()[:2] not in _SECTION_OPENINGS
            or not _begins_section(reading, at)
        ):
            at += 1
            continue
        inner = Reading(reading.source, pieces[at:], reading.year, lowered=reading.lowered)
        end = _read_front(inner)
        if end == 0 or inner.number not in (None, reading.number):
            at += 1
            continue
        _complete(reading, inner)
        for each in inner.pieces[:end]:
            if each.kind not in ("blank", "page-line", "banner", "release-stamp"):
                each.kind = "section-heading"
        pieces[at:] = inner.pieces
        _mark_section_end(reading, at)
        at += end
        if inner.section is not None:
            reading.further_sections.append(inner.section.number)
            reading.section_starts.append((inner.section.number, pieces[at - 1]))


def _complete(reading: Reading, inner: Reading) -> None:
    """What only another section's heading says: the first section, which has the markings, may come
    behind a later one."""
    for name in (
        "subject",
        "executive_order",
        "classified_by",
        "dtg",
        "precedence",
        "originator",
        "distribution",
        "classification",
    ):
        if getattr(reading, name) is None:
            setattr(reading, name, getattr(inner, name))
    for name in ("tags", "references", "captions", "passing", "action", "info"):
        if not getattr(reading, name):
            setattr(reading, name, getattr(inner, name))


def _mark_section_end(reading: Reading, at: int) -> None:
    """What ends a section before the next one begins at piece `at`: BT, or the two digits that stand
    above an office list."""
    solid = (p for p in reversed(reading.pieces[:at]) if p.kind not in ("blank", "end-of-message"))
    before = next(solid, None)
    if before is None or before.kind:
        return
    if is_queue_number(before.text):
        before.kind = "section-heading"
    elif before.text.strip() == "BT":
        before.kind = "separator"


def _begins_section(reading: Reading, at: int) -> bool:
    """Whether a heading begins here: a wire heading, an office list, a date-time group with FM, or
    this telegram's classification line once more, for another section or because a copy holds it
    twice."""
    first, text = reading.pieces[at].first, reading.pieces[at].text
    if (first == "V" or first == "Z") and is_transmission_start(text):
        return True
    if (first == "A" or first == "O") and is_office_list(text):
        return True
    if first in DTG_FIRST and _DATE_FOLLOWS.match(text) and match_dtg(text):
        after = _skip(reading, at + 1)
        return after < len(reading.pieces) and reading.pieces[after].text.startswith("FM ")
    if reading.number is None or str(reading.number) not in text or not opens_level(text):
        return False
    match = CLASSIFICATION_LINE.match(text)
    return match is not None and int(match["serial"]) == reading.number


# Behind the precedences stand six digits at least, or letters that a scan has in their place.
_DATE_FOLLOWS: Final = re.compile(
    r"\s*+(?=[ZOPRY]?[ ZOPRY]*[0-9O])[ZOPRY0]?[ZOPRYzopry ]*?(?:[0-9OoIiLl] ?){6}"
)
# The first two characters of format line 1, of an office list, of a date-time group and of a
# classification line: few lines of a text begin so.
_SECTION_OPENINGS: Final = frozenset(
    (
        *("VZ", "VV", "ZC", "AC", "OR"),
        *(first + second for first in "ZOPRY0123" for second in " ZOPRYzopryIil0123456789"),
        *LEVEL_OPENINGS,
    )
)
_SECTION_FIRST: Final = frozenset(opening[0] for opening in _SECTION_OPENINGS)


_LAST_LINES: Final = 4


def _read_downgrading(reading: Reading, start: int) -> None:
    """`GP-3` among the last lines of a text of 1961-72."""
    pieces = reading.pieces
    solid = 0
    for at in range(len(pieces) - 1, start - 1, -1):
        note = pieces[at]
        if note.kind:
            continue
        solid += 1
        if solid > _LAST_LINES:
            break
        if (found := downgrading_group(note.text)) is None:
            continue
        order, begin, end = found
        if end < len(note.text):
            note, after = cut(note, end)
            pieces[at : at + 1] = [note, after]
        if begin:
            before, note = cut(note, begin)
            pieces[at : at + 1] = [before, note]
        note.kind = "executive-order"
        reading.executive_order = reading.executive_order or order


_BROKEN_OFF: Final = re.compile(r"\s*(?:E ){4,}.*\bAR\s*\Z")


def _wire(reading: Reading) -> Wire:
    state = any(
        (each.serial or "").startswith("#") or "ZZH" in (each.instructions or "")
        for each in reading.headings
    )
    return Wire(
        form="state" if state else "acp127",
        headings=tuple(reading.headings),
        instructions=reading.message_instructions,
        prefix=reading.prefix,
        corrections=tuple(piece.text.strip() for piece in reading.of_kind("correction")),
        abbreviated=reading.service is not None and not reading.of_kind("separator"),
        cancelled=any(_BROKEN_OFF.match(piece.text) for piece in reading.of_kind("lost-text")),
    )


_EVIDENCE: Final = frozenset(
    """transmission-id routing-line calling-station security-line date-time-group originator
    action-addressee info-addressee page-line section-line release-stamp distribution drafting
    subject classified-by attributes release-note""".split()
)


def _has_evidence(reading: Reading) -> bool:
    """Whether anything in the text belongs to a telegram and to nothing else."""
    if reading.number is not None or reading.mrn is not None:
        return True
    if not _EVIDENCE.isdisjoint(reading.by_kind):
        return True
    order = reading.executive_order
    if order is not None and (order.order or order.exemptions or order.declassify_on):
        return True
    if any(tag.kind != "unknown" for tag in reading.tags):
        return True
    if any(reference.kind == "telegram" for reference in reading.references):
        return True
    if any("N/A" in piece.text for piece in reading.of_kind("tags")):
        return True
    return _body_is_evidence(reading)


_TELEGRAPHESE: Final = re.compile(
    r"\b(?:END\sSUMMARY|END\sCOMMENT|RPT NOT|COMMENT ENDS?)\b", re.IGNORECASE
)


def _body_is_evidence(reading: Reading) -> bool:
    """Whether a text alone shows that it is a telegram's: portion marks, pilcrows, the words that only
    telegrams use, or numbered paragraphs in capitals, labelled or signed."""
    numbered = [block for block in reading.body if block.kind == "paragraph"]
    if any(block.marking for block in numbered) or _TELEGRAPHESE.search(reading.source):
        return True
    if not numbered:
        return False
    if numbered[0].number != 1:
        # The end of a telegram: its paragraphs in capitals, or signed in capitals.
        signed = reading.signature is not None and reading.signature.isupper()
        return signed and ("¶" in reading.source or _in_capitals(reading))
    return bool(
        "¶" in reading.source
        or _in_capitals(reading)
        or any(block.label for block in numbered)
        or (reading.signature and reading.signature.isupper())
    )


def _in_capitals(reading: Reading) -> bool:
    return all(block.text == block.text.upper() for block in reading.body)


def _finish(reading: Reading) -> Telegram:
    """What the parts say together: numbers, sections, dialect; and the finished record."""
    finish_heading(reading)
    finish_number(reading)
    present = finish_sections(reading)
    paged = "page-line" in reading.by_kind
    seventies = (reading.dtg or "1973")[:4] < "1985"
    if reading.dialect in ("fragment", "cable", "sas"):
        if seventies and (reading.attributes is not None or paged):
            reading.dialect = "sas"
        elif reading.dialect == "sas" and not seventies:
            reading.dialect = "cable"
    finish_classification(reading)
    compare_ending(reading)
    finish_order(reading)
    compare_attributes(reading)
    elements = to_elements(reading.pieces)
    unknown = 0
    for piece in reading.of_kind("") + reading.of_kind("unknown"):
        unknown += piece.end - piece.start
    return Telegram(
        source=reading.source,
        elements=elements,
        dialect=reading.dialect,
        mrn=reading.mrn,
        transmission=reading.transmission,
        precedence=reading.precedence,
        info_precedence=reading.info_precedence,
        dtg=reading.dtg,
        originator=reading.originator,
        action=tuple(reading.action),
        info=tuple(reading.info),
        exempt=tuple(reading.exempt),
        readdressal=reading.readdressal,
        service=reading.service,
        classification=reading.classification,
        captions=tuple(reading.captions),
        section=reading.section,
        sections_present=present,
        passing=tuple(reading.passing),
        attention=read_attention(reading.passing),
        executive_order=reading.executive_order,
        tags=tuple(reading.tags),
        subject=reading.subject,
        references=tuple(reading.references),
        citations=tuple(reading.citations),
        classified_by=reading.classified_by,
        summary=reading.summary,
        body=tuple(reading.body),
        signature=reading.signature,
        distribution=reading.distribution,
        drafted_by=reading.drafted_by,
        approved_by=reading.approved_by,
        clearances=reading.clearances,
        attributes=reading.attributes,
        release=reading.release,
        wire=_wire(reading) if reading.headings else None,
        repairs=tuple(sorted(reading.repairs, key=lambda repair: repair.span)),
        diagnostics=tuple(sorted(reading.diagnostics, key=lambda d: d.span or Span(0, 0))),
        coverage=Coverage(len(reading.source), unknown),
    )
