"""Two centres as processes and a real Postfix between them: STARTTLS, accounts, delivery reports, and a mail
door that nobody can fill or hold open."""

from __future__ import annotations

import contextlib
import json
import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from scripts.postfix import NoPostfixError, running, secured
from tests.instruments.certificates import Authority
from tests.instruments.world import Process, free_port, telegram

PASSWORD = "a long word of ours"
STATIONS = {"minfor": "QZAAMF", "south": "QZCCSM"}


class Pair:
    """A ministry and a post that send each other mail through one server."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.server, self.people = free_port(), free_port()
        self.doors = {name: free_port() for name in STATIONS}
        self.authority = Authority(root, "authority")
        for name in ("relay.example", "south.example"):
            self.authority.vouch(name)
        directory = "".join(
            f'[[station]]\nname = "{name.upper()}"\nrouting_indicator = "{indicator}"\n'
            f'mailbox = "centre@{name}.example"\n'
            for name, indicator in STATIONS.items()
        )
        directory += (
            '[[station]]\nname = "CONSUL WEST"\nrouting_indicator = "QZDDWE"\nmailbox = "a@west.example"\n'
            '[[station]]\nname = "CONSUL EAST"\nrouting_indicator = "QZDDEA"\nmailbox = "b@east.example"\n'
        )
        (root / "directory.toml").write_text(directory)
        self.processes = {name: self._process(name) for name in STATIONS}

    def _process(
        self, name: str, password: str = PASSWORD, authority: str = "authority"
    ) -> Process:
        other = next(each for each in STATIONS if each != name)
        (self.root / f"{name}.password").write_text(password + "\n")
        secure = 'certificate = "south.example.pem"\nkey = "south.example.key"\n'
        text = (
            f'[station]\nname = "{name.upper()}"\nrouting_indicator = "{STATIONS[name]}"\n'
            f'data = "{name}"\ndirectory = "directory.toml"\naccept_from = ["@people.example"]\n'
            f'[[circuit]]\nname = "{other}"\nkind = "mail"\nstation = "{STATIONS[other]}"\n'
            f'mailbox = "centre@{other}.example"\n'
            '[[circuit]]\nname = "people"\nkind = "mail"\n'
            f'[[route]]\nto = "{STATIONS[other][:4]}"\ncircuits = ["{other}"]\n'
            '[[route]]\nto = "QZDD"\ncircuits = ["people"]\n'
            "[limits]\nconnections = 20\nslow_sender_s = 3\n"
            f'[mail]\nlisten = "127.0.0.1:{self.doors[name]}"\nprotocol = "lmtp"\n'
            f'server = "127.0.0.1:{self.server}"\nstarttls = true\nauthority = "{authority}.pem"\n'
            f'peer = "relay.example"\nuser = "{name}"\npassword_file = "{name}.password"\n'
            f'hostname = "{name}.example"\nmailbox = "centre@{name}.example"\n'
            f"{secure if name == 'south' else ''}"
        )
        path = self.root / f"{name}.toml"
        path.write_text(text)
        return Process(name, path, self.root / name)

    def configure(self, name: str, **changed: str) -> None:
        self._process(name, **changed)

    def settings(self) -> str:
        """Of the mail server: each centre by LMTP, encrypted to the one that offers it, and other people's
        mail to a server that knows nobody."""
        maps = ", ".join(
            f"{{ {name}.example = lmtp:[127.0.0.1]:{port} }}" for name, port in self.doors.items()
        )
        return (
            "relay_domains = minfor.example, south.example, west.example, east.example\n"
            f"transport_maps = inline:{{ {maps}, {{ west.example = smtp:[127.0.0.1]:{self.people} }},"
            f" {{ east.example = smtp:[127.0.0.1]:{self.people} }} }}\n"
            "lmtp_tls_policy_maps = inline:{ { [127.0.0.1]:%d = encrypt } }\nlmtp_tls_loglevel = 1\n"
            "smtp_host_lookup = native\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n"
            "queue_run_delay = 1s\n" % self.doors["south"]
        )

    def log(self) -> str:
        return (self.root / "log").read_text()


class _Nobody:
    """A mail server that knows nobody."""

    async def handle_RCPT(self, *asked: Any) -> str:  # noqa: N802
        return f"550 5.1.1 there is no {asked[3]}"


@contextlib.contextmanager
def _nobody(port: int) -> Iterator[None]:
    controller = Controller(_Nobody(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def until(happened: Callable[[], Any], what: str = "it") -> Any:
    end = time.monotonic() + 25
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if found := happened():
                return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    root = tmp_path_factory.mktemp("mail")
    made = Pair(root)
    try:
        with (
            secured(root, "relay.example", dict.fromkeys(STATIONS, PASSWORD)) as accounts,
            running(root, made.server, accounts + made.settings()),
            _nobody(made.people),
        ):
            for process in made.processes.values():
                process.start()
            try:
                for process in made.processes.values():
                    process.ready()
                yield made
            finally:
                for process in made.processes.values():
                    process.stop()
    except NoPostfixError as error:
        pytest.skip(str(error))


def _entries(process: Process, message: int, kind: str) -> list[dict[str, Any]]:
    way = process.ask(f"/centre/message/{message}.json")
    return [each for each in way["entries"] if each["kind"] == kind]


def _taken(process: Process, serial: str) -> list[int]:
    return list(process.ask("/centre/find.json?q=" + serial.replace(" ", "%20")))


def test_a_telegram_goes_encrypted_by_an_account_and_its_report_comes_to_its_way(
    pair: Pair,
) -> None:
    minfor, south = pair.processes["minfor"], pair.processes["south"]
    for sender, other, name in ((minfor, south, "SOUTH"), (south, minfor, "MINFOR")):
        number = sender.send(telegram(sender.name.upper(), (name,), 1, precedence="FLASH"))
        way = sender.ask(f"/centre/message/{number}.json")
        [report] = until(lambda s=sender, n=number: _entries(s, n, "mail-report"))
        assert report["detail"]["recipient"] == f"centre@{other.name}.example"
        assert report["detail"]["action"] == "relayed"
        [there] = until(lambda o=other, w=way: _taken(o, w["name"]))
        came = other.ask(f"/centre/message/{there}.json")
        assert came["text"].split("\n", 2)[2].split() == way["text"].split("\n", 1)[1].split()
        assert "ZFD" not in came["text"]
    log = pair.log()
    assert "sasl_method=" in log
    assert "sasl_username=minfor" in log
    assert "Anonymous TLS connection established from" in log
    assert "TLS connection established to 127.0.0.1" in log, "to a centre that offers it too"


def test_a_mailbox_that_is_gone_is_told_to_the_operator_with_its_telegram(pair: Pair) -> None:
    """Two mailboxes of one mail: each failure names its own station; sending on begins there."""
    minfor = pair.processes["minfor"]
    number = minfor.send(telegram("MINFOR", ("CONSUL WEST", "CONSUL EAST"), 2))
    rows = until(
        lambda: len(found := minfor.ask("/centre/queue.json?circuit=operator")) == 2 and found
    )
    said = {tuple(row["stations"]): row["why"] for row in rows}
    assert said.keys() == {("QZDDWE",), ("QZDDEA",)}
    why = said["QZDDWE",]
    assert why == (
        "the mail to a@west.example was not delivered: 5.1.1 550 5.1.1 there is no a@west.example"
    )
    assert {row["message"] for row in rows} == {number}
    assert len(_entries(minfor, number, "mail-report")) == 2
    for row in rows:
        minfor.ask("/centre/do", {"deed": "discard", "duty": row["duty"], "why": "a trial"})


def test_a_wrong_password_and_a_wrong_certificate_send_nothing_until_they_are_right(
    pair: Pair,
) -> None:
    """The circuit is down with the server's words; the configuration mended and SIGHUP given, all goes once,
    with the numbers in a row."""
    minfor, south = pair.processes["minfor"], pair.processes["south"]
    Authority(pair.root, "stranger")

    def state() -> dict[str, Any]:
        return next(c for c in minfor.ask("/centre.json")["circuits"] if c["name"] == "south")

    last = state()["last_out"]
    pair.configure("minfor", password="wrong")
    minfor.reload()
    number = minfor.send(telegram("MINFOR", ("SOUTH",), 3))
    down = until(lambda: not (now := state())["up"] and now)
    assert "535 5.7.8" in down["why"]
    pair.configure("minfor", authority="stranger")
    minfor.reload()
    until(lambda: "certificate verify failed" in state()["why"])
    assert state()["last_out"] == last, "no number was given to what could not go"
    pair.configure("minfor")
    minfor.reload()
    until(lambda: _entries(minfor, number, "sent"))
    until(lambda: state()["up"])
    name = minfor.ask(f"/centre/message/{number}.json")["name"]
    [there] = until(lambda: _taken(south, name))
    assert "ZFD" not in south.ask(f"/centre/message/{there}.json")["text"]
    before = int(last[3:]) if last else 0
    assert int(state()["last_out"][3:]) == before + 1


@pytest.mark.parametrize(
    ("sender", "body", "code"),
    [
        ("who@elsewhere.example", b"x\r\n", 550),
        ("ana@people.example", b"no telegram at all\r\n", 550),
        ("<>", b"no report at all\r\n", 550),
        ("centre@south.example", b"A LINE OF WORDS\r\n" * 200_000, 552),
    ],
)
def test_what_is_handed_in_and_cannot_be_taken_is_refused(
    pair: Pair, sender: str, body: bytes, code: int
) -> None:
    with smtplib.LMTP("127.0.0.1", pair.doors["minfor"]) as door:
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            door.sendmail(sender, ["centre@minfor.example"], b"Subject: x\r\n\r\n" + body)
        assert refused.value.smtp_code == code


def test_the_mail_door_cannot_be_filled_or_held_open(pair: Pair) -> None:
    """A crowd that says nothing, one that sends a byte at a time, one that says NOOP for ever: a telegram comes
    through, and they are put out."""
    minfor, south = pair.processes["minfor"], pair.processes["south"]
    place = ("127.0.0.1", pair.doors["south"])
    with contextlib.ExitStack() as held:
        crowd = [held.enter_context(socket.create_connection(place)) for _ in range(150)]
        number = minfor.send(telegram("MINFOR", ("SOUTH",), 4))
        name = minfor.ask(f"/centre/message/{number}.json")["name"]
        until(lambda: _taken(south, name))
        assert sum(_closed(each) for each in crowd) >= 130
    with socket.create_connection(place) as slow:
        _answer(slow, b"LHLO x\r\n")
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 20:
                slow.sendall(b"A")
                time.sleep(0.2)
        assert time.monotonic() - begun < 15, "a trickle of bytes is put out"
    with socket.create_connection(place) as chatty:
        said = [_answer(chatty, b"NOOP\r\n") for _ in range(25)]
        assert any("421" in each for each in said)
    assert json.loads(json.dumps(south.ask("/health")))["healthy"]


def _answer(sock: socket.socket, command: bytes) -> str:
    sock.settimeout(5)
    try:
        sock.sendall(command)
        return sock.recv(4096).decode()
    except OSError:
        return "closed"


def _closed(sock: socket.socket) -> bool:
    sock.settimeout(0.01)
    try:
        while data := sock.recv(4096):
            del data
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
