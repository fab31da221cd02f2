"""Telegrams for tests: invented ones here and in examples/, real ones where the corpus is at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

WIRE = """VZCZCXYZ0000
PP RUEHWEB

DE RUEHSW #0123 0730915
ZNR UUUUU ZZH
P R 140915Z MAR 07
FM AMEMBASSY BERN
TO RUEHC/SECSTATE WASHDC PRIORITY 1234
INFO RUEHRO/AMEMBASSY ROME 0456
UNCLAS BERN 000123

SENSITIVE
SIPDIS

STATE FOR EUR/AGS

E.O. 12958: N/A
TAGS: PREL, SZ
SUBJECT: A LAMP FOR THE HARBOUR

REF: A. ROME 88
     B. 06 BERN 2001

1. (SBU) Summary. The lamp was lit. End Summary.

The Lamp
--------

2. (U) It burned all night, and nobody complained.

DOE
"""


def corpus_folder() -> Path:
    """The folder of real telegrams: `REFTEL_CORPUS`, or `shared/corpus` beside the checkout."""
    named = os.environ.get("REFTEL_CORPUS")
    folder = Path(named) if named else ROOT.parent / "shared" / "corpus"
    if not folder.is_dir():
        pytest.skip(f"the corpus of real telegrams is not at hand: no folder {folder}")
    return folder


def corpus_texts() -> Iterator[tuple[str, str]]:
    """Path inside the corpus and text of each real telegram."""
    folder = corpus_folder()
    for path in sorted(folder.rglob("*.txt")):
        yield str(path.relative_to(folder)), path.read_text(encoding="utf-8")


def example_texts() -> Iterator[tuple[str, str]]:
    """Path inside examples/ and text of each telegram that ships with Reftel."""
    folder = ROOT / "examples"
    for path in sorted(folder.rglob("*.txt")):
        yield str(path.relative_to(folder)), path.read_text(encoding="utf-8")
