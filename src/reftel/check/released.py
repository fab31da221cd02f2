"""Released copies: R94 to R97."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reftel.check.finding import ALL, Case, Found, rule

_DECAPTIONED = re.compile(r"\bDECAPTIONED\b(?P<rest>[^\n]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"[0-9]{2,4}.*\bBY\b\s*\w|\bBY\b\s*\w.*[0-9]{2,4}", re.IGNORECASE)
_REASON = re.compile(r"1\.[4-6]\(?[A-H]", re.IGNORECASE)
_WITHHELD = re.compile(r"\[?REDACTED\]?|\[[ .]*WITHHELD[ .]*\]", re.IGNORECASE)
_NOT_BY_DATE = re.compile(r"\b(?:FGI|RD|FRD)\b")


@rule("R94", "decaptioned", "error", "5 FAM 480; decaptioning practice", ALL, "a released copy")
def decaptioned(case: Case) -> Iterator[Found]:
    """A caption is removed only by the authority that review rules name; the removal is recorded, not
    the caption erased."""
    match = _DECAPTIONED.search(case.telegram.source)
    if match and not _AUTHORITY.search(match["rest"]):
        yield Found(
            "the copy does not say who removed the caption, and when",
            match[0].strip(),
            "DECAPTIONED 12 MAR 2024 BY ...",
            "record date and authority",
            case.place(match[0].strip(), "release-note", "release-stamp", "unknown"),
        )


@rule("R95", "withheld-why", "error", "FOIA practice", ALL, "a released copy")
def withheld_why(case: Case) -> Iterator[Found]:
    """Each withheld passage has an exemption, and a B1 has at least one reason letter."""
    release = case.telegram.release
    if release is None:
        return
    codes = release.exemptions
    if any(code == "B1" for code in codes) and not any(_REASON.match(code) for code in codes):
        yield Found(
            "B1 without the reason of the order",
            "B1",
            "B1, 1.4(D)",
            "add the reason's letter",
            case.span("exemption-code", "release-note"),
        )
    match = _WITHHELD.search(case.telegram.source)
    if match and not codes:
        yield Found(
            "a passage is withheld, and no exemption says why",
            match[0],
            "B1, 1.4(D)",
            "name the exemption beside it",
            case.place(match[0], "body", "paragraph-number"),
        )


@rule("R96", "open-by-date", "error", "E.O. 13526 3.3, 6.1; FOIA", ALL, "a released copy")
def open_by_date(case: Case) -> Iterator[Found]:
    """A date for automatic declassification does not by itself allow release of portions with FGI, RD,
    FRD or B3, B6."""
    t = case.telegram
    if t.release is None or t.release.action != "RELEASE IN FULL":
        return
    for mark, _, span in case.marks:
        if _NOT_BY_DATE.search(mark):
            yield Found(
                f"({mark}) was released in full",
                f"({mark})",
                "a review of the portion",
                "have the portion reviewed by whose information it is",
                span,
            )


@rule("R97", "release-stamped", "error", "FOIA practice", ALL, "a released copy")
def release_stamped(case: Case) -> Iterator[Found]:
    """Released text shows case number, document number and date on every page."""
    release = case.telegram.release
    if release is None:
        return
    missing = [
        what
        for what, value in (
            ("case number", release.case_number),
            ("document number", release.document_number),
            ("date", release.date),
        )
        if not value
    ]
    if missing:
        yield Found(
            f"the released copy shows no {' and no '.join(missing)}",
            release.action or "released",
            "Case No. F-2013-00001 Doc No. C05000001 Date: 01/31/2013",
            f"stamp the {' and the '.join(missing)} on it",
            case.span("release-note", "exemption-code"),
        )
