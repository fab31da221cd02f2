"""The message centre beside Postfix: `python benchmarks/centre.py [--messages N] [--routine N]`.

Messages of 4 kB, and a centre in a process of its own, with its journal on the disk of `--folder`:

- durable acceptance: the same messages handed to the centre over links and to Postfix by SMTP, in turns,
  with 1, 8 and 64 senders, each of which waits for the acknowledgement before it sends the next. Both
  keep their queue on the same disk, write a log, and send nothing on meanwhile: the centre's circuit
  onward is down, Postfix holds what comes (which spares it the queue manager) and is not held up by
  its own in_flow_delay. SMTP commands are pipelined. Where strace is at hand, the syncs to disk of a
  further, untimed round are counted on both sides;
- FLASH behind ROUTINE: how long after it was handed in a FLASH message has arrived at the next station,
  while 100,000 ROUTINE messages leave; how fast those leave; the memory that they take; and how long
  the centre takes to start with them after a kill.

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
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import click

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.instruments.postfix import MailServer, mail_server
from tests.instruments.world import free_port

from reftel.centre import link as links

SENDERS = (1, 8, 64)
_POSTFIX = "smtpd_client_restrictions = check_client_access static:HOLD\nin_flow_delay = 0\n"
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

        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Centre:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGTERM)

    def start(self) -> float:
        """Seconds until it answers."""
        began = time.monotonic()
        (self.folder / "data" / "centre.sock").unlink(missing_ok=True)
        command = [sys.executable, "-m", "reftel", "centre", "run", "--config", str(self.config)]
        with self.log.open("ab") as log:
            # A session of its own, as Postfix has: the scheduler shares the processors among sessions.
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        while not (self.folder / "data" / "centre.sock").exists():
            if self.process.poll() is not None or time.monotonic() > began + 120:
                raise SystemExit(self.log.read_text()[-2000:])
            time.sleep(0.02)
        return time.monotonic() - began

    def stop(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(60)

    def memory_mb(self) -> float:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextlib.contextmanager
def _syncs(leader: int, folder: Path, counted: list[int]) -> Iterator[None]:
    """Adds how often the processes of a session sync to disk in the block; nothing without strace."""
    if not shutil.which("strace"):
        yield
        return
    out = folder / f"syncs-{leader}"
    found = subprocess.run(["pgrep", "-s", str(leader)], capture_output=True, text=True, check=True)
    here = [word for each in found.stdout.split() for word in ("-p", each)]
    command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(out)]
    tracing = subprocess.Popen([*command, *here], stderr=subprocess.DEVNULL)
    time.sleep(1)
    try:
        yield
    finally:
        tracing.send_signal(signal.SIGINT)
        tracing.wait(30)
    if out.exists():
        counted.append(sum("sync(" in line for line in out.read_text().splitlines()))


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


async def _accept(
    centre: _Centre,
    senders: int,
    messages: int,
    first: int,
    watched: contextlib.AbstractContextManager[object] | None = None,
) -> float:
    """Messages a second that are taken on by the centre, `watched` from when all are connected."""
    peers = [_Sender(number, centre.port) for number in range(senders)]
    each = max(messages // senders, 1)
    made = {}
    for peer in peers:
        await peer.open()
        numbers = range(first, first + each)
        made[peer] = [_message(peer.channel, n, "R", peer.station) for n in numbers]

    async def work(peer: _Sender) -> None:
        for data in made[peer]:
            await peer.send(data)

    with watched or contextlib.nullcontext():
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
    each = max(messages // senders, 1)

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


def _accepted(place: Path, messages: int, rounds: int) -> None:
    """Both take messages on, in turns."""
    rates: dict[int, tuple[list[float], list[float]]] = {each: ([], []) for each in SENDERS}
    with contextlib.ExitStack() as stack:
        server: MailServer | None = None
        if Path("/usr/sbin/postfix").exists() and os.geteuid() == 0:
            server = stack.enter_context(mail_server(place / "postfix", _POSTFIX))
        centre = stack.enter_context(_Centre(place / "accept", max(SENDERS)))
        first = 1
        for senders in SENDERS:
            own, peers = rates[senders]
            many = messages if senders > 1 else messages // 8
            for _ in range(rounds):
                if server is not None:
                    peers.append(asyncio.run(_smtp(server.port, senders, max(many // 4, 1))))
                own.append(asyncio.run(_accept(centre, senders, many, first)))
                first += max(many // senders, 1)
            line = f"accepted from {senders:2d} senders: {median(own):.0f}/s"
            if peers:
                ratio = median(a / b for a, b in zip(own, peers, strict=True))
                line += f"; Postfix {median(peers):.0f}/s: {ratio:.1f} times"
            click.echo(line)
        many = min(messages, 128)
        assert centre.process is not None
        counted: list[int] = []
        watched = _syncs(centre.process.pid, place, counted)
        asyncio.run(_accept(centre, max(SENDERS), many, first, watched))
        if counted:
            line = f"syncs to disk for {many} messages from {max(SENDERS)} senders: {counted[0]}"
            if server is not None:
                master = (place / "postfix" / "queue" / "pid" / "master.pid").read_text()
                with _syncs(int(master), place, counted):
                    asyncio.run(_smtp(server.port, max(SENDERS), many))
                line += f"; Postfix {counted[-1]}"
            click.echo(line)


async def _fill(centre: _Centre, routine: int) -> float:
    """Hand in ROUTINE messages; how many a second are taken on."""
    peers = [_Sender(number, centre.port) for number in range(8)]
    for peer in peers:
        await peer.open()
    share = routine // len(peers)
    began = time.perf_counter()

    async def fill(peer: _Sender) -> None:
        for start in range(0, share, 500):
            numbers = range(start + 1, min(start + 500, share) + 1)
            await peer.send_many([_message(peer.channel, n, "R", peer.station) for n in numbers])

    await asyncio.gather(*map(fill, peers))
    for peer in peers:
        peer.writer.close()
    return share * len(peers) / (time.perf_counter() - began)


class _Sink:
    """The next station: takes everything, and notes when FLASH messages came."""

    def __init__(self, routine: int) -> None:
        self.routine = routine
        self.arrived: dict[int, float] = {}
        self.count = 0
        self.ended = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        core = links.Link(100_000)
        writer.write(links.hello("QZCC", "ZZB", "ZZA", 0))
        while data := await reader.read(65536):
            now = time.perf_counter()
            high = 0
            for said in core.receive(data):
                if said.kind == "message":
                    high = said.number
                    if b"\nZZ QZCCSM" in said.data[:60]:
                        self.arrived[int(said.data.split(b"DE QZBBAI ")[1][:4])] = now
                    else:
                        self.count += 1
                elif said.kind == "ping":
                    writer.write(links.frame("pong"))
            if high:
                writer.write(links.stored(high))
            if self.count >= self.routine:
                self.ended.set()
        writer.close()


async def _flash(centre: _Centre, routine: int) -> None:
    """FLASH messages among ROUTINE traffic: the times until they have come to the next station."""
    sink = _Sink(routine)
    server = await asyncio.start_server(sink.take, "127.0.0.1", centre.onward)
    urgent = _Sender(8, centre.port)
    await urgent.open()
    while sink.count == 0:
        await asyncio.sleep(0.01)
    sent: dict[int, float] = {}
    began, before = time.perf_counter(), sink.count
    while not sink.ended.is_set() and len(sent) < 9000:
        number = len(sent) + 1
        data = _message(urgent.channel, number, "Z", urgent.station)
        sent[number] = time.perf_counter()
        await urgent.send(data)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(sink.ended.wait(), 0.03)
    await asyncio.wait_for(sink.ended.wait(), 600)
    rate = (sink.count - before) / (time.perf_counter() - began)
    while len(sink.arrived) < len(sent):
        await asyncio.sleep(0.05)
    took = sorted(sink.arrived[number] - sent[number] for number in sent)
    cuts = quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99
    click.echo(
        f"FLASH among them, handed in to arrived at the next station: p50 {cuts[49] * 1000:.0f} ms,"
        f" p99 {cuts[98] * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms of {len(took)}"
    )
    click.echo(f"ROUTINE left at {rate:.0f}/s meanwhile")
    urgent.writer.close()
    await asyncio.to_thread(centre.stop, signal.SIGTERM)
    server.close()


def _behind(place: Path, routine: int) -> None:
    """100,000 wait; the centre is killed and starts again; they leave, and FLASH passes them."""
    with _Centre(place / "flash", 16) as centre:
        empty = centre.memory_mb()
        rate = asyncio.run(_fill(centre, routine))
        each = (centre.memory_mb() - empty) * 1024 * 1024 / routine
        click.echo(
            f"{routine} ROUTINE wait, taken on at {rate:.0f}/s; memory {empty:.0f} MB empty,"
            f" {centre.memory_mb():.0f} MB now: {each:.0f} bytes for each"
        )
        centre.stop(signal.SIGKILL)
        took = centre.start()
        click.echo(f"started again after a kill in {took:.1f} s, with {centre.memory_mb():.0f} MB")
        asyncio.run(_flash(centre, routine))


@click.command()
@click.option(
    "--messages", default=12_800, show_default=True, help="Of a round with 8 or 64 senders."
)
@click.option("--rounds", default=3, show_default=True)
@click.option("--routine", default=100_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where both keep their queues.")
def main(messages: int, rounds: int, routine: int, folder: Path | None) -> None:
    """Time the centre, beside Postfix where there is one."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    place = Path(tempfile.mkdtemp(prefix="reftel-bench-", dir=folder))
    place.chmod(0o755)
    try:
        for name in ("accept", "postfix", "flash"):
            (place / name).mkdir()
        _accepted(place, messages, rounds)
        _behind(place, routine)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
