"""Looking into a journal from beside the centre: its checks, and what a profile would have found."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

import reftel
from reftel.centre.config import Config, Profile
from reftel.centre.distribution import readers
from reftel.centre.journalfile import JournalError, Reader
from reftel.centre.scan import text_of
from reftel.telegram import Telegram


class WouldFind(msgspec.Struct, frozen=True):
    """A telegram that a profile finds, and why."""

    message: int
    at: float
    why: str
    name: str | None
    subject: str | None
    origin: str | None
    precedence: str | None
    classification: str | None


class Trial(msgspec.Struct, frozen=True):
    """What profiles find among the telegrams delivered in some days, newest first: `looked_at` of
    `delivered` were read."""

    delivered: int
    looked_at: int
    found: tuple[WouldFind, ...]


def verify_journal(config: Config) -> tuple[list[str], tuple[int, str]]:
    """Every problem of the journal, and number and digest of its last entry. The centre may be running.
    Raises `OSError` when there is none."""
    with Reader(config.data / "journal.db") as journal:
        return list(journal.verify()), journal.head()


def would_find(
    config: Config, profiles: Sequence[Profile], days: float, most: int | None = None
) -> Trial:
    """What profiles would have found in the last days, among the newest `most` telegrams. Raises
    `OSError` where there is no journal yet."""
    found: list[WouldFind] = []
    with Reader(config.data / "journal.db") as journal:
        delivered = journal.delivered(time.time() - days * 86400)[::-1]
        for number, at in delivered[:most]:
            telegram = _whole(journal, number)
            for _, why in readers(telegram, profiles) if telegram else ():
                assert telegram is not None
                row = journal.message(number)
                found.append(
                    WouldFind(
                        number,
                        at,
                        why,
                        row[3] if row else None,
                        telegram.subject,
                        telegram.originator.name if telegram.originator else None,
                        telegram.precedence,
                        telegram.classification,
                    )
                )
    looked_at = len(delivered) if most is None else min(most, len(delivered))
    return Trial(len(delivered), looked_at, tuple(found))


def _whole(journal: Reader, number: int) -> Telegram | None:
    """A delivered telegram, its sections joined; `None` if it cannot be read any more."""
    entries = journal.entries(message=number)
    delivered = (e for e in reversed(entries) if e.kind == "delivered")
    sections = next((e.detail.get("sections") for e in delivered), None)
    try:
        parts = [reftel.read(text_of(journal.bytes_of(each))) for each in sections or [number]]
        return parts[0] if len(parts) == 1 else reftel.join(parts)
    except (JournalError, reftel.NotATelegram, reftel.NotOneTelegramError):
        return None
