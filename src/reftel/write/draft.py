"""Drafts: what a person types, made a telegram.

A draft is a heading of `Key: value` lines, or of TOML between two lines `+++`, a blank line, and the
text. Its record has the draft for its source, and elements of the reader's kinds, so that a finding
about it has a place in what was typed. docs/drafts.md describes the form.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from reftel import tables
from reftel.read.address import addressee_of, station_of
from reftel.read.attention import read_attention
from reftel.read.classified_by import parse_classified_by
from reftel.read.dtg import DTG_LINE, iso, time_of
from reftel.read.elements import Piece, cut_lines, to_elements
from reftel.read.executive_order import by_schedule, parse_executive_order
from reftel.read.flow import flow
from reftel.read.mail import is_mail
from reftel.read.paragraphs import PARAGRAPH_START, label_of_paragraph, portion_mark
from reftel.read.references import Citing, parse_references
from reftel.read.summary import find_summary
from reftel.read.tags_line import parse_tags
from reftel.tables.directory import Directory
from reftel.tables.orders import order_in_force
from reftel.telegram import (
    CLASSIFICATIONS,
    Addressee,
    Block,
    BlockKind,
    ClassifiedBy,
    Coverage,
    ExecutiveOrder,
    Mrn,
    Span,
    Telegram,
)

KEYS: dict[str, tuple[str, str]] = {
    "from": ("originator", "The post or office that sends."),
    "to": ("action-addressee", "Action addressees, one a line, each with its precedence."),
    "info": ("info-addressee", "Information addressees, one a line."),
    "exempt": ("exempt-addressee", "Members of a collective who are not to get it."),
    "precedence": ("date-time-group", "The precedence of action addressees that have none."),
    "info precedence": ("date-time-group", "The same of information addressees."),
    "date": ("date-time-group", "When it is sent, UTC; now, if it is left out."),
    "number": ("classification-line", "The serial number, or the whole reference number."),
    "classification": ("classification-line", "The highest portion mark's, if it is left out."),
    "captions": ("caption", "SIPDIS, NODIS and the like, in order."),
    "attention": ("passing", "Passing and attention lines, one a line."),
    "declassify": ("executive-order", "A date, a number of years, an exemption or an event."),
    "tags": ("tags", "TAGS, with a comma between."),
    "subject": ("subject", "The subject."),
    "ref": ("reference", "References, one a line."),
    "classified by": ("classified-by", "Name and position of the classifier."),
    "reason": ("classified-by", "The reasons: 1.4 (b), (d)."),
    "signed": ("signature", "The surname that stands under the telegram."),
}
"""The keys of a heading: the kind of element each is, and what it holds."""

_ALIASES = {
    "fm": "from",
    "xmt": "exempt",
    "sent": "date",
    "references": "ref",
    "reftel": "ref",
    "refs": "ref",
    "caption": "captions",
    "subj": "subject",
    "signature": "signed",
    "passing": "attention",
    "decl": "declassify",
    "reasons": "reason",
}
_KEY = re.compile(r"(?P<key>[A-Za-z][A-Za-z _-]{1,20}?)\s*:[ \t]*(?P<value>.*)\Z")
_HEADING = re.compile(r"#{1,3} +(?P<text>\S.*?)\s*#*\s*\Z")
_NUMBER = re.compile(
    r"(?:(?P<year>(?:19|20)?[0-9]{2})?\s*(?P<post>[A-Z][A-Z .'-]*?)\s*)?(?P<n>[0-9]{1,6})\Z"
)
_YEARS = re.compile(r"(?P<n>[0-9]{1,3}) YEARS?\Z")
_ISO_DATE = re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})\Z")
_US_DATE = re.compile(r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})\Z")
_DATED = re.compile(
    r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})(?:[ T](?P<h>[0-9]{1,2}):?(?P<min>[0-9]{2})Z?)?\Z"
)
_MARK_LEVEL = {
    "U": 0,
    "SBU": 1,
    "LOU": 2,
    "C": 3,
    "S": 4,
    "TS": 5,
}
_RANK = ("FLASH", "NIACT IMMEDIATE", "IMMEDIATE", "PRIORITY", "ROUTINE")


class Problem(msgspec.Struct, frozen=True):
    """What cannot be read in a draft: where (from 1), what, and what to write."""

    line: int
    column: int
    message: str
    remedy: str


class Draft(msgspec.Struct, frozen=True):
    """A draft as read: the telegram it makes, and what in it could not be read."""

    telegram: Telegram
    problems: tuple[Problem, ...] = ()


class _Value(msgspec.Struct):
    """The value of a key: its lines, each with its piece and the column where it begins."""

    lines: list[tuple[str, Piece, int]]

    @property
    def text(self) -> str:
        return " ".join(line.strip() for line, _, _ in self.lines if line.strip())


def is_draft(text: str) -> bool:
    """Whether a text is a draft: it opens with TOML's `+++`, or with a key that only drafts have."""
    first = text.lstrip().split("\n", 1)[0].strip()
    if first == "+++":
        return True
    if is_mail(text):
        return False
    match = _KEY.match(first)
    return match is not None and _key(match["key"]) in KEYS and not first.startswith(("TO ", "FM "))


