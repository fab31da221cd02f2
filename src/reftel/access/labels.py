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

# Kinds of caption (tables/captions.csv) that say who may read a telegram, not how it is handled. What is
# in the table and of unknown meaning restricts as what is not in it does.
RESTRICTING = frozenset(
    ("distribution", "dissemination", "channel", "role", "military", "foreign", "unknown")
)
# Captions that say as much as a classification does: on an unclassified telegram they are its mark.
_RAISING = {
    "SENSITIVE": "SENSITIVE BUT UNCLASSIFIED",
    "FOUO": "SENSITIVE BUT UNCLASSIFIED",
    "LOU": "LIMITED OFFICIAL USE",
}
# Atomic Energy Act data never fall open by a date.
_NEVER_BY_DATE = frozenset(("RESTRICTED DATA", "FORMERLY RESTRICTED DATA"))
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

    What was released is open. On its day of declassification a telegram loses its classification; its
    captions stay until whoever may take them off does so (a reviewer's decision). A telegram whose
    classification cannot be read has the highest (ACP 127 203.b).
    """
    if _is_released(telegram):
        return OPEN
    opens = opens_on(telegram)
    if opens is not None and opens <= today:
        return Label("", _restricting(telegram.captions))
    words = telegram.classification or HIGHEST
    raised = (_RAISING.get(caption.upper(), words) for caption in telegram.captions)
    highest = max((words, *raised), key=CLASSIFICATIONS.index)
    return Label(highest, _restricting(telegram.captions))


def opens_on(telegram: Telegram) -> date | None:
    """The day on which a telegram falls open by its E.O. line, unless that exempts it."""
    order = telegram.executive_order
    if order is None or order.declassify_on is None or order.exemptions:
        return None
    if _NEVER_BY_DATE & set(_restricting(telegram.captions)):
        return None
    try:
        return date.fromisoformat(order.declassify_on[:10])
    except ValueError:
        return None


def _is_released(telegram: Telegram) -> bool:
    """Whether a review released this copy, whole or in part: what it withheld does not stand on it."""
    if telegram.release is not None and telegram.release.action is not None:
        return not telegram.release.action.startswith("DENIED")
    return "release-stamp" in [element.kind for element in telegram.elements]


def caption_name(caption: str) -> str | None:
    """The name in the table of a caption that says who may read: `ONLY` for `FOR THE AMBASSADOR ONLY`;
    `OTHER` for one that the table does not know, `None` for one that restricts nobody."""
    words = " ".join(caption.upper().split())
    entry = tables.caption(words)
    if entry is None and words.endswith("ONLY"):
        entry = tables.caption("ONLY")
    if entry is None and words.startswith("REL "):
        entry = tables.caption("REL TO")
    if entry is None:
        return OTHER
    return entry.code if entry.columns["kind"] in RESTRICTING else None


def _restricting(captions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({name for each in captions if (name := caption_name(each))}))
