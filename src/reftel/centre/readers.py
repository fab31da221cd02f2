"""Reading queues: what lies before an office, and who has read it."""

from __future__ import annotations

import msgspec

from reftel.centre.config import UNASSIGNED
from reftel.centre.desk import DeskError
from reftel.centre.journal import Changes
from reftel.centre.station import Station


class Office(msgspec.Struct, frozen=True):
    """An office's reading queue: how many telegrams nobody has read, and how long the oldest lies there."""

    office: str
    unread: int
    oldest_s: float


class Lying(msgspec.Struct, frozen=True):
    """A telegram in a reading queue. `document` is its digest in the archive, `reader` who has read it."""

    message: int
    at: float
    why: str
    reader: str | None
    name: str | None
    subject: str | None = None
    origin: str | None = None
    precedence: str | None = None
    classification: str | None = None
    document: str | None = None
    remark: str | None = None


def offices(station: Station) -> list[Office]:
    """The offices of the configuration, and those before which something still lies."""
    unread = station.journal.unread()
    named = dict.fromkeys([profile.office for profile in station.config.profile])
    now = station.clock()
    found = []
    for office in dict.fromkeys([*named, UNASSIGNED, *unread]):
        count, since = unread.get(office, (0, now))
        found.append(Office(office, count, round(now - since, 1)))
    return found


def reading(station: Station, office: str, limit: int = 200) -> list[Lying]:
    """What lies before an office: what nobody has read first, newest first."""
    return [
        _lying(station, number, at, why, reader)
        for number, at, why, reader in station.journal.in_reading(office, limit)
    ]


def _lying(station: Station, number: int, at: float, why: str, reader: str | None) -> Lying:
    row = station.journal.message(number)
    # The last time, where it was delivered before with fewer of its sections.
    entries = station.journal.entries(message=number)
    delivered = next((e for e in reversed(entries) if e.kind == "delivered"), None)
    kept = ("subject", "origin", "precedence", "classification", "document", "remark")
    said = {key: delivered.detail.get(key) for key in kept} if delivered else {}
    return Lying(number, at, why, reader, row[3] if row else None, **said)


async def read(station: Station, office: str, message: int, who: str) -> None:
    """Somebody of an office has read a telegram. Raises `DeskError` if it does not lie there."""
    lying = {number: reader for number, _, _, reader in station.journal.in_reading(office, -1)}
    if message not in lying:
        raise DeskError(f"message {message} does not lie before {office}")
    if lying[message] is not None:
        return
    changes = Changes()
    changes.was_read(office, message, who)
    changes.entry("read", station.clock(), message=message, who=who, office=office)
    await station.commit(changes)
