"""Telling copies of one telegram from different telegrams under one number, and the better copy."""

from __future__ import annotations

import re

from reftel.telegram import Telegram

_ALIKE = 0.6
_WORD = re.compile(r"[A-Za-z0-9]{3,}")


def are_copies(one: Telegram, other: Telegram) -> bool:
    """Whether two documents with one number and section hold the same text, damage aside.

    A number is a citation, not a key: one has 52 documents in the released collections. So the
    words of the text decide, and for short texts the subject.
    """
    if (one.section and one.section.number) != (other.section and other.section.number):
        return False
    a, b = _words(one), _words(other)
    if len(a) < 10 or len(b) < 10:
        return one.subject == other.subject and one.dtg == other.dtg
    # A cut copy holds a part of the words of the whole one.
    return len(a & b) / min(len(a), len(b)) >= _ALIKE


def _words(telegram: Telegram) -> frozenset[str]:
    return frozenset(word.upper() for word in _WORD.findall(telegram.text))


def quality(telegram: Telegram) -> int:
    """How good a copy is to read: more text, more of the heading, less damage."""
    text = sum(len(block.text) for block in telegram.body)
    heading = sum(
        value is not None and value != ()
        for value in (telegram.dtg, telegram.originator, telegram.action, telegram.subject)
    )
    doubts = sum(1 for diagnostic in telegram.diagnostics if diagnostic.severity != "info")
    damage = 100 * doubts + 20 * len(telegram.repairs) + telegram.coverage.unknown
    return text + 200 * heading - damage
