"""The archive: one folder, `telegrams.db` (the truth) and `index/` (derived)."""

from __future__ import annotations

import fcntl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from multiprocessing import current_process
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

import reftel
from reftel.access import EVERYTHING, TRAIL_FILE, Label, label_of, opens_on
from reftel.access import Reader as WhoReads
from reftel.archive import upkeep
from reftel.archive.filing import (
    REFUSED,
    Batch,
    Passed,
    Prepared,
    Reader,
    prepare_inputs,
    prepare_texts,
)
from reftel.archive.index import Indexes
from reftel.archive.keep import keep, opens_of, relabel
from reftel.archive.model import (
    DOUBT,
    DamagedError,
    DamagedIndexError,
    Decision,
    OnProgress,
    Progress,
    ReadOnlyError,
    Report,
    StoreError,
)
from reftel.archive.pack import SAMPLES, TRAIN_AT, train
from reftel.archive.place import is_url, name_of, parted
from reftel.archive.rows import Row
from reftel.archive.sqlite import says_read_only
from reftel.archive.store import Store
from reftel.archive.upgrade import upgrade
from reftel.archive.verify import verify
from reftel.archive.view import Observer, View
from reftel.archive.waiting import Waiting
from reftel.sources import ALL, Incoming, Problem, SourceFile, inputs

# How often a database is asked for what other machines filed.
_FOLLOW_S = 2.0
# While many telegrams are filed, so many seconds' work is a transaction; after some minutes three times as
# many: most pages of a large archive's indexes are written in each, however long it is.
_TRANSACTION_S = 1.0
_LONGER_AFTER_S = 60.0
_LOCK = "lock"
# Of a folder that is begun; its keeper may widen it.
_PRIVATE = 0o700


