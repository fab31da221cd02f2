"""Telling copies of one telegram from different telegrams, and the copy to read (docs/copies.md)."""

from __future__ import annotations

import re
from typing import NamedTuple

from reftel.archive.alignment import EXCISED, align, plain_words
from reftel.archive.entry import minutes_of
from reftel.archive.excised import is_partial, marks_of_excision
from reftel.telegram import Telegram

_ALIKE = 0.6
_CORRECTED_OTHER_WORDS = 0.3
# Where a copy begins or ends too early, so many words may be cut in two or spoilt.
_CUT_WORDS = 2
_SHORT = 20
_LONG = 50
_DAY = 24 * 60
_WEEK = 7 * _DAY

_CORRECTED = re.compile(r"\bC ?O ?R ?R ?E ?C ?T ?E ?D +C ?O ?P ?Y\b|\bCCY\b", re.IGNORECASE)
_QUOTES = re.compile(
    r"\b(?:REPEATED|RPTD) (?:FOR )?(?:TO )?YOU|\b(?:QUOTE|QTE)\b.*\b(?:UNQUOTE|UNQTE)\b",
    re.IGNORECASE | re.DOTALL,
)
_CORRECTED_BONUS = 1_000_000


class Likeness(NamedTuple):
    """How two texts compare, in words: of the shorter one, those that stand in both (damage aside);
    those in whose place the other has different ones; and those of each text that the other lacks
    within its course, no mark of an excision standing there."""

    shorter: int
    longer: int
    shared: int
    other: int
    lacking: tuple[int, int]


