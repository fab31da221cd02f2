"""Service messages understood and answered.

What a rule settles is done at once and written down; what needs a person's judgement lies in the
operator's queue with what the message asks (ACP 127 401-438; wire-format.md 10).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from reftel.centre import parts, receipts
from reftel.centre.journal import Changes
from reftel.centre.journalfile import GENERATED, LOCAL, OPERATOR, Duty, Entry, JournalError
from reftel.centre.numbers import FARTHEST, after, cycle
from reftel.centre.scan import ENDING, Scanned, onward, scan, scan_text
from reftel.centre.services import (
    classified,
    make,
    missing_up_to,
    own_message,
    repeat_came,
)
from reftel.centre.station import Station
from reftel.read.service import ServiceMessage, understand
from reftel.telegram import Telegram

_FOLLOWING = re.compile(r"\bTRANSMISSION FOLLOWING ([A-Z]{3}[0-9]{3,4})\b")
_SECTION = re.compile(r"\bSECTION ([0-9]{1,2})\b")
_DEAD = re.compile(r"(?:ZI[CD]|ZF[QTUV]|ZBZ|ZKJ)")
"""Service messages that say nothing any more once another number was sent (433)."""


def act(
    station: Station, changes: Changes, message: int, scanned: Scanned, telegram: Telegram
) -> list[Duty]:
    """Do what a service message asks, as far as a rule says what; the duties that follow."""
    text = telegram.service or ""
    said = understand(text)
    row = station.journal.message(message)
    by = row[1] if row else ""
    changes.entry(
        "service-understood",
        station.clock(),
        message=message,
        circuit=by,
        what=said.kind,
        text=text,
    )
    station.tell("service.understood", message=message, circuit=by, what=said.kind)
    deed = _DEEDS.get(said.kind)
    duties = deed(station, changes, by, said, scanned) if deed else None
    if duties is None:
        note = f"service message ({said.kind}) from {scanned.inner.station or by}: {text}"
        return [station.new_duty(message, OPERATOR, scanned.letter, (), note=note)]
    return duties


def _open_number(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """`ZFX`: what was sent under a number that did not arrive goes again, under a new one (433)."""
    del scanned
    return [duty for hop in said.channel_numbers for duty in _again(station, changes, by, hop)]


def _again(station: Station, changes: Changes, by: str, hop: str) -> list[Duty]:
    """Retransmit what a channel number of ours carried, once for each number."""
    now = station.clock()
    if (circuit := station.circuits.get(by)) is not None:
        # However many digits the other end writes.
        hop = f"{hop[:3]}{int(hop[3:]):0{circuit.config.digits}d}"
    entries = [each for each in station.journal.entries(hop=hop) if each.circuit == by]
    # A number comes round again: the newest use of it is meant.
    last = max((at for at, e in enumerate(entries) if e.kind == "sending"), default=None)
    if last is None or entries[last].message is None:
        changes.entry("number-unused", now, circuit=by, hop=hop)
        return []
    sending, behind = entries[last], {each.kind for each in entries[last + 1 :]}
    message = sending.message
    assert message is not None
    if behind & {"broken-off", "sent-again", "not-sent", "damaged"}:
        # Under this number nothing whole was sent, or it went again already.
        changes.entry("number-noted", now, message=message, circuit=by, hop=hop)
        return []
    if any(d.message == message and d.circuit == by for d in station.duties.values()):
        changes.entry("number-in-course", now, message=message, circuit=by, hop=hop)
        return []
    row = station.journal.message(message)
    scanned = scan(station.journal.bytes_of(message))
    if row is not None and row[1] == GENERATED and not scanned.message:
        text = scanned.rest.rstrip().rpartition("\n")[2]
        if _DEAD.match(text):
            changes.entry("number-noted", now, message=message, circuit=by, hop=hop)
            return []
    routing = tuple(str(sending.detail.get("to", "")).split()) or scanned.routing
    letter = str(sending.detail.get("letter") or scanned.letter)
    changes.entry("sent-again", now, message=message, circuit=by, hop=hop)
    return [station.new_duty(message, by, letter, routing, pilot=sending.detail.get("pilot"))]


def _repeat(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """A repeat is asked for: of a transmission, or of a message that is ours or went through here."""
    duties: list[Duty] = []
    asker = scanned.inner.station
    text = " ".join(scanned.rest.split())
    if section := _SECTION.search(text):
        name = said.messages[0] if said.messages else ""
        number = _section_of(station, name, int(section[1]))
        if number is None or asker is None:
            return None
        return _repeat_message(station, changes, asker, scanned, number)
    if (following := _FOLLOWING.search(text)) and by in station.circuits:
        digits = station.circuits[by].config.digits
        number = after(int(following[1][3:]), digits)
        return _again(station, changes, by, f"{following[1][:3]}{number:0{digits}d}")
    if not said.messages:
        for hop in said.channel_numbers:
            duties += _again(station, changes, by, hop)
        return duties or ([] if said.channel_numbers else None)
    for name in said.messages:
        if asker is None or not station.journal.messages_named(name):
            return None
        held = _good_copy(station, name)
        if held is not None:
            duties += _repeat_message(station, changes, asker, scanned, held)
            continue
        # Ours is no better: the station that made it is asked, and answers to who asked (419.c).
        origin = name.split()[0]
        if origin in station.config.ours:
            return None
        text = f"{name} ZES2 {asker} CITING {scanned.message or scanned.hop} IN REPLY"
        duties += make(station, changes, origin, scanned.letter, text)
    return duties or None


def _good_copy(station: Station, name: str) -> int | None:
    """The newest copy of a message that is whole."""
    for number in reversed(station.journal.messages_named(name)):
        try:
            scanned = scan(station.journal.bytes_of(number))
        except JournalError:
            continue
        if scanned.routing and not any("NNNN" in problem for problem in scanned.problems):
            return number
    return None


def _section_of(station: Station, name: str, wanted: int) -> int | None:
    """The message with another section of the telegram of which one section is `name`: in State's form its
    serial says so; otherwise serials follow each other, and the text decides (ACP 127 208)."""
    for number in station.journal.messages_named(name):
        try:
            first = station.journal.bytes_of(number)
        except JournalError:
            continue
        match = re.search(rb"\bSECTION ([0-9]{1,2}) OF ([0-9]{1,2})\b", first)
        if match is None:
            continue
        origin, serial, filed = name.split()
        if "/" in serial:
            other = f"{serial.partition('/')[0]}/{wanted:02d}"
        else:
            other = f"{(int(serial) - int(match[1]) + wanted - 1) % 9999 + 1:04d}"
        found = _good_copy(station, f"{origin} {other} {filed}")
        if found is not None and re.search(
            rb"SECTION 0?%d OF 0?%d\b" % (wanted, int(match[2])), station.journal.bytes_of(found)
        ):
            return found
    return None


def _repeat_message(
    station: Station, changes: Changes, asker: str, scanned: Scanned, number: int
) -> list[Duty]:
    """The whole message again, behind a service text, to the station that asks (419.e)."""
    inner = scan(station.journal.bytes_of(number))
    letter = inner.letter
    ours = station.config.station.routing_indicator
    serial = station.next_serial(changes)
    filed = station.filed()
    security = inner.inner.security or "ZNY TTTTT"
    asked = f"ZUI {scanned.message} " if scanned.message else ""
    body = (
        f"{letter}{letter} {asker}\nDE {ours} {serial} {filed}\n{security}\nBT\n"
        f"UNCLAS SVC {asked}ZDK {inner.message}\n{letter}{letter} {asker}\n{inner.rest}"
    )
    return own_message(station, changes, body + ENDING, (asker,), letter, inner.classification)


def _repeated(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """`ZDK` and the message behind it: what lay garbled here and was for others goes on to them whole."""
    name = next(iter(said.messages), None)
    start = re.search(r"^([ZOPRY])\1((?: [A-Z]{4,8})+)\n(?=DE )", scanned.rest, re.MULTILINE)
    if name is None or start is None:
        return _noted(station, changes, by, said, scanned)
    waiting = [
        duty
        for duty in station.operator.values()
        if (duty.note or "").startswith("garbled")
        and (row := station.journal.message(duty.message)) is not None
        and row[3] == name
    ]
    routing = tuple(dict.fromkeys(each for duty in waiting for each in duty.routing))
    onto = tuple(each for each in routing if each not in station.config.ours)
    number = station.next_message()
    repeat_came(station, changes, name, number)
    if not onto:
        return []
    inner = scan_text(scanned.rest[start.start() :] + ENDING)
    text = onward(inner, None, onto, inner.letter)
    now = station.clock()
    changes.message(number, now, by, None, name, text.encode("latin-1", "replace"))
    routed = station.plan.route(
        onto, inner.letter, came_by=by, classification=inner.classification, is_up=station.is_up
    )
    changes.entry("mended-by-repeat", now, message=number, circuit=by, to=" ".join(onto))
    duties = [station.new_duty(number, w.circuit, w.letter, w.routing) for w in routed.ways]
    for indicator, why in routed.refused:
        duties.append(
            station.new_duty(
                number, OPERATOR, inner.letter, (indicator,), note=f"{indicator}: {why}"
            )
        )
    for indicator in onto:
        changes.handle(name, indicator, inner.content, number)
    return duties


def _corrected_copy(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`ZDH`: a corrected copy of a message of ours, to the stations named, with `ZEL` (420.g)."""
    del by
    name = next(iter(said.messages), None)
    if name is None or name.split()[0] not in station.config.ours:
        return None
    number = _good_copy(station, name)
    behind = " ".join(scanned.rest.split()).partition(f"{name} TO ")[2].split()
    to = tuple(word for word in behind if re.fullmatch(r"[A-Z]{4,8}", word))
    if number is None or not to:
        return None
    inner = scan(station.journal.bytes_of(number))
    pilot = f"ZEL {station.config.station.routing_indicator}"
    routed = station.plan.route(
        to, inner.letter, came_by=None, classification=inner.classification, is_up=station.is_up
    )
    if routed.refused:
        return None
    changes.entry("corrected-copy", station.clock(), message=number, to=" ".join(to))
    return [
        station.new_duty(number, way.circuit, way.letter, way.routing, pilot=pilot)
        for way in routed.ways
    ]


