"""The benchmark of the centre runs to its end, in a form so small that its figures mean nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.telegrams import ROOT


@pytest.fixture
def folder() -> Iterator[Path]:
    """One whose name is short: Postfix makes sockets in it, of which a path has 107 characters."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_the_benchmark_says_all_that_it_measures(folder: Path) -> None:
    command = [sys.executable, "benchmarks/centre.py", "--messages", "64", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--routine", "160", "--folder", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    for senders in (1, 8, 64):
        assert f"accepted from {senders:2d} senders: " in said
    if Path("/usr/sbin/postfix").exists() and os.geteuid() == 0:
        assert said.count("Postfix") >= 3
    assert "160 ROUTINE wait, taken on at " in said
    assert "started again after a kill in " in said
    assert "FLASH among them, handed in to arrived at the next station: p50 " in said
    assert "ROUTINE left at " in said
    assert list(folder.iterdir()) == []
