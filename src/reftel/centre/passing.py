"""Duties that format line 4 lays on a station: `ri T designators` (ACP 127 133, 206.a, 207.c).

The station `ri` passes the message to those named, `T` alone to all addressees, in addition to what
format lines 2, 7 and 8 say. `ri T ri X` asks it to decrypt first, which a person does.
"""

from __future__ import annotations

import re

import msgspec

from reftel.centre.config import Config
from reftel.centre.scan import Scanned
from reftel.tables.directory import Directory, Entry
from reftel.telegram import Addressee

# A duty ends where the next begins, or an operating signal.
_DUTY = re.compile(
    r"(?<!\S)(?P<station>[A-Z]{4,8}) T(?= |\Z)"
    r"(?P<to>(?:(?! [A-Z]{4,8} T(?: |\Z)| [QZ][A-Z]{2}[0-9]?(?: |\Z)) \S+)*)"
)


class Passing(msgspec.Struct, frozen=True):
    """What format line 4 asks of this station: routing indicators to which the message goes too, and what a
    person has to do."""

    to: tuple[str, ...] = ()
    for_a_person: tuple[str, ...] = ()


def passing(scanned: Scanned, config: Config, addressees: tuple[Addressee, ...]) -> Passing:
    """What is asked of us. `addressees` are those of format lines 7 and 8, for a `T` that stands alone."""
    to: dict[str, None] = {}
    for_a_person: list[str] = []
    for match in _DUTY.finditer(scanned.inner.instructions or ""):
        if match["station"] not in config.ours:
            continue
        words = match["to"].split()
        if words and words[0] in config.ours:
            onward = f", and pass it to {' '.join(words[1:])}" if words[1:] else ""
            for_a_person.append(f"format line 4 asks {match['station']} to decrypt it{onward}")
            continue
        named, unknown = _named(words, config.directory)
        if not words:
            named = [e for each in addressees if (e := config.directory.named(each.name))]
        for entry in named:
            if entry.routing_indicator is None:
                unknown.append(entry.name)
            elif entry.routing_indicator not in config.ours:
                to[entry.routing_indicator] = None
        if unknown:
            for_a_person.append(
                f"format line 4 asks {match['station']} to pass it to {' '.join(unknown)}, for which the"
                " directory has no routing indicator"
            )
    return Passing(tuple(to), tuple(for_a_person))


def _named(words: list[str], directory: Directory) -> tuple[list[Entry], list[str]]:
    """Designators, of one word or several, as the directory knows them, and the words that it does not."""
    found: list[Entry] = []
    unknown: list[str] = []
    at = 0
    while at < len(words):
        for end in range(len(words), at, -1):
            served = directory.served_by(words[at]) if end == at + 1 else ()
            entry = directory.named(" ".join(words[at:end])) or next(iter(served), None)
            if entry is not None:
                found.append(entry)
                at = end
                break
        else:
            unknown.append(words[at])
            at += 1
    return found, unknown
