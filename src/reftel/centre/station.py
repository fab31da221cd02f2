"""One station's whole state and what changes it: accept, queue, number, send, and know that it arrived.

Everything that a method changes is in one `Changes`, committed before the caller hears of it. Sockets and
files are the transports' affair; the clock is passed in.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec

import reftel
from reftel.centre.config import CircuitConfig, Config
from reftel.centre.journal import Awaited, Changes, Duty, Journal, JournalError
from reftel.centre.numbers import Watched, after, watch
from reftel.centre.queues import Queue
from reftel.centre.route import Plan, Routed
from reftel.centre.scan import ENDING, RANKS, Scanned, bytes_for, onward, scan
from reftel.tables.ita2 import NotITA2Error
from reftel.telegram import Telegram
from reftel.write.wire import letter_of

LOCAL = "#here"
"""Stands for a circuit: what is to be delivered at this station."""
OPERATOR = "#operator"
"""What a person has to look at."""
HELD = "#held"
"""What a person has put aside."""

WAIT_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 600.0, 1800.0, 10800.0, 21600.0)
"""Seconds; upper ends of the counts of `Station.waited`."""

_REMEMBERED = 100_000
_P = ParamSpec("_P")
_R = TypeVar("_R")
_GENERATED = "#service"


class Accepted(msgspec.Struct, frozen=True):
    """The number under which the journal holds a message, and what will become of it."""

    message: int
    ways: tuple[str, ...] = ()
    local: bool = False
    operator: tuple[str, ...] = ()
    duplicate: bool = False


class Refused(ValueError):  # noqa: N818
    """A message that is not taken; the sender keeps it. The message says why."""


class Transmission(msgspec.Struct):
    """One message on its way over one circuit: its duty, its bytes, and when it was accepted."""

    duty: Duty
    data: bytes


class CircuitState:
    """What is known of one circuit while the centre runs."""

    def __init__(self, config: CircuitConfig) -> None:
        self.config = config
        self.queue = Queue()
        self.flight: OrderedDict[int, Duty] = OrderedDict()
        """Numbered and not known to have arrived, by duty, in the order sent."""
        self.up = config.kind != "stream"
        self.since = 0.0
        self.why = "not yet connected"
        self.heard = 0.0
        self.wake = asyncio.Event()

    def status(self, up: bool, why: str, now: float) -> None:
        self.up, self.why, self.since = up, why, now


def whole(
    step: Callable[Concatenate[Station, _P], Coroutine[Any, Any, _R]],
) -> Callable[Concatenate[Station, _P], Coroutine[Any, Any, _R]]:
    """A step that is never left half done: who waits for it may be cancelled, the step goes on, so that
    memory follows what is written."""

    async def run(station: Station, /, *args: _P.args, **more: _P.kwargs) -> _R:
        return await asyncio.shield(asyncio.ensure_future(step(station, *args, **more)))

    return functools.update_wrapper(run, step)


class Station:
    """The centre's state, in memory as on disk. Build it on an open journal; `restore` fills it."""

    def __init__(
        self, config: Config, journal: Journal, clock: Callable[[], float] = time.time
    ) -> None:
        self.config = config
        self.journal = journal
        self.clock = clock
        self.plan = Plan(config)
        self.circuits = {each.name: CircuitState(each) for each in config.circuit}
        self.duties: dict[int, Duty] = {}
        self.here = Queue()
        self.operator: OrderedDict[int, Duty] = OrderedDict()
        self.held: OrderedDict[int, Duty] = OrderedDict()
        self.awaited: dict[tuple[str, str], Awaited] = {}
        self.values: dict[str, str] = {}
        self.delivering = asyncio.Event()
        self.events: list[Callable[[str, dict[str, Any]], None]] = []
        self.waited: dict[str, tuple[float, int, list[int]]] = {}
        """By prosign: seconds from acceptance to the first byte in all, how many, how many within each of
        `WAIT_BUCKETS`."""
        self.count: dict[str, int] = {}
        self.trouble: str | None = None
        self._seen: OrderedDict[str, dict[str, tuple[str, int]]] = OrderedDict()
        self._message = self._duty = 0
        self.restore()

    # State

    def restore(self) -> None:
        """Take the state from the journal: at the start, and after a commit that failed."""
        self._message, self._duty = self.journal.last_ids()
        self.values = self.journal.values()
        self.awaited = {(each.kind, each.name): each for each in self.journal.awaited()}
        self.duties.clear()
        self.here, self.operator, self.held = Queue(), OrderedDict(), OrderedDict()
        self._seen.clear()
        for circuit in self.circuits.values():
            circuit.queue, circuit.flight = Queue(), OrderedDict()
        for duty in self.journal.duties():
            self.duties[duty.id] = duty
            self.place(duty)

    def place(self, duty: Duty) -> None:
        """Put a duty where it waits."""
        if duty.circuit == LOCAL:
            self.here.add(duty)
            self.delivering.set()
        elif duty.circuit == OPERATOR:
            self.operator[duty.id] = duty
        elif duty.circuit == HELD:
            self.held[duty.id] = duty
        elif (circuit := self.circuits.get(duty.circuit)) is not None:
            if duty.hop is not None:
                circuit.flight[duty.id] = duty
            else:
                circuit.queue.add(duty)
            circuit.wake.set()
        else:
            # Its circuit is no longer in the configuration: a person decides.
            duty.note = f"its circuit {duty.circuit} is not in the configuration any more"
            self.operator[duty.id] = duty

    def reconfigure(self, config: Config) -> None:
        """Take a new configuration; what waited for a circuit that is gone goes by the new routes."""
        self.config = config
        self.plan = Plan(config)
        old = self.circuits
        self.circuits = {}
        for each in config.circuit:
            state = old.get(each.name) or CircuitState(each)
            state.config = each
            self.circuits[each.name] = state
        for name, state in old.items():
            if name not in self.circuits:
                for duty in [*state.queue, *state.flight.values()]:
                    self.place(duty)
        for duty in list(self.operator.values()):
            if duty.circuit in self.circuits:
                del self.operator[duty.id]
                self.place(duty)

    def tell(self, event: str, **fields: Any) -> None:
        """One line for the log: fields, never a telegram's text."""
        self.count[event] = self.count.get(event, 0) + 1
        for hear in self.events:
            hear(event, fields)

    def next_message(self) -> int:
        self._message += 1
        return self._message

    def new_duty(
        self, message: int, circuit: str, letter: str, routing: tuple[str, ...], **more: Any
    ) -> Duty:
        self._duty += 1
        return Duty(
            self._duty,
            message,
            circuit,
            RANKS.get(letter, 0),
            self.clock(),
            letter,
            routing,
            **more,
        )

    async def commit(self, changes: Changes) -> None:
        """Write it down. What cannot be written has not happened: memory is made what the disk is."""
        changes.set("duty", self._duty)
        try:
            await self.journal.commit(changes)
        except Exception as error:
            if self.trouble is None:
                self.trouble = str(error)
                self.tell("journal.failed", why=str(error))
            raise

    # Taking in

    @whole
    async def accept(self, by: str | None, data: bytes, *, link: int | None = None) -> Accepted:
        """Take on a message from a circuit, or from this station's own people (`by` None).

        It is on disk when this returns, and only then may it be acknowledged. `link` is its number on a
        Reftel link. Raises `Refused` for what nothing can be done with.
        """
        if self.trouble is not None:
            raise Refused("this station cannot write its journal; send again later")
        circuit = self.circuits[by] if by and by in self.circuits else None
        scanned = scan(data)
        now = self.clock()
        changes = Changes()
        number = self.next_message()
        services: list[tuple[str, str, str]] = []
        if circuit is not None:
            circuit.heard = now
            if link is not None:
                self.put(changes, f"link-in:{circuit.config.name}", link)
            services += self._watch_number(circuit, scanned, number, now, changes)
        changes.message(number, now, by or "#desk", scanned.hop, scanned.message, data)
        if scanned.cancelled:
            changes.entry(
                "transmission-cancelled", now, message=number, circuit=by, hop=scanned.hop
            )
            await self.commit(changes)
            return Accepted(number)
        accepted, duties = self._decide(by, scanned, number, now, changes, services)
        for to, letter, text in services:
            duties += self.service(changes, to, letter, text)
        for duty in duties:
            changes.add_duty(duty)
            self.duties[duty.id] = duty
        await self.commit(changes)
        for duty in duties:
            self.place(duty)
        self.tell(
            "message.accepted",
            message=number,
            name=scanned.message,
            circuit=by,
            hop=scanned.hop,
            precedence=scanned.letter,
            bytes=len(data),
        )
        return accepted

    def _watch_number(
        self, circuit: CircuitState, scanned: Scanned, number: int, now: float, changes: Changes
    ) -> list[tuple[str, str, str]]:
        """Hold the channel number against the one expected; the service messages that follow."""
        config = circuit.config
        if config.kind == "mail":
            return []
        here = config.name
        if scanned.number is None:
            changes.entry("number-absent", now, message=number, circuit=here)
            before = int(self.values.get(f"in:{here}", "0"))
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
            return []
        key = f"in:{here}"
        last = int(self.values[key]) if key in self.values else None
        open_here = frozenset(
            int(each.name[3:])
            for each in self.awaited.values()
            if each.kind == "open-number" and each.circuit == here
        )
        today = datetime.fromtimestamp(now, UTC).strftime("%Y%j")
        new_day = config.daily and self.values.get(f"day-in:{here}", today) != today
        if config.daily:
            self.put(changes, f"day-in:{here}", today)
        seen = watch(last, scanned.number, config.digits, open_here, new_day)
        self.put(changes, key, seen.last)
        if seen.verdict != "next":
            changes.entry(
                f"number-{seen.verdict}",
                now,
                message=number,
                circuit=here,
                hop=scanned.hop,
                last=last,
            )
        return self._answer_number(circuit, scanned, seen, number, now, changes)

    def _answer_number(
        self,
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
            services = []
            for missing in seen.missing:
                hop = f"{config.receive}{missing:0{config.digits}d}"
                self.start_waiting(changes, Awaited("open-number", hop, config.name, now, "O"))
                changes.entry("number-open", now, circuit=config.name, hop=hop)
                services.append((config.name, "O", f"ZFX {hop}"))
            return services
        if seen.verdict == "late":
            name = f"{config.receive}{scanned.number:0{config.digits}d}"
            self.stop_waiting(changes, "open-number", name)
            changes.entry(
                "number-closed", now, message=number, circuit=config.name, hop=scanned.hop
            )
        elif seen.verdict == "repeat":
            return [(config.name, "R", f"ZFQ {scanned.hop} {scanned.message or ''}".rstrip())]
        return []

    def _decide(
        self,
        by: str | None,
        scanned: Scanned,
        number: int,
        now: float,
        changes: Changes,
        services: list[tuple[str, str, str]],
    ) -> tuple[Accepted, list[Duty]]:
        """Where a message goes; the duties that follow from it."""
        own = by is None
        cut = next((each for each in scanned.problems if "NNNN" in each), None)
        garbled = cut or (
            None if scanned.routing else "format line 2 names no station that can be read"
        )
        if garbled:
            return self._garbled(by, scanned, garbled, number, now, changes, services)
        name = scanned.message or scanned.content
        held = self._handled(name)
        repeated = {
            indicator
            for indicator in scanned.routing
            if indicator in held and held[indicator][0] == scanned.content
        }
        deliver_again = bool({"ZEL", "ZOV"} & set(scanned.signals)) or "ZFG" in scanned.rest[:400]
        routing = scanned.routing
        if repeated and not own and not deliver_again:
            routing = tuple(each for each in routing if each not in repeated)
            if not routing:
                first = next(held[each][1] for each in scanned.routing)
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
                    services.append(
                        (by, "R", f"{scanned.message} {scanned.hop} DUPLICATE RECEIVED")
                    )
                self.tell("message.duplicate", message=number, of=first, circuit=by, marked=marked)
                return Accepted(number, duplicate=True), []
        letters, exempt = self._roles(scanned)
        if set(routing) & set(self.plan.expanded):
            exempt = self._exempt(scanned)
        routed = self.plan.route(
            routing,
            scanned.letter,
            came_by=by,
            classification=scanned.classification,
            is_up=self._is_up,
            letters=letters,
            exempt=exempt,
        )
        for indicator in routing:
            changes.handle(name, indicator, scanned.content, number)
            held[indicator] = (scanned.content, number)
        duties = [
            self.new_duty(number, way.circuit, way.letter, way.routing) for way in routed.ways
        ]
        if routed.local:
            duties.append(self.new_duty(number, LOCAL, scanned.letter, routed.local))
        elif own:
            # What we send is filed here too; nobody here is asked to read it.
            duties.append(self.new_duty(number, LOCAL, scanned.letter, ()))
        if scanned.message and self.stop_waiting(changes, "repeat", scanned.message):
            changes.entry("repeat-came", now, message=number, circuit=by, hop=scanned.hop)
        if routed.refused:
            duties.append(self._to_operator(scanned, routed, number, services, by))
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
            self.ask_for_a_person(changes, number, scanned.message, "FLASH", now)
        operator = tuple(f"{indicator}: {why}" for indicator, why in routed.refused)
        ways = tuple(way.circuit for way in routed.ways)
        return Accepted(number, ways, bool(routed.local), operator), duties

    def _to_operator(
        self,
        scanned: Scanned,
        routed: Routed,
        number: int,
        services: list[tuple[str, str, str]],
        by: str | None,
    ) -> Duty:
        """What no route serves lies with the operator; its origin is told to protect delivery (426.i)."""
        if by is not None and scanned.message and scanned.inner.station:
            indicators = " ".join(indicator for indicator, _ in routed.refused)
            if not scanned.rest.lstrip().startswith("ZEQ"):
                services.append(
                    (scanned.inner.station, "R", f"ZEQ4 {scanned.message} {indicators}")
                )
        why = "; ".join(f"{indicator}: {why}" for indicator, why in routed.refused)
        refused = tuple(indicator for indicator, _ in routed.refused)
        return self.new_duty(number, OPERATOR, scanned.letter, refused, note=why)

    def _garbled(
        self,
        by: str | None,
        scanned: Scanned,
        why: str,
        number: int,
        now: float,
        changes: Changes,
        services: list[tuple[str, str, str]],
    ) -> tuple[Accepted, list[Duty]]:
        """A message that may not be forwarded lies with the operator, and is asked for again (419)."""
        changes.entry("garbled", now, message=number, circuit=by, hop=scanned.hop, why=why)
        if by is not None and by in self.circuits:
            if scanned.message and scanned.inner.station:
                services.append((scanned.inner.station, scanned.letter, f"{scanned.message} ZES2"))
                wanted = scanned.message
            else:
                hop = scanned.hop or f"{self.circuits[by].config.receive}"
                services.append((by, scanned.letter, f"INT ZDK {hop}"))
                wanted = hop
            self.start_waiting(changes, Awaited("repeat", wanted, by, now, scanned.letter))
        duty = self.new_duty(
            number, OPERATOR, scanned.letter, scanned.routing, note=f"garbled: {why}"
        )
        return Accepted(number, operator=(why,)), [duty]

    def _handled(self, name: str) -> dict[str, tuple[str, int]]:
        """For which stations a message was taken on before."""
        if (found := self._seen.get(name)) is None:
            found = self.journal.handled(name)
            self._seen[name] = found
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return found

    def _roles(self, scanned: Scanned) -> tuple[Mapping[str, str] | None, frozenset[str]]:
        """With dual precedence, the prosign that each station of the routing line deserves (152)."""
        if not scanned.dual:
            return None, frozenset()
        telegram = self._telegram(scanned)
        if telegram is None or telegram.precedence is None or telegram.info_precedence is None:
            return None, frozenset()
        lower = letter_of(telegram.info_precedence)
        letters = dict.fromkeys(self._indicators(telegram.info), lower)
        higher = letter_of(telegram.precedence)
        letters |= dict.fromkeys(self._indicators(telegram.action), higher)
        return letters, frozenset()

    def _exempt(self, scanned: Scanned) -> frozenset[str]:
        """Routing indicators whose addressees are all exempted by format line 9."""
        telegram = self._telegram(scanned)
        if telegram is None or not telegram.exempt:
            return frozenset()
        named = {"".join(each.name.split()) for each in telegram.exempt}
        found = set()
        for indicator in self._indicators(telegram.exempt):
            served = self.config.directory.served_by(indicator)
            stations = [each for each in served if each.kind == "station"]
            if all("".join(each.name.upper().split()) in named for each in stations):
                found.add(indicator)
        return frozenset(found)

    def _indicators(self, addressees: tuple[Any, ...]) -> list[str]:
        found = []
        for each in addressees:
            entry = self.config.directory.named(each.name)
            indicator = each.routing_indicator or (entry.routing_indicator if entry else None)
            if indicator:
                found.append(indicator)
        return found

    @staticmethod
    def _telegram(scanned: Scanned) -> Telegram | None:
        try:
            return reftel.read(scanned.rest)
        except reftel.NotATelegram:
            return None

    def _is_up(self, circuit: str) -> bool:
        state = self.circuits.get(circuit)
        return state is not None and state.up

    # Awaiting

    def put(self, changes: Changes, name: str, value: object) -> None:
        """A counter or the like, in memory and in the same commit on disk."""
        self.values[name] = str(value)
        changes.set(name, value)

    def start_waiting(self, changes: Changes, awaited: Awaited) -> None:
        self.awaited[awaited.kind, awaited.name] = awaited
        changes.await_answer(awaited)

    def stop_waiting(self, changes: Changes, kind: str, name: str) -> Awaited | None:
        awaited = self.awaited.pop((kind, name), None)
        if awaited is not None:
            changes.end_awaited(kind, name)
        return awaited

    def ask_for_a_person(
        self, changes: Changes, message: int, name: str | None, why: str, now: float
    ) -> None:
        """FLASH and NIACT need a person's acknowledgement, whatever the hour (FAH-2 H-421.1)."""
        key = str(message)
        detail = {"message": message, "name": name, "why": why}
        self.start_waiting(changes, Awaited("person", key, LOCAL, now, "Z", 0, detail))
        self.tell("person.wanted", message=message, name=name, why=why)

    # Service messages

    def service(self, changes: Changes, to: str, letter: str, text: str) -> list[Duty]:
        """A service message to a neighbour (by circuit) or a station (by routing indicator): in the
        journal as any message, and the duties that send it."""
        now = self.clock()
        neighbour = self.circuits.get(to)
        ours = self.config.station.routing_indicator
        filed = self.filed()
        self.tell("service.made", to=to, signal=text.split()[0])
        if neighbour is None:
            serial = self.next_serial(changes)
            body = (
                f"{letter}{letter} {to}\nDE {ours} {serial} {filed}\nZNR UUUUU\nBT\n"
                f"UNCLAS SVC {text}\nBT"
            )
            return self.own_message(changes, body + ENDING, (to,), letter, "UNCLASSIFIED")
        number = self.next_message()
        station = neighbour.config.station or to
        body = f"{letter}{letter} {station}\nDE {ours} {filed}\nZNR UUUUU\n{text}"
        changes.message(
            number, now, _GENERATED, None, None, (body + ENDING).encode("ascii", "replace")
        )
        changes.entry("service-made", now, message=number, circuit=to, text=text)
        return [self.new_duty(number, to, letter, (station,))]

    def filed(self) -> str:
        """The time of filing that format line 3 bears now: day of the year, hours and minutes, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%j%H%M")

    def own_message(
        self,
        changes: Changes,
        text: str,
        to: tuple[str, ...],
        letter: str,
        classification: str | None,
    ) -> list[Duty]:
        """A message made here for some stations: in the journal, and the duties that send it."""
        number = self.next_message()
        changes.message(
            number, self.clock(), _GENERATED, None, None, text.encode("latin-1", "replace")
        )
        changes.entry("service-made", self.clock(), message=number, to=" ".join(to))
        routed = self.plan.route(
            to, letter, came_by=None, classification=classification, is_up=self._is_up
        )
        duties = [self.new_duty(number, w.circuit, letter, w.routing) for w in routed.ways]
        for indicator, why in routed.refused:
            note = f"service message for {indicator}: {why}"
            duties.append(self.new_duty(number, OPERATOR, letter, (indicator,), note=note))
        return duties

    def went(self, message: int, circuit: str) -> tuple[str, tuple[str, ...]] | None:
        """Prosign and stations with which a message went over a circuit."""
        for entry in self.journal.entries(message=message):
            ways = entry.detail.get("ways", {})
            if circuit in ways:
                scanned = scan(self.journal.bytes_of(message))
                return scanned.letter, tuple(ways[circuit].split())
        row = self.journal.message(message)
        if row is not None and row[1] == _GENERATED:
            scanned = scan(self.journal.bytes_of(message))
            return scanned.letter, scanned.routing
        return None

    def missing_up_to(self, changes: Changes, circuit: CircuitState, last: int) -> list[Duty]:
        """The neighbour has sent numbers that did not come: they are open, and said to be (`ZFX`)."""
        config = circuit.config
        here = self.values.get(f"in:{config.name}")
        if here is None or not 0 < (last - int(here)) % int("9" * config.digits) <= 500:
            return []
        duties: list[Duty] = []
        number = int(here)
        while number != last:
            number = after(number, config.digits)
            hop = f"{config.receive}{number:0{config.digits}d}"
            self.start_waiting(changes, Awaited("open-number", hop, config.name, self.clock(), "O"))
            changes.entry("number-open", self.clock(), circuit=config.name, hop=hop)
            duties += self.service(changes, config.name, "O", f"ZFX {hop}")
        self.put(changes, f"in:{config.name}", last)
        return duties

    def drop(self, duty: Duty, changes: Changes) -> None:
        """A duty that is no longer to be done."""
        if (circuit := self.circuits.get(duty.circuit)) is not None:
            circuit.queue.remove(duty)
            circuit.flight.pop(duty.id, None)
        self.here.remove(duty)
        self.operator.pop(duty.id, None)
        self.held.pop(duty.id, None)
        self.duties.pop(duty.id, None)
        changes.end_duty(duty.id)

    async def send_service(self, to: str, letter: str, text: str) -> int:
        """Make and queue a service message; its number in the journal."""
        changes = Changes()
        duties = self.service(changes, to, letter, text)
        await self.enqueue(changes, duties)
        return self._message

    @whole
    async def enqueue(self, changes: Changes, duties: list[Duty]) -> None:
        """Write new duties down and put them where they wait."""
        for duty in duties:
            changes.add_duty(duty)
            self.duties[duty.id] = duty
        await self.commit(changes)
        for duty in duties:
            self.place(duty)

    def next_serial(self, changes: Changes) -> str:
        """The next station serial number (ACP 127 115, 129)."""
        number = after(int(self.values.get("serial", "0")), 4)
        self.put(changes, "serial", number)
        return f"{number:04d}"

    # Sending

    async def next_transmissions(self, name: str, most: int) -> list[Transmission]:
        """The next messages for a circuit, in order of precedence, numbered, the numbers on disk.

        Empty when nothing waits. Each has a channel number and, on a Reftel link, a link number.
        """
        circuit = self.circuits[name]
        config = circuit.config
        changes = Changes()
        now = self.clock()
        taken: list[Transmission] = []
        while len(taken) < most and (duty := circuit.queue.take()) is not None:
            if duty.id not in self.duties:
                continue
            duty.hop = self._next_hop(circuit, changes, now)
            if config.kind == "stream" and config.link:
                duty.link = int(self.values.get(f"link-out:{name}", "0")) + 1
                self.put(changes, f"link-out:{name}", duty.link)
            transmission = self.build(circuit, duty, changes)
            if transmission is None:
                continue
            circuit.flight[duty.id] = duty
            changes.change_duty(duty)
            changes.entry(
                "sending", now, message=duty.message, circuit=name, hop=duty.hop, pilot=duty.pilot
            )
            taken.append(transmission)
        if changes:
            await self.commit(changes)
        return taken

    def _next_hop(self, circuit: CircuitState, changes: Changes, now: float) -> str:
        config = circuit.config
        key = f"out:{config.name}"
        last = int(self.values.get(key, "0"))
        if config.daily:
            today = datetime.fromtimestamp(now, UTC).strftime("%Y%j")
            if self.values.get(f"day-out:{config.name}") != today:
                self.put(changes, f"day-out:{config.name}", today)
                last = 0
        number = after(last, config.digits)
        self.put(changes, key, number)
        return f"{config.send or 'XYZ'}{number:0{config.digits}d}"

    def build(self, circuit: CircuitState, duty: Duty, changes: Changes) -> Transmission | None:
        """The bytes of a transmission that has its numbers: the same whenever it is built again."""
        try:
            data = self.journal.bytes_of(duty.message)
        except JournalError as error:
            # A damaged message goes to nobody, and is not dropped.
            self._cannot_go(duty, f"damaged in the journal: {error}", "damaged", changes)
            return None
        assert duty.hop is not None
        text = onward(scan(data), duty.hop, duty.routing, duty.letter, duty.pilot)
        try:
            return Transmission(duty, bytes_for(text, circuit.config.code))
        except NotITA2Error as error:
            self._cannot_go(
                duty, f"the circuit's code cannot carry it: {error}", "not-sent", changes
            )
            return None

    def _cannot_go(self, duty: Duty, why: str, kind: str, changes: Changes) -> None:
        """A duty that no circuit can fulfil lies with the operator; its number is used."""
        changes.entry(
            kind, self.clock(), message=duty.message, circuit=duty.circuit, hop=duty.hop, why=why
        )
        duty.circuit, duty.note = OPERATOR, why
        duty.hop = duty.link = None
        changes.change_duty(duty)
        self.operator[duty.id] = duty

    def note_start(self, duty: Duty) -> None:
        """The first byte of a transmission leaves now: how long it took from acceptance."""
        took = self.clock() - duty.at
        total, count, buckets = self.waited.get(duty.letter, (0.0, 0, [0] * len(WAIT_BUCKETS)))
        for at, limit in enumerate(WAIT_BUCKETS):
            buckets[at] += took <= limit
        self.waited[duty.letter] = (total + took, count + 1, buckets)

    @property
    def last_message(self) -> int:
        """The number of the newest message."""
        return self._message

    @whole
    async def arrived(self, name: str, duties: list[Duty]) -> None:
        """These are safe at the other end: nothing more is to be done for them on this circuit."""
        circuit = self.circuits[name]
        changes = Changes()
        now = self.clock()
        for duty in duties:
            circuit.flight.pop(duty.id, None)
            if self.duties.pop(duty.id, None) is None:
                continue
            changes.end_duty(duty.id)
            changes.entry("sent", now, message=duty.message, circuit=name, hop=duty.hop)
            self.tell("message.sent", message=duty.message, circuit=name, hop=duty.hop)
        if changes:
            await self.commit(changes)

    async def arrived_to(self, name: str, link: int) -> None:
        """The other end has stored everything up to this link number."""
        flight = self.circuits[name].flight
        await self.arrived(
            name, [d for d in flight.values() if d.link is not None and d.link <= link]
        )

    @whole
    async def interrupted(self, name: str, duties: list[Duty], *, whole: bool, why: str) -> None:
        """Transmissions that broke off. Their numbers are used; they go again under new ones, marked as
        perhaps sent before (ACP 127 427) if the whole of one may have arrived."""
        changes = Changes()
        now = self.clock()
        circuit = self.circuits.get(name)
        for duty in reversed(duties):
            if duty.id not in self.duties:
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
            if whole and duty.pilot is None:
                duty.pilot = f"ZFD {self.config.station.routing_indicator}"
            duty.hop = duty.link = None
            changes.change_duty(duty)
        if changes:
            await self.commit(changes)
        for duty in reversed(duties):
            if duty.id in self.duties and circuit is not None:
                circuit.queue.put_back(duty)
                circuit.wake.set()

    async def refused_there(self, name: str, duty: Duty, why: str) -> None:
        """The other end will not have a message: the operator decides."""
        self.circuits[name].flight.pop(duty.id, None)
        await self.to_operator(
            duty, f"refused by {self.circuits[name].config.station or name}: {why}"
        )

    @whole
    async def to_operator(self, duty: Duty, why: str) -> None:
        changes = Changes()
        if (circuit := self.circuits.get(duty.circuit)) is not None:
            circuit.queue.remove(duty)
            circuit.flight.pop(duty.id, None)
        changes.entry(
            "to-operator", self.clock(), message=duty.message, circuit=duty.circuit, why=why
        )
        duty.circuit, duty.note = OPERATOR, why
        duty.hop = duty.link = None
        changes.change_duty(duty)
        await self.commit(changes)
        self.operator[duty.id] = duty

    # Alternates

    @whole
    async def circuit_changed(self, name: str, up: bool, why: str) -> None:
        """A circuit went up or down: what waits goes over the best that is up, in its old order."""
        circuit = self.circuits.get(name)
        if circuit is None or (circuit.up == up and circuit.why == why):
            return
        changed = circuit.up != up
        circuit.status(up, why, self.clock())
        if not changed:
            return
        self.tell("circuit.up" if up else "circuit.down", circuit=name, why=why)
        changes = Changes()
        changes.entry("circuit-up" if up else "circuit-down", self.clock(), circuit=name, why=why)
        await self.commit(changes)
        circuit.wake.set()
        await self.replan()

    @whole
    async def replan(self) -> None:
        """Move waiting duties to the circuits that the routing table now says."""
        waiting = [duty for state in self.circuits.values() for duty in state.queue]
        changed: set[str] = set()
        for start in range(0, len(waiting), 256):
            changes = Changes()
            moved: list[Duty] = []
            for duty in waiting[start : start + 256]:
                if duty.id in self.duties and duty.hop is None and duty in self._queue_of(duty):
                    moved += self._better_way(duty, changes)
            if changes:
                await self.commit(changes)
            for new in moved:
                self.duties[new.id] = new
                self.place(new)
                changed.add(new.circuit)
            await asyncio.sleep(0)
        for name in changed & set(self.circuits):
            self.circuits[name].queue.sort()

    def _queue_of(self, duty: Duty) -> Queue:
        state = self.circuits.get(duty.circuit)
        return state.queue if state is not None else Queue()

    def _better_way(self, duty: Duty, changes: Changes) -> list[Duty]:
        """The duties that take a waiting one's place, which is taken out at once: nobody may begin to send
        it while this is written down."""
        row = self.journal.message(duty.message)
        if row is None or duty.circuit not in self.circuits:
            return []
        first = {self._first_up(indicator, row[1]) for indicator in duty.routing}
        if first <= {duty.circuit, None}:
            return []
        scanned = scan(self.journal.bytes_of(duty.message))
        if not scanned.message and row[1] == _GENERATED:
            # Service messages between neighbours mean this circuit and no other.
            return []
        routed = self.plan.route(
            duty.routing,
            duty.letter,
            came_by=row[1],
            classification=scanned.classification,
            is_up=self._is_up,
        )
        if routed.refused or {way.circuit for way in routed.ways} <= {duty.circuit}:
            return []
        changes.end_duty(duty.id)
        self._queue_of(duty).remove(duty)
        del self.duties[duty.id]
        ways = {way.circuit: " ".join(way.routing) for way in routed.ways}
        changes.entry(
            "rerouted", self.clock(), message=duty.message, circuit=duty.circuit, ways=ways
        )
        moved = []
        for way in routed.ways:
            new = self.new_duty(
                duty.message, way.circuit, duty.letter, way.routing, pilot=duty.pilot
            )
            new.at = duty.at
            changes.add_duty(new)
            moved.append(new)
        self.tell("message.rerouted", message=duty.message, ways=sorted(ways))
        return moved

    def _first_up(self, indicator: str, came_by: str) -> str | None:
        known = [each for each in self.plan.circuits(indicator) if each != came_by]
        return next((each for each in known if self._is_up(each)), known[0] if known else None)

    # Recovering

    async def recover(self) -> bool:
        """Try to write again after a failure; the state is then what the journal says."""
        changes = Changes()
        changes.entry("journal-writes-again", self.clock(), why=self.trouble)
        try:
            await self.journal.commit(changes)
        except Exception:
            return False
        self.restore()
        self.trouble = None
        self.tell("journal.writes-again")
        return True
