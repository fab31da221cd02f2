"""Threads, ghosts and gaps as JSON-ready values: the same for the command line and the reading room."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

import msgspec

from reftel.archive.gaps import Completeness
from reftel.archive.ghosts import Ghost, Missing, iso
from reftel.archive.threads import MostCited, Path, Thread
from reftel.telegram import Mrn


def thread_to_json(found: Thread | Path) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(found)
    return values


def most_cited_to_json(found: tuple[MostCited, ...]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = msgspec.to_builtins(found)
    return values


def ghost_to_json(found: Ghost) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(found)
    return {"held": False, **values}


class YearHeld(msgspec.Struct, frozen=True):
    """How many numbers of a post in a year are held, and the highest of them."""

    post: str
    year: int
    held: int
    highest: int
    missing: int
    share: float


class Told(msgspec.Struct, frozen=True):
    """Of `of` missing telegrams, `count` went to an addressee, by its continuity numbers."""

    addressee: str
    count: int
    of: int


class Numbers(msgspec.Struct, frozen=True):
    """Numbers that are not held, from `first` to `last`: when they were sent (ISO 8601 UTC), how many
    telegrams cite which of them, to whom they went, and which of them are withdrawn."""

    first: str
    last: str
    count: int
    after: str | None
    before: str | None
    cited: dict[str, int]
    addressees: tuple[Told, ...]
    withdrawn: tuple[str, ...]


class NotSeen(msgspec.Struct, frozen=True):
    """Continuity numbers to an addressee that no telegram held has, and when they were sent."""

    addressee: str
    first: int
    last: int
    count: int
    after: str
    before: str


class YearMissing(YearHeld, frozen=True):
    """What is not held of a post and year; `lost` are numbers that are held without a text, and why."""

    numbers: tuple[Numbers, ...]
    lost: dict[str, str]
    continuity: tuple[NotSeen, ...]


def completeness_to_json(each: Completeness) -> dict[str, Any]:
    return {
        "post": each.post,
        "year": each.year,
        "held": each.held,
        "highest": each.highest,
        "missing": each.missing,
        "share": round(each.share, 4),
    }


def missing_rows(found: Missing) -> list[dict[str, Any]]:
    """A row for each gap and each cited number, in order: `first` and `last` number, `count`, `after` and
    `before` (ISO 8601 UTC), `cited` (number to how many telegrams cite it), what continuity numbers say
    of the `addressees`, and the numbers that are `withdrawn`."""
    cited = dict(found.cited)
    numbers = sorted(cited)
    year, post = found.completeness.year, found.completeness.post
    starts = [gap.first for gap in found.gaps]
    said: dict[int, list[dict[str, Any]]] = {}
    for each in found.addressed:
        for first in starts[bisect_left(starts, each.first) : bisect_right(starts, each.last)]:
            told = {"addressee": each.addressee, "count": each.count, "of": each.missing}
            said.setdefault(first, []).append(told)
    rows: list[dict[str, Any]] = []
    for gap in found.gaps:
        inside = numbers[bisect_left(numbers, gap.first) : bisect_right(numbers, gap.last)]
        within = {n: cited.pop(n) for n in inside}
        cards = found.withdrawn[
            bisect_left(found.withdrawn, gap.first) : bisect_right(found.withdrawn, gap.last)
        ]
        rows.append(
            {
                "first": Mrn.of(year, post, gap.first).short,
                "last": Mrn.of(year, post, gap.last).short,
                "count": gap.count,
                "after": iso(gap.interval.after),
                "before": iso(gap.interval.before),
                "cited": {Mrn.of(year, post, n).short: count for n, count in within.items()},
                "addressees": said.get(gap.first, []),
                "withdrawn": [Mrn.of(year, post, n).short for n in cards],
            }
        )
    # What is cited beyond the highest number that is held.
    for n, count in sorted(cited.items()):
        number = Mrn.of(year, post, n).short
        row = {"first": number, "last": number, "count": 1, "after": None, "before": None}
        card = [number] if n in found.withdrawn else []
        rows.append({**row, "cited": {number: count}, "addressees": [], "withdrawn": card})
    return rows


def missing_to_json(found: Missing) -> dict[str, Any]:
    return {
        **completeness_to_json(found.completeness),
        "numbers": missing_rows(found),
        "lost": {
            Mrn.of(found.completeness.year, found.completeness.post, number).short: why
            for number, why in found.lost
        },
        "continuity": [
            {
                "addressee": each.addressee,
                "first": each.first,
                "last": each.last,
                "count": each.count,
                "after": iso(each.after),
                "before": iso(each.before),
            }
            for each in found.continuity
        ],
    }
