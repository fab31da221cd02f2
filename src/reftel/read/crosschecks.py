"""What the parts of a telegram say together: where it repeats itself, one place mends or doubts another.

Every check holds on over 99 % of good telegrams, so a failure is worth a diagnostic (design 2).
"""

from __future__ import annotations

import re
from datetime import date as date_type
from typing import Final

from msgspec.structs import replace

from reftel import tables
from reftel.read.classification import level_of
from reftel.read.dtg import mend_digits, time_of
from reftel.read.executive_order import by_schedule
from reftel.read.furniture import PAGE_POST, find_section_mark, match_page_line
from reftel.read.reading import Reading
from reftel.tables.orders import ORDERS, order_in_force
from reftel.telegram import ExecutiveOrder, Mrn, Repair, Section, Span

_NUMBERED_LINES: Final = (
    ("page-line", match_page_line, "page-line-differs"),
    ("section-line", find_section_mark, "section-line-differs"),
)
_NO_CAPITAL: Final = re.compile(r"[^A-Z]")
_NO_DIGIT: Final = re.compile(r"[^0-9]")
_STATION: Final = re.compile(r"[RQ][A-Z]{5,7}\Z")
_SERIAL_AT_END: Final = re.compile(r" *#([0-9]{4})")
_OPEN: Final = ("UNCLASSIFIED", "SENSITIVE BUT UNCLASSIFIED", "LIMITED OFFICIAL USE")


def finish_order(reading: Reading) -> None:
    order = reading.executive_order
    if order is None:
        return
    order = _mend_order_number(reading, order)
    if order.declassify_on and reading.dtg and order.declassify_on <= reading.dtg[:10]:
        message = f"{order.declassify_on} is not after the telegram's own date"
        reading.doubt("declassification-date-past", message)
    reading.executive_order = by_schedule(order, reading.classification, reading.dtg)


_KNOWN_ORDERS: Final = frozenset(number for number, _, _ in ORDERS) | {"10964", "13292"}


def _mend_order_number(reading: Reading, order: ExecutiveOrder) -> ExecutiveOrder:
    """`E.O. 12598` in 2006 is 12958: no other order on classification is in force that day, and the
    number misses its by two digits that changed places, or by one."""
    written = order.order
    if written is None or written in _KNOWN_ORDERS or reading.dtg is None:
        return order
    meant = order_in_force(reading.dtg[:10])
    wrong = [at for at, (a, b) in enumerate(zip(written, meant, strict=False)) if a != b]
    swapped = len(wrong) == 2 and sorted(written) == sorted(meant)
    if len(written) != len(meant) or not (swapped or len(wrong) == 1):
        return order
    for piece in reading.of_kind("executive-order"):
        if (at := piece.text.find(written)) >= 0:
            span = Span(piece.start + at, piece.start + at + len(written))
            was = span.of(reading.source)
            reading.repairs.append(Repair(span, was, meant, "order number misspelt"))
            return replace(order, order=meant)
    return order


def finish_number(reading: Reading) -> None:
    """The message reference number, from the classification line; failing that from page lines, or
    from the sending station's serial number and the originator's post."""
    if reading.mrn is not None:
        return
    if reading.uncertain_number is not None:
        _confirm_number(reading, *reading.uncertain_number)
    post, number = reading.post, reading.number
    if number is None:
        post, number = _number_elsewhere(reading)
    year = int(reading.dtg[:4]) if reading.dtg else reading.year
    if post is None or number is None:
        return
    if year is None:
        message = f"{post} {number} has no year: there is no date-time group; give --year"
        reading.doubt("year-unknown", message, None, "info")
        return
    reading.mrn = Mrn.of(year, _own_post(post, year, reading), number)
    _compare_numbers(reading)


