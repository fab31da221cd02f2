"""The shape of a text: where its capitals, small letters and digits stand.

What a pattern finds only by trying every blank or letter of a text, a search for one run of signs finds
in its shape at once: `A 000` for a number behind a name.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final

_SHAPE: Final = bytes.maketrans(
    f"{ascii_uppercase}{ascii_lowercase}{digits}".encode(), b"A" * 26 + b"a" * 26 + b"0" * 10
)


def shape_of(text: str) -> str:
    """A sign for each character of a text: `A` for a capital of A to Z, `a` for a small letter, `0` for
    a digit; other characters stand for themselves, `?` for those beyond Latin-1."""
    return text.encode("latin-1", "replace").translate(_SHAPE).decode("latin-1")
