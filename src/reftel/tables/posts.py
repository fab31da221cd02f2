"""Posts and addressees by any of their names. A renamed post keeps its old number for ever, so the
name that numbers use (`mrn_name`, letters alone) is the key (telegram-content.md 4)."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Final

from reftel.tables.data import Entry, entries

_LETTERS: Final = re.compile(r"[^A-Z]")
_KINDS: Final = {
    "AMEMBASSY": "Embassy",
    "AMCONSUL": "Consulate",
    "AMCONSULATE": "Consulate",
    "USMISSION": "Mission",
    "USINT": "Interests Section",
    "USOFFICE": "Office",
    "USLO": "Liaison Office",
    "AMEMB": "Embassy",
    "USDEL": "Delegation",
    "AIT": "American Institute in Taiwan,",
}
_CAPITAL_WORDS: Final = frozenset(
    """CIA NSC CJCS JCS SECDEF DIA FBI NSA USTR EU UN OECD OAS NATO USUN USNATO USEU HQ II IV US USA
    USAID AID DOD DOE USOSCE UNVIE UNESCO ASEAN CIS DEA USCG NASA EPA""".split()
)


@cache
def _by_name() -> dict[str, Entry]:
    """Posts by each of their names in letters alone: full names first, short ones where free."""
    names: dict[str, Entry] = {}
    for column in ("telegram_name", "mrn_name"):
        for entry in entries("posts"):
            names.setdefault(_letters(entry.columns[column]), entry)
    by_mrn = {entry.columns["mrn_name"]: entry for entry in reversed(entries("posts"))}
    for alias in entries("aliases"):
        if alias.columns["mrn_name"] in by_mrn:
            names.setdefault(_letters(alias.code), by_mrn[alias.columns["mrn_name"]])
    for city in entries("posts"):
        names.setdefault(_letters(city.columns["city"]), city)
    names.setdefault("SECSTATE", by_mrn["STATE"])
    names.pop("", None)
    return names


def _letters(text: str) -> str:
    joined = text.upper().replace(" ", "")
    # By far the most have no other signs: they are spared the pattern.
    return joined if joined.isascii() and joined.isalpha() else _LETTERS.sub("", joined)


@cache
def _by_short_name() -> dict[str, Entry]:
    """Posts by the six letters that the document numbers of 1973-79 have in place of their names."""
    names: dict[str, Entry] = {}
    for entry in entries("posts"):
        names.setdefault(_letters(entry.columns["mrn_1970s"]), entry)
    names.pop("", None)
    return names


@lru_cache(maxsize=16384)
def post_by_name(text: str, year: int | None = None) -> Entry | None:
    """The post that a name stands for: `AMEMBASSY LA PAZ`, `LA PAZ`, `LAPAZ`, `PRETOR`, `SECSTATE`.

    The six-letter names of 1973-79 stand for nothing in a year outside it.
    """
    letters = _letters(text)
    found = _by_name().get(letters)
    if found is None and (year is None or 1973 <= year <= 1979):
        return _by_short_name().get(letters)
    return found


@lru_cache(maxsize=16384)
def canonical_post(text: str, year: int | None = None) -> str | None:
    """The post's name in numbers, in letters alone (`LAPAZ`, `STATE`), if the tables know it."""
    entry = post_by_name(text, year)
    return entry.columns["mrn_name"] if entry else None


@cache
def _endings() -> frozenset[str]:
    names = (*_by_name(), *_by_short_name())
    return frozenset(name[at:] for name in names for at in range(len(name) - 1))


def may_end_post(word: str) -> bool:
    """Whether a word of capitals can be the last of a post's name: by far the most words cannot."""
    return word in _endings()


@cache
def _near_names() -> dict[str, set[str]]:
    """Posts by what is left of their names (six letters or more) when any one letter is lost."""
    near: dict[str, set[str]] = {}
    for name, entry in _by_name().items():
        if len(name) >= 6:
            for left in {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}:
                near.setdefault(left, set()).add(entry.columns["mrn_name"])
    return near


