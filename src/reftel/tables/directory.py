"""The directory: which station serves an addressee, under which mailbox, cleared for what.

A directory is a TOML file that a service keeps itself; Reftel ships none, since routing indicators are
a network's own. Names are plain language addresses, compared without regard to case and blanks.

    [[station]]
    name = "EMB NORDHAVEN"
    also = ["EMBASSY NORDHAVEN"]
    routing_indicator = "QZBBNV"
    mailbox = "nordhaven@emb.example"
    cleared = "SECRET"

    [[collective]]
    name = "ALL POSTS NORTH"
    routing_indicator = "QZAACV"
    members = ["EMB NORDHAVEN", "CONSUL WESTBAY"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from reftel.telegram import CLASSIFICATIONS

Kind = Literal["station", "collective"]

_ROUTING_INDICATOR = re.compile(r"[A-Z]{4,8}\Z")
_KEYS = {
    "station": ("name", "also", "routing_indicator", "mailbox", "cleared"),
    "collective": ("name", "also", "routing_indicator", "members", "mailbox"),
}


class DirectoryError(ValueError):
    """A directory that cannot be used; the message says which entry, what, and what to do."""


class Entry(msgspec.Struct, frozen=True):
    """A station (an addressee that a centre serves) or a collective (a name for several).

    `routing_indicator` names the centre, so several stations may share one (wire-format.md 4.1);
    `cleared` is the highest classification its circuit may carry, `None` where the file does not say.
    """

    kind: Kind
    name: str
    also: tuple[str, ...] = ()
    routing_indicator: str | None = None
    mailbox: str | None = None
    cleared: str | None = None
    members: tuple[str, ...] = ()


class Directory:
    """Entries by name, by routing indicator and by mailbox."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(entries)
        self._names: dict[str, Entry] = {}
        self._mailboxes: dict[str, Entry] = {}
        for entry in self.entries:
            for name in (entry.name, *entry.also):
                other = self._names.setdefault(_key(name), entry)
                if other is not entry:
                    raise DirectoryError(
                        f"{name!r} is both {other.name!r} and {entry.name!r}; give it to one of them"
                    )
            if entry.mailbox:
                self._mailboxes.setdefault(entry.mailbox.lower(), entry)
        for entry in self.entries:
            for member in entry.members:
                if _key(member) not in self._names:
                    raise DirectoryError(
                        f"collective {entry.name!r} has the member {member!r}, which is no entry;"
                        " add a [[station]] with that name"
                    )

    def named(self, name: str) -> Entry | None:
        """The entry that a plain language address names."""
        return self._names.get(_key(name))

    def at_mailbox(self, address: str) -> Entry | None:
        """The entry whose mailbox this is."""
        return self._mailboxes.get(address.lower())

    def served_by(self, routing_indicator: str) -> tuple[Entry, ...]:
        """The entries that a routing indicator serves."""
        return tuple(e for e in self.entries if e.routing_indicator == routing_indicator)

    def members(self, name: str) -> tuple[Entry, ...]:
        """The stations of a collective, in its order, collectives within it taken apart."""
        found: dict[str, Entry] = {}
        waiting, seen = [name], set[str]()
        while waiting:
            entry = self.named(waiting.pop(0))
            if entry is None or entry.name in seen:
                continue
            seen.add(entry.name)
            if entry.kind == "station":
                found[entry.name] = entry
            waiting[:0] = entry.members
        return tuple(found.values())


def parse_directory(text: str) -> Directory:
    """The directory that a TOML text describes. Raises `DirectoryError` on what cannot be used."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DirectoryError(f"not TOML: {error}") from None
    unknown = set(tables) - set(_KEYS)
    if unknown:
        raise DirectoryError(
            f"unknown table {sorted(unknown)[0]!r}; a directory has [[station]] and [[collective]]"
        )
    entries: list[Entry] = []
    for kind in ("station", "collective"):
        rows = tables.get(kind, [])
        if not isinstance(rows, list):
            raise DirectoryError(f"[{kind}] stands once; write [[{kind}]] for each")
        entries += [_entry(kind, row, place) for place, row in enumerate(rows, 1)]
    return Directory(entries)


def _entry(kind: Any, row: dict[str, Any], place: int) -> Entry:
    where = f"[[{kind}]] {place}" + (f" ({row['name']})" if row.get("name") else "")
    for key in row:
        if key not in _KEYS[kind]:
            raise DirectoryError(f"{where}: unknown key {key!r}; it has {', '.join(_KEYS[kind])}")
    for key, value in row.items():
        listed = key in ("also", "members")
        if listed and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            raise DirectoryError(f"{where}: {key} is a list of names")
        if not listed and not isinstance(value, str):
            raise DirectoryError(f"{where}: {key} is a text in quotation marks")
    if not row.get("name", "").strip():
        raise DirectoryError(f"{where}: it has no name; write name = the plain language address")
    indicator = row.get("routing_indicator")
    if indicator is not None and not _ROUTING_INDICATOR.match(indicator):
        raise DirectoryError(
            f"{where}: {indicator!r} is no routing indicator; it has 4 to 8 capital letters"
        )
    if row.get("cleared") not in (None, *CLASSIFICATIONS):
        raise DirectoryError(
            f"{where}: {row['cleared']!r} is no classification; one of {', '.join(CLASSIFICATIONS)}"
        )
    mailbox = row.get("mailbox")
    if mailbox is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", mailbox):
        raise DirectoryError(f"{where}: {mailbox!r} is no mailbox; write name@domain")
    lists: dict[str, Any] = {key: tuple(row[key]) for key in ("also", "members") if key in row}
    return msgspec.convert({**row, **lists, "kind": kind}, Entry)


def _key(name: str) -> str:
    return "".join(name.upper().split())