def read_draft(text: str, *, now: datetime, directory: Directory | None = None) -> Draft:
    """The telegram of a draft. `now` is its time where the draft names none; the directory and the
    tables give routing indicators. It is never refused: what cannot be read is a problem, and absent.
    """
    return _Drafting(text, now, directory or Directory()).draft()


class _Drafting:
    """One draft being read."""

    def __init__(self, text: str, now: datetime, directory: Directory) -> None:
        self.source = text
        # A date-time group has minutes and no seconds.
        self.now = now.astimezone(UTC).replace(second=0, microsecond=0)
        self.directory = directory
        self.pieces = cut_lines(text)
        self.problems: list[Problem] = []
        self.values: dict[str, _Value] = {}

    def draft(self) -> Draft:
        body_at = self._read_keys()
        blocks = self._body(body_at)
        sent = self._sent()
        year = int(sent[:4])
        originator = self.values.get("from")
        station = station_of(originator.text.upper()) if originator and originator.text else None
        captions = self._captions()
        passing = [line.upper() for line, _, _ in self._lines("attention")]
        level = self._level(blocks, captions)
        order = self._order(level, sent)
        action = self._addressees("to", "precedence")
        info = self._addressees("info", "info precedence")
        mrn = self._number(year, station.name if station else None)
        post = mrn.post if mrn else None
        day = date.fromisoformat(sent[:10]).timetuple().tm_yday
        words = [a.precedence for a in (*action, *info)]
        telegram = Telegram(
            source=self.source,
            elements=to_elements(self.pieces),
            dialect="cable",
            mrn=mrn,
            precedence=next((word for word in _RANK if word in words), "ROUTINE"),
            dtg=sent,
            originator=station,
            action=action,
            info=info,
            exempt=self._addressees("exempt", ""),
            classification=level,
            captions=captions,
            passing=tuple(passing),
            attention=read_attention(passing),
            executive_order=by_schedule(order, level, sent) if order else None,
            tags=tuple(parse_tags(self._text("tags"), year)),
            subject=self._text("subject") or None,
            references=self._references(Citing(year, day, post, mrn.number if mrn else None)),
            classified_by=self._classified_by(),
            summary=find_summary(list(blocks)),
            body=blocks,
            signature=self._text("signed").upper() or None,
            coverage=Coverage(len(self.source), 0),
        )
        return Draft(telegram, tuple(self.problems))

    # The heading.

    def _read_keys(self) -> int:
        """Read the heading; the index of the first piece behind it."""
        at = 0
        while at < len(self.pieces) and not self.pieces[at].text.strip():
            self.pieces[at].kind = "blank"
            at += 1
        if at < len(self.pieces) and self.pieces[at].text.strip() == "+++":
            return self._read_toml(at)
        key = ""
        while at < len(self.pieces):
            piece = self.pieces[at]
            if not piece.text.strip():
                piece.kind = "blank"
                return at + 1
            match = _KEY.match(piece.text)
            if match and not piece.text[:1].isspace():
                key = _key(match["key"])
                if key not in KEYS:
                    if not self.values:
                        return at
                    known = ", ".join(each.title() for each in KEYS)
                    self._problem(
                        piece,
                        0,
                        f"{match['key']!r} is no key of a heading",
                        f"one of {known}; or a blank line before the text",
                    )
                    piece.kind, key = "label", ""
                    at += 1
                    continue
                self._take(key, match["value"], piece, match.start("value"))
            elif key and piece.text[:1].isspace():
                indent = len(piece.text) - len(piece.text.lstrip())
                self._take(key, piece.text.strip(), piece, indent)
            else:
                if not self.values:
                    return at
                self._problem(
                    piece,
                    0,
                    "this line has no key",
                    "write Key: value, indent a line that goes on, or leave a blank line before the text",
                )
                piece.kind = "label"
            at += 1
        return at

    def _read_toml(self, at: int) -> int:
        pieces = self.pieces
        end = next((n for n in range(at + 1, len(pieces)) if pieces[n].text.strip() == "+++"), None)
        if end is None:
            self._problem(
                pieces[at], 0, "the TOML heading is not closed", "write +++ on the line below it"
            )
            end = len(pieces)
        inside = pieces[at + 1 : end]
        for piece in pieces[at : end + 1]:
            piece.kind = "label" if piece.text.strip() else "blank"
        try:
            heading = tomllib.loads("\n".join(piece.text for piece in inside))
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"line ([0-9]+), column ([0-9]+)", str(error))
            piece = inside[min(int(place[1]), len(inside)) - 1] if place and inside else pieces[at]
            self._problem(
                piece,
                int(place[2]) - 1 if place else 0,
                f"the heading is no TOML: {error}",
                'write key = "value"',
            )
            return end + 1
        for name, value in heading.items():
            key = _key(name)
            piece = next((p for p in inside if p.text.lstrip().startswith(name)), pieces[at])
            if key not in KEYS:
                known = ", ".join(each.replace(" ", "_") for each in KEYS)
                self._problem(piece, 0, f"{name!r} is no key of a heading", f"one of {known}")
                continue
            first = inside.index(piece) if piece in inside else 0
            for text in _toml_lines(value):
                holder = next((p for p in inside[first:] if text and text in p.text), piece)
                self._take(key, text, holder, max(holder.text.find(text), 0))
        return end + 1

    def _take(self, key: str, text: str, piece: Piece, column: int) -> None:
        piece.kind = KEYS[key][0]
        self.values.setdefault(key, _Value([])).lines.append((text.strip(), piece, column))

    def _lines(self, key: str) -> list[tuple[str, Piece, int]]:
        value = self.values.get(key)
        return [line for line in value.lines if line[0]] if value else []

    def _text(self, key: str) -> str:
        value = self.values.get(key)
        return " ".join(value.text.split()) if value else ""

    def _problem(self, piece: Piece, column: int, message: str, remedy: str) -> None:
        line = self.source.count("\n", 0, piece.start) + 1
        self.problems.append(Problem(line, column + 1, message, remedy))

    def _sent(self) -> str:
        lines = self._lines("date")
        if not lines:
            return iso(self.now)
        text, piece, column = lines[0]
        if match := DTG_LINE.match(text):
            found = time_of(match["day"], match["time"], match["month"], match["year"])
            if found:
                return found
        elif match := _DATED.match(text):
            try:
                hour, minute = int(match["h"] or 0), int(match["min"] or 0)
                moment = datetime(
                    int(match["y"]), int(match["m"]), int(match["d"]), hour, minute, tzinfo=UTC
                )
                return iso(moment)
            except ValueError:
                pass
        self._problem(
            piece, column, f"{text!r} is no date", "write 2013-05-14 15:30 (UTC), or 141530Z MAY 13"
        )
        return iso(self.now)

    def _number(self, year: int, originator: str | None) -> Mrn | None:
        lines = self._lines("number")
        if not lines:
            return None
        text, piece, column = lines[0]
        match = _NUMBER.match(text.upper())
        post = match["post"] if match else None
        if match and post is None and originator:
            post = tables.canonical_post(originator, year) or originator.split()[-1]
        if match is None or not post:
            self._problem(
                piece, column, f"{text!r} is no number of a telegram", "write 124, or 13 BERN 124"
            )
            return None
        return Mrn.of(year, tables.canonical_post(post, year) or post, int(match["n"]))

    def _addressees(self, key: str, precedence_key: str) -> tuple[Addressee, ...]:
        common = self._text(precedence_key).upper() if precedence_key else ""
        if common and common not in _RANK:
            text, piece, column = self._lines(precedence_key)[0]
            self._problem(piece, column, f"{text!r} is no precedence", f"one of {', '.join(_RANK)}")
            common = ""
        found: list[Addressee] = []
        for text, piece, column in self._lines(key):
            addressee = addressee_of(text.upper())
            if addressee is None:
                self._problem(
                    piece,
                    column,
                    f"{text!r} is no addressee",
                    "write the plain language address: AMEMBASSY BERN",
                )
                continue
            if addressee.precedence is None and common not in ("", "ROUTINE"):
                addressee = msgspec.structs.replace(addressee, precedence=common)
            if addressee.precedence == "ROUTINE":
                addressee = msgspec.structs.replace(addressee, precedence=None)
            found.append(self._routed(addressee))
        return tuple(sorted(found, key=_place_of))

    def _routed(self, addressee: Addressee) -> Addressee:
        """The addressee with its routing indicator, where the directory or the tables have it."""
        if addressee.routing_indicator is not None:
            return addressee
        entry = self.directory.named(addressee.name)
        indicator = entry.routing_indicator if entry else tables.routing_indicator(addressee.name)
        return msgspec.structs.replace(addressee, routing_indicator=indicator)

    def _captions(self) -> tuple[str, ...]:
        found: list[str] = []
        for text, _, _ in self._lines("captions"):
            found += [
                " ".join(each.upper().split()) for each in re.split(r"[,;]", text) if each.strip()
            ]
        return tuple(dict.fromkeys(found))

    def _level(self, blocks: tuple[Block, ...], captions: tuple[str, ...]) -> str:
        """The classification as written, else that of the highest portion mark."""
        lines = self._lines("classification")
        if lines:
            text, piece, column = lines[0]
            plain = " ".join(text.upper().split())
            plain = {
                "UNCLAS": "UNCLASSIFIED",
                "SBU": "SENSITIVE BUT UNCLASSIFIED",
                "LOU": "LIMITED OFFICIAL USE",
            }.get(plain, plain)
            if plain in CLASSIFICATIONS:
                return (
                    "UNCLASSIFIED"
                    if plain == "SENSITIVE BUT UNCLASSIFIED" and "SENSITIVE" in captions
                    else plain
                )
            self._problem(
                piece,
                column,
                f"{text!r} is no classification",
                f"one of {', '.join(CLASSIFICATIONS)}",
            )
        ranks = [_MARK_LEVEL.get((b.marking or "").split("/")[0], 0) for b in blocks]
        highest = max(ranks, default=0)
        if highest == _MARK_LEVEL["SBU"]:
            return "UNCLASSIFIED" if "SENSITIVE" in captions else "SENSITIVE BUT UNCLASSIFIED"
        return CLASSIFICATIONS[highest]

    def _order(self, level: str, sent: str) -> ExecutiveOrder | None:
        """The E.O. line: N/A for what is not classified, else what `declassify` says."""
        order = order_in_force(sent[:10])
        if CLASSIFICATIONS.index(level) < CLASSIFICATIONS.index("CONFIDENTIAL"):
            said = self._lines("declassify")
            if not said or said[0][0].upper() in ("N/A", "NO"):
                return ExecutiveOrder(order, "N/A")
        lines = self._lines("declassify")
        if not lines:
            return None
        text, piece, column = lines[0]
        plain = " ".join(self._text("declassify").upper().split())
        if plain.startswith(("E.O.", "EO ")):
            again = re.match(r"E\.?O\.? *([0-9]{5}):? *(.*)", plain)
            if again:
                return parse_executive_order(again[1], again[2], int(sent[:4]))
        if years := _YEARS.match(plain):
            day = _years_on(sent, int(years["n"]))
            if day is None:
                self._problem(
                    piece,
                    column,
                    f"{text!r} is no time that can be reckoned",
                    "write 10 years, or a date",
                )
                return None
            plain = f"DECL: {day[5:7]}/{day[8:10]}/{day[:4]}"
        elif match := _ISO_DATE.match(plain) or _US_DATE.match(plain):
            try:
                day = date(int(match["y"]), int(match["m"]), int(match["d"])).isoformat()
            except ValueError:
                self._problem(piece, column, f"{text!r} is no date", "write 2023-05-14")
                return None
            plain = f"DECL: {day[5:7]}/{day[8:10]}/{day[:4]}"
        elif not plain.startswith(("DECL", "GDS", "XGDS", "RDS", "XDS", "N/A", "DNG")):
            plain = f"DECL: {plain}"
        return parse_executive_order(order, plain, int(sent[:4]))

    def _references(self, citing: Citing) -> tuple[Any, ...]:
        lines = self._lines("ref")
        if not lines:
            return ()
        start = lines[0][1].start + lines[0][2]
        last = lines[-1][1]
        value = self.source[start : last.start + len(last.text)]
        if self.values["ref"].lines[0][1].kind != "reference" or '"' in value:
            value = "\n".join(text for text, _, _ in lines)
        return tuple(parse_references(value, start, citing))

    def _classified_by(self) -> ClassifiedBy | None:
        who, reason = self._text("classified by"), self._text("reason")
        if not who and not reason:
            return None
        if reason:
            return parse_classified_by(f"{who} REASON: {reason}")
        return parse_classified_by(who)

    # The text.

    def _body(self, at: int) -> tuple[Block, ...]:
        chunks = self._chunks(at)
        numbered = any(PARAGRAPH_START.match(chunk[0].text) for chunk in chunks)
        blocks: list[Block] = []
        unnumbered = 0
        for chunk in chunks:
            first = chunk[0]
            heading = _HEADING.match(first.text)
            start = PARAGRAPH_START.match(first.text)
            span = Span(first.start, chunk[-1].start + len(chunk[-1].text))
            if heading and len(chunk) == 1:
                first.kind = "heading"
                blocks.append(Block("heading", None, None, None, heading["text"], span))
                continue
            goes_on = numbered and start is None and blocks and blocks[-1].kind != "heading"
            for piece in chunk:
                piece.kind = "body"
            lines = [piece.text for piece in chunk]
            if goes_on:
                before = blocks.pop()
                text = before.text + "\n\n" + flow("\n".join(lines))
                joined = Span(before.span.start, span.end)
                blocks.append(msgspec.structs.replace(before, text=text, span=joined))
                continue
            number = int(start["number"]) if start else None
            if start:
                lines[0] = lines[0][start.end() :]
            marking, skip = portion_mark(lines[0].lstrip())
            lines[0] = lines[0].lstrip()[skip:]
            text = flow("\n".join(lines))
            unnumbered += number is None
            kind: BlockKind = "paragraph" if number is not None else "text"
            blocks.append(Block(kind, number, marking, label_of_paragraph(text), text, span))
        if not numbered and unnumbered > 1:
            return tuple(_numbered(blocks))
        return tuple(blocks)

    def _chunks(self, at: int) -> list[list[Piece]]:
        """The lines of the text in groups that blank lines part; a heading and a numbered line begin
        one too."""
        chunks: list[list[Piece]] = []
        fresh = True
        expected = 1
        for piece in self.pieces[at:]:
            if not piece.text.strip():
                piece.kind = "blank"
                fresh = True
                continue
            start = PARAGRAPH_START.match(piece.text)
            counts = start is not None and int(start["number"]) == expected and not start["indent"]
            if counts:
                expected += 1
            if fresh or counts or _HEADING.match(piece.text) or not chunks:
                chunks.append([])
            chunks[-1].append(piece)
            fresh = _HEADING.match(piece.text) is not None
        return chunks


