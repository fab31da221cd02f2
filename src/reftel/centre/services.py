"""Service messages that this station makes, and the clock that follows up what nobody answers.

What others say is for `answering` (ACP 127 401-438; wire-format.md 10).
"""

from __future__ import annotations

import itertools
import re
import textwrap
from datetime import UTC, datetime

from reftel.centre.journal import Changes
from reftel.centre.journalfile import GENERATED, OPERATOR, Awaited, Duty
from reftel.centre.numbers import FARTHEST, after, cycle
from reftel.centre.scan import ENDING, Scanned
from reftel.centre.station import CircuitState, Station

FOLLOW_UP_S = {"Y": 3600.0, "Z": 3600.0, "O": 7200.0, "P": 28800.0, "R": 57600.0}
"""After how long a request that nobody answered is made again (419.f); FLASH: ours."""

LINE = 69
"""Characters of a line (138.f)."""
_FIRST_WORDS = {
    "UNCLASSIFIED": "UNCLAS",
    "CONFIDENTIAL": "C O N F I D E N T I A L",
    "SECRET": "S E C R E T",
    "TOP SECRET": "T O P S E C R E T",
}
_AGAIN = ("ZAR2", "ZAR3")
_SIGNAL = re.compile(r"\b[QZ][A-Z]{2}[0-9]?\b|\bCHANNEL CHECK\b")
_LOOKED_AT = 1000
_ASKED_EVERY_S = 3600.0
_SINGLY, _IN_A_LINE = 4, 6
"""So many open numbers are told one by one; more go together, so many in a message."""


def make(
    station: Station,
    changes: Changes,
    to: str,
    letter: str,
    text: str,
    called: str | None = None,
) -> list[Duty]:
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
            f"{lines(f'UNCLAS SVC {text}')}\nBT"
        )
        return own_message(station, changes, body + ENDING, (to,), letter, "UNCLASSIFIED")
    number = station.next_message()
    called = called or neighbour.config.station or to
    body = f"{letter}{letter} {called}\nDE {ours} {filed}\nZNR UUUUU\n{lines(text)}"
    changes.message(number, now, GENERATED, None, None, (body + ENDING).encode("ascii", "replace"))
    changes.entry("service-made", now, message=number, circuit=to, text=text)
    return [station.new_duty(number, to, letter, (called,))]


def lines(text: str) -> str:
    """A service text in lines of 69 characters (138.f)."""
    return textwrap.fill(text, LINE, break_long_words=False, break_on_hyphens=False)


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


def classified(
    station: Station, changes: Changes, to: str, letter: str, text: str, inner: Scanned
) -> list[Duty]:
    """A service message that has words of another's text, and so its classification (406)."""
    level = inner.classification or "TOP SECRET"
    word = _FIRST_WORDS.get(level, level)
    serial, ours = station.next_serial(changes), station.config.station.routing_indicator
    body = (
        f"{letter}{letter} {to}\nDE {ours} {serial} {station.filed()}\n"
        f"{inner.inner.security or 'ZNY TTTTT'}\nBT\n{lines(f'{word} SVC {text}')}\nBT"
    )
    return own_message(station, changes, body + ENDING, (to,), letter, level)


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


def reroute(
    station: Station, changes: Changes, message: int, scanned: Scanned, to: str, name: str
) -> list[Duty]:
    """A message with a wrong routing indicator goes on to the right one, piloted, and its origin is told
    (`ZOV`, `ZEQ3`, 426.e and f)."""
    now = station.clock()
    changes.entry("misrouted", now, message=message, to=to)
    station.tell("message.misrouted", message=message, to=to)
    routed = station.plan.route(
        (to,),
        scanned.letter,
        came_by=None,
        classification=scanned.classification,
        is_up=station.is_up,
    )
    pilot = f"ZOV {station.config.station.routing_indicator}"
    duties = [
        station.new_duty(message, way.circuit, way.letter, way.routing, pilot=pilot)
        for way in routed.ways
    ]
    for indicator, why in routed.refused:
        note = f"misrouted, and {indicator}: {why}"
        duties.append(station.new_duty(message, OPERATOR, scanned.letter, (indicator,), note=note))
    if scanned.message and scanned.inner.station:
        at = datetime.fromtimestamp(now, UTC)
        text = f"ZEQ3 {scanned.message} {to} {name} {at:%d%H%M}Z"
        duties += make(station, changes, scanned.inner.station, "R", text)
    return duties


