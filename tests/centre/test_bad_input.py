"""Whatever comes over a line is refused or set aside with a clear reason, and the rest goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.instruments.certificates import Authority
from tests.instruments.station import CONFIG, Bench, bench, message, run, service
from tests.instruments.world import free_port

from reftel.centre import link as links
from reftel.centre.framing import Framer
from reftel.centre.journal import Changes
from reftel.centre.scan import RANKS, onward, scan
from reftel.centre.stream import Streams

CONNECTIONS = int(os.environ.get("REFTEL_CONNECTIONS", "1500"))
"""How many strangers call: `REFTEL_CONNECTIONS=10000` by hand."""
GOOD = message("BBA001", serial="0001").encode()

_PIECES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([b"ZCZC", b"VZCZC", b"NNNN", b"\nNNNN", b"\r\n", b"V", b"N", GOOD]),
    ),
    max_size=14,
)


@given(_PIECES, st.lists(st.integers(1, 25), max_size=40))
def test_framing_gives_out_every_byte_that_came(pieces: list[bytes], sizes: list[int]) -> None:
    """Any bytes in any chunks: never an error, and what comes out, in order, is what went in but blanks."""
    stream = b"".join(pieces)
    framer, found, at = Framer(10_000), [], 0
    for size in [*sizes, len(stream)]:
        found += framer.receive(stream[at : at + size])
        at += size
    found += framer.finish()
    blanks = b"\r\n\x00\x7f \x07"
    rest = stream
    for framed in found:
        before, piece, rest = rest.partition(framed.data)
        assert piece
        assert set(before) <= set(b"N" + blanks), before
        if framed.fault is None:
            assert re.match(rb"V?ZCZC", framed.data)
            assert framed.data.endswith(b"NNNN")
    assert set(rest) <= set(b"N" + blanks)
    assert framer.finish() == []


@given(_PIECES, st.lists(st.integers(1, 25), max_size=40))
def test_framing_does_not_depend_on_how_the_bytes_are_cut(
    pieces: list[bytes], sizes: list[int]
) -> None:
    stream = b"".join(pieces)
    whole = Framer(10_000)
    at_once = [*whole.receive(stream), *whole.finish()]
    framer, found, at = Framer(10_000), [], 0
    for size in [*sizes, len(stream)]:
        found += framer.receive(stream[at : at + size])
        at += size
    found += framer.finish()
    assert [f for f in found if f.fault != "noise"] == [f for f in at_once if f.fault != "noise"]


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet="VZCORPDE QABN\n0123456789#/", max_size=400).map(str.encode),
        st.integers(0, len(GOOD)).map(lambda at: GOOD[:at]),
    )
)
def test_a_heading_is_read_whatever_it_is(data: bytes) -> None:
    """Never an error; what cannot be routed says why; what can goes on with its text untouched."""
    scanned = scan(data)
    assert scanned.letter in RANKS
    assert scanned.routing or scanned.problems
    if scanned.routing:
        again = scan(
            onward(scanned, "AAB0001", scanned.routing[:1], scanned.letter).encode("latin-1")
        )
        assert again.routing == scanned.routing[:1]
        assert again.rest == scanned.rest.rstrip("\n ") or "NNNN" in scanned.rest


_DAMAGE: list[Callable[[random.Random, bytes], bytes]] = [
    lambda r, d: d[: r.randrange(len(d))],
    lambda r, d: d[r.randrange(len(d)) :],
    lambda r, d: bytes(b ^ (1 << r.randrange(7)) if r.random() < 0.02 else b for b in d),
    lambda r, d: b"".join(line for line in d.splitlines(keepends=True) if r.random() > 0.1),
    lambda r, d: d[: (at := r.randrange(len(d)))] + r.randbytes(40) + d[at:],
    lambda r, d: d.replace(b"\n", b"") if r.random() < 0.3 else d[::-1],
    lambda r, d: d + d[r.randrange(len(d)) :],
    lambda r, d: d.upper().replace(b"Q", r.choice([b"", b"Q Q", b"7", b"\xff"])),
]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(st.randoms(use_true_random=False))
def test_damaged_transmissions_are_delivered_passed_on_or_set_aside(
    tmp_path_factory: pytest.TempPathFactory, rng: random.Random
) -> None:
    """Every one of them ends somewhere: on a circuit, here, with the operator, or as a known duplicate; and a
    good one behind them is delivered."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        for number in range(1, 7):
            text = rng.choice((message, _urgent, service))(
                f"BBA{number:03d}", rng.choice(("QZAAMF", "QZCCSM QZAAMF", "ZFX AAB0001"))
            )
            data = text.encode()
            for _ in range(rng.randrange(1, 3)):
                data = rng.choice(_DAMAGE)(rng, data) or b"X"
            await b.take_bytes("north", data)
        for _ in range(3):
            await b.deliver()
            await b.give("north")
            await b.give("south")
        assert not any(event == "message.failed" for event, _ in b.told), b.told
        ends = {"accepted", "duplicate", "garbled", "loop", "number-only", "transmission-cancelled"}
        for number in range(1, b.station.last_message + 1):
            row = b.journal.message(number)
            assert row is not None
            if row[1] == "north":
                assert ends & set(b.kinds(number)), (number, b.kinds(number))
        accepted = await b.take("north", message("BBA099", serial="0099"))
        assert accepted.local
        await b.deliver()
        assert "delivered" in b.kinds(accepted.message)
        assert list(b.journal.verify()) == []

    with bench(tmp_path_factory.mktemp("bench")) as b:
        run(trial(b))


