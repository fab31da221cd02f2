"""What one reader sees: search, look up, follow. Nothing that the reader may not read is opened.

Every answer comes from documents under labels that the reader holds, and from their indexes, so that it
equals the answer of an archive that never held the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import tantivy

from reftel.access import Reader
from reftel.archive.build import build
from reftel.archive.entry import index_text
from reftel.archive.index import FACETS, Indexes
from reftel.archive.model import Count, Document, Facets, Hit, Order, Results
from reftel.archive.query import Words, parse, words_of
from reftel.archive.snippet import snippet
from reftel.archive.store import Row, Store
from reftel.telegram import Mrn


class View:
    """The archive for one reader."""

    def __init__(self, store: Store, indexes: Indexes, reader: Reader) -> None:
        self._store = store
        self._indexes = indexes
        self.reader = reader
        self._outdone: tuple[object, dict[int, list[int]]] | None = None

    @property
    def _labels(self) -> tuple[int, ...]:
        """The labels whose documents and indexes may be opened."""
        labels = self._store.labels()
        return tuple(sorted(id_ for id_, label in labels.items() if self.reader.may_read(label)))

    def count(self) -> int:
        """How many telegrams there are, copies counted once."""
        labels = self._labels
        outdone = self._worse_copies(labels)
        return self._store.count(labels) - sum(map(len, outdone.values()))

    def _worse_copies(self, labels: tuple[int, ...]) -> dict[int, list[int]]:
        """Label → documents in its index that this reader has a better copy of under another."""
        key = (labels, self._store.state)
        if self._outdone is None or self._outdone[0] != key:
            self._outdone = (key, self._store.outdone(labels))
        return self._outdone[1]

    # Searching

    def search(
        self, query: str = "", *, order: Order | None = None, limit: int = 20, offset: int = 0
    ) -> Results:
        """Find telegrams (docs/search.md); best first if there are words to find, else newest.

        Raises `QueryError` for a query that cannot be understood.
        """
        parsed = parse(query)
        words = words_of(parsed)
        chosen: Order = order or ("relevance" if words else "newest")
        if chosen == "relevance" and not words:
            # Nothing to rank by.
            chosen = "newest"
        total, ids, facets = self._find(build(parsed), chosen, limit, offset)
        hits = tuple(hit for each in ids if (hit := self._hit(each, words)))
        return Results(query, chosen, total, offset, hits, facets)

    def _find(
        self, query: tantivy.Query, order: Order, limit: int, offset: int
    ) -> tuple[int, list[int], Facets]:
        """How many match, the documents of one page, and the counts over all."""
        labels = self._labels
        outdone = self._worse_copies(labels)
        total = 0
        found = []
        counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
        for label in labels:
            index = self._indexes.of(label)
            within = _without(query, outdone.get(label))
            # Tantivy wants a limit of at least one.
            matching, top = index.top(within, order, max(offset + limit, 1))
            total += matching
            found += top
            if matching:
                for name, values in index.counts(within).items():
                    counts[name].update(values)
        found.sort(reverse=order == "newest")
        ids = [each.document for each in found[offset : offset + limit]]
        return total, ids, _facets(counts)

    def _hit(self, document: int, words: list[Words]) -> Hit | None:
        row = self._store.by_id(document)
        if row is None:
            return None
        t = self._store.telegram(document)
        return Hit(
            digest=row.digest.hex(),
            mrn=t.mrn.short if t.mrn else None,
            dtg=t.dtg,
            originator=t.originator.name if t.originator else None,
            classification=t.classification,
            captions=t.captions,
            subject=t.subject,
            snippet=snippet(index_text(t), words),
        )

    # Looking up

    def document(self, digest: str) -> Document | None:
        """The document whose digest begins so, if there is exactly one."""
        row = self._store.by_digest(digest.lower(), self._labels)
        return self._document(row) if row else None

    def cited_as(self, mrn: Mrn) -> tuple[Document, ...]:
        """All documents with a number: reading copies first, sections in order."""
        rows = self._store.by_number((mrn.post, mrn.year, mrn.number), self._labels)
        best: dict[int, Row] = {}
        for row in rows:
            best.setdefault(row.telegram, row)
        others = [row for row in rows if best[row.telegram] is not row]
        return tuple(self._document(row) for row in (*best.values(), *others))

    def last_number(self, post: str, year: int) -> int | None:
        """The highest number held of a post (letters alone) in a year."""
        return self._store.last_number(post, year, self._labels)

    def variants(self, digest: str) -> tuple[Document, ...]:
        """The other copies of a document's telegram, the best first."""
        labels = self._labels
        row = self._store.by_digest(digest, labels)
        if row is None:
            return ()
        copies = self._store.copies(row.telegram, labels)
        return tuple(self._document(each) for each in copies if each.id != row.id)

    def citing(self, mrn: Mrn) -> tuple[Hit, ...]:
        """The telegrams that refer to a number, oldest first."""
        found = self._store.citing((mrn.post, mrn.year, mrn.number), self._labels)
        return tuple(hit for each in found if (hit := self._hit(each, [])))

    def held(self, mrns: Iterable[str]) -> frozenset[str]:
        """Which of these numbers, in short spelling, have a document here."""
        asked = {(m.post, m.year, m.number): text for text in mrns if (m := Mrn.parse(text))}
        return frozenset(asked[number] for number in self._store.held(asked, self._labels))

    def _document(self, row: Row) -> Document:
        copies = self._store.copies(row.telegram, self._labels)
        best = copies[0] if copies else row
        return Document(
            digest=row.digest.hex(),
            origin=row.origin,
            filed=datetime.fromtimestamp(row.filed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            telegram=self._store.telegram(row.id),
            variant_of=best.digest.hex() if best.id != row.id else None,
        )


def _without(query: tantivy.Query, documents: list[int] | None) -> tantivy.Query:
    if not documents:
        return query
    from reftel.archive.index import schema

    gone = tantivy.Query.term_set_query(schema(), "id", documents)
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.MustNot, gone)])


def _facets(counts: dict[str, Counter[str]]) -> Facets:
    def by_size(name: str) -> tuple[Count, ...]:
        found = [Count(value, count) for value, count in counts[name].items()]
        return tuple(sorted(found, key=lambda each: (-each.count, each.value)))

    return Facets(
        year=tuple(sorted(by_size("year"), key=lambda each: each.value, reverse=True)),
        post=by_size("post"),
        tags=by_size("tags"),
        classification=by_size("class"),
    )