def missing_up_to(
    station: Station, changes: Changes, circuit: CircuitState, last: int
) -> list[Duty]:
    """The neighbour has sent numbers that did not come: they are open, and said to be (`ZFX`)."""
    config = circuit.config
    here = station.values.get(f"in:{config.name}")
    if here is None or not 0 < (last - int(here)) % cycle(config.digits) <= FARTHEST:
        return []
    hops: list[str] = []
    number = int(here)
    while number != last:
        number = after(number, config.digits)
        hops.append(f"{config.receive}{number:0{config.digits}d}")
    station.put(changes, f"in:{config.name}", last)
    texts = open_numbers(station, changes, circuit, hops)
    return make_all(station, changes, [(config.name, "O", text) for text in texts])


async def send(
    station: Station, to: str, letter: str, text: str, who: str, called: str | None = None
) -> int:
    """Make and queue a service message that a person asks for: to the other end of a circuit, or to a
    station; `called` is in its routing line instead of the neighbour. Its number in the journal.
    Raises `ValueError` for what may not be sent (102, 404)."""
    plain = " ".join(text.upper().split())
    if wrong := re.search(r"[^A-Z0-9 \-?:().,/]", plain):
        raise ValueError(
            f"{wrong[0]!r} cannot be sent; a service message has letters, digits, blanks and - ? : ( ) . , /"
        )
    if not _SIGNAL.search(plain):
        raise ValueError(
            f"{plain or 'an empty text'!r} has no operating signal; a service message asks or says"
            " something by one, as ZID, and plain talk goes over no circuit (ACP 127 102)"
        )
    if letter not in FOLLOW_UP_S:
        raise ValueError(f"{letter!r} is no prosign of precedence; one of Z, O, P and R")
    if to not in station.circuits and not station.plan.circuits(to):
        circuits = ", ".join(station.circuits)
        raise ValueError(
            f"no circuit is called {to!r}, and no route leads there; there are {circuits}"
        )
    changes = Changes()
    duties = make(station, changes, to, letter, plain, called)
    number = duties[0].message
    changes.entry("released", station.clock(), message=number, who=who, transmissions=1)
    await station.enqueue(changes, duties)
    return number


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


async def follow_up(station: Station) -> None:
    """What the clock brings: requests that nobody answered, lines that are silent, stations to which no way
    is open (307, 412.b, 419.f)."""
    changes = Changes()
    duties: list[Duty] = []
    for awaited in list(station.awaited.values()):
        # A clock that was set back makes nothing wait longer than from now on.
        awaited.at = min(awaited.at, station.clock())
        if awaited.kind in ("repeat", "open-number"):
            duties += _ask_again(station, changes, awaited)
        elif awaited.kind == "receipt":
            duties += _ask_for_receipt(station, changes, awaited)
        elif awaited.kind == "continuity":
            duties += _ask_for_number(station, changes, awaited)
    for name, circuit in station.circuits.items():
        if circuit.config.kind != "stream":
            continue
        if circuit.up:
            duties += _watch_line(station, changes, name, circuit)
        else:
            duties += _ask_for_a_way(station, changes, name, circuit)
    if changes or duties:
        await station.enqueue(changes, duties)


