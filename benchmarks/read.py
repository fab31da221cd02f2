"""How fast telegrams are read on one core: `python benchmarks/read.py [FOLDER]`.

Without a folder it reads synthetic telegrams (benchmarks/synthetic/world.py), all different, of 4 kB on
average as real ones are.

Prints telegrams and megabytes a second of processor time, and the ratio to a yardstick timed in the
same run: a plain pass of twenty compiled patterns over the same lines, which finds fields and keeps
nothing. Absolute rates depend on the machine; the ratio does not drift with it. The reader remembers
what some lines mean, so it is timed in three ways: the same texts over and over, each text once with
nothing remembered, and texts whose numbers differ each time. Then it says where the time goes, and how
much memory a long run needs. `make compiled` runs it with the reader compiled.

With another reader at hand, `--beside MODULE:FUNCTION` times that function on the same texts.
`--instructions` counts, under Valgrind, what the processor executes: a number that hardly changes from
run to run, however busy the machine is.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

import click

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.synthetic.world import World

import reftel

# By its full name: `reftel.read` itself is the function.
reader = importlib.import_module("reftel.read.reader")
_USUAL = 4500
_COUNT = 500
_FEW = 100
_YARDSTICK = tuple(
    re.compile(pattern)
    for pattern in (
        r"V?ZCZC[A-Z]{3}[0-9]{4}",
        r"([ZOPR])\1( [A-Z]{4,8})+$",
        r"DE [A-Z]{4,8} #?[0-9]{4}",
        r"ZN[RY] [A-Z]{5}",
        r"([ZOPR]) ([0-9]{6})Z ([A-Z]{3}) ([0-9]{2})",
        r"FM (.+)",
        r"TO (.+)",
        r"INFO (.+)",
        r"([A-Z]{4,8})/(.+?)( PRIORITY| IMMEDIATE)?( [0-9]{4})?$",
        r"(UNCLAS|C O N F I D E N T I A L|S E C R E T)\b.*?([A-Z ]+) ([0-9]{6})",
        r"(SIPDIS|SENSITIVE|NOFORN|EXDIS|NODIS)\b",
        r"E\.O\. ([0-9]{5}): (.*)",
        r"TAGS:? (.+)",
        r"SUBJ(?:ECT)?: (.+)",
        r"REFS?: (.+)",
        r"(?i)Classified By: (.+)",
        r"([0-9]{1,2})\. (\([A-Z/]+\))?",
        r"PAGE [0-9]+ ",
        r"[A-Z ]+ [0-9]{8} +[0-9]{3}",
        r"[A-Z]{3,20}$",
    )
)


def yardstick(text: str) -> None:
    """Twenty patterns tried on every line."""
    for line in text.split("\n"):
        for pattern in _YARDSTICK:
            pattern.match(line)


def best(function: Callable[[str], object], rounds: Iterable[list[str]]) -> float:
    """Seconds of processor time of the fastest of several passes over texts."""
    times = []
    for texts in rounds:
        began = time.process_time()
        for text in texts:
            function(text)
        times.append(time.process_time() - began)
    return min(times)


def forgetting(texts: list[str], rounds: int) -> Iterator[list[str]]:
    """The texts for each round, with all that the reader remembers of earlier ones forgotten."""
    memories = [
        value
        for name, module in list(sys.modules.items())
        if name.startswith("reftel.")
        for value in vars(module).values()
        if hasattr(value, "cache_parameters") and value.cache_parameters()["maxsize"] is not None
    ]
    for _ in range(rounds):
        for memory in memories:
            memory.cache_clear()
        yield texts


def renumbered(texts: list[str], rounds: int) -> Iterator[list[str]]:
    """The texts for each round, with other numbers behind names: those of telegrams and addressees."""
    random = Random(1)
    for _ in range(rounds):
        yield [
            _NUMBER.sub(lambda m: str(random.randrange(10 ** len(m[0]))).zfill(len(m[0])), text)
            for text in texts
        ]


_NUMBER = re.compile(r"(?<=[A-Z] )[0-9]{3,8}(?![0-9Z])")


def where(texts: Iterable[str]) -> Counter[str]:
    """Seconds in each step of the reader."""
    spent: Counter[str] = Counter()
    steps = ("mark_furniture", "cut_lines", "_read_front", "_read_further_sections", "read_body")
    kept = {name: getattr(reader, name) for name in (*steps, "read_citations", "_finish")}

    def timed(name: str, step: Callable[..., object]) -> Callable[..., object]:
        def run(*values: object) -> object:
            began = time.perf_counter()
            try:
                return step(*values)
            finally:
                spent[name.strip("_")] += time.perf_counter() - began

        return run

    try:
        for name, step in kept.items():
            setattr(reader, name, timed(name, step))
        for text in texts:
            reftel.read(text)
    finally:
        for name, step in kept.items():
            setattr(reader, name, step)
    return spent


# Reads the texts of a file, over and over.
_PASSES = """
import json, sys
sys.path.insert(0, sys.argv[1])
from benchmarks.read import reftel, yardstick
function = reftel.read if sys.argv[2] == "read" else yardstick
with open(sys.argv[3], encoding="utf-8") as file:
    texts = json.load(file)
