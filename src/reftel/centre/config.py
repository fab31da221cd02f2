"""A centre's one configuration file (TOML): read once, checked whole, handed down frozen.

docs/centre.md describes each key. A mistake is named with its table, its key and what to write.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from reftel.centre.passwords import well_formed
from reftel.tables.directory import Directory, DirectoryError, parse_directory
from reftel.tables.settings import ConfigError, nearest, placed, read_settings, read_tables
from reftel.telegram import CLASSIFICATIONS

CircuitKind = Literal["stream", "folder", "mail"]
Precedence = Literal["FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"]

LOOPBACK = re.compile(r"(?:127\.[0-9.]+|localhost|\[::1\]|::1)\Z")
_ROUTING_INDICATOR = re.compile(r"[A-Z]{4,8}\Z")
_PREFIX = re.compile(r"[A-Z]{1,8}\Z")
_CHANNEL = re.compile(r"[A-Z]{3}\Z")
_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\s]+):(?P<port>[0-9]{1,5})\Z")

UNASSIGNED = "UNASSIGNED"
"""The reading queue of what no profile finds."""


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file."""


class Tls(_Table, frozen=True, kw_only=True):
    """Certificates of a circuit: ours with its key, the authority that signs the other's, its name."""

    certificate: str
    key: str
    authority: str
    peer: str
    """The name (DNS or common) that the other station's certificate must bear."""


class CircuitConfig(_Table, frozen=True, kw_only=True):
    """One circuit to one neighbour."""

    name: str
    kind: CircuitKind = "stream"
    station: str | None = None
    """The routing indicator of the station at the other end."""
    send: str | None = None
    """The channel designator, three letters, of what we send."""
    receive: str | None = None
    """The channel designator of what we get."""
    digits: int = 4
    """Digits of a channel number: 3 (ACP 127) or 4."""
    daily: bool = False
    """Whether channel numbers begin again with 1 each day (UTC)."""
    connect: str | None = None
    listen: str | None = None
    link: bool = True
    """Whether the other end is a Reftel station, which says what it has stored."""
    code: Literal["ascii", "ita2"] = "ascii"
    baud: int | None = None
    """Speed of the line in bits a second; ten make a character (ITA2: 7.5). None: as fast as it goes."""
    receipts: bool = True
    """Whether FLASH is receipted (`QSL`) on a stream without a link."""
    cleared: str = "TOP SECRET"
    """The highest classification that may go over it."""
    tls: Tls | None = None
    window: int = 64
    """Messages on their way at a time; a line with `baud` has one."""
    keep_alive_s: float = 30.0
    in_doubt_s: float = 60.0
    """How long the circuit is down before what was on its way goes by an alternate, marked as a suspected
    duplicate; FLASH waits a tenth of it."""
    silence_s: float = 1800.0
    """After how long without a message the neighbour is asked for its last number (ACP 127 412.b)."""
    folder_in: str | None = None
    folder_out: str | None = None
    mailbox: str | None = None
    """Of a mail circuit: where the station at the other end takes mail. Without it, mail goes to the
    mailboxes of the addressees."""
    settle_s: float = 0.5
    """How long a file must have stood unchanged before it is taken."""


class RouteConfig(_Table, frozen=True, kw_only=True):
    """Routing indicators that begin with `to` go over the first of `circuits` that is up."""

    to: str
    circuits: tuple[str, ...]


class StationConfig(_Table, frozen=True, kw_only=True):
    name: str
    """Our plain language address, as the directory has it."""
    routing_indicator: str
    also: tuple[str, ...] = ()
    """Further routing indicators that we answer for."""
    expand: tuple[str, ...] = ()
    """Collectives of the directory whose members we send to (ACP 127 4.1)."""
    form: Literal["acp127", "state"] = "acp127"
    data: str = "centre-data"
    directory: str | None = None
    archive: str | None = None
    file_relayed: bool = False
    """Whether what only passes through here is filed in the archive too."""
    accept_from: tuple[str, ...] = ()
    """Mail addresses, or `@domain`, from which telegrams are taken."""


class Limits(_Table, frozen=True, kw_only=True):
    message_bytes: int = 1_000_000
    connections: int = 200
    slow_sender_s: float = 60.0
    """How long a sender may pause within a message."""
    sections_wait_s: float = 3600.0
    """How long the first sections of a telegram wait here for the rest before they are delivered."""


class Keep(_Table, frozen=True, kw_only=True):
    """Days for which the journal keeps what is finished (wire-format.md 11, duty 14); 0 is for ever."""

    messages_days: float = 365.0
    """Texts of messages."""
    service_days: float = 30.0
    """Texts of service messages."""
    entries_days: float = 365.0
    """What happened to messages and on circuits."""
    deeds_days: float = 3650.0
    """What people did."""


