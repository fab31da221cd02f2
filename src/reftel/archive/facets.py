"""How many results have which year, post, TAGS and classification: columns of the index, counted there and
put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest
from itertools import chain
from typing import Any, NamedTuple

from reftel.archive.entry import TAGS_COLUMNS
from reftel.archive.model import Count, Facets

FACETS = ("year", "post", "tags", "class")
# A column that has one value for each telegram, if only an empty one, is counted ten times as fast as one
# that has several: so the first TAGS that a table lists have one each. Those that no table lists, names for
# the most part, are many: kept apart, they do not make the others slow.
_COLUMNS = {
    "year": ("year",),
    "post": ("post",),
    "tags": (*TAGS_COLUMNS, "tags_further", "tags_unlisted"),
    "class": ("class",),
}
COLUMNS = tuple(column for name in FACETS for column in _COLUMNS[name])
MOST_LISTED = 1000

Values = tuple[tuple[str, str], ...]
"""The facets and values of one document."""


class Counted(NamedTuple):
    """Facet → value → how many results have it; and the facets of which some values were not counted."""

    values: dict[str, dict[str, int]]
    cut: frozenset[str] = frozenset()


def wanted(most: int) -> dict[str, object]:
    """What to ask the index for to have the facets counted, and so many values of each column told, the most
    frequent first: it counts at most 65,000 in all."""
    return {
        column: {"terms": {"field": column, "size": most, "segment_size": 20 * most}}
        for column in COLUMNS
    }


def counted(found: dict[str, Any]) -> Counted:
    """What the index answers, the counts of each facet's columns together; what stands in a column for none
    is left out."""
    counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    cut = set()
    for name, values in counts.items():
        for column in _COLUMNS[name]:
            for each in found[column]["buckets"]:
                if value := str(each["key"]):
                    values[value] = values.get(value, 0) + int(each["doc_count"])
            if found[column]["sum_other_doc_count"]:
                cut.add(name)
    return Counted(counts, frozenset(cut))


def values_of(found: dict[str, Any]) -> Values:
    """The values of one document, over which alone was counted."""
    counts = counted(found).values
    return tuple((name, value) for name in FACETS for value in counts[name])


def counted_over(documents: Iterable[Values]) -> Counted:
    """The counts over some documents."""
    counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
    for (name, value), count in Counter(chain.from_iterable(documents)).items():
        counts[name][value] = count
    return Counted(counts)


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
