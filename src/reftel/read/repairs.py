"""Damage to quotation marks, apostrophes and dashes, mended where the context makes it certain.

Left and right double quotes came through as `&` and `8`, the right single quote as a comma, the dash
as a closing bracket (telegram-content.md 3.25, tables/garbles.csv).
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Mend(NamedTuple):
    """Characters [start, end) of a block's text, what they become, and why."""

    start: int
    end: int
    now: str
    why: str


_APOSTROPHE = re.compile(
    r"(?:(?<=[A-Za-z][a-z]),(?=s[\s.;:!?)\"8]|s\Z)"
    r"|(?<=[A-Z][A-Z]),(?=S[\s.;:!?)\"8]|S\Z)"
    r"|(?<=[a-z]n),(?=t[\s.;:!?)\"8]|t\Z)|(?<=[A-Z]N),(?=T[\s.;:!?)\"8]|T\Z)"
    r"|(?<=[a-zI]),(?=(?:re|ve|ll)[\s.;:!?)]))"
)
_QUOTE_MARK = re.compile(
    r"(?P<plain>\")|(?P<open>(?:(?<=[\s(])|(?<=\A))&(?=[A-Za-z]))"
    r"|(?P<close>(?<=[A-Za-z.,!?])8(?=[\s.,;:)!?]|\Z))"
)
_DASH = re.compile(r"(?<=[a-z])\)(?=\s[a-z])")


def find_mends(text: str) -> list[Mend]:
    """The certain repairs of a paragraph's text, in order, none overlapping another."""
    mends: list[Mend] = []
    if "," in text:
        mends += [
            Mend(m.start(), m.end(), "'", "apostrophe lost") for m in _APOSTROPHE.finditer(text)
        ]
    if "8" in text:
        mends += _quotes(text)
    if ")" in text:
        mends += _dashes(text)
    return sorted(mends)


def _quotes(text: str) -> list[Mend]:
    """A closing `8` needs an opening mark before it, an opening `&` a closing one behind it."""
    mends: list[Mend] = []
    opened: re.Match[str] | None = None
    for mark in _QUOTE_MARK.finditer(text):
        if mark["open"]:
            opened = mark
        elif mark["plain"]:
            opened = None if opened else mark
        elif opened:
            if opened["open"]:
                mends.append(Mend(opened.start(), opened.end(), '"', "opening quote lost"))
            mends.append(Mend(mark.start(), mark.end(), '"', "closing quote lost"))
            opened = None
    return mends


def _dashes(text: str) -> list[Mend]:
    """A closing bracket that nothing opens, between two words, was a dash."""
    mends: list[Mend] = []
    depth = 0
    for index, character in enumerate(text):
        if character == "(":
            depth += 1
        elif character == ")":
            if depth:
                depth -= 1
            elif _DASH.match(text, index):
                mends.append(Mend(index, index + 1, " --", "dash read as )"))
    return mends
