"""Passing and attention lines: who is to pass the telegram, and which offices it is for.

attention = org ["ALSO"] "FOR" [":"] target *("," target)
passing   = org "PASS" ["TO"] org ["FOR" target]                                content 3.10
"""

from __future__ import annotations

import re
from typing import Final

from reftel import tables
from reftel.telegram import Attention

_PASSING: Final = re.compile(
    r"\s*(?:(?P<org>(?!(?:PLEASE|PLS) )[A-Z][A-Z0-9./&' -]{1,40}?) +)?(?:ALSO +)?(?:(?:PLEASE|PLS) +)?"
    r"(?:PASS|FOR|POUCH)\b",
    re.IGNORECASE,
)
_PASSING_ORGS: Final = frozenset(
    """STATE DEPT DEPARTMENT USDOC TREASURY NSC AIDAC COMMERCE DOD HQS WHITEHOUSE SECDEF JCS OSD CIA DIA USIA
    ICA USICA AID USTR FAA NASA DOE JUSTICE CINCPAC CINCEUR USCINCEUR USCINCSO USSOUTHCOM CINCLANT
    USCINCPAC""".split()
)

_START: Final = re.compile(
    r"(?:EYES\s+ONLY\s+)?(?:(?P<station>(?!(?:PLEASE|PLS|ALSO|ONLY)\s)[A-Z][A-Z0-9./&' -]{1,40}?)\s+)?"
    r"(?:(?:ALSO|PLEASE|PLS|ONLY)\s+)*"
    r"(?P<verb>PASS(?:\s+(?:ALSO|ON))?(?:\s+TO)?|POUCH(?:\s+TO)?|FOR)\b\s*:?\s*",
    re.IGNORECASE,
)
_INNER_FOR: Final = re.compile(r"\s+FOR\s*:?\s+", re.IGNORECASE)
_TARGETS: Final = re.compile(r"\s*(?:[,;]|(?<!/)\bAND\b(?!/)|&(?=\s))\s*", re.IGNORECASE)
# `FOR ASSISTANT SECRETARY VAKY ONLY FROM AMBASSADOR` says for whom, and from whom.
_SENDER: Final = re.compile(r"\s+(?:EYES\s+)?(?:ONLY\b.*|FROM\s.*)\Z", re.IGNORECASE)
_NEXT: Final = re.compile(r";\s*|\.\s+(?=[A-Z]+ (?:ALSO |PLEASE )?(?:FOR|PASS)\b)", re.IGNORECASE)


def is_passing(text: str) -> bool:
    """Whether a line opens as a passing or attention line does: an office or a post, and PASS or FOR."""
    raised = text.upper()
    if len(text) > 90 or ("FOR" not in raised and "PASS" not in raised):
        return False
    match = _PASSING.match(text)
    if match is None:
        return False
    org = (match["org"] or "").strip().upper()
    if not org:
        return raised.strip().startswith(("FOR ", "PASS ", "FOR:", "PLEASE PASS", "PLS PASS"))
    return org.split()[0].split("/")[0] in _PASSING_ORGS or tables.canonical_post(org) is not None


def read_attention(lines: list[str]) -> tuple[Attention, ...]:
    """What passing lines say; a line that only goes on with offices belongs to the one above it."""
    found: list[Attention] = []
    for line in lines:
        for part in _NEXT.split(line) if ";" in line or "." in line else (line,):
            match = _START.match(part)
            if match is None:
                if found and part.strip():
                    last = found.pop()
                    found.append(
                        Attention(last.station, last.action, (*last.offices, *_offices(part)))
                    )
                continue
            station = " ".join(match["station"].upper().split()) if match["station"] else None
            passing = match["verb"].upper().startswith("P")
            rest = part[match.end() :]
            whom, *offices = _INNER_FOR.split(rest, maxsplit=1) if passing else ("", rest)
            targets = tuple(each for text in (whom, *offices) for each in _offices(text))
            found.append(Attention(station, "pass" if passing else "attention", targets))
    return tuple(found)


def _offices(text: str) -> tuple[str, ...]:
    raised = text.upper()
    if "ONLY" in raised or "FROM" in raised:
        text = _SENDER.sub("", text)
    several = "," in text or ";" in text or "&" in text or "AND" in raised
    parts = [part.strip(" .-:") for part in (_TARGETS.split(text) if several else (text.strip(),))]
    return tuple([part for part in parts if part])
