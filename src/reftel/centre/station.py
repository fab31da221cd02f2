"""One station's whole state: what waits where, the last numbers, what is awaited; in memory as on disk.

`accepting`, `sending`, `services` and `desk` change it: what one step changes is in one `Changes`, committed
before the caller hears of it. Sockets and files are the transports' affair; the clock is passed in.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from reftel.centre.config import CircuitConfig, Config
from reftel.centre.journal import Changes, Journal, Told, settle
from reftel.centre.journalfile import HELD, LOCAL, OPERATOR, Awaited, Duty, JournalError, stations
from reftel.centre.known import KnownNames
from reftel.centre.numbers import after
from reftel.centre.queues import Queue
from reftel.centre.route import Plan
from reftel.centre.scan import RANKS

WAIT_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 600.0, 1800.0, 10800.0, 21600.0)
"""Seconds; upper ends of the counts of `Station.waited`."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


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
        self.stored = 0
        """The highest link number of the other end's that is on disk here."""

    def status(self, up: bool, why: str, now: float) -> None:
        if up != self.up:
            self.since = now
        self.up, self.why = up, why


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
        self.replanning = False
        """A way was opened: what waits is to be looked at again."""
        self._being_written: dict[str, tuple[int, dict[tuple[str, str], int]]] = {}
        self._known = KnownNames()
        self._message = self._duty = 0
        self.restore()

    def restore(self) -> None:
        """Take the state from the journal: at the start, and after a commit that failed."""
        message, duty_id = self.journal.last_ids()
        # Numbers given to what failed are not given again: who holds them may still act.
        self._message, self._duty = max(self._message, message), max(self._duty, duty_id)
        self.values = self.journal.values()
        self.awaited = {(each.kind, each.name): each for each in self.journal.awaited()}
        self.duties.clear()
        self.here, self.operator, self.held = Queue(), OrderedDict(), OrderedDict()
        self._being_written.clear()
        self._known = KnownNames(self.journal.handled_names())
        for circuit in self.circuits.values():
            circuit.since = circuit.since or self.clock()
            circuit.queue, circuit.flight = Queue(), OrderedDict()
            circuit.stored = int(self.values.get(f"link-in:{circuit.config.name}", "0"))
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
        """Take a new configuration. What waited for a circuit that is gone is for `sending.replan`."""
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
            stations(" ".join(routing)),
            **more,
        )

    async def commit(self, changes: Changes) -> None:
        """Write it down. What cannot be written has not happened: memory is made what the disk is."""
        if self.trouble is not None:
            raise JournalError(self.trouble)
        changes.set("duty", self._duty)
        try:
            await self.journal.commit(changes)
        except Exception as error:
            self.fail(str(error))
            raise

    def write(self, changes: Changes, told: Told) -> None:
        """The same without waiting: `told` hears when it is on disk, or why it is not."""

        def hear(error: Exception | None) -> None:
            if error is not None:
                self.fail(str(error))
            told(error)

        if self.trouble is not None:
            raise JournalError(self.trouble)
        changes.set("duty", self._duty)
        self.journal.write(changes, hear)

    def fail(self, why: str) -> None:
        """A step broke off half done: nothing is taken or sent until the state is what the journal says."""
        if self.trouble is None:
            self.trouble = why
            self.tell("journal.failed", why=why)

    def handled(self, name: str) -> dict[tuple[str, str], int]:
        """For which stations a message was taken on before: (routing indicator, content) → message."""
        if (found := self._being_written.get(name)) is not None:
            return found[1]
        return self.journal.handled(name) if name in self._known else {}

    def handle(
        self,
        changes: Changes,
        name: str,
        held: dict[tuple[str, str], int],
        routing: tuple[str, ...],
        content: str,
        message: int,
    ) -> None:
        """A message is taken on for some stations beside those that `handled` named (`held`);
        `handle_written` when that is on disk."""
        count = self._being_written[name][0] if name in self._being_written else 0
        for indicator in routing:
            changes.handle(name, indicator, content, message)
            held[indicator, content] = message
        self._being_written[name] = (count + 1, held)
        self._known.add(name)

    def handle_written(self, name: str) -> None:
        if (found := self._being_written.pop(name, None)) is not None and found[0] > 1:
            self._being_written[name] = (found[0] - 1, found[1])

    def is_up(self, circuit: str) -> bool:
        state = self.circuits.get(circuit)
        return state is not None and state.up

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

    def filed(self) -> str:
        """The time of filing that format line 3 bears now: day of the year, hours and minutes, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%j%H%M")

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

    async def enqueue(self, changes: Changes, duties: list[Duty]) -> None:
        """Write new duties down and put them where they wait. The changes are handed over at once: what the
        caller changed in memory before must not outlive a recovery that comes between."""
        for duty in duties:
            changes.add_duty(duty)
            self.duties[duty.id] = duty
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def written(error: Exception | None) -> None:
            if error is None:
                for duty in duties:
                    self.place(duty)
            settle(done, error)

        self.write(changes, written)
        await done

    def next_serial(self, changes: Changes) -> str:
        """The next station serial number (ACP 127 115, 129)."""
        number = after(int(self.values.get("serial", "0")), 4)
        self.put(changes, "serial", number)
        return f"{number:04d}"

    @property
    def last_message(self) -> int:
        """The number of the newest message."""
        return self._message

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

    async def recover(self) -> bool:
        """Try to write again after a failure; the state is then what the journal says."""
        changes = Changes()
        changes.entry("journal-writes-again", self.clock(), why=self.trouble)
        try:
            self.journal.mend()
            self.journal.resume()
            await self.journal.commit(changes)
        except Exception:
            return False
        self.restore()
        self.trouble = None
        self.tell("journal.writes-again")
        return True