def _urgent(hop: str, routing: str) -> str:
    return message(hop, routing, letter="O")


class Line:
    """A plain circuit in a test's hand: what it says, and what the centre says."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: Any = None

    async def __aenter__(self) -> Line:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def say(self, data: bytes | str) -> None:
        self.writer.write(data.encode() if isinstance(data, str) else data)

    async def hear(self, words: str) -> str:
        """What the centre sends up to and with these words."""
        heard = b""
        while words.encode() not in heard:
            data = await asyncio.wait_for(self.reader.read(65536), 10)
            assert data, heard
            heard += data
        return heard.decode("latin-1")


@asynccontextmanager
async def plain(b: Bench) -> AsyncIterator[Line]:
    streams = Streams(b.station)
    await streams.apply()
    try:
        async with Line(int(b.config.named("north").listen.split(":")[1])) as line:  # type: ignore[union-attr]
            yield line
    finally:
        await streams.stop()


async def until(b: Bench, kind: str, count: int = 1) -> None:
    for _ in range(1000):
        if b.kinds().count(kind) >= count:
            # What follows from it in memory is done when what comes behind it is written.
            await b.station.commit(Changes())
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"no {kind}: {b.kinds()}")


def a_plain_line(limits: str = "") -> str:
    text = CONFIG.replace(
        'listen = "127.0.0.1:1"', f'listen = "127.0.0.1:{free_port()}"\nlink = false'
    )
    return text.replace('listen = "127.0.0.1:2"', f'listen = "127.0.0.1:{free_port()}"') + limits


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"VZCZCBBA001     \nRR QZAAMF\nDE QZBBNV 0001 1550842\n" + b"X" * 60_000, "cut short"),
        (message("BBA001", serial="0001")[:-40], "cut short"),
        ("X" * 20_000 + "\nNNNN\n", "names no station that can be read"),
        (bytes(range(256)) * 20 + b"\nNNNN\n", "names no station that can be read"),
        ("VZCZCBBA001     \nZZ\nDE\nBT\nBT\nNNNN\n", "names no station that can be read"),
        ("VZCZCBBA001     \nRR QZ1 Q\nDE QZBBNV 0001 1550842\nNNNN\n", "names no station"),
    ],
    ids=["never ending", "no end", "no start", "binary", "empty lines", "no indicators"],
)
def test_what_is_no_message_lies_with_the_operator_and_the_next_is_delivered(
    tmp_path: Path, bad: bytes | str, why: str
) -> None:
    async def trial(b: Bench) -> None:
        async with plain(b) as line:
            line.say(bad)
            line.say("\n" + message("BBA002", serial="0002"))
            await until(b, "accepted")
            assert any(why in (duty.note or "") for duty in b.operator())
            assert [b.journal.message(duty.message)[2] for duty in b.station.here] == ["BBA002"]  # type: ignore[index]

    with bench(tmp_path, a_plain_line("[limits]\nmessage_bytes = 50000\n")) as b:
        run(trial(b))


def test_a_megabyte_on_one_line_is_a_message_like_any_other(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        long = message("BBA001", "QZAAMF QZCCSM", text="UNCLAS\n" + "X" * 900_000)
        async with plain(b) as line:
            line.say(long)
            await until(b, "accepted")
        [onward_too] = await b.give("south")
        assert onward_too.count("X") == 900_000
        await b.deliver()
        assert "delivered" in b.kinds()

    with bench(tmp_path, a_plain_line()) as b:
        run(trial(b))


def test_two_starts_are_two_messages_of_which_the_first_is_cut(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with plain(b) as line:
            line.say(message("BBA001", serial="0001")[:-50] + message("BBA002", serial="0002"))
            await until(b, "accepted")
            assert b.kinds().count("garbled") == 1
            heard = await line.hear("0001 1550842 ZES2")
            assert "QZBBNV 0001 1550842 ZES2" in heard

    with bench(tmp_path, a_plain_line()) as b:
        run(trial(b))


def test_a_message_of_which_the_line_broke_is_kept_as_far_as_it_came(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with plain(b) as line:
            line.say(message("BBA001", serial="0001")[:-50])
            await asyncio.sleep(0.05)
            line.writer.close()
            await until(b, "garbled")
            [duty] = b.operator()
            assert b"UNCLAS NORDHAVEN 0412" in b.journal.bytes_of(duty.message)

    with bench(tmp_path, a_plain_line()) as b:
        run(trial(b))


def test_a_slow_sender_is_cut_off_in_the_middle_of_a_message(tmp_path: Path) -> None:
    """Not between messages: a line may be silent as long as it likes."""

    async def trial(b: Bench) -> None:
        async with plain(b) as line:
            line.say(message("BBA001", serial="0001"))
            await until(b, "accepted")
            await asyncio.sleep(0.6)
            assert b.station.circuits["north"].up
            line.say("VZCZCBBA002     \nRR QZAAMF\n")
            await until(b, "circuit-down")
            assert "a message stopped in its middle for 0.3 s" in b.station.circuits["north"].why
            assert b.kinds().count("garbled") == 1

    with bench(tmp_path, a_plain_line("[limits]\nslow_sender_s = 0.3\n")) as b:
        run(trial(b))


def test_wrong_numbers_are_told_and_the_messages_delivered(tmp_path: Path) -> None:
    """Another channel's number, none, one far off: each is written down, none keeps a message back."""

    async def trial(b: Bench) -> None:
        async with plain(b) as line:
            for at, hop in enumerate(("BBA001", "XXA002", "BBA999", "BBA001", "BBA0002"), 1):
                line.say(message(hop, serial=f"000{at}"))
            line.say(message("BBA003", serial="0009").split("\n", 1)[1])
            await until(b, "accepted", 6)
        assert {"channel-wrong", "number-restart", "number-absent"} <= set(b.kinds())
        assert len(b.station.here) == 6

    with bench(tmp_path, a_plain_line()) as b:
        run(trial(b))


