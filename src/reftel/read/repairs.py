"""Damage to running text, mended where the context makes it certain.

Each kind is general, leaves the source alone and gives its reason (`KINDS`). What is likely damage but
could be meant is a diagnostic, not a repair (telegram-content.md 3.25, tables/garbles.csv).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from itertools import pairwise
from string import ascii_uppercase
from typing import Final, NamedTuple

KINDS: Final[dict[str, str]] = {
    "pilcrow read as 1": "A paragraph's pilcrow became the digit 1: 11. 12. 13. before 4.",
    "apostrophe lost": "The right single quote became a comma, a question mark or Q: expert,s.",
    "opening quote lost": "The left double quote became & (or, read as HTML, ®): &registered8.",
    "closing quote lost": "The right double quote became 8, and an opening mark stands before it.",
    "dash read as )": "The dash became a closing bracket that nothing opens.",
    "word divided at line end": "A word was divided over two lines, and its hyphen kept: JURIS- DICTION.",
    "word spaced out": "A word was written with blanks between its letters: S U M M A R Y.",
    "words run together": "A blank was lost between two sentences or words.",
    "letter read for a digit": "O for 0, I or l for 1, where only digits can stand.",
    "caption misspelt": "A caption alone on its line that misses its spelling by a letter or two.",
    "order number misspelt": "The number of the executive order misses the one in force by two digits that"
    " changed places, or by one: E.O. 12598.",
    "month misspelt": "A month that misses its name by one letter, and that the time of filing confirms.",
    "markup left over": "Links, emphasis, entities or line marks of a republisher.",
    "mojibake": "UTF-8 that was read as Windows-1252: â€™.",
}
"""Every reason that `Repair.why` gives, with a sentence that explains it."""

SOFT_HYPHEN: Final = "\u00ad"
"""Stands, while lines are joined, where a word was divided; the clean text has nothing there."""


class Mend(NamedTuple):
    """Characters [start, end) of a block's text, what they become, and why."""

    start: int
    end: int
    now: str
    why: str


