"""Calendar dates as people write them in telegrams, as ISO 8601."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from reftel.read.dtg import MONTHS

_SLASHED: Final = re.compile(r"(?<![0-9])([0-9]{1,4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,4})(?![0-9])")
_NAMED: Final = re.compile(
    r"(?<![A-Z0-9])(?:([0-9]{1,2})(?:ST|ND|RD|TH)? +([A-Z]{3,9})\.?,? +([0-9]{2,4})"
    r"|([A-Z]{3,9})\.? +([0-9]{1,2})(?:ST|ND|RD|TH)?,? +([0-9]{4}))(?![0-9])",
    re.IGNORECASE,
)


def find_date(text: str, near: int) -> tuple[str, int, int] | None:
    """The first date in the text with its place; two-digit years fall within 60 years after `near`.

    Slashed dates are month/day/year unless the first part has four digits
    (telegram-content.md 3.11).
    """
    if match := _SLASHED.search(text):
        a, b, c = match[1], match[2], match[3]
        parts = (a, b, c) if len(a) == 4 else (c, a, b)
        return _checked(parts, near, match)
    if match := _NAMED.search(text):
        day, name, year = (
            (match[1], match[2], match[3]) if match[1] else (match[5], match[4], match[6])
        )
        month = name[:3].upper()
        if month in MONTHS:
            return _checked((year, str(MONTHS.index(month) + 1), day), near, match)
    return None


def _checked(
    parts: tuple[str, str, str], near: int, match: re.Match[str]
) -> tuple[str, int, int] | None:
    year, month, day = (int(part) for part in parts)
    if len(parts[0]) <= 2:
        year += near - near % 100
        if year < near - 5:
            year += 100
    try:
        return date(year, month, day).isoformat(), match.start(), match.end()
    except ValueError:
        return None
