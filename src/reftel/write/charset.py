"""What circuits carry, and what is put in place of the rest: always named, never silent.

ACP 127 140 gives the alphabet (ITA2 with an international figures case), 134 and 201.b the words for
quotation marks and the paragraph sign; the other substitutions are wire-format.md 2.1.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import msgspec

Charset = Literal["ita2", "ustty", "ascii"]

_ITA2 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-?:().,/ \n"
SENDABLE: dict[Charset, frozenset[str]] = {
    "ita2": frozenset(_ITA2),
    "ustty": frozenset(_ITA2 + "$!&#';\""),
    "ascii": frozenset("\n" + "".join(map(chr, range(0x20, 0x7F)))),
}
"""The characters that a circuit carries: `ita2` is ACP 127's own alphabet, `ustty` that of US machines,
`ascii` a circuit of seven bits."""

_PUNCTUATION = {
    "’": "'",
    "‘": "'",
    "‚": "'",
    "´": "'",
    "`": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "—": " - ",
    "–": "-",
    "‑": "-",
    "‐": "-",
    "−": "-",
    "…": "...",
    "¶": "PARA ",
    "€": "EUR ",
    "£": "GBP ",
    "\u00a0": " ",
    "\u202f": " ",
    "\u00ad": "",
    "\u200b": "",
    "\t": " ",
    "•": "-",
    "½": "1/2",
    "¼": "1/4",
    "¾": "3/4",
    "°": " DEG ",
    "№": "NO. ",
}
_WORDS = {"%": " PCT", "&": " AND ", "@": "(AT)", "$": "USD ", "'": "", "+": " PLUS "}
_LETTERS = {
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "ø": "o",
    "Ø": "O",
    "đ": "d",
    "Đ": "D",
    "ł": "l",
    "Ł": "L",
    "þ": "th",
    "Þ": "TH",
    "ð": "d",
    "Ð": "D",
    "ı": "i",
    "ħ": "h",
    "Ħ": "H",
}
_OPENING = re.compile(r"(?:\A|(?<=[\s(\[/-]))\Z")


class Change(msgspec.Struct, frozen=True):
    """A substitution: in which field, what stood there, what is sent, and why."""

    field: str
    was: str
    now: str
    why: str


def fit(text: str, charset: Charset, field: str) -> tuple[str, list[Change], list[str]]:
    """The text in a circuit's characters, the changes made, and the characters that have none.

    Small letters become capitals where the circuit has no others, which is one change; every other
    substitution is a change of its own kind, named once for the field.
    """
    allowed = SENDABLE[charset]
    if allowed.issuperset(text):
        return text, [], []
    found: dict[str, Change] = {}
    bad: list[str] = []
    done: list[str] = []
    for char in text:
        now = _one(char, allowed, "".join(done[-1:]))
        if now is None:
            bad.append(char)
            done.append(char)
            continue
        if now != char:
            small = char.isascii() and char.isalpha()
            if small:
                found.setdefault(
                    "a", Change(field, "small letters", "capitals", "no small letters")
                )
            else:
                why = "the circuit has no such character"
                found.setdefault(char, Change(field, char, now.strip() or "nothing", why))
        done.append(now)
    plain = "".join(done)
    if plain != text:
        plain = re.sub(r"(?<=\S) {2,}(?=\S)", " ", plain) if "   " not in text else plain
    return plain, list(found.values()), list(dict.fromkeys(bad))


def _one(char: str, allowed: frozenset[str], before: str) -> str | None:
    """What is sent for a character: itself, what stands for it, or `None` when nothing can."""
    if char in allowed:
        return char
    if char in "“«„":
        return '"' if '"' in allowed else " QUOTE "
    if char in "”»":
        return '"' if '"' in allowed else " UNQUOTE "
    if char == '"':
        return " QUOTE " if _OPENING.search(before) else " UNQUOTE "
    plain = _PUNCTUATION.get(char) or _LETTERS.get(char)
    if plain is None and char in _PUNCTUATION:
        return ""
    if plain is None:
        decomposed = unicodedata.normalize("NFKD", char)
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    if plain == char:
        plain = _WORDS.get(char, char.upper())
        return plain if allowed.issuperset(plain) else None
    sent = [_one(each, allowed, before) for each in plain]
    return None if None in sent or not sent else "".join(each for each in sent if each is not None)
