"""What a person at the centre does with messages: each deed with who did it, kept for ever.

Originals stay as they came: a corrected message is a new one that names the old.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from reftel.centre import accepting, parts, services
from reftel.centre.accepting import Accepted
from reftel.centre.journal import Changes
from reftel.centre.journalfile import (
    HELD,
    LOCAL,
    OPERATOR,
    Awaited,
    Duty,
    Entry,
    TextRemovedError,
)
from reftel.centre.scan import ENDING, RANKS, Scanned, scan, scan_text, text_of
from reftel.centre.station import Station

FORMS = {
    "closing": ("R", "INT ZKJ ZID {hop}"),
    "test": (
        "R",
        "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG 1234567890 RYRYRYRYRYRYRYRYRYRY INT ZBZ K",
    ),
    "check": ("P", "CHANNEL CHECK RYRYRYRY ABCDEFGHIJKLMNOPQRSTUVWXYZ 1234567890"),
    "number": ("P", "ZID {hop}"),
}
"""Service messages that a person begins, by what they are for (wire-format.md 10.6): may we close, how well
is our test read, does it come back to us, what is the last number."""


class DeskError(ValueError):
    """What was asked cannot be done; the message says why and what can be."""


class Way(msgspec.Struct, frozen=True):
    """A message's whole way: when it came, how, its text, what happened to it, what is still to be done.
    `removed` says why there is no text any more."""

    message: int
    at: float
    circuit: str
    hop: str | None
    name: str | None
    text: str
    entries: tuple[Entry, ...]
    open: tuple[Duty, ...]
    removed: str | None = None


def way(station: Station, message: int) -> Way:
    """Everything that the journal knows of a message. Raises `DeskError`."""
    row = station.journal.message(message)
    if row is None:
        raise DeskError(f"there is no message {message} in the journal")
    at, circuit, hop, name = row
    text, removed = "", None
    try:
        text = text_of(station.journal.bytes_of(message))
    except TextRemovedError as error:
        removed = str(error)
    return Way(
        message,
        at,
        circuit,
        hop,
        name,
        text,
        tuple(station.journal.entries(message=message)),
        tuple(duty for duty in station.duties.values() if duty.message == message),
        removed,
    )


def find(station: Station, words: str) -> list[int]:
    """Messages by journal number, by station serial number, or by channel number; oldest first."""
    plain = " ".join(words.upper().split())
    if plain.isdigit() and station.journal.message(int(plain)) is not None:
        return [int(plain)]
    if found := station.journal.messages_named(plain):
        return found
    numbers = {e.message for e in station.journal.entries(hop=plain) if e.message is not None}
    return sorted(numbers) or station.journal.messages_like(plain)


def _duty(station: Station, number: int, *places: str) -> Duty:
    duty = station.duties.get(number)
    if duty is None:
        raise DeskError(f"there is no duty {number}; reftel centre queue lists them")
    if places and duty.circuit not in places:
        raise DeskError(
            f"duty {number} waits for {duty.circuit}; this is for {' or '.join(places)}"
        )
    if duty.hop is not None:
        raise DeskError(f"duty {number} is on its way as {duty.hop}; wait until it has ended")
    return duty


async def hold(station: Station, duty_number: int, who: str, why: str) -> None:
    """Put a waiting message aside."""
    duty = _duty(station, duty_number)
    changes = Changes()
    changes.entry(
        "held", station.clock(), message=duty.message, circuit=duty.circuit, who=who, why=why
    )
    note = f"held by {who}: {why} (was for {duty.circuit})"
    await _move(station, duty, HELD, note, changes)


async def release(station: Station, duty_number: int, who: str) -> None:
    """Let a held message go on, by the routes that now lead to its stations."""
    duty = _duty(station, duty_number, HELD, OPERATOR)
    changes = Changes()
    changes.entry("released-from-hold", station.clock(), message=duty.message, who=who)
    await _route_anew(station, duty, duty.routing, changes)


async def discard(station: Station, duty_number: int, who: str, why: str) -> None:
    """Nothing more is to be done; the message stays in the journal, with the reason."""
    if not why.strip():
        raise DeskError("give the reason for which it is discarded")
    duty = _duty(station, duty_number)
    changes = Changes()
    changes.entry(
        "discarded", station.clock(), message=duty.message, circuit=duty.circuit, who=who, why=why
    )
    station.drop(duty, changes)
    await station.commit(changes)
    station.tell("message.discarded", message=duty.message, who=who)


async def reroute(
    station: Station, duty_number: int, to: tuple[str, ...], who: str, circuit: str | None = None
) -> None:
    """Send a message of the operator's queue to the stations that a person names."""
    duty = _duty(station, duty_number, OPERATOR, HELD)
    changes = Changes()
    changes.entry(
        "routed-by-hand",
        station.clock(),
        message=duty.message,
        circuit=circuit,
        who=who,
        to=" ".join(to or duty.routing),
    )
    if circuit is None:
        await _route_anew(station, duty, to or duty.routing, changes)
        return
    if circuit not in station.circuits:
        raise DeskError(f"there is no circuit {circuit}; there are {', '.join(station.circuits)}")
    new = station.new_duty(duty.message, circuit, duty.letter, to or duty.routing)
    station.drop(duty, changes)
    await station.enqueue(changes, [new])


