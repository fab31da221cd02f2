"""The TAGS line: codes in the order written, persons in brackets, each with its kind.

tags = "TAGS" [":"] code *([","] SP code) *([","] SP "(" surname "," given ")")   content 3.12
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from reftel import tables
from reftel.telegram import Tag

TAGS_LABEL: Final = re.compile(
    r"\s*(?:\*\*)?(?:(?:TA[GOB]S?C?S?|TACS(?=:)|TAS(?=:)|TGS(?=:))(?:(?=\s+[A-Z\[])|\s*[:;/.\-]+|[,'*=#$]+(?=\s))|TAGS[A-Z]\s*[:;]|AGS\s*[:;])\s*",
    re.IGNORECASE,
)
_MARKUP: Final = re.compile(r"\[([^\]\[]*)\]\([^)]*\)")
_TOKEN: Final = re.compile(
    r"\((?P<person>[^()]*)\)?|\[(?P<square>[A-Z ]+)\]|(?P<stop>[,;\n]+)|(?P<word>[A-Z0-9][A-Z0-9&/'-]*)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[A-Z0-9][A-Z0-9&/'-]*", re.IGNORECASE)
_TAGS_ALONE: Final = re.compile(r"[A-Z0-9&/' ,()\[\].-]+")
_NOT_AVAILABLE: Final = frozenset(("N/A", "NA", "NONE", "N-A"))


def parse_tags(text: str, year: int | None) -> list[Tag]:
    """The TAGS of a line or several, without repetition."""
    plain = _MARKUP.sub(r"\1", text) if "[" in text else text
    found: list[Tag] = []
    if "(" in plain or "[" in plain:
        found = _with_brackets(plain, year)
    else:
        for part in plain.replace(";", ",").replace("\n", ",").split(","):
            found += _between_commas(part, year)
    unique: dict[str, Tag] = {}
    for at, tag in enumerate(found):
        if tag.code and tag.code not in _NOT_AVAILABLE:
            # A name without brackets behind OVIP is a visitor's.
            visitor = (
                tag.kind == "unknown" and " " in tag.code and at and found[at - 1].code == "OVIP"
            )
            unique.setdefault(tag.code, Tag(tag.code, "person") if visitor else tag)
    return list(unique.values())


# The same TAGS stand in telegram after telegram.
@lru_cache(maxsize=4096)
def _between_commas(part: str, year: int | None) -> tuple[Tag, ...]:
    word = part.strip()
    if word.isascii() and word.isalpha():
        # By far the most are one code that the tables know.
        code = word.upper()
        if (kind := tables.tag_kind(code, year)) != "unknown":
            return (Tag(code, kind),)
    return tuple(_of_words([word.upper().strip("-/'") for word in _WORD.findall(part)], year))


def _with_brackets(text: str, year: int | None) -> list[Tag]:
    """The TAGS of a line in which persons stand in brackets."""
    found: list[Tag] = []
    words: list[str] = []
    for match in _TOKEN.finditer(text):
        if match["word"]:
            words.append(match["word"].upper().strip("-/'"))
            continue
        found += _of_words(words, year)
        words = []
        if match["person"] is not None:
            found.append(_in_brackets(" ".join(match["person"].upper().split()), year))
        elif match["square"]:
            code = match["square"].upper()
            found.append(Tag(code, tables.tag_kind(code, year)))
    return found + _of_words(words, year)


def _in_brackets(name: str, year: int | None) -> Tag:
    """Brackets hold a person; now and then an organization that the tables know."""
    kind = tables.tag_kind(name, year)
    if "," in name or (kind == "unknown" and " " in name):
        return Tag(name, "person")
    return Tag(name, kind)


def _of_words(words: list[str], year: int | None) -> list[Tag]:
    """The TAGS of words between two commas: a code each; words that no table knows and that have no
    code's shape are one name together (`GAZA DISENGAGEMENT`)."""
    found: list[Tag] = []
    name: list[str] = []
    for word in _paired(words, year):
        kind = tables.tag_kind(word, year)
        parts = (word,) if kind != "unknown" else _run_together(word, year)
        if not parts:
            name.append(word)
            continue
        found += [*_named(name, year), *(Tag(part, tables.tag_kind(part, year)) for part in parts)]
        name = []
    return found + _named(name, year)


