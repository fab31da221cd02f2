"""The five-unit code (ITA2) with ACP 127's figures case: text to units and back (wire-format.md 2.1).

A unit is an int of five bits, the first impulse the lowest. Case shifts are written only where the
case changes; a transmission begins in letters.
"""

from __future__ import annotations

from collections.abc import Iterable

_UNITS = dict(
    pair.split("=")
    for pair in """A=11000 B=10011 C=01110 D=10010 E=10000 F=10110 G=01011 H=00101 I=01100 J=11010
    K=11110 L=01001 M=00111 N=00110 O=00011 P=01101 Q=11101 R=01010 S=10100 T=00001 U=11100 V=01111
    W=11001 X=10111 Y=10101 Z=10001""".split()
)
_LETTER = {name: int(bits[::-1], 2) for name, bits in _UNITS.items()}
_FIGURE = {
    figure: _LETTER[letter]
    for letter, figure in zip("ABCEIKLMNOPQRTUWXY", "-?:38().,9014572/6", strict=True)
}
_EITHER = {"\r": 0b01000, "\n": 0b00010, " ": 0b00100}
FIGURES, LETTERS, BLANK = 0b11011, 0b11111, 0
BELL = "\a"
_BELLS = (_LETTER["J"], _LETTER["S"])
_LETTER_OF = {unit: name for name, unit in _LETTER.items()}
_FIGURE_OF = {unit: name for name, unit in _FIGURE.items()}
_EITHER_OF = {unit: name for name, unit in _EITHER.items()}


class NotITA2Error(ValueError):
    """A character that the five-unit code has not; the message says which and where."""


def encode(text: str) -> bytes:
    """The units of a text, one a byte. DEL (the ASCII circuit's letters shift) stays a letters shift.

    After a channel number that ends format line 1 and after a time of filing that ends format line 3
    the letters shift is written at once (ACP 127 138.g, 202.c); elsewhere where a letter follows.
    """
    units = bytearray()
    figures = False
    for line_at, line in enumerate(text.split("\n")):
        if line_at:
            units.append(_EITHER["\n"])
        body = line.rstrip("\r ")
        at_once = line.startswith(("VZCZC", "DE ")) and body[-1:].isdigit()
        for at, char in enumerate(line):
            if at_once and at == len(body):
                units.append(LETTERS)
                figures = False
            if char == "\x7f":
                units.append(LETTERS)
                figures = False
            elif char in _EITHER:
                units.append(_EITHER[char])
            elif char == BELL:
                # Five of J and five of S in the figures case: machines differ (ACP 127 137.e).
                if not figures:
                    units.append(FIGURES)
                    figures = True
                run = len(line[:at]) - len(line[:at].rstrip(BELL))
                units.append(_BELLS[run // 5 % 2])
            elif char in _LETTER:
                if figures:
                    units.append(LETTERS)
                    figures = False
                units.append(_LETTER[char])
            elif char in _FIGURE:
                if not figures:
                    units.append(FIGURES)
                    figures = True
                units.append(_FIGURE[char])
            else:
                raise NotITA2Error(
                    f"line {line_at + 1}, column {at + 1}: the five-unit code has no {char!r}"
                )
    return bytes(units)


def decode(units: Iterable[int]) -> str:
    """The text of units; what stands in the figures case for no sign is a question of the machine and
    becomes U+FFFD, blanks are dropped, and each letters shift beyond the first of a run is DEL."""
    text: list[str] = []
    figures = shifted = False
    for unit in units:
        if unit == FIGURES:
            figures, shifted = True, False
        elif unit == LETTERS:
            if shifted:
                text.append("\x7f")
            figures, shifted = False, True
        elif unit in _EITHER_OF:
            text.append(_EITHER_OF[unit])
            shifted = False
        elif unit != BLANK:
            table = _FIGURE_OF if figures else _LETTER_OF
            bell = figures and unit in _BELLS
            text.append(BELL if bell else table.get(unit, "\ufffd"))
            shifted = False
    return "".join(text)
