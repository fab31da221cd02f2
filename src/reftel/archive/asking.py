"""One query put to the indexes of all labels that a reader holds, on several cores where there is much to
look through."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import tantivy

from reftel.archive.facets import Counted, facets_of
from reftel.archive.index import Found, Indexes
from reftel.archive.model import Facets, Order
from reftel.archive.pool import cores
from reftel.archive.spread import Seen

# So many telegrams are looked through on several cores.
_MANY = 20_000
_THREADS = ThreadPoolExecutor(cores(), "ask")
_NONE: frozenset[int] = frozenset()
_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


class Asking:
    """What a query finds, but for what is `outdone` (label → documents) by better copies under other
    labels, which is asked for when the indexes have been looked into: what has left them is not among it. The
    first `limit` results are looked for from the beginning, what is left out of them aside."""

    def __init__(
        self,
        indexes: Indexes,
        labels: Collection[int],
        outdone: Callable[[], Mapping[int, frozenset[int]]],
        query: tantivy.Query,
        order: Order,
        limit: int,
        left_out: Set[int] = _NONE,
    ) -> None:
        self._query, self._order = query, order
        self._seen = {label: Seen(indexes, label) for label in labels}
        self._outdone = outdone()
        # The index looks and counts outside the interpreter, so that each of many has a core of its own.
        self._ask = (
            _THREADS.submit if sum(each.size for each in self._seen.values()) >= _MANY else _at_once
        )
        # What takes longest is begun first.
        self._tops = {
            label: self._ask(
                seen.top,
                query,
                order,
                limit,
                self._outdone.get(label, _NONE) | left_out,
            )
            for label, seen in sorted(self._seen.items(), key=lambda each: -each[1].size)
        }

    def first(self) -> list[Found]:
        """The first results under each label, in order."""
        found = [each for top in self._tops.values() for each in top.result()[1]]
        return sorted(found, reverse=self._order == "newest")

    def counts(self, meanwhile: Callable[[], object]) -> tuple[int, Facets]:
        """How many results there are, and the counts over them; something is done while that is found."""
        # What takes longest is begun before it is known whether there is anything to count.
        counts = {
            label: self._count(seen) for label, seen in self._seen.items() if seen.size >= _MANY
        }
        leaving: list[Future[tuple[int, list[Counted]]]] = []
        total = 0
        for label, top in self._tops.items():
            matching, _ = top.result()
            seen = self._seen[label]
            total += matching
            if matching and label not in counts:
                counts[label] = self._count(seen)
            if matching and label in self._outdone:
                leaving.append(self._ask(seen.among, self._query, matching, self._outdone[label]))
        meanwhile()
        left = [each.result() for each in leaving]
        counted = [each.result() for each in counts.values()]
        total -= sum(number for number, _ in left)
        return total, facets_of(counted, [counts for _, gone in left for counts in gone])

    def _count(self, seen: Seen) -> Future[Counted]:
        return self._ask(seen.counts, self._query)


def _at_once(
    work: Callable[_Given, _Answer], *given: _Given.args, **named: _Given.kwargs
) -> Future[_Answer]:
    """As an executor does it later: done when it is asked for."""
    future: Future[_Answer] = Future()
    future.set_result(work(*given, **named))
    return future
