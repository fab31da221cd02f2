"""Rows of tables that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_line(values: Iterable[object]) -> str:
    """A row as RFC 4180 has it. What a spreadsheet would take for a formula has an apostrophe before it:
    a telegram's text must not run as one."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(
        f"'{each}" if isinstance(each, str) and each.startswith(tuple("=+-@\t\r")) else each
        for each in values
    )
    return buffer.getvalue()
