"""`make centre-demo`: two posts and a ministry on one machine, with traffic, a cut line and a mended one.

The stations are three processes of `reftel centre run` with the files of examples/centre; a Postfix of
our own carries what goes between the posts by mail. Everything lies in a temporary folder and ends with
this program.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from reftel.cli.common import color
from reftel.telegram import Addressee, Block, Span, Station, Telegram, to_builtins
from reftel.terminal.style import Style

sys.path.insert(0, str(Path(__file__).parent.parent))
from scripts import postfix

EXAMPLES = Path(__file__).parent.parent / "examples" / "centre"
NAMES = {"ministry": "MINFOR PORTA", "north": "EMB NORDHAVEN", "south": "EMB SUDMARK"}
_ADDRESS = re.compile(r"127\.0\.0\.1:(?P<port>[0-9]+)")
_PATIENCE_S = 60.0
_OPEN_S = 300.0

FERRY = """\
From: EMB NORDHAVEN
To: MINFOR PORTA PRIORITY
Info: EMB SUDMARK
Classification: UNCLASSIFIED
TAGS: EWWT, PREL
Subject: THE FERRY SAILS AGAIN

The harbour office lowers the light dues by a tenth on Monday. The ferry
to Westbay sails again from that day.

The mayor asks whether the ministry will send somebody. There will be
herring.
"""
GROUNDED = """\
From: EMB NORDHAVEN
To: MINFOR PORTA IMMEDIATE
Classification: UNCLASSIFIED
TAGS: CASC, EWWT
Subject: THE FERRY RAN AGROUND, ALL ARE SAFE

The ferry ran aground off Graaskaer at 0610 local. All forty-one
passengers are ashore, and the shipwrecked are given soup.
"""
ALL_POSTS = """\
From: MINFOR PORTA
To: ALL POSTS FLASH
Classification: UNCLASSIFIED
TAGS: CASC
Subject: KEEP ALL FERRIES IN PORT

Keep all ferries in port until the light at Graaskaer burns again.
Acknowledge.
"""


class Line:
    """A line between two stations, in a thread of its own, that can be cut and mended."""

    def __init__(self, port: int, to_port: int) -> None:
        self._port, self._to_port = port, to_port
        self._open = True
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Line:
        start = asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._server = self._loop.run_until_complete(start)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()

    def cut(self) -> None:
        self._open = False
        self._loop.call_soon_threadsafe(self._break)

    def mend(self) -> None:
        self._open = True

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if self._open:
                there, away = await asyncio.open_connection("127.0.0.1", self._to_port)
                self._writers |= {writer, away}
                await asyncio.gather(_pump(reader, away), _pump(there, writer))
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


class Post:
    """One of the three stations: its process, its files, and how to ask it."""

    def __init__(self, key: str, folder: Path) -> None:
        self.key, self.name = key, NAMES[key]
        self.config = folder / f"{key}.toml"
        self._socket = folder / key / "centre.sock"
        found = re.search(r'\[http\]\nlisten = "(?P<place>[^"]+)"', self.config.read_text())
        assert found is not None
        self.page = f"http://{found['place']}/centre"

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.config.with_suffix(".log").open("ab") as log:
            command = [sys.executable, "-m", "reftel", "centre", "run", "--config", self.config]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            wait(
                lambda: self.ask("/health")["healthy"], f"{self.name} did not start; see {log.name}"
            )
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def ask(self, target: str, body: Any = None) -> Any:
        """The centre's answer. Raises `OSError`."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(20)
        with contextlib.closing(connection):
            connection.sock.connect(str(self._socket))
            headers = {"Content-Type": "application/json", "X-Reftel-Operator": "demo"}
            data = None if body is None else json.dumps(body)
            try:
                connection.request("GET" if data is None else "POST", target, data, headers)
                answer = connection.getresponse()
                text = answer.read()
            except http.client.HTTPException as error:
                raise OSError(str(error)) from error
        if answer.status >= 400:
            raise OSError(f"{self.name} answers {answer.status}: {text.decode()[:200]}")
        return json.loads(text)

    def read(self) -> dict[str, list[dict[str, Any]]]:
        """What was delivered here: subject → where it was put to be read."""
        found: dict[str, list[dict[str, Any]]] = {}
        for office in self.ask("/centre/offices.json"):
            for row in self.ask(f"/centre/reading/{office['office']}.json?limit=10000"):
                found.setdefault(row["subject"] or "", []).append(
                    {**row, "office": office["office"]}
                )
        return found


