"""Did you mean: words of a query that stand nowhere, and the nearest that do.

Only the vocabulary that is passed in is asked, so that a reader is offered no word that stands in closed
telegrams alone.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from typing import Protocol

from reftel.archive.query import TEXT_FIELDS, QueryError, tokens_of

_WORD = re.compile(r"\w+")
_SHORTEST, _TWO_SLIPS_LENGTH = 4, 7
# From here on a rare word beside a common one is taken for a slip, as in damaged copies.
_SLIP_LENGTH, _SLIP_RATIO = 6, 100
_CODES = ("post", "tags", "caption", "office")


class Vocabulary(Protocol):
    """The words of some fields."""

    def frequency(self, fields: tuple[str, ...], word: str) -> int:
        """How often a word stands in them."""

    def standing(self, fields: tuple[str, ...], words: list[str]) -> list[str]:
        """Those of many words that stand in the greatest part of the archive that holds any of them."""

    def beginning(self, fields: tuple[str, ...], prefix: str) -> Iterable[tuple[str, int]]:
        """The words that begin so, and how often each stands."""


def corrected(query: str, vocabulary: Vocabulary, *, rare: bool) -> str | None:
    """The query with each word that stands nowhere replaced by the nearest that does; None if there is
    none to replace. With `rare`, a word is replaced too that a far commoner one differs from by a letter.
    """
    changes: list[tuple[int, int, str]] = []
    for start, end, word, fields in _words(query):
        code = fields[0] in _CODES
        folded = word.upper() if code else word.lower()
        better = _better(folded, fields, vocabulary, rare and not code)
        if better is not None:
            shown = better.upper() if word.isupper() and len(word) > 1 else better
            changes.append((start, end, shown))
    if not changes:
        return None
    for start, end, shown in reversed(changes):
        query = query[:start] + shown + query[end:]
    return query


def _words(query: str) -> Iterator[tuple[int, int, str, tuple[str, ...]]]:
    """Each word that must be spelt right: where it stands, and the fields that it is looked for in."""
    try:
        tokens = tokens_of(query)
    except QueryError:
        return
    negative = False
    for token in tokens:
        denied, negative = negative, token.kind == "not"
        fields: tuple[str, ...] = ("text", "subject")
        text, at = token.text, token.position
        if token.kind == "field":
            name = token.text.lower()
            fields = ("action", "info") if name == "to" else (name,)
            if name not in TEXT_FIELDS and name not in _CODES:
                continue
            text, at = token.value, token.at
        elif token.kind not in ("word", "phrase"):
            continue
        if denied:
            continue
        for match in _WORD.finditer(text.partition('"~')[0]):
            behind = text[match.end() : match.end() + 1]
            if behind != "*" and match[0].isascii():
                yield at + match.start(), at + match.end(), match[0], fields


def _better(word: str, fields: tuple[str, ...], words: Vocabulary, rare: bool) -> str | None:
    held = words.frequency(fields, word)
    if len(word) < _SHORTEST or (held and not (rare and len(word) >= _SLIP_LENGTH)):
        return None
    near_words = words.standing(fields, sorted(_one_letter_off(word)))
    found = [(words.frequency(fields, near), near) for near in near_words]
    wanted = held * _SLIP_RATIO if held else 1
    if best := _commonest((count, near) for count, near in found if count >= wanted):
        return best
    if held:
        return None
    halves = [(word[:cut], word[cut:]) for cut in range(2, len(word) - 1)]
    parted = (
        (min(words.frequency(fields, one), words.frequency(fields, other)), f"{one} {other}")
        for one, other in halves
    )
    if fields[0] not in _CODES and (best := _commonest(each for each in parted if each[0])):
        return best
    if len(word) < _TWO_SLIPS_LENGTH:
        return None
    return _commonest(
        (count, other)
        for other, count in words.beginning(fields, word[: max(2, len(word) // 3)])
        if abs(len(other) - len(word)) <= 2 and _distance(word, other) <= 2
    )


def _commonest(found: Iterable[tuple[int, str]]) -> str | None:
    best = min(found, key=lambda each: (-each[0], each[1]), default=None)
    return best[1] if best else None


def _one_letter_off(word: str) -> set[str]:
    """The words that one slip makes: a letter too many, too few, another, or two changed about."""
    letters = (string.ascii_uppercase if word.isupper() else string.ascii_lowercase) + string.digits
    parts = [(word[:cut], word[cut:]) for cut in range(len(word) + 1)]
    return {
        *(a + b[1:] for a, b in parts if b),
        *(a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1),
        *(a + c + b[1:] for a, b in parts if b for c in letters),
        *(a + c + b for a, b in parts for c in letters),
    } - {word}


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out or changed (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, row[0] = row[0], at
        for place, its in enumerate(other, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (letter != its)),
            )
    return row[-1]
