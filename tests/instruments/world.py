"""A small world of centres: real processes on loopback, lines between them that can be cut and spoilt.

`World` writes the configurations, starts and kills the processes, hands telegrams in over each centre's
socket, and counts at the end where every one of them is.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

from reftel.telegram import Addressee, Block, Span, Telegram, to_builtins
from reftel.telegram import Station as Originator

PATIENCE_S = 180.0
_CLOCKED = Path(__file__).with_name("clocked.py")


def free_port() -> int:
    """A port below those that the system gives to callers: one that is free now stays so."""
    while True:
        with socket.socket() as sock, contextlib.suppress(OSError):
            port = random.SystemRandom().randrange(10_000, 32_000)
            sock.bind(("127.0.0.1", port))
            return port


def telegram(
    origin: str,
    to: tuple[str, ...],
    number: int,
    *,
    precedence: str = "ROUTINE",
    words: str = "THE FERRY SAILS AT NOON",
) -> Telegram:
    """A telegram to be handed in; its subject says which one it is."""
    text = f"{words}. THIS IS NUMBER {number} OF {origin}"
    return Telegram(
        source="",
        dialect="acp127",
        precedence=precedence,
        originator=Originator(origin),
        action=tuple(Addressee(name) for name in to),
        classification="UNCLASSIFIED",
        subject=f"TRIAL {number} FROM {origin}",
        body=(Block("paragraph", 1, None, None, text + ".", Span(0, 0)),),
    )


class Line:
    """A TCP relay between a caller and a listener, which a test can cut, hold back or spoil."""

    def __init__(self, to_port: int) -> None:
        self.port = free_port()
        self.to_port = to_port
        self.open = True
        self.spoil = 0.0
        self.random = random.Random(self.port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """Break every connection; `open` says whether a new one may be made."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        try:
            there, away = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, away}
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, away), self._pump(there, writer))
        self._writers -= {writer, away}
        writer.transport.abort()
        away.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            if self.spoil and self.random.random() < self.spoil:
                at = self.random.randrange(len(data))
                data = data[:at] + bytes((data[at] ^ 0x15,)) + data[at + 1 :]
            writer.write(data)
            await writer.drain()
        writer.close()


