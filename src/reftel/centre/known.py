"""Which message names were ever taken on, so that most new ones are known to be new without a look at the
disk: a chain of Bloom filters, each with twice the room of the one before."""

from __future__ import annotations

from collections.abc import Iterable

_BITS_A_NAME = 16
_LEAST_ROOM = 65_536


class KnownNames:
    """Names added are always found; of others, one in seventy is found too.

    Two bytes a name in memory. Names are never taken out.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._filters: list[bytearray] = []
        self._left = 0
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        if not self._left:
            room = 2 * len(self._filters[-1]) * 8 // _BITS_A_NAME if self._filters else _LEAST_ROOM
            self._filters.append(bytearray(room * _BITS_A_NAME // 8))
            self._left = room
        self._left -= 1
        bits = self._filters[-1]
        for at in _places(name, len(bits) * 8):
            bits[at >> 3] |= 1 << (at & 7)

    def __contains__(self, name: str) -> bool:
        for bits in self._filters:
            one, other = _places(name, len(bits) * 8)
            if bits[one >> 3] >> (one & 7) & 1 and bits[other >> 3] >> (other & 7) & 1:
                return True
        return False


def _places(name: str, room: int) -> tuple[int, int]:
    """Two bits for a name among `room`, a power of two."""
    mixed = hash(name)
    return mixed & (room - 1), (mixed >> 32) & (room - 1)
