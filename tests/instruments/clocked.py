"""`reftel` in a process whose wall clock a test can move: python clocked.py OFFSET-FILE ARGUMENT..."""

from __future__ import annotations

import sys
import time
from pathlib import Path

_clock, _offsets = time.time, Path(sys.argv[1])
_read = [0.0, 0.0]


def _moved() -> float:
    """The true time and the seconds that the file names, read twenty times a second."""
    now = time.monotonic()
    if now - _read[0] > 0.05:
        _read[0] = now
        _read[1] = float(_offsets.read_text() or 0) if _offsets.exists() else 0.0
    return _clock() + _read[1]


if __name__ == "__main__":
    time.time = _moved
    sys.argv = ["reftel", *sys.argv[2:]]
    from reftel.cli import main

    main()
