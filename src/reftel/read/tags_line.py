"""The TAGS line: codes in the order written, persons in brackets, each with its kind.

tags = "TAGS" [":"] code *([","] SP code) *([","] SP "(" surname "," given ")")   content 3.12
"""

from __future__ import annotations

import re

from reftel import tables
from reftel.telegram import Tag

TAGS_LABEL = re.compile(
    r"\s*(?:\*\*)?TA[GOB]S?C?S?(?:(?=\s+[A-Z\[])|\s*[:;/.\-]+)\s*", re.IGNORECASE
)
_MARKUP = re.compile(r"\[([^\]\[]*)\]\([^)]*\)")
_TOKEN = re.compile(r"\(([^()]*)\)?|\[([A-Z ]+)\]|[A-Z0-9][A-Z0-9&/'-]*", re.IGNORECASE)
_NOT_AVAILABLE = frozenset(("N/A", "NA", "NONE", "N-A"))


def parse_tags(text: str, year: int | None) -> list[Tag]:
    """The TAGS of a line or several, without repetition."""
    tags: list[Tag] = []
    seen: set[str] = set()
    for match in _TOKEN.finditer(_MARKUP.sub(r"\1", text)):
        if match[1] is not None:
            code = " ".join(match[1].upper().split())
            tag = Tag(code, "person") if "," in code else Tag(code, tables.tag_kind(code, year))
        else:
            code = (match[2] or match[0]).upper().strip("-/'")
            tag = Tag(code, tables.tag_kind(code, year))
        if tag.code and tag.code not in seen and tag.code not in _NOT_AVAILABLE:
            seen.add(tag.code)
            tags.append(tag)
    return tags


def are_tags(text: str, year: int | None) -> bool:
    """Whether a line holds nothing but TAGS that the tables know: the TAGS line goes on."""
    known, all_of_them = _known_tags(text, year)
    return known == all_of_them > 0


def are_mostly_tags(text: str, year: int | None) -> bool:
    """Whether a line that stands where the TAGS line should, without its label, holds TAGS."""
    known, all_of_them = _known_tags(text, year)
    return known * 2 > all_of_them > 1


def _known_tags(text: str, year: int | None) -> tuple[int, int]:
    plain = _MARKUP.sub(r"\1", text).strip()
    if not re.fullmatch(r"[A-Z0-9&/' ,()\[\].-]+", plain):
        return 0, 0
    tags = parse_tags(plain, year)
    return sum(tag.kind != "unknown" for tag in tags), len(tags)