# Each pattern begins with the damaged character itself: the engine then leaps from one to the next.
_COMMA: Final = re.compile(
    r",(?:(?<=[A-Za-z][a-z],)(?=s[\s.;:!?)\"8]|s\Z)|(?<=[A-Z]{2},)(?=S[\s.;:!?)\"8]|S\Z)"
    r"|(?<=[a-z]n,)(?=t[\s.;:!?)\"8]|t\Z)|(?<=[A-Z]N,)(?=T[\s.;:!?)\"8]|T\Z)"
    r"|(?<=[A-Z]\.,)(?=s[\s.;:!?])|(?<=[a-zI],)(?=(?:re|ve|ll)[\s.;:!?)]))"
)
_QUESTION: Final = re.compile(r"\?(?:(?<=[a-z]{2}\?)|(?<=\bI\?))(?=(?:s|t|re|ve|ll|d|m)\b)")
_Q_APOSTROPHE: Final = re.compile(
    r"Q(?:(?<=[a-z]Q)(?=s\b|t\b|re\b|ve\b|ll\b)|(?<=[A-Z]{2}Q)(?=S\b|T\b))"
)
# A browser took `&reg`, `&not` and the like for entities when the quote had become an ampersand.
_ENTITY_LETTERS: Final = {"®": "reg", "¬": "not", "©": "copy", "§": "sect", "¶": "para"}
_QUOTE_MARK: Final = re.compile(
    r"[\"&®¬©§¶8](?:(?P<plain>(?<=\"))|(?P<open>(?:(?<=[\s(].)|(?<=\A.))(?:(?<=&)(?=[A-Za-z])|(?<=[®¬©§¶])(?=[a-z])))"
    r"|(?P<close>(?<=[A-Za-z.,!?]8)(?=[\s.,;:)!?]|\Z)))"
)
_DOUBTFUL: Final = re.compile(r"&(?:(?<=[\s(]&)|(?<=\A&))(?=[A-Za-z]{2})")
_CLOSING_8: Final = re.compile(r"8(?<=[A-Za-z.,!?]8)(?=[\s.,;:)!?]|\Z)")
_DASH: Final = re.compile(r"\)(?<=[A-Za-z]{3}\))(?=\s[a-z])")
_DIVIDED: Final = re.compile(r"-(?<=[A-Za-z]{2}-)[ \t]*\n\s*(?P<tail>[A-Za-z]+)")
_HEAD: Final = re.compile(r"[A-Za-z]+\Z")
# Second halves of divided words that are no words themselves.
_TAILS: Final = frozenset(
    """TION TIONS TIONAL SION SIONS MENT MENTS MENTAL ING INGS ED ER ERS LY ALLY ITY ITIES ICAL ICALLY ENCE
    ENCES ANCE ANCES ATED ATES ATING ATION ATIONS TURE TURES NESS TIVE TIVES TIVELY ABLE IBLE FUL LESS IST
    ISTS ISM MENTATION CIAL CIALLY TIAL TIALLY CIENT TION'S LISH LISHED ISH ISHED CATION CATIONS ZATION
    ZATIONS IZED IZING IZE IZATION ISATION DURES DURE TICAL TICALLY RIES TERS TIES SIBLE SIBILITY BILITY
    BILITIES NITY NITIES CERN CERNED CERNING STANCE STANCES TAIN TAINED TAINING TRATION TRATE MITTEE MITTEES
    PORTED MENTED NATION TOR TORS TORY VISION NING TING DING RING SING LING PING VERNMENT BASSADOR RECTOR
    TARY TARIES NARY SARY
    DENT DENTS DENTIAL CERTAIN QUENT QUENTLY SPONSE SPONSIBLE TERNATIONAL PARTMENT""".split()
)
_PREFIXES: Final = frozenset(
    "NON PRE RE CO ANTI EX MID SELF VICE PRO INTER POST MULTI SEMI ALL WELL".split()
)
_FOUR_APART: Final = " A A A "
_FEW_APART: Final = 8
# Begins behind the first letter.
_SPACED: Final = re.compile(
    r" [A-Z] (?:(?<=\A[A-Z] [A-Z] )|(?<=[^A-Za-z][A-Z] [A-Z] ))(?<![^A-Za-z][A-Z] [A-Z] [A-Z] )"
    r"(?:[A-Z] ){2,28}[A-Z](?![A-Za-z]| [A-Z]\b)"
)
# Classifications are sent so, and so is the note on a corrected copy.
_SPACED_BY_RULE: Final = frozenset(
    "CONFIDENTIAL SECRET TOPSECRET UNCLASSIFIED UNCLAS RESTRICTED CORRECTED CORRECTEDCOPY".split()
)
_JOINED: Final = re.compile(r"\.(?<=[a-z]{3}\.)(?=[A-Z][a-z]{2,} [a-z])")
_LINK: Final = re.compile(
    r"\[(?P<text>[^\[\]\n]{1,80})\](?P<target>\((?:#[^()\s]*|https?:[^()\s]*)\))"
)
_BOLD: Final = re.compile(r"\*\*(?=\S)[^*\n]{1,200}(?<=\S)\*\*")
_ENTITY: Final = re.compile(
    r"&(?:amp|quot|lt|gt|nbsp|apos|rsquo|lsquo|rdquo|ldquo|mdash|ndash|#[0-9]{2,5}|#x[0-9A-Fa-f]{2,4});"
)
_LINE_MARK: Final = re.compile(r"\\[ \t]*(?=\n|\Z)")
_MOJIBAKE: Final = re.compile(
    "[\u00c2\u00c3\u00e2][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{1,2}"
)


_Q_ENDING: Final = re.compile(r"Q[sSt] ")
_ENOUGH_QS: Final = 2
BLANKS: Final = frozenset(sign for sign in map(chr, range(0x3001)) if sign.isspace())
"""Every character that is a blank."""


Finder = Callable[[str, str], list[Mend]]
Suspect = tuple[str, Finder]
"""What a text with the damage has in it, and what finds it."""


def suspects(text: str, source: str, shape: str, *, in_capitals: bool) -> list[Suspect]:
    """What to look for in the blocks of a text: the kinds of damage that show a sign anywhere in it.

    Most telegrams have few or none, and one pass over the whole text costs less than one a block.
    `shape` is that of the source from where the text begins; a text that stands `in_capitals` is spared
    what only small letters show.
    """
    found = [
        (sign, finder)
        for sign, small, behind, damage, finder in _SIGNS
        if not (small and in_capitals) and _shows(text, sign, behind, damage)
    ]
    found += [(letters, _spaced) for letters in _apart_in(source, shape)]
    # Q stands for apostrophes throughout a telegram, or nowhere.
    if _shows(source, "Q", _BEHIND_Q, _Q_ENDING, _ENOUGH_QS):
        found.append(("Q", _qs))
    found += [(letter, finder) for letter, finder in _LEFT_OVER if letter in text]
    if not text.isascii() and any(sign in text for sign in _MISREAD):
        found.append(("", _misread))
    return found


