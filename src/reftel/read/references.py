"""The REF lines: what a telegram refers to, item by item.

ref = label item *(sep item); item = [enumerator] cite ["(" note ")"]
cite = [yy SP] post SP serial | post SP "A-" serial | post SP dtg | free text     content 3.14
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reftel import tables
from reftel.telegram import Mrn, Reference, ReferenceKind, Span, full_year

REF_LABEL = re.compile(
    r"\s*(?:\*\*)?REF(?:S|\(S\)|TELS?|ERENCES?)?(?:\s*[:.;]+\s*|\s+(?=\(?[A-Z]\)?[.)] ?))",
    re.IGNORECASE,
)
# label = "(A)" | "A." | "A)"; a pilcrow put before it by the publisher; sometimes written twice
_ENUMERATOR = re.compile(
    r"(?:(?<=\A)|(?<=[\s;,:\n]))(?:¶ ?)?(?:\((?P<a>[A-Z])\)|(?P<b>[A-Z])[.)](?!\S\.))[ \t]*"
    r"(?:\((?P<again>[A-Z])\)[ \t]*)?"
)
_CITE = re.compile(
    r"(?:(?P<year>(?:19|20)?[0-9]{2})[ -]*)?(?P<post>[A-Z][A-Z.']*(?: [A-Z][A-Z.']*){0,3}?)"
    r"[ \t]*(?:TEL\.? |CABLE )?(?:NO\.? ?|#)?(?P<serial>[0-9]{1,7})(?![0-9:/.-]*[0-9Z-])"
    r"(?:[ \t]*(?:(?:\(|OF )?(?P<after>(?:19[6-9]|20[0-4])[0-9])\b\)?|\((?P<short>[0-9]{2})\)))?",
    re.IGNORECASE,
)
_MORE_SERIAL = re.compile(r"\s*(?:AND|&|,)\s*(?P<serial>[0-9]{2,7})(?![0-9A-Z/.-])", re.IGNORECASE)
_AIRGRAM = re.compile(r"\b[A-Z]{1,2}-[0-9]{1,5}\b")
_SEPARATOR = re.compile(
    r"\s*(?:[;\n]|:(?= *[A-Z]{3})|,(?= *(?:[0-9]{2} )?[A-Z][A-Z ]+ [0-9]{2}))\s*"
)
_KINDS: tuple[tuple[ReferenceKind, re.Pattern[str]], ...] = (
    ("mail", re.compile(r"E-?MAIL|@", re.IGNORECASE)),
    ("telephone", re.compile(r"TELCON|TELEPHONE|PHONE|PHONCON|RADIO CALL", re.IGNORECASE)),
    ("report", re.compile(r"\bIIR\b|\bIR [0-9]|REPORT|FBIS", re.IGNORECASE)),
    ("telegram", re.compile(r"\bMSG\b|[0-3][0-9]{5}Z", re.IGNORECASE)),
    (
        "document",
        re.compile(r"MEMO|LETTER|NOTE|\bA-[0-9]|CA-[0-9]|FAM\b|HTTP|AIRGRAM", re.IGNORECASE),
    ),
)
_NOT_A_POST = frozenset(
    ("AND PREVIOUS", "PREVIOUS", "AND", "PARA", "MSG", "NO", "REF", "DTG", "OF")
)


@dataclass(frozen=True, slots=True)
class Citing:
    """The telegram that refers: what a year-less citation is resolved against."""

    year: int | None
    day_of_year: int | None
    post: str | None
    number: int | None


def parse_references(text: str, start: int, citing: Citing) -> list[Reference]:
    """The items of a REF line whose text begins at `start` of the source."""
    references: list[Reference] = []
    for enumerator, item, offset in _items(text):
        references.extend(_read_item(enumerator, item, start + offset, citing))
    return references


def _items(text: str) -> list[tuple[str | None, str, int]]:
    marks = list(_ENUMERATOR.finditer(text))
    # Enumerators run A, B, C: a lone capital with a point elsewhere is an initial.
    expected = "A"
    chain: list[re.Match[str]] = []
    for mark in marks:
        letter = mark["a"] or mark["b"]
        if letter == expected or (chain and ord(letter) == ord(expected) + 1):
            chain.append(mark)
            expected = chr(ord(letter) + 1)
    if not chain:
        return [(None, item, at) for item, at in _split(text, 0)]
    items: list[tuple[str | None, str, int]] = []
    items += [(None, item, at) for item, at in _split(text[: chain[0].start()], 0)]
    for mark, after in zip(chain, [*chain[1:], None], strict=True):
        end = after.start() if after else len(text)
        letter = mark["a"] or mark["b"]
        pieces = _split(text[mark.end() : end], mark.end())
        items += [(letter, item, at) for item, at in _rejoin(pieces)]
    return items


def _rejoin(pieces: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Under one enumerator, a line that cites nothing goes on with the item above."""
    joined: list[tuple[str, int]] = []
    for item, at in pieces:
        if joined and not _CITE.match(item):
            joined[-1] = (f"{joined[-1][0]} {item}", joined[-1][1])
        else:
            joined.append((item, at))
    return joined


