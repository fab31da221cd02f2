"""The stream circuits of a station: who calls, who is answered, and that it is who it should be.

This opens and answers connections; `session` converses over them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import ssl
from collections.abc import Iterable
from typing import Any

from reftel.centre import link as links
from reftel.centre import sending
from reftel.centre.config import CircuitConfig, Config, address
from reftel.centre.journalfile import JournalError
from reftel.centre.line import Greeting, Line, PeerError
from reftel.centre.session import GREETING_S, LinkSession, PlainSession, Session
from reftel.centre.station import Station

_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.2, 30.0
_BACKLOG = 512
_GOODBYE_S = 5.0


def tls_context(circuit: CircuitConfig, config: Config, *, calls: bool) -> ssl.SSLContext | None:
    """Both sides show a certificate, and each checks the other's against the authority; its name is
    checked when the connection stands. Raises `OSError`, `ssl.SSLError`."""
    if circuit.tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if calls else ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.load_cert_chain(
        config.folder / circuit.tls.certificate, config.folder / circuit.tls.key
    )
    context.load_verify_locations(config.folder / circuit.tls.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class _Stranger(asyncio.StreamReaderProtocol):
    """A connection of which nothing is read until somebody wants to know who is there: what comes first may
    be TLS."""

    def __init__(self, answer: Any) -> None:
        super().__init__(Line(), answer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.pause_reading()  # type: ignore[attr-defined]
        super().connection_made(transport)


class Streams:
    """The stream circuits of a station: calls out, listens, and keeps one session on each."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._servers: dict[str, asyncio.Server] = {}
        self._keys: dict[str, Any] = {}
        self._sessions: dict[str, Session] = {}
        self._strangers: dict[asyncio.StreamWriter, None] = {}
        """Connections of which it is not yet known who is there, the oldest first."""
        self._answering: set[asyncio.Task[Any]] = set()

    async def apply(self) -> None:
        """Begin what the configuration names, end what it names no more. Raises `OSError` where a place to
        listen at cannot be had."""
        config = self._station.config
        streams = {c.name: c for c in config.circuit if c.kind == "stream"}
        for name in list(self._keys):
            if name not in streams or self._keys[name] != streams[name]:
                await self._stop(name)
        listening = {circuit.listen for circuit in streams.values() if circuit.listen}
        for place in list(self._servers):
            if place not in listening:
                self._servers.pop(place).close()
        for place in sorted(listening - set(self._servers)):
            host, port = address(place)
            self._servers[place] = await asyncio.get_running_loop().create_server(
                functools.partial(_Stranger, functools.partial(self._answer, place)),
                host,
                port,
                backlog=_BACKLOG,
            )
        for name, circuit in streams.items():
            if not circuit.listen and name not in self._tasks:
                self._tasks[name] = asyncio.create_task(self._call(circuit), name=f"call {name}")
            self._keys[name] = circuit

    async def stop(self) -> None:
        for server in self._servers.values():
            server.close()
        for name in list(self._keys):
            await self._stop(name)
        for writer in list(self._strangers):
            writer.transport.abort()
        if self._answering:
            await asyncio.wait(self._answering, timeout=_GOODBYE_S)

    async def cut(self, name: str) -> None:
        """Close the connection of a circuit, if it has one."""
        if session := self._sessions.get(name):
            await session.close()

    async def _stop(self, name: str) -> None:
        self._keys.pop(name, None)
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        await self.cut(name)

    # Calling

    async def _call(self, circuit: CircuitConfig) -> None:
        assert circuit.connect is not None
        host, port = address(circuit.connect)
        loop = asyncio.get_running_loop()
        delay = _FIRST_DELAY_S
        while True:
            began = loop.time()
            why = "the other end closed the connection"
            try:
                # wait_for may swallow the end of this task (Python 3.11); a timeout does not.
                async with asyncio.timeout(GREETING_S):
                    reader = Line()
                    transport, protocol = await loop.create_connection(
                        functools.partial(asyncio.StreamReaderProtocol, reader),
                        host,
                        port,
                        ssl=tls_context(circuit, self._station.config, calls=True),
                        server_hostname=circuit.tls.peer if circuit.tls else None,
                    )
                    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
                try:
                    if circuit.tls:
                        _check_name(writer, circuit.tls.peer)
                    await self._converse(circuit.name, reader, writer, None)
                finally:
                    await _close(writer)
            except Exception as error:
                # Whatever it was, the circuit is tried again.
                why = str(error) or type(error).__name__
                if not isinstance(error, OSError | EOFError | TimeoutError | links.LinkError):
                    self._station.tell("circuit.failed", circuit=circuit.name, why=repr(error))
            await self._down(circuit.name, why)
            if loop.time() - began > 10 * _FIRST_DELAY_S + delay:
                delay = _FIRST_DELAY_S
            await asyncio.sleep(delay * random.uniform(0.7, 1.3))
            delay = min(delay * 2, _LONGEST_DELAY_S)

    # Answering

    async def _answer(self, place: str, reader: Line, writer: asyncio.StreamWriter) -> None:
        """Somebody calls. However many do, no more than `limits.connections` wait to say who they are: a
        new one takes the place of the one that has been silent longest."""
        station = self._station
        if (task := asyncio.current_task()) is not None:
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        while len(self._strangers) >= station.config.limits.connections:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.transport.abort()
            station.tell("connection.refused", place=place, why="too many connections")
        self._strangers[writer] = None
        name: str | None = None
        try:
            async with asyncio.timeout(GREETING_S):
                known, greeting = await self._know(place, reader, writer)
            name = known
            self._strangers.pop(writer, None)
            await self._converse(known, reader, writer, greeting)
            await self._down(known, "the other end closed the connection")
        except Exception as error:
            why = str(error) or "nothing was said in time"
            station.tell("connection.refused", place=place, circuit=name, why=why)
            if name is not None:
                await self._down(name, why)
        finally:
            self._strangers.pop(writer, None)
            await _close(writer)

    async def _know(
        self, place: str, reader: Line, writer: asyncio.StreamWriter
    ) -> tuple[str, Greeting | None]:
        """Which circuit is meant, once the other end has shown who it is."""
        config = self._station.config
        here = [c for c in config.circuit if c.listen == place]
        if not here:
            raise PeerError("no circuit is to be called here any more")
        context = tls_context(here[0], config, calls=False)
        if context is None:
            writer.transport.resume_reading()  # type: ignore[attr-defined]
        else:
            await writer.start_tls(context)
        greeting = None
        if len(here) == 1 and not here[0].link:
            circuit = here[0]
        else:
            greeting = Greeting(config.limits.message_bytes)
            circuit = _called(here, await greeting.read(reader))
        if circuit.tls:
            _check_name(writer, circuit.tls.peer)
        return circuit.name, greeting

    async def _down(self, name: str, why: str) -> None:
        if name in self._sessions:
            return
        with contextlib.suppress(JournalError):
            await sending.circuit_changed(self._station, name, False, why)

    async def _converse(
        self,
        name: str,
        reader: Line,
        writer: asyncio.StreamWriter,
        greeting: Greeting | None,
    ) -> None:
        """One connection from greeting to end. A newer one takes the place of an older."""
        while old := self._sessions.get(name):
            await old.close()
        circuit = self._station.circuits[name]
        kind = LinkSession if circuit.config.link else PlainSession
        session = kind(self._station, circuit, reader, writer)
        self._sessions[name] = session
        try:
            await session.run(greeting)
        finally:
            if self._sessions.get(name) is session:
                del self._sessions[name]
            session.ended.set()
            writer.close()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_GOODBYE_S):
            await writer.wait_closed()


def _called(here: Iterable[CircuitConfig], hello: links.Hello) -> CircuitConfig:
    for circuit in here:
        if circuit.link and circuit.station == hello.station and circuit.receive == hello.send:
            return circuit
    raise PeerError(f"{hello.station} on channel {hello.send} is no circuit of this place")


def _check_name(writer: asyncio.StreamWriter, name: str) -> None:
    """The certificate must bear the name that the configuration gives for the other station."""
    certificate = writer.get_extra_info("peercert") or {}
    names = {value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
    for part in certificate.get("subject", ()):
        names |= {value for key, value in part if key == "commonName"}
    if name not in names:
        raise PeerError(f"the certificate is that of {', '.join(sorted(names))}, not of {name}")
