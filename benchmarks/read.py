"""How fast telegrams are read on one core: `python benchmarks/read.py [FOLDER]`.

Prints telegrams and megabytes a second, and the ratio to a yardstick timed in the same run: a plain
pass of twenty compiled patterns over the same lines, which finds fields and keeps nothing. Absolute
rates depend on the machine; the ratio does not drift with it. Then it says where the time goes, and
how much memory a long run needs.

With `pip install cablemap.core` or any other reader at hand, `--beside MODULE:FUNCTION` times that
function on the same texts.
"""

from __future__ import annotations

import importlib
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import click

import reftel

# By its full name: `reftel.read` itself is the function.
reader = importlib.import_module("reftel.read.reader")
EXAMPLES = Path(__file__).parent.parent / "examples"
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


def best(function: Callable[[str], object], texts: list[str], rounds: int) -> float:
    """Seconds of the fastest of several passes over the texts."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        for text in texts:
            function(text)
        times.append(time.perf_counter() - began)
    return min(times)


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


@click.command()
@click.argument("folder", default=EXAMPLES, type=click.Path(exists=True, path_type=Path))
@click.option("--rounds", default=7, show_default=True)
@click.option("--beside", help="MODULE:FUNCTION of another reader that takes a text.")
def main(folder: Path, rounds: int, beside: str | None) -> None:
    """Time the reader over the telegrams of FOLDER."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt"))]
    texts = [text for text in texts if _is_telegram(text)]
    characters = sum(map(len, texts))
    ours, plain = best(reftel.read, texts, rounds), best(yardstick, texts, rounds)
    compiled = "plain Python" if str(reader.__file__).endswith(".py") else "compiled"
    click.echo(f"{len(texts)} telegrams of {characters / len(texts):,.0f} characters; {compiled}")
    click.echo(
        f"reftel.read        {len(texts) / ours:8,.0f} telegrams/s {characters / ours / 1e6:8.2f} MB/s"
    )
    click.echo(
        f"twenty patterns    {len(texts) / plain:8,.0f} telegrams/s {characters / plain / 1e6:8.2f} MB/s"
    )
    click.echo(f"reading takes {ours / plain:.2f} times the twenty patterns")
    if beside:
        module, _, name = beside.partition(":")
        other = best(getattr(importlib.import_module(module), name), texts, rounds)
        rate, ratio = len(texts) / other, other / ours
        click.echo(
            f"{beside:<18} {rate:8,.0f} telegrams/s; Reftel's rate is {ratio:.2f} times that"
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
