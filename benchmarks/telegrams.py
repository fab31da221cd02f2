"""Synthetic telegrams, as many as are wanted: `python benchmarks/telegrams.py --count 100000 OUT`.

`benchmarks/synthetic/world.py` says what they are like.
"""

from __future__ import annotations

import csv
import json
import sys
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.synthetic.world import World

from reftel import NotATelegram, read
from reftel.telegram import to_builtins

_world: World


def _begin(world: World) -> None:
    global _world
    _world = world


def _make(what: str, numbers: range) -> list[Any]:
    if what == "row":
        return [_world.row(number) for number in numbers]
    made = [(_world.name(number), _world.telegram(number)) for number in numbers]
    if what == "text":
        return made
    lines: list[str] = []
    for name, text in made:
        try:
            lines.append(json.dumps(to_builtins(read(text), source=name, text=True)))
        except NotATelegram as refusal:
            print(f"{name}: {refusal.why}", file=sys.stderr)
    return lines


def telegrams(world: World, what: str = "text", processes: int | None = None) -> Iterator[Any]:
    """All telegrams of a world in order, `processes` at work: names and texts, or a table's rows
    (`row`), or records (`record`)."""
    parts = [range(at, min(at + 250, world.count)) for at in range(0, world.count, 250)]
    with Pool(processes, _begin, (world,)) as pool:
        for made in pool.imap(partial(_make, what), parts):
            yield from made


def write(world: World, form: str, out: Path) -> None:
    """Write all telegrams of a world to a path in a form."""
    if form == "text":
        for name, text in telegrams(world):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8")
    elif form == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name, text in telegrams(world):
                archive.writestr(name, text)
    elif form == "7z":
        import py7zr

        filters = [{"id": py7zr.FILTER_LZMA2, "preset": 1}]
        with py7zr.SevenZipFile(out, "w", filters=filters) as archive:
            for name, text in telegrams(world):
                archive.writestr(text, name)
    else:
        with out.open("w", encoding="utf-8", newline="") as file:
            if form == "csv":
                writer = csv.writer(
                    file,
                    quoting=csv.QUOTE_ALL,
                    doublequote=False,
                    escapechar="\\",
                    lineterminator="\n",
                )
                writer.writerows(telegrams(world, "row"))
            else:
                file.writelines(f"{line}\n" for line in telegrams(world, "record"))


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--count", default=100_000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option(
    "--form",
    type=click.Choice(["text", "csv", "zip", "7z", "jsonl"]),
    default="text",
    show_default=True,
)
def main(out: Path, count: int, seed: int, form: str) -> None:
    """Write telegrams to OUT: a folder of texts by year, a table, an archive, or records with texts."""
    began = time.perf_counter()
    write(World(seed, count), form, out)
    seconds = time.perf_counter() - began
    click.echo(f"{count} telegrams in {seconds:.1f} s, {count / seconds:,.0f}/s")


if __name__ == "__main__":
    main()
