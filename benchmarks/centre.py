"""The message centre beside Postfix: `python benchmarks/centre.py [--messages N] [--routine N]`.

Two measurements, each with a centre in a process of its own and messages of 4 kB:

- durable acceptance: the same messages handed to the centre over links and to Postfix by SMTP, with 1, 8
  and 64 senders, each of which waits for the acknowledgement before it sends the next; both keep their
  queue on the same disk and deliver nothing meanwhile;
- FLASH behind ROUTINE: how long after it was handed in the first byte of a FLASH message reaches the next
  station, while 100,000 ROUTINE messages leave; and how fast those leave, and the memory they take.

Postfix is started from Debian's package, as root; without it the first measurement has no peer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

import click

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.instruments.postfix import mail_server
from tests.instruments.world import free_port

from reftel.centre import link as links

SENDERS = (1, 8, 64)
_LINE = "THIS LINE SAYS NOTHING AND STANDS HERE TO MAKE THE MESSAGE LONG\r\r\n"
_BODY = (
    "BT\r\r\nUNCLAS NORDHAVEN\r\r\n" + _LINE * 58 + "BT" + "\r\r" + "\n" * 8 + "NNNN" + "\x7f" * 12
)


def _letters(number: int) -> str:
    return "".join(chr(65 + number // step % 26) for step in (26, 1))


def _message(channel: str, number: int, letter: str, origin: str) -> bytes:
    head = (
        f"VZCZC{channel}{(number - 1) % 9999 + 1:04d}     \r\r\n{letter}{letter} QZCCSM\r\r\n"
        f"DE {origin} {number % 10000:04d} {1550000 + number // 10000:07d}\r\r\nZNR UUUUU\r\r\n"
        f"{letter} 040840Z JUN 2025\r\r\nFM EMB NORDHAVEN\r\r\nTO EMB SUDMARK\r\r\n"
    )
    return (head + _BODY).encode()


class _Centre:
    """A centre in a process of its own, with a circuit for each sender and one onward."""

    def __init__(self, folder: Path, senders: int) -> None:
        self.folder = folder
        self.port, self.onward = free_port(), free_port()
        text = (
            '[station]\nname = "RELAY"\nrouting_indicator = "QZAA"\ndata = "data"\n'
            f'[[circuit]]\nname = "onward"\nstation = "QZCC"\nsend = "ZZA"\nreceive = "ZZB"\n'
            f'connect = "127.0.0.1:{self.onward}"\nwindow = 64\n'
            '[[route]]\nto = "QZCC"\ncircuits = ["onward"]\n'
        )
        for number in range(senders):
            text += (
                f'[[circuit]]\nname = "s{number}"\nstation = "QZBB{_letters(number)}"\n'
                f'send = "A{_letters(number)}"\nreceive = "B{_letters(number)}"\n'
                f'listen = "127.0.0.1:{self.port}"\n'
            )
        self.config = folder / "centre.toml"
        self.config.write_text(text)

    def __enter__(self) -> _Centre:
        command = [sys.executable, "-m", "reftel", "centre", "run", "--config", str(self.config)]
        self.log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 30
        while not (self.folder / "data" / "centre.sock").exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit((self.folder / "log").read_text())
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


class _Sender:
    """One neighbour that sends."""

    def __init__(self, number: int, port: int) -> None:
        self.channel = f"B{_letters(number)}"
        self.station = f"QZBB{_letters(number)}"
        self.theirs = f"A{_letters(number)}"
        self.port = port
        self.link = 0

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.core = links.Link(100_000)
        self.writer.write(links.hello(self.station, self.channel, self.theirs, 0))
        said: list[links.Received] = []
        while not said:
            said = self.core.receive(await self.reader.read(65536))
        self.link = said[0].hello.stored if said[0].hello else 0

    async def send(self, data: bytes) -> None:
        """Hand over one message and wait until it is stored."""
        self.link += 1
        self.writer.write(links.message(self.link, data))
        while True:
            said = self.core.receive(await self.reader.read(65536))
            if any(each.kind == "stored" and each.number >= self.link for each in said):
                return

    async def send_many(self, messages: list[bytes]) -> None:
        """Hand over many, and wait for the last."""
        for data in messages:
            self.link += 1
            self.writer.write(links.message(self.link, data))
            await self.writer.drain()
        while True:
            said = self.core.receive(await self.reader.read(65536))
            if any(each.kind == "stored" and each.number >= self.link for each in said):
                return


async def _accept(centre: _Centre, senders: int, messages: int) -> float:
    """Messages a second that are taken on by the centre."""
    peers = [_Sender(number, centre.port) for number in range(senders)]
    for peer in peers:
        await peer.open()
    each = messages // senders
    base = {id(peer): 1 + 1_000 * SENDERS.index(senders) for peer in peers}

    async def work(peer: _Sender) -> None:
        for number in range(each):
            await peer.send(_message(peer.channel, base[id(peer)] + number, "R", peer.station))

    began = time.perf_counter()
    await asyncio.gather(*map(work, peers))
    took = time.perf_counter() - began
    for peer in peers:
        peer.writer.close()
    return each * senders / took


async def _smtp(port: int, senders: int, messages: int) -> float:
    """Messages a second that Postfix takes on."""
    body = _message("AAA", 1, "R", "QZBBNV").replace(b"\r\r\n", b"\r\n").replace(b"\x7f", b"")
    mail = b"Subject: trial\r\n\r\n" + body.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n"
    each = messages // senders

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def said() -> bytes:
            while True:
                line = await reader.readline()
                if line[3:4] != b"-":
                    return line

        await said()
        writer.write(b"EHLO bench.example\r\n")
        await said()
        for _ in range(each):
            writer.write(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n")
            for _ in range(3):
                line = await said()
            assert line.startswith(b"354"), line
            writer.write(mail)
            line = await said()
            assert line.startswith(b"250"), line
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(senders)))
    return each * senders / (time.perf_counter() - began)


async def _flash(centre: _Centre, routine: int) -> None:
    """FLASH messages among ROUTINE traffic: the times until their first byte is at the next station."""
    peers = [_Sender(number, centre.port) for number in range(8)]
    for peer in peers:
        await peer.open()
    empty = centre.memory_mb()
    share = routine // len(peers)
    began = time.perf_counter()

    async def fill(peer: _Sender) -> None:
        for start in range(0, share, 500):
            numbers = range(start + 1, min(start + 500, share) + 1)
            await peer.send_many([_message(peer.channel, n, "R", peer.station) for n in numbers])

    await asyncio.gather(*map(fill, peers))
    filled = time.perf_counter() - began
    full = centre.memory_mb()
    arrived: dict[int, float] = {}
    count = 0
    ended = asyncio.Event()

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        core = links.Link(100_000)
        writer.write(links.hello("QZCC", "ZZB", "ZZA", 0))
        while data := await reader.read(65536):
            now = time.perf_counter()
            high = 0
            for said in core.receive(data):
                if said.kind == "message":
                    high = said.number
                    count += 1
                    if b"\nZZ QZCCSM" in said.data[:60]:
                        arrived[int(said.data.split(b"DE QZBBAI ")[1][:4])] = now
                elif said.kind == "ping":
                    writer.write(links.frame("pong"))
            if high:
                writer.write(links.stored(high))
            if count >= routine:
                ended.set()

    server = await asyncio.start_server(sink, "127.0.0.1", centre.onward)
    urgent = _Sender(8, centre.port)
    await urgent.open()
    while count == 0:
        await asyncio.sleep(0.01)
    sent: dict[int, float] = {}
    began, before = time.perf_counter(), count
    number = 0
    while not ended.is_set() and number < 9000:
        number += 1
        sent[number] = time.perf_counter()
        await urgent.send(_message(urgent.channel, number, "Z", urgent.station))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(ended.wait(), 0.03)
    await asyncio.wait_for(ended.wait(), 600)
    rate = (count - before) / (time.perf_counter() - began)
    await asyncio.sleep(0.5)
    took = sorted(arrived[n] - sent[n] for n in sent if n in arrived)
    cuts = quantiles(took, n=100)
    click.echo(f"{routine} ROUTINE waited; {len(took)} of {len(sent)} FLASH came while they left")
    click.echo(
        f"FLASH, handed in to first byte at the next station: p50 {cuts[49] * 1000:.0f} ms,"
        f" p99 {cuts[98] * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms (aim: p99 under 1000)"
    )
    click.echo(
        f"ROUTINE left at {rate:.0f}/s meanwhile; taken on at {routine / filled:.0f}/s before"
    )
    click.echo(f"memory: {empty:.0f} MB empty, {full:.0f} MB with {routine} waiting")
    server.close()


@click.command()
@click.option("--messages", default=6400, show_default=True)
@click.option("--routine", default=100_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where both keep their queues.")
def main(messages: int, routine: int, folder: Path | None) -> None:
    place = Path(tempfile.mkdtemp(prefix="reftel-bench-", dir=folder))
    place.chmod(0o755)
    try:
        for name in ("accept", "postfix", "flash"):
            (place / name).mkdir()
        peer: dict[int, float] = {}
        if Path("/usr/sbin/postfix").exists() and os.geteuid() == 0:
            with mail_server(place / "postfix", "defer_transports = virtual\n") as server:
                for senders in SENDERS:
                    peer[senders] = asyncio.run(_smtp(server.port, senders, min(messages, 1600)))
        with _Centre(place / "accept", max(SENDERS)) as centre:
            for senders in SENDERS:
                own = asyncio.run(
                    _accept(centre, senders, messages if senders > 1 else messages // 8)
                )
                beside = ""
                if senders in peer:
                    beside = f"; Postfix {peer[senders]:.0f}/s: {own / peer[senders]:.1f} times"
                click.echo(f"accepted by {senders} senders: {own:.0f}/s{beside}")
        with _Centre(place / "flash", 16) as centre:
            asyncio.run(_flash(centre, routine))
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