def _shows(
    text: str, sign: str, behind: frozenset[str], damage: re.Pattern[str], enough: int = 1
) -> bool:
    """Whether a sign shows damage in a text, so many times. What stands behind it tells all but a few of
    the many commas and full stops from damage: that costs less than a pattern tried at each."""
    at = text.find(sign)
    while at >= 0:
        if text[at + 1 : at + 2] in behind and damage.match(text, at):
            enough -= 1
            if not enough:
                return True
        at = text.find(sign, at + 1)
    return False


def _apart_in(source: str, shape: str) -> list[str]:
    """Letters with blanks between them, as they stand in a text whose shape is given: a block without any
    of these has no word spaced out. Where there are many, a blank stands for all."""
    found: dict[str, None] = {}
    start = len(source) - len(shape)
    at = shape.find(_FOUR_APART)
    while at >= 0:
        found[source[start + at : start + at + len(_FOUR_APART)]] = None
        if len(found) > _FEW_APART:
            return [" "]
        at = shape.find(_FOUR_APART, at + len(_FOUR_APART) - 1)
    return list(found)


def find_mends(text: str, source: str, damage: list[Suspect]) -> list[Mend]:
    """The certain repairs of a block's text, in order, none overlapping another.

    `source` is the whole telegram: a divided word is sure when it stands there undivided.
    """
    mends: list[Mend] = []
    for letter, finder in damage:
        if letter in text:
            mends += finder(text, source)
    return _apart(sorted(mends)) if mends else mends


def doubtful_marks(text: str) -> list[tuple[int, int]]:
    """Places that look like a lost quotation mark, but without the other one of its pair."""
    return [m.span() for m in _DOUBTFUL.finditer(text)]


def _apart(mends: list[Mend]) -> list[Mend]:
    kept: list[Mend] = []
    for mend in mends:
        if not kept or mend.start >= kept[-1].end:
            kept.append(mend)
    return kept


def _commas(text: str, source: str) -> list[Mend]:
    del source
    return [Mend(*m.span(), "'", "apostrophe lost") for m in _COMMA.finditer(text)]


def _questions(text: str, source: str) -> list[Mend]:
    del source
    return [Mend(*m.span(), "'", "apostrophe lost") for m in _QUESTION.finditer(text)]


def _qs(text: str, source: str) -> list[Mend]:
    del source
    return [Mend(*m.span(), "'", "apostrophe lost") for m in _Q_APOSTROPHE.finditer(text)]


def _joined(text: str, source: str) -> list[Mend]:
    del source
    return [Mend(*m.span(), f"{m[0]} ", "words run together") for m in _JOINED.finditer(text)]


def _quotes(text: str, source: str) -> list[Mend]:
    """A closing `8` needs an opening mark before it, an opening `&` a closing one behind it."""
    del source
    if not _CLOSING_8.search(text):
        return []
    mends: list[Mend] = []
    opened: re.Match[str] | None = None
    for mark in _QUOTE_MARK.finditer(text):
        if mark["open"] is not None:
            opened = mark
        elif mark["plain"] is not None:
            opened = None if opened else mark
        elif opened:
            if opened["open"] is not None:
                now = '"' + _ENTITY_LETTERS.get(opened[0], "")
                mends.append(Mend(opened.start(), opened.end(), now, "opening quote lost"))
            mends.append(Mend(mark.start(), mark.end(), '"', "closing quote lost"))
            opened = None
    return mends


def _dashes(text: str, source: str) -> list[Mend]:
    """A closing bracket that nothing opens, between two words, was a dash."""
    del source
    mends: list[Mend] = []
    at = opened = 0
    for match in _DASH.finditer(text):
        opened = max(
            0, opened + text.count("(", at, match.start()) - text.count(")", at, match.start())
        )
        at = match.end()
        if opened:
            opened -= 1
        else:
            mends.append(Mend(match.start(), match.end(), " --", "dash read as )"))
    return mends


