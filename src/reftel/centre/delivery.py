"""What is for this station: read, joined, filed in the archive, put before those who are to read it."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field

import reftel
from reftel.archive import Archive, StoreError
from reftel.centre import services
from reftel.centre.config import UNASSIGNED
from reftel.centre.distribution import readers
from reftel.centre.journal import Changes
from reftel.centre.journalfile import OPERATOR, Awaited, Duty, JournalError
from reftel.centre.scan import Scanned, scan
from reftel.centre.station import Station
from reftel.sources import Incoming
from reftel.telegram import Telegram

_AT_ONCE = 100
_PERSONAL = ("FLASH", "NIACT IMMEDIATE", "EMERGENCY")


@dataclass(slots=True)
class _Arrived:
    """One message read: its duties (one a section), its text, its record."""

    duties: list[Duty]
    text: str
    telegram: Telegram
    scanned: Scanned
    missing: tuple[int, ...] = ()
    sections: dict[int, Telegram] = field(default_factory=dict)


class Delivery:
    """Takes what waits for this station, a hundred at a time."""

    def __init__(self, station: Station, archive: Archive | None) -> None:
        self._station = station
        self._archive = archive
        self._parts: dict[tuple[str, str], dict[int, tuple[Duty, Telegram, str]]] = {}

    async def run(self) -> None:
        """Deliver until cancelled."""
        station = self._station
        while True:
            await station.delivering.wait()
            station.delivering.clear()
            if station.trouble is not None:
                await asyncio.sleep(0.5)
                station.delivering.set()
                continue
            try:
                while await self.some():
                    pass
            except JournalError:
                station.delivering.set()
                await asyncio.sleep(0.5)

    def forget(self) -> None:
        """After the state was taken from the journal anew: sections wait there."""
        self._parts.clear()

    async def some(self) -> int:
        """Deliver what waits, up to a hundred; how many were taken."""
        station = self._station
        changes = Changes()
        ready: list[_Arrived] = []
        new: list[Duty] = []
        taken = 0
        while taken < _AT_ONCE and (duty := station.here.take()) is not None:
            taken += 1
            if duty.id in station.duties:
                arrived = self._read(duty, changes)
                if arrived is not None and arrived.telegram.service is not None and duty.routing:
                    new += services.act(
                        station, changes, duty.message, arrived.scanned, arrived.telegram
                    )
                if arrived is not None:
                    ready.append(arrived)
        for arrived in ready:
            self._distribute(arrived, changes)
        filed = await self._file([each for each in ready if _is_filed(each.telegram)], changes)
        for arrived in ready:
            for duty in arrived.duties:
                station.duties.pop(duty.id, None)
                changes.end_duty(duty.id)
        for duty in new:
            changes.add_duty(duty)
            station.duties[duty.id] = duty
        if changes:
            await station.commit(changes)
        for duty in new:
            station.place(duty)
        if filed:
            station.tell("archive.filed", telegrams=filed)
        return taken

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
            self._give_up(duty, f"it cannot be read: {error.why}", changes)
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
        telegram = arrived.telegram
        section = telegram.section
        assert section is not None
        origin = telegram.originator.name if telegram.originator else ""
        number = telegram.mrn.short if telegram.mrn else ""
        key = (f"{origin}|{telegram.dtg}", "" if telegram.dtg else number)
        parts = self._parts.setdefault(key, {})
        if section.number in parts and parts[section.number][0].id != duty.id:
            # The same section twice: the first one's duty ends with the telegram's.
            changes.entry(
                "section-again", self._station.clock(), message=duty.message, section=section.number
            )
        parts[section.number] = (duty, telegram, arrived.text)
        of = section.of or max(parts)
        if len(parts) < of or not section_total(parts):
            changes.entry(
                "section-waits",
                self._station.clock(),
                message=duty.message,
                section=section.number,
                of=section.of,
            )
            return None
        return self._joined(key)

    def _joined(self, key: tuple[str, str]) -> _Arrived:
        parts = self._parts.pop(key)
        ordered = [parts[number] for number in sorted(parts)]
        telegrams = [telegram for _, telegram, _ in ordered]
        try:
            whole = reftel.join(telegrams)
        except reftel.NotOneTelegramError:
            whole = telegrams[0]
        of = section_total(parts) or max(parts)
        missing = tuple(number for number in range(1, of + 1) if number not in parts)
        first = ordered[0]
        data = self._station.journal.bytes_of(first[0].message)
        return _Arrived([duty for duty, _, _ in ordered], whole.source, whole, scan(data), missing)

    async def deliver_overdue(self) -> None:
        """Telegrams whose sections did not all come in time are delivered with what is there."""
        station = self._station
        limit = station.clock() - station.config.limits.sections_wait_s
        for key, parts in list(self._parts.items()):
            if min(duty.at for duty, _, _ in parts.values()) > limit:
                continue
            arrived = self._joined(key)
            changes = Changes()
            changes.entry(
                "sections-missing",
                station.clock(),
                message=arrived.duties[0].message,
                missing=list(arrived.missing),
            )
            station.tell("sections.missing", message=arrived.duties[0].message)
            self._distribute(arrived, changes)
            await self._file([arrived], changes)
            for duty in arrived.duties:
                station.duties.pop(duty.id, None)
                changes.end_duty(duty.id)
            await station.commit(changes)

    def _distribute(self, arrived: _Arrived, changes: Changes) -> None:
        """Reading queues, a person's attention, and the check of continuity numbers."""
        station, telegram = self._station, arrived.telegram
        first = arrived.duties[0]
        now = station.clock()
        if not first.routing:
            changes.entry("filed", now, message=first.message, document=_digest(arrived.text))
            return
        if telegram.service is not None and not telegram.body:
            return
        found = readers(telegram, station.config.profile) or [(UNASSIGNED, "no profile finds it")]
        for office, why in found:
            changes.read_by(office, first.message, now, why)
        changes.entry(
            "delivered",
            now,
            message=first.message,
            to=[office for office, _ in found],
            sections=[duty.message for duty in arrived.duties],
            missing=list(arrived.missing),
            remark=_remark(arrived.scanned),
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
                self._continuity(telegram.originator.name, int(each.mcn), first.message, changes)

    def _continuity(self, origin: str, number: int, message: int, changes: Changes) -> None:
        """Numbers of one originator to us run on by one; a gap is a telegram lost or not yet here."""
        station = self._station
        key = f"mcn-in:{origin}"
        last = station.values.get(key)
        name = f"{origin} {number}"
        if station.stop_waiting(changes, "continuity", name):
            changes.entry("continuity-closed", station.clock(), message=message, number=name)
            return
        if last is not None and 0 < (number - int(last)) % 9999 <= 100:
            for missing in range(1, (number - int(last)) % 9999):
                lost = f"{origin} {(int(last) + missing - 1) % 9999 + 1}"
                detail = {"before": message}
                station.start_waiting(
                    changes, Awaited("continuity", lost, "", station.clock(), "R", 0, detail)
                )
                changes.entry("continuity-open", station.clock(), message=message, number=lost)
        if last is None or 0 < (number - int(last)) % 9999 < 5000:
            station.put(changes, key, number)

    async def _file(self, arrived: list[_Arrived], changes: Changes) -> int:
        """Into the archive, where the reading room finds it at once."""
        if self._archive is None or not arrived:
            return 0
        items = [Incoming(f"centre/{each.duties[0].message}", each.text) for each in arrived]
        try:
            report = await asyncio.to_thread(self._archive.add, items)
        except (StoreError, OSError) as error:
            self._station.tell("archive.failed", why=str(error))
            changes.entry("not-filed", self._station.clock(), why=str(error), telegrams=len(items))
            raise JournalError(f"the archive cannot be written: {error}") from error
        return report.added


def section_total(parts: dict[int, tuple[Duty, Telegram, str]]) -> int | None:
    """How many sections there are, as far as one of them says it."""
    totals = [t.section.of for _, t, _ in parts.values() if t.section and t.section.of]
    return max(totals, default=None)


def _digest(text: str) -> str:
    """By which the archive knows a text (docs/urls.md)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_filed(telegram: Telegram) -> bool:
    return telegram.service is None or bool(telegram.body)


def _text(data: bytes) -> str:
    plain = data.replace(b"\r", b"").replace(b"\x7f", b"").replace(b"\0", b"").replace(b"\a", b"")
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        return plain.decode("latin-1")


def _remark(scanned: Scanned) -> str | None:
    """What those who read it must know of how it came (420, 427)."""
    signals = set(scanned.signals)
    if "ZDG" in signals:
        return "relayed subject to correction; a correct version follows"
    if "ZEL" in signals:
        return "corrected copy of one delivered before"
    if "ZFD" in signals:
        return "suspected duplicate"
    return None


def _same(name: str, ours: str, station: Station) -> bool:
    entry = station.config.directory.named(ours)
    names = {ours, *(entry.also if entry else ())}
    return "".join(name.upper().split()) in {"".join(each.upper().split()) for each in names}