async def correct(station: Station, duty_number: int, text: str, who: str) -> Accepted:
    """Pass on a garbled message as a person mended it; the original is kept beside it."""
    duty = _duty(station, duty_number, OPERATOR, HELD)
    plain = text.replace("\r\n", "\n").rstrip() + "\n"
    _check_lines(plain, text_of(station.journal.bytes_of(duty.message)))
    if not plain.endswith("\nNNNN\n"):
        plain = plain.rstrip() + ENDING
    data = plain.encode("latin-1")
    scanned = scan(data)
    problems = [each for each in scanned.problems if "channel number" not in each]
    if problems:
        raise DeskError("; ".join(problems))
    accepted = await accepting.accept(station, None, data)
    changes = Changes()
    now = station.clock()
    changes.entry("corrected", now, message=duty.message, who=who, by=accepted.message)
    changes.entry("correction-of", now, message=accepted.message, who=who, of=duty.message)
    station.drop(duty, changes)
    await station.commit(changes)
    return accepted


def _check_lines(text: str, original: str) -> None:
    """What no circuit can carry, what would end the message before its end, and lines too long for a page
    (138.f). A line that stands so in the original is not the person's."""
    problems = []
    kept = set(original.split("\n"))
    lines = text.rstrip("\n").split("\n")
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        if wrong := next((each for each in line if ord(each) > 255), None):
            problems.append(
                f"{where} has {wrong!r}, which no circuit can carry; write it otherwise"
            )
        elif (line.strip() == "NNNN" and number < len(lines)) or ("ZCZC" in line and number > 1):
            problems.append(f"{where} would end the message or begin another: {line.strip()}")
        elif len(line) > services.LINE and line not in kept:
            problems.append(
                f"{where} has {len(line)} characters; a line has at most {services.LINE}"
            )
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise DeskError("; ".join(problems[:5]) + more)


async def send_again(
    station: Station, message: int, who: str, to: tuple[str, ...] = ()
) -> list[str]:
    """Send a message once more, to all its stations or some, marked as a suspected duplicate (427)."""
    held = way(station, message)
    scanned = _scanned(held)
    stations = to or scanned.routing
    changes = Changes()
    changes.entry("sent-again", station.clock(), message=message, who=who, to=" ".join(stations))
    return await _send_on(station, held.message, scanned, stations, changes, duplicate=True)


def _scanned(held: Way) -> Scanned:
    if held.removed:
        raise DeskError(f"{held.removed}; the archive may have the telegram")
    return scan_text(held.text)


