"""What one reader sees: search, look up, follow. Nothing that the reader may not read is opened.

Every answer comes from documents under labels that the reader holds, and from their indexes, so that it
equals the answer of an archive that never held the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence, Set
from datetime import UTC, datetime
from functools import cache
from heapq import merge
from pathlib import Path

import msgspec
import tantivy

from reftel.access import Deed, Reader
from reftel.archive import spread
from reftel.archive.alike import alike
from reftel.archive.asking import Asking
from reftel.archive.build import build
from reftel.archive.entry import index_text
from reftel.archive.gaps import Gaps
from reftel.archive.graph import Graph
from reftel.archive.index import Found, Indexes, Vocabulary
from reftel.archive.model import Card, DamagedError, Document, Hit, Order, Results, TimeOrder
from reftel.archive.query import Words, parse, words_of
from reftel.archive.rows import Row
from reftel.archive.snippet import snippet
from reftel.archive.spelling import corrected
from reftel.archive.store import Store
from reftel.read.sections import NotOneTelegramError, join
from reftel.telegram import Mrn, Telegram

Observer = Callable[[Deed], None]
"""Is told of what a reader asked for, for the audit trail."""
Outdone = dict[tuple[int, ...], tuple[object, dict[int, frozenset[int]]]]
"""For the labels that a reader holds, in a state of the store: label → documents that are outdone."""

_PLACE_WITHIN = re.compile(r"(?:#[a-z]+-[0-9]+)+\Z")

# How many results are read from an index at a time where all are wanted.
_PAGE = 5000
_NONE: frozenset[int] = frozenset()
# An index of so many times fewer telegrams than the largest adds nothing to what is known of words.
_SMALL = 20
# With so few results at most, a word that stands somewhere may still be a slip.
_FEW = 5
_WAY_BACK = "restore a backup, or take what can be read along: reftel archive verify, salvage"


class View:
    """The archive for one reader; `folder` is where stands what is kept beside it."""

    folder: Path

    def __init__(
        self,
        store: Store,
        indexes: Indexes,
        reader: Reader,
        observer: Observer | None = None,
        outdone: Outdone | None = None,
        witness: Store | None = None,
    ) -> None:
        """The witness is asked what is held and closed to the reader, where the store does not tell it."""
        self._store = store
        self._witness = witness or store
        self._indexes = indexes
        self.reader = reader
        self._observer = observer
        self._outdone: Outdone = {} if outdone is None else outdone

    @property
    def _labels(self) -> tuple[int, ...]:
        """The labels whose documents and indexes may be opened."""
        labels = self._store.labels()
        return tuple(sorted(id_ for id_, label in labels.items() if self.reader.may_read(label)))

    def count(self) -> int:
        """How many telegrams there are, copies counted once."""
        labels = self._labels
        outdone = self._worse_copies(labels)
        held = sum(self._store.counts(labels).values())
        return held - sum(map(len, outdone.values()))

    def _worse_copies(self, labels: tuple[int, ...]) -> dict[int, frozenset[int]]:
        """Label → documents in its index that this reader has a better copy of under another."""
        state = self._store.state
        kept = self._outdone.get(labels)
        if kept is None or kept[0] != state:
            kept = self._outdone[labels] = (state, spread.outdone(self._store, labels))
        return kept[1]

    def _tell(self, kind: str, what: str, found: int | None = None) -> None:
        if self._observer is not None:
            self._observer(Deed(kind, what, found))

    # Searching

    def search(
        self, query: str = "", *, order: Order | None = None, limit: int = 20, offset: int = 0
    ) -> Results:
        """Find telegrams (docs/search.md); best first if there are whole words to find, else newest.

        Raises `QueryError` for a query that cannot be understood.
        """
        parsed = parse(query)
        words = words_of(parsed)
        chosen: Order = order or "relevance"
        if chosen == "relevance" and all(each.prefix and not each.phrase for each in words):
            # Nothing to rank by: all words that begin alike count the same.
            chosen = "newest"
        labels, wanted = self._labels, build(parsed)

        @cache
        def asking() -> Asking:
            return self._ask(wanted, chosen, offset + limit, labels)

        @cache
        def page() -> tuple[Hit, ...]:
            found = asking().first()[offset : offset + limit]
            return tuple(hit for each in found if (hit := self._hit(each.document, words, labels)))

        # Remembered for the next page until something changes, in the store or in an index: whatever does
        # from here on.
        states = tuple(self._indexes.of(label).state for label in labels)
        total, facets = self._store.remembered(
            ("counts", labels, states, query), lambda: asking().counts(meanwhile=page)
        )
        hits = page()
        suggestion = self._suggestion(query, total) if parsed else None
        self._tell("search", query, total)
        return Results(query, chosen, total, offset, hits, facets, suggestion)

    def named(self, query: str) -> Mrn | None:
        """The number that a whole query is, if a telegram has it: somebody may want this one, and not what
        its words find."""
        mrn = Mrn.parse(query)
        return mrn if mrn and self.held((mrn.short,)) else None

    def every(self, query: str = "", order: TimeOrder = "newest") -> Iterator[Document]:
        """All results, one after another, however many: memory stays flat. Raises `QueryError`."""
        wanted = build(parse(query))
        self._tell("export", query)
        return (
            self._document(row)
            for each in self._through(wanted, order)
            if (row := self._readable(each.document, self._labels))
        )

    def keys(self, query: str) -> Iterator[int]:
        """The keys of all results, newest first: a key is a telegram's minute and a part of its digest,
        the same wherever it is filed. Raises `QueryError`."""
        wanted = build(parse(query))
        self._tell("search", query)
        return (int(each.rank) for each in self._through(wanted, "newest"))

    def hits(self, query: str, keys: Container[int]) -> Iterator[Hit]:
        """Those of all results that have one of some keys, newest first. Raises `QueryError`."""
        parsed = parse(query)
        words, labels = words_of(parsed), self._labels
        return (
            hit
            for each in self._through(build(parsed), "newest")
            if int(each.rank) in keys and (hit := self._hit(each.document, words, labels))
        )

    def _through(self, query: tantivy.Query, order: TimeOrder) -> Iterator[Found]:
        """All that match, in an order of time, read page by page from each label's index."""
        labels = self._labels
        outdone = self._worse_copies(labels)

        def within(label: int) -> Iterator[Found]:
            index = self._indexes.of(label)
            worse = outdone.get(label, _NONE)
            after: int | None = None
            while page := index.page(query, order, after, _PAGE):
                yield from (each for each in page if each.document not in worse)
                after = int(page[-1].rank)

        found = (within(label) for label in labels)
        return merge(*found, key=lambda each: each.rank, reverse=order == "newest")

    def like(self, digest: str, limit: int = 10, *, asked: bool = True) -> tuple[Hit, ...]:
        """The telegrams most like a document by the words that mark it out, the most alike first. What a
        page finds for itself was not `asked` for."""
        labels = self._labels
        row = self._store.by_digest(digest, labels)
        if row is None:
            return ()
        if asked:
            self._tell("search", f"like {row.digest.hex()}")
        t, _ = _record(self._store, row)
        sizes = {label: self._indexes.of(label).count() for label in labels}
        # How common a word is, the largest tell; and its own, whether it stands in another telegram.
        telling = [
            label
            for label in labels
            if label == row.label or sizes[label] >= max(sizes.values()) / _SMALL
        ]
        query = alike(
            t.subject or "",
            index_text(t),
            Vocabulary(self._indexes.of(label) for label in telling),
            sum(sizes[label] for label in telling),
        )
        copies = {each.id for each in self._store.copies(row.telegram, labels)}
        nearest = self._ask(query, "relevance", limit, labels, copies).first()[:limit]
        return tuple(hit for each in nearest if (hit := self._hit(each.document, [], labels)))

    def _suggestion(self, query: str, total: int) -> str | None:
        """The query with its misspelt words put right, if it finds something then."""
        if not self._witness.made_anew().isdisjoint(self._labels):
            # Its words may be those of a telegram that has just been closed.
            return None
        words = Vocabulary(self._indexes.of(label) for label in self._labels)
        better = corrected(query, words, rare=total <= _FEW)
        if better is None:
            return None
        wanted = build(parse(better))
        found = self._ask(wanted, "newest", 1, self._labels).first()
        return better if found else None

    def _ask(
        self,
        query: tantivy.Query,
        order: Order,
        limit: int,
        labels: tuple[int, ...],
        left_out: Set[int] = _NONE,
    ) -> Asking:
        return Asking(
            self._indexes,
            labels,
            lambda: self._worse_copies(labels),
            query,
            order,
            limit,
            left_out,
        )

    def _readable(self, document: int, labels: Collection[int]) -> Row | None:
        """The row of a document that an index names, unless it has come under another label since: a
        decision is in the store before it is in the index, and counts from then on."""
        row = self._store.by_id(document)
        return row if row is not None and row.label in labels else None

    def _hit(self, document: int, words: list[Words], labels: Collection[int]) -> Hit | None:
        row = self._readable(document, labels)
        if row is None:
            return None
        t, damaged = _record(self._store, row, elements=False)
        return Hit(
            digest=row.digest.hex(),
            mrn=t.mrn.short if t.mrn else None,
            dtg=t.dtg,
            originator=t.originator.name if t.originator else None,
            classification=t.classification,
            captions=t.captions,
            subject=t.subject,
            snippet=snippet(index_text(t), words),
            damaged=damaged,
        )

    # Looking up

    @property
    def graph(self) -> Graph:
        """Who cites whom, as this reader sees it."""
        return Graph(self._store, self._labels)

    @property
    def gaps(self) -> Gaps:
        """Which numbers are missing, as this reader sees it."""
        return Gaps(self._store, self._labels)

    def lost(self, digest: str) -> str | None:
        """Why a document has no text; `None` where it has one."""
        row = self._store.by_digest(digest, self._labels)
        return self._store.lost(row.id) if row else None

    def related(self, query: str, order: Order, limit: int) -> list[Document]:
        """What a query finds, for what a page works out by itself: nobody searches, and nobody opens what
        is found; what is damaged is left to those who do. Raises `QueryError`."""
        labels = self._labels
        found = self._ask(build(parse(query)), order, limit, labels).first()[:limit]
        rows = (self._readable(each.document, labels) for each in found)
        documents = (self._document(row) for row in rows if row)
        return [document for document in documents if not document.damaged]

    def numbered(self, document: int) -> Document:
        """The document with an id that `graph` gave."""
        row = self._store.by_id(document)
        assert row is not None
        assert row.label in self._labels
        return self._document(row)

    def document(self, digest: str, *, damaged: bool = False) -> Document | None:
        """The document whose digest begins so, if there is exactly one. Raises `DamagedError` unless what
        is known of a `damaged` one is enough."""
        row = self._store.by_digest(digest.lower(), self._labels)
        self._tell_of(
            digest,
            [row] if row else [],
            lambda store, labels: _named(store, digest, labels),
        )
        return _readable_of([self._document(row)], damaged)[0] if row else None

    def cited_as(self, mrn: Mrn, *, damaged: bool = False) -> tuple[Document, ...]:
        """All documents with a number: reading copies first, sections in order, and last what cannot be
        read. Raises `DamagedError` if that is all, unless what is known of `damaged` ones is enough."""
        number = (mrn.post, mrn.year, mrn.number)
        rows = self._store.by_number(number, self._labels)
        self._tell_of(mrn.short, rows, lambda store, labels: store.by_number(number, labels))
        found = [(row.telegram, self._document(row)) for row in rows]
        found.sort(key=lambda each: each[1].damaged is not None)
        best: dict[int, Document] = {}
        for telegram, document in found:
            best.setdefault(telegram, document)
        others = []
        for telegram, document in found:
            # In the place of a better copy that is damaged stands the best that can be read.
            if (first := best[telegram]) is document:
                if document.variant_of in {d.digest for t, d in found if t == telegram}:
                    best[telegram] = msgspec.structs.replace(document, variant_of=None)
            elif first.damaged is None and document.damaged is not None:
                others.append(msgspec.structs.replace(document, variant_of=first.digest))
            else:
                others.append(document)
        return tuple(_readable_of([*best.values(), *others], damaged))

    def _tell_of(
        self,
        name: str,
        opened: list[Row],
        asked: Callable[[Store, Collection[int]], list[Row]],
    ) -> None:
        """Tell the observer what is opened, and what of the same is held and closed to this reader, who
        learns nothing of it: what is not held at all is told as well, so that it takes the same time."""
        if self._observer is None:
            return
        for row in opened:
            self._tell("open", row.digest.hex())
        closed = asked(self._witness, self._witness.labels().keys() - set(self._labels))
        for row in closed:
            self._tell("refused", row.digest.hex())
        if not opened and not closed:
            self._tell("not-held", name)

    def cards(self, mrn: Mrn) -> tuple[Card, ...]:
        """The withdrawal cards of the telegrams with a number that this reader may know of and not read."""
        number = (mrn.post, mrn.year, mrn.number)
        return self._cards(self._witness.by_number(number, self._closed))

    def card(self, digest: str) -> Card | None:
        """The withdrawal card of the document whose digest begins so."""
        cards = self._cards(_named(self._witness, digest, self._closed))
        return cards[0] if cards else None

    def withdrawn(self, post: str, year: int) -> tuple[int, ...]:
        """The numbers of a post and year of which this reader is given a withdrawal card."""
        rows = self._witness.numbered(post, year, self._closed) if self._closed else []
        labels = self._labels
        return tuple(
            sorted(
                {
                    row.number
                    for row in rows
                    if row.number is not None and not self._store.copies(row.telegram, labels)
                }
            )
        )

    @property
    def _closed(self) -> tuple[int, ...]:
        """The labels whose documents may be known of and not read."""
        return tuple(
            id_
            for id_, label in self._witness.labels().items()
            if self.reader.may_know_of(label) and not self.reader.may_read(label)
        )

    def _cards(self, rows: list[Row]) -> tuple[Card, ...]:
        found: dict[int, Card] = {}
        for row in rows:
            if row.telegram in found or self._store.copies(row.telegram, self._labels):
                # A copy of it can be read.
                continue
            t, _ = _record(self._witness, row)
            found[row.telegram] = Card(
                mrn=t.mrn.short if t.mrn else None,
                dtg=t.dtg,
                originator=t.originator.name if t.originator else None,
                to=tuple(each.name for each in t.action),
                classification=self._witness.labels()[row.label].classification,
            )
            self._tell("card", row.digest.hex())
        return tuple(found.values())

    def whole(self, documents: Sequence[Document]) -> Document | None:
        """The telegram that its sections make, where documents of their own hold each of them and
        nothing else: with the digest of the first."""
        sections = [d.telegram.section for d in documents]
        numbers = [each.number if each else 0 for each in sections]
        of = {each.of if each else None for each in sections}
        if len(documents) < 2 or len(of) != 1 or numbers != list(range(1, (of.pop() or 0) + 1)):
            return None
        try:
            joined = join(document.telegram for document in documents)
        except NotOneTelegramError:
            return None
        return msgspec.structs.replace(documents[0], telegram=joined)

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
        labels = self._labels
        found = self._store.citing((mrn.post, mrn.year, mrn.number), labels)
        return tuple(hit for each in found if (hit := self._hit(each, [], labels)))

    def held(self, mrns: Iterable[str]) -> frozenset[str]:
        """Which of these numbers, in short spelling, have a document here."""
        asked = {(m.post, m.year, m.number): text for text in mrns if (m := Mrn.parse(text))}
        return frozenset(asked[number] for number in self._store.held(asked, self._labels))

    def _document(self, row: Row) -> Document:
        copies = self._store.copies(row.telegram, self._labels)
        best = copies[0] if copies else row
        telegram, damaged = _record(self._store, row)
        return Document(
            digest=row.digest.hex(),
            # The folders of the machine, and where it stood among others, are the owner's to know.
            origin=_named_alone(row.origin) if self.reader.name else row.origin,
            filed=datetime.fromtimestamp(row.filed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            telegram=telegram,
            variant_of=best.digest.hex() if best.id != row.id else None,
            damaged=damaged,
        )


def _record(store: Store, row: Row, *, elements: bool = True) -> tuple[Telegram, str | None]:
    """The record of a document; where it cannot be read, what else is known, and why with what to do."""
    try:
        return store.telegram(row.id, elements=elements), None
    except DamagedError as error:
        return row.stand_in, f"{error}; {_WAY_BACK}"


def _readable_of(documents: list[Document], damaged: bool) -> list[Document]:
    if documents and documents[0].damaged and not damaged:
        raise DamagedError(documents[0].damaged)
    return documents


def _named(store: Store, digest: str, labels: Collection[int]) -> list[Row]:
    row = store.by_digest(digest.lower(), labels)
    return [row] if row else []


def _named_alone(origin: str) -> str:
    """An origin without the folder, and without the place within a file that held others too."""
    if origin.startswith("centre/"):
        return origin
    return _PLACE_WITHIN.sub("", origin).rpartition("/")[2]
