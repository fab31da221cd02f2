"""Format line 12, the text: classification line, captions, markings, paragraphs, signature.

The order is that of State telegrams (telegram-content.md 3.8 to 3.20); ACP 127 proper has no blank
lines in it (wire-examples 01 to 12), State's form has (13, 14).
"""

from __future__ import annotations

import re

from reftel.read.paragraphs import portion_mark
from reftel.telegram import (
    Block,
    ClassifiedBy,
    ExecutiveOrder,
    Mrn,
    Reference,
    Tag,
    Telegram,
    WireForm,
)
from reftel.write.lines import LINE, fold

SPACED = {
    "UNCLASSIFIED": "UNCLAS",
    "RESTRICTED": "R E S T R I C T E D",
    "CONFIDENTIAL": "C O N F I D E N T I A L",
    "SECRET": "S E C R E T",
    "TOP SECRET": "T O P  S E C R E T",
}
"""The classification as the text opens with it (ACP 127 209; 5 FAH-2 H-222)."""

_COLUMNS = re.compile(r"\S {3,}\S")


def text_lines(telegram: Telegram, form: WireForm, width: int = LINE) -> list[str]:
    """The lines of the text, in order, without line ends."""
    lines = classification_lines(telegram, form)
    marked = marking_lines(telegram, form, width)
    body = body_lines(telegram, form, width)
    blank = [""] if form == "state" else []
    if marked:
        lines += [*(blank if lines else []), *marked]
    if body:
        # Without a blank line a text would go on with the subject above it.
        parted = blank or (marked and telegram.body[0].kind != "paragraph")
        lines += ["", *body] if lines and parted else body
    if telegram.signature:
        lines += [*blank, telegram.signature]
    return lines


def service_lines(telegram: Telegram) -> list[str]:
    """What a service message says: `UNCLAS SVC ...`, or bare between neighbours (ACP 127 405)."""
    wire = telegram.wire
    bare = wire is not None and wire.abbreviated
    opening = "" if bare else f"{SPACED.get(telegram.classification or '', 'UNCLAS')} SVC "
    lines: list[str] = []
    for part in (telegram.service or "").split("\n"):
        lines += fold(part, first="" if lines else opening)
    return lines


def classification_word(telegram: Telegram) -> str:
    """The classification as the text opens with it; EFTO where format line 4 says so (5 FAH-2 H-222)."""
    level = telegram.classification or "UNCLASSIFIED"
    security = telegram.wire.headings[-1].security if telegram.wire else None
    if level == "UNCLASSIFIED" and (security or "").startswith("ZNY E"):
        return "UNCLAS E F T O"
    return SPACED.get(level, level)


def classification_lines(telegram: Telegram, form: WireForm) -> list[str]:
    """The classification line, with section and number; none in an encrypted or a broken-off message."""
    wire, section, mrn = telegram.wire, telegram.section, telegram.mrn
    bare = wire is not None and (wire.prefix is not None or wire.cancelled)
    if mrn is None and section is None and (bare or telegram.classification is None):
        return []
    parts = [classification_word(telegram)]
    if section is not None and section.of is not None:
        if form == "state":
            parts.append(f"SECTION {section.number:02d} OF {section.of:02d}")
        elif section.number == section.of:
            parts.append(f"FINAL SECTION OF {section.of}")
        else:
            parts.append(f"SECTION {section.number} OF {section.of}")
    if mrn is not None:
        width = 6 if form == "state" else 4
        parts.append(f"{post_name(mrn, telegram)} {mrn.number:0{width}d}")
    return [" ".join(parts)]


def post_name(mrn: Mrn, telegram: Telegram) -> str:
    """The post as the originator's name spells it (`LA PAZ`), else in its letters."""
    words = telegram.originator.name.upper().split() if telegram.originator else []
    for at in range(len(words)):
        for end in range(len(words), at, -1):
            name = " ".join(words[at:end])
            if re.sub(r"[^A-Z]", "", name) == mrn.post:
                return name
    return mrn.post


