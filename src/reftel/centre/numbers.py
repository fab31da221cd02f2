"""Channel numbers: what comes is held against what was expected (ACP 127 429-433).

No clock and no storage: the last number goes in, what to think of the next comes out.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Verdict = Literal["first", "next", "gap", "late", "repeat", "restart"]

FARTHEST = 500


class Watched(msgspec.Struct, frozen=True):
    """What a number says: `missing` are those passed over by it, in order; `last` is to be kept."""

    verdict: Verdict
    last: int
    missing: tuple[int, ...] = ()


def cycle(digits: int) -> int:
    """The highest number of a channel: 999 or 9999; 1 follows it."""
    return int("9" * digits)


def after(number: int, digits: int) -> int:
    """The number that follows."""
    return number % cycle(digits) + 1


def watch(
    last: int | None, number: int, digits: int, *, is_open: bool = False, new_day: bool = False
) -> Watched:
    """Hold a number against the last one of its channel.

    One that is awaited (`is_open`) closes its gap; one not far above opens a gap; one not far below
    was used before. Anything farther, and 1 on a new day, is a new count.
    """
    if last is None:
        return Watched("first", number)
    top = cycle(digits)
    if is_open:
        return Watched("late", last)
    if new_day and number <= last:
        missing = tuple(range(1, number)) if number <= FARTHEST else ()
        return Watched("gap" if missing else "restart", number, missing)
    ahead = (number - last) % top
    if ahead == 1:
        return Watched("next", number)
    if ahead == 0 or top - ahead < min(FARTHEST, top // 4):
        # A count that begins again with 1 is a restart at the other end, not an old number.
        if number == 1 and last != 1:
            return Watched("restart", number)
        return Watched("repeat", last)
    if ahead <= min(FARTHEST, top // 4):
        between = tuple((last + step - 1) % top + 1 for step in range(1, ahead))
        return Watched("gap", number, between)
    return Watched("restart", number)


def inside(text: str, channel: str) -> str | None:
    """A channel number of the neighbour that stands inside a message, as a second format line 1 (432)."""
    if not channel or "ZCZC" not in text:
        return None
    at = text.find("\nBT\n")
    match = re.search(rf"^V?ZCZC ?({channel}) ?([0-9]{{3,4}})\b", text[max(at, 0) :], re.MULTILINE)
    return match[1] + match[2] if match else None
