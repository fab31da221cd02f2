"""The table in which the telegrams of 1966-2010 circulate, row by row, however long it is.

Eight columns: number, date, message reference number, origin, classification, references, heading,
text. Quotation marks in a cell are doubled or stand behind a backslash, and cells run over lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from reftel.sources.stream import LIMIT_BYTES, Leaf, Peekable, UnreadableError

_COLUMNS = 8
_ROW = re.compile(rb'\s*"?[0-9]{1,7}"?,"?[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{1,4}')
_HEADER = re.compile(rb'\s*"?id"?,(?:[^,\r\n]*,){6}[^,\r\n]*\r?(?:\n|\Z)', re.IGNORECASE)
# What opens a row even where the one before was not closed: inside a cell its marks would be escaped.
_SURE_ROW = re.compile(rb'"[0-9]{1,7}","[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{1,4}[^",\r\n]{0,12}","')
_ESCAPED = re.compile(rb'\\"[^,\r\n"]')
_DOUBLED = re.compile(rb'[^,\r\n\\"]""[^,\r\n"]')
_CELL = rb'\s*(?:"(%b)"\s*|([^",\r\n]*))(?:,|\s*\Z)'
_CELL_ESCAPED = re.compile(_CELL % rb'[^"\\]*+(?:(?:\\.|"")[^"\\]*+)*+', re.DOTALL)
_CELL_DOUBLED = re.compile(_CELL % rb'[^"]*+(?:""[^"]*+)*+', re.DOTALL)
_BEHIND_BACKSLASH = re.compile(rb"\\.", re.DOTALL)
_ESCAPE = re.compile(rb'\\(["\\])|"(")')


def is_table(head: bytes) -> bool:
    """Whether a file opens as the table does: with its header, or with a number and a date."""
    plain = head.removeprefix(b"\xef\xbb\xbf")
    return bool(_ROW.match(plain) or _HEADER.match(plain))


UNKNOWN = (
    "a table in another form than the one that is read: eight columns with commas between them (number,"
    " date, message reference number, origin, classification, references, heading, text)"
)


def is_called_table(path: str) -> bool:
    """Whether a file's name says that it is a table: as running text its telegrams would have the signs
    between its cells in them."""
    return path.lower().endswith((".csv", ".tsv"))


def rows(path: str, stream: Peekable, head: bytes) -> Iterator[Leaf]:
    """A leaf for each row, `path#row-12`; rows count from 1, the header among them."""
    doubled = not _ESCAPED.search(head) and bool(_DOUBLED.search(head))
    record: list[bytes] = []
    size = number = at = first = 0
    is_open = False

    def row() -> Leaf:
        data, length = b"".join(record), size
        load = partial(_load, data, length, first, is_open, doubled)
        return Leaf(f"{path}#row-{number}", load, whole=True)

    try:
        for line in iter(partial(stream.readline, LIMIT_BYTES), b""):
            at += 1
            if at == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not is_open and not line.strip():
                continue
            if (
                not number
                or (not is_open and _ROW.match(line))
                or (line.startswith(b'"') and _SURE_ROW.match(line))
            ):
                if record:
                    yield row()
                number += 1
                record, size, first, is_open = [], 0, at, False
                if number == 1 and _HEADER.match(line):
                    continue
            size += len(line)
            if size <= LIMIT_BYTES:
                record.append(line)
            if b'"' in line:
                is_open ^= _marks(line, doubled) % 2 == 1
        if record:
            yield row()
    except UnreadableError as error:
        if record:
            raise UnreadableError(f"{error}; row {number} (line {first}) is lost with it") from None
        raise


def _marks(line: bytes, doubled: bool) -> int:
    """How many quotation marks open or close a cell in a line, escaped ones in pairs or left out."""
    if not doubled and b"\\" in line:
        line = _BEHIND_BACKSLASH.sub(b"", line)
    return line.count(b'"')


def _load(data: bytes, size: int, line: int, is_open: bool, doubled: bool) -> bytes:
    if size > LIMIT_BYTES:
        raise UnreadableError(
            f"the row at line {line} has over {LIMIT_BYTES // 1048576} MB; is a quotation mark missing?"
        )
    if is_open:
        raise UnreadableError(
            f"the row at line {line} is not closed by a quotation mark; the next one is read"
        )
    pattern = _CELL_DOUBLED if doubled else _CELL_ESCAPED
    cells: list[bytes] = []
    at = 0
    while at < len(data) and len(cells) <= _COLUMNS and (match := pattern.match(data, at)):
        cells.append(match[1] if match[1] is not None else match[2])
        at = match.end()
        if not match[0]:
            break
    if at < len(data) or len(cells) != _COLUMNS:
        raise UnreadableError(
            f"the row at line {line} has no eight columns; is a quotation mark or a comma wrong in it?"
        )
    heading, body = (_plain(cell, doubled) for cell in cells[6:8])
    return heading + b"\n" + body if heading.strip() else body


def _plain(cell: bytes, doubled: bool) -> bytes:
    if doubled:
        return cell.replace(b'""', b'"')
    if b"\\\\" not in cell and b'""' not in cell:
        return cell.replace(b'\\"', b'"')
    return _ESCAPE.sub(lambda match: match[1] or b'"', cell)
