"""Sections of one telegram that came as messages of their own, made one again (wire-format.md 9.4)."""

from __future__ import annotations

from collections.abc import Iterable

from reftel.read.reader import read
from reftel.telegram import Telegram


class NotOneTelegramError(ValueError):
    """The telegrams given are not sections of one and the same; the message says what differs."""


def join(sections: Iterable[Telegram]) -> Telegram:
    """The telegram that its sections make, in whatever order they come.

    Its source is theirs, joined in order of their numbers; of a section that came twice the better
    copy is taken: fewer unknown characters, then fewer doubts, then the longer text. Sections still
    missing are named in `diagnostics`. Raises `NotOneTelegramError` when number or date-time group
    differ, or when there is nothing to join.
    """
    best: dict[int, Telegram] = {}
    first: Telegram | None = None
    for telegram in sections:
        first = first or telegram
        _same(first, telegram)
        number = telegram.section.number if telegram.section else 1
        if number not in best or _better(telegram, best[number]):
            best[number] = telegram
    if first is None:
        raise NotOneTelegramError("no section was given")
    if len(best) == 1:
        return next(iter(best.values()))
    sources = [best[number].source for number in sorted(best)]
    year = first.mrn.year if first.mrn else None
    return read("\n".join(source.rstrip("\r\n") for source in sources) + "\n", year=year)


def _same(first: Telegram, other: Telegram) -> None:
    for name, a, b in (
        ("number", first.mrn and first.mrn.short, other.mrn and other.mrn.short),
        ("date-time group", first.dtg, other.dtg),
    ):
        if a and b and a != b:
            raise NotOneTelegramError(f"these are sections of two telegrams: {name} {a} and {b}")


def _better(new: Telegram, old: Telegram) -> bool:
    def rank(t: Telegram) -> tuple[int, int, int]:
        return (t.coverage.unknown, len(t.diagnostics), -len(t.source))

    return rank(new) < rank(old)
