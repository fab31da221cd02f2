"""The search index (Tantivy): derived from the store, and rebuilt from it whenever need be."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import tantivy

from reftel import tables
from reftel.archive.model import Count, Facets, Order
from reftel.archive.query import And, DateRange, Field, Not, Or, Query, Words
from reftel.telegram import Mrn, Telegram

INDEX_FORMAT = "1"
_HEAP_BYTES = 128_000_000
_UNDATED_LAST = 999_999_999_999
_FACETS = ("year", "post", "tags", "class")
_FACET_SIZE = 1000

_BOTH = ("subject", "text")
_SUBJECT_WEIGHT = 2.0


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", stored=True, indexed=True, fast=True)
    builder.add_unsigned_field("newest", fast=True)
    builder.add_unsigned_field("oldest", fast=True)
    builder.add_unsigned_field("day", indexed=True, fast=True)
    for name in ("subject", "text", "from", "to"):
        builder.add_text_field(name, tokenizer_name="folded", index_option="position")
    for name in (*_FACETS, "caption", "mrn"):
        builder.add_text_field(name, tokenizer_name="raw", fast=True, index_option="basic")
    return builder.build()


def _analyzer() -> tantivy.TextAnalyzer:
    """Words in lower case without accents: ÉLÉPHANT and elephant are one."""
    simple = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    return simple.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold()).build()


class SearchIndex:
    """The index folder; one writer at a time (the archive's lock sees to that)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = folder / "format"
        self._analyze = _analyzer()
        self._index: tantivy.Index
        self.is_new = False
        self._open()

    def _open(self) -> None:
        usable = self._mark.is_file() and self._mark.read_text() == INDEX_FORMAT
        if usable:
            try:
                self._use(tantivy.Index.open(str(self._folder)))
                return
            except (ValueError, OSError):
                # A damaged index is no loss: it is built again from the store.
                pass
        self.reset()

    def _use(self, index: tantivy.Index) -> None:
        index.register_tokenizer("folded", _analyzer())
        self._index = index

    def reset(self) -> None:
        """Begin an empty index; the caller fills it from the store."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._use(tantivy.Index(_schema(), path=str(self._folder)))
        self._mark.write_text(INDEX_FORMAT)
        self.is_new = True

    def update(self, gone: Iterable[int], telegrams: Iterable[tuple[int, Telegram]]) -> None:
        """Take documents out and put documents in, in one commit. Doing it twice is harmless."""
        writer = self._index.writer(_HEAP_BYTES, 1)
        for document in gone:
            writer.delete_documents_by_term("id", document)
        for document, telegram in telegrams:
            writer.add_document(_document(document, telegram))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def count(self) -> int:
        self._index.reload()
        return int(self._index.searcher().num_docs)

    def search(
        self, query: Query | None, order: Order, limit: int, offset: int
    ) -> tuple[int, list[int], Facets]:
        """How many documents match, the ids of a page of them, and the facets of all."""
        self._index.reload()
        searcher = self._index.searcher()
        built = self.build(query)
        field = None if order == "relevance" else order
        direction = tantivy.Order.Asc if order == "oldest" else tantivy.Order.Desc
        # Tantivy wants a limit of at least one.
        found = searcher.search(
            built, limit=max(limit, 1), offset=offset, order_by_field=field, order=direction
        )
        addresses = [address for _, address in found.hits][:limit]
        ids = [int(searcher.doc(address)["id"][0]) for address in addresses]
        return _total(found), ids, _facets(searcher, built)

    def tokens(self, text: str) -> list[str]:
        """The words of a text as the index holds them."""
        return list(self._analyze.analyze(text))

    def build(self, query: Query | None) -> tantivy.Query:
        """Tantivy's form of a query."""
        if query is None:
            return tantivy.Query.all_query()
        if isinstance(query, Words):
            return self._words(query)
        if isinstance(query, Field):
            return self._field(query)
        if isinstance(query, DateRange):
            return self._dates(query)
        if isinstance(query, Not):
            return _all(
                (tantivy.Query.all_query(), tantivy.Occur.Must),
                (self.build(query.query), tantivy.Occur.MustNot),
            )
        if isinstance(query, Or):
            return _all(*((self.build(inner), tantivy.Occur.Should) for inner in query.queries))
        assert isinstance(query, And)
        return _all(*((self.build(inner), tantivy.Occur.Must) for inner in query.queries))

    def _words(self, words: Words) -> tantivy.Query:
        tokens = self.tokens(words.text)
        if not tokens:
            return tantivy.Query.empty_query() if words.phrase else tantivy.Query.all_query()
        either = [
            (
                tantivy.Query.boost_query(
                    self._in_field(name, tokens, words.prefix), _weight(name)
                ),
                tantivy.Occur.Should,
            )
            for name in _BOTH
        ]
        return _all(*either)

    def _in_field(self, name: str, tokens: list[str], prefix: bool) -> tantivy.Query:
        schema = self._index.schema
        phrase: list[str | tuple[int, str]] = [*tokens]
        if prefix:
            if len(tokens) > 1:
                return tantivy.Query.phrase_prefix_query(schema, name, phrase)
            return tantivy.Query.regex_query(schema, name, f"{tokens[0]}.*")
        if len(tokens) > 1:
            # What one writes as one word (U.S.-EU) stands in the text as words in a row.
            return tantivy.Query.phrase_query(schema, name, phrase)
        return tantivy.Query.term_query(schema, name, tokens[0])

    def _field(self, field: Field) -> tantivy.Query:
        if field.name in ("from", "to", "subject"):
            tokens = self.tokens(field.value)
            return (
                self._in_field(field.name, tokens, False) if tokens else tantivy.Query.empty_query()
            )
        values = _raw_values(field.name, field.value)
        terms = [
            tantivy.Query.term_query(self._index.schema, field.name, value) for value in values
        ]
        return _all(*((term, tantivy.Occur.Should) for term in terms))

    def _dates(self, dates: DateRange) -> tantivy.Query:
        first = max(dates.first or 1, 1)
        end = dates.end if dates.end is not None else 99_999_999
        if end <= first:
            return tantivy.Query.empty_query()
        return tantivy.Query.range_query(
            self._index.schema, "day", tantivy.FieldType.Unsigned, first, end, True, False
        )


def _total(found: tantivy.SearchResult) -> int:
    # The attribute is there; the library's type stub does not name it.
    return int(getattr(found, "count") or 0)  # noqa: B009


def _weight(field: str) -> float:
    return _SUBJECT_WEIGHT if field == "subject" else 1.0


def _all(*clauses: tuple[tantivy.Query, tantivy.Occur]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(occur, query) for query, occur in clauses])


