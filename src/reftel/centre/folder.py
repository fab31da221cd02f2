"""Circuits that are folders: other systems' gateways drop files and fetch them.

A file is written under another name and renamed, so that nobody meets half of one; a file that came is
taken when it has stood unchanged, and removed when the journal holds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from reftel.centre import accepting, sending
from reftel.centre.accepting import Refused
from reftel.centre.config import CircuitConfig
from reftel.centre.journalfile import JournalError
from reftel.centre.sending import Transmission
from reftel.centre.station import Station
from reftel.tables.ita2 import decode as decode_ita2

_PASSED_OVER = (".", "~")
_UNFINISHED = (".tmp", ".part", ".new", ".lock")
_REFUSED = "refused"


class FolderCircuit:
    """One circuit's two folders."""

    def __init__(self, station: Station, config: CircuitConfig) -> None:
        self._station = station
        self._config = config
        self._seen: dict[str, tuple[int, int, float]] = {}

    async def run(self) -> None:
        """Take and give until cancelled; a folder that fails is tried again."""
        station, name = self._station, self._config.name
        # A file of the time before a crash may have been written and fetched, or not.
        await self._mend()
        delay = 0.2
        while True:
            try:
                if station.trouble is None:
                    await self._take_all()
                    await self._give_all()
                await sending.circuit_changed(station, name, True, "the folder is there")
                delay = 0.2
            except OSError as error:
                await sending.circuit_changed(
                    station, name, False, f"{error.filename}: {error.strerror}"
                )
                delay = min(delay * 2, 30.0)
            except JournalError:
                delay = 1.0
            circuit = station.circuits.get(name)
            if circuit is None:
                return
            circuit.wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await circuit.wake.wait()

    async def _mend(self) -> None:
        circuit = self._station.circuits[self._config.name]
        written = [d for d in circuit.flight.values() if d.hop and self._path(d.hop).exists()]
        await sending.arrived(self._station, self._config.name, written)
        left = list(circuit.flight.values())
        await sending.interrupted(
            self._station, self._config.name, left, whole=True, why="the centre stopped"
        )

    # Taking

    async def _take_all(self) -> None:
        if self._config.folder_in is None:
            return
        folder = self._station.config.folder / self._config.folder_in
        now = self._station.clock()
        present: dict[str, tuple[int, int, float]] = {}
        for entry in sorted(os.scandir(folder), key=lambda each: each.name):
            name = entry.name
            if name.startswith(_PASSED_OVER) or name.endswith(_UNFINISHED) or not entry.is_file():
                continue
            stat = entry.stat()
            size, changed, since = self._seen.get(name, (-1, -1, now))
            if (size, changed) != (stat.st_size, stat.st_mtime_ns):
                since = now
            present[name] = (stat.st_size, stat.st_mtime_ns, since)
            if now - since >= self._config.settle_s and await self._take(Path(entry.path)):
                del present[name]
        self._seen = present

    async def _take(self, path: Path) -> bool:
        station, name = self._station, self._config.name
        if path.stat().st_size > station.config.limits.message_bytes:
            self._refuse(path, "it is longer than limits.message_bytes")
            return True
        data = path.read_bytes()
        if self._config.code == "ita2":
            data = decode_ita2(data).encode("ascii", "replace")
        try:
            await accepting.accept(station, name, data)
        except Refused as error:
            if station.trouble is None:
                self._refuse(path, str(error))
                return True
            return False
        # A crash here leaves the file: it is met again, known by its text, and not passed on twice.
        path.unlink()
        _sync(path.parent)
        return True

    def _refuse(self, path: Path, why: str) -> None:
        """What cannot be taken stays, out of the way."""
        aside = path.parent / _REFUSED
        aside.mkdir(exist_ok=True)
        path.rename(aside / path.name)
        self._station.tell("file.refused", circuit=self._config.name, file=path.name, why=why)

    # Giving

    def _path(self, hop: str) -> Path:
        folder = self._station.config.folder / (self._config.folder_out or "")
        return folder / f"{hop}.txt"

    async def _give_all(self) -> None:
        if self._config.folder_out is None:
            return
        name = self._config.name
        while found := await sending.next_transmissions(self._station, name, 16):
            given = 0
            try:
                for transmission in found:
                    sending.note_start(self._station, transmission.duty)
                    self._give(transmission)
                    given += 1
            except OSError:
                left = [each.duty for each in found[given:]]
                await sending.arrived(self._station, name, [each.duty for each in found[:given]])
                await sending.interrupted(
                    self._station, name, left, whole=False, why="it could not be written"
                )
                raise
            await sending.arrived(self._station, name, [each.duty for each in found])

    def _give(self, transmission: Transmission) -> None:
        assert transmission.duty.hop is not None
        path = self._path(transmission.duty.hop)
        unfinished = path.with_name(f".{path.name}.tmp")
        with unfinished.open("wb") as file:
            file.write(transmission.data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
