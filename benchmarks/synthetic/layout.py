"""The three forms in which a telegram stands on paper, and what happens to it afterwards.

All but the furniture of the 1970s form is the writer's: heading, markings, paragraphs, page lines.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec
from benchmarks.synthetic.language import Language

from reftel.read.dtg import MONTHS
from reftel.telegram import Addressee, Block, Mrn, Procedure, Telegram, Wire, WireForm
from reftel.write.lines import LINE, fold
from reftel.write.sections import SECTION, sectioned
from reftel.write.text import block_lines, classification_lines, marking_lines, text_lines
from reftel.write.wire import address_lines, wire_lines

_OFFICES = """EUR ARA EA NEA AF IO OES EB INR SS NSC CIAE DODE PM H L PA PRS SP USIA TRSE COME AID STR
LAB SIL OMB CIEP FRB XMB OPIC AGR ISO NSAE ACDA MC""".split()
_STAMPS = (
    "EO Systematic Review 30 JUN 2005",
    "EO Systematic Review 04 MAY 2006",
    "EO Systematic Review 20 Mar 2014",
)
_PARAGRAPH = re.compile(r"^([0-9]+\. (?:\([A-Z]+\) )?).*(?:\n.+)*", re.MULTILINE)
_DTG = re.compile(
    r"^([ZOPR](?: [ZOPR])?) ([0-9]{4})([0-9]{2}Z) ([A-Z]{3}) ([0-9])([0-9])$", re.MULTILINE
)


class Post(NamedTuple):
    """Who sends: `AMEMBASSY LA PAZ`, `LA PAZ`, `LAPAZ`, its routing indicator and country."""

    name: str
    short: str
    mrn: str
    routing: str
    country: str


def wire_copy(
    rng: Random,
    record: Telegram,
    blocks: list[Block],
    sender: Post,
    form: WireForm,
    is_copy: bool,
) -> str:
    """As the writer lays it out, with procedure lines or, in State's form, also without; there a long one
    is in sections, one behind the other."""
    serial = record.mrn.number % 10_000 if record.mrn else 0
    addressees = (*record.action, *record.info)
    changes: dict[str, Any] = {}
    if form == "acp127":
        changes = {
            name: tuple(
                Addressee(each.name, each.routing_indicator, each.precedence) for each in of
            )
            for name, of in (("action", record.action), ("info", record.info))
        }
        changes["captions"] = ()
        if record.classification == "LIMITED OFFICIAL USE":
            # No classification of ACP 127's.
            changes["classification"] = "UNCLASSIFIED"
    if form == "acp127" or (rng.random() < 0.7) != is_copy:
        sent = datetime.fromisoformat(record.dtg or "")
        letter = {"CONFIDENTIAL": "C", "SECRET": "S"}.get(record.classification or "", "U")
        heading = Procedure(
            id=f"VZCZC{'XYZ' if is_copy else 'XRO'}{serial:04d}",
            precedence=record.precedence,
            routing=tuple(dict.fromkeys(each.routing_indicator or "" for each in addressees)),
            station=sender.routing,
            serial=f"{'#' if form == 'state' else ''}{serial:04d}",
            filed=f"{sent.timetuple().tm_yday:03d}{sent:%H%M}",
            security=f"ZNR {letter * 5}" if letter == "U" else f"ZNY {letter * 5}",
            instructions="ZZH" if form == "state" else None,
        )
        changes["wire"] = Wire(form=form, headings=(heading,))
    telegram = msgspec.structs.replace(record, **changes)
    text = _text_lines(telegram, blocks, form)
    if form == "state" and len(text) > SECTION:
        opening = len(classification_lines(telegram, form))
        return "".join(sectioned(telegram, form, text[opening:]))
    return "\n".join(wire_lines(telegram, form, text=text)) + "\n"


def released_copy(
    rng: Random,
    record: Telegram,
    blocks: list[Block],
    sender: Post,
    language: Language,
    is_copy: bool,
) -> str:
    """As the Archives print the electronic telegrams of 1973-79 (telegram-content.md 3.2 to 3.5)."""
    mrn = record.mrn
    assert mrn is not None
    banner = record.classification or "UNCLASSIFIED"
    sent = datetime.fromisoformat(record.dtg or "")
    received = sent + timedelta(minutes=rng.randint(5, 300))
    blanks = "  " if mrn.year < 1975 else " " * 8
    number = f"{mrn.number:05d}"
    if record.section is not None:
        number += f"  {record.section.number:02d} OF {record.section.of:02d}"
    page = f"{blanks}{sender.short} {number}  {received:%d%H%M}Z"
    stamps = [
        f" Declassified/Released US Department of State {rng.choice(_STAMPS)} ".replace(
            "EO", "EO" if not is_copy else "Margaret P. Grafeld EO"
        )
    ] * 2
    text = [
        *address_lines(record, "state"),
        "",
        "",
        *classification_lines(record, "acp127"),
        "",
        *(line.replace("SUBJECT: ", "SUBJ: ") for line in marking_lines(record, "state", 65)),
        "",
        *_text_body(blocks, blank=True, width=65),
        record.signature or "",
    ]
    lines = [banner, "", f"PAGE 01{page}", "", *_offices(rng, mrn, language)]
    for at in range(0, len(text), 48):
        if at:
            lines += [banner, "", banner, "", f"PAGE {at // 48 + 1:02d}{page}", ""]
            lines += [text[at], *stamps, *text[at + 1 : at + 48]]
        else:
            lines += text[:48]
    lines += ["", *(stamps if len(text) <= 48 else ()), "", banner, "", "", "", "", "NNN"]
    body = "\n".join(line or " " for line in lines) + "\n"
    if rng.random() < 0.35 and not is_copy:
        body = f"Message Text\n \n{body}\n{_attributes(rng, record, mrn, sender, language, len(lines))}"
    return body


def _offices(rng: Random, mrn: Mrn, language: Language) -> list[str]:
    chosen = rng.sample(_OFFICES, rng.randint(4, 22))
    counts = [rng.choices((0, 1, 2, 3, 5, 10, 20), (25, 30, 15, 10, 10, 8, 2))[0] for _ in chosen]
    items = [f"{office}-{n:02d}" for office, n in zip(chosen, counts, strict=True)]
    items.append(f"/{sum(counts):03d} {'R' if mrn.post == 'STATE' else 'W'}")
    first = "ORIGIN" if mrn.post == "STATE" else "ACTION"
    lines = [
        *([f"{rng.randrange(10, 99)}"] if mrn.year < 1976 else []),
        f"{first} {items[0]}",
        "",
    ]
    rows = ("  ".join(items[at : at + 7]) for at in range(1, len(items), 7))
    lines += [f"{'      ' if at else 'INFO  '}{row}" for at, row in enumerate(rows)]
    if mrn.post == "STATE":
        name = language.surname(rng)
        lines += [
            "",
            f"DRAFTED BY {chosen[0]}:{name[0]}{name}:AB",
            f"APPROVED BY {chosen[0]}:{name}",
        ]
    return [*lines, f"{' ' * 23}---------------------     {rng.randrange(1, 999_999):06d}"]


def _attributes(
    rng: Random, record: Telegram, mrn: Mrn, sender: Post, language: Language, lines: int
) -> str:
    sent = datetime.fromisoformat(record.dtg or "")
    level = record.classification
    short = re.sub("[^A-Z]", "", sender.short)[:6]
    values = {
        "Automatic Decaptioning": "X",
        "Capture Date": "01 JAN 1994",
        "Channel Indicators": "n/a",
        "Current Classification": "UNCLASSIFIED",
        "Concepts": ", ".join(rng.choices(language.phrases, k=2)).upper(),
        "Control Number": "n/a",
        "Copy": "SINGLE",
        "Draft Date": f"{sent.day:02d} {MONTHS[sent.month - 1]} {sent.year}",
        "Document Number": f"{mrn.year}{short}{mrn.number:05d}",
        "Document Source": "CORE",
        "Drafter": "n/a",
        "Enclosure": "n/a",
        "Executive Order": record.executive_order.text if record.executive_order else "N/A",
        "Errors": "N/A",
        "Film Number": f"D{mrn.year % 100}{rng.randrange(10**4):04d}-{rng.randrange(10**4):04d}",
        "From": sender.short,
        "Handling Restrictions": "n/a",
        "Line Count": str(lines),
        "Locator": "TEXT ON-LINE",
        "Office": f"{'ORIGIN' if mrn.post == 'STATE' else 'ACTION'} {rng.choice(_OFFICES)}",
        "Original Classification": level,
        "Original Handling Restrictions": record.captions[0] if record.captions else "n/a",
        "Page Count": str(lines // 50 + 1),
        "Previous Classification": level,
        "Reference": ", ".join(each.text for each in record.references) or "n/a",
        "Review Action": "RELEASED, APPROVED",
        "Review Date": "04 SEP 2002",
        "Status": "NATIVE",
        "Subject": record.subject or "n/a",
        "TAGS": ", ".join(tag.code for tag in record.tags),
        "To": record.action[0].name,
        "Type": "TE",
    }
    return "Message Attributes\n" + "".join(f"{key}: {value}\n" for key, value in values.items())


def _text_lines(telegram: Telegram, blocks: list[Block], form: WireForm) -> list[str]:
    """Format line 12, as `reftel.write.text` has it."""
    blank = [""] if form == "state" else []
    head = text_lines(msgspec.structs.replace(telegram, signature=None), form)
    body = _text_body(blocks, blank=form == "state", width=LINE)
    return [*head, *blank, *body, *blank, telegram.signature or ""]


def _text_body(blocks: list[Block], *, blank: bool, width: int) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if lines and blank:
            lines.append("")
        lines += block_lines(block, width) if block.kind == "heading" else _filled(block, width)
    return lines


def _filled(block: Block, width: int) -> list[str]:
    """The lines that the writer folds a paragraph into; its own folding looks at every word, which is
    needed only where a line might open with something that begins another paragraph or field."""
    opening = f"{block.number}. " + (f"({block.marking}) " if block.marking else "")
    text = opening + block.text
    lines: list[str] = []
    at, last = 0, len(text) - width
    while at < last:
        cut = text.rfind(" ", at, at + width + 1)
        lines.append(text[at:cut])
        at = cut + 1
        if _RISKY.match(text, at):
            return fold(block.text, width, opening)
    return [*lines, text[at:]]


_RISKY = re.compile(
    r"\(|[a-z][.)]|[0-9]{1,4}[ .)]|(?:ref|reftel|end|summary|comment)\b", re.IGNORECASE
)


def withheld(rng: Random, text: str) -> str:
    """A copy of which a paragraph was not released (telegram-content.md 3.24)."""
    found = list(_PARAGRAPH.finditer(text))
    number = f"F-{rng.randrange(2006, 2018)}-{rng.randrange(100_000):05d}"
    mark = f"UNCLASSIFIED U.S. Department of State Case No. {number} Doc No. C{rng.randrange(10**8):08d}"
    if found:
        each = rng.choice(found)
        text = f"{text[: each.start()]}{each[1]}\n1.4(D)\nB1{text[each.end() :]}"
    return f"{mark}\nRELEASE IN PART\nB1,1.4(D)\n{text}{mark}\n"


def damaged(rng: Random, text: str, how: str) -> str:
    """A text with damage of a kind that real copies have (telegram-content.md 2, 3.19, 3.25)."""
    if how == "cut":
        end = int(len(text) * rng.uniform(0.5, 0.95))
        return text[:end] + rng.choice(("\nE E E E E E E E\n", "...\n", "\n"))
    if how == "blanks" and (match := _DTG.search(text)):
        noisy = f"{match[1]} {match[2]}{match[3]} {match[4]} {match[5]} {match[6]}"
        return text[: match.start()] + noisy + text[match.end() :]
    if how == "marks":
        text = re.sub(r"^([1-3])\. ", r"1\1. ", text, flags=re.MULTILINE)
        at = text.rfind(" ", 0, int(len(text) * 0.8))
        return f"{text[:at]} XXXXXXXXXXXX{text[at:]}"
    letters = list(text)
    start = text.find("\n1. ")
    for _ in range(rng.randint(2, 25)):
        at = rng.randrange(max(start, 0), len(letters))
        if letters[at].isalpha():
            letters[at] = rng.choice(("", "*", " ", letters[at] * 2, rng.choice("AEINORST")))
    return "".join(letters)
