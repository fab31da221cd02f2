"""The E.O. line: order, what it says, and when the telegram falls open by a date that stands there.

eo = ("E.O."|"EO") SP order [":"] SP value                                  telegram-content.md 3.11
"""

from __future__ import annotations

import re

from reftel.read.dates import find_date
from reftel.telegram import ExecutiveOrder

EO_LABEL = re.compile(
    r"\s*(?:\*\*)?E[.,]? ?[OM][.,]?M? *[:;]? *(?P<order>1[0-9]{3,4})?(?=[\s:;,.)NX-]|\Z) *[:;.,-]?\s*",
    re.IGNORECASE,
)
_EXEMPTION = re.compile(
    r"\b(XGDS ?-? ?[1-4]|XDS ?-? ?[1-4]|RDS ?-? ?[1-4]|25X[1-9](?:-HUM)?|50X[12]-(?:HUM|WMD)|OADR)"
    r"|(?<![0-9A-Z])\(?(X[1-8])\)?(?![0-9A-Z])",
    re.IGNORECASE,
)
_DECL = re.compile(r"\s*DECL(?:L|AS\w*)?\s*:?\s*(?:ON\s*:?\s*)?", re.IGNORECASE)
_EVENT = re.compile(r"[A-Z]{2,} +[A-Z]{2,}", re.IGNORECASE)
_NOTHING = re.compile(r"\W*(?:N ?[/:.]? ?A|MR|OADR|GDS|UPON)?\W*\Z", re.IGNORECASE)


def parse_executive_order(order: str | None, value: str, year: int | None) -> ExecutiveOrder:
    """The values of an E.O. line; `year` is that of the telegram, for two-digit years."""
    text = " ".join(value.split())
    exemptions = tuple(
        re.sub(r" ?-? ?([1-4])\Z", r"-\1", (m[1] or m[2]).upper())
        if "DS" in m[0].upper()
        else (m[1] or m[2]).upper()
        for m in _EXEMPTION.finditer(text)
    )
    found = find_date(text, year if year is not None else 2000)
    event = None
    declared = _DECL.match(text)
    if declared and found is None:
        rest = text[declared.end() :].strip(" .")
        if not exemptions and not _NOTHING.match(rest) and _EVENT.search(rest):
            event = rest
    return ExecutiveOrder(
        order=order,
        text=text,
        declassify_on=found[0] if found and (declared or "DS" in text.upper()) else None,
        event=event,
        exemptions=exemptions,
    )
