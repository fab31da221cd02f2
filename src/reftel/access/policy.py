"""Who the readers are: the file `access.toml`, read once, checked whole, handed down frozen.

docs/access.md describes each key. A mistake is named with its line, its table, its key and what to write.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from reftel import tables
from reftel.access.labels import OTHER, RESTRICTING
from reftel.access.readers import ALL, Reader
from reftel.tables.settings import ConfigError, nearest, placed, read_settings, read_tables
from reftel.telegram import CLASSIFICATIONS

EVERYBODY = "everybody"
"""The name of readers whom nobody knows."""
FILE = "access.toml"

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*\Z")
_LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file."""


class Grant(_Table, frozen=True, kw_only=True):
    """What lets read: the highest classification (empty: only what is open), captions (`*`: all), up to
    which classification withdrawal cards are shown."""

    clearance: str = ""
    captions: tuple[str, ...] = ()
    cards: str = ""
    auditor: bool = False

    def granted(self, name: str) -> Reader:
        return Reader(name, self.clearance, frozenset(self.captions), self.cards, self.auditor)


class Group(Grant, frozen=True, kw_only=True):
    name: str


class Named(Grant, frozen=True, kw_only=True):
    """A reader; `also` are further names by which the web server knows the same person."""

    name: str
    groups: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


class Proxy(_Table, frozen=True, kw_only=True):
    """A web server before this one that has asked who somebody is, and says it in a header."""

    header: str
    trusted: tuple[str, ...]
    """Addresses and networks from which the header is believed."""
    groups: str | None = None
    """The header with the person's groups, parted by commas."""
    address: str | None = None
    """The address of the reading room as browsers know it."""

    @property
    def networks(self) -> tuple[_Network, ...]:
        return tuple(ipaddress.ip_network(each, strict=False) for each in self.trusted)

    def trusts(self, address: str) -> bool:
        try:
            asking = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(asking, "ipv4_mapped", None)
        return any((mapped or asking) in network for network in self.networks)


class OpenId(_Table, frozen=True, kw_only=True):
    """The OpenID provider that asks who somebody is."""

    issuer: str
    client: str
    secret_file: str | None = None
    """The file with the client's secret; without one, the client is a public one (PKCE alone)."""
    name: str = "preferred_username"
    """The claim that is the reader's name here; one that the provider lets nobody choose."""
    groups: str | None = None
    """The claim with the reader's groups."""
    scope: str = "openid profile"
    address: str | None = None
    """The address of the reading room as browsers know it, where a proxy stands before it."""
    hours: float = 12.0
    """After how long one has to log in again."""


class Audit(_Table, frozen=True, kw_only=True):
    keep_days: int | None = None
    """How long entries are kept; without it, for ever."""


class Access(_Table, frozen=True, kw_only=True):
    """The whole file."""

    everybody: Grant = Grant()
    group: tuple[Group, ...] = ()
    reader: tuple[Named, ...] = ()
    proxy: Proxy | None = None
    openid: OpenId | None = None
    audit: Audit = Audit()
    folder: Path = Path()


