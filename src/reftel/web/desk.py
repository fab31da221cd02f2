"""The desk: what the page shows of a draft as it is typed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from reftel import tables
from reftel.check import PROFILES, Held, Profile, check
from reftel.tables.directory import Directory
from reftel.telegram import CLASSIFICATIONS
from reftel.web.pages import LEVEL_CLASSES
from reftel.write import CannotWriteError, write
from reftel.write.draft import read_draft

_MOST = 8
_RANK = {"U": 0, "SBU": 1, "LOU": 2, "C": 3, "S": 4, "TS": 5}
_LONGEST = 200_000


def look(text: str, profile: str, held: Held | None, directory: Directory) -> dict[str, Any]:
    """Findings, marks and the wire form of a draft, ready for JSON.

    `findings` have `line`, `column`, `start` and `end` (code points of the text, or null); `marks` one
    entry a paragraph; `wire` is null where the draft breaks a rule, and `refused` says why.
    """
    if len(text) > _LONGEST:
        problem = {
            "line": 1, "column": 1, "start": None, "end": None, "rule": "", "severity": "error",
            "message": f"a draft of {len(text):,} characters; {_LONGEST:,} are the most",
            "expected": "", "remedy": "send it as several telegrams",
        }  # fmt: skip
        return {
            "findings": [problem], "marks": [], "level": None, "level_class": "",
            "wire": None, "refused": [problem["message"]], "lines": 0,
        }  # fmt: skip
    text = text.replace("\r\n", "\n")
    draft = read_draft(text, now=datetime.now(UTC), directory=directory)
    named: Profile = profile if profile in PROFILES else PROFILES[0]
    findings = [
        {
            "line": problem.line, "column": problem.column, "start": None, "end": None, "rule": "",
            "severity": "error", "message": problem.message, "expected": "", "remedy": problem.remedy,
        }
        for problem in draft.problems
    ]  # fmt: skip
    findings += [
        {
            "line": each.line, "column": each.column,
            "start": each.span.start if each.span else None,
            "end": each.span.end if each.span else None,
            "rule": each.rule, "severity": each.severity, "message": each.message,
            "expected": each.expected, "remedy": each.remedy,
        }
        for each in check(draft.telegram, profile=named, held=held, directory=directory, draft=True)
    ]  # fmt: skip
    findings.sort(key=lambda each: (each["line"] or 0, each["column"] or 0))
    level = draft.telegram.classification or "UNCLASSIFIED"
    wire, refused, changes = None, [], []
    if not any(each["severity"] == "error" for each in findings):
        try:
            written = write(draft.telegram)
            wire = str(written)
            changes = [f"{c.field}: {c.was} is sent as {c.now}" for c in written.changes]
        except CannotWriteError as error:
            refused = error.problems
    else:
        refused = ["The wire form is shown once no error is left."]
    return {
        "findings": findings,
        "marks": [
            {
                "number": block.number, "marking": block.marking,
                "level_class": _class_of(block.marking),
                "words": " ".join(block.text.split()[:6]),
                "line": text.count("\n", 0, block.span.start) + 1,
            }
            for block in draft.telegram.body if block.kind != "heading"
        ],
        "level": level,
        "level_class": LEVEL_CLASSES.get(level, ""),
        "captions": list(draft.telegram.captions),
        "wire": wire,
        "refused": refused,
        "changes": changes,
        "lines": wire.count("\n") if wire else 0,
    }  # fmt: skip


def _class_of(marking: str | None) -> str:
    rank = _RANK.get(re.split(r"[/ -]", marking or "")[0])
    return LEVEL_CLASSES[CLASSIFICATIONS[rank]] if rank is not None else ""


@cache
def _tags() -> tuple[tuple[str, str], ...]:
    year = datetime.now(UTC).year
    found: dict[str, str] = {}
    for entry in tables.entries("tags"):
        current = tables.tag(entry.code, year)
        found.setdefault(entry.code, current.name if current else entry.name)
    return tuple(sorted(found.items()))


@cache
def _captions() -> tuple[tuple[str, str], ...]:
    return tuple((entry.code, entry.name) for entry in tables.captions() if entry.code.isupper())


def complete(kind: str, words: str, directory: Directory) -> list[dict[str, str]]:
    """What a beginning can be completed to: addresses, TAGS or captions, the likeliest first.

    A TAGS is found by its meaning too, an address by any of its words.
    """
    typed = " ".join(words.upper().split())
    if not typed:
        return []
    rows: tuple[tuple[str, str], ...]
    if kind == "tags":
        rows = _tags()
    elif kind == "captions":
        rows = _captions()
    elif kind == "address":
        own = {entry.name: entry.routing_indicator or "" for entry in directory.entries}
        known = {name: tables.routing_indicator(name) or "" for name in tables.addresses()}
        rows = tuple({**known, **own}.items())
    else:
        return []
    ranked: list[tuple[int, str, str]] = []
    for code, meaning in rows:
        if code.startswith(typed):
            ranked.append((0, code, meaning))
        elif any(word.startswith(typed) for word in re.split(r"[ /]", code)[1:]):
            ranked.append((1, code, meaning))
        elif kind != "address" and len(typed) > 2 and typed in meaning.upper():
            ranked.append((2, code, meaning))
    return [{"value": code, "meaning": meaning} for _, code, meaning in sorted(ranked)[:_MOST]]
