"""How paragraphs begin: number, portion mark, label.

para = ["pilcrow"] number ("." | ")") [SP "(" portion ")"] SP text        telegram-content.md 3.16
"""

from __future__ import annotations

import re
from typing import Final

PARAGRAPH_START: Final = re.compile(
    r"(?P<indent>[ \t]*)(?P<pilcrow>¶ ?)?(?P<number>[0-9]{1,3})"
    # A stop may be lost before a portion mark: `3 (C)`.
    r"(?P<stop> ?\.|\)|(?= ?\((?:U|SBU|LOU|C|S|TS)[/)]))(?![0-9])[ \t]*(?=\S|\Z)"
)
_LEVEL = r"(?:U|SBU|LOU|L|C|S|TS|FOUO)"
_CONTROL = r"(?:NF|NOFORN|FOUO|FGI|SBU|REL(?: TO)? [A-Z]+(?:(?:, ?|/| AND )[A-Z]+)*)"
PORTION_MARK: Final = re.compile(
    rf"\({{1,2}}\s*(?P<mark>{_LEVEL}(?:\s*(?://|/|-|\s)\s*{_CONTROL})*)\s*(?:/+\s*)?\)[ \t]*"
)
_ENTIRE: Final = re.compile(
    rf"\(?\s*(?:(?P<mark>{_LEVEL}(?:/+{_CONTROL})?)\s*[-:]|(?P<word>CONFIDENTIAL|SECRET|TOP SECRET"
    r"|LIMITED OFFICIAL USE|UNCLASSIFIED)\s*[-:]?-?)\s*(?:THE )?ENTIRE TEXT\s*\.?\)?"
    r"|\(?(?:THE )?ENTIRE TEXT (?:IS )?(?P<behind>CONFIDENTIAL|SECRET|LIMITED OFFICIAL USE|UNCLASSIFIED)\b",
    re.IGNORECASE,
)
_LETTERS: Final = {
    "CONFIDENTIAL": "C",
    "SECRET": "S",
    "TOP SECRET": "TS",
    "LIMITED OFFICIAL USE": "LOU",
    "UNCLASSIFIED": "U",
}
PARAGRAPH_FIRST: Final = frozenset("0123456789¶")
LABEL: Final = re.compile(
    r"(?:(?:THIS IS AN )?\(?(?P<label>(?:BEGIN (?:UNCLAS(?:SIFIED)? )?|EXECUTIVE |INTRODUCTION AND )?"
    r"(?:SUMMARY(?: AND (?:COMMENT|INTRODUCTION|ACTION REQUEST))?|SUM{1,3}R?A?R?Y"
    r"|(?:[A-Z']+ )?COMMENT(?: CONT(?:INUED|'D)?| AND [A-Z]+(?: [A-Z]+)?(?=:))?"
    r"|ACTION REQUEST(?:ED)?|KEY POINTS?|INTRODUCTION|BACKGROUND|OBJECTIVES?"
    r"|BIO(?:GRAPHIC(?:AL)?)? NOTE|NOTE|GUIDANCE"
    r"|TALKING POINTS|NON-?PAPER|CONCLUSION))\)?"
    r"(?=\s*(?:\((?:U|SBU|LOU|C|S|TS)(?:/+[A-Z]+)?\))?\s*(?:[.:;\"“-]|\Z)|(?<=\))\s)"
    r"|(?:BEGIN )?(?P<bare>SUMMARY|COMMENT)(?-i:(?= [A-Z][a-z])))",
    re.IGNORECASE,
)
_SEPARATOR: Final = re.compile(r"\s*(//|/|-)\s*")
_PUNCTUATION: Final = frozenset(" \t\n.:;-")
_LONGEST_LEVEL: Final = 3
_PLAIN_MARKS: Final = frozenset("U SBU LOU L C S TS FOUO".split())
_LONGEST_PLAIN: Final = 6
_INDENTS: Final = frozenset(" \t")
_ENTIRE_WITHIN: Final = 40
_LABEL_WITHIN: Final = 60
_LABEL_STARTS: Final = tuple(
    """SUMM|COMMENT|ACTION REQ|KEY POINT|INTRODUC|BACKGROUND|OBJECTIVE|BIO|NOTE|GUIDANCE|TALKING|NON
    |CONCLUSION|BEGIN |EXECUTIVE |THIS IS AN """.replace("\n    ", "").split("|")
)
_LABEL_FIRST: Final = frozenset(start[0] for start in _LABEL_STARTS)


