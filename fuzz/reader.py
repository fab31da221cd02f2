"""Fuzzes the reader, guided by coverage: whatever comes in, nothing is raised and nothing is lost.

`make fuzz SECONDS=3600` runs it; a crash is written to a file `crash-...`, which belongs into
tests/crashes/ with its cause mended. Seeds are the telegrams in examples/.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reftel"]):
    import reftel

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.properties.test_partition import check_partition

SEEDS = Path(__file__).parent / "corpus"
EXAMPLES = Path(__file__).parent.parent / "examples"


def try_one(data: bytes) -> None:
    """One text through the reader: as it is, as the parts of a file, and as its own sections."""
    text = data.decode("utf-8", "replace")
    telegram = check_partition(text)
    if telegram is not None:
        list(reftel.read_all(text))
        reftel.join([telegram, telegram])


def main() -> None:
    SEEDS.mkdir(exist_ok=True)
    for path in EXAMPLES.rglob("*.txt"):
        (SEEDS / path.name).write_bytes(path.read_bytes())
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
