"""How to cite a telegram: notes for people, entries for programs that keep bibliographies.

A telegram is cited as correspondence between offices (Chicago Manual of Style, 17th edition, 14.221 to
14.231; CSL `personal_communication`, RIS `PCOMM`, a letter to Zotero). Its subject is quoted as it
stands, in capitals where the telegram has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from reftel import tables
from reftel.telegram import Telegram

_FILES = "Central Foreign Policy Files, 1973-79"
_GROUP = "General Records of the Department of State"
_PARAGRAPHS = re.compile(r"([0-9]{1,4})(?:[-–]([0-9]{1,4}))?")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


class Cited(msgspec.Struct, frozen=True):
    """What a citation says. `key` names the document in a bibliography: post, year, number, and the
    first digits of the digest, since several documents may have one number. `held` says whether the
    telegram is of the years whose telegrams the National Archives hold as electronic records.
    `paragraphs` is `2` or `2-4`.
    """

    key: str
    title: str | None
    sender: str | None
    recipient: str | None
    number: str | None
    long_number: str | None
    serial: int | None
    sent: datetime | None
    year: int | None
    classification: str | None
    tags: tuple[str, ...]
    paragraphs: str | None
    url: str | None
    held: bool

    @property
    def place(self) -> str | None:
        """Where in the telegram: `para. 2`, `paras. 2–4`."""
        if self.paragraphs is None:
            return None
        several = "-" in self.paragraphs
        return f"{'paras.' if several else 'para.'} {self.paragraphs.replace('-', '–')}"

    @property
    def parties(self) -> str | None:
        if self.sender and self.recipient:
            return f"{self.sender} to {self.recipient}"
        return self.sender

    @property
    def date(self) -> str | None:
        """As Chicago writes dates: `June 4, 2007`; the year alone where no more can be read."""
        if self.sent is not None:
            return self.sent.strftime("%B %-d, %Y")
        return str(self.year) if self.year else None


def cited(
    telegram: Telegram,
    *,
    digest: str = "",
    paragraph: int | str | None = None,
    url: str | None = None,
) -> Cited:
    """What there is to cite of a telegram, at an address if it has one, to a paragraph (`2`) or several
    (`2-4`) if they are given. Raises `ValueError` for a paragraph that it has not."""
    t = telegram
    mrn = t.mrn
    parts = [mrn.post.lower(), f"{mrn.year}", f"{mrn.number}"] if mrn else ["telegram"]
    return Cited(
        key="-".join([*parts, digest[:6]] if digest else parts),
        title=_line(t.subject),
        sender=_line(tables.addressee_name(t.originator.name)) if t.originator else None,
        recipient=_line(tables.addressee_name(t.action[0].name)) if t.action else None,
        number=mrn.short if mrn else None,
        long_number=mrn.long if mrn else None,
        serial=mrn.number if mrn else None,
        sent=t.sent,
        year=t.sent.year if t.sent else mrn.year if mrn else None,
        classification=t.classification.capitalize() if t.classification else None,
        tags=tuple(tag.code for tag in t.tags),
        paragraphs=_paragraphs(t, str(paragraph)) if paragraph is not None else None,
        url=url,
        held=mrn is not None and 1973 <= mrn.year <= 1979,
    )


def _paragraphs(telegram: Telegram, asked: str) -> str:
    match = _PARAGRAPHS.fullmatch(asked)
    if match is None:
        raise ValueError(f"a paragraph is a number, and several are 2-4, not {asked}")
    first, last = int(match[1]), int(match[2] or match[1])
    held = {block.number for block in telegram.body}
    for number in (first, last):
        if number not in held:
            raise ValueError(f"there is no paragraph {number}")
    if last < first:
        raise ValueError(f"paragraph {last} stands before {first}; write {last}-{first}")
    return str(first) if first == last else f"{first}-{last}"


def _line(text: str | None) -> str | None:
    """A text on one line, without control characters: none of the forms can hold them."""
    if text is None:
        return None
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split()) or None


# For people


def note(c: Cited) -> str:
    """A note (Chicago 14.224)."""
    parts = [
        c.parties,
        _quoted(c.title),
        f"telegram {c.number}" if c.number else "telegram",
        c.date,
        c.sent.strftime("%H%MZ") if c.sent else None,
        c.classification,
        c.place,
        f"{_FILES.replace('-', '–')}, Record Group 59, National Archives" if c.held else None,
        c.url,
    ]
    return _joined(parts)


def bibliography(c: Cited) -> str:
    """An entry of a bibliography (Chicago 14.222)."""
    number = f"Telegram {c.number}" if c.number else "Telegram"
    parts = [
        c.sender,
        _quoted(c.title),
        f"{number} to {c.recipient}" if c.recipient else number,
    ]
    described = " ".join(_ended(part) for part in parts if part)
    if c.date:
        described = f"{described.removesuffix('.')}, {c.date}."
    if c.held:
        described += (
            f" {_FILES.replace('-', '–')}. Record Group 59, {_GROUP}. National Archives,"
            " College Park, MD."
        )
    return f"{described} {c.url}." if c.url else described


def archives(c: Cited) -> str | None:
    """As the National Archives ask for the electronic telegrams of 1973-79 to be cited: from whom, to
    whom, what, when, the document's number, the series, the record group, the archives. None for others.
    """
    if not c.held:
        return None
    parts = [
        c.parties,
        f"Telegram {c.serial}",
        _quoted(c.title),
        c.date,
        c.place,
        c.long_number,
        f"{_FILES}/Electronic Telegrams, RG 59: {_GROUP}, U.S. National Archives",
    ]
    return _joined(parts)


def _quoted(title: str | None) -> str | None:
    if title is None:
        return None
    # A quotation within one has single marks (Chicago 6.11).
    inner = re.sub(r'"([^"]*)"', "‘\\1’", title).replace('"', "’")
    return f"“{inner}”"


def _joined(parts: list[str | None]) -> str:
    """With commas, which stand within quotation marks, and not behind a question (Chicago 6.9, 6.125)."""
    text = ", ".join(part for part in parts if part).replace("”,", ",”")
    return _ended(re.sub("([?!]),”", r"\1”", text))


def _ended(text: str) -> str:
    if text.endswith((".", ".”", "?”", "!”")):
        return text
    return f"{text[:-1]}.”" if text.endswith("”") else f"{text}."


# For programs

_LATEX = {
    "\\": r"\textbackslash{}",
    # A brace that is not closed would end the value early, behind a backslash too.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def bibtex(c: Cited) -> str:
    """An entry for BibTeX and BibLaTeX, in UTF-8. Names and title are kept as they are written."""
    fields = {
        "author": f"{{{_latex(c.sender)}}}" if c.sender else None,
        "title": f"{{{_latex(c.title)}}}" if c.title else None,
        "howpublished": _latex(_described(c)),
        "year": str(c.year) if c.year else None,
        "month": _MONTHS[c.sent.month - 1] if c.sent else None,
        "date": c.sent.strftime("%Y-%m-%d") if c.sent else None,
        "number": c.number,
        "note": _latex("; ".join(_notes(c))) or None,
        "library": _latex(f"{_FILES}, Record Group 59, National Archives") if c.held else None,
        "keywords": _latex(", ".join(c.tags)) or None,
        "url": _url(c.url),
    }
    lines = [
        f"  {name} = {value if name == 'month' else f'{{{value}}}'},"
        for name, value in fields.items()
        if value
    ]
    return "\n".join([f"@misc{{{c.key},", *lines, "}", ""])


def _latex(text: str | None) -> str:
    return "".join(_LATEX.get(character, character) for character in text or "")


def _url(url: str | None) -> str | None:
    """An address with what would open or close a brace written in hexadecimal (RFC 3986 2.1)."""
    return url and url.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C")


def _described(c: Cited) -> str:
    number = f"Telegram {c.number}" if c.number else "Telegram"
    return f"{number} to {c.recipient}" if c.recipient else number


def _notes(c: Cited) -> list[str]:
    notes = [c.classification] if c.classification else []
    return [*notes, c.place] if c.place else notes


def ris(c: Cited) -> str:
    """A record in the RIS format, lines ended as it asks (CR LF)."""
    tags: list[tuple[str, str | None]] = [
        ("TY", "PCOMM"),
        ("ID", c.key),
        # What stands before a comma would be taken for a family name.
        ("AU", c.sender and c.sender.replace(",", "")),
        ("A2", c.recipient and c.recipient.replace(",", "")),
        ("TI", c.title),
        ("M3", "Telegram"),
        ("PY", str(c.year) if c.year else None),
        ("DA", c.sent.strftime("%Y/%m/%d/") if c.sent else None),
        ("CN", c.number),
        ("DB", "National Archives" if c.held else None),
        ("AV", f"{_FILES}, Record Group 59" if c.held else None),
        ("SP", c.place),
        ("N1", c.classification),
        *(("KW", tag) for tag in c.tags),
        ("UR", c.url),
        ("ER", ""),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in tags if value is not None)


def csl(c: Cited) -> dict[str, Any]:
    """An item of CSL-JSON (csl-data.json of the Citation Style Language)."""
    values: dict[str, Any] = {
        "id": c.key,
        "type": "personal_communication",
        "genre": "Telegram",
        "title": c.title,
        "author": [{"literal": c.sender}] if c.sender else None,
        "recipient": [{"literal": c.recipient}] if c.recipient else None,
        "issued": _csl_date(c),
        "number": c.number,
        "archive": "National Archives" if c.held else None,
        "archive_collection": _FILES if c.held else None,
        "archive_location": "Record Group 59" if c.held else None,
        "keyword": ", ".join(c.tags) or None,
        "note": c.classification,
        "locator": c.place,
        "URL": c.url,
    }
    return {name: value for name, value in values.items() if value is not None}


def _csl_date(c: Cited) -> dict[str, Any] | None:
    if c.sent is not None:
        return {"date-parts": [[c.sent.year, c.sent.month, c.sent.day]]}
    return {"date-parts": [[c.year]]} if c.year else None


def csl_json(c: Cited) -> str:
    return json.dumps([csl(c)], ensure_ascii=False, indent=2) + "\n"


class Form(NamedTuple):
    """A form of citation: what it is called, how it is made, and the file that holds it."""

    title: str
    make: Callable[[Cited], str | None]
    media_type: str
    suffix: str


FORMS: Final[dict[str, Form]] = {
    "note": Form("Note (Chicago)", note, "text/plain", ".txt"),
    "bibliography": Form("Bibliography (Chicago)", bibliography, "text/plain", ".txt"),
    "archives": Form("National Archives", archives, "text/plain", ".txt"),
    "bibtex": Form("BibTeX", bibtex, "application/x-bibtex", ".bib"),
    "ris": Form("RIS", ris, "application/x-research-info-systems", ".ris"),
    "csl-json": Form("CSL-JSON", csl_json, "application/vnd.citationstyles.csl+json", ".json"),
}
"""Every form of citation, by the name that asks for it."""