def portion_mark(text: str) -> tuple[str | None, int]:
    """The portion mark that a paragraph's text opens with, as `S/NF`, and where the text goes on.

    `(C - ENTIRE TEXT)` marks the whole telegram and stays in the text: it is the paragraph.
    """
    if text[:1] == "(":
        end = text.find(")", 0, _LONGEST_PLAIN)
        if end > 0 and text[1:end] in _PLAIN_MARKS:
            # By far the most are no more than a level.
            at = end + 1
            while text[at : at + 1] in _INDENTS:
                at += 1
            return text[1:end], at
        if text[1:2].islower():
            # Later systems take `(sbu)`, and keep it.
            text = text[:_ENTIRE_WITHIN].upper() + text[_ENTIRE_WITHIN:]
        if match := PORTION_MARK.match(text):
            mark = " ".join(match["mark"].split())
            return _SEPARATOR.sub(r"\1", mark) if len(mark) > _LONGEST_LEVEL else mark, match.end()
    if "ENTIRE" in text[:_ENTIRE_WITHIN].upper() and (match := _ENTIRE.match(text)):
        word = match["word"] or match["behind"]
        return (match["mark"] or _LETTERS[word.upper()]).upper(), 0
    if "(" in text[:_LABEL_WITHIN] and (label := LABEL.match(text)):
        at = label.end()
        while text[at : at + 1] in _PUNCTUATION and at < len(text):
            at += 1
        if match := PORTION_MARK.match(text, at):
            return " ".join(match["mark"].split()), 0
    return None, 0


def label_of_paragraph(text: str) -> str | None:
    """The label that a paragraph opens with, as written: `Summary`, `COMMENT`."""
    begins = text[:_LABEL_WITHIN].upper().lstrip("(")
    opens = begins[:1] in _LABEL_FIRST and begins.startswith(_LABEL_STARTS)
    if not opens and "COMMENT" not in begins:
        return None
    match = LABEL.match(text)
    return (match["label"] or match["bare"]) if match else None


class Sequence:
    """Decides which numbered lines begin paragraphs: those that count on from the one before.

    Numbered items inside a paragraph restart, jump or are indented otherwise. A pilcrow settles it, but
    for numbers out of the count within a sentence: republishers put one before each at a line's start.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self._indent = 0
        self._stop = "."

    def accepts(self, match: re.Match[str], number: int, *, apart: bool) -> bool:
        """Whether a numbered line begins a paragraph; `apart` when no sentence runs into it."""
        if match["pilcrow"]:
            return (
                apart
                or self.last is None
                or self.last < number <= self.last + 2
                or PORTION_MARK.match(match.string, match.end()) is not None
            )
        indent = len(match["indent"].expandtabs())
        if self.last is None:
            return match["stop"] != ")" or number == 1
        if not self.last < number <= self.last + 2 or abs(indent - self._indent) > 1:
            return False
        # `2)` below `1.` is an item of a list, unless a portion mark says otherwise.
        alike = match["stop"].strip() in (self._stop, "")
        return alike or PORTION_MARK.match(match.string, match.end()) is not None

    def take(self, match: re.Match[str], number: int) -> None:
        if self.last is None:
            self._indent = len(match["indent"].expandtabs())
            self._stop = match["stop"].strip() or "."
        self.last = number


def pilcrow_ones(numbers: list[tuple[int, bool]], *, later_section: bool) -> set[int]:
    """Which numbered lines have a pilcrow that was read as the digit 1: `11.` for `¶1.`

    `numbers` are the numbers at line starts in order, and whether a pilcrow stands there. The lines
    must begin the count 11, 12, 13 ... and it must be proved: by the plain number that comes next,
    or because a telegram that is no later section begins with paragraph 1.
    """
    found: list[int] = []
    for index, (number, pilcrow) in enumerate(numbers):
        expected = len(found) + 1
        if not pilcrow and number == int(f"1{expected}"):
            found.append(index)
        elif number == expected and found:
            return set(found)
        elif found or number == expected or pilcrow:
            break
    return set(found) if found and not later_section else set()


def is_paragraph(text: str) -> bool:
    """Whether a line opens a numbered paragraph."""
    return text.lstrip()[:1] in PARAGRAPH_FIRST and PARAGRAPH_START.match(text) is not None
