"""Sending: what goes next over a circuit, under which number, and what becomes of it.

Numbers are on disk before a byte leaves. What breaks off goes again, marked where it may have arrived;
what a circuit that is down cannot take goes over the alternate.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec

from reftel.centre.journal import Changes
from reftel.centre.journalfile import GENERATED, HELD, LOCAL, OPERATOR, Duty, JournalError
from reftel.centre.numbers import after
from reftel.centre.queues import Queue
from reftel.centre.receipts import await_receipt
from reftel.centre.scan import RANKS, bytes_for, may_carry, onward, scan
from reftel.centre.station import WAIT_BUCKETS, CircuitState, Station, whole
from reftel.tables.ita2 import NotITA2Error


class Transmission(msgspec.Struct):
    """One message on its way over one circuit: its duty, its bytes, and when it was accepted."""

    duty: Duty
    data: bytes


async def next_transmissions(station: Station, name: str, most: int) -> list[Transmission]:
    """The next messages for a circuit, in order of precedence, numbered, the numbers on disk.

    Empty when nothing waits. Each has a channel number and, on a Reftel link, a link number.
    """
    circuit = station.circuits[name]
    config = circuit.config
    changes = Changes()
    now = station.clock()
    taken: list[Transmission] = []
    duties: list[Duty] = []
    while len(duties) < most and (duty := circuit.queue.take()) is not None:
        if duty.id in station.duties:
            duties.append(duty)
    if not duties:
        return []
    read = station.journal.bytes_of_many([duty.message for duty in duties])
    for duty in duties:
        duty.hop = _next_hop(station, circuit, changes, now)
        if config.kind == "stream" and config.link:
            duty.link = int(station.values.get(f"link-out:{name}", "0")) + 1
            station.put(changes, f"link-out:{name}", duty.link)
        transmission = build(station, circuit, duty, read[duty.message], changes)
        if transmission is None:
            continue
        circuit.flight[duty.id] = duty
        changes.change_duty(duty)
        changes.entry(
            "sending",
            now,
            message=duty.message,
            circuit=name,
            hop=duty.hop,
            to=" ".join(duty.routing),
            letter=duty.letter,
            pilot=duty.pilot,
        )
        taken.append(transmission)
    await station.commit(changes)
    return taken


def _next_hop(station: Station, circuit: CircuitState, changes: Changes, now: float) -> str:
    config = circuit.config
    key = f"out:{config.name}"
    last = int(station.values.get(key, "0"))
    if config.daily:
        today = datetime.fromtimestamp(now, UTC).strftime("%Y%j")
        if station.values.get(f"day-out:{config.name}") != today:
            station.put(changes, f"day-out:{config.name}", today)
            last = 0
    number = after(last, config.digits)
    station.put(changes, key, number)
    return f"{config.send or 'XYZ'}{number:0{config.digits}d}"


def again(station: Station, circuit: CircuitState, changes: Changes) -> list[Transmission]:
    """What is on its way and not known to have arrived, with the numbers that it has."""
    duties = sorted(circuit.flight.values(), key=lambda duty: duty.link or 0)
    read = station.journal.bytes_of_many([duty.message for duty in duties])
    built = [build(station, circuit, duty, read[duty.message], changes) for duty in duties]
    return [each for each in built if each is not None]


def build(
    station: Station,
    circuit: CircuitState,
    duty: Duty,
    data: bytes | JournalError,
    changes: Changes,
) -> Transmission | None:
    """The bytes of a transmission that has its numbers, made of the message's: the same whenever it is built
    again."""
    if isinstance(data, JournalError):
        # A damaged message goes to nobody, and is not dropped.
        _cannot_go(station, duty, f"damaged in the journal: {data}", "damaged", changes)
        return None
    assert duty.hop is not None
    scanned = scan(data)
    if not may_carry(circuit.config.cleared, scanned.classification):
        why = f"{circuit.config.name} may not carry {scanned.classification or 'it'} any more"
        _cannot_go(station, duty, why, "not-sent", changes)
        return None
    # One mark says it: what came marked as a suspected duplicate goes on with that mark.
    pilot = None if scanned.suspected_duplicate and "ZFD" in (duty.pilot or "") else duty.pilot
    text = onward(scanned, duty.hop, duty.routing, duty.letter, pilot)
    try:
        return Transmission(duty, bytes_for(text, circuit.config.code))
    except NotITA2Error as error:
        _cannot_go(
            station, duty, f"the circuit's code cannot carry it: {error}", "not-sent", changes
        )
        return None


def _cannot_go(station: Station, duty: Duty, why: str, kind: str, changes: Changes) -> None:
    """A duty that no circuit can fulfil lies with the operator; its number is used."""
    changes.entry(
        kind, station.clock(), message=duty.message, circuit=duty.circuit, hop=duty.hop, why=why
    )
    duty.circuit, duty.note = OPERATOR, why
    duty.hop = duty.link = None
    changes.change_duty(duty)
    station.operator[duty.id] = duty


def note_start(station: Station, duty: Duty) -> None:
    """The first byte of a transmission leaves now: how long it took from acceptance."""
    took = station.clock() - duty.at
    total, count, buckets = station.waited.get(duty.letter, (0.0, 0, [0] * len(WAIT_BUCKETS)))
    for at, limit in enumerate(WAIT_BUCKETS):
        buckets[at] += took <= limit
    station.waited[duty.letter] = (total + took, count + 1, buckets)


@whole
async def arrived(station: Station, name: str, duties: list[Duty]) -> None:
    """These are safe at the other end: nothing more is to be done for them on this circuit."""
    if changes := _done(station, name, duties):
        await station.commit(changes)


def arrived_to(station: Station, name: str, link: int) -> None:
    """The other end has stored everything up to this link number. It is written down in time: until then
    the other end's next greeting says it again."""
    flight = station.circuits[name].flight
    duties = [d for d in flight.values() if d.link is not None and d.link <= link]
    if changes := _done(station, name, duties):
        station.write(changes, lambda _: None)


