"""Reads telegrams with the reader of two revisions and shows, field by field, what changed.

`make compare BASE=rev` compares the working tree with a revision, over the telegrams in examples/ and
those named in TELEGRAMS. A change to the reader is judged on this page. Telegrams are told apart by
their files and texts: several can have one number, and some have none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parent.parent
_SHOWN = 8
_LONGEST = 110
# Runs in a process of its own with the source of one revision; prints a record a line.
_DUMP = """
import json, sys
import reftel
from reftel.telegram import to_builtins
for path in sys.stdin.read().splitlines():
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        text = file.read()
    try:
        record = to_builtins(reftel.read(text), source=path)
    except reftel.NotATelegram as refusal:
        record = {"source": path, "refused": refusal.why}
    except Exception as error:
        record = {"source": path, "raised": repr(error)}
    print(json.dumps(record))
"""


@click.command()
@click.argument("base")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Show every change, not the first few.")
def main(base: str, paths: tuple[Path, ...], everything: bool) -> None:
    """Compare the reader of revision BASE with the working tree's over the files in PATHS."""
    files = sorted(file for path in paths or (ROOT / "examples",) for file in _texts(path))
    with tempfile.TemporaryDirectory() as folder:
        _unpack(base, Path(folder))
        before = _read(Path(folder) / "src", files)
    after = _read(ROOT / "src", files)
    changes = [
        (file, field, old.get(field), new.get(field))
        for file, old, new in zip(files, before, after, strict=True)
        for field in sorted(old.keys() | new.keys())
        if (old.get(field) or None) != (new.get(field) or None)
    ]
    _report(base, len(files), changes, before, after, None if everything else _SHOWN)
    _collisions(after)


def _texts(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (each for each in path.rglob("*.txt") if each.name != "README.txt")


def _unpack(base: str, folder: Path) -> None:
    command = ["git", "archive", "--format=tar", base, "src"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if made.returncode:
        raise click.ClickException(made.stderr.decode().strip())
    with tarfile.open(fileobj=BytesIO(made.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _read(source: Path, files: list[Path]) -> list[dict[str, Any]]:
    read = subprocess.run(
        [sys.executable, "-P", "-c", _DUMP],
        input="\n".join(str(file) for file in files),
        env={"PYTHONPATH": str(source), "PYTHONIOENCODING": "utf-8", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if read.returncode:
        raise click.ClickException(read.stderr.strip())
    return [json.loads(line) for line in read.stdout.splitlines()]


def _report(
    base: str,
    count: int,
    changes: list[tuple[Path, str, Any, Any]],
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    shown: int | None,
) -> None:
    fields = Counter(field for _, field, _, _ in changes)
    touched = len({file for file, _, _, _ in changes})
    click.echo(f"{count} telegrams; {touched} read otherwise than at {base}\n")
    unknown = [
        sum(r.get("coverage", {}).get("unknown", 0) for r in each) for each in (before, after)
    ]
    click.echo(f"characters not understood: {unknown[0]} then, {unknown[1]} now\n")
    if changes:
        click.echo(f"{'field':<20}{'changed':>9}{'gained':>9}{'lost':>9}")
    for field, total in fields.most_common():
        pairs = [(old, new) for _, name, old, new in changes if name == field]
        gained = sum(not old and bool(new) for old, new in pairs)
        lost = sum(bool(old) and not new for old, new in pairs)
        click.echo(f"{field:<20}{total - gained - lost:>9}{gained:>9}{lost:>9}")
    for field, _ in fields.most_common():
        click.echo(f"\n{click.style(field, bold=True)}")
        rows = [(file, old, new) for file, name, old, new in changes if name == field]
        for file, old, new in rows[:shown]:
            click.echo(f"  {_short_path(file)}")
            click.echo(click.style(f"    - {_short(old)}", fg="red"))
            click.echo(click.style(f"    + {_short(new)}", fg="green"))
        if shown is not None and len(rows) > shown:
            click.echo(f"  and {len(rows) - shown} more; --all shows them")


def _collisions(records: list[dict[str, Any]]) -> None:
    numbers = Counter((record.get("mrn") or {}).get("text") for record in records)
    several = {number: n for number, n in numbers.items() if number and n > 1}
    click.echo(
        f"\n{len(several)} numbers have several documents; {numbers[None]} documents have none"
    )


def _short_path(file: Path) -> str:
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


if __name__ == "__main__":
    main()
