"""What the indexes in a place have been brought to: a word that changes each time, kept beside them and in
the store. A store that was put back to what it was before (a dump that was restored) does not have the word
that the indexes have, and gives the same numbers to other documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

# Stands for the word of a store that has none yet.
_NONE = "-"


class Stand:
    """The file beside the indexes. It has two words while the store says which: a crash leaves either. It is
    not waited for on disk: the worst that comes of that is that the indexes are built again."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def is_at(self, word: str | None) -> bool:
        """Whether the indexes are those of a store with this word."""
        said = self._said()
        return (word or _NONE) in said if said else word is None

    def _said(self) -> list[str]:
        try:
            return self._file.read_text(errors="replace").split()
        except FileNotFoundError:
            return []

    def say(self, *words: str | None) -> None:
        said = [word or _NONE for word in words]
        if said != self._said():
            part = self._file.with_suffix(".part")
            part.write_text(" ".join(said))
            part.replace(self._file)

    @contextmanager
    def moving_on(self, word: str | None) -> Iterator[str | None]:
        """The word that the store, which has this one, gets within. Indexes of another store stay known as
        such until they are built again."""
        if not self.is_at(word):
            yield word
            return
        new = token_hex(8)
        self.say(word, new)
        yield new
        self.say(new)