@lru_cache(maxsize=16384)
def misspelt_post(text: str) -> str | None:
    """The one post that a name misses by a single letter lost, added, changed or moved.

    Names of fewer than six letters are left alone, and so are those that could be two posts.
    """
    name = _letters(text)
    if len(name) < 6:
        return None
    near = _near_names()
    posts: set[str] = set(near.get(name, ()))
    for at in range(len(name)):
        posts |= near.get(name[:at] + name[at + 1 :], set())
    return posts.pop() if len(posts) == 1 else None


@cache
def _by_routing_indicator() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for kind in ("posts", "collectives", "agencies"):
        for entry in entries(kind):
            if entry.columns["routing_indicator"]:
                found.setdefault(entry.columns["routing_indicator"], entry)
    return found


def station(routing_indicator: str) -> Entry | None:
    """The post, collective or agency that a routing indicator serves; it may serve others too."""
    return _by_routing_indicator().get(routing_indicator.upper())


@cache
def _addresses() -> dict[str, Entry]:
    """Plain language addresses of posts, agencies and collectives, with their variants."""
    found: dict[str, Entry] = {}
    for kind in ("collectives", "agencies"):
        for entry in entries(kind):
            for name in (entry.columns["name"], *entry.columns["variants"].split("|")):
                if name.strip():
                    found.setdefault(_letters(name), entry)
    for entry in entries("posts"):
        found.setdefault(_letters(entry.columns["telegram_name"]), entry)
    return found


def address(name: str) -> Entry | None:
    """The post, agency or collective whose plain language address this is, spelt as the tables do."""
    plain = name.split("//")[0]
    return _addresses().get(_letters(plain))


@lru_cache(maxsize=1024)
def near_addresses(name: str, most: int = 3) -> tuple[str, ...]:
    """The plain language addresses most like one that the tables do not have."""
    letters = _letters(name)
    kind = next((each for each in _KINDS if letters.startswith(each)), "")
    if kind:
        # What is alike must be the place, not the word Embassy before it.
        places = {each[len(kind) :]: each for each in _addresses() if each.startswith(kind)}
        near = get_close_matches(letters[len(kind) :], places, n=most, cutoff=0.7)
        return tuple(_address_name(_addresses()[places[each]]) for each in near)
    near = get_close_matches(letters, _addresses(), n=most, cutoff=0.8)
    return tuple(_address_name(_addresses()[each]) for each in near)


def addresses() -> tuple[str, ...]:
    """Every plain language address that the tables have, in order of the alphabet."""
    return tuple(sorted({_address_name(entry) for entry in _addresses().values()}))


def _address_name(entry: Entry) -> str:
    return entry.columns.get("telegram_name") or entry.columns["name"]


def routing_indicator(name: str) -> str | None:
    """The routing indicator that the tables have for a plain language address."""
    entry = address(name)
    return (entry.columns["routing_indicator"] or None) if entry else None


def is_collective(name: str) -> bool:
    """Whether a plain language address names a collective."""
    entry = address(name)
    return entry is not None and entry.kind == "collectives"


@lru_cache(maxsize=16384)
def addressee_name(name: str) -> str:
    """A plain language address spelled out for people: `AMEMBASSY LA PAZ` as `Embassy La Paz`."""
    words = name.upper().split("//")[0].split()
    if not words:
        return name
    if words[0] == "SECSTATE":
        return "Secretary of State, Washington"
    kind = _KINDS.get(words[0])
    if kind is None:
        # Agencies and commands go by their initials: spelling them as words would mislead.
        return " ".join(name.split())
    place = " ".join(_spell(word) for word in words[1:])
    return f"{kind} {place[:1].upper()}{place[1:]}".strip()


def _spell(word: str) -> str:
    if word in _CAPITAL_WORDS or not word.isalpha():
        return word
    if word == "WASHDC":
        return "Washington"
    return word.lower() if word in ("OF", "DE", "AND", "THE", "FOR") else word.capitalize()


def post_title(mrn_name: str) -> str:
    """The name of the post that a number names, for people: `LAPAZ` as `La Paz`."""
    entry = post_by_name(mrn_name)
    if entry is None:
        return mrn_name.capitalize()
    if entry.columns["mrn_name"] == "STATE":
        return "State"
    return (
        " ".join(_spell(word) for word in entry.columns["telegram_name"].upper().split()[1:])
        or (entry.columns["city"])
    )
