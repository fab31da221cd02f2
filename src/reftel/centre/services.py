"""Service messages made, understood and answered, and the clock that follows up what nobody answers.

What a rule settles is done at once and written down; what needs a person's judgement lies in the
operator's queue with what the message asks (ACP 127 401-438; wire-format.md 10).
"""

from __future__ import annotations

from reftel.centre.journal import Changes
from reftel.centre.journalfile import GENERATED, LOCAL, OPERATOR, Awaited, Duty
from reftel.centre.numbers import after
from reftel.centre.scan import ENDING, Scanned, scan
from reftel.centre.station import CircuitState, Station
from reftel.read.service import ServiceMessage, understand
from reftel.telegram import Telegram

FOLLOW_UP_S = {"Y": 3600.0, "Z": 3600.0, "O": 7200.0, "P": 28800.0, "R": 57600.0}
"""After how long a request that nobody answered is made again (419.f); FLASH: ours."""

_AGAIN = ("ZAR2", "ZAR3")
_SINGLY, _IN_A_LINE = 4, 6
"""So many open numbers are told one by one; more go together, so many in a message."""


def make(station: Station, changes: Changes, to: str, letter: str, text: str) -> list[Duty]:
    """A service message to a neighbour (by circuit) or a station (by routing indicator): in the
    journal as any message, and the duties that send it."""
    now = station.clock()
    neighbour = station.circuits.get(to)
    ours = station.config.station.routing_indicator
    filed = station.filed()
    station.tell("service.made", to=to, signal=text.split()[0])
    if neighbour is None:
        serial = station.next_serial(changes)
        body = (
            f"{letter}{letter} {to}\nDE {ours} {serial} {filed}\nZNR UUUUU\nBT\n"
            f"UNCLAS SVC {text}\nBT"
        )
        return own_message(station, changes, body + ENDING, (to,), letter, "UNCLASSIFIED")
    number = station.next_message()
    called = neighbour.config.station or to
    body = f"{letter}{letter} {called}\nDE {ours} {filed}\nZNR UUUUU\n{text}"
    changes.message(number, now, GENERATED, None, None, (body + ENDING).encode("ascii", "replace"))
    changes.entry("service-made", now, message=number, circuit=to, text=text)
    return [station.new_duty(number, to, letter, (called,))]


def own_message(
    station: Station,
    changes: Changes,
    text: str,
    to: tuple[str, ...],
    letter: str,
    classification: str | None,
) -> list[Duty]:
    """A message made here for some stations: in the journal, and the duties that send it."""
    number = station.next_message()
    changes.message(
        number, station.clock(), GENERATED, None, None, text.encode("latin-1", "replace")
    )
    changes.entry("service-made", station.clock(), message=number, to=" ".join(to))
    routed = station.plan.route(
        to, letter, came_by=None, classification=classification, is_up=station.is_up
    )
    duties = [station.new_duty(number, w.circuit, letter, w.routing) for w in routed.ways]
    for indicator, why in routed.refused:
        note = f"service message for {indicator}: {why}"
        duties.append(station.new_duty(number, OPERATOR, letter, (indicator,), note=note))
    return duties


def went(station: Station, message: int, circuit: str) -> tuple[str, tuple[str, ...]] | None:
    """Prosign and stations with which a message went over a circuit."""
    for entry in station.journal.entries(message=message):
        ways = entry.detail.get("ways", {})
        if circuit in ways:
            scanned = scan(station.journal.bytes_of(message))
            return scanned.letter, tuple(ways[circuit].split())
    row = station.journal.message(message)
    if row is not None and row[1] == GENERATED:
        scanned = scan(station.journal.bytes_of(message))
        return scanned.letter, scanned.routing
    return None


def make_all(station: Station, changes: Changes, answers: list[tuple[str, str, str]]) -> list[Duty]:
    """Service messages, each with to whom it goes, its prosign and its text."""
    return [duty for answer in answers for duty in make(station, changes, *answer)]


def open_numbers(
    station: Station, changes: Changes, circuit: CircuitState, hops: list[str]
) -> list[str]:
    """Channel numbers that did not come are open until they do; the texts that say so (`ZFX`, 433)."""
    now, name = station.clock(), circuit.config.name
    for hop in hops:
        station.start_waiting(changes, Awaited("open-number", hop, name, now, "O"))
        changes.entry("number-open", now, circuit=name, hop=hop)
    if len(hops) <= _SINGLY:
        return [f"ZFX {hop}" for hop in hops]
    return ["ZFX " + " ".join(hops[at : at + _IN_A_LINE]) for at in range(0, len(hops), _IN_A_LINE)]