async def acknowledge(station: Station, message: int, who: str) -> None:
    """A person has seen a FLASH or NIACT telegram."""
    changes = Changes()
    if station.stop_waiting(changes, "person", str(message)) is None:
        raise DeskError(f"message {message} waits for nobody's acknowledgement")
    changes.entry("acknowledged", station.clock(), message=message, who=who)
    await station.commit(changes)
    station.tell("person.acknowledged", message=message, who=who)


async def close(station: Station, kind: str, name: str, who: str, why: str) -> None:
    """An answer is no longer awaited: a number that will not come, a request that was settled."""
    changes = Changes()
    if station.stop_waiting(changes, kind, name) is None:
        raise DeskError(f"nothing awaited is called {kind} {name}")
    changes.entry("closed-by-hand", station.clock(), who=who, what=kind, name=name, why=why)
    await station.commit(changes)


async def trace(station: Station, message: int, to: str, who: str, claimant: str) -> int:
    """A tracer after a message that somebody says he has not got (438)."""
    held = way(station, message)
    sent = next((e for e in reversed(held.entries) if e.kind == "sent" and e.circuit), None)
    if sent is None or held.name is None:
        raise DeskError(f"message {message} was not sent from here, or has no serial number")
    scanned = _scanned(held)
    routing = " ".join(scanned.routing)
    at = datetime.fromtimestamp(sent.at, UTC)
    text = (
        f"{claimant} CLAIMS NONRECEIPT {scanned.letter * 2} {routing} DE {held.name}"
        f" ZDQ {to} {sent.hop} {at:%d%H%M}Z. TRACE AND ADVISE"
    )
    changes = Changes()
    changes.entry("traced", station.clock(), message=message, who=who, to=to)
    duties = services.make(station, changes, to, "R", text)
    await station.enqueue(changes, duties)
    return message


async def service(
    station: Station, to: str, text: str, who: str, *, letter: str = "R", form: str = ""
) -> int:
    """A service message of the operator's own, to the other end of a circuit or to a station: a text with
    operating signals, or one of `FORMS`. Its number in the journal."""
    called = None
    if form:
        circuit = station.circuits.get(to)
        if form not in FORMS or circuit is None or circuit.config.receive is None:
            known = ", ".join(FORMS)
            raise DeskError(
                f"{form!r} for {to!r}: the forms are {known}, each for a circuit with numbers"
            )
        letter, text = FORMS[form]
        last = int(station.values.get(f"in:{to}", "0"))
        text = text.format(hop=f"{circuit.config.receive}{last:0{circuit.config.digits}d}")
        called = station.config.station.routing_indicator if form == "check" else None
    try:
        return await services.send(station, to, letter, text, who, called)
    except ValueError as error:
        raise DeskError(str(error)) from None


async def ask_for_part(station: Station, message: int, text: str, who: str) -> int:
    """Ask the station that made a message for words of it: `WA SUDMARK IS - TWO TO HARBOUR` (416)."""
    held = way(station, message)
    scanned = _scanned(held)
    origin = scanned.inner.station
    if held.name is None or origin is None or origin in station.config.ours:
        raise DeskError(f"message {message} has no station serial number of another station")
    try:
        wanted = parts.parts(" ".join(text.upper().split()))
    except parts.NotFoundError as error:
        raise DeskError(str(error)) from None
    changes, now = Changes(), station.clock()
    ask = f"INT ZDK {held.name} {' - '.join(wanted)}"
    detail = {"of": origin, "ask": ask, "message": message}
    station.start_waiting(
        changes, Awaited("repeat", f"PART OF {held.name}", "", now, "P", 0, detail)
    )
    said = " - ".join(wanted)
    changes.entry("part-asked", now, message=message, who=who, of=origin, parts=said)
    duties = services.classified(station, changes, origin, "P", ask, scanned)
    await station.enqueue(changes, duties)
    return duties[0].message