def _split(text: str, at: int) -> list[tuple[str, int]]:
    items: list[tuple[str, int]] = []
    position = 0
    for match in [*_SEPARATOR.finditer(text), None]:
        end = match.start() if match else len(text)
        item = text[position:end]
        stripped = item.strip(" \t\n,;.")
        if re.search(r"\w", stripped):
            items.append((stripped, at + position + item.index(stripped)))
        position = match.end() if match else end
    return items


def _read_item(enumerator: str | None, item: str, at: int, citing: Citing) -> list[Reference]:
    text = " ".join(item.split())
    match = _CITE.match(item)
    post = tables.canonical_post(match["post"]) if match else None
    if match and (post or _plausible(match["post"])) and not _AIRGRAM.match(item):
        letters = post or re.sub(r"[^A-Z]", "", match["post"].upper())
        first = _reference(enumerator, text, at, item, _resolve(match, letters, citing))
        more: list[Reference] = []
        end = match.end()
        while again := _MORE_SERIAL.match(item, end):
            mrn = _resolve_number(letters, int(again["serial"]), _year_of(match), citing)
            more.append(_reference(enumerator, text, at, item, mrn))
            end = again.end()
        return [first, *more]
    kind: ReferenceKind = next((kind for kind, found in _KINDS if found.search(item)), "other")
    return [Reference(enumerator, kind, None, text, Span(at, at + len(item)))]


def _reference(enumerator: str | None, text: str, at: int, item: str, mrn: str | None) -> Reference:
    return Reference(enumerator, "telegram", mrn, text, Span(at, at + len(item)))


def _plausible(post: str) -> bool:
    """A name that no table knows may still be a post's: one word of four letters or more."""
    name = post.upper().strip()
    return (
        name not in _NOT_A_POST
        and not name.startswith("AND ")
        and re.fullmatch(r"[A-Z]{4,}", name) is not None
    )


def _year_of(match: re.Match[str]) -> int | None:
    if match["year"]:
        year = int(match["year"])
        return year if len(match["year"]) == 4 else full_year(year)
    if match["short"]:
        return full_year(int(match["short"]))
    return int(match["after"]) if match["after"] else None


def _resolve(match: re.Match[str], post: str, citing: Citing) -> str | None:
    return _resolve_number(post, int(match["serial"]), _year_of(match), citing)


def _resolve_number(post: str, number: int, year: int | None, citing: Citing) -> str | None:
    """The short spelling; without a year, that of the citing telegram, or the one before when the
    number is larger than any that the post can have reached by then (January citing December)."""
    if year is None:
        if citing.year is None:
            return None
        year = citing.year - 1 if _beyond(post, number, citing) else citing.year
    return Mrn.of(year, post, number).short


def _beyond(post: str, number: int, citing: Citing) -> bool:
    if post == citing.post and citing.number is not None:
        return number > citing.number
    if citing.day_of_year is None:
        return False
    # The busiest posts send some 20,000 telegrams a year, the Department some 330,000.
    daily = 900 if post == "STATE" else 60
    return number > daily * citing.day_of_year + 5 * daily
