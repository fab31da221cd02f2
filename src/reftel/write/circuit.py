"""The bytes of a message on a circuit: line ends, page gaps, the end of message (wire-format.md 2.2)."""

from __future__ import annotations

from typing import Literal

from reftel.tables import ita2

Code = Literal["ascii", "ita2"]

_SHIFTS = "\x7f" * 12


def encode(text: str, code: Code = "ascii") -> bytes:
    """A written message as a circuit carries it.

    Each line ends with CR CR LF, blank lines before a PAGE line and before NNNN are line feeds alone,
    and twelve letters shifts follow NNNN (DEL in ASCII). `ita2` gives five-unit codes, one a byte,
    with the bells that go before ZZ in format line 2 (137.e, 151.b).
    """
    plain = functions(text, code)
    return ita2.encode(plain) if code == "ita2" else plain.encode("ascii")


def functions(text: str, code: Code = "ascii") -> str:
    """A message's characters with the machine functions of a circuit, not yet as bytes."""
    wire: list[str] = []
    for at, line in enumerate(text.rstrip("\n").split("\n")):
        if at == 1 and code == "ita2" and line.startswith("ZZ "):
            line = ita2.BELL * 10 + line
        if line == "NNNN":
            wire.append(line + _SHIFTS)
        elif not line and wire and wire[-1].endswith("\n"):
            wire.append("\n")
        else:
            wire.append(line + "\r\r\n")
    return "".join(wire)


def decode(data: bytes, code: Code = "ascii") -> str:
    """The text of what came over a circuit, a line feed at each line's end."""
    text = ita2.decode(data) if code == "ita2" else data.decode("ascii", errors="replace")
    return text.replace("\r", "").replace("\x7f", "").replace("\x00", "").replace("\a", "")
