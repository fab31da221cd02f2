"""Check telegrams against the drafting rules: a record in, findings out; no input or output."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

from reftel.check import (  # noqa: F401  each enters its rules
    address,
    captions,
    classification,
    classifier,
    declassification,
    precedence,
    references,
    released,
    sections,
    subject,
    tags,
    text,
)
from reftel.check.finding import PROFILES, RULES, Case, Finding, Found, Held, Profile, Rule
from reftel.tables.directory import Directory
from reftel.telegram import Telegram

__all__ = ["PROFILES", "RULES", "Finding", "Held", "Profile", "Rule", "check", "silence"]

_ORDERED = sorted(RULES.values(), key=lambda each: each.number)


def check(
    telegram: Telegram,
    *,
    profile: Profile = "state-1995-2009",
    silenced: Mapping[str, str] | None = None,
    directory: Directory | None = None,
    held: Held | None = None,
    draft: bool = False,
) -> tuple[Finding, ...]:
    """The rules that a telegram breaks, in order of their places.

    `profile` says whose rules hold. `silenced` maps a rule's number or name to the reason why it is
    not looked at. `draft` is for a telegram not yet written: rules about what a drafter types hold,
    and what the writer does itself is left to it. Rules that need a `directory` or an archive
    (`held`) are silent without them. Raises `KeyError` for a profile or a rule that there is not.
    """
    if profile not in PROFILES:
        raise KeyError(f"{profile!r} is no profile; one of {', '.join(PROFILES)}")
    quiet = {silence(name) for name in silenced or ()}
    case = Case(telegram, profile, draft=draft, directory=directory or Directory(), held=held)
    starts = [0, *(match.end() for match in re.finditer("\n", telegram.source))]
    findings = [
        _finding(each, found, starts)
        for each in _ORDERED
        if profile in each.profiles and each.number not in quiet
        for found in each.look(case)
    ]
    findings.sort(key=lambda each: (each.line or 0, each.column or 0))
    return tuple(findings)


def silence(name: str) -> str:
    """The number of the rule that a number or a name means. Raises `KeyError`."""
    for each in _ORDERED:
        if name.upper() == each.number or name.lower() == each.name:
            return each.number
    raise KeyError(f"{name!r} is no rule; `reftel check --list` names them")


def _finding(rule: Rule, found: Found, starts: list[int]) -> Finding:
    line = bisect_right(starts, found.span.start) if found.span else None
    column = found.span.start - starts[line - 1] + 1 if found.span and line else None
    return Finding(
        rule=rule.number,
        name=rule.name,
        severity=found.severity or rule.severity,
        message=found.message,
        found=found.found,
        expected=found.expected,
        remedy=found.remedy,
        span=found.span,
        line=line,
        column=column,
        source=rule.source,
    )
