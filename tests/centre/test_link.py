"""The link between Reftel stations: its core byte by byte, its page's examples, and two stations over it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.instruments.station import CONFIG, Bench, bench, message, run
from tests.instruments.world import free_port
from tests.telegrams import ROOT

from reftel.centre import link as links
from reftel.centre.link import Hello, Link, LinkError
from reftel.centre.stream import Streams

GREETING = links.hello("QZBB", "BBA", "AAB", 0)


def _examples() -> dict[str, bytes]:
    page = (ROOT / "docs/link.md").read_text(encoding="utf-8")
    return {
        name: bytes.fromhex(text)
        for name, text in re.findall(r"```hex ([a-z -]+)\n([0-9a-f\s]+)```", page)
    }


def test_the_examples_of_the_page_are_what_is_said() -> None:
    said = _examples()
    hello = Hello(1, "QZAAMF", "AAB", "BBA", 41, "5d0c6a9e27f1b384", "c3a1f08872d94e56", (17,))
    why = "2000001 bytes are more than limits.message_bytes, 1000000"
    assert said["hello"] == links.hello(
        "QZAAMF", "AAB", "BBA", 41, "5d0c6a9e27f1b384", "c3a1f08872d94e56", (17,)
    )
    assert said["message"] == links.message(42, b"HELLO")
    assert said["stored"] == links.stored(42)
    assert said["refused"] == links.refused(43, why)
    assert said["ping pong give-up"] == b"".join(
        links.frame(kind)  # type: ignore[arg-type]
        for kind in ("ping", "pong", "give-up")
    )
    link = Link(1_000_000)
    heard = [
        each
        for name in ("hello", "message", "stored", "refused")
        for each in link.receive(said[name])
    ]
    assert [(each.kind, each.number, each.data) for each in heard] == [
        ("hello", 0, b""),
        ("message", 42, b"HELLO"),
        ("stored", 42, b""),
        ("refused", 43, why.encode()),
    ]
    assert heard[0].hello == hello


_SAID = st.one_of(
    st.tuples(st.just("message"), st.integers(0, 2**63 - 1), st.binary(max_size=300)),
    st.tuples(st.just("stored"), st.integers(0, 2**63 - 1), st.just(b"")),
    st.tuples(st.just("ping"), st.just(0), st.just(b"")),
)


@given(st.lists(_SAID, max_size=12), st.lists(st.integers(1, 40), max_size=30))
def test_what_is_said_is_heard_in_whatever_pieces_it_comes(
    said: list[tuple[str, int, bytes]], pieces: list[int]
) -> None:
    stream = GREETING
    for kind, number, data in said:
        if kind == "message":
            stream += links.message(number, data)
        else:
            stream += links.stored(number) if kind == "stored" else links.frame("ping")
    link, heard, at = Link(1000), [], 0
    for size in [*pieces, len(stream)]:
        heard += link.receive(stream[at : at + size])
        at += size
    assert [(each.kind, each.number, each.data) for each in heard[1:]] == said
    assert not link.within_message


@given(st.lists(st.binary(max_size=60), max_size=20), st.booleans())
def test_any_bytes_are_understood_or_refused(chunks: list[bytes], greeted: bool) -> None:
    """Nothing but `LinkError` is ever raised."""
    link = Link(1000)
    try:
        if greeted:
            link.receive(GREETING)
        for chunk in chunks:
            link.receive(chunk)
    except LinkError:
        return
    assert link.within_message or not b"".join(chunks)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_byte_damaged_on_the_way_is_never_taken_for_something_else(at: int, flip: int) -> None:
    """Whichever byte it is, what is heard is a part of what was said, or the link breaks."""
    stream = GREETING + links.stored(3) + links.message(4, b"FERRY") + links.refused(5, "NO")
    whole = [(each.kind, each.number, each.data) for each in Link(1000).receive(stream)]
    at %= len(stream)
    spoilt = bytes((*stream[:at], stream[at] ^ flip, *stream[at + 1 :]))
    link, heard = Link(1000), []
    try:
        for piece in (spoilt[:at], spoilt[at:]):
            heard += [(each.kind, each.number, each.data) for each in link.receive(piece)]
    except LinkError:
        pass
    assert heard == whole[: len(heard)]
    assert len(heard) < len(whole)


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ((links.stored(1),), "a stored frame came before the greeting"),
        ((GREETING, GREETING), "a second greeting came"),
        ((GREETING, links.frame("data", b"X")), "data came without a message"),
        ((GREETING, links.frame("give-up")), "given up that had not begun"),
        ((GREETING, links.begin(1, 9), links.begin(2, 9)), "a message began within another"),
        ((GREETING, links.begin(1, 2), links.frame("data", b"XYZ")), "longer than was said"),
        ((GREETING, links.frame("begin", b"X")), "a begin frame has 12 bytes"),
        ((GREETING, links.frame("stored", b"X")), "a stored frame has at least 8 bytes"),
        ((GREETING, links.frame("stored", b"\xff" * 8)), "is no link number"),
        ((links.frame("hello", b"{}"),), "the greeting cannot be read"),
        ((links.frame("hello", b"\xff"),), "the greeting cannot be read"),
        ((GREETING.replace(b'"version":1', b'"version":2'),), "damaged on the way"),
        ((b"GET / HTTP/1.1\r\n",), "no frame begins with b'G'"),
        ((b"D\xff\xff\xff\xff\0\0\0\0",), "is too long"),
    ],
)
def test_who_breaks_the_rules_hears_which(frames: tuple[bytes, ...], why: str) -> None:
    link = Link(1000)
    for each in frames[:-1]:
        link.receive(each)
    with pytest.raises(LinkError, match=why):
        link.receive(frames[-1])


def test_a_message_that_is_too_long_passes_by_without_being_kept() -> None:
    link = Link(1000)
    [_, said, after] = link.receive(
        GREETING + links.message(1, b"x" * 200_000) + links.message(2, b"SHORT")
    )
    assert (said.kind, said.number, said.data) == ("too-long", 1, b"200000 bytes")
    assert (after.kind, after.number, after.data) == ("message", 2, b"SHORT")


class Peer:
    """The other end of a link, in a test's hand: what it says, and what it heard."""

    def __init__(self, port: int, journal: str = "theirs") -> None:
        self.port = port
        self.journal = journal
        self.heard: list[links.Received] = []
        self.writer: Any = None

    async def call(self, *, stored: int = 0, of: str = "", refused: tuple[int, ...] = ()) -> Hello:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.link = Link(100_000)
        self.say(links.hello("QZBB", "BBA", "AAB", stored, self.journal, of, refused))
        said = await self.hear("hello")
        assert said.hello is not None
        return said.hello

    def say(self, frames: bytes) -> None:
        self.writer.write(frames)

    async def hear(self, kind: str) -> links.Received:
        """The next thing of a kind, what comes before it passed over."""
        while True:
            for at, each in enumerate(self.heard):
                if each.kind == kind:
                    del self.heard[: at + 1]
                    return each
            data = await asyncio.wait_for(self.reader.read(65536), 10)
            if not data:
                raise EOFError("the station closed the connection")
            self.heard += self.link.receive(data)

    async def hangs_up(self) -> str:
        """Waits for the station to close; the reason that it gave."""
        try:
            said = await self.hear("bye")
        except (EOFError, ConnectionError):
            return ""
        return said.data.decode()

    async def cut(self) -> None:
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()


