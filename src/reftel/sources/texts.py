"""From the bytes of one input to its texts: a pure function, whichever process it runs in."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from reftel.read.mail import is_mail
from reftel.read.several import parts
from reftel.sources.attached import TELEGRAM, attached
from reftel.sources.decode import UndecodableError, decode
from reftel.sources.incoming import Incoming, Input, Problem
from reftel.sources.leaves import DEPTH_LIMIT, leaves
from reftel.sources.members import member_path
from reftel.sources.pdf import MissingExtraError, pdf_text
from reftel.sources.stream import UnreadableError
from reftel.telegram import RecordError, from_builtins
from reftel.write import CannotWriteError, write

_RECORD = re.compile(rb'(?:\xef\xbb\xbf)?\s*[\[{]\s*(?:\{\s*)?"(?:source|reftel)"\s*:')


def texts(item: Input) -> Iterator[Incoming | Problem]:
    """The texts of one input, or its problem."""
    if item.problem is not None:
        yield item.problem
    else:
        yield from read_bytes(item.path, item.data, whole=item.whole)


def read_bytes(
    path: str, data: bytes, *, whole: bool = False, depth: int = 0
) -> Iterator[Incoming | Problem]:
    """The texts of one input's bytes, whatever its kind; of a file of several telegrams, each one's
    (`cables.csv#row-12`, `day.txt#line-340`), unless they are one telegram's alone (`whole`). A mail has
    its own text, and those of what is attached to it (`desk.eml!oslo.txt`)."""
    if not data.strip():
        yield Problem(path, "it is empty")
        return
    if _RECORD.match(data):
        yield from _records(path, data)
        return
    try:
        text, doubt = (pdf_text(data), None) if data.startswith(b"%PDF-") else decode(data)
    except (UndecodableError, MissingExtraError) as error:
        yield Problem(path, str(error), passing=isinstance(error, MissingExtraError))
        return
    if doubt:
        yield Problem(path, f"filed with a doubt: {doubt}")
    if is_mail(text) and (parts_ := attached(data)):
        yield from _mail(path, text, parts_, depth)
        return
    if whole:
        yield Incoming(path, text)
        return
    for part in parts(text):
        yield Incoming(f"{path}#{part.place.replace(' ', '-')}" if part.place else path, part.text)


def _mail(
    path: str, text: str, parts_: list[tuple[str, bytes]], depth: int
) -> Iterator[Incoming | Problem]:
    if depth > DEPTH_LIMIT:
        yield Problem(path, "mails lie too deep in one another; save the inner ones")
        return
    # With the exact text of its telegram a mail says nothing but that.
    exact = next((data for name, data in parts_ if name == TELEGRAM), None)
    if exact is not None:
        yield from read_bytes(path, exact, whole=True, depth=depth + 1)
    else:
        yield Incoming(path, text)
    for name, data in parts_:
        if name == TELEGRAM:
            continue
        for leaf in leaves(member_path(path, name), io.BufferedReader(io.BytesIO(data)), 1):
            try:
                inner = leaf.load()
            except UnreadableError as error:
                yield Problem(leaf.path, str(error), passing=error.passing)
            else:
                yield from read_bytes(leaf.path, inner, whole=leaf.whole, depth=depth + 1)


def _records(path: str, data: bytes) -> Iterator[Incoming | Problem]:
    """The texts of a record, or of a list of them, as `reftel read --format json` writes it."""
    try:
        values = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield Problem(path, f"broken JSON: {error}")
        return
    if isinstance(values, list):
        for at, value in enumerate(values, 1):
            yield from _record(f"{path}#record-{at}", value)
    else:
        yield from _record(path, values)


def _record(path: str, values: Any) -> Iterator[Incoming | Problem]:
    """The text that a record keeps; where it keeps none, the one that is written from it."""
    if isinstance(values, dict) and isinstance(text := values.get("text"), str):
        yield Incoming(path, text)
        return
    remedy = "read the telegram again with: reftel read --format jsonl --text"
    try:
        written = write(from_builtins(values))
    except RecordError as error:
        yield Problem(path, str(error))
    except CannotWriteError as error:
        yield Problem(
            path, f"a record without its text, which cannot be written anew: {error}; {remedy}"
        )
    else:
        lost = f"; {', '.join(written.losses)} are lost" if written.losses else ""
        yield Problem(
            path, f"filed with a doubt: a record without its text was written anew{lost}; {remedy}"
        )
        yield Incoming(path, str(written))
