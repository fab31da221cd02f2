"""Line ends, margins and spacing that editors, mailers and printers gave to a text: they are put aside
before it is read, and what is found has its place in the source all the same."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from reftel.read.markup import Shown
from reftel.telegram import Telegram

_LINE_ENDS: Final = "\x0b\x0c\x85\u2028\u2029"
_BLANKS: Final = "\u00a0\u2002\u2003\u2007\u2009\u200b\u202f\u3000\ufeff"
_SIGNS: Final = {
    **dict.fromkeys(map(ord, _LINE_ENDS), "\n"),
    **dict.fromkeys(map(ord, _BLANKS), " "),
}
_ODD: Final = tuple(sign for sign in _LINE_ENDS + _BLANKS if not sign.isascii())
_RETURN: Final = re.compile(r"\r(?![\r\n])")
_PREFIX: Final = re.compile(r"[ \t]*(?:> ?)*[ \t]*")
_FENCE: Final = re.compile(r"[ \t]*```\w*[ \t]*\Z")


def plain_signs(source: str) -> str:
    """The source with every line end as LF, or CR LF, and every blank as a space, each in its place."""
    odd = "\x0c" in source or "\x0b" in source
    if odd or (not source.isascii() and any(sign in source for sign in _ODD)):
        source = source.translate(_SIGNS)
    if "\r" in source and source.count("\r") != source.count("\r\n"):
        source = _RETURN.sub("\n", source) if "\n" in source else source.replace("\r", "\n")
    return source


def with_source(telegram: Telegram, source: str) -> Telegram:
    """A telegram read from plain signs, with the source that they stand for."""
    repairs = tuple(
        msgspec.structs.replace(each, was=each.span.of(source)) for each in telegram.repairs
    )
    return msgspec.structs.replace(telegram, source=source, repairs=repairs)


def unwrapped(source: str, lines: list[str]) -> Shown | None:
    """The text without the margin or the quotation marks of a mail before its lines, the blank line
    below each of them, the fence about it, and marks of emphasis; `None` when it has none of these."""
    marked = _marks(source)
    fenced = "`" in source and "```" in source
    at_once = not fenced and marked is None
    if at_once and (_begins_at_once(source) or not _may_be_wrapped(lines)):
        return None
    ends = source.count("\n") + 1
    begun = source.count("\n ") + source.count("\n\t") + source.count("\n>")
    begun += source[:1] in (" ", "\t", ">")
    blank = source.count("\n\n") + source.count("\n \n") + source.count("\n\r\n")
    apart = ends > _FEW and blank >= _MOSTLY_BLANK * ends and not _TOGETHER.search(source)
    if begun < _MOSTLY * (ends - blank) and not apart and not fenced and marked is None:
        return None
    margin = _margin(lines)
    if not margin and not apart and not fenced and marked is None:
        return None
    text: list[str] = []
    places: list[int] = []
    at = 0
    spaced = False
    for number, line in enumerate(lines):
        solid = bool(line.strip())
        dropped = (fenced and _FENCE.match(line) is not None) or (apart and spaced and not solid)
        if not dropped:
            front = min(margin, _PREFIX.match(line).end())  # type: ignore[union-attr]
            last = number + 1 == len(lines)
            kept = line if last else f"{line}\n"
            for mark in marked.finditer(line, front) if marked else ():
                text.append(kept[front : mark.start()])
                places += range(at + front, at + mark.start())
                front = mark.end()
            text.append(kept[front:])
            places += range(at + front, at + len(kept))
        spaced = solid
        at += len(line) + 1
    return Shown("".join(text), places, [place + 1 for place in places])


def _may_be_wrapped(lines: list[str]) -> bool:
    """Whether so many lines have blanks before them, or none but blanks, that they are to be counted more
    exactly."""
    begun = blank = 0
    for line in lines:
        first = line[:1]
        if first in _FRONT:
            begun += 1
            blank += not line.strip()
        elif first in _NO_TEXT:
            blank += 1
    return begun >= _MOSTLY * (len(lines) - blank) or blank >= _MOSTLY_BLANK * len(lines)


def _begins_at_once(source: str) -> bool:
    """Whether three lines of the text, taken far apart, have no margin and no blank line below."""
    for part in (1, 2, 3):
        end = source.find("\n", len(source) * part // 4)
        if end < 0 or source[end + 1 : end + 2] in _MARGIN or source[end + 1 : end + 3] == "\r\n":
            return False
    return True


_BOLD: Final = re.compile(r"^[*]{2}(?=[\w(\u00b6])[^*\n]*[*]{2}", re.MULTILINE)
_FEW_BOLD: Final = 2
_ESCAPED: Final = re.compile(r"^[ \t]*[0-9]{1,2}\\[.)]", re.MULTILINE)
_STARS: Final = re.compile(r"(?<![*])[*]{2}(?![*])|\\(?=[.*_()\[\]#+-])")


def _marks(source: str) -> re.Pattern[str] | None:
    """What marks emphasis and escapes signs, in a text that was made for Markdown."""
    if "*" in source and "\n**" in source and len(_BOLD.findall(source)) >= _FEW_BOLD:
        return _STARS
    return _STARS if "\\" in source and _ESCAPED.search(source) else None


_FRONT: Final = frozenset(" \t>")
_NO_TEXT: Final = frozenset(("", "\r"))
_MARGIN: Final = ("", " ", "\t", ">", "\n")
_FEW: Final = 10
_MOSTLY: Final = 0.8
_MOSTLY_BLANK: Final = 0.42
# Markings without a blank line between: what has its paragraphs in one line each is not double spaced.
_TOGETHER: Final = re.compile(r"\n[> \t]*TAGS?\b[^\n]*\n[> \t]*[A-Za-z]")


def _margin(lines: list[str]) -> int:
    """How many blanks and quotation marks stand before all lines but a few."""
    before = sorted(
        _PREFIX.match(line).end()  # type: ignore[union-attr]
        for line in lines
        if line.strip()
    )
    return before[len(before) // 10] if before else 0
