"""Who reads a telegram at a post: profiles of offices and people (docs/centre.md, Distribution)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from reftel.centre.config import Profile
from reftel.centre.scan import may_carry
from reftel.telegram import Telegram


def readers(telegram: Telegram, profiles: Iterable[Profile]) -> list[tuple[str, str]]:
    """The offices whose profile finds a telegram, each with the reason, in the order of the profiles.

    A telegram classified higher than an office is cleared for is not given to it.
    """
    found: dict[str, str] = {}
    for profile in profiles:
        if profile.office in found or not may_carry(profile.cleared, telegram.classification):
            continue
        if why := next(_reasons(telegram, profile), None):
            found[profile.office] = why
    return list(found.items())


def _reasons(telegram: Telegram, profile: Profile) -> Iterator[str]:
    """Why a profile finds a telegram; all of its reasons, the first said first."""
    codes = {tag.code.upper() for tag in telegram.tags}
    yield from (f"TAGS {code}" for code in profile.tags if code.upper() in codes)
    captions = {caption.upper() for caption in telegram.captions}
    yield from (f"caption {word}" for word in profile.captions if word.upper() in captions)
    lines = " ".join(telegram.passing).upper()
    yield from (
        f"attention {name}" for name in profile.attention if name and _word(name).search(lines)
    )
    offices = _offices(telegram, lines)
    yield from (
        f"office {office}"
        for wanted in profile.offices
        for office in offices
        if fnmatchcase(office, wanted.upper())
    )
    origin = telegram.originator.name.upper() if telegram.originator else ""
    yield from (f"from {name}" for name in profile.originators if name.upper() == origin)
    if profile.words:
        text = "\n".join([telegram.subject or "", *(block.text for block in telegram.body)])
        yield from (f"word {word}" for word in profile.words if _word(word).search(text))
    if profile.everything:
        yield "everything"


def _offices(telegram: Telegram, passing: str) -> list[str]:
    """Office symbols: those of the 1970s distribution list, and of passing instructions."""
    named: list[str] = re.findall(r"[A-Z]{1,5}(?:[-/][A-Z0-9]{1,6})*", passing)
    if telegram.distribution is not None:
        listed = (*telegram.distribution.action, *telegram.distribution.info)
        named += [each.upper().rpartition("-")[0] or each.upper() for each in listed]
    return list(dict.fromkeys(named))


def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
