"""Parts of a text asked for and given (ACP 127 416 to 418; wire-format.md 10.2).

`WA` and `WB` mean the word after and before some words, `AA` and `AB` all after and before them, `X TO Y`
what stands from one to the other; a hyphen stands between parts.
"""

from __future__ import annotations

import re

_PART = re.compile(r"(?P<signal>WA|WB|AA|AB) (?P<words>.+)|(?P<first>.+?) TO (?P<last>.+)")
_STOPS = ".,:;?()"


class NotFoundError(ValueError):
    """A part that cannot be told from the text; the message says which."""


def text_of(rest: str) -> str:
    """The text of a message: what stands between its first and its last `BT`."""
    return rest.partition("\nBT\n")[2].rpartition("\nBT")[0] or rest.partition("\nBT\n")[2]


def parts(text: str) -> list[str]:
    """The parts that a request names. Raises `NotFoundError` for one that is not written as such."""
    found = [" ".join(part.split()) for part in re.split(r"\s-\s", text.strip())]
    for part in found:
        if not _PART.fullmatch(part):
            raise NotFoundError(
                f"{part!r} is no part of a text; write WA, WB, AA or AB and some words, or X TO Y"
            )
    return found


def given(text: str, part: str) -> str:
    """A part as it is given: what was asked for, and the words. Raises `NotFoundError` where the words do
    not stand in the text once."""
    match = _PART.fullmatch(part)
    assert match
    words = text.split()
    if match["first"]:
        start, _ = _place(words, match["first"])
        _, end = _place(words, match["last"], start)
        return f"{part} - {' '.join(words[start:end])}"
    start, end = _place(words, match["words"])
    wanted = {
        "WA": words[end : end + 1],
        "WB": words[max(start - 1, 0) : start],
        "AA": words[end:],
        "AB": words[:start],
    }[match["signal"]]
    if not wanted:
        raise NotFoundError(f"nothing stands there in the text: {part}")
    return f"{part} {' '.join(wanted)}"


def _place(words: list[str], wanted: str, behind: int | None = None) -> tuple[int, int]:
    """Where some words stand: they stand there once, or, behind others, there first."""
    look = [_bare(word) for word in wanted.split()]
    bare = [_bare(word) for word in words]
    places = [
        at
        for at in range(behind or 0, len(bare) - len(look) + 1)
        if bare[at : at + len(look)] == look
    ]
    if not places or (len(places) > 1 and behind is None):
        often = "not" if not places else f"{len(places)} times"
        raise NotFoundError(f"{wanted} stands {often} in the text")
    return places[0], places[0] + len(look)


def _bare(word: str) -> str:
    return word.upper().strip(_STOPS) or word
