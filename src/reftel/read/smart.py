"""The form of 2009 and later: a block of labelled lines before the text and another behind it.

telegram-content.md 3.23. Names stand inverted (`BEIJING, AMEMBASSY ROUTINE`).
"""

from __future__ import annotations

import re
from typing import Final

from reftel import tables
from reftel.read.captions import captions_of
from reftel.read.classification import level_of
from reftel.read.classified_by import parse_classified_by
from reftel.read.dates import find_date
from reftel.read.dtg import DTG_LINE, PRECEDENCES, time_of
from reftel.read.elements import Piece
from reftel.read.executive_order import parse_executive_order
from reftel.read.markings import citing_of, clean_subject
from reftel.read.paragraphs import is_paragraph
from reftel.read.reading import Reading
from reftel.read.references import parse_references
from reftel.read.tags_line import parse_tags
from reftel.telegram import Addressee, ExecutiveOrder, Mrn, Station

_LABEL: Final = re.compile(
    r"\s*(?P<label>MRN|Date/DTG|From|Action|Info|XMT|E\.O\.|TAGS|Captions|Reference|Subject|Pass Line"
    r"|Classified By|Derived From|Reason|Declassify On|Signature|Drafted By|Cleared By|Approved By"
    r"|Released By|Attachments|Action Post|Dissemination Rule|Conversion Note)\s*:\s*(?P<value>.*?)\s*\Z",
    re.IGNORECASE,
)
_KINDS: Final = {
    "mrn": "classification-line",
    "date/dtg": "date-time-group",
    "from": "originator",
    "action": "action-addressee",
    "info": "info-addressee",
    "xmt": "exempt-addressee",
    "e.o.": "executive-order",
    "declassify on": "executive-order",
    "tags": "tags",
    "captions": "caption",
    "reference": "reference",
    "subject": "subject",
    "pass line": "passing",
    "classified by": "classified-by",
    "derived from": "classified-by",
    "reason": "classified-by",
    "signature": "signature",
    "drafted by": "drafting",
    "cleared by": "drafting",
    "approved by": "drafting",
    "released by": "drafting",
}
_MRN: Final = re.compile(
    r"(?P<year>[0-9]{2}) +(?P<post>[A-Z][A-Z .'-]*?) +(?P<number>[0-9]{1,7})", re.IGNORECASE
)
_ADDRESSEE: Final = re.compile(
    r"(?P<name>\S.*?)(?: +(?P<precedence>NIACT IMMEDIATE|FLASH|IMMEDIATE|PRIORITY|ROUTINE))?\Z",
    re.IGNORECASE,
)
_FAR: Final = 80


def is_smart(pieces: list[Piece]) -> bool:
    """Whether the telegram opens with labelled lines of this form: MRN, and Date/DTG or From."""
    front = pieces[:_FAR]
    for piece in front:
        if (piece.first == "M" or piece.first == "m") and (
            piece.text.lstrip()[:3].upper() == "MRN"
        ):
            break
    else:
        return False
    labels = {match["label"].lower() for piece in front if (match := _LABEL.match(piece.text))}
    return "mrn" in labels and bool(labels & {"date/dtg", "from", "action"})


def read_smart(reading: Reading) -> int:
    """Read both blocks; the index of the first piece of the text."""
    reading.dialect = "smart"
    pieces = reading.pieces
    fields = _fields(pieces)
    first_text = 0
    for label, start, end in fields:
        if label in ("mrn", "date/dtg", "from", "subject", "reference", "tags", "captions", "e.o."):
            first_text = end
        elif label in ("classified by", "pass line", "action", "info", "reason", "declassify on"):
            first_text = end if start <= first_text + 4 else first_text
    values: dict[str, str] = {}
    for label, start, end in fields:
        text = _value(pieces, start, end, _KINDS.get(label, "label"))
        values.setdefault(label, text)
        if label == "reference" and "reference at" not in values:
            # The lines as they stand, so that every item has its place.
            first, last = pieces[start], pieces[end - 1]
            at = first.start + first.text.index(":") + 1
            values["reference"] = reading.source[at : last.start + len(last.text)]
            values["reference at"] = str(at)
    _read_banner(reading, fields[0][1] if fields else 0)
    _read_values(reading, values)
    return first_text


def _fields(pieces: list[Piece]) -> list[tuple[str, int, int]]:
    """Label, first and end index of each field; a field goes on over lines that are indented, and
    for lists of addressees over any line up to the next label or blank line."""
    fields: list[tuple[str, int, int]] = []
    at = 0
    while at < len(pieces):
        match = _LABEL.match(pieces[at].text) if not pieces[at].kind else None
        if match is None:
            at += 1
            continue
        label = match["label"].lower()
        end = at + 1
        while end < len(pieces) and not pieces[end].kind and not _LABEL.match(pieces[end].text):
            if not pieces[end].text.startswith((" ", "\t")) and label in ("signature", "mrn"):
                break
            if label != "reference" and is_paragraph(pieces[end].text):
                break
            end += 1
        fields.append((label, at, end))
        at = end
    return fields


