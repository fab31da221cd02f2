"""Precedence and date-time group: R11 to R20."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from reftel.check.finding import MODERN, PRECEDENCES, STATE, Case, Found, rule
from reftel.telegram import Addressee

_NO_PRECEDENCE = re.compile(
    r"\b(?P<word>URGENT|ASAP|EMERGENCY|CRITICAL|MOST IMMEDIATE|DEFERRED|HIGH|LOW|NORMAL|OP|OPS IMMEDIATE)\Z"
)
_LONG_FLASH = 200


def _highest(addressees: tuple[Addressee, ...]) -> int:
    """The place of the highest precedence in `PRECEDENCES`; ROUTINE where no word stands."""
    return min((PRECEDENCES.index(each.precedence or "ROUTINE") for each in addressees), default=4)


@rule("R11", "precedence-word", "error", "5 FAH-2 H-421")
def precedence_word(case: Case) -> Iterator[Found]:
    """Precedence words are FLASH, NIACT IMMEDIATE, IMMEDIATE, PRIORITY; no word means ROUTINE. After
    2016 PRIORITY is not authorized at State."""
    for addressee in case.addressees:
        if match := _NO_PRECEDENCE.search(addressee.name):
            yield Found(
                f"{match['word']} is no precedence",
                match["word"],
                ", ".join(PRECEDENCES[:4]),
                "write IMMEDIATE, or leave it out for ROUTINE",
                case.place(match["word"], "action-addressee", "info-addressee"),
            )
        elif (
            addressee.precedence == "PRIORITY"
            and (case.year or 0) >= 2017
            and case.profile in STATE
        ):
            yield Found(
                "PRIORITY is not authorized after 2016",
                "PRIORITY",
                "IMMEDIATE, or no word",
                "write IMMEDIATE, or leave it out for ROUTINE",
                case.of(addressee),
            )


@rule("R12", "dtg-precedence", "error", "own; measured")
def dtg_precedence(case: Case) -> Iterator[Found]:
    """The DTG letter equals the highest precedence of any addressee (NIACT counts as O)."""
    t = case.telegram
    if t.precedence is None or not any(each.precedence for each in case.addressees):
        return
    if case.span("date-time-group") is None:
        return
    highest = PRECEDENCES[_highest(case.addressees)].removeprefix("NIACT ")
    stated = t.precedence.removeprefix("NIACT ")
    if highest != stated:
        yield Found(
            f"the date-time group says {stated}, the highest addressee {highest}",
            stated,
            highest,
            f"begin the date-time group with the letter of {highest}",
            case.span("date-time-group"),
        )


@rule("R13", "info-precedence", "error", "own; measured")
def info_precedence(case: Case) -> Iterator[Found]:
    """No INFO addressee has a higher precedence than the highest action addressee."""
    t = case.telegram
    if not t.action or not any(each.precedence for each in case.addressees):
        return
    top = _highest(t.action)
    for addressee in t.info:
        if PRECEDENCES.index(addressee.precedence or "ROUTINE") < top:
            yield Found(
                f"{addressee.name} gets it for information as {addressee.precedence}, faster than"
                " anyone who must act",
                addressee.precedence or "",
                f"at most {PRECEDENCES[top]}",
                "lower it, or raise the action addressee",
                case.of(addressee),
            )


@rule("R14", "niact-action", "error", "5 FAH-2 H-421.2", STATE)
def niact_action(case: Case) -> Iterator[Found]:
    """NIACT is given to action addressees only."""
    for addressee in case.telegram.info:
        if addressee.precedence == "NIACT IMMEDIATE":
            yield Found(
                f"NIACT for {addressee.name}, which need not act",
                "NIACT IMMEDIATE",
                "IMMEDIATE",
                "leave out NIACT",
                case.of(addressee),
            )


@rule("R15", "niact-reason", "warning", "5 FAH-2 H-421.2", MODERN)
def niact_reason(case: Case) -> Iterator[Found]:
    """A NIACT message gives the reason for NIACT in paragraph 1.

    The handbook asks for it since this century; none of the seven of 1973-79 looked at has it.
    """
    t = case.telegram
    if not any(each.precedence == "NIACT IMMEDIATE" for each in t.action) or case.further:
        return
    first = next((block for block in t.body if block.kind != "heading"), None)
    if first is not None and "NIACT" not in first.text.upper():
        yield Found(
            "paragraph 1 does not say why someone must be woken",
            first.text[:40],
            "the reason for NIACT",
            "begin paragraph 1 with the reason: NIACT: ...",
            first.span,
        )


@rule("R16", "flash-alone", "error", "5 FAH-2 H-321.2; ACP 127 152.e")
def flash_alone(case: Case) -> Iterator[Found]:
    """FLASH is not mixed with lower precedences in one transmission."""
    t = case.telegram
    words = {each.precedence or "ROUTINE" for each in case.addressees}
    mixed = "FLASH" in words and len(words) > 1
    if mixed or (t.precedence == "FLASH" and t.info_precedence not in (None, "FLASH")):
        lower = next((each for each in case.addressees if each.precedence != "FLASH"), None)
        yield Found(
            "FLASH and a lower precedence in one message",
            t.info_precedence or (lower.precedence if lower else None) or "ROUTINE",
            "FLASH for all",
            "send two messages, or one precedence",
            case.of(lower) if lower else case.span("date-time-group"),
        )


@rule("R17", "flash-short", "warning", "own; NAVEDTRA 14227")
def flash_short(case: Case) -> Iterator[Found]:
    """FLASH and NIACT with more than ten addressees, or FLASH with more than 200 words, are questioned."""
    t = case.telegram
    if t.precedence not in ("FLASH", "NIACT IMMEDIATE"):
        return
    count, words = len(case.addressees), len(case.prose.split())
    if count > 10 or (t.precedence == "FLASH" and words > _LONG_FLASH):
        found = f"{count} addressees" if count > 10 else f"{words} words"
        yield Found(
            f"{t.precedence} with {found}",
            found,
            f"at most 10 addressees and {_LONG_FLASH} words",
            "send the long text as IMMEDIATE, and to those who must act at once only",
            case.span("date-time-group", "action-addressee"),
        )


@rule("R18", "dtg-date", "error", "ACP 127 113; wire-format.md 6.2")
def dtg_date(case: Case) -> Iterator[Found]:
    """The DTG is letter, six digits, Z, month, year, and is a real date."""
    t = case.telegram
    if t.dtg is not None or not case.message:
        return
    place = case.span("date-time-group")
    if place is not None or (t.originator and (t.action or t.info)):
        yield Found(
            "no date and time can be read",
            place.of(t.source) if place else "no date-time group",
            "P 011200Z MAR 13",
            "write letter, day and time in UTC, month, year",
            place or case.span("originator"),
        )


@rule("R19", "dtg-filed", "warning", "own; measured")
def dtg_filed(case: Case) -> Iterator[Found]:
    """The DTG is not later than transmission time and not more than 48 hours before it."""
    t = case.telegram
    filed = t.transmission.filed if t.transmission else None
    if filed is None or t.dtg is None or t.readdressal or not case.message:
        return
    lag = datetime.fromisoformat(filed) - datetime.fromisoformat(t.dtg)
    duplicate = t.transmission and "ZFG" in t.transmission.operating_signals
    if lag < timedelta(0) or (lag > timedelta(hours=48) and not duplicate):
        said = "before it was written" if lag < timedelta(0) else f"{lag.days} days later"
        yield Found(
            f"filed {said}",
            f"{t.dtg} filed {filed}",
            "filed 0 to 48 hours after the date-time group",
            "correct the date-time group",
            case.span("calling-station", "date-time-group"),
        )


@rule("R20", "serial-next", "error", "own; NARA FAQ", needs="archive")
def serial_next(case: Case) -> Iterator[Found]:
    """The MRN year is the year of the DTG in UTC, and its serial is the post's next number."""
    t = case.telegram
    if t.mrn is None:
        return
    if t.dtg and t.mrn.year != int(t.dtg[:4]):
        yield Found(
            f"number of {t.mrn.year}, date-time group of {t.dtg[:4]}",
            t.mrn.short,
            f"a number of {t.dtg[:4]}",
            "number it in the year of its date-time group",
            case.span("classification-line"),
        )
    if case.held is None or not case.draft:
        return
    held = case.held.telegram(t.mrn.short)
    last = case.held.last_number(t.mrn.post, t.mrn.year)
    if held is not None and held.text != t.text:
        yield Found(
            f"{t.mrn.short} was sent before with another text",
            t.mrn.short,
            f"number {(last or t.mrn.number) + 1}",
            f"number it {(last or t.mrn.number) + 1}",
            case.span("classification-line"),
        )
