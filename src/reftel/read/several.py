"""Several telegrams in one text: one after another, in a table, or in a mail folder.

`parts` gives each telegram's own text with its place. Sections of one telegram stay together, and a
telegram that quotes another is not cut.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from reftel.read.address import is_originator
from reftel.read.classification import CLASSIFICATION_LINE, opens_level
from reftel.read.dtg import DTG_LINE
from reftel.read.transmission import is_transmission_start


class Part(NamedTuple):
    """One telegram's text, and where it stands: `row 12`, `line 340`; empty when it is the whole."""

    place: str
    text: str


_COLUMNS: Final = 8
_EXPORTED: Final = re.compile(r"^======== \S+ (?P<digest>[0-9a-f]{64})\n", re.MULTILINE)
_MAIL_START: Final = re.compile(r"From \S+ .*[0-9]{4}\s*\Z")
_PAGE_ONE: Final = re.compile(r" *PAGE +0?1 +[A-Z]")
_QUOTE: Final = re.compile(r"\s*(?:QUOTE|QTE|BEGIN (?:TEXT|QUOTE))\b", re.IGNORECASE)
_LOOK: Final = 60
# First characters of lines that neither open a heading nor begin or end a quotation or a message.
_SPARED: Final = frozenset(map(chr, range(33, 127))) - frozenset("VZOPRYMQBUNqbun")


def parts(text: str) -> Iterator[Part]:
    """Every telegram's text in a file's, in order; the whole text when it holds but one."""
    if _EXPORTED.match(text):
        yield from _exported(text)
    elif rows := _rows(text):
        for number, row in rows:
            yield Part(f"row {number}", row)
    elif text.startswith("From ") and _MAIL_START.match(text.partition("\n")[0]):
        yield from _mails(text)
    else:
        yield from _one_after_another(text)


def _exported(text: str) -> Iterator[Part]:
    """Texts as `reftel export` writes them, each under a line with its number and digest: whether its last
    line end is its own, the digest tells."""
    starts = [*_EXPORTED.finditer(text)]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    line = 1
    for start, end in zip(starts, ends, strict=True):
        own = text[start.end() : end]
        shorter = own.removesuffix("\n")
        digest = hashlib.sha256(shorter.encode("utf-8", "surrogatepass")).hexdigest()
        yield Part(f"line {line + 1}", shorter if digest == start["digest"] else own)
        line += 1 + own.count("\n")


def _rows(text: str) -> list[tuple[int, str]]:
    """The telegrams of the table in which those of 2000-10 circulate: number, date, message reference
    number, origin, classification, references, heading, text. Quotes are doubled, or stand behind a
    backslash."""
    if not re.match(
        r'\s*(?:"?id"?,|"?[0-9]{1,7}"?,"?[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{1,4})', text[:200]
    ):
        return []
    escaped = '\\"' in text
    csv.field_size_limit(16 * 1024 * 1024)
    reader = csv.reader(
        io.StringIO(text, newline=""), doublequote=not escaped, escapechar="\\" if escaped else None
    )
    rows: list[tuple[int, str]] = []
    try:
        for number, row in enumerate(reader, 1):
            if len(row) != _COLUMNS:
                if any(cell.strip() for cell in row):
                    return []
                continue
            if row[0].strip().lower() == "id":
                continue
            heading, body = row[6], row[7]
            rows.append((number, f"{heading}\n{body}" if heading.strip() else body))
    except csv.Error:
        return []
    return rows


def _mails(text: str) -> Iterator[Part]:
    starts = [
        0,
        *(match.start() + 1 for match in re.finditer(r"\n(?=From \S+ .*[0-9]{4}\s*\n)", text)),
    ]
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1):
        yield Part(f"mail {number}", text[start:end].partition("\n")[2])


# Whatever can open a heading, and format line 6, which each but the first kind needs behind it.
_OPENS: Final = re.compile(r"\n[ \t]*(?:V?ZCZ ?C|VV {3}|Message Text\s|PAGE +0?1 )")
# `From:` in the Archives' catalogue of a telegram is none.
_FROM: Final = re.compile(
    r"\n[ \t]*(?:FM[: ]|FROM:(?!.*\n *Handling Restrictions:))", re.IGNORECASE
)
_NEAR_LINES = _LOOK // 2
# What ends a line besides `\n`.
_ENDS: Final = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


