"""The Classified By line: who classified the telegram, in what position, and why.

clsby = "Classified By:" name ["," title] "Reason" [":"] section letters         content 3.15
"""

from __future__ import annotations

import re

from reftel.telegram import ClassifiedBy

CLASSIFIED_LABEL = re.compile(
    r"\s*(?:\*\*)?(?:[0-9]{1,2}\. *)?(?:\([A-Z]{1,3}\) *)?CLASS(?:IFIED)?\.? BY\b\s*[:;.]?\s*",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"[\s,.;(]*(?:FOR\s+)?(?:E\.O\.\s*)?REASONS?\b\s*[:;.]*\s*|[\s,.;(]+(?=1\.[45]\s*\(?[A-H])",
    re.IGNORECASE,
)
_SECTION = re.compile(r"1\.[45]", re.IGNORECASE)
_LETTERS = re.compile(r"(?<![A-Z])([A-H])(?![A-Z])", re.IGNORECASE)
_TITLES = re.compile(
    r"(?:AMBASSADOR|AMB\.?|CHARGE(?: D'?AFFAIRES)?(?: A\.?I\.?)?|DCM|DEPUTY CHIEF OF MISSION"
    r"|CONSUL GENERAL|CG|PRINCIPAL OFFICER|MINISTER[- ]COUNSELOR|ACTING DCM|A/DCM|CDA"
    r"|(?:POL|ECON|POLITICAL|ECONOMIC|POLECON|POL/ECON)[A-Z/]*(?: [A-Z]+)? ?(?:COUNSELOR|CHIEF|OFFICER)"
    r"|(?:PRINCIPAL )?DEPUTY ASSISTANT SECRETARY|ASSISTANT SECRETARY|A/S|DAS|PDAS|ACTING [A-Z]+)",
    re.IGNORECASE,
)
_LEADING_TITLE = re.compile(rf"(?P<title>{_TITLES.pattern})(?:,| |: )\s*(?=[A-Z])", re.IGNORECASE)


def parse_classified_by(text: str) -> ClassifiedBy:
    """The values of the line's text, label removed. Reasons come as `1.4(b)`."""
    plain = " ".join(text.split())
    reason = _REASON.search(plain)
    who = plain[: reason.start()] if reason else plain
    reasons = _reasons(plain[reason.end() :]) if reason else ()
    who = who.strip(" .,;:(")
    if match := _LEADING_TITLE.match(who):
        title: str | None = match["title"].strip()
        name = who[match.end() :].split(",")[0]
    else:
        name, _, after = who.partition(",")
        if not after and (match := _TITLES.search(who)) and match.start() > 3:
            name, after = who[: match.start()], who[match.start() :]
        title = after.strip(" ,.;") or None
    return ClassifiedBy(name.strip(" ,.;") or None, title, reasons)


def _reasons(text: str) -> tuple[str, ...]:
    section = _SECTION.search(text)
    if section is None:
        return ()
    letters = re.sub(r"\bAND\b|\bOR\b|&", " ", text[section.end() :], flags=re.IGNORECASE)
    # Letters may be glued in brackets: (BD)
    found = _LETTERS.findall(letters) or re.findall(r"[A-H]", letters.split(".")[0], re.IGNORECASE)
    unique = list(dict.fromkeys(letter.lower() for letter in found))
    return tuple(f"{section[0]}({letter})" for letter in unique)
