"""How fast telegrams come out of each form they are kept in: `python benchmarks/sources.py [COUNT]`.

Prints telegrams a second for walking (bytes with names), for passing over what was had before, and for
making texts; the ratio of walking to the standard library reading the same telegrams as loose files in
the same run; and by how much the process has grown.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from reftel.sources import ALL, inputs, texts

_FORMS = ("text", "csv", "zip", "7z", "jsonl", "tar", "tar.gz", "csv.zst")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _make(folder: Path, count: int) -> None:
    program = Path(__file__).parent / "telegrams.py"
    for form in ("text", "csv", "zip", "7z", "jsonl"):
        command = [sys.executable, str(program), str(folder / f"t.{form}"), "--form", form]
        subprocess.run([*command, "--count", str(count)], check=True, capture_output=True)
    for flag, name in (("", "t.tar"), ("z", "t.tar.gz")):
        subprocess.run(["tar", f"-c{flag}f", folder / name, "-C", folder, "t.text"], check=True)
    subprocess.run(["zstd", "-q", folder / "t.csv"], check=True)


@click.command()
@click.argument("count", type=click.IntRange(1), default=20_000)
def main(count: int) -> None:
    """Time reading COUNT synthetic telegrams from each form."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _make(folder, count)
        loose = sorted((folder / "t.text").rglob("*.txt"))
        plain = _seconds(lambda: [path.read_bytes() and None for path in loose])
        click.echo(f"{count} telegrams; loose files by the standard library {count / plain:,.0f}/s")
        for form in _FORMS:
            paths = [str(folder / f"t.{form}")]
            began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            walking = _seconds(lambda paths=paths: sum(1 for _ in inputs(paths)))
            had = count - 1 if form != "text" else ALL
            passing = _seconds(
                lambda paths=paths, had=had: sum(1 for _ in inputs(paths, had=lambda _: had))
            )
            making = _seconds(
                lambda paths=paths: sum(1 for item in inputs(paths) for _ in texts(item))
            )
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began) / 1024
            click.echo(
                f"{form:<8} walk {count / walking:>8,.0f}/s ({plain / walking:4.2f} times)"
                f"   pass over {count / passing:>8,.0f}/s   with texts {count / making:>8,.0f}/s"
                f"   {grown:4.0f} MB more"
            )


if __name__ == "__main__":
    main()