def _numbered(blocks: list[Block]) -> list[Block]:
    """Texts without numbers, numbered from 1."""
    done: list[Block] = []
    number = 0
    for block in blocks:
        if block.kind == "text":
            number += 1
            block = msgspec.structs.replace(block, kind="paragraph", number=number)
        done.append(block)
    return done


def _key(text: str) -> str:
    plain = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
    return _ALIASES.get(plain, plain)


def _toml_lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return [line for each in value for line in _toml_lines(each)]
    if isinstance(value, dict):
        return [f"{key}. {each}" for key, each in value.items()]
    if isinstance(value, datetime):
        return [value.strftime("%Y-%m-%d %H:%M")]
    return [line.strip() for line in str(value).splitlines() if line.strip()]


def _place_of(addressee: Addressee) -> tuple[int, bool, bool, str]:
    """Where an addressee stands: by precedence, the Department first, collectives last, by name."""
    name = addressee.name
    collective = "COLLECTIVE" in name or tables.is_collective(name)
    return (
        _RANK.index(addressee.precedence or "ROUTINE"),
        not name.startswith("SECSTATE"),
        collective,
        name,
    )


def _years_on(sent: str, years: int) -> str | None:
    """The same day some years on; 28 February for the 29th."""
    day = date.fromisoformat(sent[:10])
    try:
        return day.replace(year=day.year + years).isoformat()
    except ValueError:
        if day.year + years > 9999:
            return None
        return (day - timedelta(days=1)).replace(year=day.year + years).isoformat()
