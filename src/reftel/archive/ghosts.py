"""Telegrams that are not held, and what is known of them all the same: who cites each, between which
times it was sent, why it is probably missing, and how to ask for it.

Everything here comes from what the reader may read, so that a telegram which is closed to the reader
looks exactly like one that was never filed.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from reftel import tables
from reftel.archive.copies import look_alike, subject_words
from reftel.archive.gaps import Addressed, Completeness, ContinuityGap, Gap, Interval
from reftel.archive.model import Document
from reftel.archive.view import View
from reftel.telegram import Mrn, Telegram
from reftel.write.citation import archives, cited

Sure = Literal["certain", "likely", "possible"]

_CITING_READ = 40
# How far to look about a ghost for telegrams with continuity numbers.
_NEAR, _NEAR_MINUTES = 500, 14 * 24 * 60
_SERIES = frozenset(
    ("TOSEC", "SECTO", "TODEP", "DEPTO", "CADEL", "TOSIT", "PARTO", "CODEL", "TOCODEL")
)
_RESTRICTED = re.compile(
    r"\b(NODIS|EXDIS|CHEROKEE|STADIS|ROGER CHANNEL|EYES ONLY)\b", re.IGNORECASE
)
_NOTAL = re.compile(r"\bNOTAL\b", re.IGNORECASE)
_TEMPORARY = "retention=temporary"


def _day(text: str) -> int:
    year, month, day = map(int, text.split("-"))
    return timegm((year, month, day, 0, 0, 0)) // 60


# Most texts of these days are gone from the Archives' files (telegram-content.md 3.19).
_LOST_DAYS = tuple(
    (_day(first), _day(end), words)
    for first, end, words in (
        ("1975-12-01", "1975-12-16", "1 to 15 December 1975"),
        ("1976-03-18", "1976-04-01", "18 to 31 March 1976"),
        ("1976-05-25", "1976-07-02", "25 May to 1 July 1976"),
    )
)


class CitedBy(msgspec.Struct, frozen=True):
    """A telegram that cites a ghost, what its reference says, and its subject."""

    mrn: str | None
    digest: str
    sent: str | None
    subject: str | None
    enumerator: str | None
    text: str


class Reason(msgspec.Struct, frozen=True):
    """Why a telegram is probably not held: a stable code, a sentence, and how sure it is."""

    code: str
    why: str
    sure: Sure


class Meant(msgspec.Struct, frozen=True):
    """A telegram that is held and that a misread number may mean."""

    mrn: str
    sent: str | None
    subject: str | None
    why: str
    sure: Sure


class Ghost(msgspec.Struct, frozen=True):
    """A telegram that is not held. `after` and `before` are ISO 8601 UTC: it was sent then or between,
    as `after_by` and `before_by` show (numbers; `None` for the ends of its year)."""

    mrn: str
    long: str
    post: str
    post_title: str
    year: int
    number: int
    after: str
    before: str
    after_by: str | None
    before_by: str | None
    cited_by: tuple[CitedBy, ...]
    citing: int
    tags: tuple[str, ...]
    addressees: tuple[str, ...]
    reasons: tuple[Reason, ...]
    meant: tuple[Meant, ...]
    request: str


class Missing(msgspec.Struct, frozen=True):
    """What is not held of one post and year: the gaps, the cited numbers with how many telegrams cite
    each, what continuity numbers tell, the numbers that are held without a text, with why, and those
    that are withdrawn from who asks."""

    completeness: Completeness
    gaps: tuple[Gap, ...]
    cited: tuple[tuple[int, int], ...]
    addressed: tuple[Addressed, ...]
    continuity: tuple[ContinuityGap, ...]
    lost: tuple[tuple[int, str], ...]
    withdrawn: tuple[int, ...]


def iso(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def missing(view: View, post: str, year: int) -> Missing:
    """What is not held of a post's telegrams of a year."""
    gaps = view.gaps
    found = gaps.gaps(post, year)
    cited = tuple(
        (number[2], count) for number, count in view.graph.cited_and_not_held(post=post, year=year)
    )
    complete = gaps.completeness(post, year)
    return Missing(
        complete[0] if complete else Completeness(post, year, 0, 0),
        found,
        cited,
        gaps.addressed(post, year, found),
        gaps.continuity(post, year),
        gaps.lost(post, year),
        view.withdrawn(post, year),
    )


def ghost(view: View, mrn: Mrn) -> Ghost:
    """What is known of a number that is not held."""
    number = (mrn.post, mrn.year, mrn.number)
    citing = view.graph.citing_documents(number)
    read = [view.numbered(document) for document, _, _ in citing[:_CITING_READ]]
    interval = view.gaps.interval(number)
    shown, cited_within = before_citing(interval, citing)
    held = view.gaps.completeness(mrn.post, mrn.year)
    return Ghost(
        mrn=mrn.short,
        long=mrn.long,
        post=mrn.post,
        post_title=tables.post_title(mrn.post),
        year=mrn.year,
        number=mrn.number,
        after=iso(shown.after),
        before=iso(shown.before),
        after_by=_short(mrn, shown.lower),
        before_by=_number_of(read[0]) if cited_within else _short(mrn, shown.upper),
        cited_by=tuple(_cited_by(document, mrn) for document in read),
        citing=len(citing),
        tags=_common_tags(read),
        addressees=_addressees(view, mrn, interval),
        reasons=_reasons(mrn, interval, citing, read, held[0] if held else None),
        meant=_meant(view, mrn, read, interval),
        request=_request(mrn, shown),
    )