def _raw_values(name: str, value: str) -> list[str]:
    """The spellings under which a field's value is indexed."""
    if name == "post":
        letters = "".join(c for c in value.upper() if c.isalpha())
        return list({letters, tables.canonical_post(value) or letters})
    if name == "mrn":
        mrn = Mrn.parse(value)
        return [mrn.short if mrn else value.upper()]
    if name == "class":
        return [_full_class(value)]
    return [value.upper()]


def _full_class(value: str) -> str:
    """The classification that a short form stands for: `U`, `SBU`, `LOU`, `C`, `S`, `TS`."""
    short = {
        "U": "UNCLASSIFIED",
        "UNCLAS": "UNCLASSIFIED",
        "SBU": "SENSITIVE BUT UNCLASSIFIED",
        "LOU": "LIMITED OFFICIAL USE",
        "C": "CONFIDENTIAL",
        "S": "SECRET",
        "TS": "TOP SECRET",
    }
    return short.get(value.upper(), value.upper())


def _facets(searcher: tantivy.Searcher, query: tantivy.Query) -> Facets:
    wanted = {
        name: {"terms": {"field": name, "size": _FACET_SIZE, "segment_size": 100 * _FACET_SIZE}}
        for name in _FACETS
    }
    found = searcher.aggregate(query, wanted)
    counts = {
        name: tuple(Count(str(b["key"]), int(b["doc_count"])) for b in found[name]["buckets"])
        for name in _FACETS
    }
    by_size = {
        name: tuple(sorted(c, key=lambda c: (-c.count, c.value))) for name, c in counts.items()
    }
    return Facets(
        year=tuple(sorted(counts["year"], key=lambda c: c.value, reverse=True)),
        post=by_size["post"],
        tags=by_size["tags"],
        classification=by_size["class"],
    )


def _document(document: int, t: Telegram) -> tantivy.Document:
    doc = tantivy.Document()
    doc.add_unsigned("id", document)
    minute = int("".join(c for c in t.dtg[:16] if c.isdigit())) if t.dtg else 0
    doc.add_unsigned("newest", minute)
    doc.add_unsigned("oldest", minute or _UNDATED_LAST)
    doc.add_unsigned("day", minute // 10_000)
    doc.add_text("subject", t.subject or "")
    doc.add_text("text", index_text(t))
    doc.add_text("from", t.originator.name if t.originator else "")
    doc.add_text("to", " | ".join(a.name for a in (*t.action, *t.info)))
    if t.dtg or t.mrn:
        doc.add_text("year", t.dtg[:4] if t.dtg else str(t.mrn.year if t.mrn else ""))
    if t.mrn:
        doc.add_text("post", t.mrn.post)
        doc.add_text("mrn", t.mrn.short)
    for tag in t.tags:
        doc.add_text("tags", tag.code)
    if t.classification:
        doc.add_text("class", t.classification)
    for caption in t.captions:
        doc.add_text("caption", caption)
    return doc


def index_text(telegram: Telegram) -> str:
    """The words of a telegram that a search looks at, besides its subject: what a snippet shows."""
    parts = [telegram.text, *telegram.passing, telegram.signature or ""]
    parts += [reference.text for reference in telegram.references]
    return "\n".join(part for part in parts if part)
