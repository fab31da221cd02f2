"""The lines of a result that show why it was found, with the words marked."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from reftel.archive.model import Fragment
from reftel.archive.query import Words

_WORD = re.compile(r"\w+")
_LENGTH_WORDS = 40
_LEAD_WORDS = 8


def fold(word: str) -> str:
    """A word as the index holds it: lower case, no accents."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def snippet(text: str, words: list[Words]) -> tuple[Fragment, ...]:
    """Some forty words of the text around the densest matches; its beginning without any."""
    tokens = _WORD.findall(text.lower()) if text.isascii() else list(map(fold, _WORD.findall(text)))
    if not tokens:
        return ()
    marked = _matches(tokens, words)
    first = _densest(marked, len(tokens))
    last = min(first + _LENGTH_WORDS, len(tokens))
    spans = [match.span() for match in islice(_WORD.finditer(text), first, last)]
    start = spans[0][0] if first else 0
    end = spans[-1][1] if last < len(tokens) else len(text)
    fragments: list[Fragment] = []
    if first:
        fragments.append(Fragment("… ", False))
    at = start
    for index in sorted(index for index in marked if first <= index < last):
        begin, finish = spans[index - first]
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
        *before, final = wanted
        if not each.prefix and final not in tokens:
            continue
        for at, token in enumerate(tokens):
            if token != final and not (each.prefix and token.startswith(final)):
                continue
            begins = at - len(before)
            if begins >= 0 and tokens[begins:at] == before:
                marked.update(range(begins, at + 1))
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