def repeat_came(station: Station, changes: Changes, name: str, number: int) -> None:
    """A message that was asked for is here: the request is settled, and the garbled copy needs nobody."""
    now = station.clock()
    if station.stop_waiting(changes, "repeat", name) is None:
        return
    changes.entry("repeat-came", now, message=number)
    for duty in list(station.operator.values()):
        row = station.journal.message(duty.message)
        if row is not None and row[3] == name and (duty.note or "").startswith("garbled"):
            changes.entry("superseded", now, message=duty.message, by=number)
            station.drop(duty, changes)


def ask_for_sections(
    station: Station, changes: Changes, scanned: Scanned, missing: tuple[int, ...]
) -> list[Duty]:
    """Sections that did not come are asked for by the one that is here (wire-format.md 9.4)."""
    to = scanned.inner.station
    if to is None or scanned.message is None:
        return []
    duties: list[Duty] = []
    for number in missing:
        ask = f"INT ZDK SECTION {number} {scanned.message}"
        detail = {"of": to, "ask": ask}
        wanted = f"SECTION {number} {scanned.message}"
        awaited = Awaited("repeat", wanted, "", station.clock(), scanned.letter, 0, detail)
        station.start_waiting(changes, awaited)
        duties += make(station, changes, to, scanned.letter, ask)
    return duties


def missing_up_to(
    station: Station, changes: Changes, circuit: CircuitState, last: int
) -> list[Duty]:
    """The neighbour has sent numbers that did not come: they are open, and said to be (`ZFX`)."""
    config = circuit.config
    here = station.values.get(f"in:{config.name}")
    if here is None or not 0 < (last - int(here)) % int("9" * config.digits) <= 500:
        return []
    hops: list[str] = []
    number = int(here)
    while number != last:
        number = after(number, config.digits)
        hops.append(f"{config.receive}{number:0{config.digits}d}")
    station.put(changes, f"in:{config.name}", last)
    texts = open_numbers(station, changes, circuit, hops)
    return make_all(station, changes, [(config.name, "O", text) for text in texts])


async def send(station: Station, to: str, letter: str, text: str) -> int:
    """Make and queue a service message; its number in the journal."""
    changes = Changes()
    duties = make(station, changes, to, letter, text)
    await station.enqueue(changes, duties)
    return station.last_message


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
    entries = station.journal.entries(hop=hop)
    sending = next((e for e in entries if e.kind == "sending" and e.circuit == by), None)
    if sending is None or sending.message is None:
        changes.entry("number-unused", now, circuit=by, hop=hop)
        return []
    if any(each.kind in ("broken-off", "sent-again") for each in entries):
        # Under this number nothing whole was sent, or it went again already.
        changes.entry("number-noted", now, message=sending.message, circuit=by, hop=hop)
        return []
    if any(d.message == sending.message and d.circuit == by for d in station.duties.values()):
        changes.entry("number-in-course", now, message=sending.message, circuit=by, hop=hop)
        return []
    routed = went(station, sending.message, by)
    if routed is None:
        return []
    letter, routing = routed
    changes.entry("sent-again", now, message=sending.message, circuit=by, hop=hop)
    return [station.new_duty(sending.message, by, letter, routing)]


