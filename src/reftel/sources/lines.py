"""Files of many telegrams that are parted at lines: mail folders (mbox) and JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from reftel.sources.stream import LIMIT_BYTES, Leaf, Peekable, UnreadableError

_MAIL_START = re.compile(rb"From \S+ .*[0-9]{4}\s*\Z")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_RECORD = re.compile(rb'\s*\{[^\r\n]*"reftel" ?:')


def is_mbox(head: bytes) -> bool:
    return bool(_MAIL_START.match(head.partition(b"\n")[0]))


def is_json_lines(head: bytes) -> bool:
    """Whether a file opens with a record on one line, as `reftel read --format jsonl` writes it."""
    return bool(_RECORD.match(head))


def mails(path: str, stream: Peekable) -> Iterator[Leaf]:
    """A leaf for each mail of an mbox, `path#mail-3`, the quoting of its lines undone (RFC 4155)."""
    mail: list[bytes] = []
    size = number = 0
    before_blank = True
    for line in _lines(stream):
        if before_blank and _MAIL_START.match(line):
            if number:
                yield _mail(path, number, mail, size)
            number += 1
            mail, size = [], 0
        else:
            size += len(line)
            if size <= LIMIT_BYTES:
                mail.append(line)
        before_blank = not line.strip()
    yield _mail(path, number, mail, size)


def _mail(path: str, number: int, mail: list[bytes], size: int) -> Leaf:
    def load() -> bytes:
        if size > LIMIT_BYTES:
            raise UnreadableError("a mail of more than 32 MB, which is too large for a telegram")
        return _QUOTED_FROM.sub(rb"\1", b"".join(mail))

    return Leaf(f"{path}#mail-{number}", load, whole=True)


def records(path: str, stream: Peekable) -> Iterator[Leaf]:
    """A leaf for each line that is not blank, `path#line-12`."""
    for number, line in enumerate(_lines(stream), 1):
        if line.strip():
            yield Leaf(f"{path}#line-{number}", partial(_record, line), whole=True)


def _record(line: bytes) -> bytes:
    if len(line) >= LIMIT_BYTES:
        raise UnreadableError("a line of more than 32 MB, which is too large for a telegram")
    if not line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        raise UnreadableError("this line is no record; each line must be one, in JSON")
    return line


def _lines(stream: Peekable) -> Iterator[bytes]:
    return iter(partial(stream.readline, LIMIT_BYTES), b"")
