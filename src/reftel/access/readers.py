"""Readers: what somebody is cleared for and which captions that person holds."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import quote

import msgspec

from reftel.access.labels import HIGHEST, Label
from reftel.telegram import CLASSIFICATIONS

ALL = "*"
"""Among the captions of a reader: every one there is."""

# A file's name has at most 255 bytes.
_LONGEST_NAME = 200

LEVELS = {"": -1, **{name: level for level, name in enumerate(CLASSIFICATIONS)}}


class Reader(msgspec.Struct, frozen=True):
    """Somebody who reads: the highest classification (empty: only what is open), the captions held.

    `cards` is the highest classification of which this reader may know that a telegram exists: its
    withdrawal card instead of its text. Captions bind it as they bind reading. An `auditor` may look at
    the audit trail.
    """

    name: str
    clearance: str = ""
    captions: frozenset[str] = frozenset()
    cards: str = ""
    auditor: bool = False

    def may_read(self, label: Label) -> bool:
        return LEVELS[label.classification] <= LEVELS[self.clearance] and self._holds(label)

    def may_know_of(self, label: Label) -> bool:
        """Whether a withdrawal card may be shown where the text may not."""
        within = LEVELS[label.classification] <= max(LEVELS[self.cards], LEVELS[self.clearance])
        return within and self._holds(label)

    def _holds(self, label: Label) -> bool:
        return ALL in self.captions or self.captions.issuperset(label.captions)

    @property
    def in_paths(self) -> str:
        """What stands for the name in the names of files, whatever characters it has and however long it
        is; empty for the owner of the archive."""
        quoted = quote(self.name, safe="", errors="surrogatepass")
        # `@` is no character of a quoted name.
        digest = sha256(self.name.encode("utf-8", "surrogatepass")).hexdigest()
        return quoted if len(quoted) <= _LONGEST_NAME else f"@{digest}"

    @property
    def folder(self) -> str:
        """The name of a folder that is this reader's own; empty for the owner of the archive."""
        return f"~{self.in_paths}" if self.name else ""

    def with_grants(self, grants: Iterable[Reader]) -> Reader:
        """This reader with what groups grant besides: the highest clearance of all, and all captions."""
        all_ = (self, *grants)
        return Reader(
            self.name,
            max((each.clearance for each in all_), key=LEVELS.__getitem__),
            frozenset().union(*(each.captions for each in all_)),
            max((each.cards for each in all_), key=LEVELS.__getitem__),
            any(each.auditor for each in all_),
        )


EVERYTHING = Reader("", HIGHEST, frozenset((ALL,)), HIGHEST, auditor=True)
"""Who reads an archive that nobody else has access to: its owner, at the command line."""