def wait(happened: Callable[[], Any], otherwise: str) -> Any:
    """What comes once it is there. Raises `SystemExit` when patience ends."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            if found := happened():
                return found
        if time.monotonic() > end:
            raise SystemExit(f"centre-demo: {otherwise}")
        time.sleep(0.05)


class Demo:
    """The story, told while it happens."""

    def __init__(self, folder: Path, short: bool) -> None:
        self._folder, self._short = folder, short
        self._style = Style(84, color())
        self._step = 0
        self._sent: dict[str, tuple[str, ...]] = {}
        self._number = 0

    def say(self, text: str = "", *paint: str) -> None:
        print(self._style.paint(text, *paint), flush=True)

    def step(self, text: str) -> None:
        self._step += 1
        self.say()
        self.say(f"{self._step}  {text}", "bold")

    def run(self) -> None:
        ports = self._write_files()
        with ExitStack() as running:
            with_mail = self._start_mail(running, ports)
            line = running.enter_context(Line(ports["7101"], ports["listen"]))
            self.posts = {key: Post(key, self._folder) for key in NAMES}
            self.say("Three message centres on this machine", "bold")
            for post in self.posts.values():
                running.enter_context(post.running())
                self.say(f"   {post.name:<14} {post.page}", "wire")
            self.say(
                "   NORDHAVEN and SUDMARK each have a line to PORTA; to each other they send mail"
                + ("," if with_mail else ".")
            )
            if with_mail:
                self.say(f"   through Postfix on port {ports['7125']}.")
            self._telegram_is_sent_and_read()
            self._line_is_cut(line)
            self._flash_to_all_posts()
            self._line_is_mended(line)
            self._count()
            if not self._short:
                self._stay_open()

    # Setting up

    def _write_files(self) -> dict[str, int]:
        """The files of examples/centre, with ports that are free; where each port of theirs went."""
        ports: dict[str, int] = {}

        def free(match: re.Match[str]) -> str:
            ports.setdefault(match["port"], _free_port(int(match["port"])))
            return f"127.0.0.1:{ports[match['port']]}"

        for path in sorted(EXAMPLES.glob("*.toml")):
            (self._folder / path.name).write_text(_ADDRESS.sub(free, path.read_text()))
        # Between the post and the ministry lies a line that can be cut: it takes the port.
        ports["listen"] = _free_port(0)
        ministry = self._folder / "ministry.toml"
        listen = f"127.0.0.1:{ports['7101']}"
        there = f"127.0.0.1:{ports['listen']}"
        ministry.write_text(ministry.read_text().replace(listen, there))
        return ports

    def _start_mail(self, running: ExitStack, ports: dict[str, int]) -> bool:
        doors = {"nordhaven.example": "7112", "sudmark.example": "7113"}
        places = {domain: f"127.0.0.1:{ports[port]}" for domain, port in doors.items()}
        root = self._folder / "postfix"
        root.mkdir()
        try:
            more = postfix.relayed(places)
            running.enter_context(postfix.running(root, ports["7125"], more))
        except postfix.NoPostfixError as error:
            self.say(f"{error}: each post hands its mail to the other one itself.", "doubt")
            for key, other in (("north", "7113"), ("south", "7112")):
                path = self._folder / f"{key}.toml"
                server = f'server = "127.0.0.1:{ports["7125"]}"'
                to = f'server = "127.0.0.1:{ports[other]}"'
                path.write_text(path.read_text().replace(server, to))
            return False
        return True

    # The story

    def _telegram_is_sent_and_read(self) -> None:
        self.step("NORDHAVEN sends a telegram, PRIORITY for PORTA, for information to SUDMARK")
        self._send_draft("north", "ferry", FERRY)
        self._arrives("THE FERRY SAILS AGAIN", "ministry", "south")
        serial = self.posts["north"].ask("/centre/message/1.json")["name"]
        self._command("centre", "find", serial, post="ministry")
        found = wait(
            lambda: self._found("ministry", "herring"), "the archive of PORTA does not find it"
        )
        self.say(f"   The reading room of PORTA finds it: {found}", "wire")

    def _line_is_cut(self, line: Line) -> None:
        number = 6 if self._short else 24
        self.step("Traffic flows, and the line between NORDHAVEN and PORTA is cut")
        self._traffic(number)
        line.cut()
        self.say("   -- cut --", "doubt-text")
        self._traffic(number)
        wait(lambda: not self._up("north", "ministry"), "NORDHAVEN does not notice the cut")
        self._command("centre", "status", post="north")
        self._send_draft("north", "grounded", GROUNDED)
        self._arrives("THE FERRY RAN AGROUND, ALL ARE SAFE", "ministry")
        self.say("   It went round: by mail to SUDMARK, and over its line to PORTA.")

    def _flash_to_all_posts(self) -> None:
        self.step("PORTA sends a FLASH to ALL POSTS; at each, a person has to say that it was seen")
        self._send_draft("ministry", "all-posts", ALL_POSTS)
        self._arrives("KEEP ALL FERRIES IN PORT", "north", "south")
        for key in ("north", "south"):
            post = self.posts[key]
            alert = next(a for a in post.ask("/centre.json")["alerts"] if a["message"])
            self.say(f"   {post.name}: {alert['what']}", "doubt")
            self._command("centre", "do", "acknowledge", str(alert["message"]), post=key)

    def _line_is_mended(self, line: Line) -> None:
        self.step("The line is mended, and traffic goes over it again")
        line.mend()
        self.say("   -- mended --", "number")
        wait(lambda: self._up("north", "ministry"), "NORDHAVEN does not notice the mended line")
        self._traffic(6 if self._short else 24)
        self._command("centre", "status", post="north")

    def _count(self) -> None:
        self.step("Where is everything?")
        expected = dict.fromkeys(NAMES, 0)
        for addressees in self._sent.values():
            for key in addressees:
                expected[key] += 1
        for key, post in self.posts.items():
            wanted = {subject for subject, to in self._sent.items() if key in to}
            wait(
                lambda post=post, wanted=wanted: wanted <= post.read().keys(),
                f"not everything has come to {post.name}",
            )
            read = post.read()
            twice = [s for s, rows in read.items() if len({r["message"] for r in rows}) > 1]
            offices = sorted({row["office"] for rows in read.values() for row in rows})
            self.say(
                f"   {post.name:<14} {expected[key]:>3} sent to it, {len(read):>3} read,"
                f" {len(twice)} twice, in {', '.join(offices)}",
                "doubt-text" if twice or len(read) != expected[key] else "text",
            )
            if twice or len(read) != expected[key]:
                raise SystemExit("centre-demo: the count is wrong")
        for key in NAMES:
            self._command("centre", "verify", post=key)

    def _stay_open(self) -> None:
        self.step(f"The pages stay open for {_OPEN_S / 60:.0f} minutes, or until Ctrl-C")
        for post in self.posts.values():
            self.say(f"   {post.name:<14} {post.page}", "wire")
        time.sleep(_OPEN_S)

    # What the steps do

    def _command(self, *words: str, post: str) -> str:
        """Run a command as one would type it, and show what it prints."""
        config = self.posts[post].config
        shown = " ".join(shlex.quote(word.removeprefix(f"{self._folder}/")) for word in words)
        self.say(f"   $ reftel {shown} --config {config.name}", "dim")
        done = subprocess.run(
            [sys.executable, "-m", "reftel", *words, "--config", config],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **({"FORCE_COLOR": "1"} if color() else {}), "COLUMNS": "90"},
        )
        if done.returncode == 2:
            raise SystemExit(f"centre-demo: {done.stderr}")
        said = (done.stdout + done.stderr).rstrip()
        for line in said.split("\n"):
            print(f"     {line}".rstrip(), flush=True)
        return said

    def _send_draft(self, post: str, name: str, draft: str) -> None:
        path = self._folder / f"{name}.txt"
        path.write_text(draft)
        subject = next(line[9:] for line in draft.split("\n") if line.startswith("Subject: "))
        to = {key for key, station in NAMES.items() if f": {station}" in draft and key != post}
        self._sent[subject] = ("north", "south") if "ALL POSTS" in draft else tuple(to)
        said = self._command("centre", "send", str(path), post=post)
        number = re.search(r"accepted as message ([0-9]+)", said)
        assert number is not None
        self._began = self.posts[post].ask(f"/centre/message/{number[1]}.json")["at"]

    def _arrives(self, subject: str, *keys: str) -> None:
        for key in keys:
            post = self.posts[key]
            rows = wait(
                lambda post=post: post.read().get(subject), f"{subject} is not at {post.name}"
            )
            took = rows[0]["at"] - self._began
            for row in rows:
                self.say(
                    f"   read at {post.name} by {row['office']} ({row['why']}), {took:.2f} s later",
                    "text",
                )

    def _traffic(self, number: int) -> None:
        """Telegrams from each station to the two others."""
        stations = list(NAMES)
        for _ in range(number):
            self._number += 1
            sender = stations[self._number % 3]
            others = tuple(key for key in stations if key != sender)
            subject = f"WEATHER AT {NAMES[sender].split()[-1]}, REPORT {self._number}"
            text = f"Report {self._number}: wind from the west, sea moderate, light burning."
            telegram = Telegram(
                source="",
                dialect="acp127",
                precedence=("ROUTINE", "PRIORITY")[self._number % 2],
                originator=Station(NAMES[sender]),
                action=tuple(Addressee(NAMES[key]) for key in others),
                classification="UNCLASSIFIED",
                subject=subject,
                body=(Block("paragraph", 1, None, None, text.upper(), Span(0, 0)),),
            )
            self.posts[sender].ask("/centre/send", to_builtins(telegram))
            self._sent[subject] = others
        self.say(f"   {number} telegrams handed in, each for two stations")

    def _up(self, post: str, circuit: str) -> bool:
        now = self.posts[post].ask("/centre.json")
        return any(each["up"] for each in now["circuits"] if each["name"] == circuit)

    def _found(self, post: str, words: str) -> str | None:
        page = self.posts[post].page.removesuffix("/centre")
        host = page.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", f"/search.json?q={words}")
            hits = json.loads(connection.getresponse().read())["results"]
        return f"{page}/search?q={words}" if hits else None


def _free_port(wanted: int) -> int:
    """This port, or another where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                sock.bind(("127.0.0.1", port))
                return int(sock.getsockname()[1])
    raise SystemExit("centre-demo: no port is free")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--short", action="store_true", help="less traffic, and end when it is told"
    )
    short = parser.parse_args().short
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell that starts us in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reftel-demo-") as folder:
        demo = Demo(Path(folder), short)
        try:
            demo.run()
        except KeyboardInterrupt:
            demo.say()
        demo.say()
        demo.say(f"All stopped after {time.monotonic() - began:.0f} s; nothing is left.", "bold")


if __name__ == "__main__":
    main()
