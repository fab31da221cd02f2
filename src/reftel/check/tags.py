"""TAGS: R39 to R46."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache

from reftel import tables
from reftel.check.finding import STATE, Case, Found, rule

_ORDER = {"subject": 0, "program": 1, "special": 1, "geographic": 2, "organization": 2, "person": 3}


@cache
def _codes() -> frozenset[str]:
    return frozenset(entry.code for entry in tables.entries("tags"))


@cache
def _countries() -> tuple[tuple[str, str, str], ...]:
    """Names of countries as a subject has them, their code and its years."""
    return tuple(
        (entry.name.upper().split("(")[0].strip(), entry.code, entry.era)
        for entry in tables.entries("tags")
        if entry.columns["kind"] == "geo" and entry.name.isascii() and len(entry.name) > 3
    )


def _label(case: Case) -> str:
    return re.sub(r"^\W*T?AGS?\W*", "", case.text("tags"), flags=re.IGNORECASE)


@rule("R39", "subject-tags", "error", "H74; FAH-1 H-212", STATE)
def subject_tags(case: Case) -> Iterator[Found]:
    """There is at least one subject TAGS.

    TAGS were introduced in 1973, and a tenth of the telegrams of 1974 have none: in sent telegrams it
    warns, and a program or an unknown code may stand for one.
    """
    t = case.telegram
    if not case.whole or not case.message or case.further or (case.year or 0) < 1973:
        return
    kinds = {tag.kind for tag in t.tags}
    if kinds & {"subject", "special"} or (not case.draft and kinds & {"program", "unknown"}):
        return
    yield Found(
        "no subject TAGS" if t.tags else "there are no TAGS",
        ", ".join(tag.code for tag in t.tags) or "no TAGS line",
        "at least one subject: PREL",
        "add the subject the telegram is to be filed under",
        case.span("tags", "subject", "executive-order", "classification-line"),
        None if case.draft else "warning",
    )


@rule("R40", "tags-code", "error", "5 FAH-3", STATE)
def tags_code(case: Case) -> Iterator[Found]:
    """Each code exists for its kind on the date of the message.

    The tables cannot hold every code of every year, so a code that nobody else used warns in a sent
    telegram, and is an error in a draft.
    """
    for tag in case.telegram.tags:
        if tag.kind != "unknown":
            continue
        near = get_close_matches(tag.code, _codes(), n=1, cutoff=0.7)
        yield Found(
            f"{tag.code} is no TAGS of {case.year}",
            tag.code,
            near[0] if near else "a code of the tables",
            f"write {near[0]}" if near else "look it up: reftel tables tags",
            case.place(tag.code, "tags"),
            None if case.draft else "warning",
        )


@rule("R41", "program-alone", "error", "5 FAH-3 H-612", STATE)
def program_alone(case: Case) -> Iterator[Found]:
    """A program TAGS (K + three letters) is never alone."""
    tags = case.telegram.tags
    if len(tags) == 1 and tags[0].kind == "program":
        yield Found(
            f"{tags[0].code} stands alone",
            tags[0].code,
            "a subject before it",
            "add a subject: PREL",
            case.span("tags"),
        )


@rule("R42", "tags-order", "warning", "H74", STATE)
def tags_order(case: Case) -> Iterator[Found]:
    """Order: subjects, programs, countries and organizations, names; no repetition.

    Posts wrote them in any order, so the order is asked of drafts only; a repetition of all.
    """
    t = case.telegram
    words = re.findall(r"(?<![(A-Z])[A-Z]{2,4}(?![A-Z)])", _label(case).upper())
    twice = next((word for at, word in enumerate(words) if word in words[:at]), None)
    if twice and any(tag.code == twice for tag in t.tags):
        yield Found(
            f"{twice} stands twice",
            twice,
            "each code once",
            "leave one out",
            case.place(twice, "tags"),
        )
    places = [_ORDER[tag.kind] for tag in t.tags if tag.kind in _ORDER]
    if case.draft and places != sorted(places):
        yield Found(
            "TAGS out of order",
            ", ".join(tag.code for tag in t.tags),
            "subjects, programs, countries and organizations, names",
            "put them in this order",
            case.span("tags"),
        )


@rule("R43", "tags-separated", "error", "H74", STATE)
def tags_separated(case: Case) -> Iterator[Found]:
    """Codes are separated by a comma and a blank (or by blanks); no comma before the first or after the
    last, no full stop at the end.

    A stray comma never kept a telegram from being filed, so in sent ones it warns.
    """
    line = " ".join(_label(case).split())
    if re.search(r"^[,.;]|,\s*,|[,.;]\s*$", line):
        yield Found(
            "a comma or stop too many on the TAGS line",
            line,
            "TAGS: PREL, SZ",
            "leave it out",
            case.span("tags"),
            None if case.draft else "warning",
        )


@rule("R44", "tags-person", "warning", "H74", STATE)
def tags_person(case: Case) -> Iterator[Found]:
    """Brackets on the TAGS line hold a person only: surname, comma, given names."""
    for tag in case.telegram.tags:
        if tag.kind == "person" and "," not in tag.code:
            yield Found(
                f"({tag.code}) is no person's name",
                tag.code,
                "SURNAME, GIVEN NAMES",
                "write (DOE, JANE R.)",
                case.place(tag.code, "tags"),
            )


@rule("R45", "country-tags", "warning", "own", STATE)
def country_tags(case: Case) -> Iterator[Found]:
    """A country TAGS is present when SUBJECT names a country."""
    t = case.telegram
    if not t.subject or not t.tags or case.year is None:
        return
    codes = {tag.code for tag in t.tags}
    subject = t.subject.upper()
    for name, code, _ in _countries():
        if name not in subject:
            continue
        entry = tables.tag(code, case.year)
        if entry is None or not entry.name.upper().startswith(name) or code in codes:
            continue
        if re.search(rf"\b{re.escape(name)}\b", subject):
            others = [c for n, c, _ in _countries() if n == name]
            if codes.isdisjoint(others):
                yield Found(
                    f"the subject names {name.title()}, the TAGS do not",
                    name,
                    code,
                    f"add {code}",
                    case.place(name, "subject"),
                )
                return


@rule("R46", "tags-run-together", "error", "own; measured", STATE)
def tags_run_together(case: Case) -> Iterator[Found]:
    """No code is two codes written together.

    The reader takes them apart again, so in a sent telegram it warns.
    """
    words = re.findall(r"[A-Z]{6,}", re.sub(r"\([^)]*\)", " ", _label(case).upper()))
    known = {tag.code for tag in case.telegram.tags}
    for word in words:
        parts = [code for code in known if len(code) < len(word) and code in word]
        if word not in known and len(parts) > 1:
            yield Found(
                f"{word} is several TAGS run together",
                word,
                ", ".join(sorted(parts, key=word.index)),
                "part them with a comma and a blank",
                case.place(word, "tags"),
                None if case.draft else "warning",
            )
