"""The lines of a result that show why it was found, with the words marked."""

from __future__ import annotations

import re
import unicodedata

from reftel.archive.model import Fragment
from reftel.archive.query import Words

_WORD = re.compile(r"\w+")
_LENGTH_WORDS = 40
_LEAD_WORDS = 8


def fold(word: str) -> str:
    """A word as the index holds it: lower case, no accents."""
    decomposed = unicodedata.normalize("NFKD", word.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def snippet(text: str, words: list[Words]) -> tuple[Fragment, ...]:
    """Some forty words of the text around the densest matches; its beginning without any."""
    tokens = [(m.start(), m.end(), fold(m[0])) for m in _WORD.finditer(text)]
    if not tokens:
        return ()
    marked = _matches([token for _, _, token in tokens], words)
    first = _densest(marked, len(tokens))
    last = min(first + _LENGTH_WORDS, len(tokens))
    start = tokens[first][0] if first else 0
    end = tokens[last - 1][1] if last < len(tokens) else len(text)
    fragments: list[Fragment] = []
    if first:
        fragments.append(Fragment("… ", False))
    at = start
    for index in sorted(index for index in marked if first <= index < last):
        begin, finish, _ = tokens[index]
        if begin > at:
            fragments.append(Fragment(_plain(text[at:begin]), False))
        fragments.append(Fragment(text[begin:finish], True))
        at = finish
    rest = _plain(text[at:end])
    tail = " …" if last < len(tokens) else ""
    return (*fragments, Fragment(rest.rstrip() + tail, False))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _matches(tokens: list[str], words: list[Words]) -> set[int]:
    """Places of the tokens that a word or phrase of the query matches."""
    marked: set[int] = set()
    for each in words:
        wanted = [fold(m[0]) for m in _WORD.finditer(each.text)]
        if each.near is not None:
            marked.update(at for at, token in enumerate(tokens) if token in wanted)
            continue
        if not wanted:
            continue
        size = len(wanted)
        for at in range(len(tokens) - size + 1):
            if tokens[at : at + size - 1] != wanted[:-1]:
                continue
            final = tokens[at + size - 1]
            if final == wanted[-1] or (each.prefix and final.startswith(wanted[-1])):
                marked.update(range(at, at + size))
    return marked


def _densest(marked: set[int], count: int) -> int:
    """Where to begin so that the window holds most of the marked words, the first of equals."""
    best, best_start = 0, 0
    places = sorted(marked)
    for index, place in enumerate(places):
        end = place + _LENGTH_WORDS - _LEAD_WORDS
        held = sum(1 for other in places[index : index + _LENGTH_WORDS] if other < end)
        if held > best:
            best, best_start = held, place
    start = max(0, best_start - _LEAD_WORDS)
    return 0 if start < _LEAD_WORDS else min(start, max(0, count - _LENGTH_WORDS))