def are_copies(one: Telegram, other: Telegram) -> bool:
    """Whether two documents with one number are copies of one telegram.

    A number is a citation, not a key: one has 52 documents in the released collections. The words
    decide. Where they leave a doubt the documents stay apart, since a false join hides a telegram and a
    missed one only shows a copy twice.
    """
    if (one.section and one.section.number) != (other.section and other.section.number):
        return False
    if bool(_QUOTES.search(one.text)) != bool(_QUOTES.search(other.text)):
        # One repeats the other whole, inside a telegram of its own.
        return False
    apart = _minutes_apart(one, other)
    same_subject = _subjects_agree(one, other)
    a = plain_words(one.text)
    b = a if one.text == other.text else plain_words(other.text)
    if min(len(a), len(b)) < _SHORT:
        named = same_subject is True or (same_subject is None and apart == 0)
        return apart in (0, None) and named and _short_alike(a, b)
    if not _may_be_alike(a, b):
        return False
    found = likeness(a, b, withheld=is_partial(one) or is_partial(other))
    if _is_corrected(one) or _is_corrected(other):
        limit = _CORRECTED_OTHER_WORDS * found.shared
        near = (apart is None or apart <= _WEEK) and same_subject is not False
        return near and found.shared >= found.shorter / 2 and found.other <= limit
    if found.shared < _ALIKE * found.shorter:
        return False
    if same_subject is False or (apart is not None and apart > _DAY):
        # Another subject or another day: the texts must be the same, and not short.
        same = min(found.shared, found.shorter) >= 0.95 * found.longer and found.shorter >= _LONG
        return same and not found.other and not any(found.lacking)
    # A form telegram differs from the next in a name or a date, so a text that is not long, or of another
    # minute, may have no other word at all.
    limit = max(0, found.shared // 100 - 1) if apart in (0, None) else 0
    return found.other + min(found.lacking) <= limit


def same_under_another_number(one: Telegram, other: Telegram) -> bool:
    """Whether two documents of one post and minute with different numbers are one telegram, the number
    of one misread: the numbers look alike, and so does everything else, whole and with no word
    another."""
    if one.mrn is None or other.mrn is None or one.dtg is None or one.dtg != other.dtg:
        return False
    if (one.section and one.section.number) != (other.section and other.section.number):
        return False
    if [each.name for each in one.action] != [each.name for each in other.action]:
        return False
    if not look_alike(one.mrn.number, other.mrn.number):
        return False
    if _subjects_agree(one, other) is not True:
        return False
    a, b = plain_words(one.text), plain_words(other.text)
    if min(len(a), len(b)) < _LONG:
        return False
    found = likeness(a, b)
    return found.shared >= 0.97 * found.longer and not found.other


def likeness(a: list[str], b: list[str], *, withheld: bool = False) -> Likeness:
    """Compare the words of two texts. With `withheld`, what a review may have cut out without a mark
    counts for nothing."""
    shared = other = 0
    lacking = [0, 0]
    if a is b:
        shared = len(a) - a.count(EXCISED)
        return Likeness(shared, shared, len(a), 0, (0, 0))
    # Alignment depends on which comes first; what it says of two copies must not.
    a, b = sorted((a, b), key=lambda words: (len(words), words))
    for run in align(a, b):
        left, right = run.left_end - run.left_start, run.right_end - run.right_start
        at_end = (run.left_start == run.right_start == 0) or (
            run.left_end == len(a) and run.right_end == len(b)
        )
        if run.kind in ("same", "damaged"):
            shared += min(left, right)
        elif run.kind != "withheld":
            if not (at_end and min(left, right) <= _CUT_WORDS < abs(left - right)):
                other += min(left, right)
            if not at_end and not withheld:
                lacking[right > left] += abs(left - right)
    lengths = sorted(len(words) - words.count(EXCISED) for words in (a, b))
    return Likeness(lengths[0], lengths[1], shared, other, (lacking[0], lacking[1]))


def _may_be_alike(a: list[str], b: list[str]) -> bool:
    """A quick look before the words are laid beside each other."""
    if a is b:
        return True
    x, y = set(a), set(b)
    return 2 * len(x & y) >= min(len(x), len(y)) * _ALIKE


def _short_alike(a: list[str], b: list[str]) -> bool:
    """Whether the shorter of two short texts is the other one or its beginning, damage aside. A lost
    text is the beginning of any."""
    a, b = sorted((a, b), key=len)
    return not a or all(
        run.kind in ("same", "damaged", "withheld")
        or (run.kind == "right" and run.left_start == len(a))
        for run in align(a, b)
    )


def _minutes_apart(one: Telegram, other: Telegram) -> int | None:
    a, b = minutes_of(one.dtg), minutes_of(other.dtg)
    return abs(a - b) if a is not None and b is not None else None


def subject_words(subject: str | None) -> list[str]:
    return plain_words(_CORRECTED.sub(" ", subject or ""))


def _subjects_agree(one: Telegram, other: Telegram) -> bool | None:
    """Whether two subjects are one, damage and a cut end aside; `None` where one has none."""
    a, b = subject_words(_subject(one)), subject_words(_subject(other))
    if not a or not b:
        return None
    found = likeness(a, b)
    return not found.other and not any(found.lacking) and found.shared >= 0.8 * found.shorter


def _subject(telegram: Telegram) -> str | None:
    return telegram.subject or (telegram.attributes or {}).get("Subject")


def look_alike(one: int, other: int) -> bool:
    """Whether one figure was misread, lost, added, or two changed places."""
    a, b = str(one), str(other)
    if len(a) == len(b):
        places = [at for at in range(len(a)) if a[at] != b[at]]
        swapped = len(places) == 2 and sorted(a) == sorted(b) and places[1] == places[0] + 1
        return len(places) == 1 or swapped
    long, short = (a, b) if len(a) > len(b) else (b, a)
    return len(long) == len(short) + 1 and any(
        long[:at] + long[at + 1 :] == short for at in range(len(long))
    )


def _is_corrected(telegram: Telegram) -> bool:
    """Whether a copy says that it is a corrected one (telegram-content.md 3.19)."""
    if "corrected-copy" in [element.kind for element in telegram.elements]:
        return True
    signals = telegram.transmission.operating_signals if telegram.transmission else ()
    return any(_CORRECTED.search(text) for text in (telegram.subject or "", *signals))


def quality(telegram: Telegram) -> int:
    """How good a copy is to read: a corrected one before what it corrects; then more text, so that the
    whole goes before a part and a fuller release before a lesser, however long the marks of what that one
    withholds; more of the heading, less damage."""
    marks = [mark for block in telegram.body for mark in marks_of_excision(block.text)]
    text = sum([len(block.text) for block in telegram.body]) - len("".join(marks))
    heading = sum(
        value is not None and value != ()
        for value in (telegram.dtg, telegram.originator, telegram.action, telegram.subject)
    )
    doubts = sum(1 for diagnostic in telegram.diagnostics if diagnostic.severity != "info")
    damage = 100 * (doubts + len(marks)) + 20 * len(telegram.repairs) + telegram.coverage.unknown
    corrected = _CORRECTED_BONUS if text and _is_corrected(telegram) else 0
    return corrected + text + 200 * heading - damage
