"""Classified By: R69 to R74."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reftel.check.finding import MODERN, Case, Found, rule

_AMENDED = "2003-03-25"
_DERIVED = re.compile(r"\bDERIVED FROM\b", re.IGNORECASE)
_DECLASSIFY = re.compile(r"\bDECL(?:ASSIFY|ASSIFICATION)?\b[ :]*(?:ON\b)?", re.IGNORECASE)
_MANY = 4


@rule("R69", "classified-by", "error", "5 FAH-1 H-240", MODERN)
def classified_by(case: Case) -> Iterator[Found]:
    """A classified message has a Classified By line before paragraph 1 with name, position and reason.

    Position or name alone was accepted, so a line that lacks one of them warns in a sent telegram;
    before October 1995 there was no such line.
    """
    t = case.telegram
    early = case.date is not None and case.date < "1995-10-14"
    if not case.classified or not case.whole or case.further or early or not case.message:
        return
    who = t.classified_by
    if who is None:
        if not _DERIVED.search(t.source):
            yield Found(
                "nobody is named who classified the telegram",
                "no Classified By line",
                "Classified By, with name, position and reason",
                "add Classified by: and Reason:",
                case.span("executive-order", "classification-line"),
            )
        return
    missing = [
        what
        for what, value in (("name", who.name), ("position", who.title), ("reason", who.reasons))
        if not value
    ]
    if missing:
        yield Found(
            f"the Classified By line has no {' and no '.join(missing)}",
            case.text("classified-by")[:60].replace("\n", " "),
            "name, position and reason",
            f"add the {' and the '.join(missing)}",
            case.span("classified-by"),
            None if case.draft else "warning",
        )


@rule("R70", "unclassified-by", "error", "5 FAH-1 H-240", MODERN)
def unclassified_by(case: Case) -> Iterator[Found]:
    """Unclassified messages have no Classified By."""
    if case.telegram.classified_by is None or case.telegram.classification is None:
        return
    if not case.classified:
        yield Found(
            "a telegram that is not classified has a Classified By line",
            case.text("classified-by")[:60].replace("\n", " "),
            "no such line",
            "leave it out, or classify the telegram",
            case.span("classified-by"),
        )


@rule("R71", "reason-section", "error", "E.O. 12958 1.5, 1.4; E.O. 13526 1.4", MODERN)
def reason_section(case: Case) -> Iterator[Found]:
    """Reasons are letters of the section in force: 1.5 (a)-(g) before 25 Mar 2003, 1.4 (a)-(h) after.

    Posts went on citing 1.5 for years, so it warns in a sent telegram.
    """
    who = case.telegram.classified_by
    if who is None or case.date is None or case.date < "1995-10-14":
        return
    expected = "1.5" if case.date < _AMENDED else "1.4"
    wrong = [reason for reason in who.reasons if not reason.startswith(expected)]
    if wrong:
        yield Found(
            f"{wrong[0]} is of a section not in force on {case.date}",
            wrong[0],
            f"{expected} ({wrong[0].partition('(')[2]}",
            f"cite section {expected}",
            case.place(wrong[0].partition("(")[0], "classified-by"),
            None if case.draft else "warning",
        )


@rule("R72", "reason-letters", "warning", "E.O. 12958; E.O. 13526", MODERN)
def reason_letters(case: Case) -> Iterator[Found]:
    """(H) is not used before 25 Mar 2003; more than four letters are questioned."""
    who = case.telegram.classified_by
    if who is None:
        return
    letters = [reason.partition("(")[2].rstrip(")") for reason in who.reasons]
    if "h" in letters and case.date is not None and case.date < _AMENDED:
        yield Found(
            "reason (h) came with the amendment of 2003",
            "(h)",
            "(a) to (g)",
            "cite another reason",
            case.span("classified-by"),
        )
    if len(set(letters)) > _MANY:
        yield Found(
            f"{len(set(letters))} reasons",
            ", ".join(letters),
            f"at most {_MANY}",
            "cite those that hold",
            case.span("classified-by"),
        )


@rule("R73", "reason-usual", "warning", "own; measured", MODERN)
def reason_usual(case: Case) -> Iterator[Found]:
    """Reasons without B or D are questioned on State reporting."""
    who = case.telegram.classified_by
    if who is None or not who.reasons or not case.classified:
        return
    letters = {reason.partition("(")[2].rstrip(")") for reason in who.reasons}
    if letters.isdisjoint("bd"):
        yield Found(
            f"classified for ({'), ('.join(sorted(letters))}) alone",
            ", ".join(who.reasons),
            "(b) foreign government information or (d) foreign relations",
            "check the reason",
            case.span("classified-by"),
        )


@rule("R74", "derived-from", "error", "E.O. 12958 2.1; E.O. 13526 2.1", MODERN)
def derived_from(case: Case) -> Iterator[Found]:
    """A derivative classification has DERIVED FROM and DECLASSIFY ON in place of reason."""
    order = case.telegram.executive_order
    for kind in ("classified-by", "passing", "body", "label"):
        for span in case.spans(kind):
            text = span.of(case.telegram.source)
            if (match := _DERIVED.search(text)) is None:
                continue
            dated = order is not None and (order.declassify_on or order.exemptions or order.event)
            if not dated and not _DECLASSIFY.search(text, match.end()):
                yield Found(
                    "a derivative classification does not say until when",
                    match[0],
                    "DECLASSIFY ON and a date",
                    "add DECLASSIFY ON: 20230514",
                    span,
                )
            return