def _confirm_number(reading: Reading, post: str, written: str, span: Span) -> None:
    """Take a number with letters for digits when page lines, section lines or the sending station's
    serial number confirm it."""
    digits = mend_digits(written).replace(" ", "")
    if not digits.isdigit():
        return
    number = int(digits)
    others: set[int] = set()
    for kind, find, _ in _NUMBERED_LINES:
        for piece in reading.of_kind(kind):
            if match := find(piece.text):
                others.add(int(match["serial"]))
    if reading.transmission and reading.transmission.station_serial:
        others.add(_serial(reading.transmission.station_serial))
    if number in others or (reading.number not in others and number % 10_000 in others):
        was = span.of(reading.source)
        why = "letter read for a digit" if reading.number is None else "blank within the number"
        reading.post, reading.number = post, number
        reading.repairs.append(Repair(span, was, digits, why))
        reading.diagnostics = [d for d in reading.diagnostics if d.code != "mrn-unreadable"]


def _own_post(post: str, year: int, reading: Reading) -> str:
    """The post of a telegram's own number by the name that the tables give it; a short or misspelt
    name counts only when the originator confirms it."""
    letters = post if post.isalpha() and post.isascii() else _NO_CAPITAL.sub("", post)
    station = reading.transmission.station if reading.transmission else None
    if reading.originator is None and station is not None and not station.startswith("R"):
        # A network of its own (wire-format.md 4.1): the tables do not name its posts.
        return letters
    known = tables.canonical_post(post, year) or tables.misspelt_post(post) or post
    if known == letters or reading.originator is None:
        return known
    originator = tables.canonical_post(reading.originator.name, year)
    if originator is None and re.match(rf"US[A-Z]+ {post}\b", reading.originator.name.upper()):
        # The originator's name is not known, but has the short one in it: `USMISSION USUN NY`.
        return known
    return known if originator == known or known == "STATE" else (originator or letters)


def _number_elsewhere(reading: Reading) -> tuple[str | None, int | None]:
    for piece in reading.of_kind("page-line"):
        if match := match_page_line(piece.text) or PAGE_POST.match(piece.text):
            reading.doubt(
                "mrn-from-page-line", "the number is read from the page line", piece, "info"
            )
            return match["post"], int(match["serial"])
    transmission = reading.transmission
    if transmission and transmission.station_serial and reading.originator:
        serial = _serial(transmission.station_serial)
        post = tables.canonical_post(reading.originator.name)
        if serial and post:
            message = "the number is taken from the sending station's serial number"
            reading.doubt("mrn-from-station-serial", message)
            return post, serial
    return None, None


def _compare_numbers(reading: Reading) -> None:
    """The number stands in several places; each is held against the others (telegram-content.md 3.1,
    3.2, 3.18). The serial of format line 3 has its last four digits; in ACP 127 proper each section
    has a serial of its own, and only the first is compared."""
    assert reading.mrn is not None
    number = reading.mrn.number
    transmission = reading.transmission
    first = reading.section is None or reading.section.number == 1
    if reading.readdressal is not None or reading.service is not None:
        return
    if transmission and transmission.station_serial and (first or transmission.section):
        serial = _serial(transmission.station_serial)
        if serial != number % 10_000:
            message = f"the station's serial number is {serial}, the telegram's number {number}"
            reading.doubt("serial-differs", message)
    for kind, find, code in _NUMBERED_LINES:
        for piece in reading.of_kind(kind):
            match = find(piece.text)
            if match is None or _STATION.match(match["post"]):
                # Pages of ACP 127 have the station's serial number: `PAGE 2 RUEHSW 0023 UNCLAS`.
                continue
            if int(match["serial"]) != number:
                other = int(match["serial"])
                message = f"this line names telegram {other}, the classification line {number}"
                reading.doubt(code, message, piece)


def compare_ending(reading: Reading) -> None:
    """The serial of format line 3 stands again before NNNN: another one there is the ending of
    another message (wire-format.md 1.14)."""
    transmission = reading.transmission
    if transmission is None or transmission.station_serial is None:
        return
    for piece in reading.of_kind("end-of-message"):
        match = _SERIAL_AT_END.match(piece.text)
        if match and int(match[1]) != _serial(transmission.station_serial):
            message = f"the message ends as {match[1]}, and began as {transmission.station_serial}"
            reading.doubt("ending-differs", message, piece)


