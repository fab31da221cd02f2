"""Gaps in a post's serial numbers and in an addressee's continuity numbers, among what one reader may
read: which numbers there must have been, and between which times they were sent."""

from __future__ import annotations

from bisect import bisect_right
from calendar import timegm
from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from reftel.archive.model import Number
from reftel.archive.store import Labels, Store

_NEIGHBOURS = 12
_LAST = 30
_CYCLE = 9999
# A step back in a series is no gap of nearly the whole cycle.
_BACK = _CYCLE // 2


class Point(NamedTuple):
    """A number that is held, and when it was sent (minutes since 1970)."""

    number: int
    sent: int


class Interval(NamedTuple):
    """A telegram was sent at `after` or later and at `before` or earlier (minutes since 1970), as the
    telegrams of these numbers show; `None` for the ends of the year."""

    after: int
    before: int
    lower: int | None
    upper: int | None


class Gap(msgspec.Struct, frozen=True):
    """Numbers `first` to `last` of a post in a year, none of which is held, and when they were sent."""

    first: int
    last: int
    interval: Interval

    @property
    def count(self) -> int:
        return self.last - self.first + 1


class Addressed(msgspec.Struct, frozen=True):
    """Of the missing numbers from `first` to `last`, `count` went to an addressee: its continuity numbers
    tell."""

    first: int
    last: int
    missing: int
    addressee: str
    count: int


class ContinuityGap(msgspec.Struct, frozen=True):
    """Continuity numbers `first` to `last` (which may begin again at 1 behind 9999) of one station to
    another, none of which is held; sent between these times."""

    addressee: str
    first: int
    last: int
    count: int
    after: int
    before: int


class Completeness(msgspec.Struct, frozen=True):
    """How many numbers of a post in a year are held, and the highest of them. One that is out of all
    order of time, such as a misread one, is not taken for the highest."""

    post: str
    year: int
    held: int
    highest: int

    @property
    def missing(self) -> int:
        return max(0, self.highest - self.held)

    @property
    def share(self) -> float:
        return min(1.0, self.held / self.highest) if self.highest else 0.0


