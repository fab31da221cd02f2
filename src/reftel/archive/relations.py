"""What a telegram tells of others: the numbers it cites and how, and its addressees' continuity numbers;
and whether its own text is lost."""

from __future__ import annotations

import re
from typing import NamedTuple

from reftel import tables
from reftel.archive.model import Number
from reftel.telegram import Mrn, Telegram

REFERENCE, NAMED, POINTED = 1, 2, 4
"""How a number is cited, added up: by an item of the REF line; by its number in the text; in the text by
`REFTEL` or `REF B`."""

# What stands in a lost text's place is a remark of so many characters at most.
_REMARK_LENGTH = 300
_UNREAD = re.compile(r"ERROR READING TEXT|EXPAND ERROR ENCOUNTERED")


class Cited(NamedTuple):
    """A number that a document cites, and how: a sum of `REFERENCE`, `NAMED` and `POINTED`."""

    post: str
    year: int
    number: int
    how: int


class Continuity(NamedTuple):
    """The number of a message in the series of one originator to one addressee (wire-format.md 6.1)."""

    originator: str
    addressee: str
    number: int


def number_of(telegram: Telegram) -> Number | None:
    """The number under which a document is held: its own, or the catalogue's where its text is lost."""
    if telegram.mrn is not None:
        return telegram.mrn.post, telegram.mrn.year, telegram.mrn.number
    catalogued = (telegram.attributes or {}).get("Document Number")
    mrn = Mrn.parse(catalogued) if catalogued else None
    if mrn is None:
        return None
    return tables.canonical_post(mrn.post, mrn.year) or mrn.post, mrn.year, mrn.number


def cited_by(telegram: Telegram) -> tuple[Cited, ...]:
    """Each number that a telegram cites, once, in order."""
    cites = [(each.mrn, REFERENCE) for each in telegram.references]
    cites += [
        (each.mrn, NAMED if each.reference is None else POINTED) for each in telegram.citations
    ]
    texts: dict[str, int] = {}
    for text, how in cites:
        if text:
            texts[text] = texts.get(text, 0) | how
    found: dict[Number, int] = {}
    for text, how in texts.items():
        if mrn := Mrn.parse(text):
            number = mrn.post, mrn.year, mrn.number
            found[number] = found.get(number, 0) | how
    own = number_of(telegram)
    return tuple(Cited(*number, how) for number, how in sorted(found.items()) if number != own)


def station_name(name: str) -> str:
    """One name for a station, however a heading spells it: its name in numbers, if it has one."""
    return tables.canonical_post(name) or " ".join(name.upper().split("//")[0].split())


def continuity_of(telegram: Telegram) -> tuple[Continuity, ...]:
    """The continuity numbers of a telegram's addressees; 0000 numbers nothing."""
    numbered = [each for each in (*telegram.action, *telegram.info) if each.mcn]
    if telegram.originator is None or not numbered:
        return ()
    originator = station_name(telegram.originator.name)
    found: dict[str, int] = {}
    for addressee in numbered:
        if addressee.mcn and addressee.mcn.isascii() and addressee.mcn.isdigit():
            found.setdefault(station_name(addressee.name), int(addressee.mcn))
    return tuple(Continuity(originator, name, number) for name, number in found.items() if number)


def lost_text(telegram: Telegram) -> str | None:
    """Why a document has no text to read, in the words of those who lost or withheld it."""
    length = sum([len(block.text.strip()) for block in telegram.body])
    if length >= _REMARK_LENGTH:
        return None
    unread = _UNREAD.search(telegram.source)
    if length and not unread:
        return None
    if telegram.release is not None and (telegram.release.action or "").startswith("DENIED"):
        return telegram.release.action
    attributes = telegram.attributes or {}
    locator = attributes.get("Locator", "")
    if locator and "ON-LINE" not in locator.upper():
        return locator
    return unread[0] if unread else "NO TEXT"
