"""What a file holds, whatever holds it: archives in archives, tables in archives, packed streams."""

from __future__ import annotations

from collections.abc import Iterator

from reftel.sources import sevenzip, tarred, zipped
from reftel.sources.lines import is_json_lines, is_mbox, mails, records
from reftel.sources.packed import packing, unpack
from reftel.sources.pdf import MissingExtraError
from reftel.sources.stream import (
    HEAD_BYTES,
    Leaf,
    Peekable,
    UnreadableError,
    refused,
    take,
    why_not_read,
)
from reftel.sources.table import UNKNOWN, is_called_table, is_table, rows

DEPTH_LIMIT = 5
"""How deep archives and packed streams may lie in one another."""


def leaves(path: str, stream: Peekable, depth: int = 0) -> Iterator[Leaf]:
    """The inputs in a stream, in their order, each to be loaded before the next is asked for."""
    try:
        if depth > DEPTH_LIMIT:
            raise UnreadableError("archives lie too deep in one another; unpack the outer ones")
        yield from _leaves(path, stream, depth)
    except UnreadableError as error:
        yield refused(path, str(error), passing=error.passing)
    except MissingExtraError as error:
        yield refused(path, str(error), passing=True)
    except OSError as error:
        yield refused(path, why_not_read(error), passing=True)


def _leaves(path: str, stream: Peekable, depth: int) -> Iterator[Leaf]:
    head = stream.peek(HEAD_BYTES)
    if head.startswith(zipped.MAGIC):
        members = zipped.members(path, stream)
    elif head.startswith(sevenzip.MAGIC):
        members = sevenzip.members(path, stream)
    elif tarred.is_tar(head):
        members = tarred.members(path, stream)
    elif how := packing(head):
        yield from leaves(path, unpack(stream, how), depth + 1)
        return
    elif is_table(head):
        yield from rows(path, stream, head)
        return
    elif is_mbox(head):
        yield from mails(path, stream)
        return
    elif is_json_lines(head):
        yield from records(path, stream)
        return
    elif is_called_table(path) and head.strip():
        yield refused(path, UNKNOWN)
        return
    else:
        yield Leaf(path, lambda: take(stream))
        return
    for member in members:
        if isinstance(member, Leaf):
            yield member
        else:
            yield from leaves(*member, depth + 1)
