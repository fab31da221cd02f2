"""The search index of the telegrams under one label (Tantivy): derived, and made again when need be."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Concatenate, NamedTuple, ParamSpec, Protocol, Self, TypeVar

import tantivy

from reftel.archive import facets
from reftel.archive.facets import COLUMNS, Counted, Values
from reftel.archive.model import DamagedIndexError, NoRoomError, Order, StoreError, TimeOrder
from reftel.archive.stand import Stand
from reftel.archive.words import analyzer

WORDS = ("from", "action", "info", "drafted", "approved", "cleared", "signed")
CODES = ("caption", "office", "exemption", "precedence", "cites", "has", "form")
_AT_A_TIME = 1000
_EQUALS = 100
# So many values of a column are counted exactly.
_MOST_VALUES = 5000

# What a part of an index grows to in memory before it is written: ten thousand entries fill the larger,
# and to write them as one takes a tenth less time, and a sixth less room, than as three.
_HEAP_BYTES, _LARGE_HEAP_BYTES = 20_000_000, 64_000_000


@cache
def schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", indexed=True, fast=True)
    builder.add_unsigned_field("newest", fast=True)
    builder.add_unsigned_field("oldest", fast=True)
    builder.add_unsigned_field("day", indexed=True, fast=True)
    for name in ("subject", "text", *WORDS):
        builder.add_text_field(name, tokenizer_name="folded", index_option="position")
    for name in (*COLUMNS, "tags", *CODES, "mrn"):
        builder.add_text_field(
            name, tokenizer_name="raw", fast=name in COLUMNS, index_option="basic"
        )
    # Two of the commonest words in a row as one.
    builder.add_text_field("pairs", tokenizer_name="whitespace", index_option="freq")
    return builder.build()


# Beside the folder of the indexes, while others are made to take their place.
NEW, OLD = "index.new", "index.old"
# Among them, while an empty one is made: after so many seconds whoever made it has gone.
_BEGUN, _LEFT_S = "new-", 600.0


class Found(NamedTuple):
    """A result within one label: its score or its key of time, what breaks a tie, and the document."""

    rank: float
    tie: int
    document: int


def _not_written(folder: Path, error: Exception) -> StoreError:
    # What the index library says of a writer that the disk stopped is often only that it was stopped.
    kind = StoreError
    try:
        with TemporaryFile(dir=folder if folder.exists() else folder.parent) as probe:
            probe.write(bytes(_HEAP_BYTES))
    except OSError as found:
        kind, error = NoRoomError, found
    return kind(
        f"the index in {folder} cannot be written: {error}; see whether its disk is full or read-only."
        " Telegrams that were filed are kept, and indexed when the archive is next opened."
    )


_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


class _InFolder(Protocol):
    @property
    def _folder(self) -> Path: ...


_Looks = TypeVar("_Looks", bound=_InFolder)


def _looking(
    method: Callable[Concatenate[_Looks, _Given], _Answer],
) -> Callable[Concatenate[_Looks, _Given], _Answer]:
    """A method that looks into an index, and says so where it is damaged."""

    @wraps(method)
    def looking(index: _Looks, /, *given: _Given.args, **named: _Given.kwargs) -> _Answer:
        try:
            return method(index, *given, **named)
        except DamagedIndexError:
            raise
        except BaseException as error:
            # What Tantivy panics at is no `Exception`.
            if not isinstance(error, ValueError) and type(error).__name__ != "PanicException":
                raise
            raise DamagedIndexError(
                f"the index in {index._folder} is damaged: {error}; run reftel archive rebuild-index"
            ) from error

    return looking


class LabelIndex:
    """One index folder; one writer at a time (the archive's lock sees to that). What looks into one that is
    damaged raises `DamagedIndexError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._meta = folder / "meta.json"
        self._state = (0, 0)
        self._writer: tantivy.IndexWriter | None = None
        self._changed = False
        # One object for each value, whatever the number of documents that have it.
        self._values: dict[int, Values] = {}
        self._known: dict[tuple[str, str], tuple[str, str]] = {}
        self._reading = threading.Lock()
        self._documents: tuple[object, tantivy.Searcher | None, frozenset[int]]
        self._documents = (None, None, frozenset())
        if not self._meta.exists():
            self._begin()
        self._index = self._opened()

    @_looking
    def _opened(self) -> tantivy.Index:
        index = tantivy.Index.open(str(self._folder))
        index.config_reader("manual")
        index.register_tokenizer("folded", analyzer())
        return index

    def _begin(self) -> None:
        """Begin an empty index, put in its place whole: another process may look for it, or begin it, at
        the same time, and an empty index is the same whoever made it."""
        if self._folder.exists() and not self._meta.exists():
            # It was not put there just now, which is done whole: a folder that is damaged.
            shutil.rmtree(self._folder, ignore_errors=True)
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=_BEGUN, dir=self._folder.parent) as place:
                made = Path(place) / "index"
                made.mkdir()
                tantivy.Index(schema(), path=str(made))
                made.rename(self._folder)
        except (ValueError, OSError) as error:
            # Somebody else's that is there by now is as good.
            if not self._meta.exists():
                raise _not_written(self._folder, error) from error

    # Writing

    def add(self, entries: Iterable[tuple[int, str]], *, many: bool = False) -> None:
        """Add the entries of documents, as `line_of` makes them; `many` are thousands."""
        with self._writing(_LARGE_HEAP_BYTES if many else _HEAP_BYTES) as writer:
            for document, line in entries:
                writer.add_json(f'{{"id":{document},{line[1:]}')

    def remove(self, document: int) -> None:
        # By query: by term, an unsigned number is taken for a signed one and nothing is removed.
        query = tantivy.Query.term_query(schema(), "id", document)
        with self._writing() as writer:
            writer.delete_documents_by_query(query)

    def clear(self, *, many: bool = False) -> None:
        """Remove every entry with the next commit, so that nothing of them remains: an entry removed by
        itself goes on to count in the frequencies of words until its part of the index is written anew.
        `many`: thousands are added before it."""
        with self._writing(_LARGE_HEAP_BYTES if many else _HEAP_BYTES) as writer:
            writer.delete_all_documents()

    @contextmanager
    def _writing(self, heap: int = _HEAP_BYTES) -> Iterator[tantivy.IndexWriter]:
        try:
            if self._writer is None:
                self._writer = self._index.writer(heap, 1)
            self._changed = True
            yield self._writer
        except (ValueError, OSError) as error:
            raise _not_written(self._folder, error) from error

    def commit(self) -> None:
        """Make what was added and removed since the last commit visible; on disk when this returns."""
        if self._writer is not None and self._changed:
            with self._writing() as writer:
                writer.commit()
            self._changed = False

    def end_writing(self) -> None:
        """Commit, let merges end, and let go of the folder."""
        self.commit()
        if self._writer is not None:
            with self._writing() as writer:
                writer.wait_merging_threads()
            self._writer = None

    def abandon(self) -> None:
        """Let go of the folder without committing; the store knows what is not indexed."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        # Not left to the collector: whoever holds the error that stopped it holds the writer as well, and
        # the writer the folder. Rolled back, it has no merges to be waited for.
        for let_go in (writer.rollback, writer.wait_merging_threads):
            with suppress(ValueError, OSError):
                let_go()

    # Finding

    @property
    @_looking
    def searcher(self) -> tantivy.Searcher:
        """Of the newest commit, whichever process made it."""
        self._look()
        return self._index.searcher()

    @property
    @_looking
    def state(self) -> object:
        """Changes whenever the index does, whichever process wrote it."""
        return self._look()

    def _look(self) -> tuple[int, int]:
        """Which commit is the newest; it is the one that is searched from now on."""
        # While others are put in the place of these there is none to be seen.
        with suppress(FileNotFoundError):
            status = self._meta.stat()
            state = (status.st_mtime_ns, status.st_ino)
            if state != self._state:
                self._index.reload()
                self._state = state
        return self._state

    def count(self) -> int:
        return int(self.searcher.num_docs)

    @_looking
    def top(
        self,
        searcher: tantivy.Searcher,
        query: tantivy.Query,
        order: Order,
        limit: int,
        without: Set[int],
    ) -> tuple[int, list[Found]]:
        """How many match, and the first of them but for some documents, in an order that no storage shows
        in: equal scores stand by time and digest."""
        # Tantivy makes room for as many as are asked for.
        limit = max(min(limit, int(searcher.num_docs)), 1)
        # Equals are common, and to look once more takes twice the time.
        size = limit + _EQUALS
        while True:
            if order == "relevance":
                found = searcher.search(query, limit=size)
            else:
                direction = tantivy.Order.Asc if order == "oldest" else tantivy.Order.Desc
                found = searcher.search(query, limit=size, order_by_field=order, order=direction)
            addresses = [address for _, address in found.hits]
            ids = searcher.fast_field_values("id", addresses)
            if order == "relevance":
                keys = searcher.fast_field_values("newest", addresses)
                hits = [
                    Found(-score, -int(key or 0), int(i or 0))
                    for (score, _), key, i in zip(found.hits, keys, ids, strict=True)
                ]
            else:
                hits = [
                    Found(key, 0, int(i or 0)) for (key, _), i in zip(found.hits, ids, strict=True)
                ]
            kept = [each for each in hits if each.document not in without]
            if len(hits) == size:
                # The equals of the last may go on behind it.
                kept = [each for each in kept if each.rank != hits[-1].rank]
            if len(kept) >= limit or len(hits) < size:
                return _total(found), (sorted(kept) if order == "relevance" else kept)[:limit]
            size = min(4 * size, int(searcher.num_docs) + 1)

    @_looking
    def page(
        self, query: tantivy.Query, order: TimeOrder, after: int | None, limit: int
    ) -> list[Found]:
        """The first of the results that stand behind a key of time in an order: what has been passed
        costs nothing, however far on."""
        if after is not None:
            bounds = (None, after - 1) if order == "newest" else (after + 1, None)
            behind = tantivy.Query.range_query(schema(), order, tantivy.FieldType.Unsigned, *bounds)
            query = tantivy.Query.boolean_query(
                [(tantivy.Occur.Must, query), (tantivy.Occur.Must, behind)]
            )
        searcher = self.searcher
        direction = tantivy.Order.Asc if order == "oldest" else tantivy.Order.Desc
        found = searcher.search(
            query, limit=limit, count=False, order_by_field=order, order=direction
        )
        ids = searcher.fast_field_values("id", [address for _, address in found.hits])
        return [Found(key, 0, int(i or 0)) for (key, _), i in zip(found.hits, ids, strict=True)]

    @_looking
    def between(self, first: int, last: int) -> list[tuple[int, int]]:
        """The documents in the index with ids from one to another, each with its key of time and digest."""
        query = tantivy.Query.range_query(schema(), "id", tantivy.FieldType.Unsigned, first, last)
        searcher = self.searcher
        found = searcher.search(query, limit=2 * (last - first + 1))
        addresses = [address for _, address in found.hits]
        ids = searcher.fast_field_values("id", addresses)
        keys = searcher.fast_field_values("newest", addresses)
        return [(int(each or 0), int(key or 0)) for each, key in zip(ids, keys, strict=True)]

    def holds(self, document: int) -> bool:
        return self.matching(tantivy.Query.term_query(schema(), "id", document)) > 0

    @_looking
    def among(
        self, searcher: tantivy.Searcher, query: tantivy.Query, matching: int, documents: Set[int]
    ) -> list[int]:
        """Those of some documents that a query finds, which finds so many in all."""
        limit = min(matching, len(documents))
        if limit == 0:
            return []
        if len(documents) < matching:
            chosen = tantivy.Query.term_set_query(schema(), "id", list(documents))
            query = tantivy.Query.boolean_query(
                [(tantivy.Occur.Must, query), (tantivy.Occur.Must, chosen)]
            )
        found = searcher.search(query, limit=limit, count=False)
        ids = searcher.fast_field_values("id", [address for _, address in found.hits])
        return [document for each in ids if (document := int(each or 0)) in documents]

    @_looking
    def found(self, searcher: tantivy.Searcher, query: tantivy.Query) -> list[int]:
        """All documents that a query finds: for an index of few."""
        return _ids(searcher, query)

    @_looking
    def documents(self) -> tuple[tantivy.Searcher, frozenset[int]]:
        """What it holds, and the searcher of that moment: for an index of few documents."""
        with self._reading:
            newest = self._look()
            state, searcher, held = self._documents
            if searcher is None or state != newest:
                searcher = self._index.searcher()
                held = frozenset(_ids(searcher, tantivy.Query.all_query()))
                self._documents = (newest, searcher, held)
        return searcher, held

    @_looking
    def matching(self, query: tantivy.Query) -> int:
        """How many documents match."""
        return _total(self.searcher.search(query, limit=1))

    @_looking
    def counts(self, searcher: tantivy.Searcher, query: tantivy.Query) -> Counted:
        """For each facet how many of the results have which value."""
        return facets.counted(searcher.aggregate(query, facets.wanted(_MOST_VALUES)))

    @_looking
    def counts_over(self, searcher: tantivy.Searcher, documents: Iterable[int]) -> Counted:
        """The counts over some documents. Their values are remembered: a document's do not change."""
        documents = list(documents)
        new = [document for document in documents if document not in self._values]
        for at in range(0, len(new), _AT_A_TIME):
            some = new[at : at + _AT_A_TIME]
            each = {"terms": {"field": "id", "size": len(some)}, "aggs": facets.wanted(100)}
            query = tantivy.Query.term_set_query(schema(), "id", some)
            for found in searcher.aggregate(query, {"id": each})["id"]["buckets"]:
                own = facets.values_of(found)
                kept = tuple(self._known.setdefault(value, value) for value in own)
                self._values[int(found["key"])] = kept
        return facets.counted_over(self._values.get(document, ()) for document in documents)


class Indexes:
    """The folder of all indexes, one for each label: `index/<id of the label>/`."""

    FORMAT = "5"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = folder / "format"
        self.stand = Stand(folder / "stand")
        self._open: dict[str, LabelIndex] = {}
        self._given_up: set[str] = set()
        self._opening = threading.Lock()
        # Is removed when these indexes are no longer used.
        self._place: TemporaryDirectory[str] | None = None
        made = folder.with_name(NEW)
        if not folder.exists() and self._is_whole(made):
            # Between the two steps of `replace` it was interrupted.
            made.rename(folder)
        self.is_new = not self._is_whole(folder)
        if self.is_new:
            self.reset()

    def _is_whole(self, folder: Path) -> bool:
        mark = folder / self._mark.name
        return mark.is_file() and mark.read_text() == self.FORMAT

    @classmethod
    def linked(cls, folder: Path) -> Self:
        """The indexes in a folder that cannot be written, as they are now. Tantivy locks what it reads,
        with files beside it: it reads links to the files, in a folder for this process."""
        place = TemporaryDirectory(prefix="reftel-index-")
        copy = Path(place.name) / "index"
        for file in folder.rglob("*"):
            link = copy / file.relative_to(folder)
            if file.is_dir() or file.name.endswith(".lock"):
                continue
            link.parent.mkdir(parents=True, exist_ok=True)
            if file.name in ("meta.json", "format"):
                shutil.copyfile(file, link)
            else:
                link.symlink_to(file.absolute())
        indexes = cls(copy)
        indexes._place = place
        return indexes

    def aside(self) -> Indexes:
        """Empty indexes beside these, to be filled and to take their place."""
        self.remove_leftovers()
        return Indexes(self._folder.with_name(NEW))

    def replace(self, others: Indexes) -> None:
        """Put others, which are whole and on disk, in the place of these: whoever has these open goes on
        with them until then, and with the others from then on."""
        if self._folder.exists():
            self._folder.rename(self._folder.with_name(OLD))
        try:
            others._folder.rename(self._folder)
        except OSError:
            # Whoever looked for the index of a label in between has begun one.
            shutil.rmtree(self._folder, ignore_errors=True)
            others._folder.rename(self._folder)
        self._open.clear()
        self._given_up.clear()
        self.remove_leftovers()

    def remove_leftovers(self) -> None:
        """Remove what an interruption left beside and among these."""
        for name in (NEW, OLD):
            shutil.rmtree(self._folder.with_name(name), ignore_errors=True)
        for begun in self._folder.glob(f"{_BEGUN}*"):
            # Who looks for an index may be beginning it just now.
            with suppress(FileNotFoundError):
                if time.time() - begun.stat().st_mtime > _LEFT_S:
                    shutil.rmtree(begun, ignore_errors=True)

    def reset(self) -> None:
        """Begin empty indexes; the caller fills them from the store, and says when they are `filled`."""
        self._open.clear()
        self._given_up.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        # Who may read the archive may read its indexes, and nobody else.
        self._folder.chmod(self._folder.parent.stat().st_mode & 0o777)

    def filled(self) -> None:
        """Mark them as what serves: those that were not filled to the end are begun again."""
        self._mark.write_text(self.FORMAT)

    def of(self, label: int) -> LabelIndex:
        """The index of a label, begun if there is none. Raises `DamagedIndexError`."""
        return self._opened(str(label))

    def copies(self, label: int) -> LabelIndex | None:
        """The index of what has copies under other labels (`spread`), if there is one that is not known to
        be damaged: `<label>-copies/`."""
        name = _copies_name(label)
        if name in self._given_up or not (self._folder / name / "meta.json").exists():
            return None
        try:
            return self._opened(name)
        except DamagedIndexError:
            self.give_up_copies(label)
            return None

    def give_up_copies(self, label: int) -> None:
        """Do without that index, which is damaged, until it is begun again."""
        self._given_up.add(_copies_name(label))

    def begin_copies(self, label: int) -> LabelIndex:
        """An empty one in the place of what may be there."""
        name = _copies_name(label)
        self._open.pop(name, None)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self._given_up.discard(name)
        return self._opened(name)

    def lack_copies(self, labels: Iterable[int]) -> bool:
        """Whether there is no such index, or one that cannot be opened."""
        there = [label for label in labels if (self._folder / _copies_name(label)).exists()]
        return not there or any(self.copies(label) is None for label in there)

    def _opened(self, name: str) -> LabelIndex:
        with self._opening:
            if (found := self._open.get(name)) is None:
                found = self._open[name] = LabelIndex(self._folder / name)
            return found

    def read_ahead(self) -> None:
        """Have the system read the indexes from the disk meanwhile, and know what every search needs."""
        for file in self._folder.glob("*/*") if hasattr(os, "posix_fadvise") else ():
            # What is merged away just now is not missed.
            with suppress(OSError), file.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        for meta in self._folder.glob(f"{_copies_name('*')}/meta.json"):
            # What is damaged is met again by whoever searches.
            with suppress(DamagedIndexError):
                index = self._opened(meta.parent.name)
                index.counts_over(*index.documents())

    def commit(self) -> None:
        for index in list(self._open.values()):
            index.commit()

    def end_writing(self) -> None:
        for index in list(self._open.values()):
            index.end_writing()

    def abandon(self) -> None:
        for index in list(self._open.values()):
            index.abandon()


def _copies_name(label: int | str) -> str:
    return f"{label}-copies"


class Vocabulary:
    """The words of several indexes together; those of documents removed lately count still. Raises
    `DamagedIndexError`."""

    def __init__(self, indexes: Iterable[LabelIndex]) -> None:
        indexes = list(indexes)
        self._searchers = [index.searcher for index in indexes]
        self._folder = indexes[0]._folder.parent if indexes else Path()

    @_looking
    def frequency(self, fields: tuple[str, ...], word: str) -> int:
        """In how many documents a word stands, for each field."""
        return sum(each.doc_freq(name, word) for each in self._searchers for name in fields)

    @_looking
    def standing(self, fields: tuple[str, ...], words: list[str]) -> list[str]:
        """Those of some words that stand in the largest of the indexes that holds any of them."""
        for each in sorted(self._searchers, key=lambda one: -one.num_docs):
            held = [
                name
                for name in fields
                if _total(each.search(tantivy.Query.term_set_query(schema(), name, words), limit=1))
            ]
            found = [word for word in words if any(each.doc_freq(name, word) for name in held)]
            if found:
                return found
        return []

    @_looking
    def beginning(self, fields: tuple[str, ...], prefix: str) -> Iterable[tuple[str, int]]:
        """The words that begin so, and in how many documents each stands."""
        found: Counter[str] = Counter()
        for each in self._searchers:
            for name in fields:
                found.update(dict(each.terms_with_prefix(name, prefix)))
        return found.items()


def _ids(searcher: tantivy.Searcher, query: tantivy.Query) -> list[int]:
    """All documents that match."""
    most = max(int(searcher.num_docs), 1)
    found = searcher.search(query, limit=most, count=False, order_by_field="id")
    return [int(key) for key, _ in found.hits]


def _total(found: tantivy.SearchResult) -> int:
    # The attribute is there; the library's type stub does not name it.
    return int(getattr(found, "count") or 0)  # noqa: B009
