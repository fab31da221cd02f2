"""Subject: R47 to R51."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reftel.check.finding import D9, STATE, Case, Found, rule

_LIMIT = 140
_MARKED = re.compile(
    r"\A\W*SUBJ\w*\W*\(?(?:U|SBU|C|S|TS|LOU)\)|\((?:U|SBU|C|S|TS)\)\s*\Z", re.IGNORECASE
)
_BANNER = re.compile(
    r"\b(?:NODIS|EXDIS|LIMDIS|SIPDIS|STADIS|NOFORN|EYES ONLY)\b"
    r"|^(?:UNCLAS(?:SIFIED)?|CONFIDENTIAL|SECRET|TOP SECRET)\b(?= [A-Z]+DIS\b|[:/-])"
    r"|\bREF(?:S|TELS?)?: ?[A-Z0-9]|\bTAGS: "
)


def _subject(case: Case) -> str:
    return case.telegram.subject or ""


@rule("R47", "subject", "error", "H74; FAH-1 H-212", STATE)
def subject(case: Case) -> Iterator[Found]:
    """There is a SUBJECT, not blank, upper case in D9.

    One sent telegram in ten has none, so there it warns; small letters went through in the 2000s as
    often as not, and are asked about in drafts only.
    """
    if not case.message or case.further:
        return
    if not _subject(case):
        if case.whole and (case.year or 0) >= 1973:
            yield Found(
                "the telegram has no subject",
                "no SUBJECT line",
                "SUBJECT and a few words",
                "say in a few words what it is about",
                case.span("subject", "tags", "classification-line", "originator"),
                None if case.draft else "warning",
            )
    elif case.draft and case.profile in D9 and _subject(case) != _subject(case).upper():
        yield Found(
            "the subject has small letters",
            _subject(case),
            _subject(case).upper(),
            "write it in capitals",
            case.span("subject"),
            "warning",
        )


@rule("R48", "subject-length", "warning", "own; measured", STATE)
def subject_length(case: Case) -> Iterator[Found]:
    """SUBJECT is at most 140 characters (four lines) and fits without TAGS or REF in it.

    Of a draft it is asked: a drafter can still shorten it.
    """
    length = len(_subject(case))
    if length > _LIMIT:
        yield Found(
            f"a subject of {length} characters",
            f"{length} characters",
            f"at most {_LIMIT}",
            "shorten it",
            case.span("subject"),
            "error" if case.draft else None,
        )


@rule("R49", "subject-marked", "error", "12 FAM; ISOO marking booklet", ("state-2009",))
def subject_marked(case: Case) -> Iterator[Found]:
    """On a classified message, SUBJECT is unclassified or has its own mark; it is marked when the
    portion mark style is used.

    Before the form of 2009 an unmarked subject was unclassified by custom: none of the earlier
    profiles asks for the mark.
    """
    if not case.classified or not _subject(case) or not case.marks:
        return
    place = case.span("subject")
    written = place.of(case.telegram.source) if place else ""
    if not _MARKED.search(written) and not case.draft:
        yield Found(
            "the subject of a classified telegram has no mark",
            written,
            "(U) before the subject",
            "mark it",
            place,
            "warning",
        )


@rule("R50", "subject-plain", "warning", "own", STATE)
def subject_plain(case: Case) -> Iterator[Found]:
    """SUBJECT has no banner, caption or reference in it (OFFICIAL-INFORMAL excepted)."""
    if match := _BANNER.search(_subject(case)):
        yield Found(
            f"{match[0].strip()} stands in the subject",
            match[0].strip(),
            "the subject alone",
            "put it on the line where it belongs",
            case.place(match[0].strip(), "subject"),
        )


@rule("R51", "official-informal", "error", "5 FAH-2 H-252.1-2", STATE)
def official_informal(case: Case) -> Iterator[Found]:
    """OFFICIAL INFORMAL stands in the caption and in SUBJECT with the number."""
    t = case.telegram
    caption = any("OFFICIAL" in each and "INFORMAL" in each for each in t.captions)
    named = re.search(r"OFFICIAL.INFORMAL", _subject(case).upper())
    if case.further or not t.subject:
        return
    if caption and not named:
        yield Found(
            "the caption says OFFICIAL INFORMAL, the subject does not",
            _subject(case),
            "SUBJECT: OFFICIAL-INFORMAL NO. 7",
            "begin the subject with it and its number",
            case.span("subject"),
        )
    elif named and not caption and case.draft:
        yield Found(
            "the subject says OFFICIAL INFORMAL, no caption does",
            named[0],
            "the caption OFFICIAL INFORMAL",
            "add the caption",
            case.span("subject"),
        )
