"""A long telegram as sections, each a message with a heading of its own (ACP 127 208.e to g, 223;
wire-format.md 9.2)."""

from __future__ import annotations

import re

import msgspec

from reftel.read import NotOneTelegramError, join, read
from reftel.read.flow import ends_sentence
from reftel.read.paragraphs import PARAGRAPH_START
from reftel.telegram import Procedure, Section, Telegram, WireForm
from reftel.write.charset import Charset
from reftel.write.lines import LINE
from reftel.write.readback import differences
from reftel.write.text import classification_lines, text_lines
from reftel.write.wire import PAGE, address_lines, sound_cut, wire_lines
from reftel.write.written import CannotWriteError, Written, fitted, refusal, write

SECTION = 100
"""Lines of text in a section: five pages (ACP 127 208.e). In ACP 127's own form what is left of the
first page, beside the heading, comes to them."""

_NEAR = 12
"""How many lines before the last place a section may be cut short at the end of a sentence."""


def split(
    telegram: Telegram,
    *,
    form: WireForm | None = None,
    charset: Charset | None = None,
    lines: int = SECTION,
) -> tuple[Written, ...]:
    """The sections of a telegram that is too long for one transmission; one text if it is not.

    `lines` is the most lines of text a section may have. Sections carry the same date-time group and
    time of filing; in ACP 127's form each has a station serial number of its own, the next one, and
    the last is `FINAL SECTION OF n`; in State's form the section stands behind the serial (`/02`).
    What the sections say joined is what the telegram says: `CannotWriteError` where it is not.
    """
    if lines < 1:
        raise ValueError(f"a section has at least one line, not {lines}")
    whole = _whole(telegram)
    layout: WireForm = form or (whole.wire.form if whole.wire else "state")
    plain, changes, losses = fitted(whole, layout, charset)
    opening = classification_lines(plain, layout)
    rest = text_lines(plain, layout, LINE)[len(opening) :]
    if len(opening) + len(rest) <= _first(plain, layout, lines):
        return (write(whole, form=layout, charset=charset),)
    refused: list[str] = []
    for at_paragraphs in (False, True):
        texts = sectioned(plain, layout, rest, lines, at_paragraphs=at_paragraphs)
        refused = _unjoined(plain, texts)
        if not refused:
            return tuple(Written(text, changes, losses) for text in texts)
    raise CannotWriteError(refused)


def sectioned(
    telegram: Telegram,
    form: WireForm,
    text: list[str],
    lines: int = SECTION,
    *,
    at_paragraphs: bool = False,
) -> list[str]:
    """The texts of the sections, not read back; `text` is format line 12 behind the classification
    line."""
    first = _first(telegram, form, lines)
    parts = _cut(text, form, lines, first, _repeated(telegram, form), at_paragraphs)
    return [_section(telegram, form, parts, number) for number in range(1, len(parts) + 1)]


def _first(telegram: Telegram, form: WireForm, lines: int) -> int:
    """How many lines of text the first section has room for."""
    if form == "state":
        return lines
    return lines + max(PAGE - len(address_lines(telegram, form)) - 1, 0)


def _whole(telegram: Telegram) -> Telegram:
    """The telegram without the marks of sections that it was joined from."""
    section = telegram.section
    if section is None:
        return telegram
    missing = [n for n in range(1, (section.of or 0) + 1) if n not in telegram.sections_present]
    if missing or section.of is None:
        raise CannotWriteError(
            [
                f"section: this is section {section.number} of {section.of}; section"
                f" {', '.join(map(str, missing)) or '?'} is not here: join it first"
            ]
        )
    transmission, wire = telegram.transmission, telegram.wire
    if transmission is not None and transmission.section:
        transmission = msgspec.structs.replace(transmission, section=None)
    if wire is not None:
        last = wire.headings[-1]
        last = msgspec.structs.replace(last, serial=(last.serial or "").partition("/")[0] or None)
        wire = msgspec.structs.replace(wire, headings=(*wire.headings[:-1], last))
    return msgspec.structs.replace(
        telegram, section=None, sections_present=(), transmission=transmission, wire=wire
    )


def _repeated(telegram: Telegram, form: WireForm) -> list[str]:
    """What every section opens with, behind its classification line: the captions."""
    captions = list(telegram.captions)
    if form == "state":
        return ["", *captions, ""] if captions else [""]
    return captions


def _cut(
    text: list[str], form: WireForm, lines: int, first: int, repeated: list[str], paragraphs: bool
) -> list[list[str]]:
    """The lines of the text in sections; `first` lines in the first one, in each one for the
    classification line, those of `repeated` in every further one."""
    parts: list[list[str]] = []
    at = 0
    room = first - 1
    while len(text) - at > room:
        end = at + max(room, 1)
        if paragraphs:
            end = _paragraph_before(text, at, end)
        elif form == "acp127":
            end = next(
                (n for n in range(end, max(end - _NEAR, at + 1), -1) if ends_sentence(text[n - 1])),
                end,
            )
        if not paragraphs:
            end = sound_cut(text, at, end)
        parts.append(text[at:end])
        at = end
        while at < len(text) and not text[at]:
            at += 1
        room = max((first if form == "acp127" else lines) - 1 - len(repeated), 1)
    parts.append(text[at:])
    return [parts[0], *([*repeated, *part] for part in parts[1:])]


def _paragraph_before(text: list[str], at: int, end: int) -> int:
    for place in range(end, at, -1):
        if place < len(text) and PARAGRAPH_START.match(text[place]):
            return place
    return end


def _section(telegram: Telegram, form: WireForm, parts: list[list[str]], number: int) -> str:
    section = Section(number, len(parts))
    wire = telegram.wire
    if wire is not None:
        heading = _numbered(wire.headings[-1], form, number)
        wire = msgspec.structs.replace(wire, headings=(*wire.headings[:-1], heading))
    one = msgspec.structs.replace(telegram, section=section, wire=wire)
    part = parts[number - 1]
    while part and not part[-1]:
        part = part[:-1]
    text = [*classification_lines(one, form), *part]
    return "\n".join(wire_lines(one, form, text=text)) + "\n"


def _numbered(heading: Procedure, form: WireForm, number: int) -> Procedure:
    """The procedure lines of section `number`: the next channel number, and its station serial."""
    made = heading
    if heading.id and (match := re.fullmatch(r"(.*?)([0-9]{3,4})", heading.id)):
        made = msgspec.structs.replace(made, id=match[1] + _next(match[2], number - 1))
    if heading.serial:
        if form == "state":
            serial = f"{heading.serial.partition('/')[0]}/{number:02d}"
        else:
            letter = heading.serial[-1] if heading.serial[-1].isalpha() else ""
            serial = _next(heading.serial.removesuffix(letter), number - 1) + letter
        made = msgspec.structs.replace(made, serial=serial)
    return made


def _next(number: str, steps: int) -> str:
    """A number some steps on in its cycle, which begins again at 1 behind the highest."""
    top = 10 ** len(number) - 1
    return f"{(int(number) + steps - 1) % top + 1:0{len(number)}d}"


def _unjoined(telegram: Telegram, texts: list[str]) -> list[str]:
    """What the sections, read and joined, say otherwise than the telegram."""
    year = telegram.mrn.year if telegram.mrn else None
    try:
        joined = join(read(text, year=year) for text in texts)
    except NotOneTelegramError as error:
        return [f"sections: {error}"]
    bare = msgspec.structs.replace(telegram, wire=None, transmission=None)
    found = [each for each in differences(bare, joined) if each.field != "section"]
    return [refusal(each) for each in found]