def _short(mrn: Mrn, number: int | None) -> str | None:
    return Mrn.of(mrn.year, mrn.post, number).short if number is not None else None


def before_citing(
    interval: Interval, citing: list[tuple[int, int, int | None]]
) -> tuple[Interval, bool]:
    """The interval, ended by the first telegram that cites the ghost, and whether it is. Where one cites
    it before it can have been sent, a number was misread, or a date: then the others do not tell for
    certain either."""
    first = citing[0][2] if citing else None
    if first is not None and interval.after <= first < interval.before:
        return interval._replace(before=first, upper=None), True
    return interval, False


def _number_of(document: Document) -> str:
    return document.telegram.mrn.short if document.telegram.mrn else document.digest[:16]


def _cited_by(document: Document, mrn: Mrn) -> CitedBy:
    t = document.telegram
    said = next(((r.enumerator, r.text) for r in t.references if r.mrn == mrn.short), None)
    if said is None:
        said = next(((None, c.text) for c in t.citations if c.mrn == mrn.short), (None, ""))
    return CitedBy(
        t.mrn.short if t.mrn else None, document.digest, t.dtg, t.subject, said[0], said[1]
    )


def _common_tags(read: list[Document]) -> tuple[str, ...]:
    """TAGS that most of the telegrams have that cite a ghost: it has them too, very likely."""
    counts = Counter(code for d in read for code in {tag.code for tag in d.telegram.tags})
    return tuple(sorted(code for code, count in counts.items() if 2 * count > len(read)))


def _addressees(view: View, mrn: Mrn, interval: Interval) -> tuple[str, ...]:
    """What the continuity numbers of its neighbours say of a ghost's addressees."""
    near = (max(1, mrn.number - _NEAR), mrn.number + _NEAR)
    gaps = view.gaps.gaps(mrn.post, mrn.year, *near)
    within = (interval.after - _NEAR_MINUTES, interval.before + _NEAR_MINUTES)
    to, not_to = list[str](), list[str]()
    some: dict[tuple[int, int], list[str]] = {}
    for each in view.gaps.addressed(mrn.post, mrn.year, gaps, within):
        if not each.first <= mrn.number <= each.last:
            continue
        name = tables.post_title(each.addressee) if each.addressee.isalpha() else each.addressee
        if each.count == each.missing:
            to.append(name)
        elif not each.count:
            not_to.append(name)
        else:
            some.setdefault((each.count, each.missing), []).append(name)
    said = []
    if to:
        names = ", ".join(to)
        said.append(
            f"It went to {names}: the continuity numbers of its neighbours leave room for it."
        )
    for (count, missing_), names_ in sorted(some.items()):
        went = f"{count} went to {'each of ' if len(names_) > 1 else ''}{', '.join(names_)}"
        said.append(f"Of {missing_} telegrams missing here, {went}.")
    if not_to:
        names = ", ".join(not_to)
        said.append(f"It did not go to {names}: the continuity numbers go on without it.")
    return tuple(said)


def _reasons(
    mrn: Mrn,
    interval: Interval,
    citing: list[tuple[int, int, int | None]],
    read: list[Document],
    held: Completeness | None,
) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if mrn.post in _SERIES:
        found.append(
            Reason(
                "series",
                f"{mrn.post} numbers the telegrams of a journey, which begin again with each; the telegram"
                " has a number of its post as well.",
                "certain",
            )
        )
    elif tables.canonical_post(mrn.post, mrn.year) is None and held is None:
        found.append(
            Reason(
                "series",
                f"{mrn.post} is no post known here: another agency's or party's series.",
                "likely",
            )
        )
    elif held is None:
        found.append(
            Reason(
                "outside",
                f"Nothing that {tables.post_title(mrn.post)} sent in {mrn.year} is held.",
                "certain",
            )
        )
    found += _restricted(mrn, read)
    for first, end, words in _LOST_DAYS:
        if interval.after < end and interval.before >= first and 1973 <= mrn.year <= 1979:
            inside = first <= interval.after and interval.before < end
            found.append(
                Reason(
                    "lost",
                    f"Most texts of {words} are lost in the Archives' files.",
                    "likely" if inside else "possible",
                )
            )
    codes = {tag.code for d in read for tag in d.telegram.tags if tag.kind == "subject"}
    if 1973 <= mrn.year <= 1979 and codes and all(map(_is_temporary, codes)):
        found.append(
            Reason(
                "retention",
                f"Telegrams whose TAGS are all of {', '.join(sorted(codes))} and the like were destroyed by"
                " schedule, without a withdrawal card.",
                "likely",
            )
        )
    if held and mrn.number > held.highest * 3 // 2 + 100:
        found.append(
            Reason(
                "misread",
                f"The highest number held of {tables.post_title(mrn.post)} in {mrn.year} is"
                f" {held.highest}: this one is probably misread.",
                "likely",
            )
        )
    early = [sent for _, _, sent in citing if sent is not None and sent < interval.after]
    if early:
        found.append(
            Reason(
                "misread",
                f"{len(early)} of {len(citing)} telegrams cite it before it can have been sent: the number is"
                " misread there, or its year is another.",
                "likely",
            )
        )
    return tuple(found)


