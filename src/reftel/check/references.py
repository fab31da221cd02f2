"""References: R52 to R57."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reftel.check.finding import RANKS, Case, Found, name_key, rule
from reftel.telegram import Mrn, Reference

_NOTED = re.compile(r"NODIS|EXDIS|STADIS|NOTAL|LIMDIS|\bONLY\b")


def _found(case: Case, reference: Reference, message: str, expected: str, remedy: str) -> Found:
    place = reference.span or case.place(reference.text, "reference")
    return Found(message, reference.text, expected, remedy, place)


@rule("R52", "reference-form", "warning", "own; measured")
def reference_form(case: Case) -> Iterator[Found]:
    """References are cited as year post serial; year may be left out for the current year.

    Documents, mails, reports and telephone calls are cited in their own ways; one by its date and time
    is found as well.
    """
    for reference in case.telegram.references:
        if reference.mrn or reference.kind not in ("telegram", "other"):
            continue
        if re.search(r"[0-9]{6} ?Z|\bNOTAL\b.*[0-9]|[0-9]", reference.text) and not case.draft:
            continue
        yield _found(
            case,
            reference,
            "this cannot be found: it names no telegram by its number",
            "12 STATE 5000",
            "cite it by year, post and number",
        )


@rule("R53", "reference-letters", "warning", "own; measured")
def reference_letters(case: Case) -> Iterator[Found]:
    """Two or more references have letters A, B, C in order.

    Whether each is used in the text is not asked: telegrams refer to them in too many ways.
    """
    items = list(dict.fromkeys((r.enumerator, r.text) for r in case.telegram.references))
    if len(items) < 2:
        return
    letters = [letter or "" for letter, _ in items]
    unique = list(dict.fromkeys(letters))
    expected = [chr(ord("A") + at) for at in range(min(len(unique), 26))]
    if any(letters) and unique != expected and len(unique) <= 26:
        yield Found(
            "the letters of the references do not count on",
            ", ".join(letter or "(none)" for letter in unique),
            ", ".join(expected),
            "letter them A, B, C in order",
            case.span("reference"),
        )
    elif not any(letters) and case.draft:
        yield Found(
            "several references without letters",
            "; ".join(text for _, text in items),
            "A., B., C.",
            "write each on a line with its letter",
            case.span("reference"),
        )


@rule("R54", "reference-held", "warning", "own", needs="archive")
def reference_held(case: Case) -> Iterator[Found]:
    """A reference cites an existing telegram when the archive knows that post and year; else note "not
    held"."""
    if case.held is None:
        return
    for reference in case.telegram.references:
        mrn = Mrn.parse(reference.mrn) if reference.mrn else None
        if mrn is None or case.held.telegram(mrn.short) is not None:
            continue
        last = case.held.last_number(mrn.post, mrn.year)
        if last is None:
            continue
        beyond = mrn.number > last
        yield _found(
            case,
            reference,
            f"{mrn.short} is beyond the last number held, {last}"
            if beyond
            else f"{mrn.short} is not held",
            f"a number of {mrn.post} in {mrn.year}",
            "check the number",
        )


@rule("R55", "reference-notal", "warning", "own; measured", needs="archive")
def reference_notal(case: Case) -> Iterator[Found]:
    """A reference that some addressees did not receive is marked NOTAL."""
    if case.held is None:
        return
    ours = {name_key(each.name) for each in case.addressees}
    for reference in case.telegram.references:
        held = case.held.telegram(reference.mrn) if reference.mrn else None
        if held is None or "NOTAL" in reference.text.upper():
            continue
        theirs = {name_key(each.name) for each in (*held.action, *held.info)}
        if held.originator:
            theirs.add(name_key(held.originator.name))
        missing = ours - theirs
        if theirs and missing and not any("COLLECTIVE" in name for name in theirs):
            yield _found(
                case,
                reference,
                f"{len(missing)} of the addressees did not get {reference.mrn}",
                f"{reference.text} (NOTAL)",
                "mark it (NOTAL), or send it to them",
            )


@rule("R56", "reference-higher", "warning", "own", needs="archive")
def reference_higher(case: Case) -> Iterator[Found]:
    """A reference to a more highly classified or captioned telegram does not show its content; its
    caption is noted."""
    if case.held is None:
        return
    for reference in case.telegram.references:
        held = case.held.telegram(reference.mrn) if reference.mrn else None
        if held is None:
            continue
        higher = RANKS.get(held.classification or "UNCLASSIFIED", 0) > case.rank
        closed = [each for each in held.captions if each in ("NODIS", "EXDIS", "STADIS")]
        if (closed and not _NOTED.search(reference.text.upper())) or (
            higher and len(reference.text) > 40
        ):
            yield _found(
                case,
                reference,
                f"{reference.mrn} is {', '.join(closed) or held.classification}",
                f"{reference.mrn} ({', '.join(closed)})" if closed else "the number alone",
                "note its caption, and say nothing of what it says",
            )


@rule("R57", "reference-earlier", "error", "own")
def reference_earlier(case: Case) -> Iterator[Found]:
    """A telegram does not cite itself or a later one.

    A number out by one or two is met where two telegrams went out together, so only a draft is held
    to the letter.
    """
    own = case.telegram.mrn
    if own is None:
        return
    for reference in case.telegram.references:
        mrn = Mrn.parse(reference.mrn) if reference.mrn else None
        if mrn is None or (mrn.post, mrn.year) != (own.post, own.year):
            continue
        if mrn.number >= own.number:
            what = "itself" if mrn.number == own.number else "a later telegram"
            found = _found(
                case,
                reference,
                f"{own.short} cites {what}",
                f"a number below {own.number}",
                "check the number, and its year",
            )
            yield (
                found
                if case.draft or mrn.number == own.number
                else found._replace(severity="warning")
            )
