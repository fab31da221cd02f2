"""The labels of the markings, in the spellings in which they come (telegram-content.md 3.11 to 3.15)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from reftel.read.classified_by import CLASSIFIED_LABEL, FURTHER_LABEL
from reftel.read.damaged_labels import FieldKind, damaged_label
from reftel.read.executive_order import EO_LABEL
from reftel.read.references import REF_LABEL
from reftel.read.tags_line import TAGS_LABEL

_SUBJECT_LABEL: Final = re.compile(
    r"\s*(?:\*\*)?(?:(?:SUB(?:J(?:ECT)?|ECT|(?=:))|SUJBECT|SUBJET|[A-Z]{2}BJ(?=:)|SU[A-Z]J(?=:))\b(?:/TITLE)?|UBJ(?:ECT)?(?=:))"
    r"(?:[.,/*=#](?=[ :;])|\.)?\s*[:;.]*\s*(?:\*\*)?",
    re.IGNORECASE,
)
# A label behind a blank.
_INNER_LABEL: Final = re.compile(
    r" (?:E\.O\. ?:? ?1[0-9]{4}|TAGS(?:[:;] | (?=[A-Z]{2,4}[, ]))|Tags: |SUBJ(?:ECT)?: |Subj(?:ect)?: "
    r"|(?:REF|Ref)(?:[Ss]|\([Ss]\)|TELS?|tels?)?: "
    r"|(?:Classified By|CLASSIFIED BY): |¶ ?1\.|1\. ?\((?:U|SBU|LOU|C|S|TS)[/)]|-{8,})"
)
# A label that was written on to the word before it: `VISIT TO BERNREF: BERN 12`.
_GLUED_LABEL: Final = re.compile(
    r"(?<=\S)[A-Za-z0-9/’](?:REFS?: (?=(?:[A-Z][.)] ?)?(?:[0-9]{2} )?[A-Z])|(?:TAGS|SUBJ(?:ECT)?|REFTELS?): )"
)
_LABELS: Final[tuple[tuple[FieldKind, re.Pattern[str]], ...]] = (
    ("subject", _SUBJECT_LABEL),
    ("tags", TAGS_LABEL),
    ("reference", REF_LABEL),
    ("classified-by", CLASSIFIED_LABEL),
    ("executive-order", EO_LABEL),
    ("classified-by", FURTHER_LABEL),
)
# As by far the most are written: tried first, since they match the same several times as fast.
_USUAL: Final[tuple[tuple[FieldKind, re.Pattern[str]], ...]] = (
    ("subject", re.compile(r"SUBJ(?:ECT)?: (?=[A-Z0-9])")),
    ("tags", re.compile(r"TAGS: (?=[A-Z0-9])")),
    ("reference", re.compile(r"REFS?: (?=[A-Z0-9])")),
    ("executive-order", re.compile(r"E\.O\. (?P<order>1[0-9]{4}): (?=[A-Z0-9])")),
)
# As a scan misreads them: SUBJECI, 5UBJ, IAGS, TAG5, REE, E,0. 12356.
_SCANNED_LABELS: Final[tuple[tuple[FieldKind, re.Pattern[str]], ...]] = (
    (
        "subject",
        re.compile(
            r"\s*(?=.{3,8}:)[S5][UVI][BEH8R6][JIL1](?:[ERFP][CGOE][TIYJ1])?\s*:\s*", re.IGNORECASE
        ),
    ),
    ("tags", re.compile(r"\s*(?=.{3,5}:)[TIFY1][AR4H][GCOQB6][S58]\s*:\s*", re.IGNORECASE)),
    ("reference", re.compile(r"\s*[RPBK][EFB][FPEIT]S?\s*:\s*", re.IGNORECASE)),
    (
        "executive-order",
        re.compile(
            r"\s*[EFB][.,] ?[O0QDC][.,] ?(?P<order>[1Il][0-9]{4})\b *[:;.,-]?\s*", re.IGNORECASE
        ),
    ),
)
_SCANNED_BY_FIRST: Final[dict[str, tuple[tuple[FieldKind, re.Pattern[str]], ...]]] = {
    **dict.fromkeys("S5", _SCANNED_LABELS[:1]),
    **dict.fromkeys("TIY1", _SCANNED_LABELS[1:2]),
    **dict.fromkeys("RPK", _SCANNED_LABELS[2:3]),
    "E": _SCANNED_LABELS[3:],
    "B": _SCANNED_LABELS[2:],
    "F": (_SCANNED_LABELS[1], _SCANNED_LABELS[3]),
}
_LONGEST_LABEL: Final = 10
# The letters that each label can open with, damage included: most lines are spared the patterns.
_LABELS_BY_FIRST: Final[dict[str, tuple[tuple[FieldKind, re.Pattern[str]], ...]]] = {
    "S": (_USUAL[0], _LABELS[0]),
    "U": _LABELS[:1],
    "T": (_USUAL[1], _LABELS[1]),
    "A": _LABELS[1:3],
    "R": (_USUAL[2], _LABELS[2], _LABELS[5]),
    "(": (*_LABELS[2:4], _LABELS[5]),
    "C": _LABELS[3:4],
    "D": _LABELS[5:],
    "E": (_USUAL[3], _LABELS[4]),
    **dict.fromkeys("0123456789¶", _LABELS[3:4]),
}


@lru_cache(maxsize=512)
def label_of(text: str) -> tuple[FieldKind, re.Match[str]] | None:
    """The field that a line begins, with the match of its label."""
    labels = _LABELS_BY_FIRST.get(text.lstrip(" \t*")[:1].upper(), ())
    if not labels and "BJ:" in text[:12]:
        labels = _LABELS[:1]
    for kind, pattern in labels:
        if match := pattern.match(text):
            return kind, match
    if ":" in text[:_LONGEST_LABEL] or text[1:2] in ".,":
        for kind, pattern in _SCANNED_BY_FIRST.get(text.lstrip()[:1].upper(), ()):
            if match := pattern.match(text):
                return kind, match
    return damaged_label(text)


def inner_label(text: str, start: int) -> re.Match[str] | None:
    """The next label within a line: behind a blank, or written on to a word. The match begins with the sign
    before it."""
    match = _INNER_LABEL.search(text, start)
    # Its letters are looked for before the pattern, which is slow.
    if match is None and (
        text.find("REF", start) > 0
        or text.find("TAGS: ", start) > 0
        or text.find("SUBJ", start) > 0
    ):
        match = _GLUED_LABEL.search(text, start - 1)
    return match
