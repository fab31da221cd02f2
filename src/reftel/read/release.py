"""What the review of a copy released under the Freedom of Information Act wrote on it.

Release lines, reviewer's block, case and document numbers, and the exemption codes in the margin of
what was withheld (telegram-content.md 3.24). They are a layer upon the telegram, never part of it.
"""

from __future__ import annotations

import re
from typing import Final

from reftel.read.dates import find_date
from reftel.read.elements import Piece, cut
from reftel.read.reading import Reading
from reftel.telegram import Release

_CODE = r"(?:\(?[Bb]\)?\(?[1-9]\)?(?:\([A-F]\))?|1\.[4-6] ?\([A-Ha-h]\)|NR)"
_CODES: Final = re.compile(rf"(?<![A-Z0-9(.]){_CODE}(?![A-Z0-9])")
_CODES_ALONE: Final = re.compile(rf"\s*{_CODE}(?:[\s,;/]+{_CODE})*\s*\Z")
_CODES_BEHIND: Final = re.compile(rf"(?<=\S)\s{{2,}}(?={_CODE}(?:[\s,;/]+{_CODE})*\s*\Z)")
_CODES_BEFORE: Final = re.compile(rf"\s*{_CODE}(?:[\s,;/]+{_CODE})*\s{{2,}}(?=\S)")
_CODE_BEGINS: Final = frozenset("Bb(1N")
_ACTION: Final = re.compile(
    r"\s*(?P<action>RELEASED? IN (?:PART|FULL?)|DENIED IN FULL)\b", re.IGNORECASE
)
_NOTE: Final = re.compile(
    r"\s*(?:RELEASED? IN (?:PART|FULL?)\b.*|DENIED IN FULL.*|DECAPTIONED\b.*|DECLASSIFIED\s*"
    r"|REVIEW AUTHORITY:.*|(?:REVIEWED|RELEASED) BY:? .*|EXEMPTIONS?: .*"
    r"|Class(?:ification)?: [A-Z]+ *-? *Reason: .*|Reason: [0-9].* *-? *Declassify on: .*"
    r"|(?:UNCLASSIFIED )?U\.S\. Department of State(?: Case No.*)?"
    r"|FL-[0-9]{4}-[0-9]+ .*|Post: .* MRN: .*|Heading: [A-Z ]+ [0-9]+\s*"
    r"|UNITED STATES DEPARTMENT OF STATE|DATE/CASE ID: .*"
    r"|Page: [0-9]+|Current (?:Class|Handling): .*|Document Number: [0-9]{4}[A-Z].*|Channel: .*"
    r"|(?:Sanitized Copy )?Approved for Release\b.*"
    r"|Printed by: .*|Page [0-9]+ of [0-9]+)\s*\Z",
    re.IGNORECASE,
)
_NOTE_FIRST: Final = frozenset("RrDdEeCcUuFfPpHhSsAa")
_NUMBERED_NOTE: Final = re.compile(
    r"\b(?:Case No\. ?:? ?[A-Z]-[0-9]{4}-|Doc No\. ?:? ?C[0-9]{8})", re.IGNORECASE
)
_CODE_ENDS: Final = frozenset("123456789)R")
_CASE: Final = re.compile(
    r"(?:Case No\. ?:? ?(?P<a>[A-Z]{1,2}-[0-9]{4}-[0-9]+)|(?P<b>FL-[0-9]{4}-[0-9]+))", re.IGNORECASE
)
_DOCUMENT: Final = re.compile(
    r"(?:Doc No\. ?:? ?(?P<a>C[0-9]{8})|(?P<b>\bA-[0-9]{6,}|\bCIA-RDP[0-9A-Z]+-[0-9]))",
    re.IGNORECASE,
)


_DATED: Final = re.compile(
    r"(?:Date: ?|\"UNCLASSIFIED\" |DATE/CASE ID: |Approved for Release:? )"
    r"([0-9]{1,2} [A-Z]{3} [0-9]{4}|[0-9/]+)",
    re.IGNORECASE,
)


def is_released_copy(source: str, small: bool) -> bool:
    """Whether a copy bears the marks of such a release, in any of its lines; `small` is false for one that
    has no small letters."""
    if "RELEASE" in source or "FL-20" in source:
        return True
    return small and (
        "Case No" in source
        or ("pproved " in source and ("pproved for R" in source or "pproved For R" in source))
    )


def mark_release(pieces: list[Piece]) -> list[Piece]:
    """The pieces with the lines of the review named, and the codes in the margin cut off."""
    marked: list[Piece] = []
    numbered = "NO." in "".join(piece.text for piece in pieces).upper()
    for piece in pieces:
        if not piece.kind and piece.text:
            written = piece.text
            if (piece.first in _NOTE_FIRST and _NOTE.match(written)) or (
                numbered and "NO." in written.upper() and _NUMBERED_NOTE.search(written)
            ):
                piece.kind = "release-note"
            elif piece.first in _CODE_BEGINS and (match := _CODES_BEFORE.match(written)):
                code, text = cut(piece, match.end())
                code.kind = "exemption-code"
                marked += [code, text]
                continue
            elif written.rstrip()[-1:] not in _CODE_ENDS:
                pass
            elif _CODES_ALONE.match(written):
                piece.kind = "exemption-code"
            elif match := _CODES_BEHIND.search(written):
                text, code = cut(piece, match.end())
                code.kind = "exemption-code"
                marked += [text, code]
                continue
        marked.append(piece)
    return marked


def read_release(reading: Reading) -> None:
    """Fill `release` from the review's lines, if there are any."""
    notes = [piece.text for piece in reading.of_kind("release-note")]
    if not notes:
        return
    codes = [piece.text for piece in reading.of_kind("exemption-code")]
    text = "\n".join(notes)
    action = next((match["action"] for note in notes if (match := _ACTION.match(note))), None)
    case, document = _CASE.search(text), _DOCUMENT.search(text)
    dated = _DATED.search(text)
    date = find_date(dated[1], 2000) if dated else None
    found = [code for note in (text, *codes) for code in _CODES.findall(note)]
    exemptions = dict.fromkeys(re.sub(r"[\s]", "", code).upper() for code in found)
    reading.release = Release(
        action=_action(action) if action else None,
        exemptions=tuple(exemptions),
        case_number=case["a"] or case["b"] if case else None,
        document_number=document["a"] or document["b"] if document else None,
        date=date[0] if date else None,
    )


def _action(written: str) -> str:
    action = written.upper().replace("RELEASED", "RELEASE")
    return f"{action}L" if action.endswith("FUL") else action
