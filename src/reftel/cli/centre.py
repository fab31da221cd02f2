"""The message centre: `reftel centre run`, and what an operator asks of a centre that runs."""

from __future__ import annotations

import asyncio
import gc
import getpass
import http.client
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import click
import msgspec

from reftel.check import Profile
from reftel.cli.common import (
    DONE,
    NOTHING,
    as_json,
    color,
    fail,
    fail_for_mistakes,
    format_option,
    say,
    width,
)
from reftel.cli.writing import one_telegram
from reftel.telegram import to_builtins


@click.group()
def centre() -> None:
    """Move telegrams by precedence: store and forward, losing nothing.

    \b
    Example: reftel centre run --config centre.toml
    """


def _config_option(command: Any) -> Any:
    return click.option(
        "--config",
        "path",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="REFTEL_CENTRE",
        required=True,
        help="The centre's configuration file [or REFTEL_CENTRE].",
    )(command)


def _load(path: Path) -> Any:
    try:
        from reftel.centre import ConfigError, load_config
    except ImportError as error:
        fail(f"{error.name} is not installed; install it with: pip install 'reftel[centre]'")
    try:
        return load_config(path)
    except ConfigError as error:
        fail_for_mistakes(path, error)
    except OSError as error:
        fail(f"{path}: {error.strerror}")


@centre.command("check-config")
@_config_option
def check_config(path: Path) -> None:
    """Say what is wrong with a configuration, or what it sets up.

    \b
    Example: reftel centre check-config --config centre.toml
    """
    config = _load(path)
    from reftel.terminal.centre import render_config

    click.echo(render_config(config, width=width(), color=color()), nl=False, color=color() or None)


@centre.command()
@_config_option
@click.option("--log", type=click.Choice(["auto", "text", "json"]), default="auto")
def run(path: Path, log: str) -> None:
    """Run the centre until it is stopped (Ctrl-C, or SIGTERM). SIGHUP takes the configuration anew.

    \b
    Example: reftel centre run --config centre.toml
    """
    config = _load(path)
    try:
        import uvicorn

        from reftel.archive import StoreError
        from reftel.centre import JournalError
        from reftel.centre.running import Centre, Log
        from reftel.web.centre import centre_app
    except ImportError as error:
        fail(f"{error.name} is not installed; install it with: pip install 'reftel[centre]'")
    readable = {"auto": None, "text": True, "json": False}[log]

    async def main() -> None:
        running = Centre(path, config)
        await running.start(Log(readable=readable))
        # What waits is no garbage; looking through it for some, often, took a tenth of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 10, 20)
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        loop.add_signal_handler(
            signal.SIGHUP, lambda: setattr(running, "reloading", loop.create_task(running.reload()))
        )
        servers: list[uvicorn.Server] = []
        door = config.data / "centre.sock"
        door.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            listener.bind(str(door))
        finally:
            os.umask(before)
        places: list[tuple[Any, str, bool]] = [(listener, "localhost", True)]
        if config.http is not None:
            from reftel.centre.config import address

            host, port = address(config.http.listen)
            places.append((socket.create_server((host, port)), host, False))
            scheme = "https" if config.http.certificate else "http"
            say(f"The centre's pages are at {scheme}://{host}:{port}/centre")
        for sock, host, trusted in places:
            secure = not trusted and config.http is not None and config.http.certificate
            settings = uvicorn.Config(
                centre_app(running, host=host, trusted=trusted),
                log_level="warning",
                access_log=False,
                lifespan="off",
                ssl_certfile=config.folder / str(config.http.certificate) if secure else None,
                ssl_keyfile=config.folder / str(config.http.key) if secure else None,
            )
            server = uvicorn.Server(settings)
            server.capture_signals = _nothing_captured  # type: ignore[method-assign]
            servers.append(server)
            loop.create_task(server.serve(sockets=[sock]))  # noqa: RUF006  ended below
        await ending.wait()
        for server in servers:
            server.should_exit = True
        await asyncio.sleep(0.2)
        await running.stop()
        door.unlink(missing_ok=True)

    try:
        asyncio.run(main())
    except (JournalError, StoreError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or 'an address of the configuration'}")


