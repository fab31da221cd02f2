"""Memory that is free in this process and held by it all the same."""

from __future__ import annotations

import ctypes
import sys


def return_memory() -> None:
    """Give back to the system what is free. The GNU C library keeps what each thread has freed for that
    thread's next need, and Tantivy has some threads for each label's index: it grows to hundreds of
    megabytes. Elsewhere nothing need be done."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