@asynccontextmanager
async def called(b: Bench, journal: str = "theirs") -> AsyncIterator[Peer]:
    """The station at work, and a peer for its circuit to the north."""
    streams = Streams(b.station)
    await streams.apply()
    peer = Peer(int(b.config.named("north").listen.split(":")[1]), journal)  # type: ignore[union-attr]
    try:
        yield peer
    finally:
        await peer.cut()
        await streams.stop()


def config(more: str = "", limits: str = "") -> str:
    text = CONFIG.replace('listen = "127.0.0.1:1"', f'listen = "127.0.0.1:{free_port()}"\n{more}')
    return text.replace('listen = "127.0.0.1:2"', f'listen = "127.0.0.1:{free_port()}"') + limits


def test_what_is_stored_is_acknowledged_and_not_taken_twice(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            assert (await peer.call()).stored == 0
            peer.say(links.message(1, message("BBA001", serial="0001").encode()))
            peer.say(links.message(2, message("BBA002", serial="0002").encode()))
            while (await peer.hear("stored")).number < 2:
                pass
            await peer.cut()
            hello = await peer.call()
            assert hello.stored == 2
            assert (hello.of, hello.journal) == ("theirs", b.journal.identity)
            peer.say(links.message(2, message("BBA002", serial="0002").encode()))
            peer.say(links.message(3, message("BBA003", serial="0003").encode()))
            assert (await peer.hear("stored")).number == 3
        assert len(b.station.here) == 3
        assert "duplicate" not in b.kinds()

    with bench(tmp_path, config()) as b:
        run(trial(b))


def test_what_was_not_stored_goes_again_with_its_numbers(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            for number in (1, 2, 3):
                text = message(routing="QZBBNV", origin="QZAAMF", serial=f"000{number}")
                await b.take(None, text)
            first = [await peer.hear("message") for _ in range(3)]
            await peer.cut()
            await peer.call(stored=1, of=b.journal.identity)
            again = [await peer.hear("message") for _ in range(2)]
            assert [(m.number, m.data) for m in again] == [(m.number, m.data) for m in first[1:]]
            peer.say(links.stored(3))
            while b.station.circuits["north"].flight:
                await asyncio.sleep(0.01)
        assert not [d for d in b.station.duties.values() if d.circuit == "north"]
        assert "broken-off" not in b.kinds()

    with bench(tmp_path, config()) as b:
        run(trial(b))


def test_a_station_with_a_new_journal_gets_everything_again(tmp_path: Path) -> None:
    """Its greeting names numbers of another journal, or none: they say nothing about ours, nor ours about
    its."""

    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            await b.take(None, message(routing="QZBBNV", origin="QZAAMF"))
            first = await peer.hear("message")
            peer.say(links.message(7, message("BBA001", serial="0001").encode()))
            await peer.hear("stored")
            await peer.cut()
            peer.journal = "another"
            hello = await peer.call(stored=900, of="somebody else's")
            again = await peer.hear("message")
            assert (again.number, again.data) == (first.number, first.data)
            assert hello.of == "theirs"
            peer.say(links.message(1, message("BBA002", serial="0002").encode()))
            assert (await peer.hear("stored")).number == 1
        assert len(b.station.here) == 3

    with bench(tmp_path, config()) as b:
        run(trial(b))


def test_a_journal_that_is_an_older_copy_gives_no_number_again(tmp_path: Path) -> None:
    """The other end holds more than it ever sent: it goes on above, and marks what is in doubt."""

    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            await b.take(None, message(routing="QZBBNV", origin="QZAAMF"))
            await peer.hear("message")
            await peer.cut()
            await peer.call(stored=50, of=b.journal.identity)
            marked = await peer.hear("message")
            assert marked.number == 51
            assert b" ZFD QZAAMF" in marked.data
        assert ("journal.outrun", 50) in [(event, f.get("stored")) for event, f in b.told]

    with bench(tmp_path, config()) as b:
        run(trial(b))


def test_a_message_too_long_is_refused_and_the_next_ones_are_taken(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            peer.say(links.message(1, b"x" * 200_000))
            peer.say(links.message(2, message("BBA002").encode()))
            refused = await peer.hear("refused")
            assert refused.number == 1
            assert b"200000 bytes are more than limits.message_bytes, 5000" in refused.data
            assert (await peer.hear("stored")).number == 2
            await peer.cut()
            assert (await peer.call()).refused == (1,)

    with bench(tmp_path, config(limits="[limits]\nmessage_bytes = 5000\n")) as b:
        run(trial(b))


@pytest.mark.parametrize("lost", [False, True])
def test_what_the_other_end_refuses_lies_with_the_operator(tmp_path: Path, lost: bool) -> None:
    """Though the refusal itself is lost, and only the next greeting tells it."""

    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            for number in (1, 2):
                text = message(routing="QZBBNV", origin="QZAAMF", serial=f"000{number}")
                await b.take(None, text)
            await peer.hear("message")
            await peer.hear("message")
            if lost:
                await peer.cut()
                await peer.call(stored=2, of=b.journal.identity, refused=(1,))
            else:
                peer.say(links.refused(1, "too long for us") + links.stored(2))
            while b.station.circuits["north"].flight:
                await asyncio.sleep(0.01)
        [duty] = b.operator()
        assert "refused by QZBB" in (duty.note or "")
        assert duty.message == 1

    with bench(tmp_path, config()) as b:
        run(trial(b))


@pytest.mark.parametrize(
    "lie",
    [
        links.hello("QZXX", "BBA", "AAB", 0),
        links.hello("QZBB", "XXA", "AAB", 0),
        links.hello("QZBB", "BBA", "XXB", 0),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\xff" * 5000,
    ],
)
def test_a_peer_that_is_not_who_it_should_be_is_refused(tmp_path: Path, lie: bytes) -> None:
    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
            writer.write(lie)
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 10)
            writer.close()
            assert not b.station.circuits["north"].up or not b.station.circuits["north"].flight
            assert any(event == "connection.refused" for event, _ in b.told)
            await peer.call()
            peer.say(links.message(1, message("BBA001").encode()))
            assert (await peer.hear("stored")).number == 1

    with bench(tmp_path, config()) as b:
        run(trial(b))


def test_a_number_stored_that_was_never_sent_breaks_the_link(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            peer.say(links.stored(9))
            assert "number 9 is stored there and was not sent" in await peer.hangs_up()

    with bench(tmp_path, config()) as b:
        run(trial(b))


def test_a_frame_that_does_not_end_is_not_waited_for(tmp_path: Path) -> None:
    """A slow sender is cut off, however often it sends a byte."""

    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            frame = links.frame("data", b"x" * 60_000)

            async def drip() -> None:
                for at in range(len(frame)):
                    peer.say(frame[at : at + 1])
                    await asyncio.sleep(0.05)

            dripping = asyncio.ensure_future(drip())
            await asyncio.wait_for(peer.hangs_up(), 10)
            dripping.cancel()

    with bench(tmp_path, config(limits="[limits]\nslow_sender_s = 0.3\n")) as b:
        run(trial(b))


def test_a_silent_peer_is_down_and_a_live_one_is_not(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()
            for _ in range(5):
                await peer.hear("ping")
                peer.say(links.frame("pong"))
            assert b.station.circuits["north"].up
            await peer.hangs_up()
            await asyncio.sleep(0.05)
            assert not b.station.circuits["north"].up
            assert "nothing was heard" in b.station.circuits["north"].why

    with bench(tmp_path, config("keep_alive_s = 0.1")) as b:
        run(trial(b))


def test_a_flash_interrupts_a_slow_line_and_the_rest_follows_in_order(tmp_path: Path) -> None:
    """At 75 baud's hundredfold: give-up, the cancelled number, FLASH, then the interrupted one anew."""

    async def trial(b: Bench) -> None:
        async with called(b) as peer:
            await peer.call()

            async def send(serial: str, letter: str, text: str) -> None:
                await b.take(
                    None,
                    message(
                        routing="QZBBNV", origin="QZAAMF", serial=serial, letter=letter, text=text
                    ),
                )

            await send("0001", "R", "UNCLAS\n" + "LONG AND SLOW.\n" * 120)
            await send("0002", "R", "UNCLAS\nNEXT.")
            await asyncio.sleep(0.3)
            await send("0003", "Z", "UNCLAS\nAT ONCE.")
            await peer.hear("gave-up")
            cancelled = await peer.hear("message")
            assert b"E E E E E E E E AR" in cancelled.data
            peer.say(links.stored(cancelled.number))
            order = []
            for _ in range(3):
                said = await peer.hear("message")
                order.append(re.search(rb"DE QZAAMF (\d+)", said.data)[1])  # type: ignore[index]
                peer.say(links.stored(said.number))
            assert order == [b"0003", b"0001", b"0002"]
            hops = [e.hop for e in b.journal.entries() if e.kind == "sending"]
            assert hops == ["AAB0001", "AAB0002", "AAB0003", "AAB0004"]

    with bench(tmp_path, config("baud = 7500")) as b:
        run(trial(b))