def _nothing_captured() -> Any:
    import contextlib

    return contextlib.nullcontext()


# What is asked of a centre that runs

_LONG = 24 * 3600.0
"""Seconds; removing a year of a busy centre takes its time."""


class _Socket(http.client.HTTPConnection):
    """HTTP over the socket in the centre's data folder."""

    def __init__(self, path: Path, patience: float) -> None:
        super().__init__("localhost", timeout=patience)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _ask(path: Path, target: str, body: Any = None, patience: float = 60.0) -> Any:
    """The centre's answer; ends the command with its message where it refuses."""
    config = _load(path)
    connection = _Socket(config.data / "centre.sock", patience)
    headers = {
        "X-Reftel-Operator": getpass.getuser(),
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    try:
        if body is None:
            connection.request("GET", target, headers=headers)
        else:
            connection.request("POST", target, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (ConnectionError, FileNotFoundError):
        fail(f"no centre runs with {path}; start it: reftel centre run --config {path}")
    except OSError as error:
        fail(f"the centre does not answer: {error}")
    if answer.status >= 400:
        said = json.loads(text)
        problems = said.get("problems") or [str(said.get("error", "it was refused"))]
        for problem in problems[:-1]:
            say(f"reftel: {problem}")
        fail(problems[-1])
    return json.loads(text)


@centre.command("status")
@_config_option
@format_option("text", "json")
def status_command(path: Path, form: str) -> None:
    """Queues by circuit and precedence, last numbers, alerts. Exit 1 when there is a grave alert.

    \b
    Example: reftel centre status --config centre.toml
    """
    now = _ask(path, "/centre.json")
    if form == "json":
        click.echo(as_json(now))
    else:
        from reftel.terminal.centre import render_status

        click.echo(
            render_status(now, width=width(), color=color()), nl=False, color=color() or None
        )
    sys.exit(NOTHING if any(alert["grave"] for alert in now["alerts"]) else DONE)


@centre.command()
@_config_option
@click.argument("circuit", required=False)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
@format_option("text", "json")
def queue(path: Path, circuit: str | None, limit: int, form: str) -> None:
    """What waits, in the order in which it goes, and why: for a CIRCUIT, `operator`, `held`, or all.

    \b
    Example: reftel centre queue operator --config centre.toml
    """
    asked = urlencode({"limit": limit, **({"circuit": circuit} if circuit else {})})
    rows = _ask(path, f"/centre/queue.json?{asked}")
    if form == "json":
        click.echo(as_json(rows))
    else:
        from reftel.terminal.centre import render_queue

        click.echo(
            render_queue(rows, width=width(), color=color()), nl=False, color=color() or None
        )
    sys.exit(DONE if rows else NOTHING)


@centre.command("find")
@_config_option
@click.argument("words", nargs=-1, required=True)
@format_option("text", "json")
def find_command(path: Path, words: tuple[str, ...], form: str) -> None:
    """Find messages and print their whole ways: by serial number, channel number or a part of them.

    \b
    Example: reftel centre find QZBBNV 0412 1550842 --config centre.toml
    """
    found = _ask(path, "/centre/find.json?" + urlencode({"q": " ".join(words)}))
    ways = [_ask(path, f"/centre/message/{number}.json") for number in found[-20:]]
    if form == "json":
        click.echo(as_json(ways))
    else:
        from reftel.terminal.centre import render_way

        for each in ways:
            click.echo(render_way(each, width=width(), color=color()), color=color() or None)
    if not ways:
        say("reftel: no message is called that")
    sys.exit(DONE if ways else NOTHING)


@centre.command("way")
@_config_option
@click.argument("message", type=int)
@format_option("text", "json")
def way_command(path: Path, message: int, form: str) -> None:
    """Print a message's whole way, by its number in the journal.

    \b
    Example: reftel centre way 17 --config centre.toml
    """
    way = _ask(path, f"/centre/message/{message}.json")
    if form == "json":
        click.echo(as_json(way))
        return
    from reftel.terminal.centre import render_way

    click.echo(render_way(way, width=width(), color=color()), nl=False, color=color() or None)


@centre.command()
@_config_option
@click.argument("file")
def send(path: Path, file: str) -> None:
    """Send a telegram: a draft, a record (JSON), a telegram without procedure lines, or - for standard
    input. It is in the journal when this returns.

    \b
    Example: reftel centre send draft.txt --config centre.toml
    """
    config = _load(path)
    profile: Profile | None = "acp127" if config.station.form == "acp127" else None
    telegram = one_telegram(file, config.directory, profile)
    for each in _ask(path, "/centre/send", to_builtins(telegram)):
        ways = ", ".join(each["ways"]) or (
            "this station" if each["local"] else "the operator's queue"
        )
        say(f"accepted as message {each['message']}, for {ways}")
        for why in each["operator"]:
            say(f"  {why}")


@centre.command("do")
@_config_option
@click.argument(
    "deed",
    type=click.Choice(
        [
            "hold",
            "release",
            "discard",
            "route",
            "correct",
            "send-again",
            "trace",
            "ask-part",
            "acknowledge",
            "close",
        ]
    ),
)
@click.argument("number")
@click.option("--why", default="", help="The reason, which is kept.")
@click.option("--to", default="", help="Routing indicators, blanks between them.")
@click.option("--circuit", help="With route: this circuit, whatever the routes say.")
@click.option("--text", "file", type=click.File("r"), help="With correct: the mended message.")
@click.option("--part", help="With ask-part: what is wanted, as WA SUDMARK IS - TWO TO HARBOUR.")
@click.option("--claimant", help="With trace: who says that it did not come.")
@click.option("--kind", default="open-number", help="With close: what is awaited.")
def do_command(
    path: Path,
    deed: str,
    number: str,
    why: str,
    to: str,
    circuit: str | None,
    file: Any,
    part: str | None,
    claimant: str | None,
    kind: str,
) -> None:
    """What an operator does: to a duty of the queue (hold, release, discard, route, correct), to a message
    (send-again, trace, ask-part, acknowledge), or to something awaited (close).

    \b
    Example: reftel centre do discard 17 --why "a test" --config centre.toml
    """
    body: dict[str, Any] = {"deed": deed, "why": why, "to": to, "circuit": circuit}
    if deed == "close":
        body |= {"kind": kind, "name": number}
    elif deed in ("send-again", "trace", "ask-part", "acknowledge"):
        body |= {"message": number, "claimant": claimant, "text": part or ""}
    else:
        body |= {"duty": number, "text": file.read() if file else ""}
    _ask(path, "/centre/do", body)
    say(f"{deed} {number}: done, and written down for {getpass.getuser()}")


@centre.command("service")
@_config_option
@click.argument("to")
@click.argument("words", nargs=-1)
@click.option(
    "--form",
    type=click.Choice(["number", "test", "check", "closing"]),
    help="Ask for the last number; for the quality of a test; whether a message comes back; may we close.",
)
@click.option(
    "--precedence", type=click.Choice(["Z", "O", "P", "R"]), default="R", show_default=True
)
def service_command(
    path: Path, to: str, words: tuple[str, ...], form: str | None, precedence: str
) -> None:
    """Send a service message TO the other end of a circuit, or to a station by its routing indicator: WORDS
    with an operating signal, or a --form. It goes by name of whoever asks.

    \b
    Example: reftel centre service north ZID NPA0207 --config centre.toml
             reftel centre service north --form test --config centre.toml
    """
    if bool(words) == bool(form):
        fail("give either the words of the message or a --form")
    body = {"deed": "service", "circuit": to, "text": " ".join(words)}
    done = _ask(path, "/centre/do", body | {"form": form or "", "precedence": precedence})["done"]
    say(f"message {done} is on its way to {to}")


@centre.command("reading")
@_config_option
@click.argument("office", required=False)
@format_option("text", "json")
def reading_command(path: Path, office: str | None, form: str) -> None:
    """What lies in an OFFICE's reading queue, or how much before each.

    \b
    Example: reftel centre reading TRADE --config centre.toml
    """
    target = f"reading/{quote(office)}" if office else "offices"
    rows = _ask(path, f"/centre/{target}.json")
    if form == "json":
        click.echo(as_json(rows))
    else:
        from reftel.terminal.centre import render_offices, render_reading

        render = render_reading if office else render_offices
        shown = render(rows, width=width(), color=color())
        click.echo(shown, nl=False, color=color() or None)
    sys.exit(DONE if rows else NOTHING)


@centre.command("profile")
@_config_option
@click.argument("office")
@click.option("--days", default=31.0, show_default=True, help="How far back to look.")
@format_option("text", "json")
def profile_command(path: Path, office: str, days: float, form: str) -> None:
    """What an office's profile, as the file now has it, would have found in the last days.

    \b
    Example: reftel centre profile TRADE --config centre.toml
    """
    config = _load(path)
    from reftel.centre.history import would_find

    profiles = [each for each in config.profile if each.office == office]
    if not profiles:
        offices = ", ".join(dict.fromkeys(each.office for each in config.profile))
        fail(f"there is no [[profile]] of {office}; there are {offices or 'none'}")
    try:
        trial = msgspec.to_builtins(would_find(config, profiles, days))
    except OSError as error:
        fail(str(error))
    if form == "json":
        click.echo(as_json(trial))
    else:
        from reftel.terminal.centre import render_trial

        shown = render_trial(trial, office, days, width=width(), color=color())
        click.echo(shown, nl=False, color=color() or None)
    sys.exit(DONE if trial["found"] else NOTHING)


@centre.command("reload")
@_config_option
def reload_command(path: Path) -> None:
    """Take the configuration anew, without a stop.

    \b
    Example: reftel centre reload --config centre.toml
    """
    _ask(path, "/centre/reload", {})
    say("the configuration was taken")


@centre.command("verify")
@_config_option
def verify_command(path: Path) -> None:
    """Check the whole journal: the chain of its entries, the bytes of its messages, the file.

    Prints the digest of the last entry; kept elsewhere, it proves later that nothing was cut off.

    \b
    Example: reftel centre verify --config centre.toml
    """
    config = _load(path)
    from reftel.centre.history import verify_journal

    try:
        problems, head = verify_journal(config)
    except (OSError, ValueError) as error:
        fail(str(error))
    for problem in problems:
        say(problem)
    click.echo(f"{head[0]} entries, {len(problems)} problems, last {head[1]}")
    sys.exit(NOTHING if problems else DONE)


@centre.command("prune")
@_config_option
@click.option("--dry-run", is_flag=True, help="Only say how much would be removed.")
def prune_command(path: Path, dry_run: bool) -> None:
    """Remove from the journal what has been kept as long as [keep] says. A centre does it by itself once a
    day; after its clock leapt ahead it waits for this command.

    \b
    Example: reftel centre prune --dry-run --config centre.toml
    """
    if dry_run:
        due = _ask(path, "/centre/due.json", patience=_LONG)
        say(f"{due['texts']:,} texts and {due['entries']:,} entries would be removed")
        return
    gone = _ask(path, "/centre/do", {"deed": "prune"}, patience=_LONG)["done"]
    say(f"{gone['texts']:,} texts and {gone['entries']:,} entries removed")


@centre.command("secret")
@click.password_option()
def secret_command(password: str) -> None:
    """Print what the configuration keeps of a password, for an operator or a mail account.

    \b
    Example: reftel centre secret
    """
    from reftel.centre.passwords import secret

    click.echo(secret(password))
