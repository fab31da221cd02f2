"""What a review cut out of a text, and the marks that it left there (telegram-content.md 3.24)."""

from __future__ import annotations

import re

from reftel.telegram import Telegram

EXCISION = re.compile(
    r"\[\s*\]|\[[^\[\]\n]{0,40}(?:EXCISED|WITHHELD|DELETED|REDACTED|OMITTED|NOT DECLASSIFIED)"
    r"[^\[\]\n]{0,40}\]"
    r"|\(\(?B\)? ?\(?[1-9]\)?(?:\([A-F]\))?\)|█+|■+|\bX{5,}\b|_{6,}",
    re.IGNORECASE,
)
"""What stands where a passage was cut out: empty or speaking brackets, an exemption code, blacked runs."""

_SIGNS = ("[", "(B", "█", "■", "XXXXX", "______")


def may_be_excised(capitals: str) -> bool:
    """Whether there may be an excision in a text, given in capitals."""
    return any(sign in capitals for sign in _SIGNS)


def marks_of_excision(text: str) -> list[str]:
    """The marks in a text, in order."""
    return [mark[0] for mark in EXCISION.finditer(text)] if may_be_excised(text.upper()) else []


def is_partial(telegram: Telegram) -> bool:
    """Whether a review released the copy in part only."""
    action = telegram.release.action if telegram.release else None
    return (action or "").endswith("IN PART")