def _serial(text: str) -> int:
    """A station serial number without its letter or sign."""
    return int(text if text.isdigit() else _NO_DIGIT.sub("", text) or 0)


def finish_sections(reading: Reading) -> tuple[int, ...]:
    page_lines = [
        match
        for piece in reading.of_kind("page-line")
        if (match := match_page_line(piece.text)) and match["of"]
    ]
    if reading.section is None and page_lines:
        reading.section = Section(int(page_lines[0]["section"]), int(page_lines[0]["of"]))
    if reading.section is None:
        return ()
    first = reading.section
    if reading.further_sections and min(reading.further_sections) < first.number:
        reading.section = Section(min(reading.further_sections), first.of)
    numbers = {first.number, *reading.further_sections, *(int(m["section"]) for m in page_lines)}
    for piece in reading.of_kind("section-line"):
        if match := find_section_mark(piece.text):
            numbers.add(int(match["number"]))
    total = reading.section.of
    present = tuple(sorted(n for n in numbers if total is None or 0 < n <= total))
    missing = [n for n in range(1, (total or 0) + 1) if n not in present]
    if missing:
        names = ", ".join(str(n) for n in missing)
        reading.doubt("section-missing", f"section {names} of {total} is not here", None, "info")
    return present


def finish_classification(reading: Reading) -> None:
    """Banners and the security line stand in where no classification line can be read, and are held
    against it where it can (telegram-content.md 3.1; wire-format.md 8.2)."""
    banners = reading.of_kind("banner")
    transmitted = reading.transmission.classification if reading.transmission else None
    if reading.classification is None:
        levels = [level_of(piece.text) for piece in banners] or [transmitted]
        if reading.release is not None:
            levels = [level for level in levels if level != "UNCLASSIFIED"] or levels
        reading.classification = levels[0]
        return
    named = {level_of(piece.text): piece for piece in banners}
    for level, piece in named.items():
        if level == "UNCLASSIFIED" and reading.release is not None:
            # What the review made of it, not what it was.
            continue
        if level and level != reading.classification:
            message = f"the banner says {level}, the classification line {reading.classification}"
            reading.doubt("classification-differs", message, piece)
    said = reading.classification
    if transmitted and transmitted != said and not (transmitted in _OPEN and said in _OPEN):
        message = f"the security line says {transmitted}, the classification line {said}"
        reading.doubt("classification-differs", message)


_DOCUMENT: Final = re.compile(r"([0-9]{4})([A-Z]+)([0-9]+)")
_CATALOGUE_DATE: Final = re.compile(r"([0-9]{2})[ -]([A-Za-z]{3})[ -]([0-9]{4})")


def compare_attributes(reading: Reading) -> None:
    """The Archives' catalogue is a second witness: number, date and classification are held against it
    (telegram-content.md 3.22)."""
    attributes = reading.attributes
    if attributes is None:
        return
    document = _DOCUMENT.match(attributes.get("Document Number", ""))
    mrn = reading.mrn
    if document and mrn and (int(document[1]), int(document[3])) != (mrn.year, mrn.number):
        _differs(reading, "Document Number", document[0], mrn.long)
    dated = attributes.get("Draft Date") or attributes.get("Sent Date") or ""
    date = _CATALOGUE_DATE.match(dated)
    if date and reading.dtg and date[3] != "1960":
        named = time_of(date[1], "0000", date[2], date[3])
        if named and abs(_day(named) - _day(reading.dtg)) > 1:
            _differs(reading, "Draft Date", named[:10], reading.dtg[:10])
    level = level_of(attributes.get("Original Classification", ""))
    if level and reading.classification and level != reading.classification:
        _differs(reading, "Original Classification", level, reading.classification)


def _differs(reading: Reading, key: str, catalogue: str, telegram: str) -> None:
    message = f"{key} is {catalogue} in the Archives' catalogue, {telegram} in the telegram"
    reading.doubt("attribute-differs", message, None, "info")


def _day(iso: str) -> int:
    return date_type.fromisoformat(iso[:10]).toordinal()
