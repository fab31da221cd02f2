"""What the archive gives and takes: values only, no storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from reftel.sources import Problem
from reftel.telegram import Telegram

DOUBT = "filed with a doubt"
"""How the reason of a problem begins that did not keep a text from being filed."""

Order = Literal["relevance", "newest", "oldest"]
TimeOrder = Literal["newest", "oldest"]

OnProgress = Callable[[int, int], None]
"""Is told how much of how much is done."""

Number = tuple[str, int, int]
"""Post in letters alone, year, number."""


class StoreError(RuntimeError):
    """The folder holds no archive that this version can use; the message says what to do."""


class DamagedError(StoreError):
    """One document's text or record is damaged; the others can be read."""


class BrokenStoreError(StoreError):
    """The database is damaged where it was read; what it holds elsewhere can be read."""


class DamagedIndexError(StoreError):
    """An index is damaged where it was read: it can be built again."""


class NoRoomError(StoreError):
    """The disk is full, or what holds the archive takes nothing more; nothing in it is damaged."""


class UnreachableError(StoreError):
    """The database is away: later it may answer again."""


class NoProcessError(StoreError):
    """No other process can read here."""


class ReadOnlyError(StoreError):
    """The archive lies where nothing can be written: it can be read and not added to."""


class Fragment(msgspec.Struct, frozen=True):
    """A run of a snippet; `marked` runs are the words that matched."""

    text: str
    marked: bool


class Hit(msgspec.Struct, frozen=True):
    """One line of a result list. `digest` identifies the document, `mrn` cites it; of one that cannot be
    read, `damaged` says why and what to do."""

    digest: str
    mrn: str | None
    dtg: str | None
    originator: str | None
    classification: str | None
    captions: tuple[str, ...]
    subject: str | None
    snippet: tuple[Fragment, ...]
    damaged: str | None = None


class Count(msgspec.Struct, frozen=True):
    """One value of a facet and how many of the results have it."""

    value: str
    count: int


class Facets(msgspec.Struct, frozen=True):
    """Counts over all results of a search, most frequent first (years newest first).

    `cut` names those of these fields that have more values than are listed."""

    year: tuple[Count, ...]
    post: tuple[Count, ...]
    tags: tuple[Count, ...]
    classification: tuple[Count, ...]
    cut: tuple[str, ...] = ()


class Results(msgspec.Struct, frozen=True):
    """A page of results: `total` counts all of them, `hits` holds those from `offset` on.

    `suggestion` is a query that finds something where a word of this one seems misspelt."""

    query: str
    order: Order
    total: int
    offset: int
    hits: tuple[Hit, ...]
    facets: Facets
    suggestion: str | None = None


class Document(msgspec.Struct, frozen=True):
    """A filed telegram: where it came from, when it was filed (ISO 8601 UTC), and its record.

    `variant_of` is the digest of the reading copy, where another copy is the better one. Where text or
    record cannot be read, `damaged` says why and what to do, and the record has number and time alone.
    """

    digest: str
    origin: str
    filed: str
    telegram: Telegram
    variant_of: str | None = None
    damaged: str | None = None


class Report(msgspec.Struct, frozen=True):
    """What was filed: texts that are new; those of them that are further copies of a telegram, and better
    ones than were held; texts held already; texts that are no telegram; inputs that could not be read;
    the problems met, unless they were told as they came; and files passed over as a whole, since they are
    as they were when they were filed."""

    added: int = 0
    variants: int = 0
    better: int = 0
    known: int = 0
    refused: int = 0
    unreadable: int = 0
    problems: tuple[Problem, ...] = ()
    unchanged: int = 0


class Progress(msgspec.Struct, frozen=True):
    """How far a filing has come: inputs dealt with, bytes of the files behind it, the last input's path."""

    done: int
    bytes: int
    path: str


class Card(msgspec.Struct, frozen=True):
    """A withdrawal card: what may be known of a telegram that may not be read. Neither its subject nor its
    text stands on it; `classification` is the one under which it is closed now."""

    mrn: str | None
    dtg: str | None
    originator: str | None
    to: tuple[str, ...]
    classification: str


class Decision(msgspec.Struct, frozen=True):
    """What a reviewer decided about a document: when (ISO 8601 UTC), who, why; the label (`None`: what its
    own markings say) and the day on which it falls open (as 2031-01-31)."""

    digest: str
    at: str
    who: str
    why: str
    label: str | None
    opens: str | None