def _divided(text: str, source: str) -> list[Mend]:
    mends: list[Mend] = []
    for match in _DIVIDED.finditer(text):
        at, tail = match.start(), match["tail"]
        head = _HEAD.search(text, max(0, at - 30), at)[0]  # type: ignore[index]
        if head.upper() in _PREFIXES:
            continue
        if tail.upper() in _TAILS or _is_word_of(source, head + tail):
            mends.append(Mend(at, at + 1, SOFT_HYPHEN, "word divided at line end"))
    return mends


def _is_word_of(source: str, word: str) -> bool:
    """Whether a word stands in a text by itself."""
    at = source.find(word)
    while at >= 0:
        end = at + len(word)
        if not source[at - 1 : at].isalpha() and not source[end : end + 1].isalpha():
            return True
        at = source.find(word, end)
    return False


def _spaced(text: str, source: str) -> list[Mend]:
    """Words of five letters and more with blanks between them; rows of signs and alphabets are none."""
    del source
    found: list[Mend] = []
    for match in _SPACED.finditer(text):
        start, end = match.start() - 1, match.end()
        word = text[start:end].replace(" ", "")
        steps = {ord(b) - ord(a) for a, b in pairwise(word)}
        if (
            word not in _SPACED_BY_RULE
            and len(set(word)) > 2
            and steps != {1}
            and re.search("[AEIOUY]", word)
        ):
            found.append(Mend(start, end, word, "word spaced out"))
    return found


def _links(text: str, source: str) -> list[Mend]:
    del source
    mends: list[Mend] = []
    for link in _LINK.finditer(text):
        mends.append(Mend(link.start(), link.start() + 1, "", "markup left over"))
        mends.append(Mend(link.end("text"), link.end(), "", "markup left over"))
    return mends


def _bolds(text: str, source: str) -> list[Mend]:
    del source
    mends: list[Mend] = []
    for bold in _BOLD.finditer(text):
        mends.append(Mend(bold.start(), bold.start() + 2, "", "markup left over"))
        mends.append(Mend(bold.end() - 2, bold.end(), "", "markup left over"))
    return mends


def _entities(text: str, source: str) -> list[Mend]:
    del source
    return [
        Mend(*m.span(), html.unescape(m[0]), "markup left over") for m in _ENTITY.finditer(text)
    ]


def _line_marks(text: str, source: str) -> list[Mend]:
    del source
    return [Mend(*m.span(), "", "markup left over") for m in _LINE_MARK.finditer(text)]


def _misread(text: str, source: str) -> list[Mend]:
    del source
    mends: list[Mend] = []
    for match in _MOJIBAKE.finditer(text):
        for end in (match.end(), match.end() - 1):
            if (meant := _utf8(text[match.start() : end])) is not None:
                mends.append(Mend(match.start(), end, meant, "mojibake"))
                break
    return mends


def _utf8(text: str) -> str | None:
    """What the characters are when their Windows-1252 bytes are read as UTF-8."""
    try:
        data = bytes(
            byte
            for c in text
            for byte in (c.encode("cp1252") if ord(c) > 0xA0 or ord(c) < 0x80 else bytes((ord(c),)))
        )
        meant = data.decode("utf-8")
    except UnicodeError:
        return None
    return meant if len(meant) == 1 else None


_BEHIND_Q: Final = frozenset("sSt")
_DIVIDES: Final = frozenset(" \t\n")
_ENDS: Final = BLANKS | frozenset((*".,;:)!?", ""))
# The sign, whether it is damage only beside small letters, what stands behind it then, the damage.
_SIGNS: Final[tuple[tuple[str, bool, frozenset[str], re.Pattern[str], Finder], ...]] = (
    (",", False, frozenset("sStTrvl"), _COMMA, _commas),
    ("?", True, frozenset("strvldm"), _QUESTION, _questions),
    ("8", False, _ENDS, _CLOSING_8, _quotes),
    (")", True, BLANKS, _DASH, _dashes),
    ("-", False, _DIVIDES, _DIVIDED, _divided),
    (".", True, frozenset(ascii_uppercase), _JOINED, _joined),
)
_LEFT_OVER: Final[tuple[Suspect, ...]] = (
    ("]", _links),
    ("*", _bolds),
    ("&", _entities),
    ("\\", _line_marks),
)
_MISREAD: Final = "ÂÃâ"
