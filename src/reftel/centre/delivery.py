"""What is for this station: read, joined, filed in the archive, put before those who are to read it."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from dataclasses import dataclass, field

import reftel
from reftel.archive import Archive, StoreError
from reftel.centre import answering, services
from reftel.centre.config import UNASSIGNED
from reftel.centre.distribution import readers
from reftel.centre.journal import Changes
from reftel.centre.journalfile import OPERATOR, Awaited, Duty, JournalError
from reftel.centre.scan import RANKS, Scanned, scan
from reftel.centre.station import Station
from reftel.sources import Incoming
from reftel.telegram import Telegram

_AT_ONCE = 100
_PAUSE_S = 0.5
_PERSONAL = ("FLASH", "NIACT IMMEDIATE", "EMERGENCY")


@dataclass(slots=True)
class _Arrived:
    """One message read: its duties (one a section), its text, its record."""

    duties: list[Duty]
    text: str
    telegram: Telegram
    scanned: Scanned
    missing: tuple[int, ...] = ()
    partial: bool = False
    """Whether more is to come: sections of an urgent telegram that are delivered before the others."""


@dataclass(slots=True)
class _Waiting:
    """Sections of one telegram that are here: by number, and further copies of some."""

    parts: dict[int, tuple[Duty, Telegram, str]] = field(default_factory=dict)
    copies: list[Duty] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int | None:
        """How many sections there are, as far as one of them says it."""
        totals = [t.section.of for _, t, _ in self.parts.values() if t.section and t.section.of]
        return max(totals, default=None)

    @property
    def urgent(self) -> bool:
        """Whether one of them is IMMEDIATE or above."""
        return any(duty.rank <= RANKS["O"] for duty, _, _ in self.parts.values())

    @property
    def routed(self) -> bool:
        """Whether somebody here is to read it."""
        return all(duty.routing for duty, _, _ in self.parts.values())

    @property
    def missing(self) -> tuple[int, ...]:
        last = self.total or max(self.parts)
        return tuple(number for number in range(1, last + 1) if number not in self.parts)


class Delivery:
    """Takes what waits for this station, a hundred at a time."""

    def __init__(self, station: Station, archive: Archive | None) -> None:
        self._station = station
        self._archive = archive
        self._waiting: dict[tuple[str, ...], _Waiting] = {}
        self._touched: dict[tuple[str, ...], None] = {}
        """Telegrams of which a section has come since the last delivery."""

    async def run(self) -> None:
        """Deliver until cancelled."""
        station = self._station
        while True:
            await station.delivering.wait()
            station.delivering.clear()
            try:
                while station.trouble is None and await self.some():
                    pass
            except JournalError:
                station.delivering.set()
                await asyncio.sleep(_PAUSE_S)
            except Exception as error:
                # What was half done is undone: the state is taken from the journal.
                station.fail(f"delivery broke off: {error!r}")
            if station.trouble is not None:
                station.delivering.set()
                await asyncio.sleep(0.5)

    def forget(self) -> None:
        """After the state was taken from the journal anew: sections wait there."""
        self._waiting.clear()

    async def some(self) -> int:
        """Deliver what waits, up to a hundred; how many were taken."""
        station = self._station
        changes = Changes()
        ready: list[_Arrived] = []
        taken = 0
        while taken < _AT_ONCE and (duty := station.here.take()) is not None:
            taken += 1
            if duty.id not in station.duties:
                continue
            try:
                arrived = self._read(duty, changes)
            except Exception as error:
                # One telegram that cannot be dealt with does not stop the others.
                self._give_up(duty, f"it cannot be delivered: {error!r}", changes)
                continue
            if arrived is not None:
                ready.append(arrived)
        ready += self._urgent_so_far()
        await self._deliver(ready, changes)
        return taken

    async def _deliver(self, ready: list[_Arrived], changes: Changes) -> None:
        """File, then write down that it is filed and who reads it. Filing twice is harmless."""
        station = self._station
        try:
            filed = await self._file(
                [
                    each
                    for each in ready
                    if not _is_service(each.telegram) and self._sent_before(each) is None
                ]
            )
        except JournalError:
            for duty in reversed([duty for each in ready for duty in each.duties]):
                station.here.put_back(duty)
            if changes:
                await station.commit(changes)
            raise
        new: list[Duty] = []
        for arrived in ready:
            duty = arrived.duties[0]
            judged = Changes()
            try:
                if arrived.telegram.service is not None and duty.routing:
                    new += answering.act(
                        station, judged, duty.message, arrived.scanned, arrived.telegram
                    )
                right = self._rightly_served(arrived)
                if right is None:
                    self._distribute(arrived, judged)
                else:
                    for each in arrived.duties:
                        scanned = scan(station.journal.bytes_of(each.message))
                        new += services.reroute(station, judged, each.message, scanned, *right)
            except Exception as error:
                judged = Changes()
                note = f"it cannot be delivered: {error!r}"
                judged.entry("not-delivered", station.clock(), message=duty.message, why=note)
                new.append(
                    station.new_duty(duty.message, OPERATOR, duty.letter, duty.routing, note=note)
                )
            changes.include(judged)
            for done in () if arrived.partial else arrived.duties:
                station.duties.pop(done.id, None)
                changes.end_duty(done.id)
        if changes or new:
            await station.enqueue(changes, new)
        if filed:
            station.tell("archive.filed", telegrams=filed)

    def _read(self, duty: Duty, changes: Changes) -> _Arrived | None:
        """The telegram of a duty, whole; `None` while sections of it are awaited, or when a person has to
        look at it."""
        station = self._station
        try:
            data = station.journal.bytes_of(duty.message)
        except JournalError as error:
            self._give_up(duty, str(error), changes)
            return None
        scanned = scan(data)
        text = _text(data)
        try:
            telegram = reftel.read(text)
        except reftel.NotATelegram as error:
            if duty.routing:
                self._give_up(duty, f"it cannot be read: {error.why}", changes)
                return None
            # It was for others and has gone on to them.
            now = station.clock()
            changes.entry("not-filed", now, message=duty.message, why=error.why)
            station.duties.pop(duty.id, None)
            changes.end_duty(duty.id)
            return None
        arrived = _Arrived([duty], text, telegram, scanned)
        if telegram.section is not None and telegram.section.of != 1 and telegram.service is None:
            return self._with_other_sections(arrived, duty, changes)
        return arrived

    def _give_up(self, duty: Duty, why: str, changes: Changes) -> None:
        now = self._station.clock()
        changes.entry("not-delivered", now, message=duty.message, why=why)
        duty.circuit, duty.note = OPERATOR, why
        changes.change_duty(duty)
        self._station.operator[duty.id] = duty

    def _with_other_sections(
        self, arrived: _Arrived, duty: Duty, changes: Changes
    ) -> _Arrived | None:
        """Sections wait for each other: a telegram is delivered whole (ACP 127 208)."""
        telegram, station = arrived.telegram, self._station
        section = telegram.section
        assert section is not None
        key = self._key(arrived)
        waiting = self._waiting.setdefault(key, _Waiting())
        if (held := waiting.parts.get(section.number)) is not None and held[0].id != duty.id:
            # A copy of one that is here: what was done to it ends with the telegram.
            waiting.copies.append(duty)
            changes.entry(
                "section-again", station.clock(), message=duty.message, section=section.number
            )
            return None
        waiting.parts[section.number] = (duty, telegram, arrived.text)
        self._touched[key] = None
        if waiting.total is None or waiting.missing:
            changes.entry(
                "section-waits",
                station.clock(),
                message=duty.message,
                section=section.number,
                of=section.of,
            )
            return None
        return self._joined(key)

    def _key(self, arrived: _Arrived) -> tuple[str, ...]:
        """What the sections of one telegram agree in (wire-format.md 9.4). Two telegrams of one minute that
        agree in all of it are told apart by a section that both have, and that differs."""
        telegram, inner = arrived.telegram, arrived.scanned.inner
        section = telegram.section
        assert section is not None
        origin = telegram.originator.name if telegram.originator else ""
        number = "" if telegram.dtg or not telegram.mrn else telegram.mrn.short
        key = (origin, telegram.dtg or number, inner.station or "", inner.filed or "")
        for place in range(len(self._waiting) + 1):
            waiting = self._waiting.get((*key, str(place)))
            if waiting is None:
                return (*key, str(place))
            held = waiting.parts.get(section.number)
            totals = {waiting.total, section.of} - {None}
            if len(totals) < 2 and (held is None or _same_text(held[1], telegram)):
                return (*key, str(place))
        return (*key, str(len(self._waiting) + 1))

    def _urgent_so_far(self) -> list[_Arrived]:
        """IMMEDIATE and above is delivered with the sections that are here, and again as others come
        (wire-format.md 9.4)."""
        touched, self._touched = self._touched, {}
        found = []
        for key in touched:
            waiting = self._waiting.get(key)
            if waiting is None or not waiting.urgent or not waiting.routed:
                continue
            arrived = self._joined(key, partial=True)
            # What came by mistake goes to its right station when it is whole.
            if not self._delivered_before(arrived) and self._rightly_served(arrived) is None:
                found.append(arrived)
        return found

    def _delivered_before(self, arrived: _Arrived) -> bool:
        """Whether a telegram was delivered with just these sections, as before a restart."""
        sections = [duty.message for duty in arrived.duties]
        entries = self._station.journal.entries(message=sections[0])
        return any(e.kind == "delivered" and e.detail.get("sections") == sections for e in entries)

    def _joined(self, key: tuple[str, ...], *, partial: bool = False) -> _Arrived:
        waiting = self._waiting[key] if partial else self._waiting.pop(key)
        ordered = [waiting.parts[number] for number in sorted(waiting.parts)]
        telegrams = [telegram for _, telegram, _ in ordered]
        try:
            whole = reftel.join(telegrams)
        except reftel.NotOneTelegramError:
            whole = telegrams[0]
        duties = [duty for duty, _, _ in ordered]
        if not partial:
            duties += waiting.copies
        data = self._station.journal.bytes_of(duties[0].message)
        return _Arrived(duties, whole.source, whole, scan(data), waiting.missing, partial)

    async def deliver_overdue(self) -> None:
        """Telegrams whose sections did not all come in time are delivered with what is there, and the rest
        is asked for."""
        station = self._station
        now, limit = station.clock(), station.config.limits.sections_wait_s
        for key, waiting in list(self._waiting.items()):
            age = now - min(duty.at for duty, _, _ in waiting.parts.values())
            # A clock that was set back makes nobody wait longer.
            if max(age, time.monotonic() - waiting.since) < limit:
                continue
            arrived = self._joined(key)
            changes = Changes()
            message = arrived.duties[0].message
            changes.entry("sections-missing", now, message=message, missing=list(arrived.missing))
            station.tell("sections.missing", message=message)
            await self._deliver([arrived], changes)
            if not arrived.duties[0].routing:
                continue
            asks = Changes()
            duties = services.ask_for_sections(station, asks, arrived.scanned, arrived.missing)
            await station.enqueue(asks, duties)

    def _rightly_served(self, arrived: _Arrived) -> tuple[str, str] | None:
        """The routing indicator and the name of the addressee of a misrouted message (426.e): it has one
        addressee, and the directory has that one served elsewhere. Others are delivered as they came."""
        station, telegram = self._station, arrived.telegram
        addressees = (*telegram.action, *telegram.info)
        if len(addressees) != 1 or not arrived.duties[0].routing or telegram.service is not None:
            return None
        entry = station.config.directory.named(addressees[0].name)
        if entry is None or entry.kind != "station" or entry.routing_indicator is None:
            return None
        served_here = entry.routing_indicator in station.config.ours
        leads_somewhere = station.plan.circuits(entry.routing_indicator)
        if served_here or not leads_somewhere or "ZOV" in arrived.scanned.signals:
            return None
        return entry.routing_indicator, entry.name

    def _distribute(self, arrived: _Arrived, changes: Changes) -> None:
        """Reading queues, a person's attention, and the check of continuity numbers."""
        station, telegram = self._station, arrived.telegram
        first = arrived.duties[0]
        now = station.clock()
        if _is_service(telegram):
            return
        if not first.routing:
            other = self._sent_before(arrived)
            document = _digest(arrived.text) if other is None else None
            changes.entry("filed", now, message=first.message, document=document, of=other)
            return
        sections = [duty.message for duty in arrived.duties]
        if arrived.missing and not arrived.partial and self._delivered_before(arrived):
            # The readers have what there is, and the rest is asked for.
            return
        found = readers(telegram, station.config.profile) or [(UNASSIGNED, "no profile finds it")]
        for office, why in found:
            changes.read_by(office, first.message, now, why)
        for office in self._lay_before(sections) if len(sections) > 1 else ():
            changes.read_anew(office, sections)
        changes.entry(
            "delivered",
            now,
            message=first.message,
            to=[office for office, _ in found],
            sections=sections,
            missing=list(arrived.missing),
            remark=_remark(arrived, first.pilot),
            subject=telegram.subject,
            origin=telegram.originator.name if telegram.originator else None,
            precedence=telegram.precedence,
            classification=telegram.classification,
            document=_digest(arrived.text),
        )
        station.tell("message.delivered", message=first.message, offices=len(found))
        name = station.config.station.name
        ours = [
            each for each in (*telegram.action, *telegram.info) if _same(each.name, name, station)
        ]
        words = {each.precedence or telegram.precedence for each in ours} or {telegram.precedence}
        person = next((word for word in _PERSONAL if word in words), None)
        if person and ("person", str(first.message)) not in station.awaited:
            station.ask_for_a_person(changes, first.message, arrived.scanned.message, person, now)
        for each in ours:
            if each.mcn and each.mcn.isdigit() and telegram.originator:
                self._continuity(arrived, telegram.originator.name, int(each.mcn), changes)

    def _lay_before(self, sections: list[int]) -> list[str]:
        """The offices before which some of a telegram's sections lay already."""
        entries = [e for each in sections for e in self._station.journal.entries(message=each)]
        offices = [office for e in entries if e.kind == "delivered" for office in e.detail["to"]]
        return list(dict.fromkeys(offices))

    def _continuity(self, arrived: _Arrived, origin: str, number: int, changes: Changes) -> None:
        """Numbers of one originator to us run on by one; a gap is a telegram lost or not yet here."""
        station, message = self._station, arrived.duties[0].message
        key = f"mcn-in:{origin}"
        last = station.values.get(key)
        name = f"{origin} {number}"
        if station.stop_waiting(changes, "continuity", name):
            changes.entry("continuity-closed", station.clock(), message=message, number=name)
            return
        if last is not None and 0 < (number - int(last)) % 9999 <= 100:
            for missing in range(1, (number - int(last)) % 9999):
                lost = f"{origin} {(int(last) + missing - 1) % 9999 + 1}"
                detail = {"before": message, "of": arrived.scanned.inner.station}
                station.start_waiting(
                    changes, Awaited("continuity", lost, "", station.clock(), "R", 0, detail)
                )
                changes.entry("continuity-open", station.clock(), message=message, number=lost)
        if last is None or 0 < (number - int(last)) % 9999 < 5000:
            station.put(changes, key, number)

    def _sent_before(self, arrived: _Arrived) -> int | None:
        """Of our own telegrams that go out twice (FLASH and lower apart, 152.e), the first is filed: the
        message that it went as, if this is the second."""
        first, journal = arrived.duties[0], self._station.journal
        if first.routing or arrived.scanned.message is None:
            return None
        earlier = [n for n in journal.messages_named(arrived.scanned.message) if n < first.message]
        read = journal.bytes_of_many(earlier) if earlier else {}
        same = (
            number
            for number, data in read.items()
            if isinstance(data, bytes) and scan(data).content == arrived.scanned.content
        )
        return min(same, default=None)

    async def _file(self, arrived: list[_Arrived]) -> int:
        """Into the archive, where the reading room finds it at once."""
        if self._archive is None or not arrived:
            return 0
        items = [Incoming(f"centre/{each.duties[0].message}", each.text) for each in arrived]
        try:
            report = await asyncio.to_thread(self._archive.add, items)
        except (StoreError, OSError, sqlite3.Error, ValueError) as error:
            self._station.tell("archive.failed", why=str(error))
            raise JournalError(f"the archive cannot be written: {error}") from error
        return report.added


