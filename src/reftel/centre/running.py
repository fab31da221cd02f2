"""A centre at work: everything together, started, watched, reconfigured and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from reftel.archive import Archive, StoreError
from reftel.archive.due import until_tomorrow
from reftel.centre import sending, services
from reftel.centre.config import Config, load_config
from reftel.centre.delivery import Delivery
from reftel.centre.folder import FolderCircuit
from reftel.centre.journal import Journal
from reftel.centre.journalfile import JournalError
from reftel.centre.maildoor import MailDoor
from reftel.centre.mailgate import MailCircuit
from reftel.centre.retention import Retention
from reftel.centre.station import Station
from reftel.centre.stream import Streams
from reftel.tables.settings import ConfigError

_WATCH_S = 1.0


class Log:
    """Structured lines: on a terminal to read, otherwise JSON; never a telegram's text. What one turn of
    the event loop says is written at once."""

    def __init__(self, out: TextIO = sys.stderr, *, readable: bool | None = None) -> None:
        self._out = out
        self._readable = out.isatty() if readable is None else readable
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._second, self._at = 0, ""
        self._lines: list[str] = []

    def __call__(self, event: str, fields: dict[str, Any]) -> None:
        now = int(time.time())
        if now != self._second:
            self._second, self._at = now, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        shown = {key: value for key, value in fields.items() if value is not None}
        if self._readable:
            words = " ".join(f"{key}={value}" for key, value in shown.items())
            line = f"{self._at[11:19]} {event:<22} {words}\n"
        else:
            line = self._encode({"at": self._at, "event": event, **shown}).decode() + "\n"
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        with contextlib.suppress(OSError, ValueError):
            self._out.write("".join(lines))
            self._out.flush()


class Centre:
    """One centre. `start` opens it, `stop` ends it in order; a kill at any moment loses nothing."""

    def __init__(
        self, path: Path, config: Config, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self.config = config
        self._clock = clock
        self.archive: Archive | None = None
        self.journal: Journal
        self.station: Station
        self._workers: dict[str, tuple[Any, asyncio.Task[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._mark = _mark(path)
        self._applying = asyncio.Lock()

    async def start(self, log: Callable[[str, dict[str, Any]], None] | None = None) -> None:
        """Open the journal and the archive, and begin to move messages. Raises `JournalError`,
        `StoreError`, `OSError` (an address that is in use)."""
        self.journal = Journal(self.config.data / "journal.db")
        self.station = Station(self.config, self.journal, self._clock)
        if log is not None:
            self.station.events.append(log)
        for problem in self.journal.found:
            self.station.tell("journal.found", what=problem)
        try:
            self.archive = await asyncio.to_thread(Archive.open, self.config.archive)
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(f"{self.config.archive}: {error}") from None
        self.streams = Streams(self.station)
        try:
            await self._begin()
        except BaseException:
            await self.streams.stop()
            self.journal.close()
            self.archive.close()
            raise

    async def _begin(self) -> None:
        assert self.archive is not None
        self.delivery = Delivery(self.station, self.archive)
        self.door = MailDoor(self.station)
        self.retention = Retention(self.station)
        await sending.replan(self.station)
        await self._apply()
        self._tasks = [
            asyncio.create_task(self.delivery.run(), name="delivery"),
            asyncio.create_task(self._watch(), name="watch"),
            asyncio.create_task(self._open_daily(self.archive), name="open-daily"),
            asyncio.create_task(self.retention.run(), name="retention"),
        ]
        self.station.tell(
            "centre.started",
            station=self.config.station.routing_indicator,
            waiting=len(self.station.duties),
            messages=self.station.last_message,
        )

    async def _open_daily(self, archive: Archive) -> None:
        """Open the telegrams of the archive whose day of declassification has come."""
        while True:
            try:
                opened = await asyncio.to_thread(archive.open_due)
            except (StoreError, OSError, sqlite3.Error) as error:
                self.station.tell("archive.not-opened", why=str(error))
            else:
                if opened:
                    self.station.tell("archive.opened", telegrams=opened)
            await asyncio.sleep(until_tomorrow())

    async def _apply(self) -> None:
        async with self._applying:
            await self._apply_all()

    async def _apply_all(self) -> None:
        await self.streams.apply()
        await self.door.apply()
        wanted = {
            c.name: (c, self.station.config.mail if c.kind == "mail" else None)
            for c in self.station.config.circuit
            if c.kind in ("folder", "mail")
        }
        for name, (settings, task) in list(self._workers.items()):
            if wanted.get(name) != settings:
                await _end(task)
                del self._workers[name]
        for name, settings in wanted.items():
            if name not in self._workers:
                config = settings[0]
                kind = FolderCircuit if config.kind == "folder" else MailCircuit
                worker = kind(self.station, config).run()
                task = asyncio.create_task(worker, name=f"{config.kind} {name}")
                self._workers[name] = (settings, task)

    async def _watch(self) -> None:
        """Once a second: the configuration's file, the journal's health, the follow-up clock."""
        while True:
            await asyncio.sleep(_WATCH_S)
            try:
                if self.station.trouble is not None:
                    await self._recover()
                    continue
                if _mark(self.path) != self._mark:
                    await self.reload()
                await services.follow_up(self.station)
                await sending.free_the_doubtful(self.station)
                if self.station.replanning:
                    self.station.replanning = False
                    await sending.replan(self.station)
                await self.delivery.deliver_overdue()
                for name, (_, task) in list(self._workers.items()):
                    if task.done() and not task.cancelled() and (failure := task.exception()):
                        # It is begun anew: what it held is in the journal.
                        self.station.tell("circuit.failed", circuit=name, why=repr(failure))
                        del self._workers[name]
                        await self._apply()
            except JournalError:
                continue
            except Exception as error:
                # A fault of ours in one thing may not stop the others.
                self.station.tell("watch.failed", why=repr(error))

    async def _recover(self) -> None:
        """The journal could not be written: stand still until it can, then go on from what it says."""
        for circuit in self.station.config.circuit:
            if circuit.kind == "stream":
                await self.streams.cut(circuit.name)
        if await self.station.recover():
            self.delivery.forget()
            for _, task in self._workers.values():
                await _end(task)
            self._workers.clear()
            await self._apply()
            self.station.delivering.set()

    async def reload(self) -> list[str]:
        """Take the configuration anew; one with mistakes is left alone, and they are returned."""
        self._mark = _mark(self.path)
        try:
            config = load_config(self.path)
        except (ConfigError, OSError) as error:
            problems = getattr(error, "problems", [str(error)])
            self.station.tell("config.refused", problems=problems)
            return list(problems)
        fixed = [
            name
            for name, old, new in (
                ("station.data", self.config.data, config.data),
                ("station.archive", self.config.archive, config.archive),
                (
                    "station.routing_indicator",
                    self.config.station.routing_indicator,
                    config.station.routing_indicator,
                ),
                ("[http]", self.config.http, config.http),
            )
            if old != new
        ]
        if fixed:
            problems = [f"{name} changes only with a restart" for name in fixed]
            self.station.tell("config.refused", problems=problems)
            return problems
        before, self.config = self.config, config
        self.station.reconfigure(config)
        try:
            await self._apply()
        except (OSError, ValueError) as error:
            self.config = before
            self.station.reconfigure(before)
            await self._apply()
            problems = [f"it cannot be put into effect: {error}"]
            self.station.tell("config.refused", problems=problems)
            return problems
        await sending.replan(self.station)
        self.station.tell("config.taken")
        return []

    async def stop(self) -> None:
        """End in order: nothing new is taken, what is written stays."""
        for task in [*self._tasks, *(task for _, task in self._workers.values())]:
            await _end(task)
        await self.door.stop()
        await self.streams.stop()
        self.station.tell("centre.stopped")
        self.journal.close()
        if self.archive is not None:
            self.archive.close()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
