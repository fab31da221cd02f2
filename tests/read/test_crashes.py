"""Texts that the reader once failed on: each becomes a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.properties.test_partition import check_partition

CRASHES = sorted((Path(__file__).parents[1] / "crashes").glob("*.txt"))


@pytest.mark.parametrize("path", CRASHES, ids=lambda path: path.stem)
def test_a_crash_stays_mended(path: Path) -> None:
    check_partition(path.read_bytes().decode("utf-8", "replace"))