class Objectives(_Table, frozen=True, kw_only=True):
    """Seconds from acceptance to the first byte sent, by precedence (NAVEDTRA 14227)."""

    flash: float = 600.0
    immediate: float = 1800.0
    priority: float = 10800.0
    routine: float = 21600.0
    warn_at: float = 0.75
    """The part of the time after which an alert says that a message is about to be late."""


class MailConfig(_Table, frozen=True, kw_only=True):
    listen: str | None = None
    protocol: Literal["smtp", "lmtp"] = "smtp"
    server: str | None = None
    """The mail server to which mail is handed."""
    starttls: bool = False
    authority: str | None = None
    peer: str | None = None
    """The name that the server's certificate must bear; the host of `server` if none is given."""
    user: str | None = None
    password_file: str | None = None
    hostname: str = "localhost"
    mailbox: str | None = None
    """Our own mailbox: the sender of what goes to other stations, to which reports come."""
    certificate: str | None = None
    key: str | None = None
    accounts: dict[str, str] = {}
    """Who may hand in mail: account and the `reftel centre secret` of its password."""


class Profile(_Table, frozen=True, kw_only=True):
    """What an office or a person reads: a telegram that any of these finds."""

    office: str
    tags: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    """Office symbols, with a star for the rest: `EUR`, `EUR/*`."""
    words: tuple[str, ...] = ()
    originators: tuple[str, ...] = ()
    everything: bool = False
    cleared: str = "TOP SECRET"


class Operator(_Table, frozen=True, kw_only=True):
    name: str
    secret: str


class ReaderConfig(_Table, frozen=True, kw_only=True):
    """Somebody who reads for some offices, and does nothing else at the centre."""

    name: str
    secret: str
    offices: tuple[str, ...]


class HttpConfig(_Table, frozen=True, kw_only=True):
    listen: str = "127.0.0.1:8700"
    names: tuple[str, ...] = ()
    """Further names under which browsers reach the pages, as behind a proxy."""
    certificate: str | None = None
    key: str | None = None


class Config(_Table, frozen=True, kw_only=True):
    station: StationConfig
    circuit: tuple[CircuitConfig, ...] = ()
    route: tuple[RouteConfig, ...] = ()
    profile: tuple[Profile, ...] = ()
    operator: tuple[Operator, ...] = ()
    reader: tuple[ReaderConfig, ...] = ()
    limits: Limits = Limits()
    objectives: Objectives = Objectives()
    keep: Keep = Keep()
    mail: MailConfig = MailConfig()
    http: HttpConfig | None = None
    folder: Path = Path()
    directory: Directory = Directory()

    @property
    def ours(self) -> frozenset[str]:
        """The routing indicators that we answer for."""
        return frozenset((self.station.routing_indicator, *self.station.also))

    @property
    def data(self) -> Path:
        return self.folder / self.station.data

    @property
    def archive(self) -> Path:
        return self.folder / self.station.archive if self.station.archive else self.data / "archive"

    def named(self, circuit: str) -> CircuitConfig:
        return next(each for each in self.circuit if each.name == circuit)


_TABLES: dict[str, type[_Table]] = {
    "station": StationConfig,
    "circuit": CircuitConfig,
    "route": RouteConfig,
    "profile": Profile,
    "operator": Operator,
    "reader": ReaderConfig,
    "limits": Limits,
    "objectives": Objectives,
    "keep": Keep,
    "mail": MailConfig,
    "http": HttpConfig,
}
_LISTS = frozenset(("circuit", "route", "profile", "operator", "reader"))


def load_config(path: Path) -> Config:
    """The configuration in a file; paths in it count from its folder. Raises `ConfigError`, `OSError`."""
    return parse_config(read_settings(path), path.resolve().parent)


def parse_config(text: str, folder: Path) -> Config:
    """The configuration that a TOML text describes. Raises `ConfigError` with every problem found."""
    problems: list[str] = []
    values = read_tables(text, _TABLES, _LISTS, problems)
    if "station" not in values:
        problems.append("there is no [station]; it needs name and routing_indicator")
    if problems:
        raise ConfigError(placed(problems, text))
    config = Config(**values, folder=folder)
    if config.station.directory:
        config = msgspec.structs.replace(config, directory=_directory(config, problems))
    problems += list(_problems(config))
    if problems:
        raise ConfigError(placed(problems, text))
    return config


def _directory(config: Config, problems: list[str]) -> Directory:
    assert config.station.directory is not None
    path = config.folder / config.station.directory
    try:
        return parse_directory(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, DirectoryError) as error:
        problems.append(f"[station]: directory {path}: {error}")
        return Directory()


