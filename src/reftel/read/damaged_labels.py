"""Labels with a letter wrong, lost, too many or changed over, as they came over the wire (`SUBKECT:`,
`SUBEJCT:`, `SUBJ8`, `T A G S:`, `R.O. 11652:`). A subject has only its label to be known by; tags,
references and orders are known by what stands behind it as well."""

from __future__ import annotations

import re
from typing import Final, Literal

FieldKind = Literal["executive-order", "tags", "subject", "reference", "classified-by"]

# label = letters, perhaps pulled apart, then a colon
_LABEL: Final = re.compile(r"\s*(?P<label>[A-Z0-9*?.#]+(?: {1,2}[A-Z]{1,5}){0,6})\s*[:;]+\s*(?=\S)")
# A colon that came as a figure, the shift being lost: SUBJ8 VISIT, TAGS9 PFOR
_SHIFTED: Final = re.compile(
    r"\s*(?P<label>SUBJ(?:ECT(?!S))?|TAGS(?=[0-9]))[0-9A-Z]\s*[:;]?\s+(?=[A-Z])"
)
_TAGS_BEHIND: Final = re.compile(r"[A-Z]{4},? *(?:[A-Z(]|\Z)|[A-Z]{2}, ?[A-Z]{2,4}\b")
_REFERENCE: Final = re.compile(
    r"\s*(?:RE[A-Z]?F|REF[A-Z]|R ?E ?F|[A-Z]EF|RE)(?:TEL)?S?\s*[:;,/.8]+\s*"
    r"(?=(?:\(?A[.)] ?)?(?:[0-9]{2} ?)?[A-Z][A-Z ]{2,20} [0-9]{2,8}\b(?!-))"
)
_ORDER: Final = re.compile(
    r"\s*(?:EXECUTIVE ORDER|[A-Z]?[.,] ?[A-Z0]?[.,]{1,2}|[A-Z][.,] ?[A-Z0]"
    r"|E[A-Z]?[.,]{0,2}[A-Z]?O[.,]?|[.,]EO[.,])\s*:?\s*(?:NO\. ?)?"
    r"(?P<order>10501|11652|11653|12065|12356|12958|13526)(?![0-9A-Z])[ :;,./'$-]*",
    re.IGNORECASE,
)
_LONGEST: Final = 20
_BEFORE_ORDER: Final = 24
_SHORTEST_SUBJECT: Final = 3
# Words that are near a label without being one.
_WORDS: Final = frozenset({"SUBS", "SUB", "SURE", "TABS", "TAPS"})
_BEGUN: Final = re.compile(r"SUBJ(?!U)[A-Z0-9]{1,5}\Z")


def damaged_label(text: str) -> tuple[FieldKind, re.Match[str]] | None:
    """The field that a damaged label begins, with the match of the label."""
    head = text[:_LONGEST]
    if ":" in head or ";" in head:
        match = _LABEL.match(text)
        if match and (kind := _kind(match, text)):
            return kind, match
    elif "J" in head or "TAGS" in head:
        match = _SHIFTED.match(text)
        if match:
            return ("tags" if match["label"] == "TAGS" else "subject"), match
    if "E" in head[:4] and (match := _REFERENCE.match(text)):
        return "reference", match
    if "1" in text[:_BEFORE_ORDER] and (match := _ORDER.match(text)):
        return "executive-order", match
    return None


def _kind(match: re.Match[str], text: str) -> FieldKind | None:
    plain = match["label"].replace(" ", "").strip(".")
    if plain in _WORDS or len(plain) < _SHORTEST_SUBJECT:
        return None
    if is_near(plain, "SUBJECT") or is_near(plain, "SUBJ") or _BEGUN.match(plain):
        return "subject"
    if is_near(plain, "TAGS") and _TAGS_BEHIND.match(text, match.end()):
        return "tags"
    return None


def is_near(word: str, label: str) -> bool:
    """Whether a word is a label but for one letter wrong, lost or too many, or two changed over."""
    if abs(len(word) - len(label)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(word, label, strict=False)) if a != b), len(label))
    rest, right = word[at:], label[at:]
    return (
        rest == right
        or rest[1:] == right
        or rest == right[1:]
        or rest[1:] == right[1:]
        or (rest[:2] == right[1::-1] and rest[2:] == right[2:])
    )
