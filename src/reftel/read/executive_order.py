"""The E.O. line: order, what it says, and when the telegram falls open by a date that stands there.

eo = ("E.O."|"EO") SP order [":"] SP value                                  telegram-content.md 3.11
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from reftel.read.dates import find_date
from reftel.read.dtg import mend_digits
from reftel.telegram import ExecutiveOrder

EO_LABEL: Final = re.compile(
    r"\s*(?:\*\*)?(?:E[.,]? ?[OM](?:[.,]{1,2})?M?|E\. ?[0D]\.(?= ?1[0-9]{4})) *[:;]? *(?:NO\. ?)?"
    r"(?P<order>[1Il][ ,]?[0-9]{3,4}|[0-9]{2},[0-9]{3})?"
    r"(?=[\s:;,.)NX/'$-]|\Z) *[:;.,/'$-]{0,2}\s*(?:\*\*)?\s*",
    re.IGNORECASE,
)
_EXEMPTION: Final = re.compile(
    r"\b(XGDS(?:[ (-]{0,3}[1-4])?|[XR]DS[ (-]{0,3}[1-4]|25X[1-9](?:-HUM)?|50X[12]-(?:HUM|WMD)|[O0]ADR)"
    r"|(?:(?<![0-9A-Z])|(?<=1\.6))\(?(X[1-8])\)?(?![0-9A-Z])",
    re.IGNORECASE,
)
_DECL: Final = re.compile(r"\bDECL(?:L|AS\w*)?\b\s*:?\s*(?:ON\s*:?\s*)?", re.IGNORECASE)
_DATE_ALONE: Final = re.compile(r"[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{2,4}\W*\Z")
_EVENT: Final = re.compile(r"[A-Z]{2,} +[A-Z]{2,}", re.IGNORECASE)
_NOTHING: Final = re.compile(r"\W*(?:N ?[/:.]? ?A|MR|OADR|GDS|UPON)?\W*\Z", re.IGNORECASE)


_GROUP: Final = re.compile(
    r"(?:\A|(?<=[.?!\")]))\s*(?P<note>(?:GP|GROUP)[- ]?(?P<group>[1-4])\.?)"
    r"(?P<signed>\s+[A-Z][A-Z'-]{2,20})?\s*\Z",
    re.IGNORECASE,
)


# Of the note with a signature behind it.
_LONGEST_GROUP: Final = 80


@lru_cache(maxsize=1024)
def parse_executive_order(order: str | None, value: str, year: int | None) -> ExecutiveOrder:
    """The values of an E.O. line; `year` is that of the telegram, for two-digit years."""
    text = " ".join(value.split())
    raised = text.upper()
    exemptions: tuple[str, ...] = ()
    if "X" in raised or "DS" in raised or "ADR" in raised:
        exemptions = tuple(dict.fromkeys(_exemption(match) for match in _EXEMPTION.finditer(text)))
    event = None
    declared = _DECL.search(text) if "DECL" in raised else None
    found = find_date(
        text[declared.end() :] if declared else text, year if year is not None else 2000
    )
    if declared and found is None:
        rest = text[declared.end() :].strip(" .")
        if (
            not exemptions
            and not _NOTHING.match(rest)
            and _EVENT.search(rest)
            and not _YEARS.search(text)
        ):
            event = rest
    dated = declared or "DS" in raised or _DATE_ALONE.match(text)
    return ExecutiveOrder(
        order=mend_digits(order).replace(",", "") if order else None,
        text=text,
        declassify_on=found[0] if found and dated else None,
        event=event,
        exemptions=exemptions,
    )


def _exemption(match: re.Match[str]) -> str:
    code = (match[1] or match[2]).upper()
    return (
        re.sub(r"[ (-]*([1-4])\Z", r"-\1", code) if "DS" in code else code.replace("0ADR", "OADR")
    )


def downgrading_group(text: str) -> tuple[ExecutiveOrder, int, int] | None:
    """The note `GP-3` under a text of 1961-72, or behind its last sentence and before the signature: the
    automatic downgrading group of E.O. 10501, and where the note begins and ends."""
    if "G" not in text and "g" not in text:
        return None
    capitals = text.rstrip()[-_LONGEST_GROUP:].upper()
    match = _GROUP.search(text) if "GP" in capitals or "GROUP" in capitals else None
    if match is None:
        return None
    order = ExecutiveOrder("10501", match["note"], exemptions=(f"GROUP {match['group']}",))
    begin = match.start("note") if text[: match.start("note")].strip() else 0
    return order, begin, match.end("note") if match["signed"] else len(text)


def by_schedule(
    order: ExecutiveOrder, classification: str | None, sent: str | None
) -> ExecutiveOrder:
    """The order with the date of its own schedule, where the line names neither date nor event.

    10501: group 4 after 12 years. 11652: GDS at the end of the 6th, 8th, 10th calendar year after a
    CONFIDENTIAL, SECRET, TOP SECRET telegram; XGDS after 30 years. 12065: GDS 6, RDS and XDS 20
    years. 12958: 10 years, 25 for X1 to X8 and MR. 13526: 10 years, 75 for 50X1 and 50X2. OADR, 25X
    and events have no date of their own (tables/declass-codes.csv).
    """
    years = _SPAN.get(classification or "")
    if order.declassify_on or order.event or sent is None or years is None:
        return order
    text = order.text.upper()
    year, rest = int(sent[:4]), sent[4:10]
    found: str | None = None
    if order.order == "10501":
        found = f"{year + 12}{rest}" if "GROUP 4" in order.exemptions else None
    elif order.order in ("11652", None) and "XGDS" in text:
        found = f"{year + 30}{rest}"
    elif order.order in ("11652", None) and "GDS" in text:
        found = f"{year + years}-12-31"
    elif order.order == "12065" and _REVIEWED.search(text):
        found = f"{year + 20}{rest}"
    elif order.order == "12065" and "GDS" in text:
        found = f"{year + 6}{rest}"
    elif order.order in ("12958", "13526") and (span := _modern_span(order)):
        found = f"{year + span}{rest}"
    if found is None:
        return order
    # There is no 29 February in most years.
    found = found.replace("-02-29", "-02-28")
    return msgspec.structs.replace(order, declassify_on=found, by_rule=True)


_SPAN: Final = {"CONFIDENTIAL": 6, "SECRET": 8, "TOP SECRET": 10}


_REVIEWED: Final = re.compile(r"\b[RX]G?DS")
_MANUAL_REVIEW: Final = re.compile(r"\bMR\b")
_NOT_APPLICABLE: Final = re.compile(r"N ?[/:]? ?A\b", re.IGNORECASE)
_NUMBERS: Final = {"FIVE": 5, "TEN": 10, "FIFTEEN": 15, "TWENTY": 20, "TWENTY-FIVE": 25}
_YEARS: Final = re.compile(
    rf"DECL\W*(?:(?P<digits>[0-9]{{1,2}})|(?P<word>{'|'.join(_NUMBERS)})) YEARS\W*\Z", re.IGNORECASE
)


def _modern_span(order: ExecutiveOrder) -> int | None:
    if any(code.startswith("50X") for code in order.exemptions):
        return 75
    if any(code.startswith("25X") or code == "OADR" for code in order.exemptions):
        return None
    if order.exemptions or _MANUAL_REVIEW.search(order.text):
        return 25
    if years := _YEARS.search(order.text):
        return int(years["digits"] or _NUMBERS[years["word"].upper()])
    declared = _DECL.search(order.text)
    if declared and _NOT_APPLICABLE.match(order.text, declared.end()):
        return None
    return 10 if declared or not order.text else None