def _last_received(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`ZID`: the neighbour's last number. What we sent after it goes again; all well is answered `ZIC`."""
    missed = _missed(station, changes, by, said)
    if missed is None or missed or scanned.message:
        return missed
    config = station.circuits[by].config
    last = int(station.values.get(f"out:{by}", "0"))
    return make(station, changes, by, "P", f"ZIC {config.send}{last:0{config.digits}d}")


def _missed(station: Station, changes: Changes, by: str, said: ServiceMessage) -> list[Duty] | None:
    """What was sent to a neighbour after the number that it names as its last, to be sent again."""
    circuit = station.circuits.get(by)
    if circuit is None or not said.channel_numbers:
        return None
    config = circuit.config
    hop = said.channel_numbers[-1]
    if hop[:3] != config.send:
        return None
    last = int(station.values.get(f"out:{by}", "0"))
    duties: list[Duty] = []
    number = int(hop[3:])
    if (last - number) % cycle(config.digits) <= FARTHEST:
        while number != last:
            number = after(number, config.digits)
            duties += _again(station, changes, by, f"{config.send}{number:0{config.digits}d}")
    return duties


def _last_sent(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`ZIC`: the last number that the neighbour sent. Those between ours and it are open."""
    del scanned
    circuit = station.circuits.get(by)
    if circuit is None or not said.channel_numbers:
        return None
    hop = said.channel_numbers[-1]
    if hop[:3] != circuit.config.receive:
        return None
    return missing_up_to(station, changes, circuit, int(hop[3:]))


def _closing(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`INT ZKJ ZID tid`: a neighbour wants to close. What it has not got goes first; then it may, and hears
    our last number (414)."""
    del scanned
    circuit = station.circuits.get(by)
    missed = _missed(station, changes, by, said) if said.channel_numbers else []
    if circuit is None or missed is None:
        return None
    if missed or len(circuit.queue):
        changes.entry("closing-put-off", station.clock(), circuit=by, waiting=len(circuit.queue))
        return missed
    last = int(station.values.get(f"in:{by}", "0"))
    hop = f"{circuit.config.receive}{last:0{circuit.config.digits}d}"
    return make(station, changes, by, "R", f"ZKJ1 ZID {hop}")


def _test(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`INT ZBZ`: how well a test was printed; what could be read was read well (411). `ZBZ` from the other
    end says how ours was."""
    if by not in station.circuits:
        return []
    if not said.question:
        if quality := re.search(r"\bZBZ ?([1-5])\b", scanned.rest):
            changes.entry("tested", station.clock(), circuit=by, quality=quality[1])
        return []
    return make(station, changes, by, "R", "ZBZ5 K")


def _may_close(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """`ZKJ1`: the neighbour agrees to close; its last number shows what it has not got (414)."""
    del scanned
    changes.entry("may-close", station.clock(), circuit=by)
    return (_missed(station, changes, by, said) or []) if said.channel_numbers else []


def _part_wanted(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`INT ZDK id WA ...`: the words that are asked for, out of our good copy; what cannot be told from it is
    a person's to answer (416, 417)."""
    name, asker = next(iter(said.messages), None), scanned.inner.station
    number = _good_copy(station, name) if name else None
    if name is None or number is None or asker is None:
        return None
    inner = scan(station.journal.bytes_of(number))
    asked = " ".join(scanned.rest.removesuffix("\nBT").split()).partition(f"{name} ")[2]
    try:
        answers = [parts.given(parts.text_of(inner.rest), part) for part in parts.parts(asked)]
    except parts.NotFoundError:
        return None
    changes.entry("part-given", station.clock(), message=number, circuit=by, to=asker)
    reply = f"ZUI {scanned.message} " if scanned.message else ""
    text = f"{reply}ZDK {name} {' - '.join(answers)}"
    return classified(station, changes, asker, "P", text, inner)


def _part_came(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`ZDK id WA ...`: the words for which a person asked stand with the message, and before the person."""
    name = next(iter(said.messages), None)
    awaited = station.stop_waiting(changes, "repeat", f"PART OF {name}") if name else None
    if awaited is not None:
        text = " ".join(scanned.rest.removesuffix("\nBT").split()).partition(f"{name} ")[2]
        number = awaited.detail.get("message")
        changes.entry("part-came", station.clock(), message=number, circuit=by, text=text)
    return None


def _tracer(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """A tracer: who asks hears when the message came and went, and those to whom it went are asked in turn
    (438)."""
    name, asker = next(iter(said.messages), None), scanned.inner.station
    numbers = station.journal.messages_named(name) if name else []
    if not numbers or asker is None or name is None:
        return None
    entries = [e for number in numbers for e in station.journal.entries(message=number)]
    parts = [f"{e.hop or e.kind.upper()} {_time(e)}" for e in entries if e.kind == "accepted"]
    onward_to = []
    for entry in entries:
        if entry.kind == "sent" and entry.circuit in station.circuits:
            next_station = station.circuits[entry.circuit].config.station
            parts.append(f"ZDQ {next_station or entry.circuit.upper()} {entry.hop} {_time(entry)}")
            onward_to.append((entry.circuit, entry))
        elif entry.kind == "delivered":
            parts.append(f"ZDQ {station.config.station.name} {_time(entry)}")
    for number in numbers:
        changes.entry("trace-asked", station.clock(), message=number, circuit=by, of=asker)
    asked = f"ZUI {scanned.message} " if scanned.message else ""
    duties = make(station, changes, asker, "R", f"{asked}{name} " + " ".join(parts))
    claim = re.sub(r"\s+", " ", scanned.rest).partition("SVC ")[2].partition(" ZDQ ")[0]
    for circuit, entry in onward_to:
        to = station.circuits[circuit].config.station
        if circuit != by and to and claim:
            text = f"{claim} ZDQ {to} {entry.hop} {_time(entry)}. TRACE AND ADVISE"
            duties += make(station, changes, to, "R", text)
    return duties


def _time(entry: Entry) -> str:
    return f"{datetime.fromtimestamp(entry.at, UTC):%d%H%M}Z"


def _cancelled(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`ZFR`: what has not been sent or delivered stays here, shown as cancelled; to where it went, the
    cancellation follows (423, 424). A message is cancelled only by the station that made it."""
    if any(name.split()[0] != scanned.inner.station for name in said.messages):
        return None
    numbers = {n for name in said.messages for n in station.journal.messages_named(name)}
    for hop in said.channel_numbers:
        taken = [
            e.message
            for e in station.journal.entries(hop=hop)
            if e.message and e.kind == "accepted" and e.circuit == by
        ]
        numbers |= set(taken[-1:])
    follow: list[Duty] = []
    for number in sorted(numbers):
        changes.entry("cancelled", station.clock(), message=number, circuit=by)
        for duty in [d for d in station.duties.values() if d.message == number and d.hop is None]:
            if duty.circuit != LOCAL:
                station.drop(duty, changes)
        row = station.journal.message(number)
        if not said.channel_numbers or row is None or row[3] is None:
            continue
        for entry in station.journal.entries(message=number):
            if entry.kind == "sending":
                for indicator in str(entry.detail.get("to", "")).split():
                    follow += make(station, changes, indicator, "R", f"ZFR {row[3]}")
    return follow


def _route_question(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`INT ZOE ri`: whether we can take traffic for a station (307)."""
    del said
    words = scanned.rest.split()
    wanted = words[words.index("ZOE") + 1] if "ZOE" in words[:-1] else None
    if wanted is None:
        return None
    circuits = [c for c in station.plan.circuits(wanted) if c != by]
    if wanted in station.config.ours or any(station.is_up(c) for c in circuits):
        return make(station, changes, by, scanned.letter, f"ZOE {wanted}")
    return None


def _route_offered(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """`ZOE ri`: a neighbour takes our traffic for a station to which no way of ours is open (307)."""
    del said
    words = scanned.rest.split()
    for indicator in words[words.index("ZOE") + 1 :] if "ZOE" in words else ():
        if f"asked:{indicator}" in station.values and by in station.circuits:
            station.plan.lend(indicator, by)
            changes.entry("route-lent", station.clock(), circuit=by, to=indicator)
            station.tell("route.lent", circuit=by, to=indicator)
    station.replanning = True
    return []


def _noted(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """What only has to be written down."""
    del by, scanned
    for name in said.messages:
        station.stop_waiting(changes, "repeat", name)
    return []


_DEEDS = {
    "open-number": _open_number,
    "repeat-request": _repeat,
    "corrected-copy-request": _corrected_copy,
    "last-received": _last_received,
    "last-sent": _last_sent,
    "closing-question": _closing,
    "closing": _may_close,
    "test": _test,
    "receipt": receipts.receipted,
    "receipt-question": receipts.question,
    "part-request": _part_wanted,
    "part": _part_came,
    "tracer": _tracer,
    "cancellation": _cancelled,
    "route-question": _route_question,
    "number-discrepancy": _noted,
    "repeat": _repeated,
    "route": _route_offered,
    "passed": _noted,
}
