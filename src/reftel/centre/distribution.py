"""Who reads a telegram at a post: profiles of offices and people (docs/centre.md, Distribution)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from reftel.centre.config import Profile
from reftel.centre.scan import may_carry
from reftel.telegram import Telegram


def readers(telegram: Telegram, profiles: Iterable[Profile]) -> list[tuple[str, str]]:
    """The offices whose profile finds a telegram, each with every reason, in the order of the profiles.

    A telegram classified higher than an office is cleared for is not given to it.
    """
    found: dict[str, list[str]] = {}
    for profile in profiles:
        if may_carry(profile.cleared, telegram.classification) and (
            why := list(_reasons(telegram, profile))
        ):
            found.setdefault(profile.office, []).extend(why)
    return [(office, "; ".join(dict.fromkeys(why))) for office, why in found.items()]


def _reasons(telegram: Telegram, profile: Profile) -> Iterator[str]:
    codes = {tag.code.upper() for tag in telegram.tags}
    yield from (f"TAGS {code}" for code in map(str.upper, profile.tags) if code in codes)
    captions = {caption.upper() for caption in telegram.captions}
    yield from (f"caption {word}" for word in map(str.upper, profile.captions) if word in captions)
    lines = "\n".join(telegram.passing)
    yield from (f"attention {name}" for name in profile.attention if _word(name).search(lines))
    yield from (
        f"{role} {office}"
        for wanted in profile.offices
        for role, office in _offices(telegram)
        if fnmatchcase(office, wanted.upper())
    )
    origin = " ".join(telegram.originator.name.upper().split()) if telegram.originator else ""
    yield from (f"from {name}" for name in profile.originators if fnmatchcase(origin, name.upper()))
    if profile.words:
        text = "\n".join([telegram.subject or "", *(block.text for block in telegram.body)])
        yield from (f"word {word}" for word in profile.words if _word(word).search(text))
    if profile.everything:
        yield "everything"


def _offices(telegram: Telegram) -> Iterator[tuple[str, str]]:
    """Office symbols with what the office is to do: the list of the 1970s form without the numbers of
    copies (`EUR-15` is fifteen for EUR), and whom attention lines name."""
    if (listed := telegram.distribution) is not None:
        for role, codes in (
            ("action", listed.action),
            ("origin", listed.origin),
            ("info", listed.info),
        ):
            for code in codes:
                yield role, re.sub(r"-[0-9]+\Z", "", code.upper())
    for line in telegram.attention:
        yield from (("attention", office.upper()) for office in line.offices)


def _word(word: str) -> re.Pattern[str]:
    """The word or phrase whole, across the ends of lines."""
    inside = r"\s+".join(map(re.escape, word.split()))
    return re.compile(rf"(?<!\w){inside}(?!\w)", re.IGNORECASE)
