"""A mail circuit and what a mail server can answer: taken, later, never, for some, and no answer at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.instruments.station import CONFIG, Bench, bench, message, run
from tests.instruments.world import free_port

from reftel.centre import desk
from reftel.centre.maildoor import MailDoor, _Door
from reftel.centre.mailgate import MailCircuit
from reftel.centre.told import told

PORT = free_port()
MAIL = (
    CONFIG.replace(
        'name = "south"\nstation = "QZCC"\nsend = "AAC"\nreceive = "CCA"\nlisten = "127.0.0.1:2"',
        'name = "south"\nkind = "mail"\nstation = "QZCC"\nmailbox = "south@south.example"',
    )
    + f'[mail]\nserver = "127.0.0.1:{PORT}"\nmailbox = "porta@porta.example"\n'
)


class Offering(SMTP):
    """SMTP with MT-PRIORITY (RFC 6710) and DSN (RFC 3461), which the library has not."""

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        sender, _, parameters = (arg or "").partition("> ")
        self.event_handler.mails.append(parameters.split())
        await super().smtp_MAIL(sender + ">")

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        mailbox, _, parameters = (arg or "").partition("> ")
        self.event_handler.recipients.append(parameters)
        await super().smtp_RCPT(mailbox + ">")


class Server:
    """A mail server that answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.mails: list[list[str]] = []
        self.recipients: list[str] = []
        self.rcpt: Callable[[str], str] = lambda _: "250 OK"
        self.data: Callable[[bytes], str] = lambda _: "250 OK"

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        del envelope
        session.host_name = hostname
        if isinstance(server, Offering):
            responses[-1:-1] = ["250-MT-PRIORITY STANAG4406", "250-DSN"]
        return responses

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
async def mailing(b: Bench, kind: type[SMTP] = SMTP) -> AsyncIterator[Server]:
    server = Server()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: kind(server, hostname="x"), "127.0.0.1", PORT)
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


def test_priorities_go_by_mt_priority_where_it_is_offered_and_by_the_header_where_not(
    tmp_path: Path,
) -> None:
    """RFC 6710, policy STANAG4406; RFC 6758. A report names the telegram and does not carry its text."""

    async def trial(b: Bench) -> None:
        for letter, priority, word in (
            ("R", -2, "ROUTINE"),
            ("P", 0, "PRIORITY"),
            ("O", 2, "IMMEDIATE"),
            ("Z", 4, "FLASH"),
        ):
            hop = len(b.journal.entries())
            for kind in (Offering, SMTP):
                async with mailing(b, kind) as server:
                    text = message(f"BBA{hop:03d}", "QZCCSM", f"{hop:04d}", letter=letter)
                    number = (await b.take("north", text)).message
                    await until(lambda s=server: s.taken and _sent(b))
                    hop += 1
                assert f"MT-Priority: {priority} ({word}, STANAG4406)".encode() in server.taken[0]
                if kind is SMTP:
                    assert server.mails == []
                    continue
                [parameters] = server.mails
                assert f"MT-PRIORITY={priority}" in parameters
                assert "RET=HDRS" in parameters
                [identity] = [each for each in parameters if each.startswith("ENVID=")]
                assert identity.removeprefix("ENVID=").split(".")[0] == str(number)
                assert server.recipients == ["NOTIFY=SUCCESS,FAILURE,DELAY"]

    with bench(tmp_path, MAIL) as b:
        run(trial(b))


def test_a_server_that_says_goodbye_has_what_it_took_and_gets_the_rest_unmarked(
    tmp_path: Path,
) -> None:
    """421 behind one mail: it goes later, and those behind it were never begun."""

    async def trial(b: Bench) -> None:
        for number in (1, 2, 3):
            await b.take("north", message(f"BBA00{number}", "QZCCSM", f"000{number}"))
        async with mailing(b) as server:
            answers = ["250 OK", "421 4.3.2 shutting down"]
            server.rcpt = lambda _: answers.pop(0) if answers else "250 OK"
            await until(lambda: len(server.taken) == 3)
            await until(lambda: _sent(b))
        assert not [data for data in server.taken if b"ZFD" in data]
        assert b.operator() == []

    with bench(tmp_path, MAIL) as b:
        run(trial(b))


def test_a_mail_circuit_that_was_down_comes_up_by_itself_and_its_traffic_returns(
    tmp_path: Path,
) -> None:
    """No number is given while nobody answers, and what went over to the alternate comes back."""

    async def trial(b: Bench) -> None:
        south = b.station.circuits["south"]
        await b.take("north", message("BBA001", "QZCCSM", "0001"))
        circuit = asyncio.create_task(MailCircuit(b.station, b.config.named("south")).run())
        await until(lambda: not south.up)
        assert "out:south" not in b.station.values
        circuit.cancel()
        await asyncio.gather(circuit, return_exceptions=True)
        async with mailing(b) as server:
            await until(lambda: server.taken)
            await until(lambda: south.up)

    with bench(tmp_path, MAIL) as b:
        run(trial(b))


REPORT = """\
From: MAILER-DAEMON@relay.example
To: porta@porta.example
Subject: Undelivered
Message-ID: <{identity}@relay.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

It did not arrive.
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example
{envelope}
Final-Recipient: rfc822; south@south.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 nobody
 of this name

--x
Content-Type: text/rfc822-headers

Message-ID: <QZAAMF.{hop}.7@localhost>

--x--
"""


async def _report(b: Bench, **fields: str) -> str:
    filled = {"envelope": "", "hop": "XYZ9999", "action": "failed", "status": "5.1.1", **fields}
    envelope = Envelope()
    envelope.mail_from, envelope.content = "", REPORT.format(**filled).encode()
    door = _Door(b.station, MailDoor(b.station))
    session = Session(asyncio.get_running_loop())
    return await door.handle_DATA(object(), session, envelope)


def test_a_report_finds_its_telegram_by_envelope_or_by_what_is_returned(tmp_path: Path) -> None:
    """Once, however often it comes; one that names nothing of ours changes nothing."""

    async def trial(b: Bench) -> None:
        number = (await b.take("north", message("BBA001", "QZCCSM", letter="P"))).message
        async with mailing(b):
            await until(lambda: _sent(b))
        [sent] = [e for e in b.journal.entries(message=number) if e.kind == "sending"]
        assert sent.hop
        for fields in (
            {"identity": "1", "envelope": f"Original-Envelope-Id: {number}.1"},
            {"identity": "2", "hop": sent.hop},
        ):
            for _ in range(2):
                assert (await _report(b, **fields)).startswith("250")
            [duty] = b.operator()
            assert (duty.message, duty.letter, duty.routing) == (number, "P", ("QZCCSM",))
            assert duty.note == (
                "the mail to south@south.example was not delivered: 5.1.1 550 5.1.1 nobody of this name"
            )
            await desk.discard(b.station, duty.id, "ana", "a trial")
        await _report(b, identity="3", envelope="Original-Envelope-Id: 4711.1")
        await _report(b, identity="4", action="delayed", hop=sent.hop, status="4.4.1")
        assert b.operator() == []
        [late] = [
            e for e in b.journal.entries(message=number) if e.detail.get("action") == "delayed"
        ]
        assert told(late) == "a mail server reports of south@south.example: delayed (4.4.1)"

    with bench(tmp_path, MAIL) as b:
        run(trial(b))
