"""A station without processes or sockets: its journal in a temporary folder, its clock in the test's hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reftel.centre import accepting, sending
from reftel.centre.accepting import Accepted
from reftel.centre.config import Config, parse_config
from reftel.centre.delivery import Delivery
from reftel.centre.journal import Changes, Journal
from reftel.centre.journalfile import Duty
from reftel.centre.sending import Transmission
from reftel.centre.station import Station

CONFIG = """\
[station]
name = "MINFOR PORTA"
routing_indicator = "QZAAMF"
also = ["QZAATR"]
expand = ["ALL NORTH"]
directory = "directory.toml"
[[circuit]]
name = "north"
station = "QZBB"
send = "AAB"
receive = "BBA"
listen = "127.0.0.1:1"
cleared = "SECRET"
[[circuit]]
name = "south"
station = "QZCC"
send = "AAC"
receive = "CCA"
listen = "127.0.0.1:2"
cleared = "CONFIDENTIAL"
[[route]]
to = "QZBB"
circuits = ["north", "south"]
[[route]]
to = "QZCC"
circuits = ["south", "north"]
[[profile]]
office = "TRADE"
words = ["ferry"]
"""
DIRECTORY = """\
[[station]]
name = "MINFOR PORTA"
routing_indicator = "QZAAMF"
[[station]]
name = "MINTRADE PORTA"
routing_indicator = "QZAATR"
[[station]]
name = "EMB NORDHAVEN"
routing_indicator = "QZBBNV"
[[station]]
name = "CONSUL WESTBAY"
routing_indicator = "QZBBWB"
[[station]]
name = "EMB SUDMARK"
routing_indicator = "QZCCSM"
[[collective]]
name = "ALL NORTH"
routing_indicator = "QZBBCV"
members = ["EMB NORDHAVEN", "CONSUL WESTBAY"]
"""


class Bench:
    """A station and what a test does with it."""

    def __init__(self, folder: Path, text: str = CONFIG) -> None:
        (folder / "directory.toml").write_text(DIRECTORY)
        self.folder = folder
        self.now = 1_780_000_000.0
        self.config: Config = parse_config(text, folder)
        self.journal = Journal(folder / "journal.db")
        self.station = Station(self.config, self.journal, lambda: self.now)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.station.events.append(lambda event, fields: self.told.append((event, fields)))

    async def up(self, *names: str) -> None:
        for name in names:
            await sending.circuit_changed(self.station, name, True, "connected")

    async def take(self, by: str | None, text: str) -> Accepted:
        return await accepting.accept(self.station, by, text.encode("latin-1"))

    async def take_bytes(self, by: str | None, data: bytes) -> Accepted:
        return await accepting.accept(self.station, by, data)

    async def give(self, name: str, most: int = 100) -> list[str]:
        """What goes over a circuit now, as text; it arrives at once."""
        found: list[Transmission] = await sending.next_transmissions(self.station, name, most)
        await sending.arrived(self.station, name, [each.duty for each in found])
        return [each.data.decode("latin-1").replace("\r", "").rstrip("\x7f") for each in found]

    async def deliver(self) -> None:
        delivery = Delivery(self.station, None)
        while await delivery.some():
            pass

    def kinds(self, message: int | None = None) -> list[str]:
        return [each.kind for each in self.journal.entries(message=message)]

    def operator(self) -> list[Duty]:
        return list(self.station.operator.values())

    async def move_clock(self, seconds: float) -> None:
        self.now += seconds

    def restarted(self) -> Bench:
        """The same station after a stop, from its journal."""
        self.journal.close()
        again = Bench.__new__(Bench)
        again.folder, again.now, again.config, again.told = self.folder, self.now, self.config, []
        again.journal = Journal(self.folder / "journal.db")
        again.station = Station(again.config, again.journal, lambda: again.now)
        return again


@contextmanager
def bench(folder: Path, text: str = CONFIG) -> Iterator[Bench]:
    made = Bench(folder, text)
    try:
        yield made
    finally:
        made.journal.close()


def message(
    hop: str = "BBA001",
    routing: str = "QZAAMF",
    serial: str = "0412",
    *,
    letter: str = "R",
    origin: str = "QZBBNV",
    filed: str = "1550842",
    security: str = "ZNR UUUUU",
    fl5: str | None = None,
    text: str = "UNCLAS NORDHAVEN 0412\nSUBJECT: FERRY TALKS\n1. TALKS BEGIN AT NOON.",
    to: str = "MINFOR PORTA",
    info: str = "",
) -> str:
    """A transmission as it stands on a circuit."""
    preamble = fl5 or f"{letter} 040840Z JUN 2025"
    lines = [
        f"VZCZC{hop}     ",
        f"{letter}{letter} {routing}",
        f"DE {origin} {serial} {filed}",
        security,
        preamble,
        "FM EMB NORDHAVEN",
        f"TO {to}",
        *([f"INFO {info}"] if info else []),
        "BT",
        text,
        "BT",
    ]
    return "\n".join(lines) + "\n" * 8 + "NNNN\n"


def service(
    hop: str, text: str, *, letter: str = "O", to: str = "QZAAMF", origin: str = "QZBB"
) -> str:
    """A service message between neighbours."""
    head = f"VZCZC{hop}     \n{letter}{letter} {to}\nDE {origin} 1551431\nZNR UUUUU\n{text}"
    return head + "\n" * 8 + "NNNN\n"


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


__all__ = ["Bench", "Changes", "bench", "message", "run", "service"]