@cache
def _first_words() -> frozenset[str]:
    """With what the codes of two words begin."""
    return frozenset(each.code.split()[0] for each in tables.table("tags") if " " in each.code)


def _paired(words: list[str], year: int | None) -> list[str]:
    """The words, those put together that are one code: `EL AL`."""
    paired: list[str] = []
    for word in words:
        if paired and paired[-1] in _first_words() and _known(f"{paired[-1]} {word}", year):
            paired[-1] = f"{paired[-1]} {word}"
        else:
            paired.append(word)
    return paired


def _named(words: list[str], year: int | None) -> list[Tag]:
    """Unknown words that stand together: codes if all are as short as codes; else terms that posts file
    under, and one name."""
    if all(len(word) <= 4 for word in words):
        return [Tag(word, tables.tag_kind(word, year)) for word in words]
    names: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(words):
        count = next((n for n in (3, 2) if tables.tag(" ".join(words[at : at + n]), year)), 0)
        if count:
            names += [" ".join(rest)] if rest else []
            names.append(" ".join(words[at : at + count]))
            rest = []
        else:
            rest.append(words[at])
        at += count or 1
    names += [" ".join(rest)] if rest else []
    return [Tag(name, tables.tag_kind(name, year)) for name in names]


_LONGEST: Final = 80


@lru_cache(maxsize=4096)
def _run_together(word: str, year: int | None) -> tuple[str, ...]:
    """The codes that were written as one word (`ECONEFIN`, `PREL/PGOV`, `P-REL`), if it can only be
    read one way; else nothing."""
    if "/" in word or "-" in word:
        parts = tuple(part for part in re.split(r"[/-]", word) if part)
        if all(_known(part, year) for part in parts):
            return parts
        joined = "".join(parts)
        return (joined,) if _known(joined, year) and "-" in word else ()
    if not word.isalpha() or not 6 <= len(word) <= _LONGEST:
        return ()
    splits = _splits(word, year)
    fewest = min((len(each) for each in splits), default=0)
    best = [each for each in splits if len(each) == fewest]
    return best[0] if len(best) == 1 else ()


def _splits(word: str, year: int | None) -> list[tuple[str, ...]]:
    """Every way to read a word as codes of four letters, the first or last of which may have two."""
    found = _splits_from(word, year)
    if len(word) % 4 == 2 and _known(word[:2], year):
        found += [(word[:2], *rest) for rest in _splits_from(word[2:], year) if len(rest[-1]) > 2]
    return found


def _splits_from(word: str, year: int | None) -> list[tuple[str, ...]]:
    if not word:
        return [()]
    found: list[tuple[str, ...]] = []
    if len(word) >= 4 and _known(word[:4], year):
        found += [(word[:4], *rest) for rest in _splits_from(word[4:], year)]
    if len(word) == 2 and _known(word, year):
        found.append((word,))
    return found


def _known(code: str, year: int | None) -> bool:
    return tables.tag(code, year) is not None


def are_tags(text: str, year: int | None) -> bool:
    """Whether a line holds nothing but TAGS that the tables know: the TAGS line goes on."""
    known, all_of_them = _known_tags(text, year)
    return known == all_of_them > 0


def are_mostly_tags(text: str, year: int | None) -> bool:
    """Whether a line that stands where the TAGS line should, without its label, holds TAGS."""
    known, all_of_them = _known_tags(text, year)
    return known * 2 > all_of_them > 1


def _known_tags(text: str, year: int | None) -> tuple[int, int]:
    plain = (_MARKUP.sub(r"\1", text) if "[" in text else text).strip()
    if not _TAGS_ALONE.fullmatch(plain):
        return 0, 0
    tags = parse_tags(plain, year)
    return sum(tag.kind != "unknown" for tag in tags), len(tags)