def _repeat(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """A repeat is asked for: of a transmission, or of a message that is ours or went through here."""
    duties: list[Duty] = []
    if said.channel_numbers:
        for hop in said.channel_numbers:
            duties += _again(station, changes, by, hop)
        return duties
    asker = scanned.inner.station
    for name in said.messages:
        held = station.journal.messages_named(name)
        if not held or asker is None:
            return None
        duties += _repeat_message(station, changes, asker, scanned, name, held[0])
    return duties or None


def _repeat_message(
    station: Station, changes: Changes, asker: str, scanned: Scanned, name: str, number: int
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
        f"UNCLAS SVC {asked}ZDK {name}\n{letter}{letter} {asker}\n{inner.rest}"
    )
    return own_message(station, changes, body + ENDING, (asker,), letter, inner.classification)


def _last_received(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`ZID`: the neighbour's last number. What we sent after it goes again; all well is answered `ZIC`."""
    circuit = station.circuits.get(by)
    if circuit is None or not said.channel_numbers:
        return None
    config = circuit.config
    hop = said.channel_numbers[-1]
    last = int(station.values.get(f"out:{by}", "0"))
    if hop[:3] != config.send:
        return None
    duties: list[Duty] = []
    number = int(hop[3:])
    if (last - number) % int("9" * config.digits) <= 500:
        while number != last:
            number = after(number, config.digits)
            duties += _again(station, changes, by, f"{config.send}{number:0{config.digits}d}")
    if not duties and not scanned.message:
        duties = make(station, changes, by, "P", f"ZIC {config.send}{last:0{config.digits}d}")
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


def _cancelled(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """`ZFR`: what has not been sent or delivered stays here, shown as cancelled (424)."""
    del scanned
    numbers = {n for name in said.messages for n in station.journal.messages_named(name)}
    for hop in said.channel_numbers:
        numbers |= {
            e.message
            for e in station.journal.entries(hop=hop)
            if e.message and e.kind == "accepted" and e.circuit == by
        }
    for number in sorted(numbers):
        changes.entry("cancelled", station.clock(), message=number, circuit=by)
        for duty in [d for d in station.duties.values() if d.message == number and d.hop is None]:
            if duty.circuit != LOCAL:
                station.drop(duty, changes)
    return []


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
    if any(station.circuits[c].up for c in circuits if c in station.circuits):
        return make(station, changes, by, scanned.letter, f"ZOE {wanted}")
    return None


def _noted(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """What only has to be written down."""
    del by, scanned
    for name in said.messages:
        station.stop_waiting(changes, "repeat", name)
    return []


def _new_day(station: Station, changes: Changes, name: str) -> list[Duty]:
    """The first message of a day compares the last numbers of the day before (413)."""
    config = station.circuits[name].config
    today = station.filed()[:3]
    before = station.values.get(f"compared:{name}")
    if before == today:
        return []
    station.put(changes, f"compared:{name}", today)
    last = int(station.values.get(f"in:{name}", "0"))
    if before is None or not last:
        return []
    return make(station, changes, name, "R", f"ZID {config.receive}{last:0{config.digits}d}")


_DEEDS = {
    "open-number": _open_number,
    "repeat-request": _repeat,
    "last-received": _last_received,
    "last-sent": _last_sent,
    "cancellation": _cancelled,
    "route-question": _route_question,
    "number-discrepancy": _noted,
    "repeat": _noted,
    "route": _noted,
    "passed": _noted,
}


async def follow_up(station: Station) -> None:
    """What the clock brings: requests that nobody answered, lines that are silent (412.b, 419.f)."""
    now = station.clock()
    changes = Changes()
    duties: list[Duty] = []
    for awaited in list(station.awaited.values()):
        if awaited.kind not in ("repeat", "open-number"):
            continue
        due = awaited.at + FOLLOW_UP_S.get(awaited.letter, 57600.0) * (awaited.reminded + 1)
        if now < due:
            continue
        if awaited.reminded >= len(_AGAIN):
            continue
        signal = _AGAIN[awaited.reminded]
        awaited.reminded += 1
        station.start_waiting(changes, awaited)
        changes.entry(
            "asked-again",
            now,
            circuit=awaited.circuit,
            hop=awaited.name[:7],
            signal=signal,
            of=awaited.name,
        )
        # The second request goes where the first went, the third to the relay that serves it (419.f).
        to = awaited.detail.get("of") if signal == "ZAR2" else None
        ask = awaited.detail.get("ask", f"ZFX {awaited.name}")
        if to or awaited.circuit in station.circuits:
            duties += make(
                station, changes, to or awaited.circuit, awaited.letter, f"{signal} {ask}"
            )
        station.tell("request.again", circuit=awaited.circuit, signal=signal)
    for name, circuit in station.circuits.items():
        config = circuit.config
        if config.kind != "stream" or not circuit.up:
            continue
        if config.daily:
            duties += _new_day(station, changes, name)
        heard = max(circuit.heard, circuit.since)
        if now - heard >= config.silence_s:
            circuit.heard = now
            last = int(station.values.get(f"in:{name}", "0"))
            duties += make(
                station, changes, name, "P", f"ZID {config.receive}{last:0{config.digits}d}"
            )
            station.tell("line.silent", circuit=name)
    if changes or duties:
        await station.enqueue(changes, duties)
