"""The state of a centre at one moment: what the terminal, the page, the metrics and the health check show."""

from __future__ import annotations

import shutil
from typing import Any

import msgspec

from reftel.centre.station import Station
from reftel.centre.told import span
from reftel.read.dtg import PRECEDENCES

_LETTERS = ("Y", "Z", "O", "P", "R")
_LEAST_FREE_BYTES = 50_000_000


class Waiting(msgspec.Struct, frozen=True):
    """How many wait with one precedence, and for how long the oldest does, in seconds."""

    precedence: str
    count: int
    oldest_s: float


class CircuitStatus(msgspec.Struct, frozen=True):
    name: str
    kind: str
    station: str | None
    up: bool
    why: str
    since: float
    waiting: tuple[Waiting, ...]
    on_the_way: int
    last_in: str | None
    last_out: str | None
    heard: float


class Alert(msgspec.Struct, frozen=True):
    """Something that a person should know: how grave (`late` before `soon`), what, and where."""

    grave: bool
    what: str
    message: int | None = None
    circuit: str | None = None
    acknowledge: bool = False
    """Whether a person's acknowledgement of the message ends it."""


class Pruned(msgspec.Struct, frozen=True):
    """When what had been kept long enough last left the journal, and how much it was."""

    at: float
    texts: int
    entries: int


class Status(msgspec.Struct, frozen=True):
    station: str
    routing_indicator: str
    at: float
    messages: int
    circuits: tuple[CircuitStatus, ...]
    here: int
    operator: int
    held: int
    awaited: tuple[dict[str, Any], ...]
    alerts: tuple[Alert, ...]
    trouble: str | None
    head: str
    pruned: Pruned | None = None

    @property
    def healthy(self) -> bool:
        return self.trouble is None


def status(station: Station) -> Status:
    """Take stock. It does not grow with what waits."""
    now = station.clock()
    config = station.config
    number, head = station.journal.head()
    return Status(
        station=config.station.name,
        routing_indicator=config.station.routing_indicator,
        at=now,
        messages=station.last_message,
        circuits=tuple(_circuit(station, name, now) for name in station.circuits),
        here=len(station.here),
        operator=len(station.operator),
        held=len(station.held),
        awaited=tuple(
            {
                "kind": each.kind,
                "name": each.name,
                "circuit": each.circuit.lstrip("#"),
                "age_s": round(now - each.at, 1),
                "reminded": each.reminded,
                **each.detail,
            }
            for each in station.awaited.values()
        ),
        alerts=tuple(alerts(station)),
        trouble=station.trouble,
        head=f"{number}:{head}",
        pruned=_pruned(station),
    )


def _pruned(station: Station) -> Pruned | None:
    if (at := station.values.get("pruned-at")) is None:
        return None
    texts, entries = station.values.get("pruned", "0 0").split()
    return Pruned(float(at), int(texts), int(entries))


def _circuit(station: Station, name: str, now: float) -> CircuitStatus:
    state = station.circuits[name]
    config = state.config
    waiting = tuple(
        Waiting(PRECEDENCES[letter], count, round(now - oldest.at, 3) if oldest else 0.0)
        for letter, (count, oldest) in zip(_LETTERS, state.queue.lengths(), strict=True)
        if count
    )

    def number(way: str, channel: str | None) -> str | None:
        value = station.values.get(f"{way}:{name}")
        return f"{channel or ''}{int(value):0{config.digits}d}" if value else None

    return CircuitStatus(
        name,
        config.kind,
        config.station,
        state.up,
        state.why,
        state.since,
        waiting,
        len(state.flight),
        number("in", config.receive),
        number("out", config.send or "XYZ"),
        state.heard,
    )


def alerts(station: Station) -> list[Alert]:
    """What needs a person, the gravest first."""
    now = station.clock()
    found: list[Alert] = []
    if station.trouble is not None:
        found.append(Alert(True, f"the journal cannot be written: {station.trouble}"))
    found += [Alert(True, f"at the start: {each}") for each in station.journal.found]
    free = shutil.disk_usage(station.journal.path.parent).free
    if free < _LEAST_FREE_BYTES:
        found.append(Alert(True, f"{free // 1_000_000} MB are free on the journal's disk"))
    if days := station.values.get("clock-leapt"):
        what = (
            f"the clock went {days} days ahead: nothing leaves the journal until a person says so"
        )
        found.append(Alert(False, what))
    for awaited in station.awaited.values():
        if awaited.kind == "person":
            name = awaited.detail.get("name") or f"message {awaited.name}"
            why = awaited.detail.get("why", "FLASH")
            what = f"{why} {name} waits for a person's acknowledgement"
            found.append(Alert(True, what, int(awaited.name), acknowledge=True))
        elif awaited.kind == "open-number":
            found.append(
                Alert(False, f"number {awaited.name} did not come", circuit=awaited.circuit)
            )
        elif awaited.kind == "repeat":
            of = awaited.name.removeprefix("PART OF ")
            what = f"a {'repeat' if of == awaited.name else 'part'} of {of} is awaited"
            found.append(Alert(awaited.reminded > 1, what, circuit=awaited.circuit))
        elif awaited.kind == "receipt" and now - awaited.at >= station.config.objectives.flash:
            what = (
                f"FLASH {awaited.detail.get('of')} went as {awaited.name}, and no receipt has come"
            )
            number = awaited.detail.get("message")
            found.append(Alert(True, what, number, awaited.circuit))
        elif awaited.kind == "continuity":
            found.append(Alert(False, f"telegram {awaited.name} to us did not come"))
    objectives = station.config.objectives
    limits = (
        objectives.flash,
        objectives.flash,
        objectives.immediate,
        objectives.priority,
        objectives.routine,
    )
    for name, state in station.circuits.items():
        for letter, limit, (count, oldest) in zip(
            _LETTERS, limits, state.queue.lengths(), strict=True
        ):
            if oldest is None:
                continue
            age = now - oldest.at
            if age >= limit * objectives.warn_at:
                late = age >= limit
                word = "are late" if late else "are about to be late"
                what = f"{PRECEDENCES[letter]} telegrams for {name} {word}: the oldest of {count} waits"
                found.append(Alert(late, f"{what} {span(age)}", oldest.message, name))
        if not state.up:
            found.append(Alert(len(state.queue) > 0, f"{name} is down: {state.why}", circuit=name))
    if station.operator:
        count = len(station.operator)
        what = f"{count} {'message waits' if count == 1 else 'messages wait'} for a decision"
        found.append(Alert(False, what, circuit="operator"))
    return sorted(found, key=lambda alert: not alert.grave)