def address(text: str) -> tuple[str, int]:
    """Host and port of `host:port`. Raises `ValueError`."""
    match = _ADDRESS.match(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"{text!r} is no address; write host:port, as 127.0.0.1:7101")
    return match["host"].strip("[]"), int(match["port"])


def _problems(config: Config) -> Any:
    station = config.station
    for indicator in (station.routing_indicator, *station.also):
        if not _ROUTING_INDICATOR.match(indicator):
            yield f"[station]: {indicator!r} is no routing indicator; it has 4 to 8 capital letters"
    if config.directory.entries and config.directory.named(station.name) is None:
        yield f"[station]: {station.name!r} is not in the directory; add a [[station]] with that name"
    for name in station.expand:
        entry = config.directory.named(name)
        if entry is None or entry.kind != "collective" or not entry.routing_indicator:
            yield (
                f"[station]: expand: {name!r} is no collective with a routing indicator in the"
                " directory"
            )
    names: set[str] = set()
    channels: dict[str, str] = {}
    for circuit in config.circuit:
        where = f"[[circuit]] {circuit.name}"
        if circuit.name in names or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", circuit.name):
            yield f"{where}: a name is given once, in small letters, digits and hyphens"
        names.add(circuit.name)
        for problem in _circuit_problems(circuit, config):
            yield f"{where}: {problem}"
        if circuit.send:
            other = channels.setdefault(circuit.send, circuit.name)
            if other != circuit.name:
                yield f"{where}: channel {circuit.send} is that of {other} too; give each its own"
    yield from _shared_places(config)
    for route in config.route:
        if not _PREFIX.match(route.to):
            yield f"[[route]] {route.to}: to is a routing indicator or the first letters of some"
        for name in route.circuits:
            if name not in names:
                yield f"[[route]] {route.to}: there is no circuit {name!r}{nearest(name, names)}"
        if not route.circuits:
            yield f"[[route]] {route.to}: name at least one circuit"
    seen: set[str] = set()
    for route in config.route:
        if route.to in seen:
            yield f"[[route]] {route.to}: it stands twice; name its circuits in one, in order"
        seen.add(route.to)
    for profile in config.profile:
        if profile.cleared not in CLASSIFICATIONS:
            yield f"[[profile]] {profile.office}: {_classification(profile.cleared)}"
    for place, listen in (
        ("[mail]", config.mail.listen),
        ("[mail]", config.mail.server),
        ("[http]", config.http.listen if config.http else None),
    ):
        if listen is not None:
            try:
                host, _ = address(listen)
            except ValueError as error:
                yield f"{place}: {error}"
            else:
                if place == "[http]" and not LOOPBACK.match(host):
                    if not config.operator:
                        yield "[http]: name at least one [[operator]] before it listens beyond loopback"
                    if not (config.http and config.http.certificate and config.http.key):
                        yield (
                            "[http]: passwords would go in clear; give certificate and key, or listen on"
                            " 127.0.0.1 behind a proxy that has them"
                        )
    yield from _people_problems(config)
    yield from _keep_problems(config)
    yield from _mail_problems(config)
    for table, path in (
        *(("mail", each) for each in ("authority", "password_file", "certificate", "key")),
        *(("http", each) for each in ("certificate", "key")),
    ):
        value = getattr(getattr(config, table), path, None)
        if value and not (config.folder / value).is_file():
            yield f"[{table}]: {path}: there is no file {config.folder / value}"
    if config.limits.message_bytes < 2000:
        yield "[limits]: message_bytes is under 2000, too little for any telegram"
    if not 0 < config.objectives.warn_at <= 1:
        yield "[objectives]: warn_at is a part of the time, as 0.75"


def _shared_places(config: Config) -> Any:
    """What is told apart by the greeting of its link can be called at one place, with one certificate."""
    places: dict[str, list[CircuitConfig]] = {}
    for circuit in config.circuit:
        if circuit.kind == "stream" and circuit.listen:
            places.setdefault(circuit.listen, []).append(circuit)
    for place, (first, *others) in places.items():
        for other in others:
            where = f"[[circuit]] {other.name}: listen: {place} is the place of {first.name} too"
            if not (first.link and other.link):
                plain = other if first.link else first
                yield f"{where}, and {plain.name} has no link that says who calls"
            elif _shown(first) != _shown(other):
                yield f"{where}, which shows another certificate; give each place one"
    taken = {place: f"circuit {circuits[0].name}" for place, circuits in places.items()}
    http = config.http.listen if config.http else None
    for table, listen in (("[mail]", config.mail.listen), ("[http]", http)):
        if listen and taken.setdefault(listen, table) != table:
            yield f"{table}: listen: {listen} is the place of {taken[listen]} too"


def _shown(circuit: CircuitConfig) -> tuple[str, str, str] | None:
    tls = circuit.tls
    return (tls.certificate, tls.key, tls.authority) if tls else None


