"""Telegrams inside web pages: the text that a page shows, and where each character of it stands.

A page is read as its text; what was found is then put back in place, and tags, scripts and what
stands round the telegram become elements of kind `markup`. Nothing is dropped.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Final, NamedTuple

import msgspec

from reftel.telegram import Coverage, Element, Span, Telegram

_STRUCTURE: Final = re.compile(
    r"<(?:!DOCTYPE\s+html|html|head|body|pre|code)\b[^<>]*>", re.IGNORECASE
)
_LINE_END: Final = re.compile(r"&#(?:[xX]0*[Aa]|10);")
_BLOCK: Final = re.compile(r"</?(?:table|td|div|p|br)\b[^<>]*>", re.IGNORECASE)
_FEW_BLOCKS: Final = 4
_MOST_UNCLOSED: Final = 100
_BLOCK_TAGS: Final = frozenset(
    "br p div tr li h1 h2 h3 h4 h5 h6 table hr section article blockquote ul ol".split()
)
_HIDDEN_TAGS: Final = frozenset(("script", "style", "head", "title"))


class Shown(NamedTuple):
    """The text of a page; character i of it stands at [starts[i], ends[i]) of the source."""

    text: str
    starts: list[int]
    ends: list[int]


def is_page(source: str) -> bool:
    """Whether a text is a web page or a piece of one, and not a telegram that has a `<` in it."""
    if "<" not in source and not ("&" in source and "&#" in source):
        return False
    if source.count("<") - source.count(">") > _MOST_UNCLOSED:
        # No page, and a text that a parser of pages would take long over.
        return False
    if _STRUCTURE.search(source) or ("&" in source and _LINE_END.search(source)):
        return True
    return len(_BLOCK.findall(source)) > _FEW_BLOCKS


def shown_text(source: str) -> Shown:
    """The text that a page shows: that of its preformatted parts, where it has any."""
    parser = _Page(source)
    parser.feed(source)
    parser.close()
    pieces = [piece for piece in parser.pieces if piece[3]] or parser.pieces
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for shown, start, end, _ in pieces:
        text.append(shown)
        if len(shown) == end - start:
            starts += range(start, end)
            ends += range(start + 1, end + 1)
        else:
            starts += [start] * len(shown)
            ends += [start] * (len(shown) - 1) + [end]
    return Shown("".join(text), starts, ends)


class _Page(HTMLParser):
    """Collects (text, start, end, whether it is preformatted) of what a page shows."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[tuple[str, int, int, bool]] = []
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self._hidden = 0
        self._preformatted = 0

    def _at(self) -> int:
        line, column = self.getpos()
        return self._line_starts[line - 1] + column

    def _add(self, text: str, length: int) -> None:
        if not self._hidden and text:
            at = self._at()
            self.pieces.append((text, at, at + length, self._preformatted > 0))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _HIDDEN_TAGS:
            self._hidden += 1
        elif tag in ("pre", "code"):
            self._preformatted += 1
            if self._preformatted == 1:
                self._add("\n", 0)
        elif tag in _BLOCK_TAGS:
            self._add("\n", 0)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN_TAGS:
            self._hidden = max(0, self._hidden - 1)
        elif tag in ("pre", "code"):
            if self._preformatted == 1:
                self._add("\n", 0)
            self._preformatted = max(0, self._preformatted - 1)
        elif tag in _BLOCK_TAGS and tag != "br":
            self._add("\n", 0)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            # `<![a-z]+>`: so it gives up on what is a section of no kind that it knows.
            return self.parse_bogus_comment(i, report)

    def handle_data(self, data: str) -> None:
        self._add(data, len(data))

    def handle_entityref(self, name: str) -> None:
        self._reference(f"&{name}")

    def handle_charref(self, name: str) -> None:
        self._reference(f"&#{name}")

    def _reference(self, written: str) -> None:
        raw = self.rawdata[self._offset_in_rawdata() :]
        length = len(written) + (raw[len(written) : len(written) + 1] == ";")
        shown = html.unescape(f"{written};")
        self._add(shown if shown != f"{written};" else raw[:length], length)

    def _offset_in_rawdata(self) -> int:
        # `feed` is called once with the whole source, so rawdata is the source until it is consumed.
        return self._at()


def put_back(telegram: Telegram, source: str, shown: Shown) -> Telegram:
    """A telegram read from a page's text, with every place in the page itself."""
    if not shown.text:
        return telegram
    place = _Places(shown)
    elements: list[Element] = []
    at = 0
    for element in telegram.elements:
        span = place.of(Span(element.start, element.end))
        if span.end <= max(span.start, at):
            continue
        if span.start > at:
            elements.append(Element("markup", at, span.start))
        elements.append(Element(element.kind, max(span.start, at), span.end))
        at = span.end
    if at < len(source):
        elements.append(Element("markup", at, len(source)))
    unknown = sum(each.end - each.start for each in elements if each.kind == "unknown")
    return msgspec.structs.replace(
        telegram,
        source=source,
        elements=tuple(elements),
        body=tuple(
            msgspec.structs.replace(each, span=place.of(each.span)) for each in telegram.body
        ),
        references=tuple(
            msgspec.structs.replace(each, span=place.of(each.span)) if each.span else each
            for each in telegram.references
        ),
        citations=tuple(
            msgspec.structs.replace(each, span=place.of(each.span)) for each in telegram.citations
        ),
        repairs=tuple(
            msgspec.structs.replace(each, span=place.of(each.span)) for each in telegram.repairs
        ),
        diagnostics=tuple(
            msgspec.structs.replace(each, span=place.of(each.span)) if each.span else each
            for each in telegram.diagnostics
        ),
        coverage=Coverage(len(source), unknown),
    )


class _Places:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def of(self, span: Span) -> Span:
        starts, ends = self._shown.starts, self._shown.ends
        if span.start >= len(starts):
            end = ends[-1]
            return Span(end, end)
        start = starts[span.start]
        end = ends[span.end - 1] if span.end > span.start else start
        return Span(start, max(start, end))