def _done(station: Station, name: str, duties: list[Duty]) -> Changes:
    circuit = station.circuits[name]
    changes = Changes()
    now = station.clock()
    for duty in duties:
        circuit.flight.pop(duty.id, None)
        if station.duties.pop(duty.id, None) is None:
            continue
        changes.end_duty(duty.id)
        if duty.rank <= RANKS["Z"]:
            await_receipt(station, duty, changes)
        changes.entry("sent", now, message=duty.message, circuit=name, hop=duty.hop)
        station.tell("message.sent", message=duty.message, circuit=name, hop=duty.hop)
    return changes


@whole
async def interrupted(
    station: Station, name: str, duties: list[Duty], *, whole: bool, why: str
) -> None:
    """Transmissions that broke off. Their numbers are used; they go again under new ones, marked as
    perhaps sent before (ACP 127 427) if the whole of one may have arrived."""
    changes = Changes()
    now = station.clock()
    circuit = station.circuits.get(name)
    for duty in reversed(duties):
        if duty.id not in station.duties:
            continue
        changes.entry(
            "broken-off",
            now,
            message=duty.message,
            circuit=name,
            hop=duty.hop,
            whole=whole,
            why=why,
        )
        if circuit is not None:
            circuit.flight.pop(duty.id, None)
        if whole:
            duty.pilot = _suspected(station, duty.pilot)
        duty.hop = duty.link = None
        changes.change_duty(duty)
    if changes:
        await station.commit(changes)
    for duty in reversed(duties):
        if duty.id in station.duties and circuit is not None:
            circuit.queue.put_back(duty)
            circuit.wake.set()


def _suspected(station: Station, pilot: str | None) -> str:
    """A pilot's instructions with the mark of a suspected duplicate (427)."""
    if pilot is not None and "ZFD" in pilot:
        return pilot
    mark = f"ZFD {station.config.station.routing_indicator}"
    return f"{pilot} {mark}" if pilot else mark


async def free_the_doubtful(station: Station) -> None:
    """What was on its way over a circuit that stays down goes by an alternate that is up, marked: it may
    have arrived (427). FLASH waits a tenth of the time."""
    now = station.clock()
    freed = False
    for name, circuit in station.circuits.items():
        if circuit.up or not circuit.flight:
            continue
        down, limit = now - circuit.since, circuit.config.in_doubt_s
        doubtful = [
            duty
            for duty in circuit.flight.values()
            if down >= (limit / 10 if duty.rank <= RANKS["Z"] else limit)
            and any(
                each != name and station.is_up(each)
                for indicator in duty.routing
                for each in station.plan.circuits(indicator)
            )
        ]
        if doubtful:
            await interrupted(station, name, doubtful, whole=True, why="the circuit stays down")
            freed = True
    if freed:
        await replan(station)


async def refused_there(station: Station, name: str, duty: Duty, why: str) -> None:
    """The other end will not have a message: the operator decides."""
    station.circuits[name].flight.pop(duty.id, None)
    await station.to_operator(
        duty, f"refused by {station.circuits[name].config.station or name}: {why}"
    )


