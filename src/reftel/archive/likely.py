"""Links that no number makes: a separate telegram (SEPTEL), a REFTEL without a REF line, a subject that
goes on. None of them is certain, and each says why it was made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Literal, NamedTuple

from reftel.archive.copies import subject_words
from reftel.archive.ghosts import Sure
from reftel.archive.graph import Key
from reftel.archive.model import Document
from reftel.archive.relations import station_name
from reftel.archive.view import View
from reftel.telegram import Telegram

_SEPTEL = re.compile(
    r"\bSEP(?:ARATE )?TELS?\b|\bSEPARATE (?:TELEGRAM|CABLE|MESSAGE)S?\b", re.IGNORECASE
)
_REFTEL = re.compile(r"\bREF(?:ERENCE)? ?TELS?\b|\bUR(?:TEL)S?\b", re.IGNORECASE)
_COMMON = frozenset(
    """THE AND FOR WITH FROM NOT INTO UPON OVER THAT THIS ITS HIS HER ARE WAS VISIT MEETING REPORT OFFICIAL
    INFORMAL TRAVEL UPDATE REQUEST VISAS VISA NUMBER FOLLOW""".split()
)
_SEPARATE_DAYS, _ANSWER_DAYS, _SUBJECT_DAYS = 3, 90, 120
_ASKED = 25
_WORD = re.compile(r"[A-Z0-9]{3,}")
_WORDS_ASKED = 12
_SHOWN = 3


class Likely(NamedTuple):
    """A link without a number; `earlier` says whether the other telegram was sent before."""

    kind: Literal["separate", "reftel", "subject"]
    does: str
    sure: Sure
    why: str
    earlier: bool


def likely_links(view: View, document: Document) -> list[tuple[Key, Likely]]:
    """The links of a telegram, at most three of each kind, the surest first."""
    t = document.telegram
    words = [w for w in _WORD.findall((t.subject or "").upper()) if w not in _COMMON][:_WORDS_ASKED]
    if t.sent is None or t.originator is None or not words:
        return []
    found: dict[Key, Likely] = {}
    if _SEPTEL.search(t.text) and t.mrn is not None:
        others = _near(view, t, words, _SEPARATE_DAYS, f"post:{t.mrn.post}")
        found.update(_ranked((key, link) for key, other in others if (link := _separate(t, other))))
    if _REFTEL.search(t.text) and not any(each.mrn for each in t.references):
        others = _near(view, t, words, _ANSWER_DAYS, "", after=0)
        for key, link in _ranked(
            (key, link) for key, other in others if (link := _reftel(t, other))
        ):
            found.setdefault(key, link)
    if len(words) > 1:
        others = _near(view, t, words, _SUBJECT_DAYS, "", phrase=True)
        for key, link in _ranked(
            (key, link) for key, other in others if (link := _goes_on(t, other))
        ):
            found.setdefault(key, link)
    return list(found.items())


def _ranked(links: Iterable[tuple[Key, Likely]]) -> list[tuple[Key, Likely]]:
    return sorted(links, key=lambda each: (each[1].sure != "likely", str(each[0])))[:_SHOWN]


def _near(
    view: View,
    t: Telegram,
    words: list[str],
    days: int,
    narrowing: str,
    *,
    after: int | None = None,
    phrase: bool = False,
) -> list[tuple[Key, Telegram]]:
    """Telegrams sent within so many days, with words of a subject in theirs."""
    assert t.sent is not None
    first = (t.sent - timedelta(days=days)).strftime("%Y-%m-%d")
    end = (t.sent + timedelta(days=(days if after is None else after) + 1)).strftime("%Y-%m-%d")
    if phrase:
        about = " ".join(f"subject:{word.lower()}" for word in dict.fromkeys(words))
    else:
        about = f"({' OR '.join(f'subject:{word.lower()}' for word in dict.fromkeys(words))})"
    query = f"{narrowing} {about} after:{first} before:{end}".strip()
    found: list[tuple[Key, Telegram]] = []
    for document in view.related(query, "relevance", _ASKED):
        mrn = document.telegram.mrn
        if document.telegram.source == t.source or (mrn is not None and mrn == t.mrn):
            continue
        key: Key = (mrn.post, mrn.year, mrn.number) if mrn else document.digest
        found.append((key, document.telegram))
    return found


def _in_common(one: Telegram, other: Telegram) -> float:
    a, b = (set(subject_words(t.subject)) - _COMMON for t in (one, other))
    return len(a & b) / len(a | b) if a and b else 0.0


def _same_subject(one: Telegram, other: Telegram) -> bool:
    a, b = (subject_words(t.subject) for t in (one, other))
    return a == b and len("".join(a)) >= 15


def _separate(t: Telegram, other: Telegram) -> Likely | None:
    if t.mrn is None or other.mrn is None or other.mrn.post != t.mrn.post or other.sent is None:
        return None
    apart = abs(other.mrn.number - t.mrn.number)
    tags = {tag.code for tag in t.tags} & {tag.code for tag in other.tags}
    common = _in_common(t, other)
    if common < 0.2 or (not tags and common < 0.5):
        return None
    sure: Sure = "likely" if apart <= 5 and common >= 0.4 else "possible"
    why = f"its text speaks of a separate telegram; this one, {apart} away in number, is of like subject"
    return Likely("separate", "goes with", sure, why, other.sent <= (t.sent or other.sent))


def _reftel(t: Telegram, other: Telegram) -> Likely | None:
    if other.originator is None or other.sent is None or t.sent is None or other.sent >= t.sent:
        return None
    addressees = {station_name(each.name) for each in t.action}
    common = _in_common(t, other)
    if station_name(other.originator.name) not in addressees or common < 0.5:
        return None
    sure: Sure = "likely" if _same_subject(t, other) else "possible"
    why = "its text speaks of a reftel that it does not name; this came from its addressee, of like subject"
    return Likely("reftel", "answers", sure, why, True)


def _goes_on(t: Telegram, other: Telegram) -> Likely | None:
    if not _same_subject(t, other) or other.sent is None or t.sent is None:
        return None
    parties = [
        {station_name(each.name) for each in (*x.action, *x.info)}
        | ({station_name(x.originator.name)} if x.originator else set())
        for x in (t, other)
    ]
    both = len(parties[0] & parties[1]) > 1
    sure: Sure = "likely" if both else "possible"
    return Likely(
        "subject",
        "goes with",
        sure,
        f"the same subject within {abs((other.sent - t.sent).days)} days"
        + (", between the same stations" if both else ""),
        other.sent <= t.sent,
    )
