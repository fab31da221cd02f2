"""Sections and copies: R90 to R93."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reftel.check.finding import Case, Found, rule

_TYPED = re.compile(r"^\s*(?:FINAL )?SECTION [0-9]{1,2} OF [0-9]{1,2}\b", re.MULTILINE)
_CANCEL = re.compile(r"\bZFR\b(?P<rest>.*)|\bCANCEL (?:MY|OUR)\b(?P<mine>.*)", re.DOTALL)
_IDENTIFIED = re.compile(r"[A-Z]{3,}\s*[0-9]{2,}|[0-9]{6}Z")
_REMARK = re.compile(r"C ?O ?P ?Y\b\W*\w", re.IGNORECASE)


@rule("R90", "sections-typed", "warning", "ACP 127 208.e")
def sections_typed(case: Case) -> Iterator[Found]:
    """Over 100 lines (5 pages) the message is cut into sections by the writer, never by the drafter."""
    if case.draft and (match := _TYPED.search(case.telegram.source)):
        yield Found(
            "a draft has no sections",
            match[0].strip(),
            "the text without section lines",
            "leave it out; reftel split cuts the text",
            case.place(match[0].strip(), "body", "label"),
        )


@rule("R91", "sections-complete", "error", "ACP 127 208, 223; measured")
def sections_complete(case: Case) -> Iterator[Found]:
    """All sections carry the same MRN, total and heading; numbers run 01 to total.

    A section by itself is complete as such: only a copy that has several must have them all.
    """
    t = case.telegram
    if t.section is None or t.section.of is None:
        return
    if t.section.number > t.section.of:
        yield Found(
            f"section {t.section.number} of {t.section.of}",
            f"{t.section.number} OF {t.section.of}",
            f"1 to {t.section.of}",
            "correct the number",
            case.span("classification-line"),
        )
    missing = [n for n in range(1, t.section.of + 1) if n not in t.sections_present]
    if missing and len(t.sections_present) > 1:
        yield Found(
            f"section {', '.join(map(str, missing))} of {t.section.of} is not here",
            ", ".join(map(str, t.sections_present)),
            f"1 to {t.section.of}",
            "ask for it again",
            case.span("section-line", "classification-line"),
        )
    for doubt in t.diagnostics:
        if doubt.code == "section-line-differs":
            yield Found(
                doubt.message,
                doubt.span.of(t.source).strip() if doubt.span else "",
                t.mrn.short if t.mrn else "one number",
                "find out which telegram the section belongs to",
                doubt.span,
            )


@rule("R92", "corrected-copy", "error", "own; measured")
def corrected_copy(case: Case) -> Iterator[Found]:
    """A corrected copy keeps the MRN and says what changed.

    Most that were sent do not say it, so there it warns.
    """
    for span in case.spans("corrected-copy"):
        text = span.of(case.telegram.source)
        if not _REMARK.search(text):
            yield Found(
                "the corrected copy does not say what changed",
                text.strip(),
                "C O R R E C T E D  C O P Y (PARA 3 TEXT)",
                "say in brackets what changed",
                span,
                None if case.draft else "warning",
            )


@rule("R93", "cancellation", "error", "ACP 131; ACP 127 424")
def cancellation(case: Case) -> Iterator[Found]:
    """A cancellation (ZFR) names the MRN it cancels."""
    t = case.telegram
    texts = [t.service] if t.service else [b.text for b in t.body[:1]]
    for text in texts:
        match = _CANCEL.match((text or "").strip())
        if match and not _IDENTIFIED.search(match["rest"] or match["mine"] or ""):
            yield Found(
                "it does not say which message is cancelled",
                match[0][:40],
                "ZFR BERN 123",
                "name the message by its number",
                case.span("classification-line", "body"),
            )