class Gaps:
    def __init__(self, store: Store, labels: Labels) -> None:
        self._store = store
        self._labels = ", ".join(str(int(each)) for each in sorted(labels)) or "-1"

    def completeness(
        self, post: str | None = None, year: int | None = None
    ) -> tuple[Completeness, ...]:
        """Each post and year of which anything is held, in order."""
        key = ("completeness", self._labels, post, year)
        return self._store.remembered(key, lambda: self._completeness(post, year))

    def _completeness(self, post: str | None, year: int | None) -> tuple[Completeness, ...]:
        where, values = [f"post IS NOT NULL AND label IN ({self._labels})"], list[Any]()
        for column, value in (("post", post), ("year", year)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        query = (
            f"SELECT post, year, count(DISTINCT number) FROM documents WHERE {' AND '.join(where)}"
            " GROUP BY post, year ORDER BY post, year"
        )
        return tuple(
            Completeness(name, y, held, self._highest(name, y))
            for name, y, held in self._store.select(query, values)
        )

    def _highest(self, post: str, year: int) -> int:
        query = (
            "SELECT number, min(sent) FROM documents WHERE post = ? AND year = ?"
            f" AND label IN ({self._labels}) GROUP BY number ORDER BY number DESC LIMIT {_LAST}"
        )
        rows = self._store.select(query, (post, year))[::-1]
        ordered = in_order([Point(number, sent) for number, sent in rows if sent is not None])
        if not ordered:
            return int(rows[-1][0]) if rows else 0
        # The last one may have a misread date and still be the last one; far above the others it is
        # more likely that its number was misread.
        likely = ordered[-1].number * 6 // 5 + 10
        return max(int(number) for number, _ in rows if number <= likely)

    def interval(self, number: Number) -> Interval:
        """When a number that is not held was sent, by its neighbours'."""
        post, year, n = number
        query = (
            "SELECT number, min(sent) FROM documents WHERE post = ? AND year = ? AND number {} ?"
            f" AND sent IS NOT NULL AND label IN ({self._labels})"
            " GROUP BY number ORDER BY number {} LIMIT ?"
        )
        values = (post, year, n, _NEIGHBOURS)
        below = [Point(*row) for row in self._store.select(query.format("<", "DESC"), values)]
        above = [Point(*row) for row in self._store.select(query.format(">", "ASC"), values)]
        ordered = in_order([*below[::-1], *above])
        at = bisect_right([point.number for point in ordered], n)
        return _between(ordered, at, year)

    def gaps(self, post: str, year: int, first: int = 1, last: int = 1 << 62) -> tuple[Gap, ...]:
        """The gaps in a post's numbers of a year, up to the highest, between two numbers."""
        query = (
            "SELECT number, min(sent) FROM documents WHERE post = ? AND year = ?"
            f" AND number >= ? AND number <= ? AND label IN ({self._labels})"
            " GROUP BY number ORDER BY number"
        )
        rows = self._store.select(query, (post, year, first, last))
        ordered = in_order([Point(number, sent) for number, sent in rows if sent is not None])
        places = [point.number for point in ordered]
        highest = self._highest(post, year)
        found: list[Gap] = []
        for (before, _), (after, _) in pairwise([(first - 1, 0), *rows]):
            if after - before > 1 and after <= highest:
                interval = _between(ordered, bisect_right(places, before), year)
                found.append(Gap(before + 1, after - 1, interval))
        return tuple(found)

    def lost(self, post: str, year: int) -> tuple[tuple[int, str], ...]:
        """Numbers of a post and year that are held without a text, and why."""
        query = (
            "SELECT d.number, max(l.why) FROM documents d LEFT JOIN lost l ON l.document = d.id"
            f" WHERE d.post = ? AND d.year = ? AND d.label IN ({self._labels})"
            " GROUP BY d.number HAVING count(*) = count(l.why) ORDER BY d.number"
        )
        return tuple(self._store.select(query, (post, year)))

    def addressed(
        self, post: str, year: int, gaps: tuple[Gap, ...], within: tuple[int, int] | None = None
    ) -> tuple[Addressed, ...]:
        """What an addressee's continuity numbers tell of the missing telegrams between two that have
        them: how many of those went to it. `within` are the times to look at, else the year."""
        series: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for addressee, continuity, _, number in self._series(post, within or year_ends(year)):
            if number is not None:
                series[addressee].append((number, continuity))
        starts = [gap.first for gap in gaps]
        found: list[Addressed] = []
        for addressee, members in sorted(series.items()):
            for (low, one), (high, other) in pairwise(sorted(set(members))):
                at = bisect_right(starts, low)
                inside = gaps[at : bisect_right(starts, high)]
                missing = sum(gap.count for gap in inside)
                count = (other - one) % _CYCLE - 1
                if inside and 0 <= count <= missing and (len(inside) == 1 or not count):
                    found.append(
                        Addressed(inside[0].first, inside[-1].last, missing, addressee, count)
                    )
        return tuple(found)

    def continuity(self, post: str, year: int) -> tuple[ContinuityGap, ...]:
        """The gaps in the continuity numbers of a station's telegrams of a year, by addressee."""
        series: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for addressee, continuity, sent, _ in self._series(post, year_ends(year)):
            series[addressee].append((sent, continuity))
        found: list[ContinuityGap] = []
        for addressee, members in sorted(series.items()):
            after, last = members[0]
            for sent, number in members[1:]:
                step = (number - last) % _CYCLE
                if step > _BACK:
                    continue
                if step > 1:
                    first = last % _CYCLE + 1
                    end = (number - 2) % _CYCLE + 1
                    found.append(ContinuityGap(addressee, first, end, step - 1, after, sent))
                after, last = sent, number
        return tuple(found)

    def _series(self, post: str, within: tuple[int, int]) -> list[tuple[Any, ...]]:
        """Addressee, continuity number, time, and number of each telegram of a station between two
        times, in order of time."""
        query = (
            "SELECT a.name, c.number, c.sent, d.number FROM stations o"
            " JOIN continuity c ON c.originator = o.id"
            " JOIN stations a ON a.id = c.addressee JOIN documents d ON d.id = c.document"
            f" WHERE o.name = ? AND c.sent >= ? AND c.sent < ? AND d.label IN ({self._labels})"
            " ORDER BY c.sent, c.number"
        )
        return self._store.select(query, (post, *within))


def in_order(points: list[Point]) -> list[Point]:
    """Of telegrams in order of their numbers, the most that are in order of time as well: one whose
    number or date was misread falls out."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, point in enumerate(points):
        place = bisect_right(tails, point.sent)
        before.append(ends[place - 1] if place else -1)
        if place == len(tails):
            tails.append(point.sent)
            ends.append(at)
        else:
            tails[place], ends[place] = point.sent, at
    chain: list[Point] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(points[at])
        at = before[at]
    return chain[::-1]


def year_ends(year: int) -> tuple[int, int]:
    """The first minute of a year and the first one after it, since 1970."""
    return timegm((year, 1, 1, 0, 0, 0)) // 60, timegm((year + 1, 1, 1, 0, 0, 0)) // 60


def _between(ordered: list[Point], at: int, year: int) -> Interval:
    """The interval before the place `at` among telegrams in order."""
    first, end = year_ends(year)
    lower = ordered[at - 1] if at else None
    upper = ordered[at] if at < len(ordered) else None
    return Interval(
        lower.sent if lower else first,
        upper.sent if upper else end - 1,
        lower.number if lower else None,
        upper.number if upper else None,
    )
