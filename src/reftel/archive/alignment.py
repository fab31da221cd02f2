"""Two texts laid beside each other, word for word: what is the same, what damage changed, what one lacks."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from reftel.archive.excised import EXCISION, may_be_excised

Same = Literal["same", "damaged", "other", "withheld", "left", "right"]

_TOKEN = re.compile(rf"(?P<cut>{EXCISION.pattern})|\S+", re.IGNORECASE)
_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^A-Z0-9]")
_SIGNS = re.compile(r"[^A-Z0-9\s]+")
# What damage and reading by machine put for each other.
_LOOKALIKE = str.maketrans("OQIL|SBZG", "001115826")
_DAMAGED = 0.65
_SHORT_RUN = 60
_LONG = 1000


class Word(NamedTuple):
    """A word as written, as it is compared (letters and figures, in capitals; a bar alone for an
    excision), and where it stands in its text."""

    text: str
    plain: str
    start: int
    end: int


class Run(NamedTuple):
    """Words [left_start, left_end) of one text beside [right_start, right_end) of the other.

    `same`; `damaged` (the same but for damaged letters); `other` (different words); `withheld` (one has
    the mark of an excision where the other has words); `left` and `right` (one alone has them).
    """

    kind: Same
    left_start: int
    left_end: int
    right_start: int
    right_end: int


EXCISED = "|"


def words_of(text: str) -> list[Word]:
    """The words of a text; what holds no letter and no figure is none."""
    found: list[Word] = []
    excised = may_be_excised(text.upper())
    for match in (_TOKEN if excised else _WORD).finditer(text):
        word = match[0]
        plain = word.upper()
        if excised and match["cut"]:
            plain = EXCISED
        elif not (plain.isalnum() and plain.isascii()):
            plain = _LETTERS.sub("", plain)
        if plain:
            found.append(Word(word, plain, *match.span()))
    return found


def plain_words(text: str) -> list[str]:
    """The words of a text as they are compared (`Word.plain`)."""
    capitals = text.upper()
    if may_be_excised(capitals):
        return [word.plain for word in words_of(text)]
    return _SIGNS.sub("", capitals).split()


def align(a: list[str], b: list[str]) -> list[Run]:
    """The runs of two texts, given as their words as they are compared, in order; together they cover
    both."""
    runs: list[Run] = []
    for i1, i2, j1, j2, same in _blocks(a, b):
        if same:
            runs.append(Run("same", i1, i2, j1, j2))
        elif i1 == i2:
            runs.append(Run("right", i1, i2, j1, j2))
        elif j1 == j2:
            runs.append(Run("left", i1, i2, j1, j2))
        else:
            runs += _replaced(a, b, i1, i2, j1, j2)
    return runs


def _blocks(a: list[str], b: list[str]) -> list[tuple[int, int, int, int, bool]]:
    """What stands in both, and what stands between. Equal ends are set aside first: most of two copies
    is equal, and the rest is short."""
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    blocks: list[tuple[int, int, int, int, bool]] = []
    if head:
        blocks.append((0, head, 0, head, True))
    one, other = a[head : len(a) - tail], b[head : len(b) - tail]
    # In a long text the words that stand everywhere are left out of the search, which would take its
    # square; in a shorter one they may be all that is left of a damaged passage.
    middle = SequenceMatcher(None, one, other, autojunk=max(len(one), len(other)) > _LONG)
    for tag, i1, i2, j1, j2 in middle.get_opcodes():
        blocks.append((head + i1, head + i2, head + j1, head + j2, tag == "equal"))
    if tail:
        blocks.append((len(a) - tail, len(a), len(b) - tail, len(b), True))
    return blocks


def _replaced(a: list[str], b: list[str], i1: int, i2: int, j1: int, j2: int) -> list[Run]:
    one, other = a[i1:i2], b[j1:j2]
    if EXCISED in one or EXCISED in other:
        return [Run("withheld", i1, i2, j1, j2)]
    size = min(len(one), len(other))
    if len(one) != len(other) and not _damaged(one, other):
        # A word cut off in the middle, or spoilt beside a passage that the other lacks.
        if _damaged(one[:size], other[:size]):
            rest = _rest(i1 + size, i2, j1 + size, j2)
            return [Run("damaged", i1, i1 + size, j1, j1 + size), rest]
        if _damaged(one[-size:], other[-size:]):
            rest = _rest(i1, i2 - size, j1, j2 - size)
            return [rest, Run("damaged", i2 - size, i2, j2 - size, j2)]
        return [Run("other", i1, i2, j1, j2)]
    return [Run("damaged" if _damaged(one, other) else "other", i1, i2, j1, j2)]


def _rest(i1: int, i2: int, j1: int, j2: int) -> Run:
    return Run("left" if i1 < i2 else "right", i1, i2, j1, j2)


def _damaged(one: list[str], other: list[str]) -> bool:
    """Whether two runs of words are one but for damage: letters alike, and no figure in another's place.

    A figure is the heart of a form telegram (a number, an amount, a birthday): one for another is no
    damage unless they look alike.
    """
    x, y = "".join(one), "".join(other)
    if x == y:
        return True
    if len(x) > _SHORT_RUN and len(one) != len(other):
        return False
    x, y = x.translate(_LOOKALIKE), y.translate(_LOOKALIKE)
    if x == y:
        return True
    figures = [
        re.sub(r"[^0-9]", "", "".join(w for w in run if any(c.isdigit() for c in w)))
        for run in (one, other)
    ]
    if figures[0] and figures[1] and figures[0] != figures[1]:
        return False
    if min(len(x), len(y)) >= 3 and (x.startswith(y) or y.startswith(x)):
        return True
    return SequenceMatcher(None, x, y, autojunk=False).ratio() >= _DAMAGED