class Archive(View):
    """Telegrams on disk, and the view of who may read all of them. Open it with `Archive.open(folder)`,
    as a context manager; `view` gives what one reader sees."""

    def __init__(self, folder: Path, store: Store, indexes: Indexes) -> None:
        super().__init__(Store(store.path, read_only=True), indexes, EVERYTHING)
        self._store.place = store.place
        self.folder = folder
        self._writing = store
        self._readers: dict[WhoReads, Store] = {}
        self._opening = threading.Lock()
        self._closing = threading.Event()
        self._follower: threading.Thread | None = None
        self.index_built = False
        """Whether the index has been built again since the archive was opened."""

    @classmethod
    def open(
        cls,
        place: Path | str,
        folders: Path | None = None,
        *,
        workers: int = 0,
        on_index: OnProgress | None = None,
    ) -> Self:
        """Open the archive in a folder or in a database (`postgresql://...`), or begin one there. The
        index of a database lies in the folder that its URL names (`?folder=`), or else in one among
        `folders`.

        An archive of an older format is upgraded; an index that is missing, damaged or of an older format
        is built again, with so many other processes that read (0: none), and `on_index` is told how far it
        is; one that is behind is caught up. Where nothing can be written the archive is opened to be read.
        Raises `StoreError` if the folder holds something else.
        """
        if getattr(current_process(), "_inheriting", False):
            # A process that is to read imports the program that files: it would wait for itself.
            raise StoreError("a program that files begins under if __name__ == '__main__':")
        if isinstance(place, str) and is_url(place):
            return cls._open_database(*parted(place, folders), workers, on_index)
        folder = Path(place)
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder} is a file; an archive is a folder")
        database = folder / "telegrams.db"
        others = (
            [each for each in folder.iterdir() if each.name != _LOCK] if folder.is_dir() else ()
        )
        # Looked for last: another process may be beginning the archive just now.
        if others and not database.exists():
            raise StoreError(f"{folder} holds other files and no archive; name an empty folder")
        folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
        try:
            with _lock(folder):
                upgrade(folder)
                archive = cls(folder, Store(database), Indexes(folder / "index"))
                try:
                    archive.index_built = upkeep.mend(
                        archive._writing, archive._indexes, workers, on_index
                    )
                except BaseException:
                    archive.close()
                    raise
        except ReadOnlyError:
            archive = cls._open_to_read(folder)
        return archive

    @classmethod
    def _open_database(
        cls, url: str, folder: Path, workers: int, on_index: OnProgress | None
    ) -> Self:
        folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
        with _lock(folder):
            store = Store(url)
            with ExitStack() as stack:
                stack.callback(store.close)
                name = name_of(folder)
                with store.transaction():
                    new = store.enter(name)
                indexes = Indexes(folder / "index")
                if new and not indexes.is_new:
                    indexes.reset()
                archive = cls(folder, store, indexes)
                stack.callback(archive.close)
                # Where another machine files, an index that is there serves until it has ended.
                wait = new or indexes.is_new or not indexes.stand.is_at(store.stand)
                with store.lock(wait=wait) as alone:
                    if alone:
                        if new:
                            upkeep.fill(store, indexes, workers, on_index)
                            archive.index_built = True
                        else:
                            archive.index_built = upkeep.mend(store, indexes, workers, on_index)
                stack.pop_all()
        archive._follower = threading.Thread(target=archive._follow, name="index", daemon=True)
        archive._follower.start()
        return archive

    def _follow(self) -> None:
        """Keep the index up with what other machines file."""
        while not self._closing.wait(_FOLLOW_S):
            # A server that is away for a while comes back, and whoever asks for something is told.
            with suppress(StoreError):
                self.follow()

    def follow(self) -> None:
        """Index what another machine has filed, unless one writes now; what that has closed is let go of
        at once. If the database has been put back to what it was before, the index is built again."""
        if not self._indexes.stand.is_at(self._store.stand):
            with _lock(self.folder), self._writing.lock(wait=False) as alone:
                # It may have been brought on between the two looks.
                if alone and not self._indexes.stand.is_at(self._writing.stand):
                    upkeep.fill(self._writing, self._indexes, 0, None)
        if self._store.unindexed(1):
            with _lock(self.folder), self._writing.lock(wait=False) as alone:
                if alone:
                    upkeep.catch_up(self._writing, self._indexes)
                else:
                    upkeep.let_leave(self._writing, self._indexes)

    @classmethod
    def _open_to_read(cls, folder: Path) -> Self:
        store = Store(folder / "telegrams.db", read_only=True)
        archive = cls(folder, store, Indexes.linked(folder / "index"))
        try:
            matches = not store.unindexed(1) and upkeep.matches(store, archive._indexes)
        except DamagedIndexError:
            matches = False
        if not matches:
            archive.close()
            raise ReadOnlyError(
                f"the index in {folder} is missing, damaged or behind, and nothing can be written"
                " there: copy the folder to where it can, and open it there"
            )
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
        self._closing.set()
        if self._follower is not None:
            self._follower.join()
        for store in (self._writing, self._store, *self._readers.values()):
            store.close()

    def view(self, reader: WhoReads, observer: Observer | None = None) -> View:
        """What one reader sees of the archive: as if nothing else were in it. The observer is told what
        is searched for, opened and refused."""
        store = self._store
        if is_url(store.path) and reader != EVERYTHING:
            # A connection for all who may read the same: the database knows them, too.
            grant = WhoReads("", reader.clearance, reader.captions, reader.cards)
            with self._opening:
                if grant not in self._readers:
                    self._readers[grant] = Store(store.path, read_only=True, reader=grant)
                store = self._readers[grant]
        view = View(store, self._indexes, reader, observer, self._outdone, self._store)
        view.folder = self.folder
        return view

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with _lock(self.folder), self._writing.lock():
            yield

    # Keeping

    def add(
        self,
        incoming: Iterable[Incoming | Problem],
        *,
        batch: int = 500,
        on_progress: Callable[[Progress], None] | None = None,
        on_problem: Callable[[Problem], None] | None = None,
        reader: Reader = reftel.read,
    ) -> Report:
        """File texts, one transaction a batch. A text that is held already changes nothing."""
        with self._alone():
            upkeep.catch_up(self._writing, self._indexes)
            batches = prepare_texts(incoming, self._writing, reader, batch)
            return self._take(batches, on_progress, on_problem)

    def fill(
        self,
        paths: Iterable[str],
        *,
        stdin: BinaryIO | None = None,
        workers: int = 0,
        on_progress: Callable[[Progress], None] | None = None,
        on_problem: Callable[[Problem], None] | None = None,
    ) -> Report:
        """File what paths hold (docs/sources.md), read in so many other processes (0: in this one).

        What was filed before an interruption is passed over when the same is filed again.
        """
        with self._alone():
            # A kill may have left the indexes of copies behind, which nothing lists.
            upkeep.catch_up(self._writing, self._indexes, spread_anew=True)
            unchanged = 0

            def had(file: SourceFile) -> int:
                nonlocal unchanged
                number = self._writing.had(file)
                unchanged += number == ALL
                return number

            found = inputs(paths, stdin=stdin, had=had)
            batches = prepare_inputs(found, self._writing.path, workers)
            report = self._take(batches, on_progress, on_problem)
            return msgspec.structs.replace(report, unchanged=unchanged)

    def _take(
        self,
        batches: Iterable[Batch],
        on_progress: Callable[[Progress], None] | None,
        on_problem: Callable[[Problem], None] | None,
    ) -> Report:
        problems: list[Problem] = []
        tell = on_problem or problems.append
        count: Counter[str] = Counter()
        done = 0
        waiting = Waiting(self._writing, self._indexes)
        try:
            for some in _together(batches):
                waiting.take(self._write(some, count, tell))
                waiting.add_some()
                self._train()
                done += sum(batch.inputs for batch in some)
                if on_progress:
                    on_progress(Progress(done, some[-1].done, some[-1].path))
        except StoreError:
            # The disk takes nothing; the store knows what is not indexed, and the next to open it mends it.
            waiting.abandon()
            raise
        except BaseException:
            self._finish(waiting, copies=count["variants"] > 0)
            raise
        self._finish(waiting, copies=count["variants"] > 0)
        return Report(**count, problems=tuple(problems))

    def _finish(self, waiting: Waiting, *, copies: bool) -> None:
        """Index what waits; `copies` says whether there are any among what was filed."""
        waiting.finish()
        self._indexes.end_writing()
        upkeep.catch_up(self._writing, self._indexes, spread_anew=copies)

    def _write(
        self, batches: list[Batch], count: Counter[str], tell: Callable[[Problem], None]
    ) -> list[tuple[Row, Prepared]]:
        """One transaction: the telegrams of some batches, and how far their files are had."""
        told: list[Problem] = []
        outcomes: Counter[str] = Counter()
        store = self._writing
        with store.transaction():
            new: dict[bytes, Prepared] = {}
            for item in (each for batch in batches for each in batch.items):
                if isinstance(item, Problem):
                    told.append(item)
                    outcomes["unreadable"] += not item.reason.startswith(DOUBT)
                elif isinstance(item, Passed) and item.outcome == REFUSED:
                    store.refuse(item.digest, item.reason)
                    told.append(Problem(item.path, f"not a telegram: {item.reason}"))
                    outcomes["refused"] += 1
                elif isinstance(item, Passed) or item.digest in new:
                    outcomes["known"] += 1
                else:
                    new[item.digest] = item
            # Since it was read it may have been filed, by a transaction before this one.
            known = store.among(list(new))
            outcomes["known"] += len(known)
            items = [item for digest, item in new.items() if digest not in known]
            rows = keep(store, items, store.next_id(), int(time.time()))
            filed = list(zip(rows, items, strict=True))
            outcomes["added"] += len(rows)
            for row in rows:
                if row.telegram != row.id:
                    outcomes["variants"] += 1
                    outcomes["better"] += row.reading
            for batch in batches:
                for file, had in batch.had.items():
                    store.set_had(file, had)
        # Told only when it is so.
        count.update(outcomes)
        for problem in told:
            tell(problem)
        return filed

    def _train(self) -> None:
        """Make a dictionary of the telegrams so far for those that follow: of the first thousand, and
        again of ten and of a hundred times as many, since the first ones may be of one kind."""
        store = self._writing
        held, newest = store.next_id() - 1, store.newest_dictionary().number
        if newest == len(TRAIN_AT) or held < TRAIN_AT[newest]:
            return
        samples = []
        for document in range(1, held + 1, held // SAMPLES):
            # `verify` names one that is damaged.
            with suppress(DamagedError):
                samples.append(store.telegram(document))
        if len(samples) < SAMPLES // 2:
            return
        dictionary = train(samples, newest + 1)
        with store.transaction():
            store.add_dictionary(dictionary)

    def open_due(self, day: int | None = None) -> int:
        """Take the classification off telegrams whose day of declassification has come (as 20260131; None:
        today), without reading them again; how many. Captions stay. The day is that of the last decision or
        of the record, whatever the row says: one whose record is damaged stays closed."""
        today = day or int(datetime.now(UTC).strftime("%Y%m%d"))
        with self._alone():
            with self._writing.transaction():
                opened = 0
                for document in self._writing.opened_by(today):
                    row = self._writing.by_id(document)
                    assert row is not None
                    if not self._is_due(row, today):
                        continue
                    captions = self._writing.labels()[row.label].captions
                    label = self._writing.label_id(Label("", captions))
                    relabel(self._writing, row, label, row.opens)
                    opened += 1
            upkeep.catch_up(self._writing, self._indexes)
        return opened

    def _is_due(self, row: Row, today: int) -> bool:
        try:
            opens = opens_of(self._writing, row, self._writing.telegram(row.id))
        except DamagedError:
            return False
        return opens is not None and opens <= today

    def decide(
        self,
        digests: Iterable[str],
        label: Label | None,
        *,
        who: str,
        why: str,
        opens: date | None = None,
        workers: int = 0,
        on_progress: OnProgress | None = None,
    ) -> int:
        """Put documents under a label by a reviewer's decision, which is recorded; how many. Without a
        label they get back what their own markings say. `opens` is the day on which they fall open.

        Where one is closed nobody finds it from then on who may not read it; the index that it was in is
        then made anew, in so many other processes (0: in this one), so that its words do not count in the
        order of results any more."""
        store = self._writing
        now = datetime.now(UTC)
        day = int(opens.strftime("%Y%m%d")) if opens else None

        def decided(row: Row) -> tuple[Label, int | None]:
            if label is not None:
                return label, day
            telegram = store.telegram(row.id)
            marked = opens_on(telegram)
            falls_open = int(marked.strftime("%Y%m%d")) if marked else None
            return label_of(telegram, now.date()), falls_open

        def closes(row: Row) -> bool:
            return not decided(row)[0].within(store.labels()[row.label])

        with self._alone():
            rows = [self._held(digest) for digest in digests]
            try:
                upkeep.withdraw(store, self._indexes, [row for row in rows if closes(row)])
                with store.transaction():
                    for row in (self._held(each.digest.hex()) for each in rows):
                        given, falls_open = decided(row)
                        id_ = store.label_id(given)
                        kept = id_ if label else None
                        store.decide(row.digest, int(now.timestamp()), who, why, kept, falls_open)
                        if closes(row):
                            # Somebody may not read it any more: its words must not count either.
                            store.mark_label_unindexed(row.label)
                        relabel(store, row, id_, falls_open)
            except BaseException:
                self._indexes.abandon()
                # Nothing came of it: what was taken out of the indexes is put back.
                with suppress(StoreError):
                    upkeep.catch_up(store, self._indexes)
                raise
            upkeep.catch_up(self._writing, self._indexes, workers, on_progress=on_progress)
        return len(rows)

    def _held(self, digest: str) -> Row:
        row = self._writing.by_digest(digest, self._writing.labels())
        if row is None:
            raise StoreError(f"there is no document {digest}")
        return row

    @property
    def has_readers(self) -> bool:
        """Whether an access file has ever said who may read what, on whichever machine."""
        return self._store.has_readers or (self.folder / TRAIL_FILE).exists()

    def note_readers(self) -> None:
        """Remember that an access file says who may read what: without it, nobody knows."""
        if not self._store.has_readers:
            # Of what cannot be written the trail beside it tells.
            with suppress(StoreError), self._alone():
                self._writing.note_readers()

    def decisions(self, digest: str) -> tuple[Decision, ...]:
        """What reviewers decided about a document, the oldest first."""
        labels = self._store.labels()
        row = self._store.by_digest(digest, labels)
        if row is None:
            return ()
        return tuple(
            Decision(
                row.digest.hex(),
                datetime.fromtimestamp(each.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                each.who,
                each.why,
                str(labels[each.label]) if each.label else None,
                f"{each.opens // 10000}-{each.opens // 100 % 100:02d}-{each.opens % 100:02d}"
                if each.opens
                else None,
            )
            for each in self._store.decisions(row.digest)
        )

    # The index

    def read_ahead(self) -> None:
        """Have the system read the index from the disk meanwhile, so that first searches do not wait for
        it: worth while for a program that stays."""
        self._indexes.read_ahead()

    def rebuild_index(self, workers: int = 0, on_progress: OnProgress | None = None) -> None:
        """Build the index again from the store, which is read in so many other processes (0: in this
        one)."""
        with self._alone():
            upkeep.fill(self._writing, self._indexes, workers, on_progress)

    def verify(
        self, on_progress: OnProgress | None = None, *, today: date | None = None
    ) -> list[Problem]:
        """Everything that is wrong with the archive, and what to do. `today` is the day by which
        telegrams may have fallen open."""
        day = today or datetime.now(UTC).date()
        return list(verify(self._store, self._indexes, self.folder, day, on_progress))


def _together(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """The batches that come within a transaction's time."""
    some: list[Batch] = []
    start = began = time.monotonic()
    for batch in batches:
        some.append(batch)
        longer = min(1 + (began - start) / _LONGER_AFTER_S, 3)
        if time.monotonic() - began >= _TRANSACTION_S * longer:
            yield some
            some = []
            began = time.monotonic()
    if some:
        yield some


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One writer at a time; a second waits for the first. The lock falls with its process."""
    try:
        file = (folder / _LOCK).open("w")
    except OSError as error:
        if not says_read_only(error):
            raise
        raise ReadOnlyError(
            f"{folder} cannot be written ({error.strerror}): what is in it can be read, and nothing"
            " filed or changed"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
