"""The counts over all results, by year, post, TAGS and classification, from those under each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest

from reftel.archive.index import FACETS, Counted
from reftel.archive.model import Count, Facets

MOST_LISTED = 1000


def facets_of(counted: Iterable[Counted], gone: Iterable[Counted]) -> Facets:
    """The counts together, less those over what has gone: of a field with more values than are listed, the
    most frequent."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    cut: set[str] = set()
    for each in counted:
        cut |= each.cut
        for name, values in each.values.items():
            counts[name].update(values)
    for each in gone:
        for name, values in each.values.items():
            counts[name].subtract(values)
    counts = {name: +values for name, values in counts.items()}
    cut |= {name for name, values in counts.items() if len(values) > MOST_LISTED}

    def by_size(name: str) -> tuple[Count, ...]:
        found = (Count(value, count) for value, count in counts[name].items())
        return tuple(nsmallest(MOST_LISTED, found, key=lambda each: (-each.count, each.value)))

    return Facets(
        year=tuple(sorted(by_size("year"), key=lambda each: each.value, reverse=True)),
        post=by_size("post"),
        tags=by_size("tags"),
        classification=by_size("class"),
        cut=tuple("classification" if name == "class" else name for name in FACETS if name in cut),
    )