def _restricted(mrn: Mrn, read: list[Document]) -> list[Reason]:
    found: list[Reason] = []
    for document in read:
        said = " ".join(r.text for r in document.telegram.references if r.mrn == mrn.short)
        number = document.telegram.mrn.short if document.telegram.mrn else "A telegram"
        if match := _RESTRICTED.search(said):
            why = f"{number} cites it as {match[1].upper()}: its distribution was restricted."
            return [Reason("restricted", why, "likely")]
        captions = [c for c in document.telegram.captions if _RESTRICTED.match(c)]
        if captions and not found:
            why = f"{number}, which cites it, is {captions[0]}: what it answers may be so, too."
            found.append(Reason("restricted", why, "possible"))
        if _NOTAL.search(said) and not found:
            why = f"{number} says NOTAL: it was not sent to all addressees."
            found.append(Reason("notal", why, "possible"))
    return found


def _is_temporary(code: str) -> bool:
    entry = tables.tag(code, 1975)
    return entry is not None and entry.columns.get("notes", "").startswith(_TEMPORARY)


def _meant(view: View, mrn: Mrn, read: list[Document], interval: Interval) -> tuple[Meant, ...]:
    """Telegrams that are held, whose numbers look like a ghost's, and that share subject or TAGS with
    those that cite it."""
    wanted: dict[tuple[str, int, int], str] = {}
    for n in _near_numbers(mrn.number):
        wanted[mrn.post, mrn.year, n] = "one figure is different"
    wanted[mrn.post, mrn.year - 1, mrn.number] = "it is of the year before"
    keys: list[Any] = list(wanted)
    found: list[tuple[float, Meant]] = []
    for key, telegrams in view.graph.held(keys).items():
        document = view.numbered(telegrams[0].document)
        score = max((_shared(document.telegram, each.telegram) for each in read), default=0.0)
        cited_after = [
            each
            for each in read
            if each.telegram.sent
            and document.telegram.sent
            and each.telegram.sent >= document.telegram.sent
        ]
        if score < 0.5 or not cited_after or isinstance(key, str):
            continue
        t = document.telegram
        early = any(each.telegram.sent and _minute(each.telegram) < interval.after for each in read)
        sure: Sure = "likely" if score >= 0.8 or early else "possible"
        why = f"{wanted[key]}, and it has subject or TAGS in common with the telegram that cites it"
        found.append(
            (-score, Meant(Mrn.of(key[1], key[0], key[2]).short, t.dtg, t.subject, why, sure))
        )
    found.sort(key=lambda each: (each[0], each[1].mrn))
    return tuple(meant for _, meant in found[:3])


def _minute(telegram: Telegram) -> int:
    return int(telegram.sent.timestamp()) // 60 if telegram.sent else 0


def _near_numbers(number: int) -> list[int]:
    """Numbers that one figure misread, lost or added, or two in each other's place, could be read as."""
    text = str(number)
    near = {text[:at] + text[at + 1 :] for at in range(len(text))}
    near |= {text[:at] + d + text[at + 1 :] for at in range(len(text)) for d in "0123456789"}
    near |= {text[:at] + d + text[at:] for at in range(len(text) + 1) for d in "0123456789"}
    near |= {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(text) - 1)}
    numbers = {int(each) for each in near if each and each[0] != "0"} - {number}
    return sorted(n for n in numbers if look_alike(number, n))


def _shared(one: Telegram, other: Telegram) -> float:
    """How much two telegrams have in common by subject and TAGS, from 0 to 1."""
    a = {word for word in subject_words(one.subject) if len(word) > 2}
    b = {word for word in subject_words(other.subject) if len(word) > 2}
    subject = len(a & b) / min(len(a), len(b)) if a and b else 0.0
    x, y = {tag.code for tag in one.tags}, {tag.code for tag in other.tags}
    tags = len(x & y) / len(x | y) if x and y else 0.0
    return max(subject, (subject + tags) / 2) if subject else 0.0


def _request(mrn: Mrn, interval: Interval) -> str:
    """The words with which to ask for a telegram: in the archives' form of citation, with what narrows
    the search."""
    form = archives(cited(Telegram(source="", mrn=mrn))) or (
        f"Telegram {mrn.post} {mrn.number} of {mrn.year} (message reference number {mrn.short};"
        f" {mrn.long}), Department of State"
    )
    form = form.removesuffix(".")
    return f"{form}; sent between {_words(interval.after)} and {_words(interval.before)}."


def _words(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%-d %B %Y, %H%MZ")