def marking_lines(telegram: Telegram, form: WireForm, width: int) -> list[str]:
    """Captions, passing lines, E.O., TAGS, SUBJECT, REF, Classified By."""
    blank = [""] if form == "state" else []
    groups: list[list[str]] = []
    groups.append(list(telegram.captions))
    groups.append([line for each in telegram.passing for line in fold(each, width)])
    fields: list[str] = []
    if telegram.executive_order is not None and not _at_the_end(telegram.executive_order):
        fields += order_lines(telegram.executive_order, width)
    if telegram.tags:
        fields += fold(tags_text(telegram.tags), width, "TAGS: ")
    if telegram.subject:
        fields += fold(telegram.subject, width, "SUBJECT: ")
    groups.append(fields)
    groups.append(reference_lines(telegram.references, width))
    if telegram.classified_by is not None:
        groups.append(classified_by_lines(telegram.classified_by, width))
    lines: list[str] = []
    for group in groups:
        if group:
            lines += ([*blank, *group]) if lines else group
    return lines


def _at_the_end(order: ExecutiveOrder) -> bool:
    """Whether the order stands under the text, as the groups of E.O. 10501 did."""
    return any(code.startswith("GROUP") for code in order.exemptions)


def order_lines(order: ExecutiveOrder, width: int) -> list[str]:
    label = f"E.O. {order.order}: " if order.order else "E.O.: "
    return fold(order.text, width, label)


def tags_text(tags: tuple[Tag, ...]) -> str:
    """TAGS as they are written: a comma and a blank between, persons in brackets (H74)."""
    return ", ".join(f"({tag.code})" if tag.kind == "person" else tag.code for tag in tags)


def reference_lines(references: tuple[Reference, ...], width: int) -> list[str]:
    """REF, one item a line behind its letter; a list that cites several telegrams is written once."""
    items = list(dict.fromkeys((each.enumerator, each.text) for each in references))
    lines: list[str] = []
    for at, (enumerator, text) in enumerate(items):
        first = "REF: " if at == 0 else "     "
        letter = f"{enumerator}. " if enumerator else ""
        indent = " " * len(first + letter)
        for part_at, part in enumerate(text.split("\n")):
            lines += fold(part, width, first + letter if part_at == 0 else indent, indent)
    return lines


def classified_by_lines(classified: ClassifiedBy, width: int) -> list[str]:
    """Name, position and the reasons under the section of the order (5 FAH-1 H-240)."""
    who = ", ".join(part for part in (classified.name, classified.title) if part)
    text = who.rstrip(".") + "."
    sections: dict[str, list[str]] = {}
    for reason in classified.reasons:
        section, _, letter = reason.partition("(")
        sections.setdefault(section, []).append(f"({letter}")
    if sections:
        reasons = "; ".join(f"{name} {', '.join(letters)}" for name, letters in sections.items())
        text += f" REASON: {reasons.upper() if who == who.upper() else reasons}."
    return fold(text, width, "CLASSIFIED BY: ")


def body_lines(telegram: Telegram, form: WireForm, width: int) -> list[str]:
    """The paragraphs, headings and free texts, with blank lines between them in State's form."""
    lines: list[str] = []
    for at, block in enumerate(telegram.body):
        before = telegram.body[at - 1] if at else None
        if lines and (form == "state" or _needs_blank(block, before)):
            lines.append("")
        lines += block_lines(block, width)
    order = telegram.executive_order
    if order is not None and _at_the_end(order):
        lines += ["", order.text]
    return lines


def _needs_blank(block: Block, before: Block | None) -> bool:
    return block.kind != "paragraph" or (before is not None and before.kind != "paragraph")


def block_lines(block: Block, width: int) -> list[str]:
    """One block: `1. (C) TEXT`, a heading over its rule, a text; rows and items on lines of their own."""
    if block.kind == "heading":
        heading = fold(block.text, width)
        return [*heading, "-" * max(4, min(width, max(map(len, heading))))]
    opening = f"{block.number}. " if block.number is not None else ""
    if block.marking is not None and portion_mark(block.text) != (block.marking, 0):
        opening += f"({block.marking}) "
    lines: list[str] = []
    for at, line in enumerate(block.text.split("\n")):
        first = opening if at == 0 else ""
        if not line:
            lines.append(first.rstrip())
        elif _COLUMNS.search(line):
            lines.append(first + line)
        else:
            lines += fold(line, width, first)
    return lines