def _value(pieces: list[Piece], start: int, end: int, kind: str) -> str:
    lines: list[str] = []
    for piece in pieces[start:end]:
        piece.kind = kind
        match = _LABEL.match(piece.text)
        lines.append(match["value"] if match and not lines else piece.text.strip())
    return "\n".join(lines)


def _read_banner(reading: Reading, end: int) -> None:
    for piece in reading.pieces[:end]:
        if piece.kind == "banner" or (not piece.kind and level_of(piece.text)):
            piece.kind = "banner"
            reading.classification = reading.classification or level_of(piece.text)
        elif not piece.kind and captions_of(piece.text):
            piece.kind = "caption"
            _add_captions(reading, piece.text)
        elif not piece.kind and piece.text.strip() == "SBU":
            piece.kind = "caption"
            _add_captions(reading, "SENSITIVE")


def _add_captions(reading: Reading, text: str) -> None:
    for caption in re.split(r"\s*[,;\n]\s*", text):
        found = captions_of(caption.upper())
        for each in found[0] if found else ():
            if each not in reading.captions:
                reading.captions.append(each)


def _read_values(reading: Reading, values: dict[str, str]) -> None:
    if match := _MRN.search(values.get("mrn", "")):
        reading.mrn = Mrn.parse(f"{match['year']}{match['post']}{match['number']}")
        reading.post, reading.number = match["post"].upper(), int(match["number"])
    _read_dtg(reading, values.get("date/dtg", ""))
    if values.get("from"):
        reading.originator = Station(_upright(values["from"]))
    reading.action += _addressees(values.get("action", ""))
    reading.info += _addressees(values.get("info", ""))
    reading.exempt += _addressees(values.get("xmt", ""))
    year = int(reading.dtg[:4]) if reading.dtg else reading.year
    _read_order(reading, values, year)
    reading.tags = parse_tags(values.get("tags", ""), year)
    _add_captions(reading, values.get("captions", ""))
    reading.subject = clean_subject(values.get("subject", ""))
    if values.get("reference"):
        start = int(values["reference at"])
        reading.references = parse_references(values["reference"], start, citing_of(reading))
    if values.get("pass line"):
        reading.passing.append(" ".join(values["pass line"].split()))
    if values.get("classified by"):
        reading.classified_by = parse_classified_by(
            f"{values['classified by']} Reason: {values.get('reason', '')}"
        )
    reading.drafted_by = values.get("drafted by") or None
    reading.approved_by = values.get("approved by") or None
    cleared = re.split(r"\s*[;\n]\s*", values.get("cleared by", ""))
    reading.clearances = tuple(each for each in cleared if each and each.upper() != "NONE")
    if values.get("signature"):
        reading.signature = values["signature"].strip()


def _read_dtg(reading: Reading, value: str) -> None:
    tail = value.rpartition("/")[2].strip()
    if match := DTG_LINE.match(tail):
        reading.dtg = time_of(match["day"], match["time"], match["month"], match["year"])
        if match["first"]:
            reading.precedence = PRECEDENCES[match["first"].upper()]
    elif found := find_date(value, 2010):
        reading.dtg = f"{found[0]}T00:00:00Z"
        reading.doubt("dtg-without-time", f"only a date can be read in {value!r}")


def _read_order(reading: Reading, values: dict[str, str], year: int | None) -> None:
    value = values.get("e.o.", "")
    match = re.match(r"(1[0-9]{4})\s*[:,]?\s*(.*)", value, re.DOTALL)
    if match is None:
        reading.executive_order = ExecutiveOrder(None, " ".join(value.split())) if value else None
        return
    rest = match[2] or (f"DECL: {values['declassify on']}" if values.get("declassify on") else "")
    reading.executive_order = parse_executive_order(match[1], rest, year)


def _addressees(text: str) -> list[Addressee]:
    found: list[Addressee] = []
    for entry in re.split(r"[;\n]", text):
        match = _ADDRESSEE.match(" ".join(entry.split()))
        if match and match["name"].upper() != "NONE":
            word = match["precedence"].upper() if match["precedence"] else None
            found.append(Addressee(_upright(match["name"]), None, word))
    return found


def _upright(name: str) -> str:
    """`BEIJING, AMEMBASSY` as `AMEMBASSY BEIJING`."""
    place, comma, kind = " ".join(name.split()).partition(", ")
    return f"{kind} {place}" if comma and tables.canonical_post(kind) != kind else name.strip()