async def _move(station: Station, duty: Duty, circuit: str, note: str, changes: Changes) -> None:
    if (old := station.circuits.get(duty.circuit)) is not None:
        old.queue.remove(duty)
    station.here.remove(duty)
    station.operator.pop(duty.id, None)
    station.held.pop(duty.id, None)
    duty.circuit, duty.note = circuit, note
    changes.change_duty(duty)
    await station.commit(changes)
    station.place(duty)


async def _route_anew(station: Station, duty: Duty, to: tuple[str, ...], changes: Changes) -> None:
    scanned = scan(station.journal.bytes_of(duty.message))
    new = _duties(station, duty.message, scanned, to, duty.pilot)
    refused = [each for each in new if each.circuit == OPERATOR]
    if refused:
        raise DeskError("; ".join(each.note or "" for each in refused))
    if not new:
        raise DeskError("it names no station; say to which it is to go")
    station.drop(duty, changes)
    await station.enqueue(changes, new)


def _duties(
    station: Station, message: int, scanned: Scanned, to: tuple[str, ...], pilot: str | None
) -> list[Duty]:
    routed = station.plan.route(
        to,
        scanned.letter if scanned.letter in RANKS else "R",
        came_by=None,
        classification=scanned.classification,
        is_up=lambda name: station.circuits[name].up,
    )
    duties = [
        station.new_duty(message, each.circuit, each.letter, each.routing, pilot=pilot)
        for each in routed.ways
    ]
    if routed.local:
        duties.append(station.new_duty(message, LOCAL, scanned.letter, routed.local))
    for indicator, why in routed.refused:
        duties.append(
            station.new_duty(
                message, OPERATOR, scanned.letter, (indicator,), note=f"{indicator}: {why}"
            )
        )
    return duties


async def _send_on(
    station: Station,
    message: int,
    scanned: Scanned,
    to: tuple[str, ...],
    changes: Changes,
    *,
    duplicate: bool,
) -> list[str]:
    pilot = f"ZFD {station.config.station.routing_indicator}" if duplicate else None
    duties = _duties(station, message, scanned, to, pilot)
    if not duties:
        raise DeskError("it names no station; say to which it is to go")
    await station.enqueue(changes, duties)
    return [each.circuit for each in duties]


def queue_rows(
    station: Station, circuit: str | None = None, limit: int = 200
) -> list[dict[str, Any]]:
    """What waits, and why: for one circuit or for all, in the order in which it will go."""
    rows: list[dict[str, Any]] = []
    places: list[tuple[str, Any]] = [
        *((name, state.queue) for name, state in station.circuits.items()),
        (LOCAL, station.here),
        (OPERATOR, station.operator.values()),
        (HELD, station.held.values()),
    ]
    for name, waiting in places:
        if circuit is not None and circuit != name.lstrip("#"):
            continue
        state = station.circuits.get(name)
        flight = list(state.flight.values()) if state else []
        rows += [_row(station, duty, "on its way") for duty in flight]
        for at, duty in enumerate(waiting):
            if at >= limit:
                break
            if duty.note:
                why = duty.note
            elif state is not None and not state.up:
                why = f"{name} is down: {state.why}"
            elif state is not None:
                why = f"behind {at + len(flight)} others" if at + len(flight) else "next to go"
            else:
                why = "being delivered"
            rows.append(_row(station, duty, why))
    if circuit in (None, LOCAL.lstrip("#")):
        local = (duty for duty in station.duties.values() if duty.circuit == LOCAL)
        sections = islice((duty for duty in local if duty not in station.here), limit)
        rows += [_row(station, duty, "a section, waits for the others") for duty in sections]
    return rows


def _row(station: Station, duty: Duty, why: str) -> dict[str, Any]:
    row = station.journal.message(duty.message)
    return {
        "duty": duty.id,
        "message": duty.message,
        "name": row[3] if row else None,
        "circuit": duty.circuit.lstrip("#"),
        "precedence": duty.letter,
        "stations": list(duty.routing),
        "age_s": round(station.clock() - duty.at, 1),
        "hop": duty.hop,
        "pilot": duty.pilot,
        "why": why,
    }