@whole
async def circuit_changed(station: Station, name: str, up: bool, why: str) -> None:
    """A circuit went up or down: what waits goes over the best that is up, in its old order."""
    circuit = station.circuits.get(name)
    if circuit is None or (circuit.up == up and circuit.why == why):
        return
    changed = circuit.up != up
    circuit.status(up, why, station.clock())
    if not changed:
        return
    station.tell("circuit.up" if up else "circuit.down", circuit=name, why=why)
    changes = Changes()
    changes.entry("circuit-up" if up else "circuit-down", station.clock(), circuit=name, why=why)
    await station.commit(changes)
    circuit.wake.set()
    if beside := station.plan.beside(name):
        await replan(station, beside)


@whole
async def replan(station: Station, circuits: frozenset[str] | None = None) -> None:
    """Move what waits (for these circuits, or for any) to the circuits that the routing table now says,
    those too whose circuit is in the configuration no more."""
    waiting = [
        duty
        for name, state in station.circuits.items()
        if circuits is None or name in circuits
        for duty in state.queue
    ]
    waiting += [d for d in station.operator.values() if d.circuit not in (OPERATOR, HELD)]
    changed: set[str] = set()
    for start in range(0, len(waiting), 256):
        changes = Changes()
        moved: list[Duty] = []
        for duty in waiting[start : start + 256]:
            if duty.id not in station.duties:
                continue
            if duty.id in station.operator:
                moved += _from_a_lost_circuit(station, duty, changes)
            elif duty.hop is None and duty in _queue_of(station, duty):
                moved += _better_way(station, duty, changes)
        if changes:
            await station.commit(changes)
        for new in moved:
            station.duties[new.id] = new
            station.place(new)
            changed.add(new.circuit)
        await asyncio.sleep(0)
    for name in changed & set(station.circuits):
        station.circuits[name].queue.sort()


def _queue_of(station: Station, duty: Duty) -> Queue:
    state = station.circuits.get(duty.circuit)
    return state.queue if state is not None else Queue()


def _better_way(station: Station, duty: Duty, changes: Changes) -> list[Duty]:
    """The duties that take a waiting one's place, which is taken out at once: nobody may begin to send
    it while this is written down."""
    ours = set(duty.routing) & station.config.ours
    stays = (duty.circuit, None)
    if not ours and all(_first_up(station, each, None) in stays for each in duty.routing):
        # It waits for its first choice, by whichever circuit it came: no look into the journal for each
        # of a hundred thousand whenever a circuit goes up or down.
        return []
    row = station.journal.message(duty.message)
    if row is None:
        return []
    first = {_first_up(station, indicator, row[1]) for indicator in duty.routing}
    if first <= {duty.circuit, None} and not ours:
        return []
    try:
        scanned = scan(station.journal.bytes_of(duty.message))
    except JournalError:
        # It is put before the operator when its turn comes.
        return []
    if not scanned.message and row[1] == GENERATED:
        # Service messages between neighbours mean this circuit and no other.
        return []
    routed = station.plan.route(
        duty.routing,
        duty.letter,
        came_by=row[1],
        classification=scanned.classification,
        is_up=station.is_up,
    )
    if routed.refused or (not ours and {way.circuit for way in routed.ways} <= {duty.circuit}):
        return []
    station.drop(duty, changes)
    ways = {way.circuit: " ".join(way.routing) for way in routed.ways}
    changes.entry(
        "rerouted",
        station.clock(),
        message=duty.message,
        circuit=duty.circuit,
        ways=ways,
        here=" ".join(routed.local),
    )
    places = [(way.circuit, way.routing) for way in routed.ways]
    if routed.local:
        places.append((LOCAL, routed.local))
    moved = []
    for circuit, routing in places:
        new = station.new_duty(duty.message, circuit, duty.letter, routing, pilot=duty.pilot)
        new.at = duty.at
        changes.add_duty(new)
        moved.append(new)
    station.tell("message.rerouted", message=duty.message, ways=sorted(ways))
    return moved


def _from_a_lost_circuit(station: Station, duty: Duty, changes: Changes) -> list[Duty]:
    """The duties that take the place of one whose circuit is gone; where none can, the operator decides."""
    now = station.clock()
    if duty.hop is not None:
        changes.entry(
            "broken-off",
            now,
            message=duty.message,
            circuit=duty.circuit,
            hop=duty.hop,
            whole=True,
            why="its circuit is not in the configuration any more",
        )
        duty.pilot = _suspected(station, duty.pilot)
        duty.hop = duty.link = None
    moved = _better_way(station, duty, changes)
    if not moved:
        changes.entry("to-operator", now, message=duty.message, circuit=duty.circuit, why=duty.note)
        duty.circuit = OPERATOR
        changes.change_duty(duty)
    return moved


def _first_up(station: Station, indicator: str, came_by: str | None) -> str | None:
    known = [each for each in station.plan.circuits(indicator) if each != came_by]
    return next((each for each in known if station.is_up(each)), known[0] if known else None)