def _ask_again(station: Station, changes: Changes, awaited: Awaited) -> list[Duty]:
    due = awaited.at + FOLLOW_UP_S.get(awaited.letter, 57600.0) * (awaited.reminded + 1)
    if station.clock() < due or awaited.reminded >= len(_AGAIN):
        return []
    signal = _AGAIN[awaited.reminded]
    awaited.reminded += 1
    station.start_waiting(changes, awaited)
    changes.entry(
        "asked-again",
        station.clock(),
        circuit=awaited.circuit,
        hop=awaited.name[:7],
        signal=signal,
        of=awaited.name,
    )
    station.tell("request.again", circuit=awaited.circuit, signal=signal)
    # The second request goes where the first went, the third to the relay that serves it (419.f).
    to = awaited.detail.get("of") if signal == "ZAR2" else None
    to = to or (
        awaited.circuit if awaited.circuit in station.circuits else awaited.detail.get("of")
    )
    ask = awaited.detail.get("ask", f"ZFX {awaited.name}")
    return make(station, changes, to, awaited.letter, f"{signal} {ask}") if to else []


def _ask_for_receipt(station: Station, changes: Changes, awaited: Awaited) -> list[Duty]:
    """Once, when half of the time is over; `status` tells when all of it is."""
    limit = station.config.objectives.flash
    if awaited.reminded or station.clock() - awaited.at < limit / 2:
        return []
    if not station.is_up(awaited.circuit):
        return []
    awaited.reminded = 1
    station.start_waiting(changes, awaited)
    changes.entry(
        "receipt-asked",
        station.clock(),
        message=awaited.detail.get("message"),
        circuit=awaited.circuit,
        hop=awaited.name,
    )
    return make(station, changes, awaited.circuit, "O", f"INT QSL {awaited.name}")


def _ask_for_number(station: Station, changes: Changes, awaited: Awaited) -> list[Duty]:
    """A telegram of a series to us that did not come while ROUTINE ones do is asked for, once."""
    limit = station.config.objectives.routine
    to = awaited.detail.get("of")
    if awaited.reminded or to is None or station.clock() - awaited.at < limit:
        return []
    awaited.reminded = 1
    station.start_waiting(changes, awaited)
    ours = station.config.station.name
    changes.entry("number-asked", station.clock(), number=awaited.name)
    return make(station, changes, to, "R", f"INT ZDK {awaited.name} TO {ours}")


def _watch_line(station: Station, changes: Changes, name: str, circuit: CircuitState) -> list[Duty]:
    config, now = circuit.config, station.clock()
    duties = _new_day(station, changes, name) if config.daily else []
    circuit.heard, circuit.since = min(circuit.heard, now), min(circuit.since, now)
    if now - max(circuit.heard, circuit.since) >= config.silence_s:
        circuit.heard = now
        last = int(station.values.get(f"in:{name}", "0"))
        hop = f"{config.receive}{last:0{config.digits}d}"
        duties += make(station, changes, name, "P", f"ZID {hop}")
        station.tell("line.silent", circuit=name)
    return duties


def _ask_for_a_way(
    station: Station, changes: Changes, name: str, circuit: CircuitState
) -> list[Duty]:
    """Neighbours are asked whether they take what waits for stations to which no way is open (`INT ZOE`)."""
    if not len(circuit.queue) or station.clock() - circuit.since < circuit.config.in_doubt_s:
        return []
    neighbours = [
        other
        for other, state in station.circuits.items()
        if other != name and state.up and state.config.kind == "stream"
    ]
    duties: list[Duty] = []
    for indicator, letter in _stations_waiting(circuit).items():
        known = station.plan.circuits(indicator)
        asked = float(station.values.get(f"asked:{indicator}", "0"))
        if abs(station.clock() - asked) < _ASKED_EVERY_S or any(map(station.is_up, known)):
            continue
        station.put(changes, f"asked:{indicator}", station.clock())
        for other in neighbours:
            duties += make(station, changes, other, letter, f"INT ZOE {indicator}")
    return duties


def _stations_waiting(circuit: CircuitState) -> dict[str, str]:
    """The stations for which the first of a queue wait, each with the highest prosign."""
    found: dict[str, str] = {}
    for duty in itertools.islice(circuit.queue, _LOOKED_AT):
        for indicator in duty.routing:
            found.setdefault(indicator, duty.letter)
    return found
