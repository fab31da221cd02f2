"""Captions: who may see a telegram, or how it is to be handled (telegram-content.md 3.9)."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from reftel import tables
from reftel.read.damaged_labels import is_near

# Words that are captions in this place; elsewhere ONLY, US and the like are prose.
CAPTION_WORDS: Final = tuple(
    sorted(
        (entry.code for entry in tables.captions() if entry.code.isupper() and len(entry.code) > 2),
        key=len,
        reverse=True,
    )
)
_CAPTION: Final = re.compile(
    r"[\s,;/.*-]*(?P<caption>" + "|".join(re.escape(word) for word in CAPTION_WORDS) + r")"
    r"(?![A-Z0-9])[\s,;/.*-]*"
)
_SPACED: Final = re.compile(r"\s*[A-Z](?: [A-Z]){4,8}\s*")
# The captions that stand alone the most: known with one letter wrong, or in two words.
_USUAL: Final = ("EXDIS", "NODIS", "LIMDIS", "NOFORN", "STADIS", "SIPDIS")
_SHORT: Final = 24
_SHORTEST_MISSPELT: Final = 6
_LIKENESS: Final = 0.83


def captions_of(text: str) -> tuple[list[str], int] | None:
    """The captions that a line opens with, and where they end; `None` when there are none."""
    found: list[str] = []
    at = 0
    while match := _CAPTION.match(text, at):
        found.append(match["caption"])
        at = match.end()
    if not found and len(text) <= _SHORT and _SPACED.fullmatch(text):
        whole = captions_of(text.replace(" ", ""))
        return (whole[0], len(text)) if whole and len(whole[0]) == 1 else None
    if not found and not text.isupper() and len(text) <= _SHORT:
        # Later systems write a caption alone on its line as `Sensitive`.
        whole = captions_of(text.upper()) if text.upper() != text else None
        return whole if whole and not text[whole[1] :].strip() else None
    return (found, at) if found else None


@lru_cache(maxsize=512)
def misspelt_caption(text: str) -> str | None:
    """The caption that a word alone on its line misses by a letter or two: `SEFSITIVE`, `SIDPIS`."""
    word = text.strip().rstrip(".;,")
    if word.replace(" ", "", 1) in _USUAL:
        return word.replace(" ", "", 1)
    if word.isupper() and word.isalpha():
        for usual in _USUAL:
            if is_near(word, usual):
                return usual
    if not (word.isalpha() and len(word) >= _SHORTEST_MISSPELT):
        return None
    near = get_close_matches(word, CAPTION_WORDS, n=1, cutoff=_LIKENESS)
    return near[0] if near else None
