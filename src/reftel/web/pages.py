"""What the templates get: frozen values made from the archive's answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from reftel import tables
from reftel.archive import FIELDS, Count, Document, Hit, Results, View
from reftel.archive.export import FORMS as EXPORTS
from reftel.archive.query import TEXT_FIELDS, And, Or, QueryError, parse, straight_quotes
from reftel.telegram import Addressee, Block, Mrn, Reference, Telegram
from reftel.web.mended import Passage, Run, clean_runs, original
from reftel.write.citation import Cited, archives, bibliography, note

PAGE_SIZE = 20
_SHORT_FACET = 10
_LIKE = 5

LEVEL_CLASSES = {
    "UNCLASSIFIED": "u",
    "SENSITIVE BUT UNCLASSIFIED": "sbu",
    "LIMITED OFFICIAL USE": "sbu",
    "CONFIDENTIAL": "c",
    "SECRET": "s",
    "TOP SECRET": "ts",
}


@dataclass(frozen=True)
class Choice:
    """A value of a facet: how many results have it, and the search that narrows to it."""

    label: str
    title: str
    count: int
    url: str


@dataclass(frozen=True)
class Facet:
    """The values of a field; `cut` if it has more than are listed."""

    name: str
    choices: tuple[Choice, ...]
    more: tuple[Choice, ...]
    cut: bool


@dataclass(frozen=True)
class Chip:
    """A narrowing in force, and the search without it."""

    label: str
    url: str


@dataclass(frozen=True)
class ResultLine:
    hit: Hit
    url: str
    date: str
    sender: str
    level: str


@dataclass(frozen=True)
class SearchPage:
    results: Results
    sentence: str
    lines: tuple[ResultLine, ...]
    facets: tuple[Facet, ...]
    chips: tuple[Chip, ...]
    pages: tuple[tuple[str, str | None], ...]
    orders: tuple[tuple[str, str, bool], ...]
    suggestion: tuple[str, str] | None
    named: Link | None
    exports: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Link:
    """Words that may lead somewhere, and what they mean."""

    text: str
    title: str = ""
    url: str | None = None
    held: bool = True


@dataclass(frozen=True)
class Paragraph:
    block: Block
    anchor: str | None
    parts: tuple[tuple[Run, ...], ...]


@dataclass(frozen=True)
class TelegramPage:
    """Everything that the page of one telegram shows."""

    document: Document
    telegram: Telegram
    title: str
    level: str
    url: str
    sent: str | None
    sender: Link | None
    action: tuple[Link, ...]
    info: tuple[Link, ...]
    exempt: tuple[Link, ...]
    captions: tuple[Link, ...]
    tags: tuple[Link, ...]
    references: tuple[tuple[Reference, Link], ...]
    paragraphs: tuple[Paragraph, ...]
    original: tuple[Passage, ...]
    offices: tuple[tuple[str, tuple[Link, ...]], ...]
    citing: tuple[ResultLine, ...]
    variants: tuple[Link, ...]
    like: tuple[ResultLine, ...]
    cited: Cited
    citations: tuple[tuple[str, str, str], ...]
    lost: str | None


def search_url(query: str, order: str | None = None, page: int = 1) -> str:
    values = {"q": query}
    if order:
        values["order"] = order
    if page > 1:
        values["page"] = str(page)
    return f"/search?{urlencode(values)}"


def search_page(results: Results, named: Mrn | None, given_order: str | None) -> SearchPage:
    """The page of some results; `named` is the number of a telegram that the whole query is."""
    query = results.query
    facets = (
        _facet("Year", "year", results, given_order),
        _facet("Post", "post", results, given_order),
        _facet("TAGS", "tags", results, given_order),
        _facet("Classification", "classification", results, given_order),
    )
    orders = (("relevance", "best first"), ("newest", "newest first"), ("oldest", "oldest first"))
    return SearchPage(
        results=results,
        sentence=_sentence(results),
        lines=tuple(result_line(hit) for hit in results.hits),
        facets=tuple(facet for facet in facets if facet.choices),
        chips=_chips(query, given_order),
        pages=_pages(results, given_order),
        orders=tuple((search_url(query, key), name, key == results.order) for key, name in orders),
        suggestion=(results.suggestion, search_url(results.suggestion, given_order))
        if results.suggestion
        else None,
        named=Link(named.short, url=f"/t/{named.short}") if named else None,
        exports=tuple(
            (form.title, f"/api/export?{urlencode({'q': query, 'form': name})}")
            for name, form in EXPORTS.items()
        ),
    )


def _sentence(results: Results) -> str:
    if not results.total:
        return "Nothing was found."
    noun = "telegram" if results.total == 1 else "telegrams"
    order = {"relevance": "best", "newest": "newest", "oldest": "oldest"}[results.order]
    last = results.offset + len(results.hits)
    if not results.hits:
        page = results.offset // PAGE_SIZE + 1
        return f"There is no page {page:,} of {results.total:,} {noun}, {order} first."
    if results.total <= len(results.hits):
        return f"{results.total:,} {noun}, {order} first."
    return f"{results.offset + 1:,} to {last:,} of {results.total:,} {noun}, {order} first."


def _facet(title: str, name: str, results: Results, order: str | None) -> Facet:
    counts: tuple[Count, ...] = getattr(results.facets, name)
    field = "class" if name == "classification" else name
    narrowed = _narrower(results.query)
    choices = tuple(_choice(field, each, narrowed(field, each.value), order) for each in counts)
    cut = name in results.facets.cut
    return Facet(title, choices[:_SHORT_FACET], choices[_SHORT_FACET:], cut)


def _choice(field: str, each: Count, narrowed: str, order: str | None) -> Choice:
    title = ""
    label = each.value
    if field == "tags" and (entry := tables.tag(each.value, None)):
        title = entry.name
        label = f"{entry.name} ({each.value})" if entry.name else each.value
    elif field == "post":
        title = tables.post_title(each.value)
        label = title
    elif field == "class":
        label = each.value.capitalize()
    return Choice(label, title, each.count, search_url(narrowed, order))


def _narrower(query: str) -> Callable[[str, str], str]:
    """What gives, for a field and a value, a query and a narrowing of all that it finds to that value."""
    parsed, written = parse(query), query.lower()
    standing = parsed.queries if isinstance(parsed, And) else (parsed,)
    # What stands beside OR would narrow one side of it alone.
    whole = f"({query})" if isinstance(parsed, Or) else query

    def stands(term: str) -> bool:
        try:
            return parse(term) in standing
        except QueryError:
            # A value with a quotation mark or a bracket, as damage makes it.
            return False

    def narrowed(field: str, value: str) -> str:
        term = narrowing(field, value)
        # There are a thousand values and more, and few that the query names: the others are not parsed.
        there = value.lower() in written and stands(term)
        return query if there else f"{whole} {term}".strip()

    return narrowed


def narrowing(field: str, value: str) -> str:
    """The words of the search language that narrow to a value."""
    # What damage put a star into: a code holds it, and among words it is a blank.
    if field in TEXT_FIELDS:
        value = value.replace("*", " ")
    return f'{field}:"{value}"' if any(c in value for c in " ,*") else f"{field}:{value}"


def _chips(query: str, order: str | None) -> tuple[Chip, ...]:
    """The narrowings that stand at the top level of a query."""
    import re

    plain = straight_quotes(query)
    while (hidden := re.sub(r"\([^()]*\)", lambda inside: "." * len(inside[0]), plain)) != plain:
        plain = hidden
    if any(word in plain for word in ("(", " OR ")):
        return ()
    chips = []
    for match in re.finditer(
        rf'(?<!\S)-?(?:{"|".join(FIELDS)}):(?:"[^"]*"(?:~[0-9]+)?|\S+)', plain
    ):
        without = " ".join((query[: match.start()] + " " + query[match.end() :]).split())
        label = query[match.start() : match.end()]
        chips.append(Chip(label, search_url(without, order) if without else "/search?q="))
    return tuple(chips)


def _pages(results: Results, order: str | None) -> tuple[tuple[str, str | None], ...]:
    here = results.offset // PAGE_SIZE + 1
    return page_links(results.total, here, lambda page: search_url(results.query, order, page))


def page_links(
    total: int, here: int, url: Callable[[int], str]
) -> tuple[tuple[str, str | None], ...]:
    """The pages of so many results: each number with its address, the page that is shown and gaps
    without."""
    last = (total + PAGE_SIZE - 1) // PAGE_SIZE
    if last <= 1:
        return ()
    wanted = sorted({1, last, *range(max(1, here - 2), min(last, here + 2) + 1)})
    pages: list[tuple[str, str | None]] = []
    before = 0
    for page in wanted:
        if page > before + 1:
            pages.append(("…", None))
        pages.append((f"{page:,}", None if page == here else url(page)))
        before = page
    return tuple(pages)


def result_line(hit: Hit) -> ResultLine:
    return ResultLine(
        hit=hit,
        url=f"/t/{hit.mrn}" if hit.mrn else f"/d/{hit.digest[:16]}",
        date=day(hit.dtg) or "no date",
        sender=tables.addressee_name(hit.originator) if hit.originator else "",
        level=LEVEL_CLASSES.get(hit.classification or "", "none"),
    )


def day(dtg: str | None) -> str | None:
    """A date for people: `4 June 2007`."""
    from datetime import datetime

    return datetime.fromisoformat(dtg).strftime("%-d %B %Y") if dtg else None


def telegram_page(view: View, document: Document, cited: Cited) -> TelegramPage:
    t = document.telegram
    held = view.held(r.mrn for r in t.references if r.mrn)
    number = t.mrn.short if t.mrn else None
    return TelegramPage(
        document=document,
        telegram=t,
        title=t.subject or number or "Telegram without a subject",
        level=LEVEL_CLASSES.get(t.classification or "", "none"),
        url=f"/d/{document.digest[:16]}",
        sent=t.sent.strftime("%A, %-d %B %Y, %H:%M UTC") if t.sent else None,
        sender=_sender(t),
        action=tuple(_addressee(a) for a in t.action),
        info=tuple(_addressee(a) for a in t.info),
        exempt=tuple(_addressee(a) for a in t.exempt),
        captions=tuple(_caption(caption) for caption in t.captions),
        tags=tuple(_tag(t, tag.code) for tag in t.tags),
        references=tuple((r, _reference(r, held)) for r in t.references),
        paragraphs=_paragraphs(t),
        original=original(t),
        offices=_offices(t),
        citing=tuple(result_line(hit) for hit in view.citing(t.mrn)) if t.mrn else (),
        variants=tuple(_variant(each) for each in view.variants(document.digest)),
        like=tuple(result_line(hit) for hit in view.like(document.digest, _LIKE, asked=False)),
        cited=cited,
        citations=_citations(cited),
        lost=view.lost(document.digest),
    )


def _citations(cited: Cited) -> tuple[tuple[str, str, str], ...]:
    """Citations to copy: a name for the page, what it is called, the text."""
    forms = (
        ("footnote", "Footnote", note(cited)),
        ("bibliography", "Bibliography", bibliography(cited)),
        ("archives", "National Archives", archives(cited)),
    )
    return tuple((name, title, text) for name, title, text in forms if text)


def _sender(t: Telegram) -> Link | None:
    if t.originator is None:
        return None
    query = narrowing("post", t.mrn.post) if t.mrn else narrowing("from", t.originator.name)
    return Link(tables.addressee_name(t.originator.name), t.originator.name, search_url(query))


def _addressee(addressee: Addressee) -> Link:
    name = addressee.name
    query = narrowing("to", name)
    word = f", {addressee.precedence}" if addressee.precedence else ""
    return Link(tables.addressee_name(name), f"{name}{word}", search_url(query))


def _caption(caption: str) -> Link:
    entry = tables.caption(caption)
    return Link(caption, entry.name if entry else "", search_url(narrowing("caption", caption)))


def _tag(t: Telegram, code: str) -> Link:
    entry = tables.tag(code, int(t.dtg[:4]) if t.dtg else None)
    return Link(code, entry.name if entry else "", search_url(narrowing("tags", code)))


def _reference(reference: Reference, held: frozenset[str]) -> Link:
    if reference.mrn is None:
        return Link(reference.text)
    return Link(reference.text, reference.mrn, f"/t/{reference.mrn}", reference.mrn in held)


def _variant(document: Document) -> Link:
    return Link(document.origin.rpartition("/")[2], document.origin, f"/d/{document.digest[:16]}")


def _paragraphs(t: Telegram) -> tuple[Paragraph, ...]:
    seen: set[int] = set()
    paragraphs: list[Paragraph] = []
    for block in t.body:
        anchor = None
        if block.number is not None and block.number not in seen:
            seen.add(block.number)
            anchor = f"p{block.number}"
        paragraphs.append(Paragraph(block, anchor, _parts(clean_runs(t, block))))
    return tuple(paragraphs)


def _parts(runs: tuple[Run, ...]) -> tuple[tuple[Run, ...], ...]:
    """The runs of a block, parted where a blank line parts its text."""
    parts: list[list[Run]] = [[]]
    for run in runs:
        first, *others = run.text.split("\n\n")
        parts[-1].append(run._replace(text=first))
        parts += [[run._replace(text=other)] for other in others]
    return tuple(tuple(part) for part in parts)


def _offices(t: Telegram) -> tuple[tuple[str, tuple[Link, ...]], ...]:
    if t.distribution is None:
        return ()
    groups = (
        ("Action", t.distribution.action),
        ("Origin", t.distribution.origin),
        ("Info", t.distribution.info),
    )
    return tuple((name, tuple(_office(code) for code in codes)) for name, codes in groups if codes)


def _office(code: str) -> Link:
    entry = tables.office(code.rpartition("-")[0])
    return Link(code, entry.name if entry else "")
