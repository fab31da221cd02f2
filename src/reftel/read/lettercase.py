"""Telegrams whose labels and codes stand in lower or mixed case: republishers and later systems do it.

Their heading and markings are read as if they stood in capitals; subject, references, names and the
text keep the letters that they have.
"""

from __future__ import annotations

import re
from typing import Final

from reftel.read.elements import Piece

_FAR: Final = 6000
# Lines that a telegram in capitals never has so. "To" and "Info" begin sentences too: not enough alone.
_LOWERED: Final = re.compile(
    r"^[ \t]*(?:fm [a-z]|Fm [A-Z]|from: |to (?:[a-z]{4,8}/|secstate|amembassy|amconsul)"
    r"|To (?:Secstate|Amembassy)|vzczc|Vzczc|de [a-z]{4,8} |zn[ry] "
    r"|[zoprZOPR] [0-9]{6}[zZ] [a-zA-Z][a-z]{2} [0-9]"
    r"|(?:unclas|Unclas|confidential|secret|limited official use|c o n f i|s e c r e)"
    r"[a-zA-Z ]{1,60}[0-9]{3,}|page [0-9]{2} |action [a-z]+-[0-9]{2}|tags: |e\.o\. ?[0-9]"
    r"|Tags: [A-Z]?[a-z]{2,3},? )",
    re.MULTILINE,
)


def is_lowered(source: str) -> bool:
    """Whether heading or markings stand in lower or mixed case."""
    if "\nFM " in source or source.startswith("FM "):
        return False
    return _LOWERED.search(source, 0, _FAR) is not None


def capitals(text: str) -> str:
    """The text in capitals, each character in its own place."""
    raised = text.upper()
    if len(raised) == len(text):
        return raised
    return "".join(up if len(up := c.upper()) == 1 else c for c in text)


def raise_case(pieces: list[Piece]) -> None:
    """Put the lines that no step has named yet in capitals, for the steps that come."""
    for piece in pieces:
        if not piece.kind:
            piece.text = capitals(piece.text)
            piece.first = piece.first.upper()[:1]


def restore_case(pieces: list[Piece], source: str, start: int) -> None:
    """Give the lines of the text, from piece `start` on, the letters that they have."""
    for piece in pieces[start:]:
        if not piece.kind:
            piece.text = source[piece.start : piece.start + len(piece.text)]
            piece.first = piece.text.lstrip()[:1]
