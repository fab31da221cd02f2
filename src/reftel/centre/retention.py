"""Retention: what is finished leaves the journal when its time is over (wire-format.md 11, duty 14).

First a message's text goes, later the entries that say what became of it, and last what people did. What
is still to be done, read, answered or looked for stays, however old it is: a message's time begins anew with
each thing that happens to it. What was removed is named by an entry, so that `verify` can tell it from what
somebody took out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from reftel.centre.config import Keep
from reftel.centre.journal import Changes
from reftel.centre.journalfile import GENERATED, JournalError, Reader
from reftel.centre.station import Station
from reftel.read.service import CHANNEL, MESSAGE

_DAY_S = 86400.0
_LOOKED_EVERY_S = 3600.0
_DRIFT_S = 300.0
"""So far the clock and the machine's own count of seconds may part in an hour."""
_LEAP_S = 30 * _DAY_S
"""A clock that is so far ahead of when the centre last looked is not believed by itself."""
_TEXTS_AT_ONCE, _ENTRIES_AT_ONCE = 200, 1000
_PAUSE_S = 0.05
_END_READ = (
    "DELETE FROM reading WHERE reader IS NOT NULL AND message IN"
    " (SELECT message FROM entry WHERE id BETWEEN ? AND ? AND kind='delivered')"
)
_UNREAD_SECTIONS = (
    "SELECT each.value FROM reading JOIN entry ON entry.message=reading.message,"
    " json_each(entry.detail, '$.sections') AS each"
    " WHERE reading.reader IS NULL AND entry.kind='delivered'"
)
"""A telegram lies to be read under its first section; the others are as unfinished."""

Run = tuple[int, int, bytes]
"""Entries that stand behind each other: the first, the last, the digest of the last."""
_T = TypeVar("_T")


class Removed(msgspec.Struct, frozen=True):
    """How many texts and entries left the journal, or would leave it."""

    texts: int
    entries: int


