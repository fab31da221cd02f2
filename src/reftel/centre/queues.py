"""What waits for one circuit: strict precedence, first in first out within one (wire-format.md 3.4)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from reftel.centre.journalfile import Duty

RANK_COUNT = 5


class Queue:
    """Duties by rank. Taking the next, adding and removing take the same time however many wait."""

    def __init__(self) -> None:
        self._ranks: tuple[OrderedDict[int, Duty], ...] = tuple(
            OrderedDict() for _ in range(RANK_COUNT)
        )

    def __len__(self) -> int:
        return sum(map(len, self._ranks))

    def __contains__(self, duty: object) -> bool:
        return isinstance(duty, Duty) and duty.id in self._ranks[duty.rank]

    def __iter__(self) -> Iterator[Duty]:
        for rank in self._ranks:
            yield from rank.values()

    def add(self, duty: Duty) -> None:
        """At the end of its precedence."""
        self._ranks[duty.rank][duty.id] = duty

    def put_back(self, duty: Duty) -> None:
        """At the head of its precedence: it had begun and was interrupted (3.4)."""
        self._ranks[duty.rank][duty.id] = duty
        self._ranks[duty.rank].move_to_end(duty.id, last=False)

    def take(self) -> Duty | None:
        """The next to go, taken out."""
        for rank in self._ranks:
            if rank:
                return rank.popitem(last=False)[1]
        return None

    def highest(self) -> int | None:
        """The rank of the next to go."""
        return next((number for number, rank in enumerate(self._ranks) if rank), None)

    def remove(self, duty: Duty) -> None:
        self._ranks[duty.rank].pop(duty.id, None)

    def sort(self) -> None:
        """Back in the order of acceptance, after duties of another circuit were added."""
        for rank in self._ranks:
            # Messages are numbered as they are accepted; a clock can be set back.
            duties = sorted(rank.values(), key=lambda duty: (duty.message, duty.id))
            rank.clear()
            rank.update((duty.id, duty) for duty in duties)

    def lengths(self) -> list[tuple[int, Duty | None]]:
        """For each rank how many wait, and the one that waits longest."""
        return [(len(rank), next(iter(rank.values()), None)) for rank in self._ranks]
