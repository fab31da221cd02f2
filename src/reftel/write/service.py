"""Service messages, and telegrams sent again: readdressed, corrected, as a suspected duplicate.

Each function gives a record, which `write` writes. Texts are those of wire-format.md 10.6; the forms of
headings are ACP 127 420, 427, 501 to 504.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from reftel.telegram import Addressee, Procedure, Readdressal, Station, Telegram, Wire
from reftel.write.wire import letter_of


def identification(telegram: Telegram) -> str:
    """Station, serial and time of filing: how service messages name a message (ACP 127 116).

    Raises `ValueError` for a telegram that has none of them.
    """
    heading = telegram.wire.headings[-1] if telegram.wire else Procedure()
    if not (heading.station and heading.serial and heading.filed):
        raise ValueError("the telegram has no format line 3, by which it could be named")
    return f"{heading.station} {heading.serial} {heading.filed}"


def service(
    text: str,
    heading: Procedure,
    *,
    abbreviated: bool = False,
    dtg: str | None = None,
    action: tuple[Addressee, ...] = (),
    info: tuple[Addressee, ...] = (),
) -> Telegram:
    """A service message; `abbreviated` between neighbours, without classification and BT (405.b)."""
    return Telegram(
        source="",
        dialect="acp127",
        precedence=heading.precedence,
        dtg=dtg,
        action=action,
        info=info,
        service=text,
        classification="UNCLASSIFIED",
        wire=Wire("acp127", (heading,), abbreviated=abbreviated),
    )


def open_number(channel_number: str) -> str:
    """A channel number that did not come (ACP 127 433). No repeat is asked for: the sender decides."""
    return f"ZFX {channel_number}"


def request_repeat(message: str, *, garbled: bool = True) -> str:
    """The whole of a message again, named by station serial number (419.a)."""
    return f"{message} ZES{2 if garbled else 1}"


def request_repeat_of_channel(first: str, last: str | None = None) -> str:
    """Transmissions again, by channel number, or by a range of them of one channel."""
    if last is None or last == first:
        return f"INT ZDK {first}"
    if first[:3] != last[:3]:
        raise ValueError(f"{first} and {last} are numbers of two channels")
    if int(first[3:]) > int(last[3:]):
        raise ValueError(f"{first} comes after {last}; ask for the two parts of the cycle")
    return f"INT ZDK {first} TO {last}"


def request_part(message: str, after: str, first: str, last: str) -> str:
    """A part of a text that came whole: the words after some, and those from one to another (416)."""
    return f"INT ZDK {message} WA {after} - {first} TO {last}"


def request_corrected_copy(channel_number: str, message: str, stations: tuple[str, ...]) -> str:
    """A corrected copy, to the stations that have the bad one (420.g)."""
    return f"ZDH {channel_number} {message}\nTO {' '.join(stations)}"


def cancel(what: str, reason: str = "") -> str:
    """A transmission, by channel number, or a message, by its identification (424)."""
    return f"ZFR {what} {reason}".rstrip()


def trace(
    claimant: str, telegram: Telegram, sent_to: str, channel_number: str, at: datetime
) -> str:
    """A tracer: who claims not to have got which message, and when it went where (438)."""
    assert telegram.wire is not None
    routing = " ".join(telegram.wire.headings[-1].routing)
    prosign = 2 * letter_of(telegram.precedence or "ROUTINE")
    return (
        f"{claimant} CLAIMS NONRECEIPT {prosign} {routing} DE {identification(telegram)}"
        f" ZDQ {sent_to} {channel_number} {at:%d%H%M}Z. TRACE AND ADVISE"
    )


def readdress_by_service(message: str, to: str, authority: str) -> str:
    """Asks the centre that holds a message to pass it on (504.a)."""
    return f"ZOG1 {message} {to} FROM {authority}"


def readdress(
    telegram: Telegram,
    heading: Procedure,
    *,
    originator: str,
    dtg: str,
    precedence: str,
    action: tuple[Addressee, ...],
    info: tuple[Addressee, ...] = (),
) -> Telegram:
    """The telegram sent on under a supplementary heading, itself unaltered (504.b)."""
    wire = telegram.wire or Wire("acp127", (heading,))
    return msgspec.structs.replace(
        telegram,
        readdressal=Readdressal(dtg, Station(originator), action, info, precedence),
        wire=msgspec.structs.replace(wire, headings=(heading,)),
        transmission=None,
    )


def suspected_duplicate(telegram: Telegram, hop: str, station: str) -> Telegram:
    """With the pilot that marks it as perhaps sent before: deliver if not held, else file (427)."""
    return _piloted(telegram, hop, f"ZFD {station}")


def corrected_copy(telegram: Telegram, hop: str, station: str) -> Telegram:
    """With the pilot that marks it as the corrected copy of one sent before (420.h)."""
    return _piloted(telegram, hop, f"ZEL {station}")


def subject_to_correction(telegram: Telegram, hop: str) -> Telegram:
    """With the pilot that says it is doubtful and will be corrected (420)."""
    return _piloted(telegram, hop, "ZDG")


def rerouted(telegram: Telegram, hop: str, right: tuple[str, ...], station: str) -> Telegram:
    """With the pilot that sends a misrouted message to the station it is for (426.e)."""
    piloted = _piloted(telegram, hop, f"ZOV {station}")
    assert piloted.wire is not None
    pilot = msgspec.structs.replace(piloted.wire.headings[0], routing=right)
    headings = (pilot, *piloted.wire.headings[1:])
    return msgspec.structs.replace(
        piloted, wire=msgspec.structs.replace(piloted.wire, headings=headings)
    )


def _piloted(telegram: Telegram, hop: str, instructions: str) -> Telegram:
    """The telegram behind a pilot of its routing; `hop` is the channel and number of this transmission
    (`AAM207`). Raises `ValueError` for a telegram without procedure lines."""
    if telegram.wire is None:
        raise ValueError("a pilot goes before procedure lines, and the telegram has none")
    inner = telegram.wire.headings[-1]
    pilot = Procedure(
        id=f"VZCZC{hop}",
        precedence=inner.precedence,
        routing=inner.routing,
        security=inner.security,
        instructions=instructions,
    )
    kept = (inner.id or "").removeprefix("VZCZC").removeprefix("VV   ") or None
    headings = (pilot, msgspec.structs.replace(inner, id=kept))
    return msgspec.structs.replace(
        telegram,
        wire=msgspec.structs.replace(telegram.wire, headings=headings),
        transmission=None,
    )