class Policy:
    """The readers that an access file describes."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._groups = {group.name: group.granted(group.name) for group in access.group}
        self._readers = {
            name: reader for reader in access.reader for name in (reader.name, *reader.also)
        }

    @cached_property
    def everybody(self) -> Reader:
        """What those read whom nobody knows."""
        return self.access.everybody.granted(EVERYBODY)

    def reader(self, name: str, groups: Iterable[str] = ()) -> Reader:
        """The reader whom the web server calls so, with the groups that it names beside the file's; those
        that the file does not know grant nothing. Somebody the file does not name reads what everybody
        reads and what the groups grant."""
        named = self._readers.get(name)
        own = named.granted(named.name) if named else Reader(name)
        of_groups = (self._groups.get(each) for each in (*(named.groups if named else ()), *groups))
        return own.with_grants((self.everybody, *filter(None, of_groups)))

    def named(self, name: str) -> Reader | None:
        """The reader of a name, if the file has it: for those who claim to be somebody and are not asked
        for proof."""
        if name == EVERYBODY:
            return self.everybody
        return self.reader(name) if name in self._readers else None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(reader.name for reader in self.access.reader)


_TABLES: dict[str, type[_Table]] = {
    "everybody": Grant,
    "group": Group,
    "reader": Named,
    "proxy": Proxy,
    "openid": OpenId,
    "audit": Audit,
}
_LISTS = frozenset(("group", "reader"))


def load_policy(path: Path) -> Policy:
    """The policy of a file; paths in it count from its folder. Raises `ConfigError`, `OSError`."""
    return parse_policy(read_settings(path), path.resolve().parent)


def parse_policy(text: str, folder: Path) -> Policy:
    """The policy that a TOML text describes. Raises `ConfigError` with every problem found."""
    problems: list[str] = []
    values = read_tables(text, _TABLES, _LISTS, problems)
    if problems:
        raise ConfigError(placed(problems, text))
    access = Access(**values, folder=folder)
    problems += _problems(access)
    if problems:
        raise ConfigError(placed(problems, text))
    return Policy(access)


def _problems(access: Access) -> Iterator[str]:
    yield from _grant_problems("[everybody]", access.everybody)
    groups: set[str] = set()
    for group in access.group:
        where = f"[[group]] {group.name}"
        if not group.name.strip() or group.name in groups:
            yield f"{where}: a name is given once, and is not empty"
        groups.add(group.name)
        yield from _grant_problems(where, group)
    names: set[str] = set()
    for reader in access.reader:
        where = f"[[reader]] {reader.name}"
        for name in (reader.name, *reader.also):
            if not name.strip() or name == EVERYBODY or name in names:
                yield f"{where}: {name!r}: a name is given once, is not empty and not {EVERYBODY}"
            names.add(name)
        for each in reader.groups:
            if each not in groups:
                yield f"{where}: groups: there is no group {each!r}{nearest(each, sorted(groups))}"
        yield from _grant_problems(where, reader)
    if access.proxy:
        yield from _proxy_problems(access.proxy)
    if access.openid:
        yield from _openid_problems(access.openid, access.folder)
    days = access.audit.keep_days
    if days is not None and days < 1:
        yield "[audit]: keep_days: it is a number of days, at least 1; leave it out to keep all"


def _grant_problems(where: str, grant: Grant) -> Iterator[str]:
    for key, word in (("clearance", grant.clearance), ("cards", grant.cards)):
        if word and word not in CLASSIFICATIONS:
            yield (
                f"{where}: {key}: {word!r} is no classification; one of {', '.join(CLASSIFICATIONS)},"
                ' or "" for what is open'
            )
    known = [each.code for each in tables.captions() if each.columns["kind"] in RESTRICTING]
    for caption in grant.captions:
        if caption not in (ALL, OTHER, *known):
            yield f"{where}: captions: {_of_caption(caption, known)}"


def _of_caption(caption: str, known: list[str]) -> str:
    if tables.caption(caption) is not None and caption.upper() not in known:
        return f"{caption!r} restricts nobody, so that nobody need hold it; leave it out"
    near = nearest(caption.upper(), known)
    if not near.startswith("; did"):
        near = f"; those that restrict: {', '.join(known)}; {OTHER} for unknown ones, {ALL} for all"
    return f"{caption!r} is no caption that restricts{near}"


def _proxy_problems(proxy: Proxy) -> Iterator[str]:
    for key in ("header", "groups"):
        value = getattr(proxy, key)
        if value is not None and not _HEADER.match(value):
            yield f"[proxy]: {key}: {value!r} is no name of a header, as X-Forwarded-User"
    if proxy.address is not None and not _is_address(proxy.address):
        yield f"[proxy]: address: {proxy.address!r} is no address that begins with https://"
    if not proxy.trusted:
        yield "[proxy]: trusted: name the addresses that are believed, as '127.0.0.1'"
    for each in proxy.trusted:
        try:
            network = ipaddress.ip_network(each, strict=False)
        except ValueError:
            yield f"[proxy]: trusted: {each!r} is no address and no network, as '10.1.0.0/16'"
        else:
            if network.prefixlen == 0:
                yield f"[proxy]: trusted: {each!r} is everybody; name the proxy's own address"


def _is_address(text: str) -> bool:
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or local)


def _openid_problems(openid: OpenId, folder: Path) -> Iterator[str]:
    for key in ("issuer", "address"):
        value = getattr(openid, key)
        if value is not None and not _is_address(value):
            yield f"[openid]: {key}: {value!r} is no address that begins with https://"
    if "openid" not in openid.scope.split():
        yield "[openid]: scope: it needs the word openid"
    if openid.secret_file is not None:
        path = folder / openid.secret_file
        if not path.is_file():
            yield f"[openid]: secret_file: there is no file {path}"
        elif path.stat().st_mode & 0o007:
            yield f"[openid]: secret_file: everybody can read {path}; chmod 600 it"
    if not 0 < openid.hours <= 24 * 7:
        yield "[openid]: hours: it is a number of hours, at most 168"