def _is_one(text: str) -> bool:
    """Whether a text can hold no second telegram: spares most texts a look at each line."""
    if any(end in text for end in _ENDS) and len(text.splitlines()) > text.count("\n") + 1:
        # There are line ends that the patterns do not know.
        return False
    text = f"\n{text}\n"
    opened = [match.start() for match in _OPENS.finditer(text)]
    signed = [match.start() for match in islice(_FROM.finditer(text), 2)]
    if len(opened) + len(signed) < 2:
        return True
    if len(signed) != 1 or signed[0] < opened[-1]:
        return False
    # One heading: what opens it, once or twice, and its format line 6 not far behind.
    between = text[opened[0] : signed[0]]
    return between.count("\n") < _NEAR_LINES and "NNNN" not in between


def _one_after_another(text: str) -> Iterator[Part]:
    if _is_one(text):
        yield Part("", text)
        return
    lines = text.splitlines(keepends=True)
    starts = _starts(lines)
    if len(starts) < 2:
        yield Part("", text)
        return
    starts[0] = 0
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Part(f"line {start + 1}", "".join(lines[start:end]))


def _starts(lines: list[str]) -> list[int]:
    """Where telegrams begin: lines that open a heading, when what follows is another telegram.

    It is when its number differs, or when the one before has ended (NNNN) and the two are not
    sections of one. A heading within a quoted telegram begins none.
    """
    starts: list[int] = []
    last: _Number | None = None
    quoted = ended = False
    at = 0
    while at < len(lines):
        if lines[at][:1] in _SPARED:
            at += 1
            continue
        line = lines[at].rstrip("\r\n")
        mark = line.strip().upper()
        if _QUOTE.match(line):
            quoted = True
        elif mark.startswith(("UNQUOTE", "UNQTE", "NNNN")):
            quoted, ended = False, ended or mark == "NNNN"
        if not quoted and (end := _heading(lines, at)):
            number = _number(lines, at)
            if not starts or (ended and not _sections(last, number)) or _another(last, number):
                starts.append(at)
            last, ended = number or last, False
            at = end
        else:
            at += 1
    return starts


class _Number(NamedTuple):
    post: str
    serial: int
    section: str | None


def _another(last: _Number | None, number: _Number | None) -> bool:
    return last is not None and number is not None and last[:2] != number[:2]


def _sections(last: _Number | None, number: _Number | None) -> bool:
    """Whether two headings are those of sections of one telegram."""
    if last is None or number is None or last[:2] != number[:2]:
        return False
    return (
        last.section is not None and number.section is not None and last.section != number.section
    )


def _heading(lines: list[str], at: int) -> int:
    """The line after the opening of a heading at line `at`; 0 when none opens there."""
    line = lines[at].rstrip("\r\n")
    if is_transmission_start(line) or line.strip() == "Message Text" or _PAGE_ONE.match(line):
        # Its own date-time group opens no heading of its own.
        for ahead in range(at + 1, min(at + _LOOK, len(lines))):
            if lines[ahead].strip() == "NNNN":
                break
            if is_originator(lines[ahead].rstrip("\r\n")):
                return ahead + 1
        return at + 1
    if line[:1] in "ZOPRY " and DTG_LINE.match(line):
        for ahead in range(at + 1, min(at + 4, len(lines))):
            if is_originator(lines[ahead].rstrip("\r\n")):
                return ahead + 1
    return 0


def _number(lines: list[str], at: int) -> _Number | None:
    """Post, number and section on the first classification line of the heading that opens at line
    `at`, looking no further than the message's end."""
    for line in lines[at : at + 3 * _LOOK]:
        text = line.rstrip("\r\n")
        if text.strip() == "NNNN":
            return None
        if opens_level(text) and (match := CLASSIFICATION_LINE.match(text)):
            post = re.sub(r"[^A-Z]", "", match["post"].upper())
            section = match["number"] or match["of"]
            return _Number(post, int(match["serial"]), section)
    return None
