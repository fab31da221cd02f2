"""The archive at size: `python benchmarks/archive.py --count 100000`.

Files synthetic telegrams (benchmarks/telegrams.py) and prints how fast, how large and with how much
memory; then asks queries of several kinds, a page of twenty with all counts each, and prints their median
and their 95th percentile, beside SQLite's FTS5 on the same words in the same run; and threads, paths and
what is missing. With `--telegrams`, any file or folder takes the place of the synthetic ones.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import click

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.synthetic.world import World
from benchmarks.telegrams import write

from reftel.access import Reader
from reftel.archive import Archive, Progress
from reftel.archive.entry import Entry, entry_of
from reftel.archive.follow import missing_rows
from reftel.archive.ghosts import missing
from reftel.archive.model import Order
from reftel.archive.pool import cores
from reftel.archive.threads import path, thread

_SAMPLE = 2000
_ASKED = 40


def _memory_mb() -> float:
    """What this process has for itself: files that are mapped into it are left out."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _file(archive: Archive, source: Path, workers: int) -> float:
    """Seconds to file everything; a line for each tenth, which shows whether the rate holds."""
    began = last = time.perf_counter()
    seen = 0
    size = source.stat().st_size if source.is_file() else _size(source)
    tenth = 1

    def tell(progress: Progress) -> None:
        nonlocal last, seen, tenth
        if progress.bytes * 10 < tenth * size:
            return
        now = time.perf_counter()
        rate = (progress.done - seen) / (now - last)
        click.echo(f"  {progress.done:>9,} filed, {rate:,.0f}/s, {_memory_mb():,.0f} MB of memory")
        last, seen, tenth = now, progress.done, tenth + 1

    report = archive.fill([str(source)], workers=workers, on_progress=tell)
    took = time.perf_counter() - began
    click.echo(
        f"filed {report.added:,} telegrams ({report.variants:,} further copies, {report.refused:,}"
        f" refused) with {workers} processes reading: {report.added / took:,.0f}/s"
    )
    own, others = (
        sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    click.echo(
        f"time of a processor for each: {1000 * own / report.added:.2f} ms to write and index,"
        f" {1000 * others / report.added:.2f} ms to read; {os.getloadavg()[0]:.1f} processes wanted"
        f" one of {cores()} at the end"
    )
    return took


_BY_DATE = "two words, by date"


class _Words:
    """Words and phrases as the telegrams have them, by how common they are."""

    def __init__(self, entries: list[Entry]) -> None:
        rng = random.Random(5)
        texts = [entry.text.lower() for entry in entries]
        held: dict[str, int] = {}
        for text in texts:
            for word in {w for w in text.split() if w.isalpha() and len(w) > 3}:
                held[word] = held.get(word, 0) + 1
        by_size = sorted(held, key=lambda word: -held[word])
        self.common = by_size[:60]
        self.middling = by_size[200:1500]
        self.rare = [word for word in by_size if held[word] == 1][:4000]
        self.phrases: list[str] = []
        common = set(by_size[:400])
        while len(self.phrases) < 200:
            words = rng.choice(texts).split()
            at = rng.randrange(max(len(words) - 2, 1))
            pair = words[at : at + 2]
            if len(pair) == 2 and common.issuperset(pair):
                self.phrases.append(" ".join(pair))
        self.posts = sorted({entry.post for entry in entries if entry.post})
        self.tags = sorted({tag for entry in entries for tag in entry.tags if tag.isalpha()})
        self.years = sorted({entry.year for entry in entries if entry.year})
        self.rng = rng

    def kinds(self) -> dict[str, Callable[[], str]]:
        pick = self.rng.choice
        return {
            "a common word": lambda: pick(self.common),
            "a rare word": lambda: pick(self.rare),
            "two words": lambda: f"{pick(self.common)} {pick(self.middling)}",
            "either of two": lambda: f"{pick(self.middling)} OR {pick(self.middling)}",
            "a phrase of common words": lambda: f'"{pick(self.phrases)}"',
            "words near each other": lambda: f'"{pick(self.common)} {pick(self.middling)}"~5',
            "common words near": lambda: f'"{" ".join(self.rng.sample(self.common, 2))}"~5',
            "AND, OR and NOT": lambda: (
                f"{pick(self.common)} ({pick(self.middling)} OR {pick(self.middling)})"
                f" -{pick(self.middling)}"
            ),
            _BY_DATE: lambda: f"{pick(self.common)} {pick(self.middling)}",
            "a word in the subject": lambda: f"subject:{pick(self.middling)}",
            "a misspelt word": lambda: _misspelt(pick(self.middling)),
            "a prefix": lambda: f"{pick(self.middling)[:4]}*",
            "post and year": lambda: f"post:{pick(self.posts)} year:{pick(self.years)}",
            "word, TAGS and dates": lambda: (
                f"{pick(self.common)} tags:{pick(self.tags)} after:{pick(self.years)}"
            ),
            "everything": lambda: "",
        }


def _misspelt(word: str) -> str:
    return word[: len(word) // 2] + word[len(word) // 2 + 1 :]


class _Times(NamedTuple):
    """Median and 95th percentile in milliseconds, by the clock, and of a processor's time, which other
    programs on the machine disturb less."""

    p50: float
    p95: float
    cpu50: float
    cpu95: float


def _time(ask: Callable[[str], object], queries: Iterable[str]) -> _Times:
    times: list[tuple[float, float]] = []
    for query in queries:
        began, worked = time.perf_counter(), time.process_time()
        ask(query)
        times.append((time.perf_counter() - began, time.process_time() - worked))
    clock, own = ([1000 * each for each in kind] for kind in zip(*times, strict=True))
    return _Times(median(clock), quantiles(clock, n=20)[18], median(own), quantiles(own, n=20)[18])


class _Fts5:
    """The same words in SQLite's own full text search, with the columns that counts need."""

    def __init__(self, path: Path, archive: Archive) -> None:
        self.db = sqlite3.connect(path)
        self.db.execute("CREATE VIRTUAL TABLE words USING fts5 (subject, text, content='')")
        self.db.execute(
            "CREATE TABLE telegrams (id INTEGER PRIMARY KEY, year TEXT, post TEXT, class TEXT)"
        )
        began = time.perf_counter()
        store = archive._store
        for at, document in enumerate(store.ids(), 1):
            entry = entry_of(store.telegram(document), b"0" * 32)
            self.db.execute(
                "INSERT INTO words (rowid, subject, text) VALUES (?, ?, ?)",
                (document, entry.subject, entry.text),
            )
            row = (document, entry.year, entry.post, entry.classification)
            self.db.execute("INSERT INTO telegrams VALUES (?, ?, ?, ?)", row)
            if at % 10_000 == 0:
                self.db.commit()
        self.db.commit()
        self.took = time.perf_counter() - began

    def ask(self, query: str) -> object:
        """A page of twenty by rank, how many there are, and the counts by year, post and class."""
        found = "FROM words JOIN telegrams ON telegrams.id = words.rowid WHERE words MATCH ?"
        page = self.db.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT 20", (query,)
        ).fetchall()
        counts = [
            self.db.execute(f"SELECT {name}, count(*) {found} GROUP BY 1", (query,)).fetchall()
            for name in ("year", "post", "class")
        ]
        return page, counts


_IN_FTS5 = (
    "a common word",
    "a rare word",
    "two words",
    "either of two",
    "a phrase of common words",
    "a prefix",
)


def _different(make: Callable[[], str]) -> list[str]:
    """Queries of a kind, each but once if there are so many: the counts of what was asked are remembered."""
    made = [*dict.fromkeys(make() for _ in range(50 * _ASKED))]
    return [made[at % len(made)] for at in range(_ASKED)]


def _ask(archive: Archive, place: Path, beside: bool) -> None:
    # As the reading room does when it opens.
    archive.read_ahead()
    store = archive._store
    ids = list(store.ids())
    step = max(len(ids) // _SAMPLE, 1)
    words = _Words([entry_of(store.telegram(each), b"0" * 32) for each in ids[::step]])
    kinds = {name: _different(make) for name, make in words.kinds().items()}
    fts5 = _Fts5(place / "fts5.db", archive) if beside else None
    if fts5 is not None:
        rate = len(ids) / fts5.took
        size = (place / "fts5.db").stat().st_size
        click.echo(f"FTS5 beside: {rate:,.0f} telegrams/s indexed, {size / 1e6:,.0f} MB")
    cleared = archive.view(Reader("bench", "CONFIDENTIAL"))
    head = f"{'query':26}{'p50':>9}{'p95':>9}{'CPU p50':>9}{'p95':>9}{'reader CPU p95':>17}"
    click.echo(head + (f"{'FTS5 CPU p50':>15}{'times':>8}" if fts5 else ""))
    for name, queries in kinds.items():
        order: Order = "newest" if name == _BY_DATE else "relevance"
        own = _time(partial(archive.search, order=order), queries)
        limited = _time(partial(cleared.search, order=order), queries)
        line = f"{name:26}" + "".join(f"{each:7.1f}ms" for each in own) + f"{limited.cpu95:15.1f}ms"
        if fts5 is not None and name in _IN_FTS5:
            other = _time(fts5.ask, queries[:10])
            line += f"{other.cpu50:13.1f}ms{other.cpu50 / own.cpu50:8.1f}"
        click.echo(line)


def _follow(archive: Archive) -> None:
    """What follows references and numbers: first times, since the answers are remembered."""
    rng = random.Random(3)
    store = archive._store
    rows = [store.by_id(rng.randint(1, store.next_id() - 1)) for _ in range(4 * _ASKED)]
    held = [row for row in rows if row]
    numbers = [row.mrn for row in held if row.mrn]
    largest = max(archive.gaps.completeness(), key=lambda each: each.held)
    for name, asked in (
        ("completeness of all", [lambda: archive.gaps._completeness(None, None)]),
        ("the most cited of all", [lambda: archive.graph._most_cited(20, None, None)]),
        (
            f"missing of {largest.post} {largest.year}",
            [lambda: missing_rows(missing(archive, largest.post, largest.year))],
        ),
        ("more like this", [partial(archive.like, each.digest.hex()) for each in held[:_ASKED]]),
        ("a thread", [partial(thread, archive, each) for each in numbers[:_ASKED]]),
        ("a path", [partial(path, archive, *pair) for pair in pairwise(numbers[: _ASKED + 1])]),
    ):
        times = sorted(_seconds(ask) for ask in asked)
        click.echo(
            f"{name:28}{1000 * median(times):7.1f}ms{1000 * times[-1 - len(times) // 20]:7.1f}ms"
        )


def _seconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


@click.command()
@click.option("--count", default=20_000, show_default=True, help="How many synthetic telegrams.")
@click.option("--seed", default=7, show_default=True)
@click.option("--telegrams", type=click.Path(exists=True, path_type=Path), help="File these.")
@click.option("--workers", default=cores(), show_default=True, help="Processes that read.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where; kept, if it is given.")
@click.option("--fts5/--no-fts5", default=True, show_default=True, help="Ask FTS5 beside.")
def main(
    count: int, seed: int, telegrams: Path | None, workers: int, folder: Path | None, fts5: bool
) -> None:
    """File telegrams, then search."""
    place = folder or Path(tempfile.mkdtemp(prefix="reftel-bench-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        if telegrams is None:
            telegrams = place / "telegrams.zip"
            if not telegrams.exists():
                write(World(seed, count), "zip", telegrams)
        with Archive.open(place / "archive") as archive:
            if archive.count() == 0:
                _file(archive, telegrams, workers)
            store = archive._store
            characters = sum(len(store.text(each).encode()) for each in store.ids())
        # Closed, so that no log lies beside the database.
        size, index = _size(place / "archive"), _size(place / "archive" / "index")
        worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        click.echo(
            f"{characters / 1e6:,.0f} MB of text in {size / 1e6:,.0f} MB on disk:"
            f" {size / characters:.2f} times (indexes {index / 1e6:,.0f} MB); a process"
            f" that reads had {worker:,.0f} MB of memory at most"
        )
        with Archive.open(place / "archive") as archive:
            _ask(archive, place, fts5)
            _follow(archive)
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
