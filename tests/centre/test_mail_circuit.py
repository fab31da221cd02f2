"""A mail circuit and what a mail server can answer: taken, later, never, for some, and no answer at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP
from tests.instruments.station import CONFIG, Bench, bench, message, run
from tests.instruments.world import free_port

from reftel.centre.mailgate import MailCircuit

PORT = free_port()
MAIL = (
    CONFIG.replace(
        'name = "south"\nstation = "QZCC"\nsend = "AAC"\nreceive = "CCA"\nlisten = "127.0.0.1:2"',
        'name = "south"\nkind = "mail"\nstation = "QZCC"\nmailbox = "south@south.example"',
    )
    + f'[mail]\nserver = "127.0.0.1:{PORT}"\nmailbox = "porta@porta.example"\n'
)


class Server:
    """A mail server that answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.rcpt: Callable[[str], str] = lambda _: "250 OK"
        self.data: Callable[[bytes], str] = lambda _: "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        del server, session, options
        answer = self.rcpt(address)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        del session
        answer = self.data(envelope.content)
        if answer == "hang up":
            server.transport.abort()
            return "421 gone"
        if answer.startswith("2"):
            self.taken.append(envelope.content)
        return answer


@asynccontextmanager
async def mailing(b: Bench) -> AsyncIterator[Server]:
    server = Server()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(server, hostname="x"), "127.0.0.1", PORT)
    circuit = asyncio.create_task(MailCircuit(b.station, b.config.named("south")).run())
    try:
        yield server
    finally:
        circuit.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await circuit
        listening.close()
        await asyncio.sleep(0.05)


async def until(happened: Callable[[], object]) -> None:
    for _ in range(1000):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


def _sent(b: Bench) -> bool:
    return not [duty for duty in b.station.duties.values() if duty.circuit == "south"]


def test_what_a_server_takes_later_is_sent_later_and_not_marked(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        async with mailing(b) as server:
            answers = ["451 4.7.1 try again later", "250 OK"]
            server.rcpt = lambda _: answers.pop(0)
            await b.take("north", message("BBA001", "QZCCSM"))
            await until(lambda: server.taken)
            await until(lambda: _sent(b))
        assert b"ZFD" not in server.taken[0]
        assert b.operator() == []

    with bench(tmp_path, MAIL) as b:
        run(trial(b))


def test_what_a_server_never_takes_lies_with_the_operator_and_the_next_goes(
    tmp_path: Path,
) -> None:
    async def trial(b: Bench) -> None:
        async with mailing(b) as server:
            server.data = lambda data: "552 5.3.4 too big" if b"0001 1550842" in data else "250 OK"
            await b.take("north", message("BBA001", "QZCCSM", "0001"))
            await b.take("north", message("BBA002", "QZCCSM", "0002"))
            await until(lambda: server.taken and b.operator())
        [duty] = b.operator()
        assert "552" in (duty.note or "")

    with bench(tmp_path, MAIL) as b:
        run(trial(b))


def test_a_server_that_hangs_up_may_have_the_mail(tmp_path: Path) -> None:
    """The one that was on its way goes again marked; the one behind it had not begun and is not."""

    async def trial(b: Bench) -> None:
        answers = ["hang up"]
        await b.take("north", message("BBA001", "QZCCSM", "0001"))
        await b.take("north", message("BBA002", "QZCCSM", "0002"))
        async with mailing(b) as server:
            server.data = lambda _: answers.pop() if answers else "250 OK"
            await until(lambda: len(server.taken) == 2)
            await until(lambda: _sent(b))
        marked = {
            number: b" ZFD " in data
            for number in (1, 2)
            for data in server.taken
            if f"000{number} 1550842".encode() in data
        }
        assert marked == {1: True, 2: False}

    with bench(tmp_path, MAIL) as b:
        run(trial(b))


def test_a_mailbox_that_is_refused_among_others_is_told_to_the_operator(tmp_path: Path) -> None:
    """Mail to people: one of two mailboxes is unknown; the other got it, and a person hears of the first."""
    people = MAIL.replace('mailbox = "south@south.example"', "")
    directory = (
        '[[station]]\nname = "MINFOR PORTA"\nrouting_indicator = "QZAAMF"\nmailbox = "m@porta.example"\n'
        '[[station]]\nname = "EMB NORDHAVEN"\nrouting_indicator = "QZBBNV"\nmailbox = "n@n.example"\n'
        '[[station]]\nname = "EMB SUDMARK"\nrouting_indicator = "QZCCSM"\nmailbox = "s@s.example"\n'
        '[[station]]\nname = "CONSUL SUDMARK"\nrouting_indicator = "QZCCSM"\nmailbox = "c@s.example"\n'
    )

    async def trial(b: Bench) -> None:
        async with mailing(b) as server:
            server.rcpt = lambda address: (
                "550 5.1.1 unknown" if address.startswith("c@") else "250 OK"
            )
            text = message("BBA001", "QZCCSM", to="EMB SUDMARK\nCONSUL SUDMARK")
            await b.take("north", text)
            await until(lambda: b.operator())
        [duty] = b.operator()
        assert "c@s.example" in (duty.note or "")
        assert len(server.taken) == 1

    (tmp_path / "directory.toml").write_text(directory)
    people = people.replace('expand = ["ALL NORTH"]\n', "").replace(
        '"directory.toml"', '"people.toml"'
    )
    (tmp_path / "people.toml").write_text(directory)
    with bench(tmp_path, people) as b:
        run(trial(b))
