"""Prosigns with a letter wrong, lost or too many, or written on to the name: for their places only."""

from __future__ import annotations

import re
from typing import Final

from reftel.read.damaged_labels import is_near

_NAMED: Final = (
    r"(?P<name>(?:SEC ?STATE|AM ?(?:EMB|CON)|US(?:MISSION|UN|DEL|INT|LO)|[RU][A-Z]{4,7}/).*)"
)
DAMAGED_FM: Final = re.compile(
    rf"\s*(?:F ?M[A-Z]?|F[A-Z]M?|[A-Z]M|FROM|[A-Z]F[A-Z]|[A-Z]?[FM](?= ))[ :/]*{_NAMED}"
)
DAMAGED_TO: Final = re.compile(
    rf"\s*(?:T ?O[A-Z]?|T[A-Z]O?|[A-Z]O|[A-Z]TO|OT|[TO](?= ))[ :/]*{_NAMED}"
)
_DAMAGED_INFO: Final = re.compile(
    rf"\s*(?:I ?N ?F ?O[A-Z]?|INF|NFO|INF[A-Z])[ :/]*{_NAMED}"
    r"|\s*(?P<word>[A-Z]{3,5})[ :/]+(?P<rest>[A-Z].*)|\s*INFO(?P<glued>[A-Z].*)"
)


def behind_damaged_info(text: str) -> str | None:
    """What stands behind a damaged INFO: `INWFO AMEMBASSY PARIS`, `INFOAMEMBASSY PARIS`."""
    match = _DAMAGED_INFO.match(text)
    if match is None or match["name"]:
        return match["name"] if match else None
    if match["glued"]:
        return match["glued"]
    return match["rest"] if is_near(match["word"], "INFO") else None
