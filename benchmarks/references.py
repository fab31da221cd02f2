"""Threads, paths, the most cited and the missing at scale, on references as a collection has them.

    python benchmarks/references.py [TELEGRAMS] [FOLDER]

Makes a store of TELEGRAMS (default 200,000; 2,000,000 by hand) with their numbers, times, references and
continuity numbers, and texts of one sentence, since only the references are asked for here; then asks as
people do, and prints median and slowest of each question, beside a plain lookup of one telegram.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import reftel
from reftel.access import EVERYTHING, OPEN, Label
from reftel.archive.entry import minutes_of
from reftel.archive.ghosts import ghost, missing
from reftel.archive.index import Indexes
from reftel.archive.pack import pack
from reftel.archive.relations import Cited, Continuity
from reftel.archive.rows import Row
from reftel.archive.store import Store
from reftel.archive.threads import most_cited, path, thread
from reftel.archive.view import View
from reftel.telegram import Mrn

_POSTS = 300
_YEARS = range(1973, 1980)
_TEXT = "R 010915Z MAR 79\nFM AMEMBASSY BERN\nTO SECSTATE WASHDC\nUNCLAS BERN 0001\nTAGS: PREL\n1. Lamp.\n"


def fill(store: Store, count: int) -> list[Mrn]:
    """Telegrams in order of time: posts as unequal as in life, 1.75 references each, mostly to what is
    recent, a circular now and then that hundreds answer, one in ten not filed."""
    rng = random.Random(1979)
    posts = [
        "STATE",
        *(
            "".join(rng.choices("ABCDEFGHIKLMNOPRSTUV", k=rng.randint(4, 10)))
            for _ in range(_POSTS)
        ),
    ]
    weights = [40.0, *(10 / (1 + n) ** 0.7 for n in range(_POSTS))]
    (packed,) = pack([reftel.read(_TEXT)])
    last: dict[tuple[str, int], int] = {}
    mcn: dict[str, int] = {}
    recent: list[tuple[str, int, int]] = []
    held: list[Mrn] = []
    first, end = (minutes_of(f"{y}-01-01T00:00:00Z") or 0 for y in (_YEARS[0], _YEARS[-1] + 1))
    labels: list[int] = []
    id_ = 0
    while id_ < count:
        with store.transaction():
            labels = labels or [store.label_id(OPEN), store.label_id(Label("SECRET"))]
            for post in rng.choices(posts, weights, k=10_000):
                sent = first + (end - first) * min(id_, count - 1) // count
                year = _YEARS[min(len(_YEARS) - 1, (sent - first) // 525_960)]
                number = last[post, year] = last.get((post, year), 0) + 1
                cited = {
                    recent[-1 - int(rng.expovariate(0.002)) % len(recent)]
                    if rng.random() < 0.95
                    else recent[rng.randrange(min(50, len(recent)))]
                    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4)))
                    if recent
                }
                recent.append((post, year, number))
                if len(recent) > 20_000:
                    del recent[50:10_000]
                if rng.random() < 0.1:
                    continue
                id_ += 1
                series = []
                if post != "STATE":
                    mcn[post] = mcn.get(post, 0) % 9999 + 1
                    series = [Continuity(post, "STATE", mcn[post])]
                row = Row(
                    id_,
                    rng.randbytes(32),
                    id_,
                    labels[rng.random() < 0.2],
                    True,
                    0,
                    post,
                    year,
                    number,
                    None,
                    sent,
                    None,
                    0,
                    "synthetic",
                )
                how = (Cited(*each, 1) for each in sorted(cited - {(post, year, number)}))
                store.insert(row, 0, *packed, how, series)
                if id_ % 1000 == 0:
                    held.append(Mrn.of(year, post, number))
    return held


def measure(name: str, ask: Callable[[], object], times: int = 15) -> None:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    took.sort()
    print(f"  {name:<46}{took[len(took) // 2] * 1000:>9.1f} ms  slowest {took[-1] * 1000:>8.1f} ms")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        store = Store(folder / "telegrams.db")
        began = time.perf_counter()
        held = fill(store, count) if store.next_id() == 1 else []
        if not held:
            rows = store.select("SELECT year, post, number FROM documents WHERE id % 1000 = 0")
            held = [Mrn.of(*row) for row in rows]
        print(f"{count:,} telegrams, made in {time.perf_counter() - began:.0f} s")
        view = View(store, Indexes(folder / "index"), EVERYTHING)
        rng = random.Random(7)
        ghosts = [number for number, _ in view.graph.cited_and_not_held(post="STATE", year=1976)][
            :200
        ]

        def some() -> Mrn:
            return rng.choice(held)

        measure("one telegram by its number", lambda: view.cited_as(some()), 50)
        measure("a thread, 3 steps, 60 telegrams", lambda: thread(view, some()), 50)
        measure(
            "a thread, 6 steps, 500 telegrams", lambda: thread(view, some(), depth=6, limit=500)
        )
        measure("a path between two", lambda: path(view, some(), some()))
        measure("the most cited of all, asked the first time", lambda: most_cited(view), 1)
        measure("the most cited of all, asked again", lambda: most_cited(view))
        measure(
            "the most cited of State in 1976", lambda: most_cited(view, post="STATE", year=1976), 5
        )
        measure(
            "a ghost of State",
            lambda: ghost(view, Mrn.of(*[rng.choice(ghosts)[i] for i in (1, 0, 2)])),
        )  # type: ignore[arg-type]
        one = held[len(held) // 2]
        measure(
            f"what is missing of {one.post} in {one.year}",
            lambda: missing(view, one.post, one.year),
            5,
        )
        measure("what is missing of State in 1976", lambda: missing(view, "STATE", 1976), 3)
        measure("completeness, asked the first time", lambda: view.gaps.completeness(), 1)
        measure("completeness, asked again", lambda: view.gaps.completeness())
        store.close()


if __name__ == "__main__":
    main()