def test_noise_between_messages_is_told_and_no_message(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with plain(b) as line:
            line.say("\x00\x7f RYRYRY QQQQ\n" + message("BBA001", serial="0001"))
            await until(b, "accepted")
        assert [fields["bytes"] for event, fields in b.told if event == "line.noise"] == [15]
        assert b.operator() == []

    with bench(tmp_path, a_plain_line()) as b:
        run(trial(b))


def test_a_crowd_of_strangers_leaves_room_for_the_neighbour(tmp_path: Path) -> None:
    """No more are held than `limits.connections`; who says nothing longest makes room for who comes."""

    async def trial(b: Bench) -> None:
        streams = Streams(b.station)
        await streams.apply()
        place = b.config.named("north").listen
        assert place is not None
        port = int(place.split(":")[1])
        most = 0
        held: list[socket.socket] = []
        try:
            for number in range(CONNECTIONS):
                stranger = socket.socket()
                stranger.setblocking(False)
                stranger.connect_ex(("127.0.0.1", port))
                held.append(stranger)
                if number % 50 == 0:
                    await asyncio.sleep(0)
                    most = max(most, len(streams._strangers))
                    while len(held) > 300:
                        held.pop(0).close()
            assert most <= 40
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(links.hello("QZBB", "BBA", "AAB", 0) + links.message(1, GOOD))
            heard, link = [], links.Link(100_000)
            while not any(each.kind == "stored" for each in heard):
                data = await asyncio.wait_for(reader.read(65536), 10)
                assert data
                heard += link.receive(data)
        finally:
            for each in held:
                each.close()
            writer.close()
            await streams.stop()
        refused = [f["why"] for event, f in b.told if event == "connection.refused"]
        assert refused.count("too many connections") > CONNECTIONS // 10

    text = CONFIG.replace('listen = "127.0.0.1:1"', f'listen = "127.0.0.1:{free_port()}"')
    text = text.replace('listen = "127.0.0.1:2"', f'listen = "127.0.0.1:{free_port()}"')
    with bench(tmp_path, text + "[limits]\nconnections = 40\n") as b:
        run(trial(b))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
    for name in ("porta.example", "north.example", "spy.example"):
        ours.vouch(name)
    ours.vouch("old.example", days=-1)
    ours.vouch("plain-name", common_name_alone=True)
    theirs.vouch("stranger.example")
    return folder


def _with_tls(way: str, own: str, peer: str) -> str:
    tls = (
        f'\n[circuit.tls]\ncertificate = "{own}.pem"\nkey = "{own}.key"\nauthority = "ours.pem"\n'
        f'peer = "{peer}"\n'
    )
    head, circuit, rest = CONFIG.partition('listen = "127.0.0.1:1"\ncleared = "SECRET"\n')
    rest = rest.replace('listen = "127.0.0.1:2"', f'listen = "127.0.0.1:{free_port()}"')
    return head + way + circuit.partition("\n")[2].join(("\n", "")) + tls + rest


@pytest.mark.parametrize(
    ("caller", "expected", "why"),
    [
        ("north.example", "north.example", None),
        ("plain-name", "plain-name", None),
        ("spy.example", "north.example", "the certificate is that of spy.example, not of north"),
        ("stranger.example", "stranger.example", "certificate"),
        ("old.example", "old.example", "certificate"),
    ],
    ids=["the right one", "a common name alone", "another's", "another authority's", "expired"],
)
def test_each_end_shows_the_certificate_that_the_other_expects(
    tmp_path: Path, certificates: Path, caller: str, expected: str, why: str | None
) -> None:
    """Two stations over TLS: only with the right name, of the right authority, in its time."""

    async def trial(here: Bench, there: Bench) -> None:
        answering, calling = Streams(here.station), Streams(there.station)
        await answering.apply()
        await calling.apply()
        try:
            for _ in range(400):
                if here.station.circuits["north"].up and there.station.circuits["north"].up:
                    break
                if why and any(why in str(f.get("why")) for e, f in here.told if "refused" in e):
                    break
                await asyncio.sleep(0.01)
            assert here.station.circuits["north"].up == (why is None), (here.told, there.told)
            if why is not None:
                assert any(why in str(f.get("why")) for e, f in here.told if "refused" in e)
        finally:
            await calling.stop()
            await answering.stop()

    port = free_port()
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        for path in certificates.iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    listening = _with_tls(f'listen = "127.0.0.1:{port}"\n', "porta.example", expected)
    calling = _with_tls(f'connect = "127.0.0.1:{port}"\n', caller, "porta.example")
    calling = calling.replace('routing_indicator = "QZAAMF"', 'routing_indicator = "QZBB"')
    calling = calling.replace(
        'station = "QZBB"\nsend = "AAB"\nreceive = "BBA"',
        'station = "QZAAMF"\nsend = "BBA"\nreceive = "AAB"',
    )
    with bench(tmp_path / "here", listening) as here, bench(tmp_path / "there", calling) as there:
        run(trial(here, there))
