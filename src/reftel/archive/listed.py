"""What is still to be indexed, and what the index has been brought to, as the store keeps it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reftel.archive.postgres import PostgresDatabase
    from reftel.archive.sqlite import SqliteDatabase

WHOLE = 0
"""Stands for a document in the list of what is not indexed: the label's index is to be made anew."""


class Listed(ABC):
    """The part of a store that is about the index in a place."""

    place: int
    _db: SqliteDatabase | PostgresDatabase

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing."""

    def mark_unindexed(self, document: int, label: int) -> None:
        """Have the entry of a document in the index of a label made, changed or removed."""
        self._db.execute(
            "INSERT INTO unindexed (place, document, label) SELECT id, ?, ? FROM places WHERE true"
            " ON CONFLICT DO NOTHING",
            (document, label),
        )

    def mark_label_unindexed(self, label: int) -> None:
        """Have the index of a label made anew, with nothing in it of what was removed."""
        self.mark_unindexed(WHOLE, label)

    def unindexed(self, limit: int) -> list[tuple[int, int]]:
        """Documents and labels under whose index their entry has to be made, changed or removed; last
        those labels whose index has to be made anew."""
        query = (
            "SELECT document, label FROM unindexed WHERE place = ? AND document > ?"
            " ORDER BY document, label LIMIT ?"
        )
        found = self._db.execute(query, (self.place, WHOLE, limit))
        anew = "SELECT document, label FROM unindexed WHERE place = ? AND document = ? LIMIT ?"
        return found + self._db.execute(anew, (self.place, WHOLE, limit - len(found)))

    def made_anew(self) -> set[int]:
        """The labels whose index has to be made anew: words that have left it stand in it still."""
        query = "SELECT label FROM unindexed WHERE place = ? AND document = ?"
        return {label for (label,) in self._db.execute(query, (self.place, WHOLE))}

    def behind(self) -> int:
        """How many of them there are."""
        query = "SELECT count(*) FROM unindexed WHERE place = ?"
        return int(self._db.one(query, (self.place,))[0])

    def strike_off(self, indexed: Iterable[tuple[int, int]], stand: str | None) -> None:
        """Take documents and labels off that list, within a transaction of its own: after the commit of
        the index, so that a crash in between repeats work and loses none; the index stands so from then
        on."""
        delete = "DELETE FROM unindexed WHERE place = ? AND document = ? AND label = ?"
        with self.transaction():
            self._db.executemany(delete, [(self.place, *entry) for entry in indexed])
            self._set_stand(stand)

    @property
    def stand(self) -> str | None:
        """What the index in this place has been brought to: another word each time. A store that was put
        back to what it was before says what its index said then."""
        row = self._db.one("SELECT value FROM meta WHERE key = ?", (self._stand_key,))
        return str(row[0]) if row else None

    @property
    def _stand_key(self) -> str:
        return f"index {self.place}"

    def _set_stand(self, stand: str | None) -> None:
        if stand is not None:
            self._db.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (self._stand_key, stand),
            )

    def strike_all_off(self, stand: str) -> None:
        """Empty that list: the index has been made anew, and stands so."""
        with self.transaction():
            self._db.execute("DELETE FROM unindexed WHERE place = ?", (self.place,))
            self._set_stand(stand)

    def unindexed_between(self, first: int, last: int) -> set[tuple[int, int]]:
        """What is still to be indexed of the documents with ids from one to another."""
        query = (
            "SELECT document, label FROM unindexed"
            " WHERE place = ? AND document >= ? AND document <= ?"
        )
        rows = self._db.execute(query, (self.place, first, last))
        return {(row[0], row[1]) for row in rows}