class Process:
    """One centre as a process of its own."""

    def __init__(self, name: str, config: Path, data: Path) -> None:
        self.name = name
        self.config = config
        self.data = data
        self.kills = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, str(_CLOCKED), str(self._offset), "centre", "run", "--config"]
        self._process = subprocess.Popen(
            [*command, str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )
        said = self._process.stderr
        threading.Thread(target=self._keep_log, args=(said,), daemon=True).start()

    def _keep_log(self, said: Any) -> None:
        """What the process says, written by this one: its own disk may be full."""
        with said, self.data.with_suffix(".log").open("ab", buffering=0) as log:
            for line in said:
                log.write(line)

    @property
    def _offset(self) -> Path:
        return self.data.with_suffix(".clock")

    def move_clock(self, seconds: float) -> None:
        """What the process takes for the time, from the true one."""
        unfinished = self._offset.with_suffix(".new")
        unfinished.write_text(str(seconds))
        unfinished.replace(self._offset)

    def fill_disk(self, full: bool) -> None:
        """From now on no file of the process grows beyond 4 kB, or all may again."""
        if self._process is not None:
            _, most = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(
                self._process.pid, resource.RLIMIT_FSIZE, (4096 if full else most, most)
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
            self.kills += 1

    def reload(self) -> None:
        """Ask for the configuration to be taken anew, as `systemctl reload` does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                raise
            self._process = None

    def ask(self, target: str, body: Any = None, timeout: float = 10.0) -> Any:
        """The answer of the centre; raises `OSError` when it does not answer."""
        connection = http.client.HTTPConnection("localhost", timeout=timeout)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(timeout)
        try:
            connection.sock.connect(str(self.data / "centre.sock"))
            if body is None:
                connection.request("GET", target)
            else:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", target, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise OSError(f"{answer.status}: {text[:300]!r}")
        return json.loads(text) if text[:1] in b"{[0" else text.decode()

    def send(self, record: Telegram) -> int:
        """Hand a telegram in; the journal's number of it once it is accepted."""
        return int(self.ask("/centre/send", to_builtins(record))[0]["message"])

    def ready(self, patience: float = PATIENCE_S) -> None:
        end = time.monotonic() + patience
        while True:
            try:
                self.ask("/health")
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                self._restart_if_refused()
                time.sleep(0.05)

    def _restart_if_refused(self) -> None:
        """A centre that cannot open its journal says so and ends; what watches it starts it again."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return
        log = self.data.with_suffix(".log").read_text()[-2000:]
        assert code == 2, f"{self.name} ended by itself with {code}: {log}"
        self.start()

    def journal(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.data / 'journal.db'}?mode=ro", uri=True)


class World:
    """Three stations: a ministry (MINFOR, QZAAMF) and two posts (NORTH, QZBBNV; SOUTH, QZCCSM), each with a
    line to each other, so that every way has an alternate."""

    STATIONS: ClassVar = {"minfor": "QZAAMF", "north": "QZBBNV", "south": "QZCCSM"}

    def __init__(self, folder: Path, **circuit: Any) -> None:
        self.folder = folder
        listening = {pair: free_port() for pair in ("minfor-north", "minfor-south", "north-south")}
        self.lines = {pair: Line(port) for pair, port in listening.items()}
        directory = "".join(
            f'[[station]]\nname = "{name.upper()}"\nrouting_indicator = "{indicator}"\n'
            f'mailbox = "{name}@{name}.example"\n'
            for name, indicator in self.STATIONS.items()
        )
        (folder / "directory.toml").write_text(directory)
        self.processes: dict[str, Process] = {}
        more = "".join(f"{key} = {json.dumps(value)}\n" for key, value in circuit.items())
        for name, indicator in self.STATIONS.items():
            text = (
                f'[station]\nname = "{name.upper()}"\nrouting_indicator = "{indicator}"\n'
                f'data = "{name}"\ndirectory = "directory.toml"\n'
                "[limits]\nsections_wait_s = 5\n"
            )
            others = [each for each in self.STATIONS if each != name]
            for other in others:
                first, second = sorted((name, other))
                pair = f"{first}-{second}"
                place = (
                    f'listen = "127.0.0.1:{listening[pair]}"'
                    if name == first
                    else f'connect = "127.0.0.1:{self.lines[pair].port}"'
                )
                text += (
                    f'[[circuit]]\nname = "{other}"\nstation = "{self.STATIONS[other]}"\n{place}\n'
                    f'send = "{self.channel(name, other)}"\nreceive = "{self.channel(other, name)}"\n'
                    f"keep_alive_s = 2\n{more}"
                )
            for other, alternate in (others, others[::-1]):
                text += (
                    f'[[route]]\nto = "{self.STATIONS[other][:4]}"\n'
                    f'circuits = ["{other}", "{alternate}"]\n'
                )
            path = folder / f"{name}.toml"
            path.write_text(text)
            self.processes[name] = Process(name, path, folder / name)

    @staticmethod
    def channel(sender: str, receiver: str) -> str:
        return f"{sender[0]}{receiver[0]}A".upper()

    async def __aenter__(self) -> World:
        for line in self.lines.values():
            await line.start()
        for process in self.processes.values():
            process.start()
        for process in self.processes.values():
            await asyncio.to_thread(process.ready)
        return self

    async def __aexit__(self, kind: Any, *_: object) -> None:
        for process in self.processes.values():
            await asyncio.to_thread(process.stop if kind is None else process.kill)
        for line in self.lines.values():
            await line.stop()

    def waiting(self) -> int:
        """Duties of all stations that are not yet done, what a person has to do left out. A delivery at
        work is no longer queued: the journal says what is done."""
        total = 0
        for process in self.processes.values():
            with contextlib.closing(process.journal()) as journal:
                sql = "SELECT count(*) FROM duty WHERE circuit NOT IN ('#operator', '#held')"
                total += journal.execute(sql).fetchone()[0]
        return total

    async def settle(self, patience: float = PATIENCE_S) -> None:
        """Wait until nothing moves any more."""
        end = time.monotonic() + patience
        quiet = 0
        while quiet < 3:
            with contextlib.suppress(OSError, sqlite3.Error):
                quiet = quiet + 1 if await asyncio.to_thread(self.waiting) == 0 else 0
            if time.monotonic() > end:
                raise AssertionError(
                    f"{self.waiting()} duties are still open\n" + "\n".join(self._standing())
                )
            await asyncio.sleep(0.1)

    def _standing(self) -> list[str]:
        """How each station stands, for whoever must find out why it does not move."""
        said = []
        for name, process in self.processes.items():
            with contextlib.closing(process.journal()) as journal:
                duties = journal.execute("SELECT circuit, count(*) FROM duty GROUP BY circuit")
                said.append(f"{name}: {dict(duties.fetchall())}")
            log = process.data.with_suffix(".log")
            said += [f"  {line}" for line in log.read_text(errors="replace").splitlines()[-30:]]
        return said

    def fates(self, name: str) -> dict[str, list[str]]:
        """What one station knows of each trial: its subject → `delivered`, `duplicate` (recognised),
        `marked` (delivered again with a pilot), `operator`."""
        fates: dict[str, list[str]] = {}
        with contextlib.closing(self.processes[name].journal()) as journal:
            rows = journal.execute(
                "SELECT m.id, m.bytes, e.kind FROM message m JOIN entry e ON e.message = m.id"
                " WHERE e.kind IN ('delivered', 'duplicate', 'garbled', 'to-operator')"
            ).fetchall()
        for _, data, kind in rows:
            text = data.decode("latin-1").replace("\r", "")
            at = text.find("SUBJECT: TRIAL ")
            subject = text[at + 9 :].split("\n")[0] if at >= 0 else "?"
            fate = kind
            if kind == "delivered" and " ZFD " in text[:200]:
                fate = "marked"
            fates.setdefault(subject, []).append(fate)
        return fates

    def with_operators(self) -> set[str]:
        """The subjects of the trials that lie in some operator's queue."""
        found = set()
        for process in self.processes.values():
            with contextlib.closing(process.journal()) as journal:
                rows = journal.execute(
                    "SELECT m.bytes FROM message m JOIN duty d ON d.message = m.id"
                    " WHERE d.circuit = '#operator'"
                ).fetchall()
            for (data,) in rows:
                text = data.decode("latin-1").replace("\r", "")
                if (at := text.find("SUBJECT: TRIAL ")) >= 0:
                    found.add(text[at + 9 :].split("\n")[0])
        return found

    def disagreements(self) -> list[str]:
        """Where the journals of two neighbours contradict each other: what one says was stored and the other
        has not, and what one has that the other never sent."""
        found = []
        for one, sender in self.processes.items():
            for other, receiver in self.processes.items():
                if one == other:
                    continue
                with contextlib.closing(sender.journal()) as journal:
                    rows = journal.execute(
                        "SELECT kind, hop FROM entry WHERE circuit = ? AND kind IN ('sent', 'sending')",
                        (other,),
                    ).fetchall()
                with contextlib.closing(receiver.journal()) as journal:
                    got = journal.execute(
                        "SELECT hop FROM message WHERE circuit = ?", (one,)
                    ).fetchall()
                there = {hop for (hop,) in got}
                begun = {hop for kind, hop in rows if kind == "sending"}
                stored = {hop for kind, hop in rows if kind == "sent"}
                found += [f"{one} has {hop} as stored at {other}" for hop in stored - there]
                found += [f"{other} has {hop}, which {one} did not send" for hop in there - begun]
        return found

    def verify(self) -> list[str]:
        """What `reftel centre verify` says against the journals."""
        problems = []
        for process in self.processes.values():
            done = subprocess.run(
                [sys.executable, "-m", "reftel", "centre", "verify", "--config", process.config],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                problems.append(f"{process.name}: {done.stdout}{done.stderr}")
        return problems
