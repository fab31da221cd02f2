"""The archive: one folder, `telegrams.db` (the truth) and `index/` (derived)."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

import reftel
from reftel.archive.copies import are_copies, quality
from reftel.archive.index import SearchIndex, index_text
from reftel.archive.model import Document, Hit, Order, Report, Results
from reftel.archive.query import Words, parse, words_of
from reftel.archive.snippet import snippet
from reftel.archive.store import Row, Store, StoreError
from reftel.sources import Incoming, Problem
from reftel.telegram import Mrn, Telegram

Reader = Callable[[str], Telegram]

_CATCH_UP = 2000


class Progress(msgspec.Struct, frozen=True):
    """How far an `add` has come: inputs dealt with so far, and the last one's path."""

    done: int
    path: str


class Archive:
    """Telegrams on disk. Open it with `Archive.open(folder)`, as a context manager."""

    def __init__(self, folder: Path, store: Store, index: SearchIndex) -> None:
        self.folder = folder
        self._store = store
        self._index = index

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the archive in a folder, or begin one there.

        An index that is missing, damaged or behind is built again or caught up. Raises
        `StoreError` if the folder holds something else.
        """
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder} is a file; an archive is a folder")
        database = folder / "telegrams.db"
        if folder.is_dir() and not database.exists() and any(folder.iterdir()):
            raise StoreError(f"{folder} holds other files and no archive; name an empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            store = Store(database)
            archive = cls(folder, store, SearchIndex(folder / "index"))
            archive._mend_index()
        return archive

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._store.close()

    # Keeping

    def add(
        self,
        incoming: Iterable[Incoming | Problem],
        *,
        batch: int = 500,
        on_progress: Callable[[Progress], None] | None = None,
        reader: Reader = reftel.read,
    ) -> Report:
        """File telegrams, one transaction a batch. A text that is held already changes nothing."""
        added = known = variants = done = 0
        problems: list[Problem] = []
        inputs = iter(incoming)
        with _lock(self.folder):
            while items := list(islice(inputs, batch)):
                readable = [item for item in items if isinstance(item, Incoming)]
                problems += [item for item in items if isinstance(item, Problem)]
                filed: list[str] = []
                with self._store.transaction():
                    for item in readable:
                        outcome = self._file(item, reader)
                        if isinstance(outcome, Problem):
                            problems.append(outcome)
                        else:
                            filed.append(outcome)
                self._catch_up()
                added += filed.count("added") + filed.count("variant")
                known += filed.count("known")
                variants += filed.count("variant")
                done += len(readable)
                if on_progress:
                    on_progress(Progress(done, items[-1].path))
        return Report(added, known, variants, tuple(problems))

    def _file(self, item: Incoming, reader: Reader) -> str | Problem:
        digest = hashlib.sha256(item.text.encode("utf-8", "surrogatepass")).hexdigest()
        if self._store.holds(digest):
            return "known"
        try:
            telegram = reader(item.text)
        except reftel.NotATelegram as refusal:
            return Problem(item.path, f"not a telegram: {refusal.why}")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reading_copy = self._reading_copy(telegram)
        goodness = quality(telegram)
        if reading_copy is None:
            self._store.insert(digest, item.path, now, telegram, goodness, None)
            return "added"
        if goodness > reading_copy.quality:
            better = self._store.insert(digest, item.path, now, telegram, goodness, None)
            self._store.make_variant(reading_copy.id, better)
        else:
            self._store.insert(digest, item.path, now, telegram, goodness, reading_copy.id)
        return "variant"

    def _reading_copy(self, telegram: Telegram) -> Row | None:
        """The reading copy that a telegram is another copy of, if it is held."""
        if telegram.mrn is None:
            return None
        for row in self._store.by_mrn(telegram.mrn.short):
            if row.variant_of is None and are_copies(self._store.telegram(row.id), telegram):
                return row
        return None

    def _mend_index(self) -> None:
        """After a crash: finish what was filed and not indexed, or begin the index again."""
        self._catch_up()
        if self._index.count() != self._store.count():
            self._fill_index()

    def _catch_up(self) -> None:
        """Index what the store lists as not indexed. The list shrinks only after the commit, so a
        crash in between repeats work and loses none."""
        while behind := self._store.unindexed(_CATCH_UP):
            rows = [self._store.by_id(document) for document in behind]
            wanted = [row.id for row in rows if row is not None and row.variant_of is None]
            self._index.update(behind, ((each, self._store.telegram(each)) for each in wanted))
            with self._store.transaction():
                self._store.mark_indexed(behind)

    def _fill_index(self) -> None:
        self._index.reset()
        with self._store.transaction():
            self._store.mark_all_unindexed()
        self._catch_up()

    def rebuild_index(self) -> None:
        """Build the index again from the store."""
        with _lock(self.folder):
            self._fill_index()

    def verify(self) -> list[Problem]:
        """What is damaged: documents that do not read or do not match their digest, the index."""
        problems: list[Problem] = []
        for document in self._store.ids():
            row = self._store.by_id(document)
            assert row is not None
            try:
                source = self._store.telegram(document).source
            except StoreError as error:
                problems.append(Problem(row.origin, str(error)))
                continue
            digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
            if digest != row.digest:
                problems.append(Problem(row.origin, "its text does not match its digest"))
        if self._index.count() != self._store.count():
            reason = "the index does not match the store; run reftel rebuild-index"
            problems.append(Problem(str(self.folder / "index"), reason))
        return problems

    # Finding

    def count(self) -> int:
        """How many telegrams there are, copies counted once."""
        return self._store.count()

    def search(
        self, query: str = "", *, order: Order | None = None, limit: int = 20, offset: int = 0
    ) -> Results:
        """Find telegrams (docs/search.md); best first if there are words to find, else newest.

        Raises `QueryError` for a query that cannot be understood.
        """
        parsed = parse(query)
        words = words_of(parsed)
        chosen: Order = order or ("relevance" if words else "newest")
        total, ids, facets = self._index.search(parsed, chosen, limit, offset)
        hits = tuple(hit for each in ids if (hit := self._hit(each, words)))
        return Results(query, chosen, total, offset, hits, facets)

    def _hit(self, document: int, words: list[Words]) -> Hit | None:
        row = self._store.by_id(document)
        if row is None:
            return None
        t = self._store.telegram(document)
        return Hit(
            digest=row.digest,
            mrn=t.mrn.short if t.mrn else None,
            dtg=t.dtg,
            originator=t.originator.name if t.originator else None,
            classification=t.classification,
            captions=t.captions,
            subject=t.subject,
            snippet=snippet(index_text(t), words),
        )

    def document(self, digest: str) -> Document | None:
        """The document whose digest begins so, if there is exactly one."""
        row = self._store.by_digest(digest.lower())
        return self._document(row) if row else None

    def cited_as(self, mrn: Mrn) -> tuple[Document, ...]:
        """All documents with a number: reading copies first, sections in order."""
        return tuple(self._document(row) for row in self._store.by_mrn(mrn.short))

    def last_number(self, post: str, year: int) -> int | None:
        """The highest number held of a post (letters alone) in a year."""
        return self._store.last_number(post, year)

    def variants(self, digest: str) -> tuple[Document, ...]:
        """Other copies of the telegram whose reading copy this is, or which this is a copy of."""
        row = self._store.by_digest(digest)
        if row is None:
            return ()
        reading_copy = row.variant_of or row.id
        first = self._store.by_id(reading_copy)
        rows = [*([first] if first else []), *self._store.variants(reading_copy)]
        return tuple(self._document(each) for each in rows if each.id != row.id)

    def citing(self, mrn: Mrn) -> tuple[Hit, ...]:
        """The telegrams that refer to a number, oldest first."""
        return tuple(hit for each in self._store.citing(mrn.short) if (hit := self._hit(each, [])))

    def held(self, mrns: Iterable[str]) -> frozenset[str]:
        """Which of these numbers, in short spelling, have a document here."""
        return self._store.held(mrns)

    def _document(self, row: Row) -> Document:
        reading_copy = self._store.by_id(row.variant_of) if row.variant_of else None
        return Document(
            digest=row.digest,
            origin=row.origin,
            filed=row.filed,
            telegram=self._store.telegram(row.id),
            variant_of=reading_copy.digest if reading_copy else None,
        )


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One writer at a time; a second waits for the first. The lock falls with its process."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
