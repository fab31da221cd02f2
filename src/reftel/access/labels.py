"""What a telegram asks of its reader: its classification and the captions that restrict it.

A label says no more than a decision needs, so that few of them stand for two million telegrams:
`archive` keeps an index for each.
"""

from __future__ import annotations

from datetime import date

import msgspec

from reftel import tables
from reftel.telegram import CLASSIFICATIONS, Telegram

HIGHEST = CLASSIFICATIONS[-1]

# Kinds of caption (tables/captions.csv) that say who may read a telegram, not how it is handled.
RESTRICTING = frozenset(("distribution", "dissemination", "channel", "role"))
OTHER = "OTHER"
"""Stands for every caption that the table does not know: nobody holds it but who holds all."""


class Label(msgspec.Struct, frozen=True, order=True):
    """The classification a reader must be cleared for, and the captions a reader must hold, in order.

    `classification` is one of `CLASSIFICATIONS`, or empty for what is open to everybody.
    """

    classification: str
    captions: tuple[str, ...] = ()

    def within(self, other: Label) -> bool:
        """Whether whoever may read what has the other label may read this, too."""
        levels = ("", *CLASSIFICATIONS)
        lower = levels.index(self.classification) <= levels.index(other.classification)
        return lower and set(self.captions) <= set(other.captions)

    def __str__(self) -> str:
        return "/".join((self.classification or "OPEN", *self.captions))


OPEN = Label("")


def label_of(telegram: Telegram, today: date) -> Label:
    """The label of a telegram on a day.

    What was released, or has reached its day of declassification, is open; a telegram whose
    classification cannot be read has the highest (ACP 127 203.b).
    """
    if _is_released(telegram):
        return OPEN
    opens = opens_on(telegram)
    if opens is not None and opens <= today:
        return OPEN
    return Label(telegram.classification or HIGHEST, _restricting(telegram.captions))


def opens_on(telegram: Telegram) -> date | None:
    """The day on which a telegram falls open by its E.O. line, unless that exempts it."""
    order = telegram.executive_order
    if order is None or order.declassify_on is None or order.exemptions:
        return None
    try:
        return date.fromisoformat(order.declassify_on[:10])
    except ValueError:
        return None


def _is_released(telegram: Telegram) -> bool:
    """Whether a review released this copy, whole or in part: what it withheld does not stand on it."""
    if telegram.release is not None and telegram.release.action is not None:
        return not telegram.release.action.startswith("DENIED")
    return any(element.kind == "release-stamp" for element in telegram.elements)


def _restricting(captions: tuple[str, ...]) -> tuple[str, ...]:
    found: set[str] = set()
    for caption in captions:
        name = _known(caption)
        if name is None:
            found.add(OTHER)
        elif (entry := tables.caption(name)) and entry.columns["kind"] in RESTRICTING:
            found.add(name)
    return tuple(sorted(found))


def _known(caption: str) -> str | None:
    """A caption's name in the table; names stand within `FOR THE AMBASSADOR ONLY`, `REL TO USA, AUS`."""
    words = caption.upper()
    if tables.caption(words) is not None:
        return words
    if words.endswith("ONLY"):
        return "ONLY"
    if words.startswith("REL "):
        return "REL TO"
    return None
