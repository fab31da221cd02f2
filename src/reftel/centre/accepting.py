"""Taking messages on: the number watched, duplicates known, the ways decided, all in one commit.

What is accepted is on disk, and only then may it be acknowledged (wire-format.md 11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

import reftel
from reftel.centre import services
from reftel.centre.config import CircuitConfig
from reftel.centre.journal import Changes
from reftel.centre.journalfile import LOCAL, OPERATOR, Awaited, Duty
from reftel.centre.numbers import Watched, inside, watch
from reftel.centre.passing import Passing, passing
from reftel.centre.receipts import receipt_for
from reftel.centre.route import Routed
from reftel.centre.scan import Scanned, scan
from reftel.centre.station import CircuitState, Station
from reftel.read.dtg import DTG_LINE
from reftel.telegram import Telegram
from reftel.write.wire import letter_of

_CHECK_WITHIN = 200


class Accepted(msgspec.Struct, frozen=True):
    """The number under which the journal holds a message, and what will become of it."""

    message: int
    ways: tuple[str, ...] = ()
    local: bool = False
    operator: tuple[str, ...] = ()
    duplicate: bool = False


class Refused(ValueError):  # noqa: N818
    """A message that is not taken; the sender keeps it. The message says why."""


async def accept(
    station: Station, by: str | None, data: bytes, *, link: int | None = None
) -> Accepted:
    """Take on a message from a circuit, or from this station's own people (`by` None).

    It is on disk when this returns, and only then may it be acknowledged. `link` is its number on a
    Reftel link. Raises `Refused` for what nothing can be done with, `JournalError`.
    """
    future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()

    def told(outcome: Accepted | Exception) -> None:
        if future.done():
            return
        if isinstance(outcome, Accepted):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)

    take_on(station, by, data, told, link=link)
    return await future


def take_on(
    station: Station,
    by: str | None,
    data: bytes,
    told: Callable[[Accepted | Exception], None],
    *,
    link: int | None = None,
) -> None:
    """The same for many at a time: `told` hears what became of the message when it is on disk, in the
    order in which messages were taken on. Raises `Refused`."""
    if station.trouble is not None:
        raise Refused("this station cannot write its journal; send again later")
    circuit = station.circuits.get(by) if by else None
    now = station.clock()
    changes = Changes()
    number = station.next_message()
    scanned = scan(data)
    try:
        accepted, duties = _judge(station, by, scanned, number, now, changes)
    except Exception as error:
        # A fault of ours may neither lose a message nor stop those behind it.
        if circuit is None:
            raise
        why = f"it could not be dealt with: {error!r}"
        station.tell("message.failed", message=number, circuit=by, why=why)
        changes = Changes()
        changes.entry("not-understood", now, message=number, circuit=by, hop=scanned.hop, why=why)
        accepted = Accepted(number, operator=(why,))
        duties = [station.new_duty(number, OPERATOR, "O", scanned.routing, note=why)]
    changes.message(number, now, by or "#desk", scanned.hop, scanned.message, data)
    if circuit is not None:
        circuit.heard = now
        if link is not None:
            station.put(changes, f"link-in:{circuit.config.name}", link)
    for duty in duties:
        changes.add_duty(duty)
        station.duties[duty.id] = duty

    def written(error: Exception | None) -> None:
        if error is not None:
            told(error)
            return
        if circuit is not None and link is not None:
            circuit.stored = link
        if changes.handled:
            station.handle_written(changes.handled[0][0])
        for duty in duties:
            station.place(duty)
        station.tell(
            "transmission.cancelled" if scanned.cancelled else "message.accepted",
            message=number,
            name=scanned.message,
            circuit=by,
            hop=scanned.hop,
            precedence=scanned.letter,
            bytes=len(data),
        )
        told(accepted)

    station.write(changes, written)


def _judge(
    station: Station, by: str | None, scanned: Scanned, number: int, now: float, changes: Changes
) -> tuple[Accepted, list[Duty]]:
    """What becomes of a message, its number and the answers to it included."""
    circuit = station.circuits.get(by) if by else None
    answers: list[tuple[str, str, str]] = []
    if circuit is not None:
        answers += _watch_number(station, circuit, scanned, number, now, changes)
        if scanned.hop and not scanned.routing and not scanned.rest.strip():
            # A number without a message: the one behind it may be another of the same (431).
            changes.entry("number-only", now, message=number, circuit=by, hop=scanned.hop)
            station.put(changes, f"blank:{by}", scanned.hop)
            return Accepted(number), services.make_all(station, changes, answers)
        if blank := station.values.get(f"blank:{by}"):
            station.put(changes, f"blank:{by}", "")
            if scanned.hop:
                text = f"ZFU {blank} {scanned.hop} {scanned.message or ''}"
                answers.append((circuit.config.name, "R", text.rstrip()))
    accepted = Accepted(number)
    duties: list[Duty] = []
    if scanned.cancelled:
        changes.entry("transmission-cancelled", now, message=number, circuit=by, hop=scanned.hop)
    else:
        accepted, duties = _decide(station, by, scanned, number, now, changes, answers)
        if circuit is not None and (receipt := receipt_for(circuit.config, scanned)):
            answers.append((circuit.config.name, "O", receipt))
    return accepted, duties + services.make_all(station, changes, answers)


def _watch_number(
    station: Station,
    circuit: CircuitState,
    scanned: Scanned,
    number: int,
    now: float,
    changes: Changes,
) -> list[tuple[str, str, str]]:
    """Hold the channel number against the one expected; the service messages that follow."""
    config = circuit.config
    if config.kind == "mail":
        return []
    here = config.name
    if scanned.number is None:
        changes.entry("number-absent", now, message=number, circuit=here)
        if not scanned.routing:
            # It lies with the operator, and is asked for as a whole.
            return []
        before = int(station.values.get(f"in:{here}", "0"))
        name = scanned.message or "MESSAGE"
        return [(here, "R", f"ZFT {name} {config.receive}{before:0{config.digits}d}")]
    if scanned.channel != config.receive:
        changes.entry(
            "channel-wrong",
            now,
            message=number,
            circuit=here,
            hop=scanned.hop,
            expected=config.receive,
        )
        station.tell("channel.wrong", circuit=here, hop=scanned.hop, expected=config.receive)
        return []
    key = f"in:{here}"
    known = station.values.get(key)
    last = None if known is None else int(known)
    awaited = None
    if station.awaited:
        awaited = station.awaited.get(("open-number", _hop(config, scanned.number)))
    is_open = awaited is not None and awaited.circuit == here
    new_day = False
    if config.daily:
        today = datetime.fromtimestamp(now, UTC).strftime("%Y%j")
        new_day = station.values.get(f"day-in:{here}", today) != today
        station.put(changes, f"day-in:{here}", today)
    seen = watch(last, scanned.number, config.digits, is_open=is_open, new_day=new_day)
    station.put(changes, key, seen.last)
    if seen.verdict != "next":
        changes.entry(
            f"number-{seen.verdict}",
            now,
            message=number,
            circuit=here,
            hop=scanned.hop,
            last=last,
        )
    return _answer_number(station, circuit, scanned, seen, number, now, changes)


def _answer_number(
    station: Station,
    circuit: CircuitState,
    scanned: Scanned,
    seen: Watched,
    number: int,
    now: float,
    changes: Changes,
) -> list[tuple[str, str, str]]:
    config = circuit.config
    assert scanned.hop is not None
    if seen.verdict == "gap":
        hops = [_hop(config, missing) for missing in seen.missing]
        return [
            (config.name, "O", text)
            for text in services.open_numbers(station, changes, circuit, hops)
        ]
    if seen.verdict == "late":
        assert scanned.number is not None
        station.stop_waiting(changes, "open-number", _hop(config, scanned.number))
        changes.entry("number-closed", now, message=number, circuit=config.name, hop=scanned.hop)
    elif seen.verdict == "repeat":
        return [(config.name, "R", f"ZFQ {scanned.hop} {scanned.message or ''}".rstrip())]
    return []


def _hop(config: CircuitConfig, number: int) -> str:
    """A number of what we get, as service messages write it."""
    return f"{config.receive}{number:0{config.digits}d}"


def _decide(
    station: Station,
    by: str | None,
    scanned: Scanned,
    number: int,
    now: float,
    changes: Changes,
    answers: list[tuple[str, str, str]],
) -> tuple[Accepted, list[Duty]]:
    """Where a message goes; the duties that follow from it."""
    own = by is None
    cut = next((each for each in scanned.problems if "NNNN" in each), None)
    pilot: str | None = None
    if not cut and _number_inside(station, by, scanned, number, now, changes, answers):
        pilot = "ZDG"
    elif cut and by is not None and scanned.letter in "YZO" and _heading_is_whole(scanned):
        # What is urgent goes on as it is, subject to correction (420).
        pilot = "ZDG"
    elif cut or not scanned.routing:
        why = cut or "format line 2 names no station that can be read"
        return _garbled(station, by, scanned, why, number, now, changes, answers)
    name = scanned.message or scanned.content
    held = station.handled(name)
    repeated = {
        each: held[each, scanned.content]
        for each in scanned.routing
        if held and (each, scanned.content) in held
    }
    routing = scanned.routing
    if repeated and not own and not _is_to_be_delivered_again(scanned):
        routing = tuple(each for each in routing if each not in repeated)
        looped = _looped(station, by, scanned, repeated)
        if looped:
            return _loop(station, by, scanned, looped, number, now, changes, answers)
        if not routing:
            first = next(iter(repeated.values()))
            marked = scanned.suspected_duplicate
            changes.entry(
                "duplicate",
                now,
                message=number,
                circuit=by,
                hop=scanned.hop,
                of=first,
                marked=marked,
            )
            if not marked and by is not None and scanned.message and scanned.hop:
                answers.append((by, "R", f"{scanned.message} {scanned.hop} DUPLICATE RECEIVED"))
            station.tell("message.duplicate", message=number, of=first, circuit=by, marked=marked)
            return Accepted(number, duplicate=True), []
    elif (
        pilot is None
        and not own
        and not scanned.signals
        and {each for each, _ in held} & set(routing)
    ):
        # The same identification with another text: which of them is right cannot be known here (427).
        pilot = f"ZFD {station.config.station.routing_indicator}"
    asked = _passed_on(station, scanned) if by is not None else Passing()
    routing += tuple(each for each in asked.to if (each, scanned.content) not in held)
    letters, exempt = _roles(station, scanned)
    if not station.plan.expanded.keys().isdisjoint(routing):
        exempt = _exempt(station, scanned)
    routed = station.plan.route(
        routing,
        scanned.letter,
        # What a neighbour sends itself by way of us comes back to it.
        came_by=None if "CHANNEL CHECK" in scanned.rest[:_CHECK_WITHIN] else by,
        classification=scanned.classification,
        is_up=station.is_up,
        letters=letters,
        exempt=exempt,
    )
    if pilot == "ZDG":
        changes.entry("subject-to-correction", now, message=number, circuit=by, hop=scanned.hop)
        if scanned.inner.station:
            text = f"ZDH {scanned.hop or ''} {scanned.message} TO {' '.join(routing)}"
            ask = " ".join(text.split())
            answers.append((scanned.inner.station, scanned.letter, ask))
            detail = {"of": scanned.inner.station, "ask": ask}
            station.start_waiting(
                changes,
                Awaited("repeat", scanned.message or "", by or "", now, scanned.letter, 0, detail),
            )
    else:
        station.handle(changes, name, held, routing, scanned.content, number)
    duties = [
        station.new_duty(number, way.circuit, way.letter, way.routing, pilot=pilot)
        for way in routed.ways
    ]
    if routed.local:
        duties.append(station.new_duty(number, LOCAL, scanned.letter, routed.local, pilot=pilot))
    elif own or (station.config.station.file_relayed and routed.ways):
        # What we send is filed here too; nobody here is asked to read it.
        duties.append(station.new_duty(number, LOCAL, scanned.letter, ()))
    if pilot != "ZDG" and scanned.message:
        services.repeat_came(station, changes, scanned.message, number)
    duties += [
        station.new_duty(number, OPERATOR, scanned.letter, (), note=note)
        for note in asked.for_a_person
    ]
    if routed.refused:
        duties.append(_to_operator(station, scanned, routed, number, answers, by))
    changes.entry(
        "accepted",
        now,
        message=number,
        circuit=by,
        hop=scanned.hop,
        ways={way.circuit: " ".join(way.routing) for way in routed.ways},
        here=" ".join(routed.local),
        refused=dict(routed.refused),
    )
    if scanned.letter in "YZ" and routed.local:
        station.ask_for_a_person(changes, number, scanned.message, "FLASH", now)
    operator = tuple(f"{indicator}: {why}" for indicator, why in routed.refused)
    ways = tuple(way.circuit for way in routed.ways)
    return Accepted(number, ways, bool(routed.local), operator), duties


def _number_inside(
    station: Station,
    by: str | None,
    scanned: Scanned,
    number: int,
    now: float,
    changes: Changes,
    answers: list[tuple[str, str, str]],
) -> bool:
    """Whether a second number of the neighbour stands inside a message: it is used, and the message goes on
    subject to correction (432)."""
    circuit = station.circuits.get(by) if by else None
    if circuit is None or circuit.config.kind == "mail" or not scanned.hop or not scanned.routing:
        return False
    config = circuit.config
    second = inside(scanned.rest, config.receive or "")
    if second is None:
        return False
    changes.entry("number-inside", now, message=number, circuit=by, hop=scanned.hop, number=second)
    last = station.values.get(f"in:{by}")
    if last is not None and watch(int(last), int(second[3:]), config.digits).verdict == "next":
        station.put(changes, f"in:{by}", int(second[3:]))
    answers.append(
        (config.name, "R", f"ZFV {scanned.hop} {second} {scanned.message or ''}".rstrip())
    )
    return True


def _passed_on(station: Station, scanned: Scanned) -> Passing:
    """What format line 4 asks of this station (133, 206.a)."""
    instructions = scanned.inner.instructions
    if instructions is None or " T" not in instructions:
        return Passing()
    telegram = _telegram(scanned)
    addressees = (*telegram.action, *telegram.info) if telegram else ()
    return passing(scanned, station.config, addressees)


def _heading_is_whole(scanned: Scanned) -> bool:
    """Whether what is cut short can be routed and named, and has some text."""
    return bool(scanned.routing and scanned.message and "\nBT\n" in scanned.rest)


def _is_to_be_delivered_again(scanned: Scanned) -> bool:
    """Corrected copies, rerouted messages, and duplicates asked for (`ZFG` in format line 5, 438.b)."""
    if {"ZEL", "ZOV"} & set(scanned.signals):
        return True
    lines = scanned.rest.split("\n", 12)[:12]
    return any(DTG_LINE.match(line) and "ZFG" in line.split() for line in lines)


def _looped(
    station: Station, by: str | None, scanned: Scanned, repeated: Mapping[str, int]
) -> dict[str, int]:
    """The stations of a known message for which it comes back to where it was sent on from: over another
    circuit than before, and not marked by somebody else as perhaps sent before."""
    ours = station.config.station.routing_indicator
    if scanned.suspected_duplicate and ours not in scanned.signals:
        return {}
    looped = {}
    for indicator, first in repeated.items():
        row = station.journal.message(first)
        if indicator not in station.config.ours and row is not None and row[1] != by:
            looped[indicator] = first
    return looped


def _loop(
    station: Station,
    by: str | None,
    scanned: Scanned,
    looped: Mapping[str, int],
    number: int,
    now: float,
    changes: Changes,
    answers: list[tuple[str, str, str]],
) -> tuple[Accepted, list[Duty]]:
    """A message that came round lies with the operator: no way that was tried leads to its stations. The
    neighbour that sent it is told (`ZEQ2`, 426.d)."""
    indicators = " ".join(looped)
    first = next(iter(looped.values()))
    why = f"a loop: it was sent on as message {first} and came back over {by}"
    changes.entry("loop", now, message=number, circuit=by, hop=scanned.hop, of=first)
    station.tell("message.looped", message=number, of=first, circuit=by)
    if by is not None and scanned.message:
        answers.append((by, "R", f"ZEQ2 {scanned.message} {indicators}"))
    duty = station.new_duty(number, OPERATOR, scanned.letter, tuple(looped), note=why)
    return Accepted(number, operator=(why,)), [duty]


def _to_operator(
    station: Station,
    scanned: Scanned,
    routed: Routed,
    number: int,
    answers: list[tuple[str, str, str]],
    by: str | None,
) -> Duty:
    """What no route serves lies with the operator; its origin is told to protect delivery (426.i)."""
    if by is not None and scanned.message and scanned.inner.station:
        indicators = " ".join(indicator for indicator, _ in routed.refused)
        if not scanned.rest.lstrip().startswith("ZEQ"):
            answers.append((scanned.inner.station, "R", f"ZEQ4 {scanned.message} {indicators}"))
    why = "; ".join(f"{indicator}: {why}" for indicator, why in routed.refused)
    refused = tuple(indicator for indicator, _ in routed.refused)
    return station.new_duty(number, OPERATOR, scanned.letter, refused, note=why)


def _garbled(
    station: Station,
    by: str | None,
    scanned: Scanned,
    why: str,
    number: int,
    now: float,
    changes: Changes,
    answers: list[tuple[str, str, str]],
) -> tuple[Accepted, list[Duty]]:
    """A message that may not be forwarded lies with the operator, and is asked for again (419)."""
    changes.entry("garbled", now, message=number, circuit=by, hop=scanned.hop, why=why)
    if by is not None and by in station.circuits:
        if scanned.message and scanned.inner.station:
            wanted, to, ask = scanned.message, scanned.inner.station, f"{scanned.message} ZES2"
        else:
            last = _hop(station.circuits[by].config, int(station.values.get(f"in:{by}", "0")))
            wanted = scanned.hop or f"TRANSMISSION FOLLOWING {last}"
            to, ask = by, f"INT ZDK {wanted}"
        letter = scanned.letter if scanned.routing else "O"
        if ("repeat", wanted) not in station.awaited:
            answers.append((to, letter, ask))
        detail = {"of": to, "ask": ask}
        station.start_waiting(changes, Awaited("repeat", wanted, by, now, letter, detail=detail))
    duty = station.new_duty(
        number, OPERATOR, scanned.letter, scanned.routing, note=f"garbled: {why}"
    )
    return Accepted(number, operator=(why,)), [duty]


def _roles(station: Station, scanned: Scanned) -> tuple[Mapping[str, str] | None, frozenset[str]]:
    """With dual precedence, the prosign that each station of the routing line deserves (152)."""
    if not scanned.dual:
        return None, frozenset()
    telegram = _telegram(scanned)
    if telegram is None or telegram.precedence is None or telegram.info_precedence is None:
        return None, frozenset()
    lower = letter_of(telegram.info_precedence)
    letters = dict.fromkeys(_indicators(station, telegram.info), lower)
    higher = letter_of(telegram.precedence)
    letters |= dict.fromkeys(_indicators(station, telegram.action), higher)
    return letters, frozenset()


def _exempt(station: Station, scanned: Scanned) -> frozenset[str]:
    """Routing indicators whose addressees are all exempted by format line 9."""
    telegram = _telegram(scanned)
    if telegram is None or not telegram.exempt:
        return frozenset()
    named = {"".join(each.name.split()) for each in telegram.exempt}
    found = set()
    for indicator in _indicators(station, telegram.exempt):
        served = station.config.directory.served_by(indicator)
        stations = [each for each in served if each.kind == "station"]
        if all("".join(each.name.upper().split()) in named for each in stations):
            found.add(indicator)
    return frozenset(found)


def _indicators(station: Station, addressees: tuple[Any, ...]) -> list[str]:
    found = []
    for each in addressees:
        entry = station.config.directory.named(each.name)
        indicator = each.routing_indicator or (entry.routing_indicator if entry else None)
        if indicator:
            found.append(indicator)
    return found


def _telegram(scanned: Scanned) -> Telegram | None:
    try:
        return reftel.read(scanned.rest)
    except reftel.NotATelegram:
        return None