for _ in range(int(sys.argv[4])):
    for text in texts:
        function(text)
"""
_COLLECTED = re.compile(r"Collected : ([0-9]+)")


def instructions(function: str, texts: list[str]) -> float:
    """Instructions a text that a function (`read`, `yardstick`) takes: those of three passes less those
    of one, which has the start and the loading of tables in it."""
    counted: list[int] = []
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file)
        file.flush()
        for passes in ("1", "3"):
            done = subprocess.run(
                [
                    *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
                    *(sys.executable, "-c", _PASSES, str(Path(__file__).parent.parent)),
                    *(function, file.name, passes),
                ],
                env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONSAFEPATH": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            counted += [int(number) for number in _COLLECTED.findall(done.stderr)]
    return (counted[1] - counted[0]) / 2 / len(texts)


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--rounds", default=7, show_default=True)
@click.option("--beside", help="MODULE:FUNCTION of another reader that takes a text.")
@click.option("--instructions", "counting", is_flag=True, help="Count instructions too (a minute).")
def main(folder: Path | None, rounds: int, beside: str | None, counting: bool) -> None:
    """Time the reader over the telegrams of FOLDER, or over synthetic ones."""
    if folder is None:
        world = World(1, _COUNT)
        texts = [world.telegram(number) for number in range(_COUNT)]
    else:
        texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt"))]
        texts = [text for text in texts if _is_telegram(text)]
    characters = sum(map(len, texts))
    same = [texts] * rounds
    ours, plain = best(reftel.read, same), best(yardstick, same)
    compiled = "plain Python" if str(reader.__file__).endswith(".py") else "compiled"
    click.echo(f"{len(texts)} telegrams of {characters / len(texts):,.0f} characters; {compiled}")

    def say(what: str, seconds: float) -> None:
        rate = characters / seconds
        click.echo(
            f"{what:<30}{len(texts) / seconds:8,.0f} telegrams/s{rate / 1e6:8.2f} MB/s, as"
            f" {rate / _USUAL:6,.0f}/s of 4.5 kB"
        )

    say("reftel.read", ours)
    say("  each once, none remembered", best(reftel.read, forgetting(texts, rounds)))
    say("  other numbers each time", best(reftel.read, renumbered(texts, rounds)))
    say("twenty patterns", plain)
    click.echo(f"reading takes {ours / plain:.2f} times the twenty patterns")
    if beside:
        module, _, name = beside.partition(":")
        other = best(getattr(importlib.import_module(module), name), same)
        say(beside, other)
        click.echo(f"Reftel's rate is {other / ours:.2f} times that")
    if counting:
        if shutil.which("valgrind") is None:
            raise click.ClickException("instructions are counted by Valgrind: install valgrind")
        few = texts[:_FEW]
        ours, plain = instructions("read", few), instructions("yardstick", few)
        click.echo(
            f"{ours:,.0f} instructions a telegram, {ours / plain:.2f} times the twenty patterns"
        )
    if compiled != "compiled":
        spent = where(texts)
        total = sum(spent.values())
        parts = ", ".join(
            f"{name} {100 * value / total:.0f} %" for name, value in spent.most_common()
        )
        click.echo(f"where the time goes: {parts}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 0
    while count < 20_000:
        for text in texts:
            reftel.read(text)
            count += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    click.echo(
        f"memory grew by {grown / 1024:.1f} MB over {count:,} telegrams read one after another"
    )


def _is_telegram(text: str) -> bool:
    try:
        reftel.read(text)
    except reftel.NotATelegram:
        return False
    return True


if __name__ == "__main__":
    main()
