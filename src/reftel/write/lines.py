"""Text broken into lines that read back as the text they were broken from."""

from __future__ import annotations

import re

from reftel.read.labels import label_of
from reftel.read.paragraphs import PARAGRAPH_START

LINE = 69
"""Characters a line may have (ACP 127 138.f)."""

# What a line that goes on must not open with, or the reader would begin something else there.
_BEGINS = re.compile(
    r"(?:--?|\*|•|[oO]) |-|\*|=|_|\(?(?:[A-Za-z]|[ivxIVX]{2,4}|[0-9]{1,3})[.)](?:\s|\Z)|\([A-Za-z0-9]{1,4}\)"
    r"|(?:BT|NNNN|FM|ACTION|ORIGIN|PAGE|UNCLAS|CONFIDENTIAL|SECRET|QUOTE|QTE)\b"
    r"|[ZOPR] [0-9]{6}Z|V?ZCZC|C PAGE|[0-9]{1,4} +[A-Za-z]"
)


def fold(text: str, width: int = LINE, first: str = "", indent: str = "") -> list[str]:
    """The words of a text in lines of at most `width` characters.

    `first` opens the first line, `indent` the others. A line never opens with what would begin a
    paragraph, an item or a heading, nor ends with a hyphen: the break is made a word earlier. A word
    longer than a line stands alone on one, too long as it is.
    """
    words = text.split(" ")
    lines: list[str] = []
    at = 0
    start = first
    while at < len(words):
        end = _fitting(words, at, width - len(start))
        if end < len(words):
            end = _safe_break(words, at, end, fresh=not lines)
        lines.append((start + " ".join(words[at:end])).rstrip())
        at, start = end, indent
    return lines or [first.rstrip()]


def _fitting(words: list[str], at: int, width: int) -> int:
    """Index behind the last word that fits, at least one."""
    length = len(words[at])
    end = at + 1
    while end < len(words) and length + 1 + len(words[end]) <= width:
        length += 1 + len(words[end])
        end += 1
    return end


def _safe_break(words: list[str], at: int, end: int, *, fresh: bool) -> int:
    """The last place at or before `end` where a line may be broken; `end` if there is none."""
    least = at + (2 if fresh else 1)
    for place in range(end, least - 1, -1):
        if _may_break(words, place):
            return place
    return end


def _may_break(words: list[str], place: int) -> bool:
    before = words[place - 1]
    if before.endswith("-") or not before:
        return False
    opening = " ".join(words[place : place + 4])
    return not (
        _BEGINS.match(opening) or PARAGRAPH_START.match(opening) or label_of(opening) is not None
    )
