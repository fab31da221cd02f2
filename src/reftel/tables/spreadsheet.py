"""Rows of tables that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Iterable


def csv_line(values: Iterable[object], own: Container[int] = ()) -> str:
    """A row as RFC 4180 has it. What a spreadsheet would take for a formula has an apostrophe before it:
    a telegram's text must not run as one. What somebody gave who gets it back, in the places `own`, stays
    as it is: by it one joins tables."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(
        f"'{each}"
        if isinstance(each, str) and each.startswith(tuple("=+-@\t\r")) and at not in own
        else each
        for at, each in enumerate(values)
    )
    return buffer.getvalue()