def _same_text(one: Telegram, other: Telegram) -> bool:
    return [block.text for block in one.body] == [block.text for block in other.body]


def _digest(text: str) -> str:
    """By which the archive knows a text (docs/urls.md)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_service(telegram: Telegram) -> bool:
    """Whether it is between message centres alone; a repeat has a telegram behind its service text."""
    return telegram.service is not None and telegram.originator is None and telegram.dtg is None


def _text(data: bytes) -> str:
    plain = data.replace(b"\r", b"").replace(b"\x7f", b"").replace(b"\0", b"").replace(b"\a", b"")
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        return plain.decode("latin-1")


def _remark(arrived: _Arrived, pilot: str | None) -> str | None:
    """What those who read it must know of how it came (420, 427; wire-format.md 9.4)."""
    scanned = arrived.scanned
    signals = {*scanned.signals, *(pilot or "").split()}
    said = []
    if arrived.missing:
        numbers = ", ".join(map(str, arrived.missing))
        word = "section" if len(arrived.missing) == 1 else "sections"
        said.append(f"{word} {numbers} not yet received")
    if "ZOV" in signals and "T" in scanned.signals:
        alone = " ".join(scanned.signals[scanned.signals.index("T") + 1 :])
        said.append(f"rerouted here for {alone or 'all addressees'} alone")
    if "ZDG" in signals:
        said.append("relayed subject to correction; a correct version follows")
    elif "ZEL" in signals:
        said.append("corrected copy of one delivered before")
    elif "ZFD" in signals:
        said.append("suspected duplicate")
    return "; ".join(said) or None


def _same(name: str, ours: str, station: Station) -> bool:
    entry = station.config.directory.named(ours)
    names = {ours, *(entry.also if entry else ())}
    return "".join(name.upper().split()) in {"".join(each.upper().split()) for each in names}
