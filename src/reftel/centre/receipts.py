"""Station-to-station receipt of FLASH on lines that have no link (ACP 127 151.b; wire-format.md 11, duty 8).

The station that receives says `QSL` (I acknowledge receipt) and the channel number, unless format line 4
has `ZGC`. The station that sent asks `INT QSL` when none has come in half of the objective, and tells a
person when the whole of it is over.
"""

from __future__ import annotations

from reftel.centre.config import CircuitConfig
from reftel.centre.journal import Changes
from reftel.centre.journalfile import Awaited, Duty, JournalError
from reftel.centre.numbers import FARTHEST, cycle
from reftel.centre.scan import RANKS, Scanned, scan
from reftel.centre.services import make, missing_up_to
from reftel.centre.station import Station
from reftel.read.service import ServiceMessage


def gives_receipts(config: CircuitConfig) -> bool:
    return config.kind == "stream" and not config.link and config.receipts


def receipt_for(config: CircuitConfig, scanned: Scanned) -> str | None:
    """What the neighbour hears of a FLASH message that came whole."""
    wanted = scanned.letter in "YZ" and scanned.hop and scanned.message and gives_receipts(config)
    if not wanted or "ZGC" in (scanned.inner.instructions or "").split():
        return None
    return None if any("NNNN" in each for each in scanned.problems) else f"QSL {scanned.hop}"


def await_receipt(station: Station, duty: Duty, changes: Changes) -> None:
    """A FLASH message has gone out over a line: the neighbour is to say that it has it."""
    config = station.circuits[duty.circuit].config
    if duty.rank > RANKS["Z"] or duty.hop is None or not gives_receipts(config):
        return
    try:
        scanned = scan(station.journal.bytes_of(duty.message))
    except JournalError:
        return
    if scanned.message is None or "ZGC" in (scanned.inner.instructions or "").split():
        return
    detail = {"message": duty.message, "of": scanned.message}
    awaited = Awaited("receipt", duty.hop, duty.circuit, station.clock(), "Z", 0, detail)
    station.start_waiting(changes, awaited)


def receipted(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty]:
    """`QSL`: the neighbour has what went under these numbers."""
    del scanned
    for hop in _numbers(station, by, said):
        if awaited := station.stop_waiting(changes, "receipt", hop):
            number = awaited.detail.get("message")
            changes.entry("receipted", station.clock(), message=number, circuit=by, hop=hop)
    return []


def question(
    station: Station, changes: Changes, by: str, said: ServiceMessage, scanned: Scanned
) -> list[Duty] | None:
    """`INT QSL`: a receipt for what is here; what is not is open (`ZFX`)."""
    del scanned
    circuit = station.circuits.get(by)
    if circuit is None or not said.channel_numbers:
        return None
    duties: list[Duty] = []
    for hop in _numbers(station, by, said):
        if _is_here(station, by, hop):
            duties += make(station, changes, by, "O", f"QSL {hop}")
        else:
            open_now = missing_up_to(station, changes, circuit, int(hop[3:]))
            duties += open_now or make(station, changes, by, "O", f"ZFX {hop}")
    return duties


def _is_here(station: Station, by: str, hop: str) -> bool:
    """Whether a message came under a number in the present round of the count."""
    config, number = station.circuits[by].config, int(hop[3:])
    last = int(station.values.get(f"in:{by}", "0"))
    if ("open-number", hop) in station.awaited or 0 < (number - last) % cycle(
        config.digits
    ) <= FARTHEST:
        return False
    # The message's own format line 1 may have had fewer digits.
    written = {hop, f"{hop[:3]}{number:03d}"}
    entries = [e for each in written for e in station.journal.entries(hop=each)]
    return any(e.circuit == by and e.kind in ("accepted", "duplicate") for e in entries)


def _numbers(station: Station, by: str, said: ServiceMessage) -> list[str]:
    """Channel numbers with as many digits as are used here, however many the other end writes."""
    circuit = station.circuits.get(by)
    digits = circuit.config.digits if circuit else 4
    return [f"{hop[:3]}{int(hop[3:]):0{digits}d}" for hop in said.channel_numbers]