class Retention:
    """Removes from one station's journal, a little at a time, so that traffic does not wait for it."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._one = asyncio.Lock()

    async def run(self) -> None:
        """Once a day, until cancelled. A clock that was moved removes nothing: it has to run evenly for an
        hour, and one that leapt far ahead waits for a person."""
        station, loop = self._station, asyncio.get_running_loop()
        while True:
            began, at = loop.time(), station.clock()
            await asyncio.sleep(_LOOKED_EVERY_S)
            if abs(station.clock() - at - (loop.time() - began)) > _DRIFT_S:
                continue
            try:
                await self.look()
            except (JournalError, OSError):
                # The journal cannot be used now; what is due stays so.
                continue

    async def look(self) -> None:
        """Remove what is due if that was not done today."""
        station = self._station
        now, values = station.clock(), station.values
        seen = float(values.get("clock-seen", now))
        changes = Changes()
        if now - seen > _LEAP_S or values.get("clock-leapt"):
            if not values.get("clock-leapt"):
                station.put(changes, "clock-leapt", f"{(now - seen) / _DAY_S:.0f}")
                station.tell("retention.waits", days=round((now - seen) / _DAY_S))
                await station.commit(changes)
            return
        station.put(changes, "clock-seen", now)
        await station.commit(changes)
        if not 0 <= now - float(values.get("pruned-at", "-inf")) < _DAY_S:
            await self.prune()

    async def due(self) -> Removed:
        """What would be removed now."""
        look = _Look(self._station.config.keep, self._station.clock())
        return await asyncio.to_thread(self._read, look.count)

    async def prune(self, who: str | None = None) -> Removed:
        """Remove everything whose time is over; a stop in between leaves the rest for the next time.
        Raises `JournalError`."""
        station = self._station
        async with self._one:
            look = _Look(station.config.keep, station.clock())
            texts = entries = 0
            while found := await asyncio.to_thread(self._read, look.texts):
                texts += await self._remove_texts(found, who)
            while runs := await asyncio.to_thread(self._read, look.entries):
                entries += await self._remove_entries(runs, who)
            await self._remove_names(look)
            changes = Changes()
            station.put(changes, "pruned-at", station.clock())
            station.put(changes, "pruned", f"{texts} {entries}")
            station.put(changes, "clock-seen", station.clock())
            station.put(changes, "clock-leapt", "")
            if look.services:
                station.put(changes, "service-texts", look.services)
            await station.commit(changes)
        station.tell("journal.pruned", texts=texts, entries=entries)
        return Removed(texts, entries)

    def _read(self, find: Callable[[Reader], _T]) -> _T:
        with Reader(self._station.journal.path) as reader:
            return find(reader)

    async def _remove_texts(self, numbers: list[int], who: str | None) -> int:
        station = self._station
        # What was put to work again since it was looked for is not in the journal yet.
        busy = {duty.message for duty in station.duties.values()}
        gone = [number for number in numbers if number not in busy]
        changes = Changes()
        for number in gone:
            changes.others.append(("UPDATE message SET bytes=x'' WHERE id=?", (number,)))
        await self._commit(changes, len(gone), "text", who, texts=_runs(gone))
        return len(gone)

    async def _remove_entries(self, runs: list[Run], who: str | None) -> int:
        changes = Changes()
        for first, last, chain in runs:
            changes.others.append(("INSERT INTO removed VALUES (?,?,?)", (first, last, chain)))
            changes.others.append((_END_READ, (first, last)))
            changes.others.append(("DELETE FROM entry WHERE id BETWEEN ? AND ?", (first, last)))
        count = sum(last - first + 1 for first, last, _ in runs)
        said = [(first, last, chain.hex()) for first, last, chain in runs]
        await self._commit(changes, count, "entry", who, entries=said)
        return count

    async def _remove_names(self, look: _Look) -> None:
        """By which duplicates are known, of texts that are gone; and messages of which nothing is left.
        The same serial and time of filing come again in another year."""
        end = "DELETE FROM handled WHERE name=? AND indicator=? AND content=?"
        await self._delete(look.names, end)
        await self._delete(look.messages, "DELETE FROM message WHERE id=?")

    async def _delete(self, find: Callable[[Reader], Sequence[tuple[Any, ...]]], sql: str) -> None:
        while rows := await asyncio.to_thread(self._read, find):
            changes = Changes()
            changes.others += [(sql, row) for row in rows]
            await self._station.commit(changes)
            await asyncio.sleep(_PAUSE_S)

    async def _commit(
        self, changes: Changes, count: int, what: str, who: str | None, **said: Any
    ) -> None:
        if not count:
            return
        station = self._station
        # What is removed is overwritten in the file, and what ends meanwhile as always only let go of.
        changes.others.insert(0, ("PRAGMA secure_delete=ON", ()))
        changes.others.append(("PRAGMA secure_delete=OFF", ()))
        many = {"text": "texts", "entry": "entries"}[what]
        words = f"1 {what}" if count == 1 else f"{count} {many}"
        changes.entry("removed", station.clock(), who=who, what=words, **said)
        await station.commit(changes)
        await asyncio.sleep(_PAUSE_S)


class _Look:
    """What is due at one moment, found bit by bit from the oldest on."""

    def __init__(self, keep: Keep, now: float) -> None:
        self._texts_before = _before(keep.messages_days, now)
        self._services_before = max(_before(keep.service_days, now), self._texts_before)
        self._entries_before = _before(keep.entries_days, now)
        self._deeds_before = _before(keep.deeds_days, now)
        self._at = self._entry = self._row = 0
        self.services: int | None = None
        """Up to which message service messages were looked at; the next time goes on behind it."""
        self._named: tuple[str, str, str] = ("", "", "")
        self._busy: set[int] | None = None
        self._hops: set[str] = set()

    def count(self, reader: Reader) -> Removed:
        texts = entries = 0
        while found := self.texts(reader):
            texts += len(found)
        while runs := self.entries(reader):
            entries += sum(last - first + 1 for first, last, _ in runs)
        return Removed(texts, entries)

    def texts(self, reader: Reader) -> list[int]:
        """Messages whose text is due, first of all, then of service messages."""
        found: list[int] = []
        if self.services is None:
            sql = "SELECT id, at, length(bytes) FROM message WHERE id>? ORDER BY id"
            for number, at, length in reader.reader.execute(sql, (self._at,)):
                if at >= self._texts_before or len(found) == _TEXTS_AT_ONCE:
                    break
                self._at = number
                if length and self._is_over(reader, number, at, self._texts_before):
                    found.append(number)
            if found:
                return found
            self.services = max(int(reader.value("service-texts") or 0), self._at)
        sql = "SELECT id, at, circuit FROM message WHERE id>? AND length(bytes)>0 ORDER BY id"
        for number, at, circuit in reader.reader.execute(sql, (self.services,)):
            if at >= self._services_before or len(found) == _TEXTS_AT_ONCE:
                break
            self.services = number
            if _is_service(reader, number, circuit) and self._is_over(
                reader, number, at, self._services_before
            ):
                found.append(number)
        return found

    def entries(self, reader: Reader) -> list[Run]:
        """Entries that are due."""
        sql = "SELECT id, at, kind, message, hop, who, chain FROM entry WHERE id>? ORDER BY id"
        runs: list[Run] = []
        count = 0
        for number, at, kind, message, hop, who, chain in reader.reader.execute(
            sql, (self._entry,)
        ):
            if at >= self._entries_before or count == _ENTRIES_AT_ONCE:
                break
            self._entry = number
            if kind == "removed" or (who is not None and at >= self._deeds_before):
                continue
            if message is None:
                due = hop is None or hop not in self._awaited(reader)
            else:
                due = self._is_over(reader, message, at, self._entries_before)
            if not due:
                continue
            count += 1
            if runs and runs[-1][1] == number - 1:
                runs[-1] = (runs[-1][0], number, chain)
            else:
                runs.append((number, number, chain))
        return runs

    def names(self, reader: Reader) -> list[tuple[str, str, str]]:
        """Names of messages whose texts are gone by the general limit."""
        sql = (
            "SELECT h.name, h.indicator, h.content FROM handled h LEFT JOIN message m"
            " ON m.id=h.message WHERE (h.name, h.indicator, h.content)>(?,?,?) AND h.message<=?"
            " AND (m.id IS NULL OR length(m.bytes)=0)"
            " ORDER BY h.name, h.indicator, h.content LIMIT ?"
        )
        values = (*self._named, self._at, _ENTRIES_AT_ONCE)
        found: list[tuple[str, str, str]] = reader.reader.execute(sql, values).fetchall()
        if found:
            self._named = found[-1]
        return found

    def messages(self, reader: Reader) -> list[tuple[int]]:
        """Messages without a text of which no entry is left; the newest stays, since its number counts."""
        sql = (
            "SELECT id FROM message WHERE id>? AND id<=? AND length(bytes)=0"
            " AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.message=message.id)"
            " AND NOT EXISTS (SELECT 1 FROM reading WHERE reading.message=message.id)"
            " AND id<(SELECT max(id) FROM message) ORDER BY id LIMIT ?"
        )
        values = (self._row, self._at, _ENTRIES_AT_ONCE)
        found: list[tuple[int]] = reader.reader.execute(sql, values).fetchall()
        if found:
            self._row = found[-1][0]
        return found

    def _is_over(self, reader: Reader, message: int, at: float, before: float) -> bool:
        """Whether a message is finished, and the last thing happened to it before a time."""
        self._awaited(reader)
        assert self._busy is not None
        if message in self._busy:
            return False
        sql = "SELECT max(at) FROM entry WHERE message=?"
        (last,) = reader.reader.execute(sql, (message,)).fetchone()
        return max(at, last or at) < before

    def _awaited(self, reader: Reader) -> set[str]:
        """Channel numbers that are awaited; with it, the messages that are not finished."""
        if self._busy is not None:
            return self._hops
        sql = "SELECT message FROM duty UNION SELECT message FROM reading WHERE reader IS NULL"
        busy = {number for (number,) in reader.reader.execute(sql)}
        busy.update(number for (number,) in reader.reader.execute(_UNREAD_SECTIONS))
        for each in reader.awaited():
            said = f"{each.name} {each.detail.get('ask', '')}"
            for match in MESSAGE.finditer(said):
                busy.update(reader.messages_named(match[0]))
            hops = {match[0] for match in CHANNEL.finditer(said)}
            self._hops |= hops
            for hop in hops:
                busy.update(e.message for e in reader.entries(hop=hop) if e.message)
            if each.kind == "person":
                busy.add(int(each.name))
            about = (each.detail.get("before"), each.detail.get("message"))
            busy.update(number for number in about if isinstance(number, int))
        self._busy = busy
        return self._hops


def _before(days: float, now: float) -> float:
    return now - days * _DAY_S if days else float("-inf")


def _is_service(reader: Reader, number: int, circuit: str) -> bool:
    """Between centres alone; a repeat that brought a telegram is kept as that."""
    if circuit == GENERATED:
        return True
    sql = "SELECT kind FROM entry WHERE message=? AND kind IN ('service-understood', 'delivered')"
    return [kind for (kind,) in reader.reader.execute(sql, (number,))] == ["service-understood"]


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers in order as the first and the last of those that follow each other."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
