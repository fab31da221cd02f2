"""Looking into a journal from beside the centre: its checks, and what a profile would have found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import reftel
from reftel.centre.config import Config, Profile
from reftel.centre.distribution import readers
from reftel.centre.journalfile import Reader
from reftel.centre.scan import text_of


def verify_journal(config: Config) -> tuple[list[str], tuple[int, str]]:
    """Every problem of the journal, and number and digest of its last entry. The centre may be running.
    Raises `OSError` when there is none."""
    with Reader(config.data / "journal.db") as journal:
        return list(journal.verify()), journal.head()


def would_have_found(
    config: Config, profiles: Sequence[Profile], days: float
) -> list[dict[str, Any]]:
    """What profiles find among the telegrams delivered here in the last days, newest first."""
    found: list[dict[str, Any]] = []
    since = time.time() - days * 86400
    with Reader(config.data / "journal.db") as journal:
        for number, at in journal.delivered(since):
            try:
                telegram = reftel.read(text_of(journal.bytes_of(number)))
            except reftel.NotATelegram:
                continue
            for _, why in readers(telegram, profiles):
                row = journal.message(number)
                found.append(
                    {"message": number, "at": at, "why": why, "name": row[3] if row else None}
                )
    return found[::-1]
