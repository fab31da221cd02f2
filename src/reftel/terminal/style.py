"""Colours and widths. Colour is ANSI, and left out where the caller says so."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

_CODES = {
    "bold": "1",
    "dim": "2",
    "underline": "4",
    "UNCLASSIFIED": "97;42",
    "SENSITIVE BUT UNCLASSIFIED": "97;45",
    "LIMITED OFFICIAL USE": "97;45",
    "CONFIDENTIAL": "97;44",
    "SECRET": "97;41",
    "TOP SECRET": "30;43",
    "mark": "1;33",
    "repair": "36",
    "doubt": "33",
    "wire": "36",
    "wire-text": "36",
    "heading": "1;34",
    "marking": "1;35",
    "number": "1;32",
    "text": "32",
    "furniture": "2",
    "furniture-text": "2",
    "doubt-text": "1;31",
}

_TEXT_WIDTH = 84
"""Prose is no wider than this, however wide the terminal."""


class Style:
    """How to write for one terminal: its width in columns, and whether it shows colour."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = max(40, width)
        self.text_width = min(self.width, _TEXT_WIDTH)
        self._color = color

    def paint(self, text: str, *names: str) -> str:
        """The text in a colour or weight; unchanged where there is no colour."""
        codes = ";".join(_CODES[name] for name in names if name in _CODES)
        return f"\x1b[{codes}m{text}\x1b[0m" if self._color and codes and text else text

    def banner(self, text: str, level: str | None) -> str:
        """A line across the text, in the colour of the classification."""
        return self.paint(text.center(self.text_width), level or "")

    def wrap(self, text: str, first: str = "", rest: str | None = None) -> list[str]:
        """Text wrapped, with what stands before its first line and before the others."""
        hanging = " " * len(first) if rest is None else rest
        return textwrap.wrap(
            text,
            self.text_width,
            initial_indent=first,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]


def visible(text: str) -> str:
    """The text without control characters, which could rule the terminal that shows it."""
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    code = ord(character)
    hidden = code < 32 and character not in "\n\t"
    hidden = hidden or 127 <= code < 160 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return "\ufffd" if hidden else character


def joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"
