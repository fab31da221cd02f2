"""A page of search results for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from reftel.archive.model import Count, Hit, Results
from reftel.terminal.style import Style, joined, visible

_COUNTS_SHOWN = 8


def render_results(
    results: Results, *, width: int = 80, color: bool = False, counts: bool = False
) -> str:
    """The results one below another, matched words marked; with the counts if asked."""
    style = Style(width, color)
    lines: list[str] = []
    for hit in results.hits:
        lines += [*_hit(hit, style), ""]
    if counts:
        lines += [*_counts(results, style), ""]
    lines.append(style.paint(_range(results), "dim"))
    if results.suggestion:
        lines += style.wrap(f"Did you mean: {visible(results.suggestion)}")
    return joined(lines)


def render_hit(hit: Hit, *, width: int = 80, color: bool = False) -> str:
    """One result, with a blank line behind it."""
    return joined([*_hit(hit, Style(width, color)), ""])


def _range(results: Results) -> str:
    if not results.hits:
        return f"{results.total} found"
    first = results.offset + 1
    order = {"relevance": "best first", "newest": "newest first", "oldest": "oldest first"}
    shown = f"{first} to {results.offset + len(results.hits)}"
    return f"{shown} of {results.total}, {order[results.order]}"


def _hit(hit: Hit, style: Style) -> Iterator[str]:
    date = hit.dtg[:10] if hit.dtg else "no date"
    number = hit.mrn or hit.digest[:12]
    level = style.paint(f" {hit.classification or '?'} ", hit.classification or "")
    yield f"{style.paint(number, 'bold')}  {date}  {level}  {visible(hit.originator or '')}"
    yield from style.wrap(visible(hit.damaged or hit.subject or "(no subject)"), "  ")
    yield from _snippet(hit, style)


def _snippet(hit: Hit, style: Style) -> Iterator[str]:
    """The snippet wrapped by its visible words, then painted."""
    words = [
        (word, fragment.marked)
        for fragment in hit.snippet
        for word in visible(fragment.text).replace("\n", " ").replace(" ", " \0").split("\0")
    ]
    line, length = "  ", 2
    for word, marked in words:
        if length + len(word.rstrip()) > style.text_width and word.strip() and length > 2:
            yield line
            line, length = "  ", 2
            word = word.lstrip()
        line += style.paint(word, "mark") if marked else style.paint(word, "dim")
        length += len(word)
    if length > 2:
        yield line


def _counts(results: Results, style: Style) -> Iterator[str]:
    facets = results.facets
    rows: tuple[tuple[str, tuple[Count, ...]], ...] = (
        ("year", facets.year),
        ("post", facets.post),
        ("tags", facets.tags),
        ("classification", facets.classification),
    )
    for name, counts in rows:
        shown = ", ".join(f"{each.value} {each.count}" for each in counts[:_COUNTS_SHOWN])
        more = ""
        if len(counts) > _COUNTS_SHOWN:
            least = "at least " if name in facets.cut else ""
            more = f", and {least}{len(counts) - _COUNTS_SHOWN} more"
        if shown:
            yield from style.wrap(f"{name}: {shown}{more}", "", "  ")
