"""Readers: what somebody is cleared for and which captions that person holds."""

from __future__ import annotations

import msgspec

from reftel.access.labels import HIGHEST, Label
from reftel.telegram import CLASSIFICATIONS

ALL = "*"
"""Among the captions of a reader: every one there is."""

_LEVELS = {"": -1, **{name: level for level, name in enumerate(CLASSIFICATIONS)}}


class Reader(msgspec.Struct, frozen=True):
    """Somebody who reads: the highest classification (empty: only what is open), the captions held.

    `cards` is the highest classification of which this reader may know that a telegram exists: its
    withdrawal card instead of its text. Captions bind it as they bind reading.
    """

    name: str
    clearance: str = ""
    captions: frozenset[str] = frozenset()
    cards: str = ""

    def may_read(self, label: Label) -> bool:
        return _LEVELS[label.classification] <= _LEVELS[self.clearance] and self._holds(label)

    def may_know_of(self, label: Label) -> bool:
        """Whether a withdrawal card may be shown where the text may not."""
        within = _LEVELS[label.classification] <= max(_LEVELS[self.cards], _LEVELS[self.clearance])
        return within and self._holds(label)

    def _holds(self, label: Label) -> bool:
        return ALL in self.captions or self.captions.issuperset(label.captions)


EVERYTHING = Reader("", HIGHEST, frozenset((ALL,)), HIGHEST)
"""Who reads an archive that nobody else has access to: its owner, at the command line."""