def _mail_problems(config: Config) -> Any:
    mail = config.mail
    if mail.server and not mail.starttls and not _is_loopback(mail.server):
        yield "[mail]: starttls: the server is not on this machine; write starttls = true"
    if mail.listen and not _is_loopback(mail.listen) and not (mail.certificate and mail.key):
        yield "[mail]: listen: it is not on loopback; give certificate and key, for STARTTLS"
    for one, other in (("certificate", "key"), ("user", "password_file")):
        if bool(getattr(mail, one)) != bool(getattr(mail, other)):
            yield f"[mail]: {one} and {other} go together"


def _is_loopback(place: str) -> bool:
    """Whether a place is on this machine; one that is no address is complained of elsewhere."""
    try:
        return LOOPBACK.match(address(place)[0]) is not None
    except ValueError:
        return True


def _keep_problems(config: Config) -> Any:
    keys = ("messages_days", "entries_days", "deeds_days")
    days = {key: getattr(config.keep, key) or float("inf") for key in (*keys, "service_days")}
    yield from (
        f"[keep]: {key}: at least one day, or 0 for ever" for key in days if not days[key] >= 1
    )
    for less, more in itertools.pairwise(keys):
        if days[less] > days[more]:
            yield f"[keep]: {more}: it may not be shorter than {less}, which it explains"


def _people_problems(config: Config) -> Any:
    people: set[str] = set()
    accounts: list[tuple[str, Operator | ReaderConfig]] = [
        *(("operator", operator) for operator in config.operator),
        *(("reader", reader) for reader in config.reader),
    ]
    for table, each in accounts:
        where = f"[[{table}]] {each.name}"
        if not each.name.strip() or ":" in each.name or each.name in people:
            yield f"{where}: a name is given once, and has no colon in it"
        people.add(each.name)
        if not well_formed(each.secret):
            yield f"{where}: secret is none; make one with: reftel centre secret"
    offices = {profile.office for profile in config.profile} | {UNASSIGNED}
    for reader in config.reader:
        for office in reader.offices:
            if office not in offices:
                yield (
                    f"[[reader]] {reader.name}: there is no [[profile]] of {office!r}"
                    f"{nearest(office, sorted(offices))}"
                )
        if not reader.offices:
            yield f"[[reader]] {reader.name}: name at least one office"
    if config.reader and not config.operator:
        yield "[[reader]]: name an [[operator]] too: with readers alone nobody could work the centre"


def _classification(word: str) -> str:
    return f"{word!r} is no classification; one of {', '.join(CLASSIFICATIONS)}"


def _circuit_problems(circuit: CircuitConfig, config: Config) -> Any:
    if circuit.cleared not in CLASSIFICATIONS:
        yield f"cleared: {_classification(circuit.cleared)}"
    if circuit.digits not in (3, 4):
        yield "digits is 3 or 4"
    if circuit.kind in ("stream", "folder"):
        for key in ("send", "receive"):
            value = getattr(circuit, key)
            if value is None or not _CHANNEL.match(value):
                yield f"{key}: give a channel designator of three capital letters, as BBA"
        if circuit.send is not None and circuit.send == circuit.receive:
            yield "send and receive are two channels and have two designators"
        if circuit.station is None or not _ROUTING_INDICATOR.match(circuit.station):
            yield "station: give the routing indicator of the station at the other end"
    if circuit.kind == "stream":
        if (circuit.connect is None) == (circuit.listen is None):
            yield "give either connect or listen, as connect = '192.0.2.7:7101'"
        for key in ("connect", "listen"):
            value = getattr(circuit, key)
            if value is None:
                continue
            try:
                host, _ = address(value)
            except ValueError as error:
                yield f"{key}: {error}"
                continue
            if circuit.tls is None and not LOOPBACK.match(host):
                yield f"{key}: {host} is not loopback; a [circuit.tls] table is needed"
        if circuit.tls:
            for key in ("certificate", "key", "authority"):
                path = config.folder / getattr(circuit.tls, key)
                if not path.is_file():
                    yield f"tls.{key}: there is no file {path}"
        if circuit.code == "ita2" and circuit.link:
            yield "code: a Reftel link carries ASCII; ita2 is for link = false"
    if circuit.kind == "folder" and circuit.folder_in is None and circuit.folder_out is None:
        yield "give folder_in or folder_out or both"
    if circuit.kind == "mail" and config.mail.server is None:
        yield "mail goes out through a server; give [mail] server = 'host:port'"
    if circuit.baud is not None and circuit.baud < 1:
        yield "baud is a number of bits a second, at least 1"
    if circuit.window < 1:
        yield "window is at least 1"


PRECEDENCES: tuple[str, ...] = get_args(Precedence)
